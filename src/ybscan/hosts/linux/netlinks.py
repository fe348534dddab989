"""Network interfaces, and what kind each is, from iproute2 and sysfs.

The kind comes from the kernel's record: ``linkinfo`` of rtnetlink, the ARPHRD type, ``uevent`` and the driver's name
in sysfs. Names say nothing (``eth0`` may be a phone). Sources: Documentation/ABI/testing/sysfs-class-net,
include/uapi/linux/if_arp.h, drivers/net/usb.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from ybscan.hosts.groups.files import Files
from ybscan.hosts.groups.network import Interface, InterfaceAddress, InterfaceKind
from ybscan.hosts.groups.tools import Tools
from ybscan.hosts.linux.iproute import ask_ip
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

Addresses = Mapping[str, tuple[InterfaceAddress, ...]]

_NET = "/sys/class/net"
_IFF_UP = 0x1

_LINK_KINDS: Mapping[str, InterfaceKind] = {
    "bridge": "bridge", "openvswitch": "bridge",
    "bond": "bond", "team": "bond",
    "vlan": "vlan", "macvlan": "vlan", "macvtap": "vlan", "ipvlan": "vlan", "ipvtap": "vlan",
    "veth": "container", "netkit": "container",
    "dummy": "virtual", "ifb": "virtual", "nlmon": "virtual", "vcan": "virtual", "vrf": "virtual", "netdevsim": "virtual",
    "tun": "tunnel", "wireguard": "tunnel", "amneziawg": "tunnel", "ovpn": "tunnel", "ovpn-dco": "tunnel",
    "ipip": "tunnel", "sit": "tunnel", "gre": "tunnel", "gretap": "tunnel", "ip6gre": "tunnel", "ip6gretap": "tunnel",
    "ip6tnl": "tunnel", "vti": "tunnel", "vti6": "tunnel", "xfrm": "tunnel", "erspan": "tunnel", "ip6erspan": "tunnel",
    "geneve": "tunnel", "vxlan": "tunnel", "bareudp": "tunnel", "l2tpeth": "tunnel", "gtp": "tunnel",
    "ppp": "ppp", "wwan": "wwan", "rmnet": "wwan",
}  # fmt: skip

#: DEVTYPE of the device's uevent.
_DEVTYPES: Mapping[str, InterfaceKind] = {
    "wlan": "wireless", "wwan": "wwan", "wimax": "wwan", "bluetooth": "bluetooth", "bridge": "bridge", "bond": "bond",
    "team": "bond", "vlan": "vlan", "ppp": "ppp", "vxlan": "tunnel", "geneve": "tunnel", "wireguard": "tunnel",
}  # fmt: skip

_DRIVERS: Mapping[str, InterfaceKind] = {
    "rndis_host": "usb-tether", "ipheth": "usb-tether",
    "cdc_mbim": "wwan", "qmi_wwan": "wwan", "qmi_wwan_q": "wwan", "qmi_wwan_f": "wwan", "huawei_cdc_ncm": "wwan",
    "sierra_net": "wwan", "hso": "wwan", "GobiNet": "wwan", "mhi_net": "wwan", "mhi_wwan_mbim": "wwan",
    "iosm": "wwan", "mtk_t7xx": "wwan", "cdc-phonet": "wwan", "lg-vl600": "wwan", "kalmia": "wwan",
    "cdc_ether": "usb-ethernet", "cdc_ncm": "usb-ethernet", "cdc_eem": "usb-ethernet", "cdc_subset": "usb-ethernet",
}  # fmt: skip

#: ARPHRD types of if_arp.h.
_ARPHRD: Mapping[str, InterfaceKind] = {
    "772": "loopback", "512": "ppp", "768": "tunnel", "769": "tunnel", "776": "tunnel", "778": "tunnel", "823": "tunnel",
}  # fmt: skip
_ARPHRD_ETHER = "1"
_ARPHRD_NONE = frozenset({"65534", "519"})


def read_interfaces(
    files: Files, tools: Tools, addresses: Callable[[], Reading[Addresses]] | None
) -> Reading[tuple[Interface, ...]]:
    """All interfaces. The kernel's list (rtnetlink) decides what there is, sysfs adds drivers and radio hardware."""
    listed = ask_ip(tools, "-j", "-d", "addr")
    names = files.entries(path=_NET)
    gaps: list[Gap] = []
    links: dict[str, dict[str, Any]] = {}
    if isinstance(listed, Known):
        links = {str(link["ifname"]): link for link in listed.value if link.get("ifname")}
        if not links:
            # Every network namespace has its loopback: a list without any interface is no list.
            return Unknown(Cause.MALFORMED, "ip addr 没有列出任何网络接口", listed.origin)
    in_sysfs = set(names.value) if isinstance(names, Known) else set()
    if not links and not isinstance(names, Known):
        return names
    found: Addresses = {}
    if not links:
        asked = addresses() if addresses is not None else Unknown(Cause.UNSUPPORTED, "接口地址", "getifaddrs")
        if isinstance(asked, Known):
            found = asked.value
        else:
            gaps.append(_gap(asked, "接口地址"))
    elif in_sysfs != set(links):
        # A /sys of another network namespace, as containers see it, or an interface that came or went meanwhile.
        gaps.append(Gap(Cause.INCOMPLETE, "/sys/class/net 与内核的接口列表不一致，无线等硬件信息可能不全", _NET))
    interfaces = []
    for name in sorted(links or in_sysfs):
        if not links and name == "bonding_masters":  # a file of the bonding driver, no interface
            continue
        link = links.get(name, {})
        interface = _interface(files, name, link, known=name in in_sysfs, gaps=gaps)
        interfaces.append(_with(interface, found.get(name, ())) if not links else interface)
    origin = listed.origin if isinstance(listed, Known) else _NET
    return Known(tuple(interfaces), origin, tuple(dict.fromkeys(gaps)))


def _gap(reading: Absent | Unknown, what: str) -> Gap:
    if isinstance(reading, Unknown):
        return Gap(reading.cause, reading.detail or what, reading.origin)
    return Gap(Cause.UNAVAILABLE, what, reading.origin)


def _with(interface: Interface, addresses: tuple[InterfaceAddress, ...]) -> Interface:
    from dataclasses import replace

    return replace(interface, addresses=addresses)


def _interface(files: Files, name: str, link: dict[str, Any], *, known: bool, gaps: list[Gap]) -> Interface:
    """One interface from its rtnetlink record (may be empty) and, when ``known`` there, its folder in sysfs."""
    folder = f"{_NET}/{name}"
    info = link.get("linkinfo")
    word = str(info.get("info_kind", "")) if isinstance(info, dict) else ""
    driver = _driver(files, folder, gaps) if known else ""
    kind = _kind(files, folder, word, str(link.get("link_type", "")), driver, gaps) if known else _bare(word, link)
    if link:
        flags = link.get("flags") or []
        up, running = "UP" in flags, "UP" in flags and "LOWER_UP" in flags
        mac = str(link.get("address", "")) if link.get("link_type") == "ether" else ""
        master = str(link.get("master", ""))
    else:
        up = bool(int(_attribute(files, f"{folder}/flags", gaps) or "0x0", 16) & _IFF_UP)
        # The kernel refuses to tell the carrier of an interface that is down (EINVAL).
        running = up and (_attribute(files, f"{folder}/carrier", gaps) or "0") == "1"
        mac = _attribute(files, f"{folder}/address", gaps) if _type(files, folder, gaps) == _ARPHRD_ETHER else ""
        target = files.real(path=f"{folder}/master")
        master = target.value.rsplit("/", 1)[-1] if isinstance(target, Known) else ""
    if kind == "loopback":
        mac = ""
    return Interface(
        name=name, kind=kind, up=up, running=running, mac=mac.lower(), driver=driver,
        addresses=_addresses(link), master=master, detail=word or (_tun(files, folder) if known else ""),
    )  # fmt: skip


def _bare(word: str, link: dict[str, Any]) -> InterfaceKind:
    """The kind when sysfs has no word on the interface: only what rtnetlink says."""
    if link.get("link_type") == "loopback":
        return "loopback"
    if link.get("link_type") == "ppp":
        return "ppp"
    return _LINK_KINDS.get(word, "other")


def _kind(files: Files, folder: str, word: str, link_type: str, driver: str, gaps: list[Gap]) -> InterfaceKind:
    if link_type == "loopback":
        return "loopback"
    if word in _LINK_KINDS:
        return _LINK_KINDS[word]
    for name, kind in (("wireless", "wireless"), ("phy80211", "wireless"), ("bridge", "bridge"), ("bonding", "bond")):
        found = files.stat(path=f"{folder}/{name}")
        if isinstance(found, Known):
            return kind  # type: ignore[return-value]
        if isinstance(found, Unknown):
            gaps.append(found.as_gap())  # a radio that could not be seen is no cable
    devtype = _devtype(files, folder, gaps)
    if devtype in _DEVTYPES:
        return _DEVTYPES[devtype]
    number = _type(files, folder, gaps)
    if number in _ARPHRD:
        return _ARPHRD[number]
    if driver in _DRIVERS:
        return _DRIVERS[driver]
    if _tun(files, folder):
        return "tunnel"
    has_hardware = files.stat(path=f"{folder}/device")
    if isinstance(has_hardware, Unknown):
        gaps.append(has_hardware.as_gap())
        return "other"
    if isinstance(has_hardware, Known):
        return "ethernet" if number == _ARPHRD_ETHER else "other"
    return "tunnel" if number in _ARPHRD_NONE else "virtual" if number == _ARPHRD_ETHER else "other"


def _attribute(files: Files, path: str, gaps: list[Gap]) -> str:
    """A sysfs attribute, trimmed; empty when there is none. One that the kernel will not tell (EINVAL) is none."""
    text = files.text(path=path, limit=4096)
    if isinstance(text, Unknown) and text.cause is not Cause.UNAVAILABLE:
        gaps.append(text.as_gap())
    return text.value.strip() if isinstance(text, Known) else ""


def _type(files: Files, folder: str, gaps: list[Gap]) -> str:
    return _attribute(files, f"{folder}/type", gaps)


def _devtype(files: Files, folder: str, gaps: list[Gap]) -> str:
    for line in _attribute(files, f"{folder}/uevent", gaps).splitlines():
        if line.startswith("DEVTYPE="):
            return line[8:]
    return ""


def _tun(files: Files, folder: str) -> str:
    """``tun`` or ``tap`` for a device of the tun driver, by its flags (IFF_TUN 1, IFF_TAP 2); else empty."""
    flags = files.text(path=f"{folder}/tun_flags", limit=4096)
    if not isinstance(flags, Known):
        return ""
    try:
        return "tap" if int(flags.value, 16) & 2 else "tun"
    except ValueError:
        return "tun"


def _driver(files: Files, folder: str, gaps: list[Gap]) -> str:
    target = files.link(path=f"{folder}/device/driver")
    if isinstance(target, Unknown):
        gaps.append(target.as_gap())
    return target.value.rsplit("/", 1)[-1] if isinstance(target, Known) else ""


def _addresses(link: dict[str, Any]) -> tuple[InterfaceAddress, ...]:
    found = []
    for entry in link.get("addr_info") or ():
        try:
            address, prefix = str(entry["local"]), int(entry["prefixlen"])
            ipaddress.ip_address(address)
        except (KeyError, TypeError, ValueError):
            continue
        found.append(InterfaceAddress(address, prefix))
    return tuple(found)


def kernel_addresses() -> Reading[Addresses]:
    """The addresses of this machine's interfaces by getifaddrs(3), through psutil."""
    import socket

    import psutil

    try:
        raw = psutil.net_if_addrs()
    except OSError as e:
        return Unknown(Cause.UNAVAILABLE, f"getifaddrs：{e.strerror or type(e).__name__}", "getifaddrs")
    found: dict[str, tuple[InterfaceAddress, ...]] = {}
    for name, entries in raw.items():
        mine = []
        for entry in entries:
            if entry.family not in (socket.AF_INET, socket.AF_INET6):
                continue
            address = entry.address.split("%", 1)[0]
            mine.append(InterfaceAddress(address, _prefix(entry.netmask, address)))
        found[name] = tuple(mine)
    return Known(found, "getifaddrs")


def _prefix(netmask: str | None, address: str) -> int:
    """The length of a netmask, which psutil gives as an address; that of a single host when it is missing."""
    full = 128 if ":" in address else 32
    try:
        return bin(int(ipaddress.ip_address(netmask or ""))).count("1")
    except ValueError:
        return full
