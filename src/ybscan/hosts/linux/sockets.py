"""The socket tables, through psutil."""

from __future__ import annotations

import os
import socket
import sys
from typing import Literal

from ybscan.hosts.common.errors import from_error
from ybscan.hosts.groups.processes import Processes
from ybscan.hosts.groups.sockets import Socket, Sockets
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown

assert sys.platform != "win32"  # noqa: S101 - tells the type checker what system this file is for


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
            return Unknown(Cause.DENIED, "/proc/net", "/proc/net")
        except OSError as e:
            found = from_error(e, "/proc/net")
            # A kernel without a socket table is none we know; what is missing here was hidden from us.
            return found if isinstance(found, Unknown) else Unknown(Cause.UNAVAILABLE, "/proc/net", "/proc/net")
        except (RuntimeError, ValueError, IndexError) as e:  # psutil on a table it cannot parse
            return Unknown(Cause.MALFORMED, f"/proc/net：{type(e).__name__}", "/proc/net")
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
            if not local_port:
                continue  # not bound yet: nobody can reach it
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
        # Listeners of the kernel itself (NFS, WireGuard) have no owner for anyone; only who saw every process's files
        # may say that an ownerless socket is one of those.
        hidden = _hidden_owners() if orphans else 0
        gaps = (Gap(Cause.DENIED, f"{orphans} 个监听端口的所属进程无法读取", "/proc/*/fd"),) if hidden else ()
        ordered = sorted(
            sockets, key=lambda s: (s.proto, s.local_port, s.family, s.local, s.remote, s.remote_port, s.pid or 0)
        )
        return Known(tuple(ordered), "/proc/net", gaps)


def _hidden_owners() -> int:
    """How many processes' open files cannot be listed; at least one when some processes may be hidden altogether."""
    if os.geteuid() != 0:
        return 1
    hidden = 0
    try:
        pids = [n for n in os.listdir("/proc") if n.isdigit()]  # noqa: PTH208
    except OSError:
        return 1
    for pid in pids:
        try:
            os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile
        except OSError:
            hidden += 1
    return hidden
