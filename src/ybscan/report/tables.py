"""The self-inspection report and the ledger as tables for Excel and WPS. Pure.

A CSV file is one table: of the report the terminals, a column for each rule; of the ledger its lines. A workbook has more
sheets, each a table that can be filtered; its last one says what the file is about and how to read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from ybscan.model.problem import InputProblems, Problem
from ybscan.model.result import ScanResult, Status
from ybscan.report import ledger_table
from ybscan.report.claims import UNCONFIRMED, EvidenceMissing
from ybscan.report.grading import DIGEST_NOTE, GRADING
from ybscan.report.inspection import build_inspection
from ybscan.report.ledger import build_ledger
from ybscan.report.model import (
    ORDER,
    VERDICTS,
    ClauseView,
    Inspection,
    LedgerReport,
    Seen,
    Terminal,
)
from ybscan.report.model import (
    Problem as Found,
)
from ybscan.report.options import Kind, Options
from ybscan.report.sheets import Cell, Sheet, csv_bytes, xlsx_bytes
from ybscan.report.terminals import day, when
from ybscan.report.text import Prose, scrub, without_marks

TableFormat = Literal["csv", "xlsx"]
TABLES: Final[tuple[TableFormat, ...]] = ("csv", "xlsx")
#: Which kinds of documents are tables.
KINDS: Final[tuple[Kind, ...]] = ("self-inspection", "ledger")

#: Longest text of a cell: enough for the instructions of a rule, short enough to be read in one.
MAX_TEXT: Final = 4000
NOT_CHECKED: Final = "未检查"
TERMINAL_HEADINGS: Final = (
    "序号", "终端编号", "计算机名", "科室", "责任人", "用途", "操作系统", "IP 地址", "MAC 地址", "检查时间", "记录编号", "运行权限",
    "检查方式", "等级", "检查项", "适用", *(s.text for s in ORDER), "合格率", "确认率", "备注",
)  # fmt: skip


def tables(kind: Kind, format: TableFormat, results: Sequence[ScanResult], *, options: Options) -> bytes:
    """The file.

    Args:
        kind: one of :data:`KINDS`.
        format: ``csv`` (UTF-8 with a byte order mark) or ``xlsx``.
        results: at least one.
        options: as for :func:`ybscan.report.render.render`.

    Raises:
        InputProblems: a verdict has no evidence.
        ValueError: this kind of document is no table.
    """
    if kind not in KINDS:
        raise ValueError(f"no table: {kind}")
    try:
        sheets = (
            ledger_sheets(build_ledger(tuple(results), options), options, results)
            if kind == "ledger"
            else inspection_sheets(build_inspection(tuple(results), options))
        )
    except EvidenceMissing as e:
        raise InputProblems([Problem("检查结果", 0, str(e), "结果文件可能不完整，请重新检查")]) from None
    if format == "xlsx":
        return xlsx_bytes(*sheets)
    first = sheets[0]
    if options.redaction == "none":
        return csv_bytes(first.headings, first.rows)
    return csv_bytes((*first.headings, "脱敏"), [(*row, options.redaction) for row in first.rows])


def cell(value: object) -> Cell:
    """A value of the view: our own words as they are, data with everything invisible made visible."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Prose):
        return without_marks(value)
    return scrub(str(value), limit=MAX_TEXT, lines=True)


def _rows(rows: Iterable[Iterable[object]]) -> list[tuple[Cell, ...]]:
    return [tuple(cell(c) for c in row) for row in rows]


def inspection_sheets(report: Inspection) -> tuple[Sheet, ...]:
    """The sheets of a self-inspection report."""
    return (
        _terminals(report),
        _items(report),
        Sheet(
            "存在问题",
            ("问题编号", "规则", "检查项", "风险", "终端编号", "检查情况", "依据条款"),
            _rows(
                (p.number, p.rule_id, p.title, p.severity, s.terminal, _seen(s), _clauses(p.clauses))
                for p in report.problems
                for s in p.seen
            ),
        ),
        _rectifications(report.problems),
        Sheet(
            "未能确认",
            ("规则或事项", "名称", "风险", "结果", "终端编号", "原因"),
            _rows(
                [
                    *(
                        (u.rule_id, u.title, u.severity, u.verdict.text, s.terminal, _seen(s))
                        for u in report.undetermined
                        for s in u.seen
                    ),
                    *((a.id, a.title, "", UNCONFIRMED, "", a.question) for a in report.unconfirmed),
                ]
            ),
        ),
        Sheet(
            "例外",
            ("规则", "检查项", "终端编号", "检查情况", "原因", "批准人", "文号", "批准日期", "到期日期"),
            _rows(
                (
                    e.rule_id,
                    e.title,
                    e.terminal,
                    _seen(e.seen),
                    e.exception.reason,
                    e.exception.approver,
                    e.exception.document,
                    e.exception.approved,
                    e.exception.expires,
                )
                for e in report.exceptions
            ),
        ),
        _about(
            [
                ("单位", report.unit or UNCONFIRMED),
                ("文件", report.title),
                ("检查期间", report.period),
                ("应检终端", report.scope.expected),
                ("实检终端", report.scope.checked),
                ("已检查终端的等级", report.grade),
                ("总体等级", report.unit_grade),
                ("合格率", report.counts.pass_rate.text),
                ("确认率", report.counts.determined_rate.text),
                *(("提示", w) for w in report.warnings),
                *(
                    (f"规则包 {p.id}", f"{p.title} {p.version}，{p.terminals} 台终端使用，摘要 {p.digest}")
                    for p in report.packs
                ),
                ("检查工具", report.tool),
                *((f"终端 {t.id} 的记录摘要", f"{t.digest.algorithm} {t.digest.value}") for t in report.terminals),
            ],
            grading=True,
        ),
    )


def _terminals(report: Inspection) -> Sheet:
    """Every terminal that should have been checked; what was not checked says so and why."""
    rules = {i.rule_id: f"{i.rule_id} {i.title}" for p in report.results for i in p.items}
    empty = ("",) * (len(TERMINAL_HEADINGS) - 15)
    rows: list[Iterable[object]] = [_terminal(n, t, list(rules)) for n, t in enumerate(report.terminals, 1)]
    rows += [
        (len(rows) + n, id_, "", department, *[""] * 9, NOT_CHECKED, *empty, reason, *[NOT_CHECKED] * len(rules))
        for n, (id_, department, reason) in enumerate(report.scope.unchecked, 1)
    ]
    headings = (*TERMINAL_HEADINGS, *(str(cell(h)) for h in rules.values()))
    return Sheet("终端检查结果", headings, _rows(rows))


def _terminal(number: int, t: Terminal, rules: Sequence[str]) -> tuple[object, ...]:
    verdicts = dict(t.verdicts)
    return (
        number, t.id, t.hostname, t.department, t.owner, t.role, t.os, t.addresses, t.macs, t.checked_at, t.record_no,
        t.privilege, t.backend, t.grade, t.counts.total, t.counts.applicable, *(c.number for c in t.counts.by_status),
        t.counts.pass_rate.text, t.counts.determined_rate.text, "" if t.digest.intact else "摘要值与内容不符，不能作为依据",
        *(VERDICTS[Status(verdicts[r])].text if r in verdicts else NOT_CHECKED for r in rules),
    )  # fmt: skip


def _items(report: Inspection) -> Sheet:
    def numbers(counts: dict[str, int]) -> Iterable[int]:
        return (counts.get(s.value, 0) for s in ORDER)

    return Sheet(
        "检查项汇总",
        ("规则包", "规则", "检查项", "风险", "结果", *(f"{s.text}终端数" for s in ORDER), "检查方法", "依据条款"),
        _rows(
            (
                p.title, i.rule_id, i.title, i.severity, i.verdict.text,
                *numbers({c.verdict.key: c.number for c in i.counts}), i.method, _clauses(i.clauses),
            )
            for p in report.results
            for i in p.items
        ),
    )  # fmt: skip


def _rectifications(problems: Iterable[Found]) -> Sheet:
    """One line per measure, numbered like the problems; what only people decide is left to fill in."""
    return Sheet(
        "整改措施",
        ("问题编号", "规则", "检查项", "终端编号", "整改措施", "责任人", "责任领导", "承办科室", "完成期限", "验收标准", "完成情况"),
        _rows(
            (
                p.number, p.rule_id, p.title, "、".join(m.terminals), m.text, "、".join(p.owners), "", "", "", p.acceptance, "",
            )
            for p in problems
            for m in p.measures
        ),
    )  # fmt: skip


def ledger_sheets(report: LedgerReport, options: Options, results: Sequence[ScanResult]) -> tuple[Sheet, ...]:
    """The sheets of the ledger."""
    newest = max(results, key=lambda r: (when(r), r.digest))
    today = options.today or day(newest)
    rows = ledger_table.rows(options.ledger, today)
    return (
        Sheet("整改台账", ledger_table.HEADINGS, _rows(rows)),
        _about(
            [
                ("单位", report.unit or UNCONFIRMED),
                ("文件", report.title),
                ("截至", report.as_of),
                ("汇总", report.summary),
                *(("提示", w) for w in report.warnings),
                *((c.id, f"{c.document} {c.article} {c.text}".strip()) for c in report.clauses),
            ],
            grading=False,
        ),
    )


def _about(pairs: list[tuple[object, object]], *, grading: bool) -> Sheet:
    grades = [(f"等级“{r.grade}”", r.text) for r in GRADING] if grading else []
    notes = [("摘要值", DIGEST_NOTE)] if grading else []
    return Sheet("说明", ("项目", "内容"), _rows([*pairs, *grades, *notes]))


def _seen(seen: Seen) -> str:
    """What was seen, a line each, as data: it is scrubbed already."""
    parts = [without_marks(e.claim.text) + (f"（{scrub(e.origin)}）" if e.origin else "") for e in seen.evidence]
    reason = without_marks(seen.reason)
    return "\n".join([*parts, *([reason] if reason else [])])


def _clauses(clauses: Iterable[ClauseView]) -> str:
    return "；".join(f"{c.short} {c.article}".strip() for c in clauses)
