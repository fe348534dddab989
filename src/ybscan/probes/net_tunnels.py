"""Tunnels: virtual links that are up, VPN profiles, and programs that build tunnels of their own.

A program's name alone is a single clue; with a connection to a public address by the same process it is two. Names of
programs come from the software dictionary (category ``tunnel``) and from :data:`_PROGRAMS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ybscan.hosts.base import Host
from ybscan.hosts.groups.network import HISTORY, Interface
from ybscan.hosts.groups.processes import Process
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown
from ybscan.probes._addresses import is_public
from ybscan.probes._patterns import like
from ybscan.probes._tunnels import by_name
from ybscan.probes.base import Context, Probe
from ybscan.probes.net_saved import VPN_KINDS

#: Image name → what it is. Kept here so that the check works without the dictionary too.
_PROGRAMS: Mapping[str, str] = {
    "openvpn": "OpenVPN", "wireguard-go": "WireGuard", "boringtun*": "WireGuard", "charon*": "strongSwan IPsec",
    "pptp": "PPTP", "xl2tpd": "L2TP", "openconnect": "OpenConnect", "vpnc": "Cisco VPN", "sstpc": "SSTP",
    "tailscaled": "Tailscale", "zerotier-one": "ZeroTier", "easytier-core": "EasyTier", "n2n-edge": "n2n", "tincd": "tinc",
    "nebula": "Nebula", "frpc": "frp", "frps": "frp", "npc": "nps", "ngrok*": "ngrok", "natapp": "NATAPP",
    "cloudflared": "Cloudflare Tunnel", "phddns": "花生壳", "phtunnel": "花生壳", "cpolar": "cpolar", "chisel": "chisel",
    "clash*": "Clash", "mihomo*": "Clash", "verge-mihomo*": "Clash", "v2ray*": "V2Ray", "xray": "Xray", "sing-box": "sing-box",
    "ss-local": "Shadowsocks", "ss-redir": "Shadowsocks", "sslocal": "Shadowsocks", "trojan*": "Trojan", "naive": "NaiveProxy",
    "hysteria*": "Hysteria", "brook": "Brook", "redsocks": "redsocks", "privoxy": "Privoxy", "tor": "Tor", "gost": "GOST",
    "pgyvpn*": "蒲公英", "pgyvisitor*": "蒲公英", "oray*": "蒲公英", "svpnservice": "EasyConnect", "csclient": "EasyConnect",
    "ecagent": "EasyConnect", "easymonitor": "EasyConnect", "atrust*": "aTrust",
}  # fmt: skip


class TunnelProbe(Probe):
    """Whatever carries traffic past the network the cable leads to."""

    name = "net_tunnels"
    title = "VPN 与隧道"
    facts = (
        FactSpec(
            "links", Kind.ITEMS, "已启用的隧道和拨号接口",
            help="内核登记为隧道（tun、tap、wireguard、gre、vti 等）或拨号（ppp）的接口。",
            linux="ip -j -d addr 的 linkinfo、/sys/class/net", windows="GetAdaptersAddresses 的接口类型、描述和驱动",
            fields=(
                Field("name", Kind.TEXT, "接口"),
                Field("kind", Kind.TEXT, "类型"),
                Field("connection", Kind.TEXT, "连接名称"),
                Field("in_use", Kind.BOOLEAN, "是否启用"),
            ),
            summary="{name}（{kind}，连接名称：{connection}）",
        ),
        FactSpec(
            "profiles", Kind.ITEMS, "VPN 连接配置",
            help="连接管理程序中保存的 VPN 配置，不论当前是否连接。",
            linux="NetworkManager 的 system-connections", windows="全机与各用户的 rasphone.pbk",
            fields=(
                Field("name", Kind.TEXT, "连接名称"),
                Field("kind", Kind.TEXT, "类型"),
                Field("interface", Kind.TEXT, "接口"),
                Field("source", Kind.TEXT, "来源"),
            ),
            summary="{name}（{kind}，{source}）",
        ),
        FactSpec(
            "programs", Kind.ITEMS, "正在运行的代理、VPN 和穿透程序",
            help="按进程名识别。只有进程名一条线索时待核实；同一进程还与公网地址保持连接时可以确认。",
            linux="/proc/*/stat、/proc/*/exe、/proc/net", windows="Toolhelp32 进程快照、GetExtendedTcpTable",
            fields=(
                Field("process", Kind.TEXT, "进程"),
                Field("product", Kind.TEXT, "产品"),
                Field("confirmed", Kind.BOOLEAN, "是否确认"),
            ),
            summary="{product}（进程 {process}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        saved = host.network.saved()
        profiles = _profiles(saved)
        return {"links": _links(host, saved), "profiles": profiles, "programs": _programs(host, context)}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.net_tunnels import links, programs

        saved = host.network.saved()
        patterns = dict(_PROGRAMS)
        for product in context.dictionary.products:
            if product.category == "tunnel":
                for pattern in product.windows.processes:
                    patterns.setdefault(pattern, product.name)
        found = programs(host, patterns, _connected(host, context))
        return {"links": links(host, saved), "profiles": _profiles(saved), "programs": found}


def _links(host: Host, saved: object) -> Fact:
    interfaces = host.network.interfaces()
    if not isinstance(interfaces, Known):
        return interfaces
    named = {n.interface: n.id for n in saved.value if n.interface} if isinstance(saved, Known) else {}
    unread: FieldValue = None
    if not isinstance(saved, Known) or any(g.origin != HISTORY for g in saved.gaps):
        unread = Unknown(Cause.INCOMPLETE, "连接配置没有读全，不知道接口属于哪个连接")
    items: list[Item] = [
        {"name": i.name, "kind": i.detail or i.kind, "connection": named.get(i.name, unread), "in_use": _in_use(i)}
        for i in interfaces.value if i.kind in ("tunnel", "ppp")
    ]  # fmt: skip
    return Known(tuple(items), interfaces.origin, interfaces.gaps)


def _in_use(interface: Interface) -> FieldValue:
    if interface.up and interface.master and interface.detail == "tap":
        return Unknown(Cause.UNCONFIRMED, "接在网桥上的 tap 接口，可能是虚拟机的网卡，需核实")
    # The kernel makes a few of them by itself (sit0, tunl0 …): they are down until somebody uses them.
    return interface.up


def _profiles(saved: object) -> Fact:
    if not isinstance(saved, Known):
        return saved if isinstance(saved, (Unknown, Absent)) else Unknown(Cause.UNAVAILABLE, "连接配置")
    items: list[Item] = [
        {"name": n.id, "kind": n.kind, "interface": n.interface or None, "source": n.source}
        for n in saved.value if n.kind in VPN_KINDS
    ]  # fmt: skip
    # When networks were used does not matter here, only what is set up.
    gaps = tuple(g for g in saved.gaps if g.origin != HISTORY)
    return Known(tuple(items), saved.origin, gaps)


def _programs(host: Host, context: Context) -> Fact:
    running = host.processes.running()
    if not isinstance(running, Known):
        return running
    patterns = dict(_PROGRAMS)
    for product in context.dictionary.products:
        if product.category == "tunnel":
            for pattern in product.linux.processes:
                patterns.setdefault(pattern, product.name)
    outside = _connected(host, context)
    found = by_name(running.value, lambda p: next(_products(p, patterns), None), outside)
    return Known(found, running.origin, tuple(g for g in running.gaps if g.origin == "/proc"))


def _products(process: Process, patterns: Mapping[str, str]) -> Iterator[str]:
    names = {process.name, (process.exe or "").rsplit("/", 1)[-1]} - {""}
    for pattern, product in patterns.items():
        # The kernel cuts process names at 15 bytes.
        if any(like(n, (pattern,)) or (len(n) == 15 and pattern[:15] == n) for n in names):
            yield product


def _connected(host: Host, context: Context) -> frozenset[int] | Reading[object]:
    """The processes that hold an established TCP connection to a public address."""
    table = host.sockets.table()
    if not isinstance(table, Known):
        return table
    own = context.site.network.networks
    return frozenset(
        s.pid for s in table.value
        if s.proto == "tcp" and s.state == "established" and s.pid is not None and is_public(s.remote, own) is True
    )  # fmt: skip


PROBES = (TunnelProbe(),)
