"""Services and drivers of the running system."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

from ybscan.hosts.groups.services import Services  # noqa: E402


class LiveServices(Services):
    """Services and drivers of the running system."""
