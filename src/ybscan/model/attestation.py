"""What only a person can know: the questions, the answers to them, and how long an answer holds. Pure."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from pydantic import Field

from ybscan.model.rule import ClauseId, Day, Document, Short, Slug, Text

AttestedPart = Literal["organisation", "methods", "manual", "advice"]
"""Where a self-inspection report prints the answer: who is responsible, how else was checked, what else, remarks."""

Frequency = Literal["weekly", "quarterly", "half-year", "yearly"]
AnswerKind = Literal["yes_no", "text", "date", "number"]

FREQUENCY_TEXT: Mapping[str, str] = {"weekly": "每周", "quarterly": "每季", "half-year": "每半年", "yearly": "每年"}
KIND_TEXT: Mapping[str, str] = {
    "yes_no": "是/否/不适用，可写说明，例如“否：正在采购”", "text": "文字", "date": "日期，例如 2026-11-20", "number": "数字",
}  # fmt: skip
_MONTHS = {"quarterly": 3, "half-year": 6, "yearly": 12}


class Question(Document):
    """One thing a person has to confirm."""

    id: Slug
    title: Short = Field(description="事项名称")
    text: Text = Field(description="需要确认的内容；是非题写成做到了答“是”")
    group: Short = Field(description="分组")
    part: AttestedPart = Field(description="写入自查报告的哪一部分")
    frequency: Frequency = Field(description="多久确认一次")
    kind: AnswerKind = Field(description="答复方式")
    clauses: tuple[ClauseId, ...] = Field(default=(), description="答复的条款编号")


class QuestionFile(Document):
    """One file of ``rules/attestation``."""

    schema_: Literal["ybscan.questions/v1"] = Field(alias="schema")
    id: Slug
    title: Short
    questions: tuple[Question, ...] = Field(min_length=1)


class Answer(Document):
    """What a person confirmed. ``basis``: the document, ledger page or photograph it can be looked up in."""

    question: Slug = Field(description="事项编号")
    answer: Text = Field(description="答复")
    person: Short = Field(description="确认人")
    at: Day = Field(description="确认日期")
    basis: Short = Field(description="依据：文号、台账页码等")


class AnswerFile(Document):
    """The unit's answers, the earlier ones included: the last one to a question counts."""

    schema_: Literal["ybscan.answers/v1"] = Field(alias="schema")
    answers: tuple[Answer, ...] = ()


def valid_until(at: date, frequency: Frequency) -> date:
    """The last day on which an answer of day ``at`` holds.

    Weekly: the seventh day, the day itself counted, so that the check of the next week asks anew. Else the day of the
    same number after three, six or twelve months, or the month's last day where it has no such day.
    """
    if frequency == "weekly":
        return at + timedelta(days=6)
    months = at.month - 1 + _MONTHS[frequency]
    year, month = at.year + months // 12, months % 12 + 1
    return date(year, month, min(at.day, calendar.monthrange(year, month)[1]))


def holds(question: Question, answer: Answer, day: date) -> bool:
    """Whether the answer counts on ``day``: not before it was given, and not after it expired."""
    return answer.question == question.id and answer.at <= day <= valid_until(answer.at, question.frequency)


def last_answer(question: Question, answers: Iterable[Answer], *, by: date | None = None) -> Answer | None:
    """The newest answer to the question (not younger than ``by``); of several of one day the last one written."""
    found: Answer | None = None
    for answer in answers:
        if answer.question == question.id and (by is None or answer.at <= by) and (not found or answer.at >= found.at):
            found = answer
    return found


def confirmed(question: Question, answers: Iterable[Answer], day: date, *, today: date | None = None) -> Answer | None:
    """The answer that counts for ``day``; None is 【未确认】.

    A record is often completed some days after the check: where none held on the day, the first answer of the six days
    after it counts, as long as it is not younger than ``today`` (by default the day itself, so that none does).
    """
    found = last_answer(question, answers, by=day)
    if found is not None and holds(question, found, day):
        return found
    later = [a for a in answers if a.question == question.id and day < a.at <= (today or day)]
    return min((a for a in later if a.at <= day + timedelta(days=6)), key=lambda a: a.at, default=None)


Verdict = Literal["yes", "no", "not_applicable", "stated"]
_YES_NO = re.compile(r"(是|否|不适用)(?:[：:，,（( ].*)?", re.DOTALL)
_VERDICTS: Mapping[str, Verdict] = {"是": "yes", "否": "no", "不适用": "not_applicable"}
_NO_BASIS = frozenset({"无", "没有", "略", "同上", "不详", "-", "—", "——", "/", "na", "n/a", "?", "？"})
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,6})?")


def verdict(question: Question, answer: Answer) -> Verdict:
    """What the answer says of the clauses behind the question: only a yes/no question can say 不符合."""
    if question.kind == "yes_no" and (m := _YES_NO.fullmatch(answer.answer.strip())):
        return _VERDICTS[m[1]]
    return "stated"


def wrong_answer(question: Question, text: str) -> str:
    """What is wrong with the wording of an answer, in Chinese; empty when nothing is."""
    text = text.strip()
    if question.kind == "yes_no" and not _YES_NO.fullmatch(text):
        return "应答“是”“否”或“不适用”，说明写在后面，例如“否：正在采购”"
    if question.kind == "date":
        return wrong_day(text)
    if question.kind == "number" and not _NUMBER.fullmatch(text):
        return f"“{text[:40]}”不是数字"
    return "" if len(text) <= 4000 else "答复超过 4000 字"


def wrong_day(text: str, *, today: date | None = None) -> str:
    """What is wrong with a date, in Chinese; empty when nothing is."""
    try:
        day = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        day = None
    if day is None:
        return f"“{text[:40]}”不是日期，应写成 2026-11-20 的形式"
    return f"日期 {day} 晚于今天" if today is not None and day > today else ""


def wrong_basis(text: str) -> str:
    """What is wrong with a basis, in Chinese: it has to name something that can be looked up."""
    text = text.strip()
    if text.casefold() in _NO_BASIS:
        return f"“{text}”不能作为依据，请写文号、台账页码、记录编号或照片编号"
    return "" if len(text) <= 200 else "依据超过 200 字"


@dataclass(frozen=True, slots=True)
class Attestation:
    """An answered question as the clauses behind it see it."""

    question: Question
    answer: Answer

    @property
    def verdict(self) -> Verdict:
        """What it says of the clauses."""
        return verdict(self.question, self.answer)

    @property
    def text(self) -> str:
        """Who confirmed what, when and on what basis."""
        a = self.answer
        said = f"：{a.answer}" if self.verdict in ("no", "not_applicable") else ""
        return f"已由{a.person}于 {a.at} 确认{said}（{self.question.title}，依据：{a.basis}）"


def attested_clauses(
    questions: Iterable[Question], answers: Iterable[Answer], day: date
) -> dict[str, Attestation]:  # fmt: skip
    """Clause id → the answer that holds on ``day``."""
    given = tuple(answers)
    found: dict[str, Attestation] = {}
    for question in questions:
        answer = confirmed(question, given, day)
        if answer is not None:
            found.update({clause: Attestation(question, answer) for clause in question.clauses})
    return found
