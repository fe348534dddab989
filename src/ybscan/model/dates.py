"""Dates in the names of files and folders. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

_DATE = re.compile(
    r"(?<!\d)(?P<y>20\d\d)(?P<s>[-_.]?|年)(?P<m>0[1-9]|1[0-2])(?:(?P=s)|月)(?P<d>0[1-9]|[12]\d|3[01])日?"
    r"(?:[T_ -]?(?P<H>[01]\d|2[0-3])[-:_.h时]?(?P<M>[0-5]\d)(?:[-:_.m分]?(?P<S>[0-5]\d))?(?:\.\d+)?秒?)?(?!\d)"
)
_DAY_ONLY = re.compile(
    r"(?<!\d)(?P<y>20\d\d)(?P<s>[-_.]?|年)(?P<m>0[1-9]|1[0-2])(?:(?P=s)|月)(?P<d>0[1-9]|[12]\d|3[01])日?"
    r"(?:(?P<H>[01]\d|2[0-3]))?(?!\d)"
)


@dataclass(frozen=True, slots=True, order=True)
class NamedDate:
    """A date written in a name, with the time of day where it has one (else the whole day is meant)."""

    day: date
    at: time | None = None

    def span(self, zone: tzinfo | None) -> tuple[datetime, datetime]:
        """The earliest and the latest moment the name can mean."""
        if self.at is not None:
            moment = datetime.combine(self.day, self.at, zone)
            # Names carry minutes or seconds; what is meant lies within that minute.
            return moment, moment
        start = datetime.combine(self.day, time(), zone)
        return start, start + timedelta(days=1) - timedelta(seconds=1)


def dates_in(name: str) -> tuple[NamedDate, ...]:
    """Every date in a name, in order: 20261120, 2026-11-20_0300, 2026年11月20日, 20261120030000."""
    found: list[NamedDate] = []
    position = 0
    while position < len(name):
        m = _DATE.search(name, position)
        plain = _DAY_ONLY.search(name, position)
        if plain is not None and (m is None or plain.start() < m.start()):
            m = plain
        if m is None:
            break
        made = _made(m)
        if made is not None:
            found.append(made)
        position = m.end()
    return tuple(found)


def _made(m: re.Match[str]) -> NamedDate | None:
    parts = m.groupdict()
    try:
        day = date(int(parts["y"]), int(parts["m"]), int(parts["d"]))
    except ValueError:  # such as 31 February
        return None
    if parts.get("H") is None or parts.get("M") is None:
        return NamedDate(day)
    return NamedDate(day, time(int(parts["H"]), int(parts["M"]), int(parts.get("S") or 0)))


def newest_date(name: str) -> NamedDate | None:
    """The latest date in a name: of a range of days the last one counts."""
    found = dates_in(name)
    return max(found, key=lambda d: (d.day, d.at or time.max)) if found else None
