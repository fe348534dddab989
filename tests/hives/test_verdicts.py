"""All 72 rules judged on real Windows disks: what must come out, and that damage never makes a verdict better."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from tests.cli import ybscan
from tests.hives.roots import CONFIG, windows_7, windows_10
from tests.hives.writer import sealed
from ybscan.engine.scan import Plan, scan
from ybscan.hosts.base import Host
from ybscan.hosts.bundle import read_bundle, write_bundle
from ybscan.hosts.offline import offline_root
from ybscan.hosts.recorder import recorded
from ybscan.hosts.replay import replay
from ybscan.model.dictionary import Dictionary
from ybscan.model.lifecycle import Lifecycle
from ybscan.model.result import ScanResult
from ybscan.probes.base import Context
from ybscan.probes.registry import ProbeRegistry
from ybscan.rules.load import LoadedPack
from ybscan.rules.site import no_site

RULES = 72
#: Some days after the last thing that happened on each disk.
NOW_7 = datetime.fromisoformat("2012-04-10T10:00:00+08:00")
NOW_10 = datetime.fromisoformat("2018-04-10T10:00:00+08:00")


@dataclass(frozen=True)
class Judge:
    packs: tuple[LoadedPack, ...]
    registry: ProbeRegistry
    dictionary: Dictionary
    lifecycle: Lifecycle

    def __call__(self, host: Host, now: datetime) -> ScanResult:
        loaded = no_site()
        context = Context(site=loaded.site, now=now, dictionary=self.dictionary, lifecycle=self.lifecycle)
        rules = tuple(r for p in self.packs for r in p.rules)
        plan = Plan(packs=self.packs, rules=rules, registry=self.registry, loaded=loaded, context=context)
        return scan(host, plan, finished=lambda: now)


@pytest.fixture(scope="module")
def judge(
    packs: tuple[LoadedPack, ...], registry: ProbeRegistry, dictionary: Dictionary, lifecycle: Lifecycle
) -> Judge:
    return Judge(packs, registry, dictionary, lifecycle)


def statuses(result: ScanResult) -> dict[str, str]:
    found = {f.rule_id: f.status.value for f in result.findings}
    assert len(found) == RULES
    return found


def reason(result: ScanResult, rule: str) -> str:
    finding = next(f for f in result.findings if f.rule_id == rule)
    return finding.reason + " ".join(o.sentence for o in finding.observations)


def test_the_machine_of_2012(tmp_path: Path, judge: Judge) -> None:
    result = judge(offline_root(windows_7(tmp_path)), NOW_7)
    status = statuses(result)
    assert result.host.hostname == "WKS-WIN732BITA"
    assert status["USB-01"] == "fail"
    assert "Start 为 3" in reason(result, "USB-01")
    assert status["USB-05"] == "fail"
    assert "HP v100w" in reason(result, "USB-05")
    assert "2012-04-07" in reason(result, "USB-05")
    assert status["SMB-01"] == "fail"
    assert status["SW-04"] == "fail"
    assert "fDenyTSConnections=0" in reason(result, "SW-04")
    assert "NLA" in reason(result, "SW-04")
    assert "Skype" in reason(result, "SW-01")
    assert status["PWD-01"] == "fail"
    assert "7 位" in reason(result, "PWD-01")
    assert status["PWD-04"] == "fail"
    assert status["PWD-05"] != "pass"
    assert "gold_administrator" in reason(result, "PWD-05")
    assert status["PWD-07"] == "fail"
    assert "1620" in reason(result, "PWD-07")
    assert status["SW-01"] == "unknown"
    # What only a running system can say stays open.
    for rule in ("NET-03", "NET-06", "PORT-01", "AV-01", "USB-04", "TIME-01", "HW-01"):
        assert status[rule] in ("unknown", "fail", "not_applicable"), rule


def test_the_machine_of_2018(tmp_path: Path, judge: Judge) -> None:
    result = judge(offline_root(windows_10(tmp_path)), NOW_10)
    status = statuses(result)
    assert result.host.hostname == "DESKTOP-PM6C56D"
    assert status["USB-01"] == "fail"
    assert "Start 为 3" in reason(result, "USB-01")
    # A disk that only the transaction logs know of.
    assert status["USB-05"] == "fail"
    assert "Samsung Portable SSD T5" in reason(result, "USB-05")
    # The drivers of SMB 1 were removed from this machine; the older one has them.
    assert status["SMB-01"] == "pass"
    # Software of one person, in that person's own part of the registry, and of the 32-bit view.
    for name in ("Zoom", "腾讯QQ"):
        assert name in reason(result, "SW-01"), name
    assert status["SW-01"] == "unknown"
    assert status["SW-04"] == "fail"
    assert "远程桌面" not in reason(result, "SW-04")
    # There is no SAM: nothing about accounts is known.
    for rule in ("PWD-01", "PWD-02", "PWD-03", "PWD-04", "PWD-05", "PWD-08", "ACC-01"):
        assert status[rule] == "unknown", rule


def test_the_two_sticks_of_march_2018(tmp_path: Path, judge: Judge) -> None:
    result = judge(offline_root(windows_10(tmp_path)), datetime.fromisoformat("2018-03-30T10:00:00+08:00"))
    assert statuses(result)["USB-05"] == "fail"
    said = next(f.reason for f in result.findings if f.rule_id == "USB-05")
    assert said.count("SanDisk Extreme") == 2
    assert "2018-03-27" in said


def test_the_evidence_of_a_disk_gives_the_same_result(tmp_path: Path, judge: Judge) -> None:
    for name, lay_out, now in (("w7", windows_7, NOW_7), ("w10", windows_10, NOW_10)):
        root = tmp_path / name
        root.mkdir()
        host, recording = recorded(offline_root(lay_out(root)), lambda now=now: now)  # type: ignore[misc]
        first = judge(host, now)
        bundle = tmp_path / f"{name}.zip"
        write_bundle(recording, os="windows", collected_at=now, path=bundle)
        assert bundle.stat().st_size < 4 * 1024 * 1024
        again = read_bundle(bundle)
        assert (again.os, again.ignored) == ("windows", 0)
        second = judge(replay(again.os, again.answers), now)
        assert [(f.rule_id, f.status, f.reason) for f in first.findings] == [
            (f.rule_id, f.status, f.reason) for f in second.findings
        ]
        for key, answer in recording.answers.items():
            assert again.answers[key] == answer.reading, key


def not_better(before: Mapping[str, str], after: Mapping[str, str], what: str) -> None:
    changed = {r: (before[r], after[r]) for r in before if after[r] not in (before[r], "unknown")}
    assert not changed, (what, changed)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "cut": lambda p: p.write_bytes(p.read_bytes()[:20_000]),
    "garbage": lambda p: p.write_bytes(p.read_bytes()[:4096] + b"\xa5" * (p.stat().st_size - 4096)),
    "dirty": lambda p: p.write_bytes(sealed(p.read_bytes(), primary=0x7FFF0000)),
}
FILES_7 = (
    f"{CONFIG}/SYSTEM", f"{CONFIG}/SAM", f"{CONFIG}/SOFTWARE", "Users/nfury/NTUSER.DAT",
    "Windows/System32/winevt/Logs/System.evtx",
)  # fmt: skip
FILES_10 = (
    f"{CONFIG}/SYSTEM",
    f"{CONFIG}/SYSTEM.LOG1",
    f"{CONFIG}/SYSTEM.LOG2",
    f"{CONFIG}/SOFTWARE",
    "Users/tony/NTUSER.DAT",
)


@pytest.mark.parametrize(("lay_out", "now", "files"), [(windows_7, NOW_7, FILES_7), (windows_10, NOW_10, FILES_10)])
def test_no_damage_makes_a_verdict_better(
    lay_out: Callable[[Path], Path], now: datetime, files: tuple[str, ...], tmp_path: Path, judge: Judge
) -> None:
    root = lay_out(tmp_path)
    before = statuses(judge(offline_root(root), now))
    for name in files:
        path = root / name
        good = path.read_bytes()
        for kind, damage in DAMAGE.items():
            if kind in ("dirty", "cut") and path.suffix not in ("", ".DAT"):
                continue
            damage(path)
            after = statuses(judge(offline_root(root), now))
            not_better(before, after, f"{name} {kind}")
            path.write_bytes(good)


def test_on_the_command_line(tmp_path: Path) -> None:
    root = tmp_path / "disk"
    root.mkdir()
    nothing = ybscan("scan", "--root", str(root), "-q", "--no-store", "-o", "-", "--format", "json")
    assert nothing.returncode == 2
    assert r"Windows\System32\config" in nothing.stderr.decode()
    windows_7(root)
    arguments = (
        "scan",
        "--root",
        str(root),
        "-q",
        "--no-store",
        "-o",
        "-",
        "--format",
        "json",
        "--now",
        NOW_7.isoformat(),
    )
    run = ybscan(*arguments)
    assert run.returncode == 1, run.stderr.decode()
    assert len(json.loads(run.stdout)["findings"]) == RULES
    (root / CONFIG / "SOFTWARE").unlink()
    part = ybscan(*arguments)
    assert part.returncode == 1, part.stderr.decode()
    assert "SOFTWARE" in part.stderr.decode()
    assert sorted(p.name for p in root.iterdir()) == ["Users", "Windows"]
