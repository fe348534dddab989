"""Event logs of the running system."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

from ybscan.hosts.groups.logs import Logs  # noqa: E402


class LiveLogs(Logs):
    """Event logs of the running system."""
