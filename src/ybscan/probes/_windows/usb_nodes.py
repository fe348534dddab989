"""Device nodes of USB storage and memory cards: which nodes belong to one device, its serial number, its name.

A stick is a node of the enumerator USB (the device) and one of USBSTOR below it (the disk); a UAS disk has its disk node
below SCSI. Sources: "Device instance IDs" and "Standard USB identifiers" of the driver documentation. An instance part
whose second character is ``&`` was made up by Windows for a device without a serial number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.hosts.groups.devices import Device
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.model.site import Site
from ybscan.probes._usb.media import registration

_SERVICES = frozenset({"usbstor", "uaspstor"})
_CLASS_08 = "usb\\class_08"
#: Words in a product's name by which the slots of card readers go: they are there without any medium.
_READER = (
    "card",
    "reader",
    "sd/mmc",
    "sd_mmc",
    "sd&mmc",
    "compact_flash",
    "compactflash",
    "sm/xd",
    "_cf",
    "ms/ms",
    "multi",
)
_CARD_SLOT = ("sd/mmc", "sd_mmc", "sd&mmc", "card_reader", "cardreader", "sd_card", "sdcard")
_CLIMB = 4
#: Observed before the serial numbers of UAS disks in instance ids; the device itself does not have it.
_UAS_PREFIX = "MSFT30"


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes that matter, by enumerator, and what could not be listed."""

    usb: tuple[Device, ...]
    storage: tuple[Device, ...]
    """USBSTOR nodes, SCSI nodes below a USB device, memory cards and slots for them."""
    gaps: tuple[Gap, ...]
    stray: tuple[Device, ...] = ()
    """SCSI nodes of which it is not known what they hang on: of what is not plugged in Windows does not say."""

    @property
    def unplaced(self) -> frozenset[str]:
        """The instance ids of :attr:`stray` in lower case."""
        return frozenset(d.instance.lower() for d in self.stray)

    def is_usb_storage(self, device: Device) -> bool:
        """Whether a node of the enumerator USB is a storage device, whatever driver it has."""
        ids = (*device.compatible_ids, *device.hardware_ids)
        return device.service.lower() in _SERVICES or any(i.lower().startswith(_CLASS_08) for i in ids)

    def owner(self, device: Device) -> Device | None:
        """The USB device that a storage node belongs to; of an interface of a composite device, the whole device."""
        by_instance = {d.instance.lower(): d for d in self.usb}
        found = by_instance.get(device.parent.lower()) if device.parent else None
        if found is None and (serial := _own_serial(device.instance)):
            found = next((d for d in self.usb if (_own_serial(d.instance) or "").lower() == serial.lower()), None)
        return self._whole(found) if found is not None else None

    def _whole(self, device: Device) -> Device:
        by_instance = {d.instance.lower(): d for d in self.usb}
        for _ in range(_CLIMB):
            above = by_instance.get(device.parent.lower())
            if "&mi_" not in device.instance.lower() or above is None:
                break
            device = above
        return device

    def key(self, device: Device) -> str:
        """One name for all nodes of one device."""
        if enumerator(device.instance) == "USB":
            return self._whole(device).instance.lower()
        whole = self.owner(device)
        return (whole or device).instance.lower()

    def serial(self, device: Device) -> Reading[str]:
        """The device's own serial number; Absent when it has none."""
        if enumerator(device.instance) == "SD":
            return Unknown(Cause.UNCONFIRMED, "系统没有给出存储卡的序列号", device.instance)
        for node in (self.owner(device), device):
            serial = _own_serial(node.instance) if node is not None else ""
            if serial:
                return Known(serial, device.instance)
        if enumerator(device.instance) == "SCSI":
            return Unknown(Cause.UNCONFIRMED, "没有找到该磁盘所属的 USB 设备，序列号未知", device.instance)
        if enumerator(device.instance) == "USB" and "&mi_" in device.instance.lower():
            return Unknown(Cause.UNCONFIRMED, "没有找到该接口所属的 USB 设备，序列号未知", device.instance)
        return Absent(device.instance)


def enumerator(instance: str) -> str:
    """The first part of an instance id, in upper case."""
    return instance.partition("\\")[0].upper()


def _own_serial(instance: str) -> str:
    """The serial number in the instance id; empty where Windows made it up."""
    kind, last = enumerator(instance), instance.rpartition("\\")[2]
    if last[1:2] == "&" or kind not in ("USB", "USBSTOR") or "&mi_" in instance.lower():
        return ""
    # The disk node adds the number of the logical unit: SERIAL&0.
    serial = last.rpartition("&")[0] if kind == "USBSTOR" and "&" in last else last
    return serial.removeprefix(_UAS_PREFIX)


def registered(serial: Reading[str], site: Site) -> bool | Unknown:
    """Whether the medium is registered, with or without the letters that Windows puts before a serial number."""
    found = registration(serial, site)
    if found is False and isinstance(serial, Known) and serial.value:
        return registration(Known(_UAS_PREFIX + serial.value, serial.origin), site)
    return found


def listed(host: Host) -> Reading[Nodes]:
    """All nodes of USB storage and memory cards, present or not. Unknown when not even USBSTOR could be listed."""
    gaps: list[Gap] = []

    def nodes(name: str) -> tuple[Device, ...]:
        reading = host.devices.listed(enumerator=name)
        if isinstance(reading, Known):
            gaps.extend(reading.gaps)
            return reading.value
        gaps.append(
            reading.as_gap() if isinstance(reading, Unknown) else Gap(Cause.UNAVAILABLE, f"没有 {name} 设备列表")
        )
        return ()

    first = host.devices.listed(enumerator="USBSTOR")
    if isinstance(first, Unknown):
        return first
    disks, usb, scsi, cards = nodes("USBSTOR"), nodes("USB"), nodes("SCSI"), nodes("SD")
    below = [d for d in scsi if enumerator(d.parent) == "USB" or (is_disk(d) and _is_card_slot(d))]
    cards = tuple(d for d in cards if d.instance.upper().startswith("SD\\DISK"))
    stray = tuple(d for d in scsi if not d.parent and d not in below)
    return Known(Nodes(usb, (*disks, *below, *cards), tuple(dict.fromkeys(gaps)), stray), "设备节点")


def kind_of(device: Device) -> str:
    """What a storage node is, in the administrator's words."""
    if enumerator(device.instance) == "SD" or (enumerator(device.instance) == "SCSI" and _is_card_slot(device)):
        return "SD 卡"
    return "USB 光驱或虚拟光驱" if "\\cdrom" in device.instance.lower() else "USB 存储"


def is_disk(device: Device) -> bool:
    """Whether a storage node is a disk, and no drive for discs or floppies."""
    return device.instance.lower().partition("\\")[2].startswith("disk")


def looks_like_reader(device: Device) -> bool:
    """Whether the names say that it is the slot of a card reader."""
    text = f"{device.instance} {device.name}".lower().replace(" ", "_")
    return any(word in text for word in _READER)


def _is_card_slot(device: Device) -> bool:
    """Whether a SCSI node is the slot of a card reader on PCI Express: nothing but its name tells."""
    text = f"{device.instance} {device.name}".lower().replace(" ", "_")
    return any(word in text for word in _CARD_SLOT)


def model(devices: Iterable[Device]) -> str | None:
    """The name of a device: that of its disk, without Windows' own addition."""
    for device in devices:
        name = device.name.removesuffix(" USB Device").removesuffix(" SCSI Disk Device").strip()
        if name:
            return name
    return None
