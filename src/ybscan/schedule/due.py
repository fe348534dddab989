"""Whether a check is due now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from ybscan.engine.fridays import friday_of, weeks
from ybscan.model.calendar import Shift


@dataclass(frozen=True, slots=True)
class Due:
    """What the calendar asks for today. ``planned`` is the day whose check is still to be made; None when none is."""

    planned: date | None
    reason: str
    """Why that day, where it is no ordinary Friday; why nothing is due, otherwise."""
    late: int
    """Days since ``planned``."""
    missed: tuple[date, ...]
    """Fridays of earlier weeks that went by without a check."""


#: How many weeks back missed checks are told of.
LOOK_BACK_WEEKS = 8


def due(today: date, checks: Iterable[date], shifts: Mapping[date, Shift]) -> Due:
    """What is due on ``today``, given the days on which this terminal was checked.

    A check that was missed because the machine was off is due until the end of its week; then it counts as missed and
    the next Friday's is awaited. Nothing is made up for weeks gone by.
    """
    made = sorted(set(checks))
    first = max(made[0], today - timedelta(weeks=LOOK_BACK_WEEKS)) if made else today
    row = weeks(made, first=first, today=today, shifts=shifts)
    this = friday_of(today)
    missed = tuple(w.friday for w in row if w.missed and w.friday < this)
    # A day of this week may stand for a Friday of another week.
    candidates = [f for f, s in shifts.items() if s.to is not None and friday_of(s.to) == this]
    if shifts.get(this) is None:
        candidates.append(this)
    open_ = []
    for friday in sorted(candidates):
        shift = shifts.get(friday)
        planned = shift.to if shift is not None and shift.to is not None else friday
        if planned <= today and not any(planned <= c <= today or _same(c, friday, shifts) for c in made):
            open_.append((planned, shift.reason if shift else ""))
    if open_:
        planned, reason = open_[0]
        return Due(planned, reason, (today - planned).days, missed)
    cancelled = shifts.get(this)
    if not candidates and cancelled is not None:
        where = f"改在 {cancelled.to}" if cancelled.to else "不检查"
        return Due(None, f"本周五（{this}）{where}：{cancelled.reason}", 0, missed)
    if any(friday_of(c) == this for c in made):
        return Due(None, "本周已经检查", 0, missed)
    return Due(
        None, f"下一次检查在 {min((s.to or f for f, s in shifts.items() if f == this), default=this)}", 0, missed
    )


def _same(check: date, friday: date, shifts: Mapping[date, Shift]) -> bool:
    """Whether a check was made in the week of the Friday itself (earlier in the week counts as well)."""
    return friday_of(check) == friday and shifts.get(friday) is None
