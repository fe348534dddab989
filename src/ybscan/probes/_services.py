"""System services that a terminal rarely needs, and the names they go by. Pure data and matching."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Service:
    """One service. ``grave``: passwords or data go over the network in clear; nobody needs it without saying so."""

    name: str
    title: str
    grave: bool = False
    units: tuple[str, ...] = ()
    """systemd units of the usual distributions, with their suffix."""
    sysv: tuple[str, ...] = ()
    """Names of init scripts."""
    processes: tuple[str, ...] = ()
    inetd: tuple[str, ...] = ()
    """Names in inetd.conf and of services in xinetd.d."""
    windows: tuple[str, ...] = ()

    def called(self, name: str) -> bool:
        """Whether the unit's list means this service by ``name``: its own name, a unit, a process or a Windows name."""
        wanted = _folded(name)
        names = {self.name, *self.units, *self.sysv, *self.processes, *self.windows}
        return wanted in {_folded(n) for n in names} | {_folded(n.rpartition(".")[0]) for n in self.units}


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


SERVICES: tuple[Service, ...] = (
    Service(
        "telnet", "Telnet 远程登录", grave=True, units=("telnet.socket", "telnetd.service", "inetutils-telnetd.service"),
        sysv=("telnetd",), processes=("in.telnetd", "telnetd"), inetd=("telnet",), windows=("TlntSvr",),
    ),
    Service(
        "rsh", "rsh、rlogin、rexec 远程执行", grave=True,
        units=("rsh.socket", "rlogin.socket", "rexec.socket", "rsh-server.service"), sysv=("rsh-server",),
        processes=("in.rshd", "in.rlogind", "in.rexecd"), inetd=("shell", "login", "exec", "rsh", "rlogin", "rexec"),
    ),
    Service(
        "ftp", "FTP 文件传输", grave=True,
        units=("vsftpd.service", "vsftpd.socket", "proftpd.service", "proftpd.socket", "pure-ftpd.service", "ftpd.service"),
        sysv=("vsftpd", "proftpd", "pure-ftpd"), processes=("vsftpd", "proftpd", "pure-ftpd", "in.ftpd", "ftpd"),
        inetd=("ftp",), windows=("FTPSVC", "MSFTPSVC"),
    ),
    Service(
        "tftp", "TFTP 文件传输", grave=True,
        units=("tftp.socket", "tftp.service", "tftpd-hpa.service", "atftpd.service", "atftpd.socket"),
        sysv=("tftpd-hpa", "atftpd"), processes=("in.tftpd", "atftpd"), inetd=("tftp",),
    ),
    Service(
        "rpcbind", "RPC 端口映射", units=("rpcbind.service", "rpcbind.socket", "portmap.service"),
        sysv=("rpcbind", "portmap"), processes=("rpcbind", "portmap"),
    ),
    Service(
        "avahi-daemon", "Avahi 局域网发现", units=("avahi-daemon.service", "avahi-daemon.socket"), sysv=("avahi-daemon",),
        processes=("avahi-daemon",),
    ),
    Service(
        "cups-browsed", "网络打印机自动发现", units=("cups-browsed.service",), sysv=("cups-browsed",),
        processes=("cups-browsed",),
    ),
    Service(
        "nfs-server", "NFS 文件共享", units=("nfs-server.service", "nfs-kernel-server.service", "nfs.service"),
        sysv=("nfs-kernel-server", "nfs"), processes=("nfsd",),
    ),
    Service(
        "smbd", "Samba 文件共享",
        units=("smbd.service", "smb.service", "nmbd.service", "nmb.service", "samba.service", "samba-ad-dc.service"),
        sysv=("smbd", "smb", "nmbd", "samba", "samba-ad-dc"), processes=("smbd", "nmbd", "samba"),
    ),
    Service(
        "bluetooth", "蓝牙", units=("bluetooth.service",), sysv=("bluetooth",), processes=("bluetoothd",),
        windows=("bthserv",),
    ),
    Service("snmpd", "SNMP 网络管理", units=("snmpd.service",), sysv=("snmpd",), processes=("snmpd",), windows=("SNMP",)),
    Service("remote-registry", "远程注册表", grave=True, windows=("RemoteRegistry",)),
    Service("iis", "IIS 网页服务", windows=("W3SVC",)),
    Service("upnp", "SSDP、UPnP 发现", windows=("SSDPSRV", "upnphost")),
    Service("media-sharing", "媒体共享", windows=("WMPNetworkSvc",)),
    Service("routing", "路由和远程访问", windows=("RemoteAccess",)),
    Service("connection-sharing", "Internet 连接共享", windows=("SharedAccess",)),
    Service("remote-desktop", "远程桌面", windows=("TermService",)),
    Service("spooler", "打印后台处理（没有打印机时）", windows=("Spooler",)),
    Service("location", "地理位置", windows=("lfsvc",)),
)  # fmt: skip

#: Programs that start others for connections: what they are configured to start runs only when they do.
SUPERSERVERS = Service(
    "inetd", "inetd", units=("xinetd.service", "inetd.service", "openbsd-inetd.service", "inetutils-inetd.service"),
    sysv=("xinetd", "openbsd-inetd", "inetutils-inetd", "inetd"), processes=("xinetd", "inetd", "inetutils-inetd"),
)  # fmt: skip

_BLOCK = re.compile(r"^\s*service\s+(\S+)\s*\{(.*?)^\s*\}", re.MULTILINE | re.DOTALL)
_DISABLED = re.compile(r"^\s*disable\s*=\s*yes\b", re.MULTILINE | re.IGNORECASE)


def xinetd_services(text: str) -> tuple[str, ...]:
    """The services that a file of xinetd.d turns on; without ``disable`` a service is on (xinetd.conf(5))."""
    return tuple(m[1] for m in _BLOCK.finditer(text) if not _DISABLED.search(m[2]))


def inetd_services(text: str) -> tuple[str, ...]:
    """The services of an inetd.conf; Debian marks what it turned off with ``#<off>#``."""
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 6 and not line.startswith("#"):
            found.append(words[0].rpartition(":")[2])
    return tuple(found)
