"""The terminal that the collector for Linux looked at."""

from __future__ import annotations

from ybscan.hosts.base import Host
from ybscan.hosts.collected.evidence import Evidence
from ybscan.hosts.collected.records import Malformed
from ybscan.hosts.groups.devices import Devices
from ybscan.hosts.groups.jobs import Jobs
from ybscan.hosts.groups.logs import Logs
from ybscan.hosts.groups.registry import Registry
from ybscan.hosts.groups.security import Security
from ybscan.hosts.groups.services import Services
from ybscan.hosts.groups.system import Identity
from ybscan.hosts.groups.usersettings import Setting, UserSettings
from ybscan.hosts.groups.volumes import Volumes
from ybscan.hosts.linux import NO_WINDOWS
from ybscan.hosts.linux.collected.running import (
    CollectedAccounts,
    CollectedProcesses,
    CollectedSockets,
    CollectedTools,
)
from ybscan.hosts.linux.collected.tree import CollectedFiles, parse_tree
from ybscan.hosts.linux.network import LinuxNetwork
from ybscan.hosts.linux.system import LinuxSystem
from ybscan.model.problem import InputProblems, Problem
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

_WHY = "采集脚本不取这类信息"


class CollectedSystem(LinuxSystem):
    """os-release out of the tree, names and rights out of the manifest."""

    def __init__(self, files: CollectedFiles, evidence: Evidence) -> None:
        super().__init__(files, live=False)
        self._why = _WHY
        self._about = evidence.collector

    def identity(self) -> Reading[Identity]:
        read = super().identity()
        if not isinstance(read, Known):
            return read
        who = read.value
        made = Identity(
            self._about.text("host"), who.os_id, who.os_name, self._about.text("kernel"), self._about.text("arch")
        )
        return Known(made, read.origin)

    def elevated(self) -> Reading[bool]:
        said = self._about.text("elevated")
        if said not in ("yes", "no"):
            return Unknown(Cause.MALFORMED, "采集结果没有说明权限", "manifest")
        return Known(said == "yes", "manifest")

    def boot_time(self) -> Reading[float]:
        return self._boot_time()


class CollectedUserSettings(UserSettings):
    """No database was brought; only that there is none can be told."""

    def __init__(self, files: CollectedFiles) -> None:
        super().__init__(_WHY)
        self._files = files

    def dconf(self, *, path: str, keys: tuple[str, ...]) -> Reading[dict[str, Setting]]:
        return self._absent(path)

    def locks(self, *, path: str, keys: tuple[str, ...]) -> Reading[tuple[str, ...]]:
        return self._absent(path)

    def _absent(self, path: str) -> Absent | Unknown:
        seen = self._files.stat(path=path)
        if isinstance(seen, Known):
            return Unknown(Cause.NOT_RECORDED, f"采集结果没有 {path} 的内容", path)
        return seen


def collected_linux(evidence: Evidence) -> Host:
    """A host that answers from ``evidence``; what the collector did not ask is Unknown.

    Raises:
        InputProblems: the list of files is missing or damaged.
    """
    data = evidence.content("tree")
    if not isinstance(data, Known):
        detail = data.text if isinstance(data, Unknown) else "没有文件清单"
        raise InputProblems([Problem(f"{evidence.name}:tree.list", 0, detail, "请重新采集")])
    try:
        tree = parse_tree(data.value)
    except Malformed as e:
        raise InputProblems([Problem(f"{evidence.name}:tree.list", 0, str(e), "请重新采集")]) from None
    files = CollectedFiles(tree, evidence.members)
    tools = CollectedTools(evidence)
    accounts = CollectedAccounts(files, evidence)
    processes = CollectedProcesses(evidence, accounts)
    return Host(
        backend="replay",
        os="linux",
        system=CollectedSystem(files, evidence),
        files=files,
        tools=tools,
        processes=processes,
        sockets=CollectedSockets(evidence, processes),
        network=LinuxNetwork(files=files, tools=tools),
        accounts=accounts,
        user_settings=CollectedUserSettings(files),
        registry=Registry(NO_WINDOWS),
        volumes=Volumes(_WHY),
        jobs=Jobs(_WHY),
        logs=Logs(_WHY),
        services=Services(NO_WINDOWS),
        devices=Devices(NO_WINDOWS),
        security=Security(NO_WINDOWS),
    )
