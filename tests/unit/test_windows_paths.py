"""Which paths name a file of a local disk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as s

from ybscan.hosts.windows.winpaths import PathError, RefusedError, followed, long, plain, shown, unredirected


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (r"C:\Windows\win.ini", r"C:\Windows\win.ini"),
        ("C:/Windows//system32/../win.ini", r"C:\Windows\win.ini"),
        ("C:\\", "C:\\"),
        ("C:\\..\\..\\x", r"C:\x"),
        (r"\\?\C:\医保\数据", r"C:\医保\数据"),
        (r"C:\a. . \b.", r"C:\a\b"),
        (r"C:\contract\nullable.txt", r"C:\contract\nullable.txt"),
        (r"C:\com10\lptx", r"C:\com10\lptx"),
    ],
)
def test_paths(path: str, found: str) -> None:
    assert plain(path) == found


@pytest.mark.parametrize(
    "path",
    [
        "", "x", "C:", "C:x", "\\x", "/etc/passwd", r"\\server\share\x", r"\\.\PhysicalDrive0", r"\\?\UNC\server\share",
        r"\\?\GLOBALROOT\Device\HarddiskVolume1", r"C:\NUL", r"C:\a\con.txt", r"C:\a\COM1 .log", r"C:\lpt¹", r"C:\aux:", r"C:\x.txt:stream",
        r"C:\x::$DATA", "C:\\a\0b", "C:\\a*", 'C:\\a"', "C:\\a\n", r"C:\CONIN$", r"C:\con \x",
    ],
)  # fmt: skip
def test_what_is_no_path_of_a_file(path: str) -> None:
    with pytest.raises(PathError):
        plain(path)


@given(s.text(max_size=60))
def test_a_plain_path_stays_as_it_is(tail: str) -> None:
    try:
        found = plain("C:\\" + tail)
    except PathError:
        return
    assert plain(found) == found
    assert plain(long(found)) == found
    assert ".." not in found.split("\\")


def test_a_32_bit_program_asks_for_the_true_system_folder() -> None:
    assert (
        unredirected(r"C:\Windows\System32\drivers\etc\hosts", "C:\\Windows")
        == r"C:\Windows\Sysnative\drivers\etc\hosts"
    )
    assert unredirected(r"c:\windows\SYSTEM32", "C:\\Windows\\") == r"C:\Windows\Sysnative"
    assert unredirected(r"C:\Windows\System32x\a", "C:\\Windows") == r"C:\Windows\System32x\a"


def test_paths_for_people() -> None:
    assert shown(r"\\?\C:\x") == r"C:\x"
    assert shown(r"\\?\UNC\server\share\x") == r"\\server\share\x"
    assert shown(r"\??\UNC\server\x") == r"\\server\x"
    assert shown(r"..\x") == r"..\x"


LINKS = {
    r"C:\Documents and Settings": r"C:\Users", r"C:\Users\All Users": r"C:\ProgramData", r"C:\a": r"..\b\.\c", r"C:\b\c": r"\d",
    r"C:\round": r"C:\round", r"C:\ping": r"C:\pong", r"C:\pong": r"ping", r"C:\share": r"\\server\share", r"C:\mapped": r"Z:\x",
    r"C:\device": r"C:\x\NUL", r"D:\link": r"C:\Users\张三",
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (r"C:\Windows\win.ini", r"C:\Windows\win.ini"),
        (r"C:\Documents and Settings\All Users\x", r"C:\ProgramData\x"),
        (r"C:\a\x", r"C:\d\x"),
        (r"D:\link", r"C:\Users\张三"),
        ("D:\\", "D:\\"),
    ],
)
def test_links_are_followed(path: str, found: str) -> None:
    assert followed(path, LINKS.get, lambda _: False) == found


def test_the_link_itself() -> None:
    assert followed(r"D:\link", LINKS.get, lambda _: False, last=False) == r"D:\link"
    assert (
        followed(r"C:\Documents and Settings\All Users", LINKS.get, lambda _: False, last=False)
        == r"C:\Users\All Users"
    )


@pytest.mark.parametrize("path", [r"C:\share\x", r"C:\share", r"C:\mapped", r"Z:\x", r"z:\x"])
def test_no_link_and_no_drive_leads_to_the_network(path: str) -> None:
    with pytest.raises(RefusedError, match="网络"):
        followed(path, LINKS.get, lambda drive: drive == "Z:")


@pytest.mark.parametrize("path", [r"C:\round\x", r"C:\ping", r"C:\device"])
def test_links_that_lead_nowhere(path: str) -> None:
    with pytest.raises(PathError):
        followed(path, LINKS.get, lambda _: False)
