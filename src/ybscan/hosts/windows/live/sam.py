"""The account database itself, through the client library that Windows' own programs use (samlib).

Only what the documented functions leave out: whether passwords must be complex, whether they are stored so that they
can be recovered, and whether a group is empty. The calls are the client side of [MS-SAMR] (SamrConnect, SamrOpenDomain,
SamrQueryInformationDomain, SamrOpenAlias, SamrGetMembersInAlias); nothing is opened with a right to write.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

from collections.abc import Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from ctypes import POINTER, byref, c_int32, c_uint32, c_void_p  # noqa: E402
from functools import cache  # noqa: E402

from ybscan.hosts.windows import accountdata  # noqa: E402
from ybscan.hosts.windows.accountdata import PasswordProperties  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live import sids  # noqa: E402
from ybscan.hosts.windows.live.dll import WORD, copied, function  # noqa: E402
from ybscan.hosts.windows.memory import MalformedBufferError, Memory  # noqa: E402
from ybscan.model.reading import Cause, Unknown  # noqa: E402

_CONNECT_AND_LOOK_UP = 0x1 | 0x20
_READ_PASSWORD_PARAMETERS = 0x1
_LOOK_UP = 0x200
_LIST_MEMBERS = 0x4
_PASSWORD_INFORMATION = 1
_DENIED = 0xC0000022
_MOST = 100_000


def password_properties() -> PasswordProperties | None:
    """Of the machine's own accounts; None where they cannot be read."""
    own = sids.machine_sid()
    if not own:
        return None
    ask = function("samlib", "SamQueryInformationDomain", c_int32, c_void_p, c_uint32, POINTER(c_void_p))
    try:
        with _domain(own, _READ_PASSWORD_PARAMETERS) as domain:
            buffer = c_void_p()
            _checked(ask(domain, _PASSWORD_INFORMATION, byref(buffer)), "SamQueryInformationDomain")
            with _freed(buffer, "SamQueryInformationDomain") as address:
                return accountdata.password_properties(copied(address, 24))
    except (NotReadError, MalformedBufferError, OSError):
        return None


def members(sid: str) -> list[str]:
    """The SIDs of a local group's members.

    Raises:
        NotReadError: the account database does not say.
    """
    origin = f"SamGetMembersInAlias {sid}"
    authority, _, rid = sid.rpartition("-")
    opened = function("samlib", "SamOpenAlias", c_int32, c_void_p, c_uint32, c_uint32, POINTER(c_void_p))
    ask = function("samlib", "SamGetMembersInAlias", c_int32, c_void_p, POINTER(c_void_p), POINTER(c_uint32))
    try:
        with _domain(authority, _LOOK_UP) as domain:
            alias = c_void_p()
            _checked(opened(domain, _LIST_MEMBERS, int(rid), byref(alias)), origin)
            with _closed(alias):
                buffer, count = c_void_p(), c_uint32()
                _checked(ask(alias, byref(buffer), byref(count)), origin)
                if not count.value and not buffer.value:
                    return []
                with _freed(buffer, origin) as address:
                    if count.value > _MOST:
                        raise NotReadError(Unknown(Cause.MALFORMED, f"{origin}：成员数不合理", origin))
                    table = Memory(copied(address, count.value * WORD), address, WORD)
                    return [sids.text_of_sid(table.number(n * WORD, WORD)) for n in range(count.value)]
    except OSError:  # the library is there, and the function in it is not
        raise NotReadError(Unknown(Cause.UNSUPPORTED, f"{origin}：系统没有实现这一功能", origin)) from None


@contextmanager
def _domain(sid: str, right: int) -> Iterator[c_void_p]:
    if _is_wine():
        raise NotReadError(Unknown(Cause.UNSUPPORTED, "系统没有实现账户数据库接口", "samlib"))
    connect = function(
        "samlib", "SamConnect", c_int32, c_void_p, POINTER(c_void_p), c_uint32, POINTER(sids.ObjectAttributes)
    )
    opened = function("samlib", "SamOpenDomain", c_int32, c_void_p, c_uint32, c_void_p, POINTER(c_void_p))
    server, domain = c_void_p(), c_void_p()
    attributes = sids.no_attributes()
    _checked(connect(None, byref(server), _CONNECT_AND_LOOK_UP, byref(attributes)), "SamConnect")
    with _closed(server), sids.Sid(sid) as at:
        _checked(opened(server, right, at, byref(domain)), "SamOpenDomain")
        with _closed(domain):
            yield domain


@cache
def _is_wine() -> bool:
    """Whether this is Wine and no Windows: it has the library's functions by name only, and ends the program that calls one."""
    try:
        function("ntdll", "wine_get_version", c_void_p)
    except NotReadError:
        return False
    return True


@contextmanager
def _closed(handle: c_void_p) -> Iterator[None]:
    if not handle.value:
        raise NotReadError(Unknown(Cause.UNAVAILABLE, "账户数据库没有给出句柄", "samlib"))
    try:
        yield
    finally:
        function("samlib", "SamCloseHandle", c_int32, c_void_p)(handle)


@contextmanager
def _freed(buffer: c_void_p, origin: str) -> Iterator[int]:
    if not buffer.value:
        raise NotReadError(Unknown(Cause.UNAVAILABLE, f"{origin}：系统没有给出内容", origin))
    try:
        yield buffer.value
    finally:
        function("samlib", "SamFreeMemory", c_int32, c_void_p)(buffer)


def _checked(status: int, origin: str) -> None:
    """Anything but plain success is a failure: a warning stands for a list that is not complete."""
    if status:
        code = status & 0xFFFFFFFF
        cause = Cause.DENIED if code == _DENIED else Cause.UNAVAILABLE
        raise NotReadError(Unknown(cause, f"{origin}（状态 0x{code:08X}）", origin))
