"""Traces of USB storage besides its device nodes: the event logs of Windows and ``MountedDevices``.

Sources: UserPnp 20001 and 20003 of the System log (``DeviceInstanceID``), DriverFrameworks-UserMode/Operational 2003
(``InstanceId`` of a device that gets a host process; on by default in Windows 7 only), Partition/Diagnostic 1006 (Windows 10);
``HKLM\\SYSTEM\\MountedDevices`` holds for a volume on a removable disk the path of its device in UTF-16.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ybscan.hosts.base import Host
from ybscan.hosts.groups.devices import Device
from ybscan.hosts.groups.logs import Event, EventLog
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._windows.usb_nodes import Nodes
from ybscan.probes.base import Context

UMDF = "Microsoft-Windows-DriverFrameworks-UserMode/Operational"
PARTITIONS = "Microsoft-Windows-Partition/Diagnostic"
MOUNTED = r"HKLM\SYSTEM\MountedDevices"
#: A device path inside a longer name: ``USBSTOR#Disk&Ven_…#SERIAL&0#{interface class}``.
_PATH = re.compile(r"USBSTOR#([^#]+)#([^#{}\x00]+)", re.IGNORECASE)
_USB_BUS = "7"
#: The first build with the log of partitions.
_WINDOWS_10 = 10240


@dataclass
class Trace:
    """A device of which a log tells, with the times in seconds since the epoch."""

    instance: str
    model: str
    times: list[float] = field(default_factory=list)
    medium: bool = False
    """Whether the log tells that it held a medium."""

    def device(self) -> Device:
        """The node it had, as far as its instance id tells."""
        return Device(self.instance, self.model, "", "", "", (), (), None, None, dated=False)


@dataclass(frozen=True, slots=True)
class Traces:
    """What the second sources add."""

    arrivals: tuple[Trace, ...]
    gaps: tuple[Gap, ...]


def read(host: Host, context: Context, nodes: Nodes) -> Traces:
    """Arrivals within the period that event logs tell of, and doubts from disks that were mounted once."""
    found: dict[str, Trace] = {}
    gaps: list[Gap] = []
    start = (context.now - context.window).timestamp()
    for channel, ids, fields in _channels(host):
        log = host.logs.events(channel=channel, ids=ids, since=start, fields=fields)
        # Without this source the dates of the nodes stand alone; one that failed may hide what they lack.
        if isinstance(log, Unknown) and log.cause is not Cause.UNSUPPORTED:
            gaps.append(log.as_gap())
        elif isinstance(log, Known):
            gaps += log.gaps
            for event in log.value.events:
                if start <= event.time <= context.now.timestamp():
                    told = _of_disk(event) if event.id == 1006 else _of_driver(event)
                    if told is not None:
                        trace = found.setdefault(told[0].lower(), Trace(*told))
                        trace.times.append(event.time)
                        trace.medium = trace.medium or event.id == 1006
    return Traces(tuple(found.values()), (*gaps, *_forgotten(host, nodes)))


def _of_driver(event: Event) -> tuple[str, str] | None:
    instance = event.data.get("DeviceInstanceID", "")
    kind, _, rest = instance.partition("\\")
    if kind.upper() != "USBSTOR" or not rest.partition("\\")[2]:
        return None
    return instance, _name(rest.partition("\\")[0])


def _channels(host: Host) -> Iterator[tuple[str, tuple[int, ...], tuple[str, ...]]]:
    yield "System", (20001, 20003), ("DeviceInstanceID",)
    edition = host.system.windows()
    if not isinstance(edition, Known) or edition.value.build >= _WINDOWS_10:
        yield PARTITIONS, (1006,), ("BusType", "Capacity", "Manufacturer", "Model", "ParentId", "SerialNumber")


def _of_disk(event: Event) -> tuple[str, str] | None:
    """A disk that arrived on USB; the record of its removal gives no capacity."""
    data = event.data
    parent = data.get("ParentId", "")
    if data.get("BusType", "").strip() != _USB_BUS or data.get("Capacity", "0").strip() in ("", "0", "0x0"):
        return None
    if not parent.upper().startswith("USB\\"):
        return None
    return parent, f"{data.get('Manufacturer', '').strip()} {data.get('Model', '').strip()}".strip()


def _name(identifier: str) -> str:
    """Maker and product out of ``Disk&Ven_HP&Prod_v100w&Rev_1024``."""
    parts = dict(p.partition("_")[::2] for p in identifier.split("&") if "_" in p)
    return " ".join(p.replace("_", " ").strip() for p in (parts.get("Ven", ""), parts.get("Prod", "")) if p)


# Mounted devices -----------------------------------------------------------------------------------------------------


def _forgotten(host: Host, nodes: Nodes) -> list[Gap]:
    """Disks that had a drive letter and have no node any more: their history was deleted, and with it their dates."""
    values = host.registry.values(key=MOUNTED)
    if isinstance(values, Unknown):
        return [values.as_gap()]
    if isinstance(values, Absent):
        return []
    known = {d.instance.lower() for d in nodes.storage}
    missing = set()
    for value in values.value.values():
        # Some entries are a disk signature and an offset, or hold an odd byte: nothing of a path is lost by that.
        text = (
            value.decode("utf-16-le", "replace")
            if isinstance(value, bytes)
            else value
            if isinstance(value, str)
            else ""
        )
        match = _PATH.search(text)
        if match is not None and f"usbstor\\{match[1]}\\{match[2]}".lower() not in known:
            missing.add(_name(match[1]) or "移动存储")
    return [
        Gap(Cause.INCOMPLETE, f"{name} 曾分配过盘符，设备记录已被清除，何时接入无从得知", MOUNTED)
        for name in sorted(missing)
    ] + list(values.gaps)


# Host processes -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UmdfLog:
    """The log of host processes, which on Windows 7 notes each time a volume of a stick comes.

    It counts for a device only where it ever noted one of its arrivals: which disks get a host process is not verified.
    """

    events: tuple[tuple[str, float], ...] = ()
    """Text of the device path, in lower case, and time."""
    whole: bool = False
    """Whether the log reaches back before the period and is being written."""

    def covers(self, instance: str) -> bool:
        """Whether an arrival of this device within the period would be there."""
        return self.whole and bool(self.arrivals(instance))

    def arrivals(self, instance: str) -> list[float]:
        """All arrivals of the device in the log."""
        wanted = instance.replace("\\", "#").lower()
        return [time for text, time in self.events if wanted in text]


def umdf(host: Host, start: datetime) -> UmdfLog:
    """The log as far back as it goes; ``start`` is that of the period."""
    log = host.logs.events(channel=UMDF, ids=(2003,), since=0.0, fields=("InstanceId",))
    if not isinstance(log, Known):
        return UmdfLog()
    return UmdfLog(tuple(_texts(log.value)), _is_whole(log.value, start.timestamp()) and not log.gaps)


def _texts(log: EventLog) -> list[tuple[str, float]]:
    return [(" ".join(e.data.values()).replace("\\", "#").lower(), e.time) for e in log.events]


def _is_whole(log: EventLog, start: float) -> bool:
    return log.enabled is True and log.oldest is not None and log.oldest <= start
