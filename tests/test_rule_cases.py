"""Every case under tests/rules gives the verdict in its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from ybscan.engine.cases import run_rule_case
from ybscan.model.dictionary import Dictionary
from ybscan.model.lifecycle import Lifecycle
from ybscan.probes.registry import ProbeRegistry
from ybscan.rules.load import LoadedPack

CASES = sorted((Path(__file__).parent / "rules").glob("*/*.yml"))


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_case(
    path: Path,
    packs: tuple[LoadedPack, ...],
    registry: ProbeRegistry,
    dictionary: Dictionary,
    lifecycle: Lifecycle,
    tmp_path: Path,
) -> None:
    rule = next(r for p in packs for r in p.rules if r.id == path.parent.name)
    outcome = run_rule_case(path, rule, registry, dictionary, tmp_path, lifecycle)
    assert outcome.ok, f"{outcome.finding.status}: {outcome.finding.reason}\n" + "\n".join(
        o.sentence for o in outcome.finding.observations
    )
