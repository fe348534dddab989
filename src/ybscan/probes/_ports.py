"""What well-known ports are for, in the administrator's words. The names follow the IANA registry and common use."""

from __future__ import annotations

from collections.abc import Mapping

#: Ports that are attacked often or give control over the machine; the rule PORT-01 lists the same numbers.
SERVICES: Mapping[int, str] = {
    21: "FTP 文件传输", 22: "SSH 远程登录", 23: "Telnet 远程登录", 25: "SMTP 邮件", 69: "TFTP 文件传输", 80: "HTTP 网页服务",
    111: "RPC 端口映射", 135: "Windows RPC", 137: "NetBIOS 名称服务", 138: "NetBIOS 数据报", 139: "NetBIOS 文件共享",
    161: "SNMP 网络管理", 389: "LDAP 目录", 443: "HTTPS 网页服务", 445: "SMB 文件共享", 512: "rexec 远程执行",
    513: "rlogin 远程登录", 514: "rsh 远程执行或 syslog", 873: "rsync 文件同步", 1080: "SOCKS 代理", 1433: "SQL Server 数据库",
    1521: "Oracle 数据库", 2049: "NFS 文件共享", 2375: "Docker 远程管理", 3128: "HTTP 代理", 3306: "MySQL 数据库",
    3389: "RDP 远程桌面", 4899: "Radmin 远程控制", 5432: "PostgreSQL 数据库", 5555: "ADB 调试", 5631: "pcAnywhere 远程控制",
    5800: "VNC 网页远程控制", 5900: "VNC 远程控制", 5901: "VNC 远程控制", 5902: "VNC 远程控制", 5903: "VNC 远程控制",
    5904: "VNC 远程控制", 5905: "VNC 远程控制", 5906: "VNC 远程控制", 5938: "TeamViewer 远程控制",
    5985: "WinRM 远程管理", 5986: "WinRM 远程管理（加密）", 6379: "Redis 数据库", 7070: "AnyDesk 远程控制",
    8080: "HTTP 备用或代理", 9200: "Elasticsearch", 11211: "Memcached 缓存", 27017: "MongoDB 数据库",
}  # fmt: skip

#: Programs whose open DHCP port is the receiving end of the host's own address request (RFC 2131, RFC 8415).
DHCP_CLIENTS = frozenset(
    {"dhclient", "dhcpcd", "udhcpc", "NetworkManager", "systemd-network", "systemd-networkd", "connmand", "wickedd-dhcp4",
     "wickedd-dhcp6"}
)  # fmt: skip
DHCP_PORTS = frozenset({68, 546})
