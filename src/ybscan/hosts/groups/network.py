"""Interfaces, routes, remembered networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ybscan.hosts.base import Group, question
from ybscan.model.reading import Reading


@dataclass(frozen=True, slots=True)
class InterfaceAddress:
    """An address with its prefix length."""

    address: str
    prefix: int


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface. ``kind`` is told from the kernel's own record, never from the name alone."""

    name: str
    kind: Literal[
        "ethernet",
        "wireless",
        "wwan",
        "bluetooth",
        "usb-tether",
        "usb-ethernet",
        "bridge",
        "tunnel",
        "ppp",
        "loopback",
        "virtual",
        "container",
        "other",
    ]
    up: bool
    running: bool
    """Administratively up and with carrier."""
    mac: str
    driver: str
    addresses: tuple[InterfaceAddress, ...]
    master: str
    """Name of the bridge or bond it belongs to, or empty."""


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


@dataclass(frozen=True, slots=True)
class SavedNetwork:
    """A network connection the system remembers. Secrets are never read. ``last_used`` in seconds since the epoch."""

    id: str
    kind: str
    """As the connection manager names it: ``ethernet``, ``wifi``, ``gsm``, ``vpn``, ``wireguard``, ``bluetooth``, ``pppoe`` …"""
    ssid: str
    mode: str
    """``ap`` or ``adhoc`` for wireless networks this machine offers itself."""
    shared: bool
    """Whether it shares its connection to others (ipv4 or ipv6 method ``shared``)."""
    last_used: float | None
    source: str


class Network(Group):
    """The network as the system sees it. Nothing is sent."""

    name = "network"

    @question
    def interfaces(self) -> Reading[tuple[Interface, ...]]:
        """All interfaces."""
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
        """Whether a TCP connection to ``target``:``port`` opens through ``interface`` (any when empty).

        The one question that sends packets: only the probe of NET-02 asks it, and only for targets the site file
        names while ``egress.active`` is true.
        """
        return self.unsupported()
