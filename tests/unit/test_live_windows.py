"""The host for a running Windows can be made anywhere; elsewhere it knows nothing, and a scan with it decides nothing."""

from __future__ import annotations

import sys
from datetime import datetime

import pytest

from ybscan.engine.scan import Plan, scan
from ybscan.hosts.live_windows import live_windows
from ybscan.model.dictionary import Dictionary
from ybscan.model.reading import Cause, Unknown
from ybscan.model.result import Status
from ybscan.probes.base import Context
from ybscan.probes.registry import ProbeRegistry
from ybscan.rules.load import LoadedPack
from ybscan.rules.site import no_site

NOW = datetime.fromisoformat("2026-11-20T10:00:00+08:00")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="on Windows it answers: tests/windows")


def test_nothing_passes_and_nothing_fails(
    packs: tuple[LoadedPack, ...], registry: ProbeRegistry, dictionary: Dictionary
) -> None:
    loaded = no_site()
    rules = tuple(r for p in packs for r in p.rules)
    plan = Plan(
        packs=packs, rules=rules, registry=registry, loaded=loaded,
        context=Context(site=loaded.site, now=NOW, dictionary=dictionary),
    )  # fmt: skip
    result = scan(live_windows(), plan, finished=lambda: NOW)
    assert len(result.findings) == len(rules)
    decided = {f.rule_id: f.status for f in result.findings}
    assert set(decided.values()) <= {Status.UNKNOWN, Status.NOT_APPLICABLE, Status.MANUAL}, decided
    assert result.host.os == "windows"
    assert result.summary.grade == "无法判定"


def test_elsewhere_every_group_says_why_it_cannot_answer() -> None:
    host = live_windows()
    for _, group in host.groups():
        assert group.unsupported().detail
    identity = host.system.identity()
    assert isinstance(identity, Unknown)
    assert identity.cause is Cause.UNSUPPORTED
