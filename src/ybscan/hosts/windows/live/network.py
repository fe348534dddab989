"""Interfaces, routes and remembered networks of the running system."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

from ybscan.hosts.groups.network import Network  # noqa: E402


class LiveNetwork(Network):
    """Interfaces, routes and remembered networks of the running system."""
