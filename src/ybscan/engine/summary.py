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

    不符合: a critical item fails. 无法判定: a critical item is undetermined; or nothing fails, but a high item or more
    than a fifth of the applicable items is undetermined, or nothing was determined at all. 部分符合: a high item fails,
    or something fails while a high item or more than a fifth is undetermined. 基本符合: nothing grave fails or is
    undetermined, but something lesser is, or an exception or another product stands in. 符合: the rest. A partial scan
    is never better than 无法判定: nobody knows what the rules left out would have shown.
    """
    applicable = [f for f in findings if f.status is not Status.NOT_APPLICABLE]
    failed = {f.severity for f in applicable if f.status is Status.FAIL}
    undetermined = [f.severity for f in applicable if f.status in (Status.UNKNOWN, Status.MANUAL)]
    many = len(undetermined) * 5 > len(applicable)
    if Severity.CRITICAL in failed:
        return "不符合"
    if Severity.CRITICAL in undetermined:
        return "无法判定"
    if Severity.HIGH in failed or (failed and (Severity.HIGH in undetermined or many or partial)):
        return "部分符合"
    decided = any(f.status in (Status.PASS, Status.FAIL) for f in applicable)
    if partial or many or Severity.HIGH in undetermined or not decided:
        return "无法判定"
    stood_in = any(f.status in (Status.WAIVED, Status.DELEGATED) for f in applicable)
    return "基本符合" if failed or undetermined or stood_in else "符合"
