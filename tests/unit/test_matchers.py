"""Every leaf word, its boundaries, and what it does with values it cannot compare."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ybscan.engine.matchers import (
    CLOCK_SLACK,
    MATCHERS,
    MAX_TEXT,
    expected_text,
    folded,
    in_network,
    inverted,
    same,
    version_key,
)
from ybscan.model.expression import WORDS
from ybscan.model.facts import Kind
from ybscan.model.reading import Cause, Unknown
from ybscan.model.site import parse_duration

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone(timedelta(hours=8)))


def match(word: str, value: Any, wanted: Any, kind: Kind = Kind.TEXT) -> Any:
    return MATCHERS[word](kind, value, wanted, NOW)


def test_every_word_of_the_language_has_a_matcher() -> None:
    assert set(MATCHERS) == set(WORDS)


# Texts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("WeChat", "wechat"), ("ＷｅＣｈａｔ", "wechat"), ("微信 ", "微信"), ("ﬁre", "FIRE"), ("STRASSE", "straße"), ("①", "1")],
)  # fmt: skip
def test_texts_compare_folded(value: str, wanted: str) -> None:
    assert match("is", value, wanted) is True
    assert match("is_not", value, wanted) is False
    assert match("one_of", value, ("x", wanted)) is True
    assert match("none_of", value, ("x", wanted)) is False
    assert match("contains", f"a {value} b", wanted) is True
    assert match("like_any", value, (f"{wanted}*",)) is True


@given(st.text(max_size=30))
def test_folding_is_idempotent_enough_to_equal_itself(text: str) -> None:
    assert match("is", text, text) is True
    assert match("is", text, text.upper()) is (folded(text) == folded(text.upper()))
    assert match("is", f"  {text}\n", text) is True


@given(st.text(max_size=20), st.text(max_size=20), st.lists(st.text(max_size=10), max_size=4))
def test_opposites_are_opposite(value: str, wanted: str, many: list[str]) -> None:
    assert match("is", value, wanted) is not match("is_not", value, wanted)
    options = (*many, wanted)
    assert match("one_of", value, options) is not match("none_of", value, options)
    assert match("one_of", value, options) is any(match("is", value, o) for o in options)


@pytest.mark.parametrize(
    ("value", "pattern", "fits"),
    [
        ("QQ音乐 9.0", "QQ音乐*", True), ("腾讯QQ音乐", "QQ音乐*", False), ("todesk", "ToDesk?", False), ("todesk2", "ToDesk?", True),
        ("a.b", "a?b", True), ("ab", "a*b", True), ("向日葵远程控制", "向日葵*", True), ("", "*", True), ("", "?", False),
    ],
)  # fmt: skip
def test_wildcards(value: str, pattern: str, fits: bool) -> None:
    assert match("like_any", value, (pattern,)) is fits
    assert match("like_any", value, ("zzz", pattern)) is fits


def test_regular_expressions_search_normalised_text_without_case() -> None:
    assert match("matches", "Version ＶＩＩ", r"\bvii$") is True
    assert match("matches", "abc", "^b") is False
    assert match("matches", "第３号", "3") is True


def test_a_text_too_long_for_a_pattern_is_unknown() -> None:
    assert match("matches", "a" * MAX_TEXT, "a$") is True
    too_long = match("matches", "a" * (MAX_TEXT + 1), "a$")
    assert isinstance(too_long, Unknown)
    assert too_long.cause is Cause.TOO_LARGE


def test_contains_in_a_list_wants_a_whole_element() -> None:
    assert match("contains", ("QQ", "WeChat"), "wechat", Kind.TEXTS) is True
    assert match("contains", ("QQ", "WeChat"), "chat", Kind.TEXTS) is False
    assert match("contains", (), "x", Kind.TEXTS) is False
    assert match("contains", "WeChat", "chat") is True


# Numbers and booleans ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "low", "high"), [(7, False, True), (8, True, True), (9, True, False)])
def test_bounds_are_inclusive(value: int, low: bool, high: bool) -> None:
    assert match("at_least", value, 8, Kind.INTEGER) is low
    assert match("at_most", value, 8, Kind.INTEGER) is high


@pytest.mark.parametrize(
    ("value", "inside"), [(0, False), (1, True), (2, True), (90, True), (91, False), (90.5, False), (0.5, False)]
)
def test_between_includes_both_ends(value: float, inside: bool) -> None:
    assert match("between", value, (1, 90), Kind.NUMBER) is inside


@given(st.integers(), st.integers(), st.integers())
def test_between_is_both_bounds(value: int, a: int, b: int) -> None:
    low, high = min(a, b), max(a, b)
    assert match("between", value, (low, high), Kind.INTEGER) is (
        match("at_least", value, low, Kind.INTEGER) and match("at_most", value, high, Kind.INTEGER)
    )


@pytest.mark.parametrize("number", [0, 1, 0.0, 1.0])
@pytest.mark.parametrize("boolean", [True, False])
def test_a_number_is_no_boolean(number: float, boolean: bool) -> None:
    assert match("is", number, boolean, Kind.BOOLEAN) is False
    assert match("is", boolean, number, Kind.INTEGER) is False
    assert match("is_not", number, boolean, Kind.BOOLEAN) is True


def test_booleans_and_numbers_are_themselves() -> None:
    assert match("is", True, True, Kind.BOOLEAN) is True
    assert match("is", False, True, Kind.BOOLEAN) is False
    assert match("is", 1, 1.0, Kind.NUMBER) is True
    assert match("is", "1", 1, Kind.INTEGER) is False


# Times ---------------------------------------------------------------------------------------------------------

TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(("text", "span"), [("90m", timedelta(minutes=90)), ("24h", timedelta(days=1)), ("7d", timedelta(days=7)), ("2w", timedelta(days=14))])  # fmt: skip
def test_newer_than_includes_the_exact_age(text: str, span: timedelta) -> None:
    def newer(moment: datetime) -> Any:
        return match("newer_than", moment, text, Kind.TIME)

    def older(moment: datetime) -> Any:
        return match("older_than", moment, text, Kind.TIME)

    assert parse_duration(text) == span
    assert newer(NOW - span) is True
    assert newer(NOW - span - TICK) is False
    assert newer(NOW - span + TICK) is True
    assert newer(NOW) is True
    assert older(NOW - span) is False
    assert older(NOW - span - TICK) is True


def test_the_zone_of_a_time_does_not_matter() -> None:
    assert match("newer_than", (NOW - timedelta(days=1)).astimezone(UTC), "24h", Kind.TIME) is True
    assert match("newer_than", (NOW - timedelta(days=1) - TICK).astimezone(UTC), "24h", Kind.TIME) is False


@pytest.mark.parametrize("word", ["newer_than", "older_than"])
def test_a_time_in_the_future_proves_nothing(word: str) -> None:
    assert not isinstance(match(word, NOW + CLOCK_SLACK, "24h", Kind.TIME), Unknown)
    ahead = match(word, NOW + CLOCK_SLACK + TICK, "24h", Kind.TIME)
    assert isinstance(ahead, Unknown)
    assert ahead.cause is Cause.MALFORMED


# Versions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("have", "need", "enough"),
    [
        ("8.2", "8.2", True), ("8.2.0", "8.2", True), ("8.2", "8.2.0", True), ("8.10", "8.9", True), ("8.1.9", "8.2", False),
        ("10.0.19045", "10.0.19044", True), ("10", "9.9.9", True), ("v1.2", "1.2", True), ("08.2", "8.2", True), ("0", "0.0", True),
        (" 8.2 ", "8.2", True), ("8.2.1", "8.2", True),
    ],
)  # fmt: skip
def test_versions_compare_by_numbers(have: str, need: str, enough: bool) -> None:
    assert match("version_at_least", have, need, Kind.VERSION) is enough


@pytest.mark.parametrize("odd", ["", "8.2p1", "8.2-1ubuntu3", "1:8.2", "8..2", "8.2.", "beta", "8,2", "-1", "八"])
def test_what_is_no_plain_version_is_unknown(odd: str) -> None:
    assert version_key(odd) is None
    for have, need in ((odd, "8.2"), ("8.2", odd)):
        got = match("version_at_least", have, need, Kind.VERSION)
        assert isinstance(got, Unknown)
        assert got.cause is Cause.MALFORMED


@given(st.lists(st.integers(0, 99), min_size=1, max_size=4), st.lists(st.integers(0, 99), min_size=1, max_size=4))
def test_versions_are_ordered(a: list[int], b: list[int]) -> None:
    one, other = ".".join(map(str, a)), ".".join(map(str, b))
    forth = match("version_at_least", one, other, Kind.VERSION)
    back = match("version_at_least", other, one, Kind.VERSION)
    assert forth or back
    assert (forth and back) is same(Kind.VERSION, one, other)


@pytest.mark.parametrize(("value", "wanted"), [("8.2p1", "9.1p1"), ("beta", "8.2"), ("8.2", "beta"), ("beta", "alpha")])
def test_versions_that_cannot_be_read_are_not_called_equal(value: str, wanted: str) -> None:
    """Two unreadable versions are not the same version because neither can be read."""
    for word in ("is", "is_not"):
        assert isinstance(match(word, value, wanted, Kind.VERSION), Unknown)
    for word in ("one_of", "none_of"):
        assert isinstance(match(word, value, (wanted,), Kind.VERSION), Unknown)


def test_an_unreadable_version_equals_its_own_text() -> None:
    assert same(Kind.VERSION, "8.2p1", "8.2P1") is True


# Addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "network", "inside"),
    [
        ("10.20.0.0", "10.20.0.0/16", True), ("10.20.255.255", "10.20.0.0/16", True), ("10.21.0.0", "10.20.0.0/16", False),
        ("10.19.255.255", "10.20.0.0/16", False), ("10.20.0.1", "10.20.0.1", True), ("10.20.0.2", "10.20.0.1", False),
        ("10.20.0.7", "10.20.0.9/24", True), ("fe80::1%eth0", "fe80::/10", True), ("2001:db8::1", "2001:0db8:0::1", True),
        ("10.0.0.1", "::/0", False), ("::1", "0.0.0.0/0", False), ("fe80::1%10.0.0.1", "10.0.0.0/8", False),
    ],
)  # fmt: skip
def test_addresses_lie_in_networks(address: str, network: str, inside: bool) -> None:
    assert match("is", address, network, Kind.ADDRESS) is inside
    assert match("one_of", address, (network,), Kind.ADDRESS) is inside
    assert match("none_of", address, (network,), Kind.ADDRESS) is not inside


@pytest.mark.parametrize(
    ("address", "network"), [("网关", "10.0.0.0/8"), ("", "10.0.0.0/8"), ("10.0.0.256", "10.0.0.0/8"), ("10.0.0.1", "本网")]
)  # fmt: skip
def test_what_is_no_address_is_unknown_under_every_word(address: str, network: str) -> None:
    for word in ("is", "is_not"):
        assert isinstance(match(word, address, network, Kind.ADDRESS), Unknown)
    for word in ("one_of", "none_of"):
        assert isinstance(match(word, address, (network,), Kind.ADDRESS), Unknown)


def test_one_sure_hit_outweighs_an_unreadable_option() -> None:
    assert match("one_of", "10.0.0.1", ("本网", "10.0.0.0/8"), Kind.ADDRESS) is True
    assert match("none_of", "10.0.0.1", ("本网", "10.0.0.0/8"), Kind.ADDRESS) is False
    assert isinstance(match("one_of", "10.0.0.1", ("本网", "11.0.0.0/8"), Kind.ADDRESS), Unknown)


@given(st.ip_addresses(), st.integers(0, 128))
def test_an_address_lies_in_its_own_network(address: Any, length: int) -> None:
    network = ipaddress.ip_network(f"{address}/{min(length, address.max_prefixlen)}", strict=False)
    assert in_network(str(address), str(network)) is True


# Unknown and wording -------------------------------------------------------------------------------------------


def test_inverting_keeps_the_unknown() -> None:
    why = Unknown(Cause.DENIED, "x")
    assert (inverted(True), inverted(False), inverted(why)) == (False, True, why)


@pytest.mark.parametrize(
    ("word", "wanted", "text", "opposite"),
    [
        ("at_least", 8, "不小于 8 位", "小于 8 位"), ("at_most", 90, "不大于 90 位", "大于 90 位"), ("is", True, "为“是”", "为“否”"),
        ("is_not", True, "为“否”", "为“是”"), ("between", (1, 90), "在 1 位 至 90 位 之间", "不在 1 位 至 90 位 之间"),
        ("one_of", ("a", "b"), "属于 a、b", "不属于 a、b"), ("newer_than", "24h", "在最近 1 天 之内", "不在最近 1 天 之内"),
    ],
)  # fmt: skip
def test_what_is_demanded_reads_right(word: str, wanted: Any, text: str, opposite: str) -> None:
    assert expected_text(word, wanted, unit="位") == text
    assert expected_text(word, wanted, unit="位", negated=True) == opposite


@pytest.mark.parametrize("word", WORDS)
def test_every_word_has_two_different_wordings(word: str) -> None:
    wanted: Any = (1, 2) if word == "between" else "7d" if word in ("newer_than", "older_than") else "x"
    assert expected_text(word, wanted) != expected_text(word, wanted, negated=True)
