"""What sort of network interface an adapter of Windows is, by numbers, driver and hardware ids; never by a shown name.

Sources: ipifcons.h (interface types), ntddndis.h (NDIS_PHYSICAL_MEDIUM), the inf files of Windows' own drivers
(netrndis.inf, bthpan.inf, netnwifi.inf, netbrdg.inf), USB-IF class codes for RNDIS (02/02/FF, E0/01/03, EF/04/01), MBIM
(02/0E), ECM (02/06), EEM (02/0C) and NCM (02/0D).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ybscan.hosts.groups.network import InterfaceKind

_BY_TYPE: dict[int, InterfaceKind] = {
    23: "ppp", 24: "loopback", 71: "wireless", 131: "tunnel", 243: "wwan", 244: "wwan",
}  # fmt: skip
#: NdisPhysicalMediumWirelessLan, …WirelessWan, …Native802_11, …Bluetooth.
_BY_MEDIUM: dict[int, InterfaceKind] = {1: "wireless", 8: "wwan", 9: "wireless", 10: "bluetooth"}

_BY_SERVICE: dict[str, InterfaceKind] = {
    "bthpan": "bluetooth",
    "usbrndis": "usb-tether", "usb_rndis": "usb-tether", "usb_rndisx": "usb-tether", "usb_rndisy": "usb-tether",
    "rndismp": "usb-tether", "rndismp6": "usb-tether", "rndismpx": "usb-tether", "usb80236": "usb-tether",
    "usbrndis6": "usb-tether",
    "netaapl": "usb-tether", "netaapl64": "usb-tether",
    "usbncm": "usb-ethernet", "usbecm": "usb-ethernet",
    "bridgemp": "bridge", "bridge": "bridge",
    "ndisimplatformmp": "bond", "ndisimplatform": "bond",
    "tap0801": "tunnel", "tap0901": "tunnel", "tapoas": "tunnel", "wintun": "tunnel", "wireguard": "tunnel",
    "ovpn-dco": "tunnel", "sangforvnic": "tunnel", "vpnva": "tunnel", "vpnva64": "tunnel",
    "vmnetadapter": "virtual", "vboxnetadp": "virtual", "vboxnetadp6": "virtual", "vboxnetflt": "virtual",
    "msloop": "virtual", "loop": "virtual", "kmloop": "virtual",
    "rasl2tp": "ppp", "pptpminiport": "ppp", "raspppoe": "ppp", "rassstp": "ppp", "rasagilevpn": "ppp",
    "ndiswan": "ppp",
}  # fmt: skip
_IDS: tuple[tuple[str, InterfaceKind], ...] = (
    (r"usb\\class_02&subclass_02&prot_ff|usb\\class_e0&subclass_01&prot_03|usb\\class_ef&subclass_04", "usb-tether"),
    (r"usb\\class_02&subclass_0e|usb\\ms_comp_mbim", "wwan"),
    (r"usb\\ms_comp_rndis", "usb-tether"),
    (r"usb\\class_02&subclass_0[6cd]", "usb-ethernet"),
    (r"(?:^|\\)ms_bthpan", "bluetooth"),
    (r"ms_bridgemp", "bridge"),
    (r"ms_implat_mp", "bond"),
    (r"(?:^|\\)tap(?:08|09)01|^wintun$|^wireguard$|^ovpn-dco$", "tunnel"),
    (r"\*vmnetadapter|^sun_vboxnetadp|^\*msloop$|^\*loop$", "virtual"),
    (r"ms_(?:l2tp|pptp|pppoe|sstp|agilevpn|ndiswan)", "ppp"),
)  # fmt: skip
#: Buses of real cards, and of what a virtual machine has for one.
_CARD = re.compile(r"^(?:pci|usb|pcmcia|sd|acpi|vmbus|xenvif|virtio|sdbus|mbim|pcie)\\", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Node:
    """What the device node behind an adapter says. Empty where nothing is known of it."""

    instance: str = ""
    service: str = ""
    ids: tuple[str, ...] = ()
    """Hardware ids and compatible ids."""


def kind_of(if_type: int, medium: int, node: Node | None) -> InterfaceKind:
    """The sort of interface.

    Args:
        if_type: IANA's number as in IP_ADAPTER_ADDRESSES.IfType.
        medium: NDIS_PHYSICAL_MEDIUM; 0 where it is not stated or not known.
        node: None where the device node could not be found. An adapter of type 6 (Ethernet) of which no more is known
            is ``other``: it counts as a way out of the terminal.
    """
    if if_type in _BY_TYPE:
        return _BY_TYPE[if_type]
    if medium in _BY_MEDIUM:
        return _BY_MEDIUM[medium]
    if node is not None:
        by_service = _BY_SERVICE.get(node.service.lower())
        if by_service is not None:
            return by_service
        ids = [i.lower() for i in node.ids]
        for pattern, kind in _IDS:
            if any(re.search(pattern, i) for i in ids):
                return kind
    if if_type == 53:  # IF_TYPE_PROP_VIRTUAL: Wintun, WireGuard and other programs' own
        return "tunnel"
    if if_type in (6, 62, 69, 117) and node is not None and _CARD.match(node.instance):
        return "ethernet"
    return "other"
