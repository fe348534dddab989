"""Checks in the history: storing a result so that it names its predecessor, and reading results back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from ybscan.engine.compare import Statuses
from ybscan.model.ledger import LedgerEvent
from ybscan.model.result import ScanResult, Status
from ybscan.store.chain import Clock, Header, RecordKind, time_of
from ybscan.store.history import History, Record

#: Kinds of records that hold a result.
CHECKS: tuple[RecordKind, ...] = ("result", "correction")


@dataclass(frozen=True, slots=True)
class Check:
    """A stored check; ``corrected_by`` is the number of the record that replaces it, 0 for none."""

    header: Header
    result: ScanResult
    corrected_by: int = 0


def store(
    history: History, result: ScanResult, *, now: datetime, clock: Clock = "system", corrects: int = 0
) -> tuple[ScanResult, Header]:
    """Store a check; what comes back names the terminal's check before it in ``previous_digest`` and is sealed anew.

    The very check that the terminal's newest record holds already (the same evidence judged again at the same moment)
    is not stored twice: what comes back is that record.

    Args:
        history: where to.
        result: as the scan made it.
        now: this machine's clock.
        clock: where the time of the check comes from.
        corrects: the number of an earlier record that this one replaces; 0 for none.

    Raises:
        InputProblems: it cannot be stored.
    """
    stored: list[ScanResult] = []
    last = None if corrects else newest(history, result.host.id)
    if last is not None and last.result == result.model_copy(
        update={"previous_digest": last.result.previous_digest, "digest": last.result.digest}
    ):
        return last.result, last.header

    def document(previous: Header | None) -> object:
        named = ""
        if previous is not None:
            record = history.record(previous.seq)
            earlier = record.document() if record is not None else None
            if isinstance(earlier, dict):
                named = str(earlier.get("digest", ""))
        stored.append(result.model_copy(update={"previous_digest": named}).sealed())
        return stored[0].model_dump(mode="json", by_alias=True)

    header = history.append(
        "correction" if corrects else "result", document, terminal=result.host.id,
        at=datetime.fromisoformat(result.started_at), now=now, clock=clock, refers=corrects,
    )  # fmt: skip
    return stored[0], header


def newest(history: History, terminal: str) -> Check | None:
    """The newest check of a terminal that has not been corrected; None without one whose body is there."""
    corrected = {h.refers for h in history.headers() if h.kind == "correction"}
    for header in reversed(history.headers()):
        if header.terminal == terminal and header.kind in CHECKS and header.seq not in corrected:
            record = history.record(header.seq)
            result = _result(record) if record is not None else None
            return Check(header, result) if result is not None else None
    return None


def statuses(history: History, terminal: str) -> list[Statuses]:
    """Day and statuses of all checks of a terminal that were not corrected, oldest first.

    Reads far less into memory than :func:`checks` does: years of it are needed for how long something has been so.
    """
    corrected = {h.refers for h in history.headers() if h.kind == "correction"}
    found: list[tuple[datetime, Statuses]] = []
    for record in history.records(terminal=terminal):
        if record.header.kind not in CHECKS or record.header.seq in corrected or record.body is None:
            continue
        try:
            findings = record.document()["findings"]
            told = {str(f["rule_id"]): Status(f["status"]) for f in findings}
        except (ValueError, KeyError, TypeError):
            continue
        at = time_of(record.header.at)
        if at is None:
            continue
        found.append((at, (at.date(), told)))
    return [told for _, told in sorted(found, key=lambda pair: pair[0])]


def checks(history: History, *, terminal: str | None = None) -> Iterator[Check]:
    """All checks whose bodies are there, by number. What is no check any more is left out: verify finds it."""
    corrected = {h.refers: h.seq for h in history.headers() if h.kind == "correction"}
    for record in history.records(terminal=terminal):
        result = _result(record) if record.header.kind in CHECKS else None
        if result is not None and time_of(record.header.at) is not None:
            yield Check(record.header, result, corrected.get(record.header.seq, 0))


def _result(record: Record) -> ScanResult | None:
    try:
        return ScanResult.model_validate(record.document()) if record.body is not None else None
    except (ValidationError, ValueError):
        return None


def ledger_events(history: History) -> Iterator[LedgerEvent]:
    """All events of the ledger with their record numbers."""
    for record in history.records("ledger"):
        try:
            event = LedgerEvent.model_validate(record.document())
        except (ValidationError, ValueError):
            continue
        yield event.model_copy(update={"seq": record.header.seq})
