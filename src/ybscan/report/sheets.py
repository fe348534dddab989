"""Tables for Excel and WPS: CSV and XLSX in which no cell is ever a formula. Pure; the same table gives the same bytes.

The workbook is written here and not by a library: it is a handful of XML parts (ECMA-376, Part 1, SpreadsheetML), all of
its texts stand in their cells (``inlineStr``), and thousands of rows need no more memory than their own text.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

Cell = str | int
"""An ``int`` is a number one can add up, anything else a text."""

#: Longest text that Excel takes in a cell, characters.
MAX_CELL: Final = 32767
#: What a spreadsheet program takes for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_WIDEST = 60


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table. ``title`` names the sheet: at most 31 characters, none of ``[]:*?/\\``."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]


def plain(text: str) -> str:
    """Text without what XML cannot hold: control characters and lone surrogates become visible."""
    return "".join(
        c if c in "\n\t" or (c >= " " and not 0xD800 <= ord(c) <= 0xDFFF and ord(c) not in (0x7F, 0xFFFE, 0xFFFF))
        else f"\\u{ord(c):04x}"
        for c in text
    )  # fmt: skip


def csv_bytes(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """UTF-8 with a byte order mark, without which Excel reads Chinese as GBK; a leading ``=`` gets an apostrophe."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    for row in (headings, *rows):
        texts = [plain(str(c)) for c in row]
        writer.writerow([f"'{t}" if t.startswith(_FORMULA) else t for t in texts])
    return stream.getvalue().encode("utf-8-sig", "replace")


def xlsx_bytes(*sheets: Sheet) -> bytes:
    """A workbook: headings bold and held in place, a filter over every column, texts wrapped, A4 across."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:

        def put(name: str, parts: Iterator[str] | str) -> None:
            # The time at which an archive was made would make each one differ.
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w") as member:
                for part in (_XML, *([parts] if isinstance(parts, str) else parts)):
                    member.write(part.encode("utf-8"))

        numbers = range(1, len(sheets) + 1)
        put("[Content_Types].xml", _content_types(numbers))
        put("_rels/.rels", _relations((("rId1", "officeDocument", "xl/workbook.xml"),)))
        names = "".join(
            f'<sheet name={quoteattr(s.title)} sheetId="{n}" r:id="rId{n}"/>'
            for n, s in zip(numbers, sheets, strict=True)
        )
        put("xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{names}</sheets></workbook>')
        related = [(f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
        put("xl/_rels/workbook.xml.rels", _relations((*related, (f"rId{len(sheets) + 1}", "styles", "styles.xml"))))
        put("xl/styles.xml", _STYLES)
        for n, sheet in zip(numbers, sheets, strict=True):
            put(f"xl/worksheets/sheet{n}.xml", _worksheet(sheet))
    return target.getvalue()


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEADING, _TEXT, _QUOTED, _NUMBER = 1, 2, 3, 4
"""Places in the list of cell formats below; quoted ones stay texts when a person edits them."""
_WRAPPED = '<alignment vertical="top" wrapText="1"/>'
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}">'
    '<fonts count="2"><font><sz val="11"/><name val="宋体"/></font><font><b/><sz val="11"/><name val="宋体"/></font></fonts>'
    '<fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '<fill><patternFill patternType="solid"><fgColor rgb="FFE8EEF5"/></patternFill></fill></fills>'
    '<borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border>'
    '<border><left style="thin"/><right style="thin"/><top style="thin"/><bottom style="thin"/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="5"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    f'<xf numFmtId="49" fontId="1" fillId="2" borderId="1" xfId="0" applyAlignment="1">{_WRAPPED}</xf>'
    f'<xf numFmtId="49" fontId="0" fillId="0" borderId="1" xfId="0" applyNumberFormat="1" applyAlignment="1">{_WRAPPED}</xf>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="1" xfId="0" quotePrefix="1" applyNumberFormat="1"'
    f' applyAlignment="1">{_WRAPPED}</xf>'
    f'<xf numFmtId="1" fontId="0" fillId="0" borderId="1" xfId="0" applyNumberFormat="1" applyAlignment="1">{_WRAPPED}</xf>'
    '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def _content_types(numbers: range) -> str:
    sheets = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for n in numbers
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>{sheets}</Types>'
    )


def _relations(related: Sequence[tuple[str, str, str]]) -> str:
    parts = "".join(f'<Relationship Id="{i}" Type="{_OFFICE}/{kind}" Target="{to}"/>' for i, kind, to in related)
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{parts}</Relationships>'


def _worksheet(sheet: Sheet) -> Iterator[str]:
    columns = [column_name(c) for c in range(len(sheet.headings))]
    last = f"{columns[-1]}{len(sheet.rows) + 1}"
    yield (
        f'<worksheet xmlns="{_MAIN}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><dimension ref="A1:{last}"/>'
        '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        '</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>'
    )
    for c in range(len(columns)):
        yield f'<col min="{c + 1}" max="{c + 1}" width="{_width(sheet, c)}" customWidth="1"/>'
    yield "</cols><sheetData>"
    for r, row in enumerate((sheet.headings, *sheet.rows), 1):
        cells = "".join(_cell(f"{columns[c]}{r}", cell, heading=r == 1) for c, cell in enumerate(row))
        yield f'<row r="{r}">{cells}</row>'
    yield (
        f'</sheetData><autoFilter ref="A1:{last}"/><pageMargins left="0.4" right="0.4" top="0.5" bottom="0.5" header="0.2"'
        ' footer="0.2"/><pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/></worksheet>'
    )


def _cell(place: str, value: Cell, *, heading: bool) -> str:
    if isinstance(value, int):
        return f'<c r="{place}" s="{_NUMBER}"><v>{value:d}</v></c>'
    text = plain(value)[:MAX_CELL]
    style = _HEADING if heading else _QUOTED if text.startswith(_FORMULA) else _TEXT
    if not text:
        return f'<c r="{place}" s="{style}"/>'
    # Excel reads _x0041_ in a text as the letter A.
    written = escape(_ESCAPED.sub("_x005F_", text))
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{written}</t></is></c>'


def _width(sheet: Sheet, column: int) -> int:
    """In characters of the standard font; a Chinese one is two wide."""
    heading = min(len(sheet.headings[column]) * 2 + 3, 24)
    widest = max((len(str(row[column])[:_WIDEST]) * 2 for row in sheet.rows[:200]), default=0)
    return max(8, min(max(heading, widest), _WIDEST))


def column_name(index: int) -> str:
    """The letters of a column, from 0: A, Z, AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
