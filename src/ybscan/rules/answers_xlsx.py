"""The attestation form as a workbook. openpyxl is imported on use only: it comes with the extra ``xlsx``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

from ybscan.model.attestation import FREQUENCY_TEXT, KIND_TEXT, Answer, Question, last_answer
from ybscan.model.problem import InputProblems, Problem
from ybscan.rules.attestation import FIELDS, LABELS, checked_rows, last_text
from ybscan.rules.workbook import cell_text, is_formula, opened_workbook, openpyxl_or_refuse

#: Columns of the form: heading, key of what a person fills in (or of the question's id), width.
COLUMNS = (
    ("编号", "question", 20), ("分组", "", 18), ("事项", "", 18), ("需要确认的内容", "", 60), ("频次", "", 8),
    ("答复方式", "", 24), ("上次答复（仅供参考）", "", 40), ("答复", "answer", 40), ("确认人", "person", 12),
    ("确认日期", "at", 14), ("依据", "basis", 30),
)  # fmt: skip
SHEET = "人工确认表"
_OTHERWISE = "改用 YAML 表格（--form 文件.yml）"
_MAX_ROWS = 2000


def xlsx_form(questions: Iterable[Question], answers: Iterable[Answer]) -> bytes:
    """An empty form. Every cell is a text: what begins with ``=`` in an earlier answer never becomes a formula.

    Raises:
        InputProblems: openpyxl is not there.
    """
    openpyxl = openpyxl_or_refuse(_OTHERWISE)
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.worksheet.datavalidation import DataValidation

    given = tuple(answers)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = SHEET
    choice = DataValidation(type="list", formula1='"是,否,不适用"', allow_blank=True, showErrorMessage=False)
    sheet.add_data_validation(choice)
    rows: list[list[str]] = [[c[0] for c in COLUMNS]]
    kinds = [""]
    for q in questions:
        last = last_answer(q, given)
        shown = last_text(q, last) if last else ""
        rows.append(
            [q.id, q.group, q.title, q.text, FREQUENCY_TEXT[q.frequency], KIND_TEXT[q.kind], shown, "", "", "", ""]
        )
        kinds.append(q.kind)
    for r, (row, kind) in enumerate(zip(rows, kinds, strict=True), 1):
        for c, text in enumerate(row, 1):
            cell = sheet.cell(row=r, column=c)
            cell.value = _plain(text) or None
            if text:
                cell.data_type = "s"
            cell.number_format = "@"
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if r == 1:
                cell.font = Font(bold=True)
            elif COLUMNS[c - 1][1] in FIELDS[1:]:
                cell.fill = PatternFill("solid", fgColor="FFF8E1")
        if kind == "yes_no":
            choice.add(sheet.cell(row=r, column=_column("answer")))
    for c, (_, _, width) in enumerate(COLUMNS):
        sheet.column_dimensions[chr(ord("A") + c)].width = width
    sheet.freeze_panes = "A2"
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def _column(key: str) -> int:
    return [c[1] for c in COLUMNS].index(key) + 1


def _plain(text: str) -> str:
    """Text without the control characters that a workbook cannot hold."""
    return "".join(c for c in text if c in "\n\t" or c.isprintable())


def read_xlsx(path: Path, questions: Sequence[Question], *, today: date) -> tuple[Answer, ...]:
    """The answers in a filled form; rows left empty are passed over.

    Raises:
        InputProblems: with every bad row and its number, formulas included.
    """
    name = str(path)
    book = opened_workbook(path, "人工确认表", _OTHERWISE, "请用 --form 文件.xlsx 生成的表格填写")
    sheet = book[SHEET] if SHEET in book.sheetnames else book.worksheets[0] if book.worksheets else None
    problems: list[Problem] = []
    rows = list(_rows(sheet, name, problems)) if sheet is not None else []
    found = checked_rows(rows, questions, name, problems, today=today)
    if problems:
        raise InputProblems(problems)
    return found


def _rows(sheet: Any, name: str, problems: list[Problem]) -> Iterable[tuple[int, dict[str, str]]]:
    heads = {LABELS[k]: k for k in FIELDS}
    columns: dict[int, str] = {}
    for cell in sheet[1] if sheet.max_row else ():
        key = heads.get(str(cell.value or "").strip())
        if key is not None and key not in columns.values():
            columns[cell.column] = key
    missing = [LABELS[k] for k in FIELDS if k not in columns.values()]
    if missing:
        why = f"第一行缺少列“{'”“'.join(missing)}”"
        problems.append(Problem(name, 1, why, "请用 --form 文件.xlsx 生成的表格填写"))
        return
    if sheet.max_row > _MAX_ROWS:
        problems.append(Problem(name, _MAX_ROWS, f"表格超过 {_MAX_ROWS} 行", "请删除多余的空行"))
        return
    for number in range(2, sheet.max_row + 1):
        row = dict.fromkeys(FIELDS, "")
        for column, key in columns.items():
            cell = sheet.cell(row=number, column=column)
            what = is_formula(cell)
            if what:
                problems.append(Problem(name, number, f"“{LABELS[key]}”是{what}，请填写文字", ""))
            else:
                row[key] = cell_text(cell.value)
        if any(row.values()):
            yield number, row
