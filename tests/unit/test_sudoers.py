"""sudoers as sudoers(5) has it: aliases, exceptions, tags, run-as lists, includes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ybscan.hosts.offline import offline_root
from ybscan.probes._sudoers import Grant, Sudoers, read_sudoers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Linux files")


def rules(root: Path, text: str, **others: str) -> Sudoers:
    for name, content in {"etc/sudoers": text, **others}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    got = read_sudoers(offline_root(root), "yb-01.example")
    assert isinstance(got, Sudoers)
    return got


def only(root: Path, text: str) -> Grant:
    found = rules(root, text)
    assert not found.gaps
    assert len(found.grants) == 1
    return found.grants[0]


@pytest.mark.parametrize(
    ("line", "as_root", "everything", "no_password"),
    [
        ("a ALL=(ALL:ALL) ALL", True, True, False),
        ("a\tALL = (ALL) NOPASSWD : ALL", True, True, True),
        ("a ALL=ALL", True, True, False),
        ("a ALL=(www-data) ALL", False, True, False),
        ("a ALL=(:adm) ALL", False, True, False),
        ("a ALL=(ALL, !root) ALL", None, True, False),
        ("a ALL=(#0) NOEXEC: NOPASSWD: ALL", True, True, True),
        ("a ALL=NOPASSWD: /usr/bin/lpadmin", True, False, True),
        ("a ALL=/bin/su", True, True, False),
        ("a ALL=/bin/su - printer", True, False, False),
        ('a ALL=/bin/su ""', True, False, False),
        ("a ALL=sha224:0GomF8mNN3wlDt1HD9XldjJ3SNgpFdbjO1+NsQ== /bin/ls", True, False, False),
        ("a ALL=(root) CWD=/tmp /bin/bash", True, True, False),
        (r"a ALL=/usr/bin/x \:y\=z", True, False, False),
    ],
)
def test_one_line(tmp_path: Path, line: str, as_root: bool | None, everything: bool, no_password: bool) -> None:
    grant = only(tmp_path, line)
    assert (grant.as_root, grant.everything, grant.no_password) == (as_root, everything, no_password)


def test_aliases_nest_and_turn(tmp_path: Path) -> None:
    found = rules(
        tmp_path,
        "User_Alias A = a, !B : B = b, %c\nCmnd_Alias SHELLS = /bin/sh, /bin/bash\nRunas_Alias R = root, www\nHost_Alias H = yb-01, yb-02\n"
        "A, !x H = (R) /bin/ls, SHELLS\n",
    )
    assert {g.users for g in found.grants} == {("a", "!b", "!%c", "!x")}
    assert {g.hosts for g in found.grants} == {("yb-01", "yb-02")}
    assert [g.everything for g in found.grants] == [False, True, True]
    assert all(g.as_root for g in found.grants)


def test_an_alias_of_itself_ends(tmp_path: Path) -> None:
    assert rules(tmp_path, "User_Alias A = B\nUser_Alias B = A\nA ALL=ALL\n").grants


def test_tags_and_run_as_last_until_changed(tmp_path: Path) -> None:
    found = rules(tmp_path, "a ALL=(www) NOPASSWD: /bin/ls, ALL, (root) PASSWD: ALL : other = ALL\n")
    assert [(g.as_root, g.everything, g.no_password) for g in found.grants] == [
        (False, False, True), (False, True, True), (True, True, False), (True, True, False),
    ]  # fmt: skip
    assert found.grants[-1].hosts == ("other",)


def test_includes(tmp_path: Path) -> None:
    found = rules(
        tmp_path,
        "#includedir /etc/sudoers.d\n@include sudoers.%h\n#include /etc/none\n#1000 ALL=ALL # note\n",
        **{
            "etc/sudoers.d/10-a": "a ALL=ALL\n", "etc/sudoers.d/b.bak": "b ALL=ALL\n", "etc/sudoers.d/c~": "c ALL=ALL\n",
            "etc/sudoers.yb-01": "d ALL=ALL\n",
        },
    )  # fmt: skip
    assert [g.users for g in found.grants] == [("a",), ("d",), ("#1000",)]
    assert [g.path for g in found.grants] == ["/etc/sudoers.d/10-a", "/etc/sudoers.yb-01", "/etc/sudoers"]


def test_a_circle_of_includes_ends(tmp_path: Path) -> None:
    assert rules(tmp_path, "@include /etc/sudoers\na ALL=ALL\n").gaps


@pytest.mark.parametrize(
    ("line", "others"),
    [
        ("Defaults targetpw", True), ("Defaults env_reset, rootpw", True), ("Defaults:a runaspw", True),
        ("Defaults !targetpw", False), ('Defaults badpass_message="rootpw, targetpw"', False), ("Defaults env_reset", False),
    ],
)  # fmt: skip
def test_whose_password(tmp_path: Path, line: str, others: bool) -> None:
    assert rules(tmp_path, f"{line}\n").others_password is others


@given(st.text(alphabet='aA%#!,=:()\\" \n\tALLUser_Alias@include/+*', max_size=200))
def test_any_text_is_read(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    read = rules(tmp_path_factory.mktemp("s"), text)
    assert read.others_password is False or "Defaults" in text
