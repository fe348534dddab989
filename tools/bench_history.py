"""Benchmarks of the history: appending, comparing a year, verifying ten thousand records. Ratios within one run."""

from __future__ import annotations

import itertools
import json
import os
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from bench_timing import seconds

Row = Callable[[str, str, str, str], None]
START = datetime.fromisoformat("2026-01-02T09:00:00+08:00")


def _filled(folder: Path, count: int) -> None:
    from ybscan.store.history import opened

    with opened(folder, create=True) as history:
        # One transaction per record is what a scan pays; filling a store for a benchmark need not wait for the disk.
        history._db.execute("PRAGMA synchronous=OFF")
        for n in range(count):
            now = START + timedelta(minutes=n)
            history.append("ledger", lambda _, n=n: {"n": n, "text": "医保" * 200}, at=now, now=now)  # type: ignore[misc]


def history_rows(row: Row) -> None:
    """Print the rows."""
    from ybscan.store.history import FILE, opened

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "append"
        with opened(folder, create=True) as history:
            body = {"text": "医保" * 5000}
            append = seconds(lambda: history.append("ledger", lambda _: body, at=START, now=START), 30)
        data = json.dumps(body).encode()
        path = Path(scratch) / "plain"

        def plain() -> None:
            with path.open("wb") as f:
                f.write(data)
                f.flush()
                os.fsync(f.fileno())

        row(
            "history: append / writing the same bytes with fsync",
            f"{append / seconds(plain, 30):.1f}x",
            "-",
            f"({append * 1000:.1f} ms)",
        )
        times = {}
        for count in (1000, 10_000):
            large = Path(scratch) / str(count)
            _filled(large, count)
            with opened(large) as history:
                times[count] = seconds(history.verify, 3)
            size = (large / FILE).stat().st_size / 1024 / count
        row(
            "history: verify 10,000 records / 1,000 records",
            f"{times[10_000] / times[1000]:.1f}x",
            "~ 10x (linear)",
            f"({times[10_000]:.2f} s)",
        )
        row("history: file per record of 400 characters", f"{size:.2f} KiB", "-", "")
        _year(row)


def _year(row: Row) -> None:
    """52 weeks × 200 terminals × 72 rules: differences, streaks and ledger against reading the same JSON."""
    from tests.unit import results

    from ybscan.engine.compare import compare, statuses_of, streaks
    from ybscan.model.result import ScanResult, Status
    from ybscan.store.ledger import SeenCheck, ledger

    rules = [f"TST-{n:02}" for n in range(1, 73)]
    one: list[ScanResult] = []
    for week in range(52):
        findings = [
            results.finding(r, Status.FAIL if (week // 4 + i) % 9 == 0 else Status.PASS) for i, r in enumerate(rules)
        ]
        one.append(results.result(findings, id="YB-1", started_at=(START + timedelta(weeks=week)).isoformat()))
    documents = [r.model_dump_json(by_alias=True) for r in one]
    read = seconds(lambda: [json.loads(d) for d in documents], 3)
    terminals = 200
    diff = seconds(lambda: [compare(a, b) for a, b in itertools.pairwise(one)], 3)
    row(
        "history: 52 differences / reading the 52 results as JSON",
        f"{diff / read:.2f}x",
        "-",
        f"(x {terminals}: {diff * terminals:.1f} s)",
    )
    trend = seconds(lambda: streaks([statuses_of(r) for r in one]), 3)
    row(
        "history: trend over 52 weeks / reading them as JSON",
        f"{trend / read:.2f}x",
        "-",
        f"(x {terminals}: {trend * terminals:.1f} s)",
    )
    seen = [SeenCheck(i, r) for i, r in enumerate(one, 1)]
    book = seconds(lambda: ledger(seen, (), START.date()), 3)
    row(
        "history: ledger of 52 weeks / reading them as JSON",
        f"{book / read:.2f}x",
        "-",
        f"(x {terminals}: {book * terminals:.1f} s)",
    )
