"""``ybscan scan``: read the terminal, judge it, write the record."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ybscan.cli import console
from ybscan.cli.answers import AnswersOption
from ybscan.cli.options import (
    EvidenceOption,
    NowOption,
    OutputOption,
    RedactOption,
    RootOption,
    RulesOption,
    SiteOption,
    TemplateOption,
    redaction_level,
)
from ybscan.cli.state import StateOption

if TYPE_CHECKING:
    from ybscan.model.result import ScanResult
    from ybscan.report.options import Options

FORMATS = ("md", "html", "docx", "json")
DOCUMENTS: tuple[Literal["md", "html", "docx"], ...] = ("md", "html", "docx")

PackOption = Annotated[
    list[str] | None,
    typer.Option("--pack", help="只检查指定的规则包，可重复。", metavar="规则包", show_default=False),
]
RuleOption = Annotated[
    list[str] | None, typer.Option("--rule", help="只检查指定的规则，可重复。", metavar="编号", show_default=False)
]
FormatOption = Annotated[
    str,
    typer.Option("--format", "-f", help="输出格式，逗号分隔：md,html,docx,json（docx 为 Word 文件）。", metavar="格式"),
]
NoStoreOption = Annotated[bool, typer.Option("--no-store", help="不把本次结果存入历史记录。")]
StrictOption = Annotated[bool, typer.Option("--strict", help="有无法判定的项时也以 1 退出。")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="不显示进度和小结。")]


def scan(
    site: SiteOption = None,
    rules: RulesOption = None,
    pack: PackOption = None,
    rule: RuleOption = None,
    root: RootOption = None,
    evidence: EvidenceOption = None,
    format: FormatOption = "md,html,json",
    output: OutputOption = "ybscan-report",
    template: TemplateOption = None,
    redact: RedactOption = "none",
    answers: AnswersOption = None,
    state: StateOption = None,
    no_store: NoStoreOption = False,
    strict: StrictOption = False,
    quiet: QuietOption = False,
    now: NowOption = None,
) -> int:
    """检查本机（或系统盘、证据包），写出检查记录。

    退出码：0 全部符合；1 有不符合；3 没有不符合但有无法判定；2 命令、规则或配置有误（没有检查）；4 程序内部错误。
    """
    from ybscan.cli import prepare
    from ybscan.cli.answers import given_answers, questions
    from ybscan.cli.gather import calendar_of, reason_for
    from ybscan.cli.output import prepared_folder
    from ybscan.cli.remember import Remembered, remember
    from ybscan.cli.state import state_folder
    from ybscan.engine.scan import scan as run_scan
    from ybscan.hosts.recorder import recorded
    from ybscan.report.options import Options
    from ybscan.report.redact import redacted

    formats = chosen_formats(format, single=output == "-")
    level = redaction_level(redact)
    where = prepare.source(root=root, evidence=evidence, now=now)
    settings = prepare.site_path(site)
    if settings is not None and site is None and not quiet:
        console.say(f"使用单位配置 {settings}")
    plan = prepare.plan(rules=rules, site=settings, packs=pack or [], only=rule or [], now=where.now)
    asked = questions(rules)
    given = given_answers(answers, settings, asked, quiet=quiet)
    shifts = calendar_of(settings)
    folder = prepared_folder(Path(output)) if output != "-" else None

    def clock() -> datetime:
        return where.now if where.fixed else datetime.now().astimezone()

    host, _ = recorded(where.host, clock)
    with console.progress(quiet=quiet) as show:
        result = run_scan(host, plan, finished=clock, progress=show)
    kept = Remembered(result)
    if not no_store:
        place = state_folder(state, plan.loaded, settings)
        kept = remember(result, place, clock=where.clock, shifts=shifts, quiet=quiet)
        result = kept.result
    said = Options(
        questions=asked, answers=given, previous=kept.previous, streaks=kept.streaks, missed_weeks=kept.missed,
        clock_back=kept.clock_back, shift_reason=reason_for(shifts, where.now.date()),
    )  # fmt: skip
    (shown,), options = redacted((result,), said, level)
    documents = render(shown, formats, template=template, options=options)
    if folder is None:
        plain = formats[0] == "json" and not console.speaks_utf8()
        console.emit_bytes(result_json(shown, ascii_only=True) if plain else documents[formats[0]])
    else:
        paths = write_record(folder, shown, documents)
        if not quiet:
            for path in paths:
                console.say(f"已写入 {path}")
    if not quiet:
        from ybscan.cli.summary import show_summary

        show_summary(result)
    return exit_code(result, strict=strict)


def chosen_formats(text: str, *, single: bool) -> tuple[str, ...]:
    """The formats a ``--format`` value names.

    Raises:
        InputProblems: an unknown format, none, or several for standard output.
    """
    from ybscan.model.problem import InputProblems, Problem, did_you_mean

    names = tuple(dict.fromkeys(n.strip().lower() for n in text.split(",") if n.strip()))
    wrong = [
        Problem("--format", 0, f"没有格式“{n}”", did_you_mean(n, FORMATS) or f"可用：{'、'.join(FORMATS)}")
        for n in names
        if n not in FORMATS
    ]
    if not names:
        wrong.append(Problem("--format", 0, "没有写格式", f"可用：{'、'.join(FORMATS)}"))
    if single and len(names) > 1:
        wrong.append(Problem("--output", 0, "输出到标准输出时只能用一种格式", "例如 --format json -o -"))
    if wrong:
        raise InputProblems(wrong)
    return names


def result_json(result: ScanResult, *, ascii_only: bool = False) -> bytes:
    """The result document: UTF-8, indented, Chinese readable; lone surrogates (or all but ASCII) escaped."""
    import json

    document = result.model_dump(mode="json", by_alias=True)
    text = json.dumps(document, ensure_ascii=ascii_only, indent=2)
    return (text.encode("utf-8", "backslashreplace") if _has_surrogates(text) else text.encode("utf-8")) + b"\n"


def _has_surrogates(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def render(
    result: ScanResult, formats: tuple[str, ...], *, template: Path | None, options: Options
) -> dict[str, bytes]:
    """The record in each format.

    Raises:
        InputProblems: a template of the unit has an error.
    """
    documents: dict[str, bytes] = {}
    if "json" in formats:
        documents["json"] = result_json(result)
    wanted = [f for f in DOCUMENTS if f in formats]
    if wanted:
        from ybscan.cli.documents import render_documents

        documents.update(render_documents("record", wanted, (result,), template=template, options=options))
    return {f: documents[f] for f in formats}


def write_record(folder: Path, result: ScanResult, documents: dict[str, bytes]) -> list[Path]:
    """Write ``<terminal>-<date>.<format>``; a second record of the day gets ``-2``."""
    from ybscan.cli.output import free_stem, safe_name, write_all

    mark = "-脱敏" if result.redacted else ""
    stem = free_stem(folder, f"{safe_name(result.host.id)}-{result.started_at[:10]}{mark}", tuple(documents))
    return write_all(folder, {f"{stem}.{ending}": data for ending, data in documents.items()})


def exit_code(result: ScanResult, *, strict: bool) -> int:
    """The exit code a result calls for."""
    if result.summary.fail:
        return console.FAILED
    if result.summary.unknown or result.summary.manual:
        return console.FAILED if strict else console.UNDETERMINED
    return console.OK
