"""``ybscan baseline``: record what was approved, so that later checks can tell what changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ybscan.cli import console
from ybscan.cli.options import NowOption, RootOption, SiteOption

if TYPE_CHECKING:
    from ybscan.hosts.base import Host
    from ybscan.model.site import Site
    from ybscan.probes._software.baseline import Baseline
    from ybscan.probes._software.snapshot import Approval, Snapshot
    from ybscan.probes.base import Context

ApproverOption = Annotated[str, typer.Option("--approver", help="批准人。", metavar="姓名")]
DocumentOption = Annotated[str, typer.Option("--document", help="批准的文号或记录编号。", metavar="文号")]
DateOption = Annotated[str, typer.Option("--date", help="批准日期，例如 2026-11-20。", metavar="日期")]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", help="基线文件；不写时用单位配置的 data.baseline。", metavar="文件", show_default=False
    ),
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude", help="不比对的文件（完整路径，可用 * 通配），可重复。", metavar="路径", show_default=False
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="不再询问，直接写入。")]

_SHOWN = 20


def build() -> typer.Typer:
    """The command group."""
    from ybscan.cli.app import ZhCommand, group

    app = group("基线：登记经批准的程序文件、软件包和自启动项，供以后的检查比对。")
    app.command("create", cls=ZhCommand)(create)
    app.command("update", cls=ZhCommand)(update)
    return app


def create(
    approver: ApproverOption,
    document: DocumentOption,
    date: DateOption,
    site: SiteOption = None,
    root: RootOption = None,
    output: OutputOption = None,
    exclude: ExcludeOption = None,
    yes: YesOption = False,
    now: NowOption = None,
) -> int:
    """建立基线：计算医保程序文件的 SHA-256，登记软件包和自启动项。"""
    from ybscan.model.problem import InputProblems, Problem

    approval = _approval(approver, document, date)
    host, context, path = _prepared(site, root, output, now)
    if path.exists():
        raise InputProblems([Problem(str(path), 0, "基线文件已存在", "请用 ybscan baseline update 更新")])
    skipped = tuple(dict.fromkeys(exclude or ()))
    found = _taken(host, context, skipped, None)
    console.say(
        f"程序文件夹 {len(found.folders)} 个，程序文件 {len(found.files)} 个，软件包 {len(found.packages)} 个，"
        f"自启动项 {len(found.autostart)} 个。"
    )
    return _write(path, found, approval, skipped, {}, yes=yes)


def update(
    approver: ApproverOption,
    document: DocumentOption,
    date: DateOption,
    site: SiteOption = None,
    root: RootOption = None,
    output: OutputOption = None,
    exclude: ExcludeOption = None,
    yes: YesOption = False,
    now: NowOption = None,
) -> int:
    """更新基线：列出与原基线的差别，确认后写入。大小和修改时间都没变的文件不再重新计算。"""
    from ybscan.probes._software.snapshot import differences, other_keys

    approval = _approval(approver, document, date)
    host, context, path = _prepared(site, root, output, now)
    before, text = _earlier(path)
    skipped = tuple(dict.fromkeys((*before.exclude, *(exclude or ()))))
    found = _taken(host, context, skipped, before)
    changes = differences(before, found)
    if skipped != before.exclude:
        changes["新增的不比对文件"] = tuple(s for s in skipped if s not in before.exclude)
    for heading, what in changes.items():
        console.say(f"{heading}（{len(what)}）：")
        for one in what[:_SHOWN]:
            console.say(f"  {one}")
        if len(what) > _SHOWN:
            console.say(f"  ……另有 {len(what) - _SHOWN} 项")
    console.say(f"重新计算了 {found.hashed} 个文件，其余 {len(found.files) - found.hashed} 个大小和修改时间未变。")
    if not changes:
        console.say("与原基线没有差别，没有写入。")
        return console.OK
    return _write(path, found, approval, skipped, other_keys(text), yes=yes)


def _approval(approver: str, document: str, day: str) -> Approval:
    from pydantic import ValidationError

    from ybscan.model.attestation import wrong_basis, wrong_day
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.probes._software.snapshot import Approval

    problems = [
        Problem(option, 0, why, "")
        for option, why in (
            ("--date", wrong_day(day)), ("--document", wrong_basis(document)),
            ("--approver", "" if approver.strip() else "批准人不能为空"),
        ) if why
    ]  # fmt: skip
    if problems:
        raise InputProblems(problems)
    try:
        return Approval(approver=approver, document=document, date=date.fromisoformat(day))
    except ValidationError:
        raise InputProblems([Problem("baseline", 0, "批准人或文号过长或为空", "")]) from None


def _prepared(site: Path | None, root: Path | None, output: Path | None, now: str | None) -> tuple[Host, Context, Path]:
    from ybscan.cli import prepare
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.probes.base import Context
    from ybscan.rules.site import load_site

    settings = prepare.site_path(site)
    if settings is None:
        raise InputProblems([Problem("--site", 0, "没有单位配置文件", "请先运行 ybscan init，或用 --site 指定")])
    loaded = load_site(settings)
    path = _path(loaded.site, root, output, str(settings))
    if not loaded.site.data.programs:
        why = "没有配置医保程序文件夹（data.programs）"
        raise InputProblems([Problem(str(settings), 0, why, "请先在单位配置中写明")])
    where = prepare.source(root=root, evidence=None, now=now)
    return where.host, Context(site=loaded.site, now=where.now), path


def _path(site: Site, root: Path | None, output: Path | None, shown: str) -> Path:
    """The baseline's file, in a folder in which nobody else may replace it.

    Raises:
        InputProblems: none is named, or its folder is open to everyone.
    """
    from ybscan.cli.output import prepared_folder
    from ybscan.model.problem import InputProblems, Problem

    if output is None and root is not None:
        raise InputProblems([Problem("--output", 0, "检查系统盘时必须写明基线文件", "请用 -o 指定")])
    if output is None and site.data.baseline is None:
        raise InputProblems(
            [Problem(shown, 0, "没有配置基线文件（data.baseline）", "请在单位配置中写明，或用 -o 指定")]
        )
    path = output if output is not None else Path(str(site.data.baseline))
    folder = prepared_folder(path.parent)
    if os.name == "posix" and folder.stat().st_mode & 0o1002 == 0o002:
        raise InputProblems(
            [Problem(str(folder), 0, "文件夹任何人可写，基线会被改写", "请换一个只有管理员可写的文件夹")]
        )
    return path


def _earlier(path: Path) -> tuple[Baseline, str]:
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.probes._software.baseline import parse_baseline

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        why = getattr(e, "strerror", None) or type(e).__name__
        raise InputProblems(
            [Problem(str(path), 0, f"无法读取基线文件（{why}）", "请用 ybscan baseline create 建立")]
        ) from None
    found = parse_baseline(text)
    if isinstance(found, str):
        raise InputProblems([Problem(str(path), 0, found, "请核对基线文件是否被改动")])
    return found, text


def _taken(host: Host, context: Context, exclude: tuple[str, ...], before: Baseline | None) -> Snapshot:
    """What is there now, read whole.

    Raises:
        InputProblems: something could not be read; a baseline with holes would never show what happens in them.
    """
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.probes._software.snapshot import take

    with console.progress(quiet=False) as show:
        found = take(host, context, exclude, before, show)
    if found.gaps:
        raise InputProblems(
            Problem(g.origin or "baseline", 0, g.text, "没有读全，不能建立基线；请以管理员权限运行") for g in found.gaps
        )
    if not found.files:
        raise InputProblems([Problem("data.programs", 0, "程序文件夹中没有程序文件", "请核对单位配置")])
    for item in found.suspicious:
        console.say(f"注意：自启动项 {item} 可疑，请先核实再批准。")
    return found


def _write(
    path: Path, found: Snapshot, approval: Approval, exclude: tuple[str, ...], rest: Mapping[str, object], *, yes: bool
) -> int:
    from ybscan.cli.output import write_all
    from ybscan.probes._software.baseline import parse_baseline
    from ybscan.probes._software.snapshot import document_text

    if not yes and not _agreed():
        console.say("没有写入。")
        return console.FAILED
    text = document_text(found, approval, exclude, rest)
    made = parse_baseline(text)
    if isinstance(made, str):  # what cannot be read back must never replace what can
        raise RuntimeError(made)
    write_all(path.parent, {path.name: text.encode("utf-8")})
    path.chmod(0o600)
    console.say(f"已写入 {path}（批准人 {approval.approver}，{approval.document}，{approval.date}）。")
    return console.OK


def _agreed() -> bool:
    while True:
        given: str = typer.prompt(
            "确认以上内容已经核实和批准，写入基线？（是/否）", default="", show_default=False, err=True
        )
        if given.strip() in ("是", "y", "Y", "yes"):
            return True
        if given.strip() in ("否", "", "n", "N", "no"):
            return False
