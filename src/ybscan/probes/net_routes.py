"""Ways to the Internet that stand open: routes, public addresses, connections in progress, NetworkManager's own check.

A terminal may well have a default route (to the firewall of the private network), so routes are only listed here; the
rule compares their gateways with those the unit approved. Clients of VPNs replace the default route by two halves or
by single prefixes: every route that holds public addresses counts. Sources: ip-route(8), NetworkManager.conf(5)
[connectivity], NetworkManager's D-Bus API (NMConnectivityState).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.hosts.groups.network import Interface, Route
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._addresses import holds_public, is_link_local, is_public
from ybscan.probes._kinds import KIND_TEXT
from ybscan.probes._managers import network_manager_runs
from ybscan.probes.base import Context, Probe

#: NMConnectivityState
_UNDECIDED, _NONE, _PORTAL, _LIMITED, _FULL = range(5)
#: Table and kind of the permanent routes of Windows: they are bound to no interface, each finds its own by the gateway.
PERSISTENT = "永久路由"
_NO_INTERFACE = "未指定"
_STATES = {_NONE: "未连通", _LIMITED: "受限", _FULL: "已连通互联网"}
_DBUS = ("org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager")


class RouteProbe(Probe):
    """Where packets to the Internet would go, and whether some do."""

    name = "net_routes"
    title = "路由与互联网连接"
    facts = (
        FactSpec(
            "outward", Kind.ITEMS, "通向公网地址的路由",
            help="走向分为“经网关”和“直接发出”（没有网关，直接交给隧道、拨号等接口）。"
            "包括默认路由，以及目的网段含有公网地址（扣除单位批准的网段）的其他路由，各策略路由表都在内。",
            linux="ip -j route show table all、ip -j rule；缺少时为 /proc/net/route 与 /proc/net/ipv6_route",
            windows="GetIpForwardTable2 与 Tcpip\\Parameters 的 PersistentRoutes；未运行的系统盘另列各网卡设置的网关",
            fields=(
                Field("destination", Kind.TEXT, "目的网段"),
                Field("via", Kind.TEXT, "走向"),
                Field("gateway", Kind.ADDRESS, "网关"),
                Field("interface", Kind.TEXT, "网络接口"),
                Field("kind", Kind.TEXT, "接口类型"),
                Field("metric", Kind.INTEGER, "跃点"),
                Field("table", Kind.TEXT, "路由表"),
                Field("consulted", Kind.BOOLEAN, "路由表是否生效"),
            ),
            summary="{destination} 经 {gateway}（接口 {interface}，路由表 {table}）",
        ),
        FactSpec(
            "addresses", Kind.ITEMS, "接口地址",
            help="各网络接口的地址（链路本地地址除外），以及它是否为公网地址。",
            linux="ip -j -d addr，缺少时为 getifaddrs", windows="GetAdaptersAddresses",
            fields=(
                Field("interface", Kind.TEXT, "网络接口"),
                Field("address", Kind.ADDRESS, "地址"),
                Field("public", Kind.BOOLEAN, "是否公网地址"),
            ),
            summary="{interface} 的地址 {address}",
        ),
        FactSpec(
            "public_peers", Kind.ITEMS, "与公网地址的连接",
            help="检查时刻与公网地址之间的连接。TCP 已建立即说明能到达互联网；UDP 只说明程序在尝试发送。",
            linux="/proc/net/tcp、tcp6、udp、udp6", windows="GetExtendedTcpTable、GetExtendedUdpTable",
            fields=(
                Field("peer", Kind.ADDRESS, "对方地址"),
                Field("port", Kind.INTEGER, "对方端口"),
                Field("proto", Kind.TEXT, "协议"),
                Field("program", Kind.TEXT, "程序"),
                Field("established", Kind.BOOLEAN, "是否已连通"),
            ),
            summary="{peer} 端口 {port}（{proto}，程序 {program}）",
        ),
        FactSpec(
            "connectivity", Kind.TEXT, "系统自己的联网检测结果",
            help="系统没有启用检测时为“未启用检测”，此时系统的结论只是按默认路由推测，不作依据。只读取已有结论，不触发检测。",
            linux="NetworkManager 的 Connectivity 属性，仅当其检测可用且已启用",
            windows="INetworkListManager.GetConnectivity，参照 NlaSvc\\Parameters\\Internet 的检测设置",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        own = context.site.network.networks
        interfaces = host.network.interfaces()
        doubt = Unknown(Cause.UNAVAILABLE, "策略路由规则无法读取")
        return {
            "outward": _outward(host.network.routes(), interfaces, own, doubt),
            "addresses": _addresses(interfaces, own),
            "public_peers": _peers(host, own),
            "connectivity": _connectivity(host),
        }

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.net_routes import connectivity, routes

        own = context.site.network.networks
        interfaces = host.network.interfaces()
        doubt = Unknown(Cause.UNAVAILABLE, "网卡设置中的网关，是否正在使用无法得知")
        return {
            "outward": _outward(routes(host), interfaces, own, doubt),
            "addresses": _addresses(interfaces, own),
            "public_peers": _peers(host, own),
            "connectivity": connectivity(host),
        }


def _outward(
    routes: Reading[tuple[Route, ...]],
    interfaces: Reading[tuple[Interface, ...]],
    own: tuple[str, ...] | None,
    doubt: Unknown,
) -> Fact:
    if not isinstance(routes, Known):
        return routes
    kinds = {i.name: KIND_TEXT[i.kind] for i in interfaces.value} if isinstance(interfaces, Known) else {}
    why = interfaces if isinstance(interfaces, Unknown) else Unknown(Cause.UNAVAILABLE, "接口类型")
    items: list[Item] = []
    gaps = list(routes.gaps)
    for route in routes.value:
        if route.type != "unicast":
            continue  # local, broadcast, blackhole, unreachable …: nothing leaves the machine
        try:
            if not holds_public(route.destination, own):
                continue
        except ValueError:
            gaps.append(Gap(Cause.MALFORMED, f"路由 {route.destination[:60]}", routes.origin))
            continue
        consulted: FieldValue = route.consulted
        if consulted is None:
            consulted = doubt
        kind: FieldValue = _NO_INTERFACE if route.table == PERSISTENT else kinds.get(route.interface, why)
        items.append(
            {
                "destination": _named(route.destination), "via": "经网关" if route.gateway else "直接发出",
                "gateway": route.gateway or None, "interface": route.interface or None, "kind": kind,
                "metric": route.metric, "table": route.table, "consulted": consulted,
            }
        )  # fmt: skip
    return Known(tuple(items), routes.origin, tuple(gaps))


def _named(destination: str) -> str:
    return {"0.0.0.0/0": "默认路由", "::/0": "IPv6 默认路由"}.get(destination, destination)


def _addresses(interfaces: Reading[tuple[Interface, ...]], own: tuple[str, ...] | None) -> Fact:
    if not isinstance(interfaces, Known):
        return interfaces
    items: list[Item] = [
        {"interface": i.name, "address": a.address, "public": is_public(a.address, own)}
        for i in interfaces.value if i.kind != "loopback"
        for a in i.addresses if not is_link_local(a.address)
    ]  # fmt: skip
    return Known(tuple(items), interfaces.origin, interfaces.gaps)


def _peers(host: Host, own: tuple[str, ...] | None) -> Fact:
    table = host.sockets.table()
    if not isinstance(table, Known):
        return table
    found: dict[tuple[str, int, str, str], Item] = {}
    for socket in table.value:
        if socket.state != "established" or not socket.remote:
            continue
        public = is_public(socket.remote, own)
        if public is False:
            continue
        established: FieldValue = True
        if isinstance(public, Unknown):
            established = public
        elif socket.proto == "udp":
            established = Unknown(Cause.UNCONFIRMED, "UDP 只说明程序在尝试发送，不说明能够到达")
        found[socket.remote, socket.remote_port, socket.proto, socket.program] = {
            "peer": socket.remote, "port": socket.remote_port, "proto": socket.proto,
            "program": socket.program or None, "established": established,
        }  # fmt: skip
    # Whose a listener is does not matter here: every socket is in the table whoever owns it.
    gaps = tuple(g for g in table.gaps if "/fd" not in g.origin)
    return Known(tuple(v for _, v in sorted(found.items())), table.origin, gaps)


def _connectivity(host: Host) -> Fact:
    runs = network_manager_runs(host)
    if isinstance(runs, Unknown):
        return runs
    if not runs:
        return Absent("NetworkManager")
    for name in ("ConnectivityCheckAvailable", "ConnectivityCheckEnabled"):
        on = _property(host, name)
        if isinstance(on, Unknown):
            return on
        if not isinstance(on, bool):
            return Unknown(Cause.MALFORMED, f"NetworkManager 的 {name}", "busctl")
        if not on:
            return Known("未启用检测", "NetworkManager")
    state = _property(host, "Connectivity")
    if isinstance(state, Unknown):
        return state
    if state == _PORTAL and not isinstance(state, bool):
        return Unknown(
            Cause.UNCONFIRMED, "系统检测到需要网页认证的网络，可能通向互联网，也可能是内网应答", "NetworkManager"
        )
    if state == _UNDECIDED and not isinstance(state, bool):
        return Unknown(Cause.UNAVAILABLE, "NetworkManager 尚未得出检测结论", "NetworkManager")
    if isinstance(state, bool) or not isinstance(state, int) or state not in _STATES:
        return Unknown(Cause.MALFORMED, "NetworkManager 的 Connectivity", "busctl")
    return Known(_STATES[state], "NetworkManager")


def _property(host: Host, name: str) -> object:
    """A property of the running NetworkManager, by D-Bus: nothing is tested, nothing started."""
    output = host.tools.run(tool="BUSCTL", args=("--json=short", "get-property", *_DBUS, name))
    if not isinstance(output, Known):
        return output if isinstance(output, Unknown) else Unknown(Cause.UNAVAILABLE, "busctl", "busctl")
    if output.value.code != 0:
        return Unknown(Cause.TOOL_FAILED, f"busctl：退出码 {output.value.code}", "busctl")
    try:
        return json.loads(output.value.stdout)["data"]
    except (ValueError, KeyError, TypeError):
        return Unknown(Cause.MALFORMED, f"busctl 对 {name} 的回答", "busctl")


PROBES = (RouteProbe(),)
