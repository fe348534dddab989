"""Storing a finished scan in the history. A scan whose result cannot be stored is still a scan: the person is told."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ybscan.cli import console

if TYPE_CHECKING:
    from ybscan.model.result import ScanResult
    from ybscan.store.chain import Clock


def remember(
    result: ScanResult, folder: Path, *, clock: Clock, quiet: bool
) -> tuple[ScanResult, tuple[ScanResult, ...]]:
    """The result as stored, and the terminal's check before it. Unchanged and none where it cannot be stored."""
    from ybscan.model.problem import InputProblems
    from ybscan.report.terminals import same_terminal
    from ybscan.store.chain import clock_back
    from ybscan.store.history import opened
    from ybscan.store.results import newest, store

    try:
        with opened(folder, create=True) as history:
            before = newest(history, result.host.id)
            stored, header = store(history, result, now=datetime.now().astimezone(), clock=clock)
            back = any(later.seq == header.seq for _, later in clock_back(history.headers()))
    except InputProblems as e:
        console.say(f"本次结果没有存入历史：{'；'.join(str(p) for p in e.problems)}")
        return result, ()
    if back:
        console.say("本机时钟早于历史中已有的记录，可能被调回过，请核对系统时间。")
    if not quiet:
        console.say(f"已存入历史，第 {header.seq} 号（{folder}）")
    return stored, (before.result,) if before is not None and same_terminal(before.result, result) else ()
