"""Storing a finished scan in the history. A scan whose result cannot be stored is still a scan: the person is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ybscan.cli import console

if TYPE_CHECKING:
    from ybscan.engine.compare import Streak
    from ybscan.model.calendar import Shift
    from ybscan.model.result import ScanResult
    from ybscan.store.chain import Clock


@dataclass(frozen=True, slots=True)
class Remembered:
    """The result as stored, and what the history adds to its record. Unchanged and empty where it cannot be stored."""

    result: ScanResult
    previous: tuple[ScanResult, ...] = ()
    streaks: Mapping[str, Streak] = field(default_factory=dict)
    missed: tuple[date, ...] = ()
    """Recent Fridays on which this terminal was not checked."""
    clock_back: bool = False


def remember(
    result: ScanResult, folder: Path, *, clock: Clock, shifts: Mapping[date, Shift], quiet: bool
) -> Remembered:
    """Store the result."""
    from ybscan.engine.compare import streaks
    from ybscan.model.problem import InputProblems
    from ybscan.report.terminals import same_terminal
    from ybscan.schedule.due import due
    from ybscan.store.chain import clock_back
    from ybscan.store.history import opened
    from ybscan.store.results import newest, statuses, store

    day = datetime.fromisoformat(result.started_at).date()
    try:
        with opened(folder, create=True) as history:
            before = newest(history, result.host.id)
            stored, header = store(history, result, now=datetime.now().astimezone(), clock=clock)
            back = any(later.seq == header.seq for _, later in clock_back(history.headers()))
            row = [one for one in statuses(history, result.host.id) if one[0] <= day]
    except InputProblems as e:
        console.say(f"本次结果没有存入历史：{'；'.join(str(p) for p in e.problems)}")
        return Remembered(result)
    missed = due(day, [d for d, _ in row], shifts).missed
    if back:
        console.say("本机时钟早于历史中已有的记录，可能被调回过，请核对系统时间。")
    if missed:
        console.say(f"近期没有检查的星期五：{'、'.join(d.isoformat() for d in missed)}")
    if not quiet:
        console.say(f"已存入历史，第 {header.seq} 号（{folder}）")
    earlier = (before.result,) if before is not None and same_terminal(before.result, result) else ()
    return Remembered(stored, earlier, streaks(row), missed, back)
