"""Interfaces, routes, remembered networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ybscan.hosts.base import Group, question
from ybscan.model.reading import Reading

#: Origin of the gap that :meth:`Network.saved` leaves when it does not know when networks were last used.
HISTORY = "连接历史"

InterfaceKind = Literal[
    "ethernet",
    "wireless",
    "wwan",
    "bluetooth",
    "usb-tether",
    "usb-ethernet",
    "bridge",
    "bond",
    "vlan",
    "tunnel",
    "ppp",
    "loopback",
    "virtual",
    "container",
    "other",
]


@dataclass(frozen=True, slots=True)
class InterfaceAddress:
    """An address with its prefix length."""

    address: str
    prefix: int


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface. ``kind`` is told from the kernel's own record, never from the name alone.

    ``ethernet`` is any wired card with a chip of its own, on USB too; ``usb-ethernet`` speaks the standard USB class
    that phones and plain adapters share; ``usb-tether`` is a protocol only phones and modems speak. ``vlan`` stands
    for every sub-interface of another one (VLAN, macvlan, ipvlan), ``container`` for one end of a veth pair,
    ``virtual`` for what has no hardware and leads nowhere by itself (dummy, host-only networks of virtual machines).
    """

    name: str
    kind: InterfaceKind
    up: bool
    running: bool
    """Administratively up and with carrier."""
    mac: str
    driver: str
    addresses: tuple[InterfaceAddress, ...]
    master: str
    """Name of the bridge or bond it belongs to, or empty."""
    detail: str = ""
    """The kernel's own word for the kind of link, such as ``wireguard``, ``tun`` or ``macvlan``; empty for hardware.

    On Windows the adapter's description.
    """
    id: str = ""
    """The adapter's GUID on Windows, upper case with braces: the name of its key below Tcpip\\Parameters\\Interfaces."""
    permanent: str = ""
    """The card's own MAC where the system tells it apart from the one in use (MIB_IF_ROW2)."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route. ``gateway`` is empty for directly connected networks; ``table`` is ``main`` or the table's name."""

    family: Literal["ipv4", "ipv6"]
    destination: str
    """In CIDR form, ``0.0.0.0/0`` and ``::/0`` for default routes."""
    gateway: str
    interface: str
    metric: int
    table: str
    type: str = "unicast"
    """As iproute2 names it: ``unicast``, ``local``, ``broadcast``, ``unreachable``, ``blackhole`` …"""
    consulted: bool | None = True
    """Whether a routing policy rule leads to the table at all; None when the rules could not be read."""


@dataclass(frozen=True, slots=True)
class SavedNetwork:
    """A network connection the system remembers. Secrets are never read. ``last_used`` in seconds since the epoch."""

    id: str
    kind: str
    """As the connection manager names it: ``ethernet``, ``wifi``, ``gsm``, ``vpn``, ``wireguard``, ``bluetooth``, ``pppoe`` …

    ``deleted`` for a connection that was used, and whose profile is gone.
    """
    ssid: str
    mode: str
    """``ap`` or ``adhoc`` for wireless networks this machine offers itself."""
    shared: bool
    """Whether it shares its connection to others (ipv4 or ipv6 method ``shared``)."""
    last_used: float | None
    """None when it never was, or when the reading has a gap of origin :data:`HISTORY`."""
    source: str
    interface: str = ""
    """The interface it is bound to, if it names one."""
    dated: bool = True
    """Whether this kind of record has a time of last use at all."""


@dataclass(frozen=True, slots=True)
class Radio:
    """A wireless LAN interface of Windows (WlanEnumInterfaces, WlanQueryInterface). No scan, no current connection."""

    id: str
    """The adapter's GUID, upper case with braces."""
    detail: str
    connected: bool
    on: bool | None
    """Whether software and hardware switch are on; None where that could not be read."""


@dataclass(frozen=True, slots=True)
class SharedConnection:
    """A connection of Windows that Internet connection sharing is set up for (INetSharingConfiguration)."""

    name: str
    role: Literal["public", "private"]
    enabled: bool


ShareKind = Literal["disk", "printer", "device", "ipc", "other"]


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """What Windows' file service shares now (NetShareEnum), whether the registry defines it or not."""

    name: str
    kind: ShareKind
    special: bool
    """Whether the service made it by itself (``C$``, ``ADMIN$``, ``IPC$``)."""
    path: str
    """Empty where only administrators are told."""


@dataclass(frozen=True, slots=True)
class Forwarding:
    """Whether an interface passes packets on (MIB_IPINTERFACE_ROW.ForwardingEnabled)."""

    interface: str
    family: Literal["ipv4", "ipv6"]
    on: bool


@dataclass(frozen=True, slots=True)
class FirewallProfile:
    """A profile of the Windows firewall as in force, policy included (INetFwPolicy2)."""

    name: Literal["domain", "private", "public"]
    active: bool
    """Whether a network of this kind is connected now."""
    enabled: bool
    inbound: Literal["block", "allow"]
    """What happens to incoming connections that no rule speaks of."""


class Network(Group):
    """The network as the system sees it. Nothing is sent."""

    name = "network"

    @question
    def interfaces(self) -> Reading[tuple[Interface, ...]]:
        """All interfaces, sorted by name."""
        return self.unsupported()

    @question
    def routes(self) -> Reading[tuple[Route, ...]]:
        """The routes of both families and all tables."""
        return self.unsupported()

    @question
    def saved(self) -> Reading[tuple[SavedNetwork, ...]]:
        """Networks joined or set up earlier."""
        return self.unsupported()

    @question
    def reach(self, *, target: str, port: int, interface: str, seconds: float) -> Reading[bool]:
        """Whether a TCP connection to the address ``target``:``port`` opens through ``interface`` (any when empty).

        False when nothing answered or there is no way there. An answer that does not come from the target for
        certain (a refusal may be this machine's own firewall) is Unknown(unconfirmed).

        The one question that sends packets: only the probe of NET-02 asks it, and only for targets the site file
        names while ``egress.active`` is true.
        """
        return self.unsupported()

    @question
    def radios(self) -> Reading[tuple[Radio, ...]]:
        """The wireless LAN interfaces of Windows, sorted; empty when the service runs and has none."""
        return self.unsupported()

    @question
    def online(self) -> Reading[bool]:
        """Whether Windows itself believes that it reaches the Internet (INetworkListManager.GetConnectivity, 0x40, 0x400)."""
        return self.unsupported()

    @question
    def sharing(self) -> Reading[tuple[SharedConnection, ...]]:
        """The connections of Windows and whether they are shared (INetSharingManager), sorted by name."""
        return self.unsupported()

    @question
    def hosted_network(self) -> Reading[bool]:
        """Whether Windows runs a hosted wireless network now (WlanHostedNetworkQueryStatus)."""
        return self.unsupported()

    @question
    def forwarding(self) -> Reading[tuple[Forwarding, ...]]:
        """Per interface of Windows and address family, sorted."""
        return self.unsupported()

    @question
    def firewall(self) -> Reading[tuple[FirewallProfile, ...]]:
        """The three profiles of the Windows firewall as in force."""
        return self.unsupported()

    @question
    def shares(self) -> Reading[tuple[SharedFolder, ...]]:
        """What the file service of Windows shares now, sorted by name; nothing while it does not run."""
        return self.unsupported()
