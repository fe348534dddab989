"""Adapters, routes, wireless profiles and the firewall as the collector found them.

Sources: "Win32_NetworkAdapter", "Win32_NetworkAdapterConfiguration", "Win32_IP4RouteTable", "MSFT_NetRoute", "MSFT_NetIPInterface";
the standardised keywords ``*IfType``, ``*PhysicalMediaType`` and ``Characteristics`` of network drivers.
"""

from __future__ import annotations

import ipaddress

from ybscan.hosts.collected.evidence import Evidence, mapped_rows
from ybscan.hosts.collected.records import Record
from ybscan.hosts.groups.network import (
    HISTORY,
    FirewallProfile,
    Forwarding,
    Interface,
    InterfaceAddress,
    InterfaceKind,
    Network,
    Radio,
    Route,
    SavedNetwork,
)
from ybscan.hosts.groups.registry import Registry
from ybscan.hosts.windows.netkinds import Node, kind_of
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown

_CLASS = r"HKLM\SYSTEM\CurrentControlSet\Control\Class\{4d36e972-e325-11ce-bfc1-08002be10318}"
_PROFILES = {"1": "domain", "2": "private", "4": "public"}


class CollectedNetwork(Network):
    """The network as the collector found it; nothing was sent."""

    def __init__(self, evidence: Evidence, registry: Registry) -> None:
        super().__init__("采集脚本不取这类信息")
        self._evidence = evidence
        self._registry = registry

    def interfaces(self) -> Reading[tuple[Interface, ...]]:
        rows = self._evidence.rows("network", "adapter", "Win32_NetworkAdapter")
        configs = self._evidence.rows("network", "config", "Win32_NetworkAdapterConfiguration")
        by_index = {r.text("Index"): r for r in configs.value} if isinstance(configs, Known) else {}
        drivers = self._drivers()
        links = self._by("network", "link", "InterfaceGuid")
        nodes = self._by("devices", "device", "DeviceID")

        def interface(r: Record) -> Interface | Gap:
            guid, instance = r.text("GUID").upper(), r.text("PNPDeviceID").upper()
            kind = _kind(r, drivers.get(guid, {}), links.get(guid), nodes.get(instance))
            return _interface(r, kind, by_index.get(r.text("Index")))

        read = mapped_rows(rows, interface, never_empty="网络适配器")
        if not isinstance(read, Known):
            return read
        gaps = read.gaps
        if not isinstance(configs, Known) or configs.gaps or not configs.value:
            gaps += (Gap(Cause.INCOMPLETE, "没有取得网络适配器的地址", "Win32_NetworkAdapterConfiguration"),)
        return Known(tuple(sorted(read.value, key=lambda i: i.name)), "Win32_NetworkAdapter", gaps)

    def routes(self) -> Reading[tuple[Route, ...]]:
        names = self._names()
        modern = self._evidence.rows("network", "route", "MSFT_NetRoute")
        if isinstance(modern, Known) and modern.value:
            active = tuple(r for r in modern.value if r.text("Store") != "0")
            return mapped_rows(
                Known(active, "MSFT_NetRoute", modern.gaps), lambda r: _route(r, names), never_empty="路由"
            )
        read = mapped_rows(
            self._evidence.rows("network", "route4", "Win32_IP4RouteTable"),
            lambda r: _route4(r, names),
            never_empty="路由",
        )
        if not isinstance(read, Known):
            return read
        missing = Gap(Cause.UNAVAILABLE, "此版本的 Windows 没有给出 IPv6 路由", "Win32_IP4RouteTable")
        return Known(read.value, read.origin, (*read.gaps, missing))

    def saved(self) -> Reading[tuple[SavedNetwork, ...]]:
        read = mapped_rows(self._evidence.rows("wireless", "profile"), _profile)
        if not isinstance(read, Known):
            return read
        gaps = [*read.gaps, Gap(Cause.NOT_RECORDED, "采集结果没有无线网络的连接时间", HISTORY)]
        found = list(read.value)
        books = self._evidence.records("files")
        for book in books.value if isinstance(books, Known) else ():
            if book.kind != "phonebook":
                continue
            if book.text("state") not in ("read", "absent"):
                gaps.append(Gap(Cause.TOOL_FAILED, f"电话簿 {book.text('path')} 没有取得", "rasphone.pbk"))
            source = book.text("path")
            for name in book.lists.get("entry", ()):
                found.append(SavedNetwork(name, "vpn", "", "", False, None, source, dated=False))
        if isinstance(books, Unknown):
            gaps.append(books.as_gap())
        gaps.append(Gap(Cause.NOT_RECORDED, "其他用户自己的拨号与 VPN 连接没有采集", "rasphone.pbk"))
        return Known(tuple(sorted(found, key=lambda n: (n.kind, n.id))), "采集结果", tuple(gaps))

    def radios(self) -> Reading[tuple[Radio, ...]]:
        read = self.interfaces()
        if not isinstance(read, Known):
            return read
        found = tuple(Radio(i.id, i.detail, i.running, None) for i in read.value if i.kind == "wireless")
        doubtful = tuple(
            Gap(Cause.UNAVAILABLE, f"{i.detail} 的种类无法识别", "Win32_NetworkAdapter")
            for i in read.value
            if i.kind == "other"
        )
        return Known(found, read.origin, (*read.gaps, *doubtful))

    def forwarding(self) -> Reading[tuple[Forwarding, ...]]:
        rows = self._evidence.rows("network", "forwarding", "MSFT_NetIPInterface")
        if isinstance(rows, Unknown):
            rows = Unknown(rows.cause, f"此版本的 Windows 没有给出转发设置（{rows.detail}）", rows.origin)
        names = self._names()
        if isinstance(rows, Known):
            rows = Known(tuple(r for r in rows.value if r.text("Store") != "0"), rows.origin, rows.gaps)
        read = mapped_rows(rows, lambda r: _forwarding(r, names), never_empty="网络接口")
        return (
            Known(tuple(sorted(read.value, key=lambda f: (f.interface, f.family))), read.origin, read.gaps)
            if isinstance(read, Known)
            else read
        )

    def firewall(self) -> Reading[tuple[FirewallProfile, ...]]:
        read = mapped_rows(self._evidence.rows("network", "firewall", "HNetCfg"), _firewall, never_empty="防火墙配置")
        if isinstance(read, Known) and len(read.value) != 3 and not read.gaps:
            return Unknown(Cause.MALFORMED, "防火墙的配置应有三种", "HNetCfg.FwPolicy2")
        return read

    # ------------------------------------------------------------------------------------------------------------

    def _names(self) -> dict[str, str]:
        rows = self._evidence.rows("network", "adapter", "Win32_NetworkAdapter")
        return {r.text("InterfaceIndex"): _name(r) for r in rows.value} if isinstance(rows, Known) else {}

    def _drivers(self) -> dict[str, dict[str, int]]:
        """Numbers of each adapter's driver key by the adapter's GUID."""
        listed = self._registry.subkeys(key=_CLASS)
        found: dict[str, dict[str, int]] = {}
        for name in listed.value if isinstance(listed, Known) else ():
            values = self._registry.values(key=f"{_CLASS}\\{name}")
            if not isinstance(values, Known):
                continue
            guid = values.value.get("NetCfgInstanceId")
            if isinstance(guid, str):
                found[guid.upper()] = {k.lower(): int(str(v)) for k, v in values.value.items() if str(v).isdecimal()}
        return found

    def _by(self, part: str, kind: str, name: str) -> dict[str, Record]:
        rows = self._evidence.rows(part, kind)
        return {r.text(name).upper(): r for r in rows.value} if isinstance(rows, Known) else {}


def _interface(r: Record, kind: InterfaceKind, config: Record | None) -> Interface | Gap:
    if not r.text("Index") or not _name(r):
        return Gap(Cause.MALFORMED, "网络适配器的记录有误", "Win32_NetworkAdapter")
    status = r.number("NetConnectionStatus")
    addresses = _addresses(config) if config is not None else ()
    return Interface(
        name=_name(r),
        kind=kind,
        # 4 not present, 5 disabled, 6 broken; every other state is that of an adapter that is switched on.
        up=(status is not None and status not in (4, 5, 6)) or (config is not None and config.text("IPEnabled") == "1"),
        running=status == 2 or bool(addresses),
        mac=r.text("MACAddress").lower(),
        driver=r.text("ServiceName"),
        addresses=addresses,
        master="",
        detail=r.text("Description"),
        id=r.text("GUID").upper(),
    )


def _name(r: Record) -> str:
    return r.text("NetConnectionID") or r.text("Name") or r.text("Description")


def _kind(r: Record, driver: dict[str, int], link: Record | None, device: Record | None) -> InterfaceKind:
    """By the driver's own numbers; where they are not known only services and hardware ids tell, else ``other``."""
    medium = driver.get("*physicalmediatype")
    if medium is None and link is not None:
        medium = link.number("NdisPhysicalMedium")
    ids = (
        tuple(i for n in ("HardwareID", "CompatibleID") for i in device.lists.get(n, ())) if device is not None else ()
    )
    node = Node(r.text("PNPDeviceID"), r.text("ServiceName"), ids)
    return kind_of(driver.get("*iftype", 0), medium or 0, node)


def _addresses(config: Record) -> tuple[InterfaceAddress, ...]:
    found: list[InterfaceAddress] = []
    masks = config.lists.get("IPSubnet", [])
    for n, address in enumerate(config.lists.get("IPAddress", [])):
        mask = masks[n] if n < len(masks) else ""
        try:
            if ":" in address:
                found.append(InterfaceAddress(str(ipaddress.ip_address(address.partition("%")[0])), int(mask)))
            else:
                net = ipaddress.ip_interface(f"{address}/{mask}")
                found.append(InterfaceAddress(str(net.ip), net.network.prefixlen))
        except ValueError:
            continue
    return tuple(found)


def _route(r: Record, names: dict[str, str]) -> Route | Gap:
    try:
        net = ipaddress.ip_network(r.text("DestinationPrefix"), strict=False)
        hop = ipaddress.ip_address(r.text("NextHop").partition("%")[0])
    except ValueError:
        return Gap(Cause.MALFORMED, f"路由 {r.text('DestinationPrefix')}", "MSFT_NetRoute")
    index = r.text("InterfaceIndex")
    return Route(
        family="ipv4" if net.version == 4 else "ipv6", destination=str(net), gateway="" if hop.is_unspecified else str(hop),
        interface=names.get(index, index), metric=r.number("RouteMetric") or 0, table="main",
    )  # fmt: skip


def _route4(r: Record, names: dict[str, str]) -> Route | Gap:
    try:
        net = ipaddress.ip_network(f"{r.text('Destination')}/{r.text('Mask')}", strict=False)
        hop = ipaddress.ip_address(r.text("NextHop"))
    except ValueError:
        return Gap(Cause.MALFORMED, f"路由 {r.text('Destination')}", "Win32_IP4RouteTable")
    index = r.text("InterfaceIndex")
    return Route(
        family="ipv4", destination=str(net), gateway="" if hop.is_unspecified else str(hop), interface=names.get(index, index),
        metric=r.number("Metric1") or 0, table="main",
    )  # fmt: skip


def _forwarding(r: Record, names: dict[str, str]) -> Forwarding | Gap:
    family = {"2": "ipv4", "23": "ipv6"}.get(r.text("AddressFamily"))
    on = {"0": False, "1": True}.get(r.text("Forwarding"))
    index = r.text("InterfaceIndex")
    if family is None or on is None:
        return Gap(Cause.MALFORMED, f"接口 {index} 的转发设置无法识别", "MSFT_NetIPInterface")
    return Forwarding(names.get(index, index), family, on)  # type: ignore[arg-type]


def _profile(r: Record) -> SavedNetwork | Gap:
    if not r.text("ssid"):
        return Gap(Cause.MALFORMED, "无线配置没有名称", "Wlansvc")
    return SavedNetwork(
        r.text("ssid"), "wifi", r.text("ssid"), "", False, None, "Wlansvc", interface=r.text("card").upper()
    )


def _firewall(r: Record) -> FirewallProfile | Gap:
    name = _PROFILES.get(r.text("profile"))
    enabled = r.number("enabled")
    inbound = {"0": "block", "1": "allow"}.get(r.text("inbound"))
    active = r.number("active")
    if name is None or enabled is None or inbound is None or active is None:
        return Gap(Cause.MALFORMED, f"防火墙配置 {r.text('profile')} 无法识别", "HNetCfg.FwPolicy2")
    return FirewallProfile(name, active != 0, enabled != 0, inbound)  # type: ignore[arg-type]
