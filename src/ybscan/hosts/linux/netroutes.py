"""Routes of both families and all tables, and which tables the policy rules consult.

Sources: ip-route(8), ip-rule(8), include/uapi/linux/route.h (RTF_*), Documentation of /proc/net/route and ipv6_route.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterator
from typing import Any, Literal

from ybscan.hosts.groups.files import Files
from ybscan.hosts.groups.network import Route
from ybscan.hosts.groups.tools import Tools
from ybscan.hosts.linux.iproute import ask_ip
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

Family = Literal["ipv4", "ipv6"]
_FLAG = {"ipv4": "-4", "ipv6": "-6"}
_RTF_GATEWAY = 0x0002
_RTF_REJECT = 0x0200
_RTF_LOCAL = 0x80000000
_RTF_ANYCAST = 0x00100000
#: Tables that are always consulted unless somebody removed the kernel's own rules.
_STANDING = frozenset({"main", "local", "default"})
_EVERY = "*"
_OTHER_TABLES = "系统的 ip 命令不能列出全部路由表，只读取了主路由表"


def read_routes(files: Files, tools: Tools) -> Reading[tuple[Route, ...]]:
    """All routes. Where iproute2 cannot answer, /proc does, with a gap for the tables it does not show."""
    routes: list[Route] = []
    gaps: list[Gap] = []
    families: tuple[Family, ...] = ("ipv4", "ipv6")
    for family in families:
        asked = ask_ip(tools, "-j", _FLAG[family], "route", "show", "table", "all")
        if family == "ipv4" and isinstance(asked, Known) and not asked.value:
            # The loopback's own routes at least are always there.
            asked = Unknown(Cause.MALFORMED, f"{asked.origin}：没有列出任何路由", asked.origin)
        if isinstance(asked, Known):
            consulted = _consulted(tools, family)
            try:
                routes.extend(r for entry in asked.value for r in parsed_routes(entry, family, consulted))
                continue
            except (ValueError, KeyError, TypeError):
                asked = Unknown(Cause.MALFORMED, asked.origin, asked.origin)
        fallback = _proc_ipv4(files) if family == "ipv4" else _proc_ipv6(files)
        if isinstance(fallback, Unknown):
            return fallback
        if isinstance(fallback, Known):
            routes.extend(fallback.value)
            cause = asked.cause if isinstance(asked, Unknown) else Cause.UNAVAILABLE
            gaps.append(Gap(cause, _OTHER_TABLES, "ip route show table all"))
    order = sorted(routes, key=lambda r: (r.family, r.table, r.destination, r.gateway, r.interface, r.metric, r.type))
    return Known(tuple(order), "ip route show table all", tuple(dict.fromkeys(gaps)))


def _consulted(tools: Tools, family: Family) -> frozenset[str] | None:
    """The tables that policy rules lead to; None when the rules could not be read."""
    rules = ask_ip(tools, "-j", _FLAG[family], "rule")
    if not isinstance(rules, Known):
        return None
    tables = set(_STANDING)
    for rule in rules.value:
        if "l3mdev" in rule or rule.get("table") in ("[l3mdev-table]", "l3mdev-table"):
            tables.add(_EVERY)
        if "table" in rule:
            tables.add(str(rule["table"]))
    return frozenset(tables)


def parsed_routes(entry: dict[str, Any], family: Family, consulted: frozenset[str] | None) -> Iterator[Route]:
    """The routes that one object of ``ip -j route`` stands for: one, or one per next hop.

    Raises:
        ValueError, KeyError, TypeError: it is no route as iproute2 prints them.
    """
    table = str(entry.get("table", "main"))
    if table in _STANDING or (consulted is not None and (table in consulted or _EVERY in consulted)):
        led: bool | None = True
    else:
        led = None if consulted is None else False
    destination = _cidr(str(entry["dst"]), family)
    kind = str(entry.get("type", "unicast"))
    metric = int(entry.get("metric", 0))
    for hop in entry.get("nexthops") or (entry,):
        yield Route(family, destination, _gateway(hop), str(hop.get("dev", "")), metric, table, kind, led)


def _gateway(hop: dict[str, Any]) -> str:
    via = hop.get("via")
    found = str(hop.get("gateway") or (via.get("host") if isinstance(via, dict) else "") or "")
    if found:
        ipaddress.ip_address(found)
    return found


def _cidr(text: str, family: Family) -> str:
    if text in ("default", "all"):
        return "0.0.0.0/0" if family == "ipv4" else "::/0"
    if family == "ipv4" and "/" in text and text.count(".") < 3:  # older releases shorten: 10/8
        address, _, length = text.partition("/")
        text = ".".join([*address.split("."), "0", "0", "0"][:4]) + "/" + length
    return str(ipaddress.ip_network(text, strict=False))


def _proc_ipv4(files: Files) -> Reading[list[Route]]:
    path = "/proc/net/route"
    text = files.text(path=path)
    if not isinstance(text, Known):
        # Without IPv4 there is no such file; a kernel without IPv4 does not exist in practice.
        return Unknown(Cause.UNAVAILABLE, path, path) if isinstance(text, Absent) else text
    lines = text.value.splitlines()
    if not lines or not lines[0].startswith("Iface"):
        return Unknown(Cause.MALFORMED, path, path)
    found = []
    for line in lines[1:]:
        fields = line.split()
        if not fields:
            continue
        try:
            destination, gateway, mask = (socket.inet_ntoa(struct.pack("=I", int(fields[i], 16))) for i in (1, 2, 7))
            flags, metric = int(fields[3], 16), int(fields[6])
            network = str(ipaddress.ip_network(f"{destination}/{mask}", strict=False))
        except (ValueError, IndexError, struct.error):
            return Unknown(Cause.MALFORMED, path, path)
        kind = "unreachable" if flags & _RTF_REJECT else "unicast"
        found.append(Route("ipv4", network, gateway if flags & _RTF_GATEWAY else "", fields[0], metric, "main", kind))
    return Known(found, path)


def _proc_ipv6(files: Files) -> Reading[list[Route]]:
    """/proc/net/ipv6_route; Absent when IPv6 is switched off."""
    path = "/proc/net/ipv6_route"
    text = files.text(path=path)
    if not isinstance(text, Known):
        return text
    found = []
    for line in text.value.splitlines():
        fields = line.split()
        try:
            network = ipaddress.IPv6Network((bytes.fromhex(fields[0]), int(fields[1], 16)), strict=False)
            hop = ipaddress.IPv6Address(bytes.fromhex(fields[4]))
            metric, flags = int(fields[5], 16), int(fields[8], 16)
            interface = fields[9]
        except (ValueError, IndexError):
            return Unknown(Cause.MALFORMED, path, path)
        kind = (
            "unreachable" if flags & _RTF_REJECT else "local" if flags & _RTF_LOCAL
            else "anycast" if flags & _RTF_ANYCAST else "unicast"
        )  # fmt: skip
        table = "local" if kind in ("local", "anycast") else "main"
        gateway = str(hop) if flags & _RTF_GATEWAY else ""
        found.append(Route("ipv6", str(network), gateway, interface, metric, table, kind))
    return Known(found, path)
