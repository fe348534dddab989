"""dconf databases and compiled schemas: gvdb files, read without the desktop's own tools.

As root these tools would answer for root, start a service and create files; the files themselves say the same.
Sources: dconf(7) for profiles, databases and locks; glib-compile-schemas for how a schema's keys are stored: a tuple
that begins with the default and goes on with letters and options.
"""

from __future__ import annotations

import os
import stat as st
from collections.abc import Callable
from typing import TypeVar

from ybscan.hosts.common.errors import from_error
from ybscan.hosts.common.opening import READ_FLAGS
from ybscan.hosts.groups.usersettings import Setting, UserSettings
from ybscan.hosts.linux.files import LIVE_ONLY
from ybscan.hosts.linux.gvariant import MalformedVariant, decode_variant
from ybscan.hosts.linux.gvdb import MalformedDatabase, Table, open_database
from ybscan.hosts.linux.paths import resolve
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

T = TypeVar("T")

_LIMIT = 32 * 1024 * 1024
#: The option letter of a default that depends on the desktop (``XDG_CURRENT_DESKTOP``) in a compiled schema.
_PER_DESKTOP = ord("d")


class LinuxUserSettings(UserSettings):
    """Decodes the databases below ``root``; with ``live`` false, what lies below /run is Unknown(unsupported)."""

    def __init__(self, *, root: str = "/", live: bool = True) -> None:
        super().__init__()
        self._root = root
        self._live = live

    def dconf(self, *, path: str, keys: tuple[str, ...]) -> Reading[dict[str, Setting]]:
        def work(table: Table) -> Reading[dict[str, Setting]]:
            found: dict[str, Setting] = {}
            for key in keys:
                data = table.value(key)
                if data is not None:
                    found[key] = _setting(decode_variant(data, table.endian), key)
            return Known(found, path)

        return self._with(path, work)

    def locks(self, *, path: str, keys: tuple[str, ...]) -> Reading[tuple[str, ...]]:
        def work(table: Table) -> Reading[tuple[str, ...]]:
            locks = table.table(".locks")
            return Known(tuple(k for k in keys if locks is not None and locks.value(k) is not None), path)

        return self._with(path, work)

    def defaults(self, *, path: str, schema: str, keys: tuple[str, ...]) -> Reading[dict[str, Setting]]:
        def work(table: Table) -> Reading[dict[str, Setting]]:
            entries = table.table(schema)
            if entries is None:
                return Absent(path)
            found: dict[str, Setting] = {}
            for key in keys:
                data = entries.value(key)
                if data is None:
                    continue
                stored = decode_variant(data, table.endian)
                if key == ".path" and isinstance(stored, str):
                    found[key] = stored
                    continue
                if not isinstance(stored, list) or not stored:
                    raise MalformedDatabase("a key of a schema is a tuple")
                if any(isinstance(option, list) and option[:1] == [_PER_DESKTOP] for option in stored[1:]):
                    return Unknown(Cause.UNAVAILABLE, f"{schema} 的 {key} 的默认值因桌面而异", path)
                found[key] = _setting(stored[0], f"{schema} {key}")
            return Known(found, path)

        return self._with(path, work)

    def _with(self, path: str, work: Callable[[Table], Reading[T]]) -> Reading[T]:
        if not self._live and path.startswith(tuple(f"{p}/" for p in LIVE_ONLY)):
            return Unknown(Cause.UNSUPPORTED, f"{path} 只存在于运行中的系统", path)
        data = self._read(path)
        if not isinstance(data, bytes):
            return data
        try:
            return work(open_database(data))
        except _UnusualType as e:
            return Unknown(Cause.MALFORMED, f"{path}：{e} 的类型不在支持之列", path)
        except (MalformedDatabase, MalformedVariant):
            return Unknown(Cause.MALFORMED, f"{path} 不是可识别的设置数据库", path)

    def _read(self, path: str) -> bytes | Absent | Unknown:
        try:
            fd = os.open(resolve(self._root, path), READ_FLAGS)
            with os.fdopen(fd, "rb") as f:
                if not st.S_ISREG(os.fstat(f.fileno()).st_mode):
                    return Unknown(Cause.MALFORMED, f"{path} 不是普通文件", path)
                data = f.read(_LIMIT + 1)
        except IsADirectoryError:
            return Unknown(Cause.MALFORMED, f"{path} 不是普通文件", path)
        except OSError as e:
            return from_error(e, path)
        except ValueError as e:
            return Unknown(Cause.MALFORMED, f"{path}：{type(e).__name__}", path)
        return Unknown(Cause.TOO_LARGE, path, path) if len(data) > _LIMIT else data


class _UnusualType(ValueError):
    """A key asked for holds a value of a type no probe expects."""


def _setting(value: object, key: str) -> Setting:
    if isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return value
    raise _UnusualType(key)
