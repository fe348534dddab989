"""What keeps USB storage out of the terminal: drivers, udev, usbguard, polkit, and the vendor's own control.

Each control is a fact of its own; the rules combine them. A control that is there but cannot be read for certain is
Unknown, so that no rule takes its mere presence for protection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, Item, Kind
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown
from ybscan.probes._usb import as_fact, drivers, modprobe, polkit, service, udev, usbguard
from ybscan.probes._usb.vendor import vendor_control
from ybscan.probes.base import Context, Probe

MODULES = ("usb-storage", "uas")

#: Class 08 as it occurs: bulk-only, UAS, ATAPI and floppy command sets.
_STORAGE: tuple[usbguard.Interface, ...] = (
    ("08", "06", "50"), ("08", "06", "62"), ("08", "02", "50"), ("08", "04", "01"), ("08", "05", "50"),
)  # fmt: skip
#: Phones and cameras: still image (PTP, MTP) and the vendor class under which many phones offer MTP.
_PHONES: tuple[usbguard.Interface, ...] = (("06", "01", "01"), ("ff", "ff", "00"))

#: Programs that mount media for ordinary users without asking polkit.
_OTHER_MOUNTERS = ("/usr/bin/pmount", "/usr/bin/udevil", "/usr/share/usbmount/usbmount")

#: Options of fstab by which others than root may mount, and sources that are no USB disk.
_USER_OPTIONS = frozenset({"user", "users", "owner", "group"})
_NO_USB_DISK = re.compile(r"/dev/(?:sr\d|scd\d|cdrom|cdrw|dvd|fd\d|floppy|mapper/)")

_YES_NO = ("已限制", "未限制")


class UsbControlProbe(Probe):
    """The controls over USB storage, one fact each."""

    name = "usb_control"
    title = "USB 存储管控"
    facts = (
        FactSpec(
            "drivers", Kind.ITEMS, "USB 存储驱动", never_empty=True,
            help="每个 USB 存储驱动能否使用；已在内核中的（Windows 为正在运行的），配置再严也算未禁用。",
            linux="modprobe.d、/lib/modules/<内核>/modules.builtin 与 modules.dep、/sys/module、modprobe -n -v",
            windows="Services\\USBSTOR 与 Services\\UASPStor 的 Start 值（4 为禁用）和驱动当前状态",
            fields=(
                Field("name", Kind.TEXT, "驱动"),
                Field("blocked", Kind.BOOLEAN, "是否已禁用"),
                Field("how", Kind.TEXT, "依据"),
                Field("path", Kind.TEXT, "文件"),
                Field("loaded", Kind.BOOLEAN, "是否已加载"),
            ),
            summary="{name}：{how}",
        ),
        FactSpec(
            "deauthorised", Kind.BOOLEAN, "udev 规则对 USB 存储接口的限制", words=_YES_NO,
            help="udev 规则使所有 USB 存储接口（类别 08）一接入即取消授权。", linux="udev rules.d",
        ),
        FactSpec(
            "device_policy", Kind.BOOLEAN, "设备安装（授权）策略对 USB 存储的限制", words=_YES_NO,
            help="设备要先符合策略才能使用，而策略不放行未登记的 USB 存储。",
            linux="usbguard：服务状态、usbguard-daemon.conf、RuleFile 与 RuleFolder 的规则",
            windows="Policies\\Microsoft\\Windows\\DeviceInstall\\Restrictions；没有勾选适用于已安装设备的，再看是否装过 USB 存储",
        ),
        FactSpec(
            "phone_policy", Kind.BOOLEAN, "设备安装（授权）策略对手机、相机的限制", words=_YES_NO,
            help="同一策略不放行以 MTP、PTP 方式接入的设备。", linux="usbguard",
            windows="RemovableStorageDevices 的 Deny_All 或 WPD 两类的 Deny_Read、Deny_Write，DeviceInstall\\Restrictions",
        ),
        FactSpec(
            "mount_denied", Kind.BOOLEAN, "移动存储访问策略", words=_YES_NO,
            help="访问策略拒绝所有用户使用移动存储。",
            linux="polkit：按其版本读取 .pkla 或 .rules 中对 udisks2 挂载操作的规定",
            windows="RemovableStorageDevices（本机，或每个用户）的 Deny_All，或可移动磁盘类与磁盘接口类的 Deny_Read 加 Deny_Write；"
            "本次开机后才写入的为未知",
        ),
        FactSpec(
            "read_only", Kind.BOOLEAN, "移动存储只许读取的策略", words=("已启用", "未启用"),
            help="单位规定只许读取（site.yml 的 usb.profile 为 read-only）时，禁止写入即为封闭；其他单位总是“未启用”。",
            linux="udev rules.d 中把 USB 磁盘设为只读的规则",
            windows="RemovableStorageDevices 中可移动磁盘类与磁盘接口类的 Deny_Write，StorageDevicePolicies\\WriteProtect",
        ),
        FactSpec(
            "vendor", Kind.BOOLEAN, "系统厂商外设管控", words=_YES_NO,
            help="麒麟、统信等系统自带的外设管控。其策略没有公开格式，存在时只能由人核实。", linux="厂商组件的安装文件",
            windows="检测字典中桌面管控产品的进程",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        which = drivers.kernels(host)
        rules = udev.read_rules(host)
        return {
            "drivers": _drivers(host, which),
            "deauthorised": as_fact(udev.deauthorises(rules, which.names)),
            "device_policy": as_fact(_usbguard(host, context, _STORAGE, "USB 存储")),
            "phone_policy": as_fact(_usbguard(host, context, _PHONES, "手机、相机")),
            "mount_denied": as_fact(_mounting(host)),
            "read_only": as_fact(
                udev.write_protects(rules)
                if context.site.usb.profile == "read-only"
                else Known(False, "site.yml 的 usb.profile")
            ),
            "vendor": as_fact(vendor_control(host)),
        }

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows import usb_control

        return usb_control.read(host, context)


def _drivers(host: Host, which: drivers.Kernels) -> Fact:
    layers = modprobe.read_configuration(host)
    items: list[Item] = []
    why: list[str] = []
    for module in MODULES:
        driver = drivers.judge(host, layers, which, module)
        items.append(
            {
                "name": driver.name, "blocked": driver.blocked, "how": driver.how, "path": driver.path,
                "loaded": driver.loaded,
            }
        )  # fmt: skip
        why.append(f"{driver.name}：{driver.how}" + (f"，{driver.path}" if driver.path else ""))
    return Known(tuple(items), "；".join(why))


def _usbguard(host: Host, context: Context, kinds: tuple[usbguard.Interface, ...], what: str) -> Reading[bool]:
    policy = usbguard.read_policy(host)
    if not isinstance(policy, usbguard.Policy):
        return policy
    media = context.site.usb.registered if context.site.usb.profile != "closed" else None
    verdict = usbguard.keeps_out(policy, kinds, what=what, registered=frozenset(media or ()))
    if isinstance(verdict, Known) and not verdict.value:
        return verdict
    running = service.running(host, "usbguard", "usbguard-daemon")
    if isinstance(running, Known):
        return verdict if running.value else Known(False, "usbguard 服务未运行")
    return running


def _mounting(host: Host) -> Reading[bool]:
    refused = polkit.refuses_mounting(host)
    if not isinstance(refused, Known) or not refused.value:
        return refused
    table = host.files.text(path="/etc/fstab")
    if isinstance(table, Unknown):
        return table
    if isinstance(table, Known) and (point := _user_mount(table.value)):
        why = f"polkit 已拒绝挂载，但 /etc/fstab 允许普通用户挂载 {point}，需人工核对"
        return Unknown(Cause.UNCONFIRMED, why, "/etc/fstab")
    for path in _OTHER_MOUNTERS:
        program = host.files.stat(path=path)
        if isinstance(program, Unknown):
            return program
        if not isinstance(program, Absent):
            return Unknown(Cause.UNCONFIRMED, f"polkit 已拒绝挂载，但 {path} 可以绕过它，需人工核对", path)
    return refused


def _user_mount(fstab: str) -> str:
    """The mount point of the first line that lets ordinary users mount (mount(8)): no polkit is asked there.

    Drives for discs and floppies and what is no device (a share, memory) are another matter.
    """
    for line in fstab.split("\n"):
        fields = line.split()
        if len(fields) < 4 or fields[0].startswith("#") or _NO_USB_DISK.match(fields[0]):
            continue
        device = fields[0].startswith(("/dev/", "UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=", "ID="))
        if device and _USER_OPTIONS & set(fields[3].split(",")):
            return fields[1]
    return ""


PROBES = (UsbControlProbe(),)
