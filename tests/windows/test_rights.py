"""The access rights of files, as Windows' own functions set them."""

from __future__ import annotations

import ctypes
import sys
from ctypes import POINTER, byref, c_uint32, c_void_p, c_wchar_p
from pathlib import Path

import pytest

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Known

assert sys.platform == "win32"

_SYSTEM, _ADMINISTRATORS, _EVERYONE = "S-1-5-18", "S-1-5-32-544", "S-1-1-0"


def put(path: Path, sddl: str) -> None:
    """Give a file the access control list of a security descriptor in text form."""
    advapi = ctypes.WinDLL("advapi32", use_last_error=True)
    made, entries = c_void_p(), c_void_p()
    present, defaulted = ctypes.c_int(), ctypes.c_int()
    convert = advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW
    convert.argtypes = [c_wchar_p, c_uint32, POINTER(c_void_p), c_void_p]
    assert convert(sddl, 1, byref(made), None), ctypes.get_last_error()
    read = advapi.GetSecurityDescriptorDacl
    read.argtypes = [c_void_p, POINTER(ctypes.c_int), POINTER(c_void_p), POINTER(ctypes.c_int)]
    assert read(made, byref(present), byref(entries), byref(defaulted)), ctypes.get_last_error()
    change = advapi.SetNamedSecurityInfoW
    change.argtypes = [c_wchar_p, ctypes.c_int, c_uint32, c_void_p, c_void_p, c_void_p, c_void_p]
    assert change(str(path), 1, 0x4, None, None, entries, None) == 0


def test_what_everyone_may_do(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "基线.yml"
    path.write_text("x", encoding="utf-8")
    put(path, "D:P(A;;FA;;;BA)(A;;FR;;;WD)")
    found = host.files.rights(path=str(path))
    assert isinstance(found, Known)
    read_only = found.value.get(_EVERYONE, 0)
    assert not read_only & 0x2
    put(path, "D:P(A;;FA;;;BA)(A;;FA;;;WD)")
    found = host.files.rights(path=str(path))
    assert isinstance(found, Known)
    assert found.value[_EVERYONE] & 0x2


def test_the_owner_can_always_change_the_list(host: Host, tmp_path: Path) -> None:
    found = host.files.rights(path=str(tmp_path))
    assert isinstance(found, Known)
    assert any(mask & 0x40000 for mask in found.value.values())
    assert all(sid.startswith("S-1-") for sid in found.value)


@pytest.mark.parametrize("name", ["nope", "no\\pe"])
def test_what_is_not_there(host: Host, tmp_path: Path, name: str) -> None:
    assert isinstance(host.files.rights(path=f"{tmp_path}\\{name}"), Absent)
