"""What Windows this is, and with what rights we look."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

from ybscan.hosts.groups.system import System  # noqa: E402


class LiveSystem(System):
    """What Windows this is, and with what rights we look."""
