"""The console: any code page, redirected or not, interrupted, or with nobody at the other end."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli import tree, ybscan

from ybscan.cli import console, double_click
from ybscan.cli.output import extended
from ybscan.cli.wide import columns, wrap

HELP = [
    (), ("scan",), ("collect",), ("report",), ("init",), ("doctor",), ("attest",), ("rules",), ("rules", "show"),
    ("facts",), ("baseline", "create"), ("ports", "scan"),
]  # fmt: skip
LISTS = [("rules", "list"), ("facts", "list"), ("rules", "coverage")]


@pytest.mark.parametrize("command", HELP, ids=" ".join)
def test_help_fits_into_80_columns_and_into_gbk(command: tuple[str, ...]) -> None:
    run = ybscan(*command, "--help", encoding="gbk")
    assert run.returncode == 0
    text = run.stdout.decode("gbk")
    assert text.startswith("用法：ybscan")
    assert "default:" not in text
    for line in text.splitlines():
        assert sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in line) <= 80, line
        assert not [c for c in line if "\u2500" <= c <= "\u257f"], "a frame looks broken where the font is another"


def test_wrapping() -> None:
    assert wrap("检查本机，写出记录。", 8) == ["检查本机，", "写出记录。"]
    for width in (8, 11, 20, 40):
        lines = wrap("检查本机（或系统盘、证据包），用 ybscan scan 写出“检查记录”。", width)
        assert "".join(lines).replace(" ", "") == "检查本机（或系统盘、证据包），用ybscanscan写出“检查记录”。"
        assert all(columns(line) <= width + 2 for line in lines)
        assert len([line for line in lines if line[0] in "，。、）”"]) <= 1


@pytest.mark.parametrize("command", LISTS, ids=" ".join)
@pytest.mark.parametrize("encoding", ["gbk", "ascii", "utf-8"])
def test_json_is_valid_whatever_the_stream_speaks(command: tuple[str, ...], encoding: str) -> None:
    run = ybscan(*command, "--format", "json", encoding=encoding)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)
    assert run.stdout.isascii() == (encoding != "utf-8")


def test_what_gbk_lacks_is_replaced(tmp_path: Path) -> None:
    """An emoji, a check mark and a letter of another script in what the user named."""
    run = ybscan("scan", "--site", "没有✓😀ạ≥.yml", cwd=tmp_path, encoding="gbk")
    assert run.returncode == 2
    assert "没有???≥.yml" in run.stderr.decode("gbk")


def test_without_any_streams() -> None:
    code = "import os; os.close(1); os.close(2); os.execv({0!r}, [{0!r}, '-m', 'ybscan', 'rules', 'list'])"
    run = subprocess.run([sys.executable, "-c", code.format(sys.executable)], check=False, timeout=60)
    assert run.returncode == 0


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_nobody_reads_any_more(stream: str, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    arguments = ["rules", "list"] if stream == "stdout" else ["scan", "--site", "none.yml"]
    with (tmp_path / "other").open("wb") as other:
        streams = {"stdout": other, "stderr": other, stream: writer}
        run = subprocess.run(
            [sys.executable, "-m", "ybscan", *arguments], check=False, timeout=60, cwd=tmp_path, **streams
        )
    os.close(writer)
    assert run.returncode == 4
    assert b"Traceback" not in (tmp_path / "other").read_bytes()
    assert b"Exception ignored" not in (tmp_path / "other").read_bytes()


class Terminal:
    """A program on a terminal of its own, 80 columns wide."""

    def __init__(self, *arguments: str, cwd: Path) -> None:
        self.seen = ""
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(cwd)
            environment = {**os.environ, "COLUMNS": "80", "TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
            os.execve(sys.executable, [sys.executable, "-m", "ybscan", *arguments], environment)  # noqa: S606

    def until(self, done: Callable[[str], bool], seconds: float = 30) -> str:
        """Read until ``done`` of all that was seen, or the end."""
        deadline = time.monotonic() + seconds
        while not done(self.seen) and time.monotonic() < deadline:
            if not select.select([self.terminal], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(self.terminal, 65536)
            except OSError:
                break
            if not data:
                break
            self.seen += data.decode("utf-8", "replace")
        return self.seen

    def type(self, text: bytes) -> None:
        os.write(self.terminal, text)

    def end(self) -> int:
        self.until(lambda _: False, 30)
        _, status = os.waitpid(self.process, 0)
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(status)


def test_ctrl_c_in_a_scan(tmp_path: Path) -> None:
    disk = tree(tmp_path / "disk", {"etc/passwd": "root:x:0:0::/root:/bin/sh\n"})
    terminal = Terminal("scan", "--no-store", "--root", str(disk), "-o", "out", cwd=tmp_path)
    terminal.until(lambda seen: "正在检查" in seen)
    terminal.type(b"\x03")
    code = terminal.end()
    assert code == 4, terminal.seen
    assert "已中断" in terminal.seen
    assert "Traceback" not in terminal.seen
    assert list((tmp_path / "out").rglob("*")) == []


def test_ctrl_c_at_a_question(tmp_path: Path) -> None:
    terminal = Terminal("init", "-o", "site.yml", cwd=tmp_path)
    terminal.until(lambda seen: "：" in seen)
    terminal.type(b"\x03")
    assert terminal.end() == 4
    assert "Traceback" not in terminal.seen
    assert list(tmp_path.iterdir()) == []


def test_an_early_interrupt_shows_no_traceback(tmp_path: Path) -> None:
    """At whatever moment of the start it comes, once our own code runs."""
    for delay in (0.08, 0.12, 0.2):
        process = subprocess.Popen(
            [sys.executable, "-m", "ybscan", "rules", "list"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        if b"ybscan" in said and process.returncode not in (0, -signal.SIGINT):
            assert b"Traceback" not in said, said.decode()


def answers(*given: str | None) -> Callable[[], str]:
    left = list(given)

    def ask() -> str:
        answer = left.pop(0)
        if answer is None:
            raise EOFError
        return answer

    return ask


def guided(tmp_path: Path, *typed: str | None, **more: object) -> tuple[int, list[list[str]]]:
    commands: list[list[str]] = []

    def run(arguments: list[str]) -> int:
        commands.append(arguments)
        return 3

    options = {"program": tmp_path / "ybscan.exe", "elevated": True, "fallback": tmp_path / "desktop", **more}
    return double_click.guide(run, ask=answers(*typed), **options), commands  # type: ignore[arg-type]


def test_a_double_click_checks_after_enter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, commands = guided(tmp_path, "", "")
    assert code == 3
    assert commands == [["scan", "-o", str(tmp_path / "ybscan-report")]]
    said = capsys.readouterr().err
    assert "没有单位配置" in said
    assert "以管理员身份运行" not in said
    assert said.rstrip().endswith("按回车关闭本窗口。")


def test_a_double_click_without_rights_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    guided(tmp_path, None, elevated=False)
    assert "以管理员身份运行" in capsys.readouterr().err


def test_a_double_click_uses_the_site_file_beside_the_program(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text("", encoding="utf-8")
    assert guided(tmp_path, f'"{tmp_path / "甲 乙"}"', "")[1] == [
        ["scan", "--site", str(tmp_path / "site.yml"), "-o", str(tmp_path / "甲 乙")]
    ]


def test_a_double_click_where_nothing_can_be_written_offers_another_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ybscan-report").write_text("a file where the folder should be", encoding="utf-8")
    code, commands = guided(tmp_path, "", "", "")
    assert code == 3
    assert commands == [["scan", "-o", str(tmp_path / "desktop")]]
    assert "输出文件夹无法写入" in capsys.readouterr().err


@pytest.mark.parametrize("typed", [(None,), ("", None)])
def test_a_double_click_whose_window_is_closed_ends(typed: tuple[str | None, ...], tmp_path: Path) -> None:
    code, commands = guided(tmp_path, *typed)
    assert code == console.BAD_INPUT
    assert len(commands) == len(typed) - 1


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("C:\\short", "C:\\short"),
        ("C:\\" + "长" * 200, "\\\\?\\C:\\" + "长" * 200),
        ("C:\\a\\..\\" + "b" * 200, "\\\\?\\C:\\" + "b" * 200),
        ("\\\\server\\共享\\" + "b" * 200, "\\\\?\\UNC\\server\\共享\\" + "b" * 200),
        ("\\\\?\\C:\\" + "b" * 200, "\\\\?\\C:\\" + "b" * 200),
    ],
)
def test_long_paths_get_the_name_without_a_limit(path: str, wanted: str) -> None:
    assert extended(path) == wanted


def test_no_double_click_here() -> None:
    assert not double_click.happened()


def test_help_loads_nothing_that_a_scan_needs() -> None:
    code = "import sys; from ybscan.cli.app import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {m.partition(".")[0] for m in run.stderr.split()}
    assert "typer" in loaded
    assert not loaded & {"pydantic", "jinja2", "yaml", "psutil", "sqlite3", "rich", "openpyxl", "regipy"}
