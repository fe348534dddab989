"""The kernel's view of its clock: adjtimex(2) with no mode set, which any user may call and which changes nothing."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from typing import ClassVar

from ybscan.hosts.groups.system import ClockState
from ybscan.model.reading import Cause, Known, Reading, Unknown

_STA_UNSYNC = 0x0040


class _Timex(ctypes.Structure):
    """struct timex of sys/timex.h."""

    _fields_: ClassVar = [
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long), ("status", ctypes.c_int), ("constant", ctypes.c_long),
        ("precision", ctypes.c_long), ("tolerance", ctypes.c_long), ("seconds", ctypes.c_long),
        ("microseconds", ctypes.c_long), ("tick", ctypes.c_long), ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long), ("shift", ctypes.c_int), ("stabil", ctypes.c_long), ("jitcnt", ctypes.c_long),
        ("calcnt", ctypes.c_long), ("errcnt", ctypes.c_long), ("stbcnt", ctypes.c_long), ("tai", ctypes.c_int),
        ("reserved", ctypes.c_int * 11),
    ]  # fmt: skip


def clock_state() -> Reading[ClockState]:
    """Ask the kernel; Unknown where the call is forbidden (a sandbox) or not there."""
    if sys.platform != "linux":
        return Unknown(Cause.UNSUPPORTED, "只有运行中的 Linux 能回答", "adjtimex")
    state = _Timex()
    try:
        call = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return Unknown(Cause.UNSUPPORTED, "系统没有 adjtimex", "adjtimex")
    call.argtypes, call.restype = [ctypes.POINTER(_Timex)], ctypes.c_int
    if call(ctypes.byref(state)) < 0:
        number = ctypes.get_errno()
        cause = Cause.DENIED if number in (errno.EPERM, errno.EACCES) else Cause.UNAVAILABLE
        return Unknown(cause, f"adjtimex：{os.strerror(number)}", "adjtimex")
    return Known(ClockState(not state.status & _STA_UNSYNC, state.maxerror / 1e6), "adjtimex")
