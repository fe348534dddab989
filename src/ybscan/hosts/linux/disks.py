"""From a block device to the whole disks under it, through partitions, device mapper, RAID, loop devices and btrfs.

Reads sysfs only (Documentation/ABI: /sys/dev/block, /sys/class/block, <dev>/partition, <dev>/slaves,
<dev>/loop/backing_file; /sys/fs/btrfs/<uuid>/devices), so that no device is opened.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ybscan.hosts.groups.files import Files
from ybscan.hosts.groups.volumes import Disk, Place
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

_MAX_DEPTH = 10

#: Makers and models that present several disks as one, or pieces of one as several.
_RAID = re.compile(
    r"perc|mr[ -]?\d{4}|smart array|logical ?(?:vol|dr)|raid|\basr-?\d{4}|\bsmc\d{4}|\bavago\b|\blsi\b|adaptec|\b3ware\b|\bareca\b",
    re.IGNORECASE,
)
_VIRTUAL = re.compile(r"qemu|vbox|vmware|virtual|xen|kvm|bhyve|proxmox|drive-scsi|cloud", re.IGNORECASE)
_NETWORK_BLOCK = re.compile(r"^(nbd|rbd|drbd|aoe|etherd)")
_MEMORY_BLOCK = re.compile(r"^(zram|ram)\d")


@dataclass(slots=True)
class _Found:
    disks: dict[str, Disk] = field(default_factory=dict)
    layers: list[str] = field(default_factory=list)
    memory: bool = False


class DiskWalk:
    """Looks up one system's sysfs. ``place_of`` answers for the backing file of a loop device."""

    def __init__(self, files: Files, place_of: Callable[[str, int], Reading[Place]]) -> None:
        self._files = files
        self._place_of = place_of

    def of_number(self, device: tuple[int, int], depth: int = 0) -> Reading[Place]:
        """The disks under the block device of that major and minor number."""
        return self._of(f"/sys/dev/block/{device[0]}:{device[1]}", depth)

    def of_source(self, source: str, fs_type: str, depth: int = 0) -> Reading[Place]:
        """The disks under a mount's source such as ``/dev/sda2``; of all devices of a btrfs file system."""
        real = self._files.real(path=source)
        if not isinstance(real, Known):
            return real if isinstance(real, Unknown) else _hidden(f"{source} 不存在", source)
        name = real.value.rsplit("/", 1)[-1]
        if fs_type == "btrfs":
            return self._of_btrfs(name, depth)
        return self._of(f"/sys/class/block/{name}", depth)

    def _of_btrfs(self, name: str, depth: int) -> Reading[Place]:
        base = "/sys/fs/btrfs"
        systems = self._files.entries(path=base)
        if not isinstance(systems, Known):
            return systems if isinstance(systems, Unknown) else _hidden("无法得知 btrfs 由哪些设备组成", base)
        for system in systems.value:
            members = self._files.entries(path=f"{base}/{system}/devices")
            if isinstance(members, Unknown):
                return members
            if isinstance(members, Known) and name in members.value:
                found = _Found(layers=["btrfs"] if len(members.value) > 1 else [])
                for member in members.value:
                    bad = self._walk(f"/sys/class/block/{member}", found, depth)
                    if bad is not None:
                        return bad
                return _place(found, base)
        return _hidden("无法得知 btrfs 由哪些设备组成", base)

    def _of(self, node: str, depth: int) -> Reading[Place]:
        found = _Found()
        bad = self._walk(node, found, depth)
        return bad if bad is not None else _place(found, node)

    def _walk(self, node: str, found: _Found, depth: int) -> Unknown | None:
        """Add the whole disks under the sysfs node to ``found``; the reason when that cannot be done."""
        if depth > _MAX_DEPTH:
            return _hidden("设备层次过深", node)
        real = self._files.real(path=node)
        if not isinstance(real, Known):
            return real if isinstance(real, Unknown) else _hidden(f"没有 {node}", node)
        here = real.value
        partition = self._files.stat(path=f"{here}/partition")
        if isinstance(partition, Unknown):
            return partition
        if isinstance(partition, Known):
            here = here.rsplit("/", 1)[0]
        name = here.rsplit("/", 1)[-1]
        if name.startswith("loop"):
            return self._loop(here, name, found, depth)
        slaves = self._files.entries(path=f"{here}/slaves")
        if isinstance(slaves, Unknown):
            return slaves
        below = slaves.value if isinstance(slaves, Known) else ()
        if below:
            found.layers.append(name)
            for slave in below:
                bad = self._walk(f"{here}/slaves/{slave}", found, depth + 1)
                if bad is not None:
                    return bad
            return None
        if re.match(r"(dm-|md|bcache)\d", name):
            return _hidden(f"{name} 没有列出下层设备", here)
        if _MEMORY_BLOCK.match(name):
            found.memory = True
            return None
        hidden = self._why_hidden(here, name)
        if isinstance(hidden, Unknown):
            return hidden
        # Namespaces of one NVMe controller and the boot areas of one eMMC are one piece of hardware.
        if whole := re.match(r"(nvme\d+)(?:c\d+)?n\d+$|(mmcblk\d+)", name):
            name = whole[1] or whole[2]
        found.disks[name] = Disk(name, hidden)
        return None

    def _loop(self, here: str, name: str, found: _Found, depth: int) -> Unknown | None:
        text = self._files.text(path=f"{here}/loop/backing_file", limit=8192)
        if not isinstance(text, Known):
            return text if isinstance(text, Unknown) else _hidden(f"{name} 没有对应的文件", here)
        path = text.value.rstrip("\n")
        if path.endswith(" (deleted)") or not path.startswith("/"):
            return _hidden(f"{name} 对应的文件已删除或无法访问", here)
        below = self._place_of(path, depth + 1)
        if not isinstance(below, Known):
            return below if isinstance(below, Unknown) else _hidden(f"{name} 对应的文件 {path} 不存在", here)
        if below.value.server:
            return _hidden(f"{name} 对应的文件在网络存储上", here)
        found.layers.extend((name, *below.value.layers))
        found.memory = found.memory or below.value.memory
        found.disks.update({d.name: d for d in below.value.disks})
        return None

    def _why_hidden(self, here: str, name: str) -> str | Unknown:
        if _NETWORK_BLOCK.match(name) or "/session" in here:
            return "网络块设备"
        if name.startswith("zd"):
            return "ZFS 卷"
        if "/rport-" in here:
            return "存储网络上的逻辑磁盘"
        if (unit := re.search(r"/\d+:\d+:\d+:(\d+)/", here)) and unit[1] != "0":
            return "一个设备的多个逻辑单元之一"
        if re.match(r"(vd|xvd)[a-z]", name) or "/virtio" in here:
            return "虚拟磁盘"
        vendor, model = self._attribute(here, "vendor"), self._attribute(here, "model")
        for value in (vendor, model):
            if isinstance(value, Unknown):
                return value
        shown = f"{vendor} {model}"
        if _VIRTUAL.search(shown):
            return "虚拟磁盘"
        if _RAID.search(shown) or name.startswith("cciss"):
            return "阵列卡后的逻辑磁盘"
        processor = self._files.text(path="/proc/cpuinfo")
        if isinstance(processor, Known) and re.search(r"^flags\s*:.*\bhypervisor\b", processor.value, re.MULTILINE):
            return "虚拟机中的磁盘"
        return ""

    def _attribute(self, here: str, name: str) -> str | Unknown:
        text = self._files.text(path=f"{here}/device/{name}", limit=4096)
        if isinstance(text, Known):
            return text.value.strip()
        return "" if isinstance(text, Absent) else text


def _hidden(why: str, origin: str) -> Unknown:
    return Unknown(Cause.UNAVAILABLE, why, origin)


def _place(found: _Found, origin: str) -> Reading[Place]:
    disks = tuple(found.disks[n] for n in sorted(found.disks))
    if not disks and not found.memory:
        return _hidden("没有找到所在的磁盘", origin)
    return Known(Place(disks, tuple(dict.fromkeys(found.layers)), "", found.memory and not disks), origin)
