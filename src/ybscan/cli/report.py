"""``ybscan report``: documents from results that were stored earlier."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ybscan.cli import console
from ybscan.cli.answers import AnswersOption
from ybscan.cli.scan import NowOption, SiteOption

if TYPE_CHECKING:
    from ybscan.model.problem import Problem
    from ybscan.model.result import ScanResult

KINDS: tuple[Literal["record", "self-inspection"], ...] = ("record", "self-inspection")
FORMATS: tuple[Literal["md", "html"], ...] = ("md", "html")
MAX_RESULT_BYTES = 64 * 1024 * 1024


def report(
    result: Annotated[
        list[Path], typer.Option("--result", help="检查结果（scan 生成的 .json），可重复。", metavar="文件")
    ],
    kind: Annotated[
        str, typer.Option("--kind", help="record 检查记录；self-inspection 自查报告。", metavar="种类")
    ] = "self-inspection",
    format: Annotated[
        str, typer.Option("--format", "-f", help="输出格式，逗号分隔：md,html。", metavar="格式")
    ] = "md,html",
    output: Annotated[
        str,
        typer.Option("--output", "-o", help="输出文件夹；写 - 时输出到标准输出（只能用一种格式）。", metavar="文件夹"),
    ] = "ybscan-report",
    expected: Annotated[
        int | None,
        typer.Option("--expected", help="应检终端数；不写时报告中为【未确认】。", metavar="台数", show_default=False),
    ] = None,
    answers: AnswersOption = None,
    site: SiteOption = None,
    now: NowOption = None,
    template: Annotated[
        Path | None, typer.Option("--template", help="本单位的模板文件夹。", metavar="文件夹", show_default=False)
    ] = None,
) -> int:
    """用已有的检查结果生成检查记录或自查报告。"""
    from datetime import datetime

    from ybscan.cli import prepare
    from ybscan.cli.answers import given_answers, questions
    from ybscan.cli.documents import render_documents
    from ybscan.cli.output import free_stem, prepared_folder, safe_name, write_all
    from ybscan.model.problem import InputProblems

    formats = tuple(dict.fromkeys(n.strip().lower() for n in format.split(",") if n.strip()))
    problems = _mistakes(formats, kind, output, expected, len(result))
    results: list[ScanResult] = []
    for path in result:
        try:
            results.append(read_result(path))
        except InputProblems as e:
            problems.extend(e.problems)
    if problems:
        raise InputProblems(problems)
    chosen_kind = next(k for k in KINDS if k == kind)
    chosen = [f for f in FORMATS if f in formats]
    asked = questions(None)
    given = given_answers(answers, prepare.site_path(site), asked)
    today = (prepare.moment(now) or datetime.now().astimezone()).date()
    documents = render_documents(
        chosen_kind,
        chosen,
        tuple(results),
        template=template,
        expected=expected,
        questions=asked,
        answers=given,
        today=today,
    )
    if output == "-":
        console.emit_bytes(documents[formats[0]])
        return console.OK
    folder = prepared_folder(Path(output))
    latest = max(r.started_at for r in results)[:10]
    name = results[0].unit.get("name", "本单位") if kind != "record" else results[0].host.id
    stem = free_stem(folder, f"{safe_name(name)}-{'自查报告-' if kind != 'record' else ''}{latest}", formats)
    for written in write_all(folder, {f"{stem}.{f}": documents[f] for f in formats}):
        console.say(f"已写入 {written}")
    return console.OK


def _mistakes(formats: tuple[str, ...], kind: str, output: str, expected: int | None, count: int) -> list[Problem]:
    """What is wrong with the options, taken together; ``count`` is the number of results given."""
    from ybscan.model.problem import Problem, did_you_mean

    problems = [
        Problem("--format", 0, f"没有格式“{n}”", did_you_mean(n, FORMATS) or "可用：md、html")
        for n in formats
        if n not in FORMATS
    ]
    if not formats:
        problems.append(Problem("--format", 0, "没有写格式", "可用：md、html"))
    if kind not in KINDS:
        problems.append(
            Problem("--kind", 0, f"没有“{kind}”这种文件", did_you_mean(kind, KINDS) or "可用：record、self-inspection")
        )
    if output == "-" and len(formats) > 1:
        problems.append(Problem("--output", 0, "输出到标准输出时只能用一种格式", "例如 --format md -o -"))
    if kind == "record" and count > 1:
        problems.append(Problem("--kind", 0, "检查记录一次只能用一个结果", "多台终端请用 --kind self-inspection"))
    if expected is not None and expected < count:
        problems.append(Problem("--expected", 0, f"应检终端数 {expected} 少于结果数 {count}", "请核对"))
    return problems


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
