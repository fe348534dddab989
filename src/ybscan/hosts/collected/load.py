"""From evidence to a host, whichever collector brought it."""

from __future__ import annotations

from ybscan.hosts.base import Host
from ybscan.hosts.collected.evidence import Evidence


def collected_host(evidence: Evidence) -> Host:
    """The terminal that ``evidence`` is about.

    Raises:
        InputProblems: it holds something that its collector never writes.
    """
    if evidence.kind == "windows":
        from ybscan.hosts.windows.collected.host import collected_windows

        return collected_windows(evidence)
    from ybscan.hosts.linux.collected.host import collected_linux

    return collected_linux(evidence)
