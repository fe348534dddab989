"""The program was double-clicked: say what it is, offer to check, and keep the window until the person has read it.

A console program started from Explorer gets a console of its own, which closes with it. Whoever starts it from a
command prompt, a script or a scheduled task never comes here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from ybscan import __version__
from ybscan.cli import console, portable
from ybscan.model.problem import InputProblems
from ybscan.model.reading import Known

FOLDER = "ybscan-report"

_INTRODUCTION = """\
ybscan {version}  医保网络终端合规自查

检查本机是否符合医保网络终端的安全要求，写出中文检查记录。
只读取，不修改任何设置，不安装任何东西，不向网络发送数据。
除检查记录外，另存一份历史，供下次比较和整改台账使用。
"""
_WITHOUT_RIGHTS = """\
现在以普通用户身份运行，部分内容无权读取，会成为“无法判定”。
建议关闭本窗口，右键点击 {program}，选择“以管理员身份运行”。
"""
_WITHOUT_SITE = """\
没有单位配置 site.yml：要与本单位批准的内容比对的检查会成为“无法判定”。
可在命令提示符中运行 {program} init 生成，与 {program} 放在一起。
"""
_OTHER_USES = "其他用法：在命令提示符中运行 {program} --help。\n"
_QUESTION = """\
检查记录写到 {folder}
直接按回车开始检查；要写到别处，先输入文件夹再按回车；不检查，关闭本窗口。
"""


def happened() -> bool:
    """Whether the packed program has a console to itself: it was started by a double click."""
    if sys.platform != "win32" or not getattr(sys, "frozen", False):
        return False
    from ybscan.cli import windows_console

    if windows_console.in_services_session():
        return False
    # A single-file program runs as two processes: the one that unpacked it waits for this one.
    ours = {os.getpid(), os.getppid()} if portable.single_file() else {os.getpid()}
    there = set(windows_console.console_processes())
    return bool(there) and there <= ours


def guide(
    run: Callable[[list[str]], int],
    *,
    program: Path,
    elevated: bool | None,
    fallback: Path | None,
    ask: Callable[[], str] = input,
) -> int:
    """Explain, ask where the record goes, check, and wait; returns the exit code.

    Args:
        run: runs one command line of ybscan and returns its exit code.
        program: the program file; a ``site.yml`` beside it is used, and the record goes beside it.
        elevated: whether this process has administrator's rights, None when that could not be found out.
        fallback: where the record goes when the program's folder cannot be written to.
        ask: reads one line; raises EOFError when nobody can answer.
    """
    site = program.parent / "site.yml"
    console.say(_INTRODUCTION.format(version=__version__))
    if elevated is False:
        console.say(_WITHOUT_RIGHTS.format(program=program.name))
    console.say(f"使用单位配置 {site}\n" if site.is_file() else _WITHOUT_SITE.format(program=program.name))
    console.say(_OTHER_USES.format(program=program.name))
    try:
        folder = _chosen_folder(program.parent / FOLDER, fallback, ask)
        code = run(["scan", *(["--site", str(site)] if site.is_file() else []), "-o", str(folder)])
        console.say("\n按回车关闭本窗口。")
        ask()
    except EOFError:
        return console.BAD_INPUT
    return code


def _chosen_folder(first: Path, fallback: Path | None, ask: Callable[[], str]) -> Path:
    """The folder the person agrees to, made and proven writable.

    Raises:
        EOFError: nobody answers.
    """
    from ybscan.cli.output import prepared_folder

    offered = first
    while True:
        console.say(_QUESTION.format(folder=offered))
        # Explorer's "copy as path" puts quotation marks around.
        typed = ask().strip().strip('"')
        chosen = first.parent / typed if typed else offered
        try:
            return prepared_folder(chosen)
        except InputProblems as e:
            for problem in e.problems:
                console.say(f"{problem}\n")
            if chosen == first and fallback is not None:
                offered = fallback


def handle(run: Callable[[list[str]], int]) -> int:
    """What the program does when :func:`happened`; returns the exit code."""
    from ybscan.cli.prepare import live_host

    console.prepare_streams()
    reading = live_host().system.elevated()
    return guide(
        run,
        program=Path(sys.executable),
        elevated=reading.value if isinstance(reading, Known) else None,
        fallback=_desktop(),
    )


def _desktop() -> Path | None:
    from platformdirs import user_desktop_path

    try:
        return user_desktop_path() / FOLDER
    except (OSError, RuntimeError, KeyError):
        return None
