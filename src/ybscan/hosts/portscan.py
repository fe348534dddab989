"""A port scan with nmap, on request only: the one thing besides the Internet probe that sends packets.

It cross-checks the socket table: a port that answers without being in the table is held by something that hides, or
lies in another network name space. python-nmap (GPL) is an extra and imported only here, inside the function; nmap's
own connect scan (``-sT``) needs no privileges and sends nothing but ordinary connection attempts. See nmap(1).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from ybscan.hosts.groups.sockets import Socket
from ybscan.model.reading import Cause, Known, Reading, Unknown

Proto = Literal["tcp", "udp"]

MAX_HOSTS = 64
_HOSTNAME = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*"
)
_PORTS = re.compile(r"\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*", re.ASCII)

HIDDEN = "未登记"
KNOWN = "一致"
SILENT = "未应答"
UNCLEAR = "无法比对"


@dataclass(frozen=True, slots=True)
class SeenPort:
    """One port as nmap saw it. ``state`` is nmap's word: ``open``, ``open|filtered`` …"""

    host: str
    proto: Proto
    port: int
    state: str
    service: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A port of this host in both views. ``result``: :data:`KNOWN`, :data:`HIDDEN` (answers, but is not in the socket
    table), :data:`SILENT` (in the table, but did not answer) or :data:`UNCLEAR` (the table was not readable)."""

    seen: SeenPort
    program: str
    result: str


def wrong_hosts(hosts: Iterable[str]) -> list[str]:
    """Chinese sentences on targets that are no single address or host name; ranges and options are refused."""
    problems = []
    targets = list(hosts)
    if len(targets) > MAX_HOSTS:
        problems.append(f"一次最多扫描 {MAX_HOSTS} 台主机")
    for host in targets:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            if not _HOSTNAME.fullmatch(host) or re.fullmatch(r"[\d.-]+", host):
                problems.append(f"“{host[:80]}”不是 IP 地址或主机名（不支持网段和通配符）")
    return problems


def wrong_ports(ports: str) -> list[str]:
    """Chinese sentences on a port list such as ``22,80,8000-8100``."""
    if not _PORTS.fullmatch(ports):
        return [f"端口“{ports[:80]}”应写成 22,80,8000-8100 的形式"]
    for part in ports.split(","):
        low, _, high = part.partition("-")
        if not 1 <= int(low) <= int(high or low) <= 65535:
            return [f"端口“{part}”应在 1 至 65535 之间，且起点不大于终点"]
    return []


def scan_ports(
    *, hosts: tuple[str, ...], ports: str = "", udp: bool = False, seconds: int = 600
) -> Reading[tuple[SeenPort, ...]]:
    """Scan the named hosts; what is closed is left out.

    Args:
        hosts: single addresses or names, at most :data:`MAX_HOSTS`.
        ports: such as ``22,80,8000-8100``; nmap's thousand usual ports when empty.
        udp: UDP as well, which needs root.
        seconds: time limit for each address family.

    Returns:
        Known, or Unknown with the reason: no python-nmap, no nmap, too slow, not permitted.

    Raises:
        ValueError: hosts or ports are not what :func:`wrong_hosts` and :func:`wrong_ports` accept.
    """
    problems = wrong_hosts(hosts) + (wrong_ports(ports) if ports else [])
    if problems:
        raise ValueError("；".join(problems))
    try:
        import nmap
    except ImportError:
        return Unknown(Cause.TOOL_MISSING, "没有安装 python-nmap，请在运维机上执行 pip install 'ybscan[nmap]'", "nmap")
    try:
        scanner = nmap.PortScanner()
    except nmap.PortScannerError:
        return Unknown(Cause.TOOL_MISSING, "系统中没有 nmap 命令，请在运维机上安装后再扫描", "nmap")
    seen: list[SeenPort] = []
    for six in (False, True):
        family = tuple(h for h in hosts if _is_six(h) is six)
        if not family:
            continue
        found = _run(nmap, scanner, family, ports, udp=udp, six=six, seconds=seconds)
        if isinstance(found, Unknown):
            return found
        seen.extend(found)
    return Known(tuple(sorted(set(seen), key=lambda s: (s.host, s.proto, s.port))), "nmap")


def _is_six(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def _run(
    nmap: Any, scanner: Any, hosts: tuple[str, ...], ports: str, *, udp: bool, six: bool, seconds: int
) -> list[SeenPort] | Unknown:
    # -n: no name look-ups; -Pn: no ping first; -sT: ordinary connections. The targets were checked: none is an option.
    arguments = ["-n", "-Pn", "-sT", *(["-sU"] if udp else []), *(["-6"] if six else [])]
    try:
        answer = scanner.scan(
            hosts=" ".join(hosts), ports=ports or None, arguments=" ".join(arguments), timeout=seconds
        )  # fmt: skip
    except nmap.PortScannerTimeout:
        return Unknown(Cause.TIMEOUT, f"nmap 超过 {seconds} 秒没有扫完，请减少主机或端口", "nmap")
    except nmap.PortScannerError as e:
        said = str(getattr(e, "value", e)).strip().strip("'\"").splitlines() or [""]
        cause = Cause.DENIED if "root" in said[0] else Cause.TOOL_FAILED
        return Unknown(cause, f"nmap：{said[0][:160]}", "nmap")
    answered = answer.get("scan") if isinstance(answer, dict) else None
    if not isinstance(answered, dict) or not answered:
        why = "；".join(answer.get("nmap", {}).get("scaninfo", {}).get("error", [])) if isinstance(answer, dict) else ""
        return Unknown(Cause.TOOL_FAILED, f"nmap 没有给出结果{f'（{why[:160].strip()}）' if why else ''}", "nmap")
    found: list[SeenPort] = []
    for host, result in answered.items():
        protos: tuple[Proto, ...] = ("tcp", "udp")
        for proto in protos:
            for port, entry in result.get(proto, {}).items():
                state = str(entry.get("state", ""))
                if state.startswith("open"):
                    found.append(SeenPort(str(host), proto, int(port), state, str(entry.get("name", ""))))
    return found


def compared(
    seen: Iterable[SeenPort], table: Reading[tuple[Socket, ...]], *, scanned: str = ""
) -> tuple[Compared, ...]:
    """nmap's view of this host beside the socket table's. Pure.

    Args:
        seen: ports found on addresses of this host.
        table: the socket table.
        scanned: the ports that were asked for; listeners on them that did not answer are shown too. Empty: not shown.
    """
    found = list(seen)
    rows: list[Compared] = []
    if not isinstance(table, Known):
        return tuple(Compared(s, "", UNCLEAR) for s in found)
    listening = [s for s in table.value if s.state == "listen"]
    for one in found:
        owners = [s for s in listening if s.proto == one.proto and s.local_port == one.port and _takes(s, one.host)]
        # "open|filtered" is nmap's way of saying that a UDP port did not answer.
        result = KNOWN if owners else UNCLEAR if one.state != "open" else HIDDEN
        rows.append(Compared(one, next((s.program for s in owners if s.program), ""), result))
    asked = _asked(scanned)
    hosts = sorted({s.host for s in found})
    for socket in listening:
        for host in hosts:
            silent = (
                socket.proto == "tcp" and any(low <= socket.local_port <= high for low, high in asked)
                and _takes(socket, host)
                and not any(s.host == host and s.proto == "tcp" and s.port == socket.local_port for s in found)
            )  # fmt: skip
            if silent:
                missed = SeenPort(host, "tcp", socket.local_port, "closed", "")
                rows.append(Compared(missed, socket.program, SILENT))
    return tuple(sorted(set(rows), key=lambda c: (c.seen.host, c.seen.proto, c.seen.port, c.result)))


def _asked(ports: str) -> list[tuple[int, int]]:
    pairs = [part.partition("-") for part in ports.split(",") if part]
    return [(int(low), int(high or low)) for low, _, high in pairs]


def _takes(socket: Socket, host: str) -> bool:
    """Whether a listener takes connections to ``host``, an address of this machine."""
    try:
        wanted = ipaddress.ip_address(host.split("%", 1)[0])
    except ValueError:
        return True
    bound: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(socket.local.split("%", 1)[0])
    if isinstance(bound, ipaddress.IPv6Address) and bound.ipv4_mapped is not None:
        bound = bound.ipv4_mapped
    if bound.is_unspecified:
        return bound.version == 6 or wanted.version == 4  # an IPv6 wildcard usually takes IPv4 too
    return bound == wanted
