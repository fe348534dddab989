"""``ybscan report``: documents from results that were stored earlier."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ybscan.cli import console
from ybscan.cli.answers import AnswersOption
from ybscan.cli.options import NowOption, OutputOption, RedactOption, SiteOption, TemplateOption, redaction_level
from ybscan.cli.state import StateOption

if TYPE_CHECKING:
    from ybscan.model.problem import Problem
    from ybscan.model.result import ScanResult
    from ybscan.report.options import Kind, Redaction

KINDS: tuple[Kind, ...] = ("record", "self-inspection", "leader", "ledger")
FORMATS: tuple[Literal["md", "html", "docx", "json", "csv", "xlsx"], ...] = (
    "md", "html", "docx", "json", "csv", "xlsx",
)  # fmt: skip
#: Only of kinds that are tables.
TABLE_FORMATS = ("csv", "xlsx")
NAMES: dict[Kind, str] = {"record": "", "self-inspection": "自查报告", "leader": "领导询问", "ledger": "整改台账"}
MAX_RESULT_BYTES = 64 * 1024 * 1024
#: So many result files that reading them shows progress.
MANY = 20


ResultOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--result",
        help="检查结果（scan 生成的 .json），可重复；不写时用历史记录。",
        metavar="文件",
        show_default=False,
    ),
]
KindOption = Annotated[
    str,
    typer.Option(
        "--kind",
        help="record 检查记录；self-inspection 自查报告；leader 领导询问；ledger 整改台账。",
        metavar="种类",
    ),
]
PeriodOption = Annotated[
    str | None,
    typer.Option(
        "--period",
        help="用历史记录时的期间：week、month、quarter、half-year、year，为 --now 所在的一期。",
        metavar="期间",
        show_default=False,
    ),
]
TerminalOption = Annotated[
    str | None,
    typer.Option("--terminal", "-t", help="用历史记录时只要这台终端。", metavar="编号", show_default=False),
]
FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        "-f",
        help="输出格式，逗号分隔：md,html,docx（Word 文件）,json；自查报告和整改台账另有 csv,xlsx。",
        metavar="格式",
    ),
]
ExpectedOption = Annotated[
    int | None,
    typer.Option(
        "--expected",
        help="应检终端数；不写时用终端登记表的台数，没有登记表则为【未确认】。",
        metavar="台数",
        show_default=False,
    ),
]
MissedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--missed",
        help="没有检查的终端和原因，可重复，例如 YB-0004=设备送修。",
        metavar="终端=原因",
        show_default=False,
    ),
]
AddresseeOption = Annotated[
    str, typer.Option("--addressee", help="自查报告的主送机关。", metavar="机关", show_default=False)
]


def report(
    result: ResultOption = None,
    kind: KindOption = "self-inspection",
    period: PeriodOption = None,
    terminal: TerminalOption = None,
    format: FormatOption = "md,html",
    output: OutputOption = "ybscan-report",
    expected: ExpectedOption = None,
    missed: MissedOption = None,
    addressee: AddresseeOption = "",
    redact: RedactOption = "none",
    answers: AnswersOption = None,
    site: SiteOption = None,
    state: StateOption = None,
    now: NowOption = None,
    template: TemplateOption = None,
) -> int:
    """用历史记录或已有的检查结果生成检查记录、自查报告、领导询问材料或整改台账。"""
    from datetime import datetime

    from ybscan.cli import prepare
    from ybscan.cli.answers import given_answers, questions
    from ybscan.cli.documents import render_documents
    from ybscan.cli.gather import gather
    from ybscan.cli.keeping import Keeper
    from ybscan.cli.output import free_stem, prepared_folder, write_all
    from ybscan.model.problem import InputProblems

    formats = tuple(dict.fromkeys(n.strip().lower() for n in format.split(",") if n.strip()))
    problems = _mistakes(formats, kind, output, period, files=bool(result))
    try:
        level = redaction_level(redact)
    except InputProblems as e:
        problems.extend(e.problems)
    if problems:
        raise InputProblems(problems)
    chosen_kind = next(k for k in KINDS if k == kind)
    keep = Keeper(chosen_kind, level, terminal)
    results = read_results(result or [], keep)
    chosen = [f for f in FORMATS if f in formats]
    moment = prepare.moment(now) or datetime.now().astimezone()
    settings = prepare.site_path(site)
    with console.progress(quiet=False, doing="正在读取检查记录") as show:
        found = gather(
            results, chosen_kind, site=settings, state=state, period=period, terminal=terminal, expected=expected,
            missed=missed or [], moment=moment, keep=counted(keep, show),
        )  # fmt: skip
    asked = questions(None)
    given = given_answers(answers, settings, asked)
    shown, options = keep.shown(
        found.results,
        replace(found.options, questions=asked, answers=given, today=moment.date(), addressee=addressee),
    )
    with console.progress(quiet=False, doing="正在生成") as show:
        documents = render_documents(chosen_kind, chosen, shown, template=template, options=options, progress=show)
    if output == "-":
        console.emit_bytes(documents[formats[0]])
        return console.OK
    folder = prepared_folder(Path(output))
    stem = free_stem(folder, _stem(chosen_kind, shown, level), formats)
    for written in write_all(folder, {f"{stem}.{f}": documents[f] for f in formats}):
        console.say(f"已写入 {written}")
    return console.OK


def _stem(kind: Kind, results: Sequence[ScanResult], level: Redaction) -> str:
    """The name of the documents: whose they are, what, of when, and that names were replaced."""
    from ybscan.cli.output import safe_name

    latest = max(r.started_at for r in results)[:10]
    name = results[0].unit.get("name", "本单位") if kind != "record" else results[0].host.id
    title = f"{NAMES[kind]}-" if NAMES[kind] else ""
    return f"{safe_name(name)}-{title}{latest}{'-脱敏' if level != 'none' else ''}"


def _mistakes(formats: tuple[str, ...], kind: str, output: str, period: str | None, *, files: bool) -> list[Problem]:
    """What is wrong with the options, taken together; ``files``: whether results are given as files."""
    from ybscan.model.problem import Problem, did_you_mean
    from ybscan.report.dates import PERIODS

    problems = [
        Problem("--format", 0, f"没有格式“{n}”", did_you_mean(n, FORMATS) or f"可用：{'、'.join(FORMATS)}")
        for n in formats
        if n not in FORMATS
    ]
    if not formats:
        problems.append(Problem("--format", 0, "没有写格式", f"可用：{'、'.join(FORMATS)}"))
    problems += [
        Problem("--format", 0, f"格式 {n} 只用于自查报告和整改台账", "请用 --kind self-inspection 或 --kind ledger")
        for n in formats
        if n in TABLE_FORMATS and kind in ("record", "leader")
    ]
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS) or f"可用：{'、'.join(KINDS)}"
        problems.append(Problem("--kind", 0, f"没有“{kind}”这种文件", hint))
    if period is not None and period not in PERIODS:
        hint = did_you_mean(period, PERIODS) or f"可用：{'、'.join(PERIODS)}"
        problems.append(Problem("--period", 0, f"没有“{period}”这种期间", hint))
    if period is not None and files:
        problems.append(Problem("--period", 0, "--period 用于历史记录，不能与 --result 同时使用", "请只保留一个"))
    if output == "-" and len(formats) > 1:
        problems.append(Problem("--output", 0, "输出到标准输出时只能用一种格式", "例如 --format md -o -"))
    return problems


def read_results(paths: list[Path], keep: Callable[[ScanResult], ScanResult]) -> tuple[ScanResult, ...]:
    """What is kept of each stored result.

    Raises:
        InputProblems: what is wrong with any of them.
    """
    from ybscan.model.problem import InputProblems

    problems: list[Problem] = []
    kept: list[ScanResult] = []
    with console.progress(quiet=len(paths) < MANY, doing="正在读取检查结果") as show:
        for number, path in enumerate(paths, 1):
            show(f"{number}/{len(paths)}")
            try:
                kept.append(keep(read_result(path)))
            except InputProblems as e:
                problems.extend(e.problems)
    if problems:
        raise InputProblems(problems)
    return tuple(kept)


def counted(
    keep: Callable[[ScanResult], ScanResult], show: Callable[[str], None]
) -> Callable[[ScanResult], ScanResult]:
    """``keep`` that tells how many results have been read."""
    read = itertools.count(1)

    def keep_and_tell(result: ScanResult) -> ScanResult:
        show(f"{next(read)}")
        return keep(result)

    return keep_and_tell


def read_result(path: Path) -> ScanResult:
    """A stored result, its digest verified.

    Raises:
        InputProblems: unreadable, no result document, or altered since it was written.
    """
    import json

    from pydantic import ValidationError

    from ybscan.model.problem import InputProblems, Problem
    from ybscan.model.result import ScanResult

    def refuse(message: str, suggestion: str = "请使用 ybscan scan 生成的 .json 文件", line: int = 0) -> InputProblems:
        return InputProblems([Problem(str(path), line, message, suggestion)])

    try:
        with path.open("rb") as f:
            data = f.read(MAX_RESULT_BYTES + 1)
    except OSError as e:
        raise refuse(f"无法读取文件（{e.strerror or type(e).__name__}）", "请核对路径") from None
    if len(data) > MAX_RESULT_BYTES:
        raise refuse("文件过大，不是检查结果")
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except json.JSONDecodeError as e:
        raise refuse("不是完整的 JSON 文件", line=e.lineno) from None
    except (ValueError, RecursionError):  # no UTF-8, or a number of thousands of digits
        raise refuse("不是检查结果文件") from None
    if not isinstance(document, dict) or document.get("schema") != "ybscan.result/v1":
        raise refuse("不是 ybscan.result/v1 检查结果")
    if document.get("redacted"):
        raise refuse("这是脱敏后的副本，不能用来生成报告", "请使用脱敏以前的原文件，报告可以用 --redact 脱敏")
    try:
        result = ScanResult.model_validate(document)
    except ValidationError as e:
        first = e.errors(include_url=False)[0]
        raise refuse(f"检查结果的内容不完整（{'.'.join(map(str, first['loc']))}）") from None
    try:
        digest = result.compute_digest()
    except (ValueError, RecursionError):  # nested deeper than any result is
        raise refuse("不是检查结果文件") from None
    if digest != result.digest:
        raise refuse("摘要值与内容不符，文件在生成后被改动过", "请使用未改动的原文件")
    # The digest is no signature: whoever edits a result can compute it anew. What contradicts itself is refused.
    if not _consistent(result):
        raise refuse("检查结果前后矛盾（各项结论与汇总数，或检查时间），文件被改动过", "请使用未改动的原文件")
    return result


def _consistent(result: ScanResult) -> bool:
    from datetime import datetime

    from ybscan.engine.summary import summary

    try:
        for moment in (result.started_at, result.finished_at):
            datetime.fromisoformat(moment)
    except ValueError:
        return False
    counted = summary(result.findings, partial=bool(result.left_out)).model_dump(exclude={"grade"})
    return counted == result.summary.model_dump(exclude={"grade"})
