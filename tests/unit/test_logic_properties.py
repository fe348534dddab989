"""What must hold of every condition whatever it says: less knowledge never gives another verdict, only none.

Conditions are drawn at random over a small set of facts of every kind; facts and item fields are then taken away one
by one or all at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ybscan.engine.logic import Scope, evaluate, unknown_reasons
from ybscan.model.expression import (
    All,
    AnyOf,
    Expression,
    Leaf,
    Not,
    Quantified,
    Ref,
    Resolved,
    facts_read,
    leaves,
)
from ybscan.model.facts import Fact, FactSpec, Field, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.model.result import Status

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
FIELDS = (
    Field("name", Kind.TEXT, "名称"), Field("size", Kind.INTEGER, "大小"), Field("on", Kind.BOOLEAN, "启用"),
    Field("at", Kind.TIME, "时间"),
)  # fmt: skip
SPECS: dict[str, FactSpec] = {
    "p.text": FactSpec("text", Kind.TEXT, "文字"),
    "p.number": FactSpec("number", Kind.INTEGER, "数", unit="位"),
    "p.flag": FactSpec("flag", Kind.BOOLEAN, "开关"),
    "p.time": FactSpec("time", Kind.TIME, "时间"),
    "p.version": FactSpec("version", Kind.VERSION, "版本"),
    "p.address": FactSpec("address", Kind.ADDRESS, "地址"),
    "p.texts": FactSpec("texts", Kind.TEXTS, "清单"),
    "p.items": FactSpec("items", Kind.ITEMS, "条目", fields=FIELDS, summary="{name}"),
}

# Values and facts ----------------------------------------------------------------------------------------------

words = st.sampled_from(["QQ", "qq", "ＱＱ", "WeChat", "微信", "", "a.b", "8.2"])
times = st.integers(-100, 1000).map(lambda hours: NOW - timedelta(hours=hours))
values: Mapping[Kind, st.SearchStrategy[Any]] = {
    Kind.TEXT: words,
    Kind.INTEGER: st.integers(-2, 10),
    Kind.BOOLEAN: st.booleans(),
    Kind.TIME: times,
    Kind.VERSION: st.sampled_from(["8.2", "8.10", "9", "8.2p1", "beta"]),
    Kind.ADDRESS: st.sampled_from(["10.0.0.1", "10.1.0.1", "fe80::1%eth0", "::1", "错"]),
    Kind.TEXTS: st.lists(words, max_size=3).map(tuple),
}
unknowns = st.sampled_from(
    [Unknown(Cause.DENIED, "x"), Unknown(Cause.TIMEOUT), Unknown(Cause.NOT_CONFIGURED, "site.yml")]
)
gaps = st.sampled_from([(), (Gap(Cause.DENIED, "一部分"),)])


@st.composite
def items(draw: st.DrawFn) -> dict[str, Any]:
    """An item whose fields may be known, absent or unknown."""
    return {f.name: draw(st.one_of(values[f.kind], values[f.kind], st.none(), unknowns)) for f in FIELDS}


@st.composite
def readings(draw: st.DrawFn, kind: Kind) -> Fact:
    """A reading of a fact of ``kind``; lists may have gaps."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.one_of(st.just(Absent("x")), unknowns))
    if kind is Kind.ITEMS:
        return Known(tuple(draw(st.lists(items(), max_size=4))), "x", draw(gaps))
    if kind is Kind.TEXTS:
        return Known(draw(values[kind]), "x", draw(gaps))
    return Known(draw(values[kind]), "x")


fact_sets = st.fixed_dictionaries({name: readings(spec.kind) for name, spec in SPECS.items()})

# Conditions ----------------------------------------------------------------------------------------------------

_TEXT_WORDS = ("is", "is_not", "one_of", "none_of", "like_any", "matches", "contains", "version_at_least")
_WORDS: Mapping[Kind, tuple[str, ...]] = {
    Kind.TEXT: _TEXT_WORDS,
    Kind.INTEGER: ("is", "is_not", "at_least", "at_most", "between", "one_of", "none_of"),
    Kind.BOOLEAN: ("is", "is_not"),
    Kind.TIME: ("newer_than", "older_than"),
    Kind.VERSION: ("is", "is_not", "one_of", "none_of", "version_at_least"),
    Kind.ADDRESS: ("is", "is_not", "one_of", "none_of"),
    Kind.TEXTS: ("contains",),
}
absents = st.sampled_from(["pass", "fail", "unknown"])


@st.composite
def operands(draw: st.DrawFn, word: str, kind: Kind) -> Any:
    """What may stand after the word for that kind; now and then a reference, set or not."""
    if draw(st.integers(0, 7)) == 0 and word in ("is", "at_least", "one_of") and kind is Kind.INTEGER:
        return Ref(
            draw(st.sampled_from(["limit", "site.none", "many"] if word == "one_of" else ["limit", "site.none"]))
        )
    if word in ("newer_than", "older_than"):
        return draw(st.sampled_from(["24h", "7d", "90m"]))
    if word == "between":
        return (draw(st.integers(0, 3)), draw(st.integers(3, 8)))
    if word == "matches":
        return draw(st.sampled_from(["^q", "信$", r"\d"]))
    if kind is Kind.ADDRESS:
        one = st.sampled_from(["10.0.0.0/8", "10.0.0.1", "fe80::/10"])
    elif kind is Kind.VERSION or word == "version_at_least":
        one = st.sampled_from(["8.2", "9.0"])
    elif kind is Kind.TEXTS or kind is Kind.TEXT:
        one = st.sampled_from(["qq", "微信", "a*", "?"])
    else:
        one = values[kind]
    return (
        tuple(draw(st.lists(one, min_size=1, max_size=3))) if word in ("one_of", "none_of", "like_any") else draw(one)
    )


@st.composite
def leaf(draw: st.DrawFn, of_item: bool) -> Leaf:
    """A comparison of a fact, or of a field of the item in hand."""
    if of_item:
        field = draw(st.sampled_from(FIELDS))
        word = draw(st.sampled_from(_WORDS[field.kind]))
        return Leaf(word, draw(operands(word, field.kind)), field=field.name, when_absent=draw(absents))
    name = draw(st.sampled_from([n for n, s in SPECS.items() if s.kind is not Kind.ITEMS]))
    word = draw(st.sampled_from(_WORDS[SPECS[name].kind]))
    return Leaf(word, draw(operands(word, SPECS[name].kind)), fact=name, when_absent=draw(absents))


def joined(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """``all``, ``any`` and ``not`` over smaller conditions."""
    parts = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(parts.map(All), parts.map(AnyOf), inner.map(Not))


of_items: st.SearchStrategy[Expression] = st.recursive(leaf(True), joined, max_leaves=3)


@st.composite
def quantified(draw: st.DrawFn) -> Quantified:
    """A condition over the items."""
    word = draw(st.sampled_from(["no_item_in", "some_item_in", "every_item_in"]))
    return Quantified(
        word=word, fact="p.items", where=draw(st.none() | of_items), exempt=draw(st.none() | of_items),  # type: ignore[arg-type]
        expect_item=draw(of_items) if word == "every_item_in" else None, when_absent=draw(absents),
    )  # fmt: skip


conditions: st.SearchStrategy[Expression] = st.recursive(st.one_of(leaf(False), quantified()), joined, max_leaves=5)
relaxed = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

VALUES: Resolved = {"limit": 3, "site.none": None, "many": (1, 2, 3)}


def truth(condition: Expression, facts: Mapping[str, Fact], **values: Any) -> bool | None:
    """What a condition comes to."""
    return evaluate(condition, Scope(facts, lambda name, _: SPECS.get(name), {**VALUES, **values}, NOW)).truth


# Properties ----------------------------------------------------------------------------------------------------


@relaxed
@given(conditions, fact_sets, st.sampled_from(sorted(SPECS)), unknowns)
def test_knowing_less_leaves_the_verdict_or_takes_it_away(
    condition: Expression, facts: dict[str, Fact], name: str, why: Unknown
) -> None:
    before = truth(condition, facts)
    assume(not isinstance(facts[name], Unknown))
    assert truth(condition, {**facts, name: why}) in (before, None)


@relaxed
@given(conditions, fact_sets, st.data(), unknowns)
def test_an_unknown_field_leaves_the_verdict_or_takes_it_away(
    condition: Expression, facts: dict[str, Fact], data: st.DataObject, why: Unknown
) -> None:
    reading = facts["p.items"]
    assume(isinstance(reading, Known) and reading.value)
    assert isinstance(reading, Known)
    assert isinstance(reading.value, tuple)
    position = data.draw(st.integers(0, len(reading.value) - 1))
    field = data.draw(st.sampled_from([f.name for f in FIELDS]))
    blurred = tuple({**item, field: why} if i == position else item for i, item in enumerate(reading.value))  # type: ignore[dict-item]
    assert truth(condition, {**facts, "p.items": replace(reading, value=blurred)}) in (truth(condition, facts), None)


@relaxed
@given(conditions, fact_sets, st.sampled_from(["p.items", "p.texts"]))
def test_a_gap_leaves_the_verdict_or_takes_it_away(condition: Expression, facts: dict[str, Fact], name: str) -> None:
    reading = facts[name]
    assume(isinstance(reading, Known))
    assert isinstance(reading, Known)
    whole = {**facts, name: replace(reading, gaps=())}
    broken = {**facts, name: replace(reading, gaps=(Gap(Cause.DENIED, "一部分"),))}
    assert truth(condition, broken) in (truth(condition, whole), None)


@relaxed
@given(conditions, fact_sets, st.data())
def test_what_a_gap_hides_never_contradicts_the_verdict(
    condition: Expression, facts: dict[str, Fact], data: st.DataObject
) -> None:
    """With a gap, the verdict must be one that also holds for the whole list, whatever was missing."""
    reading = facts["p.items"]
    assume(isinstance(reading, Known))
    assert isinstance(reading, Known)
    missing = tuple(data.draw(st.lists(items(), min_size=1, max_size=3)))
    partial = truth(condition, {**facts, "p.items": replace(reading, gaps=(Gap(Cause.INCOMPLETE),))})
    whole = truth(condition, {**facts, "p.items": Known((*reading.value, *missing), "x")})  # type: ignore[misc, arg-type]
    assert partial is None or whole is None or partial is whole


@relaxed
@given(conditions, unknowns)
def test_nothing_known_never_passes_nor_fails(condition: Expression, why: Unknown) -> None:
    assert truth(condition, dict.fromkeys(SPECS, why)) is None


@relaxed
@given(conditions)
def test_no_facts_at_all_never_pass(condition: Expression) -> None:
    assert truth(condition, {}) is None


@relaxed
@given(conditions, fact_sets)
def test_an_operand_nobody_configured_takes_the_verdict_away(condition: Expression, facts: dict[str, Fact]) -> None:
    assert truth(condition, facts, limit=None, many=None) in (truth(condition, facts), None)


@relaxed
@given(conditions, fact_sets)
def test_negation_swaps_and_twice_is_nothing(condition: Expression, facts: dict[str, Fact]) -> None:
    plain = truth(condition, facts)
    assert truth(Not(condition), facts) is (None if plain is None else not plain)
    assert truth(Not(Not(condition)), facts) is plain


@relaxed
@given(st.lists(conditions, min_size=1, max_size=4).map(tuple), fact_sets)
def test_de_morgan(parts: tuple[Expression, ...], facts: dict[str, Fact]) -> None:
    negated = tuple(Not(p) for p in parts)
    assert truth(Not(All(parts)), facts) is truth(AnyOf(negated), facts)
    assert truth(Not(AnyOf(parts)), facts) is truth(All(negated), facts)


@relaxed
@given(st.lists(conditions, min_size=1, max_size=4), fact_sets, st.randoms(use_true_random=False))
def test_order_does_not_matter(parts: list[Expression], facts: dict[str, Fact], random: Any) -> None:
    shuffled = list(parts)
    random.shuffle(shuffled)
    for kind in (All, AnyOf):
        assert truth(kind(tuple(parts)), facts) is truth(kind(tuple(shuffled)), facts)


@relaxed
@given(st.lists(conditions, min_size=1, max_size=4).map(tuple), fact_sets)
def test_all_and_any_are_kleenes(parts: tuple[Expression, ...], facts: dict[str, Fact]) -> None:
    each = [truth(p, facts) for p in parts]
    assert truth(All(parts), facts) is (False if False in each else None if None in each else True)
    assert truth(AnyOf(parts), facts) is (True if True in each else None if None in each else False)


@relaxed
@given(of_items, st.none() | of_items, fact_sets)
def test_none_is_the_opposite_of_some(where: Expression, exempt: Expression | None, facts: dict[str, Fact]) -> None:
    assume(not isinstance(facts["p.items"], Absent))
    no = Quantified("no_item_in", "p.items", where=where, exempt=exempt)
    some = Quantified("some_item_in", "p.items", where=where, exempt=exempt)
    assert truth(no, facts) is truth(Not(some), facts)


@relaxed
@given(of_items, of_items, fact_sets)
def test_every_is_none_that_does_not(where: Expression, demand: Expression, facts: dict[str, Fact]) -> None:
    assume(not isinstance(facts["p.items"], Absent))
    every = Quantified("every_item_in", "p.items", where=where, expect_item=demand)
    none = Quantified("no_item_in", "p.items", where=All((where, Not(demand))))
    assert truth(every, facts) is truth(none, facts)


@relaxed
@given(of_items, of_items, fact_sets)
def test_except_is_and_not(where: Expression, exempt: Expression, facts: dict[str, Fact]) -> None:
    plain = Quantified("no_item_in", "p.items", where=where, exempt=exempt)
    spelt = Quantified("no_item_in", "p.items", where=All((where, Not(exempt))))
    assume(not isinstance(facts["p.items"], Absent))
    assert truth(plain, facts) is truth(spelt, facts)


@relaxed
@given(conditions, fact_sets)
def test_the_observations_bear_out_the_verdict(condition: Expression, facts: dict[str, Fact]) -> None:
    """Every verdict names what decided it, each with the verdict's own status and a sentence."""
    outcome = evaluate(condition, Scope(facts, lambda name, _: SPECS.get(name), VALUES, NOW))
    status = {True: Status.PASS, False: Status.FAIL, None: Status.UNKNOWN}[outcome.truth]
    assert outcome.observations
    assert {o.status for o in outcome.observations} == {status}
    assert all(o.sentence for o in outcome.observations)
    assert {o.fact for o in outcome.observations} <= set(facts_read(condition))
    assert unknown_reasons(outcome)


@relaxed
@given(conditions, fact_sets)
def test_judging_twice_gives_the_same(condition: Expression, facts: dict[str, Fact]) -> None:
    def scope() -> Scope:
        return Scope(facts, lambda name, _: SPECS.get(name), VALUES, NOW)

    assert evaluate(condition, scope()) == evaluate(condition, scope())


# Single cases --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("means", "result"), [("pass", True), ("fail", False), ("unknown", None)])
def test_when_absent(means: Any, result: bool | None) -> None:
    facts = {**dict.fromkeys(SPECS, Absent("x"))}
    assert truth(Leaf("at_least", 8, fact="p.number", when_absent=means), facts) is result
    assert truth(Not(Leaf("at_least", 8, fact="p.number", when_absent=means)), facts) is (
        None if result is None else not result
    )
    for word in ("no_item_in", "some_item_in"):
        assert truth(Quantified(word, "p.items", when_absent=means), facts) is result  # type: ignore[arg-type]
    item = Known(({"name": "x", "size": None},))
    where = Leaf("at_least", 8, field="size", when_absent=means)
    assert truth(Quantified("some_item_in", "p.items", where=where), {"p.items": item}) is result


def test_unknown_is_not_absent() -> None:
    facts = {"p.number": Unknown(Cause.DENIED)}
    for means in ("pass", "fail", "unknown"):
        assert truth(Leaf("at_least", 8, fact="p.number", when_absent=means), facts) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("means", ["pass", "fail", "unknown"])
def test_an_unknown_field_is_not_absent(means: Any) -> None:
    item: dict[str, Fact] = {"p.items": Known(({"name": "x", "size": Unknown(Cause.DENIED)},))}
    where = Leaf("at_least", 8, field="size", when_absent=means)
    assert truth(Quantified("some_item_in", "p.items", where=where), item) is None
    assert truth(Quantified("no_item_in", "p.items", where=where), item) is None
    assert truth(Quantified("every_item_in", "p.items", expect_item=where), item) is None


ON = Leaf("is", True, field="on")


@pytest.mark.parametrize(
    ("on", "has_gap", "no", "some", "every"),
    [
        ((), False, True, False, True), ((), True, None, None, None),
        ((False,), False, True, False, False), ((False,), True, None, None, False),
        ((True,), False, False, True, True), ((True,), True, False, True, None),
        ((True, False), False, False, True, False), ((True, "?"), False, False, True, None),
        ((False, "?"), False, None, None, False), (("?",), False, None, None, None),
        ((True, "?"), True, False, True, None),
    ],
)  # fmt: skip
def test_lists_whole_and_with_gaps(on: tuple[Any, ...], has_gap: bool, no: Any, some: Any, every: Any) -> None:
    made = tuple({"on": Unknown(Cause.DENIED) if o == "?" else o} for o in on)
    facts: dict[str, Fact] = {"p.items": Known(made, "x", (Gap(Cause.DENIED),) if has_gap else ())}
    assert truth(Quantified("no_item_in", "p.items", where=ON), facts) is no
    assert truth(Quantified("some_item_in", "p.items", where=ON), facts) is some
    assert truth(Quantified("every_item_in", "p.items", expect_item=ON), facts) is every


def test_a_list_of_texts_read_in_part() -> None:
    leaf = Leaf("contains", "qq", fact="p.texts")
    broken = (Gap(Cause.DENIED),)
    assert truth(leaf, {"p.texts": Known(("QQ",), "x", broken)}) is True
    assert truth(leaf, {"p.texts": Known(("wechat",), "x", broken)}) is None
    assert truth(leaf, {"p.texts": Known(("wechat",), "x")}) is False
    assert truth(Not(leaf), {"p.texts": Known(("wechat",), "x", broken)}) is None


def test_a_value_of_the_wrong_type_is_unknown() -> None:
    for value in ("acht", None, b"8"):
        facts: dict[str, Fact] = {"p.number": Known(value)}  # type: ignore[arg-type]
        assert truth(Leaf("at_least", 8, fact="p.number"), facts) is None


def test_the_drawn_conditions_reach_every_word() -> None:
    """The properties above are worth little if a word is never drawn."""
    drawn: set[str] = set()

    @settings(max_examples=400, deadline=None, database=None, derandomize=True)
    @given(conditions)
    def collect(condition: Expression) -> None:
        drawn.update(n.word for n in leaves(condition))

    collect()
    assert drawn == {w for many in _WORDS.values() for w in many} | {"no_item_in", "some_item_in", "every_item_in"}
