"""Event logs of the running system, through the event log service."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402

from ybscan.hosts.groups.logs import Event, EventLog, Logs  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError, from_system  # noqa: E402
from ybscan.hosts.windows.eventquery import query  # noqa: E402
from ybscan.hosts.windows.eventxml import parse_event  # noqa: E402
from ybscan.hosts.windows.live.dll import asked, function, last_error  # noqa: E402
from ybscan.hosts.windows.memory import fixed_wide  # noqa: E402
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown  # noqa: E402

_SECONDS = 60.0
_CHANNEL_PATH, _FORWARD, _REVERSE = 0x1, 0x100, 0x200
_OPEN_CHANNEL_PATH = 0x1
_RENDER_XML = 1
_BATCH = 64
_NEXT_TIMEOUT_MS = 20_000
_MAX_RENDERED = 4 * 1024 * 1024
_NO_MORE, _SMALL, _NO_CHANNEL = 259, 122, 15007
_CONFIG_ENABLED, _LOG_RECORDS = 0, 5
_TYPE_BOOLEAN, _TYPE_UINT64 = 13, 10


class LiveLogs(Logs):
    """Event logs of the running system. Text logs are none of Windows."""

    def events(
        self, *, channel: str, ids: tuple[int, ...], since: float, fields: tuple[str, ...], limit: int = 5000
    ) -> Reading[EventLog]:
        origin = f"事件日志 {channel}"

        def work() -> Reading[EventLog]:
            try:
                return _events(channel, ids, since, fields, limit, origin)
            except NotReadError as e:
                return Absent(origin) if e.code == _NO_CHANNEL else e.reading

        return asked(work, origin, _SECONDS)


def _events(
    channel: str, ids: tuple[int, ...], since: float, fields: tuple[str, ...], limit: int, origin: str
) -> Reading[EventLog]:
    found: list[Event] = []
    gaps: dict[Gap, None] = {}
    unread = 0
    with _result(channel, query(channel, ids, since), _REVERSE, origin) as result:
        for text in _rendered(result, origin):
            event = parse_event(text, fields) if text else None
            if event is None or (event.id not in ids and ids):
                unread += 1
            else:
                found.append(event)
            if len(found) > limit:
                found.pop()
                gaps[Gap(Cause.TOO_LARGE, f"{origin}中符合条件的记录超过 {limit} 条，只读取最近的", origin)] = None
                break
    if unread:
        gaps[Gap(Cause.MALFORMED, f"{origin}中有 {unread} 条记录无法识别", origin)] = None
    oldest, newest = _end(channel, _FORWARD, origin), _end(channel, _REVERSE, origin)
    if oldest is None and (found or _records(channel, origin)):
        return Unknown(Cause.UNAVAILABLE, f"{origin}有记录，但无法读取", origin)
    found.sort(key=lambda e: (e.time, e.record))
    return Known(EventLog(tuple(found), oldest, newest, _enabled(channel, origin)), origin, tuple(gaps))


@contextmanager
def _closing(handle: int | None, origin: str) -> Iterator[int]:
    if not handle:
        raise last_error(origin)
    try:
        yield handle
    finally:
        function("wevtapi", "EvtClose", ctypes.c_int, ctypes.c_void_p)(handle)


@contextmanager
def _result(channel: str, text: str, direction: int, origin: str) -> Iterator[int]:
    """The result set of a query."""
    call = function(
        "wevtapi", "EvtQuery", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_wchar_p, ctypes.c_uint32
    )
    with _closing(call(None, channel, text, _CHANNEL_PATH | direction), origin) as result:
        yield result


def _rendered(result: int, origin: str) -> Iterator[str]:
    """The XML of each record; empty for one that cannot be rendered.

    Raises:
        NotReadError: the service breaks off.
    """
    call = function(
        "wevtapi", "EvtNext", ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32, ctypes.POINTER(ctypes.c_void_p),
        ctypes.c_uint32, ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint32),
    )  # fmt: skip
    close = function("wevtapi", "EvtClose", ctypes.c_int, ctypes.c_void_p)
    while True:
        handles, many = (ctypes.c_void_p * _BATCH)(), ctypes.c_uint32()
        if not call(result, _BATCH, handles, _NEXT_TIMEOUT_MS, 0, ctypes.byref(many)):
            if ctypes.get_last_error() != _NO_MORE:
                raise last_error(origin)
            return
        taken = [h for h in handles[: min(many.value, _BATCH)] if h]
        if not taken:
            raise NotReadError(Unknown(Cause.UNAVAILABLE, f"{origin}：事件日志服务没有给出记录", origin))
        try:
            for handle in taken:
                yield _render(handle)
        finally:
            for handle in taken:
                close(handle)


def _render(handle: int) -> str:
    call = function(
        "wevtapi", "EvtRender", ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32,
        ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint32), ctypes.POINTER(ctypes.c_uint32),
    )  # fmt: skip
    size = 16 * 1024
    for _ in range(3):
        buffer, used, items = ctypes.create_string_buffer(size), ctypes.c_uint32(), ctypes.c_uint32()
        if call(None, handle, _RENDER_XML, size, buffer, ctypes.byref(used), ctypes.byref(items)):
            return fixed_wide(buffer.raw[: min(used.value, size)])
        if ctypes.get_last_error() != _SMALL or not size < used.value <= _MAX_RENDERED:
            break
        size = used.value
    return ""


def _end(channel: str, direction: int, origin: str) -> float | None:
    """The time of the first record in that direction; None for an empty log."""
    with _result(channel, "*", direction, origin) as result:
        for text in _rendered(result, origin):
            event = parse_event(text, ())
            if event is not None:
                return event.time
    return None


def _variant(call: str, handle: int, number: int, *flags: int) -> tuple[int, int] | None:
    """Value and type of an EVT_VARIANT of a plain type; None where the call fails."""
    ask = function(
        "wevtapi", call, ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32, *([ctypes.c_uint32] * len(flags)),
        ctypes.c_uint32, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint32),
    )  # fmt: skip
    buffer, used = ctypes.create_string_buffer(64), ctypes.c_uint32()
    if not ask(handle, number, *flags, 64, buffer, ctypes.byref(used)) or used.value < 16:
        return None
    return int.from_bytes(buffer.raw[:8], "little"), int.from_bytes(buffer.raw[12:16], "little")


def _enabled(channel: str, origin: str) -> bool | None:
    call = function(
        "wevtapi", "EvtOpenChannelConfig", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_uint32
    )
    try:
        with _closing(call(None, channel, 0), origin) as handle:
            found = _variant("EvtGetChannelConfigProperty", handle, _CONFIG_ENABLED, 0)
    except NotReadError:
        return None
    return bool(found[0] & 0xFFFFFFFF) if found is not None and found[1] == _TYPE_BOOLEAN else None


def _records(channel: str, origin: str) -> int:
    """How many records the log holds: an empty answer to a query alone does not prove an empty log.

    Raises:
        NotReadError: the service does not say.
    """
    call = function("wevtapi", "EvtOpenLog", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_uint32)
    with _closing(call(None, channel, _OPEN_CHANNEL_PATH), origin) as handle:
        found = _variant("EvtGetLogInfo", handle, _LOG_RECORDS)
    if found is None or found[1] != _TYPE_UINT64:
        raise NotReadError(from_system(ctypes.get_last_error(), origin))
    return found[0]
