"""Options that several commands share, declared once so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ybscan.report.options import Redaction

SiteOption = Annotated[
    Path | None,
    typer.Option(
        "--site", help="单位配置文件；不写时使用当前文件夹中的 site.yml（如有）。", metavar="文件", show_default=False
    ),
]
RulesOption = Annotated[
    Path | None,
    typer.Option("--rules", help="规则文件夹；不写时使用程序自带规则。", metavar="文件夹", show_default=False),
]
RootOption = Annotated[
    Path | None,
    typer.Option(
        "--root", help="检查挂载的系统盘或同样布局的文件夹，而不是本机。", metavar="文件夹", show_default=False
    ),
]
EvidenceOption = Annotated[
    Path | None,
    typer.Option(
        "--evidence",
        help="判定采集好的证据，而不是本机：ybscan collect 的证据包，或采集脚本的文件夹、zip、tar.gz。",
        metavar="文件",
        show_default=False,
    ),
]
RedactOption = Annotated[
    str,
    typer.Option(
        "--redact",
        help="脱敏：none 不脱敏；partial 用户名、主机名、序列号、IP 和 MAC 地址换成代号；full 科室、姓名也换成代号。",
        metavar="级别",
    ),
]
NowOption = Annotated[
    str | None,
    typer.Option(
        "--now", help="以指定时刻为检查时刻，例如 2026-11-20T10:00:00+08:00。", metavar="时刻", show_default=False
    ),
]
TemplateOption = Annotated[
    Path | None,
    typer.Option(
        "--template", help="本单位的模板文件夹，其中没有的模板使用自带的。", metavar="文件夹", show_default=False
    ),
]
OutputOption = Annotated[
    str,
    typer.Option("--output", "-o", help="输出文件夹；写 - 时输出到标准输出（只能用一种格式）。", metavar="文件夹"),
]


def redaction_level(text: str) -> Redaction:
    """The level that ``--redact`` names.

    Raises:
        InputProblems: there is no such level.
    """
    from ybscan.model.problem import InputProblems, Problem, did_you_mean
    from ybscan.report.redact import LEVELS

    chosen = next((level for level in LEVELS if level == text.strip().lower()), None)
    if chosen is None:
        hint = did_you_mean(text, LEVELS) or f"可用：{'、'.join(LEVELS)}"
        raise InputProblems([Problem("--redact", 0, f"没有脱敏级别“{text}”", hint)])
    return chosen
