"""The system's own ways in: SSH, remote desktops, telnet. Third-party tools are the software probe's subject."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ybscan.hosts.base import Host
from ybscan.hosts.groups.usersettings import Setting
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.model.site import Site
from ybscan.probes._addresses import is_loopback
from ybscan.probes._dconf import default, effective
from ybscan.probes._listing import names_in, text_of
from ybscan.probes._software.homes import person_homes
from ybscan.probes._software.inventory import unique
from ybscan.probes._software.text import shown
from ybscan.probes._sshd_config import SshdConfig, read_sshd_config
from ybscan.probes.base import Context, Probe

#: Service → (name for people, default port, whether what passes the wire is readable by others).
_SERVICES: Mapping[str, tuple[str, int, bool]] = {
    "ssh": ("SSH 远程登录", 22, False), "rdp": ("远程桌面（RDP）", 3389, False), "vnc": ("远程桌面（VNC）", 5900, False),
    "telnet": ("Telnet 远程登录", 23, True), "rlogin": ("rlogin、rsh 远程登录", 513, True),
}  # fmt: skip
#: Process names, as the kernel cuts them at 15 characters.
_PROGRAMS = {
    "sshd": "ssh", "sshd-session": "ssh", "dropbear": "ssh", "xrdp": "rdp", "gnome-remote-de": "rdp", "krdpserver": "rdp",
    "vino-server": "vnc", "krfb": "vnc", "x11vnc": "vnc", "xvnc": "vnc", "xtigervnc": "vnc", "xtightvnc": "vnc",
    "x0vncserver": "vnc", "x0tigervncserve": "vnc", "wayvnc": "vnc", "in.telnetd": "telnet", "telnetd": "telnet",
    "in.rlogind": "rlogin", "rlogind": "rlogin", "in.rshd": "rlogin", "rshd": "rlogin",
}  # fmt: skip
_PORTS = {
    22: "ssh",
    23: "telnet",
    512: "rlogin",
    513: "rlogin",
    514: "rlogin",
    3389: "rdp",
    **dict.fromkeys(range(5900, 5910), "vnc"),
}
#: Listeners that hand connections over to the real service.
_HOLDERS = frozenset({"systemd", "init", "inetd", "xinetd"})
_UNITS = (
    (re.compile(r"^(ssh|sshd|dropbear)(@.*)?\.(service|socket)$"), "ssh"),
    (re.compile(r"^(xrdp|gnome-remote-desktop)\.service$"), "rdp"),
    (re.compile(r"^(x11vnc|vino-server|tigervncserver@.*|vncserver@.*|vncserver-x11.*)\.(service|socket)$"), "vnc"),
    (re.compile(r"^(telnet|telnetd|inetutils-telnetd)(@.*)?\.(service|socket)$"), "telnet"),
    (re.compile(r"^(rlogin|rsh|rexec)(@.*)?\.(service|socket)$"), "rlogin"),
)
_UNIT_FOLDERS = ("/etc/systemd/system", "/etc/systemd/user")
_SYSV = re.compile(r"^S\d\d(ssh|sshd|xrdp|dropbear)$")


@dataclass(frozen=True, slots=True)
class _Switch:
    """A desktop setting that turns sharing on, with the schemas that have had it."""

    service: str
    path: str
    schemas: tuple[str, ...]


_VINO = (
    _Switch("vnc", "/org/gnome/desktop/remote-access/enabled", ("org.gnome.Vino", "org.gnome.desktop.remote-access")),
)
_GNOME = tuple(
    _Switch(k, f"/org/gnome/desktop/remote-desktop/{k}/enable", (f"org.gnome.desktop.remote-desktop.{k}",))
    for k in ("rdp", "vnc")
)
#: Desktop sharing that comes with the desktop, by the program that does it.
_SHARING: Mapping[str, tuple[_Switch, ...]] = {
    "/usr/lib/vino/vino-server": _VINO,
    "/usr/libexec/vino-server": _VINO,
    "/usr/libexec/gnome-remote-desktop-daemon": _GNOME,
}


@dataclass(slots=True)
class _Service:
    """One service as it is offered."""

    kind: str
    listening: set[str] = field(default_factory=set)
    ports: set[int] = field(default_factory=set)
    local_only: bool = False
    certain: bool = True
    strangers: set[str] = field(default_factory=set)
    """Programs that listen on the service's port and that we do not know."""
    enabled: list[str] = field(default_factory=list)


class RemoteAccessProbe(Probe):
    """Who may log in over the network with what the system itself brings."""

    name = "remote_access"
    title = "系统远程登录与远程桌面"
    facts = (
        FactSpec(
            "services", Kind.ITEMS, "对外提供的远程登录服务",
            help="正在监听（非本机回环）或设为开机启用的远程登录、远程桌面服务，每类一条。批准指 ports.allowed 中列有其端口并限定来源。",
            linux="监听端口与所属进程，systemd 启用链接，SysV 启动链接，inetd/xinetd，桌面共享设置",
            windows="fDenyTSConnections、UserAuthentication（策略优先于本机值），TermService 的程序，WinRM 监听器，"
            "RemoteRegistry、TlntSvr、sshd 服务，监听端口",
            fields=(
                Field("kind", Kind.TEXT, "类别"),
                Field("name", Kind.TEXT, "名称"),
                Field("listening", Kind.TEXTS, "监听地址"),
                Field("enabled", Kind.BOOLEAN, "是否开机启用"),
                Field("approved", Kind.BOOLEAN, "是否经批准并限定来源"),
                Field("evidence", Kind.TEXT, "依据"),
            ),
            summary="{name}（{evidence}）",
        ),
        FactSpec(
            "ssh_root_password", Kind.BOOLEAN, "root 可用口令经 SSH 登录", words=("可以", "不可以"),
            linux="sshd_config 及其 Include 的生效值 PermitRootLogin、PasswordAuthentication", windows="",
        ),
        FactSpec(
            "ssh_empty_passwords", Kind.BOOLEAN, "SSH 允许空口令登录", words=("允许", "不允许"),
            linux="sshd_config 的生效值 PermitEmptyPasswords", windows="",
        ),
        FactSpec(
            "remote_assistance", Kind.BOOLEAN, "远程协助", words=("已启用", "未启用"), linux="",
            windows="Remote Assistance 的 fAllowToGetHelp（策略优先于本机值）、策略的 fAllowUnsolicited",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        gaps: list[Gap] = []
        services = {kind: _Service(kind) for kind in _SERVICES}
        _listeners(host, services, gaps)
        for kind, where in _enabled(host, gaps):
            services[kind].enabled.append(where)
        config = read_sshd_config(host)
        ports = _ssh_ports(config)
        items = tuple(_item(s, ports, context.site) for s in services.values() if _offered(s))
        missing = tuple(unique(gaps))
        identity = host.system.identity()
        os_id = identity.value.os_id if isinstance(identity, Known) else ""
        ssh = services["ssh"]
        offered = bool(ssh.enabled or ssh.listening or ssh.local_only)
        idle = not offered and not missing
        return {
            "services": Known(items, "监听端口与启用的服务", missing),
            "ssh_root_password": _of_config(config, idle, offered, lambda c: _root_password(c, os_id)),
            "ssh_empty_passwords": _of_config(config, idle, offered, _empty_passwords),
            "remote_assistance": Absent("Linux"),
        }

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.remote import remote_assistance, services

        no_sshd = Unknown(Cause.UNSUPPORTED, "Windows 上不检查 sshd_config")
        return {
            "services": services(host, context),
            "ssh_root_password": no_sshd,
            "ssh_empty_passwords": no_sshd,
            "remote_assistance": remote_assistance(host),
        }


# Listeners ------------------------------------------------------------------------------------------------------


def _listeners(host: Host, services: dict[str, _Service], gaps: list[Gap]) -> None:
    table = host.sockets.table()
    if not isinstance(table, Known):
        gaps.append(
            table.as_gap() if isinstance(table, Unknown) else Gap(Cause.UNAVAILABLE, "没有监听端口列表", "/proc/net")
        )
        return
    gaps.extend(table.gaps)
    for socket in table.value:
        if socket.state != "listen" or socket.proto != "tcp":
            continue
        by_port = _PORTS.get(socket.local_port)
        known = _PROGRAMS.get(socket.program.lower())
        # 512 to 514 are common for other things; on the rest a program we do not know may well be such a service.
        stranger = known is None and bool(socket.program) and socket.program not in _HOLDERS
        kind = known or (None if stranger and by_port == "rlogin" else by_port)
        if kind is None:
            continue
        service = services[kind]
        if is_loopback(socket.local):
            service.local_only = True
            continue
        if not socket.program or stranger:
            service.certain = False
        if stranger:
            service.strangers.add(socket.program)
        service.listening.add(
            f"{socket.local}:{socket.local_port}"
            if ":" not in socket.local
            else f"[{socket.local}]:{socket.local_port}"
        )
        service.ports.add(socket.local_port)


# Enabled at boot ------------------------------------------------------------------------------------------------


def _enabled(host: Host, gaps: list[Gap]) -> Iterator[tuple[str, str]]:
    """Services that start by themselves: (kind, where it says so)."""
    for folder in _UNIT_FOLDERS:
        for name in names_in(host, folder, gaps):
            if not name.endswith((".wants", ".requires")):
                continue
            for unit in names_in(host, f"{folder}/{name}", gaps):
                kind = next((k for pattern, k in _UNITS if pattern.match(unit)), None)
                if kind is not None:
                    yield kind, f"{folder}/{name}/{unit}"
    for level in ("2", "3", "5"):
        for name in names_in(host, f"/etc/rc{level}.d", gaps):
            m = _SYSV.match(name)
            # Under systemd such a link counts only where no unit of that name replaces the script.
            if m and not _has_unit(host, m[1], gaps):
                yield ("rdp" if m[1] == "xrdp" else "ssh"), f"/etc/rc{level}.d/{name}"
    yield from _inetd(host, gaps)
    yield from _sharing(host, gaps)


def _has_unit(host: Host, name: str, gaps: list[Gap]) -> bool:
    for folder in ("/usr/lib/systemd/system", "/lib/systemd/system", "/etc/systemd/system"):
        meta = host.files.stat(path=f"{folder}/{name}.service")
        if isinstance(meta, Unknown):
            gaps.append(meta.as_gap())
        if isinstance(meta, Known):
            return True
    return False


def _inetd(host: Host, gaps: list[Gap]) -> Iterator[tuple[str, str]]:
    kinds = {"telnet": "telnet", "login": "rlogin", "shell": "rlogin", "exec": "rlogin", "ssh": "ssh"}
    text = text_of(host, "/etc/inetd.conf", gaps)
    for line in (text or "").splitlines():
        first = line.split(None, 1)[0] if line.strip() else ""
        if first in kinds:
            yield kinds[first], "/etc/inetd.conf"
    for name in names_in(host, "/etc/xinetd.d", gaps):
        text = text_of(host, f"/etc/xinetd.d/{name}", gaps)
        for service, body in re.findall(r"^\s*service\s+(\S+)\s*\{(.*?)\}", text or "", re.MULTILINE | re.DOTALL):
            if service in kinds and not re.search(r"^\s*disable\s*=\s*yes\b", body, re.MULTILINE):
                yield kinds[service], f"/etc/xinetd.d/{name}"


def _sharing(host: Host, gaps: list[Gap]) -> Iterator[tuple[str, str]]:
    """Desktop sharing switched on by a user; asked only where the program is there."""
    switches: list[_Switch] = []
    for program, its in _SHARING.items():
        meta = host.files.stat(path=program)
        if isinstance(meta, Unknown):
            gaps.append(meta.as_gap())
        if isinstance(meta, Known):
            switches.extend(s for s in its if s not in switches)
    if not switches:
        return
    for home, user in person_homes(host, gaps).items():
        settings = effective(host, home=home, keys=tuple(s.path for s in switches))
        for switch in switches:
            setting = settings[switch.path]
            if isinstance(setting, Absent):
                setting = _default(host, switch)
            if isinstance(setting, Unknown):
                gaps.append(setting.as_gap())
            elif isinstance(setting, Known) and setting.value is True:
                yield switch.service, f"用户 {shown(user, 40)} 的设置 {switch.path}"


def _default(host: Host, switch: _Switch) -> Reading[Setting]:
    for schema in switch.schemas:
        found = default(host, schema=schema, key=switch.path.rsplit("/", 1)[-1])
        if not isinstance(found, Absent):
            return found
    return Absent("gschemas.compiled")


# Judging what was found -----------------------------------------------------------------------------------------


def _offered(service: _Service) -> bool:
    """Listening to the network, or started at boot. What now listens on loopback only is bound so by its settings."""
    return bool(service.listening) or (bool(service.enabled) and not service.local_only)


def _item(service: _Service, ssh_ports: set[int], site: Site) -> Item:
    name, port, _ = _SERVICES[service.kind]
    ports = service.ports or (ssh_ports if service.kind == "ssh" else {port})
    evidence = [f"监听 {'、'.join(sorted(service.listening))}"] if service.listening else []
    evidence += (
        [f"开机启用：{'、'.join(shown(e) for e in sorted(set(service.enabled))[:4])}"] if service.enabled else []
    )
    return {
        "kind": service.kind, "name": name, "listening": tuple(sorted(service.listening)) or None,
        "enabled": bool(service.enabled), "approved": _approved(service, ports, site), "evidence": "；".join(evidence),
    }  # fmt: skip


def _approved(service: _Service, ports: set[int], site: Site) -> FieldValue:
    """Whether the unit approved every port of the service with its sources."""
    if _SERVICES[service.kind][2]:
        # Passwords travel in clear: no approval of a port changes that.
        return False if service.certain else _unsure(service)
    if site.ports.allowed is None:
        # A remote desktop nobody approved is a finding; SSH may be how the unit administers its terminals.
        if service.strangers:
            return _unsure(service)
        if service.kind == "ssh" or not service.certain:
            return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 ports.allowed", "site.yml")
        return False
    entries = {p: [a for a in site.ports.allowed if a.proto == "tcp" and a.port == p] for p in ports}
    if not all(entries.values()):
        return False if service.certain else _unsure(service)
    if not all(any(a.from_ for a in found) for found in entries.values()):
        return Unknown(Cause.UNCONFIRMED, "ports.allowed 中没有写明允许的来源（from）")
    return True


def _unsure(service: _Service) -> Unknown:
    if service.strangers:
        who = "、".join(shown(s, 40) for s in sorted(service.strangers))
        return Unknown(Cause.UNCONFIRMED, f"监听该端口的程序 {who} 无法识别，须核实是否为远程登录或远程桌面")
    return Unknown(Cause.UNCONFIRMED, "端口所属的程序无法读取")


def _ssh_ports(config: Known[SshdConfig] | Absent | Unknown) -> set[int]:
    if isinstance(config, Known):
        ports = {int(p) for p in config.value.all.get("port", ()) if p.isdigit()}
        if ports:
            return ports
    return {22}


def _of_config(
    config: Reading[SshdConfig], idle: bool, offered: bool, read: Callable[[SshdConfig], bool | Unknown]
) -> Fact:
    """A fact of sshd's configuration: plainly false where no SSH service is offered.

    A setting that would be wrong counts only where the service is ``offered``: on a disk that lies still nobody sees
    whether a service that is not enabled was running all the same.
    """
    if idle:
        return Known(False, "SSH 服务未启用")
    if isinstance(config, Absent):
        return Unknown(Cause.UNAVAILABLE, "SSH 服务已提供，但没有找到 sshd_config", config.origin)
    if isinstance(config, Unknown):
        return config
    value = read(config.value)
    if value is True and not offered:
        return Unknown(Cause.INCOMPLETE, "SSH 服务没有设为开机启动，但无法确定是否正在运行", config.value.path)
    return value if isinstance(value, Unknown) else Known(value, config.value.path)


#: Systems whose sshd is known to take prohibit-password when nothing is written (upstream's default since 7.0).
_UPSTREAM_DEFAULT = ("debian", "ubuntu")


def _root_password(config: SshdConfig, os_id: str) -> bool | Unknown:
    # Red Hat's builds and their descendants have had another default; what a vendor's has is not known.
    unset: str | Unknown = "prohibit-password"
    if os_id.partition("-")[0] not in _UPSTREAM_DEFAULT:
        unset = Unknown(Cause.UNCONFIRMED, "未写明 PermitRootLogin，本系统的默认值未经核实", config.path)
    login = config.value("permitrootlogin", unset)
    if any(v == "yes" for v in config.conditional.get("permitrootlogin", ())):
        return Unknown(Cause.UNCONFIRMED, "Match 块在特定条件下允许 root 登录", config.path)
    if login in ("no", "prohibit-password", "without-password", "forced-commands-only"):
        return False
    if isinstance(login, Unknown):
        return login
    password = config.value("passwordauthentication", "yes")
    interactive = config.first.get(
        "kbdinteractiveauthentication", config.first.get("challengeresponseauthentication", "yes")
    )
    if password == "no" and interactive.lower() == "no":  # noqa: S105 - a setting, not a secret
        asks = any(v == "yes" for v in config.conditional.get("passwordauthentication", ()))
        return Unknown(Cause.UNCONFIRMED, "Match 块在特定条件下允许口令登录", config.path) if asks else False
    if login != "yes":
        return Unknown(Cause.MALFORMED, f"PermitRootLogin 的值“{shown(login, 40)}”无法识别", config.path)
    if any(k in config.first for k in ("allowusers", "denyusers", "allowgroups", "denygroups")):
        return Unknown(Cause.UNCONFIRMED, "另有 AllowUsers、DenyUsers 等限制，需核对是否包含 root", config.path)
    return True


def _empty_passwords(config: SshdConfig) -> bool | Unknown:
    if any(v == "yes" for v in config.conditional.get("permitemptypasswords", ())):
        return True
    value = config.value("permitemptypasswords", "no")
    if isinstance(value, Unknown):
        return value
    return (
        value == "yes"
        if value in ("yes", "no")
        else Unknown(Cause.MALFORMED, f"PermitEmptyPasswords 的值“{shown(value, 40)}”无法识别")
    )


PROBES = (RemoteAccessProbe(),)
