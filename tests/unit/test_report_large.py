"""Reports over many terminals: what is kept of each is little, and says the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.documents import CLAUSES, cases, ledger_of, templates
from tests.unit.results import finding, hospital, result

from ybscan.cli.keeping import Keeper
from ybscan.cli.scan import result_json
from ybscan.model.result import ScanResult, Status
from ybscan.report.excerpt import Excerpts
from ybscan.report.options import Kind, Options, Redaction
from ybscan.report.redact import redacted
from ybscan.report.render import render

PEAK = (
    "import os,sys,resource;os.spawnv(os.P_WAIT,sys.executable,[sys.executable,*sys.argv[1:]]);"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


def peak_mib(*arguments: str, cwd: Path) -> float:
    """Peak resident size of a Python process with these arguments, MiB."""
    run = subprocess.run([sys.executable, "-c", PEAK, *arguments], capture_output=True, text=True, check=True, cwd=cwd)
    return int(run.stdout.strip().splitlines()[-1]) / 1024


@pytest.mark.parametrize("name", cases())
@pytest.mark.parametrize("kind", ["self-inspection", "leader", "ledger"])
def test_excerpts_give_the_same_document(name: str, kind: Kind) -> None:
    found, options = cases()[name]
    keep = Excerpts(kind)
    for format in ("md", "html"):
        whole = render(kind, format, found, templates=templates(), options=options)  # type: ignore[arg-type]
        assert render(kind, format, [keep(r) for r in found], templates=templates(), options=options) == whole  # type: ignore[arg-type]


def test_the_ledger_is_the_same_from_excerpts() -> None:
    keep = Excerpts("ledger")
    for found, _ in cases().values():
        assert ledger_of(tuple(keep(r) for r in found)) == ledger_of(found)


def test_the_page_for_the_leader_keeps_the_dates_it_prints() -> None:
    copies = {"status": "known", "value": [{"newest": "2026-11-19T23:00:00+08:00"}]}
    facts = {"backup.copies": copies, "software.products": {"status": "known", "value": ["x"]}}
    one = hospital()[1].model_copy(update={"facts": facts}).sealed()
    kept = Excerpts("leader")(one)
    assert kept.facts == {"backup.copies": copies}
    assert "2026年11月19日" in render("leader", "md", [kept], templates=templates(), options=Options(today=None))


def test_an_altered_result_is_still_seen_in_its_excerpt() -> None:
    altered = hospital()[1].model_copy(update={"facts": {"a.b": {"status": "absent"}}})
    kept = Excerpts("self-inspection")(altered)
    assert kept.compute_digest() != kept.digest
    assert "内容在检查之后被改动过" in render("self-inspection", "md", [kept], templates=templates())


def test_equal_findings_are_held_once() -> None:
    keep = Excerpts("self-inspection")
    one, other = (
        keep(result([finding("PWD-01"), finding("PWD-02", sentence=f"第 {n} 台")], id=f"YB-{n}")) for n in (1, 2)
    )
    assert one.findings[0] is other.findings[0]
    assert one.findings[1] is not other.findings[1]
    assert one.findings[1].observations[0].sentence == "第 1 台"


def test_findings_that_differ_in_anything_printed_are_not_taken_for_each_other() -> None:
    keep = Excerpts("self-inspection")
    variants = [
        finding("PWD-01", Status.FAIL), finding("PWD-01", Status.FAIL, remediation="另一种办法"),
        finding("PWD-01", Status.FAIL, origin="/other"), finding("PWD-01", Status.FAIL, reason="另有原因"),
        finding("PWD-01", Status.FAIL, title="另一个名称"), finding("PWD-01", Status.FAIL, clauses=("gz-2-2",)),
        finding("PWD-01", Status.FAIL, method="另一种方法"), finding("PWD-01", Status.WAIVED), finding("PWD-01", Status.UNKNOWN),
    ]  # fmt: skip
    kept = keep(result(variants)).findings
    assert len({id(f) for f in kept}) == len(variants)
    for before, after in zip(variants, kept, strict=True):
        assert (after.status, after.title, after.reason, after.method) == (
            before.status,
            before.title,
            before.reason,
            before.method,
        )
        assert after.remediation == before.remediation
        assert [o.origin for o in after.observations] == [o.origin for o in before.observations]


@pytest.mark.parametrize("level", ["none", "partial", "full"])
def test_what_is_kept_while_reading_is_redacted_like_the_whole(level: Redaction) -> None:
    found = sorted(hospital(), key=lambda r: (r.host.id, r.started_at))
    keep = Keeper("self-inspection", level)
    kept, said = keep.shown([keep(r) for r in found], Options(clauses=CLAUSES, expected=3))
    whole, options = redacted(found, Options(clauses=CLAUSES, expected=3), level)
    text = render("self-inspection", "md", kept, templates=templates(), options=said)
    assert text == render("self-inspection", "md", whole, templates=templates(), options=options)


def large(count: int) -> Iterator[ScanResult]:
    """Terminals with two megabytes of facts each."""
    for n in range(count):
        one = result([finding(f"PWD-{i:02}") for i in range(20)], id=f"YB-{n:03}", hostname=f"H{n}", macs=())
        facts = {"x.y": {"status": "known", "value": [f"{n}" + "x" * 2_000_000]}}
        yield one.model_copy(update={"facts": facts}).sealed()


def test_facts_of_many_results_are_not_held_together(tmp_path: Path) -> None:
    """Fifty results of two megabytes: a process that holds them all needs a hundred megabytes more than for five."""
    files = []
    for n, one in enumerate(large(50)):
        path = tmp_path / f"{n}.json"
        path.write_bytes(result_json(one))
        files.append(str(path))
    assert json.loads(Path(files[0]).read_bytes())["facts"]

    def peak(some: list[str]) -> float:
        given = [a for f in some for a in ("--result", f)]
        return peak_mib(
            "-m", "ybscan", "report", *given, "--format", "md", "-o", str(tmp_path / f"out{len(some)}"), cwd=tmp_path
        )

    few, many = peak(files[:5]), peak(files)
    assert list((tmp_path / "out50").glob("*.md"))
    assert many - few < 40, (few, many)
    assert many < 400
