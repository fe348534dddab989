"""Scheduled tasks of the running system."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

from ybscan.hosts.groups.jobs import Jobs  # noqa: E402


class LiveJobs(Jobs):
    """Scheduled tasks of the running system."""
