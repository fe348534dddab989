"""``ybscan rules diff``: what this unit does differently from the standard rules."""

from __future__ import annotations

from ybscan.cli import console
from ybscan.cli.options import RulesOption, SiteOption
from ybscan.cli.rules import FormatOption, _format


def diff(rules: RulesOption = None, site: SiteOption = None, format: FormatOption = "text") -> int:
    """列出本单位与标准规则的不同：增改的规则、收紧的参数、例外和委托。"""
    from datetime import datetime

    from ybscan.cli import prepare
    from ybscan.engine.params import tightened
    from ybscan.probes.registry import builtin
    from ybscan.rules.diff import KIND_TEXT, differences
    from ybscan.rules.load import load_packs
    from ybscan.rules.locate import data_folder

    _format(format)
    now = datetime.now().astimezone()
    plan = prepare.plan(rules=rules, site=prepare.site_path(site), packs=[], only=[], now=now)
    standard = [r for p in load_packs(data_folder("rules"), builtin()) for r in p.rules]
    found = differences(standard, plan.rules, plan.loaded.site, plan.loaded.waivers, tightened)
    if format == "json":
        document = [{"kind": d.kind, "rule": d.rule, "text": d.text} for d in found]
        console.emit_json(document)
        return console.OK
    for d in found:
        console.emit(f"{KIND_TEXT[d.kind]}  {d.rule}  {d.text}\n")
    console.say(f"共 {len(found)} 处与标准规则不同。" if found else "与标准规则完全一致。")
    return console.OK
