"""The summary of a scan on the console."""

from __future__ import annotations

from ybscan.cli.console import clean, rich_console
from ybscan.model.result import Finding, ScanResult, Status

#: Marks that every Chinese console can show (all of them are in GBK).
MARKS = {
    Status.PASS: "√", Status.FAIL: "×", Status.UNKNOWN: "？", Status.NOT_APPLICABLE: "－", Status.MANUAL: "○",
    Status.WAIVED: "△", Status.DELEGATED: "□",
}  # fmt: skip
STYLES = {
    Status.PASS: "green", Status.FAIL: "bold red", Status.UNKNOWN: "yellow", Status.NOT_APPLICABLE: "dim",
    Status.MANUAL: "yellow", Status.WAIVED: "cyan", Status.DELEGATED: "cyan",
}  # fmt: skip
MAX_REASON = 160


def show_summary(result: ScanResult) -> None:
    """Findings per pack, then what has to be done, then the figures, on stderr."""
    from rich.table import Table
    from rich.text import Text

    console = rich_console()
    table = Table(show_header=True, show_edge=False, pad_edge=False, box=None, expand=False)
    for heading in ("编号", "检查项", "结果", "说明"):
        table.add_column(heading, no_wrap=heading in ("编号", "结果"), overflow="fold")
    titles = {p.id: p.title for p in result.packs}
    for pack in titles:
        table.add_row("", Text(titles[pack], style="bold"), "", "")
        for f in (f for f in result.findings if f.pack == pack):
            table.add_row(
                f.rule_id,
                clean(f.title),
                Text(f"{MARKS[f.status]} {f.status.text}", style=STYLES[f.status]),
                clean(_short(f)),
            )
    console.print(table)
    s = result.summary
    console.print(
        f"\n共 {s.total} 项：符合 {s.pass_}，不符合 {s.fail}，无法判定 {s.unknown}，不适用 {s.not_applicable}，"
        f"例外 {s.waived}，委托管控 {s.delegated}，待人工确认 {s.manual}。总体等级：{s.grade}"
    )
    if result.left_out:
        console.print(
            f"本次只检查了所选的 {s.total} 项，另有 {len(result.left_out)} 项没有检查，等级不代表本终端的整体情况。"
        )
    if result.host.elevated is False:
        console.print("本次以普通用户权限运行，部分内容无权读取；以管理员身份运行可减少“无法判定”。")


def _short(finding: Finding) -> str:
    text = "" if finding.status in (Status.PASS, Status.NOT_APPLICABLE) else finding.reason
    return text if len(text) <= MAX_REASON else text[: MAX_REASON - 1] + "…"
