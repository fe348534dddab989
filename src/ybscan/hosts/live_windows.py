"""The terminal we run on, when it runs Windows.

Each group of questions has its own class in ``hosts/windows/live``; here they are put together. On another system the
host can be made all the same, and answers Unknown(unsupported) to everything.
"""

from __future__ import annotations

import sys
from typing import Any

from ybscan.hosts.base import Host
from ybscan.hosts.groups.tools import Tools
from ybscan.hosts.groups.usersettings import UserSettings
from ybscan.hosts.replay import group_types
from ybscan.hosts.windows import NO_LINUX

_WHY = "只有运行中的 Windows 能回答"
_NO_TOOLS = "在 Windows 上不执行系统命令，只调用系统接口"


def live_windows() -> Host:
    """The running system."""
    if sys.platform == "win32":
        from ybscan.hosts.windows.live.accounts import LiveAccounts
        from ybscan.hosts.windows.live.devices import LiveDevices
        from ybscan.hosts.windows.live.files import LiveFiles, read_bytes
        from ybscan.hosts.windows.live.jobs import LiveJobs
        from ybscan.hosts.windows.live.logs import LiveLogs
        from ybscan.hosts.windows.live.network import LiveNetwork
        from ybscan.hosts.windows.live.processes import LiveProcesses
        from ybscan.hosts.windows.live.registry import LiveRegistry
        from ybscan.hosts.windows.live.security import LiveSecurity
        from ybscan.hosts.windows.live.services import LiveServices
        from ybscan.hosts.windows.live.sockets import LiveSockets
        from ybscan.hosts.windows.live.system import LiveSystem
        from ybscan.hosts.windows.live.volumes import LiveVolumes

        registry = LiveRegistry(read_bytes)
        processes, services, devices = LiveProcesses(), LiveServices(registry), LiveDevices()
        return Host(
            backend="live",
            os="windows",
            system=LiveSystem(registry),
            files=LiveFiles(),
            tools=Tools(_NO_TOOLS),
            processes=processes,
            sockets=LiveSockets(processes),
            network=LiveNetwork(registry=registry, services=services, devices=devices),
            accounts=LiveAccounts(),
            user_settings=UserSettings(NO_LINUX),
            registry=registry,
            volumes=LiveVolumes(registry=registry),
            jobs=LiveJobs(),
            logs=LiveLogs(),
            services=services,
            devices=devices,
            security=LiveSecurity(services=services),
        )
    silent: dict[str, Any] = {name: kind(_WHY) for name, kind in group_types().items()}
    return Host(backend="live", os="windows", **silent)
