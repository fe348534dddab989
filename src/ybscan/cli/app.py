"""The command tree, its Chinese help, and the one place that turns errors into exit codes."""

from __future__ import annotations

import importlib
import os
import re
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from ybscan import __version__
from ybscan.cli import console
from ybscan.cli.wide import Formatter

_HELP_WORDS = (
    (re.compile(r"^Usage: ", re.MULTILINE), "用法："),
    (re.compile(r"^Options:", re.MULTILINE), "选项："),
    (re.compile(r"^Commands:", re.MULTILINE), "命令："),
    (re.compile(r"^Arguments:", re.MULTILINE), "参数："),
    (re.compile(r"\[OPTIONS\]"), "[选项]"),
    (re.compile(r"COMMAND \[ARGS\]\.\.\."), "命令 [参数]…"),
    (re.compile(r"Show this message and exit\."), "显示本帮助后退出。"),
    (re.compile(r"\[default: "), "[默认："),
    (re.compile(r"\[required\]"), "[必填]"),
)

_ERROR_WORDS = (
    (re.compile(r"^No such option: (\S+?)\.?$"), r"没有选项 \1"),
    (re.compile(r"^No such option: (\S+) \(Possible options: ([^,)]*).*\)$"), r"没有选项 \1，是不是想写 \2？"),
    (re.compile(r"^No such option: (\S+) Did you mean (.*)\?$"), r"没有选项 \1，是不是想写 \2？"),
    (re.compile(r"^No such command '?([^']*)'?\. Did you mean '?([^',?]*).*\?$"), r"没有命令 \1，是不是想写 \2？"),
    (re.compile(r"^No such command '?([^']*)'?\.$"), r"没有命令 \1"),
    (re.compile(r"^Missing command\.$"), "缺少命令"),
    (re.compile(r"^Missing argument '?([^']*?)'?\.$"), r"缺少参数 \1"),
    (re.compile(r"^Missing option '?([^']*?)'?\.$"), r"缺少选项 \1"),
    (re.compile(r"^Got unexpected extra argument(?:s|\(s\))? \((.*)\)$"), r"多余的参数：\1"),
    (re.compile(r"^Option '?(\S+?)'? requires an argument\.$"), r"选项 \1 后面缺少内容"),
    (re.compile(r"^Option '?(\S+?)'? does not take a value\.$"), r"选项 \1 后面不应有内容"),
    (
        re.compile(r"^Invalid value for '?(.*?)'?: '(.*)' is not a valid (?:int|integer)( range)?\.$"),
        r"\1 的值“\2”应为整数",
    ),
    (re.compile(r"^Invalid value for '?(.*?)'?: '(.*)' is not one of (.*)\.$"), r"\1 不能是“\2”，只能是 \3"),
    (re.compile(r"^Invalid value for '?(.*?)'?: \w+ '(.*)' is not readable\.$"), r"\1 的值“\2”没有读取权限"),
    (re.compile(r"^Invalid value for '?(.*?)'?: (.*)$"), r"\1 的值不合适：\2"),
)


def _translated(text: str) -> str:
    for pattern, chinese in _HELP_WORDS:
        text = pattern.sub(chinese, text)
    return text


def _help(command: TyperCommand | TyperGroup, ctx: Any) -> str:
    formatter: Any = Formatter(_translated)
    command.format_help(ctx, formatter)
    return _translated(formatter.getvalue().rstrip("\n"))


class ZhCommand(TyperCommand):
    """A command whose help is Chinese throughout."""

    def get_help(self, ctx: Any) -> str:
        return _help(self, ctx)


class ZhGroup(TyperGroup):
    """A group whose help is Chinese throughout."""

    def get_help(self, ctx: Any) -> str:
        return _help(self, ctx)


def group(help: str) -> typer.Typer:
    """An empty command group in our style."""
    return typer.Typer(
        help=help, cls=ZhGroup, no_args_is_help=True, add_completion=False, rich_markup_mode=None,
        pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip


#: Command → its module below ybscan.cli; a module with ``build`` is a group. In the order of the help.
COMMANDS = (
    "scan",
    "collect",
    "report",
    "history",
    "ledger",
    "waiver",
    "schedule",
    "init",
    "doctor",
    "attest",
    "baseline",
    "rules",
    "facts",
    "ports",
)


#: What the library makes of Ctrl+C inside a command.
_LIBRARY_INTERRUPTED = 130


def build(only: str | None = None) -> typer.Typer:
    """The command tree; with ``only``, just that command's branch (a scan need not load the others).

    Command modules import what they need inside their functions.
    """
    app = group("医保网络终端合规自查：检查本机，生成中文检查记录和自查报告。")

    @app.callback()
    def top(
        version: Annotated[bool, typer.Option("--version", "-V", help="显示版本后退出。", is_eager=True)] = False,
    ) -> None:
        if version:
            console.emit(f"ybscan {__version__}\n")
            raise typer.Exit

    for name in COMMANDS if only is None else (only,):
        module = importlib.import_module(f"ybscan.cli.{name}")
        if hasattr(module, "build"):
            app.add_typer(module.build(), name=name)
        else:
            app.command(name, cls=ZhCommand)(getattr(module, name))
    return app


def run(arguments: list[str]) -> int:
    """Run one command line; returns the exit code and never raises.

    Every error becomes a Chinese sentence on stderr: 2 for usage and input, 4 for an error of ybscan itself (the
    traceback is shown only with ``YBSCAN_DEBUG`` set) and for what was cut short: by Ctrl+C, or because nobody reads
    the output any more, which leaves nobody to tell.
    """
    console.prepare_streams()
    try:
        return _answered(arguments)
    except KeyboardInterrupt:
        return console.interrupted()
    except OSError as e:
        if not console.reader_gone(e):
            raise
    except SystemExit:  # what the library does on a broken pipe, with a code that here means a failed check
        pass
    console.give_up_streams()
    return console.INTERNAL


def _answered(arguments: list[str]) -> int:
    try:
        asked = arguments[0] if arguments and arguments[0] in COMMANDS else None
        code = build(asked)(args=arguments, prog_name="ybscan", standalone_mode=False)
    except typer.Exit as e:
        return e.exit_code
    except typer.Abort:
        console.say("已取消，没有写入任何文件。")
        return console.INTERNAL
    except Exception as e:
        if isinstance(e, OSError) and console.reader_gone(e):
            raise
        return _failed(e)
    if code == _LIBRARY_INTERRUPTED:
        return console.interrupted()
    return code if isinstance(code, int) else console.OK


def _failed(error: Exception) -> int:
    from ybscan.model.problem import InputProblems

    if isinstance(error, InputProblems):
        return console.refuse(error)
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # typer's own usage errors
        if type(error).__name__ == "NoArgsIsHelpError":
            console.say(error.format_message())
            return console.BAD_INPUT
        message = error.format_message()
        for pattern, chinese in _ERROR_WORDS:
            if pattern.match(message):
                message = pattern.sub(chinese, message)
                break
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "ybscan"
        end = "" if message.endswith("？") else "。"
        console.say(f"命令有误：{message}{end}用 {command} --help 查看用法。")
        return console.BAD_INPUT
    if isinstance(error, OSError) and error.filename is not None and not os.environ.get("YBSCAN_DEBUG"):
        # A name too long, a folder that may not be entered: of what the user named, found out before any scan.
        say = f"{error.filename} 无法访问（{error.strerror or type(error).__name__}）。没有完成检查，请核对路径和权限。"
        console.say(say if len(say) <= 400 else f"{say[:80]}……{say[-60:]}")
        return console.BAD_INPUT
    if os.environ.get("YBSCAN_DEBUG"):
        import traceback

        traceback.print_exception(error)
    console.say(
        f"程序内部错误（{type(error).__name__}: {error}）。检查没有完成；设置环境变量 YBSCAN_DEBUG=1 重新运行可查看详情。"
    )
    return console.INTERNAL
