"""The rectification ledger (整改台账): what is known of one problem, and the events by which people move it on."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field

from ybscan.model.rule import Day, Document, Int, Severity, Text

Action = Literal["open", "assign", "extend", "note", "submit", "close", "reopen"]
"""``open``: a problem found by a person or named by an authority; ``assign``: who mends it and until when; ``extend``: a
later deadline with its reason; ``note``; ``submit``: said to be mended, to be checked; ``close``: a person's word with a
basis; ``reopen``: the closing was wrong."""


class LedgerEvent(Document):
    """One event, as the history keeps it. What an action does not need stays empty."""

    schema_: Literal["ybscan.ledger/v1"] = Field(default="ybscan.ledger/v1", alias="schema")
    action: Action
    entry: Text
    by: Text = Field(description="登记人")
    day: Day = Field(description="登记日期")
    owner: str = Field(default="", description="责任人")
    leader: str = Field(default="", description="责任领导")
    department: str = Field(default="", description="承办科室")
    deadline: Day | None = Field(default=None, description="完成期限")
    measures: str = Field(default="", description="整改措施")
    text: str = Field(default="", description="说明；延期、重开时为原因")
    basis: str = Field(default="", description="销号依据：文件编号、台账页码等")
    terminal: str = ""
    title: str = Field(default="", description="人工登记的问题描述")
    source: Literal["", "person", "authority"] = Field(default="", description="人工登记的来源：人工、上级通报")
    severity: Severity | None = None
    seq: Int = Field(default=0, exclude=True)
    """Number of the record it stands in; not part of the document."""


class EntryStatus(StrEnum):
    """Where an entry stands."""

    TODO = "todo"
    DOING = "doing"
    TO_CHECK = "to_check"
    EXTENDED = "extended"
    ACCEPTED = "accepted"
    CLOSED = "closed"

    @property
    def text(self) -> str:
        """In Chinese, as ledgers print it."""
        return _STATUS_TEXT[self]


_STATUS_TEXT = {
    EntryStatus.TODO: "待整改",
    EntryStatus.DOING: "整改中",
    EntryStatus.TO_CHECK: "待复核",
    EntryStatus.EXTENDED: "延期",
    EntryStatus.ACCEPTED: "风险接受",
    EntryStatus.CLOSED: "已销号",
}


class Entry(Document):
    """One line of the ledger, derived from the checks and the events; never stored itself."""

    id: str
    """``<terminal>/<rule>/<occurrence>``, or ``<terminal>/R<number of the record>`` for what a person registered."""
    terminal: str
    rule_id: str
    title: str
    severity: Severity
    clauses: tuple[str, ...]
    source: Literal["check", "person", "authority"]
    opened: date
    opened_by: int
    """Number of the record that opened it."""
    last_seen: date
    """Day of the latest check that still found it 不符合."""
    checks_failed: int
    """How many checks found it 不符合, this occurrence only."""
    unchecked: bool
    """Whether the latest check of the terminal could not judge it, or left it out."""
    problem: str
    remediation: str
    status: EntryStatus
    owner: str = ""
    leader: str = ""
    department: str = ""
    measures: str = ""
    deadline: date | None = None
    extensions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    closed: date | None = None
    closed_by: int = 0
    """Number of the record that closed it: a check with 符合, or a person's event."""
    closer: str = ""
    """Who closed it; empty when a check did."""
    basis: str = ""
    waiver: str = ""
    """Document number of the exception that covers it, or did."""
    waived_until: date | None = None
    """Last day of that exception; from the day after the entry is open again."""
    recurrences: int = 0
    """How many earlier occurrences of the same rule on the same terminal there were."""

    def overdue(self, today: date) -> bool:
        """Whether it should have been done by now and is not."""
        return self.status is not EntryStatus.CLOSED and self.deadline is not None and self.deadline < today
