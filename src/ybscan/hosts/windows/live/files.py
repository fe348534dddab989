"""Files of the running system."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

from ybscan.hosts.groups.files import Files  # noqa: E402


class LiveFiles(Files):
    """Files of the running system."""
