"""From profiles and rules of the Windows firewall to one word per listener: open, restricted, blocked, or why not known."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ybscan.hosts.base import Host
from ybscan.hosts.groups.network import Interface
from ybscan.hosts.groups.services import ServiceState
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown
from ybscan.probes._netfilter.exposure import Exposure
from ybscan.probes._netfilter.ranges import Family, Ranges, as_networks, normal, of_network, union, wide
from ybscan.probes._windows.fw_policy import LOCAL, POLICY, Profile, others, profiles, running
from ybscan.probes._windows.fw_rules import FirewallRule, Listener, applies, parsed, remote

#: Where rules lie: those of the group policy, and the terminal's own (of packaged applications and of device management).
_POLICY_STORE = f"{POLICY}\\FirewallRules"
_OWN_STORE = f"{LOCAL}\\FirewallRules"
_OTHER_STORES = (f"{LOCAL}\\RestrictedServices\\AppIso\\FirewallRules", f"{LOCAL}\\Mdm\\FirewallRules")
#: Subkeys of templates from before Windows Vista that let programs and ports in.
_OLD_EXCEPTIONS = frozenset({"authorizedapplications", "globallyopenports", "services", "remoteadminsettings"})
_MAX_SOURCES = 200

Matches = Sequence[tuple[FirewallRule, bool | None]]
"""Rules, and whether they are about the listener; None: perhaps."""


@dataclass(slots=True)
class WindowsFirewall:
    """Everything that decides what comes in."""

    profiles: tuple[Profile, ...]
    runs: bool | Unknown
    policy_rules: list[FirewallRule] = field(default_factory=list)
    local_rules: list[FirewallRule] = field(default_factory=list)
    taken: Unknown | None = None
    """Why Windows' own firewall may have no say: another product decides, or that could not be found out."""
    doubt: Unknown | None = None
    """Why no rule can be relied on: some were not read."""
    subnets: dict[Family, Ranges | None] = field(default_factory=dict)
    wireless: bool = True
    """Whether a wireless card is in use; true where that is not known."""


def read_firewall(host: Host, states: Reading[tuple[ServiceState, ...]]) -> WindowsFirewall:
    """The firewall as it stands."""
    found = WindowsFirewall(profiles(host), running(states))
    found.taken = _taken_over(host)
    for store, rules in ((_POLICY_STORE, found.policy_rules), (_OWN_STORE, found.local_rules)):
        found.doubt = _read(host, store, rules, needed=store == _OWN_STORE) or found.doubt
    for store in _OTHER_STORES:
        found.doubt = _read(host, store, found.local_rules, needed=False) or found.doubt
    found.doubt = _old_exceptions(host) or found.doubt
    interfaces = host.network.interfaces()
    found.subnets = _subnets(interfaces)
    if isinstance(interfaces, Known) and not interfaces.gaps:
        found.wireless = any(i.kind == "wireless" and i.running for i in interfaces.value)
    return found


def _taken_over(host: Host) -> Unknown | None:
    products = others(host)
    if isinstance(products, Unknown):
        return Unknown(products.cause, f"是否有其他安全产品接管防火墙：{products.detail}", products.origin)
    if isinstance(products, Absent):
        return Unknown(Cause.UNAVAILABLE, "是否有其他安全产品接管防火墙")
    on = [name for name, state in products.value if state is not False]
    if on:
        return Unknown(Cause.UNCONFIRMED, f"防火墙由 {'、'.join(on)} 接管，其规则无法读取")
    if products.gaps:
        return Unknown(products.gaps[0].cause, products.gaps[0].detail, products.gaps[0].origin)
    return None


def _read(host: Host, store: str, rules: list[FirewallRule], *, needed: bool) -> Unknown | None:
    values = host.registry.values(key=store)
    if isinstance(values, Unknown):
        return values
    if isinstance(values, Absent):
        return Unknown(Cause.UNAVAILABLE, "注册表中没有防火墙规则", store) if needed else None
    doubt = next((Unknown(g.cause, f"防火墙规则：{g.detail}", store) for g in values.gaps), None)
    for name, text in values.value.items():
        rule = parsed(text) if isinstance(text, str) else None
        if rule is None:
            doubt = Unknown(Cause.MALFORMED, f"防火墙规则 {name[:60]}", store)
        elif rule != "off":
            rules.append(rule)
    return doubt


def _old_exceptions(host: Host) -> Unknown | None:
    for name in ("DomainProfile", "StandardProfile"):
        subkeys = host.registry.subkeys(key=f"{POLICY}\\{name}")
        if isinstance(subkeys, Unknown):
            return subkeys
        if isinstance(subkeys, Known) and {s.lower() for s in subkeys.value} & _OLD_EXCEPTIONS:
            return Unknown(Cause.UNSUPPORTED, "组策略中有旧式的防火墙例外，无法逐一判断", POLICY)
    return None


def _subnets(interfaces: Reading[tuple[Interface, ...]]) -> dict[Family, Ranges | None]:
    """The networks this machine stands in: what rules call the local subnet."""
    if not isinstance(interfaces, Known) or interfaces.gaps:
        return {"ipv4": None, "ipv6": None}
    connected = [i for i in interfaces.value if i.up and i.kind != "loopback" and i.addresses]
    if not connected:
        # With the cable out there is no local subnet now, and some network once it is back in.
        return {"ipv4": None, "ipv6": None}
    found: dict[Family, Ranges | None] = {}
    families: tuple[Family, ...] = ("ipv4", "ipv6")
    for family in families:
        ranges: list[tuple[int, int]] = []
        for i in connected:
            for a in i.addresses:
                try:
                    network = ipaddress.ip_network(f"{a.address.split('%', 1)[0]}/{a.prefix}", strict=False)
                except ValueError:
                    return {"ipv4": None, "ipv6": None}
                ranges.extend(of_network(str(network), family) or ())
        found[family] = normal(ranges)
    return found


def exposure(firewall: WindowsFirewall, listener: Listener, families: Iterable[Family]) -> Exposure:
    """What an outsider can reach: the worst over the profiles in use and the families served.

    Where it is not known which profiles are in use, all of them have to agree.
    """
    families = tuple(families)
    active = [p for p in firewall.profiles if p.active is True]
    if active:
        return _worst([_in_profile(firewall, p, listener, f) for p in active for f in families])
    found = [_worst([_in_profile(firewall, p, listener, f) for f in families]) for p in firewall.profiles]
    if all(e == found[0] for e in found):
        return found[0]
    why = next((p.active for p in firewall.profiles if isinstance(p.active, Unknown)), None)
    return Exposure(why or Unknown(Cause.UNCONFIRMED, "在用的网络类型无法得知"))


def _worst(found: list[Exposure]) -> Exposure:
    for verdict in ("open", None, "restricted"):
        some = [e for e in found if (e.verdict == verdict if verdict else isinstance(e.verdict, Unknown))]
        if some:
            sources = tuple(dict.fromkeys(s for e in some for s in e.sources))
            return Exposure(some[0].verdict, sources, all(e.certain for e in some))
    return Exposure("blocked")


def _in_profile(firewall: WindowsFirewall, profile: Profile, listener: Listener, family: Family) -> Exposure:
    if firewall.taken is not None:
        return Exposure(firewall.taken)
    for state in (firewall.runs, profile.enabled):
        if state is False:
            return Exposure("open", certain=True)
        if isinstance(state, Unknown):
            return Exposure(state)
    if firewall.doubt is not None:
        return Exposure(firewall.doubt)
    for setting in (profile.blocks, profile.sealed, profile.local_rules):
        if isinstance(setting, Unknown):
            return Exposure(setting)
    rules = [*firewall.policy_rules, *(firewall.local_rules if profile.local_rules else ())]
    about = [(r, a) for r in rules if (a := applies(r, listener, profile.name)) is not False]
    return _judged(about, profile, family, firewall.subnets.get(family))


def _judged(about: Matches, profile: Profile, family: Family, subnets: Ranges | None) -> Exposure:
    """A rule that blocks wins over those that let in; only an authenticated bypass wins over that."""
    if any(r.action == "bypass" for r, _ in about):
        return Exposure(Unknown(Cause.UNCONFIRMED, "有经身份验证即绕过阻止的规则"))
    if profile.sealed:
        return Exposure("blocked")
    blocking = [(r, a) for r, a in about if r.action == "block"]
    if any(a is True and remote(r, family, subnets).anyone for r, a in blocking):
        return Exposure("blocked")
    if not profile.blocks:
        return Exposure("open", certain=True) if not blocking else _unsure(blocking)
    letting = [(r, a) for r, a in about if r.action == "allow"]
    return _let_in(letting, blocking, family, subnets) if letting else Exposure("blocked")


def _let_in(
    letting: Matches,
    blocking: Matches,
    family: Family,
    subnets: Ranges | None,
) -> Exposure:
    sources = [(r, a, remote(r, family, subnets)) for r, a in letting]
    if not blocking and any(a is True and wide(s.ranges, family) for _, a, s in sources):
        return Exposure("open", certain=True)
    seen: Ranges = ()
    certain = not blocking
    for rule, answer, source in sources:
        if source.vague:
            return _unsure([(rule, answer)])
        seen = union(seen, source.ranges)
        certain = certain and answer is True
    if not seen:
        return Exposure("blocked")
    if wide(seen, family):
        return _unsure([*((r, a) for r, a in letting if a is None), *blocking, *letting])
    networks = as_networks(seen, family)
    if len(networks) > _MAX_SOURCES:
        return Exposure(Unknown(Cause.TOO_LARGE, "放行的来源过多"))
    return Exposure("restricted", networks, certain)


def _unsure(about: Matches) -> Exposure:
    named = "、".join(dict.fromkeys(_titles(about))) or "防火墙规则"
    return Exposure(Unknown(Cause.UNCONFIRMED, f"{named}含有无法识别的条件，不能确定是否放行"))


def _titles(about: Matches) -> Iterator[str]:
    for rule, _ in about[:3]:
        if rule.title:
            yield f"规则“{rule.title}”"
