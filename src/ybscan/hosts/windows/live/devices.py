"""Device nodes and physical disks of the running system."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

from ybscan.hosts.groups.devices import Devices  # noqa: E402


class LiveDevices(Devices):
    """Device nodes and physical disks of the running system."""
