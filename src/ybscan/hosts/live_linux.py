"""The terminal we run on, when it runs Linux."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # noqa: S101 - tells the type checker what system this file is for

from ybscan.hosts.base import Host  # noqa: E402
from ybscan.hosts.groups.devices import Devices  # noqa: E402
from ybscan.hosts.groups.registry import Registry  # noqa: E402
from ybscan.hosts.groups.security import Security  # noqa: E402
from ybscan.hosts.groups.services import Services  # noqa: E402
from ybscan.hosts.linux import NO_WINDOWS  # noqa: E402
from ybscan.hosts.linux.accounts import LinuxAccounts  # noqa: E402
from ybscan.hosts.linux.files import LinuxFiles  # noqa: E402
from ybscan.hosts.linux.jobs import LinuxJobs  # noqa: E402
from ybscan.hosts.linux.logs import LinuxLogs  # noqa: E402
from ybscan.hosts.linux.netlinks import kernel_addresses  # noqa: E402
from ybscan.hosts.linux.network import LinuxNetwork  # noqa: E402
from ybscan.hosts.linux.processes import LinuxProcesses  # noqa: E402
from ybscan.hosts.linux.sockets import LinuxSockets  # noqa: E402
from ybscan.hosts.linux.system import LinuxSystem  # noqa: E402
from ybscan.hosts.linux.tools import LinuxTools  # noqa: E402
from ybscan.hosts.linux.usersettings import LinuxUserSettings  # noqa: E402
from ybscan.hosts.linux.volumes import LinuxVolumes  # noqa: E402


def live_linux(*, root: str = "/") -> Host:
    """The running system. ``root`` moves the files alone (a tree laid out like one); tests use it."""
    files = LinuxFiles(root=root)
    accounts = LinuxAccounts(files, root=root)
    processes = LinuxProcesses(accounts)
    tools = LinuxTools()
    return Host(
        backend="live",
        os="linux",
        system=LinuxSystem(files),
        files=files,
        tools=tools,
        processes=processes,
        sockets=LinuxSockets(processes),
        network=LinuxNetwork(files=files, tools=tools, addresses=kernel_addresses if root == "/" else None),
        accounts=accounts,
        user_settings=LinuxUserSettings(root=root),
        registry=Registry(NO_WINDOWS),
        volumes=LinuxVolumes(files, root=root),
        jobs=LinuxJobs(files, root=root),
        logs=LinuxLogs(files, root=root),
        services=Services(NO_WINDOWS),
        devices=Devices(NO_WINDOWS),
        security=Security(NO_WINDOWS),
    )
