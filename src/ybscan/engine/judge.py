"""One rule, one terminal, one finding. Pure: no file, no clock, no terminal is touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ybscan.engine.logic import Outcome, Scope, evaluate, unknown_reasons
from ybscan.engine.matchers import folded
from ybscan.engine.params import resolved
from ybscan.model.facts import FactSet, FactSpec
from ybscan.model.reading import Known
from ybscan.model.result import Finding, FindingWaiver, Observation, Status
from ybscan.model.rule import Check, OsName, Role, Rule, Waiver
from ybscan.model.site import Delegation, Site

#: The fact that tells whether a declared endpoint-control product runs.
PROCESS_FACT = "processes.names"

SpecOf = Callable[[str, tuple[tuple[str, str], ...]], FactSpec | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a rule is judged on."""

    facts: FactSet
    specs: SpecOf
    site: Site
    waivers: tuple[Waiver, ...]
    now: datetime
    os: OsName
    role: Role
    terminal: str


def applicable(rule: Rule, os: OsName, role: Role) -> Check | None:
    """The first check of the rule that fits system and role."""
    return next((c for c in rule.checks if os in c.os and (not c.roles or role in c.roles)), None)


def judge(rule: Rule, case: Case) -> Finding:
    """The finding of ``rule`` under ``case``."""
    check = applicable(rule, case.os, case.role)
    if check is None:
        return _finding(rule, case, Status.NOT_APPLICABLE, reason=_why_not(rule, case))
    scope = Scope(case.facts, case.specs, resolved(rule, case.site), case.now)
    if check.when is not None:
        when = evaluate(check.when, scope)
        if when.truth is False:
            return _finding(rule, case, Status.NOT_APPLICABLE, reason=unknown_reasons(when), outcome=when)
        if when.truth is None:
            return _finding(
                rule, case, Status.UNKNOWN, reason=f"不能确定是否适用：{unknown_reasons(when)}", outcome=when
            )
    outcome = evaluate(check.expect, scope)
    if outcome.truth is True:
        return _finding(rule, case, Status.PASS, outcome=outcome)
    delegated = _delegation(rule, case)
    if isinstance(delegated, Finding):
        return delegated
    reason = "；".join(filter(None, (unknown_reasons(outcome), delegated.remark)))
    if outcome.truth is None:
        return _finding(rule, case, Status.UNKNOWN, reason=reason, outcome=outcome)
    today = case.now.date()
    waiver = next((w for w in case.waivers if w.covers(rule.id, case.terminal, today)), None)
    # Not knowing whether the declared product runs is not knowing whether this is 不符合 or 委托管控.
    status = Status.WAIVED if waiver else Status.UNKNOWN if delegated.doubtful else Status.FAIL
    return _finding(rule, case, status, reason=reason, outcome=outcome, waiver=waiver)


@dataclass(frozen=True, slots=True)
class _NotDelegated:
    """Why no declared product takes the rule over; ``doubtful`` when one perhaps does."""

    remark: str = ""
    doubtful: bool = False


def _delegation(rule: Rule, case: Case) -> Finding | _NotDelegated:
    """A 委托管控 finding when a declared product runs; else why not."""
    declared = [d for d in case.site.delegations if rule.delegable is not None and d.owns == rule.delegable]
    if not declared:
        return _NotDelegated()
    reading = case.facts.get(PROCESS_FACT)
    names = reading.value if isinstance(reading, Known) and isinstance(reading.value, tuple) else ()
    certain = isinstance(reading, Known) and not reading.gaps
    remarks = []
    for d in declared:
        if any(isinstance(n, str) and folded(n) == folded(d.process) for n in names):
            return _delegated(rule, case, d)
        what = f"但检查时其进程 {d.process} 未运行" if certain else f"但无法确认其进程 {d.process} 是否运行"
        remarks.append(f"已声明由{d.product}管控，{what}")
    return _NotDelegated("；".join(remarks), doubtful=not certain)


def _delegated(rule: Rule, case: Case, d: Delegation) -> Finding:
    sentence = f"本项由{d.product}管控，检查时其进程 {d.process} 正在运行；管控策略需在该产品中核对"
    seen = Observation(
        fact=PROCESS_FACT, status=Status.DELEGATED, value=d.process, origin="site.yml delegations", sentence=sentence
    )
    return _finding(rule, case, Status.DELEGATED, reason=sentence, outcome=Outcome(None, (seen,)))


def _why_not(rule: Rule, case: Case) -> str:
    if not any(case.os in c.os for c in rule.checks):
        return f"本规则不适用于 {'Windows' if case.os == 'windows' else 'Linux'} 系统"
    return f"本规则不适用于{case.role.text}"


def _finding(
    rule: Rule,
    case: Case,
    status: Status,
    *,
    reason: str = "",
    outcome: Outcome | None = None,
    waiver: Waiver | None = None,
) -> Finding:
    fix = rule.remediation.windows if case.os == "windows" else rule.remediation.linux
    return Finding(
        rule_id=rule.id, pack=rule.pack, title=rule.title, severity=rule.severity, status=status, reason=reason,
        method=rule.method, observations=outcome.observations if outcome else (), clauses=rule.clauses,
        remediation=fix if status in (Status.FAIL, Status.WAIVED, Status.UNKNOWN) else "",
        waiver=FindingWaiver(
            reason=waiver.reason, approver=waiver.approver, document=waiver.document,
            approved=waiver.approved.isoformat(), expires=waiver.expires.isoformat(),
        ) if waiver else None,
    )  # fmt: skip
