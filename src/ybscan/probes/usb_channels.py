"""Ways of carrying files in and out besides USB storage: discs, phones and cameras, Bluetooth."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._usb import as_fact, drivers, modprobe, service, sysfs
from ybscan.probes.base import Context, Probe

_CDROM = "/proc/sys/dev/cdrom/info"
#: Of the abilities the kernel lists, those a read-only drive never has; MRW and RAM are claimed by many that cannot.
_WRITES = frozenset({"Can write CD-R", "Can write CD-RW", "Can write DVD-R", "Can write DVD-RAM"})

_GVFS = ("/usr/libexec", "/usr/libexec/gvfs", "/usr/lib/gvfs", "/usr/lib64/gvfs")
_PHONE_PROGRAMS = (
    *((f"{d}/gvfsd-mtp", "桌面的手机（MTP）支持") for d in _GVFS),
    *((f"{d}/gvfsd-gphoto2", "桌面的相机（PTP）支持") for d in _GVFS),
    *((f"/usr/bin/{n}", n) for n in (
        "jmtpfs", "simple-mtpfs", "go-mtpfs", "mtpfs", "mtp-connect", "gmtp", "android-file-transfer", "aft-mtp-cli",
        "gphoto2", "adb",
    )),
)  # fmt: skip
_KDE_MTP = ("qt5/plugins/kf5/kio/mtp.so", "qt6/plugins/kf6/kio/mtp.so", "plugins/kf5/kio/mtp.so")
_OBEX = (
    "/usr/libexec/bluetooth/obexd",
    "/usr/lib/bluetooth/obexd",
    "/usr/lib64/bluetooth/obexd",
    "/usr/bin/obexpushd",
    "/usr/bin/obexftp",
)
_PROGRAM_FIELDS = (Field("name", Kind.TEXT, "程序"), Field("path", Kind.TEXT, "文件"))


class UsbChannelsProbe(Probe):
    """Optical drives, programs that talk to phones, Bluetooth."""

    name = "usb_channels"
    title = "光驱、手机和蓝牙文件传输通道"
    facts = (
        FactSpec(
            "optical", Kind.ITEMS, "光驱", linux="/sys/block/sr*、/proc/sys/dev/cdrom/info、/proc/self/mountinfo",
            windows="在位的光驱（CdRom）及其中有无光盘；能否刻录只能看型号，看不出的为未知",
            fields=(
                Field("device", Kind.TEXT, "设备"),
                Field("model", Kind.TEXT, "型号"),
                Field("writer", Kind.BOOLEAN, "能否刻录"),
                Field("mounted", Kind.BOOLEAN, "光盘是否已挂载"),
            ),
            summary="{device} {model}（能否刻录：{writer}，光盘是否已挂载：{mounted}）",
        ),
        FactSpec(
            "optical_blocked", Kind.BOOLEAN, "光驱驱动", words=("已禁用", "未禁用"),
            linux="sr_mod 模块，判断方法与 USB 存储驱动相同",
            windows="Services\\cdrom 的 Start 与当前状态，RemovableStorageDevices 的 Deny_All 或 CD/DVD 类的 Deny_Read、Deny_Write",
        ),
        FactSpec(
            "phone_programs", Kind.ITEMS, "可与手机、相机交换文件的程序", linux="gvfs、KIO 及常见 MTP/PTP 程序的安装文件",
            windows="系统自带的便携设备（WPD）支持，总是有", fields=_PROGRAM_FIELDS, summary="{name}（{path}）",
        ),
        FactSpec(
            "bluetooth_adapters", Kind.ITEMS, "蓝牙适配器", linux="/sys/class/bluetooth",
            windows="Bluetooth 类在位设备（不含已配对的设备）",
            fields=(Field("name", Kind.TEXT, "适配器"),), summary="{name}",
        ),
        FactSpec(
            "bluetooth_service", Kind.BOOLEAN, "蓝牙服务", words=("已启用", "未启用"),
            linux="bluetooth.service 的状态与开机启动、bluetoothd 进程", windows="服务 bthserv 的 Start（4 为禁用）与当前状态",
        ),
        FactSpec(
            "bluetooth_programs", Kind.ITEMS, "蓝牙文件传输程序", linux="obexd 等程序的安装文件", windows="System32\\fsquirt.exe",
            fields=_PROGRAM_FIELDS, summary="{name}（{path}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return {
            "optical": _optical(host),
            "optical_blocked": as_fact(_optical_blocked(host)),
            "phone_programs": _phone_programs(host),
            "bluetooth_adapters": _adapters(host),
            "bluetooth_service": as_fact(_bluetooth(host)),
            "bluetooth_programs": _programs(host, tuple((p, p.rpartition("/")[2]) for p in _OBEX)),
        }

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows import usb_channels

        return usb_channels.read(host, context)


def _optical(host: Host) -> Fact:
    blocks, gaps = sysfs.blocks(host)
    drives = [b for b in blocks if b.name.startswith("sr")]
    if not drives:
        if gaps:
            return Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin)
        return Known((), sysfs.BLOCKS)
    mounts = sysfs.mounts(host)
    abilities = _abilities(host)
    items: list[Item] = []
    for drive in drives:
        model = sysfs.attribute(host, f"{sysfs.BLOCKS}/{drive.name}/device/model")
        mounted: FieldValue
        if isinstance(drive.numbers, Unknown):
            mounted = drive.numbers
        elif isinstance(mounts, Known):
            mounted = any(n in mounts.value for n in drive.numbers)
        else:
            mounted = mounts if isinstance(mounts, Unknown) else None
        items.append(
            {
                "device": drive.name,
                "model": model.value if isinstance(model, Known) else None,
                "writer": abilities if isinstance(abilities, Unknown) else abilities.get(
                    drive.name, Unknown(Cause.INCOMPLETE, f"{_CDROM} 中没有 {drive.name}", _CDROM)
                ),
                "mounted": mounted,
            }
        )  # fmt: skip
    return Known(tuple(items), sysfs.BLOCKS, gaps)


def _abilities(host: Host) -> dict[str, FieldValue] | Unknown:
    """Drive → whether it can write. The file has a row per ability and a column per drive."""
    text = host.files.text(path=_CDROM)
    if isinstance(text, Unknown):
        return text
    if isinstance(text, Absent):
        return Unknown(Cause.UNAVAILABLE, f"{_CDROM} 不存在", _CDROM)
    names: list[str] = []
    able: set[str] = set()
    rows = 0
    for line in text.value.splitlines():
        label, colon, values = line.partition(":")
        if not colon:
            continue
        if label.strip() == "drive name":
            names = values.split()
        elif label.strip() in _WRITES:
            columns = values.split()
            if len(columns) != len(names):
                return Unknown(Cause.MALFORMED, _CDROM, _CDROM)
            rows += 1
            able |= {n for n, v in zip(names, columns, strict=True) if v != "0"}
    if not rows:
        return Unknown(Cause.MALFORMED, _CDROM, _CDROM)
    return {n: n in able for n in names}


def _optical_blocked(host: Host) -> Reading[bool]:
    driver = drivers.judge(host, modprobe.read_configuration(host), drivers.kernels(host), "sr_mod")
    # The branch for a kernel without USB speaks of USB drivers; drives on SATA do not need it.
    if isinstance(driver.blocked, Unknown):
        return driver.blocked
    return Known(driver.blocked and driver.path != "/sys/bus", driver.path or driver.how)


def _programs(host: Host, candidates: tuple[tuple[str, str], ...], gaps: tuple[Gap, ...] = ()) -> Fact:
    items: list[Item] = []
    missing = list(gaps)
    for path, name in candidates:
        stat = host.files.stat(path=path)
        if isinstance(stat, Unknown):
            missing.append(stat.as_gap())
        elif isinstance(stat, Known):
            items.append({"name": name, "path": path})
    return Known(tuple(items), "程序文件", tuple(missing))


def _phone_programs(host: Host) -> Fact:
    listed = host.files.entries(path="/usr/lib")
    gaps = (listed.as_gap(),) if isinstance(listed, Unknown) else ()
    triplets = [n for n in listed.value if re.search(r"-linux-gnu\w*$", n)] if isinstance(listed, Known) else []
    folders = [*(f"/usr/lib/{t}" for t in triplets), "/usr/lib", "/usr/lib64"]
    kde = tuple((f"{d}/{p}", "KDE 的手机（MTP）支持") for d in folders for p in _KDE_MTP)
    return _programs(host, (*_PHONE_PROGRAMS, *kde), gaps)


def _bluetooth(host: Host) -> Reading[bool]:
    """Whether the service runs, or will after the next start: stopped for the moment of the check is not closed."""
    running = service.running(host, "bluetooth", "bluetoothd")
    return service.enabled(host, "bluetooth") if isinstance(running, Known) and not running.value else running


def _adapters(host: Host) -> Fact:
    path = "/sys/class/bluetooth"
    names = host.files.entries(path=path)
    if isinstance(names, Unknown):
        return names
    if isinstance(names, Absent):
        if drivers.sysfs_reliable(host):
            return Known((), path)
        return Unknown(Cause.UNAVAILABLE, "/sys 没有挂载或不完整，不能确定有无蓝牙适配器", path)
    return Known(tuple({"name": n} for n in names.value if re.fullmatch(r"hci\d+", n)), path)


PROBES = (UsbChannelsProbe(),)
