"""The scan runner: whatever a probe does, every rule gives one finding and nothing passes that was not read."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from ybscan.engine.scan import Plan, checked, scan
from ybscan.hosts.base import Host
from ybscan.hosts.recorder import recorded
from ybscan.hosts.replay import replay
from ybscan.model.facts import Fact, FactSpec, Field, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.model.result import HostInfo, ScanResult, Status
from ybscan.probes.base import Context, Probe
from ybscan.probes.registry import ProbeRegistry
from ybscan.report.parts import mode_text
from ybscan.rules.load import load_packs
from ybscan.rules.site import no_site

NOW = datetime.fromisoformat("2026-11-20T10:00:00+08:00")
LENGTH = FactSpec("length", Kind.INTEGER, "长度")
THINGS = FactSpec("things", Kind.ITEMS, "东西", fields=(Field("name", Kind.TEXT, "名称"),))


class Odd(Probe):
    """A probe that does what a test tells it to."""

    name = "odd"
    title = "古怪的检查"
    facts = (LENGTH, THINGS)

    def __init__(self, act: Callable[[], Mapping[str, Fact]]) -> None:
        self._act = act

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return self._act()


RULES = {
    "odd-01-length.yml": "{ fact: odd.length, at_least: 8 }",
    "odd-02-none.yml": "{ no_item_in: odd.things }",
    "odd-03-every.yml": "{ every_item_in: odd.things, expect_item: { field: name, is: good } }",
    "odd-04-some.yml": "{ some_item_in: odd.things }",
    "odd-05-not.yml": "{ not: { fact: odd.length, at_most: 7 } }",
}


def result_of(act: Callable[[], Mapping[str, Fact]], tmp_path: Path, *, seconds: float = 30.0) -> ScanResult:
    folder = tmp_path / "rules" / "odd"
    folder.mkdir(parents=True)
    ids = [name[:6].upper() for name in RULES]
    (folder / "pack.yml").write_text(
        f'schema: ybscan.pack/v1\nid: odd\ntitle: x\nversion: "1.0"\norder: [{", ".join(ids)}]\n', encoding="utf-8"
    )
    for (name, condition), rule_id in zip(RULES.items(), ids, strict=True):
        (folder / name).write_text(
            f"schema: ybscan.rule/v1\nid: {rule_id}\ntitle: {rule_id}\nseverity: high\nrationale: r\nmethod: m\n"
            f"checks:\n  - os: [linux]\n    expect: {condition}\nremediation: {{ linux: x }}\n",
            encoding="utf-8",
        )
    registry = ProbeRegistry({"odd": Odd(act)}, {})
    packs = load_packs(tmp_path / "rules", registry)
    loaded = no_site()
    context = Context(site=loaded.site, now=NOW)
    plan = Plan(
        packs=packs, rules=packs[0].rules, registry=registry, loaded=loaded, context=context, probe_seconds=seconds
    )
    host, _ = recorded(replay("linux", {}), lambda: NOW)
    return scan(host, plan, finished=lambda: NOW)


def good() -> Mapping[str, Fact]:
    return {"length": Known(9), "things": Known(({"name": "good"},))}


def crash() -> Mapping[str, Fact]:
    raise RuntimeError("磁盘坏了")


def hang() -> Mapping[str, Fact]:
    time.sleep(5)
    return good()


BAD: dict[str, Callable[[], Mapping[str, Fact]]] = {
    "crash": crash,
    "nothing": dict,
    "none": lambda: None,  # type: ignore[dict-item, return-value]
    "wrong type": lambda: {"length": Known("9"), "things": Known("good")},
    "boolean for a number": lambda: {"length": Known(True), "things": Known(({"name": True},))},
    "undeclared field": lambda: {"length": Known(9.5), "things": Known(({"nmae": "good"},))},
    "gaps on a scalar": lambda: {"length": Known(9, "", (Gap(Cause.DENIED),)), "things": Known(("good",))},
    "unknown": lambda: {"length": Unknown(Cause.DENIED), "things": Unknown(Cause.TIMEOUT)},
    "absent": lambda: {"length": Absent(), "things": Absent()},
}


def test_a_good_probe(tmp_path: Path) -> None:
    result = result_of(good, tmp_path)
    assert [f.status.value for f in result.findings] == ["pass", "fail", "pass", "pass", "pass"]


@pytest.mark.parametrize("name", BAD)
def test_whatever_goes_wrong_every_rule_is_unknown_with_a_reason(name: str, tmp_path: Path) -> None:
    result = result_of(BAD[name], tmp_path)
    assert len(result.findings) == len(RULES)
    assert {f.status for f in result.findings} == {Status.UNKNOWN}
    assert all(f.reason for f in result.findings)
    assert result.summary.unknown == len(RULES)


def test_a_probe_that_hangs_is_left_behind(tmp_path: Path) -> None:
    start = time.monotonic()
    result = result_of(hang, tmp_path, seconds=0.2)
    assert time.monotonic() - start < 4
    assert {f.status for f in result.findings} == {Status.UNKNOWN}
    assert "超时" in result.findings[0].reason


@pytest.mark.parametrize(
    ("reading", "spec", "kept"),
    [
        (Known(datetime(2026, 1, 1)), FactSpec("t", Kind.TIME, "t"), False),  # noqa: DTZ001 - a naive time is the point
        (Known(NOW), FactSpec("t", Kind.TIME, "t"), True),
        (Known(("a",)), FactSpec("t", Kind.TEXTS, "t"), True),
        (Known(["a"]), FactSpec("t", Kind.TEXTS, "t"), False),
        (Known(1), FactSpec("t", Kind.NUMBER, "t"), True),
        (Known(({"name": Unknown(Cause.DENIED)},)), THINGS, True),
        (Known(({"name": None},)), THINGS, True),
        (Known(({"name": 3},)), THINGS, False),
    ],
)
def test_readings_are_held_to_their_declared_type(reading: Fact, spec: FactSpec, kept: bool) -> None:
    assert (checked(reading, spec) is reading) == kept


def test_the_result_document_round_trips_and_its_digest_finds_changes(tmp_path: Path) -> None:
    result = result_of(good, tmp_path)
    again = ScanResult.model_validate_json(result.model_dump_json(by_alias=True))
    assert again == result
    assert again.compute_digest() == result.digest
    better = replace_status(result)
    assert better.compute_digest() != result.digest


def replace_status(result: ScanResult) -> ScanResult:
    findings = tuple(f.model_copy(update={"status": Status.PASS}) for f in result.findings)
    return result.model_copy(update={"findings": findings})


def test_same_input_same_bytes(tmp_path: Path) -> None:
    first = result_of(good, tmp_path / "a").model_dump_json()
    second = result_of(good, tmp_path / "b").model_dump_json()
    assert first == second


def test_the_recorder_remembers_failures_too() -> None:
    asked = []

    class Failing(type(replay("linux", {}).files)):  # type: ignore[misc]
        def text(self, *, path: str, limit: int = 0) -> Fact:
            asked.append(path)
            raise OSError("broken")

    host = replace(replay("linux", {}), files=Failing())
    wrapped, recording = recorded(host, lambda: NOW)
    first, second = wrapped.files.text(path="/x"), wrapped.files.text(path="/x")
    assert isinstance(first, Unknown)
    assert first is second
    assert asked == ["/x"]
    assert len(recording.answers) == 1


def test_an_empty_list_that_cannot_be_empty_satisfies_nothing() -> None:
    spec = FactSpec("drivers", Kind.ITEMS, "驱动", fields=(Field("name", Kind.TEXT, "名称"),), never_empty=True)
    empty = checked(Known(()), spec)
    assert isinstance(empty, Unknown)
    assert "没有读到任何一项" in empty.detail
    assert isinstance(checked(Known(({"name": "a"},)), spec), Known)
    assert isinstance(checked(Known(()), THINGS), Known), "other lists may be empty"


def test_the_bits_of_the_program_are_told_where_they_matter_and_change_no_other_document() -> None:
    linux = HostInfo(
        id="a", hostname="a", os="linux", os_version="", arch="", role="settlement", backend="live", elevated=True
    )
    assert "process_bits" not in linux.model_dump(mode="json")
    windows = linux.model_copy(update={"os": "windows", "process_bits": 32})
    assert windows.model_dump(mode="json")["process_bits"] == 32
    assert HostInfo.model_validate(windows.model_dump(mode="json")) == windows
    assert mode_text(windows) == "以管理员权限在线检查（32 位程序）"
