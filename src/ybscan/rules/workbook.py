"""Opening a workbook that a person filled in: bounded, formulas not worked out, whatever is wrong said in Chinese.

openpyxl is imported on use only: it comes with the extra ``xlsx``.
"""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from ybscan.model.problem import InputProblems, Problem

_MAX_BYTES = 4 * 1024 * 1024
#: Unpacked, since a small archive may unpack to anything.
_MAX_UNPACKED = 64 * 1024 * 1024


def openpyxl_or_refuse(otherwise: str) -> Any:
    """openpyxl.

    Raises:
        InputProblems: it is not installed; ``otherwise`` says what to use instead.
    """
    try:
        import openpyxl
    except ImportError:
        hint = f"请安装 ybscan[xlsx]，或{otherwise}"
        raise InputProblems([Problem("openpyxl", 0, "读写 Excel 表格需要 openpyxl", hint)]) from None
    return openpyxl


def opened_workbook(path: Path, what: str, otherwise: str, hint: str) -> Any:
    """The workbook at ``path``; ``what`` is the kind of table that is expected.

    Raises:
        InputProblems: it cannot be read, is too large, or is no workbook.
    """
    openpyxl = openpyxl_or_refuse(otherwise)
    name = str(path)
    try:
        data = path.read_bytes() if path.stat().st_size <= _MAX_BYTES else None
    except (OSError, ValueError) as e:
        said = getattr(e, "strerror", None) or type(e).__name__
        raise InputProblems([Problem(name, 0, f"无法读取文件（{said}）", "")]) from None
    if data is None:
        raise InputProblems([Problem(name, 0, f"文件过大，不是{what}", "")])
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            if sum(i.file_size for i in archive.infolist()) > _MAX_UNPACKED:
                raise InputProblems([Problem(name, 0, f"文件解压后过大，不是{what}", "")])
        return openpyxl.load_workbook(BytesIO(data), data_only=False, keep_links=False)
    except InputProblems:
        raise
    except Exception:  # openpyxl lets through whatever zipfile, the XML parser and its own code raise
        raise InputProblems([Problem(name, 0, "不是有效的 .xlsx 文件", hint)]) from None


def is_formula(cell: Any) -> str:
    """What a cell holds that is no plain value: ``公式``, ``错误值``, or nothing."""
    if cell.data_type in ("f", "e") or hasattr(cell.value, "text"):
        return "公式" if cell.data_type != "e" else "错误值"
    return ""


def cell_text(value: object) -> str:
    """A cell's value as a form means it: dates without their midnight, whole numbers without ``.0``."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
