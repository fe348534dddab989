"""The registry of the running system, and the hive files of people who are not logged on.

Keys are opened with the view stated and with the least right that the question needs. Values are taken as bytes and
decoded by the same code as those of a hive file, so that what is broken is broken alike; Python's own ``winreg`` reads
beyond the end of a number that is too short. A user hive is never loaded: its file is read into memory.
Sources: RegOpenKeyExW, RegEnumValueW, RegQueryValueExW, "Accessing an Alternate Registry View".
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
import os  # noqa: E402
import re  # noqa: E402
import winreg  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from ctypes import POINTER, byref, c_uint32, c_void_p, c_wchar_p  # noqa: E402
from dataclasses import replace  # noqa: E402
from typing import TypeVar  # noqa: E402

from ybscan.hosts.groups.registry import Registry, RegistryValue, UserHive, View  # noqa: E402
from ybscan.hosts.windows.hive import Hive, decoded, filetime, load_hive  # noqa: E402
from ybscan.hosts.windows.hivefile import VALUE_LIMIT, RawValue  # noqa: E402
from ybscan.hosts.windows.keys import parts  # noqa: E402
from ybscan.hosts.windows.live import sids  # noqa: E402
from ybscan.hosts.windows.live.dll import function  # noqa: E402
from ybscan.hosts.windows.redact import is_closed, kept  # noqa: E402
from ybscan.hosts.windows.tree import people  # noqa: E402
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown  # noqa: E402

T = TypeVar("T")

_PROFILES = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
_ROOTS = {"HKLM": winreg.HKEY_LOCAL_MACHINE, "HKU": winreg.HKEY_USERS}
_VIEWS = {"64": winreg.KEY_WOW64_64KEY, "32": winreg.KEY_WOW64_32KEY}
#: A person's SID: of this machine, of a domain, or of Azure AD; with the person's classes beside it.
_PERSON = re.compile(r"^(S-1-(?:5-21|12-1)-[\d-]+)(_Classes)?$", re.IGNORECASE)
_CLASSES = r"AppData\Local\Microsoft\Windows\UsrClass.dat"

_NOT_FOUND, _PATH_NOT_FOUND, _DENIED, _MORE_DATA, _NO_MORE, _DELETED, _NO_PRIVILEGE = 2, 3, 5, 234, 259, 1018, 1314
_BROKEN = (1009, 1015, 1016, 1017)
_NAME_ROOM = 16384
"""Characters: the longest name of a value is 16,383."""


class LiveRegistry(Registry):
    """``read`` gives the bytes of a file of at most so many bytes."""

    def __init__(self, read: Callable[[str, int], Reading[bytes]]) -> None:
        super().__init__()
        self._read = read
        self._hives: dict[str, Reading[Hive]] = {}

    def value(self, *, key: str, name: str, view: View = "64") -> Reading[RegistryValue]:
        def live(handle: winreg.HKEYType) -> Reading[RegistryValue]:
            raw = _value(handle, name)
            if raw is None:
                return Absent(f"{key}\\{name}")
            value = decoded(raw)
            if isinstance(value, Unknown):
                return Unknown(value.cause, f"{key}\\{name}", f"{key}\\{name}")
            return Known(kept(_short(key), name, value), f"{key}\\{name}")

        return self._ask(key, view, winreg.KEY_QUERY_VALUE, live, lambda h, p: h.value(path=p, name=name, shown=key))

    def values(self, *, key: str, view: View = "64") -> Reading[dict[str, RegistryValue]]:
        def live(handle: winreg.HKEYType) -> Reading[dict[str, RegistryValue]]:
            found: dict[str, RegistryValue] = {}
            gaps: list[Unknown] = []
            for raw in _values(handle):
                value = decoded(raw)
                if isinstance(value, Unknown):
                    gaps.append(Unknown(value.cause, f"{key}\\{raw.name}", f"{key}\\{raw.name}"))
                else:
                    found[raw.name] = kept(_short(key), raw.name, value)
            return Known(found, key, tuple(g.as_gap() for g in gaps))

        return self._ask(key, view, winreg.KEY_QUERY_VALUE, live, lambda h, p: h.values(path=p, shown=key))

    def subkeys(self, *, key: str, view: View = "64") -> Reading[tuple[str, ...]]:
        def live(handle: winreg.HKEYType) -> Reading[tuple[str, ...]]:
            return Known(tuple(sorted(_names(handle))), key)

        return self._ask(key, view, winreg.KEY_ENUMERATE_SUB_KEYS, live, lambda h, p: h.subkeys(path=p, shown=key))

    def written(self, *, key: str, view: View = "64") -> Reading[float]:
        def live(handle: winreg.HKEYType) -> Reading[float]:
            return filetime(winreg.QueryInfoKey(handle)[2], key)

        return self._ask(key, view, winreg.KEY_QUERY_VALUE, live, lambda h, p: h.written(path=p, shown=key))

    def users(self) -> Reading[tuple[UserHive, ...]]:
        found = people(self)
        if not isinstance(found, Known):
            return found
        named = []
        for user in found.value:
            name = sids.named(user.sid)[0]
            named.append(replace(user, account=name or user.account, home=expanded(user.home)))
        return Known(tuple(named), found.origin, found.gaps)

    # ------------------------------------------------------------------------------------------------------------

    def _ask(
        self,
        key: str,
        view: View,
        right: int,
        live: Callable[[winreg.HKEYType], Reading[T]],
        still: Callable[[Hive, tuple[str, ...]], Reading[T]],
    ) -> Reading[T]:
        """The answer of the running registry, else of the hive file of a person who is not logged on."""
        root, *names = parts(key)
        if is_closed("\\".join((root, *names))):
            return Unknown(Cause.NOT_PERMITTED, f"{key} 含口令散列等机密，不读取", key)
        try:
            with winreg.OpenKeyEx(_ROOTS[root], "\\".join(names), 0, right | _VIEWS[view]) as handle:
                return live(handle)
        except OSError as e:
            reading = from_error(e.winerror or 0, key)
        except ValueError:  # a NUL in the name: what holds it can be made, but no Windows program can open it
            return Unknown(Cause.MALFORMED, f"{key} 的名称无法识别", key)
        person = _PERSON.match(names[0]) if root == "HKU" and names else None
        if person is None or not isinstance(reading, Absent) or self._loaded(names[0]):
            return reading
        hive = self._hive(person[1], classes=bool(person[2]))
        return still(hive.value, tuple(names[1:])) if isinstance(hive, Known) else hive

    def _loaded(self, name: str) -> bool:
        try:
            winreg.OpenKeyEx(winreg.HKEY_USERS, name, 0, winreg.KEY_QUERY_VALUE).Close()
        except OSError as e:
            return e.winerror != _NOT_FOUND
        return True

    def _hive(self, sid: str, *, classes: bool) -> Reading[Hive]:
        """The hive file of a person; Absent when nobody of that SID has a profile, or the profile's folder is gone."""
        name = f"{sid}_Classes" if classes else sid
        if name not in self._hives:
            self._hives[name] = self._from_file(sid, classes=classes)
        return self._hives[name]

    def _from_file(self, sid: str, *, classes: bool) -> Reading[Hive]:
        home = self.value(key=f"{_PROFILES}\\{sid}", name="ProfileImagePath")
        if not isinstance(home, Known):
            return home
        if not isinstance(home.value, str) or not home.value:
            return Unknown(Cause.MALFORMED, f"{sid} 的用户文件夹无法识别", home.origin)
        folder = expanded(home.value).rstrip("\\")
        path = f"{folder}\\{_CLASSES if classes else 'NTUSER.DAT'}"
        hive = load_hive(path, self._read)
        if isinstance(hive, Absent) and not classes and os.path.lexists(folder):
            return Unknown(Cause.UNAVAILABLE, f"{folder} 中没有 NTUSER.DAT", path)
        return hive


def from_error(code: int, key: str) -> Absent | Unknown:
    """What an error code of the registry functions means for the key."""
    if code in (_NOT_FOUND, _PATH_NOT_FOUND, _DELETED):
        return Absent(key)
    if code in (_DENIED, _NO_PRIVILEGE):
        return Unknown(Cause.DENIED, key, key)
    if code in _BROKEN:
        return Unknown(Cause.MALFORMED, f"{key}：注册表已损坏（错误 {code}）", key)
    return Unknown(Cause.UNAVAILABLE, f"{key}：注册表读取失败（错误 {code}）", key)


def expanded(path: str) -> str:
    """A profile's folder without variables. Only those of the machine: the others are those of whoever runs us."""
    for name in ("SystemDrive", "SystemRoot", "ProgramData"):
        value = os.environ.get(name, "")
        if value:
            path = re.sub(f"%{name}%", lambda _, v=value: v, path, flags=re.IGNORECASE)  # type: ignore[misc]
    return path


def _short(key: str) -> str:
    return "\\".join(parts(key))


def _names(handle: winreg.HKEYType) -> Iterator[str]:
    """The names of the subkeys. The position moves on even when others add and remove keys meanwhile.

    Raises:
        OSError: they cannot be listed.
    """
    position = 0
    while True:
        try:
            yield winreg.EnumKey(handle, position)
        except OSError as e:
            if e.winerror == _NO_MORE:
                return
            raise
        position += 1


def _values(handle: winreg.HKEYType) -> Iterator[RawValue]:
    """All values as they lie there; the bytes of one that is too large are left out.

    Raises:
        OSError: they cannot be listed.
    """
    ask = function(
        "advapi32", "RegEnumValueW", ctypes.c_long, c_void_p, c_uint32, c_wchar_p, POINTER(c_uint32), c_void_p,
        POINTER(c_uint32), c_void_p, POINTER(c_uint32),
    )  # fmt: skip
    name = ctypes.create_unicode_buffer(_NAME_ROOM)
    room, position = 4096, 0
    data = ctypes.create_string_buffer(room)
    while True:
        name_size, kind, size = c_uint32(_NAME_ROOM), c_uint32(), c_uint32(room)
        code = ask(handle.handle, position, name, byref(name_size), None, byref(kind), data, byref(size))
        if code == _NO_MORE:
            return
        if code == _MORE_DATA and room < VALUE_LIMIT:
            room = min(max(size.value, 2 * room), VALUE_LIMIT)
            data = ctypes.create_string_buffer(room)
            continue
        if code == _MORE_DATA:
            yield RawValue(_enumerated(handle, position), 0, None)
        elif code:
            raise ctypes.WinError(code)
        else:
            yield RawValue(_part(name, name_size.value), kind.value, data.raw[: size.value])
        position += 1


def _enumerated(handle: winreg.HKEYType, position: int) -> str:
    """The name alone of a value whose content is too large."""
    ask = function(
        "advapi32", "RegEnumValueW", ctypes.c_long, c_void_p, c_uint32, c_wchar_p, POINTER(c_uint32), c_void_p,
        POINTER(c_uint32), c_void_p, POINTER(c_uint32),
    )  # fmt: skip
    name, size = ctypes.create_unicode_buffer(_NAME_ROOM), c_uint32(_NAME_ROOM)
    if code := ask(handle.handle, position, name, byref(size), None, None, None, None):
        raise ctypes.WinError(code)
    return _part(name, size.value)


def _value(handle: winreg.HKEYType, name: str) -> RawValue | None:
    """One value as it lies there; None when there is none of that name.

    Raises:
        OSError: it cannot be read.
    """
    ask = function(
        "advapi32", "RegQueryValueExW", ctypes.c_long, c_void_p, c_wchar_p, c_void_p, POINTER(c_uint32), c_void_p,
        POINTER(c_uint32),
    )  # fmt: skip
    if "\0" in name:
        raise ValueError("a NUL in the name")
    room = 1024
    while True:
        data, kind, size = ctypes.create_string_buffer(room), c_uint32(), c_uint32(room)
        code = ask(handle.handle, name, None, byref(kind), data, byref(size))
        if code == _NOT_FOUND:
            return None
        if code == _MORE_DATA:
            if max(size.value, room) >= VALUE_LIMIT:
                return RawValue(name, kind.value, None)
            room = min(max(size.value, 2 * room), VALUE_LIMIT)
            continue
        if code:
            raise ctypes.WinError(code)
        return RawValue(name, kind.value, data.raw[: size.value])


def _part(text: ctypes.Array[ctypes.c_wchar], size: int) -> str:
    """The first ``size`` characters, NULs included."""
    return "".join(text[:size])
