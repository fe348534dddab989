"""Sharing on Windows: Internet connection sharing, hosted network, mobile hotspot.

Sources: INetSharingConfiguration (SharingEnabled), WlanHostedNetworkQueryStatus, the service icssvc, the address that
connection sharing gives its inner side (``SharedAccess\\Parameters``: ``ScopeAddress``). That the service SharedAccess
runs says nothing: virtual machines and WSL start it too.
"""

from __future__ import annotations

from collections.abc import Iterator

from ybscan.hosts.base import Host
from ybscan.hosts.groups.network import Interface
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._patterns import like
from ybscan.probes._windows.images import base_name, name_gaps
from ybscan.probes._windows.keys import Keys
from ybscan.probes._windows.settings import is_running
from ybscan.probes.base import Context

_PARAMETERS = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters"
_INNER = "192.168.137.1"
_ROLES = {"public": "对外一侧", "private": "对内一侧"}
_RUNS = frozenset({"running", "pending", "paused"})


def offers(host: Host, context: Context) -> Fact:
    """What others could reach the network through."""
    keys = Keys(host)
    interfaces = host.network.interfaces()
    inner = _inner_side(keys, interfaces)
    items = [*_shared(host, keys.gaps), *_hosted(host, keys.gaps), *_hotspot(host, inner, keys.gaps)]
    if inner and not any(i["active"] is True for i in items):
        items.append({"name": inner, "kind": "共享连接的对内地址", "active": True, "source": "网络接口"})
    items.extend(_programs(host, context, bool(inner), keys.gaps))
    if not isinstance(interfaces, Known):
        keys.gaps.append(interfaces.as_gap() if isinstance(interfaces, Unknown) else Gap(Cause.UNAVAILABLE, "网络接口"))
    else:
        keys.gaps.extend(interfaces.gaps)
    return Known(tuple(items), "共享设置、承载网络与移动热点", keys.all_gaps())


def _inner_side(keys: Keys, interfaces: Reading[tuple[Interface, ...]]) -> str:
    """The interface in use that has the address of a sharing machine; empty where there is none."""
    own = keys.text(_PARAMETERS, "ScopeAddress") or _INNER
    live = interfaces.value if isinstance(interfaces, Known) else ()
    return next((i.name for i in live if i.running and any(a.address in (own, _INNER) for a in i.addresses)), "")


def _shared(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    sharing = host.network.sharing()
    if not isinstance(sharing, Known):
        gaps.append(sharing.as_gap() if isinstance(sharing, Unknown) else Gap(Cause.UNAVAILABLE, "共享设置"))
        return
    gaps.extend(sharing.gaps)
    for connection in sharing.value:
        if connection.enabled:
            yield {
                "name": connection.name, "kind": f"共享连接（{_ROLES[connection.role]}）", "active": True,
                "source": "Internet 连接共享",
            }  # fmt: skip


def _running(host: Host, service: str) -> bool | Unknown | None:
    """Whether a service runs; None where there is no such service."""
    states = host.services.states()
    if isinstance(states, Unknown):
        return states
    if isinstance(states, Absent):
        return Unknown(Cause.UNAVAILABLE, "服务状态")
    found = next((s for s in states.value if s.name.lower() == service.lower()), None)
    if found is not None:
        return found.state in _RUNS
    doubt = is_running(host, service)
    return doubt if isinstance(doubt, Unknown) else None


def _hosted(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    hosted = host.network.hosted_network()
    if isinstance(hosted, Known):
        if hosted.value:
            yield {"name": "承载网络", "kind": "无线热点", "active": True, "source": "WlanHostedNetworkQueryStatus"}
        return
    # Without the wireless service there is no hosted network, and nothing to ask.
    wireless = _running(host, "WlanSvc")
    if isinstance(wireless, Unknown) or wireless:
        gaps.append(hosted.as_gap() if isinstance(hosted, Unknown) else Gap(Cause.UNAVAILABLE, "承载网络状态"))


def _hotspot(host: Host, inner: str, gaps: list[Gap]) -> Iterator[Item]:
    running = _running(host, "icssvc")
    if isinstance(running, Unknown):
        gaps.append(running.as_gap())
    elif running:
        active: FieldValue = True
        if not inner:
            active = Unknown(Cause.UNCONFIRMED, "移动热点服务在运行，但没有看到热点的地址，需核实热点是否打开")
        yield {"name": "移动热点", "kind": "无线热点", "active": active, "source": "icssvc"}


def _programs(host: Host, context: Context, sharing: bool, gaps: list[Gap]) -> Iterator[Item]:
    running = host.processes.running()
    if not isinstance(running, Known):
        gaps.append(running.as_gap() if isinstance(running, Unknown) else Gap(Cause.UNAVAILABLE, "进程列表"))
        return
    gaps.extend(name_gaps(running))
    patterns = {
        pattern: product.name
        for product in context.dictionary.products if product.category == "wifi-sharing"
        for pattern in product.windows.processes
    }  # fmt: skip
    found: dict[str, str] = {}
    for process in running.value:
        for pattern, name in patterns.items():
            if any(like(n, (pattern,)) for n in {process.name, base_name(process.exe or "")} if n):
                found[name] = process.name
    for name, process_name in sorted(found.items()):
        active: FieldValue = Unknown(Cause.UNCONFIRMED, "热点程序在运行，没有看到热点的地址，需核实热点是否打开")
        yield {
            "name": name, "kind": "热点程序", "active": True if sharing else active, "source": f"进程 {process_name}",
        }  # fmt: skip
