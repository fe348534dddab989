"""What polkit lets ordinary users do without an administrator's password.

An action's own defaults are plain (``<allow_active>yes``). Rules are programs: one that touches an action is said to
grant it only in the ``.pkla`` form, where who and what are written out; in the newer form it leaves the matter open.
Sources: polkit(8), pklocalauthority(8), the policy file format described in polkit(8).
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._usb.polkit import RULES_FOLDERS, format_of

_ACTIONS = "/usr/share/polkit-1/actions"
_PKLA = ("/var/lib/polkit-1/localauthority", "/etc/polkit-1/localauthority")
#: Groups whose members administer the machine anyway (they may become root by sudo).
_ADMIN_GROUPS = re.compile(r"[\"'](wheel|sudo|admin|root)[\"']")


@dataclass(frozen=True, slots=True)
class Grant:
    """That ordinary users may do something, or may perhaps."""

    action: str
    allowed: bool | Unknown
    source: str


def grants(host: Host, actions: tuple[str, ...], gaps: list[Gap]) -> tuple[Grant, ...]:
    """Every grant of one of ``actions`` to others than administrators."""
    form = format_of(host)
    if isinstance(form, Absent):
        return ()  # without polkit only root may
    found = list(_defaults(host, actions, gaps))
    if isinstance(form, Unknown):
        gaps.append(form.as_gap())
    elif form.value == "pkla":
        found += _pkla(host, actions, gaps)
    else:
        found += _rules(host, actions, gaps)
    return tuple(found)


def _names(host: Host, folder: str, gaps: list[Gap]) -> tuple[str, ...]:
    names = host.files.entries(path=folder)
    if isinstance(names, Unknown) and not (names.cause is Cause.UNSUPPORTED and folder.startswith("/run/")):
        gaps.append(names.as_gap())
    return names.value if isinstance(names, Known) else ()


def _text(host: Host, path: str, gaps: list[Gap]) -> str:
    text = host.files.text(path=path)
    if isinstance(text, Unknown):
        gaps.append(text.as_gap())
    return text.value if isinstance(text, Known) else ""


def _defaults(host: Host, actions: tuple[str, ...], gaps: list[Gap]) -> Iterator[Grant]:
    """The defaults of the actions' own files, which vendors name after the interface the action belongs to."""
    wanted = {f"{a.rpartition('.')[0]}.policy" for a in actions}
    for name in _names(host, _ACTIONS, gaps):
        if name not in wanted:
            continue
        path = f"{_ACTIONS}/{name}"
        text = _text(host, path, gaps)
        blocks = re.findall(r"<action\s+id\s*=\s*[\"']([\w.-]+)[\"']\s*>(.*?)</action>", text, re.DOTALL)
        if text and not blocks:
            gaps.append(Gap(Cause.MALFORMED, path, path))
        for action, body in blocks:
            if action in actions and re.search(r"<allow_(any|inactive|active)>\s*yes\s*</allow_", body):
                yield Grant(action, True, path)


def _pkla(host: Host, actions: tuple[str, ...], gaps: list[Gap]) -> Iterator[Grant]:
    for root in _PKLA:
        for folder in _names(host, root, gaps):
            for name in _names(host, f"{root}/{folder}", gaps):
                if name.endswith(".pkla"):
                    path = f"{root}/{folder}/{name}"
                    yield from _pkla_entries(_text(host, path, gaps), path, actions)


def _pkla_entries(text: str, path: str, actions: tuple[str, ...]) -> Iterator[Grant]:
    for block in re.split(r"^\s*\[.*\]\s*$", text, flags=re.MULTILINE):
        values = {k.lower(): v.strip() for k, v in re.findall(r"^[ \t]*(\w+)[ \t]*=[ \t]*(.*)$", block, re.MULTILINE)}
        if "yes" not in {values.get(k) for k in ("resultany", "resultinactive", "resultactive")}:
            continue
        who = [w.strip() for w in values.get("identity", "").split(";") if w.strip()]
        if all(re.fullmatch(r"unix-(group:(wheel|sudo|admin|root)|user:(root|0))", w) for w in who):
            continue
        patterns = [p.strip() for p in values.get("action", "").split(";") if p.strip()]
        for action in actions:
            if any(fnmatch.fnmatchcase(action, p) for p in patterns):
                everybody = "unix-user:*" in who
                doubt = Unknown(Cause.UNCONFIRMED, f"{path} 授权给 {'、'.join(who)[:80]}，需核对是否为管理员", path)
                yield Grant(action, True if everybody else doubt, path)


def _rules(host: Host, actions: tuple[str, ...], gaps: list[Gap]) -> Iterator[Grant]:
    for folder in RULES_FOLDERS:
        for name in _names(host, folder, gaps):
            if not name.endswith(".rules"):
                continue
            path = f"{folder}/{name}"
            text = re.sub(r"//[^\n]*|/\*.*?\*/", " ", _text(host, path, gaps), flags=re.DOTALL)
            if not re.search(r"Result\s*\.\s*YES|return\s*[\"']yes[\"']", text):
                continue
            touched = [a for a in actions if _touches(text, a)]
            # A rule for members of the administrators' group gives them nothing new; one that names others may.
            groups = re.findall(r"isInGroup\(\s*([\"'][^\"']+[\"'])", text)
            if groups and all(_ADMIN_GROUPS.fullmatch(g) for g in groups) and "||" not in text:
                continue
            for action in touched:
                yield Grant(
                    action, Unknown(Cause.UNCONFIRMED, f"{path} 中的 polkit 规则涉及该操作，需人工核对", path), path
                )


def _touches(code: str, action: str) -> bool:
    """Whether a rules file may mean the action: it names it or a part of it, or it names no action at all."""
    ids = re.findall(r"[\"']\^?((?:[a-z][\w-]*\.){2,}[\w.*-]*)[\"']", code)
    if not ids:
        return True
    return any(action.startswith(i.rstrip("*").rstrip(".")) for i in ids)
