"""What counts as an address of the Internet. Pure.

The special-purpose registries of IANA decide (RFC 6890 and its successors); networks the unit names in
``network.networks`` never count, for several private networks use addresses that are public by number.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from ybscan.model.reading import Cause, Unknown

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SPECIAL_V4 = tuple(
    ipaddress.IPv4Network(n)
    for n in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
#: Global unicast is all that has been given out; translated addresses (NAT64) lead to the IPv4 Internet.
_GLOBAL_V6 = (ipaddress.IPv6Network("2000::/3"), ipaddress.IPv6Network("64:ff9b::/96"))
_SPECIAL_V6 = tuple(ipaddress.IPv6Network(n) for n in ("2001:db8::/32", "3fff::/20", "2001:2::/48"))

#: China's e-government extranet numbers its hosts from here, and its provinces run medical-insurance networks over it.
#: Not confirmed by a source that was read: it only ever turns a finding into a doubt.
_EXTRANET = ipaddress.IPv4Network("59.192.0.0/10")


def networks_of(texts: Iterable[str] | None) -> tuple[Network, ...]:
    """The networks of a setting; none where it is not made."""
    return tuple(ipaddress.ip_network(t, strict=False) for t in texts or ())


def address_of(text: str) -> Address | None:
    """The address, a zone index dropped and IPv4 in IPv6 (``::ffff:…``) unwrapped; None when it is none."""
    try:
        address = ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_public(text: str, own: Iterable[str] | None) -> bool | Unknown:
    """Whether an address belongs to the Internet. ``own``: the unit's networks, None where not configured."""
    address = address_of(text)
    if address is None:
        return Unknown(Cause.MALFORMED, f"“{text[:60]}”不是 IP 地址")
    here: Network = ipaddress.ip_network(address)
    if not holds_public(str(here), own):
        return False
    if own is None and isinstance(here, ipaddress.IPv4Network) and here.subnet_of(_EXTRANET):
        return Unknown(Cause.NOT_CONFIGURED, f"{text} 可能属于电子政务外网，site.yml 的 network.networks")
    return True


def is_link_local(text: str) -> bool:
    """Whether an address holds on its own cable only (169.254/16, fe80::/10), or is no address of a host at all."""
    address = address_of(text)
    return address is not None and (address.is_link_local or address.is_loopback or address.is_unspecified)


def is_loopback(text: str) -> bool:
    """Whether an address is reached from the terminal itself alone; what is no address is not."""
    address = address_of(text)
    return address is not None and address.is_loopback


def holds_public(destination: str, own: Iterable[str] | None) -> bool:
    """Whether any address of the network ``destination`` belongs to the Internet and not to the unit.

    Raises:
        ValueError: ``destination`` is no network.
    """
    network = ipaddress.ip_network(destination, strict=False)
    if isinstance(network, ipaddress.IPv4Network):
        rest: list[Network] = [network]
        special: tuple[Network, ...] = _SPECIAL_V4
    else:
        rest = [g if g.subnet_of(network) else network for g in _GLOBAL_V6 if g.overlaps(network)]
        special = _SPECIAL_V6
    for hole in (*special, *networks_of(own)):
        rest = [part for piece in rest for part in _without(piece, hole)]
    return bool(rest)


def _without(piece: Network, hole: Network) -> Iterable[Network]:
    if piece.version != hole.version or not piece.overlaps(hole):
        return (piece,)
    if piece.subnet_of(hole):  # type: ignore[arg-type]  # same version: checked above
        return ()
    return piece.address_exclude(hole)  # type: ignore[arg-type]
