"""Interfaces, routes and remembered networks of a Linux system."""

from __future__ import annotations

from collections.abc import Callable

from ybscan.hosts.groups.files import Files
from ybscan.hosts.groups.network import Interface, Network, Route, SavedNetwork
from ybscan.hosts.groups.tools import Tools
from ybscan.hosts.linux.netlinks import Addresses, read_interfaces
from ybscan.hosts.linux.netreach import tcp_opens
from ybscan.hosts.linux.netroutes import read_routes
from ybscan.hosts.linux.netsaved import read_saved
from ybscan.model.reading import Reading


class LinuxNetwork(Network):
    """Reads /sys/class/net, iproute2, /proc/net and the profiles of connection managers.

    ``addresses`` asks the kernel for the addresses of interfaces without iproute2; None where ``files`` is a tree
    that only stands for a system.
    """

    def __init__(
        self, *, files: Files, tools: Tools, addresses: Callable[[], Reading[Addresses]] | None = None
    ) -> None:
        super().__init__()
        self._files = files
        self._tools = tools
        self._addresses = addresses

    def interfaces(self) -> Reading[tuple[Interface, ...]]:
        return read_interfaces(self._files, self._tools, self._addresses)

    def routes(self) -> Reading[tuple[Route, ...]]:
        return read_routes(self._files, self._tools)

    def saved(self) -> Reading[tuple[SavedNetwork, ...]]:
        return read_saved(self._files, self._tools)

    def reach(self, *, target: str, port: int, interface: str, seconds: float) -> Reading[bool]:
        if self._addresses is None:
            return self.unsupported()
        return tcp_opens(target=target, port=port, interface=interface, seconds=seconds, addresses=self._addresses)
