"""From the YAML of a condition to its tree, with every problem named in Chinese and placed on its line."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ybscan.model.expression import WORDS, AbsentMeans, All, AnyOf, Expression, Leaf, Not, Operand, Quantified, Ref
from ybscan.model.facts import FactSpec, Kind, Plain
from ybscan.model.problem import did_you_mean
from ybscan.model.rule import Param
from ybscan.model.site import Site, parse_duration, setting
from ybscan.rules.strict_yaml import Map, Seq

STRUCTURE = ("all", "any", "not", "no_item_in", "some_item_in", "every_item_in")
_QUANTIFIERS = ("no_item_in", "some_item_in", "every_item_in")
_LISTS = frozenset({"between", "one_of", "none_of", "like_any"})

#: Which kinds of facts and fields each leaf word can be used on.
APPLIES: Mapping[str, frozenset[Kind]] = {
    "is": frozenset(Kind) - {Kind.ITEMS, Kind.TEXTS, Kind.TIME},
    "is_not": frozenset(Kind) - {Kind.ITEMS, Kind.TEXTS, Kind.TIME},
    "at_least": frozenset({Kind.INTEGER, Kind.NUMBER}),
    "at_most": frozenset({Kind.INTEGER, Kind.NUMBER}),
    "between": frozenset({Kind.INTEGER, Kind.NUMBER}),
    "one_of": frozenset({Kind.TEXT, Kind.INTEGER, Kind.NUMBER, Kind.ADDRESS, Kind.VERSION}),
    "none_of": frozenset({Kind.TEXT, Kind.INTEGER, Kind.NUMBER, Kind.ADDRESS, Kind.VERSION}),
    "like_any": frozenset({Kind.TEXT}),
    "matches": frozenset({Kind.TEXT}),
    "contains": frozenset({Kind.TEXT, Kind.TEXTS}),
    "newer_than": frozenset({Kind.TIME}),
    "older_than": frozenset({Kind.TIME}),
    "version_at_least": frozenset({Kind.VERSION, Kind.TEXT}),
}


class Catalogue(Protocol):
    """What the parser has to know of the facts; the probe registry provides it."""

    def names(self) -> tuple[str, ...]:
        """Every fact name, parametric ones included."""

    def spec(self, name: str) -> FactSpec | None:
        """The fact of that full name."""

    def check_args(self, name: str, args: Mapping[str, str]) -> list[str] | None:
        """Problems with the arguments of a parametric fact (Chinese), None when the fact takes no arguments."""

    def spec_with_args(self, name: str, args: Mapping[str, str]) -> FactSpec | None:
        """The fact as these arguments make it (its kind may depend on them)."""


@dataclass
class ExpressionParser:
    """Parses the conditions of one rule. ``report(line, message, suggestion)`` receives every problem."""

    catalogue: Catalogue
    params: Mapping[str, Param]
    report: Callable[[int, str, str], None]

    def __post_init__(self) -> None:
        self.used_params: set[str] = set()

    def parse(self, raw: Any, line: int, item: FactSpec | None = None) -> Expression | None:
        """The tree of one condition, or None when it cannot be made (a problem was reported).

        ``item`` is the list fact whose items are in hand inside ``where``, ``except`` and ``expect_item``.
        """
        if not isinstance(raw, Map) or not raw:
            self.report(line, "条件不能为空，应为“键: 值”形式", "例如 { fact: …, is: … }")
            return None
        structure = [k for k in raw if k in STRUCTURE]
        if len(structure) > 1:
            self.report(raw.line, f"一个条件只能用一个结构词，这里有 {'、'.join(structure)}", "请用 all 把它们组合起来")
            return None
        if not structure:
            return self._leaf(raw, item)
        word = structure[0]
        at = raw.line_of(word)
        if word in ("all", "any"):
            self._only(raw, {word})
            parts = raw[word]
            if not isinstance(parts, Seq) or not parts:
                self.report(at, f"{word} 后应为至少一个条件的列表", "空条件永远成立，不允许使用")
                return None
            parsed = [self.parse(p, parts.line_of(i), item) for i, p in enumerate(parts)]
            done = tuple(p for p in parsed if p is not None)
            if len(done) != len(parsed):
                return None
            return All(done) if word == "all" else AnyOf(done)
        if word == "not":
            self._only(raw, {"not"})
            inner = self.parse(raw["not"], at, item)
            return Not(inner) if inner is not None else None
        return self._quantified(word, raw, at)

    def _only(self, raw: Map, allowed: set[str]) -> None:
        for key in raw:
            if key not in allowed:
                self.report(raw.line_of(key), f"不认识的键“{key}”", did_you_mean(key, allowed))

    def _quantified(self, word: str, raw: Map, at: int) -> Expression | None:
        self._only(
            raw,
            {word, "args", "where", "except", "when_absent"} | ({"expect_item"} if word == "every_item_in" else set()),
        )
        name = raw[word]
        args = self._args(raw)
        spec = self._spec(name, args, at)
        if spec is None or args is None:
            return None
        if spec.kind is not Kind.ITEMS:
            self.report(
                at, f"“{name}”是{spec.kind.label}，不是条目列表，不能用 {word}", "请改用比较词，例如 is、at_least"
            )
            return None
        ok = True
        branches: dict[str, Expression | None] = {}
        for key in ("where", "except", "expect_item"):
            branches[key] = None
            if key in raw:
                branches[key] = self.parse(raw[key], raw.line_of(key), spec)
                ok = ok and branches[key] is not None
        if word == "every_item_in" and "expect_item" not in raw:
            self.report(at, "every_item_in 缺少 expect_item（对每一条的要求）", "")
            ok = False
        absent = self._when_absent(raw)
        if not ok:
            return None
        return Quantified(
            word=word,  # type: ignore[arg-type]
            fact=name, where=branches["where"], exempt=branches["except"], expect_item=branches["expect_item"],
            args=args, when_absent=absent, line=at,
        )  # fmt: skip

    def _leaf(self, raw: Map, item: FactSpec | None) -> Expression | None:
        words = [k for k in raw if k in WORDS]
        self_keys = {"fact", "field", "args", "when_absent", *WORDS}
        for key in raw:
            if key not in self_keys:
                self.report(raw.line_of(key), f"不认识的键“{key}”", did_you_mean(key, self_keys | set(STRUCTURE)))
        if len(words) != 1:
            what = "缺少比较词" if not words else f"只能有一个比较词，这里有 {'、'.join(words)}"
            self.report(raw.line, what, f"可用：{'、'.join(WORDS)}" if not words else "请用 all 把它们组合起来")
            return None
        word = words[0]
        if ("fact" in raw) == ("field" in raw):
            hint = "条目的条件请写 field，其余写 fact" if item else "请写 fact: 事实名"
            self.report(raw.line, "条件应写明 fact 或 field 之一", hint)
            return None
        args: tuple[tuple[str, str], ...] | None = ()
        if "field" in raw:
            if "args" in raw:
                self.report(raw.line_of("args"), "args 只能与 fact 一起使用", "请删除 args")
            kind = self._field_kind(raw, item)
            name, field = "", str(raw["field"])
        else:
            args = self._args(raw)
            spec = self._spec(raw["fact"], args, raw.line_of("fact"))
            kind = spec.kind if spec else None
            name, field = str(raw["fact"]), ""
        if kind is None or args is None:
            return None
        at = raw.line_of(word)
        if kind not in APPLIES[word]:
            fits = "、".join(w for w in WORDS if kind in APPLIES[w]) or "no_item_in、some_item_in、every_item_in"
            self.report(at, f"{word} 不适用于{kind.label}", f"可用：{fits}")
            return None
        operand = self._operand(word, kind, raw[word], at)
        if operand is None:
            return None
        return Leaf(word, operand, name, field, args, self._when_absent(raw), at)

    def _field_kind(self, raw: Map, item: FactSpec | None) -> Kind | None:
        at = raw.line_of("field")
        if item is None:
            self.report(at, "field 只能用在 where、except、expect_item 之内", "此处请写 fact")
            return None
        field = item.field_by_name.get(str(raw["field"]))
        if field is None:
            self.report(
                at, f"列表“{item.name}”的条目没有字段“{raw['field']}”",
                did_you_mean(str(raw["field"]), item.field_by_name) or f"可用：{'、'.join(item.field_by_name)}",
            )  # fmt: skip
            return None
        return field.kind

    def _spec(self, name: Any, args: tuple[tuple[str, str], ...] | None, line: int) -> FactSpec | None:
        if not isinstance(name, str) or self.catalogue.spec(name) is None:
            self.report(
                line,
                f"没有名为“{name}”的事实",
                did_you_mean(str(name), self.catalogue.names()) or "用 ybscan facts list 查看全部",
            )
            return None
        if args is None:
            return None
        given = dict(args)
        problems = self.catalogue.check_args(name, given)
        if problems is None:
            if args:
                self.report(line, f"事实“{name}”不带参数", "请删除 args")
                return None
            return self.catalogue.spec(name)
        for problem in problems:
            self.report(line, problem, "")
        return None if problems else self.catalogue.spec_with_args(name, given)

    def _args(self, raw: Map) -> tuple[tuple[str, str], ...] | None:
        if "args" not in raw:
            return ()
        args = raw["args"]
        if not isinstance(args, Map) or not all(
            isinstance(v, (str, int)) and not isinstance(v, bool) for v in args.values()
        ):
            self.report(raw.line_of("args"), "args 应为“参数: 文字”的形式", "")
            return None
        return tuple(sorted((k, str(v)) for k, v in args.items()))

    def _when_absent(self, raw: Map) -> AbsentMeans:
        value = raw.get("when_absent", "unknown")
        if value in ("pass", "fail", "unknown"):
            return value  # type: ignore[no-any-return]
        self.report(raw.line_of("when_absent"), f"when_absent 不能是“{value}”", "只能是 pass、fail 或 unknown")
        return "unknown"

    # Operands ---------------------------------------------------------------------------------------------------

    def _operand(self, word: str, kind: Kind, raw: Any, line: int) -> Operand | None:
        if word in _LISTS:
            if isinstance(raw, str) and raw.startswith("$"):
                return self._ref(raw, line)
            if not isinstance(raw, Seq) or not raw:
                self.report(line, f"{word} 后应为非空列表", "例如 [a, b]")
                return None
            if word == "between" and len(raw) != 2:
                self.report(line, "between 后应为两个数：[下限, 上限]", "")
                return None
            parts = [self._scalar(word, kind, v, raw.line_of(i)) for i, v in enumerate(raw)]
            done = tuple(p for p in parts if p is not None)
            if len(done) != len(parts):
                return None
            if word == "between" and all(isinstance(p, (int, float)) for p in done) and done[0] > done[1]:  # type: ignore[operator]
                self.report(line, "between 的下限大于上限", "")
                return None
            return done
        return self._scalar(word, kind, raw, line)

    def _ref(self, raw: str, line: int) -> Ref | None:
        name = raw[1:]
        if name.startswith("site."):
            try:
                setting(Site(), name[5:])
            except KeyError:
                self.report(line, f"单位配置中没有“{name[5:]}”", "请核对 site.yml 的键名")
                return None
        elif name not in self.params:
            self.report(line, f"没有定义参数“{name}”", did_you_mean(name, self.params) or "请在 params 中定义")
            return None
        else:
            self.used_params.add(name)
        return Ref(name)

    def _scalar(self, word: str, kind: Kind, raw: Any, line: int) -> Plain | Ref | None:
        if isinstance(raw, str) and raw.startswith("$"):
            return self._ref(raw, line)
        problem = _misfit(word, kind, raw)
        if problem:
            self.report(line, f"{word} 的值“{raw}”不合适：{problem}", "")
            return None
        return raw  # type: ignore[no-any-return]


def bad_expression(text: str) -> str:
    """Why a text is no regular expression, as it is compared (after NFKC: a full-width bracket becomes a plain one)."""
    try:
        for form in (text, unicodedata.normalize("NFKC", text)):
            re.compile(form)
    except re.error as e:
        return f"正则表达式有误（{e.msg}）"
    except (OverflowError, RecursionError):
        return "正则表达式过于复杂"
    return ""


def _misfit(word: str, kind: Kind, raw: Any) -> str:
    """Why ``raw`` cannot stand after ``word`` for a fact of ``kind``; empty when it can."""
    if isinstance(raw, (Map, Seq)) or raw is None or isinstance(raw, datetime):
        return "应为单个值"
    if word in ("newer_than", "older_than"):
        if not isinstance(raw, str):
            return "应为时长，例如 24h、7d"
        try:
            parse_duration(raw)
        except ValueError as e:
            return str(e)
        return ""
    if word in ("matches", "like_any", "contains", "version_at_least"):
        if not isinstance(raw, str) or not raw:
            return "应为文字，数字请加引号"
        if word == "matches":
            return bad_expression(raw)
        return ""
    if kind is Kind.BOOLEAN:
        return "" if isinstance(raw, bool) else "应为 true 或 false"
    if kind in (Kind.INTEGER, Kind.NUMBER):
        if isinstance(raw, bool) or not isinstance(raw, (int, float)):
            return "应为数字"
        return "应为整数" if kind is Kind.INTEGER and not isinstance(raw, int) else ""
    if not isinstance(raw, str):
        return "应为文字，请加引号"
    if kind is Kind.ADDRESS:
        try:
            ipaddress.ip_network(raw, strict=False)
        except ValueError:
            return "应为 IP 地址或网段"
    return ""
