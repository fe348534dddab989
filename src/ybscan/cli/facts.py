"""``ybscan facts``: what rules can be written against."""

from __future__ import annotations

from typing import Annotated

import typer

from ybscan.cli import console
from ybscan.cli.rules import FormatOption, _format


def build() -> typer.Typer:
    """The command group."""
    from ybscan.cli.app import ZhCommand, group

    app = group("查看可供规则使用的事实。")
    app.command("list", cls=ZhCommand)(list_facts)
    app.command("show", cls=ZhCommand)(show)
    return app


def list_facts(format: FormatOption = "text") -> int:
    """列出全部事实。"""
    from ybscan.probes.registry import builtin

    _format(format)
    registry = builtin()
    if format == "json":
        document = []
        for name in registry.names():
            spec = registry.spec(name)
            if spec is not None:
                document.append({
                    "name": name, "kind": spec.kind.value, "label": spec.label, "unit": spec.unit, "linux": spec.linux,
                    "windows": spec.windows, "fields": [{"name": f.name, "kind": f.kind.value, "label": f.label} for f in spec.fields],
                })  # fmt: skip
        console.emit_json(document)
        return console.OK
    for name in registry.names():
        spec = registry.spec(name)
        if spec is not None:
            console.emit(f"{name:<40} {spec.kind.label}  {spec.label}\n")
    return console.OK


def show(name: Annotated[str, typer.Argument(help="事实名，例如 autologin.entries。", metavar="事实")]) -> int:
    """显示一个事实：含义、类型、来源、字段。"""
    from ybscan.model.problem import InputProblems, Problem, did_you_mean
    from ybscan.probes.registry import builtin

    registry = builtin()
    spec = registry.spec(name)
    if spec is None:
        raise InputProblems([Problem("事实", 0, f"没有名为“{name}”的事实", did_you_mean(name, registry.names()))])
    parametric = registry.parametric.get(name)
    lines = [
        f"{name}  {spec.label}", f"类型：{spec.kind.label}{f'（{spec.unit}）' if spec.unit else ''}",
        f"说明：{parametric.help if parametric else spec.help or '无'}",
        f"Linux 来源：{spec.linux or '无'}", f"Windows 来源：{spec.windows or '无'}",
    ]  # fmt: skip
    if spec.fields:
        lines.append("条目的字段：")
        lines += [f"  {f.name:<20} {f.kind.label}  {f.label}{f'（{f.unit}）' if f.unit else ''}" for f in spec.fields]
    console.emit("\n".join(lines) + "\n")
    return console.OK
