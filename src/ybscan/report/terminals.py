"""Which results are about the same terminal, and what to call a check. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from ybscan.engine.fridays import friday_of
from ybscan.model.result import ScanResult
from ybscan.report.dates import moment

_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
#: Ids that a scan gives to terminals it could not name; they never make two results one terminal.
_NAMELESS = frozenset({"", "unknown", "localhost", "localhost.localdomain"})


def when(result: ScanResult) -> datetime:
    """When the check began; a time without zone counts as UTC, an unreadable one as the oldest."""
    got = moment(result.started_at)
    if got is None:
        return _NO_TIME
    return got.replace(tzinfo=UTC) if got.tzinfo is None else got


def day(result: ScanResult) -> date | None:
    """The day of the check, in the terminal's own zone."""
    got = moment(result.started_at)
    return got.date() if got else None


def adhoc(result: ScanResult) -> bool:
    """Whether the check was not on the Friday of its week."""
    checked = day(result)
    return checked is None or checked != friday_of(checked)


def record_number(result: ScanResult, numbers: Mapping[str, str]) -> str:
    """The number the store gave, else one from the week and the digest: the same result always has the same."""
    given = numbers.get(result.digest)
    if given:
        return given
    checked = day(result)
    year, week, _ = checked.isocalendar() if checked else (0, 0, 0)
    digest = result.digest or result.compute_digest()
    return f"YB-{year:04}-W{week:02}-{digest.rpartition(':')[2][:8].upper()}"


def same_terminal(a: ScanResult, b: ScanResult) -> bool:
    """Whether two results are surely about one terminal.

    Cloned disk images share host names and even register entries: results whose network cards have nothing in common
    are two terminals, and what has no name is never taken for something else. When in doubt there are two, so that no
    later result can hide the 不符合 of another machine.
    """
    if a.host.id in _NAMELESS or a.host.id != b.host.id or a.host.os != b.host.os:
        return False
    if a.host.hostname and b.host.hostname and a.host.hostname.casefold() != b.host.hostname.casefold():
        return False
    here, there = ({m.casefold() for m in r.host.macs} for r in (a, b))
    return not here or not there or bool(here & there)


@dataclass(frozen=True, slots=True)
class Checks:
    """All checks of one terminal, oldest first."""

    results: tuple[ScanResult, ...]

    @property
    def latest(self) -> ScanResult:
        """The check that counts."""
        return self.results[-1]


def grouped(results: Iterable[ScanResult]) -> tuple[Checks, ...]:
    """Results by terminal, terminals by id. The same result given twice counts once."""
    unique = {r.compute_digest(): r for r in results}
    groups: list[list[ScanResult]] = []
    # One terminal has one id: only groups of that id are looked at, or thousands of terminals would take their square.
    named: dict[str, list[list[ScanResult]]] = {}
    for result in sorted(unique.values(), key=lambda r: (when(r), r.host.id, r.digest)):
        known = named.setdefault(result.host.id, [])
        mine = next((g for g in known if same_terminal(g[-1], result)), None)
        if mine is None:
            known.append([result])
            groups.append(known[-1])
        else:
            mine.append(result)
    groups.sort(key=lambda g: (g[-1].host.id, g[-1].host.hostname, g[-1].digest))
    return tuple(Checks(tuple(g)) for g in groups)


def previous_of(result: ScanResult, earlier: Iterable[ScanResult]) -> ScanResult | None:
    """The check of the same terminal before ``result``."""
    found = [r for r in earlier if same_terminal(r, result) and when(r) < when(result)]
    return max(found, key=lambda r: (when(r), r.digest), default=None)
