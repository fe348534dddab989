"""The socket tables of the running system."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

from ybscan.hosts.groups.sockets import Sockets  # noqa: E402


class LiveSockets(Sockets):
    """The socket tables of the running system."""
