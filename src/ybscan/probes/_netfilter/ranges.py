"""Sets of addresses as sorted, disjoint, inclusive ranges of integers. Pure."""

from __future__ import annotations

import ipaddress
from typing import Literal

Ranges = tuple[tuple[int, int], ...]
Family = Literal["ipv4", "ipv6"]

NOTHING: Ranges = ()
BITS = {"ipv4": 32, "ipv6": 128}

#: Sources that cannot arrive from outside: the kernel drops loopback addresses on any other interface.
_MARTIAN = {
    "ipv4": (int(ipaddress.IPv4Address("127.0.0.0")), int(ipaddress.IPv4Address("127.255.255.255"))),
    "ipv6": (1, 1),
}


def normal(ranges: list[tuple[int, int]]) -> Ranges:
    """Sorted and merged."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if low > high:
            continue
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def union(a: Ranges, b: Ranges) -> Ranges:
    """What is in either."""
    return normal([*a, *b]) if a and b else a or b


def intersection(a: Ranges, b: Ranges) -> Ranges:
    """What is in both."""
    return normal(
        [(max(x[0], y[0]), min(x[1], y[1])) for x in a for y in b if x[0] <= y[1] and y[0] <= x[1]],
    )


def difference(a: Ranges, b: Ranges) -> Ranges:
    """What is in the first and not in the second."""
    left = list(a)
    for low, high in b:
        left = [
            piece
            for x, y in left
            for piece in ((x, min(y, low - 1)), (max(x, high + 1), y))
            if piece[0] <= piece[1]
        ]  # fmt: skip
    return normal(left)


def size(a: Ranges) -> int:
    """How many addresses."""
    return sum(high - low + 1 for low, high in a)


def everyone(family: Family) -> Ranges:
    """Every address a packet from outside may carry as its source."""
    return difference(((0, 2 ** BITS[family] - 1),), (_MARTIAN[family],))


def of_network(text: str, family: Family) -> Ranges | None:
    """The addresses of an address or network; None when it is not one of ``family``."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if f"ipv{network.version}" != family:
        return None
    return ((int(network.network_address), int(network.broadcast_address)),)


def as_networks(a: Ranges, family: Family) -> tuple[str, ...]:
    """The ranges as networks in CIDR form, single addresses without a length."""
    make = ipaddress.IPv4Address if family == "ipv4" else ipaddress.IPv6Address
    found: list[str] = []
    for low, high in a:
        for network in ipaddress.summarize_address_range(make(low), make(high)):
            text = str(network)
            found.append(text.removesuffix("/32") if family == "ipv4" else text.removesuffix("/128"))
    return tuple(found)


def wide(a: Ranges, family: Family) -> bool:
    """Whether so much of the address space is in it that it restricts nobody in particular.

    Half of IPv4; a sixteenth of IPv6, whose public addresses are an eighth (2000::/3).
    """
    return size(a) * (2 if family == "ipv4" else 16) >= 1 << BITS[family]
