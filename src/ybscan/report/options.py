"""What a document is made from besides results: given by the caller, never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from ybscan.engine.compare import Streak
from ybscan.model.attestation import Answer, Question
from ybscan.model.catalogue import Clause
from ybscan.model.ledger import Entry
from ybscan.model.result import ScanResult
from ybscan.report.dates import Period

Kind = Literal["record", "self-inspection", "leader", "ledger"]
TextFormat = Literal["md", "html"]
Format = Literal["md", "html", "docx"]
Redaction = Literal["none", "partial", "full"]

KINDS: tuple[Kind, ...] = ("record", "self-inspection", "leader", "ledger")
TEXT_FORMATS: tuple[TextFormat, ...] = ("md", "html")
FORMATS: tuple[Format, ...] = (*TEXT_FORMATS, "docx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A terminal that should have been checked and was not."""

    id: str
    department: str = ""
    reason: str = ""
    """Empty: printed as 【未确认】."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything a document says that is not in a result."""

    clauses: Mapping[str, Clause] = field(default_factory=dict)
    """The clause catalogue; a clause that is not in it is printed by its id."""
    period: Period | None = None
    """What the report is about; by default the days of the results."""
    expected: int | None = None
    """How many terminals there are to check; None is printed as 【未确认】, and the report claims nothing about all."""
    missed: tuple[Missed, ...] = ()
    answers: tuple[Answer, ...] = ()
    """What persons confirmed; an answer that is older than its question allows is printed as 【未确认】."""
    questions: tuple[Question, ...] = ()
    today: date | None = None
    """The day on which the answers have to hold; by default that of the newest check."""
    numbers: Mapping[str, str] = field(default_factory=dict)
    """Record numbers by result digest; by default made from the week and the digest."""
    previous: tuple[ScanResult, ...] = ()
    """Earlier results: for the comparison with the last check, and for the weeks before on the leader's page."""
    ledger: tuple[Entry, ...] = ()
    """The rectification ledger, overdue entries first; what it says it says as of ``today``."""
    missed_weeks: tuple[date, ...] = ()
    """Planned Fridays of the period on which nothing was checked."""
    streaks: Mapping[str, Streak] = field(default_factory=dict)
    """Of the terminal a record is about: since when each rule has its status."""
    clock_back: bool = False
    """Whether the check was stored at an earlier time than one before it."""
    shift_reason: str = ""
    """Why a check was not on its Friday."""
    addressee: str = ""
    """The authority a report goes to."""
    redaction: Redaction = "none"
    """How far names were replaced in results and options; see :mod:`ybscan.report.redact`."""
    rendered_at: datetime | None = None
    """Printed beside the time of the check when given; leave it out for documents that are reproducible."""
