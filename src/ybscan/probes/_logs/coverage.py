"""How far back logs reach, and where they have holes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from ybscan.hosts.base import Host
from ybscan.hosts.groups.logs import LogSpan
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._logs.journal_files import read_journal_files

FOLDER = "/var/log"
LIMIT = 1024 * 1024 * 1024
SECONDS = 30
#: A terminal that is switched off over the longest holidays writes nothing for that long.
LONGEST_PAUSE = timedelta(days=15)

Interval = tuple[date, date]


@dataclass
class Coverage:
    """The days on which something was recorded, from several sources, and what could not be read."""

    intervals: list[Interval] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    newest: datetime | None = None
    oldest: datetime | None = None
    gaps: list[Gap] = field(default_factory=list)

    def add(self, source: str, intervals: Iterable[Interval], oldest: datetime, newest: datetime) -> None:
        """Note what one source holds."""
        self.intervals += intervals
        if source not in self.sources:
            self.sources.append(source)
        self.oldest = oldest if self.oldest is None else min(oldest, self.oldest)
        self.newest = newest if self.newest is None else max(newest, self.newest)

    def breaks(self) -> list[Interval]:
        """Pauses longer than :data:`LONGEST_PAUSE` between records: the last day before and the first after."""
        found: list[Interval] = []
        reached: date | None = None
        for start, end in sorted(self.intervals):
            if reached is not None and start - reached > LONGEST_PAUSE:
                found.append((reached, start))
            reached = end if reached is None else max(reached, end)
        return found


def family_names(names: Sequence[str], family: str) -> list[str]:
    """The files of a family: itself, numbered and dated ones, packed or not."""
    pattern = re.compile(rf"{re.escape(family)}(?:[.-]\d+(?:-\d+)?)?(?:\.gz|\.xz|\.bz2|\.zst)?")
    return [n for n in names if pattern.fullmatch(n)]


def add_family(host: Host, into: Coverage, folder: str, family: str, zone: tzinfo | None) -> None:
    """Add every file of a family of text logs in a folder."""
    names = host.files.entries(path=folder)
    if isinstance(names, Unknown):
        into.gaps.append(names.as_gap())
    if not isinstance(names, Known):
        return
    for name in family_names(names.value, family):
        path = f"{folder}/{name}"
        span = host.logs.span(path=path, limit=LIMIT, seconds=SECONDS)
        if isinstance(span, Unknown):
            into.gaps.append(span.as_gap())
        elif isinstance(span, Known) and span.value.first:
            ends = _ends(span.value, zone)
            days = [date.fromisoformat(d) for d in span.value.days]
            if ends is None:
                into.gaps.append(Gap(Cause.MALFORMED, f"{path} 中的时间无法识别", path))
            else:
                into.add(f"{folder}/{family}", ((d, d) for d in days), *ends)


def _ends(span: LogSpan, zone: tzinfo | None) -> tuple[datetime, datetime] | None:
    try:
        ends = datetime.fromisoformat(span.first), datetime.fromisoformat(span.last)
    except ValueError:
        return None
    first, last = (d.replace(tzinfo=zone) if d.tzinfo is None else d.astimezone(zone) for d in ends)
    return first, last


def add_journal(host: Host, into: Coverage, zone: tzinfo | None) -> None:
    """Add the system's messages in the persistent journal."""
    kept = read_journal_files(host)
    if isinstance(kept, Unknown):
        into.gaps.append(kept.as_gap())
    if isinstance(kept, (Unknown, Absent)):
        return
    into.gaps += kept.gaps
    for file in kept.system:
        first, last = file.first.astimezone(zone), file.last.astimezone(zone)
        into.add("systemd 日志", [(first.date(), last.date())], first, last)
