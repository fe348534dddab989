"""The local accounts of Windows that people can log in with, and when each was last used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from ybscan.hosts.base import Host
from ybscan.hosts.groups.accounts import AccountPolicy, LocalUser
from ybscan.hosts.groups.registry import UserHive
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.model.site import Site
from ybscan.probes._patterns import folded
from ybscan.probes._windows.people import BUILT_IN, GUEST, bare, directory_accounts, rid_of, usable
from ybscan.probes._windows.values import flag, number
from ybscan.probes.base import Context

_LSA = r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa"
_PROFILES = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
_DAY = 86400
#: FILETIME counts tenths of microseconds since 1601.
_EPOCH_1601 = 11644473600


def login_accounts(host: Host, context: Context) -> Mapping[str, Fact]:
    """The facts of the probe ``login_accounts``."""
    policy = host.accounts.policy()
    switch = flag(host, _LSA, "LimitBlankPasswordUse")
    limited: Fact = Known(switch.value, switch.origin) if isinstance(switch, Known) else switch
    if isinstance(switch, Absent):
        limited = Unknown(Cause.UNAVAILABLE, f"{_LSA} 中没有 LimitBlankPasswordUse，不能确认是否限制", _LSA)
    days: Fact = policy if isinstance(policy, Unknown) else Unknown(Cause.UNAVAILABLE, "没有口令策略")
    if isinstance(policy, Known):
        forever = policy.value.max_age is None
        days = Absent(policy.origin) if forever else Known(_whole_days(policy.value.max_age or 0), policy.origin)
    return {
        "entries": _entries(host, context, policy),
        # Guests log in as an account of their own, which stands among the entries.
        "guest_session": Known(False, "Windows"),
        "blank_passwords_limited": limited,
        "new_account_max_days": days,
    }


def _entries(host: Host, context: Context, policy: Reading[AccountPolicy]) -> Fact:
    users = host.accounts.local_users()
    if not isinstance(users, Known):
        return users if isinstance(users, Unknown) else Unknown(Cause.UNAVAILABLE, "没有账户列表", users.origin)
    if not users.value:
        return Unknown(Cause.MALFORMED, "账户列表是空的，而 Windows 至少有内置账户", users.origin)
    terminal = context.site.terminal
    personal: FieldValue = True if terminal and terminal.owner else Unknown(
        Cause.UNCONFIRMED, "名称像岗位共用账户，登记表中没有责任人"
    )  # fmt: skip
    items = tuple(_entry(u, context, policy, personal) for u in users.value)
    return Known(items, users.origin, users.gaps)


def _entry(user: LocalUser, context: Context, policy: Reading[AccountPolicy], personal: FieldValue) -> Item:
    active = usable(user, context.now)
    return {
        "account": user.name, "uid": user.rid, "active": active, "enabled": active, "superuser": False,
        "guest": user.rid == GUEST, "empty": Unknown(Cause.NOT_PERMITTED, "没有授权检测口令是否为空"),
        "empty_allowed": _empty_allowed(user, policy), "no_password_login": None, "personal": personal,
        **_ageing(user, context.now, policy),
    }  # fmt: skip


def _empty_allowed(user: LocalUser, policy: Reading[AccountPolicy]) -> FieldValue:
    """True where both flag and policy let the account go without a password."""
    if not isinstance(policy, Known):
        return policy if isinstance(policy, Unknown) else Unknown(Cause.UNAVAILABLE, "没有口令策略")
    if policy.value.min_length:
        return (
            Unknown(Cause.UNCONFIRMED, "账户设有“不需要密码”标志，可能不受口令最小长度约束")
            if user.password_not_required
            else False
        )
    return user.password_not_required or Unknown(Cause.UNCONFIRMED, "口令最小长度为 0，没有禁止设为空口令")


def _ageing(user: LocalUser, now: datetime, policy: Reading[AccountPolicy]) -> Item:
    limit: FieldValue
    if user.never_expires:
        limit = None
    elif isinstance(policy, Known):
        limit = None if policy.value.max_age is None else _whole_days(policy.value.max_age)
    else:
        limit = policy if isinstance(policy, Unknown) else Unknown(Cause.UNAVAILABLE, "没有口令策略")
    if not user.password_known:
        why = Unknown(Cause.UNAVAILABLE, f"没有读到账户 {user.name} 的口令修改时间")
        return {"max_days": limit, "age_days": why, "must_change": why}
    if user.password_set is None:
        # Never set, or to be changed at the next logon; only the account's own flag tells which.
        must: FieldValue = user.must_change
        if must is None:
            must = Unknown(Cause.UNAVAILABLE, f"没有读到账户 {user.name} 是否须在下次登录时改口令")
        return {"max_days": limit, "age_days": None, "must_change": must}
    days = int((now.timestamp() - user.password_set) // _DAY)
    age: FieldValue = days if days >= 0 else Unknown(
        Cause.MALFORMED, "口令修改日期晚于检查日期，时钟或记录有误"
    )  # fmt: skip
    # A password that has merely run out must be changed too, but that is what its age says already.
    return {"max_days": limit, "age_days": age, "must_change": False}


def _whole_days(seconds: int) -> int:
    return -(-seconds // _DAY)


# Use ----------------------------------------------------------------------------------------------------------------


def account_use(host: Host, context: Context) -> Fact:
    """When each local account was last used.

    SAM keeps the time of the last logon, 0 for never or unknown; Windows 10 and later note when a profile was last
    loaded. Without either nothing is said about use.
    """
    users = host.accounts.local_users()
    if not isinstance(users, Known):
        return users if isinstance(users, Unknown) else Unknown(Cause.UNAVAILABLE, "没有账户列表", users.origin)
    hives = host.registry.users()
    profiles = hives.value if isinstance(hives, Known) else ()
    gaps = list(users.gaps)
    outside = directory_accounts(host)
    if isinstance(outside, Unknown):
        gaps.append(Gap(outside.cause, "域账户的使用情况无法在本机判定", outside.origin))
    items = []
    for user in users.value:
        own = [h for h in profiles if rid_of(h.sid) == user.rid]
        doubt = hives if isinstance(hives, Unknown) else None
        if isinstance(hives, Known) and hives.gaps:
            doubt = Unknown(hives.gaps[0].cause, hives.gaps[0].detail, hives.gaps[0].origin)
        if isinstance(outside, Unknown):
            # A domain's accounts may have the same numbers; another name tells of one, or of a renamed local account.
            strange = [h for h in own if folded(bare(h.account)) != folded(user.name)]
            own = [h for h in own if h not in strange]
            if strange:
                what = f"用户文件夹 {strange[0].home} 属于本机账户还是域账户不能确定"
                doubt = doubt or Unknown(Cause.UNCONFIRMED, what, strange[0].home)
        items.append(_use(host, user, own, doubt, context))
    return Known(tuple(items), "SAM 与 ProfileList", tuple(gaps))


def _use(host: Host, user: LocalUser, profiles: list[UserHive], doubt: Unknown | None, context: Context) -> Item:
    now = context.now
    times = [] if user.last_logon is None else [(user.last_logon, "账户的上次登录时间")]
    for hive in profiles:
        loaded = _loaded(host, hive)
        if isinstance(loaded, Unknown):
            doubt = doubt or loaded
        elif loaded is not None:
            times.append((loaded, "用户配置文件的加载时间"))
        if hive.loaded:
            doubt = doubt or Unknown(Cause.UNCONFIRMED, "用户配置文件正在使用中")
    newest = max(times, default=None)
    idle: int | None = None
    if newest is not None:
        if newest[0] > now.timestamp() + _DAY:
            doubt, newest = Unknown(Cause.MALFORMED, "使用时间晚于检查日期，时钟或记录有误"), None
        else:
            idle = max(int((now.timestamp() - newest[0]) // _DAY), 0)
    elif doubt is None:
        doubt = Unknown(Cause.UNCONFIRMED, "没有登录记录，不等于没有使用")
    when = datetime.fromtimestamp(newest[0], UTC).astimezone(now.tzinfo) if newest else None
    return {
        "account": user.name, "uid": user.rid, "active": usable(user, now), "builtin": user.rid in BUILT_IN,
        "service": folded(user.name) in {folded(n) for n in context.site.accounts.service or ()},
        "left": _left(user, context.site), "last_use": when, "source": newest[1] if newest else None,
        "idle_max": idle, "idle_min": 0 if doubt else idle, "maybe_used": doubt or False,
    }  # fmt: skip


def _loaded(host: Host, hive: UserHive) -> float | Unknown | None:
    """When the profile was last loaded; None where Windows did not note it."""
    key = f"{_PROFILES}\\{hive.sid}"
    high, low = (number(host, key, f"LocalProfileLoadTime{part}") for part in ("High", "Low"))
    for part in (high, low):
        if isinstance(part, Unknown):
            return part
    if not isinstance(high, Known) or not isinstance(low, Known) or not (high.value or low.value):
        return None
    return ((high.value & 0xFFFFFFFF) << 32 | low.value & 0xFFFFFFFF) / 1e7 - _EPOCH_1601


def _left(user: LocalUser, site: Site) -> FieldValue:
    if site.accounts.left is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 accounts.left")
    return bool({folded(user.name), folded(user.full_name)} & {folded(n) for n in site.accounts.left if n.strip()})
