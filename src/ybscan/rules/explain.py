"""A rule's conditions in Chinese: what is compared, how parts combine, what absence means. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ybscan.model.expression import All, AnyOf, Expression, Leaf, Not, Quantified, Ref, fact_key
from ybscan.model.facts import FactSpec
from ybscan.model.rule import Rule
from ybscan.rules.expressions import Catalogue

_ABSENT = {"pass": "符合", "fail": "不符合", "unknown": "无法判定"}
_WORDS = {
    "is": "等于", "is_not": "不等于", "at_least": "不小于", "at_most": "不大于", "between": "介于", "one_of": "属于",
    "none_of": "不属于", "like_any": "与通配之一相符", "matches": "与正则表达式相符", "contains": "包含",
    "newer_than": "不早于最近", "older_than": "早于最近", "version_at_least": "版本不低于",
}  # fmt: skip
_OS = {"linux": "Linux", "windows": "Windows"}


def explain(rule: Rule, catalogue: Catalogue) -> Iterator[str]:
    """The rule's logic, one line each, indented by depth."""
    for check in rule.checks:
        roles = "、".join(r.text for r in check.roles) or "全部终端"
        yield f"适用于 {'、'.join(_OS[o] for o in check.os)}（{roles}）："
        if check.when is not None:
            yield "  仅在以下条件成立时适用："
            yield from _lines(check.when, rule, catalogue, 2, None)
        yield "  符合的条件："
        yield from _lines(check.expect, rule, catalogue, 2, None)


def _lines(node: Expression, rule: Rule, catalogue: Catalogue, depth: int, item: FactSpec | None) -> Iterator[str]:
    pad = "  " * depth
    if isinstance(node, (All, AnyOf)):
        yield f"{pad}以下{'全部' if isinstance(node, All) else '至少一项'}成立："
        for part in node.parts:
            yield from _lines(part, rule, catalogue, depth + 1, item)
    elif isinstance(node, Not):
        yield f"{pad}以下不成立："
        yield from _lines(node.part, rule, catalogue, depth + 1, item)
    elif isinstance(node, Leaf):
        yield pad + _leaf(node, rule, catalogue, item)
    else:
        yield from _quantified(node, rule, catalogue, depth)


def _leaf(leaf: Leaf, rule: Rule, catalogue: Catalogue, item: FactSpec | None) -> str:
    if leaf.field:
        field = item.field_by_name.get(leaf.field) if item else None
        name, unit = (field.label, field.unit) if field else (leaf.field, "")
    else:
        spec = catalogue.spec_with_args(leaf.fact, dict(leaf.args))
        name, unit = (spec.label, spec.unit) if spec else (leaf.fact, "")
        name = f"{name}［{fact_key(leaf.fact, leaf.args)}］"
    absent = "" if leaf.field else f"；没有该信息时：{_ABSENT[leaf.when_absent]}"
    return f"{name} {_WORDS[leaf.word]} {_operand(leaf.operand, rule)}{unit}{absent}"


def _quantified(node: Quantified, rule: Rule, catalogue: Catalogue, depth: int) -> Iterator[str]:
    pad = "  " * depth
    spec = catalogue.spec_with_args(node.fact, dict(node.args))
    name = f"“{spec.label if spec else node.fact}”［{fact_key(node.fact, node.args)}］"
    head = {"no_item_in": "中没有", "some_item_in": "中至少有一条", "every_item_in": "中的每一条"}[node.word]
    yield f"{pad}{name}{head}{'满足以下条件的条目' if node.where else '条目' if node.word != 'every_item_in' else ''}：".replace(
        "每一条：", "每一条都满足："
    )
    if node.where is not None:
        yield from _lines(node.where, rule, catalogue, depth + 1, spec)
    if node.exempt is not None:
        yield f"{pad}  但以下除外："
        yield from _lines(node.exempt, rule, catalogue, depth + 2, spec)
    if node.expect_item is not None:
        yield f"{pad}  要求："
        yield from _lines(node.expect_item, rule, catalogue, depth + 2, spec)
    yield f"{pad}  没有该信息来源时：{_ABSENT[node.when_absent]}；列表只读到一部分且未命中时：无法判定"


def _operand(operand: Any, rule: Rule) -> str:
    if isinstance(operand, tuple):
        return "、".join(_operand(o, rule) for o in operand)
    if isinstance(operand, Ref):
        if operand.is_site:
            return f"单位配置 {operand.name[5:]}"
        param = rule.params[operand.name]
        default = "、".join(map(str, param.default)) if isinstance(param.default, tuple) else param.default
        return f"{default}（参数“{param.label}”，{_MAY[param.site_may]}）"
    if isinstance(operand, bool):
        return "是" if operand else "否"
    return str(operand)


_MAY = {
    "raise": "单位只能调高",
    "lower": "单位只能调低",
    "extend": "单位只能增加",
    "replace": "单位可以改换",
    "never": "不能修改",
}


TRUTH_TABLE = (
    "判定采用三值逻辑：",
    "  全部（all）：有一项不成立即不成立；全部成立才成立；否则无法判定。",
    "  至少一项（any）：有一项成立即成立；全部不成立才不成立；否则无法判定。",
    "  不（not）：成立与不成立互换，无法判定仍为无法判定。",
    "  读取失败的信息一律按无法判定处理，不会变成符合。",
)
