"""What is run each week, and when: the same for every scheduler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time

from ybscan.model.calendar import Shift

NAME = "ybscan-weekly"
DESCRIPTION = "医保网络终端每周五合规自查（ybscan）"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The weekly job.

    ``command`` is the program with its arguments; ``extra`` are the days to which Fridays have been moved.
    """

    command: tuple[str, ...]
    folder: str
    """The working folder."""
    at: time
    extra: tuple[date, ...] = ()


def moved_days(shifts: Mapping[date, Shift], today: date) -> tuple[date, ...]:
    """The days, from today on, that the scheduler has to be told of besides Fridays."""
    return tuple(sorted(s.to for s in shifts.values() if s.to is not None and s.to >= today and s.to.isoweekday() != 5))
