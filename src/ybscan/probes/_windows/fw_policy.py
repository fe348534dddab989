"""The state of the Windows firewall: its profiles as group policy and local settings make them, its services, who took over.

Sources: [MS-GPFAS] 2.2.1 to 2.2.4 (profile keys, EnableFirewall, DefaultInboundAction, DoNotAllowExceptions,
AllowLocalPolicyMerge, DisabledInterfaces; a policy value wins over the local one), INetFwPolicy2, SecurityCenter2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ybscan.hosts.base import Host
from ybscan.hosts.groups.network import FirewallProfile
from ybscan.hosts.groups.services import ServiceState
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

LOCAL = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall"
Name = Literal["domain", "private", "public"]
PROFILES: tuple[Name, ...] = ("domain", "private", "public")
TITLES = {"domain": "域网络", "private": "专用网络", "public": "公用网络"}
_LOCAL_KEY = {"domain": "DomainProfile", "private": "StandardProfile", "public": "PublicProfile"}
_POLICY_KEY = {"domain": "DomainProfile", "private": "PrivateProfile", "public": "PublicProfile"}
#: Templates from before Windows Vista know one profile for all networks but the domain's.
_OLD = "StandardProfile"
_RUNS = frozenset({"running", "pending", "paused"})
SERVICES = ("MpsSvc", "BFE")


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile as in force. Unknown where policy, local setting and the system's own word do not make one answer."""

    name: Name
    active: bool | Unknown
    enabled: bool | Unknown
    blocks: bool | Unknown
    """Whether incoming connections that no rule speaks of are blocked."""
    sealed: bool | Unknown
    """Whether even those that rules let in are blocked."""
    local_rules: bool | Unknown
    """Whether rules other than the policy's count."""


def profiles(host: Host) -> tuple[Profile, ...]:
    """The three profiles."""
    live = host.network.firewall()
    known = {p.name: p for p in live.value} if isinstance(live, Known) else {}
    active = _active(live, known)
    return tuple(_profile(host, name, known.get(name), active) for name in PROFILES)


def _active(
    live: Reading[tuple[FirewallProfile, ...]], known: dict[Name, FirewallProfile]
) -> dict[Name, bool | Unknown]:
    why = Unknown(Cause.UNAVAILABLE, "在用的网络类型无法得知")
    if isinstance(live, Unknown):
        why = Unknown(live.cause, f"在用的网络类型：{live.detail}", live.origin)
    elif set(known) == set(PROFILES) and any(p.active for p in known.values()):
        return {name: known[name].active for name in PROFILES}
    elif isinstance(live, Known):
        why = Unknown(Cause.UNAVAILABLE, "没有在用的网络，或系统没有报告")
    return dict.fromkeys(PROFILES, why)


def _profile(host: Host, name: Name, live: FirewallProfile | None, active: dict[Name, bool | Unknown]) -> Profile:
    enabled = _merged(host, name, "EnableFirewall", None)
    blocks = _merged(host, name, "DefaultInboundAction", 1)
    if live is not None:
        enabled = _agreed(enabled, live.enabled, name)
    if enabled is True:
        enabled = _everywhere(host, name)
    if live is not None:
        blocks = _agreed(blocks, live.inbound == "block", name)
    return Profile(
        name, active[name], enabled, blocks, _merged(host, name, "DoNotAllowExceptions", 0),
        _policy_only(host, name, "AllowLocalPolicyMerge", 1),
    )  # fmt: skip


def _everywhere(host: Host, name: Name) -> bool | Unknown:
    """True where no card is exempt: ``DisabledInterfaces`` lists those that a profile leaves unfiltered."""
    policy = _policy_key(host, name)
    if isinstance(policy, Unknown):
        return policy
    for key in (policy, f"{LOCAL}\\{_LOCAL_KEY[name]}"):
        reading = host.registry.value(key=key, name="DisabledInterfaces") if key else None
        if isinstance(reading, Unknown):
            return reading
        if isinstance(reading, Known) and reading.value:
            return Unknown(Cause.UNCONFIRMED, f"{TITLES[name]}对部分网卡关闭了防火墙（DisabledInterfaces）", key or "")
    return True


def _agreed(written: bool | Unknown, told: bool, name: Name) -> bool | Unknown:
    """What both the registry and the running firewall say. Where the registry leaves it open, the firewall decides."""
    if isinstance(written, Unknown):
        return told if written.cause in (Cause.UNAVAILABLE, Cause.UNCONFIRMED) else written
    if written == told:
        return told
    return Unknown(Cause.UNCONFIRMED, f"{TITLES[name]}：注册表与系统报告的状态不一致", LOCAL)


def _policy_key(host: Host, name: Name) -> str | Unknown | None:
    """The key of the policy that holds for a profile; None without a policy for it.

    [MS-GPFAS] 2.2.3: where there is neither PrivateProfile nor PublicProfile, StandardProfile holds for both.
    """
    subkeys = host.registry.subkeys(key=POLICY)
    if isinstance(subkeys, Unknown):
        return subkeys
    there = {s.lower() for s in subkeys.value} if isinstance(subkeys, Known) else set()
    new = {"privateprofile", "publicprofile"} & there
    key = _OLD if name != "domain" and not new else _POLICY_KEY[name]
    return f"{POLICY}\\{key}" if key.lower() in there else None


def _merged(host: Host, name: Name, value: str, default: int | None) -> bool | Unknown:
    """The policy's value, else the local one, else the default; Unknown without any of them."""
    key = _policy_key(host, name)
    if isinstance(key, Unknown):
        return key
    found = _number(host, key, value) if key else None
    if found is None:
        found = _number(host, f"{LOCAL}\\{_LOCAL_KEY[name]}", value)
    if found is None:
        found = default
    if found is None:
        return Unknown(Cause.UNAVAILABLE, f"{TITLES[name]}的 {value} 没有设置", LOCAL)
    return found if isinstance(found, Unknown) else bool(found)


def _policy_only(host: Host, name: Name, value: str, default: int) -> bool | Unknown:
    key = _policy_key(host, name)
    if isinstance(key, Unknown):
        return key
    found = _number(host, key, value) if key else None
    return found if isinstance(found, Unknown) else bool(default if found is None else found)


def _number(host: Host, key: str, name: str) -> int | Unknown | None:
    reading = host.registry.value(key=key, name=name)
    if isinstance(reading, Unknown):
        return reading
    if isinstance(reading, Absent):
        return None
    if isinstance(reading.value, int) and reading.value in (0, 1):
        return reading.value
    return Unknown(Cause.MALFORMED, f"{key} 的 {name}", key)


def running(states: Reading[tuple[ServiceState, ...]]) -> bool | Unknown:
    """Whether the services run without which nothing is filtered."""
    if not isinstance(states, Known):
        return states if isinstance(states, Unknown) else Unknown(Cause.UNAVAILABLE, "服务状态")
    by_name = {s.name.lower(): s.state in _RUNS for s in states.value}
    found = [by_name.get(s.lower()) for s in SERVICES]
    if False in found:
        return False
    if None in found:
        gap = states.gaps[0] if states.gaps else None
        # A firewall whose service is not even there filters nothing.
        return Unknown(gap.cause, gap.detail, gap.origin) if gap else False
    return True


def others(host: Host) -> Reading[tuple[tuple[str, bool | Unknown], ...]]:
    """Firewalls of other makers that are registered with the security centre, and whether they are on."""
    products = host.security.products()
    if isinstance(products, Absent):
        return products
    if isinstance(products, Unknown):
        edition = host.system.windows()
        # Servers have no security centre that products could register with.
        if isinstance(edition, Known) and edition.value.installation.lower().startswith("server"):
            return Known((), "Windows Server 没有安全中心")
        return products
    found = tuple(
        (p.name, Unknown(Cause.UNCONFIRMED, "安全中心没有说明是否启用") if p.enabled is None else p.enabled)
        for p in products.value
        if p.kind == "firewall" and not p.name.casefold().startswith(("windows ", "microsoft "))
    )
    return Known(found, products.origin, products.gaps)
