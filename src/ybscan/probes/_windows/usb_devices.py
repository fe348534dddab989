"""Removable media that are plugged into a running Windows: by the bus of each disk, and by the devices themselves.

A UAS disk may give its bus as SCSI; then the parent of its node tells that it hangs on USB. A storage device whose
driver is disabled has no disk at all and shows among the USB devices alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.hosts.groups.devices import Device, PhysicalDisk
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._usb.media import shown_serial
from ybscan.probes._usb.serials import salt
from ybscan.probes._usb.sysfs import capacity
from ybscan.probes._windows import usb_nodes
from ybscan.probes._windows.usb_nodes import Nodes
from ybscan.probes.base import Context

LISTED = "已枚举"
#: Buses of cards. Which of them hold soldered storage only the removable flag tells, and that not for certain.
_CARDS = ("sd", "mmc")
_WIRES = ("usb", "1394")


def read(host: Host, context: Context) -> Mapping[str, Fact]:
    """All facts of the probe."""
    usb = host.devices.listed(enumerator="USB")
    disks = host.devices.disks()
    nodes = usb_nodes.listed(host)
    bus: Fact = Known(LISTED, usb.origin) if isinstance(usb, Known) else _why(usb)
    if not isinstance(disks, Known):
        return {"bus": bus, "storage": _why(disks)}
    if not isinstance(nodes, Known):
        known, doubt = Nodes((), (), ()), _why(nodes)
        gaps: tuple[Gap, ...] = (doubt.as_gap(),)
    else:
        known, doubt, gaps = nodes.value, None, nodes.value.gaps
    made = _Maker(host, context, known, doubt or _first(gaps))
    items = [made.disk(d) for d in disks.value if made.is_removable(d)]
    items += made.idle()
    found = tuple(sorted(items, key=lambda i: (str(i["kind"]), str(i["device"]), str(i["model"]))))
    all_gaps = tuple(dict.fromkeys((*disks.gaps, *gaps, *made.gaps)))
    return {"bus": bus, "storage": Known(found, "在位的磁盘与 USB 设备", all_gaps)}


def _why(reading: object) -> Unknown:
    return reading if isinstance(reading, Unknown) else Unknown(Cause.UNAVAILABLE, "系统没有给出设备列表")


def _first(gaps: tuple[Gap, ...]) -> Unknown | None:
    return Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin) if gaps else None


class _Maker:
    def __init__(self, host: Host, context: Context, nodes: Nodes, doubt: Unknown | None) -> None:
        self._context = context
        self._nodes = nodes
        self._doubt = doubt
        """Why a node may be missing from ``nodes``."""
        self._salt = salt(host)
        self._by_instance = {d.instance.lower(): d for d in (*nodes.storage, *nodes.usb)}
        self._used: set[str] = set()
        self.gaps: list[Gap] = []

    def is_removable(self, disk: PhysicalDisk) -> bool:
        """Whether the disk hangs on USB or a wire like it, or is a card. Soldered storage stays in doubt."""
        if disk.bus in _WIRES or disk.bus in _CARDS:
            return True
        # The slot of a reader that is no USB device (on PCI Express) says itself that its medium can be taken out.
        if disk.removable and disk.number is not None:
            return True
        # Storage behind UAS may call itself SCSI: the parent of its node knows better.
        node = self._by_instance.get(disk.instance.lower()) if disk.instance else None
        if node is not None and usb_nodes.enumerator(node.instance) in ("USBSTOR", "SCSI"):
            return True
        placed = disk.instance and disk.instance.lower() not in self._nodes.unplaced
        if (disk.bus == "scsi" or disk.bus.startswith("other:")) and not placed:
            self.gaps.append(Gap(Cause.UNCONFIRMED, f"{disk.device} 接在什么总线上不能确定", disk.device))
        return False

    def disk(self, disk: PhysicalDisk) -> Item:
        """A disk, card slot or disc drive."""
        node = self._by_instance.get(disk.instance.lower()) if disk.instance else None
        serial: Reading[str]
        if node is not None:
            self._used.add(self._nodes.key(node))
            serial = self._nodes.serial(node)
        elif self._doubt is not None:
            serial = self._doubt
        else:
            serial = Known(disk.serial, disk.device) if disk.serial else Absent(disk.device)
        card = disk.bus in _CARDS
        usb = disk.bus == "usb" or node is not None
        kind = "SD 卡" if card else "USB 光驱或虚拟光驱" if disk.number is None else "USB 存储" if usb else "可移动磁盘"
        medium: FieldValue = disk.medium
        if disk.medium is None:
            medium = Unknown(Cause.UNAVAILABLE, f"{disk.device} 有无介质不能确定", disk.device)
        elif card and not disk.removable and disk.medium:
            medium = Unknown(Cause.UNCONFIRMED, f"{disk.device} 是存储卡还是板载存储不能确定", disk.device)
        return self._item(kind, disk.model, disk.device, serial, medium) | {
            "capacity": capacity(disk.size) if disk.size else None,
            "mounted": "、".join(disk.letters) or None,
            "system": disk.system if disk.system is not None else Unknown(
                Cause.UNAVAILABLE, f"{disk.device} 是否为系统盘不能确定", disk.device
            ),
        }  # fmt: skip

    def idle(self) -> list[Item]:
        """Storage devices that are plugged in and have no disk: their driver is disabled, or does not work."""
        items: list[Item] = []
        for device in self._nodes.usb:
            if device.present is False or not self._nodes.is_usb_storage(device):
                continue
            key = self._nodes.key(device)
            if key in self._used:
                continue
            self._used.add(key)
            if device.present is None:
                what = f"{self._name(device, key) or device.instance} 现在是否接入不能确定"
                self.gaps.append(Gap(Cause.UNAVAILABLE, what, device.instance))
                continue
            why = Unknown(Cause.UNCONFIRMED, "设备已接入但没有启用，不能读出有无介质", device.instance)
            serial = self._nodes.serial(device)
            items.append(
                self._item("USB 存储（未启用）", self._name(device, key), None, serial, why) | {"system": False}
            )
        return items

    def _name(self, device: Device, key: str) -> str:
        below = [d for d in self._nodes.storage if self._nodes.key(d) == key]
        return usb_nodes.model((*below, device)) or ""

    def _item(
        self, kind: str, model: str, device: str | None, serial: Reading[str], medium: FieldValue
    ) -> dict[str, FieldValue]:
        return {
            "kind": kind, "model": model or None, "device": device, "serial": shown_serial(serial, self._salt),
            "registered": usb_nodes.registered(serial, self._context.site), "medium": medium,
        }  # fmt: skip
