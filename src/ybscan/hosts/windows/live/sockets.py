"""The socket tables of the running system, with their owners.

Sources: GetExtendedTcpTable, GetExtendedUdpTable (TCP_TABLE_OWNER_PID_ALL, UDP_TABLE_OWNER_PID).
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
from ctypes import POINTER, byref, c_uint32, c_void_p  # noqa: E402
from dataclasses import replace  # noqa: E402

from ybscan.hosts.groups.processes import Processes  # noqa: E402
from ybscan.hosts.groups.sockets import Socket, Sockets  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError, from_system  # noqa: E402
from ybscan.hosts.windows.live.dll import asked, function  # noqa: E402
from ybscan.hosts.windows.memory import MalformedBufferError  # noqa: E402
from ybscan.hosts.windows.sockettables import TCP4, TCP6, UDP4, UDP6, Layout, sockets  # noqa: E402
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown  # noqa: E402

_ORIGIN = "GetExtendedTcpTable/UdpTable"
_FAMILIES = {"ipv4": 2, "ipv6": 23}
_CLASSES = {"tcp": 5, "udp": 1}
_TOO_SMALL = 122
_TRIES = 10


class LiveSockets(Sockets):
    """Owners are told to everyone; their names come from the process list."""

    def __init__(self, processes: Processes) -> None:
        super().__init__()
        self._processes = processes

    def table(self) -> Reading[tuple[Socket, ...]]:
        return asked(self._table, _ORIGIN)

    def _table(self) -> Reading[tuple[Socket, ...]]:
        found: list[Socket] = []
        failed: list[Unknown] = []
        for layout in (TCP4, TCP6, UDP4, UDP6):
            try:
                found.extend(sockets(_rows(layout), layout))
            except NotReadError as e:
                failed.append(e.reading)
            except MalformedBufferError:
                what = f"{layout.proto.upper()} {layout.family}"
                failed.append(Unknown(Cause.MALFORMED, f"{what} 端口列表无法识别", _ORIGIN))
        if len(failed) == 4:
            return failed[0]
        if not found and not failed:
            # The endpoint mapper of RPC listens on every Windows.
            return Unknown(Cause.UNAVAILABLE, "系统没有给出任何端口", _ORIGIN)
        running = self._processes.running()
        names = {p.pid: p.name for p in running.value} if isinstance(running, Known) else {}
        gaps = [f.as_gap() for f in failed]
        # Closed connections belong to nobody; a listener does, and whose it is decides whether it may be there.
        if orphans := sum(s.pid is None and s.state == "listen" for s in found):
            gaps.append(Gap(Cause.UNAVAILABLE, f"{orphans} 个监听端口的所属进程系统没有给出", _ORIGIN))
        ordered = sorted(
            (replace(s, program=names.get(s.pid or 0, "") if s.pid else "") for s in found),
            key=lambda s: (s.proto, s.local_port, s.family, s.local, s.remote, s.remote_port, s.pid or 0),
        )
        return Known(tuple(ordered), _ORIGIN, tuple(gaps))


def _rows(layout: Layout) -> bytes:
    """One table as the system fills it.

    Raises:
        NotReadError: there is none, or it grew faster than it could be read.
    """
    name = "GetExtendedTcpTable" if layout.proto == "tcp" else "GetExtendedUdpTable"
    ask = function("iphlpapi", name, c_uint32, c_void_p, POINTER(c_uint32), ctypes.c_int, c_uint32, c_uint32, c_uint32)
    size = c_uint32(64 * 1024)
    code = 0
    for _ in range(_TRIES):
        room = size.value
        buffer = ctypes.create_string_buffer(room)
        code = ask(buffer, byref(size), 0, _FAMILIES[layout.family], _CLASSES[layout.proto], 0)
        if code == 0:
            return buffer.raw
        if code != _TOO_SMALL:
            break
        size.value = max(size.value, room) + 16 * 1024
    raise NotReadError(from_system(code, f"{name}（{layout.family}）"))
