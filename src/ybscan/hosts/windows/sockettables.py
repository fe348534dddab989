"""Socket tables with owners, as GetExtendedTcpTable and GetExtendedUdpTable fill them.

Sources: MIB_TCPROW_OWNER_PID, MIB_TCP6ROW_OWNER_PID, MIB_UDPROW_OWNER_PID, MIB_UDP6ROW_OWNER_PID. Ports lie in the
lower half of a number, in network order; addresses in network order.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ybscan.hosts.groups.sockets import Socket
from ybscan.hosts.windows.memory import MalformedBufferError, Memory


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in a row of ``size`` bytes what lies; None for what the table lacks."""

    proto: Literal["tcp", "udp"]
    family: Literal["ipv4", "ipv6"]
    size: int
    local: int
    local_port: int
    pid: int
    remote: int | None = None
    remote_port: int = 0
    state: int = 0


TCP4 = Layout("tcp", "ipv4", 24, local=4, local_port=8, remote=12, remote_port=16, pid=20, state=0)
TCP6 = Layout("tcp", "ipv6", 56, local=0, local_port=20, remote=24, remote_port=44, state=48, pid=52)
UDP4 = Layout("udp", "ipv4", 12, local=0, local_port=4, pid=8)
UDP6 = Layout("udp", "ipv6", 28, local=0, local_port=20, pid=24)

_LISTEN, _ESTABLISHED = 2, 5


def sockets(data: bytes, layout: Layout) -> Iterator[Socket]:
    """The sockets of a table, without the names of their programs; one that is not bound is left out.

    Raises:
        MalformedBufferError: the table is shorter than it says, or a state is none.
    """
    memory = Memory(data)
    for n in range(memory.number(0, 4)):
        at = 4 + n * layout.size
        memory.at(at, layout.size)
        local_port = _port(memory, at + layout.local_port)
        if not local_port:
            continue
        remote, remote_port = "", 0
        state: Literal["listen", "established", "other"] = "listen"
        if layout.remote is not None:
            number = memory.number(at + layout.state, 4)
            if not 1 <= number <= 12:
                raise MalformedBufferError("a socket in no state")
            state = "listen" if number == _LISTEN else "established" if number == _ESTABLISHED else "other"
            if state != "listen":
                remote = _address(memory, at + layout.remote, layout)
                remote_port = _port(memory, at + layout.remote_port)
        yield Socket(
            layout.proto, layout.family, _address(memory, at + layout.local, layout), local_port, remote, remote_port,
            state, memory.number(at + layout.pid, 4) or None, "",
        )  # fmt: skip


def _port(memory: Memory, offset: int) -> int:
    return int.from_bytes(memory.at(offset, 2), "big")


def _address(memory: Memory, offset: int, layout: Layout) -> str:
    if layout.family == "ipv4":
        return str(ipaddress.IPv4Address(memory.at(offset, 4)))
    return str(ipaddress.IPv6Address(memory.at(offset, 16)))
