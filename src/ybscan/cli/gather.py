"""What a report is about: results given as files, or the checks of a period from the history, with all that goes along."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ybscan.model.problem import InputProblems, Problem

if TYPE_CHECKING:
    from ybscan.model.calendar import Shift
    from ybscan.model.ledger import Entry
    from ybscan.model.result import ScanResult
    from ybscan.report.dates import Period
    from ybscan.report.options import Kind, Missed, Options
    from ybscan.rules.site import LoadedSite
    from ybscan.store.results import Check

    Keep = Callable[[ScanResult], ScanResult]

#: How far back the leader's page shows the rates.
_EARLIER_WEEKS = 4
#: The period of a kind where the person names none; a record is of one check, a ledger of all time.
_DEFAULT_PERIODS = {"self-inspection": "month", "leader": "week"}


@dataclass(frozen=True, slots=True)
class Gathered:
    """Results, and what the document says besides them."""

    results: tuple[ScanResult, ...]
    options: Options


def gather(
    given: tuple[ScanResult, ...],
    kind: Kind,
    *,
    site: Path | None,
    state: Path | None,
    period: str | None,
    terminal: str | None,
    expected: int | None,
    missed: list[str],
    moment: datetime,
    keep: Keep,
) -> Gathered:
    """Everything a document of ``kind`` needs. ``keep`` reduces each result of the history as it is read.

    Raises:
        InputProblems: there is nothing to report on, or the site file, the calendar, the history or an option is wrong.
    """
    from ybscan.cli.state import state_folder
    from ybscan.report.options import Options
    from ybscan.rules.site import load_site
    from ybscan.store.history import FILE

    loaded = load_site(site) if site is not None else None
    folder = state_folder(state, loaded, site)
    shifts = calendar_of(site)
    entries: tuple[Entry, ...] = ()
    weeks: tuple[date, ...] = ()
    earlier: tuple[ScanResult, ...] = ()
    span = None
    results = given
    if not given or (kind in ("leader", "ledger") and (folder / FILE).is_file()):
        checks, entries = _history(folder, moment.date(), kind, keep)
        if not given:
            results, span, earlier = _chosen(checks, kind, period, terminal, moment.date())
        weeks = _missed_weeks(checks, span, moment.date(), shifts)
    unchecked = _unchecked(loaded, results, missed, kind)
    if kind == "record" and len(results) > 1 and given:
        raise InputProblems([Problem("--kind", 0, "检查记录一次只能用一个结果", "多台终端请用 --kind self-inspection")])
    terminals = len({r.host.id for r in results})
    if expected is None and loaded is not None and loaded.register:
        expected = max(len(loaded.register), terminals)
    if expected is not None and expected < (len(results) if given else terminals):
        raise InputProblems([Problem("--expected", 0, f"应检终端数 {expected} 少于实检台数 {terminals}", "请核对")])
    day = datetime.fromisoformat(max(r.started_at for r in results)).date()
    options = Options(
        period=span, expected=expected, missed=unchecked, ledger=entries, missed_weeks=weeks, previous=earlier,
        shift_reason=reason_for(shifts, day),
    )  # fmt: skip
    return Gathered(results, options)


def _history(folder: Path, today: date, kind: Kind, keep: Keep) -> tuple[list[Check], tuple[Entry, ...]]:
    """All checks, each reduced by ``keep`` as it is read, and the ledger where the document prints it."""
    from ybscan.cli.ledger import entries_of
    from ybscan.store.history import opened
    from ybscan.store.ledger import in_order
    from ybscan.store.results import checks

    with opened(folder) as history:
        found = [replace(c, result=keep(c.result)) for c in checks(history) if not c.corrected_by]
        entries = entries_of(history, today) if kind in ("leader", "ledger") else ()
        return found, tuple(in_order(entries, today))


def _chosen(
    checks: list[Check], kind: Kind, period: str | None, terminal: str | None, today: date
) -> tuple[tuple[ScanResult, ...], Period | None, tuple[ScanResult, ...]]:
    """The results of the period, the period, and earlier ones: the checks before a record, the weeks before the page for
    the leader."""
    from ybscan.report.dates import PERIODS, period_of

    mine = [c for c in checks if terminal in (None, c.header.terminal)]
    name = period or _DEFAULT_PERIODS.get(kind)
    span = period_of(next(p for p in PERIODS if p == name), today) if name else None
    if span is not None:
        mine = [c for c in mine if span.first <= _day(c) <= span.last]
    if not mine:
        what = f"{span.text}（{span.first} 至 {span.last}）" if span else "历史中"
        hint = "请用 --period 或 --now 换一个期间，或用 --result 指定结果文件"
        raise InputProblems([Problem("历史", 0, f"{what}没有检查记录", hint)])
    if kind == "leader" and span is not None:
        start = span.first - timedelta(weeks=_EARLIER_WEEKS)
        before = [c.result for c in checks if terminal in (None, c.header.terminal) and start <= _day(c) < span.first]
        return tuple(c.result for c in mine), span, tuple(before)
    if kind != "record":
        return tuple(c.result for c in mine), span, ()
    newest = max(mine, key=lambda c: (datetime.fromisoformat(c.header.at), c.header.seq))
    before = [c.result for c in checks if c.header.terminal == newest.header.terminal and c is not newest]
    return (newest.result,), None, tuple(before)


def _day(check: Check) -> date:
    return datetime.fromisoformat(check.header.at).date()


def _missed_weeks(
    checks: list[Check], span: Period | None, today: date, shifts: Mapping[date, Shift]
) -> tuple[date, ...]:
    """Planned Fridays of the period without a check anywhere in the unit."""
    from ybscan.engine.fridays import weeks

    days = [_day(c) for c in checks]
    if not days:
        return ()
    row = weeks(days, first=min(days), today=today, shifts=shifts)
    return tuple(w.friday for w in row if w.missed and (span is None or span.first <= w.friday <= span.last))


def _unchecked(
    loaded: LoadedSite | None, results: tuple[ScanResult, ...], missed: list[str], kind: Kind
) -> tuple[Missed, ...]:
    """Terminals of the register without a check, and what the person says of any.

    Raises:
        InputProblems: an option without a terminal, or about one that was checked.
    """
    from ybscan.report.options import Missed

    reasons: dict[str, str] = {}
    checked = {r.host.id for r in results}
    for text in missed:
        name, _, why = (part.strip() for part in text.partition("="))
        if not name or name in checked:
            message = "没有写终端编号" if not name else f"终端 {name} 已经检查"
            raise InputProblems([Problem("--missed", 0, message, "写成 YB-0004=设备送修")])
        reasons[name] = why
    if kind == "ledger":
        return ()
    register = loaded.register if loaded is not None else ()
    departments = {t.id: t.department or "" for t in register}
    names = dict.fromkeys([*(t.id for t in register if t.id not in checked), *reasons])
    return tuple(Missed(id=n, department=departments.get(n, ""), reason=reasons.get(n, "")) for n in names)


def calendar_of(settings: Path | None) -> Mapping[date, Shift]:
    """The unit's calendar; empty where the site file names none.

    Raises:
        InputProblems: the site file or the calendar cannot be used.
    """
    if settings is None:
        return {}
    from ybscan.model.site import Site
    from ybscan.rules.calendar import load_calendar
    from ybscan.rules.load import read_document

    site, _ = read_document(Site, settings)
    return load_calendar(settings.parent / site.calendar) if site.calendar else {}


def reason_for(shifts: Mapping[date, Shift], day: date) -> str:
    """Why a check on this day is not on its Friday, as the unit's calendar says; empty where it says nothing."""
    return next((s.reason for s in shifts.values() if s.to == day), "")
