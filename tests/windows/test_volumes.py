"""Where paths lie and what folders hold, on real files with Chinese names: junctions, substituted drives, open files."""

from __future__ import annotations

import _winapi
import ctypes
import hashlib
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.windows.win import held_alone
from ybscan.hosts.base import Host
from ybscan.hosts.windows.live.places import locate
from ybscan.model.reading import Absent, Cause, Known, Unknown

assert sys.platform == "win32"


def junction(target: Path, link: Path) -> None:
    try:
        _winapi.CreateJunction(str(target), str(link))  # type: ignore[attr-defined]
    except OSError as e:
        pytest.skip(f"no junctions here: {e}")


@contextmanager
def substituted(letter: str, target: str) -> Iterator[None]:
    call = ctypes.WinDLL("kernel32", use_last_error=True).DefineDosDeviceW
    call.argtypes = [ctypes.c_uint32, ctypes.c_wchar_p, ctypes.c_wchar_p]
    if not call(0, letter, target):
        pytest.skip("no substituted drives here")
    try:
        yield
    finally:
        assert call(2, letter, None)


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    folder = tmp_path / "备份（医保）"
    folder.mkdir()
    (folder / "his_20261120.bak").write_bytes(b"TAPE" + bytes(100))
    (folder / "his_20261121.bak.part").write_bytes(b"x")
    (folder / "说明.txt").write_text("说明", encoding="gbk")
    dated = folder / "2026-11-19"
    dated.mkdir()
    (dated / "住院.bak").write_bytes(b"123")
    return folder


def test_a_folder_of_backups(host: Host, backups: Path) -> None:
    found = host.volumes.listing(path=str(backups), pattern="*.bak", limit=100, seconds=20)
    assert isinstance(found, Known)
    assert [(e.name, e.kind, e.size, e.files) for e in found.value] == [
        ("2026-11-19", "folder", 3, 1), ("his_20261120.bak", "file", 104, 1),
    ]  # fmt: skip
    assert all(abs(e.mtime - time.time()) < 120 for e in found.value)


def test_a_size_is_that_of_the_file_while_it_grows(host: Host, backups: Path) -> None:
    # NTFS tells a directory of it only when the file is closed; a Wine whose files are another system's always knows.
    path = backups / "his_20261122.bak"
    with path.open("wb") as f:
        f.write(b"y" * 5000)
        f.flush()
        found = host.volumes.listing(path=str(backups), pattern="his_20261122*", limit=100, seconds=20)
    assert isinstance(found, Known)
    assert found.value[0].size == 5000


def test_junctions_are_links_and_not_followed(host: Host, backups: Path, tmp_path: Path) -> None:
    other = tmp_path / "其他"
    other.mkdir()
    (other / "x.bak").write_bytes(b"1")
    junction(other, backups / "2026-11-18")
    junction(backups, backups / "2026-11-17")  # a circle
    found = host.volumes.listing(path=str(backups), pattern="2026*", limit=1000, seconds=20)
    assert isinstance(found, Known)
    kinds = {e.name: e.kind for e in found.value}
    assert kinds["2026-11-18"] == "link"
    assert kinds["2026-11-17"] == "link"
    tree = host.volumes.tree(path=str(backups), count=1000, hash_bytes=0, seconds=20)
    assert isinstance(tree, Known)
    assert not [e for e in tree.value if e.name.startswith("2026-11-18/")]


def test_a_junction_leads_to_where_the_bytes_lie(backups: Path, tmp_path: Path) -> None:
    junction(backups, tmp_path / "way")
    spot = locate(str(tmp_path / "way" / "his_20261120.bak"))
    assert spot.path.lower().rstrip("\\") == str(backups / "his_20261120.bak").lower()


def test_a_substituted_drive(host: Host, backups: Path) -> None:
    with substituted("Q:", str(backups)):
        spot = locate("Q:\\his_20261120.bak")
        assert spot.path.lower() == str(backups / "his_20261120.bak").lower()
        assert spot.layers == ("subst",)
        mount = host.volumes.mount(path="Q:\\")
    straight = host.volumes.mount(path=str(backups))
    assert isinstance(mount, Known)
    assert isinstance(straight, Known)
    assert mount.value.source == straight.value.source


def test_substituted_drives_in_a_circle(host: Host) -> None:
    with substituted("Q:", "R:\\"), substituted("R:", "Q:\\"):
        found = host.volumes.mount(path="Q:\\备份")
    assert isinstance(found, Unknown)


def test_a_drive_substituted_for_a_share_is_a_share(host: Host) -> None:
    with substituted("Q:", "\\\\backup-server\\bak"):
        found = host.volumes.place(path="Q:\\his")
    assert isinstance(found, Known)
    assert (found.value.server, found.value.layers) == ("backup-server", ("Q:",))
    with substituted("Q:", "\\\\localhost\\bak"):
        assert isinstance(host.volumes.place(path="Q:\\his"), Unknown)


def test_a_drive_that_is_not_there_says_nothing(host: Host) -> None:
    for found in (
        host.volumes.listing(path="R:\\备份", pattern="*", limit=10, seconds=5), host.volumes.mount(path="R:\\备份"),
        host.volumes.place(path="R:\\备份"), host.volumes.being_written(path="R:\\备份\\x.bak"),
        host.volumes.digest(path="R:\\x", limit=10, seconds=5), host.volumes.space(path="R:\\", seconds=5),
    ):  # fmt: skip
        assert isinstance(found, Unknown)
        assert "R:" in found.detail


def test_a_folder_that_is_not_there(host: Host, tmp_path: Path) -> None:
    path = str(tmp_path / "没有")
    assert isinstance(host.volumes.listing(path=path, pattern="*", limit=10, seconds=5), Absent)
    assert isinstance(host.volumes.place(path=path), Absent)
    assert isinstance(host.volumes.digest(path=path, limit=10, seconds=5), Absent)
    assert isinstance(host.volumes.being_written(path=path), Absent)
    assert isinstance(host.volumes.log_mark(path=path, pattern="*", text="x", tail=10, seconds=5), Absent)


@pytest.mark.parametrize("path", ["备份", "C:备份", "", "/etc", "\\\\", "\\\\server", "C:"])
def test_paths_that_are_none(host: Host, path: str) -> None:
    for found in (
        host.volumes.listing(path=path, pattern="*", limit=10, seconds=5),
        host.volumes.place(path=path),
        host.volumes.mount(path=path),
    ):
        assert isinstance(found, Unknown), path


def test_shares_are_told_without_opening_them(host: Host) -> None:
    """The test's network leads nowhere: an attempt to open the share would show as a delay and an error."""
    began = time.monotonic()
    mount = host.volumes.mount(path=r"\\backup-server\医保$\his")
    place = host.volumes.place(path=r"\\backup-server\医保$\his")
    assert isinstance(mount, Known)
    assert (mount.value.kind, mount.value.server) == ("network", "backup-server")
    assert isinstance(place, Known)
    assert place.value.server == "backup-server"
    assert time.monotonic() - began < 10


def test_shares_of_this_machine_are_no_other_machine(host: Host) -> None:
    names = [
        "localhost",
        "127.0.0.1",
        "::1".replace(":", "-") + ".ipv6-literal.net",
        ctypes.create_unicode_buffer(64).value,
    ]
    size = ctypes.c_uint32(64)
    buffer = ctypes.create_unicode_buffer(64)
    assert ctypes.windll.kernel32.GetComputerNameW(buffer, ctypes.byref(size))
    names[3] = buffer.value
    for name in names:
        found = host.volumes.place(path=rf"\\{name}\C$\备份")
        assert isinstance(found, Unknown), name
        assert "本机" in found.detail


def test_a_path_in_every_spelling_is_the_same_folder(host: Host, backups: Path) -> None:
    text = str(backups)
    spellings = (text, text.replace("\\", "/"), "\\\\?\\" + text, text.upper(), text + "\\.\\", text + "\\x\\..")
    sources = set()
    for one in spellings:
        found = host.volumes.mount(path=one)
        assert isinstance(found, Known), one
        sources.add(found.value.source)
        listed = host.volumes.listing(path=one, pattern="*.bak", limit=100, seconds=20)
        assert isinstance(listed, Known), one
        assert len(listed.value) == 2, one
    assert len(sources) == 1


def test_names_longer_than_260_characters(host: Host, tmp_path: Path) -> None:
    deep = str(tmp_path) + ("\\" + "备份" * 25) * 6
    Path("\\\\?\\" + deep).mkdir(parents=True)
    Path(f"\\\\?\\{deep}\\x.bak").write_bytes(b"1")
    found = host.volumes.listing(path=deep, pattern="*.bak", limit=10, seconds=20)
    assert isinstance(found, Known)
    assert [e.name for e in found.value] == ["x.bak"]


def test_a_file_somebody_writes(host: Host, backups: Path) -> None:
    path = str(backups / "his_20261120.bak")
    quiet = host.volumes.being_written(path=path)
    assert isinstance(quiet, Known)
    assert quiet.value is False
    with open(path, "rb"):  # noqa: PTH123
        reading = host.volumes.being_written(path=path)
        assert isinstance(reading, Known)
        assert reading.value is False
    before = Path(path).stat()
    with open(path, "ab"):  # noqa: PTH123
        writing = host.volumes.being_written(path=path)
        assert isinstance(writing, Known)
        assert writing.value is True
    after = Path(path).stat()
    assert (before.st_size, before.st_mtime) == (after.st_size, after.st_mtime)


def test_a_file_somebody_holds_alone(host: Host, backups: Path) -> None:
    path = str(backups / "his_20261120.bak")
    with held_alone(path):
        found = host.volumes.being_written(path=path)
        assert isinstance(found, Unknown)
        digest = host.volumes.digest(path=path, limit=1000, seconds=5)
        assert isinstance(digest, Unknown)
        assert digest.cause is Cause.UNAVAILABLE


def test_contents(host: Host, backups: Path) -> None:
    path = backups / "医保.zip"
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("内容.txt", "x" * 1000)
    digest = host.volumes.digest(path=str(path), limit=10_000, seconds=20)
    assert isinstance(digest, Known)
    assert digest.value == hashlib.sha256(path.read_bytes()).hexdigest()
    sound = host.volumes.archive(path=str(path), budget=10_000, seconds=20)
    assert isinstance(sound, Known)
    assert (sound.value.format, sound.value.state) == ("zip", "verified")
    path.write_bytes(path.read_bytes()[:-30])
    broken = host.volumes.archive(path=str(path), budget=10_000, seconds=20)
    assert isinstance(broken, Known)
    assert broken.value.state == "corrupt"
    large = host.volumes.digest(path=str(path), limit=10, seconds=20)
    assert isinstance(large, Unknown)
    assert large.cause is Cause.TOO_LARGE


def test_hashes_are_not_opened(host: Host) -> None:
    for path in (r"C:\Windows\System32\config\SAM", r"c:/windows/system32/config/sam"):
        found = host.volumes.digest(path=path, limit=10**9, seconds=5)
        assert isinstance(found, Unknown)
        assert found.cause is Cause.NOT_PERMITTED


def test_programs_are_hashed(host: Host, tmp_path: Path) -> None:
    (tmp_path / "客户端.exe").write_bytes(b"MZ")
    (tmp_path / "病历.txt").write_bytes(b"x")
    found = host.volumes.tree(path=str(tmp_path), count=100, hash_bytes=1000, seconds=20)
    assert isinstance(found, Known)
    assert {e.name for e in found.value if e.sha256} == {"客户端.exe"}


def test_months_and_marks(host: Host, tmp_path: Path) -> None:
    (tmp_path / "日志_202611.log").write_bytes("2026-11-20 08:01:02 备份成功\r\n".encode("gbk"))
    found = host.volumes.months(path=str(tmp_path), pattern="*.log", limit=100, seconds=20)
    assert isinstance(found, Known)
    assert [(m.month, m.files) for m in found.value] == [("2026-11", 1)]
    mark = host.volumes.log_mark(path=str(tmp_path), pattern="*.log", text="备份成功", tail=1000, seconds=20)
    assert isinstance(mark, Known)
    assert mark.value.stamp == "2026-11-20T08:01:02"


def test_space(host: Host, tmp_path: Path) -> None:
    found = host.volumes.space(path=str(tmp_path), seconds=10)
    assert isinstance(found, Known)
    assert 0 < found.value.free <= found.value.total
    assert isinstance(host.volumes.space(path=str(tmp_path / "没有"), seconds=10), Absent)
