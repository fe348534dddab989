"""Logs, as far as times and accounts go. What people did, wrote or searched for stays in the logs.

A log holds command lines, host names and now and then a patient's name. The backend reads it and gives back when the
first and last record were made, on which days there are records, and who logged in when: nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ybscan.hosts.base import Group, question
from ybscan.model.reading import Reading


@dataclass(frozen=True, slots=True)
class LogSpan:
    """The times in one text log. Times are ISO 8601, with an offset where the log has one; else the terminal's own zone.

    ``first`` and ``last`` are the earliest and the latest record, empty when no line bears a time.
    """

    first: str
    last: str
    days: tuple[str, ...]
    """The days with records, ``2026-11-20``, sorted; of logs in epoch seconds the days of UTC."""
    unread: int
    """Lines that bear no time that is understood."""


@dataclass(frozen=True, slots=True)
class Login:
    """The last login of an account. ``account`` is empty and ``uid`` set where the record goes by number."""

    time: float
    account: str = ""
    uid: int | None = None


@dataclass(frozen=True, slots=True)
class ClockStep:
    """Two records in a row whose times run backwards; both in seconds since the epoch."""

    before: float
    after: float
    at_boot: bool
    """Whether ``before`` was taken within minutes of a start of the system, when a wrong clock is put right."""


@dataclass(frozen=True, slots=True)
class LoginLog:
    """What a login log (wtmp) holds."""

    first: float | None
    """Seconds since the epoch of the earliest record; None for an empty log."""
    last: float | None
    logins: tuple[Login, ...]
    """The last login of every account in it, sorted by account."""
    steps: tuple[ClockStep, ...]
    blank: int
    """Records without any content among the others."""


AuditKind = Literal["started", "stopped", "aborted", "disabled", "boot", "shutdown"]


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """An event of the audit log about auditing itself, or about the system's start and end."""

    time: float
    kind: AuditKind
    auid: int | None = None
    """The login uid of who caused it; None where nobody had logged in."""


@dataclass(frozen=True, slots=True)
class VirusScan:
    """A finished scan for viruses. Times are ISO 8601 in the terminal's own zone, empty where the log has none."""

    start: str
    end: str
    infected: int
    handled: int
    """How many of the infected files the log says were removed or moved away."""


@dataclass(frozen=True, slots=True)
class VirusLog:
    """What a virus scanner's log comes to; the names of files stay in it."""

    scans: tuple[VirusScan, ...]
    detections: tuple[str, ...]
    """Times of what a resident scanner found: such a log does not say what became of it."""
    loose: int
    """Finds without a time and without the end of a scan behind them."""


@dataclass(frozen=True, slots=True)
class Event:
    """One record of a Windows event log, as far as it was asked for. ``time`` in seconds since the epoch."""

    id: int
    provider: str
    time: float
    record: int
    data: dict[str, str]
    """The named items asked for; the items of unnamed data go by their position, ``0``, ``1`` …"""


@dataclass(frozen=True, slots=True)
class EventLog:
    """The events of a channel that were asked for, oldest first, and how far back the channel reaches."""

    events: tuple[Event, ...]
    oldest: float | None
    """Time of the oldest record of any kind in the channel; None for an empty log."""
    newest: float | None
    enabled: bool | None
    """Whether the channel is being written; None where the source does not tell."""


class Logs(Group):
    """Times and accounts out of logs. Absent means that there is no such file."""

    name = "logs"

    @question
    def span(self, *, path: str, limit: int, seconds: int) -> Reading[LogSpan]:
        """The times in a text log: syslog's classic and ISO form, auditd's; plain or packed by gzip, xz or bzip2.

        More than ``limit`` bytes of text, or more than ``seconds`` of reading, is Unknown(too_large) or Unknown(timeout).
        """
        return self.unsupported()

    @question
    def last_logins(self, *, path: str, uids: tuple[int, ...]) -> Reading[tuple[Login, ...]]:
        """The records of ``uids`` in a lastlog file; an account without one is left out."""
        return self.unsupported()

    @question
    def login_log(self, *, path: str) -> Reading[LoginLog]:
        """A wtmp file, see utmp(5)."""
        return self.unsupported()

    @question
    def login_database(self, *, path: str) -> Reading[tuple[Login, ...]]:
        """The last login of every account in an SQLite file of lastlog2 or wtmpdb."""
        return self.unsupported()

    @question
    def audit_events(self, *, path: str, limit: int) -> Reading[tuple[AuditEvent, ...]]:
        """The events of an audit log that :class:`AuditEvent` speaks of, in the log's order."""
        return self.unsupported()

    @question
    def virus_log(self, *, path: str, limit: int, seconds: int) -> Reading[VirusLog]:
        """A log of ClamAV's scanners; plain or packed. Limits as for :meth:`span`."""
        return self.unsupported()

    @question
    def events(
        self, *, channel: str, ids: tuple[int, ...], since: float, fields: tuple[str, ...], limit: int = 5000
    ) -> Reading[EventLog]:
        """The events of a Windows channel with one of ``ids`` since ``since``; of their data only ``fields`` are kept.

        More than ``limit`` of them leave a gap (too_large); the newest are kept. Absent when there is no such channel.
        """
        return self.unsupported()
