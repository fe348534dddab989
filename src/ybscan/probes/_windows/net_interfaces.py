"""Bridges and forwarding of Windows.

Sources: MIB_IPINTERFACE_ROW (``ForwardingEnabled``), ``IPEnableRouter`` of TCP/IP's parameters, ``ComponentId`` of the
adapters' keys. The service MsBridge is there on every Windows and says nothing; a bridge has an adapter of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from ybscan.hosts.base import Host
from ybscan.hosts.groups.network import Interface
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown
from ybscan.probes._windows.adapters import Adapter, adapters, connection_name
from ybscan.probes._windows.keys import Keys
from ybscan.probes.net_interfaces import leads_out, ports_of

_ROUTER = {
    "IPv4": r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters",
    "IPv6": r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip6\Parameters",
}
_BRIDGES = ("ms_bridge", "bridgemp")
#: The bridge of Windows 8 and later 10s, and a team of cards, look alike here.
_MULTIPLEXOR = "ms_implat"
_FAMILY = {"ipv4": "IPv4", "ipv6": "IPv6"}


def bridges(host: Host, interfaces: Reading[tuple[Interface, ...]]) -> Fact:
    """Bridge adapters, from the interfaces there are and from the drivers that are set up."""
    keys = Keys(host)
    known = adapters(keys)
    items: list[Item] = []
    live = interfaces.value if isinstance(interfaces, Known) else ()
    marked = {a.id: a for a in known if a.id and _is_bridge(a)}
    for i in live:
        if i.kind == "bridge" or i.id.upper() in marked:
            items.append(_bridge(i, live, marked.get(i.id.upper())))
    if not isinstance(interfaces, Known):
        why = interfaces if isinstance(interfaces, Unknown) else Unknown(Cause.UNAVAILABLE, "网络接口")
        keys.gaps.append(why.as_gap())
        doubt = Unknown(why.cause, f"网桥是否启用：{why.detail}")
        items.extend(
            {"name": connection_name(keys, a.id) or a.description, "ports": (), "joins": doubt}
            for a in marked.values()
        )  # fmt: skip
        return Known(tuple(items), "网桥适配器", keys.all_gaps())
    return Known(tuple(items), interfaces.origin, (*interfaces.gaps, *keys.all_gaps()))


def _is_bridge(adapter: Adapter) -> bool:
    component = adapter.component.lower()
    return any(b in component for b in (*_BRIDGES, _MULTIPLEXOR))


def _bridge(bridge: Interface, live: tuple[Interface, ...], adapter: Adapter | None) -> Item:
    ports = ports_of(bridge.name, live)
    joins: FieldValue = True
    if not bridge.up:
        joins = False
    elif ports and sum(leads_out(p, live) is True for p in ports) < 2:
        joins = Unknown(Cause.UNCONFIRMED, "网卡与虚拟接口接在一起，需核实是否为虚拟机桥接")
    elif not ports and any("hyper-v" in i.detail.lower() for i in live):
        joins = Unknown(Cause.UNCONFIRMED, "装有 Hyper-V 虚拟交换机，需核实网桥接通的是网卡还是虚拟机")
    elif not ports and adapter is not None and _MULTIPLEXOR in adapter.component.lower():
        joins = Unknown(Cause.UNCONFIRMED, "可能是网桥，也可能是网卡聚合，需核实")
    return {"name": bridge.name, "ports": tuple(p.name for p in ports), "joins": joins}


def forwarding(host: Host, interfaces: Reading[tuple[Interface, ...]]) -> Fact:
    """What lets packets through this machine."""
    keys = Keys(host)
    items: list[Item] = []
    for family, key in _ROUTER.items():
        if keys.number(key, "IPEnableRouter"):
            items.append({"family": family, "scope": "IPEnableRouter，全部接口", "routing": True})
    switches = host.network.forwarding()
    gaps: list[Gap] = []
    if isinstance(switches, Known):
        gaps.extend(switches.gaps)
        items.extend(_switched([(s.interface, s.family) for s in switches.value if s.on], interfaces))
    else:
        gaps.append(switches.as_gap() if isinstance(switches, Unknown) else Gap(Cause.UNAVAILABLE, "各接口的转发设置"))
    return Known(tuple(items), "IPEnableRouter 与各接口的转发设置", (*gaps, *keys.all_gaps()))


def _switched(on: list[tuple[str, str]], interfaces: Reading[tuple[Interface, ...]]) -> Iterator[Item]:
    by_name = {i.name: i for i in interfaces.value} if isinstance(interfaces, Known) else {}
    for name, family in on:
        interface = by_name.get(name)
        routing: FieldValue = True
        if interface is None:
            routing = Unknown(Cause.UNAVAILABLE, f"接口 {name} 的状态无法读取")
        elif interface.kind == "loopback" or not interface.up:
            continue
        elif leads_out(interface, tuple(by_name.values())) is not True:
            routing = Unknown(Cause.UNCONFIRMED, f"{name} 是虚拟接口，可能由虚拟机、WSL 或移动热点打开，需核实用途")
        yield {"family": _FAMILY.get(family, family), "scope": name, "routing": routing}
