"""Addresses of Windows: how each card is told to get its own, and what hardware address it bears.

Sources: ``Tcpip\\Parameters\\Interfaces\\{GUID}`` (``EnableDHCP``, ``IPAddress``, ``DhcpIPAddress``), MIB_IF_ROW2
(``PermanentPhysicalAddress``), the advanced property ``NetworkAddress`` in the key of the adapter's driver.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal

from ybscan.hosts.base import Host
from ybscan.hosts.groups.network import Interface
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Cause, Known, Unknown
from ybscan.probes._kinds import KIND_TEXT
from ybscan.probes._windows.adapters import CLASS_KEY, adapters, connection_name, is_connection
from ybscan.probes._windows.keys import Keys

Method = Literal["static", "auto", "off"]

_INTERFACES = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces"
_CARDS = frozenset({"ethernet", "wireless", "usb-ethernet", "usb-tether"})


def method(host: Host, interface: Interface, address: str) -> Method | Unknown:
    """How an address in use came to be, by the card's settings."""
    if ":" in address:
        return Unknown(Cause.UNCONFIRMED, f"{address}：IPv6 地址的来历不能从注册表得知")
    if not interface.id:
        return Unknown(Cause.UNAVAILABLE, f"{interface.name} 的编号")
    keys = Keys(host)
    key = f"{_INTERFACES}\\{interface.id}"
    values = keys.values(key)
    if keys.gaps:
        return Unknown(keys.gaps[0].cause, keys.gaps[0].detail, keys.gaps[0].origin)
    dynamic = values.get("enabledhcp")
    if dynamic not in (0, 1):
        return Unknown(Cause.UNAVAILABLE, f"{interface.name} 没有地址方式的设置（EnableDHCP）", key)
    if dynamic == 1:
        return "auto"
    written = values.get("ipaddress", ())
    listed = written if isinstance(written, tuple) else str(written).split()
    if address in listed:
        return "static"
    return Unknown(Cause.UNCONFIRMED, f"{interface.name} 的地址 {address} 不在设置之中，来历不明", key)


def profiles(host: Host, fixed: Callable[[Method], bool | Unknown], texts: Callable[[Method], str]) -> Fact:
    """The IPv4 settings of every card that is one of the terminal's connections."""
    keys = Keys(host)
    interfaces = host.network.interfaces()
    live = {i.id.upper(): i for i in interfaces.value if i.id} if isinstance(interfaces, Known) else {}
    items: list[Item] = []
    for guid in keys.expected(_INTERFACES, "网卡的 TCP/IP 设置"):
        interface = live.get(guid.upper())
        if interface is None and not is_connection(keys, guid):
            continue
        if interface is not None and interface.kind not in _CARDS | {"other", "bridge", "bond"}:
            continue
        dynamic = keys.number(f"{_INTERFACES}\\{guid}", "EnableDHCP")
        if dynamic is None:
            continue
        how: Method = "static" if dynamic == 0 else "auto"
        used: FieldValue = interface.running if interface else False
        if interface is None and not (isinstance(interfaces, Known) and live and not interfaces.gaps):
            why = interfaces if isinstance(interfaces, Unknown) else Unknown(Cause.INCOMPLETE, "网络接口")
            used = Unknown(why.cause, "网卡是否在用无法得知", why.origin)
        name = connection_name(keys, guid) or guid
        items.append(
            {
                "name": name, "manager": "Windows", "interface": name, "method": texts(how), "fixed": fixed(how), "used": used,
                "source": "Tcpip\\Parameters\\Interfaces",
            }
        )  # fmt: skip
    return Known(tuple(sorted(items, key=lambda i: str(i["name"]))), _INTERFACES, keys.all_gaps())


# Hardware addresses -------------------------------------------------------------------------------------------------


def overrides(host: Host, bare: Callable[[str], str]) -> Fact:
    """Settings that give a card another hardware address than its own."""
    keys = Keys(host)
    interfaces = host.network.interfaces()
    kinds = {i.id.upper(): i.kind for i in interfaces.value if i.id} if isinstance(interfaces, Known) else {}
    items: list[Item] = []
    for adapter in adapters(keys):
        key = f"{CLASS_KEY}\\{adapter.place}"
        value = keys.text(key, "NetworkAddress").strip()
        digits = bare(value)
        if not value or not digits.strip("0") or kinds.get(adapter.id, "ethernet") not in _CARDS:
            continue
        if len(digits) != 12 or re.search(r"[^0-9A-Fa-f:. -]", value):
            keys.malformed(key, "NetworkAddress")
            continue
        name = connection_name(keys, adapter.id) or adapter.description
        items.append(
            {"interface": name or None, "value": f"指定为 {value}", "source": f"NetworkAddress（{adapter.place}）"}
        )
    return Known(tuple(items), CLASS_KEY, keys.all_gaps())


def cards(host: Host, listed: tuple[str, ...] | Unknown, bare: Callable[[str], str]) -> Fact:
    """The cards with hardware of their own, against the register and their makers' addresses."""
    interfaces = host.network.interfaces()
    if not isinstance(interfaces, Known):
        return interfaces
    keys = Keys(host)
    # Windows sets up more adapters on a wireless card, each with an address made up for it.
    inner = {a.id for a in adapters(keys) if a.inner}
    # Where the drivers' keys could not be read any idle wireless one may be such.
    doubtful = bool(keys.gaps)
    own = [
        i for i in interfaces.value
        if i.running or (i.id.upper() not in inner and not (doubtful and i.kind == "wireless"))
    ]  # fmt: skip
    return Known(tuple(_cards(own, listed, bare)), interfaces.origin, (*interfaces.gaps, *keys.all_gaps()))


def _cards(
    interfaces: list[Interface], listed: tuple[str, ...] | Unknown, bare: Callable[[str], str]
) -> Iterator[Item]:
    for i in interfaces:
        mac, own = bare(i.mac), bare(i.permanent)
        if i.kind not in _CARDS or not mac.strip("0"):
            continue
        unread = Unknown(Cause.UNAVAILABLE, f"{i.name} 的出厂地址读不到（虚拟机也会如此）")
        altered: FieldValue = own != mac if own.strip("0") else unread
        assigned: FieldValue = altered if isinstance(altered, Unknown) else "由系统设置" if altered else "出厂地址"
        yield {
            "interface": i.name, "kind": KIND_TEXT[i.kind], "mac": i.mac, "permanent": i.permanent or None, "up": i.up,
            "assigned": assigned, "registered": listed if isinstance(listed, Unknown) else mac in listed, "altered": altered,
        }  # fmt: skip
