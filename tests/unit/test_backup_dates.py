"""Dates in names, ages, sizes and periods of backups: the pure parts, at their boundaries."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ybscan.hosts.groups.volumes import Disk, Entry, Place
from ybscan.model.dates import NamedDate, dates_in, newest_date
from ybscan.model.reading import Cause, Unknown
from ybscan.probes._backups.copies import (
    Copy,
    complete,
    dated,
    days_since,
    identity,
    is_shrunk,
    same_round,
    series,
    usual_size,
    within,
)
from ybscan.probes._backups.periods import periods
from ybscan.probes._backups.places import apart, independent
from ybscan.probes._backups.timers import stamp

CST = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=CST)


def entry(name: str, when: datetime = NOW, size: int = 100, **more: object) -> Entry:
    return Entry(name, "file", size, when.timestamp(), largest=name, **more)  # type: ignore[arg-type]


def at(day: int, hour: int = 3, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=CST)


@pytest.mark.parametrize(
    ("name", "day", "moment"),
    [
        ("his_20261120.bak", date(2026, 11, 20), None),
        ("2026-11-20", date(2026, 11, 20), None),
        ("2026-11-20_0300", date(2026, 11, 20), time(3)),
        ("2026-11-20T03:00:59", date(2026, 11, 20), time(3, 0, 59)),
        ("20261120030059.dmp", date(2026, 11, 20), time(3, 0, 59)),
        ("20261120-0300.dmp", date(2026, 11, 20), time(3)),
        ("2026.11.20 03.00.bak", date(2026, 11, 20), time(3)),
        ("2026-11-20_03-00-01", date(2026, 11, 20), time(3, 0, 1)),
        ("2026年11月20日03时05分.bak", date(2026, 11, 20), time(3, 5)),
        ("2026112003.log", date(2026, 11, 20), None),
        ("20261120_1.bak", date(2026, 11, 20), None),
        ("20261101-20261120.tar", date(2026, 11, 20), None),
        ("his20240101v2_20261120.bak", date(2026, 11, 20), None),
        ("2026-11-20_9999.bak", date(2026, 11, 20), None),
    ],
)
def test_dates_in_names(name: str, day: date, moment: time | None) -> None:
    assert newest_date(name) == NamedDate(day, moment)


@pytest.mark.parametrize(
    "name",
    [
        "his.bak",
        "20261332.bak",
        "2026-02-30",
        "1795114800",
        "12026112099",
        "202611201",
        "20260230.bak",
        "v2026",
        "2026-11_20",
    ],
)
def test_no_dates(name: str) -> None:
    assert dates_in(name) == ()


@given(st.text(max_size=40))
def test_any_name_can_be_looked_at(name: str) -> None:
    found = dates_in(name)
    assert len(found) <= sum(c.isdigit() for c in name) // 6, "no date without its digits"


@given(
    st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    st.sampled_from(["%Y%m%d", "%Y-%m-%d", "%Y_%m_%d", "%Y.%m.%d", "%Y年%m月%d日"]),
)
def test_every_day_is_found(day: date, form: str) -> None:
    assert newest_date(f"医保_{day.strftime(form)}.bak") == NamedDate(day)


def test_the_older_of_name_and_file_counts() -> None:
    assert dated(entry("his_20261110_0300", at(20)), NOW).high == at(10)
    assert dated(entry("his_20261120_0300", at(15)), NOW).high == at(15)
    same_day = dated(entry("his_20261120", at(20)), NOW)
    assert (same_day.low, same_day.high) == (at(20), at(20))
    open_ = dated(entry("his_20261119", at(20)), NOW)
    assert (open_.low, open_.high) == (at(19, 0), datetime(2026, 11, 19, 23, 59, 59, tzinfo=CST))


def test_the_limit_itself_is_in() -> None:
    day = timedelta(hours=24)
    assert within(dated(entry("x", NOW - day), NOW), NOW, day) is True
    assert within(dated(entry("x", NOW - day - timedelta(seconds=1)), NOW), NOW, day) is False
    assert within(dated(entry("his_20261119", at(20)), NOW), NOW, day) is None
    assert within(dated(entry("his_20261118", at(20)), NOW), NOW, day) is False


def test_future() -> None:
    assert not dated(entry("x", NOW + timedelta(minutes=5)), NOW).future
    assert dated(entry("x", NOW + timedelta(minutes=5, seconds=1)), NOW).future
    assert dated(entry("his_20261121", at(20)), NOW).future
    assert not dated(entry("his_20261120", at(20)), NOW).future


def test_other_zones() -> None:
    utc = NOW.astimezone(timezone.utc)  # noqa: UP017
    assert dated(entry("x", at(20)), utc).high == at(20)


def copies(*sizes: int) -> tuple[Copy, ...]:
    return complete(tuple(entry(f"his_202611{20 - i:02d}", at(20 - i), s) for i, s in enumerate(sizes)), NOW)


def test_usual_size_is_the_median_of_five_of_the_same_series() -> None:
    made = copies(1, 10, 20, 30, 40, 50, 9999, 9999)
    assert usual_size(made, made[0]) == 30
    assert usual_size(made[:1], made[0]) is None
    other = (*made[:1], *complete((entry("emr_20261119", at(19), 7),), NOW))
    assert usual_size(other, made[0]) is None
    empty = copies(5, 0, 0, 8)
    assert usual_size(empty, empty[0]) == 8


def test_half_is_not_shrunk() -> None:
    assert not is_shrunk(50, 100)
    assert is_shrunk(49, 100)
    assert not is_shrunk(50, 99)


def test_unfinished_folders_and_links_are_no_copies() -> None:
    kinds = (
        Entry("2026-11-20", "folder", 10, at(20).timestamp(), 1, 0, 1), Entry("2026-11-19", "folder", 0, at(19).timestamp(), 0),
        Entry("latest", "link", 0, 0.0), Entry("2026-11-18", "folder", 10, at(18).timestamp(), 2),
    )  # fmt: skip
    assert [c.entry.name for c in complete(kinds, NOW)] == ["2026-11-18"]


def test_rounds() -> None:
    def copy(name: str, when: datetime) -> Copy:
        return dated(entry(name, when), NOW)

    assert same_round(copy("a", at(20, 3)), copy("b", at(20, 9)))
    assert same_round(copy("a", at(19, 23)), copy("b", at(20, 5)))
    assert not same_round(copy("a", at(19, 23)), copy("b", at(20, 5, 1)))
    assert not same_round(copy("a", at(19, 3)), copy("b", at(20, 3)))
    assert not same_round(copy("a.bak", at(15)), copy("a.bak", at(20)))
    assert same_round(copy("a_20261115.bak", at(15)), copy("a_20261115.bak", at(20)))


def test_identity_needs_letters_or_size() -> None:
    def of(name: str, size: int = 1) -> str:
        return identity(dated(entry(name, at(20), size), NOW))

    assert of("his_20261120.bak") == of("HIS_20261119.bak", 2)
    assert of("his_20261120.bak") != of("emr_20261120.bak")
    assert of("20261120.bak", 1) != of("20261120.bak", 2)
    assert of("20261120.bak", 1) == of("20261119.bak", 1)
    assert of("医保_20261120.bak", 1) == of("医保_20261119.bak", 2)
    assert series("a-1_2") == series("a-33_4")


@pytest.mark.parametrize(
    ("span", "days"),
    [
        (timedelta(0), 0),
        (timedelta(days=90), 90),
        (timedelta(days=90, seconds=1), 91),
        (timedelta(seconds=1), 1),
        (-timedelta(seconds=3), 0),
    ],
)
def test_days_round_up(span: timedelta, days: int) -> None:
    assert days_since(NOW - span, NOW) == days


def test_periods() -> None:
    today = NOW.date()
    assert next(periods("daily", today)).first == date(2026, 11, 19)
    week = next(periods("weekly", today))
    assert (week.first, week.last) == (date(2026, 11, 9), date(2026, 11, 15))
    months = list(periods("monthly", date(2026, 3, 31)))
    assert [(m.first, m.last) for m in months[:3]] == [
        (date(2026, 2, 1), date(2026, 2, 28)), (date(2026, 1, 1), date(2026, 1, 31)), (date(2025, 12, 1), date(2025, 12, 31)),
    ]  # fmt: skip
    assert next(periods("yearly", today)).text == "2025 年"


@given(st.dates(date(2001, 1, 1), date(2099, 12, 31)), st.sampled_from(["daily", "weekly", "monthly", "yearly"]))
def test_periods_follow_one_another_without_holes(today: date, tier: str) -> None:
    made = list(periods(tier, today))
    assert made[0].last < today
    assert [p.index for p in made] == list(range(1, len(made) + 1))
    for newer, older in pairwise(made):
        assert older.last + timedelta(days=1) == newer.first
    assert (today - made[0].last).days <= {"daily": 1, "weekly": 7, "monthly": 31, "yearly": 366}[tier]


# Places --------------------------------------------------------------------------------------------------------------


def disk(*names: str, hidden: str = "") -> Place:
    return Place(tuple(Disk(n, hidden) for n in names))


def test_apart() -> None:
    nas, memory = Place((), server="10.0.0.9"), Place((), memory=True)
    assert apart(disk("sda"), disk("sdb")) is True
    assert apart(disk("sda", "sdb"), disk("sdb", "sdc")) is False
    assert apart(disk("vda", hidden="x"), disk("vdb", hidden="x")) is None
    assert apart(disk("vda", hidden="x"), disk("vda", hidden="x")) is False
    assert apart(disk("vda", hidden="x"), disk("sdb")) is True
    assert apart(disk("sda"), nas) is True
    assert apart(nas, Place((), server="10.0.0.9")) is False
    assert apart(disk("sda"), memory) is False


def test_independent_copies() -> None:
    lost = Unknown(Cause.TIMEOUT)
    assert independent([]) == (0, 0)
    assert independent([disk("sda")]) == (1, 1)
    assert independent([disk("sda"), disk("sda")]) == (1, 1)
    assert independent([disk("sda"), disk("sdb"), disk("sda", "sdb")]) == (2, 2)
    assert independent([disk("sda"), lost]) == (1, 2)
    assert independent([lost, lost]) == (0, 2)
    assert independent([disk("vda", hidden="x"), disk("vdb", hidden="x")]) == (1, 2)
    assert independent([Place((), memory=True), disk("sda")]) == (1, 1)


@given(
    st.lists(
        st.one_of(
            st.just(Unknown(Cause.DENIED)), st.sets(st.sampled_from("abcd"), min_size=1).map(lambda n: disk(*sorted(n)))
        ),
        max_size=6,
    )
)
def test_what_is_unknown_never_counts_for_certain(places: list[Place | Unknown]) -> None:
    certain, possible = independent(places)
    assert certain <= possible <= len(places)
    assert independent([p for p in places if not isinstance(p, Unknown)])[0] == certain


# systemd's times -----------------------------------------------------------------------------------------------------


def test_stamps() -> None:
    assert stamp("Fri 2026-11-20 03:00:01 CST", None) == at(20).replace(second=1)
    assert stamp("Thu 2026-11-19 19:00:01 UTC", CST) == at(20).replace(second=1)
    assert stamp("Fri 2026-11-20 03:00:01 XYZ", CST) == at(20).replace(second=1)
    assert stamp("Fri 2026-11-20 03:00:01.123456 CST", CST) == at(20).replace(second=1)
    for bad in ("", "n/a", "0", "Fri 2026-13-20 03:00:01 CST", "Fri 2026-11-20"):
        assert stamp(bad, CST) is None
