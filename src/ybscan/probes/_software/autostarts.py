"""One thing that starts by itself."""

from __future__ import annotations

from dataclasses import dataclass

from ybscan.model.reading import Unknown
from ybscan.probes._software.text import shown

KIND_TEXT = {
    "systemd": "系统服务单元", "systemd-alias": "系统服务别名", "systemd-dropin": "系统服务附加配置",
    "user-systemd": "用户服务单元", "user-systemd-alias": "用户服务别名", "user-systemd-dropin": "用户服务附加配置",
    "cron": "计划任务", "desktop": "桌面自启动", "rc-local": "rc.local", "sysv": "SysV 启动脚本", "preload": "ld.so.preload",
    "run": "Run 键", "runonce": "RunOnce 键", "runonceex": "RunOnceEx 键", "runservices": "RunServices 键",
    "startup": "启动文件夹", "service": "自动启动的服务", "driver": "自动启动的驱动", "task": "计划任务", "winlogon": "Winlogon",
    "ifeo": "映像劫持", "appinit": "AppInit_DLLs",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Autostart:
    """``kind`` and ``name`` make the id a baseline names; ``why`` says what is suspicious, empty when nothing is."""

    kind: str
    name: str
    path: str
    owner: str = ""
    program: str = ""
    why: str = ""
    unread: Unknown | None = None
    """Why what it starts is not known."""

    @property
    def id(self) -> str:
        """Such as ``systemd:ssh.service``, ``cron:/etc/cron.d/backup:root:/usr/bin/rsync``."""
        return shown(":".join(filter(None, (self.kind, self.name))), 300)
