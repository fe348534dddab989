"""USB storage and memory cards that a Windows terminal saw since the last check.

Windows keeps with each device node when it was first installed and, from Windows 8 on, when it last came and went
(DEVPKEY_Device_FirstInstallDate, _LastArrivalDate, _LastRemovalDate). Since only the last arrival is kept, a node whose
last arrival lies before the period was not plugged in during it. Windows 7 has no such date: there a node's key that
was written within the period is a trace of use, and one that was not proves nothing.

Second sources add what the nodes lack, and never take a doubt away: the event log (driver installations 20001 and 20003,
host process arrivals 2003, partition diagnostics 1006), and ``MountedDevices``, which remembers disks whose nodes
somebody deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ybscan.hosts.base import Host
from ybscan.hosts.groups.devices import Device, PhysicalDisk
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown
from ybscan.probes._usb.media import shown_serial
from ybscan.probes._usb.serials import salt
from ybscan.probes._windows import usb_nodes, usb_traces
from ybscan.probes._windows.settings import NO_SUCH_SOURCE
from ybscan.probes._windows.usb_nodes import Nodes
from ybscan.probes.base import Context

_ENUM = r"HKLM\SYSTEM\CurrentControlSet\Enum"
#: Differences between clocks and roundings that are no reason to doubt a date.
_SLACK = timedelta(minutes=5)
#: In the nodes of image files that Windows mounts as disks (backups, WSL, sandboxes).
_IMAGES = "ven_msft&prod_virtual"
#: Builds whose maintenance removes nodes of devices that were away for 30 days (Windows 8.1 to Windows 10 1709).
_CLEANS = range(9600, 16300)
_CLEANED_AFTER = timedelta(days=30)


@dataclass
class _Seen:
    """One device with the moments of the period at which it came, went or was used."""

    devices: list[Device] = field(default_factory=list)
    times: set[datetime] = field(default_factory=set)
    comings: set[datetime] = field(default_factory=set)
    """Those of ``times`` at which it came."""
    doubts: list[Gap] = field(default_factory=list)

    @property
    def shown(self) -> Device:
        """The node to describe it by: that of its disk where there is one."""
        disks = [d for d in self.devices if usb_nodes.enumerator(d.instance) != "USB"]
        return (disks or self.devices)[0]


def read(host: Host, context: Context) -> Mapping[str, Fact]:
    """All facts of the probe."""
    nodes = usb_nodes.listed(host)
    if not isinstance(nodes, Known):
        return {"arrivals": nodes if isinstance(nodes, Unknown) else Unknown(Cause.UNAVAILABLE, "没有设备列表")}
    reader = _Reader(host, context, nodes.value)
    seen = reader.seen()
    items = [reader.item(s) for s in seen if s.times]
    gaps = list(nodes.value.gaps)
    for one in seen:
        # Registered media may come and go: that their other arrivals are not dated changes nothing.
        if reader.registered(one) is not True:
            gaps += one.doubts
    traces = usb_traces.read(host, context, nodes.value)
    items += [reader.trace_item(t) for t in traces.arrivals if not reader.covers(seen, t.instance)]
    gaps += [*traces.gaps, *reader.strays(), *reader.cleaned()]
    items.sort(key=lambda i: (str(i["first"]), str(i["kind"]), str(i["model"]), str(i["serial"])))
    origin = f"设备节点的日期，自 {reader.start:%Y-%m-%d %H:%M} 起"
    return {"arrivals": Known(tuple(items), origin, tuple(dict.fromkeys(gaps)))}


class _Reader:
    def __init__(self, host: Host, context: Context, nodes: Nodes) -> None:
        self._host = host
        self._context = context
        self._nodes = nodes
        self._salt = salt(host)
        self._disks = host.devices.disks()
        self._life: usb_traces.UmdfLog | None = None
        self.start = context.now - context.window

    def seen(self) -> list[_Seen]:
        """Every storage device Windows knows of, with its moments within the period."""
        groups: dict[str, _Seen] = {}
        for device in self._nodes.storage:
            if not self._is_built_in(device):
                # A disc drive and a disk of one device are two things: a stick may bring its programs on a disc.
                part = "cdrom" if "\\cdrom" in device.instance.lower() else "disk"
                groups.setdefault(f"{self._nodes.key(device)}\0{part}", _Seen()).devices.append(device)
        for device in self._nodes.usb:
            if self._nodes.is_usb_storage(device):
                key = self._nodes.key(device)
                of_disc = f"{key}\0disk" not in groups and f"{key}\0cdrom" in groups
                groups.setdefault(f"{key}\0{'cdrom' if of_disc else 'disk'}", _Seen()).devices.append(device)
        for group in groups.values():
            self._date(group)
        return list(groups.values())

    def _is_built_in(self, device: Device) -> bool:
        """Whether a memory card is really storage on the board, as the system disk of a small terminal."""
        disk = self._disk(device)
        return usb_nodes.enumerator(device.instance) == "SD" and disk is not None and disk.system is True

    def _disk(self, device: Device) -> PhysicalDisk | None:
        disks = self._disks.value if isinstance(self._disks, Known) else ()
        return next((d for d in disks if d.instance and d.instance.lower() == device.instance.lower()), None)

    # Dates ------------------------------------------------------------------------------------------------------------

    def _date(self, group: _Seen) -> None:
        undated: list[Device] = []
        for device in group.devices:
            self._doubt(group, device)
            self._take(group, device, device.first_install)
            self._take(group, device, device.last_arrival)
            self._take(group, device, device.last_removal, came=False)
            if device.present is True and not group.times and device.last_arrival is not None:
                # Plugged in before the period and still there: in use all the time.
                group.times.add(self._local(device.last_arrival))
            if not device.dated or device.last_arrival is None:
                undated.append(device)
        # The arrival of one node of a device is that of all.
        if undated and not any(d.last_arrival is not None for d in group.devices):
            self._undated(group, undated)

    def _doubt(self, group: _Seen, device: Device) -> None:
        """Nothing arrives before it was first installed: there the clock stood wrong, and may have done so last week."""
        if device.last_arrival is None or device.first_install is None:
            return
        if device.last_arrival < device.first_install - _SLACK.total_seconds():
            why = f"{device.instance} 的最近接入日期早于首次安装日期，系统时钟曾经有误"
            group.doubts.append(Gap(Cause.MALFORMED, why, device.instance))

    def _take(self, group: _Seen, device: Device, moment: float | None, *, came: bool = True) -> None:
        if moment is None:
            return
        when = self._local(moment)
        if when > self._context.now + _SLACK:
            # Windows keeps the last date alone: what it was at the time of the check is gone.
            group.doubts.append(
                Gap(Cause.MALFORMED, f"{device.instance} 的日期 {when:%Y-%m-%d %H:%M} 晚于检查时刻", device.instance)
            )
        elif when >= self.start:
            group.times.add(when)
            if came:
                group.comings.add(when)

    def _undated(self, group: _Seen, devices: list[Device]) -> None:
        """A device without a date of arrival: the times its keys were written, and the log of host processes."""
        for device in devices:
            written = self._host.registry.written(key=f"{_ENUM}\\{device.instance}")
            if isinstance(written, Known):
                self._take(group, device, written.value)
            elif isinstance(written, Unknown) and written.cause not in NO_SUCH_SOURCE:
                group.doubts.append(written.as_gap())
        if self._life is None:
            self._life = usb_traces.umdf(self._host, self.start)
        for device in devices:
            for moment in self._life.arrivals(device.instance):
                self._take(group, device, moment)
        if not any(self._life.covers(d.instance) for d in devices):
            dated = all(d.dated for d in devices)
            why = "没有最近接入日期（Windows 7 不保存），再次接入无从得知" if dated else "的接入日期没有读到"
            shown = group.shown
            name = usb_nodes.model((shown, *devices)) or shown.instance
            group.doubts.append(Gap(Cause.UNAVAILABLE, f"{name} {why}", shown.instance))

    def _local(self, moment: float) -> datetime:
        return datetime.fromtimestamp(moment, UTC).astimezone(self._context.now.tzinfo)

    def strays(self) -> list[Gap]:
        """Disks that came or went in the period and are away, of which nobody can say whether they hung on USB."""
        found = []
        for device in self._nodes.stray:
            if device.present is True or not usb_nodes.is_disk(device) or _IMAGES in device.instance.lower():
                continue
            moments = (device.first_install, device.last_arrival, device.last_removal)
            if any(m is not None and self._local(m) >= self.start for m in moments):
                why = f"{usb_nodes.model((device,)) or device.instance} 在检查周期内接入过，现已移除，是否为 USB 移动硬盘不能确定"
                found.append(Gap(Cause.UNCONFIRMED, why, device.instance))
        return found

    def cleaned(self) -> list[Gap]:
        """The doubt that Windows itself removed the nodes of devices that were used within a long period."""
        if self._context.window <= _CLEANED_AFTER:
            return []
        edition = self._host.system.windows()
        if isinstance(edition, Known) and edition.value.build not in _CLEANS:
            return []
        why = "本机系统会清除 30 天未接入的设备记录，检查周期更长，列表可能不全"
        return [Gap(Cause.INCOMPLETE, why, "设备节点")]

    # Items ------------------------------------------------------------------------------------------------------------

    def registered(self, seen: _Seen) -> bool | Unknown:
        """Whether the device is one of the registered media."""
        return usb_nodes.registered(self._nodes.serial(seen.shown), self._context.site)

    def item(self, seen: _Seen) -> Item:
        """The device as an item of the fact."""
        shown = seen.shown
        serial = self._nodes.serial(shown)
        return {
            "kind": usb_nodes.kind_of(shown), "model": usb_nodes.model((shown, *seen.devices)),
            "serial": shown_serial(serial, self._salt), "registered": self.registered(seen), "medium": self._medium(shown),
            "first": _shown(min(seen.times)), "last": _shown(max(seen.times)), "count": len(_apart(seen.comings)) or 1,
        }  # fmt: skip

    def _medium(self, device: Device) -> FieldValue:
        if isinstance(self._disks, Unknown) and self._disks.cause is not Cause.UNSUPPORTED:
            return self._disks
        disk = self._disk(device)
        if disk is not None and disk.medium:
            if usb_nodes.enumerator(device.instance) != "SD" or disk.removable:
                return True
            return Unknown(Cause.UNCONFIRMED, "是存储卡还是板载存储不能确定", device.instance)
        if disk is not None:
            return Unknown(Cause.UNCONFIRMED, "现在没有介质，检查周期内有没有放入过不能确定", device.instance)
        if usb_nodes.enumerator(device.instance) == "USB":
            # Without a disk node below it: a UAS disk whose node is not tied to it, or one that was never put to use.
            if device.service.lower() == "uaspstor":
                return True
            return Unknown(Cause.UNCONFIRMED, "设备接入过，是否启用过、有无介质不能确定", device.instance)
        if usb_nodes.looks_like_reader(device) or not usb_nodes.is_disk(device):
            return Unknown(Cause.UNCONFIRMED, "像是读卡器或光驱，其中有没有介质不能确定", device.instance)
        if usb_nodes.enumerator(device.instance) == "SD":
            return Unknown(Cause.UNCONFIRMED, "是存储卡还是板载存储不能确定", device.instance)
        return True

    def covers(self, seen: list[_Seen], instance: str) -> bool:
        """Whether an arrival from the logs is told by a node already."""
        known = {d.instance.lower() for s in seen if s.times for d in s.devices}
        return instance.lower() in known

    def trace_item(self, trace: usb_traces.Trace) -> Item:
        """An arrival that only a log tells of."""
        device = trace.device()
        serial: Reading[str] = self._nodes.serial(device)
        return {
            "kind": usb_nodes.kind_of(device), "model": trace.model or None,
            "serial": shown_serial(serial, self._salt), "registered": usb_nodes.registered(serial, self._context.site),
            "medium": trace.medium or self._medium(device), "first": _shown(self._local(min(trace.times))),
            "last": _shown(self._local(max(trace.times))),
            "count": len(trace.times),
        }  # fmt: skip


def _shown(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _apart(times: set[datetime]) -> list[datetime]:
    """The moments without those that belong to the same plugging in: nodes of one device come within a minute."""
    kept: list[datetime] = []
    for moment in sorted(times):
        if not kept or moment - kept[-1] > timedelta(minutes=1):
            kept.append(moment)
    return kept
