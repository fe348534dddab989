"""``ybscan attest``: answer what only a person knows, by prompts or from a form; earlier answers are only shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ybscan.cli import console
from ybscan.cli.options import NowOption, RulesOption, SiteOption

if TYPE_CHECKING:
    from ybscan.model.attestation import Answer, Question

DEFAULT_NAME = "answers.yml"


def attest(
    site: SiteOption = None,
    rules: RulesOption = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            "--answers",
            help="答复文件；不写时用单位配置的 answers，再不写时用 answers.yml。",
            metavar="文件",
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        Path | None,
        typer.Option("--form", help="写出空白的确认表（.yml 或 .xlsx）。", metavar="文件", show_default=False),
    ] = None,
    filled: Annotated[
        Path | None,
        typer.Option("--from", help="读入填好的确认表（.yml 或 .xlsx）。", metavar="文件", show_default=False),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="列出没有答复和已过期的事项。")] = False,
    everything: Annotated[bool, typer.Option("--all", help="连仍在有效期内的事项也一起询问或列出。")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            help="只处理指定的事项编号或频次（weekly、quarterly、half-year、yearly），可重复。",
            metavar="编号",
            show_default=False,
        ),
    ] = None,
    now: NowOption = None,
) -> int:
    """答复只有人知道的事项：逐项询问，或用表格填写。

    退出码：0 没有待确认的事项；3 还有没有答复或已过期的事项；2 表格或文件有误。
    """  # fmt: skip
    from datetime import datetime

    from ybscan.cli import prepare
    from ybscan.cli.answers import answers_path
    from ybscan.cli.answers import questions as all_questions
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.rules.attestation import load_answers

    if sum((form is not None, filled is not None, show)) > 1:
        raise InputProblems([Problem("attest", 0, "--form、--from 和 --list 只能用一个", "")])
    today = (prepare.moment(now) or datetime.now().astimezone()).date()
    questions = all_questions(rules)
    path = answers_path(answers, prepare.site_path(site)) or Path(DEFAULT_NAME)
    given = load_answers(path, questions) if path.is_file() else ()
    chosen = _chosen(questions, only or [])
    if form is not None:
        return _write_form(form, chosen, given)
    if filled is not None:
        return _read(filled, path, questions, given, today)
    if show:
        return _list(chosen, given, today, everything=everything)
    return _ask_all(chosen, given, today, path, everything=everything)


def _chosen(questions: Sequence[Question], only: list[str]) -> tuple[Question, ...]:
    from ybscan.model.attestation import FREQUENCY_TEXT
    from ybscan.model.problem import InputProblems, Problem, did_you_mean

    known = [q.id for q in questions]
    wrong = [
        Problem("--only", 0, f"没有事项或频次“{o}”", did_you_mean(o, [*known, *FREQUENCY_TEXT]))
        for o in only
        if o not in known and o not in FREQUENCY_TEXT
    ]
    if wrong:
        raise InputProblems(wrong)
    return tuple(q for q in questions if not only or q.id in only or q.frequency in only)


def _save(path: Path, answers: Sequence[Answer]) -> None:
    from ybscan.cli.output import prepared_folder, write_all
    from ybscan.rules.attestation import answers_text

    folder = prepared_folder(path.parent)
    write_all(folder, {path.name: answers_text(answers).encode("utf-8")})


def _open(questions: Sequence[Question], answers: Sequence[Answer], today: date) -> tuple[Question, ...]:
    from ybscan.model.attestation import confirmed

    return tuple(q for q in questions if confirmed(q, answers, today) is None)


def _closing(questions: Sequence[Question], answers: Sequence[Answer], today: date) -> int:
    left = len(_open(questions, answers, today))
    console.say(f"还有 {left} 项没有确认。" if left else "全部事项都已确认。")
    return console.UNDETERMINED if left else console.OK


def _write_form(form: Path, questions: Sequence[Question], answers: Sequence[Answer]) -> int:
    from ybscan.cli.output import prepared_folder, write_all
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.rules.attestation import form_text

    if form.exists():
        raise InputProblems([Problem(str(form), 0, "文件已存在", "请换一个文件名，以免覆盖已填写的表格")])
    if form.suffix.lower() == ".xlsx":
        from ybscan.rules.answers_xlsx import xlsx_form

        data = xlsx_form(questions, answers)
    elif form.suffix.lower() in (".yml", ".yaml"):
        data = form_text(questions, answers).encode("utf-8")
    else:
        raise InputProblems([Problem(str(form), 0, "表格只能是 .yml 或 .xlsx 文件", "")])
    write_all(prepared_folder(form.parent), {form.name: data})
    console.say(f"已写入 {form}，共 {len(questions)} 项。填好后运行：ybscan attest --from {form}")
    return console.OK


def _read(filled: Path, path: Path, questions: Sequence[Question], given: Sequence[Answer], today: date) -> int:
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.rules.attestation import merged_answers, read_form

    if filled.suffix.lower() == ".xlsx":
        from ybscan.rules.answers_xlsx import read_xlsx

        new = read_xlsx(filled, questions, today=today)
    else:
        new = read_form(filled, questions, today=today)
    if not new:
        raise InputProblems([Problem(str(filled), 0, "表格中没有填写任何答复", "请填写后再读入")])
    everything = merged_answers(given, new)
    _save(path, everything)
    console.say(f"读入 {len(new)} 项答复，已写入 {path}。")
    return _closing(questions, everything, today)


def _list(questions: Sequence[Question], answers: Sequence[Answer], today: date, *, everything: bool) -> int:
    from ybscan.model.attestation import FREQUENCY_TEXT, confirmed, last_answer, valid_until

    for q in questions:
        valid = confirmed(q, answers, today)
        last = last_answer(q, answers)
        if valid is not None and not everything:
            continue
        if valid is not None:
            state = f"有效至 {valid_until(valid.at, q.frequency)}（{valid.person}，{valid.at}）"
        elif last is None:
            state = "没有答复"
        elif last.at > today:
            state = f"确认日期 {last.at} 晚于今天"
        else:
            state = f"已于 {valid_until(last.at, q.frequency)} 到期（{last.person}，{last.at}）"
        console.emit(f"{q.id:<24} {FREQUENCY_TEXT[q.frequency]}  {q.group}·{q.title}：{state}\n")
    return _closing(questions, answers, today)


def _ask_all(
    questions: Sequence[Question], answers: Sequence[Answer], today: date, path: Path, *, everything: bool
) -> int:
    """Ask one by one, saving after each answer: what was answered is never lost, and asking goes on next time."""
    from ybscan.model.attestation import last_answer
    from ybscan.rules.attestation import merged_answers, question_lines

    due = questions if everything else _open(questions, answers, today)
    if not due:
        return _closing(questions, answers, today)
    console.say(
        f"共 {len(due)} 项需要确认。直接回车跳过一项；每答复一项立即保存到 {path}，按 Ctrl-C 可随时停下，下次继续。"
    )
    kept = tuple(answers)
    person = ""
    saved = 0
    try:
        for i, q in enumerate(due, 1):
            console.say(f"\n[{i}/{len(due)}] {q.group}")
            for line in question_lines(q, last_answer(q, kept)):
                console.say(f"  {line}")
            answer = _ask_one(q, today, person)
            if answer is None:
                console.say("  已跳过。")
                continue
            kept = merged_answers(kept, (answer,))
            _save(path, kept)
            person = answer.person
            saved += 1
    except (typer.Abort, KeyboardInterrupt):
        console.say("")
        console.say(f"已停下。本次保存了 {saved} 项答复，其余下次继续。")
        return _closing(questions, kept, today)
    console.say(f"\n本次保存了 {saved} 项答复。")
    return _closing(questions, kept, today)


def _ask_one(q: Question, today: date, person: str) -> Answer | None:
    from ybscan.model.attestation import Answer, wrong_answer, wrong_basis, wrong_day

    text = _prompt("  答复", lambda t: wrong_answer(q, t))
    if not text:
        return None
    basis = _prompt("  依据（文号、台账页码等）", wrong_basis)
    if not basis:
        return None
    who = _prompt("  确认人", lambda t: "确认人超过 200 字" if len(t) > 200 else "", default=person)
    if not who:
        return None
    at = _prompt("  确认日期", lambda t: wrong_day(t, today=today), default=today.isoformat())
    return Answer(question=q.id, answer=text, person=who, at=date.fromisoformat(at), basis=basis)


def _prompt(label: str, check: object, *, default: str = "") -> str:
    """One line; asked again while ``check`` names a problem. Empty where nothing was typed and there is no default."""
    assert callable(check)  # noqa: S101
    while True:
        given: str = typer.prompt(label, default=default, show_default=bool(default), err=True).strip()
        why = "含有无法识别的字符" if any("\ud800" <= c <= "\udfff" for c in given) else check(given) if given else ""
        if not why:
            return given
        console.say(f"  {why}，请重新输入。")
