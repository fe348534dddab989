"""Names, versions and rights of a Linux system, live or lying still."""

from __future__ import annotations

import os
import platform
import re
import socket
import sys

from ybscan.hosts.groups.files import Files
from ybscan.hosts.groups.system import ClockState, Identity, System
from ybscan.hosts.linux.clock import clock_state
from ybscan.hosts.linux.redact import redacted
from ybscan.model.reading import Cause, Known, Reading, Unknown

_ASSIGNMENT = re.compile(r"^([A-Z_]+)=(.*)$", re.MULTILINE)


class LinuxSystem(System):
    """Reads os-release through the files group; the running kernel's own data only when ``live``."""

    def __init__(self, files: Files, *, live: bool = True) -> None:
        super().__init__("只有运行中的系统能回答")
        self._files = files
        self._live = live

    def identity(self) -> Reading[Identity]:
        release = self._os_release()
        if self._live:
            hostname, kernel, arch = socket.gethostname(), platform.release(), platform.machine()
        else:
            name = self._files.text(path="/etc/hostname", limit=4096)
            hostname = name.value.strip() if isinstance(name, Known) else ""
            kernel, arch = "", ""
        os_id = "-".join(p for p in (release.get("ID", ""), release.get("VERSION_ID", "")) if p).lower()
        os_name = release.get("PRETTY_NAME") or release.get("NAME") or "Linux"
        return Known(Identity(hostname, os_id or "linux", os_name, kernel, arch), "/etc/os-release")

    def elevated(self) -> Reading[bool]:
        if not self._live or sys.platform == "win32":
            return self.unsupported()
        return Known(os.geteuid() == 0, "geteuid")

    def boot_time(self) -> Reading[float]:
        if not self._live:
            return self.unsupported()
        return self._boot_time()

    def _boot_time(self) -> Reading[float]:
        stat = self._files.text(path="/proc/stat")
        if not isinstance(stat, Known):
            return stat
        found = re.search(r"^btime (\d+)$", stat.value, re.MULTILINE)
        return Known(float(found[1]), "/proc/stat") if found else Unknown(Cause.MALFORMED, "/proc/stat", "/proc/stat")

    def clock(self) -> Reading[ClockState]:
        return clock_state() if self._live else self.unsupported()

    def environment(self, *, names: tuple[str, ...]) -> Reading[dict[str, str]]:
        if not self._live:
            return self.unsupported()
        return Known({n: redacted("", os.environ[n]) for n in names if n in os.environ}, "environment")

    def _os_release(self) -> dict[str, str]:
        for path in ("/etc/os-release", "/usr/lib/os-release"):
            text = self._files.text(path=path)
            if isinstance(text, Known):
                return {k: v.strip().strip("\"'") for k, v in _ASSIGNMENT.findall(text.value)}
        return {}
