"""Walking folders with a budget, telling months and log marks: on real folders, against hostile ones."""

from __future__ import annotations

import hashlib
import os
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("reads Linux trees", allow_module_level=True)

from ybscan.hosts.common.dated import log_mark, month_of, months, stamp_of
from ybscan.hosts.common.filetree import walk
from ybscan.hosts.groups.volumes import MonthFiles, TreeEntry
from ybscan.hosts.linux.files import LinuxFiles
from ybscan.hosts.linux.volumes import LinuxVolumes
from ybscan.model.programs import is_program
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown


def entries(reading: Reading[tuple[TreeEntry, ...]]) -> dict[str, TreeEntry]:
    assert isinstance(reading, Known)
    return {e.name: e for e in reading.value}


def causes(reading: object) -> list[Cause]:
    assert isinstance(reading, Known)
    return [g.cause for g in reading.gaps]


def made(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_server_that_is_gone_is_no_file_that_was_removed(tmp_path: Path) -> None:
    """Windows' codes for it come as FileNotFoundError: what is left of the list is not whole then."""
    from ybscan.hosts.common.filetree import _Walk

    for code, told in ((53, [Cause.UNAVAILABLE]), (2, [])):
        error = FileNotFoundError(2, "没有")
        error.winerror = code  # type: ignore[attr-defined]  # only Windows sets it by itself
        walker = _Walk(shown="/x", count=1, hash_bytes=1, deadline=0.0)
        walker.failed(error, "a")
        assert [g.cause for g in walker.gaps] == told


def test_programs_are_hashed_and_nothing_else(tmp_path: Path) -> None:
    made(tmp_path, a_dot_so="ELF", notes_dot_txt="x", log__b_dot_ini="y", log__c_dot_dll="z")
    (tmp_path / "l").symlink_to("a.so")
    found = entries(walk(str(tmp_path), shown="/p", count=100, hash_bytes=1000, seconds=10))
    assert {n for n, e in found.items() if e.sha256} == {"a.so", "log/c.dll", "l"}
    assert found["a.so"].sha256 == hashlib.sha256(b"ELF").hexdigest()
    assert found["l"].sha256 == hashlib.sha256(b"link:a.so").hexdigest()


def test_links_are_not_followed_and_devices_not_opened(tmp_path: Path) -> None:
    outside = made(tmp_path / "outside", other_dot_sh="x")
    inside = made(tmp_path / "inside", a_dot_sh="x")
    (inside / "way").symlink_to(outside)
    os.mkfifo(inside / "pipe.sh")
    found = entries(walk(str(inside), shown="/p", count=100, hash_bytes=1000, seconds=10))
    assert set(found) == {"", "a.sh", "way", "pipe.sh"}
    assert found["pipe.sh"].kind == "other"


def test_each_limit_leaves_a_gap(tmp_path: Path) -> None:
    made(tmp_path, a_dot_sh="1234", b_dot_sh="5678", c_dot_sh="90")
    assert causes(walk(str(tmp_path), shown="/p", count=2, hash_bytes=0, seconds=10)) == [Cause.TOO_LARGE]
    short = walk(str(tmp_path), shown="/p", count=100, hash_bytes=4, seconds=10)
    assert causes(short) == [Cause.TOO_LARGE]
    assert sum(bool(e.sha256) for e in entries(short).values()) == 1
    assert Cause.TIMEOUT in causes(walk(str(tmp_path), shown="/p", count=100, hash_bytes=0, seconds=-1))
    deep = tmp_path.joinpath(*["d"] * 40)
    deep.mkdir(parents=True)
    assert Cause.TOO_LARGE in causes(walk(str(tmp_path), shown="/p", count=100, hash_bytes=0, seconds=10))


def test_files_of_hashes_are_not_read(tmp_path: Path) -> None:
    made(tmp_path, etc__shadow="root:x", etc__a_dot_sh="x")
    (tmp_path / "etc/shadow").chmod(0o755)
    volumes = LinuxVolumes(LinuxFiles(root=str(tmp_path)), root=str(tmp_path))
    found = volumes.tree(path="/etc", count=100, hash_bytes=1000, seconds=10)
    assert not entries(found)["shadow"].sha256
    assert causes(found) == [Cause.NOT_PERMITTED]
    mark = volumes.log_mark(path="/etc", pattern="shadow", text="root", tail=100, seconds=5)
    assert isinstance(mark, Unknown)


def test_a_disk_that_lies_still_has_no_run(tmp_path: Path) -> None:
    made(tmp_path, etc__a="x", run__other_dot_sh="x")
    (tmp_path / "srv").symlink_to("/run")
    volumes = LinuxVolumes(LinuxFiles(root=str(tmp_path), live=False), root=str(tmp_path), live=False)
    for path in ("/run", "/srv"):
        found = volumes.tree(path=path, count=100, hash_bytes=0, seconds=10)
        assert isinstance(found, Unknown)
        assert found.cause is Cause.UNSUPPORTED
    assert isinstance(volumes.tree(path="/none", count=100, hash_bytes=0, seconds=10), Absent)


def test_a_link_never_leads_out_of_the_disk(tmp_path: Path) -> None:
    made(tmp_path, disk__etc__a="x", other="x")
    (tmp_path / "disk" / "opt").symlink_to("../../..")
    root = str(tmp_path / "disk")
    found = LinuxVolumes(LinuxFiles(root=root, live=False), root=root, live=False).tree(
        path="/opt", count=100, hash_bytes=0, seconds=10
    )
    assert set(entries(found)) == {"", "etc", "etc/a", "opt"}


@pytest.mark.parametrize(
    ("name", "mode", "watched"),
    [
        ("yb.exe", 0o644, True), ("lib/libyb.so.2.1", 0o644, True), ("run", 0o755, True), ("conf/a.INI", 0o644, True),
        ("log/a.ini", 0o644, False), ("Logs/x/a.json", 0o644, False), ("log/a.DLL", 0o644, True), ("a.txt", 0o644, False),
        ("data.db", 0o644, False), ("日志/a.xml", 0o644, False), ("catalog/a.xml", 0o644, True),
    ],
)  # fmt: skip
def test_what_is_watched(name: str, mode: int, watched: bool) -> None:
    assert is_program(name, mode) is watched


# --- months -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "month"),
    [
        ("mx-20261115.csv", "2026-11"), ("2026-11/a.csv", "2026-11"), ("2026/11/a.csv", "2026-11"), ("收据2026年9月.csv", None),
        ("收据2026年09月.csv", "2026-09"), ("202611.zip", "2026-11"), ("a/20260131-20260228.zip", "2026-02"),
        ("2025-01/mx-20261115.csv", "2026-11"), ("120261199.csv", None), ("no12026-11x.csv", None),
    ],
)  # fmt: skip
def test_the_month_a_name_is_about(name: str, month: str | None) -> None:
    modified = datetime(2020, 5, 5, 12, tzinfo=timezone.utc).timestamp()  # noqa: UP017
    assert month_of(name, modified) == ((month, True) if month else ("2020-05", False))


def test_months_are_counted_without_names(tmp_path: Path) -> None:
    made(tmp_path, **{"2026-10__a_dot_csv": "x", "2026-10__b_dot_csv": "", "2026-09__c_dot_csv": "", "x_dot_tmp": "x"})
    found = months(str(tmp_path), "*.csv", shown="/r", limit=100, seconds=10)
    assert isinstance(found, Known)
    assert found.value == (MonthFiles("2026-09", 1, 1, 1), MonthFiles("2026-10", 2, 1, 2))
    assert causes(months(str(tmp_path), "*.csv", shown="/r", limit=2, seconds=10)) == [Cause.TOO_LARGE]


# --- log marks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "stamp"),
    [
        ("2026-11-20 08:00:01.123 INFO 上传成功", "2026-11-20T08:00:01"), ("[2026/11/20 08:00] 上传成功", "2026-11-20T08:00:00"),
        ("20261120 上传成功", "2026-11-20"), ("上传成功", ""), ("2026-02-31 上传成功", ""),
        ("2026-11-19 23:59:00 上传成功，结算日期 2027-01-01", "2026-11-19T23:59:00"),
    ],
)  # fmt: skip
def test_the_time_of_a_line(line: str, stamp: str) -> None:
    assert stamp_of(line) == stamp


def test_only_the_end_of_a_large_log_is_read_and_a_cut_character_does_no_harm(tmp_path: Path) -> None:
    line = "2026-11-20 08:00:00 上传成功\n"
    for encoding in ("utf-8", "gb18030"):
        for pad in range(4):
            (tmp_path / "a.log").write_bytes(
                ("医" * 1000).encode(encoding) + b"x" * pad + b"\n" + line.encode(encoding)
            )
            found = log_mark(str(tmp_path), "*.log", "上传成功", shown="/l", tail=200, seconds=5)
            assert isinstance(found, Known)
            assert (found.value.stamp, found.value.whole) == ("2026-11-20T08:00:00", False)


def test_the_newest_log_is_asked_first(tmp_path: Path) -> None:
    for i, text in enumerate(
        ["2026-11-18 10:00:00 上传成功", "2026-11-19 10:00:00 上传成功", "2026-11-20 10:00:00 上传失败"]
    ):
        path = tmp_path / f"{i}.log"
        path.write_text(text, encoding="utf-8")
        os.utime(path, (1000 + i, 1000 + i))
    found = log_mark(str(tmp_path), "*.log", "上传成功", shown="/l", tail=200, seconds=5)
    assert isinstance(found, Known)
    assert (found.value.file, found.value.stamp) == ("1.log", "2026-11-19T10:00:00")
    none = log_mark(str(tmp_path), "*.log", "回执", shown="/l", tail=200, seconds=5)
    assert isinstance(none, Known)
    assert (none.value.file, none.value.whole) == ("", True)
