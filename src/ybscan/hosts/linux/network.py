"""Interfaces, routes and remembered networks of a Linux system."""

from __future__ import annotations

from ybscan.hosts.groups.files import Files
from ybscan.hosts.groups.network import Network
from ybscan.hosts.groups.tools import Tools


class LinuxNetwork(Network):
    """Reads /sys/class/net, iproute2 and NetworkManager's profiles."""

    def __init__(self, *, files: Files, tools: Tools) -> None:
        super().__init__()
        self._files = files
        self._tools = tools
