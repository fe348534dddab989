"""Counting findings and grading them by a published rule. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ybscan.model.result import Finding, Status, Summary
from ybscan.model.rule import Severity

#: The published grading rule, best first; docs/user-manual prints it.
GRADES = ("符合", "基本符合", "部分符合", "不符合", "无法判定")


def summary(findings: Iterable[Finding], *, partial: bool = False) -> Summary:
    """Counts, rates and grade of a set of findings; ``partial`` when rules in force were left out of the scan."""
    found = tuple(findings)
    count = Counter(f.status for f in found)
    decided = count[Status.PASS] + count[Status.FAIL]
    applicable = len(found) - count[Status.NOT_APPLICABLE]
    return Summary(
        **{s.value: count[s] for s in Status},
        total=len(found),
        pass_rate=round(count[Status.PASS] / decided, 4) if decided else None,
        determined_rate=round(decided / applicable, 4) if applicable else None,
        grade=grade(found, partial=partial),
    )


def grade(findings: tuple[Finding, ...], *, partial: bool = False) -> str:
    """The overall grade. Nothing is rounded up: one unknown is enough to lose 符合.

    符合: everything applicable passes (or is delegated). 无法判定: nothing fails, but a critical or high item, or more
    than a fifth of the applicable items, is undetermined. 基本符合: nothing fails that is critical or high, nothing
    critical or high is undetermined. 不符合: a critical item fails. 部分符合: the rest. A partial scan is never better than
    无法判定: nobody knows what the rules left out would have shown.
    """
    applicable = [f for f in findings if f.status is not Status.NOT_APPLICABLE]
    failed = [f for f in applicable if f.status is Status.FAIL]
    open_ = [f for f in applicable if f.status in (Status.UNKNOWN, Status.MANUAL)]
    waived = any(f.status is Status.WAIVED for f in applicable)
    grave = (Severity.CRITICAL, Severity.HIGH)
    if not applicable:
        return "无法判定"
    if any(f.severity is Severity.CRITICAL for f in failed):
        return "不符合"
    if failed and any(f.severity in grave for f in (*failed, *open_)):
        return "部分符合"
    if partial:
        return "部分符合" if failed else "无法判定"
    if not failed and not open_:
        return "基本符合" if waived else "符合"
    if any(f.severity in grave for f in open_) or len(open_) * 5 > len(applicable):
        return "无法判定" if not failed else "部分符合"
    return "基本符合"
