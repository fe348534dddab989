"""Beyond what the loader refuses: small validators, each with an id, that point at rules worth a second look."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ybscan.model.expression import Leaf, Quantified, leaves
from ybscan.model.rule import Rule
from ybscan.rules.expressions import Catalogue


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark of a validator about one rule."""

    validator: str
    rule: Rule
    message: str

    def __str__(self) -> str:
        return f"{self.rule.file} [{self.validator}] {self.message}"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What validators may compare a rule with."""

    clauses: Collection[str]
    cases: Path | None
    catalogue: Catalogue


Validator = Callable[[Rule, Surroundings], Iterator[str]]


def clause_known(rule: Rule, around: Surroundings) -> Iterator[str]:
    """Every clause the rule names is in the catalogue."""
    for clause in rule.clauses:
        if clause not in around.clauses:
            yield f"条款“{clause}”不在 rules/catalog 中"


def clause_given(rule: Rule, around: Surroundings) -> Iterator[str]:
    """A rule without a clause cannot say what it stands on."""
    if not rule.clauses:
        yield "没有写依据的条款"


def check_reachable(rule: Rule, around: Surroundings) -> Iterator[str]:
    """The first fitting check counts: one that an earlier check covers is never used."""
    for i, check in enumerate(rule.checks):
        for system in check.os:
            earlier = [c for c in rule.checks[:i] if system in c.os]
            covered = {r for c in earlier for r in c.roles}
            if any(not c.roles for c in earlier) or (check.roles and set(check.roles) <= covered):
                yield f"第 {i + 1} 个 checks（第 {check.line} 行）在 {system} 上永远用不到，前面的条件已全部覆盖"


def both_systems(rule: Rule, around: Surroundings) -> Iterator[str]:
    """A rule without a half for a system leaves that system's terminals without an answer."""
    for system in ("windows", "linux"):
        if not any(system in c.os for c in rule.checks):
            yield f"没有 {system} 的检查条件，该系统上将显示“不适用”"


def absent_passes(rule: Rule, around: Surroundings) -> Iterator[str]:
    """``when_absent: pass`` is a claim; the notes must say why absence is good."""
    for check in rule.checks:
        for node in leaves(check.expect):
            if isinstance(node, (Leaf, Quantified)) and node.when_absent == "pass" and not rule.notes:
                yield f"第 {node.line} 行写了 when_absent: pass，请在 notes 中说明为什么没有该信息等于符合"


_NESTED_REPEAT = re.compile(r"\([^()]*[+*][^()]*\)[+*{]")


def regex_cheap(rule: Rule, around: Surroundings) -> Iterator[str]:
    """Nested repetition can take minutes on a hostile text."""
    for check in rule.checks:
        for node in leaves(check.expect):
            if (
                isinstance(node, Leaf)
                and node.word == "matches"
                and isinstance(node.operand, str)
                and _NESTED_REPEAT.search(node.operand)
            ):
                yield f"第 {node.line} 行的正则表达式有嵌套重复，遇到特殊内容会非常慢"


def param_sourced(rule: Rule, around: Surroundings) -> Iterator[str]:
    """A default without a source reads as if a clause demanded it."""
    for name, param in rule.params.items():
        if not param.source:
            yield f"参数“{name}”没有写 source（条款编号，或“惯例”）"


def cases_complete(rule: Rule, around: Surroundings) -> Iterator[str]:
    """At least one case each of pass, fail and unknown."""
    if around.cases is None:
        return
    names = [p.name for p in (around.cases / rule.id).glob("*.yml")] if (around.cases / rule.id).is_dir() else []
    for verdict in ("pass", "fail", "unknown"):
        if not any(n.endswith(f".{verdict}.yml") for n in names):
            yield f"缺少 .{verdict}.yml 用例"


VALIDATORS: dict[str, Validator] = {
    "clause-known": clause_known, "clause-given": clause_given, "check-reachable": check_reachable,
    "both-systems": both_systems, "absent-passes": absent_passes, "regex-cheap": regex_cheap,
    "param-sourced": param_sourced, "cases-complete": cases_complete,
}  # fmt: skip


def lint(rules: tuple[Rule, ...], around: Surroundings) -> list[Remark]:
    """Every remark of every validator, plus duplicate titles, in rule order."""
    remarks = [
        Remark(name, rule, message)
        for rule in rules
        for name, check in VALIDATORS.items()
        for message in check(rule, around)
    ]
    titles: dict[str, Rule] = {}
    for rule in rules:
        if rule.title in titles:
            remarks.append(Remark("title-unique", rule, f"名称与 {titles[rule.title].id} 相同"))
        titles.setdefault(rule.title, rule)
    return remarks
