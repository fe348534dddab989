"""Routes that Windows keeps in the registry, and what its own check of the connection is worth.

Sources: GetIpForwardTable2 (the live table, from the network group), ``route -p`` and ``Tcpip\\Parameters\\PersistentRoutes``
(value names ``destination,mask,gateway,metric``), NLM_CONNECTIVITY of netlistmgr.h, "Network Connectivity Status Indicator".
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from ybscan.hosts.base import Host
from ybscan.hosts.groups.network import Route
from ybscan.model.facts import Fact
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown
from ybscan.probes._windows.adapters import connection_name
from ybscan.probes._windows.keys import Keys
from ybscan.probes.net_routes import PERSISTENT

_PARAMETERS = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
_NCSI = r"HKLM\SYSTEM\CurrentControlSet\Services\NlaSvc\Parameters\Internet"
_NCSI_POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\NetworkConnectivityStatusIndicator"
#: Hosts of the vendor's own check; a unit may point the check at a server of its own.
_VENDOR = ("msftconnecttest.com", "msftncsi.com")


def routes(host: Host) -> Reading[tuple[Route, ...]]:
    """The routes in force and the permanent ones; without the former also the gateways that are set up.

    A permanent route takes effect whenever its gateway is within reach, so it counts even while it does not. Gateways
    that are merely set up may belong to cards that are gone: ``consulted`` is None for them.
    """
    live = host.network.routes()
    keys = Keys(host)
    present = {(r.destination, r.gateway) for r in live.value} if isinstance(live, Known) else set()
    configured = _configured(keys)
    # Windows also keeps here, with the metric -1, the gateway that was typed in for a card: it goes with the card.
    typed = {r.gateway for r in configured}
    # Where the cards' settings were not all legible such a route may be either.
    doubtful = bool(keys.gaps)
    stored = [
        replace(r, consulted=None) if r.metric < 0 and doubtful else r
        for r in _persistent(keys)
        if (r.destination, r.gateway) not in present
        and not (r.metric < 0 and r.destination == "0.0.0.0/0" and r.gateway in typed)
    ]
    if isinstance(live, Known):
        return Known((*live.value, *stored), live.origin, (*live.gaps, *keys.all_gaps()))
    stored += configured
    why = live if isinstance(live, Unknown) else Unknown(Cause.UNAVAILABLE, "没有路由表")
    return Known(tuple(stored), _PARAMETERS, (why.as_gap(), *keys.all_gaps())) if stored else why


def _persistent(keys: Keys) -> list[Route]:
    key = f"{_PARAMETERS}\\PersistentRoutes"
    found = []
    for name in keys.values(key):
        words = name.split(",")
        try:
            network = ipaddress.IPv4Network(f"{words[0]}/{words[1]}", strict=False)
            gateway = str(ipaddress.IPv4Address(words[2]))
            metric = int(words[3]) if len(words) > 3 else 0
        except (ValueError, IndexError):
            keys.malformed(key, name[:60])
            continue
        found.append(Route("ipv4", str(network), gateway, "", metric, PERSISTENT))
    return found


def _configured(keys: Keys) -> list[Route]:
    found = []
    for guid in keys.subkeys(f"{_PARAMETERS}\\Interfaces"):
        values = keys.values(f"{_PARAMETERS}\\Interfaces\\{guid}")
        dynamic = values.get("enabledhcp") != 0
        listed = values.get("dhcpdefaultgateway" if dynamic else "defaultgateway", ())
        for gateway in listed if isinstance(listed, tuple) else str(listed).split():
            try:
                address = str(ipaddress.IPv4Address(gateway))
            except ValueError:
                continue  # an empty text stands for none
            name = connection_name(keys, guid) or guid
            found.append(Route("ipv4", "0.0.0.0/0", address, name, 0, "网卡设置", consulted=None))
    return found


def connectivity(host: Host) -> Fact:
    """What Windows itself concluded. Its "yes" counts when it was the vendor's own servers that answered."""
    online = host.network.online()
    if isinstance(online, Absent):
        return Unknown(Cause.UNAVAILABLE, "系统没有给出联网状态")
    if isinstance(online, Unknown):
        return online
    keys = Keys(host)
    off = keys.number(_NCSI_POLICY, "NoActiveProbe") == 1 or keys.number(_NCSI, "EnableActiveProbing") == 0
    if not online.value:
        return Known("未启用检测" if off else "未连通", online.origin)
    if off:
        return Unknown(Cause.UNCONFIRMED, "系统报告已连通互联网，但其主动检测已关闭，只是推测", online.origin)
    server = keys.text(_NCSI, "ActiveWebProbeHost").lower().rstrip(".")
    if keys.gaps:
        gap = keys.gaps[0]
        return Unknown(gap.cause, f"系统报告已连通互联网，但其检测设置无法读取：{gap.detail}", gap.origin)
    if server and not server.endswith(_VENDOR):
        return Unknown(Cause.UNCONFIRMED, f"系统报告已连通互联网，但检测的是 {server[:60]}，可能是内网服务器")
    return Known("已连通互联网", online.origin)
