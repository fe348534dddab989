"""What the Windows tests do to the system themselves: raw registry values, links, rights, exclusive files."""

from __future__ import annotations

import ctypes
import sys
import winreg
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ctypes import POINTER, byref, c_uint32, c_void_p, c_wchar_p

assert sys.platform == "win32"

advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)

_set = advapi32.RegSetValueExW
_set.argtypes = [c_void_p, c_wchar_p, c_uint32, c_uint32, c_void_p, c_uint32]
_create = advapi32.RegCreateKeyExW
_create.argtypes = [
    c_void_p, c_wchar_p, c_uint32, c_wchar_p, c_uint32, c_uint32, c_void_p, POINTER(c_void_p), POINTER(c_uint32),
]  # fmt: skip
_override = advapi32.RegOverridePredefKey
_override.argtypes = [c_void_p, c_void_p]
_security = advapi32.RegSetKeySecurity
_security.argtypes = [c_void_p, c_uint32, c_void_p]
_descriptor = advapi32.ConvertStringSecurityDescriptorToSecurityDescriptorW
_descriptor.argtypes = [c_wchar_p, c_uint32, POINTER(c_void_p), c_void_p]
_file = kernel32.CreateFileW
_file.argtypes, _file.restype = [c_wchar_p, c_uint32, c_uint32, c_void_p, c_uint32, c_uint32, c_void_p], c_void_p
_close = kernel32.CloseHandle
_close.argtypes = [c_void_p]


def set_raw(key: winreg.HKEYType, name: str, kind: int, data: bytes) -> None:
    """Set a value to bytes that need not fit its type."""
    assert _set(key.handle, name, 0, kind, data, len(data)) == 0


def make_link(path: str, target: str) -> None:
    """A registry key below HKLM that is a symbolic link to ``target`` (``\\Registry\\Machine\\…``)."""
    handle, done = c_void_p(), c_uint32()
    full = winreg.KEY_ALL_ACCESS | winreg.KEY_WOW64_64KEY
    assert _create(winreg.HKEY_LOCAL_MACHINE, path, 0, None, 2, full, None, byref(handle), byref(done)) == 0
    data = target.encode("utf-16-le")
    assert _set(handle, "SymbolicLinkValue", 0, winreg.REG_LINK, data, len(data)) == 0
    advapi32.RegCloseKey(handle)


def delete_link(path: str) -> None:
    """The link itself, not what it leads to."""
    with winreg.OpenKeyEx(winreg.HKEY_LOCAL_MACHINE, path, 8, winreg.KEY_ALL_ACCESS | winreg.KEY_WOW64_64KEY) as key:
        assert ctypes.WinDLL("ntdll").NtDeleteKey(c_void_p(key.handle)) == 0


def protect(key: winreg.HKEYType, sddl: str) -> None:
    """Give a key an access list."""
    descriptor = c_void_p()
    assert _descriptor(sddl, 1, byref(descriptor), None)
    assert _security(key.handle, 4, descriptor) == 0


def delete_tree(root: int, path: str, view: int = winreg.KEY_WOW64_64KEY) -> None:
    """A key and all below it."""
    with suppress(FileNotFoundError):
        with winreg.OpenKeyEx(root, path, 0, winreg.KEY_READ | view) as key:
            names = [winreg.EnumKey(key, n) for n in range(winreg.QueryInfoKey(key)[0])]
        for name in names:
            delete_tree(root, f"{path}\\{name}", view)
        winreg.DeleteKeyEx(root, path, view)


@contextmanager
def machine_redirected(key: winreg.HKEYType) -> Iterator[None]:
    """HKEY_LOCAL_MACHINE of this process is ``key``."""
    assert _override(winreg.HKEY_LOCAL_MACHINE, key.handle) == 0
    try:
        yield
    finally:
        assert _override(winreg.HKEY_LOCAL_MACHINE, None) == 0


@contextmanager
def held_alone(path: str) -> Iterator[None]:
    """A file that is open and shared with nobody."""
    handle = _file(path, 0x80000000, 0, None, 3, 0, None)
    assert handle not in (None, c_void_p(-1).value)
    try:
        yield
    finally:
        _close(handle)
