"""Device nodes and physical disks of the running system."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

from ybscan.hosts.groups.devices import Device, Devices, PhysicalDisk  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live.devnodes import nodes  # noqa: E402
from ybscan.hosts.windows.live.disks import disks, volume_disks  # noqa: E402
from ybscan.hosts.windows.live.dll import asked  # noqa: E402
from ybscan.hosts.windows.live.letters import by_disk, windows_folder  # noqa: E402
from ybscan.hosts.windows.memory import MalformedBufferError  # noqa: E402
from ybscan.model.reading import Reading  # noqa: E402

#: Many thousand phantom nodes take their time.
_SECONDS = 40.0


class LiveDevices(Devices):
    """Device nodes and physical disks of the running system."""

    def listed(self, *, enumerator: str) -> Reading[tuple[Device, ...]]:
        return asked(lambda: nodes(enumerator=enumerator), f"SetupAPI {enumerator}", _SECONDS)

    def of_class(self, *, guid: str) -> Reading[tuple[Device, ...]]:
        return asked(lambda: nodes(guid=guid), f"SetupAPI {guid}", _SECONDS)

    def disks(self) -> Reading[tuple[PhysicalDisk, ...]]:
        def work() -> Reading[tuple[PhysicalDisk, ...]]:
            letters, discs = by_disk()
            try:
                system: tuple[int, ...] | None = volume_disks(f"\\\\.\\{windows_folder()[:2]}")
            except (NotReadError, MalformedBufferError):
                system = None
            return disks(letters, discs, system)

        return asked(work, "SetupAPI", _SECONDS)
