"""A simulated year: 52 Fridays on five terminals. History, differences, streaks, ledger and calendar against bookkeeping of
the test's own, done another way.
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from tests.unit import results

from ybscan.engine.compare import compare, statuses_of, streaks
from ybscan.engine.fridays import weeks
from ybscan.model.ledger import EntryStatus
from ybscan.model.result import FindingWaiver, ScanResult, Status
from ybscan.store.chain import clock_back
from ybscan.store.history import History, opened
from ybscan.store.ledger import SeenCheck, ledger
from ybscan.store.results import checks, store

FIRST = datetime.fromisoformat("2026-01-02T09:00:00+08:00")
TERMINALS = tuple(f"YB-{n:04}" for n in range(1, 6))
RULES = ("USB-01", "PWD-01", "NET-01", "BAK-01", "AV-01", "PORT-01")
P, F, U, W = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.WAIVED
#: Nobody came in these weeks (numbered from 0).
MISSED = {8, 31}
#: Terminal 2's PWD-01 is wrong all year and excepted until the end of June, terminal 3 is set up anew in week 20, and in
#: week 40 somebody sets the clock of terminal 4 back by a month.
EXCEPTED = ("YB-0002", "PWD-01")
EXCEPTED_UNTIL = date(2026, 6, 30)
REINSTALLED = ("YB-0003", 20)
SET_BACK = ("YB-0004", 40)


@dataclass(frozen=True)
class Made:
    """What the test knows of one check."""

    terminal: str
    week: int
    day: date
    statuses: dict[str, Status]


def script() -> list[Made]:
    """Who was checked when, and what came of it."""
    chance = random.Random(2026)  # noqa: S311 - a made-up year
    state = {(t, r): F if chance.random() < 0.3 else P for t in TERMINALS for r in RULES}
    made = []
    for week in range(52):
        if week in MISSED:
            continue
        for terminal in TERMINALS:
            statuses = {}
            for rule in RULES:
                place = (terminal, rule)
                if chance.random() < 0.12:
                    state[place] = P if state[place] is F else F
                if (terminal, week) == REINSTALLED:
                    state[place] = F
                now = U if chance.random() < 0.08 else state[place]
                if place == EXCEPTED:
                    day = (FIRST + timedelta(weeks=week)).date()
                    now = W if day <= EXCEPTED_UNTIL else F
                statuses[rule] = now
            made.append(Made(terminal, week, (FIRST + timedelta(weeks=week)).date(), statuses))
    return made


def result_of(made: Made) -> ScanResult:
    waiver = FindingWaiver(
        reason="换机前",
        approver="王主任",
        document="院信 1 号",
        approved="2026-01-01",
        expires=EXCEPTED_UNTIL.isoformat(),
    )
    findings = [
        results.finding(rule, status, waiver=waiver if status is W else None) for rule, status in made.statuses.items()
    ]
    number = int(made.terminal[-1])
    anew = made.terminal == REINSTALLED[0] and made.week >= REINSTALLED[1]
    return results.result(
        findings, id=made.terminal, hostname=f"SFC-{number}{'N' if anew else ''}", macs=(f"00:1a:2b:3c:4d:0{number}",),
        addresses=(f"10.20.1.{number}",), started_at=(FIRST + timedelta(weeks=made.week)).isoformat(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Made], Path]:
    folder = tmp_path_factory.mktemp("year")
    made = script()
    with opened(folder, create=True) as history:
        for one in made:
            now = FIRST + timedelta(weeks=one.week, minutes=5)
            if (one.terminal, one.week) == SET_BACK:
                now -= timedelta(days=30)
            store(history, result_of(one), now=now)
    return made, folder


def of(made: list[Made], terminal: str) -> list[Made]:
    return [m for m in made if m.terminal == terminal]


def seen(history: History) -> list[SeenCheck]:
    return [SeenCheck(c.header.seq, c.result) for c in checks(history)]


def test_everything_is_there_and_in_order(year: tuple[list[Made], Path]) -> None:
    made, folder = year
    with opened(folder) as history:
        assert history.verify() == []
        found = list(checks(history))
    assert [(c.header.terminal, c.result.started_at[:10]) for c in found] == [
        (m.terminal, m.day.isoformat()) for m in made
    ]
    for terminal in TERMINALS:
        row = [c.result for c in found if c.header.terminal == terminal]
        assert [r.previous_digest for r in row] == ["", *(r.digest for r in row[:-1])]


def test_the_clock_set_back_shows_once(year: tuple[list[Made], Path]) -> None:
    _, folder = year
    with opened(folder) as history:
        back = clock_back(history.headers())
        (later,) = [b for _, b in back]
    assert later.terminal == SET_BACK[0]
    assert later.at[:10] == (FIRST + timedelta(weeks=SET_BACK[1])).date().isoformat()


def test_missed_weeks_appear_by_themselves(year: tuple[list[Made], Path]) -> None:
    made, _ = year
    row = weeks([m.day for m in made], first=made[0].day, today=date(2026, 12, 31))
    assert [w.friday for w in row if w.missed] == [(FIRST + timedelta(weeks=n)).date() for n in sorted(MISSED)]


def test_differences_are_right_at_every_step(year: tuple[list[Made], Path]) -> None:
    made, folder = year
    with opened(folder) as history:
        found = list(checks(history))
    for terminal in TERMINALS:
        mine = of(made, terminal)
        row = [c.result for c in found if c.header.terminal == terminal]
        for (old, new), (before, after) in zip(itertools.pairwise(mine), itertools.pairwise(row), strict=True):
            got = {c.rule_id: c.kind for c in compare(before, after).findings}
            wanted = {}
            for rule in RULES:
                a, b = old.statuses[rule], new.statuses[rule]
                if b is F:
                    wanted[rule] = "unchanged" if a in (F, W) else "new"
                elif a in (F, W) and b is P:
                    wanted[rule] = "fixed"
                elif a != b:
                    wanted[rule] = "undetermined" if b is U else "determined" if a is U else "other"
            assert got == wanted, (terminal, new.week)


def test_streaks_are_right_at_every_step(year: tuple[list[Made], Path]) -> None:
    made, folder = year
    with opened(folder) as history:
        found = list(checks(history))
    for terminal in TERMINALS:
        mine = of(made, terminal)
        row = [c.result for c in found if c.header.terminal == terminal]
        for end in range(1, len(row) + 1):
            got = streaks([statuses_of(r) for r in row[:end]])
            for rule in RULES:
                back = list(reversed(mine[:end]))
                same = next(
                    (i for i, m in enumerate(back) if m.statuses[rule] is not back[0].statuses[rule]), len(back)
                )
                assert (got[rule].checks, got[rule].since) == (same, back[same - 1].day)
                said = [m.statuses[rule] for m in mine[:end] if m.statuses[rule] is not U]
                relapses = sum(a is P and b in (F, W) for a, b in itertools.pairwise(said))
                first_bad = next((i for i, s in enumerate(said) if s in (F, W)), len(said))
                # The first time is no relapse, even after weeks of 符合.
                relapses -= 1 if 0 < first_bad < len(said) else 0
                assert got[rule].recurrences == relapses, (terminal, rule, end)


def test_the_ledger_is_right_at_every_step(year: tuple[list[Made], Path]) -> None:
    made, folder = year
    with opened(folder) as history:
        everything = seen(history)
    for upto in (0, 1, 7, 20, 26, 39, 51):
        day = (FIRST + timedelta(weeks=upto)).date()
        got = ledger([c for c in everything if c.day <= day], (), day)
        assert {e.id: (e.opened, e.closed, e.status) for e in got} == _book(made, day)


def _book(made: list[Made], day: date) -> dict[str, tuple[date, date | None, EntryStatus]]:
    """The same ledger kept by hand: a row of 不符合 ends at the next 符合."""
    book: dict[str, tuple[date, date | None, EntryStatus]] = {}
    count: dict[tuple[str, str], int] = defaultdict(int)
    for terminal in TERMINALS:
        for rule in RULES:
            opened_on: date | None = None
            waived = False
            for m in of(made, terminal):
                if m.day > day:
                    break
                status = m.statuses[rule]
                if status in (F, W):
                    if opened_on is None:
                        opened_on = m.day
                        count[terminal, rule] += 1
                    waived = status is W
                elif status is P and opened_on is not None:
                    book[f"{terminal}/{rule}/{count[terminal, rule]}"] = (opened_on, m.day, EntryStatus.CLOSED)
                    opened_on = None
            if opened_on is not None:
                accepted = waived and day <= EXCEPTED_UNTIL
                state = EntryStatus.ACCEPTED if accepted else EntryStatus.TODO
                book[f"{terminal}/{rule}/{count[terminal, rule]}"] = (opened_on, None, state)
    return book


def test_the_exception_ends_on_its_day_and_is_a_problem_again(year: tuple[list[Made], Path]) -> None:
    made, folder = year
    with opened(folder) as history:
        everything = seen(history)
    statuses = {}
    for day in (EXCEPTED_UNTIL, EXCEPTED_UNTIL + timedelta(days=1)):
        (entry,) = [
            e for e in ledger([c for c in everything if c.day <= day], (), day) if (e.terminal, e.rule_id) == EXCEPTED
        ]
        statuses[day] = entry.status
    assert list(statuses.values()) == [EntryStatus.ACCEPTED, EntryStatus.TODO]
    after = [m for m in of(made, EXCEPTED[0]) if m.day > EXCEPTED_UNTIL]
    assert all(m.statuses[EXCEPTED[1]] is F for m in after)


def test_a_terminal_set_up_anew_is_noticed(year: tuple[list[Made], Path]) -> None:
    _, folder = year
    terminal, week = REINSTALLED
    with opened(folder) as history:
        row = [c.result for c in checks(history, terminal=terminal)]
    day = (FIRST + timedelta(weeks=week)).date().isoformat()
    at = next(i for i, r in enumerate(row) if r.started_at[:10] == day)
    assert compare(row[at - 1], row[at]).identity == ("计算机名由“SFC-3”变为“SFC-3N”",)
    assert compare(row[at], row[at + 1]).identity == ()
