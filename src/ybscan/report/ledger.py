"""The rectification ledger as a document. Pure."""

from __future__ import annotations

from datetime import date

from ybscan.model.ledger import Entry, EntryStatus
from ybscan.model.result import ScanResult
from ybscan.report.claims import UNCONFIRMED
from ybscan.report.dates import day_text
from ybscan.report.model import LedgerReport, LedgerRow
from ybscan.report.options import Options
from ybscan.report.parts import ClauseNumbers, redaction_note, self_name, severity_text
from ybscan.report.record import signatures
from ybscan.report.terminals import day, when
from ybscan.report.text import MAX_SENTENCE, Prose, data, prose

_SOURCES = {"check": Prose("技术检测"), "person": Prose("人工发现"), "authority": Prose("上级通报")}


def build_ledger(results: tuple[ScanResult, ...], options: Options) -> LedgerReport:
    """The view of the ledger in ``options``; the results name the unit and who signs."""
    newest = max(results, key=lambda r: (when(r), r.digest))
    today = options.today or day(newest)
    clauses = ClauseNumbers(options.clauses)
    rows = [_row(n, e, clauses, today) for n, e in enumerate(options.ledger, 1)]
    closed = {e.id for e in options.ledger if e.status is EntryStatus.CLOSED}
    late = sum(r.overdue for r in rows)
    return LedgerReport(
        unit=newest.unit.get("name", ""),
        self_name=self_name(newest.unit),
        title=Prose("医保网络安全整改台账"),
        as_of=Prose(day_text(today)) if today else UNCONFIRMED,
        summary=prose(
            "台账共 {n} 条，未销号 {open} 条（其中逾期 {late} 条），已销号 {closed} 条。",
            n=len(rows), open=len(rows) - len(closed), late=late, closed=len(closed),
        ),
        open=tuple(r for r in rows if r.id not in closed),
        closed=tuple(r for r in rows if r.id in closed),
        clauses=clauses.all,
        signatures=signatures(newest),
        warnings=redaction_note(options),
    )  # fmt: skip


def _row(number: int, entry: Entry, clauses: ClauseNumbers, today: date | None) -> LedgerRow:
    overdue = today is not None and entry.overdue(today)
    return LedgerRow(
        number=number, id=entry.id, opened=Prose(day_text(entry.opened)), source=_SOURCES[entry.source],
        terminal=entry.terminal, problem=_problem(entry), clauses=clauses.cite(entry.clauses),
        severity=severity_text(entry.severity), measures=entry.measures, owner=entry.owner, leader=entry.leader,
        department=entry.department, deadline=Prose(day_text(entry.deadline)) if entry.deadline else Prose(""),
        status=_status(entry, today), overdue=overdue, extensions=entry.extensions, rechecked=_rechecked(entry),
        closed=Prose(day_text(entry.closed)) if entry.closed else Prose(""), basis=_basis(entry),
        recurrences=entry.recurrences, notes=entry.notes,
    )  # fmt: skip


def _problem(entry: Entry) -> Prose:
    title = f"{entry.rule_id} {entry.title}".strip()
    if not entry.problem:
        return data(title)
    return prose("{title}：{problem}", title=data(title), problem=data(entry.problem, limit=MAX_SENTENCE))


def _status(entry: Entry, today: date | None) -> Prose:
    text = Prose(entry.status.text)
    if today is not None and entry.deadline is not None and entry.overdue(today):
        return prose("{text}（逾期 {n} 天）", text=text, n=(today - entry.deadline).days)
    if entry.status is EntryStatus.ACCEPTED and entry.waived_until is not None:
        return prose(
            "{text}（{document}，至{day}）", text=text, document=entry.waiver, day=Prose(day_text(entry.waived_until))
        )
    return text


def _rechecked(entry: Entry) -> Prose:
    if entry.source != "check":
        return Prose("")
    seen = Prose(day_text(entry.last_seen))
    if entry.closed is not None and not entry.closer:
        return Prose("复查为“符合”")
    if entry.unchecked:
        return prose("{day}仍不符合，最近一次检查没有判定", day=seen)
    return prose("{day}仍不符合，共 {n} 次", day=seen, n=entry.checks_failed)


def _basis(entry: Entry) -> Prose:
    if entry.closed is None:
        return Prose("")
    if entry.closer:
        return prose("{basis}（{closer}）", basis=entry.basis, closer=entry.closer)
    return prose("历史第 {n} 号检查", n=entry.closed_by)
