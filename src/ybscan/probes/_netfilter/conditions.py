"""Whether a condition of a rule holds for a new connection to one port from outside. Pure.

Meaning after nft(8), "EXPRESSIONS". Every answer is a :class:`Truth`; what is not understood holds for some packets.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ybscan.probes._netfilter.ranges import BITS, Family, Ranges, difference, everyone, intersection, normal, of_network
from ybscan.probes._netfilter.ruleset import Chain, Ruleset

Tri = bool | None
"""True, False, or None: for some packets, or not known for which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """The connection in question: the first packet to a port, from any source, through one interface."""

    family: Family
    proto: Literal["tcp", "udp"]
    port: int
    address: str
    """The address the listener is bound to; empty when it takes all."""
    interface: str
    """The interface it arrives at; empty for one that no rule names."""
    later: bool = False
    """Whether a later packet of a TCP connection is meant instead: the handshake must get through to its end."""

    @property
    def multicast(self) -> bool:
        """Whether the listener is bound to a multicast or broadcast address."""
        if not self.address:
            return False
        address = ipaddress.ip_address(self.address)
        return address.is_multicast or str(address) == "255.255.255.255"


@dataclass(frozen=True, slots=True)
class Truth:
    """Whether a condition holds: for a plain packet (unicast, well-formed, not translated), for every packet that may
    begin a connection, and for which sources. Both count for the sources in ``sources`` only; elsewhere it is false.
    """

    plain: Tri
    every: Tri
    sources: Ranges | None = None
    """None for all sources."""


YES = Truth(True, True)
NO = Truth(False, False)
SOME = Truth(None, None)


def truth(answer: Tri) -> Truth:
    """A condition that does not tell plain packets from others."""
    return YES if answer is True else NO if answer is False else SOME


class _NotUnderstood(Exception):
    pass


@dataclass(frozen=True, slots=True)
class World:
    """What else decides: the rules, and what the tables that cannot be read may do."""

    ruleset: Ruleset
    untracked: bool
    """Whether some packets may pass connection tracking by."""
    translated: bool
    """Whether some packets may have had their destination changed."""


def holds(body: Any, packet: Packet, chain: Chain, world: World) -> Truth:
    """A ``match`` statement."""
    try:
        left, right, operator = body["left"], body["right"], body["op"]
        ((kind, what),) = left.items()
        if kind == "payload":
            return _payload(what, operator, right, packet, chain, world)
        if kind == "meta":
            return _meta(what["key"], operator, right, packet, chain, world)
        if kind == "ct":
            return _ct(what, operator, right, packet, chain, world)
        if kind == "fib":
            return _fib(what, operator, right, packet, chain, world)
        if kind == "concat" and operator in ("==", "in"):
            return _concat(what, right, packet, chain, world)
        if kind == "&" and what[0] == {"payload": {"protocol": "tcp", "field": "flags"}}:
            return _flags(what[1], operator, right, packet)
    except (_NotUnderstood, KeyError, TypeError, ValueError, AttributeError, IndexError):
        return SOME
    return SOME


def _concat(keys: list[Any], right: Any, packet: Packet, chain: Chain, world: World) -> Truth:
    """Several keys against a set of tuples: some tuple of which every part holds."""
    everywhere: Ranges = ((0, 2 ** BITS[packet.family] - 1),)
    certain: list[tuple[int, int]] = []
    possible: list[tuple[int, int]] = []
    for element in elements(right, chain, world):
        parts = element["concat"]
        if len(parts) != len(keys):
            raise _NotUnderstood
        each = [
            holds({"op": "==", "left": key, "right": part}, packet, chain, world)
            for key, part in zip(keys, parts, strict=True)
        ]
        if any(t.every is False for t in each):
            continue
        sources = everywhere
        for t in each:
            sources = intersection(sources, t.sources if t.sources is not None else everywhere)
        (certain if all(t.plain is True and t.every is True for t in each) else possible).extend(sources)
    if possible:
        return Truth(None, None, normal(certain + possible))
    return Truth(True, True, normal(certain)) if certain else NO


def elements(right: Any, chain: Chain, world: World) -> list[Any]:
    """The single elements of a right side: a value, a list, a set, or a named set.

    Raises:
        _NotUnderstood: the set's content is not certain.
    """
    if isinstance(right, str) and right.startswith("@"):
        named = world.ruleset.sets.get((chain.family, chain.table, right[1:]))
        if named is None or named.elements is None:
            raise _NotUnderstood
        return [_bare(e) for e in named.elements]
    if isinstance(right, dict) and "set" in right:
        inner = right["set"]
        return [_bare(e) for e in inner] if isinstance(inner, list) else elements(inner, chain, world)
    if isinstance(right, list):
        return [_bare(e) for e in right]
    return [right]


def _bare(element: Any) -> Any:
    if isinstance(element, dict) and "elem" in element:
        inner = element["elem"]
        if not isinstance(inner, dict) or "timeout" in inner or "expires" in inner or "limit" in inner:
            raise _NotUnderstood
        element = inner["val"]
    if element == "*":
        raise _NotUnderstood
    return element


def _compared(
    operator: str, right: Any, chain: Chain, world: World, one: Callable[[Any], Tri], value: int | None = None
) -> Tri:
    """``value op right``, where ``one`` says whether the value is (in) one element."""
    if operator in ("<", ">", "<=", ">="):
        if value is None or isinstance(right, bool) or not isinstance(right, int):
            return None
        return {"<": value < right, ">": value > right, "<=": value <= right, ">=": value >= right}[operator]
    if operator not in ("==", "!=", "in"):
        return None
    answers = [one(e) for e in elements(right, chain, world)]
    inside: Tri = True if True in answers else None if None in answers else False
    return inside if operator != "!=" or inside is None else not inside


def port_in(element: Any, port: int) -> Tri:
    """Whether a port is an element of a set: a number or a range of numbers."""
    if isinstance(element, bool):
        return None
    if isinstance(element, int):
        return element == port
    if isinstance(element, dict) and set(element) == {"range"}:
        low, high = element["range"]
        if isinstance(low, int) and isinstance(high, int):
            return low <= port <= high
    return None


def addresses(right: Any, chain: Chain, world: World, family: Family) -> Ranges:
    """The addresses a right side names.

    Raises:
        _NotUnderstood: one of them is none.
    """
    found: list[tuple[int, int]] = []
    for element in elements(right, chain, world):
        one = _addresses(element, family)
        if one is None:
            raise _NotUnderstood
        found.extend(one)
    return normal(found)


def _addresses(element: Any, family: Family) -> Ranges | None:
    if isinstance(element, str):
        return of_network(element, family)
    if isinstance(element, dict) and set(element) == {"prefix"}:
        return of_network(f"{element['prefix']['addr']}/{element['prefix']['len']}", family)
    if isinstance(element, dict) and set(element) == {"range"}:
        low, high = (of_network(e, family) for e in element["range"])
        return ((low[0][0], high[0][1]),) if low and high else None
    return None


_OTHER_TRANSPORTS = frozenset(
    {"icmp", "icmpv6", "igmp", "sctp", "dccp", "udplite", "gre", "gretap", "esp", "ah", "comp"}
)


def _payload(what: Any, operator: str, right: Any, packet: Packet, chain: Chain, world: World) -> Truth:
    if "protocol" not in what:
        return SOME  # raw bytes
    protocol, field = what["protocol"], what["field"]
    if protocol in _OTHER_TRANSPORTS or (protocol in ("tcp", "udp") and protocol != packet.proto):
        return NO  # nft checks the protocol first, also under "!="
    if protocol in ("tcp", "udp", "th"):
        if field == "dport":
            return truth(_compared(operator, right, chain, world, lambda e: port_in(e, packet.port), packet.port))
        if field == "flags" and protocol == "tcp":
            return _flags(None, operator, right, packet)
        return SOME
    if protocol in ("ip", "ip6"):
        family: Family = "ipv4" if protocol == "ip" else "ipv6"
        if family != packet.family:
            return NO
        if field == "saddr" and operator in ("==", "!=", "in"):
            named = addresses(right, chain, world, family)
            everywhere: Ranges = ((0, 2 ** BITS[family] - 1),)
            return Truth(True, True, difference(everywhere, named) if operator == "!=" else named)
        if field == "daddr" and operator in ("==", "!=", "in"):
            return _daddr(addresses(right, chain, world, family), operator, packet)
        if field in ("protocol", "nexthdr"):
            answer = _compared(operator, right, chain, world, lambda e: _protocol(e, packet.proto))
            # Extension headers may stand before the transport in IPv6.
            return truth(answer) if protocol == "ip" else Truth(answer, None)
    return SOME


def _daddr(named: Ranges, operator: str, packet: Packet) -> Truth:
    if not packet.address:
        # All the host's own addresses: certain only when the condition names all or none of them.
        outside = not difference(everyone(packet.family), named)
        answer: Tri = True if outside else False if not named else None
    else:
        value = int(ipaddress.ip_address(packet.address.split("%", 1)[0]))
        answer = any(low <= value <= high for low, high in named)
    return truth(answer if operator != "!=" or answer is None else not answer)


def _protocol(element: Any, proto: str) -> Tri:
    if isinstance(element, str):
        return element == proto if not element.isdecimal() else int(element) == _NUMBERS[proto]
    if isinstance(element, int):
        return element == _NUMBERS[proto]
    return None


_NUMBERS = {"tcp": 6, "udp": 17}


def _meta(key: str, operator: str, right: Any, packet: Packet, chain: Chain, world: World) -> Truth:
    if key == "l4proto":
        return truth(_compared(operator, right, chain, world, lambda e: _protocol(e, packet.proto)))
    if key == "nfproto":
        return truth(
            _compared(operator, right, chain, world, lambda e: e == packet.family if isinstance(e, str) else None)
        )
    if key == "protocol":
        name = "ip" if packet.family == "ipv4" else "ip6"
        return truth(_compared(operator, right, chain, world, lambda e: e == name if e in ("ip", "ip6") else None))
    if key in ("iifname", "iif"):
        return truth(_compared(operator, right, chain, world, lambda e: interface_is(e, packet.interface)))
    if key == "pkttype":
        # What is bound to a multicast address, or takes UDP at all, also receives what was sent to many.
        plain = _compared(operator, right, chain, world, lambda e: e in ("host", "unicast"))
        return SOME if packet.multicast else Truth(plain, plain if packet.proto == "tcp" else None)
    return SOME


def interface_is(element: Any, name: str) -> Tri:
    """Whether the interface called ``name`` (empty: one that no rule names) is what a rule means by ``element``."""
    if not isinstance(element, str) or element.isdecimal():
        return None
    if element.endswith("*"):
        return name.startswith(element[:-1]) if name else None
    return element == name


def _ct(what: Mapping[str, Any], operator: str, right: Any, packet: Packet, chain: Chain, world: World) -> Truth:
    key = what["key"]
    if "dir" in what:
        return SOME
    if key == "state":
        if world.untracked:
            return SOME
        # The first packet of a connection is "new". What the tracker calls invalid (broken header or flags) no
        # listener takes, and what is established or related has begun with a packet that was let in or sent out.
        state = "established" if packet.later else "new"
        return truth(_compared(operator, right, chain, world, lambda e: e == state if isinstance(e, str) else None))
    if key == "status":
        named = elements(right, chain, world)
        if set(map(str, named)) <= {"dnat"} and operator in ("in", "==", "!="):
            answer = operator == "!="
            return Truth(answer, None) if world.translated else truth(answer)
    return SOME


def _fib(what: Mapping[str, Any], operator: str, right: Any, packet: Packet, chain: Chain, world: World) -> Truth:
    flags = [what["flags"]] if isinstance(what["flags"], str) else list(what["flags"])
    if what["result"] == "type" and "daddr" in flags and "saddr" not in flags and not packet.multicast:
        plain = _compared(operator, right, chain, world, lambda e: e == "local" if isinstance(e, str) else None)
        return Truth(plain, plain if packet.proto == "tcp" and flags == ["daddr"] else None)
    if (
        what["result"] in ("oif", "oifname")
        and "saddr" in flags
        and operator == "=="
        and right in (False, 0, "missing")
    ):
        # Reverse path check: an ordinary sender has a way back.
        return Truth(False, None)
    if what["result"] in ("oif", "oifname") and "saddr" in flags and right is True:
        return Truth(operator == "==", None)
    return SOME


def _flags(mask: Any, operator: str, right: Any, packet: Packet) -> Truth:
    """TCP flags: the first packet has SYN and none of FIN, RST, ACK (RFC 9293)."""
    if packet.proto != "tcp":
        return NO
    first = {"ack"} if packet.later else {"syn"}
    certain = {"fin", "syn", "rst", "ack"}
    masked = set(mask if isinstance(mask, list) else [mask]) if mask is not None else None
    wanted = set(right if isinstance(right, list) else [right])
    if not all(isinstance(f, str) for f in wanted | (masked or set())) or (masked or wanted) - certain:
        return SOME
    if masked is None:
        return SOME
    if operator in ("==", "!="):
        equal = first & masked == wanted
        return truth(equal if operator == "==" else not equal)
    return SOME
