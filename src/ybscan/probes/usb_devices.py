"""Removable media that are plugged in at the moment of the scan."""

from __future__ import annotations

from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown
from ybscan.probes._usb import sysfs
from ybscan.probes._usb.drivers import usb_subsystem
from ybscan.probes._usb.media import registration, shown_serial
from ybscan.probes._usb.serials import salt
from ybscan.probes.base import Context, Probe

LISTED = "已枚举"
NO_USB = "运行中的内核没有 USB 子系统（/sys/bus 可以读取，其中没有 usb）"


class UsbDevicesProbe(Probe):
    """USB storage and memory cards in use. Keyboards, card terminals, keys, printers and hubs are none of these."""

    name = "usb_devices"
    title = "当前接入的移动介质"
    facts = (
        FactSpec(
            "bus", Kind.TEXT, "USB 总线", help="USB 总线是否枚举得到；内核没有 USB 子系统时不可能接有 USB 设备。",
            linux="/sys/bus", windows="配置管理器 API（只取在位设备）",
        ),
        FactSpec(
            "storage", Kind.ITEMS, "当前接入的移动存储",
            help="接口类别为 08 的 USB 设备、经 USB 连接的磁盘与光驱、SD 卡。序列号只给出加盐摘要。",
            linux="/sys/bus/usb/devices、/sys/block、/proc/self/mountinfo",
            windows="磁盘的总线类型与可移动标志（IOCTL_STORAGE_QUERY_PROPERTY），在位的 USB、USBSTOR、SCSI、SD 设备节点",
            fields=(
                Field("kind", Kind.TEXT, "类型"),
                Field("model", Kind.TEXT, "型号"),
                Field("device", Kind.TEXT, "设备"),
                Field("serial", Kind.TEXT, "序列号摘要"),
                Field("registered", Kind.BOOLEAN, "是否已登记"),
                Field("medium", Kind.BOOLEAN, "是否有介质"),
                Field("capacity", Kind.TEXT, "容量"),
                Field("mounted", Kind.TEXT, "挂载点"),
                Field("system", Kind.BOOLEAN, "是否为系统盘"),
            ),
            summary="{kind} {model}（设备 {device}，容量 {capacity}，序列号摘要 {serial}，挂载点 {mounted}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        subsystem = usb_subsystem(host)
        if not isinstance(subsystem, Known):
            return {"bus": subsystem, "storage": subsystem}
        bus: Fact = Known(LISTED if subsystem.value else NO_USB, subsystem.origin)
        devices: tuple[sysfs.UsbDevice, ...] = ()
        if subsystem.value:
            listed = sysfs.usb_devices(host)
            if not isinstance(listed, Known):
                return {"bus": listed, "storage": listed}
            devices = listed.value
        blocks, gaps = sysfs.blocks(host)
        items, more = _items(host, context, {d.name: d for d in devices}, blocks)
        return {"bus": bus, "storage": Known(items, f"{sysfs.DEVICES}、{sysfs.BLOCKS}", (*gaps, *more))}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows import usb_devices

        return usb_devices.read(host, context)


def _items(
    host: Host, context: Context, devices: Mapping[str, sysfs.UsbDevice], blocks: tuple[sysfs.Block, ...]
) -> tuple[tuple[Item, ...], tuple[Gap, ...]]:
    mounts = sysfs.mounts(host)
    salt_text = salt(host)
    items: list[Item] = []
    gaps: list[Gap] = []

    def item(
        kind: str, model: str, device: str | None, serial: Reading[str], medium: FieldValue
    ) -> dict[str, FieldValue]:
        return {
            "kind": kind, "model": model or None, "device": device, "serial": shown_serial(serial, salt_text),
            "registered": registration(serial, context.site), "medium": medium, "system": False,
        }  # fmt: skip

    driven: set[str] = set()
    for block in blocks:
        mounted = _mounted(block, mounts)
        size: FieldValue = block.size.value if isinstance(block.size, Known) else _why(block.size)
        medium = size if isinstance(size, Unknown) else bool(size)
        if block.name.startswith("mmcblk"):
            card = _card(host, block)
            if card is None:
                continue
            made = item("SD 卡", card[0], block.name, card[1], card[2] or medium)
            # Some boards start from a card: it is their disk then, not something carried in.
            made["system"] = mounted if isinstance(mounted, Unknown) else mounted == "/"
        elif block.usb:
            driven.add(block.usb)
            usb = devices.get(block.usb)
            kind = "USB 光驱或虚拟光驱" if block.name.startswith("sr") else "USB 存储"
            serial: Reading[str] = usb.serial if usb else Unknown(Cause.INCOMPLETE, f"{block.usb} 不在设备列表中")
            made = item(kind, f"{usb.vendor} {usb.product}".strip() if usb else "", block.name, serial, medium)
        else:
            continue
        made["capacity"] = sysfs.capacity(size) if isinstance(size, int) and size else None
        made["mounted"] = mounted
        items.append(made)
    for usb in devices.values():
        if usb.name in driven:
            continue
        if isinstance(usb.classes, Unknown):
            gaps.append(usb.classes.as_gap())
        elif "08" in usb.classes:
            # Nothing can be read from it as it is; a reader on an inner port is part of the machine.
            idle: FieldValue = (
                False if usb.fixed else Unknown(Cause.UNCONFIRMED, "设备已接入但没有启用，不能读出有无介质")
            )
            items.append(item("USB 存储（未启用）", f"{usb.vendor} {usb.product}".strip(), None, usb.serial, idle))
    return tuple(items), tuple(gaps)


def _card(host: Host, block: sysfs.Block) -> tuple[str, Reading[str], Unknown | None] | None:
    """Name, serial and doubt of a memory card; None for soldered eMMC. ``device/type`` is SD or MMC."""
    folder = f"{sysfs.BLOCKS}/{block.name}/device"
    kind = sysfs.attribute(host, f"{folder}/type")
    if isinstance(kind, Known) and kind.value == "MMC":
        return None
    name = sysfs.attribute(host, f"{folder}/name")
    doubt = None
    if not isinstance(kind, Known) or kind.value != "SD":
        doubt = Unknown(Cause.UNCONFIRMED, f"{block.name} 是存储卡还是板载存储不能确定", folder)
    return (name.value if isinstance(name, Known) else ""), sysfs.attribute(host, f"{folder}/serial"), doubt


def _mounted(block: sysfs.Block, mounts: Reading[dict[str, str]]) -> str | Unknown | None:
    """Where the disk or one of its partitions is mounted; ``/`` before all others, None when nowhere."""
    if isinstance(block.numbers, Unknown):
        return block.numbers
    if not isinstance(mounts, Known):
        return mounts if isinstance(mounts, Unknown) else None
    places = sorted(mounts.value[n] for n in block.numbers if n in mounts.value)
    return places[0] if places else None


def _why(reading: Reading[int]) -> Unknown:
    return reading if isinstance(reading, Unknown) else Unknown(Cause.UNAVAILABLE, "没有容量信息")


PROBES = (UsbDevicesProbe(),)
