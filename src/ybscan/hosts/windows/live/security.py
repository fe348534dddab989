"""Security centre, firewall, audit policy and signatures of the running system."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

from ybscan.hosts.groups.security import Security  # noqa: E402


class LiveSecurity(Security):
    """Security centre, firewall, audit policy and signatures of the running system."""
