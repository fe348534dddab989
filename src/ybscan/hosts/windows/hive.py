"""Answers from a registry hive on disk: of a system that does not run, or of a person who is not logged on.

Nothing is loaded into the running registry and nothing is written, not beside the hive either: logs are applied to a
copy in memory. A hive that is dirty and has no logs that bring it up to date answers Unknown(incomplete) to everything:
what stands in it may be an hour old, or half of a change, and nobody can say which part.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from ybscan.hosts.common.errors import from_error
from ybscan.hosts.groups.registry import RegistryValue
from ybscan.hosts.windows.hivefile import HIVE_LIMIT, HiveFile, KeyNode, RawValue, folded
from ybscan.hosts.windows.hivelog import LOG_LIMIT, LOGS_IN_TURN, HiveError, recovered
from ybscan.hosts.windows.redact import kept
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

T = TypeVar("T")

LOG_ENDINGS = (*LOGS_IN_TURN, ".LOG")
REG_SZ, REG_EXPAND_SZ, REG_BINARY, REG_DWORD, REG_LINK, REG_MULTI_SZ = 1, 2, 3, 4, 6, 7
#: Seconds between 1601-01-01, where FILETIME counts from, and 1970-01-01.
_EPOCH = 11_644_473_600

Path_ = tuple[str, ...]
"""The names below the root of the hive."""


def open_hive(data: bytes, logs: Sequence[bytes] = (), *, origin: str = "") -> Reading[Hive]:
    """The hive in ``data``, brought up to date from its transaction logs where it is dirty."""
    if len(data) > HIVE_LIMIT:
        return Unknown(Cause.TOO_LARGE, f"{origin}（上限 {HIVE_LIMIT // 1024 // 1024} MiB）", origin)
    try:
        return Known(Hive(HiveFile(recovered(data, logs)), origin), origin)
    except HiveError as e:
        return Unknown(e.cause, f"{origin}：{e.detail}" if origin else e.detail, origin)
    except (struct.error, IndexError, ValueError):
        return Unknown(Cause.MALFORMED, origin, origin)
    except ModuleNotFoundError:
        return Unknown(Cause.TOOL_MISSING, "未安装读取注册表文件的组件 regipy（ybscan[offline]）", origin)


def load_hive(path: str, read: Callable[[str, int], Reading[bytes]] | None = None) -> Reading[Hive]:
    """The hive at ``path`` with the logs beside it. ``read`` gives the bytes of a file of at most so many bytes.

    Absent when there is no such file. A log that exists and cannot be read matters only where the hive is dirty.
    """
    reading = read or _plain
    data = reading(path, HIVE_LIMIT)
    if not isinstance(data, Known):
        return data
    try:
        recovered(data.value, ())
    except HiveError as e:
        if e.cause is Cause.MALFORMED:
            return Unknown(e.cause, f"{path}：{e.detail}", path)
    else:
        return open_hive(data.value, origin=path)
    logs: list[bytes] = []
    for ending in LOG_ENDINGS:
        log = reading(path + ending, LOG_LIMIT)
        # In a folder that is no whole disk nobody knows whether there was one: then what is there has to do.
        if isinstance(log, Unknown) and log.cause is not Cause.INCOMPLETE:
            return Unknown(log.cause, f"{path} 有未写完的改动，无法读取日志 {ending}", path)
        if isinstance(log, Known):
            logs.append(log.value)
    return open_hive(data.value, logs, origin=path)


def _plain(path: str, limit: int) -> Reading[bytes]:
    try:
        # A FIFO laid in the way must not hang the scan.
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
        with os.fdopen(os.open(path, flags), "rb") as f:
            if not stat.S_ISREG(os.fstat(f.fileno()).st_mode):
                return Unknown(Cause.MALFORMED, f"{path} 不是普通文件", path)
            data = f.read(limit + 1)
    except OSError as e:
        return from_error(e, path)
    if len(data) > limit:
        return Unknown(Cause.TOO_LARGE, f"{Path(path).name}（上限 {limit // 1024 // 1024} MiB）", path)
    return Known(data, path)


class Hive:
    """The questions of the registry group about keys by their path below the hive's root.

    ``shown`` is the key's name as the caller knows it (``HKU\\S-1-5-21-…\\Software``): it is what origins say and what
    decides which values are withheld.
    """

    def __init__(self, file: HiveFile, origin: str) -> None:
        self._file = file
        self._origin = origin

    def value(self, *, path: Path_, name: str, shown: str) -> Reading[RegistryValue]:
        """As :meth:`ybscan.hosts.groups.registry.Registry.value`."""

        def answer(key: KeyNode) -> Reading[RegistryValue]:
            raw = self._file.value(key, name)
            if raw is None:
                return Absent(f"{shown}\\{name}")
            value = decoded(raw)
            if isinstance(value, Unknown):
                return Unknown(value.cause, f"{shown}\\{name}", f"{shown}\\{name}")
            return Known(kept(shown, raw.name, value), f"{shown}\\{raw.name}")

        return self._ask(path, shown, answer)

    def values(self, *, path: Path_, shown: str) -> Reading[dict[str, RegistryValue]]:
        """As :meth:`ybscan.hosts.groups.registry.Registry.values`; a value that makes no sense leaves a gap."""

        def answer(key: KeyNode) -> Reading[dict[str, RegistryValue]]:
            found: dict[str, RegistryValue] = {}
            gaps: list[Unknown] = []
            for raw in self._file.values(key):
                value = decoded(raw)
                if isinstance(value, Unknown):
                    gaps.append(Unknown(value.cause, f"{shown}\\{raw.name}", f"{shown}\\{raw.name}"))
                else:
                    found[raw.name] = kept(shown, raw.name, value)
            return Known(found, shown, tuple(g.as_gap() for g in gaps))

        return self._ask(path, shown, answer)

    def subkeys(self, *, path: Path_, shown: str) -> Reading[tuple[str, ...]]:
        """As :meth:`ybscan.hosts.groups.registry.Registry.subkeys`."""
        return self._ask(
            path, shown, lambda key: Known(tuple(sorted(k.name for k in self._file.subkeys(key).values())), shown)
        )

    def written(self, *, path: Path_, shown: str) -> Reading[float]:
        """As :meth:`ybscan.hosts.groups.registry.Registry.written`."""
        return self._ask(path, shown, lambda key: filetime(key.written, shown))

    def raw(self, *, path: Path_, name: str) -> Reading[RawValue]:
        """A value as it lies there, for what has its own layout (SAM, device properties). Never leaves the backend."""

        def answer(key: KeyNode) -> Reading[RawValue]:
            found = self._file.value(key, name)
            return Absent(name) if found is None else Known(found, name)

        return self._ask(path, "\\".join(path), answer)

    def first_link(self, *, path: Path_) -> tuple[str, Path_] | None:
        """Where the first symbolic link on the way to a key leads (``\\Registry\\Machine\\…``), and what is left of the way.

        None when there is none. A link whose target cannot be read leads to an empty text.
        """
        try:
            key = self._file.root
            for n, name in enumerate(path):
                child = self._file.subkeys(key).get(folded(name))
                if child is None:
                    return None
                if child.link:
                    raw = self._file.value(child, "SymbolicLinkValue")
                    return _text(raw.data or b"") if raw is not None else "", path[n + 1 :]
                key = child
        except (HiveError, struct.error, IndexError, ValueError):
            pass  # the question itself will say so
        return None

    def _ask(self, path: Path_, shown: str, answer: Callable[[KeyNode], Reading[T]]) -> Reading[T]:
        try:
            key = self._find(path)
            return Absent(shown) if key is None else answer(key)
        except HiveError as e:
            return Unknown(e.cause, f"{shown}：{e.detail}", shown)
        except (struct.error, IndexError, ValueError):
            return Unknown(Cause.MALFORMED, shown, shown)

    def _find(self, path: Path_) -> KeyNode | None:
        key = self._file.root
        for name in path:
            child = self._file.subkeys(key).get(folded(name))
            if child is None:
                return None
            # Whoever may follow links has asked for them first.
            if child.link:
                raise HiveError(Cause.UNSUPPORTED, "是指向别处的注册表链接")
            key = child
        return key


def decoded(raw: RawValue) -> RegistryValue | Unknown:
    """The value as the registry group tells it; what does not go with its type is Unknown(malformed).

    Texts end at the first NUL, as Windows' own programs read them; a single byte at the end is no character. The empty
    texts of REG_MULTI_SZ are left out. A REG_QWORD stays bytes: Windows asks for its switches as REG_DWORD, and people who
    made one "64-bit, since the system is" have set nothing.
    """
    data = raw.data
    if data is None:
        return Unknown(Cause.TOO_LARGE, raw.name)
    if raw.type in (REG_SZ, REG_EXPAND_SZ):
        return _text(data).partition("\0")[0]
    if raw.type == REG_MULTI_SZ:
        return tuple(t for t in _text(data).split("\0") if t)
    if raw.type == REG_DWORD:
        if len(data) != 4:
            return Unknown(Cause.MALFORMED, raw.name)
        return int.from_bytes(data, "little")
    return data


def _text(data: bytes) -> str:
    return data[: len(data) // 2 * 2].decode("utf-16-le", "surrogatepass")


def filetime(value: int, origin: str) -> Reading[float]:
    """A FILETIME (100 ns since 1601) in seconds since the epoch; 0 means that there is none."""
    if value == 0:
        return Unknown(Cause.UNAVAILABLE, f"{origin} 没有时间", origin)
    seconds = value / 10_000_000 - _EPOCH
    # The year 10000: what lies beyond is no time, and no other part of the program could write it down.
    if seconds >= 253_402_300_800:
        return Unknown(Cause.MALFORMED, f"{origin} 的时间不合理", origin)
    return Known(seconds, origin)
