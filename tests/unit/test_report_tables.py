"""Tables for Excel and WPS, and reports as JSON: nothing runs, nothing is lost, nothing is left out."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from typing import Any, get_args
from xml.etree import ElementTree

import jsonschema
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.documents import cases, ledger_of
from tests.unit.results import finding, hospital, result

from ybscan.model.problem import InputProblems
from ybscan.model.result import ScanResult, Status
from ybscan.report.document import document, document_json, schema
from ybscan.report.options import Kind, Options
from ybscan.report.redact import redacted
from ybscan.report.sheets import Cell, Sheet, column_name, csv_bytes, xlsx_bytes
from ybscan.report.tables import KINDS, TERMINAL_HEADINGS, TableFormat, tables

DANGEROUS = (
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "=HYPERLINK(\"http://e.example\")",
    "<script>", "{{7*7}}", "\u202egnp", "\ud800", "长" * 10_000, "a|b`c`", '"quoted", and more', "_x003D_1", "\x00\x07",
)  # fmt: skip


def hostile() -> ScanResult:
    """Formulas and the like wherever a table has data."""
    found = [
        finding(f"CSV-{i:02}", list(Status)[i % 7], title=d, sentence=d, origin=d, method=d, remediation=d, reason=d)
        for i, d in enumerate(DANGEROUS)
    ]
    return result(found, id=DANGEROUS[0], hostname=DANGEROUS[1], owner=DANGEROUS[2], department=DANGEROUS[3],
                  addresses=(DANGEROUS[4],), macs=(DANGEROUS[0],), os_version=DANGEROUS[8])  # fmt: skip


def given_of(name: str, kind: Kind) -> tuple[tuple[ScanResult, ...], Options]:
    found, options = cases()[name] if name != "formulas" else ((hostile(),), Options(expected=1))
    return found, replace(options, ledger=ledger_of(found)) if kind in ("ledger", "leader") else options


NAMES = [*cases(), "formulas"]
FILES = [(name, kind, format) for name in NAMES for kind in KINDS for format in get_args(TableFormat)]


def made(name: str, kind: Kind, format: TableFormat) -> bytes:
    found, options = given_of(name, kind)
    return tables(kind, format, found, options=options)


def csv_rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def workbook(data: bytes) -> dict[str, list[list[Any]]]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {s.title: [["" if c.value is None else c.value for c in row] for row in s.iter_rows()] for s in book}


@pytest.mark.parametrize(("name", "kind", "format"), FILES)
def test_the_same_results_give_the_same_bytes(name: str, kind: Kind, format: TableFormat) -> None:
    assert made(name, kind, format) == made(name, kind, format)


@pytest.mark.parametrize(("name", "kind"), [(n, k) for n in NAMES for k in KINDS])
def test_no_cell_is_a_formula(name: str, kind: Kind) -> None:
    data = made(name, kind, "csv")
    assert data.startswith(b"\xef\xbb\xbf")
    for row in csv_rows(data):
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝")), cell
    book = openpyxl.load_workbook(io.BytesIO(made(name, kind, "xlsx")))
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in ("inlineStr", "s", "n"), cell.coordinate
                if isinstance(cell.value, str) and cell.value.startswith(("=", "+", "-", "@")):
                    assert cell.quotePrefix, "stays a text when a person edits it"
                shown = str(cell.value)
                assert not [c for c in shown if c in "\u202e\x00\x07\x1b\x02\x03\x0e\x0f" or 0xD800 <= ord(c) < 0xE000]


def test_formulas_do_reach_the_table_as_text() -> None:
    sheets = workbook(made("formulas", "self-inspection", "xlsx"))
    assert sheets["终端检查结果"][1][1] == DANGEROUS[0]
    assert csv_rows(made("formulas", "self-inspection", "csv"))[1][1] == f"'{DANGEROUS[0]}"
    titles = [row[2] for row in sheets["检查项汇总"][1:]]
    assert "〔U+202E〕gnp" in titles
    assert "〔U+D800〕" in titles
    assert any(t.endswith("（共 10000 字，此处截断）") for t in titles)


@pytest.mark.parametrize("name", NAMES)
def test_both_formats_have_the_same_rows(name: str) -> None:
    for kind in KINDS:
        first = next(iter(workbook(made(name, kind, "xlsx")).values()))
        rows = csv_rows(made(name, kind, "csv"))
        bare = [[str(c).replace("_x005F_", "_") for c in row] for row in first]
        assert bare == [[c[1:] if c.startswith("'") else c for c in row] for row in rows]


def test_counts_are_numbers_one_can_add_up() -> None:
    rows = workbook(made("hospital", "self-inspection", "xlsx"))["终端检查结果"]
    failed = rows[0].index(Status.FAIL.text)
    assert sum(r[failed] for r in rows[1:] if r[failed] != "") == 2


def test_what_was_not_checked_stands_in_the_table_too() -> None:
    rows = csv_rows(made("hospital", "self-inspection", "csv"))
    (missed,) = [r for r in rows if r[1] == "YB-0004"]
    assert missed[13] == "未检查"
    assert missed[len(TERMINAL_HEADINGS) - 1] == "设备送修"
    assert set(missed[len(TERMINAL_HEADINGS) :]) == {"未检查"}
    assert {len(r) for r in rows} == {len(rows[0])}


def test_what_nobody_said_stays_empty() -> None:
    rows = workbook(made("hospital", "self-inspection", "xlsx"))["整改措施"]
    for column in ("责任领导", "承办科室", "完成期限", "完成情况"):
        assert {r[rows[0].index(column)] for r in rows[1:]} == {""}
    unsure = workbook(made("hospital", "self-inspection", "xlsx"))["未能确认"]
    assert "【未确认】" in {r[3] for r in unsure}


@pytest.mark.parametrize("kind", KINDS)
def test_a_redacted_table_says_so(kind: Kind) -> None:
    found, options = given_of("hospital", kind)
    shown, said = redacted(found, options, "partial")
    rows = csv_rows(tables(kind, "csv", shown, options=said))
    assert rows[0][-1] == "脱敏"
    assert {r[-1] for r in rows[1:]} == {"partial"}
    data = tables(kind, "xlsx", shown, options=said)
    assert "已脱敏（partial 级）" in str(workbook(data)["说明"])
    assert "SFC-01" not in str(workbook(data)) + str(rows)


def test_a_verdict_that_nothing_was_seen_for_is_refused() -> None:
    bare = result([finding("PWD-01", Status.FAIL, observations=())])
    with pytest.raises(InputProblems, match="却没有任何证据"):
        tables("self-inspection", "csv", (bare,), options=Options())
    with pytest.raises(InputProblems, match="却没有任何证据"):
        document("record", (bare,), options=Options())


def test_only_tables_are_tables() -> None:
    with pytest.raises(ValueError, match="record"):
        tables("record", "csv", hospital(), options=Options())


# The files themselves -----------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=30)


@given(st.lists(st.lists(st.one_of(TEXT, st.integers(0, 10**9)), min_size=3, max_size=3), max_size=5))
def test_any_text_gives_a_workbook_that_opens(rows: list[list[Cell]]) -> None:
    data = xlsx_bytes(Sheet("甲", ("a", "b", "c"), rows), Sheet("乙 & <b>", ("一",), []))
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book.sheetnames == ["甲", "乙 & <b>"]
    for row, cells in zip(rows, book["甲"].iter_rows(min_row=2), strict=False):
        for value, cell in zip(row, cells, strict=True):
            if isinstance(value, int):
                assert cell.value == value
            else:
                assert cell.data_type != "f"
    assert list(csv.reader(io.StringIO(csv_bytes(("a", "b", "c"), rows).decode("utf-8-sig"), newline="")))


def test_a_workbook_is_made_of_well_formed_parts_without_times() -> None:
    data = xlsx_bytes(Sheet("表", ("项",), [("值",)]))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        for info in archive.infolist():
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            ElementTree.fromstring(archive.read(info))  # noqa: S314 - our own
        types = archive.read("[Content_Types].xml").decode()
        for name in archive.namelist():
            assert name.endswith(".rels") or name == "[Content_Types].xml" or f'"/{name}"' in types


def test_columns_have_letters_like_a_spreadsheet() -> None:
    assert [column_name(i) for i in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


# JSON ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", get_args(Kind))
def test_reports_as_json_follow_their_schema(name: str, kind: Kind) -> None:
    found, options = given_of(name, kind)
    data = document_json(kind, found, options=options)
    assert data == document_json(kind, found, options=options)
    read = json.loads(data)
    jsonschema.Draft202012Validator(schema()).validate(read)
    assert read["kind"] == kind
    assert not [c for c in json.dumps(read["grading"], ensure_ascii=False) if c in "\x02\x03\x0e\x0f"]


def test_the_schema_refuses_another_document() -> None:
    found, options = given_of("hospital", "leader")
    read = document("leader", found, options=options)
    jsonschema.Draft202012Validator.check_schema(schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**read, "kind": "ledger"}, schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**read, "page": {**read["page"], "grade": 1}}, schema())
