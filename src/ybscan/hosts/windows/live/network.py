"""Interfaces, routes and remembered networks of the running system."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import os  # noqa: E402
import socket  # noqa: E402
from collections.abc import Mapping  # noqa: E402

from ybscan.hosts.common.netreach import bind_to_address, tcp_connects  # noqa: E402
from ybscan.hosts.groups.devices import Devices  # noqa: E402
from ybscan.hosts.groups.network import (  # noqa: E402
    FirewallProfile,
    Forwarding,
    Interface,
    Network,
    Radio,
    Route,
    SavedNetwork,
    SharedConnection,
    SharedFolder,
)
from ybscan.hosts.groups.registry import Registry  # noqa: E402
from ybscan.hosts.groups.services import Services  # noqa: E402
from ybscan.hosts.windows.live import netadapters, netpolicy, netshares, netwlan  # noqa: E402
from ybscan.hosts.windows.live.com import com_asked  # noqa: E402
from ybscan.hosts.windows.live.dll import asked  # noqa: E402
from ybscan.hosts.windows.live.netsaved import saved  # noqa: E402
from ybscan.hosts.windows.netkinds import Node  # noqa: E402
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown  # noqa: E402

_NET_CLASS = "{4d36e972-e325-11ce-bfc1-08002be10318}"
_CONNECTIONS = rf"HKLM\SYSTEM\CurrentControlSet\Control\Network\{_NET_CLASS}"


class LiveNetwork(Network):
    """IP Helper, WLAN, network list, connection sharing and firewall of the running system. Nothing is sent."""

    def __init__(self, *, registry: Registry, services: Services, devices: Devices) -> None:
        super().__init__()
        self._registry = registry
        self._services = services
        self._devices = devices

    def interfaces(self) -> Reading[tuple[Interface, ...]]:
        return asked(lambda: netadapters.interfaces(self._nodes), "GetAdaptersAddresses")

    def routes(self) -> Reading[tuple[Route, ...]]:
        return asked(netadapters.routes, "GetIpForwardTable2")

    def forwarding(self) -> Reading[tuple[Forwarding, ...]]:
        return asked(netadapters.forwarding, "GetIpInterfaceTable")

    def saved(self) -> Reading[tuple[SavedNetwork, ...]]:
        data = os.environ.get("ProgramData", "")  # noqa: SIM112 - Windows' own spelling
        if not data:
            return Unknown(Cause.UNAVAILABLE, "无法得知 ProgramData 文件夹的位置", "ProgramData")
        return asked(lambda: saved(self._registry, data), "WlanGetProfileList")

    def radios(self) -> Reading[tuple[Radio, ...]]:
        return asked(netwlan.radios, "WlanEnumInterfaces")

    def hosted_network(self) -> Reading[bool]:
        return asked(netwlan.hosted_network, "WlanHostedNetworkQueryStatus")

    def online(self) -> Reading[bool]:
        return com_asked(netpolicy.online, "INetworkListManager")

    def sharing(self) -> Reading[tuple[SharedConnection, ...]]:
        return com_asked(netpolicy.sharing, "INetSharingManager")

    def firewall(self) -> Reading[tuple[FirewallProfile, ...]]:
        return com_asked(lambda: netpolicy.firewall(self._registry, self._services), "INetFwPolicy2")

    def shares(self) -> Reading[tuple[SharedFolder, ...]]:
        return asked(netshares.shares, "NetShareEnum")

    def reach(self, *, target: str, port: int, interface: str, seconds: float) -> Reading[bool]:
        origin = f"TCP {target}:{port}" + (f"（{interface}）" if interface else "")
        if not interface:
            return tcp_connects(target=target, port=port, seconds=seconds, origin=origin, bind=None)
        listed = self.interfaces()
        if not isinstance(listed, Known):
            return listed if isinstance(listed, Unknown) else Unknown(Cause.UNAVAILABLE, "没有网络接口", origin)
        one = next((i for i in listed.value if i.name == interface), None)
        if one is None:
            return Unknown(Cause.UNAVAILABLE, f"接口 {interface} 已不存在", origin)
        addresses = tuple(a.address for a in one.addresses)

        def bind(s: socket.socket, version: int) -> Reading[bool] | None:
            # A socket bound to an address sends through its interface alone (strong host model, Windows Vista and later).
            return bind_to_address(s, addresses, version, origin)

        return tcp_connects(target=target, port=port, seconds=seconds, origin=origin, bind=bind)

    def _nodes(self) -> Reading[Mapping[str, Node]]:
        """The device nodes behind adapters: the connection's key names the node, which names driver and hardware."""
        nodes = self._devices.of_class(guid=_NET_CLASS)
        if not isinstance(nodes, Known):
            return nodes
        by_instance = {d.instance.upper(): d for d in nodes.value}
        connections = self._registry.subkeys(key=_CONNECTIONS)
        if isinstance(connections, Unknown):
            return connections
        if isinstance(connections, Absent):
            return Known({}, _CONNECTIONS)
        found: dict[str, Node] = {}
        gaps: list[Gap] = list(nodes.gaps)
        for name in connections.value:
            if not name.startswith("{"):
                continue
            instance = self._registry.value(key=rf"{_CONNECTIONS}\{name}\Connection", name="PnPInstanceId")
            if isinstance(instance, Unknown):
                gaps.append(instance.as_gap())
            if not isinstance(instance, Known) or not isinstance(instance.value, str):
                continue
            device = by_instance.get(instance.value.upper())
            if device is not None:
                found[name.upper()] = Node(device.instance, device.service, device.hardware_ids + device.compatible_ids)
        return Known(found, _CONNECTIONS, tuple(gaps))
