"""Cron tables, desktop autostart entries, rc.local, SysV links and ld.so.preload.

Sources: crontab(5), cron(8), Desktop Application Autostart Specification, systemd-rc-local-generator(8), ld.so(8).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ybscan.hosts.base import Host
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes._listing import names_in, text_of
from ybscan.probes._software.autostarts import Autostart
from ybscan.probes._software.commands import started
from ybscan.probes._software.text import shown

_PERIODIC = ("/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly")
#: Debian keeps people's tables in a folder below the one Red Hat's descendants use directly.
_SPOOLS = ("/var/spool/cron/crontabs", "/var/spool/cron", "/var/spool/cron/tabs")
_SPOOL_FOLDERS = frozenset({"crontabs", "tabs", "atjobs", "atspool", "lastrun"})


def cron_items(host: Host, gaps: list[Gap]) -> Iterator[Autostart]:
    """Every command of the system's and the people's cron tables, and the scripts of the periodic folders."""
    for path in ("/etc/crontab", "/etc/anacrontab", *(f"/etc/cron.d/{n}" for n in names_in(host, "/etc/cron.d", gaps))):
        if not path.endswith("/.placeholder"):
            yield from _table(host, path, gaps, owner="")
    for spool in _SPOOLS:
        for name in names_in(host, spool, gaps):
            if name not in _SPOOL_FOLDERS and not name.startswith("."):
                yield from _table(host, f"{spool}/{name}", gaps, owner=name)
    for folder in _PERIODIC:
        for name in names_in(host, folder, gaps):
            if name != ".placeholder":
                yield _script(host, "cron", f"{folder}/{name}", gaps)


def _table(host: Host, path: str, gaps: list[Gap], *, owner: str) -> Iterator[Autostart]:
    text = text_of(host, path, gaps)
    for line in (text or "").splitlines():
        found = cron_command(line, user_column=not owner, anacron=path.endswith("anacrontab"))
        if found is None:
            continue
        if not found[1]:
            gaps.append(Gap(Cause.MALFORMED, f"{path} 有不完整的行", path))
            continue
        user, command = found
        what = started(command)
        program = what.text
        who = user or owner
        yield Autostart("cron", f"{path}:{who}:{program}", path, who, program, what.why)


def cron_command(line: str, *, user_column: bool, anacron: bool = False) -> tuple[str, str] | None:
    """User and command of a cron line; None for comments and settings, an empty command for half a line."""
    line = line.strip()
    if not line or line.startswith("#") or re.match(r"[A-Za-z_][A-Za-z0-9_]*\s*=", line):
        return None
    if anacron:
        fields = line.split(None, 3)
        return ("root", fields[3]) if len(fields) == 4 else ("root", "")
    times = 1 if line.startswith("@") else 5
    fields = line.split(None, times + (1 if user_column else 0))
    if len(fields) < times + (2 if user_column else 1):
        return ("", "")
    return (fields[times], fields[times + 1]) if user_column else ("", fields[times])


def _script(host: Host, kind: str, path: str, gaps: list[Gap]) -> Autostart:
    """A script that is run whole: suspicious when it is a link to where anybody may write."""
    target = host.files.link(path=path)
    if isinstance(target, Unknown):
        gaps.append(target.as_gap())
    what = started(target.value) if isinstance(target, Known) else None
    return Autostart(kind, path, path, "root", shown(path), what.why if what else "")


def desktop_items(
    host: Host, homes: dict[str, str], listings: dict[str, tuple[str, ...]], gaps: list[Gap]
) -> Iterator[Autostart]:
    """Entries that start with the desktop, without those that are switched off."""
    folders = [("/etc/xdg/autostart", "")]
    folders += [(f"{h}/.config/autostart", user) for h, user in homes.items() if ".config" in listings.get(h, ())]
    for folder, owner in folders:
        for name in names_in(host, folder, gaps):
            path = f"{folder}/{name}"
            if not name.endswith(".desktop"):
                continue
            text = host.files.text(path=path)
            if isinstance(text, Unknown):
                gaps.append(text.as_gap())
                yield Autostart("desktop", path, path, owner, unread=text)
            elif isinstance(text, Known):
                command = autostart_command(text.value)
                if command is not None:
                    what = started(command)
                    program = what.text
                    yield Autostart("desktop", path, path, owner, program, what.why)


def autostart_command(text: str) -> str | None:
    """The Exec line of an autostart entry; None when the entry is switched off or starts nothing."""
    settings: dict[str, str] = {}
    inside = False
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            inside = line == "[Desktop Entry]"
        elif inside and "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            settings.setdefault(key.strip(), value.strip())
    if settings.get("Hidden", "").lower() == "true" or settings.get("X-GNOME-Autostart-enabled", "").lower() == "false":
        return None
    return settings.get("Exec")


def boot_items(host: Host, accepted: frozenset[str], doubt: Unknown | None, gaps: list[Gap]) -> Iterator[Autostart]:
    """rc.local's commands, SysV start links, preloaded libraries.

    ``accepted`` are the ids of the baseline; ``doubt`` says why a baseline that the unit has could not be used.
    """
    for path in ("/etc/rc.local", "/etc/rc.d/rc.local"):
        meta = host.files.stat(path=path)
        if isinstance(meta, Unknown):
            gaps.append(meta.as_gap())
        if not isinstance(meta, Known) or not meta.value.mode & 0o111:
            continue  # what is not executable is not run
        text = text_of(host, path, gaps)
        for line in (text or "").splitlines():
            line = line.strip()
            if line and not line.startswith("#") and not re.fullmatch(r"exit(\s+\d+)?|:|true", line):
                what = started(line)
                program = what.text
                yield Autostart("rc-local", f"{path}:{program}", path, "root", program, what.why)
    links: dict[str, str] = {}
    for level in ("S", "2", "3", "4", "5"):
        for name in names_in(host, f"/etc/rc{level}.d", gaps):
            if re.match(r"S\d\d", name):
                links.setdefault(name[3:], f"/etc/rc{level}.d/{name}")
    for name, path in sorted(links.items()):
        yield Autostart("sysv", name, path, "root", f"/etc/init.d/{name}")
    text = text_of(host, "/etc/ld.so.preload", gaps)
    for library in re.split(r"[\s:]+", re.sub(r"#.*", "", text or "")):
        if library:
            item = Autostart("preload", shown(library), "/etc/ld.so.preload", "root", shown(library))
            why = started(library).why
            if not why and item.id in accepted:
                yield item
            elif not why and doubt is not None:
                yield replace(item, unread=doubt)
            else:
                yield replace(item, why=why or "所有程序都会加载的库，未列入基线")
