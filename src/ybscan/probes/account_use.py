"""Accounts that nobody uses any more, and accounts of people who left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ybscan.hosts.base import Host
from ybscan.hosts.groups.accounts import Account
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.model.site import Site
from ybscan.probes import login_accounts
from ybscan.probes._directory import directory_accounts
from ybscan.probes._logs.sessions import Uses, first_doubts, uses
from ybscan.probes._patterns import folded
from ybscan.probes.base import Context, Probe


class AccountUseProbe(Probe):
    """Every account a person can log in with, and when that last happened."""

    name = "account_use"
    title = "账户使用情况"
    facts = (
        FactSpec(
            "entries", Kind.ITEMS, "可登录账户的使用情况",
            help="最近一次使用取所有记录中最新的；“至多闲置”按它计算，“至少闲置”只在会话记录完整的时间内成立。",
            linux="/var/log/lastlog、wtmp、lastlog2.db、wtmp.db、systemd 会话记录、个人文件夹中登录痕迹的时间、/etc/shadow 的日期",
            windows="NetUserEnum(3) 的 usri3_last_logon、usri3_acct_expires，ProfileList 的 LocalProfileLoadTime",
            fields=(
                Field("account", Kind.TEXT, "账户"),
                Field("uid", Kind.INTEGER, "UID"),
                Field("active", Kind.BOOLEAN, "可以登录"),
                Field("builtin", Kind.BOOLEAN, "系统内置管理账户"),
                Field("service", Kind.BOOLEAN, "已登记的服务账户"),
                Field("left", Kind.BOOLEAN, "在离岗人员名单中"),
                Field("last_use", Kind.TIME, "最近使用"),
                Field("source", Kind.TEXT, "依据"),
                Field("idle_max", Kind.INTEGER, "至多闲置", "天"),
                Field("idle_min", Kind.INTEGER, "至少闲置", "天"),
                Field("maybe_used", Kind.BOOLEAN, "没有记录的期间用过"),
            ),
            summary="{account}（在离岗人员名单中：{left}，最近使用：{last_use}，至少闲置 {idle_min}）",
        ),
        FactSpec(
            "left_registered", Kind.BOOLEAN, "已登记离岗人员名单", words=("已登记", "未登记"),
            linux="site.yml 的 accounts.left", windows="site.yml 的 accounts.left",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return {"entries": self._entries(host, context), "left_registered": _named(context.site)}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.logins import account_use

        return {"entries": account_use(host, context), "left_registered": _named(context.site)}

    def _entries(self, host: Host, context: Context) -> Fact:
        accounts = login_accounts.entries(host, context)
        users = host.accounts.users()
        if not isinstance(accounts, Known) or not isinstance(users, Known) or not isinstance(accounts.value, tuple):
            return accounts if isinstance(accounts, Unknown) else Unknown(Cause.UNAVAILABLE, "没有账户文件")
        by_name = {u.name: u for u in users.value}
        listed = [i for i in accounts.value if isinstance(i, Mapping) and i["account"] in by_name]
        found = uses(host, [by_name[str(i["account"])] for i in listed], context.now)
        items = [_item(host, i, by_name[str(i["account"])], found, context) for i in listed]
        gaps = list(accounts.gaps)
        outside = directory_accounts(host)
        if isinstance(outside, Unknown):
            gaps.append(Gap(outside.cause, "域（目录）账户的使用情况无法在本机判定", outside.origin))
        return Known(tuple(items), "登录记录", tuple(gaps))


def _named(site: Site) -> Fact:
    """Known(true) when the unit has said who left."""
    if site.accounts.left is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 accounts.left", "site.yml")
    return Known(True, "site.yml")


def _item(host: Host, account: Item, user: Account, found: Uses, context: Context) -> Item:
    use = found.by_name[user.name]
    now = context.now
    idle_max = max((now - use.when).days, 0) if use.when else None
    # A record that could not be read may hold a newer login: nothing is certain about not having logged in then.
    doubts = list(first_doubts(found))
    complete = (now - found.since).days if found.since and not doubts else 0
    idle_min = complete if idle_max is None else min(complete, idle_max)
    maybe: FieldValue = False
    if idle_max is None or idle_min < idle_max:
        why = "；".join(d.text for d in doubts[:2]) or _uncovered(found, now)
        maybe = Unknown(doubts[0].cause if doubts else Cause.UNCONFIRMED, why)
    return {
        "account": user.name, "uid": user.uid, "active": _active(host, account, user),
        "builtin": user.name == "root" and user.uid == 0,
        "service": user.name in (context.site.accounts.service or ()),
        "left": _left(user, context.site),
        "last_use": use.when.astimezone(now.tzinfo) if use.when else None, "source": use.source or None,
        "idle_max": idle_max, "idle_min": idle_min, "maybe_used": maybe,
    }  # fmt: skip


def _uncovered(found: Uses, now: datetime) -> str:
    if found.since is None:
        return "没有完整的会话记录，没有登录记录不等于没有使用"
    return f"会话记录从 {found.since.astimezone(now.tzinfo):%Y-%m-%d} 开始，此前是否使用无法得知"


def _left(user: Account, site: Site) -> FieldValue:
    if site.accounts.left is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 accounts.left")
    person = user.comment.split(",", 1)[0]
    return bool({folded(user.name), folded(person)} & {folded(n) for n in site.accounts.left if n.strip()})


def _active(host: Host, account: Item, user: Account) -> FieldValue:
    """Whether someone can log in: not expired, and a password, an exemption from it, or a key for remote login."""
    active = account["active"]
    if active is False:
        return False
    ways = [account["enabled"], account["no_password_login"], _has_keys(host, user)]
    if any(w is True for w in ways):
        return active
    return next((w for w in ways if isinstance(w, Unknown)), False)


def _has_keys(host: Host, user: Account) -> FieldValue:
    if not user.home.startswith("/"):
        return False
    for name in ("authorized_keys", "authorized_keys2"):
        stat = host.files.stat(path=f"{user.home.rstrip('/')}/.ssh/{name}")
        if isinstance(stat, Unknown):
            return stat
        if isinstance(stat, Known) and stat.value.size:
            return True
    return False


PROBES = (AccountUseProbe(),)
