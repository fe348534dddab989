"""The Windows firewall by profile, whether it starts with the system, and who took its place."""

from __future__ import annotations

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Absent, Known, Unknown
from ybscan.probes._windows.fw_policy import LOCAL, SERVICES, TITLES, Profile, others, profiles, running


def facts(host: Host) -> dict[str, Fact]:
    """All facts of the firewall."""
    runs = running(host.services.states())
    products = others(host)
    items: tuple[Item, ...] = tuple(_scope(p, runs) for p in profiles(host))
    return {
        "scopes": Known(items, LOCAL),
        "managers": Absent("Windows 只有一个防火墙服务"),
        "lasting": _lasting(host),
        "products": products if not isinstance(products, Known) else Known(
            tuple({"name": name, "on": state} for name, state in products.value), products.origin, products.gaps
        ),
    }  # fmt: skip


def _scope(profile: Profile, runs: bool | Unknown) -> Item:
    enabled: FieldValue = profile.enabled
    if enabled is True and runs is not True:
        enabled = runs
    inbound: FieldValue = (
        profile.blocks if isinstance(profile.blocks, Unknown) else "阻止" if profile.blocks else "放行"
    )
    if profile.sealed is True:
        inbound = "阻止"
    active: FieldValue = profile.active
    if runs is False and isinstance(active, Unknown):
        active = True  # whichever network is in use, nothing filters it
    return {"scope": TITLES[profile.name], "active": active, "enabled": enabled, "inbound": inbound}


def _lasting(host: Host) -> Fact:
    configured = host.services.configured()
    if not isinstance(configured, Known):
        return configured
    starts = {s.name.lower(): s.start for s in configured.value}
    missing = [s for s in SERVICES if s.lower() not in starts]
    if missing and configured.gaps:
        gap = configured.gaps[0]
        return Unknown(gap.cause, gap.detail, gap.origin)
    return Known(all(starts.get(s.lower()) == "auto" for s in SERVICES), "MpsSvc、BFE 的启动类型")
