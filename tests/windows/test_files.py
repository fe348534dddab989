"""The files group on real files: encodings, long and Chinese paths, what is no file, what is held by others."""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.windows.win import held_alone, kernel32
from ybscan.hosts.base import Host
from ybscan.hosts.windows.live import files as live
from ybscan.model.reading import Absent, Cause, Known, Unknown

assert sys.platform == "win32"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_text_in_the_encodings_of_windows_programs(host: Host, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "配置 说明.ini"
    path.write_bytes("[医保]\r\n地址=10.20.0.1\r\n".encode(encoding))
    found = host.files.text(path=str(path))
    assert isinstance(found, Known)
    assert found.value == "[医保]\r\n地址=10.20.0.1\r\n"


def test_what_is_no_text(host: Host, tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"\x00\x01\xff" * 50)
    found = host.files.text(path=str(tmp_path / "x.bin"))
    assert isinstance(found, Unknown)
    assert found.cause is Cause.MALFORMED


def test_long_chinese_paths(host: Host, tmp_path: Path) -> None:
    folder = str(tmp_path)
    for _ in range(8):
        folder += "\\" + "很长的文件夹" * 8
    os.makedirs("\\\\?\\" + folder)  # noqa: PTH103
    path = folder + "\\数据.txt"
    assert len(path) > 300
    with open("\\\\?\\" + path, "w", encoding="utf-8") as f:  # noqa: PTH123
        f.write("在")
    assert host.files.text(path=path) == Known("在", path)
    assert host.files.entries(path=folder) == Known(("数据.txt",), folder)
    assert host.files.digest(path=path, limit=10) == Known(hashlib.sha256("在".encode()).hexdigest(), path)
    assert host.files.head(path=path, size=1) == Known("在".encode()[:1], path)
    stat = host.files.stat(path=path)
    assert isinstance(stat, Known)
    assert (stat.value.kind, stat.value.size) == ("file", 3)
    assert host.files.real(path=folder.upper() + "\\..\\" + "很长的文件夹" * 8 + "\\数据.txt")


def test_absent_and_wrong_kinds(host: Host, tmp_path: Path) -> None:
    here = str(tmp_path)
    assert isinstance(host.files.text(path=here + "\\nope"), Absent)
    assert isinstance(host.files.stat(path=here + "\\no\\pe"), Absent)
    assert isinstance(host.files.entries(path=here + "\\nope"), Absent)
    assert isinstance(host.files.text(path=here), Unknown)
    assert isinstance(host.files.link(path=here), Absent)
    folder = host.files.stat(path=here)
    assert isinstance(folder, Known)
    assert folder.value.kind == "dir"


def test_limits(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"x" * 2000)
    for answer in (host.files.text(path=str(path), limit=1999), host.files.digest(path=str(path), limit=1999)):
        assert isinstance(answer, Unknown)
        assert answer.cause is Cause.TOO_LARGE
    assert isinstance(host.files.text(path=str(path), limit=2000), Known)


def test_a_file_that_others_hold_is_unknown_and_not_absent(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "held"
    path.write_text("x", encoding="utf-8")
    with held_alone(str(path)):
        for answer in (host.files.text(path=str(path)), host.files.digest(path=str(path), limit=10)):
            assert isinstance(answer, Unknown)
            assert answer.cause is Cause.UNAVAILABLE
            assert "独占" in answer.detail
    assert isinstance(host.files.text(path=str(path)), Known)


@pytest.mark.parametrize("name", ["NUL", "con", "COM1", "aux.txt", "x:stream", "x::$DATA", "a?b"])
def test_devices_and_streams_are_refused(host: Host, tmp_path: Path, name: str) -> None:
    (tmp_path / "x").write_text("x", encoding="utf-8")
    path = f"{tmp_path}\\{name}"
    for answer in (host.files.text(path=path), host.files.stat(path=path), host.files.head(path=path, size=1)):
        assert isinstance(answer, Unknown)
        assert answer.cause is Cause.MALFORMED


@pytest.mark.parametrize(
    "path", [r"\\192.0.2.1\share\x", r"\\.\PhysicalDrive0", r"\\?\GLOBALROOT\Device\Null", "x", "/etc/passwd"]
)
def test_nothing_but_local_disks(host: Host, path: str) -> None:
    assert isinstance(host.files.text(path=path), Unknown)
    assert isinstance(host.files.entries(path=path), Unknown)


def test_files_of_hashes_are_refused(host: Host, tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "SAM").write_bytes(b"regf")
    for answer in (
        host.files.text(path=str(folder / "SAM")), host.files.head(path=f"{folder}/.\\sam. ", size=4),
        host.files.digest(path=str(folder / "SAM"), limit=10),
    ):  # fmt: skip
        assert isinstance(answer, Unknown)
        assert answer.cause is Cause.NOT_PERMITTED


def test_credentials_are_masked(host: Host, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(
        "<Password><Value>geheim</Value></Password><a href='ftp://u:geheim@h/'/>", encoding="utf-8"
    )
    found = host.files.text(path=str(tmp_path / "a.xml"))
    assert isinstance(found, Known)
    assert "geheim" not in found.value


def test_junctions_are_followed_here_and_told_as_links(host: Host, tmp_path: Path) -> None:
    (tmp_path / "真").mkdir()
    (tmp_path / "真" / "x.txt").write_text("在", encoding="utf-8")
    made = subprocess.run(
        ["cmd", "/c", "mklink", "/J", str(tmp_path / "联"), str(tmp_path / "真")],
        capture_output=True,
        check=False,
        timeout=60,
    )
    if made.returncode or not (tmp_path / "联").exists() or not os.path.lexists(tmp_path / "联" / "x.txt"):
        pytest.skip("this system makes no junctions")
    assert host.files.text(path=str(tmp_path / "联" / "x.txt")) == Known("在", str(tmp_path / "联" / "x.txt"))
    stat = host.files.stat(path=str(tmp_path / "联"), follow=False)
    assert isinstance(stat, Known)
    assert stat.value.kind == "link"


def test_a_file_whose_content_lies_in_a_cloud_is_left_there(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "cloud.txt"
    path.write_text("x", encoding="utf-8")
    offline = 0x1000
    if (
        not kernel32.SetFileAttributesW(ctypes.c_wchar_p(str(path)), offline)
        or not os.lstat(path).st_file_attributes & offline
    ):
        pytest.skip("this system does not keep the attribute")
    found = host.files.text(path=str(path))
    assert isinstance(found, Unknown)
    assert found.cause is Cause.UNAVAILABLE


def test_reading_leaves_the_file_as_it_was(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("x" * 100, encoding="utf-8")
    os.utime(path, (1_600_000_000, 1_600_000_000))
    before = path.stat()
    host.files.text(path=str(path))
    host.files.digest(path=str(path), limit=1000)
    host.files.stat(path=str(path))
    after = path.stat()
    assert (before.st_mtime_ns, before.st_ctime_ns, before.st_size) == (
        after.st_mtime_ns,
        after.st_ctime_ns,
        after.st_size,
    )


def test_no_handle_is_left_open(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("x", encoding="utf-8")
    count = ctypes.c_uint32()
    kernel32.GetCurrentProcess.restype = ctypes.c_void_p
    kernel32.GetProcessHandleCount.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint32)]

    def handles() -> int:
        assert kernel32.GetProcessHandleCount(kernel32.GetCurrentProcess(), ctypes.byref(count))
        return count.value

    host.files.text(path=str(path))
    before = handles()
    for _ in range(50):
        host.files.text(path=str(path))
        host.files.text(path=str(tmp_path))
        host.registry.values(key=r"HKLM\SOFTWARE")
        host.registry.value(key=r"HKLM\SOFTWARE\nope", name="x")
    assert handles() <= before + 2


def test_the_hosts_file(host: Host) -> None:
    path = live.resolved(os.path.expandvars(r"%SystemRoot%\System32\drivers\etc"))
    assert path.lower() == os.path.expandvars(r"%SystemRoot%\System32\drivers\etc").lower()
