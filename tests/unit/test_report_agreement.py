"""All formats say the same: every verdict, every count and every grade, taken out of each and compared."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from functools import cache
from html import unescape
from typing import Any

import openpyxl
import pytest
from docx import Document
from tests.documents import CLAUSES, templates
from tests.unit.results import RULES, finding, hospital, pharmacy, result
from tests.unit.test_report_documents import html_verdicts, markdown_tables, markdown_verdicts

from ybscan.model.result import ScanResult, Status
from ybscan.report.document import document_json
from ybscan.report.docx import render_docx
from ybscan.report.model import ORDER
from ybscan.report.options import Kind, Options, TextFormat
from ybscan.report.render import render
from ybscan.report.tables import TERMINAL_HEADINGS, tables

KEYS = {s.text: s.value for s in Status}


@cache
def two_hundred() -> tuple[ScanResult, ...]:
    """A hospital: 200 terminals, each rule with every verdict somewhere, no two terminals alike in order."""
    statuses = list(Status)
    found = []
    for n in range(1, 201):
        findings = []
        for i, (rule, title, pack, severity, clauses) in enumerate(RULES):
            turn = (n * 7 + i * 3 + n // 11) % 23
            status = statuses[turn] if turn < len(statuses) else Status.PASS
            findings.append(finding(rule, status, title=title, pack=pack, severity=severity, clauses=clauses))
        made = result(
            findings, id=f"YB-{n:04}", hostname=f"SFC-{n:03}", macs=(f"00:1a:2b:3c:{n // 256:02x}:{n % 256:02x}",),
            addresses=(f"10.20.{n // 250}.{n % 250 + 1}",), department=f"科室{n % 9}", owner=f"员工{n:03}",
        )  # fmt: skip
        found.append(made)
    return tuple(found)


SETS = {"pharmacy": lambda: (pharmacy(),), "hospital": hospital, "two hundred": two_hundred}


def latest(results: tuple[ScanResult, ...]) -> list[ScanResult]:
    return sorted({r.host.id: r for r in sorted(results, key=lambda r: r.started_at)}.values(), key=lambda r: r.host.id)


def options(results: tuple[ScanResult, ...]) -> Options:
    return Options(clauses=CLAUSES, expected=len(latest(results)))


@cache
def text(name: str, format: TextFormat) -> str:
    results = SETS[name]()
    return render("self-inspection", format, results, templates=templates(), options=options(results))


@cache
def word_tables(name: str, kind: Kind = "self-inspection", terminal: int = 0) -> list[list[list[str]]]:
    """The tables of the Word file as rows of cells."""
    results = SETS[name]()
    some = latest(results)[terminal : terminal + 1] if kind == "record" else list(results)
    made = render_docx(kind, some, templates=templates(), options=options(results))
    return [[[c.text for c in row.cells] for row in table.rows] for table in Document(io.BytesIO(made)).tables]


def word_verdicts(found: list[list[list[str]]]) -> list[tuple[str, str]]:
    """Rule and what its cell says, of every table of results."""
    mine = [t for t in found if len(t[0]) == 7 and t[0][0] == "编号" and t[0][5].startswith("结果")]
    return [(row[0], row[5]) for table in mine for row in table[1:]]


@cache
def as_json(name: str) -> Any:
    results = SETS[name]()
    return json.loads(document_json("self-inspection", results, options=options(results)))["report"]


@cache
def as_csv(name: str) -> list[list[str]]:
    results = SETS[name]()
    data = tables("self-inspection", "csv", results, options=options(results))
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@cache
def as_workbook(name: str) -> dict[str, list[list[Any]]]:
    results = SETS[name]()
    book = openpyxl.load_workbook(io.BytesIO(tables("self-inspection", "xlsx", results, options=options(results))))
    return {s.title: [["" if c.value is None else c.value for c in row] for row in s.iter_rows()] for s in book}


# Verdicts -----------------------------------------------------------------------------------------------------------

Matrix = dict[str, dict[str, str]]
"""Terminal → rule → key of the verdict."""


def truth(name: str) -> Matrix:
    return {r.host.id: {f.rule_id: f.status.value for f in r.findings} for r in latest(SETS[name]())}


def table_matrix(rows: list[list[Any]]) -> Matrix:
    rules = [str(h).split(" ", 1)[0] for h in rows[0][len(TERMINAL_HEADINGS) :]]
    return {r[1]: {rule: KEYS[v] for rule, v in zip(rules, r[len(TERMINAL_HEADINGS) :], strict=True)} for r in rows[1:]}


@pytest.mark.parametrize("name", SETS)
def test_every_verdict_of_every_terminal(name: str) -> None:
    expected = truth(name)
    assert {t["id"]: dict(t["verdicts"]) for t in as_json(name)["terminals"]} == expected
    assert table_matrix(as_csv(name)) == expected
    assert table_matrix(as_workbook(name)["终端检查结果"]) == expected


@pytest.mark.parametrize("name", ["pharmacy", "hospital"])
def test_the_record_of_every_terminal_says_the_same(name: str) -> None:
    for one in latest(SETS[name]()):
        expected = {f.rule_id: f.status.value for f in one.findings}
        made = {
            f: render("record", f, [one], templates=templates(), options=Options(clauses=CLAUSES))
            for f in ("md", "html")
        }  # type: ignore[arg-type]
        assert {rule: KEYS[words.split(" ", 1)[1]] for rule, words in markdown_verdicts(made["md"])} == expected
        assert {rule: KEYS[told[0][0]] for rule, _, told in html_verdicts(made["html"])} == expected
        told = word_verdicts(word_tables(name, "record", latest(SETS[name]()).index(one)))
        assert {rule: KEYS[words.split()[1]] for rule, words in told} == expected
        read = json.loads(document_json("record", [one], options=Options(clauses=CLAUSES)))["records"][0]
        assert {i["rule_id"]: i["verdict"]["key"] for p in read["results"] for i in p["items"]} == expected


@pytest.mark.parametrize("name", SETS)
def test_how_many_terminals_have_each_verdict(name: str) -> None:
    """Rule by rule, in every format."""
    expected: dict[str, Counter[str]] = {}
    for rules in truth(name).values():
        for rule, key in rules.items():
            expected.setdefault(rule, Counter())[key] += 1
    html = {rule: {KEYS[w]: int(n) for w, n in told} for rule, _, told in html_verdicts(text(name, "html"))}
    assert html == expected
    markdown = {}
    for rule, words in markdown_verdicts(text(name, "md")):
        told = [part.split(" ", 1)[1].rsplit(" ", 1) for part in words.split("，")]
        markdown[rule] = {KEYS[w]: int(n) for w, n in told}
    assert markdown == expected
    if name != "two hundred":
        word = {}
        for rule, words in word_verdicts(word_tables(name)):
            told = [part.split(" ", 1)[1].rsplit(" ", 1) for part in words.split("，")]
            word[rule] = {KEYS[w]: int(n) for w, n in told}
        assert word == expected
    items = [i for p in as_json(name)["results"] for i in p["items"]]
    assert {i["rule_id"]: {c["verdict"]["key"]: c["number"] for c in i["counts"]} for i in items} == expected
    rows = as_workbook(name)["检查项汇总"]
    counted = {r[1]: {s.value: r[5 + n] for n, s in enumerate(ORDER) if r[5 + n]} for r in rows[1:]}
    assert counted == expected


# Counts and grades --------------------------------------------------------------------------------------------------

Row = tuple[dict[str, int], str, set[str], set[str]]
"""Counts by verdict, grade, rules that failed, rules that are open."""


def expected_rows(name: str) -> dict[str, Row]:
    open_ = (Status.UNKNOWN, Status.MANUAL)
    return {
        r.host.id: (
            dict(Counter(f.status.value for f in r.findings)), r.summary.grade,
            {f.rule_id for f in r.findings if f.status is Status.FAIL}, {f.rule_id for f in r.findings if f.status in open_},
        )
        for r in latest(SETS[name]())
    }  # fmt: skip


def rules_in(cell: str) -> set[str]:
    return set() if cell.strip() == "—" else {c.strip() for c in cell.split("、")}


def counts_in(cell: str) -> dict[str, int]:
    return {KEYS[w]: int(n) for w, n in re.findall(r"\S (\S+?) ?(\d+)(?=\s|$)", cell)}


@pytest.mark.parametrize("name", SETS)
def test_counts_and_grades_of_every_terminal(name: str) -> None:
    expected = expected_rows(name)
    (table,) = [t for t in markdown_tables(text(name, "md")) if t[0][0] == "终端编号" and "等级" in t[0]]
    head = {h: i for i, h in enumerate(table[0])}
    columns = [head["结果（项）"], head["等级"], head["不符合项"], head["未能确认项"]]
    said = {r[0]: [r[c] for c in columns] for r in table[1:]}
    assert {t: (counts_in(c), g, rules_in(f), rules_in(o)) for t, (c, g, f, o) in said.items()} == expected

    annex = text(name, "html").split("各终端最近一次检查的结果</caption>", 1)[1].split("</tbody>", 1)[0]
    rows = [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in annex.split("<tbody>")[1].split("<tr")[1:]
    ]
    plain = [[unescape(re.sub(r"<[^>]+>", " ", c)).strip() for c in row] for row in rows]
    shown = {r[0]: (counts_in(re.sub(r"\s+", " ", r[4])), r[5], rules_in(r[6]), rules_in(r[7])) for r in plain}
    assert shown == expected

    if name != "two hundred":
        (annexed,) = [t for t in word_tables(name) if t[0][0] == "终端编号" and "等级" in t[0]]
        assert [[re.sub(r"\s+", " ", c).strip() for c in row] for row in annexed] == [
            [re.sub(r"\s+", " ", c).strip() for c in row] for row in table
        ]

    read = {
        t["id"]: (
            {c["verdict"]["key"]: c["number"] for c in t["counts"]["by_status"] if c["number"]}, t["grade"],
            set(t["failed"]), set(t["undetermined"]),
        )
        for t in as_json(name)["terminals"]
    }  # fmt: skip
    assert read == expected
    for rows in (as_csv(name), as_workbook(name)["终端检查结果"]):
        place = {h: i for i, h in enumerate(rows[0])}
        for row in rows[1:]:
            numbers, grade, _, _ = expected[row[1]]
            assert {s.value: int(row[place[s.text]]) for s in Status if int(row[place[s.text]])} == numbers
            assert row[place["等级"]] == grade


RATE = re.compile(r"(\d+(?:\.\d+)?)%（(\d+)/(\d+)，另有 (\d+) 项未能确认）")


@pytest.mark.parametrize("name", SETS)
def test_rates_have_their_numbers_and_are_never_rounded_up(name: str) -> None:
    found = [f.status for r in latest(SETS[name]()) for f in r.findings]
    good, bad = found.count(Status.PASS), found.count(Status.FAIL)
    open_ = found.count(Status.UNKNOWN) + found.count(Status.MANUAL)
    applicable = len(found) - found.count(Status.NOT_APPLICABLE)
    rates = [as_json(name)["counts"][k]["text"] for k in ("pass_rate", "determined_rate")]
    assert [m.groups()[1:] for m in [RATE.fullmatch(rates[0])] if m] == [(str(good), str(good + bad), str(open_))]
    assert [m.groups()[1:] for m in [RATE.fullmatch(rates[1])] if m] == [(str(good + bad), str(applicable), str(open_))]
    about = {r[0]: r[1] for r in as_workbook(name)["说明"]}
    assert [about["合格率"], about["确认率"]] == rates
    for format in ("md", "html"):
        assert all(r in unescape(text(name, format)) for r in rates)  # type: ignore[arg-type]
    alone = r"\d%(?!（\d+/\d+，另有 \d+ 项未能确认）)"
    assert not re.search(alone, text(name, "md"))
    # A figure in large type has its numbers beneath it.
    bare = re.sub(r"\s+", " ", re.sub(r"<style.*?</style>|<[^>]*>", " ", text(name, "html"), flags=re.DOTALL))
    for found_alone in re.finditer(alone, bare):
        assert re.match(r"\D{0,30}\d+/\d+.{0,150}另有 \d+ 项未能确认", bare[found_alone.end() :]), bare[
            found_alone.start() - 20 :
        ][:80]
    for percent, numerator, denominator, _ in RATE.findall(text(name, "md")):
        assert float(percent) * int(denominator) <= 100 * int(numerator) + 1e-6
        assert (percent == "100") == (numerator == denominator)


# Problems -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SETS)
def test_every_problem_has_its_rectification_under_the_same_number(name: str) -> None:
    failing = {(f.rule_id, r.host.id) for r in latest(SETS[name]()) for f in r.findings if f.status is Status.FAIL}
    report = as_json(name)
    assert {(p["rule_id"], s["terminal"]) for p in report["problems"] for s in p["seen"]} == failing
    assert [p["number"] for p in report["problems"]] == list(range(1, len(report["problems"]) + 1))
    for p in report["problems"]:
        assert {t for m in p["measures"] for t in m["terminals"]} == {s["terminal"] for s in p["seen"]}
    book = as_workbook(name)
    problems = {(r[0], r[1], r[4]) for r in book["存在问题"][1:]}
    assert {(rule, terminal) for _, rule, terminal in problems} == failing
    mended = {(r[0], r[1], t) for r in book["整改措施"][1:] for t in r[3].split("、")}
    assert mended == problems
    for format in ("md", "html"):
        bare = re.sub(r"<[^>]*>", "", text(name, format))  # type: ignore[arg-type]
        for p in report["problems"]:
            assert len(re.findall(rf"问题{p['number']}(?!\d)", bare)) >= 2, "in the problems and in the rectification"


def test_two_hundred_terminals_are_all_there() -> None:
    ids = {f"YB-{n:04}" for n in range(1, 201)}
    assert {r[1] for r in as_csv("two hundred")[1:]} == ids
    for format in ("md", "html"):
        assert ids <= set(re.findall(r"YB-\d{4}", text("two hundred", format)))  # type: ignore[arg-type]
        assert "应检终端" in text("two hundred", format)  # type: ignore[arg-type]
    total = sum(int(r[14]) for r in as_csv("two hundred")[1:])
    assert total == as_json("two hundred")["counts"]["total"] == 200 * len(RULES)
    assert sum(c["number"] for c in as_json("two hundred")["counts"]["by_status"]) == total
