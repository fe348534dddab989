"""VPN adapters and programs of Windows. Adapters by driver and description, programs by image name.

Sources: IF_TYPE_TUNNEL and IF_TYPE_PPP of GetAdaptersAddresses; the drivers' own names. Windows makes a few tunnels
itself (Teredo, ISATAP, 6to4): they count once they have an address that leads anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ybscan.hosts.base import Host
from ybscan.hosts.groups.network import HISTORY, Interface
from ybscan.hosts.groups.processes import Process
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Cause, Known, Reading, Unknown
from ybscan.probes._addresses import is_link_local
from ybscan.probes._patterns import like
from ybscan.probes._tunnels import by_name
from ybscan.probes._windows.images import base_name, name_gaps

#: Words in the description or driver of adapters that carry other people's networks.
_VPN = re.compile(
    r"tap-windows|\btap0[89]01\b|\btapoas\b|wintun|wireguard|zerotier|tailscale|orayvpn|oray\b|sangfor|openvpn|ovpn-dco|"
    r"easyconnect|\batrust|softether|hamachi|radmin vpn|fortinet|cisco anyconnect|juniper|pangp|topsec|nesec|qianxin|"
    r"n2n|clash|mihomo|sing-?box|蒲公英|天融信|奇安信|深信服",
    re.IGNORECASE,
)
_OWN = re.compile(r"teredo|isatap|6to4", re.IGNORECASE)


def links(host: Host, saved: object) -> Fact:
    """Tunnel and dial-up interfaces, and whether anything goes through them."""
    interfaces = host.network.interfaces()
    if not isinstance(interfaces, Known):
        return interfaces
    named = {n.interface: n.id for n in saved.value if n.interface} if isinstance(saved, Known) else {}
    unread: FieldValue = None
    if not isinstance(saved, Known) or any(g.origin != HISTORY for g in saved.gaps):
        unread = Unknown(Cause.INCOMPLETE, "连接配置没有读全，不知道接口属于哪个连接")
    items: list[Item] = [
        {"name": i.name, "kind": i.detail or i.kind, "connection": named.get(i.name, unread or i.detail or None), "in_use": _in_use(i)}
        for i in interfaces.value if is_vpn(i)
    ]  # fmt: skip
    return Known(tuple(items), interfaces.origin, interfaces.gaps)


def is_vpn(interface: Interface) -> bool:
    """Whether an interface is a tunnel or dial-up, by its type or by whose adapter it is."""
    if interface.kind in ("tunnel", "ppp"):
        return True
    return interface.kind != "loopback" and bool(_VPN.search(interface.detail) or _VPN.search(interface.driver))


def _in_use(interface: Interface) -> bool:
    if _OWN.search(interface.detail):
        return interface.running and any(not is_link_local(a.address) for a in interface.addresses)
    return interface.running


def programs(host: Host, patterns: Mapping[str, str], outside: frozenset[int] | Reading[object]) -> Fact:
    """Programs that build tunnels, by the name of their image."""
    running = host.processes.running()
    if not isinstance(running, Known):
        return running
    found = by_name(running.value, lambda p: next(_products(p, patterns), None), outside)
    return Known(found, running.origin, tuple(name_gaps(running)))


def _products(process: Process, patterns: Mapping[str, str]) -> Iterator[str]:
    names = {n.lower() for n in (process.name, base_name(process.exe or "")) if n}
    names |= {n.removesuffix(".exe") for n in names}
    for pattern, product in patterns.items():
        if any(like(n, (pattern, pattern.lower().removesuffix(".exe"))) for n in names):
            yield product
