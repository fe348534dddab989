"""What the kernel says is plugged in, from /sys alone.

Sources: the kernel's ABI documents for ``/sys/bus/usb`` and ``/sys/block``; USB class codes (08 mass storage, 06 still
image, 09 hub, 03 human interface, 0b smart card, 07 printer). A disk belongs to USB when the real path of its block
device runs through a USB device: that holds for usb-storage and uas alike, and for readers with a class of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

DEVICES = "/sys/bus/usb/devices"
BLOCKS = "/sys/block"

_USB_DEVICE = re.compile(r"/(usb\d+(?:/\d+-[\d.]+)*)/")
_INTERFACE_NAME = re.compile(r"^(\d+-[\d.]+):\d+\.\d+$")
_DEVICE_NAME = re.compile(r"^\d+-[\d.]+$")
#: What sr reports as its size, in sectors, while no disc is in the drive.
_NO_DISC = 0x1FFFFF
SECTOR = 512


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """One USB device. ``classes``: the interface classes, or Unknown; ``strings``: the names of its interfaces."""

    name: str
    vendor: str
    product: str
    serial: Reading[str]
    classes: frozenset[str] | Unknown
    strings: frozenset[str]
    fixed: bool
    """Whether it sits on a port that the firmware calls not user-visible."""


@dataclass(frozen=True, slots=True)
class Block:
    """One disk-like device. ``usb`` names the USB device it hangs on, empty for others."""

    name: str
    usb: str
    size: Reading[int]
    """Bytes; 0 without a medium."""
    numbers: frozenset[str] | Unknown
    """major:minor of the disk and its partitions."""


def attribute(host: Host, path: str) -> Reading[str]:
    """A one-line attribute, trimmed."""
    text = host.files.text(path=path, limit=64 * 1024)
    return Known(text.value.strip(), path) if isinstance(text, Known) else text


def usb_devices(host: Host) -> Reading[tuple[UsbDevice, ...]]:
    """Every USB device but root hubs. What could not be read of one stays with it; the list itself is whole or Unknown."""
    names = host.files.entries(path=DEVICES)
    if isinstance(names, Unknown):
        return names
    if isinstance(names, Absent):
        return Unknown(Cause.UNAVAILABLE, f"{DEVICES} 不存在", DEVICES)
    interfaces: dict[str, list[str]] = {}
    for name in names.value:
        m = _INTERFACE_NAME.match(name)
        if m:
            interfaces.setdefault(m[1], []).append(name)
    found = [_device(host, n, interfaces.get(n, [])) for n in names.value if _DEVICE_NAME.match(n)]
    return Known(tuple(found), DEVICES)


def _device(host: Host, name: str, interfaces: list[str]) -> UsbDevice:
    folder = f"{DEVICES}/{name}"

    def plain(attr: str) -> str:
        value = attribute(host, f"{folder}/{attr}")
        return value.value if isinstance(value, Known) else ""

    classes: set[str] = set()
    strings: set[str] = set()
    doubt: Unknown | None = None
    for interface in interfaces:
        value = attribute(host, f"{DEVICES}/{interface}/bInterfaceClass")
        if isinstance(value, Known) and value.value:
            classes.add(value.value.lower())
        else:
            doubt = value if isinstance(value, Unknown) else Unknown(Cause.INCOMPLETE, f"{interface} 没有接口类别")
        label = attribute(host, f"{DEVICES}/{interface}/interface")
        if isinstance(label, Known):
            strings.add(label.value)
    if not interfaces:
        # A device without authorisation has no interfaces, but its descriptors tell what they would be.
        described = _described_classes(host, folder)
        if isinstance(described, Unknown):
            doubt = described
        else:
            classes |= described
    return UsbDevice(
        name,
        plain("manufacturer") or plain("idVendor"),
        plain("product") or plain("idProduct"),
        attribute(host, f"{folder}/serial"),
        frozenset(classes) if doubt is None or "08" in classes else doubt,
        frozenset(strings),
        plain("removable") == "fixed",
    )


def _described_classes(host: Host, folder: str) -> set[str] | Unknown:
    """Interface classes from the raw descriptors: length and type come first, an interface (type 4) has its class at 5."""
    own = attribute(host, f"{folder}/bDeviceClass")
    if isinstance(own, Known) and own.value == "09":
        return {"09"}
    raw = host.files.head(path=f"{folder}/descriptors", size=16 * 1024)
    if not isinstance(raw, Known):
        return raw if isinstance(raw, Unknown) else Unknown(Cause.UNAVAILABLE, f"{folder} 没有接口信息", folder)
    data, at = raw.value, 0
    classes: set[str] = set()
    while at + 2 <= len(data):
        length = data[at]
        if length < 2:
            return Unknown(Cause.MALFORMED, f"{folder}/descriptors", folder)
        if data[at + 1] == 4 and at + 6 <= len(data):
            classes.add(f"{data[at + 5]:02x}")
        at += length
    return classes or Unknown(Cause.INCOMPLETE, f"{folder} 没有接口信息", folder)


def blocks(host: Host) -> tuple[tuple[Block, ...], tuple[Gap, ...]]:
    """The block devices, with gaps for those whose place could not be told."""
    names = host.files.entries(path=BLOCKS)
    if isinstance(names, Unknown):
        return (), (names.as_gap(),)
    if isinstance(names, Absent):
        return (), (Gap(Cause.UNAVAILABLE, f"{BLOCKS} 不存在", BLOCKS),)
    found: list[Block] = []
    gaps: list[Gap] = []
    for name in names.value:
        real = host.files.real(path=f"{BLOCKS}/{name}")
        if isinstance(real, Unknown):
            gaps.append(real.as_gap())
        if not isinstance(real, Known):
            continue
        m = _USB_DEVICE.search(real.value)
        usb = m[1].rpartition("/")[2] if m else ""
        if usb or re.fullmatch(r"mmcblk\d+|sr\d+", name):
            found.append(Block(name, usb, _size(host, name), _numbers(host, name)))
    return tuple(found), tuple(gaps)


def _size(host: Host, name: str) -> Reading[int]:
    value = attribute(host, f"{BLOCKS}/{name}/size")
    if isinstance(value, Unknown):
        return value
    if isinstance(value, Absent) or not value.value.isdigit():
        return Unknown(Cause.MALFORMED, f"{BLOCKS}/{name}/size", f"{BLOCKS}/{name}")
    sectors = int(value.value)
    return Known(0 if name.startswith("sr") and sectors == _NO_DISC else sectors * SECTOR, value.origin)


def _numbers(host: Host, name: str) -> frozenset[str] | Unknown:
    inside = host.files.entries(path=f"{BLOCKS}/{name}")
    if not isinstance(inside, Known):
        return inside if isinstance(inside, Unknown) else Unknown(Cause.UNAVAILABLE, f"{BLOCKS}/{name}", BLOCKS)
    parts = [n for n in inside.value if n.startswith(name)]
    found: set[str] = set()
    for path in (f"{BLOCKS}/{name}/dev", *(f"{BLOCKS}/{name}/{p}/dev" for p in parts)):
        value = attribute(host, path)
        if isinstance(value, Unknown):
            return value
        if isinstance(value, Known):
            found.add(value.value)
    return frozenset(found)


def mounts(host: Host) -> Reading[dict[str, str]]:
    """major:minor → mount point, from /proc/self/mountinfo (proc(5))."""
    text = host.files.text(path="/proc/self/mountinfo")
    if isinstance(text, Unknown):
        return text
    if isinstance(text, Absent):
        return Unknown(Cause.UNAVAILABLE, "/proc/self/mountinfo 不存在", "/proc/self/mountinfo")
    found: dict[str, str] = {}
    for line in text.value.splitlines():
        words = line.split()
        if len(words) > 4 and (words[2] not in found or words[4] == "/"):
            found[words[2]] = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), words[4])
    return Known(found, text.origin) if found else Unknown(Cause.MALFORMED, text.origin, text.origin)


def capacity(size: int) -> str:
    """A capacity as it stands on the packaging: decimal."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
