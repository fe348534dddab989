"""USB storage and memory cards in the kernel's log: which devices arrived, and whether they held a medium. Pure.

The messages are those of the drivers usb core, usb-storage, uas, sd, sr and mmc. A card reader announces itself at
every start of the system, with no card in it: only a line that gives the number of blocks tells of a medium.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

Line = tuple[datetime, str]
"""When and what the kernel said."""

_FOUND = re.compile(r"^usb (\d+-[\d.]+): New USB device found, idVendor=(\w+), idProduct=(\w+)")
_STRING = re.compile(r"^usb (\d+-[\d.]+): (Product|Manufacturer|SerialNumber): (.*)$")
_BULK = re.compile(r"^(?:usb-storage|ums-[\w-]+) (\d+-[\d.]+):\d+\.\d+: USB Mass Storage device detected")
_HOST = re.compile(r"^scsi ?(?:host)?(\d+) ?: (?:(uas)|usb-storage (\d+-[\d.]+):\d+\.\d+)\s*$")
_BLOCKS = re.compile(r"^sd (\d+):\d+:\d+:\d+: \[\w+\] \d+ \d+-byte logical blocks")
_DISK = re.compile(r"^sd (\d+):\d+:\d+:\d+: \[\w+\] Attached SCSI (?:removable )?disk")
_OPTICAL = re.compile(
    r"^(?:sr|scsi) (\d+):\d+:\d+:\d+: (?:\[sr\d+\] scsi|.*Attached scsi CD-ROM|CD-ROM\b)", re.IGNORECASE
)
_GONE = re.compile(r"^usb (\d+-[\d.]+): USB disconnect")
_CARD = re.compile(r"^(mmc\d+): new (?:[\w-]+ )*?(SD|SDHC|SDXC|SDUC) card at address (\w+)")

_PLAIN = "USB 存储"
#: A uas host names no device; it belongs to the one that was found just before.
_UAS_WITHIN = timedelta(seconds=30)


@dataclass
class Arrival:
    """One device that came to be used as storage. ``serial`` None: the log does not say; ``""``: it has none."""

    time: datetime
    kind: str
    model: str
    serial: str | None
    medium: bool | None = None
    """None while no line tells."""


@dataclass
class _Device:
    time: datetime
    ids: str
    strings: dict[str, str] = field(default_factory=dict)
    arrival: Arrival | None = None


def arrivals(lines: Iterable[Line]) -> list[Arrival]:
    """The arrivals that ``lines``, in order of time, tell of."""
    found: list[Arrival] = []
    devices: dict[str, _Device] = {}
    hosts: dict[str, Arrival] = {}
    for when, text in lines:
        if m := _FOUND.match(text):
            devices[m[1]] = _Device(when, f"{m[2]}:{m[3]}")
        elif m := _STRING.match(text):
            if m[1] in devices:
                devices[m[1]].strings[m[2]] = m[3].strip()
        elif m := _BULK.match(text):
            _arrive(found, devices, m[1], when)
        elif m := _HOST.match(text):
            if m[3]:
                hosts[m[1]] = _arrive(found, devices, m[3], when)
            else:
                hosts[m[1]] = _arrive(found, devices, _uas_device(devices, when), when)
        elif m := _BLOCKS.match(text):
            if m[1] in hosts:
                hosts[m[1]].medium = True
                hosts[m[1]].time = max(hosts[m[1]].time, when)
        elif m := _DISK.match(text):
            if m[1] in hosts and hosts[m[1]].medium is None and hosts[m[1]].kind == _PLAIN:
                hosts[m[1]].medium = False
        elif m := _OPTICAL.match(text):
            if m[1] in hosts:
                hosts[m[1]].kind = "USB 光驱或虚拟光驱"
                hosts[m[1]].medium = hosts[m[1]].medium or None
        elif m := _CARD.match(text):
            found.append(Arrival(when, "SD 卡", m[2], None, True))
        elif m := _GONE.match(text):
            gone = devices.pop(m[1], None)
            if gone is not None and gone.arrival is not None:
                hosts = {h: a for h, a in hosts.items() if a is not gone.arrival}
    return found


def _uas_device(devices: dict[str, _Device], when: datetime) -> str | None:
    recent = [n for n, d in devices.items() if d.arrival is None and when - d.time <= _UAS_WITHIN]
    return recent[0] if len(recent) == 1 else None


def _arrive(found: list[Arrival], devices: dict[str, _Device], name: str | None, when: datetime) -> Arrival:
    device = devices.get(name) if name is not None else None
    if device is not None and device.arrival is not None:
        return device.arrival
    if device is None:
        # The lines that describe the device are not there: who it was cannot be told.
        made = Arrival(when, _PLAIN, "", None)
        if name is not None:
            devices[name] = _Device(when, "", arrival=made)
    else:
        words = [device.strings.get("Manufacturer", ""), device.strings.get("Product", "")]
        model = " ".join(w for w in words if w) or device.ids
        made = Arrival(when, _PLAIN, model, device.strings.get("SerialNumber", ""))
        device.arrival = made
    found.append(made)
    return made
