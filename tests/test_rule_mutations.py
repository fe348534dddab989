"""Rules whose condition is changed are noticed: for each system of each rule, mutations of its condition fail a case.

Facts are read once per case; then every part of the condition is taken out, or turned into its opposite, in turn. What
no case notices is not tested. Not every part can be told apart by a verdict, so a rule must catch most, not all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ybscan.engine.cases import CaseDocument, case_facts, host_of
from ybscan.engine.judge import Case, judge
from ybscan.engine.scan import Plan, needed, read_facts
from ybscan.model.dictionary import Dictionary
from ybscan.model.expression import All, AnyOf, Expression, Leaf, Not, Quantified
from ybscan.model.lifecycle import Lifecycle
from ybscan.model.rule import Rule
from ybscan.probes.base import Context
from ybscan.probes.registry import ProbeRegistry, builtin
from ybscan.rules.load import LoadedPack, load_packs, read_document
from ybscan.rules.site import no_site

HERE = Path(__file__).resolve().parent
RULES = tuple(r for p in load_packs(HERE.parent / "rules", builtin()) for r in p.rules)
#: How much of what can be changed must be noticed.
CAUGHT = 0.5


def mutants(node: Expression) -> Iterator[Expression]:
    """The condition with one part left out or turned round."""
    yield Not(node)
    if isinstance(node, (All, AnyOf)):
        for i, part in enumerate(node.parts):
            rest = node.parts[:i] + node.parts[i + 1 :]
            if rest:
                yield replace(node, parts=rest)
            for changed in mutants(part):
                yield replace(node, parts=(*node.parts[:i], changed, *node.parts[i + 1 :]))
    elif isinstance(node, Quantified):
        for name in ("where", "exempt"):
            if getattr(node, name) is not None:
                yield replace(node, **{name: None})
    elif isinstance(node, Leaf) and node.when_absent != "unknown":
        yield replace(node, when_absent="unknown")


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_a_changed_condition_is_noticed(
    rule: Rule,
    packs: tuple[LoadedPack, ...],
    registry: ProbeRegistry,
    dictionary: Dictionary,
    lifecycle: Lifecycle,
    tmp_path: Path,
) -> None:
    cases = []
    for i, path in enumerate(sorted((HERE / "rules" / rule.id).glob("*.yml"))):
        case, raw = read_document(CaseDocument, path)
        context = Context(site=case.site, now=case.moment(), dictionary=dictionary, lifecycle=lifecycle)
        plan = Plan(
            packs=(), rules=(rule,), registry=registry, loaded=replace(no_site(), site=case.site), context=context
        )
        facts = {}
        if case.tree is not None or case.answers:
            scratch = tmp_path / str(i)
            scratch.mkdir()
            wanted = needed((rule,), case.os, case.role, delegations=bool(case.site.delegations))
            facts = read_facts(host_of(case, scratch), plan, wanted, lambda _: None)
        facts.update(case_facts(case, registry, str(path), raw, []))
        cases.append(
            Case(
                facts=facts,
                specs=registry.spec_of,
                site=case.site,
                waivers=(),
                now=case.moment(),
                os=case.os,
                role=case.role,
                terminal="case",
            )
        )
    before = [judge(rule, c).status for c in cases]
    for position, check in enumerate(rule.checks):
        made = caught = 0
        for changed in mutants(check.expect):
            checks = (*rule.checks[:position], replace(check, expect=changed), *rule.checks[position + 1 :])
            made += 1
            caught += [judge(replace(rule, checks=checks), c).status for c in cases] != before
        assert caught >= made * CAUGHT, (
            f"{rule.id}, check {position + 1} ({'、'.join(check.os)}): {caught} of {made} noticed"
        )
