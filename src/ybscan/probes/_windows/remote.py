"""Windows' own ways in: Remote Desktop, WinRM, the remote registry, Telnet, OpenSSH; and Remote Assistance.

Sources: the values below "Terminal Server" and "Policies\\Microsoft\\Windows NT\\Terminal Services" (a policy goes before the
local value), WinRM's listeners below WSMAN\\Listener, the services' keys. Home editions have no host of Remote Desktop:
there only a listener counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ybscan.hosts.base import Host
from ybscan.hosts.groups.services import ServiceConfig
from ybscan.hosts.groups.sockets import Socket
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.model.site import Site
from ybscan.probes._addresses import is_loopback
from ybscan.probes._patterns import folded
from ybscan.probes._software.text import shown
from ybscan.probes._windows.places import places_of
from ybscan.probes._windows.values import first_number, number
from ybscan.probes.base import Context

_SERVER = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server"
_TCP = rf"{_SERVER}\WinStations\RDP-Tcp"
_POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services"
_ASSISTANCE = r"HKLM\SYSTEM\CurrentControlSet\Control\Remote Assistance"
_WSMAN = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WSMAN\Listener"
_RDP_PORT = 3389
_WINRM_PORTS = frozenset({5985, 5986})
_VNC_PORTS = range(5900, 5910)
#: Programs that are such a service whatever port they listen on.
_PROGRAMS = {
    "sshd.exe": "ssh", "winvnc.exe": "vnc", "winvnc4.exe": "vnc", "tvnserver.exe": "vnc", "vncserver.exe": "vnc",
    "tlntsvr.exe": "telnet", "rdpwrap.exe": "rdp",
}  # fmt: skip
_TITLES = {
    "rdp": "远程桌面（RDP）", "rdp-replaced": "远程桌面服务程序被替换", "winrm": "Windows 远程管理（WinRM）",
    "remote-registry": "远程注册表", "telnet": "Telnet 远程登录", "ssh": "SSH 远程登录", "vnc": "远程桌面（VNC）",
}  # fmt: skip


#: Services that are a way in, or serve one.
_WAYS_IN = ("TermService", "WinRM", "RemoteRegistry", "TlntSvr", "sshd")


class _Terminal:
    """What several of the questions below need, read once."""

    def __init__(self, host: Host, gaps: list[Gap]) -> None:
        self.host = host
        self.gaps = gaps
        self.listeners = self._listeners(host.sockets.table())
        configured = host.services.configured()
        self.services: dict[str, ServiceConfig] | None = None
        if isinstance(configured, Known):
            gaps.extend(configured.gaps)
            self.services = {s.name.lower(): s for s in configured.value}
        else:
            gaps.append(_gap(configured, "没有服务列表"))
        states = host.services.states()
        self.running: set[str] | None = None
        if isinstance(states, Known):
            gaps.extend(states.gaps)
            self.running = {s.name.lower() for s in states.value if s.state in ("running", "pending", "paused")}
            listed = {s.name.lower() for s in states.value}
            # Services may be hidden from the list of states by their rights: one that is set up and not listed may run.
            hidden = [n for n in _WAYS_IN if n.lower() in (self.services or {}) and n.lower() not in listed]
            gaps.extend(Gap(Cause.UNAVAILABLE, f"系统没有报告服务 {n} 的状态", states.origin) for n in hidden)
        else:
            gaps.append(_gap(states, "没有服务状态"))

    def _listeners(self, table: Reading[tuple[Socket, ...]]) -> tuple[Socket, ...]:
        if not isinstance(table, Known):
            self.gaps.append(_gap(table, "没有监听端口列表"))
            return ()
        self.gaps.extend(table.gaps)
        return tuple(
            s for s in table.value if s.state == "listen" and s.proto == "tcp" and not is_loopback(s.local)
        )  # fmt: skip

    def start(self, service: str) -> str:
        """The start type; empty when there is no such service, or nobody knows."""
        found = (self.services or {}).get(service.lower())
        return found.start if found else ""

    def runs(self, service: str) -> bool:
        return service.lower() in (self.running or ())


def services(host: Host, context: Context) -> Fact:
    """Every way in that is offered, with whether the unit approved it."""
    gaps: list[Gap] = []
    terminal = _Terminal(host, gaps)
    rdp_port = _port(host, gaps)
    items = [
        *_rdp(terminal, rdp_port, context.site),
        *_replaced(terminal),
        *_winrm(terminal, context.site),
        *_by_service(terminal, context.site),
        *_by_listener(terminal, rdp_port, context.site),
    ]
    return Known(tuple(items), "监听端口、服务与远程桌面设置", tuple(dict.fromkeys(gaps)))


def remote_assistance(host: Host) -> Fact:
    """Whether somebody may be let in by Remote Assistance: asked for, or offered unasked."""
    unsolicited = number(host, _POLICY, "fAllowUnsolicited")
    if isinstance(unsolicited, Known) and unsolicited.value:
        return Known(True, unsolicited.origin)
    allowed = first_number(host, ((_POLICY, "fAllowToGetHelp"), (_ASSISTANCE, "fAllowToGetHelp")))
    if isinstance(allowed, Known) and allowed.value:
        return Known(True, allowed.origin)
    for reading in (unsolicited, allowed):
        if isinstance(reading, Unknown):
            return reading
    if isinstance(allowed, Absent):
        return Unknown(Cause.UNAVAILABLE, "没有写明 fAllowToGetHelp；客户端系统默认启用，请写明 0", _ASSISTANCE)
    return Known(False, allowed.origin)


# Remote Desktop -----------------------------------------------------------------------------------------------------


def _rdp(terminal: _Terminal, port: int, site: Site) -> Iterator[Item]:
    host = terminal.host
    denied = first_number(host, ((_POLICY, "fDenyTSConnections"), (_SERVER, "fDenyTSConnections")))
    # On the port, Windows' own service host is the desktop; another program there is named by its own line.
    heard = [
        s for s in terminal.listeners if s.local_port == port and s.program.lower() in ("svchost.exe", "", "system")
    ]
    evidence = []
    enabled = False
    if isinstance(denied, Known):
        able = _can_host(terminal) if denied.value == 0 else False
        if isinstance(able, Unknown):
            terminal.gaps.append(able.as_gap())
        enabled = able is True
        if denied.value == 0:
            evidence.append("fDenyTSConnections=0（允许远程连接）")
    elif isinstance(denied, Unknown):
        terminal.gaps.append(denied.as_gap())
    elif not heard:
        terminal.gaps.append(Gap(Cause.UNAVAILABLE, "没有写明 fDenyTSConnections，不能确认远程桌面是否关闭", _SERVER))
    if not enabled and not heard:
        return
    nla = first_number(host, ((_POLICY, "UserAuthentication"), (_TCP, "UserAuthentication")))
    approved = _approved(site, {port})
    if not enabled and approved is False and not any(s.program for s in heard):
        approved = Unknown(Cause.UNCONFIRMED, "端口所属的程序无法读取")
    elif isinstance(nla, Known) and nla.value == 0:
        evidence.append("未启用网络级别身份验证（NLA）")
        approved = False
    elif isinstance(nla, Unknown):
        evidence.append(f"网络级别身份验证：{nla.text}")
        approved = approved and nla
    elif isinstance(nla, Absent):
        evidence.append("没有写明网络级别身份验证（NLA）")
        approved = approved and Unknown(Cause.UNAVAILABLE, "没有写明 UserAuthentication", _TCP)
    yield _item("rdp", heard, enabled, approved, evidence)


def _can_host(terminal: _Terminal) -> bool | Unknown:
    """Whether this Windows can offer Remote Desktop at all: not a Home edition, and the service not disabled."""
    if terminal.start("TermService") == "disabled" and not terminal.runs("TermService"):
        return False
    windows = terminal.host.system.windows()
    if isinstance(windows, Known) and windows.value.edition.lower().startswith(("core", "home", "starter")):
        return False
    if not isinstance(windows, Known):
        return windows if isinstance(windows, Unknown) else Unknown(Cause.UNAVAILABLE, "没有读到 Windows 版本")
    if terminal.services is None:
        return Unknown(Cause.UNAVAILABLE, "允许远程连接，但没有读到远程桌面服务的启动类型", "TermService")
    return True


def _port(host: Host, gaps: list[Gap]) -> int:
    found = first_number(host, ((_POLICY, "PortNumber"), (_TCP, "PortNumber")))
    if isinstance(found, Unknown):
        gaps.append(found.as_gap())
    return found.value if isinstance(found, Known) and 0 < found.value < 65536 else _RDP_PORT


def _replaced(terminal: _Terminal) -> Iterator[Item]:
    """A library in the place of termsrv.dll lets Home editions and several people in, and checks nothing of its own."""
    service = (terminal.services or {}).get("termservice")
    if service is None or not service.dll:
        return
    places = places_of(terminal.host)
    full = places.expand(service.dll) or service.dll
    if full.lower() == f"{places.system_root}\\system32\\termsrv.dll".lower():
        return
    if places.gaps:
        terminal.gaps.append(
            Gap(Cause.INCOMPLETE, "系统文件夹的位置没有读全，不能确认远程桌面的服务程序", "TermService")
        )
    else:
        yield _item("rdp-replaced", [], True, False, [f"TermService 的 ServiceDll 为 {shown(full)}"])


# Others -------------------------------------------------------------------------------------------------------------


def _winrm(terminal: _Terminal, site: Site) -> Iterator[Item]:
    heard = [
        s for s in terminal.listeners
        if s.local_port in _WINRM_PORTS and s.program.lower() in ("system", "svchost.exe", "")
    ]  # fmt: skip
    configured = terminal.host.registry.subkeys(key=_WSMAN)
    if isinstance(configured, Unknown):
        terminal.gaps.append(configured.as_gap())
    listens = isinstance(configured, Known) and bool(configured.value)
    starts = terminal.start("WinRM") == "auto" or terminal.runs("WinRM")
    if heard or (listens and starts):
        ports = {s.local_port for s in heard} or {5985}
        evidence = ["WinRM 服务已启用并设有监听器"] if listens and starts else []
        yield _item("winrm", heard, starts, _approved(site, ports), evidence)


def _by_service(terminal: _Terminal, site: Site) -> Iterator[Item]:
    """Services that offer a way in by being there: the remote registry over file sharing's pipe, and Telnet."""
    needed = {folded(n) for n in site.services.needed or ()}
    for name, kind in (("RemoteRegistry", "remote-registry"), ("TlntSvr", "telnet")):
        start, runs = terminal.start(name), terminal.runs(name)
        if start != "auto" and not runs:
            continue
        approved: FieldValue = False
        if kind == "remote-registry" and folded(name) in needed:
            approved = Unknown(Cause.UNCONFIRMED, "services.needed 中列有该服务，但来源是否受限不能从本机确认")
        evidence = [f"服务 {name} {'正在运行' if runs else '设为自动启动'}"]
        yield _item(kind, [], start == "auto", approved, evidence)


def _by_listener(terminal: _Terminal, rdp_port: int, site: Site) -> Iterator[Item]:
    """SSH and VNC servers, and programs nobody knows on the ports of such services."""
    found: dict[str, list[Socket]] = {}
    for socket in terminal.listeners:
        program = socket.program.lower()
        kind = _PROGRAMS.get(program, "")
        if not kind and socket.local_port in _VNC_PORTS:
            kind = "vnc"
        elif not kind and socket.local_port == rdp_port and program not in ("svchost.exe", "", "system"):
            kind = "rdp"
        elif not kind and socket.local_port in (22, 23):
            kind = "ssh" if socket.local_port == 22 else "telnet"
        if kind and not (kind == "telnet" and terminal.runs("TlntSvr")):
            found.setdefault(kind, []).append(socket)
    starts = terminal.start("sshd") == "auto" or terminal.runs("sshd")
    if starts:
        found.setdefault("ssh", [])
    for kind, sockets in found.items():
        strangers = sorted({s.program for s in sockets if s.program and s.program.lower() not in _PROGRAMS})
        unowned = any(not s.program for s in sockets)
        ports = {s.local_port for s in sockets} or {22}
        approved = False if kind == "telnet" else _approved(site, ports)
        if strangers:
            who = "、".join(shown(s, 40) for s in strangers)
            doubt = Unknown(Cause.UNCONFIRMED, f"监听该端口的程序 {who} 无法识别，须核实是否为远程登录或远程桌面")
            approved = approved if approved is True else doubt
        elif unowned and approved is False:
            approved = Unknown(Cause.UNCONFIRMED, "端口所属的程序无法读取")
        elif kind == "ssh" and site.ports.allowed is None:
            # SSH may be how the unit administers its terminals.
            approved = Unknown(Cause.NOT_CONFIGURED, "site.yml 的 ports.allowed", "site.yml")
        yield _item(
            kind, sockets, kind == "ssh" and starts, approved, ["sshd 服务已启用"] if kind == "ssh" and starts else []
        )


def _approved(site: Site, ports: set[int]) -> FieldValue:
    """Whether the unit approved every port with the addresses it is meant for."""
    if site.ports.allowed is None:
        return False
    entries = {p: [a for a in site.ports.allowed if a.proto == "tcp" and a.port == p] for p in ports}
    if not all(entries.values()):
        return False
    if not all(any(a.from_ for a in found) for found in entries.values()):
        return Unknown(Cause.UNCONFIRMED, "ports.allowed 中没有写明允许的来源（from）")
    return True


def _item(kind: str, heard: list[Socket], enabled: bool, approved: FieldValue, evidence: list[str]) -> Item:
    addresses = sorted(
        {f"[{s.local}]:{s.local_port}" if ":" in s.local else f"{s.local}:{s.local_port}" for s in heard}
    )
    told = ([f"监听 {'、'.join(addresses)}"] if addresses else []) + evidence
    item: Mapping[str, FieldValue] = {
        "kind": kind, "name": _TITLES[kind], "listening": tuple(addresses) or None, "enabled": enabled,
        "approved": approved, "evidence": "；".join(told),
    }  # fmt: skip
    return item


def _gap(reading: Absent | Unknown, what: str) -> Gap:
    return reading.as_gap() if isinstance(reading, Unknown) else Gap(Cause.UNAVAILABLE, what)
