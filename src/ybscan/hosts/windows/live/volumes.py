"""Volumes of the running system, and bounded reading of folders on them or on a share.

A network path is opened only by the questions that name it (the probe asks them with the site's consent), always under
their time limit. Where a path lies is told without opening it.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
import os  # noqa: E402
import stat as st  # noqa: E402
import threading  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import BinaryIO, TypeVar  # noqa: E402

from ybscan.hosts.common.backupdir import list_candidates  # noqa: E402
from ybscan.hosts.common.opening import open_read  # noqa: E402
from ybscan.hosts.common.walking import WalkingVolumes  # noqa: E402
from ybscan.hosts.groups.registry import Registry  # noqa: E402
from ybscan.hosts.groups.volumes import (  # noqa: E402
    Entry,
    Mount,
    MountKind,
    Place,
    Space,
)
from ybscan.hosts.windows import netpaths  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError, failed  # noqa: E402
from ybscan.hosts.windows.live import letters  # noqa: E402
from ybscan.hosts.windows.live.dll import INVALID_HANDLE, asked, function, last_error  # noqa: E402
from ybscan.hosts.windows.live.ownnames import own  # noqa: E402
from ybscan.hosts.windows.live.places import Spot, file_system, locate, volume_of  # noqa: E402
from ybscan.hosts.windows.live.volumedisks import disks_of  # noqa: E402
from ybscan.hosts.windows.redact import holds_hashes  # noqa: E402
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown  # noqa: E402

T = TypeVar("T")

_CHUNK = 1024 * 1024
_LOOK_UP_SECONDS = 15
#: How much longer than its own time limit a walk may hang before it is left behind.
_GRACE = 5

_GENERIC_READ = 0x80000000
_SHARE_READ, _SHARE_WRITE, _SHARE_DELETE = 0x1, 0x2, 0x4
_OPEN_EXISTING = 3
_SHARING_VIOLATION = 32
_NOT_THERE = (2, 3)


class LiveVolumes(WalkingVolumes):
    """Volumes, disks under them, and bounded reading of the running system."""

    separator = "\\"

    def __init__(self, *, registry: Registry) -> None:
        super().__init__("Windows 的文件权限不以属主和权限位表示")
        self._registry = registry

    def mount(self, *, path: str) -> Reading[Mount]:
        def work() -> Reading[Mount]:
            spot = locate(path)
            if spot.unc:
                return Known(Mount(spot.unc, "", spot.unc, "network", (0, 0), spot.server), path)
            volume = volume_of(spot.root)
            return Known(Mount(spot.root, file_system(spot.root), volume, _kind(spot.root), (0, 0)), path)

        return asked(work, path, _LOOK_UP_SECONDS)

    def place(self, *, path: str) -> Reading[Place]:
        def work() -> Reading[Place]:
            spot = locate(path)
            if spot.unc:
                return self._server(spot, path)
            if not os.path.lexists(netpaths.extended(spot.path)):
                return Absent(path)
            if letters.drive_type(spot.root) == letters.RAMDISK:
                return Known(Place((), spot.layers, "", True), path)
            return Known(Place(disks_of(volume_of(spot.root), self._registry), spot.layers), path)

        return asked(work, path, _LOOK_UP_SECONDS)

    def _server(self, spot: Spot, path: str) -> Reading[Place]:
        mine = own(self._registry)
        why = netpaths.why_hidden(spot.server, mine.names, mine.addresses, mine.domains, any_name=mine.any_name)
        if why:
            return Unknown(Cause.UNAVAILABLE, f"网络路径 {spot.unc} {why}，无法得知所在的磁盘", path)
        return Known(Place((), spot.layers, spot.server), path)

    def listing(self, *, path: str, pattern: str, limit: int, seconds: int) -> Reading[tuple[Entry, ...]]:
        return self._walked(path, seconds, lambda top: list_candidates(top, pattern, limit, shown=path))

    def space(self, *, path: str, seconds: int) -> Reading[Space]:
        def work() -> Reading[Space]:
            call = function(
                "kernel32",
                "GetDiskFreeSpaceExW",
                ctypes.c_int,
                ctypes.c_wchar_p,
                *([ctypes.POINTER(ctypes.c_uint64)] * 3),
            )
            mine, total, free = ctypes.c_uint64(), ctypes.c_uint64(), ctypes.c_uint64()
            done = call(_checked(path), ctypes.byref(mine), ctypes.byref(total), ctypes.byref(free))
            if not done:
                code = ctypes.get_last_error()
                if code in _NOT_THERE:
                    return Absent(path)
                raise failed(code, path)
            return Known(Space(total.value, mine.value), path)

        return asked(work, path, seconds)

    def being_written(self, *, path: str) -> Reading[bool]:
        return asked(lambda: _being_written(path), path, 20)

    def _secret(self, path: str) -> bool:
        return holds_hashes(path)

    def _walked(self, path: str, seconds: int, look: Callable[[str], Reading[T]]) -> Reading[T]:
        """What ``look`` makes of the folder; it keeps to ``seconds`` itself unless the file system hangs."""
        return asked(lambda: look(_checked(path)), path, seconds + _GRACE)

    def _opened(self, path: str, seconds: int, work: Callable[[BinaryIO, threading.Event], Reading[T]]) -> Reading[T]:
        if holds_hashes(path):
            return Unknown(Cause.NOT_PERMITTED, f"{path} 含口令散列，不读取原文", path)
        stop = threading.Event()

        def run() -> Reading[T]:
            fd = open_read(_checked(path))
            with os.fdopen(fd, "rb") as f:
                if not st.S_ISREG(os.fstat(fd).st_mode):
                    return Unknown(Cause.MALFORMED, f"{path} 不是普通文件", path)
                return work(f, stop)

        answer = asked(run, path, seconds)
        stop.set()  # what was left behind stops at its next block
        return answer


def _checked(path: str) -> str:
    """The path in extended form, when its drive is there.

    Raises:
        NotReadError: it is no full path, or the drive is not there: what lies on it may well be.
    """
    text = netpaths.plain(path)
    if netpaths.unc_of(text) is not None or text.lower().startswith("\\\\?\\volume{"):
        return netpaths.extended(text)
    if len(text) < 3 or text[1:3] != ":\\" or not text[0].isascii():
        raise NotReadError(Unknown(Cause.MALFORMED, f"“{path}”不是完整的路径", path))
    if f"{text[0].upper()}:" not in letters.letters():
        why = f"没有盘符 {text[:2].upper()}（可能是未接入的磁盘，或其他登录会话映射的网络盘）"
        raise NotReadError(Unknown(Cause.UNAVAILABLE, why, path))
    return netpaths.extended(text)


def _kind(root: str) -> MountKind:
    sort = letters.drive_type(root)
    if sort == letters.RAMDISK:
        return "memory"
    return "disk" if sort in (letters.FIXED, letters.REMOVABLE, letters.CDROM) else "other"


def _being_written(path: str) -> Reading[bool]:
    """Open for reading while allowing others to read alone: Windows refuses when somebody has it open for writing."""
    code = _try_open(path, _SHARE_READ | _SHARE_DELETE)
    if code == 0:
        return Known(False, path)
    if code in _NOT_THERE:
        return Absent(path)
    if code != _SHARING_VIOLATION:
        raise failed(code, path)
    if _try_open(path, _SHARE_READ | _SHARE_WRITE | _SHARE_DELETE) == 0:
        return Known(True, path)
    return Unknown(Cause.UNAVAILABLE, f"{path} 正被其他程序独占使用，不能确认是否写完", path)


def _try_open(path: str, share: int) -> int:
    """The error code of opening the file for reading with that sharing; 0 when it opened. It is closed at once."""
    create = function(
        "kernel32", "CreateFileW", ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_uint32, ctypes.c_uint32,
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p,
    )  # fmt: skip
    handle = create(_checked(path), _GENERIC_READ, share, None, _OPEN_EXISTING, 0, None)
    if handle in (None, INVALID_HANDLE):
        return ctypes.get_last_error() or 1
    if not function("kernel32", "CloseHandle", ctypes.c_int, ctypes.c_void_p)(handle):
        raise last_error(path)
    return 0
