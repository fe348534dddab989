"""Optical drives, phones and Bluetooth on Windows.

The programs that talk to phones and cameras (Windows Portable Devices) are part of Windows and come to life with the
first device, so they always count as there: that their service is missing closes nothing. Only a policy does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.hosts.groups.devices import PhysicalDisk
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._usb import as_fact
from ybscan.probes._windows import removable_policy
from ybscan.probes._windows.settings import SERVICES, either, switch, system_folder
from ybscan.probes.base import Context

_CDROM_CLASS = "{4d36e965-e325-11ce-bfc1-08002be10318}"
_BLUETOOTH_CLASS = "{e0cbf06c-cd8b-4647-bb8a-263b43f0f974}"
#: How the names of drives that write discs tell so. "DVD-RAM" and "Multi" are names of writers as well.
_WRITES = re.compile(
    r"R/?W|\+-|±|RAM|WRITER|RECORDER|BURNER|MULTI|BD-?RE|DVD-?R(?!OM)|CD-?R(?!OM)|CDDVDW|DVDW", re.IGNORECASE
)
_READS_ONLY = re.compile(r"(?:CD|DVD|BD)[-_ /]?ROM", re.IGNORECASE)


def read(host: Host, context: Context) -> Mapping[str, Fact]:
    """All facts of the probe."""
    del context
    return {
        "optical": _optical(host),
        "optical_blocked": as_fact(_optical_blocked(host)),
        "phone_programs": Known(
            ({"name": "Windows 便携设备（MTP、PTP）支持", "path": "系统自带"},), "Windows 便携设备"
        ),
        "bluetooth_adapters": _adapters(host),
        "bluetooth_service": as_fact(_bluetooth(host)),
        "bluetooth_programs": _programs(host),
    }  # fmt: skip


def _optical(host: Host) -> Fact:
    disks = host.devices.disks()
    if isinstance(disks, Known):
        # An image file that somebody mounted is no drive: nothing comes in or goes out by it.
        items = tuple(_drive(d) for d in disks.value if d.number is None and d.bus != "file-backed")
        return Known(items, disks.origin, disks.gaps)
    if isinstance(disks, Unknown) and disks.cause is Cause.UNSUPPORTED:
        # On a disk that lies still nobody knows what is plugged in, but a machine that never had a drive has none.
        ever = host.devices.of_class(guid=_CDROM_CLASS)
        if isinstance(ever, Known) and not ever.value and not ever.gaps:
            return Known((), ever.origin)
    return disks if isinstance(disks, Unknown) else Unknown(Cause.UNAVAILABLE, "没有磁盘列表")


def _drive(disk: PhysicalDisk) -> Item:
    mounted: FieldValue = disk.medium
    if disk.medium is None:
        mounted = Unknown(Cause.UNAVAILABLE, f"{disk.device} 中有无光盘不能确定", disk.device)
    return {"device": disk.device, "model": disk.model or None, "writer": _writer(disk), "mounted": mounted}


def _writer(disk: PhysicalDisk) -> bool | Unknown:
    """Whether the drive writes discs. Windows is not asked, since that starts the drive: its name has to tell."""
    if _WRITES.search(disk.model):
        return True
    if _READS_ONLY.search(disk.model):
        return False
    return Unknown(Cause.UNCONFIRMED, f"从型号“{disk.model}”看不出能否刻录", disk.device)


def _optical_blocked(host: Host) -> Reading[bool]:
    driver = switch(host, "cdrom")
    off: Reading[bool] = (
        driver.off if isinstance(driver.off, Unknown) else Known(driver.off, f"{SERVICES}\\cdrom：{driver.how}")
    )
    return either(removable_policy.optical_closed(host), off)


def _adapters(host: Host) -> Fact:
    nodes = host.devices.of_class(guid=_BLUETOOTH_CLASS)
    if not isinstance(nodes, Known):
        return nodes if isinstance(nodes, Unknown) else Known((), nodes.origin)
    items: list[Item] = []
    gaps = list(nodes.gaps)
    for node in nodes.value:
        # Of the same class are what Windows makes itself, and devices that were paired with.
        if node.instance.upper().startswith(("BTH", "SWD\\", "ROOT\\")):
            continue
        name = node.name or node.instance
        if node.present is None:
            gaps.append(Gap(Cause.UNAVAILABLE, f"蓝牙适配器 {name} 现在是否接入不能确定", node.instance))
        elif node.present:
            items.append({"name": name})
    return Known(tuple(items), nodes.origin, tuple(gaps))


def _bluetooth(host: Host) -> Reading[bool]:
    """Whether the service runs or can be started: Windows starts it by itself when an adapter is there."""
    found = switch(host, "bthserv")
    origin = f"{SERVICES}\\bthserv：{found.how}"
    if not found.present:
        return Absent(origin)
    return found.off if isinstance(found.off, Unknown) else Known(not found.off, origin)


def _programs(host: Host) -> Fact:
    folder = system_folder(host)
    if not isinstance(folder, Known):
        return folder
    path = f"{folder.value}\\System32\\fsquirt.exe"
    stat = host.files.stat(path=path)
    if isinstance(stat, Unknown):
        return stat
    return Known(({"name": "蓝牙文件传送", "path": path},) if isinstance(stat, Known) else (), path)
