"""What the file service of the running system shares at this moment, shares without a definition in the registry too.

Source: NetShareEnum. Level 2 tells the folders and is for administrators; everybody may have level 1.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
from ctypes import POINTER, byref, c_uint32, c_void_p, c_wchar_p  # noqa: E402

from ybscan.hosts.groups.network import SharedFolder  # noqa: E402
from ybscan.hosts.windows import sharedata  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError, failed  # noqa: E402
from ybscan.hosts.windows.live.dll import WORD, copied, function  # noqa: E402
from ybscan.hosts.windows.memory import Memory  # noqa: E402
from ybscan.model.reading import Cause, Known, Reading, Unknown  # noqa: E402

_ORIGIN = "NetShareEnum"
_ALL_THERE_IS = 0xFFFFFFFF
_DENIED, _MORE_DATA = 5, 234
#: NERR_ServerNotStarted
_NOT_STARTED = 2114


def shares() -> Reading[tuple[SharedFolder, ...]]:
    """The shares; none while the server does not run.

    Raises:
        NotReadError: the server does not say.
        MalformedBufferError: it says nonsense.
    """
    try:
        found = _listed(2)
    except NotReadError as e:
        if e.code == _NOT_STARTED:
            return Known((), _ORIGIN)
        if e.code != _DENIED:
            raise
        found = _listed(1)
    return Known(tuple(sorted(found, key=lambda s: s.name.lower())), _ORIGIN)


def _listed(level: int) -> list[SharedFolder]:
    ask = function(
        "netapi32", _ORIGIN, c_uint32, c_wchar_p, c_uint32, POINTER(c_void_p), c_uint32, POINTER(c_uint32),
        POINTER(c_uint32), POINTER(c_uint32),
    )  # fmt: skip
    free = function("netapi32", "NetApiBufferFree", c_uint32, c_void_p)
    measure = function("netapi32", "NetApiBufferSize", c_uint32, c_void_p, POINTER(c_uint32))
    found: list[SharedFolder] = []
    resume = c_uint32()
    while True:
        buffer, count, total, size = c_void_p(), c_uint32(), c_uint32(), c_uint32()
        code = ask(None, level, byref(buffer), _ALL_THERE_IS, byref(count), byref(total), byref(resume))
        try:
            if code not in (0, _MORE_DATA):
                raise failed(code, _ORIGIN)
            if not buffer.value:
                # IPC$ at least is there while the server runs.
                raise NotReadError(Unknown(Cause.UNAVAILABLE, f"{_ORIGIN}：系统没有给出内容", _ORIGIN))
            needed = count.value * sharedata.row_size(level, WORD)
            if measure(buffer, byref(size)) or size.value < needed:
                raise NotReadError(Unknown(Cause.MALFORMED, f"{_ORIGIN}：系统给出的内容不完整", _ORIGIN))
            memory = Memory(copied(buffer.value, needed), buffer.value, WORD)
            found.extend(sharedata.shares(memory, count.value, level, ctypes.wstring_at))
        finally:
            if buffer.value:
                free(buffer)
        if code == 0:
            return found
        if not count.value:
            raise NotReadError(Unknown(Cause.INCOMPLETE, "共享列表没有读完", _ORIGIN))
