"""Kernel messages from the text logs of rsyslog and its kin, with how far back they reach."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from ybscan.hosts.base import Host
from ybscan.hosts.linux.files import decoded
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._usb.kernel_log import Line

FOLDER = "/var/log"
FAMILIES = ("kern.log", "messages", "syslog")

_LIMIT = 32 * 1024 * 1024
_PACKED_LIMIT = 64 * 1024
#: A terminal that is switched off over a weekend writes nothing for that long.
_DATED_GAP = timedelta(days=4)
_MONTHS = {
    m: i for i, m in enumerate(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1)
}
_CLASSIC = re.compile(r"^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d{2}):(\d{2}):(\d{2}) ")
_ISO = re.compile(r"^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.\d+)?(Z|[+-]\d{2}:\d{2}) ")
_KERNEL = re.compile(r"^\S+ kernel: (?:\[ *\d+\.\d+\] )?(.*)$")


@dataclass(frozen=True, slots=True)
class TextLog:
    """One family of log files: its kernel lines inside the window, its first and last time, and what is missing."""

    family: str
    lines: tuple[Line, ...]
    oldest: datetime | None
    newest: datetime | None
    reaches_back: bool
    """Whether it holds an entry from before the window."""
    gaps: tuple[Gap, ...]


def stamp(line: str, now: datetime) -> tuple[datetime, str] | None:
    """Time and rest of a log line. The classic form has neither year nor zone: the scan's are taken."""
    if m := _ISO.match(line):
        try:
            return datetime.fromisoformat(m[1] + m[2].replace("Z", "+00:00")), line[m.end() :]
        except ValueError:
            return None
    m = _CLASSIC.match(line)
    if m is None or m[1] not in _MONTHS:
        return None
    for year in (now.year, now.year - 1):
        try:
            when = datetime(year, _MONTHS[m[1]], int(m[2]), int(m[3]), int(m[4]), int(m[5]), tzinfo=now.tzinfo)
        except ValueError:
            continue
        if when <= now + timedelta(days=1):
            return when, line[m.end() :]
    return None


def read_families(host: Host, *, start: datetime, now: datetime) -> tuple[list[TextLog], list[Gap]]:
    """Every family that has files, and why the folder could not be looked into."""
    names = host.files.entries(path=FOLDER)
    if isinstance(names, Unknown):
        return [], [names.as_gap()]
    if isinstance(names, Absent):
        return [], []
    logs = []
    for family in FAMILIES:
        mine = [
            n for n in names.value if re.fullmatch(rf"{re.escape(family)}(?:[.-]\d+)?(?:\.gz|\.xz|\.zst|\.bz2)?", n)
        ]
        if mine:
            logs.append(_family(host, family, mine, start, now))
    return logs, []


def _family(host: Host, family: str, names: list[str], start: datetime, now: datetime) -> TextLog:
    times: list[datetime] = []
    lines: list[Line] = []
    gaps: list[Gap] = []
    before: dict[str, datetime] = {}
    for name in names:
        path = f"{FOLDER}/{name}"
        stat = host.files.stat(path=path)
        if isinstance(stat, Known) and stat.value.mtime < start.timestamp():
            # The last entry of a rotated file lies before the window: nothing inside it is needed.
            before[name] = datetime.fromtimestamp(stat.value.mtime, tz=now.tzinfo)
            continue
        text = content(host, path, stat.value.size if isinstance(stat, Known) else None)
        if isinstance(text, Unknown):
            gaps.append(text.as_gap())
            continue
        if isinstance(text, Absent):
            continue
        unread = 0
        for line in text.value.splitlines():
            stamped = stamp(line, now)
            if stamped is None:
                unread += bool(line.strip())
                continue
            times.append(stamped[0])
            m = _KERNEL.match(stamped[1])
            if m and start <= stamped[0] <= now + timedelta(minutes=5):
                lines.append((stamped[0], m[1]))
        if unread and not times:
            gaps.append(Gap(Cause.MALFORMED, path, path))
    oldest, newest = (min(times), max(times)) if times else (None, None)
    return TextLog(
        family, tuple(sorted(lines, key=lambda entry: entry[0])), oldest, newest,
        oldest is not None and (oldest <= start or _joins(names, before, oldest)), tuple(gaps),
    )  # fmt: skip


def _joins(names: list[str], before: dict[str, datetime], oldest: datetime) -> bool:
    """Whether the rotated files from before the window join those that were read, with none missing between.

    Numbered files do when no number is left out; dated ones when little time lies between the two.
    """
    if not before:
        return False
    numbers = {int(m[1]) for n in names if (m := re.search(r"\.(\d+)(?:\.\w+)?$", n))}
    if numbers:
        first = min((int(m[1]) for n in before if (m := re.search(r"\.(\d+)(?:\.\w+)?$", n))), default=0)
        return first > 0 and set(range(1, first + 1)) <= numbers
    return oldest - max(before.values()) <= _DATED_GAP


def content(host: Host, path: str, size: int | None) -> Reading[str]:
    if not path.endswith((".gz", ".xz", ".zst", ".bz2")):
        return host.files.text(path=path, limit=_LIMIT)
    if not path.endswith(".gz") or size is None or size > _PACKED_LIMIT:
        return Unknown(Cause.TOO_LARGE, f"{path} 是压缩的日志，没有完整读取", path)
    packed = host.files.head(path=path, size=_PACKED_LIMIT)
    if not isinstance(packed, Known):
        return packed
    try:
        unpacker = zlib.decompressobj(wbits=31)
        data = unpacker.decompress(packed.value, _LIMIT)
    except zlib.error:
        return Unknown(Cause.MALFORMED, path, path)
    if not unpacker.eof:
        return Unknown(Cause.TOO_LARGE, f"{path} 没有完整读取", path)
    return decoded(data, path)
