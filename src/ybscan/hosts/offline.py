"""A system that does not run: a mounted disk, or a folder laid out like one."""

from __future__ import annotations

import os
from pathlib import Path

from ybscan.hosts.base import Host
from ybscan.hosts.groups.devices import Devices
from ybscan.hosts.groups.network import Network
from ybscan.hosts.groups.processes import Processes
from ybscan.hosts.groups.registry import Registry
from ybscan.hosts.groups.security import Security
from ybscan.hosts.groups.services import Services
from ybscan.hosts.groups.sockets import Sockets
from ybscan.hosts.groups.tools import Tools
from ybscan.hosts.linux import NO_WINDOWS
from ybscan.hosts.linux.accounts import LinuxAccounts
from ybscan.hosts.linux.files import LinuxFiles
from ybscan.hosts.linux.jobs import LinuxJobs
from ybscan.hosts.linux.logs import LinuxLogs
from ybscan.hosts.linux.network import LinuxNetwork
from ybscan.hosts.linux.system import LinuxSystem
from ybscan.hosts.linux.usersettings import LinuxUserSettings
from ybscan.hosts.linux.volumes import LinuxVolumes
from ybscan.model.problem import InputProblems, Problem

_LIVE = "只有运行中的系统能回答"


def offline_root(root: Path) -> Host:
    """The Linux tree below ``root``. What only a live system can answer is Unknown(unsupported).

    Raises:
        InputProblems: ``root`` is no folder, or holds no Linux system.
    """
    if not root.is_dir():
        raise InputProblems([Problem(str(root), 0, "不是文件夹", "请指定挂载的系统盘或同样布局的文件夹")])
    if not (root / "etc").is_dir():
        raise InputProblems([Problem(str(root), 0, "其中没有 etc 文件夹，不像 Linux 系统盘", "请指定系统根目录")])
    base = str(root.resolve())
    files = LinuxFiles(root=base, live=False, whole=is_whole(root))
    tools = Tools(_LIVE)
    return Host(
        backend="offline",
        os="linux",
        system=LinuxSystem(files, live=False),
        files=files,
        tools=tools,
        processes=Processes(_LIVE),
        sockets=Sockets(_LIVE),
        network=OfflineNetwork(files=files, tools=tools),
        accounts=LinuxAccounts(files, root=base),
        user_settings=LinuxUserSettings(root=base, live=False),
        registry=Registry(NO_WINDOWS),
        volumes=LinuxVolumes(files, root=base, live=False),
        jobs=LinuxJobs(files, root=base, live=False),
        logs=LinuxLogs(files, root=base, live=False),
        services=Services(NO_WINDOWS),
        devices=Devices(NO_WINDOWS),
        security=Security(NO_WINDOWS),
    )


#: Every Linux system has at least one of these; a folder without any holds parts of one at best.
_MARKS = ("etc/os-release", "usr/lib/os-release", "etc/passwd")


def is_whole(root: Path) -> bool:
    """Whether ``root`` looks like a whole Linux system rather than a few files of one."""
    return any(os.path.lexists(root / mark) for mark in _MARKS)


class OfflineNetwork(Network):
    """Interfaces and routes are the running kernel's; remembered networks lie on the disk."""

    def __init__(self, *, files: LinuxFiles, tools: Tools) -> None:
        super().__init__(_LIVE)
        self._disk = LinuxNetwork(files=files, tools=tools)
        self.saved = self._disk.saved  # type: ignore[method-assign]
