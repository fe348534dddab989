"""Listeners of Windows: their programs and services, and what the firewall does about each.

Sources: GetExtendedTcpTable and GetExtendedUdpTable, EnumServicesStatusEx (process ids), RFC 6335 and "The default dynamic
port range for TCP/IP has changed" (49152 to 65535). The kernel (process 4) listens for SMB, NetBIOS and http.sys.
"""

from __future__ import annotations

from collections.abc import Callable

from ybscan.hosts.base import Host
from ybscan.hosts.groups.services import ServiceState
from ybscan.hosts.groups.sockets import Socket
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown
from ybscan.model.site import AllowedPort
from ybscan.probes._addresses import is_loopback
from ybscan.probes._netfilter.exposure import Exposure, serves
from ybscan.probes._netfilter.ranges import Family
from ybscan.probes._ports import DHCP_PORTS, SERVICES
from ybscan.probes._windows.fw_exposure import WindowsFirewall, exposure, read_firewall
from ybscan.probes._windows.fw_policy import TITLES
from ybscan.probes._windows.fw_rules import Listener

_KERNEL = 4
_DYNAMIC = range(49152, 65536)
#: Programs that are there to run services.
_HOSTS = frozenset({"svchost.exe"})
_WORDS = {"open": "放行", "restricted": "限定来源", "blocked": "阻止"}

Approval = Callable[[Socket, Exposure, tuple[Family, ...], tuple[AllowedPort, ...] | None], tuple[bool, bool | Unknown]]


def listeners(host: Host, allowed: tuple[AllowedPort, ...] | None, approval: Approval) -> dict[str, Fact]:
    """All listeners, and whether anything is filtered."""
    states = host.services.states()
    firewall = read_firewall(host, states)
    table = host.sockets.table()
    if isinstance(table, Known) and not table.gaps and not any(s.state == "listen" for s in table.value):
        # The endpoint mapper of RPC listens on every Windows: a list without any listener was not filled.
        table = Unknown(Cause.UNAVAILABLE, "系统没有给出任何监听端口，与一般的 Windows 不符", table.origin)
    if not isinstance(table, Known):
        return {"listeners": table, "filter": _filter(firewall)}
    images = _images(host)
    services = _services(states, images)
    items: dict[tuple[object, ...], Item] = {}
    for socket in table.value:
        if socket.state != "listen":
            continue
        program, image = _program(socket, images)
        held = services(socket.pid)
        families = serves(socket.local)
        seen = exposure(firewall, Listener(socket.proto, socket.local_port, image, held, firewall.wireless), families)
        listed, approved = approval(socket, seen, families, allowed)
        item: Item = {
            "proto": socket.proto, "port": socket.local_port, "address": socket.local,
            "service": SERVICES.get(socket.local_port), "program": program,
            "unit": "、".join(sorted(held or ())) or None, "loopback": is_loopback(socket.local),
            "client": _client(socket, program), "system": _system(socket, held),
            "exposure": seen.verdict if isinstance(seen.verdict, Unknown) else _WORDS[seen.verdict],
            "sources": seen.sources or None, "listed": listed, "approved": approved,
        }  # fmt: skip
        # Several processes may hold one UDP address; what is said of each of them counts, once.
        items[socket.proto, socket.local_port, socket.family, socket.local, repr(item)] = item
    ordered = sorted(items.items(), key=lambda pair: (str(pair[0][0]), int(str(pair[0][1])), str(pair[0])))
    return {"listeners": Known(tuple(i for _, i in ordered), table.origin, table.gaps), "filter": _filter(firewall)}


def _filter(firewall: WindowsFirewall) -> Fact:
    if firewall.runs is not True:
        return firewall.runs if isinstance(firewall.runs, Unknown) else Known("防火墙服务没有运行", "MpsSvc、BFE")
    active = [p for p in firewall.profiles if p.active is not False]
    doubt = next((p.enabled for p in active if isinstance(p.enabled, Unknown)), None)
    if doubt is not None:
        return doubt
    off = [TITLES[p.name] for p in active if not p.enabled]
    return Known(f"防火墙已对{'、'.join(off)}关闭" if off else "防火墙已启用", "FirewallPolicy")


def _images(host: Host) -> dict[int, tuple[str, str]]:
    """Process id → name and path; the path is empty where it could not be read."""
    running = host.processes.running()
    return {p.pid: (p.name, p.exe or "") for p in running.value} if isinstance(running, Known) else {}


def _services(
    states: Reading[tuple[ServiceState, ...]], images: dict[int, tuple[str, str]]
) -> Callable[[int | None], frozenset[str] | None]:
    """The services in a process; None where that is not known.

    So it is of a host of services that has none, for they were started since we asked, and of a process that was not listed,
    for it may be such a host.
    """
    by_pid: dict[int, set[str]] = {}
    for state in states.value if isinstance(states, Known) else ():
        if state.pid:
            by_pid.setdefault(state.pid, set()).add(state.name.lower())

    def held(pid: int | None) -> frozenset[str] | None:
        if pid is None or isinstance(states, (Unknown, Absent)):
            return None
        name = "system" if pid == _KERNEL else images.get(pid, ("", ""))[0].lower()
        if pid not in by_pid and (states.gaps or not name or name in _HOSTS):
            return None
        return frozenset(by_pid.get(pid, ()))

    return held


def _program(socket: Socket, images: dict[int, tuple[str, str]]) -> tuple[FieldValue, str]:
    """What to show, and the image to compare with rules."""
    if socket.pid == _KERNEL:
        return "System", "System"
    name, path = images.get(socket.pid, ("", "")) if socket.pid is not None else ("", "")
    name = socket.program or name
    return (name or Unknown(Cause.DENIED, "监听程序")), path or name


def _client(socket: Socket, program: FieldValue) -> bool | Unknown:
    """Whether a UDP socket is the temporary port of a client. The kernel is none: it serves."""
    if socket.proto != "udp" or socket.local_port not in _DYNAMIC or socket.pid == _KERNEL:
        return False
    if isinstance(program, Unknown):
        return Unknown(program.cause, "临时端口范围内的 UDP 端口，监听程序无法读取")
    return True


def _system(socket: Socket, held: frozenset[str] | None) -> bool | Unknown:
    """The receiving end of the terminal's own address request (RFC 2131, RFC 8415)."""
    if socket.proto != "udp" or socket.local_port not in DHCP_PORTS:
        return False
    return Unknown(Cause.UNAVAILABLE, "监听的服务无法得知") if held is None else "dhcp" in held
