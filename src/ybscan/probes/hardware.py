"""The machine itself: make and age, disks and their health, free space.

Sources: the kernel's ABI documents for ``/sys/class/dmi/id`` and ``/sys/block``; proc_cpuinfo(5), proc_meminfo(5);
smartctl(8) ``-H`` in JSON (``smart_status.passed`` is the disk's own verdict); statvfs(3) for space.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from ybscan.hosts.base import Host
from ybscan.hosts.linux.mounts import MountLine, parse_mountinfo
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown
from ybscan.probes._software.text import shown
from ybscan.probes._usb.serials import salt
from ybscan.probes._usb.serials import shown as short_serial
from ybscan.probes._usb.sysfs import SECTOR, attribute, blocks
from ybscan.probes.base import Context, Probe

#: Free space in percent: above the first is enough, below the second is too little, between is a person's to judge.
ENOUGH, TOO_LITTLE = 10, 5
_GIB = 1024**3
_DISK = re.compile(r"^(sd[a-z]{1,2}|hd[a-z]|nvme\d{1,2}n\d{1,2}|mmcblk\d|vd[a-z]|xvd[a-z])$")
_DMI = "/sys/class/dmi/id"
_PROCESSOR = re.compile(r"^(?:model name|Model Name|Hardware|cpu model)\s*:\s*(.+)$", re.MULTILINE)
_FILLED = re.compile(
    r"to be filled|default string|system (product|manufacturer|serial)|not specified|o\.e\.m", re.IGNORECASE
)
#: Full by their nature, or of a fixed size that the maker chose.
_READ_ONLY_TYPES = frozenset({"squashfs", "iso9660", "udf", "erofs", "cramfs"})
_RESERVED = ("/boot", "/recovery", "/efi")


class HardwareProbe(Probe):
    """Make, age and condition of the terminal."""

    name = "hardware"
    title = "设备与磁盘状况"
    facts = (
        FactSpec(
            "machine", Kind.ITEMS, "设备",
            help="BIOS 日期是固件的日期，不是购置日期。序列号只显示加盐散列后的前 8 位。",
            linux="/sys/class/dmi/id、/proc/cpuinfo、/proc/meminfo",
            windows="Win32_ComputerSystemProduct、Win32_BIOS、Win32_Processor",
            fields=(
                Field("vendor", Kind.TEXT, "厂商"),
                Field("model", Kind.TEXT, "型号"),
                Field("bios_date", Kind.TEXT, "BIOS 日期"),
                Field("processor", Kind.TEXT, "处理器"),
                Field("memory_mib", Kind.INTEGER, "内存", "MiB"),
                Field("serial", Kind.TEXT, "序列号（缩短）"),
            ),
            summary="{vendor} {model}（BIOS 日期 {bios_date}，{processor}，内存 {memory_mib}）",
        ),
        FactSpec(
            "disks", Kind.ITEMS, "固定磁盘", never_empty=True,
            help="不含经 USB 连接的磁盘。health 是磁盘自检（SMART）的总体结论，为“否”表示磁盘预告故障；阵列卡后和虚拟机中的磁盘无从得知。",
            linux="/sys/block、smartctl -H", windows="MSFT_PhysicalDisk.HealthStatus、MSStorageDriver_FailurePredictStatus",
            fields=(
                Field("name", Kind.TEXT, "设备"),
                Field("model", Kind.TEXT, "型号"),
                Field("size_gib", Kind.INTEGER, "容量", "GiB"),
                Field("serial", Kind.TEXT, "序列号（缩短）"),
                Field("health", Kind.BOOLEAN, "磁盘自检是否通过"),
            ),
            summary="{name}（{model}，{size_gib}，自检通过：{health}）",
        ),
        FactSpec(
            "space", Kind.ITEMS, "磁盘剩余空间", never_empty=True,
            help="本机固定磁盘上可写的文件系统。剩余超过 10% 为足够，低于 5% 为不足，之间须人工判断。",
            linux="/proc/self/mountinfo、statvfs", windows="GetDiskFreeSpaceEx",
            fields=(
                Field("mount", Kind.TEXT, "位置"),
                Field("size_gib", Kind.INTEGER, "容量", "GiB"),
                Field("free_percent", Kind.INTEGER, "剩余", "%"),
                Field("enough", Kind.BOOLEAN, "剩余空间是否足够"),
            ),
            summary="{mount}（容量 {size_gib}，剩余 {free_percent}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        salted = salt(host)
        external = _external(host)
        mounts = _mounts(host)
        return {
            "machine": Known((_machine(host, salted),), _DMI),
            "disks": _disks(host, external, mounts, salted),
            "space": _space(host, external[0], mounts),
        }


# The machine ----------------------------------------------------------------------------------------------------


def _machine(host: Host, salted: str) -> Item:
    return {
        "vendor": _dmi(host, "sys_vendor"), "model": _dmi(host, "product_name"), "bios_date": _bios_date(host),
        "processor": _processor(host), "memory_mib": _memory(host), "serial": _short(_dmi(host, "product_serial"), salted),
    }  # fmt: skip


def _value(reading: Reading[str]) -> str | Unknown | None:
    if isinstance(reading, Unknown):
        return reading
    text = reading.value.strip() if isinstance(reading, Known) else ""
    return shown(text, 80) if text and not _FILLED.search(text) else None


def _short(value: str | Unknown | None, salted: str) -> FieldValue:
    return short_serial(value, salted) if isinstance(value, str) else value


def _dmi(host: Host, name: str) -> str | Unknown | None:
    return _value(attribute(host, f"{_DMI}/{name}"))


def _bios_date(host: Host) -> FieldValue:
    text = _dmi(host, "bios_date")
    m = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", text) if isinstance(text, str) else None
    return f"{m[3]}-{m[1]}-{m[2]}" if m else text


def _processor(host: Host) -> FieldValue:
    text = host.files.text(path="/proc/cpuinfo")
    if isinstance(text, Unknown):
        return text
    named = _PROCESSOR.search(text.value) if isinstance(text, Known) else None
    return shown(named[1].strip(), 80) if named else None


def _memory(host: Host) -> FieldValue:
    text = host.files.text(path="/proc/meminfo")
    if isinstance(text, Unknown):
        return text
    total = re.search(r"^MemTotal:\s+(\d+) kB", text.value, re.MULTILINE) if isinstance(text, Known) else None
    return int(total[1]) // 1024 if total else None


# Disks ----------------------------------------------------------------------------------------------------------


def _external(host: Host) -> tuple[frozenset[str], tuple[Gap, ...]]:
    """The disks that hang on USB, and what could not be told of where disks hang."""
    found, gaps = blocks(host)
    return frozenset(b.name for b in found if b.usb), gaps


def _disks(
    host: Host,
    external: tuple[frozenset[str], tuple[Gap, ...]],
    mounts: tuple[MountLine, ...] | Unknown,
    salted: str,
) -> Fact:
    on_usb, gaps = external
    names = host.files.entries(path="/sys/block")
    if not isinstance(names, Known):
        return names if isinstance(names, Unknown) else Unknown(Cause.UNAVAILABLE, "/sys/block", "/sys/block")
    hidden = _hidden(host, mounts)
    items = tuple(
        _disk(host, name, hidden.get(name, ""), salted)
        for name in sorted(names.value)
        if _DISK.match(name) and name not in on_usb
    )
    if not items and not gaps:
        gaps = (Gap(Cause.UNAVAILABLE, "没有找到固定磁盘", "/sys/block"),)
    return Known(items, "/sys/block", gaps)


def _hidden(host: Host, mounts: tuple[MountLine, ...] | Unknown) -> dict[str, str]:
    """Why what lies behind a disk cannot be told, by disk."""
    found: dict[str, str] = {}
    for line in mounts if not isinstance(mounts, Unknown) else ():
        place = host.volumes.place(path=line.point)
        for disk in place.value.disks if isinstance(place, Known) else ():
            if disk.hidden:
                found[disk.name] = disk.hidden
    return found


def _disk(host: Host, name: str, hidden: str, salted: str) -> Item:
    size = attribute(host, f"/sys/block/{name}/size")
    gib: FieldValue = size if isinstance(size, Unknown) else None
    if isinstance(size, Known) and size.value.isdigit():
        gib = int(size.value) * SECTOR // _GIB
    model = _value(attribute(host, f"/sys/block/{name}/device/model"))
    serial = attribute(host, f"/sys/block/{name}/device/serial")
    if name.startswith(("vd", "xvd")):
        hidden = hidden or "虚拟磁盘"
    health: FieldValue = Unknown(Cause.UNAVAILABLE, hidden, name) if hidden else _health(host, name)
    return {"name": name, "model": model, "size_gib": gib, "serial": _short(_value(serial), salted), "health": health}


def _health(host: Host, name: str) -> bool | Unknown:
    answer = host.tools.run(tool="SMARTCTL", args=("-j", "-n", "standby", "-H", f"/dev/{name}"), seconds=20)
    if not isinstance(answer, Known):
        return answer if isinstance(answer, Unknown) else Unknown(Cause.UNAVAILABLE, "smartctl", "smartctl")
    return smart_verdict(answer.value.stdout)


def smart_verdict(text: str) -> bool | Unknown:
    """What the disk says of itself in smartctl's JSON. The exit code mixes many bits and is not needed."""
    try:
        said = json.loads(text)
        passed = said["smart_status"]["passed"]
    except (ValueError, KeyError, TypeError):
        return Unknown(Cause.UNAVAILABLE, "磁盘没有给出自检结论（未取得权限、休眠中、经转接或阵列卡连接）", "smartctl")
    return passed if isinstance(passed, bool) else Unknown(Cause.MALFORMED, "smartctl 的输出", "smartctl")


# Space ----------------------------------------------------------------------------------------------------------


def _mounts(host: Host) -> tuple[MountLine, ...] | Unknown:
    text = host.files.text(path="/proc/self/mountinfo")
    if not isinstance(text, Known):
        return text if isinstance(text, Unknown) else Unknown(Cause.UNAVAILABLE, "挂载表", "/proc/self/mountinfo")
    lines = parse_mountinfo(text.value)
    if lines is None:
        return Unknown(Cause.MALFORMED, "/proc/self/mountinfo", "/proc/self/mountinfo")
    return tuple(_fixed(lines))


def _fixed(lines: tuple[MountLine, ...]) -> Iterator[MountLine]:
    """One mount of every writable file system of a disk; bind mounts show the same one again."""
    seen: set[tuple[tuple[int, int], str]] = set()
    for line in sorted(lines, key=lambda m: (len(m.point), m.point)):
        key = (line.device, line.source)
        if line.kind != "disk" or line.fs_type in _READ_ONLY_TYPES or "ro" in line.options.split(",") or key in seen:
            continue
        if any(line.point == r or line.point.startswith(r + "/") for r in _RESERVED):
            continue
        seen.add(key)
        yield line


def _space(host: Host, on_usb: frozenset[str], mounts: tuple[MountLine, ...] | Unknown) -> Fact:
    if isinstance(mounts, Unknown):
        return mounts
    gaps: list[Gap] = []
    items: list[Item] = []
    for line in mounts:
        place = host.volumes.place(path=line.point)
        disks = {d.name for d in place.value.disks} if isinstance(place, Known) else set()
        if disks and disks <= on_usb:
            continue
        space = host.volumes.space(path=line.point, seconds=10)
        if not isinstance(space, Known):
            gaps.append(
                space.as_gap() if isinstance(space, Unknown) else Gap(Cause.UNAVAILABLE, line.point, line.point)
            )
        elif space.value.total:
            items.append(_space_item(line.point, space.value.total, space.value.free))
    if not items and not gaps:
        gaps.append(Gap(Cause.UNAVAILABLE, "没有找到本机磁盘上的文件系统", "/proc/self/mountinfo"))
    return Known(tuple(items), "statvfs", tuple(gaps))


def _space_item(point: str, total: int, free: int) -> Item:
    share = free * 100 / total
    enough: FieldValue = share > ENOUGH
    if TOO_LITTLE <= share <= ENOUGH:
        enough = Unknown(
            Cause.UNCONFIRMED, f"剩余 {share:.1f}%，不足 {ENOUGH}% 但未低于 {TOO_LITTLE}%，请清理或人工判断"
        )
    return {"mount": shown(point), "size_gib": total // _GIB, "free_percent": int(share), "enough": enough}


PROBES = (HardwareProbe(),)
