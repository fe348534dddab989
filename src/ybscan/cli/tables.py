"""Tables for Excel and WPS: CSV and XLSX in which no cell is ever a formula, and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

ENDINGS = ("csv", "xlsx", "json")

#: What a spreadsheet program takes for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def table_bytes(
    ending: str, title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], document: Any
) -> bytes:
    """A table in one of :data:`ENDINGS`; ``document`` is what JSON holds instead of rows.

    Raises:
        InputProblems: openpyxl is missing.
    """
    if ending == "json":
        return json.dumps(document, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace") + b"\n"
    if ending == "csv":
        return csv_bytes(headings, rows)
    return xlsx_bytes(title, headings, rows)


def csv_bytes(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """UTF-8 with a byte order mark, without which Excel reads Chinese as GBK; a leading ``=`` gets an apostrophe."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([f"'{c}" if c.startswith(_FORMULA) else c for c in map(plain, row)])
    return stream.getvalue().encode("utf-8-sig", "replace")


def xlsx_bytes(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """A workbook of one sheet, every cell a text.

    Raises:
        InputProblems: openpyxl is missing.
    """
    from datetime import datetime

    from ybscan.rules.workbook import openpyxl_or_refuse

    openpyxl = openpyxl_or_refuse("改用 .csv")
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = openpyxl.Workbook()
    # The same table gives the same bytes.
    book.properties.created = book.properties.modified = datetime(2000, 1, 1)  # noqa: DTZ001 - the format has no zone
    sheet = book.active
    sheet.title = title[:31]
    for r, row in enumerate([headings, *rows], 1):
        for c, text in enumerate(row, 1):
            cell = sheet.cell(row=r, column=c)
            cell.value = plain(text)[:32767] or None
            if cell.value is not None:
                cell.data_type = "s"
            cell.number_format = "@"
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if r == 1:
                cell.font = Font(bold=True)
    for c, heading in enumerate(headings, 1):
        widest = max([len(heading) * 2, *(min(len(row[c - 1]) * 2, 60) for row in rows)], default=10)
        sheet.column_dimensions[get_column_letter(c)].width = min(max(widest, 8), 60)
    sheet.freeze_panes = "A2"
    stream = io.BytesIO()
    book.save(stream)
    return _timeless(stream.getvalue())


def _timeless(data: bytes) -> bytes:
    """The same archive without the times at which its members were written."""
    import zipfile

    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for info in source.infolist():
            made.writestr(
                zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0)), source.read(info), zipfile.ZIP_DEFLATED
            )
    return target.getvalue()


def plain(text: str) -> str:
    """Text without what XML cannot hold: control characters and lone surrogates become visible."""
    return "".join(
        c if c in "\n\t" or (c >= " " and not 0xD800 <= ord(c) <= 0xDFFF and ord(c) not in (0x7F, 0xFFFE, 0xFFFF))
        else f"\\u{ord(c):04x}"
        for c in text
    )  # fmt: skip
