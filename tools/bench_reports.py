"""Benchmarks of documents: one terminal with 72 findings, and a report over two thousand. Ratios within one run."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench_timing import seconds

Row = Callable[[str, str, str, str], None]
TERMINALS = 2000
FACTS = {f"bench.fact{n}": {"status": "known", "value": [{"name": f"{n}-{i}"} for i in range(10)]} for n in range(100)}


def _one(number: int) -> str:
    """A stored result of 72 findings, some of them wrong or undetermined, on each terminal others."""
    from tests.unit import results

    from ybscan.model.result import Status

    def status(rule: int) -> Status:
        return (
            Status.FAIL if (number + rule) % 29 == 0 else Status.UNKNOWN if (number + rule) % 31 == 0 else Status.PASS
        )

    found = [results.finding(f"TST-{i:02}", status(i), pack=f"pack-{i // 12}") for i in range(72)]
    mac = f"00:1a:2b:3c:{number // 256:02x}:{number % 256:02x}"
    made = results.result(found, id=f"YB-{number:04}", hostname=f"SFC-{number:04}", macs=(mac,))
    return made.model_copy(update={"facts": FACTS}).sealed().model_dump_json(by_alias=True)


def report_rows(row: Row) -> None:
    """Print the rows."""
    from tests.documents import CLAUSES, templates

    from ybscan.model.result import ScanResult
    from ybscan.report.options import Options
    from ybscan.report.render import render

    document = _one(1)
    result = ScanResult.model_validate_json(document)
    options = Options(clauses=CLAUSES)
    read = seconds(lambda: json.loads(document), 30)
    html = seconds(lambda: render("record", "html", [result], templates=templates(), options=options))
    row("report: 72 findings to HTML / reading them as JSON", f"{html / read:.0f}x", "-", f"({html * 1000:.0f} ms)")
    if importlib.util.find_spec("ybscan.report.docx") is not None:
        from ybscan.report.docx import render_docx

        word = seconds(lambda: render_docx("record", [result], templates=templates(), options=options))
        row("report: 72 findings to Word / reading them as JSON", f"{word / read:.0f}x", "-", f"({word * 1000:.0f} ms)")
    project = Path(__file__).resolve().parents[1]
    run = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=True, cwd=project)
    told = json.loads(run.stdout)
    for format in ("md", "html", "xlsx"):
        row(
            f"report: {TERMINALS} terminals to {format} / reading them as JSON",
            f"{told[format] / told['json']:.1f}x",
            "-",
            f"({told[format]:.1f} s)",
        )
    row(
        f"report: reading {TERMINALS} results, checked / as JSON",
        f"{told['read'] / told['json']:.1f}x",
        "-",
        f"({told['read']:.1f} s)",
    )
    row(f"report: peak memory with {TERMINALS} terminals", f"{told['peak']:.0f} MiB", "< 1024", "")


def _stored() -> Iterator[str]:
    """One document after the other, as files would be read; only one is held."""
    return (_one(n) for n in range(1, TERMINALS + 1))


def _many() -> dict[str, float]:
    """Seconds for each step, and the peak size of this process in MiB."""
    import resource

    from tests.documents import CLAUSES, templates

    from ybscan.model.result import ScanResult
    from ybscan.report.excerpt import Excerpts
    from ybscan.report.options import Options
    from ybscan.report.render import render
    from ybscan.report.tables import tables

    told = {"json": 0.0, "read": 0.0}
    keep = Excerpts("self-inspection")
    kept = []
    for document in _stored():
        start = time.perf_counter()
        json.loads(document)
        told["json"] += time.perf_counter() - start
        start = time.perf_counter()
        kept.append(keep(ScanResult.model_validate_json(document)))
        told["read"] += time.perf_counter() - start
    options = Options(clauses=CLAUSES, expected=TERMINALS)
    for format in ("md", "html"):
        start = time.perf_counter()
        render("self-inspection", format, kept, templates=templates(), options=options)  # type: ignore[arg-type]
        told[format] = time.perf_counter() - start
    start = time.perf_counter()
    tables("self-inspection", "xlsx", kept, options=options)
    told["xlsx"] = time.perf_counter() - start
    told["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return told


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[1])]
    sys.stdout.write(json.dumps(_many()))
