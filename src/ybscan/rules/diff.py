"""How the rules in force at a unit differ from the standard ones. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ybscan.model.rule import Rule, Waiver
from ybscan.model.site import Site

Kind = Literal["added", "removed", "changed", "tightened", "waived", "delegated"]

KIND_TEXT: Mapping[Kind, str] = {
    "added": "增加的规则", "removed": "缺少的规则", "changed": "改动的规则", "tightened": "收紧的参数",
    "waived": "已批准的例外", "delegated": "委托管控",
}  # fmt: skip

#: What makes a rule what it is; where a rule lies and what its notes say changes no verdict.
_PARTS = {
    "title": "名称", "severity": "风险等级", "clauses": "依据", "params": "参数", "delegable": "可委托范围",
    "checks": "检查条件", "method": "检查方法", "remediation": "整改办法", "rationale": "检查理由",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which the unit departs from the standard."""

    kind: Kind
    rule: str
    text: str


def differences(
    standard: Iterable[Rule],
    ours: Iterable[Rule],
    site: Site,
    waivers: Iterable[Waiver],
    tighten: Callable[[Any, Any], tuple[Any, str]],
) -> tuple[Difference, ...]:
    """Every difference, rules first, then what the site file changes.

    ``tighten`` is :func:`ybscan.engine.params.tightened`, passed in since rules must not import the engine.
    """
    base = {r.id: r for r in standard}
    here = {r.id: r for r in ours}
    found: list[Difference] = []
    for rule_id, rule in here.items():
        if rule_id not in base:
            found.append(Difference("added", rule_id, f"{rule.title}（规则包 {rule.pack}）"))
        elif parts := [zh for name, zh in _PARTS.items() if _part(rule, name) != _part(base[rule_id], name)]:
            found.append(Difference("changed", rule_id, f"{rule.title}：{'、'.join(parts)}与标准规则不同"))
    found.extend(Difference("removed", i, r.title) for i, r in base.items() if i not in here)
    for rule_id, given in site.params.items():
        for name, value in given.items():
            param = here[rule_id].params.get(name) if rule_id in here else None
            if param is not None and tighten(param, value)[0] != param.default:
                text = f"{param.label}由 {_shown(param.default)} 改为 {_shown(tighten(param, value)[0])} {param.unit}"
                found.append(Difference("tightened", rule_id, text.strip()))
    found.extend(
        Difference("waived", w.rule, f"终端 {'、'.join(w.terminals)}，文号 {w.document}，{w.expires} 到期")
        for w in waivers
    )
    for d in site.delegations:
        rules = "、".join(r.id for r in here.values() if r.delegable == d.owns)
        found.append(Difference("delegated", rules, f"{d.product}（进程 {d.process}）承担 {d.owns} 管控"))
    return tuple(found)


def _part(rule: Rule, name: str) -> Any:
    if name == "checks":  # lines move when a comment is added
        return tuple((c.os, c.roles, _without_lines(c.when), _without_lines(c.expect)) for c in rule.checks)
    return getattr(rule, name)


def _without_lines(node: Any) -> Any:
    from dataclasses import fields, is_dataclass

    if is_dataclass(node) and not isinstance(node, type):
        shown = [(f.name, _without_lines(getattr(node, f.name))) for f in fields(node) if f.name != "line"]
        return (type(node).__name__, *shown)
    return tuple(map(_without_lines, node)) if isinstance(node, tuple) else node


def _shown(value: Any) -> str:
    return "、".join(map(str, value)) if isinstance(value, tuple) else str(value)
