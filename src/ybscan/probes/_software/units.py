"""Enabled systemd units, from their links. Sources: systemd.unit(5) (search path, .wants folders, drop-ins)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ybscan.hosts.base import Host
from ybscan.model.reading import Gap, Known, Unknown
from ybscan.probes._listing import names_in
from ybscan.probes._software.autostarts import Autostart
from ybscan.probes._software.commands import started
from ybscan.probes._software.text import shown

SYSTEM_FOLDERS = (
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
USER_FOLDERS = ("/etc/systemd/user", "/usr/lib/systemd/user")
_EXEC = re.compile(
    r"^[ \t]*(Exec(?:Start|StartPre|StartPost|Condition|Reload|Stop|StopPost))[ \t]*=[ \t]*(.*)$", re.MULTILINE
)
_UNIT = re.compile(r"^[ \t]*Unit[ \t]*=[ \t]*(\S+)", re.MULTILINE)


def enabled_units(
    host: Host, folders: tuple[str, ...], kind: str, gaps: list[Gap], owner: str = ""
) -> Iterator[Autostart]:
    """Units that ``.wants`` and ``.requires`` folders pull in, alias links, and drop-ins; each name once."""
    seen: set[str] = set()
    for folder in folders:
        names = names_in(host, folder, gaps)
        local = folder == folders[0]
        for name in names:
            path = f"{folder}/{name}"
            if name.endswith((".wants", ".requires")):
                for unit in names_in(host, path, gaps):
                    key = f"{kind}:{unit}"
                    if key not in seen:
                        seen.add(key)
                        yield _unit(host, folders, kind, unit, f"{path}/{unit}", owner)
            elif local and name.endswith(".d"):
                for conf in names_in(host, path, gaps):
                    if conf.endswith(".conf"):
                        yield _drop_in(host, kind, f"{name}/{conf}", f"{path}/{conf}", owner)
            elif local and name.endswith((".service", ".timer", ".socket", ".path")):
                target = host.files.link(path=path)
                if isinstance(target, Unknown):
                    gaps.append(target.as_gap())
                # A link to /dev/null masks the unit: the opposite of starting it.
                if isinstance(target, Known) and target.value != "/dev/null":
                    yield _unit(host, folders, f"{kind}-alias", name, path, owner)


def _unit(host: Host, folders: tuple[str, ...], kind: str, unit: str, link: str, owner: str) -> Autostart:
    text = _text(host, folders, unit, link)
    if isinstance(text, Known) and unit.endswith((".timer", ".path", ".socket")):
        # What such a unit starts is a service of its own name unless it says otherwise.
        named = _UNIT.search(text.value)
        service = named[1] if named else unit.rpartition(".")[0] + ".service"
        text = _text(host, folders, service, "")
    return _item(kind, unit, link, text, owner)


def _drop_in(host: Host, kind: str, name: str, path: str, owner: str) -> Autostart:
    return _item(f"{kind}-dropin", name, path, host.files.text(path=path), owner)


def _text(host: Host, folders: tuple[str, ...], unit: str, link: str) -> Known[str] | Unknown | None:
    """The unit file systemd would load: the first of the search path, an instance's template, or where the link leads."""
    template = re.sub(r"@[^.]*\.", "@.", unit)
    paths = [f"{f}/{n}" for n in dict.fromkeys((unit, template)) for f in folders]
    for path in (*paths, link):
        text = host.files.text(path=path) if path else None
        if isinstance(text, (Known, Unknown)):
            return text
    return None


def _item(kind: str, name: str, path: str, text: object, owner: str) -> Autostart:
    programs: list[str] = []
    why = ""
    if isinstance(text, Unknown):
        return Autostart(kind, name, path, owner, unread=text)
    if isinstance(text, Known):
        joined = re.sub(r"\\\r?\n", " ", str(text.value))
        for _, command in _EXEC.findall(joined):
            what = started(command)
            programs.extend(what.programs[:1])
            why = why or what.why
    return Autostart(kind, name, path, owner, program=shown(programs[0]) if programs else "", why=why)
