"""What documents say and how: one self-reference, numerals and dates by convention, nothing that cannot be known."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from functools import cache
from typing import get_args

import pytest
from tests.documents import cases, document, given, ledger_of, templates
from tests.unit.results import finding, findings, hospital, result

from ybscan.model.result import ScanResult, Status
from ybscan.report.document import document as view
from ybscan.report.inspection import build_inspection
from ybscan.report.ledger import build_ledger
from ybscan.report.lint import lint
from ybscan.report.options import Kind, Options, TextFormat
from ybscan.report.render import render, view_of
from ybscan.report.tables import KINDS as TABLE_KINDS
from ybscan.report.tables import inspection_sheets, ledger_sheets
from ybscan.report.text import DATA_CLOSE, DATA_OPEN, Prose

KINDS: tuple[Kind, ...] = get_args(Kind)
ALL = [(name, kind) for name in cases() for kind in KINDS]
OURS = ("我院", "我店", "我局", "我公司", "我诊所", "我单位")


@cache
def text(name: str, kind: Kind, format: TextFormat = "md") -> str:
    return document(name, kind, format)


@pytest.mark.parametrize(("name", "kind"), ALL)
@pytest.mark.parametrize("format", get_args(TextFormat))
def test_a_document_calls_the_unit_by_one_name(name: str, kind: Kind, format: TextFormat) -> None:
    said = {word for word in OURS if word in text(name, kind, format)}
    assert len(said) <= 1
    if name == "hospital" and kind == "self-inspection":
        assert said == {"我院"}
    if name == "pharmacy":
        assert said <= {"我店"}


@pytest.mark.parametrize(("name", "kind"), ALL)
def test_dates_are_written_without_leading_zeros(name: str, kind: Kind) -> None:
    dates = re.findall(r"\d{4}年\d{1,2}月\d{1,2}日", text(name, kind))
    assert dates or kind == "record"
    assert not [d for d in dates if re.search(r"[年月]0", d)]
    assert not re.search(r"[一二三四五六七八九〇]{2,4}年", text(name, kind))


@pytest.mark.parametrize(("name", "kind"), ALL)
def test_sentences_end_once_and_hold_no_leftovers(name: str, kind: Kind) -> None:
    if name == "hostile":
        return
    for wrong in (
        "。。",
        "，。",
        "：。",
        "，，",
        "、、",
        "、。",
        "；。",
        "（）",
        "“”",
        " 台 台",
        "【未确认】台",
        "None",
    ):
        assert wrong not in text(name, kind), wrong


@pytest.mark.parametrize(("name", "kind"), ALL)
def test_tables_and_json_say_nothing_that_may_not_be_said(name: str, kind: Kind) -> None:
    """They are not rendered from templates: their words are linted here, data boxed in as a template would."""
    found, options = given(name, kind)
    held, complete = view_of(kind, found, options)
    words = list(prose_of(held))
    assert words or kind == "ledger"
    assert not lint("\n".join(words), complete=complete, unblemished=True)
    if kind in TABLE_KINDS:
        sheets = (
            inspection_sheets(build_inspection(found, options))
            if kind == "self-inspection"
            else ledger_sheets(build_ledger(found, options), options, found)
        )
        ours = [s.title for s in sheets] + [h for s in sheets for h in s.headings if not re.match(r"[A-Z]+-\d", h)]
        assert not lint("\n".join(ours), complete=False, unblemished=False)


def prose_of(value: object) -> list[str]:
    """Our own words in a view; the published grading rule and evidence are data here as they are in templates."""
    if isinstance(value, Prose):
        return [f"\x0e{value}\x0f"]
    if isinstance(value, dict):
        return [p for v in value.values() for p in prose_of(v)]
    if isinstance(value, (list, tuple)):
        return [p for v in value for p in prose_of(v)]
    if hasattr(value, "__dataclass_fields__"):
        return [p for n in value.__dataclass_fields__ for p in prose_of(getattr(value, n))]
    return []


def test_the_check_of_words_sees_ours_and_not_data() -> None:
    assert lint("\n".join(prose_of({"x": (Prose("系统无病毒"),)})), complete=True, unblemished=True)
    assert not lint(
        "\n".join(prose_of({"x": Prose(f"{DATA_OPEN}系统无病毒{DATA_CLOSE}")})), complete=True, unblemished=True
    )


@pytest.mark.parametrize("kind", ["self-inspection", "leader"])
def test_what_nobody_answered_is_unconfirmed_in_every_format(kind: Kind) -> None:
    found, options = given("hospital", kind)
    for format in get_args(TextFormat):
        assert "【未确认】" in text("hospital", kind, format)
    if kind == "self-inspection":
        asked = view(kind, found, options=options)["report"]
        open_ = [a for a in asked["unconfirmed"] if not a["answered"]]
        assert open_
        assert {a["answer"] for a in open_} == {"【未确认】"}


# The page for the leader --------------------------------------------------------------------------------------------


def leader(*results: ScanResult, **options: object) -> str:
    return render("leader", "md", results, templates=templates(), options=Options(**options))  # type: ignore[arg-type]


def net(status: Status, terminal: str = "YB-0001", **more: object) -> ScanResult:
    return result([finding("NET-01", status), finding("NET-02", Status.PASS)], id=terminal, **more)  # type: ignore[arg-type]


def test_what_was_not_checked_is_not_called_free_of_problems() -> None:
    said = leader(net(Status.PASS), expected=1)
    assert "已检查的 1 台终端中，1 台检查结果为“符合”" in said
    assert "未登记的移动介质：本期没有检查这一内容，不能回答。" in said
    assert "“按时备份”一项：本期没有得出结果。" in said
    assert "操作系统支持期限、磁盘状况、不间断电源、杀毒软件产品：有的终端没有检查或者未能确认" in said
    assert "没有检出" not in said


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (Status.PASS, "1 台检查结果为“符合”"), (Status.FAIL, "1 台发现问题（YB-0001）"), (Status.UNKNOWN, "1 台未能确认（YB-0001）"),
        (Status.MANUAL, "1 台未能确认（YB-0001）"), (Status.WAIVED, "1 台为例外、委托管控或者不适用（YB-0001）"),
        (Status.DELEGATED, "1 台为例外、委托管控或者不适用（YB-0001）"), (Status.NOT_APPLICABLE, "1 台检查结果为“符合”"),
    ],
)  # fmt: skip
def test_each_terminal_stands_in_one_group(status: Status, told: str) -> None:
    assert f"通向互联网的路径、代理、热点等：已检查的 1 台终端中，{told}。" in leader(net(status), expected=1)


def test_a_terminal_where_rules_were_left_out_is_not_in_order() -> None:
    partial = net(Status.PASS).model_copy(update={"left_out": ("NET-05",)}).sealed()
    assert "已检查的 1 台终端中，1 台未能确认（YB-0001）。" in leader(partial, expected=1)


def test_some_checked_some_not() -> None:
    other = result([finding("PWD-01")], id="YB-0002", macs=("00:1a:2b:3c:4d:02",), hostname="B")
    said = leader(net(Status.FAIL), other, expected=2)
    assert "已检查的 2 台终端中，1 台发现问题（YB-0001），1 台没有检查这一内容（YB-0002）。" in said


def test_decisions_are_settled_only_where_their_rules_were_checked() -> None:
    rules = ("OS-01", "HW-01", "UPS-01", "AV-04")
    settled = leader(result([finding(r) for r in rules]), expected=1)
    assert "检查中没有需要领导决定的设备、采购和特批事项；其他事项由汇报人补充。" in settled
    unsure = leader(result([finding(r, Status.UNKNOWN if r == "UPS-01" else Status.PASS) for r in rules]), expected=1)
    assert "不间断电源：有的终端没有检查或者未能确认，是否需要领导决定由汇报人核实" in unsure
    assert "检查中没有需要" not in unsure


def test_the_ledger_in_words() -> None:
    found = hospital()
    entries = ledger_of(found)
    none = leader(result(findings()), expected=1)
    assert "整改台账中没有登记问题。" in none
    said = leader(*found, expected=3, ledger=entries, today=date(2026, 11, 20))
    assert "整改台账共登记问题 4 条，已销号 2 条，未销号 2 条，没有逾期的。" in said
    late = [replace_deadline(e, date(2026, 11, 1)) for e in entries]
    said = leader(*found, expected=3, ledger=tuple(late), today=date(2026, 11, 20))
    assert "未销号 2 条，其中逾期 2 条。" in said
    assert "逾期 19 天" in said


def replace_deadline(entry: object, day: date) -> object:
    return entry.model_copy(update={"deadline": day})  # type: ignore[attr-defined]


def test_more_terminals_than_fit_are_counted() -> None:
    missed = [replace(m) for m in cases()["hospital"][1].missed] * 6
    said = leader(net(Status.PASS), expected=13, missed=tuple(missed))
    assert re.search(r"还有 12 台没有检查：(?:YB-000\d（[^）]*）、){7}YB-000\d（[^）]*）等。", said)
