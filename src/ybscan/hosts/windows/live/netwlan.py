"""Wireless interfaces and profiles of the running system. No scan, no list of networks around, no current connection."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402

from ybscan.hosts.groups.network import Radio  # noqa: E402
from ybscan.hosts.windows import wlandata  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError, failed  # noqa: E402
from ybscan.hosts.windows.live.dll import copied, function  # noqa: E402
from ybscan.hosts.windows.memory import MalformedBufferError  # noqa: E402
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown  # noqa: E402

#: Client version 2: Windows Vista and later.
_VERSION = 2
_RADIO_STATE = 4
#: WLAN_RADIO_STATE with its 64 radios.
_RADIO_SIZE = 4 + 64 * 12
_STATUS_HEAD = 4
_CONNECTED = (1, 2)


@contextmanager
def _client() -> Iterator[ctypes.c_void_p]:
    open_ = function(
        "wlanapi", "WlanOpenHandle", ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_uint32), ctypes.POINTER(ctypes.c_void_p),
    )  # fmt: skip
    close = function("wlanapi", "WlanCloseHandle", ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p)
    version, handle = ctypes.c_uint32(), ctypes.c_void_p()
    code = open_(_VERSION, None, ctypes.byref(version), ctypes.byref(handle))
    if code:
        raise failed(code, "WlanOpenHandle")
    try:
        yield handle
    finally:
        close(handle, None)


def _free(address: ctypes.c_void_p) -> None:
    function("wlanapi", "WlanFreeMemory", None, ctypes.c_void_p)(address)


def _list(address: ctypes.c_void_p, row: int, origin: str) -> bytes:
    """A list that the service allocated, copied and freed."""
    if not address.value:
        raise NotReadError(Unknown(Cause.UNAVAILABLE, f"{origin}：没有内容", origin))
    try:
        many = wlandata.item_count(copied(address.value, 4))
        return copied(address.value, 8 + many * row)
    finally:
        _free(address)


def _interfaces(client: ctypes.c_void_p) -> tuple[wlandata.WlanInterface, ...]:
    origin = "WlanEnumInterfaces"
    call = function(
        "wlanapi", origin, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)
    )
    listed = ctypes.c_void_p()
    code = call(client, None, ctypes.byref(listed))
    if code:
        raise failed(code, origin)
    return wlandata.wlan_interfaces(_list(listed, wlandata.INFO, origin))


def radios() -> Reading[tuple[Radio, ...]]:
    """The wireless interfaces.

    Raises:
        NotReadError: the service does not run, or there is none.
        MalformedBufferError: it gives nonsense.
    """
    found: list[Radio] = []
    with _client() as client:
        for one in _interfaces(client):
            try:
                on = _radio_on(client, one.raw)
            except (NotReadError, MalformedBufferError):
                on = None
            found.append(Radio(one.id, one.detail, one.state in _CONNECTED, on))
    return Known(tuple(sorted(found, key=lambda r: r.id)), "WlanEnumInterfaces")


def _radio_on(client: ctypes.c_void_p, interface: bytes) -> bool | None:
    origin = "WlanQueryInterface"
    call = function(
        "wlanapi", origin, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32, ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_uint32), ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p,
    )  # fmt: skip
    size, data = ctypes.c_uint32(), ctypes.c_void_p()
    code = call(client, interface, _RADIO_STATE, None, ctypes.byref(size), ctypes.byref(data), None)
    if code or not data.value:
        raise failed(code, origin)
    try:
        return wlandata.radio_on(copied(data.value, min(size.value, _RADIO_SIZE)))
    finally:
        _free(data)


def hosted_network() -> Reading[bool]:
    """Whether a hosted network runs.

    Raises:
        NotReadError: the service does not run, there is none, or this Windows has no hosted networks.
        MalformedBufferError: it gives nonsense.
    """
    origin = "WlanHostedNetworkQueryStatus"
    call = function(
        "wlanapi", origin, ctypes.c_uint32, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p
    )
    status = ctypes.c_void_p()
    with _client() as client:
        code = call(client, ctypes.byref(status), None)
    if code or not status.value:
        raise failed(code, origin)
    try:
        active = wlandata.hosted_active(copied(status.value, _STATUS_HEAD))
    finally:
        _free(status)
    return Unknown(Cause.MALFORMED, f"{origin}：未知的状态", origin) if active is None else Known(active, origin)


def profiles() -> tuple[set[str], list[Gap]]:
    """The names of the profiles of all interfaces that are there now.

    Raises:
        NotReadError: the service does not run, or there is none.
        MalformedBufferError: it gives nonsense.
    """
    origin = "WlanGetProfileList"
    call = function(
        "wlanapi", origin, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_void_p),
    )  # fmt: skip
    found: set[str] = set()
    gaps: list[Gap] = []
    with _client() as client:
        for one in _interfaces(client):
            listed = ctypes.c_void_p()
            code = call(client, one.raw, None, ctypes.byref(listed))
            try:
                if code:
                    raise failed(code, origin)
                found.update(wlandata.wlan_profiles(_list(listed, wlandata.PROFILE, origin)))
            except NotReadError as e:
                gaps.append(e.reading.as_gap())
    return found, gaps
