"""Loading the unit's own files: site.yml, its terminal register and its waivers."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ybscan.model.problem import InputProblems, Problem, did_you_mean
from ybscan.model.rule import Role, Rule, Waiver, WaiverFile
from ybscan.model.site import Site, Terminal
from ybscan.rules.load import read_document
from ybscan.rules.strict_yaml import line_at

REGISTER_COLUMNS = ("id", "hostname", "mac", "ip", "department", "role", "owner")
#: What units call the columns and the uses in tables of their own.
_CHINESE_COLUMNS = {
    "编号": "id", "终端编号": "id", "资产编号": "id", "资产号": "id", "计算机名": "hostname", "主机名": "hostname",
    "机名": "hostname", "mac地址": "mac", "ip地址": "ip", "科室": "department", "部门": "department", "所在科室": "department",
    "用途": "role", "角色": "role", "责任人": "owner", "使用人": "owner",
}  # fmt: skip
_CHINESE_ROLES = {
    "结算": "settlement", "医保结算": "settlement", "医保结算终端": "settlement", "办公": "office", "办公终端": "office",
    "互联网": "internet", "互联网终端": "internet", "外网": "internet",
}  # fmt: skip
#: More terminals than any unit has.
_MAX_ROWS = 20_000
_MAX_REGISTER = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LoadedSite:
    """The site with everything its file refers to. ``sha256`` covers all of it; empty without a site file."""

    site: Site
    raw: Any
    file: str
    waivers: tuple[Waiver, ...]
    register: tuple[Terminal, ...]
    sha256: str


def no_site() -> LoadedSite:
    """What holds when the unit gave no site file: nothing is configured."""
    return LoadedSite(Site(), None, "", (), (), "")


def load_site(path: Path) -> LoadedSite:
    """The site file at ``path`` and the files it names, relative to its folder.

    Raises:
        InputProblems: with every problem of every file.
    """
    site, raw = read_document(Site, path)
    problems: list[Problem] = []
    digest = hashlib.sha256(path.read_bytes())
    waivers: tuple[Waiver, ...] = ()
    register: tuple[Terminal, ...] = ()
    if site.waivers is not None:
        beside = path.parent / site.waivers
        try:
            waivers = load_waivers(beside)
            digest.update(beside.read_bytes())
        except InputProblems as e:
            problems.extend(e.problems)
    if site.terminals is not None:
        beside = path.parent / site.terminals
        try:
            register = load_register(beside)
            digest.update(beside.read_bytes())
        except InputProblems as e:
            problems.extend(e.problems)
    if problems:
        raise InputProblems(problems)
    return LoadedSite(site, raw, str(path), waivers, register, digest.hexdigest())


def load_waivers(path: Path) -> tuple[Waiver, ...]:
    """The approved exceptions in ``path``.

    Raises:
        InputProblems: unreadable, malformed, or an exception that ends before it begins.
    """
    document, raw = read_document(WaiverFile, path)
    problems = [
        Problem(
            str(path),
            line_at(raw, ("waivers", i, "expires")),
            f"例外的到期日 {w.expires} 早于批准日 {w.approved}",
            "请核对两个日期",
        )
        for i, w in enumerate(document.waivers)
        if w.expires < w.approved
    ]
    if problems:
        raise InputProblems(problems)
    return document.waivers


def load_register(path: Path) -> tuple[Terminal, ...]:
    """The terminal register: CSV in UTF-8 or GB 18030, or an Excel workbook; columns :data:`REGISTER_COLUMNS`.

    Raises:
        InputProblems: with every bad row.
    """
    name = str(path)
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return _register_rows(_SheetRows(path), name)
    try:
        with path.open("rb") as f:
            data = f.read(_MAX_REGISTER + 1)
    except OSError as e:
        raise InputProblems([Problem(name, 0, f"无法读取终端登记表（{e.strerror or type(e).__name__}）")]) from None
    except ValueError:  # a NUL in the path
        raise InputProblems([Problem(name, 0, "终端登记表的路径中有不能使用的字符")]) from None
    if len(data) > _MAX_REGISTER:
        raise InputProblems([Problem(name, 0, "终端登记表过大")])
    text = None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    if text is None or "\0" in text:
        raise InputProblems([Problem(name, 0, "终端登记表不是文字文件", "请另存为 CSV（UTF-8）")])
    rows = csv.reader(io.StringIO(text))
    try:
        return _register_rows(rows, name)
    except csv.Error as e:
        raise InputProblems([Problem(name, rows.line_num, f"CSV 格式有误（{e}）")]) from None


def _column(heading: str) -> str:
    bare = "".join(heading.lower().split())
    return _CHINESE_COLUMNS.get(bare, bare)


class _SheetRows:
    """The rows of a workbook's first sheet, with ``line_num`` as csv.reader has it."""

    def __init__(self, path: Path) -> None:
        from ybscan.rules.workbook import opened_workbook

        book = opened_workbook(path, "终端登记表", "另存为 CSV（UTF-8）", "请另存为 .xlsx 或 CSV")
        self._name = str(path)
        self._rows = book.worksheets[0].iter_rows() if book.worksheets else iter(())
        self.line_num = 0

    def __iter__(self) -> _SheetRows:
        return self

    def __next__(self) -> list[str]:
        from ybscan.rules.workbook import cell_text, is_formula

        cells = next(self._rows)
        self.line_num += 1
        if self.line_num > _MAX_ROWS:
            raise InputProblems([Problem(self._name, self.line_num, f"登记表超过 {_MAX_ROWS} 行", "请删除多余的空行")])
        wrong = next((what for c in cells if (what := is_formula(c))), "")
        if wrong:
            raise InputProblems(
                [Problem(self._name, self.line_num, f"这一行中有{wrong}", "请改为文字（选择性粘贴为数值）")]
            )
        texts = [cell_text(c.value) for c in cells]
        while texts and not texts[-1]:
            texts.pop()
        return texts


def _register_rows(rows: Any, name: str) -> tuple[Terminal, ...]:
    header = [_column(h) for h in next(rows, [])]
    problems = [
        Problem(name, 1, f"不认识的列“{h}”", did_you_mean(h, REGISTER_COLUMNS))
        for h in header
        if h not in REGISTER_COLUMNS
    ]
    problems += [Problem(name, 1, f"“{h}”列出现了两次", "请只保留一列") for h in _twice(header)]
    if "id" not in header:
        hint = f"列名应为 {','.join(REGISTER_COLUMNS)}，或编号、计算机名、MAC 地址、IP 地址、科室、用途、责任人"
        problems.append(Problem(name, 1, "缺少 id 列", hint))
    if problems:
        raise InputProblems(problems)
    found: list[Terminal] = []
    seen: dict[str, int] = {}
    for row in rows:
        at = rows.line_num
        if not any(c.strip() for c in row):
            continue
        values = {h: c.strip() for h, c in zip(header, row, strict=False) if c.strip()}
        if len(row) > len(header):
            problems.append(
                Problem(name, at, f"有 {len(row)} 列，表头只有 {len(header)} 列", "含逗号的内容请加英文双引号")
            )
            continue
        if "id" not in values:
            problems.append(Problem(name, at, "缺少终端编号", ""))
            continue
        role = _CHINESE_ROLES.get(values.get("role", ""), values.get("role", Role.SETTLEMENT.value))
        values["role"] = role
        if role not in list(Role):
            problems.append(
                Problem(
                    name,
                    at,
                    f"角色“{role}”不存在",
                    did_you_mean(role, list(Role)) or "只能是 settlement、office、internet",
                )
            )
            continue
        if values["id"] in seen:
            problems.append(Problem(name, at, f"终端编号“{values['id']}”重复（第 {seen[values['id']]} 行已有）", ""))
            continue
        seen[values["id"]] = at
        try:
            found.append(Terminal.model_validate(values))
        except ValidationError as e:
            wrong = "、".join(sorted({str(x["loc"][0]) for x in e.errors(include_url=False) if x["loc"]}))
            problems.append(Problem(name, at, f"{wrong} 的内容过长或不合适", "请核对这一行"))
    if problems:
        raise InputProblems(problems)
    return tuple(found)


def _twice(names: list[str]) -> list[str]:
    return [n for n in dict.fromkeys(names) if names.count(n) > 1]


def find_terminal(loaded: LoadedSite, hostname: str, macs: tuple[str, ...]) -> Terminal | None:
    """This host in the site: the ``terminal`` given there, else the register's row of its MAC address or host name."""
    if loaded.site.terminal is not None:
        return loaded.site.terminal
    known = {bare_mac(m) for m in macs}
    by_mac = [t for t in loaded.register if t.mac and bare_mac(t.mac) in known]
    if len(by_mac) == 1:
        return by_mac[0]
    by_name = [t for t in loaded.register if t.hostname and t.hostname.casefold() == hostname.casefold()]
    return by_name[0] if len(by_name) == 1 else None


def bare_mac(text: str) -> str:
    """A hardware address as its hexadecimal digits alone, however it was written."""
    return "".join(c for c in text.lower() if c in "0123456789abcdef")


def with_waivers(loaded: LoadedSite, more: tuple[Waiver, ...]) -> LoadedSite:
    """The same site with further waivers."""
    return replace(loaded, waivers=loaded.waivers + more)


def check_against_rules(loaded: LoadedSite, rules: tuple[Rule, ...], tighten: Any) -> list[Problem]:
    """Problems of the site's params, waivers and delegations against the rules in force.

    ``tighten`` is :func:`ybscan.engine.params.tightened`, passed in since rules must not import the engine.
    """
    problems: list[Problem] = []
    by_id = {r.id: r for r in rules}
    for rule_id, given in loaded.site.params.items():
        at = line_at(loaded.raw, ("params", rule_id))
        rule = by_id.get(rule_id)
        if rule is None:
            problems.append(Problem(loaded.file, at, f"params 中的规则 {rule_id} 不存在", did_you_mean(rule_id, by_id)))
            continue
        for name, value in given.items():
            line = line_at(loaded.raw, ("params", rule_id, name))
            param = rule.params.get(name)
            if param is None:
                problems.append(
                    Problem(loaded.file, line, f"规则 {rule_id} 没有参数“{name}”", did_you_mean(name, rule.params))
                )
                continue
            _, why = tighten(param, value)
            if why:
                problems.append(Problem(loaded.file, line, f"{rule_id} 的参数“{param.label}”（{name}）{why}", ""))
    areas = {r.delegable for r in rules if r.delegable}
    for i, d in enumerate(loaded.site.delegations):
        if d.owns not in areas:
            line = line_at(loaded.raw, ("delegations", i, "owns"))
            problems.append(
                Problem(
                    loaded.file,
                    line,
                    f"没有可委托的控制范围“{d.owns}”",
                    did_you_mean(d.owns, areas) or f"可用：{'、'.join(sorted(areas))}",
                )
            )
    for w in loaded.waivers:
        if w.rule not in by_id:
            problems.append(
                Problem(str(loaded.site.waivers), 0, f"例外中的规则 {w.rule} 不存在", did_you_mean(w.rule, by_id))
            )
    return problems
