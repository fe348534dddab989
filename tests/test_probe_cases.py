"""Every case under tests/probes/<probe> gives the facts it states; facts it does not mention are not compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from ybscan.engine.cases import CaseDocument, case_facts, host_of
from ybscan.engine.scan import checked
from ybscan.model.dictionary import Dictionary
from ybscan.model.lifecycle import Lifecycle
from ybscan.model.problem import Problem
from ybscan.model.reading import Absent, Known, Reading
from ybscan.probes.base import Context
from ybscan.probes.registry import ProbeRegistry
from ybscan.rules.load import read_document

CASES = sorted((Path(__file__).parent / "probes").glob("*/*.yml"))


def bare(reading: Reading[object]) -> object:
    """What a case can state of a reading: value and causes, without origins and details."""
    if isinstance(reading, Known):
        value = reading.value
        if isinstance(value, tuple):
            value = tuple(
                {k: bare(v) if not isinstance(v, (str, int, float, bool, tuple, type(None))) and hasattr(v, "cause") else v
                 for k, v in item.items() if v is not None} if isinstance(item, dict) else item
                for item in value
            )  # fmt: skip
        return "known", value, tuple(dict.fromkeys(g.cause for g in reading.gaps))
    if isinstance(reading, Absent):
        return ("absent",)
    return "unknown", reading.cause


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_case(
    path: Path, registry: ProbeRegistry, dictionary: Dictionary, lifecycle: Lifecycle, tmp_path: Path
) -> None:
    case, raw = read_document(CaseDocument, path)
    problems: list[Problem] = []
    wanted = case_facts(case, registry, str(path), raw, problems)
    assert not problems, problems
    assert wanted, "the case states no fact"
    probe = registry.probes[path.parent.name]
    context = Context(site=case.site, now=case.moment(), dictionary=dictionary, lifecycle=lifecycle)
    readings = probe.read(host_of(case, tmp_path), context)
    specs = {f"{probe.name}.{s.name}": s for s in probe.facts}
    for name, reading in wanted.items():
        got = checked(readings.get(specs[name].name), specs[name])
        assert bare(got) == bare(reading), f"{name}: {got}"
