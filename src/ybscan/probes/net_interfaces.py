"""Two networks in one machine: live interfaces, bridges, forwarding.

Bridges and veth pairs of containers and virtual machines are told by what they are made of: a bridge without any
hardware port leads nowhere outside. Sources: ip-sysctl of the kernel's documentation (``forwarding`` is per interface
in IPv4; in IPv6 only ``all`` and ``force_forwarding`` make the machine a router), sysfs class net.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence

from ybscan.hosts.base import Host
from ybscan.hosts.groups.network import Interface
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._addresses import is_link_local
from ybscan.probes._kinds import KIND_TEXT
from ybscan.probes.base import Context, Probe

#: Kinds with hardware, or that stand on hardware (bonds, VLANs): an address on them is a network joined.
_HARDWARE = frozenset(
    {"ethernet", "wireless", "wwan", "bluetooth", "usb-tether", "usb-ethernet", "bond", "vlan", "other"}
)
#: Judged as tunnels and dial-up elsewhere.
_ELSEWHERE = frozenset({"tunnel", "ppp", "loopback"})
_CONF = {"ipv4": "/proc/sys/net/ipv4/conf", "ipv6": "/proc/sys/net/ipv6/conf"}


class InterfaceProbe(Probe):
    """Whether the terminal stands in more than one network, or connects networks."""

    name = "net_interfaces"
    title = "网络接口与转发"
    facts = (
        FactSpec(
            "live", Kind.ITEMS, "在用的网络接口地址",
            help="已启用且有链路的接口上可路由的地址（链路本地地址除外）。隧道和拨号接口由代理与隧道的检查项判断。",
            linux="ip -j -d addr、/sys/class/net", windows="GetAdaptersAddresses（OperStatus 为 Up）",
            fields=(
                Field("interface", Kind.TEXT, "网络接口"),
                Field("kind", Kind.TEXT, "接口类型"),
                Field("address", Kind.ADDRESS, "地址"),
                Field("network", Kind.TEXT, "网段"),
                Field("physical", Kind.BOOLEAN, "是否通向机器之外"),
            ),
            summary="{interface}（{kind}）{address}，网段 {network}",
        ),
        FactSpec(
            "live_count", Kind.INTEGER, "同时在用的网络接口数", unit="个",
            help="有可路由地址且通向机器之外的接口个数；同一聚合（bond）计为一个。",
            linux="ip -j -d addr、/sys/class/net", windows="GetAdaptersAddresses",
        ),
        FactSpec(
            "bridges", Kind.ITEMS, "网桥",
            help="把多个接口接成一个网络的网桥。只连接虚拟机或容器、没有硬件成员的网桥不接通外部网络。",
            linux="/sys/class/net/*/bridge 与各接口的 master", windows="GetAdaptersAddresses，适配器的 ComponentId",
            fields=(
                Field("name", Kind.TEXT, "网桥"),
                Field("ports", Kind.TEXTS, "成员"),
                Field("joins", Kind.BOOLEAN, "是否接通不同网络"),
            ),
            summary="{name}（成员：{ports}）",
        ),
        FactSpec(
            "forwarding", Kind.ITEMS, "数据包转发",
            help="允许在接口之间转发数据包的系统参数。仅列出已打开的。",
            linux="/proc/sys/net/ipv4/ip_forward、/proc/sys/net/ipv4/conf/*/forwarding、/proc/sys/net/ipv6/conf/all/forwarding",
            windows="Tcpip、Tcpip6 的 Parameters 之 IPEnableRouter，各接口的 ForwardingEnabled（GetIpInterfaceTable）",
            fields=(
                Field("family", Kind.TEXT, "协议"),
                Field("scope", Kind.TEXT, "范围"),
                Field("routing", Kind.BOOLEAN, "是否会转发外部网络"),
            ),
            summary="{family} 转发已打开（{scope}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        interfaces = host.network.interfaces()
        if not isinstance(interfaces, Known):
            unread: dict[str, Fact] = dict.fromkeys(("live", "live_count", "bridges"), interfaces)
            return unread | {"forwarding": _forwarding(host, interfaces)}
        live = tuple(_live(interfaces.value))
        return {
            "live": Known(live, interfaces.origin, interfaces.gaps),
            "live_count": _count(live, interfaces.gaps, interfaces.origin),
            "bridges": Known(tuple(_bridges(interfaces.value)), interfaces.origin, interfaces.gaps),
            "forwarding": _forwarding(host, interfaces),
        }

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.net_interfaces import bridges, forwarding

        interfaces = host.network.interfaces()
        found: dict[str, Fact] = {"bridges": bridges(host, interfaces), "forwarding": forwarding(host, interfaces)}
        if not isinstance(interfaces, Known):
            return found | {"live": interfaces, "live_count": interfaces}
        live = tuple(_live(interfaces.value))
        return found | {
            "live": Known(live, interfaces.origin, interfaces.gaps),
            "live_count": _count(live, interfaces.gaps, interfaces.origin),
        }


def ports_of(bridge: str, interfaces: Sequence[Interface]) -> tuple[Interface, ...]:
    """The interfaces that belong to a bridge."""
    return tuple(i for i in interfaces if i.master == bridge)


def leads_out(interface: Interface, interfaces: Sequence[Interface]) -> bool | Unknown:
    """Whether what is sent into the interface can leave the machine."""
    if interface.kind in _HARDWARE:
        return True
    if interface.kind == "bridge":
        ports = ports_of(interface.name, interfaces)
        if any(p.kind in _HARDWARE for p in ports):
            return True
        if any(p.kind in ("tunnel", "ppp") and p.detail != "tap" for p in ports):
            return Unknown(Cause.UNCONFIRMED, "网桥含有隧道接口")
        return False
    if interface.kind == "container" and not interface.master:
        return Unknown(Cause.UNCONFIRMED, "虚拟网线的一端，可能连接容器，也可能是容器中的终端自身的网卡")
    return False


def _live(interfaces: tuple[Interface, ...]) -> Iterator[Item]:
    for i in interfaces:
        if i.kind in _ELSEWHERE or not (i.up and i.running):
            continue
        for a in i.addresses:
            if is_link_local(a.address):
                continue
            network = str(ipaddress.ip_network(f"{a.address}/{a.prefix}", strict=False))
            yield {
                "interface": i.name, "kind": KIND_TEXT[i.kind], "address": a.address, "network": network,
                "physical": leads_out(i, interfaces),
            }  # fmt: skip


def _count(live: tuple[Item, ...], gaps: tuple[Gap, ...], origin: str) -> Fact:
    """How many interfaces lead out. Doubtful ones count only when there is nothing to doubt about the result."""
    certain = {str(i["interface"]) for i in live if i["physical"] is True}
    doubtful = {str(i["interface"]) for i in live if isinstance(i["physical"], Unknown)}
    if len(certain) < 2:
        if gaps:
            return Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin)
        if len(certain | doubtful) > 1:
            return Unknown(Cause.UNCONFIRMED, f"{'、'.join(sorted(doubtful))} 是否通向机器之外不能确定", origin)
    return Known(len(certain | doubtful), origin)


def _bridges(interfaces: tuple[Interface, ...]) -> Iterator[Item]:
    for bridge in interfaces:
        if bridge.kind != "bridge":
            continue
        ports = ports_of(bridge.name, interfaces)
        hardware = [p for p in ports if p.kind in _HARDWARE]
        joins: FieldValue = len(hardware) > 1
        if len(hardware) == 1 and len(ports) > 1:
            joins = Unknown(Cause.UNCONFIRMED, "网卡与虚拟接口接在一起，需核实是否为虚拟机桥接")
        if len(hardware) == 0 and any(p.kind in ("tunnel", "ppp") and p.detail != "tap" for p in ports):
            joins = Unknown(Cause.UNCONFIRMED, "网桥含有隧道接口")
        yield {"name": bridge.name, "ports": tuple(p.name for p in ports), "joins": joins}


# Forwarding ---------------------------------------------------------------------------------------------------------


def forwarding_scopes(host: Host) -> Reading[tuple[tuple[str, str], ...]]:
    """Family and scope of every sysctl that lets packets through; what cannot be read is a gap."""
    found: list[tuple[str, str]] = []
    gaps: list[Gap] = []
    whole = _switch(host, "/proc/sys/net/ipv4/ip_forward", gaps, required=True)
    if whole:
        found.append(("IPv4", "全部接口"))
    else:
        found.extend(
            ("IPv4", i) for i in _scopes(host, "ipv4", gaps) if _switch(host, f"{_CONF['ipv4']}/{i}/forwarding", gaps)
        )
    if _switch(host, f"{_CONF['ipv6']}/all/forwarding", gaps):
        found.append(("IPv6", "全部接口"))
    else:
        found.extend(
            ("IPv6", i)
            for i in _scopes(host, "ipv6", gaps)
            if _switch(host, f"{_CONF['ipv6']}/{i}/force_forwarding", gaps)
        )
    return Known(tuple(found), "/proc/sys/net", tuple(dict.fromkeys(gaps)))


def _scopes(host: Host, family: str, gaps: list[Gap]) -> tuple[str, ...]:
    names = host.files.entries(path=_CONF[family])
    if isinstance(names, Unknown):
        gaps.append(names.as_gap())
    # ``default`` holds for interfaces to come; ``all`` was asked before.
    return tuple(n for n in names.value if n not in ("all", "default", "lo")) if isinstance(names, Known) else ()


def _switch(host: Host, path: str, gaps: list[Gap], *, required: bool = False) -> bool:
    text = host.files.text(path=path, limit=4096)
    if isinstance(text, Unknown):
        gaps.append(text.as_gap())
        return False
    if isinstance(text, Absent):
        # IPv6 switched off, an older kernel: nothing to forward. IPv4 always has its switch.
        if required:
            gaps.append(Gap(Cause.UNAVAILABLE, path, path))
        return False
    value = text.value.strip()
    if not value.lstrip("-").isdigit():
        gaps.append(Gap(Cause.MALFORMED, path, path))
        return False
    return value != "0"


def _forwarding(host: Host, interfaces: Reading[tuple[Interface, ...]]) -> Fact:
    scopes = forwarding_scopes(host)
    assert isinstance(scopes, Known)  # noqa: S101 - unreadable switches are gaps
    routing = _routing(interfaces)
    items: list[Item] = [{"family": f, "scope": s, "routing": routing} for f, s in scopes.value]
    return Known(tuple(items), scopes.origin, scopes.gaps)


def _routing(interfaces: Reading[tuple[Interface, ...]]) -> FieldValue:
    """What an open forwarding switch means here: containers and virtual machines need it for their inner networks."""
    if not isinstance(interfaces, Known):
        return Unknown(Cause.UNAVAILABLE, "网络接口无法读取")
    out = {str(i["interface"]) for i in _live(interfaces.value) if i["physical"] is True}
    if len(out) > 1:
        return True
    inner = sorted(
        i.name for i in interfaces.value
        if (i.kind == "bridge" and leads_out(i, interfaces.value) is False) or i.kind == "container"
    )  # fmt: skip
    if inner:
        return Unknown(
            Cause.UNCONFIRMED, f"存在虚拟网络 {'、'.join(inner[:5])}，可能由容器或虚拟机软件打开，需核实用途"
        )
    if interfaces.gaps:
        return Unknown(interfaces.gaps[0].cause, interfaces.gaps[0].detail)
    return True


PROBES = (InterfaceProbe(),)
