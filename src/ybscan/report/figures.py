"""What the charts show: rates over weeks, problems by pack and severity, terminals against packs. Pure.

Both formats print the same numbers: HTML draws them and repeats them as text, Markdown has them as tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

from ybscan.engine.fridays import friday_of
from ybscan.model.result import Finding, ScanResult, Status
from ybscan.model.rule import Severity
from ybscan.report.dates import day_text
from ybscan.report.model import VERDICTS, Cell, Matrix, MatrixRow, PackProblems, Severities, Week
from ybscan.report.parts import OPEN, counts, severity_text, tally
from ybscan.report.terminals import Checks, day
from ybscan.report.text import Prose

#: The worst first: as what several findings together are shown.
WORST: Final = (
    Status.FAIL, Status.UNKNOWN, Status.MANUAL, Status.WAIVED, Status.DELEGATED, Status.PASS, Status.NOT_APPLICABLE,
)  # fmt: skip
#: A year of weeks; of a longer span the newest are shown.
MAX_WEEKS: Final = 53
#: Up to so many terminals each has its row in the matrix; of more only those with something to look at.
MATRIX_WHOLE: Final = 200
#: Rows of the matrix at most, the gravest; the annex lists every terminal.
MATRIX_MOST: Final = 400


def weeks_of(groups: Sequence[Checks], missed: Iterable[date]) -> tuple[Week, ...]:
    """Every week from the first check to the last, also those in which nothing was checked.

    Args:
        groups: the checks by terminal.
        missed: planned Fridays on which nothing was checked.
    """
    found: dict[date, dict[int, ScanResult]] = {friday_of(d): {} for d in missed}
    for i, group in enumerate(groups):
        for result in group.results:  # oldest first: the newest of the week stays
            checked = day(result)
            if checked is not None:
                found.setdefault(friday_of(checked), {})[i] = result
    if not found:
        return ()
    last = max(found)
    first = max(min(found), last - timedelta(weeks=MAX_WEEKS - 1))
    fridays = [first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1)]
    return tuple(_week(f, list(found.get(f, {}).values())) for f in fridays)


def _week(friday: date, results: list[ScanResult]) -> Week:
    year, number, _ = friday.isocalendar()
    total = counts(f for r in results for f in r.findings)
    return Week(
        Prose(f"{year}年第{number}周"), Prose(f"{number}周"), Prose(day_text(friday)), len(results),
        sum(bool(r.left_out) for r in results), total.pass_rate, total.determined_rate,
    )  # fmt: skip


def severities_of(packs: Sequence[tuple[str, str, tuple[str, ...]]], findings: Iterable[Finding]) -> Severities:
    """Problems by pack and severity; ``packs`` as :func:`ybscan.report.record.pack_groups` gives them."""
    failed: Counter[tuple[str, Severity]] = Counter()
    open_: Counter[str] = Counter()
    for f in findings:
        if f.status is Status.FAIL:
            failed[f.pack, f.severity] += 1
        elif f.status in OPEN:
            open_[f.pack] += 1
    rows = [_problems(title, [failed[pack, s] for s in Severity], open_[pack]) for pack, title, _ in packs]
    shown = tuple(r for r in rows if r.total or r.undetermined)
    sums = [sum(r.numbers[i] for r in rows) for i in range(len(Severity))]
    return Severities(
        tuple(severity_text(s) for s in Severity), shown, len(rows) - len(shown),
        _problems("合计", sums, sum(r.undetermined for r in rows)),
    )  # fmt: skip


def _problems(title: str, numbers: list[int], undetermined: int) -> PackProblems:
    return PackProblems(title, tuple(numbers), sum(numbers), undetermined)


def matrix_of(
    packs: Sequence[tuple[str, str, tuple[str, ...]]], latest: Sequence[ScanResult], grades: Sequence[Prose]
) -> Matrix:
    """Terminals against packs; ``grades`` in the order of ``latest``."""
    chosen = [(r, g) for r, g in zip(latest, grades, strict=True) if _open_findings(r)] if (
        len(latest) > MATRIX_WHOLE
    ) else list(zip(latest, grades, strict=True))  # fmt: skip
    kept = {id(r) for r, _ in sorted(chosen, key=lambda c: _gravity(c[0]))[:MATRIX_MOST]}
    rows = tuple(_row(packs, r, g) for r, g in chosen if id(r) in kept)
    return Matrix(tuple(t for _, t, _ in packs), rows, len(latest) - len(chosen), len(chosen) - len(rows))


def _open_findings(result: ScanResult) -> bool:
    return any(f.status is Status.FAIL or f.status in OPEN for f in result.findings)


def _gravity(result: ScanResult) -> tuple[int, ...]:
    """Sorts the terminal with the gravest problems first."""
    failed = Counter(f.severity for f in result.findings if f.status is Status.FAIL)
    return (*(-failed[s] for s in Severity), -sum(f.status in OPEN for f in result.findings))


def _row(packs: Sequence[tuple[str, str, tuple[str, ...]]], result: ScanResult, grade: Prose) -> MatrixRow:
    by_pack: dict[str, list[Status]] = {}
    for f in result.findings:
        by_pack.setdefault(f.pack, []).append(f.status)
    cells = tuple(_cell(by_pack[pack]) if pack in by_pack else None for pack, _, _ in packs)
    keys = tuple(c.verdict.key for c in tally(f.status for f in result.findings))
    return MatrixRow(result.host.id, result.host.department, grade, cells, keys)


def _cell(statuses: list[Status]) -> Cell:
    shown = tuple(c for c in tally(statuses) if c.verdict.key in _COUNTED)
    return Cell(VERDICTS[min(statuses, key=WORST.index)], shown)


_COUNTED: Final = frozenset(s.value for s in (Status.FAIL, *OPEN))
