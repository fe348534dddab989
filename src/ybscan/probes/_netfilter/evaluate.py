"""Following a connection through the chains: which sources surely get through, and which may. Pure.

``sure`` holds sources whose plain packets certainly come to a point, ``maybe`` every source from which some packet
may. A rule that is not understood never removes from ``maybe`` and always takes from ``sure`` what it might drop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ybscan.probes._netfilter.conditions import (
    SOME,
    YES,
    Packet,
    Tri,
    Truth,
    World,
    elements,
    holds,
    truth,
)
from ybscan.probes._netfilter.ranges import NOTHING, Ranges, difference, everyone, intersection, union
from ybscan.probes._netfilter.ruleset import Chain

#: nft itself allows jumps 16 deep.
_DEPTH = 20
#: Rules looked at for one question before it is given up; a ruleset of that size is no terminal's.
_STEPS = 200_000

#: Statements that neither accept nor drop, and after which the rule goes on.
_PASSING = frozenset({"counter", "log", "mangle", "notrack", "ct helper", "ct timeout", "ct expectation",
                      "secmark", "dup", "flow", "last", "comment", "continue"})  # fmt: skip
#: Extensions of iptables with the same property.
_XT_PASSING = frozenset({"LOG", "NFLOG", "ULOG", "AUDIT", "TRACE", "CT", "NOTRACK", "MARK", "CONNMARK", "CLASSIFY",
                         "TCPMSS", "DSCP", "TOS", "TTL", "HL", "SECMARK", "CONNSECMARK", "CHECKSUM", "LED"})  # fmt: skip
_XT_DROPPING = frozenset({"REJECT", "DROP", "TARPIT"})
#: Statements that send a packet elsewhere: to another port or address, or to a program.
DIVERTING = frozenset({"dnat", "redirect", "tproxy", "xt:DNAT", "xt:REDIRECT", "xt:TPROXY", "xt:NETMAP", "xt:?"})


class TooComplex(Exception):
    """More rules than can be followed."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Sources at one point of the way."""

    sure: Ranges
    maybe: Ranges


@dataclass(slots=True)
class _Walk:
    packet: Packet
    world: World
    accepted_sure: Ranges = NOTHING
    accepted_maybe: Ranges = NOTHING
    steps: int = 0


@dataclass(slots=True)
class _Here:
    """A chain being walked: who is still in it, and who has left it for the caller."""

    sure: Ranges
    maybe: Ranges
    returned_sure: Ranges = NOTHING
    returned_maybe: Ranges = NOTHING
    everywhere: Ranges = field(default=NOTHING)


def through(chain: Chain, packet: Packet, world: World) -> Flow:
    """Who gets through a base chain."""
    walk = _Walk(packet, world)
    everybody = everyone(packet.family)
    end = _walk(chain, Flow(everybody, everybody), walk, 0)
    if chain.policy == "accept":
        return Flow(union(walk.accepted_sure, end.sure), union(walk.accepted_maybe, end.maybe))
    if chain.policy == "drop":
        return Flow(walk.accepted_sure, walk.accepted_maybe)
    return Flow(walk.accepted_sure, union(walk.accepted_maybe, end.maybe))


def _walk(chain: Chain, start: Flow, walk: _Walk, depth: int) -> Flow:
    here = _Here(start.sure, start.maybe, everywhere=everyone(walk.packet.family))
    for rule in chain.rules:
        walk.steps += 1
        if walk.steps > _STEPS or depth > _DEPTH:
            raise TooComplex
        if not here.maybe:
            break
        _rule(rule, chain, here, walk, depth)
    return Flow(union(here.sure, here.returned_sure), union(here.maybe, here.returned_maybe))


def _rule(rule: tuple[Any, ...], chain: Chain, here: _Here, walk: _Walk, depth: int) -> None:
    plain: Tri = True
    every: Tri = True
    sources = here.everywhere
    for statement in rule:
        if not isinstance(statement, dict) or len(statement) != 1:
            _verdict("?", None, Truth(plain, every, sources), chain, here, walk, depth)
            return
        ((name, body),) = statement.items()
        if name in _PASSING or _sets_only(name, body):
            continue
        if name == "vmap":
            _vmap(body, Truth(plain, every, sources), chain, here, walk, depth)
            return
        if name == "reject":
            implied = _implied(body, walk.packet)
            plain, every = _both(plain, implied.plain), _both(every, implied.every)
            if every is False:
                return
        condition = _condition(name, body, walk, chain)
        if condition is None:
            verdict = _xt_verdict(body) if name == "xt" else name
            if verdict:
                _verdict(verdict, body, Truth(plain, every, sources), chain, here, walk, depth)
                return
            continue
        plain, every = _both(plain, condition.plain), _both(every, condition.every)
        if condition.sources is not None:
            sources = intersection(sources, condition.sources)
        if every is False or not sources:
            return


def _implied(body: Any, packet: Packet) -> Truth:
    """What a ``reject`` says of its packets by its answer alone: nft leaves out the condition that it implies."""
    kind = body.get("type") if isinstance(body, Mapping) else None
    wanted = {"tcp reset": packet.proto == "tcp", "icmp": packet.family == "ipv4", "icmpv6": packet.family == "ipv6"}
    return truth(wanted[kind]) if kind in wanted else YES if kind in (None, "icmpx") else SOME


def _both(a: Tri, b: Tri) -> Tri:
    return False if a is False or b is False else None if a is None or b is None else True


def _sets_only(name: str, body: Any) -> bool:
    """``meta mark set …`` and the like: JSON calls them ``mangle``, other releases by the thing that is set."""
    return name in ("meta", "ct") and isinstance(body, dict) and "value" in body


def _condition(name: str, body: Any, walk: _Walk, chain: Chain) -> Truth | None:
    """The truth of a statement that is a condition; None when it is a verdict."""
    if name == "match":
        return holds(body, walk.packet, chain, walk.world)
    if name == "limit":
        # A plain packet comes within the rate; a named limit is shared with others and may be used up.
        return Truth(not body.get("inv"), None) if isinstance(body, Mapping) else SOME
    if name in ("quota", "set", "map", "connlimit", "ct count", "meter", "socket", "osf"):
        return SOME  # may stop the rule, as when a set is full
    if name == "xt":
        kind = body.get("type") if isinstance(body, Mapping) else None
        if kind == "match":
            return YES if body.get("name") == "comment" else SOME
        if kind == "watcher":
            return YES
    return None


def _xt_verdict(body: Any) -> str:
    name = str(body.get("name")) if isinstance(body, Mapping) else "?"
    return "" if name in _XT_PASSING else "drop" if name in _XT_DROPPING else "?"


def _vmap(body: Any, so_far: Truth, chain: Chain, here: _Here, walk: _Walk, depth: int) -> None:
    """A verdict map: each element is a rule of its own, since keys do not overlap; an unclear one is unclear whole."""
    try:
        key, data = body["key"], body["data"]
        entries = [(pair[0], pair[1]) for pair in elements(data, chain, walk.world)]
    except Exception:  # elements() raises its own kind for sets that are not certain
        _verdict("?", None, Truth(so_far.plain, None, so_far.sources), chain, here, walk, depth)
        return
    if isinstance(key, dict) and ("concat" in key or "map" in key):
        _unclear(entries, so_far, chain, here, walk, depth)
        return
    for value, verdict in entries:
        condition = holds({"op": "==", "left": key, "right": value}, walk.packet, chain, walk.world)
        if isinstance(key, dict) and "ct" in key:
            condition = holds({"op": "in", "left": key, "right": value}, walk.packet, chain, walk.world)
        plain, every = _both(so_far.plain, condition.plain), _both(so_far.every, condition.every)
        sources = so_far.sources if so_far.sources is not None else here.everywhere
        if condition.sources is not None:
            sources = intersection(sources, condition.sources)
        if every is False or not sources:
            continue
        ((name, target),) = verdict.items()
        _verdict(name, target, Truth(plain, every, sources), chain, here, walk, depth)


def _unclear(entries: list[Any], so_far: Truth, chain: Chain, here: _Here, walk: _Walk, depth: int) -> None:
    for _, verdict in entries:
        ((name, target),) = verdict.items()
        _verdict(name, target, Truth(None if so_far.plain is not False else False, None, so_far.sources), chain,
                 here, walk, depth)  # fmt: skip


def _verdict(name: str, body: Any, condition: Truth, chain: Chain, here: _Here, walk: _Walk, depth: int) -> None:
    """Apply a verdict to those the rule is about."""
    sources = condition.sources if condition.sources is not None else here.everywhere
    plain, every = condition.plain, condition.every
    sure = NOTHING if plain is False else intersection(here.sure, sources)
    maybe = NOTHING if every is False else intersection(here.maybe, sources)
    if not maybe and not sure:
        return
    if name == "accept" or name in ("snat", "masquerade"):
        if plain is True:
            walk.accepted_sure = union(walk.accepted_sure, sure)
            here.sure = difference(here.sure, sure)
        # Unclear whether accepted here: then they go on, and count as sure only if they get through there as well.
        walk.accepted_maybe = union(walk.accepted_maybe, maybe)
    elif name in ("drop", "reject"):
        here.sure = difference(here.sure, sure)
    elif name in ("jump", "goto"):
        _jump(name, body, condition, sure, maybe, chain, here, walk, depth)
        return
    elif name == "return":
        here.sure = difference(here.sure, sure)
        if plain is True:
            here.returned_sure = union(here.returned_sure, sure)
        here.returned_maybe = union(here.returned_maybe, maybe)
    else:
        # dnat, redirect, queue, tproxy, synproxy, a chain without a name: anything may come of it.
        here.sure = difference(here.sure, sure)
        walk.accepted_maybe = union(walk.accepted_maybe, maybe)
        return
    if every is True:
        here.maybe = difference(here.maybe, sources)


def _jump(
    name: str,
    body: Any,
    condition: Truth,
    sure: Ranges,
    maybe: Ranges,
    chain: Chain,
    here: _Here,
    walk: _Walk,
    depth: int,
) -> None:
    target = walk.world.ruleset.chains.get((chain.family, chain.table, str(body.get("target", ""))))
    if target is None:
        _verdict("?", None, condition, chain, here, walk, depth)
        return
    before = walk.accepted_sure
    walk.accepted_sure = NOTHING
    end = _walk(target, Flow(sure, maybe), walk, depth + 1)
    inside, walk.accepted_sure = walk.accepted_sure, before
    rest = difference(here.sure, sure)
    if condition.plain is True:
        walk.accepted_sure = union(before, inside)
        if name == "goto":
            here.returned_sure = union(here.returned_sure, end.sure)
            here.sure = rest
        else:
            here.sure = union(rest, end.sure)
    else:
        # They may or may not go there: sure to go on is only who would not be lost there, and comes back here.
        kept = union(inside, end.sure) if name == "jump" else inside
        here.sure = union(rest, intersection(sure, kept))
    sources = condition.sources if condition.sources is not None else here.everywhere
    stay = difference(here.maybe, sources) if condition.every is True else here.maybe
    if name == "goto":
        here.returned_maybe = union(here.returned_maybe, end.maybe)
        here.maybe = stay
    else:
        here.maybe = union(stay, end.maybe)
