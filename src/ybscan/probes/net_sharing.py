"""Sharing this terminal's network with others: hot spots, shared connections, address translation.

Sources: nm-settings(5) (method ``shared``, mode ``ap``), hostapd and create_ap as processes, the packet filter's nat
statements. Translation alone is no proof: containers and virtual machines use it for their inner networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ybscan.hosts.base import Host
from ybscan.hosts.groups.network import HISTORY, Interface
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown
from ybscan.probes._managers import active_connections
from ybscan.probes._netfilter.source import read_ruleset
from ybscan.probes._patterns import like
from ybscan.probes.base import Context, Probe
from ybscan.probes.net_interfaces import forwarding_scopes
from ybscan.probes.net_saved import recent

_PROGRAMS = ("hostapd", "create_ap", "linux-router", "lnxrouter", "linux-wifi-hotspot", "wihotspot*")
_NAT = frozenset({"masquerade", "snat", "xt:MASQUERADE", "xt:SNAT"})
_LEGACY = ("/proc/net/ip_tables_names", "/proc/net/ip6_tables_names")


class SharingProbe(Probe):
    """Whether others reach the network through this terminal."""

    name = "net_sharing"
    title = "热点与共享上网"
    facts = (
        FactSpec(
            "offers", Kind.ITEMS, "热点与共享连接",
            help="共享给其他设备的连接、无线热点、热点程序，以及转发打开时的地址转换规则。",
            linux="NetworkManager 配置与活动连接、进程、nft list ruleset、转发参数",
            windows="INetSharingManager 的 SharingEnabled、WlanHostedNetworkQueryStatus、icssvc 服务、接口的共享地址、进程",
            fields=(
                Field("name", Kind.TEXT, "名称"),
                Field("kind", Kind.TEXT, "方式"),
                Field("active", Kind.BOOLEAN, "是否在共享"),
                Field("source", Kind.TEXT, "来源"),
            ),
            summary="{kind} {name}（{source}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        gaps: list[Gap] = []
        interfaces = host.network.interfaces()
        items = [*_profiles(host, context, gaps), *_programs(host, interfaces, gaps), *_translation(host, gaps)]
        return {"offers": Known(tuple(items), "连接配置、进程与防火墙规则", tuple(dict.fromkeys(gaps)))}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.net_sharing import offers

        return {"offers": offers(host, context)}


def _profiles(host: Host, context: Context, gaps: list[Gap]) -> Iterator[Item]:
    saved = host.network.saved()
    if not isinstance(saved, Known):
        if isinstance(saved, Unknown):
            gaps.append(saved.as_gap())
        return
    undated = next((g for g in saved.gaps if g.origin == HISTORY), None)
    gaps.extend(g for g in saved.gaps if g.origin != HISTORY)
    offers = [n for n in saved.value if n.shared or n.mode in ("ap", "adhoc")]
    active = active_connections(host) if offers else None
    for network in offers:
        now: FieldValue = False
        if isinstance(active, Unknown):
            now = active
        elif isinstance(active, Known):
            now = any(name == network.id for name, _ in active.value)
        lately = recent(network, undated, context)
        if now is False and lately is not False:
            # Used since the last check, though off at this moment: that was sharing too.
            now = lately
        kind = "无线热点" if network.mode == "ap" else "无线点对点网络" if network.mode == "adhoc" else "共享连接"
        yield {"name": network.id, "kind": kind, "active": now, "source": network.source}


def _programs(host: Host, interfaces: Reading[tuple[Interface, ...]], gaps: list[Gap]) -> Iterator[Item]:
    running = host.processes.running()
    if not isinstance(running, Known):
        gaps.append(running.as_gap() if isinstance(running, Unknown) else Gap(Cause.UNAVAILABLE, "进程列表"))
        return
    gaps.extend(g for g in running.gaps if g.origin == "/proc")
    radio = isinstance(interfaces, Known) and any(i.kind == "wireless" and i.up for i in interfaces.value)
    names = {p.name for p in running.value} | {(p.exe or "").rsplit("/", 1)[-1] for p in running.value}
    for name in sorted(n for n in names if n and like(n, _PROGRAMS)):
        active: FieldValue = True
        if not radio:
            active = Unknown(Cause.UNCONFIRMED, "热点程序在运行，但没有看到已启用的无线网卡，需核实")
        yield {"name": name, "kind": "热点程序", "active": active, "source": "进程"}


def _translation(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    """Address translation, where forwarding is on: without that no packet of others gets through."""
    scopes = forwarding_scopes(host)
    if not isinstance(scopes, Known):
        return
    if not scopes.value:
        gaps.extend(scopes.gaps)
        return
    rules = read_ruleset(host)
    if not isinstance(rules, Known):
        gaps.append(rules.as_gap() if isinstance(rules, Unknown) else Gap(Cause.UNAVAILABLE, "防火墙规则"))
    elif rules.value.statements & _NAT:
        doubt = Unknown(
            Cause.UNCONFIRMED, "转发已打开且存在地址转换规则，可能是共享上网，也可能是容器或虚拟机的内部网络"
        )
        yield {"name": "地址转换", "kind": "转发与地址转换", "active": doubt, "source": "nft list ruleset"}
    for path in _LEGACY:
        tables = host.files.text(path=path)
        if isinstance(tables, Unknown):
            gaps.append(tables.as_gap())
        if isinstance(tables, Known) and "nat" in tables.value.split():
            gaps.append(Gap(Cause.UNSUPPORTED, "转发已打开且存在旧式 iptables 的 nat 表，其规则无法只读查看", path))


PROBES = (SharingProbe(),)
