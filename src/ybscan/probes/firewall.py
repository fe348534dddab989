"""The host's own firewall: what happens to a connection that no rule speaks of, and whether that outlasts a restart.

Judged by effect, not by name: the rules in the kernel are evaluated for ports that none of them mentions, so that ufw,
firewalld, a hand-written nftables file and the firewall of an endpoint product all count alike. Sources: nft(8),
ufw(8), ufw.conf(5), firewalld.conf(5), firewalld.zone(5), systemd.unit(5), /proc/net/if_inet6.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._firewalls import Manager, managers
from ybscan.probes._netfilter.exposure import Exposure, Firewall, exposure
from ybscan.probes._netfilter.ranges import Family
from ybscan.probes._netfilter.source import read_firewall
from ybscan.probes.base import Context, Probe

#: Where the look for ports that no rule mentions begins: low, registered and temporary ports.
_ANCHORS = (7, 1009, 5003, 20011, 33333, 50021, 64007)
#: Most single hosts that may be let in everywhere without the default being anything but "block".
_MAX_HOSTS = 16
#: Ranges of fewer ports than this count as named one by one.
_SMALL_RANGE = 1024
_IF_INET6 = "/proc/net/if_inet6"


class FirewallProbe(Probe):
    """Whether the host firewall is on and blocks what it was not told to let in."""

    name = "firewall"
    title = "主机防火墙"
    facts = (
        FactSpec(
            "scopes", Kind.ITEMS, "入站默认处理",
            help="Linux 按 IPv4、IPv6 各一条，Windows 按域、专用、公用配置文件各一条。"
            "入站默认处理指没有任何规则提到的端口从外部访问时的结果：阻止、放行或部分放行（多段端口放行）；"
            "只有一段端口放行或对网段整体放行的，需核实。",
            linux="nft list ruleset（含 iptables-nft）、/proc/net/ip_tables_names、/proc/net/if_inet6",
            windows="组策略与本地 FirewallPolicy 的 EnableFirewall、DefaultInboundAction，INetFwPolicy2，服务状态",
            fields=(
                Field("scope", Kind.TEXT, "范围"),
                Field("active", Kind.BOOLEAN, "是否在用"),
                Field("enabled", Kind.BOOLEAN, "是否启用过滤"),
                Field("inbound", Kind.TEXT, "入站默认处理"),
                Field("sources", Kind.TEXTS, "整体放行的来源"),
            ),
            summary="{scope}（在用：{active}，启用过滤：{enabled}，入站默认：{inbound}）",
        ),
        FactSpec(
            "managers", Kind.ITEMS, "防火墙服务",
            help="随系统启动并加载防火墙规则的服务及其配置中的入站默认处理。磁盘上的配置不能说明当前是否生效。",
            linux="/etc/ufw、/etc/firewalld、/etc/nftables.conf、iptables 保存的规则，systemd 启用链接和进程列表",
            fields=(
                Field("name", Kind.TEXT, "名称"),
                Field("configured", Kind.TEXT, "配置的入站默认处理"),
                Field("starts", Kind.BOOLEAN, "随系统启动"),
                Field("source", Kind.TEXT, "来源"),
            ),
            summary="{name}（随系统启动：{starts}，配置的入站默认：{configured}，{source}）",
        ),
        FactSpec(
            "lasting", Kind.BOOLEAN, "防火墙随系统启动",
            help="至少有一个防火墙服务随系统启动，且配置为默认阻止入站。由其他程序加载规则的，重启后是否有效不能从系统配置得知。",
            linux="同“防火墙服务”", windows="MpsSvc、BFE 的启动类型", words=("是", "否"),
        ),
        FactSpec(
            "products", Kind.ITEMS, "接管防火墙的安全产品",
            help="在 Windows 安全中心登记为防火墙的第三方产品。它们接管后 Windows 防火墙会显示为关闭。",
            windows="root\\SecurityCenter2 的 FirewallProduct",
            fields=(Field("name", Kind.TEXT, "产品"), Field("on", Kind.BOOLEAN, "是否启用")),
            summary="{name}（启用：{on}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        gaps: list[Gap] = []
        found = managers(host, gaps)
        items: tuple[Item, ...] = tuple(
            {"name": m.name, "configured": m.inbound, "starts": m.starts, "source": m.source} for m in found
        )
        return {
            "scopes": _scopes(host, found),
            "managers": Known(items, "防火墙服务的配置", tuple(dict.fromkeys(gaps))),
            "lasting": _lasting(found, gaps),
            "products": Absent("Linux 没有安全中心"),
        }

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.firewall import facts

        return facts(host)


def _scopes(host: Host, found: tuple[Manager, ...]) -> Fact:
    firewall = read_firewall(host)
    if isinstance(firewall, Unknown):
        told = "；".join(f"{m.name} 配置的入站默认为“{m.inbound}”" for m in found if isinstance(m.inbound, str))
        if told:
            return Unknown(firewall.cause, f"{firewall.detail}；{told}，当前是否生效无法得知", firewall.origin)
    if not isinstance(firewall, Known):
        return firewall
    items: list[Item] = [_scope("IPv4", firewall.value, "ipv4", True)]
    six = _ipv6_in_use(host)
    if six is not False:
        items.append(_scope("IPv6", firewall.value, "ipv6", six))
    return Known(tuple(items), firewall.origin)


def _ipv6_in_use(host: Host) -> bool | Unknown:
    """Whether any interface has an IPv6 address but the loopback. The file is missing where the kernel has no IPv6."""
    text = host.files.text(path=_IF_INET6)
    if isinstance(text, Unknown):
        return text
    if isinstance(text, Absent):
        return False
    lines = [line.split() for line in text.value.splitlines() if line.strip()]
    if any(len(words) != 6 or not re.fullmatch(r"[0-9a-f]{32}", words[0]) for words in lines):
        return Unknown(Cause.MALFORMED, _IF_INET6, _IF_INET6)
    return any(words[5] != "lo" for words in lines)


def _scope(name: str, firewall: Firewall, family: Family, active: bool | Unknown) -> Item:
    inbound, sources = default_inbound(firewall, family)
    return {
        "scope": name, "active": active, "enabled": _enabled(firewall, family), "inbound": inbound,
        "sources": sources or None,
    }  # fmt: skip


def _enabled(firewall: Firewall, family: Family) -> bool | Unknown:
    """Whether anything can stop what comes in. Tables of the old back end exist without any rule too."""
    own = {"ip" if family == "ipv4" else "ip6", "inet"}
    if any(c.family in own for c in firewall.ruleset.base("input")):
        return True
    if firewall.legacy.get(family):
        return Unknown(Cause.UNSUPPORTED, "有旧版 iptables 的表，规则不加载内核模块就无法读取")
    return False


def default_inbound(firewall: Firewall, family: Family) -> tuple[FieldValue, tuple[str, ...]]:
    """What becomes of connections to ports that no rule names, and the networks that are let in everywhere."""
    taken = mentioned(firewall)
    seen: list[Exposure] = []
    for proto in ("tcp", "udp"):
        which: Literal["tcp", "udp"] = "tcp" if proto == "tcp" else "udp"
        for port in unmentioned(taken):
            seen.append(exposure(firewall, proto=which, port=port, address="", families=(family,)))
    opened = {i % len(_ANCHORS) for i, e in enumerate(seen) if e.verdict == "open"}
    if len(opened) == 1:
        # One part of the range may be what the business needs; PORT-01 looks at what listens there.
        return Unknown(Cause.UNCONFIRMED, "有一段端口整体放行，需核实是否为业务需要"), ()
    if opened:
        return ("放行" if all(e.verdict == "open" for e in seen) else "部分放行"), ()
    doubt = next((e.verdict for e in seen if isinstance(e.verdict, Unknown)), None)
    if doubt is not None:
        return doubt, ()
    sources = tuple(sorted({s for e in seen for s in e.sources}))
    if sources and not _single_hosts(sources):
        return Unknown(Cause.UNCONFIRMED, f"对 {'、'.join(sources[:5])} 整体放行，需核实来源范围"), sources
    return "阻止", sources


def _single_hosts(sources: Iterable[str]) -> bool:
    networks = [ipaddress.ip_network(s, strict=False) for s in sources]
    return sum(n.num_addresses for n in networks) <= _MAX_HOSTS


def mentioned(firewall: Firewall) -> frozenset[int]:
    """Every number that stands anywhere in the rules: port numbers are among them."""
    found: set[int] = set()
    for chain in firewall.ruleset.chains.values():
        for rule in chain.rules:
            found.update(_numbers(rule))
    for named in firewall.ruleset.sets.values():
        found.update(_numbers(named.elements or ()))
    return frozenset(found)


def _numbers(thing: Any) -> Iterator[int]:
    todo = [thing]
    while todo:
        here = todo.pop()
        if isinstance(here, bool):
            continue
        if isinstance(here, int):
            yield here
        elif isinstance(here, str) and here.isdecimal() and len(here) < 6:
            yield int(here)
        elif isinstance(here, Mapping):
            ends = here.get("range")
            if isinstance(ends, list) and all(isinstance(e, int) for e in ends) and ends[1] - ends[0] < _SMALL_RANGE:
                yield from range(ends[0], ends[1] + 1)
            todo.extend(here.values())
        elif isinstance(here, (list, tuple)):
            todo.extend(here)


def unmentioned(taken: frozenset[int]) -> tuple[int, ...]:
    """One port from each part of the range that no rule names."""
    return tuple(next(p for p in range(anchor, anchor + len(taken) + 1) if p not in taken) for anchor in _ANCHORS)


def _lasting(found: tuple[Manager, ...], gaps: list[Gap]) -> Fact:
    for m in found:
        if m.starts is True and m.inbound == "阻止":
            return Known(True, m.source)
    for m in found:
        for part in (m.starts, m.inbound):
            if isinstance(part, Unknown):
                return part
    if gaps:
        return Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin)
    names = "、".join(m.name for m in found if m.starts is True)
    why = (
        f"随系统启动的 {names} 没有配置为默认阻止入站"
        if names
        else "没有看到随系统启动的防火墙服务（ufw、firewalld、nftables 等）"
    )
    return Unknown(Cause.UNCONFIRMED, f"{why}，现有规则由其他程序加载，重启后是否仍有效需核实", "systemd")


PROBES = (FirewallProbe(),)
