"""Loading the unit's calendar of checks."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from ybscan.model.calendar import FRIDAY, CalendarFile, Shift
from ybscan.model.problem import InputProblems, Problem
from ybscan.rules.load import read_document
from ybscan.rules.strict_yaml import line_at


def load_calendar(path: Path) -> dict[date, Shift]:
    """Which Fridays are moved where.

    Raises:
        InputProblems: unreadable, malformed, a day that is no Friday, or a Friday or a day that stands there twice.
    """
    document, raw = read_document(CalendarFile, path)
    problems: list[Problem] = []
    shifts: dict[date, Shift] = {}
    for i, moved in enumerate(document.moved):
        line = line_at(raw, ("moved", i, "friday"))
        if moved.friday.isoweekday() != FRIDAY:
            near = moved.friday.isocalendar()
            hint = f"同一周的星期五是 {date.fromisocalendar(near.year, near.week, FRIDAY)}"
            problems.append(Problem(str(path), line, f"{moved.friday} 不是星期五", hint))
        elif moved.friday in shifts:
            problems.append(Problem(str(path), line, f"{moved.friday} 写了两次", "请删去一处"))
        elif moved.to is not None and moved.to in {s.to for s in shifts.values()}:
            problems.append(Problem(str(path), line, f"两个星期五都改到了 {moved.to}", "请核对日期"))
        elif moved.to is not None and abs((moved.to - moved.friday).days) > 13:
            problems.append(Problem(str(path), line, f"{moved.friday} 改到了 {moved.to}，相差超过两周", "请核对日期"))
        shifts[moved.friday] = Shift(moved.to, moved.reason)
    if problems:
        raise InputProblems(problems)
    return shifts
