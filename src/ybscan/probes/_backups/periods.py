"""Which days, weeks, months and years have a copy. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

#: How many complete periods back the calendar reaches.
REACH = {"daily": 31, "weekly": 12, "monthly": 24, "yearly": 5}
TIER_TEXT = {"daily": "日备份", "weekly": "周备份", "monthly": "月备份", "yearly": "年备份"}


@dataclass(frozen=True, slots=True)
class Period:
    """One complete period. ``index`` 1 is the last one that is over."""

    index: int
    first: date
    last: date
    text: str


def periods(tier: str, today: date) -> Iterator[Period]:
    """The last complete periods before ``today``, newest first. The current one is not over and does not count."""
    if tier == "daily":
        for i in range(1, REACH[tier] + 1):
            day = today - timedelta(days=i)
            yield Period(i, day, day, day.isoformat())
    elif tier == "weekly":
        monday = today - timedelta(days=today.weekday())
        for i in range(1, REACH[tier] + 1):
            first = monday - timedelta(weeks=i)
            last = first + timedelta(days=6)
            year, week, _ = first.isocalendar()
            yield Period(i, first, last, f"{year} 年第 {week} 周（{first:%m-%d} 至 {last:%m-%d}）")
    elif tier == "monthly":
        first = today.replace(day=1)
        for i in range(1, REACH[tier] + 1):
            last = first - timedelta(days=1)
            first = last.replace(day=1)
            yield Period(i, first, last, f"{first:%Y-%m}")
    else:
        for i in range(1, REACH[tier] + 1):
            year = today.year - i
            yield Period(i, date(year, 1, 1), date(year, 12, 31), f"{year} 年")


def has_copy(period: Period, days: frozenset[date]) -> bool:
    """Whether a copy was made within the period."""
    return any(period.first <= d <= period.last for d in days)
