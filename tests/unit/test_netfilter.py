"""Parts of the firewall's evaluation that need no kernel: sets of addresses, interfaces, the two listings."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ybscan.model.reading import Unknown
from ybscan.probes._netfilter.exposure import Firewall, exposure, serves
from ybscan.probes._netfilter.ranges import as_networks, difference, everyone, intersection, normal, size, union, wide
from ybscan.probes._netfilter.ruleset import Ruleset, parse
from ybscan.probes._netfilter.translated import translated

ranges = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=5).map(normal)


def members(found: Any) -> set[int]:
    return {n for low, high in found for n in range(low, high + 1)}


@given(ranges, ranges)
def test_ranges_are_sets(a: Any, b: Any) -> None:
    assert members(union(a, b)) == members(a) | members(b)
    assert members(intersection(a, b)) == members(a) & members(b)
    assert members(difference(a, b)) == members(a) - members(b)
    assert size(a) == len(members(a))
    assert union(a, b) == union(b, a)


def test_networks_and_width() -> None:
    assert as_networks(((0x0A000000, 0x0AFFFFFF), (0x0B000001, 0x0B000001)), "ipv4") == ("10.0.0.0/8", "11.0.0.1")
    assert wide(everyone("ipv4"), "ipv4")
    assert wide(((0x20 << 120, (0x40 << 120) - 1),), "ipv6")  # 2000::/3, the public addresses
    assert not wide(((0x0A000000, 0x0AFFFFFF),), "ipv4")
    assert not wide(((0xFC << 120, (0xFE << 120) - 1),), "ipv6")  # fc00::/7, private ones
    assert not intersection(everyone("ipv4"), ((0x7F000000, 0x7FFFFFFF),))


@pytest.mark.parametrize(
    ("address", "families"),
    [("0.0.0.0", ("ipv4",)), ("::", ("ipv4", "ipv6")), ("::ffff:10.0.0.1", ("ipv4",)), ("fe80::1%eth0", ("ipv6",))],  # noqa: S104
)  # fmt: skip
def test_families_a_listener_serves(address: str, families: tuple[str, ...]) -> None:
    assert serves(address) == families


def ruleset(*rules: list[Any], policy: str = "drop", table: dict[str, Any] | None = None) -> Ruleset:
    """An inet table with one input chain."""
    where = {"family": "inet", "table": "f"}
    things: list[Any] = [{"metainfo": {}}, {"table": table or {"family": "inet", "name": "f"}}]
    things.append({"chain": {**where, "name": "i", "type": "filter", "hook": "input", "prio": 0, "policy": policy}})
    things += [{"rule": {**where, "chain": "i", "handle": n, "expr": e}} for n, e in enumerate(rules, 1)]
    return parse(json.dumps({"nftables": things}), "table inet f {\n\tchain i {\n\t}\n}\n")


def on(name: str, verdict: str = "accept") -> list[Any]:
    return [{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": name}}, {verdict: None}]


def verdict(rules: Ruleset, interfaces: set[str] | None, legacy: Any = None) -> str:
    found = exposure(
        Firewall(rules, legacy or {}, None if interfaces is None else frozenset(interfaces)),
        proto="tcp", port=445, address="", families=("ipv4",),
    ).verdict  # fmt: skip
    return "unknown" if isinstance(found, Unknown) else found


def test_open_on_a_real_interface_is_open_and_on_none_there_is_not() -> None:
    rules = ruleset(on("eth0"), on("docker0"))
    assert verdict(rules, {"eth0"}) == "open"
    assert verdict(rules, {"eth1"}) == "unknown"  # reachable through docker0 perhaps, but surely not from outside
    assert verdict(rules, set()) == "unknown"
    assert verdict(rules, None) == "unknown"


def test_blocked_must_hold_for_interfaces_that_may_come() -> None:
    assert verdict(ruleset(on("eth0", "drop"), policy="accept"), {"eth0"}) == "unknown"
    assert verdict(ruleset(on("lo")), {"eth0"}) == "blocked"
    assert verdict(ruleset(on("wl*")), {"eth0"}) == "unknown"


@pytest.mark.parametrize(
    ("tables", "blocks", "opens"),
    [(set(), "blocked", "open"), ({"filter"}, "blocked", "unknown"), ({"nat"}, "unknown", "unknown"),
     ({"mangle"}, "unknown", "unknown")],
)  # fmt: skip
def test_tables_of_the_old_back_end(tables: set[str], blocks: str, opens: str) -> None:
    legacy = {"ipv4": frozenset(tables)}
    assert verdict(ruleset(), None, legacy) == blocks
    assert verdict(ruleset([{"accept": None}]), None, legacy) == opens


@pytest.mark.parametrize(
    "statement",
    ["jump { accept }", {"queue": None}, {"synproxy": {}}, {"new-thing": 1}, {"xt": None}, {"xt": {"type": "target", "name": "X"}},
     {"jump": {"target": "gone"}}, {"goto": {"target": "gone"}}, {"vmap": {"key": {"socket": {}}, "data": {"set": [[1, {"accept": None}], [2, {"drop": None}]]}}},
     {"vmap": {"key": 1, "data": "@gone"}}, {"a": 1, "b": 2}],
)  # fmt: skip
def test_what_is_not_understood_neither_blocks_nor_opens(statement: Any) -> None:
    assert verdict(ruleset([statement]), None) == "unknown"
    assert verdict(ruleset([statement], [{"accept": None}]), None) == "unknown"


@pytest.mark.parametrize(
    "left",
    [{"payload": {"base": "th", "offset": 16, "len": 16}}, {"tcp option": {"name": "mss"}}, {"rt": {"key": "mtu"}}, {"socket": {}},
     {"meta": {"key": "mark"}}, {"ct": {"key": "mark"}}, {"ct": {"key": "state", "dir": "original"}}, "odd", {}, None, {"a": 1, "b": 2}],
)  # fmt: skip
@pytest.mark.parametrize("word", ["accept", "drop"])
def test_a_condition_that_is_not_understood(left: Any, word: str) -> None:
    rule = [{"match": {"op": "==", "left": left, "right": 1}}, {word: None}]
    assert verdict(ruleset(rule, policy="drop" if word == "accept" else "accept"), None) == "unknown"


@pytest.mark.parametrize(
    ("json_text", "plain"),
    [
        ("", ""), ("[]", ""), ("{}", ""), ('{"nftables": []}', ""), ('{"nftables": [{"metainfo": {}}]}', "table inet f {\n}\n"),
        ('{"nftables": [{"metainfo": {}}, {"table": {"family": "inet", "name": "f"}}]}', ""),
        ('{"nftables": [{"metainfo": {}}, {"table": {"family": "inet", "name": "f"}}]}', "table inet f {\n"),
        ('{"nftables": [{"metainfo": {}}, "x"]}', ""),
    ],
)  # fmt: skip
def test_listings_that_do_not_agree_are_refused(json_text: str, plain: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of them
        parse(json_text, plain)


def test_a_sleeping_table_does_nothing() -> None:
    things = [{"metainfo": {}}, {"table": {"family": "inet", "name": "f", "flags": "d"}},
              {"chain": {"family": "inet", "table": "f", "name": "i", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}}]  # fmt: skip
    rules = parse(json.dumps({"nftables": things}), "table inet f {\n\tflags dormant\n\n\tchain i {\n\t}\n}\n")
    assert verdict(rules, None) == "open"


@pytest.mark.parametrize(
    "text", ["tcp dport 22 xt match \"recent\" accept", "accept accept2", "ct mark 0x1 accept", "tcp dport", "{", "reject with magic"]
)  # fmt: skip
def test_printed_rules_with_strange_words_are_left_alone(text: str) -> None:
    assert translated(text) is None


def test_a_printed_rule() -> None:
    assert translated("meta l4proto tcp ct state related,established tcp dport != { 22, 80-90 } counter packets 0 bytes 0 reject") == (
        {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "tcp"}},
        {"match": {"op": "==", "left": {"ct": {"key": "state"}}, "right": {"set": ["related", "established"]}}},
        {"match": {"op": "!=", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [22, {"range": [80, 90]}]}}},
        {"reject": None},
    )  # fmt: skip
