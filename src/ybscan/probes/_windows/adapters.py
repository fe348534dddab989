"""Network adapters as the registry has them, whether they are there now or not.

Sources: "Standardized INF Keywords for Network Devices" (``*IfType``, ``*PhysicalMediaType``), "System-Defined Device
Setup Classes", the numbers of IANA's ifType registry and of NDIS_PHYSICAL_MEDIUM; USB class codes of the USB-IF.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ybscan.hosts.groups.devices import Device
from ybscan.hosts.groups.network import InterfaceKind
from ybscan.probes._windows.keys import Keys

NET_CLASS = "{4d36e972-e325-11ce-bfc1-08002be10318}"
BLUETOOTH_CLASS = "{e0cbf06c-cd8b-4647-bb8a-263b43f0f974}"
CLASS_KEY = r"HKLM\SYSTEM\CurrentControlSet\Control\Class\{4D36E972-E325-11CE-BFC1-08002BE10318}"
_CONNECTIONS = r"HKLM\SYSTEM\CurrentControlSet\Control\Network\{4D36E972-E325-11CE-BFC1-08002BE10318}"
_ENUM = r"HKLM\SYSTEM\CurrentControlSet\Enum"

#: NDIS_PHYSICAL_MEDIUM: wireless LAN (the old number too), native 802.11, mobile, Bluetooth.
_MEDIA: dict[int, InterfaceKind] = {1: "wireless", 9: "wireless", 8: "wwan", 10: "bluetooth"}
_IF_TYPES: dict[int, InterfaceKind] = {71: "wireless", 243: "wwan", 244: "wwan"}
#: Remote NDIS is what phones and sticks speak; the communication class is shared with serial modems.
_RNDIS = re.compile(r"^usb\\class_(e0&subclass_01&prot_03|ef&subclass_04&prot_01)", re.IGNORECASE)
_MAYBE_RNDIS = re.compile(r"^usb\\class_02&subclass_(02&prot_ff|06|0d)", re.IGNORECASE)
_TETHER_DRIVERS = re.compile(r"^(usb_?rndis\w*|rndismp\w*|usb80(23|236)\w*|netaapl\w*)$", re.IGNORECASE)
_MAYBE_DRIVERS = re.compile(r"^(usbncm|usbcdcncm|cdc_?ncm|cdc_?ecm|usbser\w*)$", re.IGNORECASE)
#: Adapters that Windows makes itself on top of a wireless card: hosted network, Wi-Fi Direct.
_INNER = re.compile(r"vwifimp|\\vwifi", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Adapter:
    """What the key of a network adapter's driver says."""

    id: str
    """GUID, upper case with braces."""
    place: str
    """The key below the class, such as ``0007``."""
    component: str
    description: str
    kind: InterfaceKind | None
    """What kind of card it is; None for wired and all others."""

    @property
    def inner(self) -> bool:
        """Whether Windows made it itself on top of a wireless card (hosted network, Wi-Fi Direct)."""
        return _INNER.search(self.component) is not None


def adapters(keys: Keys) -> tuple[Adapter, ...]:
    """Every network adapter that has a driver set up, plugged in or not."""
    found = []
    for place in keys.expected(CLASS_KEY, "网络适配器"):
        if not re.fullmatch(r"\d{4}", place):
            continue
        values = keys.values(f"{CLASS_KEY}\\{place}")
        numbers = {
            n: int(v) for n, v in values.items()
            if n in ("*iftype", "*physicalmediatype") and (isinstance(v, int) or (isinstance(v, str) and v.isdigit()))
        }  # fmt: skip
        kind = _MEDIA.get(numbers.get("*physicalmediatype", 0)) or _IF_TYPES.get(numbers.get("*iftype", 0))
        component = str(values.get("componentid", "") or values.get("matchingdeviceid", ""))
        if _INNER.search(component):
            kind = None
        found.append(
            Adapter(
                str(values.get("netcfginstanceid", "")).upper(),
                place,
                component,
                str(values.get("driverdesc", "")),
                kind,
            )
        )
    return tuple(found)


def adapter_of(keys: Keys, device: Device, known: tuple[Adapter, ...]) -> Adapter | None:
    """The adapter a device node stands for: its ``Driver`` value names the key below the class."""
    driver = keys.text(f"{_ENUM}\\{device.instance}", "Driver")
    place = driver.rpartition("\\")[2]
    return next((a for a in known if place and a.place == place and driver.lower().startswith(NET_CLASS)), None)


def kind_of(device: Device, adapter: Adapter | None) -> tuple[InterfaceKind | None, bool]:
    """What a node of the net class is, None for wired and all others, and whether that is certain."""
    if _INNER.search(device.instance) or _INNER.search(device.service):
        return None, True
    ids = (*device.compatible_ids, *device.hardware_ids)
    if any(_RNDIS.match(i) for i in ids) or _TETHER_DRIVERS.match(device.service):
        return "usb-tether", True
    if adapter is not None and adapter.kind:
        return adapter.kind, True
    if re.match(r"^bth\\ms_bthpan", device.instance, re.IGNORECASE) or device.service.lower() == "bthpan":
        return "bluetooth", True
    if any(_MAYBE_RNDIS.match(i) for i in ids) or _MAYBE_DRIVERS.match(device.service):
        return "usb-ethernet", False
    return None, True


def connection_name(keys: Keys, guid: str) -> str:
    """The name a connection has in Windows (以太网, WLAN …); empty where it has none."""
    return keys.text(f"{_CONNECTIONS}\\{guid}\\Connection", "Name")


def is_connection(keys: Keys, guid: str) -> bool:
    """Whether the adapter is (or was, as long as it is not uninstalled) one of the terminal's connections."""
    return "connection" in {s.lower() for s in keys.subkeys(f"{_CONNECTIONS}\\{guid}")}
