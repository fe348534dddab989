"""The registry group on a real registry: keys that the tests write."""

from __future__ import annotations

import sys
import time
import winreg
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as s

from tests.windows.win import delete_link, delete_tree, held_alone, machine_redirected, make_link, protect, set_raw
from ybscan.hosts.base import Host
from ybscan.hosts.groups.registry import WITHHELD
from ybscan.hosts.windows.hive import decoded, load_hive
from ybscan.hosts.windows.hivefile import VALUE_LIMIT, RawValue
from ybscan.hosts.windows.live.files import read_bytes
from ybscan.hosts.windows.live.registry import LiveRegistry
from ybscan.model.reading import Absent, Cause, Known, Unknown

assert sys.platform == "win32"

HKLM = winreg.HKEY_LOCAL_MACHINE
FULL = winreg.KEY_ALL_ACCESS | winreg.KEY_WOW64_64KEY


@contextmanager
def made(path: str, access: int = FULL) -> Iterator[winreg.HKEYType]:
    with winreg.CreateKeyEx(HKLM, path, 0, access) as key:
        yield key


def test_all_types_with_chinese_names(host: Host, scratch: str) -> None:
    with made(scratch) as key:
        winreg.SetValueEx(key, "", 0, winreg.REG_SZ, "默认")
        winreg.SetValueEx(key, "名称", 0, winreg.REG_SZ, "医保终端 ①𠮷")
        winreg.SetValueEx(key, "路径", 0, winreg.REG_EXPAND_SZ, r"%SystemRoot%\系统")
        winreg.SetValueEx(key, "多行", 0, winreg.REG_MULTI_SZ, ["一", "二", "三 四"])
        winreg.SetValueEx(key, "dword", 0, winreg.REG_DWORD, 0xFFFFFFFF)
        winreg.SetValueEx(key, "qword", 0, winreg.REG_QWORD, 2**64 - 1)
        winreg.SetValueEx(key, "binary", 0, winreg.REG_BINARY, b"\0\xff\1")
        winreg.SetValueEx(key, "none", 0, winreg.REG_NONE, b"")
    full = f"HKLM\\{scratch}"
    wanted = {
        "": "默认", "名称": "医保终端 ①𠮷", "路径": r"%SystemRoot%\系统", "多行": ("一", "二", "三 四"), "dword": 0xFFFFFFFF,
        "qword": b"\xff" * 8, "binary": b"\0\xff\1", "none": b"",
    }  # fmt: skip
    found = host.registry.values(key=full)
    assert isinstance(found, Known)
    assert found.value == wanted
    assert not found.gaps
    for name, value in wanted.items():
        one = host.registry.value(key=full.upper(), name=name.upper())
        assert isinstance(one, Known)
        assert one.value == value


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        (winreg.REG_SZ, "无结尾".encode("utf-16-le"), "无结尾"),
        (winreg.REG_SZ, "奇数".encode("utf-16-le") + b"\0", "奇数"),
        (winreg.REG_SZ, "前\0后\0".encode("utf-16-le"), "前"),
        (winreg.REG_SZ, b"", ""),
        (winreg.REG_SZ, b"\x61", ""),
        (winreg.REG_SZ, b"\x61\0\x00\xd8\x62\0\0\0", "a\ud800b"),
        (winreg.REG_EXPAND_SZ, "%x".encode("utf-16-le"), "%x"),
        (winreg.REG_MULTI_SZ, "一\0二".encode("utf-16-le"), ("一", "二")),
        (winreg.REG_MULTI_SZ, "一\0\0二\0\0\0".encode("utf-16-le") + b"\x61", ("一", "二")),
        (winreg.REG_MULTI_SZ, b"", ()),
        (winreg.REG_DWORD, b"\1", None),
        (winreg.REG_DWORD, b"", None),
        (winreg.REG_DWORD, b"\1\0\0\0\0", None),
        (winreg.REG_QWORD, b"\1\0\0\0\0\0\0\0", b"\1\0\0\0\0\0\0\0"),
        (winreg.REG_DWORD_BIG_ENDIAN, b"\0\0\0\1", b"\0\0\0\1"),
        (0xFFFF0010, b"\1\2", b"\1\2"),
    ],
)
def test_broken_values(host: Host, scratch: str, kind: int, data: bytes, value: object) -> None:
    with made(scratch) as key:
        set_raw(key, "x", kind, data)
        set_raw(key, "good", winreg.REG_DWORD, b"\1\0\0\0")
    one = host.registry.value(key=f"HKLM\\{scratch}", name="x")
    all_of_them = host.registry.values(key=f"HKLM\\{scratch}")
    assert isinstance(all_of_them, Known)
    if value is None:
        assert isinstance(one, Unknown)
        assert one.cause is Cause.MALFORMED
        assert all_of_them.value == {"good": 1}
        assert [g.cause for g in all_of_them.gaps] == [Cause.MALFORMED]
    else:
        assert isinstance(one, Known)
        assert one.value == value
        assert all_of_them.value == {"good": 1, "x": value}


@settings(max_examples=150, deadline=None)
@given(kind=s.integers(0, 12) | s.just(0xFFFF0012), data=s.binary(max_size=64))
def test_any_bytes_of_any_type_are_read_as_a_hive_has_them(kind: int, data: bytes) -> None:
    path = r"SOFTWARE\ybscan-test-any"
    live = LiveRegistry(read_bytes)
    try:
        with made(path) as key:
            set_raw(key, "x", kind, data)
        wanted = decoded(RawValue("x", kind, data))
        one = live.value(key=f"HKLM\\{path}", name="x")
        if isinstance(wanted, Unknown):
            assert isinstance(one, Unknown)
        else:
            assert isinstance(one, Known)
            assert one.value == wanted
    finally:
        delete_tree(HKLM, path)


def test_the_two_views_are_kept_apart(host: Host, scratch: str) -> None:
    name = scratch.partition("\\")[2]
    with made(scratch) as key:
        winreg.SetValueEx(key, "bits", 0, winreg.REG_DWORD, 64)
    in_32 = winreg.KEY_ALL_ACCESS | winreg.KEY_WOW64_32KEY
    try:
        with made(scratch, in_32) as key:
            winreg.SetValueEx(key, "bits", 0, winreg.REG_DWORD, 32)
        for view in ("64", "32"):
            found = host.registry.value(key=f"HKLM\\{scratch}", name="bits", view=view)
            assert isinstance(found, Known)
            assert found.value == int(view)
        assert host.registry.value(key=f"HKLM\\SOFTWARE\\Wow6432Node\\{name}", name="bits") == Known(
            32, f"HKLM\\SOFTWARE\\Wow6432Node\\{name}\\bits"
        )
    finally:
        delete_tree(HKLM, scratch, winreg.KEY_WOW64_32KEY)
    assert isinstance(host.registry.values(key=f"HKLM\\{scratch}", view="32"), Absent)


def test_absent_is_what_is_not_there(host: Host, scratch: str) -> None:
    assert isinstance(host.registry.value(key=f"HKLM\\{scratch}", name="nope"), Absent)
    assert isinstance(host.registry.value(key=f"HKLM\\{scratch}\\nope", name="x"), Absent)
    assert isinstance(host.registry.subkeys(key=f"HKLM\\{scratch}\\no\\pe"), Absent)
    assert host.registry.subkeys(key=f"HKLM\\{scratch}") == Known((), f"HKLM\\{scratch}")
    assert isinstance(host.registry.value(key=f"HKLM\\{scratch}\\a\0b", name="x"), Unknown)
    assert isinstance(host.registry.value(key=f"HKLM\\{scratch}", name="a\0b"), Unknown)


def test_a_key_that_is_denied_is_unknown(host: Host, scratch: str) -> None:
    path = f"{scratch}\\closed"
    with made(path) as key:
        winreg.SetValueEx(key, "x", 0, winreg.REG_DWORD, 1)
        protect(key, "D:(D;;0x1ffff;;;WD)(A;;0x60000;;;WD)")
    try:
        try:
            winreg.OpenKeyEx(HKLM, path, 0, winreg.KEY_QUERY_VALUE | winreg.KEY_WOW64_64KEY).Close()
        except PermissionError:
            pass
        else:
            pytest.skip("this system does not enforce the access list of a key")
        for answer in (
            host.registry.value(key=f"HKLM\\{path}", name="x"),
            host.registry.value(key=f"HKLM\\{path}", name="nope"),
            host.registry.values(key=f"HKLM\\{path}"),
            host.registry.subkeys(key=f"HKLM\\{path}"),
            host.registry.written(key=f"HKLM\\{path}"),
        ):
            assert isinstance(answer, Unknown)
            assert answer.cause is Cause.DENIED
    finally:
        with winreg.OpenKeyEx(HKLM, path, 0, 0x40000 | winreg.KEY_WOW64_64KEY) as key:
            protect(key, "D:(A;;KA;;;WD)")


def test_large_values_and_many(host: Host, scratch: str) -> None:
    with made(scratch) as key:
        set_raw(key, "large", winreg.REG_BINARY, bytes(300_000))
        set_raw(key, "too large", winreg.REG_BINARY, bytes(VALUE_LIMIT + 2))
        for n in range(2000):
            set_raw(key, f"值{n:05}", winreg.REG_DWORD, n.to_bytes(4, "little"))
        set_raw(key, "长" * 16_000, winreg.REG_SZ, "x\0".encode("utf-16-le"))
    found = host.registry.values(key=f"HKLM\\{scratch}")
    assert isinstance(found, Known)
    assert len(found.value) == 2002
    assert found.value["large"] == bytes(300_000)
    assert found.value["值01999"] == 1999
    assert found.value["长" * 16_000] == "x"
    assert [g.cause for g in found.gaps] == [Cause.TOO_LARGE]
    one = host.registry.value(key=f"HKLM\\{scratch}", name="too large")
    assert isinstance(one, Unknown)
    assert one.cause is Cause.TOO_LARGE


def test_deep_and_long_keys(host: Host, scratch: str) -> None:
    path = scratch
    for n in range(60):
        path = f"{path}\\{'层' if n % 2 else 'level'}{n:03}"
        with made(path):
            pass
    with made(path) as key:
        winreg.SetValueEx(key, "x", 0, winreg.REG_SZ, "底")
    found = host.registry.value(key=f"HKLM\\{path}", name="x")
    assert isinstance(found, Known)
    assert found.value == "底"
    with made(f"{scratch}\\{'长' * 255}"):
        pass
    below = host.registry.subkeys(key=f"HKLM\\{scratch}")
    assert isinstance(below, Known)
    assert "长" * 255 in below.value


def test_links_lead_where_windows_follows_them(host: Host, scratch: str) -> None:
    with made(f"{scratch}\\true") as key:
        winreg.SetValueEx(key, "x", 0, winreg.REG_DWORD, 7)
    make_link(f"{scratch}\\link", f"\\Registry\\Machine\\{scratch}\\true")
    make_link(f"{scratch}\\nowhere", f"\\Registry\\Machine\\{scratch}\\gone")
    try:
        assert host.registry.value(key=f"HKLM\\{scratch}\\link", name="x") == Known(7, f"HKLM\\{scratch}\\link\\x")
        assert isinstance(host.registry.value(key=f"HKLM\\{scratch}\\nowhere", name="x"), Absent)
    finally:
        delete_link(f"{scratch}\\link")
        delete_link(f"{scratch}\\nowhere")


def test_when_it_was_written(host: Host, scratch: str) -> None:
    found = host.registry.written(key=f"HKLM\\{scratch}")
    assert isinstance(found, Known)
    assert abs(found.value - time.time()) < 120


@pytest.mark.parametrize("key", [r"HKLM\SAM", r"hkey_local_machine\sam\SAM\Domains", r"HKLM\SECURITY\Policy\Secrets"])
def test_hives_of_secrets_are_refused_unseen(host: Host, key: str) -> None:
    for answer in (
        host.registry.value(key=key, name="F"), host.registry.values(key=key), host.registry.subkeys(key=key),
        host.registry.written(key=key),
    ):  # fmt: skip
        assert isinstance(answer, Unknown)
        assert answer.cause is Cause.NOT_PERMITTED


def test_secrets_stay_where_they_are(host: Host, scratch: str) -> None:
    with made(scratch) as key:
        winreg.SetValueEx(key, "DefaultPassword", 0, winreg.REG_SZ, "Passw0rd-的")
        winreg.SetValueEx(key, "Command", 0, winreg.REG_SZ, "agent.exe --password geheim https://u:geheim@host/")
    found = host.registry.values(key=f"HKLM\\{scratch}")
    one = host.registry.value(key=f"HKLM\\{scratch}", name="defaultpassword")
    assert isinstance(found, Known)
    assert isinstance(one, Known)
    assert found.value["DefaultPassword"] == one.value == WITHHELD
    assert "geheim" not in repr(found)


def test_unchanged_code_reads_a_redirected_machine(host: Host, scratch: str) -> None:
    with made(f"{scratch}\\SYSTEM\\X") as key:
        winreg.SetValueEx(key, "x", 0, winreg.REG_SZ, "另一台")
    with made(scratch) as key, machine_redirected(key):
        assert host.registry.value(key=r"HKLM\SYSTEM\X", name="x") == Known("另一台", r"HKLM\SYSTEM\X\x")
        assert host.registry.subkeys(key="HKLM") == Known(("SYSTEM",), "HKLM")
    assert isinstance(host.registry.value(key=r"HKLM\SYSTEM\X", name="x"), Absent)


# --- people who are not logged on -----------------------------------------------------------------------------------

PERSON = "S-1-5-21-1004336348-1177238915-682003330-1013"


@pytest.fixture
def machine(scratch: str, tmp_path: Path) -> Iterator[Path]:
    """A machine with one person who is not logged on; yields the person's folder."""
    home = tmp_path / "用户" / "张三"
    home.mkdir(parents=True)
    profiles = f"{scratch}\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList"
    with made(f"{profiles}\\{PERSON}") as key:
        winreg.SetValueEx(key, "ProfileImagePath", 0, winreg.REG_EXPAND_SZ, str(home))
    with made(f"{profiles}\\S-1-5-18") as key:
        winreg.SetValueEx(
            key, "ProfileImagePath", 0, winreg.REG_EXPAND_SZ, r"%systemroot%\system32\config\systemprofile"
        )
    with made(scratch) as key, machine_redirected(key):
        yield home


def test_people(machine: Path) -> None:
    found = LiveRegistry(read_bytes).users()
    assert isinstance(found, Known)
    (one,) = found.value
    # A SID of another machine or of a domain is nobody's business here: the folder's name stands for the account's.
    assert (one.sid, one.account, one.home, one.loaded) == (PERSON, "张三", str(machine), False)


def test_a_persons_settings_come_from_the_hive_file(machine: Path, hive_file: Callable[[str], Path]) -> None:
    source = hive_file("pl_NTUSER-WIN7.DAT")
    (machine / "NTUSER.DAT").write_bytes(source.read_bytes())
    before = (machine / "NTUSER.DAT").stat()
    hive = load_hive(str(source))
    assert isinstance(hive, Known)
    live = LiveRegistry(read_bytes)
    compared = 0
    for path in (("Control Panel", "Desktop"), ("Software", "Microsoft", "Windows", "CurrentVersion", "Run"), ()):
        key = "\\".join(("HKU", PERSON, *path))
        assert live.values(key=key) == hive.value.values(path=path, shown=key)
        assert live.subkeys(key=key) == hive.value.subkeys(path=path, shown=key)
        compared += isinstance(live.values(key=key), Known)
    assert compared >= 2
    assert isinstance(live.value(key=f"HKU\\{PERSON}\\nope", name="x"), Absent)
    after = (machine / "NTUSER.DAT").stat()
    assert (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    assert sorted(p.name for p in machine.iterdir()) == ["NTUSER.DAT"]
    # No such person, and classes that this person never had.
    assert isinstance(live.subkeys(key=r"HKU\S-1-5-21-1-2-3-4"), Absent)
    assert isinstance(live.subkeys(key=f"HKU\\{PERSON}_Classes"), Absent)


def test_a_hive_that_cannot_be_read_is_unknown(machine: Path, hive_file: Callable[[str], Path]) -> None:
    key = f"HKU\\{PERSON}\\Control Panel\\Desktop"
    missing = LiveRegistry(read_bytes).values(key=key)
    assert isinstance(missing, Unknown)
    data = hive_file("pl_NTUSER-WIN7.DAT").read_bytes()
    file = machine / "NTUSER.DAT"
    for broken in (b"", b"regf", data[:5000], b"x" * 8192, data[:4096] + bytes(len(data) - 4096)):
        file.write_bytes(broken)
        answer = LiveRegistry(read_bytes).values(key=key)
        assert isinstance(answer, Unknown), broken[:8]
    file.write_bytes(data)
    with held_alone(str(file)):
        answer = LiveRegistry(read_bytes).values(key=key)
    assert isinstance(answer, Unknown)
    assert answer.cause is Cause.UNAVAILABLE
    assert isinstance(LiveRegistry(read_bytes).values(key=key), Known)


def test_a_profile_whose_folder_is_gone_has_no_settings(machine: Path) -> None:
    machine.rmdir()
    assert isinstance(LiveRegistry(read_bytes).subkeys(key=f"HKU\\{PERSON}"), Absent)


def test_the_person_logged_on_is_asked_live(host: Host) -> None:
    users = host.registry.users()
    assert isinstance(users, Known)
    (me,) = (u for u in users.value if u.loaded)
    with winreg.CreateKeyEx(winreg.HKEY_CURRENT_USER, r"Software\ybscan-test", 0, winreg.KEY_ALL_ACCESS) as key:
        winreg.SetValueEx(key, "x", 0, winreg.REG_SZ, "在线")
    try:
        found = host.registry.value(key=f"HKU\\{me.sid}\\Software\\ybscan-test", name="x")
        assert isinstance(found, Known)
        assert found.value == "在线"
        assert isinstance(host.registry.value(key=f"HKU\\{me.sid}\\Software\\ybscan-test", name="y"), Absent)
    finally:
        delete_tree(winreg.HKEY_CURRENT_USER, r"Software\ybscan-test")
