"""From checks and events to the rectification ledger. Pure: the ledger is worked out anew each time, never stored.

A 不符合 opens an entry. A later 符合 of the same rule on the same terminal closes it, or a person with a basis. 无法判定
closes nothing, neither does a check that left the rule out. What comes back after it was closed is a new entry that counts
the earlier ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime

from ybscan.model.ledger import Entry, EntryStatus, LedgerEvent
from ybscan.model.problem import InputProblems, Problem, did_you_mean
from ybscan.model.result import Finding, ScanResult, Status
from ybscan.model.rule import Severity


@dataclass(frozen=True, slots=True)
class SeenCheck:
    """A check as the ledger needs it: number of its record, the result."""

    seq: int
    result: ScanResult

    @property
    def day(self) -> date:
        """The day of the check, in the terminal's own zone."""
        return datetime.fromisoformat(self.result.started_at).date()


@dataclass(slots=True)
class _Open:
    """An entry in the making."""

    id: str
    terminal: str
    rule_id: str
    title: str
    severity: Severity
    clauses: tuple[str, ...]
    source: str
    opened: date
    opened_by: int
    problem: str = ""
    remediation: str = ""
    last_seen: date | None = None
    checks_failed: int = 0
    unchecked: bool = False
    waiver: str = ""
    waived_until: date | None = None
    recurrences: int = 0
    owner: str = ""
    leader: str = ""
    department: str = ""
    measures: str = ""
    deadline: date | None = None
    extensions: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    submitted: bool = False
    closed: date | None = None
    closed_by: int = 0
    closer: str = ""
    basis: str = ""

    def status(self, today: date) -> EntryStatus:
        if self.closed is not None:
            return EntryStatus.CLOSED
        if self.waived_until is not None and today <= self.waived_until:
            return EntryStatus.ACCEPTED
        if self.submitted:
            return EntryStatus.TO_CHECK
        if self.extensions:
            return EntryStatus.EXTENDED
        return EntryStatus.DOING if self.owner or self.measures else EntryStatus.TODO

    def entry(self, today: date) -> Entry:
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "submitted"}
        return Entry.model_validate(
            values
            | {
                "status": self.status(today),
                "extensions": tuple(self.extensions),
                "notes": tuple(self.notes),
                "last_seen": self.last_seen or self.opened,
            }
        )


def ledger(checks: Iterable[SeenCheck], events: Iterable[LedgerEvent], today: date) -> tuple[Entry, ...]:
    """Every entry there ever was as it stands on ``today``, in the order they were opened.

    Args:
        checks: all checks, corrected ones left out.
        events: all events with their record numbers, in the order they were stored.
        today: the day that exceptions are held against; both of their end days belong to them.
    """
    book = _Book()
    told: list[tuple[int, SeenCheck | LedgerEvent]] = [(c.seq, c) for c in checks]
    told += [(e.seq, e) for e in events]
    # In the order of storing: an event can only speak of what was in the history then.
    for _, one in sorted(told, key=lambda t: t[0]):
        if isinstance(one, SeenCheck):
            book.check(one)
        else:
            book.event(one)
    return tuple(e.entry(today) for e in book.entries.values())


def in_order(entries: Iterable[Entry], today: date) -> list[Entry]:
    """Overdue ones first, then open ones by risk and age, closed ones last."""
    severities = list(Severity)
    return sorted(
        entries,
        key=lambda e: (
            e.status is EntryStatus.CLOSED,
            not e.overdue(today),
            e.deadline if e.overdue(today) and e.deadline else date.max,
            severities.index(e.severity),
            e.opened,
            e.id,
        ),
    )


class _Book:
    def __init__(self) -> None:
        self.entries: dict[str, _Open] = {}
        self._current: dict[tuple[str, str], str] = {}
        self._occurrences: dict[tuple[str, str], int] = {}
        self._newest: dict[str, datetime] = {}

    def check(self, check: SeenCheck) -> None:
        terminal = check.result.host.id
        when = datetime.fromisoformat(check.result.started_at)
        # Old evidence judged later must not close (or open again) what newer checks have said.
        if when < self._newest.get(terminal, when):
            return
        self._newest[terminal] = when
        for finding in check.result.findings:
            self._finding(check, terminal, finding)
        seen = {f.rule_id for f in check.result.findings}
        for entry in self.entries.values():
            if entry.terminal == terminal and entry.source == "check" and entry.rule_id not in seen:
                entry.unchecked = True

    def _finding(self, check: SeenCheck, terminal: str, finding: Finding) -> None:
        place = (terminal, finding.rule_id)
        entry = self.entries.get(self._current.get(place, ""))
        open_ = entry is not None and entry.closed is None
        if finding.status in (Status.FAIL, Status.WAIVED):
            if entry is None or not open_:
                entry = self._opened(check, terminal, finding)
            entry.last_seen, entry.unchecked = check.day, False
            entry.checks_failed += 1
            entry.problem, entry.severity = finding.reason, finding.severity
            # Said to be mended, and found again: it is not.
            entry.submitted = entry.submitted and finding.status is Status.WAIVED
            w = finding.waiver
            entry.waiver = w.document if w is not None else ""
            entry.waived_until = date.fromisoformat(w.expires) if w is not None else None
        elif entry is not None and open_:
            if finding.status is Status.PASS:
                entry.closed, entry.closed_by, entry.unchecked = check.day, check.seq, False
            else:
                entry.unchecked = True

    def _opened(self, check: SeenCheck, terminal: str, finding: Finding) -> _Open:
        place = (terminal, finding.rule_id)
        number = self._occurrences.get(place, 0) + 1
        self._occurrences[place] = number
        entry = _Open(
            f"{terminal}/{finding.rule_id}/{number}", terminal, finding.rule_id, finding.title, finding.severity,
            finding.clauses, "check", check.day, check.seq, remediation=finding.remediation, recurrences=number - 1,
        )  # fmt: skip
        self.entries[entry.id] = entry
        self._current[place] = entry.id
        return entry

    def event(self, event: LedgerEvent) -> None:
        if event.action == "open":
            self.entries[event.entry] = _Open(
                event.entry, event.terminal, "", event.title, event.severity or Severity.MEDIUM, (),
                event.source or "person", event.day, event.seq, problem=event.text,
            )  # fmt: skip
            self._assign(self.entries[event.entry], event)
            return
        entry = self.entries.get(event.entry)
        if entry is None:  # an event for what a corrected check had opened
            return
        if event.action == "assign":
            self._assign(entry, event)
        elif event.action == "extend":
            entry.extensions.append(f"{event.day.isoformat()} 延至 {event.deadline}：{event.text}")
            entry.deadline = event.deadline
        elif event.action == "submit":
            entry.submitted = True
        elif event.action == "close":
            entry.closed, entry.closed_by, entry.closer, entry.basis = event.day, event.seq, event.by, event.basis
        elif event.action == "reopen":
            entry.closed, entry.closed_by, entry.closer, entry.basis = None, 0, "", ""
        if event.text and event.action in ("note", "submit", "reopen"):
            entry.notes.append(f"{event.day.isoformat()} {event.by}：{event.text}")

    @staticmethod
    def _assign(entry: _Open, event: LedgerEvent) -> None:
        for name in ("owner", "leader", "department", "measures"):
            if getattr(event, name):
                setattr(entry, name, getattr(event, name))
        entry.deadline = event.deadline or entry.deadline


def find(entries: Sequence[Entry], given: str) -> Entry:
    """The entry a person means: its id, or an unambiguous beginning or ``terminal/rule`` for the newest occurrence.

    Raises:
        InputProblems: there is none, or several.
    """
    exact = [e for e in entries if e.id.casefold() == given.casefold()]
    if exact:
        return exact[0]
    near = [e for e in entries if e.id.casefold().startswith(f"{given.casefold()}/")]
    # What persons registered has no rule: each of those is a matter of its own.
    if len({(e.terminal, e.rule_id or e.id) for e in near}) == 1:
        return near[-1]
    if near:
        names = "、".join(e.id for e in near[:8])
        raise InputProblems([Problem("编号", 0, f"“{given}”对应多条台账", f"请写全：{names}")])
    hint = did_you_mean(given, [e.id for e in entries]) or "用 ybscan ledger list 查看"
    raise InputProblems([Problem("编号", 0, f"整改台账中没有“{given}”", hint)])


def refused(event: LedgerEvent, entry: Entry | None) -> str:
    """Why an event may not be entered; empty when it may. A person closes a check's entry only with a basis."""
    if event.action == "open":
        return "" if event.title else "登记问题时必须写明问题"
    if entry is None:
        return "没有这条台账"
    closed = entry.status is EntryStatus.CLOSED
    if closed and event.action not in ("note", "reopen"):
        return f"{entry.id} 已于 {entry.closed} 销号；重新出现的问题会另立一条"
    if not closed and event.action == "reopen":
        return f"{entry.id} 没有销号，不需要重开"
    needs = {
        "assign": (event.owner or event.leader or event.department or event.deadline or event.measures,
                   "至少写一项：责任人、责任领导、科室、期限、措施"),
        "extend": (event.deadline and event.text, "延期必须写新的期限和原因"),
        "note": (event.text, "没有写说明"),
        "close": (event.basis, "人工销号必须写依据（文件编号、台账页码等）"),
        "reopen": (event.text, "重开必须写原因"),
    }  # fmt: skip
    filled, message = needs.get(event.action, (True, ""))
    if not filled:
        return message
    if event.action == "extend" and entry.deadline is not None and event.deadline and event.deadline <= entry.deadline:
        return f"新的期限应晚于原期限 {entry.deadline}"
    return ""
