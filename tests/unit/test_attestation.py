"""Answers of persons: how long they hold, what they say of clauses, how their files are read and written."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import PROJECT

from ybscan.engine.coverage import clause_states
from ybscan.model.attestation import (
    Answer,
    Question,
    attested_clauses,
    confirmed,
    valid_until,
    verdict,
    wrong_answer,
    wrong_basis,
)
from ybscan.model.problem import InputProblems
from ybscan.model.result import Status
from ybscan.rules.answers_xlsx import read_xlsx, xlsx_form
from ybscan.rules.attestation import (
    answers_text,
    form_text,
    load_answers,
    load_questions,
    merged_answers,
    read_form,
)
from ybscan.rules.catalogue import load_catalogue

QUESTIONS = load_questions(PROJECT / "rules")
BY_ID = {q.id: q for q in QUESTIONS}
TODAY = date(2026, 11, 20)


def answer(question: str = "media-ledger", text: str = "是", at: date = TODAY, basis: str = "台账 12 页") -> Answer:
    return Answer(question=question, answer=text, person="张三", at=at, basis=basis)


@pytest.mark.parametrize(
    ("at", "frequency", "until"),
    [
        (date(2026, 11, 20), "weekly", date(2026, 11, 26)),
        (date(2026, 11, 20), "quarterly", date(2027, 2, 20)),
        (date(2026, 11, 30), "quarterly", date(2027, 2, 28)),
        (date(2027, 11, 30), "quarterly", date(2028, 2, 29)),
        (date(2026, 8, 31), "half-year", date(2027, 2, 28)),
        (date(2026, 7, 15), "half-year", date(2027, 1, 15)),
        (date(2028, 2, 29), "yearly", date(2029, 2, 28)),
        (date(2026, 12, 31), "yearly", date(2027, 12, 31)),
    ],
)
def test_last_day(at: date, frequency: str, until: date) -> None:
    assert valid_until(at, frequency) == until  # type: ignore[arg-type]


@given(at=st.dates(date(2000, 1, 1), date(2090, 1, 1)), question=st.sampled_from(QUESTIONS))
def test_holds_from_its_day_to_its_last_day_and_not_a_day_longer(at: date, question: Question) -> None:
    given_ = (answer(question.id, at=at),)
    last = valid_until(at, question.frequency)
    one = timedelta(days=1)
    assert confirmed(question, given_, at) == given_[0]
    assert confirmed(question, given_, last) == given_[0]
    assert confirmed(question, given_, last + one) is None
    assert confirmed(question, given_, at - one) is None


def test_last_week_is_never_carried_over_to_the_next_friday() -> None:
    assert confirmed(BY_ID["media-ledger"], (answer(at=date(2026, 11, 13)),), date(2026, 11, 20)) is None


def test_a_record_may_be_completed_in_the_days_after_the_check() -> None:
    late = (answer(at=date(2026, 11, 23)),)
    question = BY_ID["media-ledger"]
    assert confirmed(question, late, TODAY) is None, "nobody knew it on that day"
    assert confirmed(question, late, TODAY, today=date(2026, 11, 22)) is None, "dated after today"
    assert confirmed(question, late, TODAY, today=date(2026, 11, 23)) == late[0]
    assert confirmed(question, late, date(2026, 11, 16), today=date(2026, 11, 30)) is None, "another week"


def test_the_newest_answer_counts_even_when_an_older_one_was_better() -> None:
    both = (answer(text="是", at=date(2026, 11, 18)), answer(text="否：丢失一个", at=date(2026, 11, 19)))
    for given_ in (both, both[::-1]):
        found = confirmed(BY_ID["media-ledger"], given_, TODAY)
        assert found is not None
        assert verdict(BY_ID["media-ledger"], found) == "no"


@pytest.mark.parametrize(
    ("question", "text", "good"),
    [
        ("media-ledger", "是", True), ("media-ledger", "否：正在采购", True), ("media-ledger", "不适用（没有介质）", True),
        ("media-ledger", "没有问题", False), ("media-ledger", "是的", False), ("media-ledger", "否定", False),
        ("drill", "2026-11-01", True), ("drill", "2026-13-01", False), ("drill", "上个月", False), ("drill", "20261101", False),
        ("power", "180", True), ("power", "2.5", True), ("power", "三小时", False), ("power", "-1", False),
        ("plan", "信息系统应急预案", True),
    ],
)  # fmt: skip
def test_wording_by_kind(question: str, text: str, good: bool) -> None:
    assert (wrong_answer(BY_ID[question], text) == "") is good


@pytest.mark.parametrize("text", ["无", "略", " 同上 ", "-", "N/A"])
def test_a_basis_can_be_looked_up(text: str) -> None:
    assert wrong_basis(text)


# --- clauses ----------------------------------------------------------------------------------------------------------


def states(*answers: Answer, day: date = TODAY) -> dict[str, tuple[Status | None, str]]:
    catalogue = load_catalogue(PROJECT / "rules")
    said = attested_clauses(QUESTIONS, answers, day)
    return {s.clause.id: (s.status, s.reason) for s in clause_states(catalogue, {}, (), said)}


def test_an_answer_gives_its_clauses_their_reason() -> None:
    status, reason = states(answer())["zc-5-1-media-keep"]
    assert status is Status.MANUAL
    assert reason.startswith("已由张三于 2026-11-20 确认")


def test_a_no_is_a_failure_and_an_expired_answer_none() -> None:
    assert states(answer(text="否：没有台账"))["zc-5-1-media-keep"][0] is Status.FAIL
    assert states(answer("website", "不适用：没有网站"))["zc-5-6-owner"][0] is Status.NOT_APPLICABLE
    before = states()["zc-5-1-media-keep"]
    assert states(answer(text="否"), day=date(2026, 11, 27))["zc-5-1-media-keep"] == before


def test_no_persons_word_changes_what_a_machine_answers() -> None:
    question = BY_ID["media-ledger"].model_copy(update={"clauses": ("gz-2-4",)})
    said = attested_clauses((question,), (answer(),), TODAY)
    catalogue = {"gz-2-4": load_catalogue(PROJECT / "rules")["gz-2-4"]}
    assert catalogue["gz-2-4"].kind == "automatic"
    assert clause_states(catalogue, {}, (), said)[0].status is Status.UNKNOWN


# --- files ------------------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(lambda t: t.strip() != "")


@given(text=TEXTS, person=TEXTS, at=st.dates(date(2000, 1, 1), date(2090, 1, 1)))
def test_answers_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, text: str, person: str, at: date
) -> None:
    made = Answer(question="plan", answer=text, person=person, at=at, basis="文号 1")
    path = tmp_path_factory.mktemp("a") / "answers.yml"
    path.write_text(answers_text([made]), encoding="utf-8", newline="")
    assert load_answers(path, QUESTIONS) == (made,)


def test_no_answers_at_all(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    path.write_text(answers_text([]), encoding="utf-8")
    assert load_answers(path, QUESTIONS) == ()


def test_an_answer_of_the_same_day_replaces_the_earlier_one() -> None:
    first, second, other = answer(text="是"), answer(text="否：更正"), answer(at=date(2026, 11, 13))
    assert merged_answers((other, first), (second,)) == (other, second)


def write(path: Path, *rows: str) -> Path:
    path.write_text("schema: ybscan.answers/v1\nanswers:\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def messages(error: pytest.ExceptionInfo[InputProblems]) -> list[str]:
    return [f"{p.line} {p.message}" for p in error.value.problems]


def test_problems_of_an_answers_file_have_their_lines(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.yml",
        "  - {question: media-legder, answer: 是, person: 张三, at: 2026-11-20, basis: 台账}",
        "  - {question: visitors, answer: 大概, person: 张三, at: 2026-11-20, basis: 无}",
    )
    with pytest.raises(InputProblems) as error:
        load_answers(path, QUESTIONS)
    assert [m.split(" ")[0] for m in messages(error)] == ["3", "4", "4"]
    assert "media-ledger" in str(error.value)


def test_an_empty_form_holds_no_answer_and_shows_the_last_ones_as_comments(tmp_path: Path) -> None:
    path = tmp_path / "form.yml"
    path.write_text(form_text(QUESTIONS, [answer(text="是\n# 注入\n- question: plan")]), encoding="utf-8")
    assert read_form(path, QUESTIONS, today=TODAY) == ()
    text = path.read_text(encoding="utf-8")
    assert "# 上次（2026-11-20、张三）：是 # 注入 - question: plan；依据：台账 12 页；有效至 2026-11-26" in text
    assert all(f"- question: {q.id}\n" in text for q in QUESTIONS)


def test_a_filled_form(tmp_path: Path) -> None:
    path = tmp_path / "form.yml"
    empty = "  - question: power\n    answer:\n    person:\n    at:\n    basis:\n"
    full = "  - question: power\n    answer: 180\n    person: 张三\n    at: 2026-11-20\n    basis: 放电测试 3 号\n"
    path.write_text(form_text(QUESTIONS, ()).replace(empty, full), encoding="utf-8")
    assert read_form(path, QUESTIONS, today=TODAY) == (answer("power", "180", basis="放电测试 3 号"),)


def test_every_bad_row_of_a_form_is_named(tmp_path: Path) -> None:
    path = write(
        tmp_path / "f.yml",
        "  - {question: media-ledger, answer: 是, person: 张三, at: 2026-11-21, basis: 台账}",
        "  - {question: visitors, answer: 是}",
        "  - {question: nowhere, answer: 是, person: 张三, at: 2026-11-20, basis: 台账}",
        "  - {question: drill, answer: 昨天, person: 张三, at: 昨天, basis: 同上}",
        "  - {question: plan, anwser: 预案}",
        "  - {question: policies, person: 张三, at: 2026-11-20}",
    )
    with pytest.raises(InputProblems) as error:
        read_form(path, QUESTIONS, today=TODAY)
    found = messages(error)
    assert "3 “移动介质台账”日期 2026-11-21 晚于今天" in found
    assert "4 “外来维护”缺少确认人、确认日期、依据" in found
    assert "5 没有编号为“nowhere”的事项" in found
    assert sum(m.startswith("6 ") for m in found) == 3
    assert "7 没有“anwser”这一项" in found
    assert not any(m.startswith("8 ") for m in found), "who and when alone are no answer"


# --- workbook ---------------------------------------------------------------------------------------------------------

openpyxl = pytest.importorskip("openpyxl")


def filled(path: Path, rows: dict[str, tuple[object, ...]], given_: tuple[Answer, ...] = ()) -> Path:
    """The project's form with the columns 答复, 确认人, 确认日期, 依据 of some questions filled in."""
    path.write_bytes(xlsx_form(QUESTIONS, given_))
    book = openpyxl.load_workbook(path)
    sheet = book.active
    for row in sheet.iter_rows(min_row=2):
        for cell, value in zip(row[7:11], rows.get(row[0].value, ()), strict=False):
            cell.value = value
    book.save(path)
    return path


def test_workbook_and_back(tmp_path: Path) -> None:
    from datetime import datetime

    rows = {
        "media-ledger": ("是", "张三", datetime(2026, 11, 20), "台账 12 页"),  # noqa: DTZ001 - as Excel has it
        "power": (180.0, "张三", "2026-11-20", 7),
    }
    found = read_xlsx(filled(tmp_path / "f.xlsx", rows), QUESTIONS, today=TODAY)
    assert set(found) == {answer(), answer("power", "180", basis="7")}


def test_an_earlier_answer_never_becomes_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "f.xlsx"
    path.write_bytes(xlsx_form(QUESTIONS, (answer("plan", '=HYPERLINK("http://x","y")\x07'),)))
    cells = [c for row in openpyxl.load_workbook(path).active.iter_rows() for c in row if c.value]
    assert all(c.data_type == "s" for c in cells)
    assert any("=HYPERLINK" in c.value for c in cells)
    assert read_xlsx(path, QUESTIONS, today=TODAY) == ()


def test_formulas_in_a_filled_workbook_are_refused_with_their_row(tmp_path: Path) -> None:
    path = filled(tmp_path / "f.xlsx", {QUESTIONS[1].id: ("=1+1", "张三", "2026-11-20", "文号")})
    with pytest.raises(InputProblems) as error:
        read_xlsx(path, QUESTIONS, today=TODAY)
    assert "3 “答复”是公式，请填写文字" in messages(error)


def test_a_bad_row_of_a_workbook_is_named(tmp_path: Path) -> None:
    path = filled(tmp_path / "f.xlsx", {QUESTIONS[0].id: ("孙某", None, "11月20日", "无")})
    with pytest.raises(InputProblems) as error:
        read_xlsx(path, QUESTIONS, today=TODAY)
    assert len(messages(error)) == 3
    assert all(m.startswith("2 ") for m in messages(error))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 broken", b"hello"])
def test_what_is_no_workbook_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "f.xlsx"
    path.write_bytes(data)
    with pytest.raises(InputProblems, match=r"不是有效的 \.xlsx 文件"):
        read_xlsx(path, QUESTIONS, today=TODAY)


def test_another_workbook_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["编号", "答复"])
    book.save(tmp_path / "f.xlsx")
    with pytest.raises(InputProblems, match="第一行缺少列“确认人”“确认日期”“依据”"):
        read_xlsx(tmp_path / "f.xlsx", QUESTIONS, today=TODAY)
