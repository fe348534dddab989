"""The terminal we run on, when it runs Windows.

This version reads only what machine it is and with what rights we look. Every other group answers Unknown(unsupported),
so that a scan gives a whole record of 无法判定 instead of none.
"""

from __future__ import annotations

import platform
import sys
from typing import Any

from ybscan.hosts.base import Host
from ybscan.hosts.groups.system import Identity, System
from ybscan.hosts.replay import group_types
from ybscan.model.reading import Cause, Known, Reading, Unknown

_WHY = "本版本尚不能在运行中的 Windows 上读取这类信息"


class WindowsSystem(System):
    """Names from the Windows version information, rights from the process token."""

    def identity(self) -> Reading[Identity]:
        version, build = platform.win32_ver()[0], platform.version()
        return Known(
            Identity(
                hostname=platform.node(),
                os_id=f"windows-{build}".lower(),
                os_name=f"Windows {version}（{build}）",
                kernel=build,
                arch=platform.machine(),
            ),
            "Windows 版本信息",
        )

    def elevated(self) -> Reading[bool]:
        if sys.platform != "win32":
            return Unknown(Cause.UNSUPPORTED, _WHY)
        import ctypes

        return Known(bool(ctypes.windll.shell32.IsUserAnAdmin()), "IsUserAnAdmin")


def live_windows() -> Host:
    """The running system."""
    groups: dict[str, Any] = {name: kind(_WHY) for name, kind in group_types().items()}
    groups["system"] = WindowsSystem(_WHY)
    return Host(backend="live", os="windows", **groups)
