"""On Windows a scan gives a whole record in which nothing is decided; it does not refuse, and nothing passes."""

from __future__ import annotations

from datetime import datetime

from ybscan.engine.scan import Plan, scan
from ybscan.hosts.live_windows import live_windows
from ybscan.model.dictionary import Dictionary
from ybscan.model.reading import Known
from ybscan.model.result import Status
from ybscan.probes.base import Context
from ybscan.probes.registry import ProbeRegistry
from ybscan.rules.load import LoadedPack
from ybscan.rules.site import no_site

NOW = datetime.fromisoformat("2026-11-20T10:00:00+08:00")


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


def test_it_says_what_machine_it_is() -> None:
    identity = live_windows().system.identity()
    assert isinstance(identity, Known)
    assert identity.value.hostname
