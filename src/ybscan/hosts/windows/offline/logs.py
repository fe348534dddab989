"""Event logs of a Windows that does not run, from their files.

Source: the keys ``Services\\EventLog`` (classic logs) and ``WINEVT\\Channels``, which name a channel's file and whether it
is being written. The files are read by the ``evtx`` package.
"""

from __future__ import annotations

import heapq
import os
import re
import stat as st
import struct
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ybscan.hosts.groups.logs import Event, EventLog, Logs
from ybscan.hosts.windows.eventxml import moment, parse_event
from ybscan.hosts.windows.offline import LIVE
from ybscan.hosts.windows.offline.registry import OfflineRegistry
from ybscan.hosts.windows.offline.tree import WindowsTree
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

LOG_LIMIT = 1024 * 1024 * 1024
"""Largest log that is read, bytes; some 100,000 records a second."""
_SECONDS = 60.0
_CLASSIC = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog"
_CHANNELS = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WINEVT\Channels"
_ID = re.compile(r"<EventID\b[^>]*>\s*(\d{1,9})\s*<")
#: "Windows XML Event Log (EVTX) format" (libyal): header, flag of a log that was not closed, chunks.
_HEADER_SIZE, _DIRTY, _FIRST_CHUNK, _CHUNK = 128, 0x1, 4096, 65536


class OfflineLogs(Logs):
    """Records of damaged parts leave a gap."""

    def __init__(self, tree: WindowsTree, registry: OfflineRegistry) -> None:
        super().__init__(LIVE)
        self._tree = tree
        self._registry = registry

    def events(
        self, *, channel: str, ids: tuple[int, ...], since: float, fields: tuple[str, ...], limit: int = 5000
    ) -> Reading[EventLog]:
        place, enabled, exists = self._channel(channel)
        wanted = _Wanted(place, frozenset(ids), since, fields, limit)
        found = self._tree.ask(place, lambda here: _read(here, wanted, enabled))
        if not isinstance(found, Absent):
            return found
        if exists is False:
            return found
        if exists and enabled is False:
            return Known(EventLog((), None, None, False), place)
        return Unknown(Cause.INCOMPLETE, f"其中没有日志文件 {place}", place)

    def _channel(self, channel: str) -> tuple[str, bool | None, bool | None]:
        """The channel's file, whether it is being written, and whether there is such a channel; None for not known."""
        name = channel.replace("/", "%4")
        place = f"{self._tree.drive}\\Windows\\System32\\winevt\\Logs\\{name}.evtx"
        classic = self._registry.value(key=f"{_CLASSIC}\\{channel}", name="File")
        if isinstance(classic, Known) and isinstance(classic.value, str) and classic.value:
            return self._registry.expanded(classic.value), None, True
        key = f"{_CHANNELS}\\{channel}"
        values = self._registry.values(key=key)
        if not isinstance(values, Known):
            absent = isinstance(values, Absent) and isinstance(self._registry.subkeys(key=_CHANNELS), Known)
            return place, None, False if absent and isinstance(classic, Absent) else None
        enabled = next((v for n, v in values.value.items() if n.lower() == "enabled"), None)
        return place, bool(enabled) if isinstance(enabled, int) else None, True


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What was asked for, and of which file."""

    place: str
    ids: frozenset[int]
    since: float
    fields: tuple[str, ...]
    limit: int


@dataclass(slots=True)
class _Seen:
    """What came of going through a file. The reader of the format passes over holes in silence: they are counted here."""

    gaps: dict[Gap, None] = field(default_factory=dict)
    newest: list[tuple[float, int, int, Event]] = field(default_factory=list)
    oldest_time: float | None = None
    newest_time: float | None = None
    lowest: int | None = None
    highest: int | None = None
    count: int = 0

    def gap(self, cause: Cause, detail: str, place: str) -> None:
        self.gaps[Gap(cause, detail, place)] = None

    def take(self, record: Mapping[str, Any], wanted: _Wanted) -> None:
        when, number = moment(str(record.get("timestamp", "")).removesuffix(" UTC")), record.get("event_record_id")
        if when is None or not isinstance(number, int):
            self.gap(Cause.MALFORMED, f"{wanted.place} 中有无法识别的记录", wanted.place)
            return
        self.count += 1
        self.lowest = number if self.lowest is None else min(self.lowest, number)
        self.highest = number if self.highest is None else max(self.highest, number)
        self.oldest_time = when if self.oldest_time is None else min(self.oldest_time, when)
        self.newest_time = when if self.newest_time is None else max(self.newest_time, when)
        text = str(record.get("data", ""))
        found = _ID.search(text)
        if when < wanted.since or (found is not None and int(found[1]) not in wanted.ids):
            return
        event = parse_event(text, wanted.fields)
        if event is None:
            self.gap(Cause.MALFORMED, f"{wanted.place} 中有无法识别的记录", wanted.place)
            return
        heapq.heappush(self.newest, (when, number, self.count, event))
        if len(self.newest) > wanted.limit:
            heapq.heappop(self.newest)
            self.gap(Cause.TOO_LARGE, f"{wanted.place} 中的记录超过 {wanted.limit} 条，只保留最近的", wanted.place)


def _read(here: str, wanted: _Wanted, enabled: bool | None) -> Reading[EventLog]:
    place = wanted.place
    s = os.stat(here)  # noqa: PTH116
    if not st.S_ISREG(s.st_mode):
        return Unknown(Cause.MALFORMED, f"{place} 不是普通文件", place)
    if s.st_size > LOG_LIMIT:
        return Unknown(Cause.TOO_LARGE, f"{place}（上限 {LOG_LIMIT // 1024 // 1024} MiB）", place)
    with open(here, "rb") as f:  # noqa: PTH123
        head = f.read(_HEADER_SIZE)
    if len(head) < _HEADER_SIZE or head[:8] != b"ElfFile\0":
        return Unknown(Cause.MALFORMED, f"{place} 不是事件日志", place)
    try:
        import evtx
    except ModuleNotFoundError:
        return Unknown(Cause.TOOL_MISSING, "未安装读取事件日志的组件 evtx（ybscan[offline]）", place)
    seen = _Seen()
    deadline = time.monotonic() + _SECONDS
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        try:
            parser = evtx.PyEvtxParser(here, number_of_threads=1, validate_checksums=True, skip_errors=True)
            for record in _records(parser):
                seen.take(record, wanted)
                if time.monotonic() > deadline:
                    return Unknown(Cause.TIMEOUT, f"{place}（{_SECONDS:g} 秒内没有读完）", place)
        except (RuntimeError, OSError, ValueError):
            seen.gap(Cause.MALFORMED, f"{place} 的一部分已损坏", place)
    if complaints:
        seen.gap(Cause.MALFORMED, f"{place} 的一部分已损坏", place)
    _check_whole(seen, head, s.st_size, place)
    if seen.oldest_time is None and seen.gaps:
        return Unknown(Cause.MALFORMED, f"{place} 已损坏", place)
    events = tuple(e for _, _, _, e in sorted(seen.newest, key=lambda n: n[:3]))
    return Known(EventLog(events, seen.oldest_time, seen.newest_time, enabled), place, tuple(seen.gaps))


def _check_whole(seen: _Seen, head: bytes, size: int, place: str) -> None:
    """Records are numbered without holes, and a log that was closed says how many chunks and records it has."""
    (following,) = struct.unpack_from("<Q", head, 24)
    (chunks,) = struct.unpack_from("<H", head, 42)
    (flags,) = struct.unpack_from("<I", head, 120)
    holes = seen.lowest is not None and seen.highest is not None and seen.highest - seen.lowest + 1 != seen.count
    short = size < _FIRST_CHUNK + chunks * _CHUNK
    ended = not flags & _DIRTY and following != (seen.highest or 0) + 1
    if holes or short or ended:
        seen.gap(Cause.INCOMPLETE, f"{place} 的一部分缺失", place)


def _records(parser: Any) -> Iterator[dict[str, Any]]:
    for record in parser.records():
        if isinstance(record, dict):
            yield record
