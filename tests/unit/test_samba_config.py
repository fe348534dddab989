"""smb.conf as Samba reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ybscan.hosts.offline import offline_root
from ybscan.model.reading import Cause, Known, Unknown
from ybscan.probes._samba_config import SambaConfig, read_config


def config(tmp_path: Path, text: str, **more: str) -> SambaConfig:
    folder = tmp_path / "etc" / "samba"
    folder.mkdir(parents=True)
    (tmp_path / "etc" / "os-release").write_text("ID=uos\n")
    (folder / "smb.conf").write_text(text, encoding="utf-8")
    for name, content in more.items():
        (folder / f"{name}.conf").write_text(content, encoding="utf-8")
    read = read_config(offline_root(tmp_path))
    assert isinstance(read, Known)
    return read.value


def test_names_ignore_case_and_blanks(tmp_path: Path) -> None:
    made = config(tmp_path, "[GLOBAL]\n Map  To GUEST = Bad User\n")
    value = made.value("global", "map to guest")
    assert value is not None
    assert value.text == "Bad User"


@pytest.mark.parametrize(
    ("line", "name", "wanted"),
    [
        ("public = yes", "guest ok", True),
        ("writable = yes", "read only", False),
        ("write ok = no", "read only", True),
        ("read only = False", "read only", False),
        ("print ok = 1", "printable", True),
    ],
)
def test_synonyms(tmp_path: Path, line: str, name: str, wanted: bool) -> None:
    assert config(tmp_path, f"[a]\n{line}\n").flag("a", name, not wanted) is wanted


def test_share_over_copy_over_global(tmp_path: Path) -> None:
    made = config(tmp_path, "[global]\nguest ok = yes\n[t]\nguest ok = no\n[a]\ncopy = T\n[b]\n[c]\ncopy = c\n")
    assert made.flag("a", "guest ok", True) is False
    assert made.flag("b", "guest ok", False) is True
    assert made.flag("c", "guest ok", False) is True


def test_later_wins_and_lines_join(tmp_path: Path) -> None:
    made = config(tmp_path, "[global]\nntlm auth = no\nntlm \\\n auth = \\\nyes\n; ntlm auth = no\n")
    value = made.value("global", "ntlm auth")
    assert value is not None
    assert value.text == "yes"


def test_include_goes_on_in_its_section(tmp_path: Path) -> None:
    made = config(tmp_path, "[a]\ninclude = more.conf\n", more="path = /srv/a\n[b]\npath = /srv/b\n")
    assert {s: made.sections[s]["path"].text for s in made.shares()} == {"a": "/srv/a", "b": "/srv/b"}


@pytest.mark.parametrize(
    "line", ["include = /etc/%m.conf", "include = registry", "config backend = registry", "nonsense"]
)
def test_what_may_hold_more_leaves_a_gap(tmp_path: Path, line: str) -> None:
    assert config(tmp_path, f"[global]\n{line}\n").gaps


def test_a_file_that_includes_itself_ends(tmp_path: Path) -> None:
    gaps = config(tmp_path, "[global]\ninclude = /etc/samba/smb.conf\n").gaps
    assert {g.cause for g in gaps} == {Cause.TOO_LARGE}


def test_odd_flag_is_unknown(tmp_path: Path) -> None:
    assert isinstance(config(tmp_path, "[a]\nguest ok = perhaps\n").flag("a", "guest ok", False), Unknown)
