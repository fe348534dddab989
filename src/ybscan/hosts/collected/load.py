"""From evidence to a host, whichever collector brought it."""

from __future__ import annotations

from ybscan.hosts.base import Host
from ybscan.hosts.collected.evidence import Evidence
from ybscan.model.problem import InputProblems, Problem


def collected_host(evidence: Evidence) -> Host:
    """The terminal that ``evidence`` is about.

    Raises:
        InputProblems: it holds something that its collector never writes.
    """
    if evidence.kind == "windows":
        from ybscan.hosts.windows.collected.host import collected_windows

        return collected_windows(evidence)
    raise InputProblems([Problem(evidence.name, 0, "不认识的采集结果", "请使用本程序附带的采集脚本")])
