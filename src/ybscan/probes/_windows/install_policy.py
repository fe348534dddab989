"""The policy "device installation restrictions": whether a device of a kind can be put to use at all.

Sources: Policy CSP DeviceInstallation and the guide "Manage device installation with Group Policy" (what the lists
match, that a restriction holds for devices yet to be installed unless it is also retroactive, the layers: instance ids
before device ids before setup classes before removable devices); supported-usb-classes of the driver documentation (UAS
adapters are of class SCSIAdapter, the others of class USB).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.hosts.groups.registry import RegistryValue
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown
from ybscan.probes._windows.settings import before_windows_8, flag, home_doubt

BASE = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\DeviceInstall\Restrictions"

_DISK_CLASS = "{4d36e967-e325-11ce-bfc1-08002be10318}"
_SCSI_CLASS = "{4d36e97b-e325-11ce-bfc1-08002be10318}"
_USB_CLASS = "{36fc9e60-c465-11cf-8056-444553540000}"
_WPD_CLASS = "{eec5ad98-8080-425f-922a-dabf3de3f69a}"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of devices, by the ways it can come in; each way has to be closed.

    ``classes`` and ``ids`` give, for a setup class or a device id in lower case, the ways that denying it closes.
    ``allows`` are beginnings of ids, and classes, whose being allowed may open a way again.
    """

    what: str
    ways: tuple[str, ...]
    classes: Mapping[str, tuple[str, ...]]
    ids: Mapping[str, tuple[str, ...]]
    allows: tuple[str, ...]
    enumerators: tuple[str, ...]
    services: frozenset[str]
    """Services of USB devices that are of this kind, in lower case."""
    setup_class: str = ""
    """A setup class whose USB devices are of this kind."""


#: Bulk-only transport and UAS. A denied id closes what has it among its hardware or compatible ids.
STORAGE = Kind(
    "USB 存储",
    ("bulk", "uas"),
    {_DISK_CLASS: ("bulk", "uas"), _SCSI_CLASS: ("uas",), _USB_CLASS: ("bulk",)},
    {
        r"usb\class_08": ("bulk", "uas"),
        r"usb\class_08&subclass_06": ("bulk", "uas"),
        r"usb\class_08&subclass_06&prot_50": ("bulk",),
        r"usb\class_08&subclass_06&prot_62": ("uas",),
        r"usbstor\disk": ("bulk",),
        r"usbstor\gendisk": ("bulk",),
        "gendisk": ("bulk", "uas"),
    },
    (_DISK_CLASS, "usbstor", "gendisk", r"scsi\disk", r"usb\class_08"),
    ("USBSTOR",),
    frozenset({"usbstor", "uaspstor"}),
)
PHONES = Kind(
    "手机、相机",
    ("wpd",),
    {_WPD_CLASS: ("wpd",)},
    {},
    (_WPD_CLASS, r"usb\ms_comp_mtp", r"usb\class_06", r"usb\vid_", "wpd"),
    (),
    frozenset({"wudfwpdmtp"}),
    _WPD_CLASS,
)


@dataclass(frozen=True, slots=True)
class _Deny:
    """One restriction: the ways it closes, its layer, and whether it holds for devices installed before."""

    ways: tuple[str, ...]
    layer: int
    retroactive: bool | Unknown


def keeps_out(host: Host, kind: Kind) -> Reading[bool]:
    """Whether the restrictions keep devices of ``kind`` from being used. Absent when there are no restrictions."""
    values = host.registry.values(key=BASE)
    if not isinstance(values, Known):
        return values
    denies = _denies(host, values, kind)
    if isinstance(denies, Unknown):
        return denies
    verdict: bool | Unknown = True
    for way in kind.ways:
        answers = [_holds(host, values, kind, d) for d in denies if way in d.ways]
        # Windows 7 has no UAS driver: nothing comes in that way.
        if not any(a is True for a in answers) and way == "uas":
            answers.append(before_windows_8(host))
        if any(a is True for a in answers):
            continue
        doubt = next((a for a in answers if isinstance(a, Unknown)), None)
        if doubt is None:
            return Known(False, BASE)
        verdict = doubt
    if isinstance(verdict, Unknown):
        return verdict
    home = home_doubt(host)
    if home is not None:
        return home
    admins = flag(values, "AllowAdminInstall", BASE)
    if isinstance(admins, Unknown):
        return admins
    if admins:
        return Unknown(Cause.UNCONFIRMED, "策略允许管理员绕过设备安装限制，需人工核对谁以管理员身份使用本机", BASE)
    return Known(True, BASE)


def _denies(host: Host, values: Known[dict[str, RegistryValue]], kind: Kind) -> list[_Deny] | Unknown:
    found: list[_Deny] = []

    def on(name: str) -> bool | Unknown:
        return flag(values, name, BASE)

    removable = on("DenyRemovableDevices")
    if isinstance(removable, Unknown):
        return removable
    if removable:
        found.append(_Deny(kind.ways, 0, on("DenyRemovableDevicesRetroactive")))
    for name, layer, closes in (("DenyDeviceClasses", 1, kind.classes), ("DenyDeviceIDs", 2, kind.ids)):
        listed = _list(host, values, name)
        if isinstance(listed, Unknown):
            return listed
        found += [_Deny(closes[e], layer, on(f"{name}Retroactive")) for e in listed if e in closes]
    rest = on("DenyUnspecified")
    if isinstance(rest, Unknown):
        return rest
    if rest:
        found.append(_Deny(kind.ways, -1, retroactive=False))
    return found


def _list(host: Host, values: Known[dict[str, RegistryValue]], name: str) -> tuple[str, ...] | Unknown:
    """The entries of a list that is switched on, in lower case."""
    on = flag(values, name, BASE)
    if on is not True:
        return on if isinstance(on, Unknown) else ()
    key = f"{BASE}\\{name}"
    entries = host.registry.values(key=key)
    if isinstance(entries, Unknown):
        return entries
    if isinstance(entries, Absent):
        return ()
    if entries.gaps:
        return Unknown(entries.gaps[0].cause, entries.gaps[0].detail, entries.gaps[0].origin)
    if not all(isinstance(v, str) for v in entries.value.values()):
        return Unknown(Cause.MALFORMED, f"{key} 中有不是文字的条目", key)
    return tuple(str(v).strip().lower() for v in entries.value.values())


def _holds(host: Host, values: Known[dict[str, RegistryValue]], kind: Kind, deny: _Deny) -> bool | Unknown:
    """Whether a restriction holds: nothing allows the devices again, and none of them was installed before it."""
    layered = flag(values, "AllowDenyLayered", BASE)
    if isinstance(layered, Unknown):
        return layered
    if layered and deny.layer < 0:
        return Unknown(Cause.UNCONFIRMED, "启用了分层评估，“禁止安装未描述的设备”是否仍然有效需人工核对", BASE)
    # Without layers whatever forbids wins; only "everything that is not described" yields to what is allowed.
    if layered or deny.layer < 0:
        for layer, name in ((1, "AllowDeviceClasses"), (2, "AllowDeviceIDs"), (3, "AllowInstanceIDs")):
            allowed = _list(host, values, name) if layer > deny.layer else ()
            if isinstance(allowed, Unknown):
                return allowed
            if (layered and allowed) or any(e.startswith(kind.allows) for e in allowed):
                return Unknown(
                    Cause.UNCONFIRMED, f"策略另有允许安装的清单（{name}），是否放行{kind.what}需人工核对", BASE
                )
    if deny.retroactive is not False:
        return deny.retroactive
    before = _installed_before(host, kind)
    return before if isinstance(before, Unknown) else not before


def _installed_before(host: Host, kind: Kind) -> bool | Unknown:
    """Whether a device of the kind is installed, plugged in or not: a restriction that is not retroactive leaves it be."""
    doubt: Unknown | None = None
    for enumerator in (*kind.enumerators, "USB"):
        listed = host.devices.listed(enumerator=enumerator)
        if not isinstance(listed, Known):
            doubt = doubt or (listed if isinstance(listed, Unknown) else None)
            continue
        for device in listed.value:
            own = device.service.lower() in kind.services or (
                kind.setup_class and device.class_guid == kind.setup_class
            )
            if own or enumerator in kind.enumerators:
                return True
        if listed.gaps:
            doubt = doubt or Unknown(listed.gaps[0].cause, listed.gaps[0].detail, listed.gaps[0].origin)
    return doubt or False
