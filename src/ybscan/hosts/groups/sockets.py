"""The socket tables: who listens, who talks to whom. Passive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ybscan.hosts.base import Group, question
from ybscan.model.reading import Reading


@dataclass(frozen=True, slots=True)
class Socket:
    """One socket. ``pid`` is None when the owner could not be read; ``program`` is its process name then empty.

    A v6 socket on ``::`` usually serves IPv4 too. ``remote`` and ``remote_port`` are empty and 0 without a peer.
    """

    proto: Literal["tcp", "udp"]
    family: Literal["ipv4", "ipv6"]
    local: str
    local_port: int
    remote: str
    remote_port: int
    state: Literal["listen", "established", "other"]
    pid: int | None
    program: str


class Sockets(Group):
    """TCP and UDP sockets of both families, in this network namespace."""

    name = "sockets"

    @question
    def table(self) -> Reading[tuple[Socket, ...]]:
        """All sockets. UDP sockets without a peer count as ``listen`` (they never show LISTEN)."""
        return self.unsupported()
