"""Which machine a network path of Windows leads to. Pure: works on texts; no name is resolved.

Sources: "Naming Files, Paths, and Namespaces" and MS-DTYP 2.2.57 (UNC); the device names that QueryDosDevice gives for
redirected drives (``\\Device\\LanmanRedirector\\;Z:0…\\server\\share``, ``\\Device\\Mup\\;…``).
"""

from __future__ import annotations

import ipaddress
import ntpath
import re

_EXTENDED = re.compile(r"^\\\\[?.]\\UNC\\|^\\\?\?\\UNC\\", re.IGNORECASE)
_LOCAL_EXTENDED = re.compile(r"^(?:\\\\\?\\|\\\?\?\\)(?=[A-Za-z]:|Volume\{)", re.IGNORECASE)
_REDIRECTOR = re.compile(r"^\\Device\\(?:LanmanRedirector|Mup|WebDavRedirector|[^\\]*Redirector)\\(.*)$", re.IGNORECASE)
_LOOPBACK_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})
#: ``127.1`` and ``0x7f000001`` are addresses to Windows too.
_NUMBERS = re.compile(r"(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}")
#: Shares that stand for something on or under this machine, or on the machine of a remote session.
_ELSEWHERE = {
    "tsclient": "远程桌面客户端的磁盘", "wsl$": "本机的 Linux 子系统", "wsl.localhost": "本机的 Linux 子系统",
    "vboxsvr": "虚拟机宿主的共享文件夹", "vboxsrv": "虚拟机宿主的共享文件夹", "vmware-host": "虚拟机宿主的共享文件夹",
    "psf": "虚拟机宿主的共享文件夹", "mac": "虚拟机宿主的共享文件夹",
}  # fmt: skip


def plain(path: str) -> str:
    """The path with backslashes, without the prefixes ``\\\\?\\`` and ``\\\\?\\UNC\\``, dots resolved."""
    text = path.replace("/", "\\")
    if _EXTENDED.match(text):
        text = "\\\\" + _EXTENDED.sub("", text)
    elif _LOCAL_EXTENDED.match(text) and not text.lower().startswith(("\\\\?\\volume{", "\\??\\volume{")):
        text = _LOCAL_EXTENDED.sub("", text)
    elif text.lower().startswith("\\??\\volume{"):
        text = "\\\\?\\" + text[4:]
    return ntpath.normpath(text)


def extended(path: str) -> str:
    """The path in the form that has no limit of 260 characters and takes every name as it is written."""
    text = plain(path)
    if text.startswith("\\\\?\\"):
        return text
    if text.startswith("\\\\"):
        return "\\\\?\\UNC\\" + text[2:]
    return "\\\\?\\" + text


def unc_of(path: str) -> tuple[str, str] | None:
    """Server and share of a plain UNC path; None for any other path."""
    if not path.startswith("\\\\") or path.startswith(("\\\\?\\", "\\\\.\\")):
        return None
    parts = path[2:].split("\\")
    if len(parts) < 2 or not parts[0] or not parts[1]:
        return None
    return parts[0].partition("@")[0], parts[1]  # WebDAV writes server@SSL@port


def unc_of_device(device: str) -> str:
    """``\\\\server\\share`` behind a redirected drive's device; empty where the device is none or does not say."""
    found = _REDIRECTOR.match(device)
    if found is None:
        return ""
    rest = [p for p in found[1].split("\\") if p and not p.startswith(";")]
    return "\\\\" + "\\".join(rest[:2]) if len(rest) >= 2 else ""


def is_network_device(device: str) -> bool:
    """Whether a drive's device leads to another machine, or to one that it does not name."""
    return _REDIRECTOR.match(device) is not None


def why_hidden(
    server: str, names: frozenset[str], addresses: frozenset[str], domains: frozenset[str], *, any_name: bool = False
) -> str:
    """Why a server cannot be taken for another machine; empty when it can.

    Args:
        server: name or address as the path has it.
        names: every name this machine goes by, its short and its full ones, aliases, and what the hosts file gives it.
        addresses: this machine's addresses.
        domains: DNS and NetBIOS names of the domain: a path that begins with one leads wherever the domain says (DFS).
        any_name: whether this machine's file service answers under names it does not know: then any name may be its own.
    """
    name = _ipv6_literal(server).partition("%")[0]
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        own = address.is_loopback or address.is_unspecified or str(address) in addresses
        return "就在本机上" if own else ""
    low = name.casefold().rstrip(".")
    if low in _ELSEWHERE:
        return _ELSEWHERE[low]
    if _NUMBERS.fullmatch(low):
        return "的服务器是不规范的数字地址"
    if not low or low in _LOOPBACK_NAMES or low in {n.casefold() for n in names}:
        return "就在本机上"
    short = low.partition(".")[0]
    if short in {n.casefold().partition(".")[0] for n in names}:
        return "与本机同名"
    if low in {d.casefold().rstrip(".") for d in domains}:
        return "是域名空间（DFS），无法得知实际的服务器"
    if any_name:
        return "的服务器可能是本机的别名（本机的文件服务接受任意名称），请改写为 IP 地址"
    return ""


def _ipv6_literal(server: str) -> str:
    """``2001-db8--1.ipv6-literal.net`` as the address it stands for."""
    low = server.casefold()
    if low.endswith(".ipv6-literal.net"):
        return low.removesuffix(".ipv6-literal.net").replace("-", ":").replace("s", "%")
    return server


def names_for(hosts: str, addresses: frozenset[str]) -> frozenset[str]:
    """The names that a hosts file gives to these addresses and to loopback."""
    found: set[str] = set()
    for line in hosts.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            continue
        if ip.is_loopback or str(ip) in addresses:
            found.update(names)
    return frozenset(found)
