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
_NEITHER = (
    "其中没有 etc 文件夹，不像 Linux 系统盘；也没有 Windows\\System32\\config 中的注册表文件（SYSTEM、SOFTWARE 等），"
    "不像 Windows 系统盘"
)


def offline_root(root: Path) -> Host:
    """The Linux or Windows below ``root``. What only a live system can answer is Unknown(unsupported).

    Raises:
        InputProblems: ``root`` is no folder, or holds neither a Linux nor a Windows system.
    """
    if not root.is_dir():
        raise InputProblems([Problem(str(root), 0, "不是文件夹", "请指定挂载的系统盘或同样布局的文件夹")])
    # A Windows disk may have a folder "etc" too, but none of the files by which a Linux system is known.
    if not is_whole(root) and looks_like_windows(root):
        from ybscan.hosts.windows.offline.host import offline_windows

        return offline_windows(root)
    if not (root / "etc").is_dir():
        raise InputProblems([Problem(str(root), 0, _NEITHER, "请指定系统根目录，例如挂载点本身")])
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


def shortfall(root: Path) -> str:
    """What is missing for ``root`` to be a whole system, in Chinese; empty when nothing is, or when it is none at all."""
    if is_whole(root):
        return ""
    if looks_like_windows(root):
        from ybscan.hosts.windows.offline.tree import WindowsTree

        missing = WindowsTree(root).missing()
        return f"没有 {'、'.join(missing)}，不是完整的 Windows 系统盘" if missing else ""
    return "没有 os-release 和 passwd，不是完整的系统盘" if (root / "etc").is_dir() else ""


def looks_like_windows(root: Path) -> bool:
    """Whether ``root`` holds registry hives of the machine, in their place or directly."""
    from ybscan.hosts.windows.offline.tree import WindowsTree

    return WindowsTree(root).has_hives()


class OfflineNetwork(Network):
    """Interfaces and routes are the running kernel's; remembered networks lie on the disk."""

    def __init__(self, *, files: LinuxFiles, tools: Tools) -> None:
        super().__init__(_LIVE)
        self._disk = LinuxNetwork(files=files, tools=tools)
        self.saved = self._disk.saved  # type: ignore[method-assign]
