"""What Windows believes of the network: the Internet reached, connections shared, the firewall's profiles.

Sources: INetworkListManager (netlistmgr.h), INetSharingManager (netcon.h), INetFwPolicy2 (netfw.h); [MS-GPFAS] for the
policy values, which win over the local ones when they are set.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

from typing import Literal  # noqa: E402

from ybscan.hosts.groups.network import FirewallProfile, SharedConnection  # noqa: E402
from ybscan.hosts.groups.registry import Registry  # noqa: E402
from ybscan.hosts.groups.services import Services  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live.com import ComObject, component  # noqa: E402
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown  # noqa: E402

_NETWORK_LIST_MANAGER = "{DCB00C01-570F-4A9B-8D69-199FDBA5723B}"
_INTERNET = 0x40 | 0x400

_Name = Literal["domain", "private", "public"]
#: NET_FW_PROFILE_TYPE2 and the keys of the policy.
_PROFILES: tuple[tuple[_Name, int, str], ...] = (
    ("domain", 1, "DomainProfile"), ("private", 2, "PrivateProfile"), ("public", 4, "PublicProfile"),
)  # fmt: skip
#: [MS-GPFAS] 2.2.3: old templates have one profile for all networks but the domain's, which holds for both of the new
#: ones as long as there is neither.
_OLD, _NEW = "StandardProfile", frozenset({"privateprofile", "publicprofile"})
_SHOWN: dict[_Name, str] = {"domain": "域", "private": "专用", "public": "公用"}
_POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall"
#: NET_FW_ACTION; the registry has it the other way round.
_ACTION_BLOCK, _ACTION_ALLOW = 0, 1
_POLICY_ALLOW, _POLICY_BLOCK = 0, 1


def online() -> Reading[bool]:
    """Whether Windows believes that it reaches the Internet. Call within com_asked.

    Raises:
        NotReadError: the network list service does not answer.
    """
    origin = "INetworkListManager.GetConnectivity"
    flags = component(_NETWORK_LIST_MANAGER, origin).number("GetConnectivity")
    return Known(bool(flags & _INTERNET), origin)


def sharing() -> Reading[tuple[SharedConnection, ...]]:
    """The connections, and whether they are shared. Call within com_asked.

    Raises:
        NotReadError: the component does not answer.
    """
    origin = "INetSharingManager"
    return shared_by(component("HNetCfg.HNetShare", origin))


def shared_by(manager: ComObject) -> Reading[tuple[SharedConnection, ...]]:
    """What an INetSharingManager says.

    Raises:
        NotReadError: it does not list the connections.
    """
    origin = "INetSharingManager"
    found: list[SharedConnection] = []
    gaps: list[Gap] = []
    for connection in manager.child("EnumEveryConnection").each():
        try:
            name = manager.child("NetConnectionProps", connection).text("Name")
            settings = manager.child("INetSharingConfigurationForINetConnection", connection)
            enabled = bool(settings.number("SharingEnabled"))
            role: Literal["public", "private"] = (
                "private" if enabled and settings.number("SharingConnectionType") == 1 else "public"
            )
        except NotReadError as e:
            gaps.append(e.reading.as_gap())
            continue
        found.append(SharedConnection(name, role, enabled))
    if not found and not gaps:
        return Unknown(Cause.UNAVAILABLE, "系统没有给出任何网络连接", origin)
    return Known(tuple(sorted(found, key=lambda c: (c.name, c.role, c.enabled))), origin, tuple(gaps))


def firewall(registry: Registry, services: Services) -> Reading[tuple[FirewallProfile, ...]]:
    """The three profiles, policy over local settings. Call within com_asked.

    Raises:
        NotReadError: the component does not answer, or does not answer for itself.
    """
    origin = "INetFwPolicy2"
    stopped = _not_running(services)
    if stopped is not None:
        return stopped
    return profiles_of(component("HNetCfg.FwPolicy2", origin), registry)


def profiles_of(policy: ComObject, registry: Registry) -> Reading[tuple[FirewallProfile, ...]]:
    """What an INetFwPolicy2 and the policy values say together.

    Raises:
        NotReadError: one of them does not answer.
    """
    origin = "INetFwPolicy2"
    active = policy.number("CurrentProfileTypes")
    found: list[FirewallProfile] = []
    gaps: list[Gap] = []
    old = _only_old(registry)
    for name, number, key in _PROFILES:
        policy_key = _OLD if old and name != "domain" else key
        enabled = _policy_value(registry, policy_key, "EnableFirewall")
        inbound = _policy_value(registry, policy_key, "DefaultInboundAction")
        closed = _policy_value(registry, policy_key, "DoNotAllowExceptions")
        on = bool(policy.number("FirewallEnabled", number)) if enabled is None else enabled == 1
        blocks = _blocks(policy.number("DefaultInboundAction", number)) if inbound is None else _by_policy(inbound)
        shut = bool(policy.number("BlockAllInboundTraffic", number)) if closed is None else closed == 1
        found.append(FirewallProfile(name, bool(active & number), on, "block" if blocks or shut else "allow"))
        if on and policy.get("ExcludedInterfaces", number):
            gaps.append(Gap(Cause.INCOMPLETE, f"{_SHOWN[name]}配置文件有网络接口不受防火墙保护", origin))
    return Known(tuple(found), origin, tuple(gaps))


def _not_running(services: Services) -> Unknown | None:
    """Why the component's word does not count: it may answer with defaults while the firewall itself does not run."""
    states = services.states()
    if not isinstance(states, Known):
        why = states.text if isinstance(states, Unknown) else "没有服务列表"
        return Unknown(Cause.UNAVAILABLE, f"不能确认防火墙服务正在运行：{why}", "MpsSvc")
    running = {s.name.lower() for s in states.value if s.state == "running"}
    if "mpssvc" in running:
        return None
    return Unknown(Cause.UNAVAILABLE, "防火墙服务 MpsSvc 没有运行", "MpsSvc")


def _only_old(registry: Registry) -> bool:
    """Whether the policy has neither of the newer profiles.

    Raises:
        NotReadError: that cannot be told.
    """
    there = registry.subkeys(key=_POLICY)
    if isinstance(there, Unknown):
        raise NotReadError(there)
    return not (isinstance(there, Known) and _NEW & {s.lower() for s in there.value})


def _policy_value(registry: Registry, key: str, name: str) -> int | None:
    """The number that group policy sets; None where it sets none.

    Raises:
        NotReadError: it cannot be read, or is no number: then nobody can say what is in force.
    """
    value = registry.value(key=f"{_POLICY}\\{key}", name=name)
    if isinstance(value, Unknown):
        raise NotReadError(value)
    if not isinstance(value, Known):
        return None
    if isinstance(value.value, int):
        return value.value
    raise NotReadError(Unknown(Cause.MALFORMED, f"{_POLICY}\\{key}\\{name} 不是数字", f"{_POLICY}\\{key}"))


def _blocks(action: int) -> bool:
    if action not in (_ACTION_BLOCK, _ACTION_ALLOW):
        raise NotReadError(Unknown(Cause.MALFORMED, f"入站默认动作 {action} 无法识别", "INetFwPolicy2"))
    return action == _ACTION_BLOCK


def _by_policy(action: int) -> bool:
    if action not in (_POLICY_ALLOW, _POLICY_BLOCK):
        raise NotReadError(Unknown(Cause.MALFORMED, f"入站默认动作 {action} 无法识别", _POLICY))
    return action == _POLICY_BLOCK
