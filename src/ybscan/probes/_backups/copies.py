"""What the entries of a backup folder say about its newest copy. Pure: dates and sizes only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from ybscan.hosts.groups.volumes import Entry
from ybscan.model.dates import newest_date

#: How far a date may lie in the future before clock or file is in doubt; as in the matchers.
CLOCK_SLACK = timedelta(minutes=5)
#: A file touched this recently may still be written.
SETTLE = timedelta(seconds=60)
#: How many earlier copies the newest one's size is compared with.
HISTORY = 5


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy with the span of time it can stem from: a name that gives only the day leaves the hour open."""

    entry: Entry
    low: datetime
    high: datetime
    modified: datetime
    future: bool = False

    @property
    def named_otherwise(self) -> bool:
        """Whether name and modification time tell different days, and the name counted."""
        return self.high < self.modified and self.high.date() != self.modified.date()


def dated(entry: Entry, now: datetime) -> Copy:
    """When the copy was made: by its name and its modification time, the older of the two where they disagree.

    A copy or synchronisation refreshes the modification time of old content, so a later one proves nothing; an
    earlier one shows that the content is older than the name says.
    """
    modified = datetime.fromtimestamp(entry.mtime, now.tzinfo)
    limit = now + CLOCK_SLACK
    named = newest_date(entry.name)
    if named is None:
        return Copy(entry, modified, modified, modified, modified > limit)
    first, last = named.span(now.tzinfo)
    future = modified > limit or first > limit
    if modified <= last:
        return Copy(entry, modified, modified, modified, future)
    return Copy(entry, first, last, modified, future)


def series(name: str) -> str:
    """The name without dates and counters: copies of one series are the same backup on different days."""
    return re.sub(r"[\d年月日时分秒T:._-]+", "#", name).casefold()


def identity(copy: Copy) -> str:
    """What tells copies of the same data from copies of other data, as far as names can.

    A name that is all date (``20261120.bak``, as every program may write it) needs the size as well.
    """
    kind = series((copy.entry.largest or copy.entry.name).replace("\\", "/"))
    stem = re.sub(r"#[a-z0-9]{1,8}$", "", kind.rsplit("/", 1)[-1])
    return kind if re.search(r"[^\W\d_]", stem) else f"{kind} {copy.entry.size}"


def complete(entries: tuple[Entry, ...], now: datetime) -> tuple[Copy, ...]:
    """The finished copies, newest first: no links, no folder without content or with unfinished files in it."""
    made = [
        dated(e, now) for e in entries if e.kind != "link" and not (e.kind == "folder" and (e.partial or not e.files))
    ]
    return tuple(sorted(made, key=lambda c: (c.high, c.low, c.entry.name), reverse=True))


def usual_size(copies: tuple[Copy, ...], newest: Copy) -> int | None:
    """The median size of up to :data:`HISTORY` earlier copies of the same series; None when there is none."""
    same = [
        c.entry.size for c in copies
        if c is not newest and c.entry.kind == newest.entry.kind and series(c.entry.name) == series(newest.entry.name)
        and c.high <= newest.high and c.entry.size > 0
    ]  # fmt: skip
    return int(median(same[:HISTORY])) if same else None


def is_shrunk(size: int, usual: int) -> bool:
    """Whether a size is below half of the usual one."""
    return size * 2 < usual


def within(copy: Copy, now: datetime, limit: timedelta) -> bool | None:
    """Whether the copy is at most ``limit`` old; None when its name leaves that open. The limit itself is still in."""
    newest, oldest = now - copy.high <= limit, now - copy.low <= limit
    return newest if newest == oldest else None


def same_round(a: Copy, b: Copy) -> bool:
    """Whether two copies are of one backup round: the same dated name, the same day, or at most six hours apart.

    A name without a date says nothing: a rolling ``his.bak`` may be today's here and last week's there. The hours are
    for a copy that is finished after midnight; a daily backup missed at one place is 24 hours behind.
    """
    if a.entry.name == b.entry.name and newest_date(a.entry.name) is not None:
        return True
    return a.high.date() == b.high.date() or abs(a.high - b.high) <= timedelta(hours=6)


def days_since(moment: datetime, now: datetime) -> int:
    """Whole days, rounded up: 90 days and one minute are 91."""
    span = now - moment
    return max(span.days + (1 if span - timedelta(days=span.days) > timedelta() else 0), 0)
