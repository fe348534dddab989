"""Which days the weekly check was planned for, and which weeks went by without one. Pure.

The check is on Fridays. A unit moves it for holidays and their make-up workdays (调休) in a file of its own:
planned Friday → the day instead, or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from ybscan.model.calendar import FRIDAY, Shift


def friday_of(day: date) -> date:
    """The Friday of the ISO week of ``day``: the planned day of the check."""
    year, week, _ = day.isocalendar()
    return date.fromisocalendar(year, week, FRIDAY)


@dataclass(frozen=True, slots=True)
class Week:
    """One week of the calendar of checks."""

    friday: date
    planned: date | None
    """The day the check was due; None when the unit had planned none for that week."""
    reason: str
    """Why it was moved or left out; empty for an ordinary Friday."""
    checked: tuple[date, ...]
    """The days on which checks were made."""

    @property
    def missed(self) -> bool:
        """Whether a check was due and none was made in the whole week."""
        return self.planned is not None and not self.checked


def weeks(
    checks: Iterable[date], *, first: date, today: date, shifts: Mapping[date, Shift] | None = None
) -> tuple[Week, ...]:
    """Every week from that of ``first`` to that of ``today``, with the checks made in it.

    The running week counts only when its check is made or its planned day is over. A check on the day that a Friday of
    another week was moved to belongs to that Friday.
    """
    moved = dict(shifts or {})
    made_for: dict[date, list[date]] = {}
    target = {s.to: friday for friday, s in moved.items() if s.to is not None}
    for day in sorted(set(checks)):
        made_for.setdefault(target.get(day, friday_of(day)), []).append(day)
    found: list[Week] = []
    friday = friday_of(first)
    last = friday_of(today)
    while friday <= last:
        shift = moved.get(friday)
        planned = shift.to if shift is not None else friday
        made = tuple(made_for.get(friday, ()))
        if made or planned is None or planned < today:
            found.append(Week(friday, planned, shift.reason if shift else "", made))
        friday += timedelta(days=7)
    return tuple(found)
