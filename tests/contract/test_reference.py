"""The committed reference pages are what the program says. Facts, rules and clauses are checked by ``nox -s docs``."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).resolve().parents[2]


def load_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ybscan_reference", PROJECT / "tools" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = load_tool()


@pytest.mark.parametrize("part", ["commands", "matchers", "schema"])
def test_committed_pages_are_up_to_date(part: str) -> None:
    assert reference.stale(reference.FOLDER, reference.PARTS[part]()) == [], "run: python tools/reference.py --write"


@pytest.mark.parametrize("part", list(reference.PARTS))
def test_twice_the_same(part: str) -> None:
    assert reference.PARTS[part]() == reference.PARTS[part]()


def test_a_changed_a_missing_and_a_surplus_file_are_named(tmp_path: Path) -> None:
    files = {"a.md": "一\n", "schema/b.json": "{}\n", "c.md": "三\n"}
    (tmp_path / "a.md").write_bytes("一\n".encode())
    (tmp_path / "c.md").write_bytes("二\n".encode())
    (tmp_path / "old.md").write_bytes(b"")
    assert reference.stale(tmp_path, files) == ["schema/b.json", "c.md"]
    assert reference.surplus(tmp_path, files) == ["old.md"]


def test_what_looks_like_markup_is_shown_as_it_is() -> None:
    assert reference._plain("/proc/<pid> *.bak") == "/proc/\\<pid> \\*.bak"
    assert reference._prose("甲，\n  乙 on\nLinux") == "甲，乙 on Linux"


def test_every_command_has_its_section() -> None:
    text = reference.PARTS["commands"]()["commands.md"]
    for command in ("scan", "collect", "report", "init", "doctor", "rules lint", "rules test", "facts show"):
        assert f"\n## ybscan {command}\n" in text
    assert "`--evidence 文件`" in text
