"""Who holds a user right of the running system ("change the system time" and the like). Nothing is granted or taken.

Source: LsaOpenPolicy, LsaEnumerateAccountsWithUserRight (ntsecapi.h); only administrators may ask.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
from ctypes import POINTER, byref, c_uint32, c_void_p  # noqa: E402

from ybscan.hosts.groups.accounts import Member  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live import sids  # noqa: E402
from ybscan.hosts.windows.live.dll import WORD, copied, function  # noqa: E402
from ybscan.hosts.windows.memory import Memory  # noqa: E402
from ybscan.model.reading import Cause, Known, Reading, Unknown  # noqa: E402

#: POLICY_VIEW_LOCAL_INFORMATION and POLICY_LOOKUP_NAMES: all that the question needs.
_LOOK = 0x1 | 0x800
_NOBODY, _DENIED, _NO_SUCH_RIGHT = 0x8000001A, 0xC0000022, 0xC0000060
_MOST = 10_000


def holders(right: str) -> Reading[tuple[Member, ...]]:
    """The accounts and groups that hold ``right`` (``SeSystemtimePrivilege``), sorted by SID.

    Raises:
        NotReadError: the system does not say.
    """
    origin = f"LsaEnumerateAccountsWithUserRight {right}"
    opened = function(
        "advapi32", "LsaOpenPolicy", c_uint32, c_void_p, POINTER(sids.ObjectAttributes), c_uint32, POINTER(c_void_p)
    )
    ask = function(
        "advapi32", "LsaEnumerateAccountsWithUserRight", c_uint32, c_void_p, POINTER(sids.UnicodeString),
        POINTER(c_void_p), POINTER(c_uint32),
    )  # fmt: skip
    policy, buffer, count = c_void_p(), c_void_p(), c_uint32()
    attributes = sids.no_attributes()
    _checked(opened(None, byref(attributes), _LOOK, byref(policy)), origin)
    try:
        text = ctypes.create_unicode_buffer(right)
        size = len(right) * 2
        name = sids.UnicodeString(size, size + 2, ctypes.cast(text, c_void_p))
        code = ask(policy, byref(name), byref(buffer), byref(count))
        if code == _NOBODY:
            return Known((), origin)
        _checked(code, origin)
        return Known(_members(buffer, count.value, origin), origin)
    finally:
        if buffer.value:
            function("advapi32", "LsaFreeMemory", c_uint32, c_void_p)(buffer)
        function("advapi32", "LsaClose", c_uint32, c_void_p)(policy)


def _members(buffer: c_void_p, count: int, origin: str) -> tuple[Member, ...]:
    """LSA_ENUMERATION_INFORMATION holds nothing but the address of a SID."""
    if not buffer.value or not 0 < count <= _MOST:
        raise NotReadError(Unknown(Cause.MALFORMED, f"{origin}：系统没有给出内容", origin))
    table = Memory(copied(buffer.value, count * WORD), buffer.value, WORD)
    found = {sids.text_of_sid(table.number(n * WORD, WORD)) for n in range(count)}
    return tuple(Member(sid, *sids.named(sid)) for sid in sorted(found))


def _checked(status: int, origin: str) -> None:
    """Raise for an NTSTATUS that reports no success."""
    if status == 0:
        return
    cause = {_DENIED: Cause.DENIED, _NO_SUCH_RIGHT: Cause.UNSUPPORTED}.get(status, Cause.UNAVAILABLE)
    raise NotReadError(Unknown(cause, f"{origin}（0x{status:08X}）", origin))
