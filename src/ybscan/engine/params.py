"""A rule's parameters as the unit set them: tightened, never loosened. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ybscan.model.expression import Resolved, refs
from ybscan.model.facts import Plain
from ybscan.model.rule import Param, Rule
from ybscan.model.site import Site, setting


def tightened(param: Param, given: Any) -> tuple[Plain | tuple[Plain, ...], str]:
    """The value a site may give a parameter, or the default and a Chinese sentence on why it may not."""
    default: Any = param.default
    if isinstance(default, tuple):
        if not isinstance(given, (list, tuple)) or not all(
            isinstance(g, type(default[0]) if default else str) for g in given
        ):
            return default, "应为列表，且每项类型与默认值相同"
        if param.site_may == "extend":
            return default + tuple(g for g in given if g not in default), ""
        if param.site_may == "replace":
            return tuple(given), ""
        return default, "该参数不允许修改"
    if isinstance(given, bool) != isinstance(default, bool) or not isinstance(
        given, (int, float) if isinstance(default, (int, float)) else str
    ):
        return default, f"类型应与默认值（{default}）相同"
    if param.site_may == "raise" and given < default:
        return default, f"只能调高：默认值为 {default}，写成 {given} 会放宽要求；确需放宽请走例外审批（waivers）"
    if param.site_may == "lower" and given > default:
        return default, f"只能调低：默认值为 {default}，写成 {given} 会放宽要求；确需放宽请走例外审批（waivers）"
    if param.site_may == "never" and given != default:
        return default, "该参数不允许修改"
    return given, ""


def resolved(rule: Rule, site: Site) -> Resolved:
    """Every reference of the rule's conditions with its value under ``site``; None for what is not configured."""
    given: Mapping[str, Any] = site.params.get(rule.id, {})
    values: dict[str, Plain | tuple[Plain, ...] | None] = {}
    for check in rule.checks:
        for expression in (check.when, check.expect):
            for ref, _ in refs(expression) if expression is not None else ():
                if ref.is_site:
                    values[ref.name] = setting(site, ref.name[5:])
                else:
                    param = rule.params[ref.name]
                    values[ref.name] = tightened(param, given[ref.name])[0] if ref.name in given else param.default
    return values
