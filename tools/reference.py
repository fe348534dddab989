"""Generate docs/reference from the program itself: commands, facts, rules, matchers, clauses, and the JSON Schemas.

python tools/reference.py             says which files are out of date (exit 1)
python tools/reference.py --write     brings them up to date
python tools/reference.py matchers    only that part (commands, facts, rules, matchers, clauses, schema)
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
FOLDER = PROJECT / "docs" / "reference"
#: Above every generated page.
NOTE = "<!-- 由 tools/reference.py 根据程序生成，请勿手工修改。 -->\n\n"

STRUCTURE_WORDS = (
    ("all", "列表中的条件全部成立", "all: [{ … }, { … }]"),
    ("any", "列表中至少一个条件成立", "any: [{ … }, { … }]"),
    ("not", "条件不成立", "not: { … }"),
    ("no_item_in", "列表中没有符合 `where` 且不属于 `except` 的条目", "{ no_item_in: 事实, where: { … } }"),
    ("some_item_in", "列表中至少有一条这样的条目", "{ some_item_in: 事实, where: { … } }"),
    ("every_item_in", "这样的条目每一条都满足 `expect_item`", "{ every_item_in: 事实, expect_item: { … } }"),
)
LEAF_WORDS = {
    "is": ("等于", "is: true"),
    "is_not": ("不等于", "is_not: disabled"),
    "at_least": ("不小于", "at_least: 8"),
    "at_most": ("不大于", "at_most: 90"),
    "between": ("在下限与上限之间，含两端", "between: [1, 5]"),
    "one_of": ("是所列值之一；IP 地址可写网段", "one_of: [10.20.0.0/16]"),
    "none_of": ("不是所列值中的任何一个", "none_of: [telnet, rlogin]"),
    "like_any": ("与所列通配之一相符（`*` 任意多个字符，`?` 一个字符）", 'like_any: ["wps-*"]'),
    "matches": ("正则表达式能在文字中找到（不区分大小写）", "matches: '^/srv/'"),
    "contains": ("文字包含该片段；列表有一项等于它", "contains: nodev"),
    "newer_than": ("不早于检查时刻之前的这段时长", "newer_than: 24h"),
    "older_than": ("早于检查时刻之前的这段时长", "older_than: 90d"),
    "version_at_least": ("版本号不低于", 'version_at_least: "8.2"'),
}


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(header)
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(_cell(c) for c in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    shown = text if text.startswith("`") else _plain(text)
    return " ".join(shown.replace("|", "\\|").split()) or "—"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is: ``/proc/<pid>`` and ``*`` are not markup."""
    return re.sub(r"([\\*<`\[])", r"\\\1", text)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


# Commands -----------------------------------------------------------------------------------------------------------


def commands() -> str:
    """Every command with its arguments and options, from the command tree itself."""
    from typer.main import get_command

    from ybscan.cli.app import build

    return NOTE + "# 命令参考\n\n" + "\n".join(_command("ybscan", get_command(build())))


def _command(path: str, command: Any) -> Iterator[str]:
    yield f"## {path}\n"
    yield inspect.cleandoc(command.help or "") + "\n"
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    subcommands = dict(getattr(command, "commands", {}))
    words = [path, "[选项]", *(p.metavar or p.name for p in arguments), *(["命令"] if subcommands else [])]
    yield f"```text\n{' '.join(words)}\n```\n"
    if arguments:
        yield _table(("参数", "说明"), ((_code(a.metavar or a.name), a.help or "") for a in arguments))
    if options:
        rows = ((_spelling(o), o.help or "", "必填" if o.required else _default(o)) for o in options)
        yield _table(("选项", "说明", "默认"), rows)
    if subcommands:
        rows = ((_code(name), inspect.cleandoc(c.help or "").partition("\n")[0]) for name, c in subcommands.items())
        yield _table(("命令", "说明"), rows)
    for name, subcommand in subcommands.items():
        yield from _command(f"{path} {name}", subcommand)


def _spelling(option: Any) -> str:
    names = sorted(option.opts, key=len)
    value = "" if option.is_flag else f" {option.metavar or '值'}"
    return "、".join(_code(n) for n in names[:-1]) + ("、" if names[1:] else "") + _code(names[-1] + value)


def _default(option: Any) -> str:
    return "" if option.is_flag or option.default is None or callable(option.default) else _code(str(option.default))


# Facts --------------------------------------------------------------------------------------------------------------


def facts() -> str:
    """Every fact: what it means, its kind, where it comes from, its fields."""
    from ybscan.probes.base import Probe
    from ybscan.probes.registry import builtin

    registry = builtin()
    parts = [NOTE + "# 事实参考\n", "规则只能使用这里列出的事实。“来源”为“—”表示该系统上没有这一事实。\n"]
    for name, probe in registry.probes.items():
        parts.append(f"## {name} {probe.title}\n")
        if type(probe).read_windows is Probe.read_windows:
            parts.append("本版本只在 Linux 上读取这一部分；在 Windows 上为“无法判定”。\n")
        for spec in probe.facts:
            parts += _fact(f"{name}.{spec.name}", spec, spec.help)
    if registry.parametric:
        parts.append("## 带参数的事实\n")
        for name, parametric in sorted(registry.parametric.items()):
            parts += _fact(name, parametric.spec({}), parametric.help)
    return "\n".join(p for p in parts if p)


def _fact(name: str, spec: Any, help_: str) -> Iterator[str]:
    unit = f"（{spec.unit}）" if spec.unit else ""
    yield f"### `{name}`\n"
    yield _plain(f"{spec.label}，{spec.kind.label}{unit}。{_prose(help_)}") + "\n"
    yield _table(("系统", "来源"), (("Linux", spec.linux), ("Windows", spec.windows)))
    if spec.fields:
        rows = ((_code(f.name), f.label + (f"（{f.unit}）" if f.unit else ""), f.kind.label) for f in spec.fields)
        yield _table(("字段", "含义", "类型"), rows)


# Rules and clauses --------------------------------------------------------------------------------------------------


def _packs() -> Any:
    from ybscan.probes.registry import builtin
    from ybscan.rules.load import load_packs

    return load_packs(PROJECT / "rules", builtin(), shown_root="rules")


def rules() -> str:
    """Every rule: what it checks, how, its parameters, its grounds, what to do."""
    from ybscan.rules.catalogue import load_catalogue

    clauses = load_catalogue(PROJECT / "rules")
    packs = _packs()
    total = sum(len(p.rules) for p in packs)
    parts = [NOTE + "# 规则参考\n", f"共 {len(packs)} 个规则包、{total} 条规则。\n"]
    for pack in packs:
        parts.append(f"- {pack.pack.title}（`{pack.pack.id}`）：{'、'.join(r.id for r in pack.rules)}")
    for pack in packs:
        parts.append(f"\n## {pack.pack.title}\n")
        for rule in pack.rules:
            parts += _rule(rule, clauses)
    return "\n".join(parts)


def _rule(rule: Any, clauses: Any) -> Iterator[str]:
    yield f"### {rule.id} {rule.title}\n"
    systems = "、".join(
        name for key, name in (("linux", "Linux"), ("windows", "Windows")) if any(key in c.os for c in rule.checks)
    )
    delegable = f"；可委托（`{rule.delegable}`）" if rule.delegable else ""
    yield f"风险等级：{rule.severity.text}；适用系统：{systems}{delegable}\n"
    yield f"为什么检查：{_plain(_prose(rule.rationale))}\n"
    yield f"检查方法：{_plain(_prose(rule.method))}\n"
    if rule.params:
        rows = (
            (_code(name), p.label, f"{_value(p.default)} {p.unit}".strip(), _MAY[p.site_may], p.source)
            for name, p in rule.params.items()
        )
        yield _table(("参数", "含义", "默认值", "单位可以", "出处"), rows)
    if rule.clauses:
        rows = (
            (_code(c), f"{clauses[c].document} {clauses[c].article}" if c in clauses else "", clauses[c].text if c in clauses else "")
            for c in rule.clauses
        )  # fmt: skip
        yield _table(("依据", "出处", "要求概括"), rows)
    for system, text in (("Windows", rule.remediation.windows), ("Linux", rule.remediation.linux)):
        if text.strip():
            yield f"整改办法（{system}）：\n\n```text\n{text.strip()}\n```\n"
    if rule.notes:
        yield f"核实提示：{_plain(_prose(rule.notes))}\n"


_MAY = {"raise": "调高", "lower": "调低", "extend": "增加", "replace": "改换", "never": "不能修改"}


def _prose(text: str) -> str:
    """Folded lines joined: with a space only between two ASCII characters, since Chinese has none."""
    return re.sub(r"\s*\n\s*", "", re.sub(r"(?<=[!-~])\s*\n\s*(?=[!-~])", " ", text.strip()))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return "、".join(map(str, value)) if isinstance(value, tuple) else str(value)


_KIND = {"automatic": "自动", "configured": "自动，需单位配置", "attested": "人工确认",
         "process": "工作方式", "report": "报告"}  # fmt: skip


def clauses() -> str:
    """Every clause of the catalogue, and the rules that answer it."""
    from ybscan.rules.catalogue import load_catalogue, load_contradictions

    by_clause: dict[str, list[str]] = {}
    for pack in _packs():
        for rule in pack.rules:
            for clause in rule.clauses:
                by_clause.setdefault(clause, []).append(rule.id)
    rows = (
        (_code(c.id), f"{c.document} {c.article}", c.text, _KIND[c.kind], "、".join(by_clause.get(c.id, ())))
        for c in load_catalogue(PROJECT / "rules").values()
    )
    return (
        NOTE
        + "# 条款参考\n\n文字是对来源文件的概括，不是原文。“规则”一栏为“—”的条款，本版本没有自动检查。\n\n"
        + _table(("条款", "出处", "要求概括", "由谁回答", "规则"), rows)
        + "\n## 来源之间的不一致\n\n来源文件说法不一的，按下表取舍；每项都写明默认值的出处和单位怎样修改。\n\n"
        + _table(
            ("事项", "各方说法", "取舍", "默认值", "怎样修改"),
            (
                (c.topic, "；".join(p.rstrip("。") for p in c.positions), c.resolution, c.default, c.how_to_change)
                for c in load_contradictions(PROJECT / "rules")
            ),
        )
    )


# Rule language ------------------------------------------------------------------------------------------------------


def matchers() -> str:
    """The words of the rule language, and which leaf word goes with which kind of fact."""
    from ybscan.model.expression import WORDS
    from ybscan.model.facts import Kind
    from ybscan.rules.expressions import APPLIES, STRUCTURE

    if tuple(w for w, _, _ in STRUCTURE_WORDS) != STRUCTURE or tuple(LEAF_WORDS) != WORDS:
        raise SystemExit("tools/reference.py does not explain the words that the language has")
    leaf_kinds = [k for k in Kind if k is not Kind.ITEMS]
    return "\n".join((
        NOTE + "# 条件用词\n",
        "用法和例子见 [规则编写](../rule-authoring.zh-CN.md)。\n",
        "## 结构词\n",
        _table(("词", "成立的条件", "写法"), ((_code(w), m, _code(e)) for w, m, e in STRUCTURE_WORDS)),
        "## 比较词\n",
        _table(("词", "含义", "例子"), ((_code(w), m, _code(e)) for w, (m, e) in LEAF_WORDS.items())),
        "## 比较词与事实类型\n",
        f"“{Kind.ITEMS.label}”不能直接比较，要用 `no_item_in`、`some_item_in`、`every_item_in`。\n",
        _table(
            ("词", *(k.label for k in leaf_kinds)),
            ((_code(w), *("√" if k in APPLIES[w] else " " for k in leaf_kinds)) for w in WORDS),
        ),
    ))  # fmt: skip


def schemas() -> dict[str, str]:
    """The JSON Schemas for editors and other programs, by file name."""
    from ybscan.report.document import schema as report_schema
    from ybscan.rules.schema import DOCUMENTS, schema

    made = {name: schema(name) for name in DOCUMENTS} | {"report": report_schema()}
    return {
        f"schema/{name}.json": json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        for name, document in made.items()
    }


# Checking and writing -----------------------------------------------------------------------------------------------


def _page(name: str, make: Callable[[], str]) -> Callable[[], dict[str, str]]:
    return lambda: {f"{name}.md": make().rstrip("\n") + "\n"}


#: Part → its files, by path below docs/reference.
PARTS: dict[str, Callable[[], dict[str, str]]] = {
    **{f.__name__: _page(f.__name__, f) for f in (commands, facts, rules, matchers, clauses)},
    "schema": schemas,
}


def stale(folder: Path, files: dict[str, str]) -> list[str]:
    """Those of the files that are missing from ``folder`` or differ there."""
    return [
        name
        for name, text in files.items()
        if not (folder / name).is_file() or (folder / name).read_bytes() != text.encode("utf-8")
    ]


def surplus(folder: Path, files: dict[str, str]) -> list[str]:
    """Files below ``folder`` that nothing generates."""
    return [
        name
        for path in sorted(folder.rglob("*"))
        if path.is_file() and (name := path.relative_to(folder).as_posix()) not in files
    ]


def main(arguments: list[str]) -> int:
    """Check or write; returns the exit code."""
    chosen = [a for a in arguments if not a.startswith("-")]
    if set(arguments) - {"--write", *PARTS}:
        print(__doc__, file=sys.stderr)
        return 2
    files: dict[str, str] = {}
    for part in chosen or PARTS:
        files.update(PARTS[part]())
    wrong = stale(FOLDER, files)
    left = [] if chosen else surplus(FOLDER, files)
    if "--write" not in arguments:
        for name in (*wrong, *left):
            print(f"docs/reference/{name} is out of date; run: python tools/reference.py --write", file=sys.stderr)
        return 1 if wrong or left else 0
    for name in wrong:
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[name].encode("utf-8"))
        print(f"wrote docs/reference/{name}")
    for name in left:
        (FOLDER / name).unlink()
        print(f"removed docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
