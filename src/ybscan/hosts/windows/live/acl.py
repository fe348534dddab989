"""What a file's access control list grants. Nothing is changed, no privilege is used.

Sources: GetNamedSecurityInfoW, ACL, ACE_HEADER, ACCESS_ALLOWED_ACE, "File Access Rights Constants".
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
import struct  # noqa: E402
from ctypes import POINTER, byref, c_uint32, c_void_p, c_wchar_p  # noqa: E402

from ybscan.hosts.windows.codes import failed  # noqa: E402
from ybscan.hosts.windows.live.dll import copied, function  # noqa: E402
from ybscan.hosts.windows.live.sids import text_of_sid  # noqa: E402
from ybscan.hosts.windows.memory import MalformedBufferError  # noqa: E402

_ORIGIN = "GetNamedSecurityInfo"
_FILE_OBJECT = 1
_OWNER_AND_LIST = 0x1 | 0x4
_ALL = 0x1F01FF
#: GENERIC_ALL, _EXECUTE, _WRITE, _READ as FILE_GENERIC_*.
_GENERIC = ((0x10000000, _ALL), (0x20000000, 0x1200A0), (0x40000000, 0x120116), (0x80000000, 0x120089))
_OWNERS = 0x20000 | 0x40000
"""READ_CONTROL and WRITE_DAC, which an owner has whatever the list says."""
_EVERYONE = "S-1-1-0"
_ALLOWED = (0, 9)
"""ACCESS_ALLOWED_ACE_TYPE and its callback form, whose condition may hold."""
_INHERIT_ONLY = 0x8
_LIST_HEADER, _ENTRY_HEADER = 8, 8


def rights(path: str) -> dict[str, int]:
    """SID → access mask, for :meth:`ybscan.hosts.groups.files.Files.rights`.

    Raises:
        NotReadError: the list could not be read.
        MalformedBufferError: it makes no sense.
    """
    owner, entries, descriptor = c_void_p(), c_void_p(), c_void_p()
    ask = function(
        "advapi32", "GetNamedSecurityInfoW", c_uint32, c_wchar_p, ctypes.c_int, c_uint32, POINTER(c_void_p),
        c_void_p, POINTER(c_void_p), c_void_p, POINTER(c_void_p),
    )  # fmt: skip
    code = ask(path, _FILE_OBJECT, _OWNER_AND_LIST, byref(owner), None, byref(entries), None, byref(descriptor))
    if code:
        raise failed(code, _ORIGIN)
    try:
        found: dict[str, int] = {} if entries.value else {_EVERYONE: _ALL}
        if entries.value:
            for sid, mask in _entries(entries.value):
                found[sid] = found.get(sid, 0) | mask
        if owner.value:
            sid = text_of_sid(owner.value)
            found[sid] = found.get(sid, 0) | _OWNERS
        return dict(sorted(found.items()))
    finally:
        function("kernel32", "LocalFree", c_void_p, c_void_p)(descriptor.value)


def _entries(address: int) -> list[tuple[str, int]]:
    """What each entry that grants something on this very object grants."""
    _, _, size, count, _ = struct.unpack("<BBHHH", copied(address, _LIST_HEADER))
    found = []
    at = _LIST_HEADER
    for _ in range(count):
        if at + _ENTRY_HEADER > size:
            raise MalformedBufferError("访问控制列表不完整")
        kind, flags, length, mask = struct.unpack("<BBHI", copied(address + at, _ENTRY_HEADER))
        if length < _ENTRY_HEADER or at + length > size:
            raise MalformedBufferError("访问控制列表的条目长度有误")
        if kind in _ALLOWED and not flags & _INHERIT_ONLY:
            for bit, plain in _GENERIC:
                mask = mask & ~bit | plain if mask & bit else mask
            found.append((text_of_sid(address + at + _ENTRY_HEADER), mask))
        at += length
    return found
