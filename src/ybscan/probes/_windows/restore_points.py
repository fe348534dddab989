"""Backups of a Windows system: restore points, and images at the places that the site file names.

What Windows' own backup program leaves (folder ``WindowsImageBackup\\<computer>\\Backup <date> <time>``, event 4 of the
channel Microsoft-Windows-Backup) does not tell whether the image is whole or which volumes it holds: it keeps "there is
none" from being said, and proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, Item
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes.base import Context
from ybscan.probes.restore_points import declared, point

_CHANNEL = "Microsoft-Windows-Backup"
_FINISHED = 4
#: Older successes say nothing about a recent backup of the system.
_LOOK_BACK = timedelta(days=90)
_FOLDER = "WindowsImageBackup"
_IMAGE = re.compile(r"^Backup (\d{4}-\d\d-\d\d) (\d{6})$")


def read(host: Host, context: Context) -> Mapping[str, Fact]:
    """All facts of the probe."""
    gaps: list[Gap] = []
    items: list[Item] = [*_points(host, context, gaps), *declared(host, context, gaps), *_images(host, context, gaps)]
    _history(host, context, gaps)
    items.sort(key=lambda i: (str(i["tool"]), str(i["time"]), str(i["path"])))
    return {"points": Known(tuple(items), "系统还原点、系统映像、site.yml", tuple(dict.fromkeys(gaps)))}


def _points(host: Host, context: Context, gaps: list[Gap]) -> Iterator[Item]:
    made = host.security.restore_points()
    if isinstance(made, Unknown):
        gaps.append(made.as_gap())
    elif isinstance(made, Known):
        gaps.extend(made.gaps)
        for moment in made.value:
            when = datetime.fromtimestamp(moment, UTC).astimezone(context.now.tzinfo)
            yield point("系统还原点", "系统盘", when, context)


def _images(host: Host, context: Context, gaps: list[Gap]) -> Iterator[Item]:
    """Images of Windows' own backup on the disks of this machine, as clues."""
    disks = host.devices.disks()
    if not isinstance(disks, Known):
        # Which drives there are is told by a running system only.
        if isinstance(disks, Unknown) and disks.cause is not Cause.UNSUPPORTED:
            gaps.append(disks.as_gap())
        return
    for letter in sorted({x for d in disks.value if d.number is not None for x in d.letters}):
        top = f"{letter}\\{_FOLDER}"
        machines = host.files.entries(path=top)
        if isinstance(machines, Unknown):
            gaps.append(machines.as_gap())
        for machine in machines.value if isinstance(machines, Known) else ():
            names = host.files.entries(path=f"{top}\\{machine}")
            if isinstance(names, Unknown):
                gaps.append(names.as_gap())
            for name in names.value if isinstance(names, Known) else ():
                yield from _image(context, f"{top}\\{machine}\\{name}", name)


def _image(context: Context, path: str, name: str) -> Iterator[Item]:
    match = _IMAGE.match(name)
    if match is None:
        return
    try:
        when = datetime.strptime(f"{match[1]} {match[2]}", "%Y-%m-%d %H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return
    doubt = Unknown(Cause.UNCONFIRMED, "Windows 备份的映像是否完整、含哪些卷，需在备份程序中核对", path)
    yield {**point("Windows 备份的系统映像", path, when.astimezone(context.now.tzinfo), context), "confirmed": doubt}


def _history(host: Host, context: Context, gaps: list[Gap]) -> None:
    since = (context.now - _LOOK_BACK).timestamp()
    log = host.logs.events(channel=_CHANNEL, ids=(_FINISHED,), since=since, fields=())
    if isinstance(log, Unknown) and log.cause is not Cause.UNSUPPORTED:
        gaps.append(log.as_gap())
    elif isinstance(log, Known) and log.value.events:
        last = datetime.fromtimestamp(max(e.time for e in log.value.events), UTC).astimezone(context.now.tzinfo)
        why = f"Windows 备份在 {last:%Y-%m-%d} 成功过，备份的是不是整个系统需人工核对"
        gaps.append(Gap(Cause.UNCONFIRMED, why, _CHANNEL))
