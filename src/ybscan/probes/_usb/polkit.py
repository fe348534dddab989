"""Whether polkit refuses every user the mounting of removable media through udisks.

Sources: polkit(8) and the release notes of 0.106 (``.rules`` took the place of ``.pkla``), pklocalauthority(8) for
``.pkla``, the action ids of udisks2. Rules are JavaScript: only the plain forms without any condition on who asks are
read as a refusal, whatever else touches these actions is Unknown(unconfirmed).
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown
from ybscan.probes._usb.layers import LIMIT

#: The mounting of what udisks does not count as part of the system; all other media take one of these two.
ACTIONS = ("org.freedesktop.udisks2.filesystem-mount", "org.freedesktop.udisks2.filesystem-mount-other-seat")

RULES_FOLDERS = (
    "/etc/polkit-1/rules.d",
    "/run/polkit-1/rules.d",
    "/usr/local/share/polkit-1/rules.d",
    "/usr/share/polkit-1/rules.d",
)
#: Read by polkit from version 124 on only: what stands there is no certain refusal.
_NEWER_FOLDERS = ("/run/", "/usr/local/")
_PKLA_ROOTS = ("/var/lib/polkit-1/localauthority", "/etc/polkit-1/localauthority")
_DPKG = "/var/lib/dpkg/status"
_DPKG_LIMIT = 32 * 1024 * 1024

Format = Literal["pkla", "rules"]


def format_of(host: Host) -> Reading[Format]:
    """Which kind of file this polkit obeys. Absent when no polkit is installed."""
    version = _version(host)
    if not isinstance(version, Known):
        return version
    m = re.match(r"(?:\d+:)?0\.(\d+)", version.value)
    return Known("pkla" if m and int(m[1]) < 106 else "rules", version.origin)


def _version(host: Host) -> Reading[str]:
    output = host.tools.run(tool="PKACTION", args=("--version",))
    if (
        isinstance(output, Known)
        and output.value.code == 0
        and (m := re.search(r"version\s+([\d.]+)", output.value.stdout))
    ):
        return Known(m[1], output.origin)
    status = host.files.text(path=_DPKG, limit=_DPKG_LIMIT)
    if isinstance(status, Unknown):
        return status
    if isinstance(status, Known):
        # From Debian 12 on the daemon is a package of its own; the old name is then a mere transitional one.
        for package in ("polkitd", "policykit-1"):
            m = re.search(rf"^Package: {package}\n(?:(?!\n)[^\n]+\n)*?Version: (\S+)", status.value, re.MULTILINE)
            if m:
                return Known(m[1], _DPKG)
        return Absent(_DPKG)
    folders = [host.files.entries(path=f) for f in (*RULES_FOLDERS, *_PKLA_ROOTS)]
    if all(isinstance(f, Absent) or (isinstance(f, Unknown) and f.cause is Cause.UNSUPPORTED) for f in folders):
        return Absent("polkit")
    return Unknown(Cause.UNAVAILABLE, "不能确定 polkit 的版本，无法判断哪种规则文件有效", "polkit")


def refuses_mounting(host: Host) -> Reading[bool]:
    """Whether the mounting actions are refused to everybody, in the format that this polkit obeys."""
    form = format_of(host)
    if not isinstance(form, Known):
        return form
    return _pkla(host) if form.value == "pkla" else _rules(host)


# ---------------------------------------------------------------------------------------------------------- .rules


def _rules(host: Host) -> Reading[bool]:
    files: list[tuple[bytes, int, str]] = []
    for rank, folder in enumerate(RULES_FOLDERS):
        names = host.files.entries(path=folder)
        if isinstance(names, Unknown):
            if names.cause is Cause.UNSUPPORTED and folder.startswith("/run/"):
                continue
            return names
        if isinstance(names, Known):
            files += [
                (n.encode("utf-8", "surrogateescape"), rank, f"{folder}/{n}")
                for n in names.value
                if n.endswith(".rules")
            ]
    refused: dict[str, str] = {}
    for _, _, path in sorted(files):
        text = host.files.text(path=path, limit=LIMIT)
        if isinstance(text, Unknown):
            return text
        if isinstance(text, Absent):
            continue
        code = _without_comments(text.value)
        bodies, rest = _bodies(code)
        # Rules given as arrow functions or by name are not read here; they may have a say about anything.
        if "udisks" in rest or "addRule" in rest:
            return _unclear(path)
        for body in bodies:
            outcome = _outcome(body)
            if outcome is None or (outcome and path.startswith(_NEWER_FOLDERS)):
                return _unclear(path)
            for action in outcome:
                refused.setdefault(action, path)
        if set(ACTIONS) <= set(refused):
            return Known(True, refused[ACTIONS[0]])
    return Known(False, "polkit rules.d")


def _unclear(path: str) -> Unknown:
    return Unknown(Cause.UNCONFIRMED, f"{path} 中的 polkit 规则涉及磁盘挂载，作用需人工核对", path)


def _without_comments(code: str) -> str:
    # Strings are kept: an action id may hold what looks like a comment.
    return re.sub(
        r"(\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')|//[^\n]*|/\*.*?\*/", lambda m: m[1] or " ", code, flags=re.DOTALL
    )


def _bodies(code: str) -> tuple[list[str], str]:
    """The bodies of the functions given to ``polkit.addRule``, and the code around them."""
    bodies: list[str] = []
    rest: list[str] = []
    at = 0
    start = re.compile(r"polkit\s*\.\s*addRule\s*\(\s*function\s*\w*\s*\([^)]*\)\s*\{")
    while (m := start.search(code, at)) is not None:
        rest.append(code[at : m.start()])
        depth, end = 1, m.end()
        while end < len(code) and depth:
            depth += {"{": 1, "}": -1}.get(code[end], 0)
            end += 1
        bodies.append(code[m.end() : end - 1])
        at = end
    rest.append(code[at:])
    return bodies, "".join(rest)


#: A test that holds for actions of one name or beginning only.
_NAMED = re.compile(
    r"action\.id(?:\s*={2,3}\s*[\"']ID|\.(?:startsWith|match)\(\s*[\"']\^?ID"
    r"|\.indexOf\(\s*[\"']ID[\"']\s*\)\s*(?:={2,3}\s*0|>=\s*0|>\s*-1|!={1,2}\s*-1))".replace(
        "ID", r"(?:[a-z][\w-]*\.){2,}[\w.-]*"
    )
)
_NOTHING = r"polkit\s*\.\s*Result\s*\.\s*NOT_HANDLED|null|undefined"
_IF = re.compile(
    r"if\s*\((?P<test>.*?)\)\s*\{?\s*return\s+polkit\s*\.\s*Result\s*\.\s*(?P<what>\w+)\s*;?\s*\}?\s*", re.DOTALL
)
_TESTS = (
    (re.compile(r"\s*action\.id\s*={2,3}\s*([\"'])(?P<id>[\w.*-]+)\1\s*"), "exact"),
    (re.compile(r"\s*action\.id\.indexOf\(\s*([\"'])(?P<id>[\w.-]+)\1\s*\)\s*={2,3}\s*0\s*"), "prefix"),
    (re.compile(r"\s*action\.id\.startsWith\(\s*([\"'])(?P<id>[\w.-]+)\1\s*\)\s*"), "prefix"),
    (re.compile(r"\s*action\.id\.match\(\s*([\"'])\^?(?P<id>[\w.-]+)\1\s*\)\s*"), "prefix"),
)


def _outcome(body: str) -> list[str] | None:
    """The mounting actions that a rule refuses to everybody; empty when it does not concern them, None when unclear."""
    if not _concerns(body):
        return []
    refused: list[str] = []
    at = 0
    for m in _IF.finditer(body):
        if body[at : m.start()].strip():
            return None
        at = m.end()
        tests = re.split(r"\|\|", m["test"])
        actions: list[str] = []
        for test in tests:
            ids = _ids(test.strip().removeprefix("(").removesuffix(")") if test.count("(") != test.count(")") else test)
            if ids is None:
                return None
            actions += ids
        if actions and m["what"] != "NO":
            return None
        refused += actions
    leftover = body[at:].strip().strip("};").strip()
    if leftover and not re.fullmatch(
        r"return\s+polkit\s*\.\s*Result\s*\.\s*NOT_HANDLED|return|return\s+(?:null|undefined)", leftover
    ):
        return None
    return refused


def _ids(test: str) -> list[str] | None:
    for pattern, how in _TESTS:
        m = pattern.fullmatch(test)
        if m:
            return [a for a in ACTIONS if (a == m["id"] if how == "exact" else a.startswith(m["id"]))]
    return None


def _concerns(body: str) -> bool:
    """Whether a rule may have a say about the mounting actions: it names them, or names no action at all."""
    if "udisks" in body:
        return True
    ids = re.findall(r"[\"']((?:[a-z][\w-]*\.){2,}[\w.*-]*)[\"']", body)
    if ids and "action.id" in body and any(a.startswith(i.rstrip("*")) for a in ACTIONS for i in ids):
        return True
    # What is left when the decisions on named other actions are taken away must decide nothing.
    left = _IF.sub(lambda m: "" if all(map(_names_action, m["test"].split("||"))) else m[0], body)
    return bool(re.search(rf"\breturn\b(?!\s*(?:;|\}}|$|{_NOTHING}))", left))


def _names_action(test: str) -> bool:
    """Whether a test can only hold for an action that it names; ``!`` before it turns that round."""
    named = _NAMED.search(test)
    return named is not None and not test[: named.start()].rstrip(" (\t\n").endswith("!")


# ----------------------------------------------------------------------------------------------------------- .pkla


@dataclass(frozen=True, slots=True)
class _Entry:
    identity: str
    action: str
    results: tuple[str, str, str]
    path: str


def _pkla(host: Host) -> Reading[bool]:
    entries: list[_Entry] = []
    found = _pkla_files(host)
    if isinstance(found, Unknown):
        return found
    for path in found:
        text = host.files.text(path=path, limit=LIMIT)
        if isinstance(text, Unknown):
            return text
        if isinstance(text, Known):
            entries += _entries(text.value, path)
    denied: dict[str, str] = {}
    for action in ACTIONS:
        for entry in entries:
            if not any(fnmatch.fnmatchcase(action, a.strip()) for a in entry.action.split(";") if a.strip()):
                continue
            identities = {i.strip() for i in entry.identity.split(";") if i.strip()}
            if set(entry.results) == {"no"}:
                if "unix-user:*" in identities:
                    denied[action] = entry.path
            else:
                return Unknown(Cause.UNCONFIRMED, f"{entry.path} 对部分用户放行磁盘挂载，需人工核对", entry.path)
    if set(denied) == set(ACTIONS):
        return Known(True, denied[ACTIONS[0]])
    concerned = [e for e in entries if "udisks2" in e.action and "mount" in e.action]
    if concerned:
        return _unclear(concerned[0].path)
    return Known(False, "polkit localauthority")


def _pkla_files(host: Host) -> list[str] | Unknown:
    paths: list[str] = []
    for root in _PKLA_ROOTS:
        folders = host.files.entries(path=root)
        if isinstance(folders, Unknown):
            return folders
        for folder in folders.value if isinstance(folders, Known) else ():
            names = host.files.entries(path=f"{root}/{folder}")
            if isinstance(names, Unknown):
                return names
            paths += (
                [f"{root}/{folder}/{n}" for n in names.value if n.endswith(".pkla")] if isinstance(names, Known) else []
            )
    return paths


def _entries(text: str, path: str) -> Iterator[_Entry]:
    section: dict[str, str] | None = None
    for line in [*text.splitlines(), "[end]"]:
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            if section is not None:
                yield _Entry(
                    section.get("identity", ""), section.get("action", ""),
                    (section.get("resultany", ""), section.get("resultinactive", ""), section.get("resultactive", "")), path,
                )  # fmt: skip
            section = {}
        elif section is not None and "=" in stripped and not stripped.startswith("#"):
            key, value = stripped.split("=", 1)
            section[key.strip().lower()] = value.strip()
