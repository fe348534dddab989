"""The ledger: what opens, closes, reopens and moves an entry, against histories written out by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import pytest
from tests.unit import results

from ybscan.model.ledger import Entry, EntryStatus, LedgerEvent
from ybscan.model.problem import InputProblems
from ybscan.model.result import Status
from ybscan.store import ledger as book
from ybscan.store.ledger import SeenCheck, find, in_order, refused

FRIDAY = datetime.fromisoformat("2026-01-02T09:00:00+08:00")
P, F, U, W = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.WAIVED


def ledger(
    checks: Iterable[SeenCheck], events: Iterable[LedgerEvent], today: date = date(2026, 2, 1)
) -> tuple[Entry, ...]:
    return book.ledger(checks, events, today)


def week(n: int, *statuses: tuple[str, Status], terminal: str = "YB-1", seq: int | None = None) -> SeenCheck:
    when = FRIDAY + timedelta(weeks=n)
    findings = [results.finding(rule, status) for rule, status in statuses]
    return SeenCheck(seq or n + 1, results.result(findings, id=terminal, started_at=when.isoformat()))


def row(*statuses: Status) -> list[SeenCheck]:
    return [week(n, ("USB-01", s)) for n, s in enumerate(statuses)]


def event(seq: int, action: str, **more: object) -> LedgerEvent:
    made = {"action": action, "entry": "YB-1/USB-01/1", "by": "张工", "day": "2026-01-05", **more}
    return LedgerEvent.model_validate(made).model_copy(update={"seq": seq})


def states(*statuses: Status) -> list[tuple[str, EntryStatus, int]]:
    return [(e.id.rpartition("/")[2], e.status, e.checks_failed) for e in ledger(row(*statuses), ())]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((P,), []),
        ((F,), [("1", EntryStatus.TODO, 1)]),
        ((F, F), [("1", EntryStatus.TODO, 2)]),
        ((F, P), [("1", EntryStatus.CLOSED, 1)]),
        ((F, U), [("1", EntryStatus.TODO, 1)]),
        ((F, U, P), [("1", EntryStatus.CLOSED, 1)]),
        ((F, Status.NOT_APPLICABLE), [("1", EntryStatus.TODO, 1)]),
        ((F, Status.DELEGATED), [("1", EntryStatus.TODO, 1)]),
        ((F, Status.MANUAL), [("1", EntryStatus.TODO, 1)]),
        ((F, P, F), [("1", EntryStatus.CLOSED, 1), ("2", EntryStatus.TODO, 1)]),
        ((F, P, U, F, P), [("1", EntryStatus.CLOSED, 1), ("2", EntryStatus.CLOSED, 1)]),
        ((W,), [("1", EntryStatus.ACCEPTED, 1)]),
        ((W, F), [("1", EntryStatus.TODO, 2)]),
        ((F, W, P), [("1", EntryStatus.CLOSED, 2)]),
    ],
)
def test_what_a_row_of_checks_makes(statuses: tuple[Status, ...], expected: list[object]) -> None:
    assert states(*statuses) == expected


def test_a_relapse_counts_the_occurrences_before_it() -> None:
    entries = ledger(row(F, P, F, P, F), ())
    assert [e.recurrences for e in entries] == [0, 1, 2]
    assert [e.opened for e in entries] == [date(2026, 1, 2), date(2026, 1, 16), date(2026, 1, 30)]


def test_an_exception_ends_with_its_last_day() -> None:
    """The exception of the handmade findings runs to 2026-12-31."""
    days = {d: ledger(row(W), (), d)[0].status for d in (date(2026, 12, 31), date(2027, 1, 1))}
    assert days == {date(2026, 12, 31): EntryStatus.ACCEPTED, date(2027, 1, 1): EntryStatus.TODO}


def test_another_terminal_closes_nothing() -> None:
    entries = ledger([week(0, ("USB-01", F)), week(1, ("USB-01", P), terminal="YB-2")], ())
    assert [e.status for e in entries] == [EntryStatus.TODO]


def test_a_check_without_the_rule_closes_nothing() -> None:
    (entry,) = ledger([week(0, ("USB-01", F)), week(1, ("PWD-01", P))], ())
    assert entry.status is EntryStatus.TODO
    assert entry.unchecked


def test_old_evidence_judged_late_closes_nothing() -> None:
    late = week(0, ("USB-01", P), seq=9)
    (entry,) = ledger([week(1, ("USB-01", F)), late], ())
    assert entry.status is EntryStatus.TODO


def test_people_move_it_on() -> None:
    events = [
        event(
            10, "assign", owner="李工", leader="王主任", department="信息科", deadline="2026-01-30", measures="禁用驱动"
        ),
        event(11, "extend", deadline="2026-02-13", text="等待换机"),
        event(12, "note", text="已联系厂商"),
    ]
    (entry,) = ledger(row(F), events)
    assert (entry.status, entry.owner, entry.deadline) == (EntryStatus.EXTENDED, "李工", date(2026, 2, 13))
    assert entry.notes == ("2026-01-05 张工：已联系厂商",)
    assert entry.overdue(date(2026, 2, 14))
    assert not entry.overdue(date(2026, 2, 13))


def test_said_to_be_mended_is_not_mended_until_a_check_says_so() -> None:
    (first,) = ledger(row(F), [event(10, "submit")])
    assert first.status is EntryStatus.TO_CHECK
    checks = [*row(F), week(5, ("USB-01", F), seq=11)]
    (again,) = ledger(checks, [event(10, "submit")])
    assert again.status is EntryStatus.TODO
    (unread,) = ledger([*row(F), week(5, ("USB-01", U), seq=11)], [event(10, "submit")])
    assert unread.status is EntryStatus.TO_CHECK


def test_a_person_closes_with_a_basis_and_may_have_been_wrong() -> None:
    closed = ledger(row(F), [event(10, "close", basis="整改单 12 号")])[0]
    assert (closed.status, closed.closer, closed.basis) == (EntryStatus.CLOSED, "张工", "整改单 12 号")
    reopened = ledger(row(F), [event(10, "close", basis="x"), event(11, "reopen", text="复核不实")])[0]
    assert reopened.status is EntryStatus.TODO
    # The next check finds it again: a new occurrence, since the old one was closed by a person.
    entries = ledger([*row(F), week(5, ("USB-01", F), seq=12)], [event(10, "close", basis="x")])
    assert [e.status for e in entries] == [EntryStatus.CLOSED, EntryStatus.TODO]
    assert entries[1].recurrences == 1


def test_what_may_not_be_entered() -> None:
    (entry,) = ledger(row(F), ())
    assert "依据" in refused(event(10, "close"), entry)
    assert "原因" in refused(event(10, "extend", deadline="2026-02-01"), entry)
    assert "至少写一项" in refused(event(10, "assign"), entry)
    assert "没有销号" in refused(event(10, "reopen", text="x"), entry)
    assert refused(event(10, "assign", owner="李工"), entry) == ""
    (dated,) = ledger(row(F), [event(10, "assign", deadline="2026-02-01")])
    assert "应晚于" in refused(event(11, "extend", deadline="2026-02-01", text="x"), dated)
    (closed,) = ledger(row(F, P), ())
    assert "已于" in refused(event(10, "assign", owner="李工"), closed)


def test_overdue_ones_come_first() -> None:
    checks = [week(0, ("USB-01", F), ("PWD-01", F), ("NET-01", F))]
    events = [event(10, "assign", entry="YB-1/PWD-01/1", deadline="2026-01-09")]
    entries = in_order(ledger(checks, events), date(2026, 1, 10))
    assert entries[0].id == "YB-1/PWD-01/1"


def test_of_what_persons_registered_none_is_meant_by_the_terminal_alone() -> None:
    opened = [event(n, "open", entry=f"YB-1/R{n}", terminal="YB-1", title=f"问题{n}") for n in (1, 2)]
    with pytest.raises(InputProblems, match="对应多条"):
        find(ledger((), opened), "YB-1")
    assert find(ledger((), opened[:1]), "YB-1").id == "YB-1/R1"


def test_finding_an_entry_by_what_a_person_writes() -> None:
    entries = ledger(row(F, P, F), ())
    assert find(entries, "yb-1/usb-01").id == "YB-1/USB-01/2"
    assert find(entries, "YB-1/USB-01/1").id == "YB-1/USB-01/1"
    with pytest.raises(InputProblems, match="没有"):
        find(entries, "YB-1/USB-09")
    both = ledger([week(0, ("USB-01", F), ("PWD-01", F))], ())
    with pytest.raises(InputProblems, match="多条"):
        find(both, "YB-1")
