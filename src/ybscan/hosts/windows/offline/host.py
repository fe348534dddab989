"""A Windows disk, or a folder laid out like one, as a host."""

from __future__ import annotations

from pathlib import Path

from ybscan.hosts.base import Host
from ybscan.hosts.groups.processes import Processes
from ybscan.hosts.groups.security import Security
from ybscan.hosts.groups.sockets import Sockets
from ybscan.hosts.groups.tools import Tools
from ybscan.hosts.groups.usersettings import UserSettings
from ybscan.hosts.windows import NO_LINUX
from ybscan.hosts.windows.offline import LIVE
from ybscan.hosts.windows.offline.accounts import OfflineAccounts
from ybscan.hosts.windows.offline.devices import OfflineDevices
from ybscan.hosts.windows.offline.files import OfflineFiles
from ybscan.hosts.windows.offline.jobs import OfflineJobs
from ybscan.hosts.windows.offline.logs import OfflineLogs
from ybscan.hosts.windows.offline.network import OfflineNetwork
from ybscan.hosts.windows.offline.registry import OfflineRegistry
from ybscan.hosts.windows.offline.services import OfflineServices
from ybscan.hosts.windows.offline.system import OfflineSystem
from ybscan.hosts.windows.offline.tree import WindowsTree
from ybscan.hosts.windows.offline.volumes import OfflineVolumes
from ybscan.model.reading import Known


def offline_windows(root: Path) -> Host:
    """The Windows below ``root``. What only a live system can answer is Unknown(unsupported)."""
    tree = WindowsTree(root)
    registry = OfflineRegistry(tree)
    # Windows need not have been installed on C:.
    folder = registry.value(key=r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion", name="SystemRoot")
    letter = folder.value[:2].upper() if isinstance(folder, Known) and isinstance(folder.value, str) else ""
    if letter != tree.drive and letter[1:] == ":" and letter[0].isalpha() and letter.isascii():
        tree.drive = letter
        registry = OfflineRegistry(tree)
    return Host(
        backend="offline",
        os="windows",
        system=OfflineSystem(registry),
        files=OfflineFiles(tree),
        tools=Tools(LIVE),
        processes=Processes(LIVE),
        sockets=Sockets(LIVE),
        network=OfflineNetwork(tree, registry),
        accounts=OfflineAccounts(registry),
        user_settings=UserSettings(NO_LINUX),
        registry=registry,
        volumes=OfflineVolumes(tree),
        jobs=OfflineJobs(tree, registry),
        logs=OfflineLogs(tree, registry),
        services=OfflineServices(registry),
        devices=OfflineDevices(registry),
        security=Security(LIVE),
    )
