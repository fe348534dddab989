"""Many faults at once never make a Windows terminal look better.

``test_faults.py`` breaks one answer at a time. Here several answers of a case are broken together, and in part: an answer
is refused, a list loses items and says so, a value of the registry comes in another type. Whatever comes of it, no
verdict becomes 符合, 不适用 or an approved exception that was not one before.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.test_faults import CASES, verdict
from ybscan.engine.cases import CaseDocument, host_of
from ybscan.hosts.recorder import recorded
from ybscan.hosts.replay import replay
from ybscan.model.dictionary import Dictionary
from ybscan.model.lifecycle import Lifecycle
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown
from ybscan.model.result import Status
from ybscan.model.rule import Rule
from ybscan.probes.registry import ProbeRegistry
from ybscan.rules.load import LoadedPack, read_document

Key = tuple[str, str, tuple[tuple[str, Any], ...]]
Answers = dict[Key, Reading[Any]]

WINDOWS = [p for p in CASES if "\nos: windows" in p.read_text(encoding="utf-8")]
RULES = sorted({p.parent.name for p in WINDOWS})
#: What nobody has to follow up: the verdicts that a fault must not lead to.
GOOD = frozenset({Status.PASS, Status.WAIVED, Status.NOT_APPLICABLE, Status.DELEGATED})
_CAUSES = (Cause.DENIED, Cause.TIMEOUT, Cause.MALFORMED, Cause.UNAVAILABLE, Cause.NOT_RECORDED)
_GAP = Gap(Cause.INCOMPLETE, "fault", "fault")
#: How often an answer is broken, drawn anew for each storm.
_STRENGTHS = (0.05, 0.2, 0.5, 0.9)


@dataclass(frozen=True)
class Calm:
    """A case without faults."""

    case: CaseDocument
    answers: Answers
    status: Status


def broken(answers: Answers, seed: int) -> Answers:
    """The answers with several of them broken; which and how is drawn from ``seed``."""
    draw = random.Random(seed)  # noqa: S311 - not about secrets
    strength = draw.choice(_STRENGTHS)
    return {k: _broken(k, r, draw) if draw.random() < strength else r for k, r in answers.items()}


def _broken(key: Key, reading: Reading[Any], draw: random.Random) -> Reading[Any]:
    if not isinstance(reading, Known) or draw.random() < 0.4:
        return Unknown(draw.choice(_CAUSES), "fault", "fault")
    value = reading.value
    if key[0] == "registry" and key[1] == "value":
        return Known(_other_type(value, draw), reading.origin)
    if isinstance(value, Mapping):
        return _part_of_mapping(reading, draw)
    if isinstance(value, tuple):
        kept = tuple(item for item in value if draw.random() < 0.5)
        return Known(kept, reading.origin, (*reading.gaps, _GAP))
    return Unknown(draw.choice(_CAUSES), "fault", "fault")


def _part_of_mapping(reading: Known[Any], draw: random.Random) -> Reading[Any]:
    """Values of a key: some in another type, or some missing and the gap told."""
    if draw.random() < 0.5:
        kept = {n: v for n, v in reading.value.items() if draw.random() < 0.5}
        return Known(kept, reading.origin, (*reading.gaps, _GAP))
    changed = {n: _other_type(v, draw) if draw.random() < 0.5 else v for n, v in reading.value.items()}
    return Known(changed, reading.origin, reading.gaps)


def _other_type(value: object, draw: random.Random) -> object:
    """The same content as Windows would keep it in a value of another type."""
    if isinstance(value, int):
        # REG_BINARY of 8 bytes is also how a REG_QWORD comes; a text of digits is what people type by mistake.
        return draw.choice([value.to_bytes(8, "little"), f"{value:x}h", (str(value),)])
    if isinstance(value, str):
        return draw.choice([value.encode("utf-16-le"), (value,)])
    if isinstance(value, tuple):
        return " ".join(map(str, value)).encode("utf-16-le")
    return value


@pytest.mark.parametrize("name", RULES)
def test_no_storm_improves_a_verdict(
    name: str,
    packs: tuple[LoadedPack, ...],
    registry: ProbeRegistry,
    dictionary: Dictionary,
    lifecycle: Lifecycle,
    tmp_path: Path,
) -> None:
    rule: Rule = next(r for p in packs for r in p.rules if r.id == name)

    @cache
    def calm(path: Path) -> Calm:
        case, _ = read_document(CaseDocument, path)
        moment = case.moment()
        host, recording = recorded(host_of(case, tmp_path), lambda: moment)
        before = verdict(rule, case, host, registry, dictionary, lifecycle)
        return Calm(case, {k: a.reading for k, a in recording.answers.items()}, before)

    @settings(max_examples=15, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(path=st.sampled_from([p for p in WINDOWS if p.parent.name == name]), seed=st.integers(0, 2**32))
    def storm(path: Path, seed: int) -> None:
        before = calm(path)
        if before.status in GOOD:
            return
        host = replay("windows", broken(before.answers, seed))
        after = verdict(rule, before.case, host, registry, dictionary, lifecycle)
        assert after not in GOOD, f"{path.name}: {before.status} became {after}"

    storm()
