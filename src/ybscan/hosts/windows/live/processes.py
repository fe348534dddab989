"""The process list of the running system: names, images and owners; no command line.

Sources: PROCESSENTRY32W, QueryFullProcessImageNameW (needs no more than the right to limited information),
OpenProcessToken, TOKEN_USER.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
import os  # noqa: E402
from ctypes import POINTER, byref, c_uint32, c_void_p, c_wchar_p  # noqa: E402
from typing import ClassVar  # noqa: E402

from ybscan.hosts.groups.processes import Process, Processes  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live import sids  # noqa: E402
from ybscan.hosts.windows.live.dll import INVALID_HANDLE, asked, function, last_error  # noqa: E402
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown  # noqa: E402

_ORIGIN = "CreateToolhelp32Snapshot"
_SNAP_PROCESSES = 0x2
_LIMITED_INFORMATION = 0x1000
_TOKEN_QUERY = 0x8
_TOKEN_USER = 1
_NO_MORE_FILES = 18
#: Of parts of the kernel that the list shows as processes (Registry, Memory Compression), and of one that has just ended.
_NO_IMAGE = (31, 87)
_IDLE_AND_SYSTEM = (0, 4)


class _Entry(ctypes.Structure):
    """PROCESSENTRY32W."""

    _fields_: ClassVar = [
        ("size", c_uint32), ("usage", c_uint32), ("pid", c_uint32), ("heap", ctypes.c_size_t), ("module", c_uint32),
        ("threads", c_uint32), ("parent", c_uint32), ("priority", ctypes.c_int32), ("flags", c_uint32),
        ("name", ctypes.c_wchar * 260),
    ]  # fmt: skip


class LiveProcesses(Processes):
    """All processes are listed for everyone; images and owners of other people's need administrator rights."""

    def running(self) -> Reading[tuple[Process, ...]]:
        return asked(_running, _ORIGIN)


def _running() -> Reading[tuple[Process, ...]]:
    found: list[Process] = []
    hidden = 0
    for pid, parent, name in _snapshot():
        exe, user = ("", "") if pid in _IDLE_AND_SYSTEM else _image_and_user(pid)
        hidden += exe is None
        found.append(Process(pid, parent, name, exe, None, user))
    if not any(p.pid == os.getpid() for p in found):
        return Unknown(Cause.UNAVAILABLE, "进程列表不完整，其中没有本程序", _ORIGIN)
    gaps = (Gap(Cause.DENIED, f"{hidden} 个进程的程序文件无法读取", "QueryFullProcessImageName/exe"),) if hidden else ()
    return Known(tuple(sorted(found, key=lambda p: p.pid)), _ORIGIN, gaps)


def _snapshot() -> list[tuple[int, int, str]]:
    """Number, parent's number and name of each process.

    Raises:
        NotReadError: the list could not be made, or broke off.
    """
    make = function("kernel32", "CreateToolhelp32Snapshot", c_void_p, c_uint32, c_uint32)
    first = function("kernel32", "Process32FirstW", ctypes.c_int, c_void_p, POINTER(_Entry))
    following = function("kernel32", "Process32NextW", ctypes.c_int, c_void_p, POINTER(_Entry))
    close = function("kernel32", "CloseHandle", ctypes.c_int, c_void_p)
    snapshot = make(_SNAP_PROCESSES, 0)
    if snapshot is None or snapshot == INVALID_HANDLE:
        raise last_error(_ORIGIN)
    found = []
    try:
        entry = _Entry(size=ctypes.sizeof(_Entry))
        more = first(snapshot, byref(entry))
        while more:
            found.append((entry.pid, entry.parent, entry.name))
            more = following(snapshot, byref(entry))
        if ctypes.get_last_error() != _NO_MORE_FILES:
            raise last_error(_ORIGIN)
    finally:
        close(snapshot)
    return found


def _image_and_user(pid: int) -> tuple[str | None, str]:
    """The program's path (None when it may not be read, empty when there is none) and the owner's name, else SID."""
    opened = function("kernel32", "OpenProcess", c_void_p, c_uint32, ctypes.c_int, c_uint32)
    process = opened(_LIMITED_INFORMATION, 0, pid)
    if not process:
        return ("" if ctypes.get_last_error() in _NO_IMAGE else None), ""
    try:
        return _image(process), _user(process)
    finally:
        function("kernel32", "CloseHandle", ctypes.c_int, c_void_p)(process)


def _image(process: int) -> str | None:
    ask = function(
        "kernel32", "QueryFullProcessImageNameW", ctypes.c_int, c_void_p, c_uint32, c_wchar_p, POINTER(c_uint32)
    )
    path, size = ctypes.create_unicode_buffer(32768), c_uint32(32768)
    if not ask(process, 0, path, byref(size)):
        return "" if ctypes.get_last_error() in _NO_IMAGE else None
    # "Registry" and the like are names, not programs.
    return path.value if "\\" in path.value else ""


def _user(process: int) -> str:
    token = c_void_p()
    opened = function("advapi32", "OpenProcessToken", ctypes.c_int, c_void_p, c_uint32, POINTER(c_void_p))
    ask = function(
        "advapi32", "GetTokenInformation", ctypes.c_int, c_void_p, c_uint32, c_void_p, c_uint32, POINTER(c_uint32)
    )
    if not opened(process, _TOKEN_QUERY, byref(token)):
        return ""
    try:
        data, size = ctypes.create_string_buffer(256), c_uint32()
        if not ask(token, _TOKEN_USER, data, 256, byref(size)):
            return ""
        sid = sids.text_of_sid(c_void_p.from_buffer(data).value or 0)
    except NotReadError:
        return ""
    finally:
        function("kernel32", "CloseHandle", ctypes.c_int, c_void_p)(token)
    return sids.named(sid)[0] or sid
