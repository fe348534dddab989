"""Password and lockout policy of Windows as facts.

Sources: NetUserModalsGet levels 0 and 3, DOMAIN_PASSWORD_INFORMATION; "Notification Packages" are the password filters
that LSA asks about a new password (each can only demand more, none can allow what the policy refuses).
"""

from __future__ import annotations

from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, Item
from ybscan.model.reading import Absent, Cause, Known, Unknown
from ybscan.probes._software.text import shown
from ybscan.probes._windows.people import passwords_elsewhere

_LSA = r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa"
#: The packages that Windows itself brings; scecli keeps the policy, rassfm is for remote access.
_OWN = frozenset({"scecli", "rassfm", "fpnwclnt", "kdcsvc"})


def password_policy(host: Host) -> Mapping[str, Fact]:
    """The facts of the probe ``password_policy``."""
    policy = host.accounts.policy()
    there = passwords_elsewhere(host)
    others = _filters(host)
    facts: dict[str, Fact] = {
        "directory_accounts": Known(there.value, there.origin) if isinstance(there, Known) else there,
        "other_checks": others,
        "other_history": others,
        "for_root": Unknown(Cause.UNSUPPORTED, "Windows 没有这项设置"),
    }
    if not isinstance(policy, Known):
        why = policy if isinstance(policy, Unknown) else Unknown(Cause.UNAVAILABLE, "没有口令策略", policy.origin)
        return {**facts, "min_length": why, "classes": why, "history": why, "reversible": why}
    p, origin = policy.value, policy.origin
    untold = Unknown(Cause.UNAVAILABLE, "没有读到“密码必须符合复杂性要求”的设置", origin)
    return {
        **facts,
        "min_length": Known(p.min_length, origin),
        "classes": untold if p.complexity is None else Known(3 if p.complexity else 0, origin),
        "history": Known(p.history, origin),
        "reversible": Unknown(Cause.UNAVAILABLE, "没有读到“用可还原的加密来储存密码”的设置", origin)
        if p.reversible is None
        else Known(p.reversible, origin),
    }


def _filters(host: Host) -> Fact:
    found = host.registry.value(key=_LSA, name="Notification Packages")
    if isinstance(found, Unknown):
        return found
    if isinstance(found, Absent):
        return Known(False, _LSA)
    names = found.value if isinstance(found.value, tuple) else (found.value,)
    if not all(isinstance(n, str) for n in names):
        return Unknown(Cause.MALFORMED, f"{_LSA} 的 Notification Packages 不是文字", _LSA)
    strange = [str(n) for n in names if str(n).strip() and str(n).strip().lower().removesuffix(".dll") not in _OWN]
    if strange:
        what = f"另有口令筛选器 {'、'.join(shown(s, 40) for s in strange[:5])}，其要求本程序不能识别"
        return Unknown(Cause.UNCONFIRMED, what, found.origin)
    return Known(False, found.origin)


def lockout_ways(host: Host) -> Fact:
    """The one way of logging in that the policy for local accounts speaks of."""
    policy = host.accounts.policy()
    if not isinstance(policy, Known):
        return policy if isinstance(policy, Unknown) else Unknown(Cause.UNAVAILABLE, "没有锁定策略", policy.origin)
    p = policy.value
    # None: until an administrator unlocks, which the rule language of this fact writes as 0.
    seconds = (p.lockout_duration or 0) if p.lockout_threshold else None
    way: Item = {
        "way": "本地账户登录", "attempts": p.lockout_threshold, "seconds": seconds,
        "for_root": Unknown(Cause.UNAVAILABLE, "没有读取“允许管理员账户锁定”的设置"), "path": "账户锁定策略",
    }  # fmt: skip
    return Known((way,), policy.origin)
