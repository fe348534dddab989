"""What Windows knows about the console and the rights of this process."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
import os  # noqa: E402
from ctypes import wintypes  # noqa: E402

_KERNEL = ctypes.WinDLL("kernel32", use_last_error=True)
_KERNEL.GetConsoleOutputCP.argtypes = ()
_KERNEL.GetConsoleOutputCP.restype = wintypes.UINT
_KERNEL.GetConsoleProcessList.argtypes = (ctypes.POINTER(wintypes.DWORD), wintypes.DWORD)
_KERNEL.GetConsoleProcessList.restype = wintypes.DWORD
_KERNEL.ProcessIdToSessionId.argtypes = (wintypes.DWORD, ctypes.POINTER(wintypes.DWORD))
_KERNEL.ProcessIdToSessionId.restype = wintypes.BOOL
_ROOM = 64


def output_code_page() -> int:
    """The code page of the console this process hangs on; 0 when it has none (GetConsoleOutputCP)."""
    return int(_KERNEL.GetConsoleOutputCP())


def console_processes() -> tuple[int, ...]:
    """The ids of all processes on our console, empty when there is no console (GetConsoleProcessList).

    With more processes than there is room for the function names none and returns their number; then there is
    certainly company, and process id 0 stands for it.
    """
    buffer = (wintypes.DWORD * _ROOM)()
    count = int(_KERNEL.GetConsoleProcessList(buffer, _ROOM))
    return tuple(buffer[:count]) if count <= _ROOM else (0,)


def in_services_session() -> bool:
    """Whether this is session 0, where services and unattended tasks run and nobody can press a key."""
    session = wintypes.DWORD()
    return bool(_KERNEL.ProcessIdToSessionId(os.getpid(), ctypes.byref(session))) and session.value == 0
