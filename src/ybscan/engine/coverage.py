"""Findings seen from the clauses they answer. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ybscan.model.result import ClauseCoverage, Finding, Status

if TYPE_CHECKING:
    from ybscan.model.attestation import Attestation
    from ybscan.model.catalogue import Clause

_WORST_FIRST = (
    Status.FAIL, Status.UNKNOWN, Status.MANUAL, Status.WAIVED, Status.DELEGATED, Status.PASS, Status.NOT_APPLICABLE,
)  # fmt: skip


def coverage(findings: Iterable[Finding]) -> tuple[ClauseCoverage, ...]:
    """For each clause the rules refer to, the worst status among them."""
    by_clause: dict[str, list[Finding]] = {}
    for finding in findings:
        for clause in finding.clauses:
            by_clause.setdefault(clause, []).append(finding)
    return tuple(
        ClauseCoverage(
            clause=clause,
            status=min((f.status for f in found), key=_WORST_FIRST.index),
            rules=tuple(f.rule_id for f in found),
        )
        for clause, found in sorted(by_clause.items())
    )


@dataclass(frozen=True, slots=True)
class ClauseState:
    """A clause of the catalogue with what is known of it. ``status`` is None while no scan has looked at it."""

    clause: Clause
    rules: tuple[str, ...]
    """The rules in force that answer it."""
    status: Status | None
    reason: str


def clause_states(
    catalogue: Mapping[str, Clause],
    rules: Mapping[str, tuple[str, ...]],
    findings: Iterable[Finding] | None,
    attested: Mapping[str, Attestation] | None = None,
) -> tuple[ClauseState, ...]:
    """Every clause of the catalogue, in its order.

    Args:
        catalogue: clause id → clause.
        rules: rule id → the clause ids it refers to, for every rule in force.
        findings: those of a result, or None to show the catalogue alone.
        attested: clause id → the answer of a person that holds now.

    A clause that only a person can answer is 待人工确认 whatever the rules beside it say, unless one of them fails. An
    answer gives it its reason; one that says no makes it 不符合, one that says it does not concern the unit 不适用.
    """
    by_rule = {f.rule_id: f for f in findings} if findings is not None else None
    answering: dict[str, list[str]] = {}
    for rule_id, clauses in rules.items():
        for clause_id in clauses:
            answering.setdefault(clause_id, []).append(rule_id)
    states = []
    for clause in catalogue.values():
        own = tuple(dict.fromkeys((*(r for r in clause.rules if r in rules), *answering.get(clause.id, ()))))
        states.append(ClauseState(clause, own, *_state(clause, own, by_rule, (attested or {}).get(clause.id))))
    return tuple(states)


def _state(
    clause: Clause, own: tuple[str, ...], by_rule: Mapping[str, Finding] | None, attested: Attestation | None
) -> tuple[Status | None, str]:
    if clause.kind not in ("attested", "process", "report"):
        attested = None  # what a machine answers no person's word replaces
    if by_rule is None:
        if attested is not None:
            return _ATTESTED[attested.verdict], attested.text
        return None, "没有给出检查结果" if own else _BY_PERSON[clause.kind]
    found = [by_rule[r] for r in own if r in by_rule]
    worst = min((f.status for f in found), key=_WORST_FIRST.index, default=None)
    if clause.kind in ("attested", "process", "report"):
        if worst is Status.FAIL:
            return worst, _ids(found, worst)
        if attested is not None:
            return _ATTESTED[attested.verdict], attested.text
        return Status.MANUAL, _BY_PERSON[clause.kind]
    if worst is None:
        return Status.UNKNOWN, "本次检查没有包括回答该条款的规则" if own else "本版本没有回答该条款的规则"
    return worst, _ids(found, worst)


def _ids(found: list[Finding], worst: Status) -> str:
    return "、".join(f.rule_id for f in found if f.status is worst)


#: A person's word never makes 符合: that is what was measured.
_ATTESTED = {
    "yes": Status.MANUAL, "stated": Status.MANUAL, "no": Status.FAIL, "not_applicable": Status.NOT_APPLICABLE,
}  # fmt: skip

_BY_PERSON = {
    "automatic": "由检查规则回答",
    "configured": "由检查规则回答，需要单位配置",
    "attested": "须由人员确认",
    "process": "由自查工作的流程落实，须由人员确认",
    "report": "由自查报告的内容落实，须由人员确认",
}
