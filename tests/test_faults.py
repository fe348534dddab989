"""Faults never improve a verdict: every answer behind a tree case is broken in turn, and the rule judged again.

Whatever source is denied, hangs, fails or is garbled, the verdict stays what it was or becomes 无法判定.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ybscan.engine.cases import CaseDocument, host_of
from ybscan.engine.judge import Case
from ybscan.engine.scan import Plan, judged, needed, read_facts
from ybscan.hosts.base import Host
from ybscan.hosts.recorder import recorded
from ybscan.hosts.replay import replay
from ybscan.model.dictionary import Dictionary
from ybscan.model.lifecycle import Lifecycle
from ybscan.model.reading import Cause, Known, Reading, Unknown
from ybscan.model.result import Status
from ybscan.model.rule import Rule
from ybscan.probes.base import Context
from ybscan.probes.registry import ProbeRegistry
from ybscan.rules.load import LoadedPack, read_document
from ybscan.rules.site import no_site

CASES = [
    p
    for p in sorted((Path(__file__).parent / "rules").glob("*/*.yml"))
    if any(line.startswith(("tree:", "registry:", "answers:")) for line in p.read_text(encoding="utf-8").splitlines())
]
#: Garbled: text of another kind altogether, as a wrong encoding or a damaged disk leaves it.
GARBLED = "\x01\ufffd{{[<锟斤拷" * 3


def verdict(
    rule: Rule, case: CaseDocument, host: Host, registry: ProbeRegistry, dictionary: Dictionary, lifecycle: Lifecycle
) -> Status:
    from dataclasses import replace

    context = Context(site=case.site, now=case.moment(), dictionary=dictionary, lifecycle=lifecycle)
    plan = Plan(packs=(), rules=(rule,), registry=registry, loaded=replace(no_site(), site=case.site), context=context)
    wanted = needed((rule,), case.os, case.role, delegations=bool(case.site.delegations))
    facts = read_facts(host, plan, wanted, lambda _: None)
    return judged(
        rule,
        Case(
            facts=facts,
            specs=registry.spec_of,
            site=case.site,
            waivers=(),
            now=case.moment(),
            os=case.os,
            role=case.role,
            terminal="case",
        ),
    ).status


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_no_fault_improves_the_verdict(
    path: Path,
    packs: tuple[LoadedPack, ...],
    registry: ProbeRegistry,
    dictionary: Dictionary,
    lifecycle: Lifecycle,
    tmp_path: Path,
) -> None:
    rule = next(r for p in packs for r in p.rules if r.id == path.parent.name)
    case, _ = read_document(CaseDocument, path)
    moment = case.moment()
    host, recording = recorded(host_of(case, tmp_path), lambda: moment)
    before = verdict(rule, case, host, registry, dictionary, lifecycle)
    answers: dict[tuple[str, str, tuple[tuple[str, object], ...]], Reading[object]] = {
        key: a.reading for key, a in recording.answers.items()
    }
    for key, reading in answers.items():
        broken: list[Reading[object]] = [
            Unknown(Cause.DENIED, "fault"),
            Unknown(Cause.TIMEOUT, "fault"),
            Unknown(Cause.MALFORMED, "fault"),
        ]
        if isinstance(reading, Known) and key[0] == "tools":
            broken += [Unknown(Cause.TOOL_MISSING, "fault"), Known(type(reading.value)(0, "", ""), "fault")]
            broken += [Known(type(reading.value)(0, GARBLED, ""), "fault")]
        for fault in broken:
            after = verdict(rule, case, replay(case.os, {**answers, key: fault}), registry, dictionary, lifecycle)
            assert after in (before, Status.UNKNOWN), f"{before} became {after} when {key} was {fault}"
