"""``ybscan schedule``: the check that makes itself every Friday."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ybscan.cli import console
from ybscan.cli.history import _folder
from ybscan.cli.options import SiteOption
from ybscan.cli.state import StateOption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ybscan.model.calendar import Shift
    from ybscan.schedule.job import Job

OutputOption = Annotated[Path, typer.Option("--output", "-o", help="检查记录写到哪个文件夹。", metavar="文件夹")]
TimeOption = Annotated[str, typer.Option("--time", help="几点检查，例如 15:30。", metavar="时刻")]
FilesOption = Annotated[
    Path | None,
    typer.Option(
        "--files",
        help="只把计划任务的文件写到这个文件夹，不安装（交由统一下发）。",
        metavar="文件夹",
        show_default=False,
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="不再询问，直接执行。")]
_SECONDS = 60


def build() -> typer.Typer:
    """The command group."""
    from ybscan.cli.app import ZhCommand, group

    app = group("定时检查：每周五自动检查，没有开机的补做，节假日按单位日历调整。")
    for name, command in (("install", install), ("status", status), ("remove", remove), ("run", run)):
        app.command(name, cls=ZhCommand)(command)
    return app


def install(
    output: OutputOption = Path("ybscan-report"),
    at: TimeOption = "15:00",
    site: SiteOption = None,
    state: StateOption = None,
    files: FilesOption = None,
    yes: YesOption = False,
) -> int:
    """安装每周五的定时检查。先列出将要写入的内容和执行的命令，确认后才动手。"""
    from ybscan.cli.output import prepared_folder, write_all

    written, commands = _wanted(output, at, site, state, files)
    for path, text in written.items():
        console.emit(f"将写入 {path}：\n")
        console.emit("".join(f"    {line}\n" for line in text.lstrip("\ufeff").splitlines()))
    for command in commands if files is None else ():
        console.emit(f"将执行：{' '.join(command)}\n")
    if not yes and not typer.confirm("确定吗？", err=True):
        console.say("没有安装，也没有写入任何文件。")
        return console.OK
    for path, text in written.items():
        # The scheduler's XML says that it is UTF-16.
        encoded = text.encode("utf-16") if path.suffix == ".xml" else text.encode("utf-8")
        write_all(prepared_folder(path.parent), {path.name: encoded})
        if path.suffix != ".xml":
            path.chmod(0o644)
    if files is not None:
        console.say(f"已写入 {files}，没有安装。")
        return console.OK
    try:
        for command in commands:
            _ran(command)
    finally:
        if sys.platform == "win32":
            for path in written:
                path.unlink(missing_ok=True)
    console.say("已安装。用 ybscan schedule status 查看。")
    return console.OK


def _wanted(
    output: Path, at: str, site: Path | None, state: Path | None, files: Path | None
) -> tuple[dict[Path, str], list[list[str]]]:
    """The files and commands of an installation.

    Raises:
        InputProblems: the time, the site file or the calendar cannot be used.
    """
    from ybscan.schedule import systemd, windows_task
    from ybscan.schedule.job import NAME

    job = _job(output, at, site, state)
    if sys.platform == "win32":
        import tempfile

        xml = (files or Path(tempfile.gettempdir())) / f"{NAME}.xml"
        text = windows_task.task_xml(job, today=_today()).decode("utf-16")
        return {xml: text}, [["schtasks", "/Create", "/TN", NAME, "/XML", str(xml), "/F"]]
    folder = files or Path(systemd.FOLDER)
    units = {folder / name: text for name, text in systemd.units(job).items()}
    return units, [["systemctl", "daemon-reload"], ["systemctl", "enable", "--now", systemd.TIMER]]


def _job(output: Path, at: str, site: Path | None, state: Path | None) -> Job:
    from ybscan.cli.gather import calendar_of
    from ybscan.cli.prepare import site_path
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.schedule.job import Job, moved_days

    try:
        when = time.fromisoformat(at)
    except ValueError:
        raise InputProblems([Problem("--time", 0, f"“{at}”不是时刻", "请写成 15:30")]) from None
    settings = site_path(site)
    command = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "ybscan"]
    command += ["schedule", "run", "--output", str(output.absolute()), "--state", str(_folder(state, site).absolute())]
    if settings is not None:
        command += ["--site", str(settings.absolute())]
    shifts = calendar_of(settings)
    return Job(
        command=tuple(command), folder=str(Path.cwd() if settings is None else settings.absolute().parent),
        at=when.replace(second=0, microsecond=0), extra=moved_days(shifts, _today()),
    )  # fmt: skip


def _today() -> date:
    return datetime.now().astimezone().date()


def _ran(command: list[str], *, failing_is_fine: bool = False) -> bool:
    """Run one command of the scheduler.

    Raises:
        InputProblems: it is missing or fails, unless that is fine.
    """
    from ybscan.model.problem import InputProblems, Problem

    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS, stdin=subprocess.DEVNULL)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as e:
        if failing_is_fine:
            return False
        raise InputProblems(
            [Problem(command[0], 0, f"无法执行（{type(e).__name__}）", "请确认系统有这一命令")]
        ) from None
    if done.returncode and not failing_is_fine:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        hint = "安装定时任务需要管理员权限" if _not_admin() else (said[-1] if said else "没有说明原因")
        raise InputProblems([Problem(" ".join(command), 0, f"执行失败（退出码 {done.returncode}）", hint)])
    return done.returncode == 0


def _not_admin() -> bool:
    if sys.platform == "win32":
        import ctypes

        return not ctypes.windll.shell32.IsUserAnAdmin()
    import os

    return os.geteuid() != 0


def status(site: SiteOption = None, state: StateOption = None) -> int:
    """查看定时检查是否已安装、下一次在什么时候、有没有漏检。"""
    from ybscan.cli.gather import calendar_of
    from ybscan.cli.prepare import site_path

    for line in _installed():
        console.emit(line + "\n")
    for line in _due_lines(_folder(state, site), calendar_of(site_path(site))):
        console.emit(line + "\n")
    return console.OK


def _installed() -> list[str]:
    from ybscan.schedule import systemd
    from ybscan.schedule.job import NAME

    if sys.platform == "win32":
        there = _ran(["schtasks", "/Query", "/TN", NAME], failing_is_fine=True)
        return [f"计划任务 {NAME}：{'已安装' if there else '没有安装'}"]
    timer = Path(systemd.FOLDER) / systemd.TIMER
    if not timer.is_file():
        return [f"定时器 {systemd.TIMER}：没有安装"]
    on = _ran(["systemctl", "is-enabled", "--quiet", systemd.TIMER], failing_is_fine=True)
    active = _ran(["systemctl", "is-active", "--quiet", systemd.TIMER], failing_is_fine=True)
    found = [
        f"定时器 {systemd.TIMER}：已安装，{'开机启用' if on else '没有开机启用'}，{'正在等待' if active else '没有启动'}"
    ]
    lines = timer.read_text(encoding="utf-8", errors="replace").splitlines()
    return found + [f"  {line.partition('=')[2]}" for line in lines if line.startswith("OnCalendar=")]


def _due_lines(folder: Path, shifts: Mapping[date, Shift]) -> list[str]:
    from ybscan.schedule.due import due

    days = checked_days(folder)
    now = due(_today(), days, shifts)
    found = [f"最近一次检查：{max(days)}" if days else "历史中还没有检查"]
    if now.planned is not None:
        late = f"，已晚 {now.late} 天" if now.late else ""
        found.append(f"应在 {now.planned} 检查，还没有检查{late}{f'（{now.reason}）' if now.reason else ''}")
    else:
        found.append(now.reason)
    if now.missed:
        found.append(f"近期没有检查的星期五：{'、'.join(d.isoformat() for d in now.missed)}")
    return found


def checked_days(folder: Path) -> list[date]:
    """The days on which this terminal was checked by itself, by its own clock."""
    from ybscan.store.chain import time_of
    from ybscan.store.history import FILE, opened

    if not (folder / FILE).is_file():
        return []
    with opened(folder) as history:
        times = (time_of(h.at) for h in history.headers() if h.kind == "result" and h.clock == "system")
        return sorted({t.date() for t in times if t is not None})


def remove(yes: YesOption = False) -> int:
    """删除定时检查。历史记录和检查记录不动。"""
    from ybscan.schedule import systemd
    from ybscan.schedule.job import NAME

    paths: list[Path] = []
    if sys.platform == "win32":
        if not _ran(["schtasks", "/Query", "/TN", NAME], failing_is_fine=True):
            console.say("没有安装定时检查。")
            return console.OK
        commands = [["schtasks", "/Delete", "/TN", NAME, "/F"]]
    else:
        paths = [p for p in (Path(systemd.FOLDER) / n for n in (systemd.TIMER, systemd.SERVICE)) if p.exists()]
        if not paths:
            console.say("没有安装定时检查。")
            return console.OK
        commands = [["systemctl", "disable", "--now", systemd.TIMER]]
    for command in commands:
        console.emit(f"将执行：{' '.join(command)}\n")
    for path in paths:
        console.emit(f"将删除 {path}\n")
    if not yes and not typer.confirm("确定吗？", err=True):
        console.say("没有删除。")
        return console.OK
    for command in commands:
        _ran(command)
    for path in paths:
        path.unlink()
    if paths:
        # The stamp by which systemd remembers the last run.
        Path(f"/var/lib/systemd/timers/stamp-{systemd.TIMER}").unlink(missing_ok=True)
        _ran(["systemctl", "daemon-reload"])
    console.say("已删除定时检查。")
    return console.OK


def run(
    output: OutputOption = Path("ybscan-report"),
    site: SiteOption = None,
    state: StateOption = None,
    now: Annotated[bool, typer.Option("--now", help="不看日历，现在就检查。", show_default=False)] = False,
) -> int:
    """由计划任务调用：按日历到了检查的时候才检查，否则只说明原因。"""
    from ybscan.cli.gather import calendar_of
    from ybscan.cli.prepare import site_path
    from ybscan.cli.scan import scan
    from ybscan.schedule.due import due

    folder = _folder(state, site)
    today = due(_today(), checked_days(folder), calendar_of(site_path(site)))
    if today.missed:
        console.say(f"近期没有检查的星期五：{'、'.join(d.isoformat() for d in today.missed)}")
    if today.planned is None and not now:
        console.say(f"现在不需要检查：{today.reason}")
        return console.OK
    if today.late:
        console.say(f"补做 {today.planned} 的检查，晚 {today.late} 天。")
    return scan(site=site, output=str(output), state=folder)
