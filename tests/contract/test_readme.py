"""The README's first two code blocks are the two commands, and the commands are what bootstrap.py understands."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.main import get_command

from ybscan.cli.app import build

PROJECT = Path(__file__).resolve().parents[2]
COMMANDS = ["python3 tools/bootstrap.py scan -o report", "python3 tools/bootstrap.py test"]


def blocks(page: str) -> list[str]:
    text = (PROJECT / page).read_text(encoding="utf-8")
    return [m["text"] for m in re.finditer(r"^```[^\n]*\n(?P<text>.*?)^```$", text, re.MULTILINE | re.DOTALL)]


@pytest.fixture
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ybscan_bootstrap", PROJECT / "tools" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_first_two_code_blocks_are_the_two_commands(page: str) -> None:
    assert blocks(page)[:2] == [f"{c}\n" for c in COMMANDS]


@pytest.mark.parametrize("command", COMMANDS)
def test_bootstrap_knows_the_word(command: str, bootstrap: ModuleType) -> None:
    python, script, word, *_ = command.split()
    assert python == "python3"
    assert (PROJECT / script).is_file()
    assert word in bootstrap.EXTRAS


def test_what_the_words_need_is_declared(bootstrap: ModuleType) -> None:
    import tomllib

    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra in filter(None, (e.strip("[]") for e in bootstrap.EXTRAS.values())):
        assert extra in project["optional-dependencies"]
    assert any(d.startswith("pytest") for d in project["optional-dependencies"]["test"])


def test_scan_takes_the_arguments() -> None:
    scan: Any = get_command(build()).commands["scan"]  # type: ignore[attr-defined]
    assert "-o" in {o for p in scan.params for o in p.opts}


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["--help"]])
def test_other_words_are_refused_before_anything_is_made(
    arguments: list[str], bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bootstrap.main(arguments) == 2
    said = capsys.readouterr()
    assert "scan" in said.err
    assert said.out == ""


def test_python_of_an_environment(bootstrap: ModuleType, tmp_path: Path) -> None:
    wanted = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    assert bootstrap.python_in(tmp_path) == tmp_path / wanted
