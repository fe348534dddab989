"""Folders, shortcuts, components and rights of Windows, as probes read them."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ybscan.hosts.groups.registry import UserHive
from ybscan.probes._windows.components import belongs_to_windows
from ybscan.probes._windows.people import is_person, rid_of
from ybscan.probes._windows.places import Places
from ybscan.probes._windows.shortcut import target

HOME = r"C:\Users\收费员"
PLACES = Places(
    program_files=(r"C:\Program Files", r"C:\Program Files (x86)"),
    people=(UserHive("S-1-5-21-1-2-3-1001", "收费员", HOME, True),),
)


@pytest.mark.parametrize(
    ("path", "full"),
    [
        (r"%SystemRoot%\System32\termsrv.dll", r"C:\Windows\System32\termsrv.dll"),
        (r"%windir%\x", r"C:\Windows\x"),
        (r"\SystemRoot\System32\drivers\a.sys", r"C:\Windows\System32\drivers\a.sys"),
        (r"System32\drivers\a.sys", r"C:\Windows\System32\drivers\a.sys"),
        (r"\??\C:\x\a.sys", r"C:\x\a.sys"),
        (r'"C:\a b\c.exe"', r"C:\a b\c.exe"),
        ("C:\\a\\b\\", r"C:\a\b"),
        (r"%ProgramFiles(x86)%\x", r"C:\Program Files (x86)\x"),
        (r"%APPDATA%\x", rf"{HOME}\AppData\Roaming\x"),
        (r"%NOSUCH%\x", ""),
        ("notepad.exe", ""),
        (r"\\server\share\x", ""),
        ("", ""),
    ],
)
def test_expand(path: str, full: str) -> None:
    assert PLACES.expand(path, HOME) == full


def test_a_variable_of_nobody_in_particular_is_not_known() -> None:
    assert PLACES.expand(r"%APPDATA%\x") == ""


def test_candidates() -> None:
    assert PLACES.candidates(r"%ProgramFiles%\A\B") == [r"C:\Program Files\A\B", r"C:\Program Files (x86)\A\B"]
    assert PLACES.candidates(r"%LOCALAPPDATA%\Programs\x") == [rf"{HOME}\AppData\Local\Programs\x"]
    assert PLACES.candidates(r"C:\x") == [r"C:\x"]


@pytest.mark.parametrize(
    ("name", "publisher", "own"),
    [
        ("Microsoft Visual C++ 2015-2022 Redistributable (x64) - 14.38", "Microsoft Corporation", True),
        ("Microsoft .NET Runtime - 6.0.1 (x64)", "Microsoft Corporation", True),
        ("Update for Windows 10 for x64-based Systems (KB5001716)", "Microsoft Corporation", True),
        ("Microsoft Visual C++ 2019", "某某科技", False),
        ("Microsoft Office Professional Plus 2016", "Microsoft Corporation", False),
        ("Microsoft Teams", "Microsoft Corporation", False),
        ("Intel(R) Graphics Driver", "Intel Corporation", True),
        ("Realtek High Definition Audio Driver", "Realtek Semiconductor Corp.", True),
        ("NVIDIA GeForce Experience", "NVIDIA Corporation", False),
        ("显卡驱动", "某某科技", False),
        ("QQ", "", False),
    ],
)
def test_components(name: str, publisher: str, own: bool) -> None:
    assert belongs_to_windows(name, publisher) is own


def test_sids() -> None:
    assert rid_of("S-1-5-21-1-2-3-500") == 500
    assert rid_of("S-1-5-32-544") is None
    assert is_person("S-1-5-21-1-2-3-1001")
    assert is_person("S-1-12-1-1-2-3-4")
    assert is_person("S-1-5-21-1-2-3-1001.bak")
    assert not is_person("S-1-5-18.bak")
    assert not is_person("S-1-5-82-1")


def shortcut(path: str, *, wide: bool) -> bytes:
    header = struct.pack("<I", 0x4C) + bytes.fromhex("0114020000000000c000000000000046") + struct.pack("<I", 3)
    ids = struct.pack("<H", 4) + b"\x01\x02\x03\x04"
    length = 0x24 if wide else 0x1C
    narrow = path.encode("gb18030") + b"\0"
    rest = narrow + (path.encode("utf-16-le") + b"\0\0" if wide else b"")
    info = struct.pack("<7I", length + len(rest), length, 1, 0, length, 0, 0)
    info += struct.pack("<2I", length + len(narrow), 0) if wide else b""
    return header + bytes(0x4C - len(header)) + ids + info + rest


@pytest.mark.parametrize("wide", [True, False])
def test_shortcut(wide: bool) -> None:
    assert target(shortcut(r"C:\医保\yb.exe", wide=wide)) == r"C:\医保\yb.exe"


@pytest.mark.parametrize("wide", [True, False])
def test_cut_shortcuts_name_no_other_target(wide: bool) -> None:
    whole = shortcut(r"C:\x\y.exe", wide=wide)
    for end in range(len(whole)):
        assert target(whole[:end]) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(data: bytes) -> None:
    for some in (data, shortcut("x", wide=True)[:0x50] + data):
        found = target(some)
        assert found is None or "\0" not in found
