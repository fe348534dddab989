"""Loading the questionnaire and the unit's answers to it; writing the answers as text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from ybscan.model.attestation import (
    FREQUENCY_TEXT,
    KIND_TEXT,
    Answer,
    AnswerFile,
    Question,
    QuestionFile,
    last_answer,
    valid_until,
    wrong_answer,
    wrong_basis,
    wrong_day,
)
from ybscan.model.problem import InputProblems, Problem, did_you_mean
from ybscan.rules.load import validated
from ybscan.rules.strict_yaml import Map, Seq, line_at, read_yaml

ANSWERS_SCHEMA = "ybscan.answers/v1"
FIELDS = ("question", "answer", "person", "at", "basis")
LABELS = {"question": "编号", "answer": "答复", "person": "确认人", "at": "确认日期", "basis": "依据"}


def load_questions(root: Path, *, shown_root: str = "") -> tuple[Question, ...]:
    """The questions of ``root/attestation/*.yml`` in the order of the files.

    Raises:
        InputProblems: the folder is missing, a file is malformed, an id or a clause is used twice.
    """
    folder = root / "attestation"
    shown = f"{shown_root or root}/attestation"
    if not folder.is_dir():
        raise InputProblems([Problem(shown, 0, "人工确认事项的文件夹不存在", "请核对规则文件夹")])
    problems: list[Problem] = []
    found: dict[str, Question] = {}
    clauses: dict[str, str] = {}
    for path in sorted(folder.glob("*.yml")):
        name = f"{shown}/{path.name}"
        try:
            raw = read_yaml(path, name=name)
        except InputProblems as e:
            problems.extend(e.problems)
            continue
        document = validated(QuestionFile, raw, name, problems)
        for i, question in enumerate(document.questions if document else ()):
            line = line_at(raw, ("questions", i))
            if question.id in found:
                problems.append(Problem(name, line, f"事项编号 {question.id} 重复", "请改用其他编号"))
            found[question.id] = question
            for clause in question.clauses:
                if clause in clauses:
                    why = f"条款 {clause} 已由 {clauses[clause]} 答复"
                    problems.append(Problem(name, line, why, "一个条款只能由一个事项答复"))
                clauses[clause] = question.id
    if problems:
        raise InputProblems(problems)
    return tuple(found.values())


def load_answers(path: Path, questions: Sequence[Question]) -> tuple[Answer, ...]:
    """The unit's answers.

    Raises:
        InputProblems: with every problem of the file, an answer to a question that does not exist included.
    """
    name = str(path)
    problems: list[Problem] = []
    raw = read_yaml(path, name=name)
    document = validated(AnswerFile, raw, name, problems)
    by_id = {q.id: q for q in questions}
    for i, answer in enumerate(document.answers if document else ()):
        line = line_at(raw, ("answers", i))
        question = by_id.get(answer.question)
        if question is None:
            problems.append(_no_question(name, line, answer.question, by_id))
            continue
        for why in (wrong_answer(question, answer.answer), wrong_basis(answer.basis)):
            if why:
                problems.append(Problem(name, line, f"“{question.title}”{why}", ""))
    if problems:
        raise InputProblems(problems)
    return document.answers if document else ()


def _no_question(name: str, line: int, given: str, known: Iterable[str]) -> Problem:
    return Problem(name, line, f"没有编号为“{given}”的事项", did_you_mean(given, known))


def read_form(path: Path, questions: Sequence[Question], *, today: date) -> tuple[Answer, ...]:
    """The answers in a filled YAML form; rows left empty are passed over.

    Raises:
        InputProblems: with every bad row and its line.
    """
    name = str(path)
    raw = read_yaml(path, name=name)
    rows = raw.get("answers") if isinstance(raw, Map) else None
    if not isinstance(raw, Map) or raw.get("schema") != ANSWERS_SCHEMA or not isinstance(rows, Seq):
        raise InputProblems([Problem(name, 1, "不是人工确认表", f"应有 schema: {ANSWERS_SCHEMA} 和 answers 列表")])
    problems: list[Problem] = []
    given: list[tuple[int, dict[str, str]]] = []
    for i, row in enumerate(rows):
        line = line_at(raw, ("answers", i))
        if not isinstance(row, Map):
            problems.append(Problem(name, line, "每一项应为“键: 值”形式", ""))
            continue
        for key in row:
            if key not in FIELDS:
                problems.append(Problem(name, row.line_of(key), f"没有“{key}”这一项", did_you_mean(str(key), FIELDS)))
        given.append((line, {k: "" if row.get(k) is None else str(row.get(k)).strip() for k in FIELDS}))
    found = checked_rows(given, questions, name, problems, today=today)
    if problems:
        raise InputProblems(problems)
    return found


def checked_rows(
    rows: Iterable[tuple[int, dict[str, str]]],
    questions: Sequence[Question],
    name: str,
    problems: list[Problem],
    *,
    today: date,
) -> tuple[Answer, ...]:
    """Answers from rows of texts (keys :data:`FIELDS`); each with its row's number in its problems."""
    by_id = {q.id: q for q in questions}
    seen: dict[str, int] = {}
    found: list[Answer] = []
    for line, row in rows:
        filled = [k for k in ("answer", "person", "at", "basis") if row[k]]
        if not row["answer"] and not row["basis"]:
            continue  # who and when may have been filled in for the whole form
        question = by_id.get(row["question"])
        if question is None:
            problems.append(_no_question(name, line, row["question"], by_id))
            continue
        if question.id in seen:
            problems.append(Problem(name, line, f"“{question.title}”重复，第 {seen[question.id]} 行已答复", ""))
            continue
        seen[question.id] = line
        missing = [LABELS[k] for k in ("answer", "person", "at", "basis") if k not in filled]
        wrong = [f"缺少{'、'.join(missing)}"] if missing else []
        wrong += [wrong_answer(question, row["answer"])] if row["answer"] else []
        wrong += [wrong_day(row["at"], today=today)] if row["at"] else []
        wrong += [wrong_basis(row["basis"])] if row["basis"] else []
        wrong += ["确认人超过 200 字"] if len(row["person"]) > 200 else []
        bad = [w for w in wrong if w]
        problems.extend(Problem(name, line, f"“{question.title}”{w}", "") for w in bad)
        if not bad:
            found.append(Answer.model_validate(row))
    return tuple(found)


def merged_answers(before: Iterable[Answer], new: Iterable[Answer]) -> tuple[Answer, ...]:
    """All answers; one of the same question and day replaces the earlier one."""
    table = {(a.question, a.at): a for a in before}
    for answer in new:
        table.pop((answer.question, answer.at), None)
        table[answer.question, answer.at] = answer
    return tuple(table.values())


def answers_text(answers: Iterable[Answer]) -> str:
    """The document ``ybscan.answers/v1``."""
    lines = ["# 人工确认的答复，由 ybscan attest 维护；同一事项以日期最近的一条为准", f"schema: {ANSWERS_SCHEMA}"]
    rows = list(answers)
    lines.append("answers:" if rows else "answers: []")
    for a in rows:
        lines.append(f"  - question: {a.question}")
        lines += [f"    {k}: {_quoted(getattr(a, k))}" for k in ("answer", "person")]
        lines += [f"    at: {a.at.isoformat()}", f"    basis: {_quoted(a.basis)}"]
    return "\n".join(lines) + "\n"


def form_text(questions: Iterable[Question], answers: Iterable[Answer]) -> str:
    """An empty form: what to answer stands in comments, the last answers too, and never in the fields."""
    given = tuple(answers)
    lines = [
        "# 人工确认表：逐项填写 answer（答复）、person（确认人）、at（确认日期）、basis（依据），不填的留空。",
        "# 填好后运行：ybscan attest --from 本文件",
        f"schema: {ANSWERS_SCHEMA}", "answers:",
    ]  # fmt: skip
    group = ""
    for q in questions:
        if q.group != group:
            group = q.group
            lines += ["", f"  # ==== {group} ===="]
        lines += ["", *(f"  # {line}" for line in question_lines(q, last_answer(q, given)))]
        lines += [f"  - question: {q.id}", "    answer:", "    person:", "    at:", "    basis:"]
    return "\n".join(lines) + "\n"


def question_lines(q: Question, last: Answer | None) -> list[str]:
    """What a person is shown of a question."""
    lines = [f"{q.title}（{FREQUENCY_TEXT[q.frequency]}；{KIND_TEXT[q.kind]}）", q.text]
    if last is not None:
        lines.append(last_text(q, last))
    return [" ".join(line.split()) for line in lines]


def last_text(q: Question, last: Answer) -> str:
    """The last answer, as a reminder."""
    until = valid_until(last.at, q.frequency)
    return f"上次（{last.at}、{last.person}）：{last.answer}；依据：{last.basis}；有效至 {until}"


def _quoted(text: str) -> str:
    """A YAML double-quoted scalar, which JSON strings are, without what YAML does not allow in a file."""
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in plain)
