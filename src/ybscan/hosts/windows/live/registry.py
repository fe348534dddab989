"""The registry of the running system."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

from ybscan.hosts.groups.registry import Registry  # noqa: E402


class LiveRegistry(Registry):
    """The registry of the running system."""
