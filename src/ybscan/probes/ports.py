"""Listening ports, who owns them, and whether the host's firewall lets the outside in.

Sources: proc_net(5) tables of both families with owners from /proc/<pid>/fd; udp(7) and ip(7) for
``ip_local_port_range``; nft(8); systemd.socket(5). UDP has no LISTEN state: a bound socket without a peer is one.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Literal

from ybscan.hosts.base import Host
from ybscan.hosts.groups.sockets import Socket
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Cause, Known, Reading, Unknown
from ybscan.model.site import AllowedPort
from ybscan.probes._addresses import is_loopback
from ybscan.probes._netfilter.exposure import Exposure, Firewall, exposure, serves
from ybscan.probes._netfilter.ranges import difference, everyone, normal, of_network
from ybscan.probes._netfilter.source import read_firewall
from ybscan.probes._ports import DHCP_CLIENTS, DHCP_PORTS, SERVICES
from ybscan.probes.base import Context, Probe

_WORDS = {"open": "放行", "restricted": "限定来源", "blocked": "阻止"}
#: Owner of a socket that no process holds: the kernel itself, or a process in another name space.
KERNEL = "内核或容器"
_RANGE = "/proc/sys/net/ipv4/ip_local_port_range"


class PortsProbe(Probe):
    """What can be reached from the network."""

    name = "ports"
    title = "监听端口"
    facts = (
        FactSpec(
            "listeners", Kind.ITEMS, "监听端口",
            help="正在监听的 TCP、UDP 端口，连同主机防火墙对外部访问的处理和单位批准情况。监听 :: 的端口同时按 IPv4 处理。",
            linux="/proc/net/{tcp,tcp6,udp,udp6}、/proc/<pid>/fd、nft list ruleset、/proc/net/ip_tables_names",
            windows="GetExtendedTcpTable、GetExtendedUdpTable，服务的进程号，组策略与本地的 FirewallRules 和各配置文件，安全中心",
            fields=(
                Field("proto", Kind.TEXT, "协议"),
                Field("port", Kind.INTEGER, "端口"),
                Field("address", Kind.ADDRESS, "监听地址"),
                Field("service", Kind.TEXT, "常见用途"),
                Field("program", Kind.TEXT, "程序"),
                Field("unit", Kind.TEXT, "系统服务或套接字单元"),
                Field("loopback", Kind.BOOLEAN, "仅本机可访问"),
                Field("client", Kind.BOOLEAN, "客户端临时端口"),
                Field("system", Kind.BOOLEAN, "系统必需"),
                Field("exposure", Kind.TEXT, "防火墙处理"),
                Field("sources", Kind.TEXTS, "放行的来源"),
                Field("listed", Kind.BOOLEAN, "列入批准清单"),
                Field("approved", Kind.BOOLEAN, "符合批准范围"),
            ),
            summary="{proto}/{port}（用途：{service}，地址 {address}，程序 {program}，防火墙：{exposure}）",
        ),
        FactSpec(
            "filter", Kind.TEXT, "入站过滤规则", help="主机防火墙是否有能够拦截入站连接的规则。",
            linux="nft list ruleset、/proc/net/ip_tables_names", windows="MpsSvc、BFE 服务与各配置文件的 EnableFirewall",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        firewall = read_firewall(host)
        table = host.sockets.table()
        if not isinstance(table, Known):
            return {"listeners": table, "filter": _filter(firewall)}
        listening = [s for s in table.value if s.state == "listen"]
        owners_complete = not table.gaps
        units = _units(host) if any(s.pid == 1 for s in listening) else {}
        temporary = _temporary(host)
        items: dict[tuple[object, ...], Item] = {}
        for socket in listening:
            item = _item(socket, firewall, temporary, units, context.site.ports.allowed, owners_complete)
            items[socket.proto, socket.local_port, socket.family, socket.local, str(item["program"])] = item
        ordered = tuple(item for _, item in sorted(items.items(), key=lambda pair: tuple(map(str, pair[0]))))
        ordered = tuple(sorted(ordered, key=lambda i: (str(i["proto"]), int(str(i["port"])))))
        return {"listeners": Known(ordered, table.origin, table.gaps), "filter": _filter(firewall)}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.ports import listeners

        return listeners(host, context.site.ports.allowed, _approval)


def _filter(firewall: Reading[Firewall]) -> Fact:
    if not isinstance(firewall, Known):
        return firewall
    if firewall.value.ruleset.base("input"):
        return Known("有 nftables 入站规则", firewall.origin)
    if firewall.value.filters:
        return Known("有旧版 iptables 规则", firewall.origin)
    return Known("没有入站过滤规则", firewall.origin)


def _item(
    socket: Socket,
    firewall: Reading[Firewall],
    temporary: Reading[tuple[int, int]],
    units: Mapping[int, str],
    allowed: tuple[AllowedPort, ...] | None,
    owners_complete: bool,
) -> Item:
    program: FieldValue
    if socket.program:
        program = socket.program
    elif socket.pid is None and owners_complete:
        program = KERNEL
    else:
        program = Unknown(Cause.DENIED, "监听程序")
    families = serves(socket.local)
    loopback = is_loopback(socket.local)
    seen = _exposure(socket, firewall, families)
    listed, approved = _approval(socket, seen, families, allowed)
    return {
        "proto": socket.proto,
        "port": socket.local_port,
        "address": socket.local,
        "service": SERVICES.get(socket.local_port),
        "program": program,
        "unit": units.get(socket.local_port) if socket.pid == 1 else None,
        "loopback": loopback,
        "client": _client(socket, program, temporary),
        "system": _system(socket, program),
        "exposure": seen.verdict if isinstance(seen.verdict, Unknown) else _WORDS[seen.verdict],
        "sources": seen.sources or None,
        "listed": listed,
        "approved": approved,
    }


def _exposure(socket: Socket, firewall: Reading[Firewall], families: Iterable[Literal["ipv4", "ipv6"]]) -> Exposure:
    if not isinstance(firewall, Known):
        why = firewall if isinstance(firewall, Unknown) else Unknown(Cause.UNAVAILABLE, "防火墙规则")
        return Exposure(why)
    bound = ipaddress.ip_address(socket.local.split("%", 1)[0])
    mapped = bound.ipv4_mapped if isinstance(bound, ipaddress.IPv6Address) else None
    address = "" if bound.is_unspecified else str(mapped or bound)
    return exposure(firewall.value, proto=socket.proto, port=socket.local_port, address=address, families=families)


def _client(socket: Socket, program: FieldValue, temporary: Reading[tuple[int, int]]) -> bool | Unknown:
    """Whether a UDP socket is the temporary port of a client. The kernel itself is no client: it serves."""
    if socket.proto != "udp" or socket.local_port < 1024 or program == KERNEL:
        return False
    if not isinstance(temporary, Known):
        return temporary if isinstance(temporary, Unknown) else Unknown(Cause.UNAVAILABLE, _RANGE)
    if not temporary.value[0] <= socket.local_port <= temporary.value[1]:
        return False
    return (
        Unknown(Cause.DENIED, "临时端口范围内的 UDP 端口，监听程序无法读取") if isinstance(program, Unknown) else True
    )


def _system(socket: Socket, program: FieldValue) -> bool | Unknown:
    if socket.proto != "udp" or socket.local_port not in DHCP_PORTS:
        return False
    return program if isinstance(program, Unknown) else program in DHCP_CLIENTS


def _approval(
    socket: Socket,
    seen: Exposure,
    families: tuple[Literal["ipv4", "ipv6"], ...],
    allowed: tuple[AllowedPort, ...] | None,
) -> tuple[bool, bool | Unknown]:
    """Whether the unit's list names the port, and whether it may be reached from no further than the list says."""
    if allowed is None:
        return False, Unknown(Cause.NOT_CONFIGURED, "site.yml 的 ports.allowed")
    entries = [a for a in allowed if a.proto == socket.proto and a.port == socket.local_port]
    if not entries:
        return False, False
    if any(a.from_ is None for a in entries) or seen.verdict == "blocked":
        return True, True
    networks = [n for a in entries for n in a.from_ or ()]
    inside = all(
        not difference(_reached(seen, f), normal([r for n in networks for r in of_network(n, f) or ()]))
        for f in families
    )
    if inside:
        return True, True
    if isinstance(seen.verdict, Unknown):
        return True, seen.verdict
    if seen.certain:
        return True, False
    return True, Unknown(Cause.UNCONFIRMED, "不能确定防火墙放行的来源是否超出批准范围")


def _reached(seen: Exposure, family: Literal["ipv4", "ipv6"]) -> tuple[tuple[int, int], ...]:
    if seen.verdict == "restricted":
        return normal([r for n in seen.sources for r in of_network(n, family) or ()])
    return everyone(family)


def _temporary(host: Host) -> Reading[tuple[int, int]]:
    text = host.files.text(path=_RANGE)
    if not isinstance(text, Known):
        return text
    found = re.fullmatch(r"\s*(\d{1,5})\s+(\d{1,5})\s*", text.value)
    if found is None or not 1024 <= int(found[1]) <= int(found[2]) <= 65535:
        return Unknown(Cause.MALFORMED, _RANGE, _RANGE)
    return Known((int(found[1]), int(found[2])), _RANGE)


def _units(host: Host) -> dict[int, str]:
    """Ports that systemd holds open, by socket unit. Only names things: no verdict hangs on it."""
    output = host.tools.run(tool="SYSTEMCTL", args=("list-sockets", "--no-pager", "--no-legend", "--plain", "--all"))
    if not isinstance(output, Known) or output.value.code != 0:
        return {}
    found = re.findall(r"^\S*:(\d{1,5})\s+(?:\w+\s+)?(\S+\.socket)\b", output.value.stdout, re.MULTILINE)
    return {int(port): unit for port, unit in found}


PROBES = (PortsProbe(),)
