"""The local accounts people can log in with: their passwords' age, empty passwords, guests and shared names.

Sources: passwd(5), shadow(5), group(5); nopasswdlogin is the group that the login screens of DDE and UKUI let in without
a password; lightdm offers a guest session by default where a guest-account script is installed (lightdm's seat.c).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import TypeVar

from ybscan.hosts.base import Host
from ybscan.hosts.groups.accounts import Account, GroupEntry, PasswordAgeing
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._directory import directory_accounts
from ybscan.probes._ini import lightdm
from ybscan.probes._pam import chain, has_service, installed
from ybscan.probes._pam_stacks import exempt
from ybscan.probes.base import Context, Probe
from ybscan.probes.lockout import LOGIN_SERVICES

T = TypeVar("T")

#: Programs that stand in the place of a shell and end a login at once.
_NO_SHELLS = frozenset({"nologin", "false", "true", "sync", "halt", "shutdown", "poweroff", "reboot", "git-shell"})
NO_PASSWORD_GROUPS = ("nopasswdlogin",)
#: From here on shadow(5) implementations mean "never".
_FOREVER = 99999
_GUEST_SCRIPTS = tuple(f"{d}/guest-account" for d in ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"))
_TRUE = frozenset({"true", "1", "yes"})
_LIGHTDM = ("/usr/sbin/lightdm", "/usr/bin/lightdm")


class LoginAccountsProbe(Probe):
    """Every local account with a login shell, and what keeps its owner's password fresh and needed."""

    name = "login_accounts"
    title = "可登录账户"
    facts = (
        FactSpec(
            "entries", Kind.ITEMS, "可登录账户",
            help="登录 shell 有效的本地账户，以及所有 UID 为 0 的账户；Windows 为全部本地账户，UID 一栏是 RID。"
            "只读取口令的状态和日期，不读取口令散列。",
            linux="/etc/passwd、/etc/shadow 的状态与日期字段、/etc/group、PAM 的 auth 配置中的免口令条件",
            windows="NetUserEnum(3)、NetUserGetInfo(4)；按 RID 识别内置账户。口令是否为空须另行授权检测，未检测时未知",
            fields=(
                Field("account", Kind.TEXT, "账户"),
                Field("uid", Kind.INTEGER, "UID"),
                Field("active", Kind.BOOLEAN, "账户有效"),
                Field("enabled", Kind.BOOLEAN, "能用口令登录"),
                Field("superuser", Kind.BOOLEAN, "root 以外的超级用户"),
                Field("guest", Kind.BOOLEAN, "系统内置来宾账户"),
                Field("empty", Kind.BOOLEAN, "口令为空"),
                Field("empty_allowed", Kind.BOOLEAN, "允许设为空口令"),
                Field("no_password_login", Kind.BOOLEAN, "可免口令登录"),
                Field("max_days", Kind.INTEGER, "口令最长使用天数", "天"),
                Field("age_days", Kind.INTEGER, "口令已使用天数", "天"),
                Field("must_change", Kind.BOOLEAN, "下次登录须改口令"),
                Field("personal", Kind.BOOLEAN, "已登记责任人"),
            ),
            summary="{account}（UID {uid}，口令为空：{empty}，可免口令登录：{no_password_login}，"
            "口令使用期限：{max_days}，已使用：{age_days}）",
        ),
        FactSpec(
            "guest_session", Kind.BOOLEAN, "登录界面提供来宾会话", words=("提供", "不提供"),
            linux="lightdm 的 allow-guest 与 guest-account 脚本", windows="没有来宾会话，来宾账户见可登录账户",
        ),
        FactSpec(
            "blank_passwords_limited", Kind.BOOLEAN, "空口令账户只能在本机登录",
            windows="HKLM 的 Control\\Lsa 之 LimitBlankPasswordUse",
        ),
        FactSpec(
            "new_account_max_days", Kind.INTEGER, "新建账户的口令最长使用天数", unit="天",
            help="只作说明：只在新建账户时写入该账户，不改变已有账户。", linux="/etc/login.defs 的 PASS_MAX_DAYS",
            windows="NetUserModalsGet(0) 的 max_passwd_age",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return {
            "entries": entries(host, context),
            "guest_session": _guest_session(host),
            "blank_passwords_limited": Unknown(Cause.UNSUPPORTED, "Linux 没有这项设置"),
            "new_account_max_days": _login_defs(host),
        }

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.logins import login_accounts

        return login_accounts(host, context)


def interactive(account: Account) -> bool:
    """Whether the account's shell lets someone in; an empty shell is /bin/sh."""
    return account.shell.rstrip("/").rsplit("/", 1)[-1] not in _NO_SHELLS


def entries(host: Host, context: Context) -> Fact:
    """All accounts that concern us, with the state of their passwords."""
    users = host.accounts.users()
    if not isinstance(users, Known):
        return users if isinstance(users, Unknown) else Unknown(Cause.UNAVAILABLE, "没有账户文件", users.origin)
    ageing = host.accounts.ageing()
    groups = host.accounts.groups()
    free = _without_password(host)
    terminal = context.site.terminal
    personal: FieldValue = True if terminal and terminal.owner else Unknown(
        Cause.UNCONFIRMED, "名称像岗位共用账户，登记表中没有责任人"
    )  # fmt: skip
    today = context.now.date()
    items: list[Item] = []
    for user in users.value:
        if not interactive(user) and user.uid != 0:
            continue
        state = _state(user, ageing)
        items.append(
            {
                "account": user.name, "uid": user.uid, "superuser": user.uid == 0 and user.name != "root",
                "guest": False, "personal": personal, **_password(user, state, today),
                "no_password_login": _needs_no_password(user, groups, free),
            }
        )  # fmt: skip
    items.sort(key=lambda i: (i["uid"], i["account"]))
    gaps = [*users.gaps, *_gaps(ageing), *_gaps(groups), *_strangers(host, users.value, groups, free)]
    return Known(tuple(items), users.origin, tuple(dict.fromkeys(gaps)))


def _gaps(reading: Reading[T]) -> tuple[Gap, ...]:
    return reading.gaps if isinstance(reading, Known) else ()


def _state(user: Account, ageing: Reading[tuple[PasswordAgeing, ...]]) -> PasswordAgeing | Unknown:
    """The shadow entry of an account."""
    if isinstance(ageing, Unknown):
        return Unknown(ageing.cause, "", ageing.origin)  # said once for every field: the detail would only repeat
    if isinstance(ageing, Absent):
        return Unknown(Cause.UNAVAILABLE, f"{ageing.origin} 不存在", ageing.origin)
    found = next((a for a in ageing.value if a.name == user.name), None)
    return found or Unknown(Cause.UNAVAILABLE, f"{ageing.origin} 中没有该账户", ageing.origin)


def _password(user: Account, state: PasswordAgeing | Unknown, today: date) -> Item:
    login = interactive(user)
    field = user.password_field
    if isinstance(state, Unknown):
        # The password file itself decides where it does not point to shadow.
        settled = field in ("empty", "locked")
        return {
            "active": state if login else False,
            "enabled": (field == "empty" if settled else state) if login else False,
            "empty": field == "empty" if settled else state if field == "shadow" else False,
            "max_days": state, "age_days": state, "must_change": state,
        }  # fmt: skip
    days = (today - date(1970, 1, 1)).days
    active = login and not (state.expires is not None and 0 <= state.expires <= days)
    kept = state.state if field == "shadow" else field
    forever = state.max_days is None or state.max_days < 0 or state.max_days >= _FOREVER or state.last_changed is None
    age: FieldValue = None if state.last_changed is None else days - state.last_changed
    if isinstance(age, int) and age < 0:
        age = Unknown(Cause.MALFORMED, "口令修改日期晚于检查日期，时钟或记录有误")
    return {
        "active": active,
        "enabled": active and kept in ("set", "empty"),
        "empty": kept == "empty",
        "max_days": None if forever else state.max_days,
        "age_days": None if state.last_changed == 0 else age,
        "must_change": state.last_changed == 0,
    }


def _without_password(host: Host) -> tuple[frozenset[str], frozenset[str]]:
    """Groups and users that a login stack lets in without a password, the known group always included.

    A stack that cannot be read is a gap of the ways of login (see the lockout probe); it is not repeated here.
    """
    groups: set[str] = set(NO_PASSWORD_GROUPS)
    users: set[str] = set()
    present = installed(host)
    for service in LOGIN_SERVICES:
        modules = chain(host, service, "auth", present) if isinstance(has_service(host, service), Known) else None
        if isinstance(modules, Known):
            found = exempt(modules.value)
            groups |= found.groups
            users |= found.users
    return frozenset(groups), frozenset(users)


def _needs_no_password(
    user: Account, groups: Reading[tuple[GroupEntry, ...]], free: tuple[frozenset[str], frozenset[str]]
) -> FieldValue:
    if user.name in free[1]:
        return True
    if isinstance(groups, Unknown):
        return groups
    if isinstance(groups, Absent):
        return Unknown(Cause.UNAVAILABLE, f"{groups.origin} 不存在", groups.origin)
    return any(g.name in free[0] and (user.name in g.members or user.gid == g.gid) for g in groups.value)


def _strangers(
    host: Host, users: tuple[Account, ...], groups: Reading[tuple[GroupEntry, ...]], free: tuple[frozenset[str], ...]
) -> tuple[Gap, ...]:
    """Names let in without a password that are no local account: of the directory, where there is one."""
    local = {u.name for u in users}
    named = set(free[1])
    if isinstance(groups, Known):
        named |= {m for g in groups.value if g.name in free[0] for m in g.members}
    if not named - local or not isinstance(directory_accounts(host), Unknown):
        return ()
    who = "、".join(sorted(named - local)[:5])
    return (Gap(Cause.UNCONFIRMED, f"{who} 可免口令登录，但不是本地账户，须核实是否为域账户", groups.origin),)


def _guest_session(host: Host) -> Fact:
    there = _any_exists(host, _LIGHTDM)
    script = _any_exists(host, _GUEST_SCRIPTS)
    for part in (there, script):
        if part is False:
            return Known(False, "lightdm")
    gaps: list[Gap] = []
    settings = lightdm(host, gaps)
    for unknown in (there, script, *(Unknown(g.cause, g.detail, g.origin) for g in gaps)):
        if isinstance(unknown, Unknown):
            return unknown
    values = {s: v["allow-guest"][0].lower() in _TRUE for s, v in settings.items() if "allow-guest" in v}
    # True by default; a single seat may turn it on again.
    return Known(values.get("seat:*", True) or any(values.values()), "lightdm")


def _any_exists(host: Host, paths: tuple[str, ...]) -> bool | Unknown:
    for path in paths:
        found = host.files.stat(path=path)
        if isinstance(found, Unknown):
            return found
        if isinstance(found, Known):
            return True
    return False


def _login_defs(host: Host) -> Fact:
    path = "/etc/login.defs"
    text = host.files.text(path=path)
    if not isinstance(text, Known):
        return text
    values = re.findall(r"^\s*PASS_MAX_DAYS\s+(-?\d{1,9})\s*(?:#.*)?$", text.value, re.MULTILINE)
    return Known(int(values[-1]), path) if values else Absent(path)


PROBES = (LoginAccountsProbe(),)
