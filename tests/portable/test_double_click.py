"""Started by a double click: a console of its own, and a person in front of it who has to be able to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.portable import wine

#: Starts a program the way Explorer does, on a console of its own, but with pipes, so that a test can type and read.
STARTER = """
import subprocess, sys
flags = subprocess.CREATE_NEW_CONSOLE if sys.argv[1] == "new" else 0
p = subprocess.Popen(sys.argv[3:], creationflags=flags, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                     stderr=subprocess.STDOUT)
typed = sys.argv[2].encode("gbk").decode("unicode_escape").encode("latin-1")
out, _ = p.communicate(typed, timeout=90)
sys.stdout.buffer.write(out)
sys.exit(p.returncode)
"""


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    path = tmp_path / "starter.py"
    path.write_text(STARTER, encoding="ascii")
    return path


def start(starter: Path, console: str, typed: str, exe: Path, *arguments: str) -> tuple[int, str]:
    run = wine.python(wine.windows(starter), console, typed, wine.windows(exe), *arguments)
    assert b"Traceback" not in run.stdout + run.stderr, run.stdout + run.stderr
    return run.returncode, run.stdout.decode("gbk").replace("\r\n", "\n")


def test_it_explains_checks_and_waits(exe: Path, starter: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    path = wine.windows(out).replace("\\", "\\\\")
    code, said = start(starter, "new", f"{path}\\n\\n", exe)
    assert code in (1, 3), said
    for wanted in (
        "医保网络终端合规自查",
        "只读取，不修改任何设置",
        "没有单位配置 site.yml",
        "直接按回车开始检查",
        "已写入",
    ):
        assert wanted in said
    assert said.rstrip().endswith("按回车关闭本窗口。")
    assert sorted(p.suffix for p in out.iterdir()) == [".html", ".json", ".md"]


def test_beside_the_program_there_is_no_writing(exe: Path, starter: Path, unpacked: Path) -> None:
    """Enter alone: the program's folder is read-only, so it offers another one; then nobody answers any more."""
    before = sorted(unpacked.rglob("*"))
    code, said = start(starter, "new", "\\n", exe)
    assert code == 2
    assert "输出文件夹无法写入" in said
    assert said.count("检查记录写到") == 2
    assert sorted(unpacked.rglob("*")) == before


def test_from_a_console_it_never_waits(exe: Path, starter: Path) -> None:
    code, said = start(starter, "same", "", exe)
    assert code == 2
    assert "用法：ybscan" in said
    assert "按回车" not in said


def test_arguments_on_a_console_of_its_own_do_not_wait(exe: Path, starter: Path) -> None:
    code, said = start(starter, "new", "", exe, "scna")
    assert code == 2
    assert "按回车" not in said
