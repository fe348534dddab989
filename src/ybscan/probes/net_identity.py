"""The terminal's place in the network: addresses, how they are given, gateways; all against the register.

Whether an address is fixed is told by two things that must agree: the kernel (an address with a lifetime came by DHCP or
a router's announcement, ip-address(8) ``dynamic``) and the profile of the manager that holds the interface.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence

from ybscan.hosts.base import Host
from ybscan.hosts.groups.network import Interface
from ybscan.hosts.linux.iproute import ask_ip
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._addresses import is_link_local, networks_of
from ybscan.probes._kinds import KIND_TEXT
from ybscan.probes._managers import network_manager_runs
from ybscan.probes._profiles import Method, Profile, Profiles, read_profiles
from ybscan.probes._register import registered_addresses
from ybscan.probes.base import Context, Probe
from ybscan.probes.net_interfaces import leads_out

_METHOD_TEXT: Mapping[Method, str] = {"static": "手工固定", "auto": "自动获取", "off": "不配置"}


class IdentityProbe(Probe):
    """IP addresses and gateways against the register."""

    name = "net_identity"
    title = "IP 地址登记核对"
    facts = (
        FactSpec(
            "addresses", Kind.ITEMS, "本机 IP 地址",
            help="通向机器之外的网卡上的地址（链路本地地址和隧道、拨号接口除外），与终端登记表中本机的 IP 地址和批准的网段比对。"
            "地址方式要内核和连接配置两方面一致才作结论。",
            linux="ip -j -d addr、NetworkManager 等的连接配置、nmcli connection show --active",
            windows="GetAdaptersAddresses，Tcpip\\Parameters\\Interfaces 的 EnableDHCP、IPAddress、SubnetMask",
            fields=(
                Field("interface", Kind.TEXT, "网络接口"),
                Field("kind", Kind.TEXT, "接口类型"),
                Field("address", Kind.ADDRESS, "地址"),
                Field("prefix", Kind.INTEGER, "掩码长度"),
                Field("method", Kind.TEXT, "地址方式"),
                Field("fixed", Kind.BOOLEAN, "地址方式符合要求"),
                Field("registered", Kind.BOOLEAN, "与登记一致"),
                Field("within", Kind.BOOLEAN, "网段和掩码在批准的网段内"),
            ),
            summary="{interface} 的地址 {address}/{prefix}（{method}，与登记一致：{registered}，在批准的网段内：{within}）",
        ),
        FactSpec(
            "gateways", Kind.ITEMS, "默认网关",
            linux="ip -j route show table all", windows="GetIpForwardTable2",
            fields=(
                Field("gateway", Kind.ADDRESS, "网关"),
                Field("interface", Kind.TEXT, "网络接口"),
                Field("physical", Kind.BOOLEAN, "经由网卡"),
            ),
            summary="{gateway}（接口 {interface}）",
        ),
        FactSpec(
            "profiles", Kind.ITEMS, "有线连接配置",
            help="保存的有线连接配置及其地址方式。使用：正在使用，或是系统启动时唯一会用的配置。",
            linux="NetworkManager、ifcfg、ifupdown、netplan、systemd-networkd 的配置文件",
            windows="Tcpip\\Parameters\\Interfaces 的 EnableDHCP",
            fields=(
                Field("name", Kind.TEXT, "名称"),
                Field("manager", Kind.TEXT, "管理程序"),
                Field("interface", Kind.TEXT, "网络接口"),
                Field("method", Kind.TEXT, "地址方式"),
                Field("fixed", Kind.BOOLEAN, "地址方式符合要求"),
                Field("used", Kind.BOOLEAN, "使用"),
                Field("source", Kind.TEXT, "来源"),
            ),
            summary="{name}（{manager}，{method}，{source}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        found = read_profiles(host)
        active = active_uuids(host)
        interfaces = host.network.interfaces()
        return {
            "addresses": _addresses(host, interfaces, found, active, context),
            "gateways": _gateways(host, interfaces),
            "profiles": _profiles(found, active, context),
        }

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.net_identity import method, profiles

        interfaces = host.network.interfaces()
        return {
            "addresses": _listed(interfaces, context, lambda i, address: method(host, i, address)),
            "gateways": _gateways(host, interfaces),
            "profiles": profiles(host, lambda how: _fixed(how, context), lambda how: _METHOD_TEXT[how]),
        }


Active = Mapping[str, str]
"""Interface → UUID of NetworkManager's connection on it."""


def active_uuids(host: Host) -> Reading[Active]:
    """NetworkManager's active connections; Absent when it does not run."""
    running = network_manager_runs(host)
    if isinstance(running, Unknown):
        return running
    if not running:
        return Absent("NetworkManager")
    output = host.tools.run(tool="NMCLI", args=("-t", "-f", "DEVICE,UUID", "connection", "show", "--active"))
    if not isinstance(output, Known):
        return output
    if output.value.code != 0:
        return Unknown(Cause.TOOL_FAILED, f"nmcli：退出码 {output.value.code}", "nmcli")
    found: dict[str, str] = {}
    for line in output.value.stdout.splitlines():
        device, colon, uuid = line.rpartition(":")
        if not colon or not re.fullmatch(r"[0-9a-fA-F-]{36}", uuid):
            return Unknown(Cause.MALFORMED, "nmcli 的连接列表", "nmcli")
        found[re.sub(r"\\(.)", r"\1", device)] = uuid
    if not found:
        return Unknown(Cause.UNAVAILABLE, "nmcli 没有列出任何连接", "nmcli")
    return Known(found, "nmcli")


# Addresses ----------------------------------------------------------------------------------------------------------


def _addresses(
    host: Host, interfaces: Reading[tuple[Interface, ...]], found: Profiles, active: Reading[Active], context: Context
) -> Fact:
    lifetimes = _lifetimes(host) if isinstance(interfaces, Known) else Absent("ip")
    return _listed(interfaces, context, lambda i, address: _method(i, address, lifetimes, found, active))


def _listed(
    interfaces: Reading[tuple[Interface, ...]], context: Context, how: Callable[[Interface, str], Method | Unknown]
) -> Fact:
    """The addresses that lead out of the machine; ``how`` tells by what way an interface came to one."""
    if not isinstance(interfaces, Known):
        return interfaces
    listed = registered_addresses(context)
    items: list[Item] = []
    for i in interfaces.value:
        out = leads_out(i, interfaces.value)
        if out is False or i.kind in ("tunnel", "ppp", "loopback") or not i.up:
            continue
        for a in i.addresses:
            if is_link_local(a.address):
                continue
            method = how(i, a.address)
            registered = _registered(a.address, listed)
            fixed: FieldValue = _fixed(method, context)
            if ":" in a.address and isinstance(registered, Unknown):
                fixed = registered  # what nobody planned need not be fixed
            items.append(
                {
                    "interface": i.name, "kind": KIND_TEXT[i.kind], "address": a.address, "prefix": a.prefix,
                    "method": method if isinstance(method, Unknown) else _METHOD_TEXT[method],
                    "fixed": fixed, "registered": registered,
                    "within": _within(a.address, a.prefix, context),
                }
            )  # fmt: skip
    return Known(tuple(items), interfaces.origin, interfaces.gaps)


def _registered(address: str, listed: tuple[str, ...] | Unknown) -> bool | Unknown:
    if isinstance(listed, Unknown):
        return listed
    own = ipaddress.ip_address(address)
    if own in [ipaddress.ip_address(a) for a in listed]:
        return True
    if own.version == 6 and not any(":" in a for a in listed):
        # Registers usually have no column for IPv6: such an address is neither right nor wrong by them.
        return Unknown(Cause.UNCONFIRMED, "登记表没有登记 IPv6 地址，请登记或停用 IPv6")
    return False


def _within(address: str, prefix: int, context: Context) -> bool | Unknown:
    """Whether the interface's network lies in an approved one: a mask that is too wide does not."""
    if context.site.network.networks is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 network.networks", "site.yml")
    own = ipaddress.ip_network(f"{address}/{prefix}", strict=False)
    approved = [n for n in networks_of(context.site.network.networks) if n.version == own.version]
    if own.version == 6 and not approved:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 network.networks 中没有 IPv6 网段", "site.yml")
    return any(own.subnet_of(n) for n in approved)  # type: ignore[arg-type]  # same version


def _fixed(method: Method | Unknown, context: Context) -> bool | Unknown:
    if isinstance(method, Unknown):
        return True if context.site.network.ip_mode == "dhcp-reserved" else method
    # A reserved address comes by DHCP and is the registered one all the same.
    return method == "static" or context.site.network.ip_mode == "dhcp-reserved"


def _lifetimes(host: Host) -> Reading[Mapping[tuple[str, str], bool]]:
    """(interface, address) → whether the kernel holds it for a limited time only."""
    listed = ask_ip(host.tools, "-j", "-d", "addr")
    if not isinstance(listed, Known):
        return listed
    found: dict[tuple[str, str], bool] = {}
    for link in listed.value:
        for entry in link.get("addr_info") or ():
            if isinstance(entry, dict):
                found[str(link.get("ifname")), str(entry.get("local"))] = entry.get("dynamic") is True
    return Known(found, listed.origin)


def _method(
    interface: Interface, address: str,
    lifetimes: Reading[Mapping[tuple[str, str], bool]], found: Profiles, active: Reading[Active],
) -> Method | Unknown:  # fmt: skip
    dynamic: bool | Unknown
    if isinstance(lifetimes, Known):
        dynamic = lifetimes.value.get(
            (interface.name, address), Unknown(Cause.INCOMPLETE, f"{interface.name} 的地址没有列全")
        )
    else:
        dynamic = lifetimes if isinstance(lifetimes, Unknown) else Unknown(Cause.UNAVAILABLE, "地址的有效期")
    if dynamic is True:
        return "auto"
    told = _configured(interface, found, active)
    if told == "auto":
        return "auto"
    if isinstance(told, Unknown):
        return told
    if told != "static":
        return Unknown(Cause.UNCONFIRMED, f"{interface.name} 的配置中没有地址，现有地址的来历不明")
    return dynamic if isinstance(dynamic, Unknown) else "static"


def _configured(interface: Interface, found: Profiles, active: Reading[Active]) -> Method | Unknown:
    """What the profile in use says."""
    if isinstance(active, Unknown):
        return active
    uuid = active.value.get(interface.name) if isinstance(active, Known) else None
    if uuid is not None:
        # ifcfg files may lack the UUID, which NetworkManager then makes up.
        mine = [p for p in found.profiles if p.uuid == uuid] or [
            p for p in found.profiles if p.manager == "ifcfg" and p.fits(interface.name, interface.mac)
        ]
        if not mine:
            why = f"{interface.name} 正在使用的连接没有可读取的配置"
            return Unknown(found.gaps[0].cause if found.gaps else Cause.UNAVAILABLE, why, "NetworkManager")
    else:
        mine = [p for p in found.profiles if p.manager != "NetworkManager" and p.fits(interface.name, interface.mac)]
    methods = {p.method for p in mine if p.enabled or uuid is not None}
    if len(methods) == 1:
        only = methods.pop()
        if found.gaps and uuid is None:
            return Unknown(found.gaps[0].cause, found.gaps[0].detail, found.gaps[0].origin)
        return only
    why = f"{interface.name} 有多个不同的地址配置" if methods else f"没有找到 {interface.name} 的地址配置"
    return Unknown(Cause.UNAVAILABLE, why, "连接配置")


# Gateways and profiles ----------------------------------------------------------------------------------------------


def _gateways(host: Host, interfaces: Reading[tuple[Interface, ...]]) -> Fact:
    routes = host.network.routes()
    if not isinstance(routes, Known):
        return routes
    known = {i.name: i for i in interfaces.value} if isinstance(interfaces, Known) else {}
    found: dict[tuple[str, str], Item] = {}
    for r in routes.value:
        if r.destination not in ("0.0.0.0/0", "::/0") or r.type != "unicast" or not r.gateway or r.consulted is False:
            continue
        physical: FieldValue = Unknown(Cause.UNAVAILABLE, "接口类型")
        if r.interface in known:
            physical = known[r.interface].kind not in ("tunnel", "ppp")
        found[r.gateway, r.interface] = {"gateway": r.gateway, "interface": r.interface or None, "physical": physical}
    return Known(tuple(found[k] for k in sorted(found)), routes.origin, routes.gaps)


def _profiles(found: Profiles, active: Reading[Active], context: Context) -> Fact:
    gaps: list[Gap] = list(found.gaps)
    items: list[Item] = []
    ordered = sorted(found.profiles, key=lambda p: (p.source, p.name))
    for p in ordered:
        items.append(
            {
                "name": p.name, "manager": p.manager, "interface": p.interface or None, "method": _METHOD_TEXT[p.method],
                "fixed": p.method == "off" or _fixed(p.method, context), "used": _used(p, ordered, active), "source": p.source,
            }
        )  # fmt: skip
    return Known(tuple(items), "连接配置文件", tuple(gaps))


def _used(profile: Profile, everyone: Sequence[Profile], active: Reading[Active]) -> bool | Unknown:
    if isinstance(active, Known) and profile.manager == "NetworkManager":
        return profile.uuid in active.value.values()
    if not profile.enabled:
        return False
    rivals = [p for p in everyone if p is not profile and p.enabled and p.method != profile.method]
    if rivals:
        return Unknown(Cause.UNCONFIRMED, "有多个有线连接配置，不能确定使用哪一个")
    if profile.manager == "NetworkManager":
        if isinstance(active, Absent):
            return False
        if isinstance(active, Unknown) and active.cause is not Cause.UNSUPPORTED:
            return active
    return True


PROBES = (IdentityProbe(),)
