"""From the rules to one word per listener: open, restricted, blocked, or why it cannot be told. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from ybscan.model.reading import Cause, Unknown
from ybscan.probes._netfilter.conditions import Packet, World
from ybscan.probes._netfilter.evaluate import DIVERTING, Flow, TooComplex, through
from ybscan.probes._netfilter.ranges import NOTHING, Family, Ranges, as_networks, everyone, intersection, union, wide
from ybscan.probes._netfilter.ruleset import Chain, Ruleset

Verdict = Literal["open", "restricted", "blocked"]

#: Most networks listed for a restricted port.
_MAX_SOURCES = 200


@dataclass(frozen=True, slots=True)
class Firewall:
    """Everything about the packet filter that decides what comes in."""

    ruleset: Ruleset
    #: Tables of the old iptables back end that exist (``filter``, ``nat`` …), by family. Their rules are not readable.
    legacy: Mapping[Family, frozenset[str]]
    interfaces: frozenset[str] | None
    """Physical interfaces of this host that no software made; None when not known."""

    @property
    def filters(self) -> bool:
        """Whether any rule or table can stop an incoming packet."""
        return bool(self.ruleset.base("input") or any(self.legacy.values()))


@dataclass(frozen=True, slots=True)
class Exposure:
    """What an outsider can reach: ``sources`` are all networks from which something may get through, as an upper
    bound, when the port is restricted; ``why`` says what was not understood when there is no verdict."""

    verdict: Verdict | Unknown
    sources: tuple[str, ...] = ()
    certain: bool = False
    """Whether every one of these sources surely gets through (an open port: everybody)."""


def exposure(
    firewall: Firewall, *, proto: Literal["tcp", "udp"], port: int, address: str, families: Iterable[Family]
) -> Exposure:
    """The exposure of a listener over all families it serves: the worst of them."""
    found = [_family(firewall, proto, port, address, f) for f in families]
    for verdict in ("open", None, "restricted"):
        some = [e for e in found if (e.verdict == verdict if verdict else isinstance(e.verdict, Unknown))]
        if some:
            return Exposure(some[0].verdict, tuple(s for e in some for s in e.sources), any(e.certain for e in some))
    return Exposure("blocked")


def _family(firewall: Firewall, proto: Literal["tcp", "udp"], port: int, address: str, family: Family) -> Exposure:
    rules = firewall.ruleset
    legacy = firewall.legacy.get(family, frozenset())
    untracked = bool(legacy & {"raw"}) or bool(rules.statements & {"notrack", "xt:CT", "xt:NOTRACK", "xt:?", "?"})
    diverting = bool(rules.statements & DIVERTING)
    world = World(rules, untracked=untracked, translated=diverting or "nat" in legacy)
    reachable: Ranges = NOTHING
    certain: list[Ranges] = []
    opened: list[bool] = []
    names = sorted({"", *rules.interfaces, *(firewall.interfaces or ())})
    try:
        for name in names:
            packet = Packet(family=family, proto=proto, port=port, address=address, interface=name)
            flow = _flow(packet, world, family)
            if legacy:
                flow = Flow(NOTHING, flow.maybe)
            reachable = union(reachable, flow.maybe)
            if firewall.interfaces is None or name in firewall.interfaces:
                certain.append(flow.sure)
                opened.append(wide(flow.sure, family))
    except TooComplex:
        return Exposure(Unknown(Cause.TOO_LARGE, "防火墙规则过多"))
    except RecursionError:
        return Exposure(Unknown(Cause.MALFORMED, "防火墙规则嵌套过深"))
    # Open on one interface that is there is open; when it is not known which are, it must be so on all.
    if any(opened) if firewall.interfaces is not None else all(opened):
        return Exposure("open", certain=True)
    if (
        {"tproxy", "xt:TPROXY", "xt:?", "?"} & rules.statements
        or "mangle" in legacy
        or _diverted(world, proto, port, family, legacy)
    ):
        return Exposure(Unknown(Cause.UNCONFIRMED, "有端口转发或重定向规则，可能绕过防火墙的放行限制"))
    if not reachable:
        return Exposure("blocked")
    if not wide(reachable, family):
        sources = as_networks(reachable, family)
        if len(sources) <= _MAX_SOURCES:
            return Exposure(
                "restricted",
                sources,
                certain=any(c == reachable for c in certain)
                and (firewall.interfaces is not None or all(c == reachable for c in certain)),
            )
        return Exposure(Unknown(Cause.TOO_LARGE, "放行的来源过多"))
    if legacy:
        return Exposure(Unknown(Cause.UNSUPPORTED, "防火墙规则由旧版 iptables 执行，只读方式无法读取"))
    return Exposure(Unknown(Cause.UNCONFIRMED, "防火墙规则含有无法识别的条件，不能确定是否放行"))


def _chains(world: World, hook: str, family: Family) -> list[Chain]:
    own = {"ip" if family == "ipv4" else "ip6", "inet"}
    return [c for c in world.ruleset.base(hook) if c.family in own]


def _flow(packet: Packet, world: World, family: Family) -> Flow:
    """Who gets through every input chain; those before it can only take from who surely does.

    Whether anyone may get in is the first packet's matter; who surely does needs the rest of the TCP handshake too.
    """
    total = _first(packet, world, family)
    if packet.proto == "tcp" and total.sure:
        later = _first(replace(packet, later=True), world, family)
        return Flow(intersection(total.sure, later.sure), total.maybe)
    return total


def _first(packet: Packet, world: World, family: Family) -> Flow:
    total = Flow(everyone(family), everyone(family))
    for chain in _chains(world, "input", family):
        flow = through(chain, packet, world)
        total = Flow(intersection(total.sure, flow.sure), intersection(total.maybe, flow.maybe))
    for chain in _chains(world, "prerouting", family):
        if chain.kind != "nat":
            total = Flow(intersection(total.sure, through(chain, packet, world).sure), total.maybe)
    earlier = [c for c in world.ruleset.chains.values() if c.hook and c.hook not in ("output", "postrouting", "egress")
               and (c.family in ("netdev", "bridge") or c.hook == "ingress")]  # fmt: skip
    if any(c.rules or c.policy != "accept" for c in earlier):
        total = Flow(NOTHING, total.maybe)
    return total


def _diverted(world: World, proto: Literal["tcp", "udp"], port: int, family: Family, legacy: frozenset[str]) -> bool:
    """Whether a connection to this port may be sent elsewhere before the input chains see it."""
    if "nat" in legacy:
        return True
    for chain in (*_chains(world, "prerouting", family), *_chains(world, "ingress", family)):
        if chain.kind != "nat" and not _mentions(world, chain, DIVERTING):
            continue
        marked = _without_verdicts(world)
        for name in sorted({"", *world.ruleset.interfaces}):
            probe = Packet(family=family, proto=proto, port=port, address="", interface=name)
            target = marked.ruleset.chains[chain.family, chain.table, chain.name]
            if through(target, probe, marked).maybe:
                return True
    return False


def _mentions(world: World, chain: Chain, names: frozenset[str]) -> bool:
    return any(
        isinstance(s, dict) and names & set(s)
        for c in world.ruleset.chains.values()
        if (c.family, c.table) == (chain.family, chain.table)
        for rule in c.rules
        for s in rule
    )


def _without_verdicts(world: World) -> World:
    """The same rules in which to be sent elsewhere is all that counts as accepted."""
    chains = {
        key: Chain(
            c.family, c.table, c.name, c.kind, c.hook, "drop", tuple(tuple(map(_only_diverting, r)) for r in c.rules)
        )
        for key, c in world.ruleset.chains.items()
    }
    ruleset = Ruleset(chains, world.ruleset.sets, world.ruleset.statements, world.ruleset.interfaces)
    return World(ruleset, untracked=world.untracked, translated=world.translated)


def _only_diverting(statement: Any) -> Any:
    # "accept" ends the chain like "drop" does; both leave the destination as it is.
    return {"drop": None} if isinstance(statement, dict) and set(statement) == {"accept"} else statement


def serves(address: str) -> tuple[Family, ...]:
    """The families a listener on ``address`` serves: an IPv6 wildcard usually takes IPv4 too (ipv6(7), IPV6_V6ONLY)."""
    parsed = ipaddress.ip_address(address.split("%", 1)[0])
    if parsed.version == 4:
        return ("ipv4",)
    if parsed.is_unspecified:
        return ("ipv4", "ipv6")
    return ("ipv4",) if parsed.ipv4_mapped else ("ipv6",)
