"""Security identifiers: as text, and the names that this machine itself can give them.

A SID of a domain would be looked up on a domain controller, which is traffic; so only SIDs of this machine's own
authority, and those that every Windows knows, are resolved at all.
Sources: LookupAccountSidW, LsaQueryInformationPolicy (PolicyAccountDomainInformation), "Well-known SIDs".
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
import re  # noqa: E402
from ctypes import POINTER, byref, c_uint32, c_void_p, c_wchar_p  # noqa: E402
from functools import cache  # noqa: E402
from typing import ClassVar, Literal  # noqa: E402

from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live.dll import function, last_error  # noqa: E402

SidKind = Literal["user", "group", "well-known", "unknown"]

#: Of the S-1-5 authority only what never leads to a domain: one part below 21, and built-in, service and session SIDs.
_EVERYWHERE = re.compile(
    r"^S-1-(?:[0123]-\d+|5-(?:[1-9]|1\d|20|32-\d+|(?:80|83|90|96|113|114)(?:-\d+)*)|15-2-\d+|16-\d+)$"
)
_POLICY_VIEW_LOCAL_INFORMATION = 0x1
_POLICY_ACCOUNT_DOMAIN = 5
#: SID_NAME_USE.
_KINDS: dict[int, SidKind] = {1: "user", 2: "group", 4: "group", 5: "well-known"}


class UnicodeString(ctypes.Structure):
    """UNICODE_STRING; the lengths are in bytes."""

    _fields_: ClassVar = [("length", ctypes.c_uint16), ("maximum", ctypes.c_uint16), ("buffer", c_void_p)]


class ObjectAttributes(ctypes.Structure):
    """OBJECT_ATTRIBUTES, of which only the length matters here."""

    _fields_: ClassVar = [
        ("length", c_uint32), ("root", c_void_p), ("name", c_void_p), ("attributes", c_uint32),
        ("security", c_void_p), ("quality", c_void_p),
    ]  # fmt: skip


class _AccountDomain(ctypes.Structure):
    """POLICY_ACCOUNT_DOMAIN_INFO."""

    _fields_: ClassVar = [("name", UnicodeString), ("sid", c_void_p)]


def no_attributes() -> ObjectAttributes:
    """OBJECT_ATTRIBUTES that state nothing."""
    return ObjectAttributes(length=ctypes.sizeof(ObjectAttributes))


def text_of_sid(sid: int) -> str:
    """The SID at this address as ``S-1-…``.

    Raises:
        NotReadError: it is none.
    """
    text = c_void_p()
    convert = function("advapi32", "ConvertSidToStringSidW", ctypes.c_int, c_void_p, POINTER(c_void_p))
    if not convert(sid, byref(text)) or not text.value:
        raise last_error("ConvertSidToStringSid")
    try:
        return ctypes.wstring_at(text.value)
    finally:
        _free(text.value)


class Sid:
    """A SID made of its text, for the time of a ``with`` block."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = c_void_p()

    def __enter__(self) -> int:
        """Its address.

        Raises:
            NotReadError: the text is no SID.
        """
        convert = function("advapi32", "ConvertStringSidToSidW", ctypes.c_int, c_wchar_p, POINTER(c_void_p))
        if not convert(self._text, byref(self._at)) or not self._at.value:
            raise last_error("ConvertStringSidToSid")
        return self._at.value

    def __exit__(self, *_: object) -> None:
        if self._at.value:
            _free(self._at.value)


def _free(address: int) -> None:
    function("kernel32", "LocalFree", c_void_p, c_void_p)(address)


@cache
def machine_sid() -> str:
    """The SID of this machine's own accounts; empty when it cannot be read."""
    try:
        return _machine_sid()
    except (NotReadError, OSError):
        return ""


def _machine_sid() -> str:
    policy, info = c_void_p(), c_void_p()
    attributes = no_attributes()
    opened = function(
        "advapi32", "LsaOpenPolicy", c_uint32, c_void_p, POINTER(ObjectAttributes), c_uint32, POINTER(c_void_p)
    )
    asked = function("advapi32", "LsaQueryInformationPolicy", c_uint32, c_void_p, c_uint32, POINTER(c_void_p))
    close = function("advapi32", "LsaClose", c_uint32, c_void_p)
    free = function("advapi32", "LsaFreeMemory", c_uint32, c_void_p)
    if opened(None, byref(attributes), _POLICY_VIEW_LOCAL_INFORMATION, byref(policy)):
        return ""
    try:
        if asked(policy, _POLICY_ACCOUNT_DOMAIN, byref(info)) or not info.value:
            return ""
        try:
            sid = _AccountDomain.from_address(info.value).sid
            return text_of_sid(sid) if sid else ""
        finally:
            free(info)
    finally:
        close(policy)


def is_local(sid: str) -> bool:
    """Whether this machine alone can name the SID."""
    own = machine_sid()
    return _EVERYWHERE.match(sid) is not None or bool(own and sid.startswith(f"{own}-"))


@cache
def named(sid: str) -> tuple[str, SidKind]:
    """The name of a SID without its domain, and what it is; an empty name where only others could tell, or nobody."""
    if not is_local(sid):
        return "", "unknown"
    look_up = function(
        "advapi32", "LookupAccountSidW", ctypes.c_int, c_wchar_p, c_void_p, c_wchar_p, POINTER(c_uint32), c_wchar_p,
        POINTER(c_uint32), POINTER(c_uint32),
    )  # fmt: skip
    name, domain = ctypes.create_unicode_buffer(512), ctypes.create_unicode_buffer(512)
    name_size, domain_size, use = c_uint32(512), c_uint32(512), c_uint32()
    try:
        with Sid(sid) as at:
            if not look_up(None, at, name, byref(name_size), domain, byref(domain_size), byref(use)):
                return "", "unknown"
    except NotReadError:
        return "", "unknown"
    return name.value, _KINDS.get(use.value, "unknown")
