"""Three-valued evaluation of a condition, keeping what decided it. Pure.

Kleene's tables: ``all`` is false as soon as one part is false, true when every part is true, else unknown; ``any``
mirrors it; ``not`` swaps true and false. An Outcome carries the observations that decided: the false parts of a false
``all``, the true parts of a true ``any``, the unknown parts of an unknown one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ybscan.engine.matchers import MATCHERS, Answer, expected_text
from ybscan.engine.wording import field_of, item_text, items_text, json_value, value_text
from ybscan.model.expression import All, AnyOf, Expression, Leaf, Not, Operand, Quantified, Ref, Resolved, fact_key
from ybscan.model.facts import Fact, FactSet, FactSpec, Field, Item, Kind, Plain
from ybscan.model.reading import Absent, Cause, Known, Unknown
from ybscan.model.result import Observation, Status

Truth = bool | None
"""True, False, or None for unknown."""

_STATUS = {True: Status.PASS, False: Status.FAIL, None: Status.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a condition came to, and the observations that made it so."""

    truth: Truth
    observations: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything an evaluation may look at. ``specs`` maps full fact names to what they mean."""

    facts: FactSet
    specs: Callable[[str, tuple[tuple[str, str], ...]], FactSpec | None]
    values: Resolved
    """Operands of references, by reference name; a missing or None value is 未配置."""
    now: datetime


def evaluate(expression: Expression, scope: Scope) -> Outcome:
    """Evaluate a condition about the terminal."""
    return _evaluate(expression, scope, None, None, negated=False)


def _evaluate(node: Expression, scope: Scope, item: Item | None, spec: FactSpec | None, *, negated: bool) -> Outcome:
    if isinstance(node, All):
        return _joined([_evaluate(p, scope, item, spec, negated=negated) for p in node.parts], decisive=False)
    if isinstance(node, AnyOf):
        return _joined([_evaluate(p, scope, item, spec, negated=negated) for p in node.parts], decisive=True)
    if isinstance(node, Not):
        inner = _evaluate(node.part, scope, item, spec, negated=not negated)
        return Outcome(None if inner.truth is None else not inner.truth, inner.observations)
    if isinstance(node, Quantified):
        return _quantified(node, scope, negated=negated)
    return _leaf(node, scope, item, spec, negated=negated)


def _joined(outcomes: list[Outcome], *, decisive: bool) -> Outcome:
    """``any`` with ``decisive`` true, ``all`` with false."""
    truth: Truth = not decisive
    if any(o.truth is decisive for o in outcomes):
        truth = decisive
    elif any(o.truth is None for o in outcomes):
        truth = None
    seen: list[Observation] = []  # not a dict: the value of a list fact does not hash
    for outcome in outcomes:
        if outcome.truth is truth:
            seen.extend(o for o in outcome.observations if o not in seen)
    return Outcome(truth, tuple(seen))


def _operand(operand: Operand, scope: Scope) -> Plain | tuple[Plain, ...] | Unknown:
    if isinstance(operand, Ref):
        value = scope.values.get(operand.name)
        if value is None:
            what = f"site.yml 的 {operand.name[5:]}" if operand.is_site else f"参数 {operand.name}"
            return Unknown(Cause.NOT_CONFIGURED, what, "site.yml")
        return value
    if isinstance(operand, tuple):
        parts: list[Plain] = []
        for one in operand:
            part = _operand(one, scope)
            if isinstance(part, Unknown):
                return part
            parts.extend(part if isinstance(part, tuple) else (part,))
        return tuple(parts)
    return operand


def _observation(
    name: str, truth: Truth, value: Any, expected: str, origin: str, sentence: str, *, negated: bool
) -> Observation:
    status = _STATUS[truth if truth is None or not negated else not truth]
    return Observation(
        fact=name, status=status, value=json_value(value), expected=expected, origin=origin, sentence=sentence
    )


def _leaf(leaf: Leaf, scope: Scope, item: Item | None, item_spec: FactSpec | None, *, negated: bool) -> Outcome:
    if leaf.field:
        field = field_of(item_spec, leaf.field)
        raw = (item or {}).get(leaf.field)
        reading: Fact = raw if isinstance(raw, Unknown) else Absent() if raw is None else Known(raw)
        name = leaf.field
        words = ("是", "否")
    else:
        spec = scope.specs(leaf.fact, leaf.args)
        field = Field(
            leaf.fact, spec.kind if spec else Kind.TEXT, spec.label if spec else leaf.fact, spec.unit if spec else ""
        )
        words = spec.words if spec else ("是", "否")
        name = fact_key(leaf.fact, leaf.args)
        reading = scope.facts.get(name) or Unknown(Cause.PROBE_ERROR, f"没有得到事实 {name}")
    wanted = _operand(leaf.operand, scope)
    expected = (
        ""
        if isinstance(wanted, Unknown)
        else expected_text(leaf.word, wanted, unit=field.unit, words=words, negated=negated)
    )
    origin = reading.origin
    if isinstance(reading, Unknown):
        sentence = f"{field.label}无法确定：{reading.text}"
        return Outcome(None, (_observation(name, None, None, expected, origin, sentence, negated=negated),))
    if isinstance(reading, Absent):
        truth = {"pass": True, "fail": False, "unknown": None}[leaf.when_absent]
        sentence = f"{field.label}未设置" + (f"，要求{expected}" if truth is not True and expected else "")
        return Outcome(truth, (_observation(name, truth, None, expected, origin, sentence, negated=negated),))
    shown = value_text(reading.value, unit=field.unit, words=words)
    if isinstance(wanted, Unknown):
        sentence = f"{field.label}为“{shown}”，但{wanted.text}，无法比对"
        return Outcome(None, (_observation(name, None, reading.value, "", origin, sentence, negated=negated),))
    answer = _compare(leaf, field.kind, reading.value, wanted, scope.now)
    # A list of texts read in part: an element that was not seen may still be there.
    if leaf.word == "contains" and answer is False and reading.gaps:
        answer = Unknown(Cause.INCOMPLETE, reading.gaps[0].text)
    if isinstance(answer, Unknown):
        sentence = f"{field.label}为“{shown}”，无法判断是否{expected}：{answer.text}"
        return Outcome(None, (_observation(name, None, reading.value, expected, origin, sentence, negated=negated),))
    sentence = f"{field.label}为“{shown}”，要求{expected}"
    return Outcome(answer, (_observation(name, answer, reading.value, expected, origin, sentence, negated=negated),))


def _compare(leaf: Leaf, kind: Kind, value: Any, wanted: Any, now: datetime) -> Answer:
    if leaf.word in ("one_of", "none_of", "like_any") and not isinstance(wanted, tuple):
        wanted = (wanted,)
    try:
        return MATCHERS[leaf.word](kind, value, wanted, now)
    except (TypeError, AttributeError, ValueError):
        return Unknown(Cause.MALFORMED, f"值的类型不是{kind.label}")


def _quantified(node: Quantified, scope: Scope, *, negated: bool) -> Outcome:
    name = fact_key(node.fact, node.args)
    spec = scope.specs(node.fact, node.args)
    label = spec.label if spec else node.fact
    reading = scope.facts.get(name) or Unknown(Cause.PROBE_ERROR, f"没有得到事实 {name}")
    origin = reading.origin

    def outcome(truth: Truth, value: Any, sentence: str, expected: str = "") -> Outcome:
        return Outcome(truth, (_observation(name, truth, value, expected, origin, sentence, negated=negated),))

    if isinstance(reading, Unknown):
        return outcome(None, None, f"{label}无法确定：{reading.text}")
    if isinstance(reading, Absent):
        truth = {"pass": True, "fail": False, "unknown": None}[node.when_absent]
        return outcome(truth, None, f"{label}：系统中没有这类信息来源")
    items = reading.value
    if not isinstance(items, tuple) or spec is None:
        return outcome(None, None, f"{label}无法识别")

    hits: list[Item] = []
    doubts: list[tuple[Item, str]] = []
    selected = 0
    for item in items:
        assert not isinstance(item, str)  # noqa: S101 - a list fact holds items
        meant = _meant(node, scope, item, spec)
        if meant.truth is False:
            continue
        selected += meant.truth is True
        if node.word == "every_item_in":
            assert node.expect_item is not None  # noqa: S101 - the loader demands it
            held = _evaluate(node.expect_item, scope, item, spec, negated=False)
            if held.truth is True:
                continue
            if held.truth is False and meant.truth is True:
                hits.append(item)
            else:
                doubts.append((item, _why(held if held.truth is None else meant)))
        elif meant.truth is True:
            hits.append(item)
        else:
            doubts.append((item, _why(meant)))

    listed = [json_value(i) for i in (hits or [d[0] for d in doubts])[:50]]
    missing = "；".join(g.text for g in reading.gaps[:3])
    found = items_text(spec, tuple(hits)) if hits else ""
    doubtful = "；".join(f"{item_text(spec, i)}：{why}" for i, why in doubts[:5]) + (
        f"；等共 {len(doubts)} 项" if len(doubts) > 5 else ""
    )
    if hits:
        if node.word == "some_item_in":
            return outcome(True, listed, f"{label}：有 {len(hits)} 项满足（{found}）")
        what = "不满足要求" if node.word == "every_item_in" else "属于不应存在的"
        return outcome(False, listed, f"{label}：{len(hits)} 项{what}（{found}）")
    if doubts:
        return outcome(None, listed, f"{label}：{len(doubts)} 项无法判定（{doubtful}）")
    if reading.gaps:
        return outcome(None, [], f"{label}只读取到一部分，未读到的部分无法判定：{missing}")
    if node.word == "some_item_in":
        return outcome(False, [], f"{label}：共 {len(items)} 项，没有满足要求的")
    if node.word == "every_item_in":
        return outcome(True, [], f"{label}：{selected} 项均满足要求" if selected else f"{label}：没有需要检查的项")
    return outcome(
        True, [], f"{label}：共 {len(items)} 项，检查时未发现不应存在的" if items else f"{label}：检查时未发现"
    )


def _meant(node: Quantified, scope: Scope, item: Item, spec: FactSpec) -> Outcome:
    """Whether the item is one the condition speaks of: ``where`` holds and ``except`` does not."""
    outcomes = []
    if node.where is not None:
        outcomes.append(_evaluate(node.where, scope, item, spec, negated=False))
    if node.exempt is not None:
        inner = _evaluate(node.exempt, scope, item, spec, negated=True)
        outcomes.append(Outcome(None if inner.truth is None else not inner.truth, inner.observations))
    return _joined(outcomes, decisive=False) if outcomes else Outcome(True)


def _why(outcome: Outcome) -> str:
    return (
        "；".join(dict.fromkeys(o.sentence for o in outcome.observations if o.status is Status.UNKNOWN)) or "信息不足"
    )


def unknown_reasons(outcome: Outcome) -> str:
    """Why an outcome is unknown, joined for a finding's ``reason``."""
    return "；".join(dict.fromkeys(o.sentence for o in outcome.observations))
