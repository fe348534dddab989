"""The terminal that the collector for Windows looked at."""

from __future__ import annotations

from ybscan.hosts.base import Host
from ybscan.hosts.collected.evidence import Evidence
from ybscan.hosts.groups.tools import Tools
from ybscan.hosts.groups.usersettings import UserSettings
from ybscan.hosts.groups.volumes import Volumes
from ybscan.hosts.windows import NO_LINUX
from ybscan.hosts.windows.collected.accounts import CollectedAccounts
from ybscan.hosts.windows.collected.devices import CollectedDevices
from ybscan.hosts.windows.collected.network import CollectedNetwork
from ybscan.hosts.windows.collected.records import CollectedFiles, CollectedLogs, CollectedSecurity
from ybscan.hosts.windows.collected.registry import CollectedRegistry
from ybscan.hosts.windows.collected.running import (
    CollectedJobs,
    CollectedProcesses,
    CollectedServices,
    CollectedSockets,
)
from ybscan.hosts.windows.collected.system import CollectedSystem, system_bits

_WHY = "采集脚本不取这类信息"


def collected_windows(evidence: Evidence) -> Host:
    """A host that answers from ``evidence``; what the collector did not ask is Unknown."""
    offset = evidence.at.utcoffset() if evidence.at is not None else None
    minutes = int(offset.total_seconds() // 60) if offset is not None else 0
    registry = CollectedRegistry(evidence, bits=system_bits(evidence) or 64)
    processes = CollectedProcesses(evidence)
    return Host(
        backend="replay",
        os="windows",
        system=CollectedSystem(evidence, registry),
        files=CollectedFiles(evidence),
        tools=Tools(_WHY),
        processes=processes,
        sockets=CollectedSockets(evidence, processes),
        network=CollectedNetwork(evidence, registry),
        accounts=CollectedAccounts(evidence, offset=minutes),
        user_settings=UserSettings(NO_LINUX),
        registry=registry,
        volumes=Volumes(_WHY),
        jobs=CollectedJobs(evidence, offset=minutes),
        logs=CollectedLogs(evidence),
        services=CollectedServices(evidence, registry),
        devices=CollectedDevices(evidence, registry),
        security=CollectedSecurity(evidence),
    )
