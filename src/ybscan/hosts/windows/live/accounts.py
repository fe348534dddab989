"""Local accounts, groups and policy of the running system.

A function that reports success and gives no buffer has given no answer. Names of groups are never written down: they
are localised, so the group's SID is turned into whatever it is called here. Members come as SIDs, for to have them
named the system would ask the domain.
Sources: NetUserModalsGet, NetUserEnum, NetLocalGroupGetMembers, NetGetJoinInformation, and for complexity, which they
do not tell, the client library of the SAM ([MS-SAMR] SamrQueryInformationDomain).
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from ctypes import POINTER, byref, c_uint32, c_void_p, c_wchar_p  # noqa: E402

from ybscan.hosts.groups.accounts import AccountPolicy, Accounts, Join, LocalUser, Member  # noqa: E402
from ybscan.hosts.windows.accountdata import local_users, policy, user_size  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError, from_system  # noqa: E402
from ybscan.hosts.windows.live import sam, sids, userrights  # noqa: E402
from ybscan.hosts.windows.live.dll import WORD, asked, copied, function  # noqa: E402
from ybscan.hosts.windows.memory import Memory  # noqa: E402
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown  # noqa: E402

_NORMAL_ACCOUNTS = 2
_ALL_THERE_IS = 0xFFFFFFFF
_MORE_DATA = 234
_NO_SUCH_GROUP = (1376, 2220)
"""ERROR_NO_SUCH_ALIAS, NERR_GroupNotFound."""
#: NETSETUP_JOIN_STATUS.
_UNJOINED, _WORKGROUP, _DOMAIN = 1, 2, 3


class LiveAccounts(Accounts):
    """Reading needs no more than an ordinary user's rights, unless the terminal was hardened against it."""

    def __init__(self) -> None:
        super().__init__("Windows 没有这类账户信息")

    def policy(self) -> Reading[AccountPolicy]:
        def work() -> Reading[AccountPolicy]:
            first, third = _modals(0, 20), _modals(3, 12)
            return Known(policy(first, third, sam.password_properties()), "NetUserModalsGet")

        return asked(work, "NetUserModalsGet")

    def local_users(self) -> Reading[tuple[LocalUser, ...]]:
        return asked(_local_users, "NetUserEnum")

    def members(self, *, sid: str) -> Reading[tuple[Member, ...]]:
        return asked(lambda: _members(sid), f"NetLocalGroupGetMembers {sid}")

    def holders(self, *, right: str) -> Reading[tuple[Member, ...]]:
        return asked(lambda: userrights.holders(right), f"LsaEnumerateAccountsWithUserRight {right}")

    def join(self) -> Reading[Join]:
        return asked(_join, "NetGetJoinInformation")


@contextmanager
def _given(code: int, buffer: c_void_p, origin: str) -> Iterator[int]:
    """The address of what a function of netapi32 gave, freed afterwards.

    Raises:
        NotReadError: it failed, or gave nothing.
    """
    try:
        if code not in (0, _MORE_DATA):
            raise NotReadError(from_system(code, origin))
        if not buffer.value:
            raise NotReadError(Unknown(Cause.UNAVAILABLE, f"{origin}：系统没有给出内容", origin))
        yield buffer.value
    finally:
        if buffer.value:
            function("netapi32", "NetApiBufferFree", c_uint32, c_void_p)(buffer)


def _room(address: int, needed: int, origin: str) -> bytes:
    """The first ``needed`` bytes of a buffer.

    Raises:
        NotReadError: it is smaller.
    """
    size = c_uint32()
    code = function("netapi32", "NetApiBufferSize", c_uint32, c_void_p, POINTER(c_uint32))(address, byref(size))
    if code or size.value < needed:
        raise NotReadError(Unknown(Cause.MALFORMED, f"{origin}：系统给出的内容不完整", origin))
    return copied(address, needed)


def _modals(level: int, size: int) -> bytes:
    origin = f"NetUserModalsGet（{level}）"
    ask = function("netapi32", "NetUserModalsGet", c_uint32, c_wchar_p, c_uint32, POINTER(c_void_p))
    buffer = c_void_p()
    with _given(ask(None, level, byref(buffer)), buffer, origin) as address:
        return _room(address, size, origin)


def _local_users() -> Reading[tuple[LocalUser, ...]]:
    origin = "NetUserEnum"
    ask = function(
        "netapi32", "NetUserEnum", c_uint32, c_wchar_p, c_uint32, c_uint32, POINTER(c_void_p), c_uint32, POINTER(c_uint32),
        POINTER(c_uint32), POINTER(c_uint32),
    )  # fmt: skip
    found: list[LocalUser] = []
    resume = c_uint32()
    while True:
        buffer, count, total = c_void_p(), c_uint32(), c_uint32()
        code = ask(None, 3, _NORMAL_ACCOUNTS, byref(buffer), _ALL_THERE_IS, byref(count), byref(total), byref(resume))
        with _given(code, buffer, origin) as address:
            memory = Memory(_room(address, count.value * user_size(WORD), origin), address, WORD)
            found.extend(local_users(memory, count.value, time.time(), ctypes.wstring_at))
        if code == 0:
            break
        if not count.value:
            raise NotReadError(Unknown(Cause.INCOMPLETE, "账户列表没有读完", origin))
    if not found:
        # The built-in administrator can be renamed and disabled, not removed.
        return Unknown(Cause.UNAVAILABLE, "系统没有给出任何账户", origin)
    return Known(tuple(sorted(found, key=lambda u: u.rid)), origin)


def _members(sid: str) -> Reading[tuple[Member, ...]]:
    origin = f"NetLocalGroupGetMembers {sid}"
    name, kind = sids.named(sid)
    if not name:
        return Unknown(Cause.UNAVAILABLE, f"系统不能给出组 {sid} 的名称", origin)
    if kind not in ("group", "well-known"):
        return Unknown(Cause.MALFORMED, f"{sid} 不是组", origin)
    found: dict[str, Member] = {}
    for member in _member_sids(name, sid, origin):
        own, what = sids.named(member)
        found[member] = Member(member, own, what)
    ordered = tuple(found[s] for s in sorted(found))
    nameless = [m.sid for m in ordered if not m.sid]
    return Known(ordered, origin, (Gap(Cause.MALFORMED, "有成员没有 SID", origin),) if nameless else ())


def _member_sids(name: str, sid: str, origin: str) -> list[str]:
    ask = function(
        "netapi32", "NetLocalGroupGetMembers", c_uint32, c_wchar_p, c_wchar_p, c_uint32, POINTER(c_void_p), c_uint32,
        POINTER(c_uint32), POINTER(c_uint32), POINTER(ctypes.c_size_t),
    )  # fmt: skip
    found: list[str] = []
    resume = ctypes.c_size_t()
    while True:
        buffer, count, total = c_void_p(), c_uint32(), c_uint32()
        code = ask(None, name, 0, byref(buffer), _ALL_THERE_IS, byref(count), byref(total), byref(resume))
        if code in _NO_SUCH_GROUP:
            raise NotReadError(Unknown(Cause.UNAVAILABLE, f"系统没有组 {sid}", origin))
        if code == 0 and not buffer.value and not count.value and not found:
            # Perhaps nobody is in the group, perhaps nobody answered: the account database itself has to say so.
            return sam.members(sid)
        with _given(code, buffer, origin) as address:
            memory = Memory(_room(address, count.value * WORD, origin), address, WORD)
            found.extend(sids.text_of_sid(memory.number(n * WORD, WORD)) for n in range(count.value))
        if code == 0:
            return found
        if not count.value:
            raise NotReadError(Unknown(Cause.INCOMPLETE, "组的成员没有读完", origin))


def _join() -> Reading[Join]:
    origin = "NetGetJoinInformation"
    ask = function("netapi32", "NetGetJoinInformation", c_uint32, c_wchar_p, POINTER(c_void_p), POINTER(c_uint32))
    buffer, status = c_void_p(), c_uint32()
    with _given(ask(None, byref(buffer), byref(status)), buffer, origin) as address:
        name = ctypes.wstring_at(address)
    if status.value == _DOMAIN:
        return Known(Join("domain", name), origin)
    if status.value == _WORKGROUP:
        return Known(Join("workgroup", name), origin)
    if status.value == _UNJOINED:
        return Known(Join("none", ""), origin)
    return Unknown(Cause.UNAVAILABLE, "系统不能确定是否加入了域", origin)
