"""With what rights this process runs."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402

from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live.dll import function  # noqa: E402


def elevated() -> bool:
    """Whether the process has an administrator's full token; false where that cannot be told."""
    try:
        return bool(function("shell32", "IsUserAnAdmin", ctypes.c_int)())
    except NotReadError:
        return False
