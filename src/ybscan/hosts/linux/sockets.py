"""The socket tables, through psutil."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from ybscan.hosts.groups.processes import Processes
from ybscan.hosts.groups.sockets import Socket, Sockets
from ybscan.hosts.linux.errors import from_error
from ybscan.model.reading import Cause, Gap, Known, Reading

if TYPE_CHECKING:
    from typing import Literal


class LinuxSockets(Sockets):
    """/proc/net/{tcp,tcp6,udp,udp6} with owners; owners of other users' sockets need root."""

    def __init__(self, processes: Processes) -> None:
        super().__init__()
        self._processes = processes

    def table(self) -> Reading[tuple[Socket, ...]]:
        import psutil

        try:
            rows = psutil.net_connections(kind="inet")
        except psutil.AccessDenied:
            rows = []
        except OSError as e:
            return from_error(e, "/proc/net")
        running = self._processes.running()
        names = {p.pid: p.name for p in running.value} if isinstance(running, Known) else {}
        sockets = []
        orphans = 0
        for row in rows:
            proto: Literal["tcp", "udp"] = "tcp" if row.type == socket.SOCK_STREAM else "udp"
            local, local_port = row.laddr if row.laddr else ("", 0)
            remote, remote_port = row.raddr if row.raddr else ("", 0)
            listening = row.status == psutil.CONN_LISTEN if proto == "tcp" else not row.raddr
            state: Literal["listen", "established", "other"] = (
                "listen"
                if listening
                else "established"
                if proto == "udp" or row.status == psutil.CONN_ESTABLISHED
                else "other"
            )
            # Sockets in TIME_WAIT and the like belong to nobody any more; only a listener without owner is a gap.
            orphans += row.pid is None and listening
            sockets.append(
                Socket(
                    proto,
                    "ipv6" if row.family == socket.AF_INET6 else "ipv4",
                    local,
                    local_port,
                    remote,
                    remote_port,
                    state,
                    row.pid,
                    names.get(row.pid or 0, ""),
                )
            )
        gaps = (Gap(Cause.DENIED, f"{orphans} 个监听端口的所属进程无法读取", "/proc/*/fd"),) if orphans else ()
        ordered = sorted(
            sockets, key=lambda s: (s.proto, s.local_port, s.family, s.local, s.remote, s.remote_port, s.pid or 0)
        )
        return Known(tuple(ordered), "/proc/net", gaps)
