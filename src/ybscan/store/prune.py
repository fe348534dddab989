"""Giving up old bodies: only on order, never within two years, and never without a sealed summary of what they said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ybscan.model.problem import InputProblems, Problem
from ybscan.store.chain import Header
from ybscan.store.history import History
from ybscan.store.results import checks

#: Records younger than this stay whatever is asked, days: the two years that inspections reach back.
RETENTION_DAYS = 731


@dataclass(frozen=True, slots=True)
class Plan:
    """What pruning would do: bodies of the records 1 to ``to`` go (0: none), ``checks`` of them are checks."""

    to: int
    checks: int
    summary: dict[str, Any]


def plan_of(history: History, before: date, *, today: date) -> Plan:
    """What pruning everything stored before a day would do. Only an unbroken row from the first record on is given up.

    Raises:
        InputProblems: the day is less than two years ago, or the history does not verify.
    """
    if (today - before).days < RETENTION_DAYS:
        message = f"{before.isoformat()} 距今不满两年，检查记录至少保存两年"
        raise InputProblems([Problem("--before", 0, message, "请指定更早的日期")])
    if history.verify():
        raise InputProblems([Problem("历史", 0, "历史核对有不符之处，不能清理", "请先运行 ybscan history verify")])
    to = 0
    for header in history.headers():
        if datetime.fromisoformat(header.stored_at).date() >= before:
            break
        to = header.seq
    old = [c for c in checks(history) if c.header.seq <= to]
    if not old:
        return Plan(0, 0, {})
    terminals: dict[str, Any] = {}
    for check in old:
        entry = terminals.setdefault(
            check.header.terminal, {"checks": 0, "first": check.header.at, "grades": Counter()}
        )
        entry["checks"] += 1
        entry["last"] = check.header.at
        entry["grades"][check.result.summary.grade] += 1
    for entry in terminals.values():
        entry["grades"] = dict(entry["grades"])
    return Plan(to, len(old), {"from": 1, "to": to, "before": before.isoformat(), "terminals": terminals})


def prune_bodies(history: History, plan: Plan, *, now: datetime) -> Header:
    """Store the summary, then give up the bodies. A kill in between leaves the bodies: pruning again finishes it."""
    header = history.append("pruned", lambda _: plan.summary, at=now, now=now)
    history.drop_bodies(plan.to)
    return header
