"""The view model: everything a template may print, already in words. Both formats print the same one.

Fields of type :class:`~ybscan.report.text.Prose` are our words with data inside, ``str`` is data (escaped as a whole),
:class:`~ybscan.report.claims.Claim` a generated sentence with its evidence. ``templates/README.md`` describes it for
people who write templates of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ybscan.model.result import Status
from ybscan.report.claims import Claim, Ref
from ybscan.report.dates import percent_text
from ybscan.report.text import Prose

#: A sign for each status that is told by its shape alone; all are in GB 2312, so that every Chinese font has them.
SIGNS: Final = {
    Status.PASS: "√", Status.FAIL: "×", Status.UNKNOWN: "？", Status.NOT_APPLICABLE: "—", Status.MANUAL: "□",
    Status.WAIVED: "△", Status.DELEGATED: "◇",
}  # fmt: skip

#: Order in every table and chart.
ORDER: Final = (
    Status.PASS, Status.FAIL, Status.UNKNOWN, Status.MANUAL, Status.WAIVED, Status.DELEGATED, Status.NOT_APPLICABLE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """A status as it is printed: the same sign and word everywhere."""

    key: str
    sign: Prose
    text: Prose


VERDICTS: Final = {s: Verdict(s.value, Prose(SIGNS[s]), Prose(s.text)) for s in Status}


@dataclass(frozen=True, slots=True)
class Rate:
    """A percentage that never goes without its numerator, denominator and what is undetermined."""

    numerator: int
    denominator: int
    undetermined: int

    @property
    def percent(self) -> Prose:
        """Cut, never rounded up."""
        return Prose(percent_text(self.numerator, self.denominator))

    @property
    def text(self) -> Prose:
        """The whole statement."""
        if not self.denominator:
            return Prose(f"无法计算（没有可计算的项目，另有 {self.undetermined} 项未能确认）")
        return Prose(f"{self.percent}（{self.numerator}/{self.denominator}，另有 {self.undetermined} 项未能确认）")


@dataclass(frozen=True, slots=True)
class Count:
    """How many findings have a status."""

    verdict: Verdict
    number: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Findings by status, in :data:`ORDER`."""

    by_status: tuple[Count, ...]
    total: int
    applicable: int
    pass_rate: Rate
    """符合 / (符合 + 不符合)."""
    determined_rate: Rate
    """(符合 + 不符合) / 适用."""

    def of(self, key: str) -> int:
        """The number of findings with the status ``key``."""
        return next((c.number for c in self.by_status if c.verdict.key == key), 0)


@dataclass(frozen=True, slots=True)
class Week:
    """The checks of one week: the newest of each terminal in it."""

    name: Prose
    short: Prose
    """For the axis of the chart: the number of the ISO week."""
    friday: Prose
    terminals: int
    """0: nothing was checked, and there are no rates."""
    partial: int
    """How many of them were checked for chosen rules only."""
    pass_rate: Rate
    determined_rate: Rate


@dataclass(frozen=True, slots=True)
class PackProblems:
    """What a pack found: 不符合 by severity, in the order of :attr:`Severities.words`; counted by terminal and rule."""

    title: str
    numbers: tuple[int, ...]
    total: int
    undetermined: int


@dataclass(frozen=True, slots=True)
class Severities:
    """Problems by pack and severity."""

    words: tuple[Prose, ...]
    packs: tuple[PackProblems, ...]
    """Only packs with something 不符合 or undetermined."""
    rest: int
    """How many packs have neither."""
    whole: PackProblems
    """All packs together."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One terminal and one pack."""

    verdict: Verdict
    """The worst of its findings."""
    counts: tuple[Count, ...]
    """How many of them are 不符合, 无法判定, 待人工确认; empty where none is."""


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One terminal: a cell per pack, None where the pack was not used."""

    id: str
    department: str
    grade: Prose
    cells: tuple[Cell | None, ...]
    keys: tuple[str, ...]
    """The keys of every verdict that occurs, for filters."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Terminals against packs."""

    packs: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    fine: int
    """Terminals without 不符合 and undetermined findings that have no row of their own."""
    more: int
    """Terminals with such findings that have none either."""


@dataclass(frozen=True, slots=True)
class ClauseView:
    """A clause, numbered in the order in which the document cites it."""

    number: int
    anchor: str
    id: str
    document: str
    short: str
    article: str
    text: str
    checked: Prose
    """How far its wording was compared with the source."""
    sample: bool
    """For reference only: other units' reports, regulations of another place."""
    known: bool
    """Whether the catalogue has it."""


@dataclass(frozen=True, slots=True)
class ClauseCovered:
    """A clause and what came of the rules that answer it."""

    clause: ClauseView
    verdict: Verdict
    rules: tuple[str, ...]
    unchecked: tuple[str, ...]
    """Rules that answer the clause as well and were not run."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document with the clauses of it that a chapter cites."""

    document: str
    """In full where it is first named, then short."""
    sample: bool
    clauses: tuple[ClauseView, ...]


@dataclass(frozen=True, slots=True)
class CoveredSource:
    """A document with what came of its clauses."""

    document: str
    sample: bool
    clauses: tuple[ClauseCovered, ...]


@dataclass(frozen=True, slots=True)
class PackView:
    """A rule pack as it was used."""

    id: str
    title: str
    version: str
    digest: str
    terminals: int
    """On how many terminals it was used in this version."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen. ``terminals`` is empty in a record, which is about one."""

    claim: Claim
    origin: str
    terminals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExceptionView:
    """An approved exception to a rule."""

    reason: str
    approver: str
    document: str
    approved: Prose
    expires: Prose


@dataclass(frozen=True, slots=True)
class Item:
    """One rule: in a record its finding, in a report its findings on every terminal."""

    rule_id: str
    anchor: str
    title: str
    severity: Prose
    verdict: Verdict
    """The finding; over several terminals the worst."""
    counts: tuple[Count, ...]
    """Terminals by status; only the statuses that occur."""
    method: str
    reason: Prose
    evidence: tuple[Evidence, ...]
    clauses: tuple[ClauseView, ...]


@dataclass(frozen=True, slots=True)
class PackItems:
    """The results of one pack."""

    heading: Prose
    title: str
    counts: Counts
    items: tuple[Item, ...]
    sources: tuple[Source, ...]
    """The clauses that this pack is the first to cite."""
    again: tuple[ClauseView, ...]
    """The clauses it cites that an earlier pack has cited."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What to do, on which terminals."""

    terminals: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen on one terminal."""

    terminal: str
    evidence: tuple[Evidence, ...]
    reason: Prose


@dataclass(frozen=True, slots=True)
class Problem:
    """A 不符合 and its rectification: the same number in both chapters."""

    number: int
    rule_id: str
    anchor: str
    title: str
    severity: Prose
    sentence: Claim
    seen: tuple[Seen, ...]
    clauses: tuple[ClauseView, ...]
    measures: tuple[Measure, ...]
    owners: tuple[str, ...]
    """From the terminal register; empty where it names nobody."""
    acceptance: Prose


@dataclass(frozen=True, slots=True)
class Excepted:
    """A 不符合 that an approved exception covers."""

    rule_id: str
    anchor: str
    title: str
    terminal: str
    seen: Seen
    exception: ExceptionView


@dataclass(frozen=True, slots=True)
class Undetermined:
    """What could not be determined, and why."""

    rule_id: str
    anchor: str
    title: str
    severity: Prose
    verdict: Verdict
    seen: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Attested:
    """What only a person can say. ``answer`` is 【未确认】 where nobody has."""

    id: str
    title: str
    question: str
    answer: Prose
    answered: bool


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest and the name of its algorithm."""

    algorithm: str
    value: str
    intact: bool
    """Whether the content still has it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What changed since the last check: newly wrong, put right, still wrong."""

    kind: Prose
    rule_id: str
    title: str
    claim: Claim


@dataclass(frozen=True, slots=True)
class Person:
    """Who signs. ``name`` is empty where the site file names nobody."""

    role: Prose
    name: str


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal's row in the tables."""

    id: str
    anchor: str
    hostname: str
    department: str
    owner: str
    role: str
    os: str
    addresses: str
    macs: str
    privilege: Prose
    backend: Prose
    record_no: str
    checked_at: Prose
    adhoc: bool
    counts: Counts
    grade: Prose
    failed: tuple[str, ...]
    undetermined: tuple[str, ...]
    verdicts: tuple[tuple[str, str], ...]
    """Every rule that was checked, and the key of its verdict."""
    digest: Digest
    previous_digest: str


@dataclass(frozen=True, slots=True)
class Record:
    """One check of one terminal: the 安全检查工作记录."""

    number: str
    anchor: str
    unit: str
    self_name: str
    week: Prose
    planned: Prose
    actual: Prose
    weekday: Prose
    adhoc: bool
    shift_reason: Prose
    terminal: Terminal
    tool: str
    site_digest: str
    packs: tuple[PackView, ...]
    counts: Counts
    conclusion: tuple[Claim, ...]
    grade: Prose
    results: tuple[PackItems, ...]
    problems: tuple[Problem, ...]
    exceptions: tuple[Excepted, ...]
    undetermined: tuple[Undetermined, ...]
    attested: tuple[Attested, ...]
    changes: tuple[Change, ...]
    compared: Prose
    """With which earlier check, or that there was none to compare with."""
    signatures: tuple[Person, ...]
    warnings: tuple[Prose, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """How many terminals there are, how many were checked, and why the others were not."""

    expected: Prose
    checked: int
    missed: Prose
    complete: bool
    unchecked: tuple[tuple[str, str, Prose], ...]
    """Terminal, department, reason."""
    sentence: Claim
    privileges: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """The unit's self-inspection report over one or more checks."""

    unit: str
    self_name: str
    title: Prose
    addressee: str
    period: Prose
    introduction: tuple[Claim, ...]
    organisation: tuple[Attested, ...]
    scope: Scope
    methods: tuple[Attested, ...]
    tool: str
    packs: tuple[PackView, ...]
    counts: Counts
    overview: Claim
    weeks: tuple[Week, ...]
    """The rates week by week; empty for a report about one week."""
    severities: Severities
    matrix: Matrix
    results: tuple[PackItems, ...]
    manual_heading: Prose
    manual: tuple[Attested, ...]
    problems: tuple[Problem, ...]
    solved: tuple[Change, ...]
    exceptions: tuple[Excepted, ...]
    undetermined: tuple[Undetermined, ...]
    unconfirmed: tuple[Attested, ...]
    advice: tuple[Attested, ...]
    conclusion: tuple[Claim, ...]
    grade: Prose
    unit_grade: Prose
    terminals: tuple[Terminal, ...]
    records: tuple[Terminal, ...]
    """Every check, also those that a later check of the same terminal replaced."""
    coverage: tuple[CoveredSource, ...]
    signatures: tuple[Person, ...]
    refs: tuple[Ref, ...]
    headings: dict[str, str]
    """The Chinese numeral of each chapter that is there."""
    warnings: tuple[Prose, ...]


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One line of the rectification ledger; what nobody has said stays empty."""

    number: int
    id: str
    opened: Prose
    source: Prose
    terminal: str
    problem: Prose
    clauses: tuple[ClauseView, ...]
    severity: Prose
    measures: str
    owner: str
    leader: str
    department: str
    deadline: Prose
    status: Prose
    overdue: bool
    extensions: tuple[str, ...]
    rechecked: Prose
    closed: Prose
    basis: Prose
    recurrences: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """The rectification ledger (整改台账) as it stands on a day."""

    unit: str
    self_name: str
    title: Prose
    as_of: Prose
    summary: Prose
    open: tuple[LedgerRow, ...]
    """Overdue ones first."""
    closed: tuple[LedgerRow, ...]
    clauses: tuple[ClauseView, ...]
    signatures: tuple[Person, ...]
    warnings: tuple[Prose, ...]


@dataclass(frozen=True, slots=True)
class LeaderAnswer:
    """One of the questions that a leader asks, answered from checks and ledger."""

    number: int
    question: Prose
    answers: tuple[Claim, ...]
    open: Prose
    """What the checks cannot answer, for the person who reports; empty for nothing."""


@dataclass(frozen=True, slots=True)
class LeaderPage:
    """The page for the leader (领导询问): six questions, then room for what was said."""

    unit: str
    self_name: str
    title: Prose
    period: Prose
    grade: Prose
    questions: tuple[LeaderAnswer, ...]
    weeks: tuple[Week, ...]
    """The rates of the last weeks; empty where there is only one."""
    only_people: tuple[Attested, ...]
    reporter: str
    warnings: tuple[Prose, ...]
