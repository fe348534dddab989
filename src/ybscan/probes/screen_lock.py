"""Whether an unattended session locks: the desktops of every user, or the consoles' TMOUT where there is no desktop.

Source for TMOUT: bash(1): a shell that waits that many seconds for input ends itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._desktops import ScreenLock, User, chosen_desktop, installed_desktops, screen_lock
from ybscan.probes._directory import directory_accounts
from ybscan.probes.base import Context, Probe
from ybscan.probes.login_accounts import interactive

#: UID_MIN of login.defs(5); 500 on releases up to Red Hat 6 (NeoKylin).
_FIRST_PERSON = 500
_NOBODY = 65534
_PROFILES = ("/etc/profile", "/etc/bash.bashrc", "/etc/bashrc")
_PROFILE_FOLDER = "/etc/profile.d"
_ASSIGNMENT = re.compile(
    r"^(?:(?:export|readonly|declare|typeset)\s+(?:-[a-zA-Z]+\s+)*)?TMOUT=([\"']?)(\d{1,9})\1\s*(?:;.*|#.*)?$"
)
_NAMED = re.compile(r"^(?:export|readonly|declare\s+-\w+|typeset\s+-\w+)\s+TMOUT\s*;?\s*$")


class ScreenLockProbe(Probe):
    """After how long an unattended session locks itself."""

    name = "screen_lock"
    title = "屏幕锁定"
    facts = (
        FactSpec(
            "sessions", Kind.ITEMS, "无人操作时的锁定", never_empty=True,
            help="每个普通账户在其桌面上无人操作多久后锁屏；没有桌面的系统以终端自动退出时间（TMOUT）代替。",
            linux="各用户的 dconf 数据库、系统级 dconf 默认值与锁定、桌面组件的默认值；/etc/profile、/etc/profile.d 的 TMOUT",
            windows="InactivityTimeoutSecs 策略（Windows 8 起有效），各用户的屏幕保护策略与设置，ScreenSaverGracePeriod",
            fields=(
                Field("account", Kind.TEXT, "账户"),
                Field("desktop", Kind.TEXT, "桌面"),
                Field("used", Kind.BOOLEAN, "账户能登录并使用该桌面"),
                Field("locks", Kind.BOOLEAN, "无人操作时自动锁定"),
                Field("seconds", Kind.INTEGER, "锁定前的等待时间", "秒"),
                Field("at_most", Kind.INTEGER, "等待时间上限", "秒"),
            ),
            summary="{account}（{desktop}，自动锁定：{locks}，等待时间：{seconds}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        desktops = installed_desktops(host)
        if not isinstance(desktops, Known):
            why = desktops if isinstance(desktops, Unknown) else Unknown(Cause.UNAVAILABLE, "没有得到桌面列表")
            return {"sessions": why}
        if not desktops.value:
            return {"sessions": Known((_console(host),), "/etc/profile")}
        users = _people(host)
        if not isinstance(users, Known):
            return {"sessions": users if isinstance(users, Unknown) else Unknown(Cause.UNAVAILABLE, users.origin)}
        items: list[Item] = []
        for user, able in users.value:
            chosen = chosen_desktop(host, user)
            used = chosen if isinstance(chosen, Unknown) else able
            for desktop in desktops.value:
                if chosen in desktops.value and chosen != desktop:
                    continue
                items.append(_item(user.name, desktop, used, screen_lock(host, user, desktop)))
        gaps = list(users.gaps)
        directory = directory_accounts(host)
        if isinstance(directory, Unknown):
            gaps.append(Gap(directory.cause, f"域账户的桌面设置：{directory.detail}", directory.origin))
        return {"sessions": Known(tuple(items), "dconf", tuple(gaps))}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.locking import sessions

        return {"sessions": sessions(host, context)}


def _item(account: str, desktop: str, used: FieldValue, lock: ScreenLock) -> Item:
    return {
        "account": account, "desktop": desktop, "used": used, "locks": lock.locks, "seconds": lock.seconds,
        "at_most": lock.at_most,
    }  # fmt: skip


def _people(host: Host) -> Reading[tuple[tuple[User, bool | Unknown], ...]]:
    """The accounts of persons with whether they can log in with a password; root where there is no other."""
    users = host.accounts.users()
    if not isinstance(users, Known):
        return users
    ageing = host.accounts.ageing()
    shut = {a.name for a in ageing.value if a.state in ("locked", "none")} if isinstance(ageing, Known) else set()
    able = [u for u in users.value if interactive(u) and u.name not in shut]
    people = [u for u in able if _FIRST_PERSON <= u.uid < _NOBODY] or [u for u in able if u.uid == 0]
    if not people:
        return Unknown(Cause.UNAVAILABLE, "没有能登录的本地账户，不能判断谁使用桌面", users.origin)
    sure = ageing if isinstance(ageing, Unknown) else True
    ordered = sorted(people, key=lambda u: (u.uid, u.name))
    return Known(tuple((User(u.name, u.uid, u.home), sure) for u in ordered), users.origin, users.gaps)


# ------------------------------------------------------------------------------------------------------------- consoles


def _console(host: Host) -> Item:
    seconds = _tmout(host)
    locks: FieldValue = seconds if isinstance(seconds, Unknown) else seconds is not None and seconds > 0
    return {
        "account": "所有账户",
        "desktop": "字符终端",
        "used": True,
        "locks": locks,
        "seconds": seconds,
        "at_most": None,
    }


def _tmout(host: Host) -> int | Unknown | None:
    """The idle limit of login shells; None when none is set. Several that differ, or conditional ones, are unknown."""
    names = host.files.entries(path=_PROFILE_FOLDER)
    if isinstance(names, Unknown):
        return names
    folder = [f"{_PROFILE_FOLDER}/{n}" for n in names.value if n.endswith(".sh")] if isinstance(names, Known) else []
    values: set[int] = set()
    for path in (*_PROFILES, *folder):
        text = host.files.text(path=path)
        if isinstance(text, Unknown):
            return text
        if isinstance(text, Absent):
            continue
        found = _assigned(text.value, path)
        if isinstance(found, Unknown):
            return found
        values |= found
    if len(values) > 1:
        return Unknown(
            Cause.UNCONFIRMED, f"TMOUT 在多处设置且不一致（{'、'.join(map(str, sorted(values)))}）", "/etc/profile"
        )
    return next(iter(values), None)


def _nesting(line: str) -> int:
    """How many blocks a line of shell opens more than it closes; told by words, as scripts are commonly written."""
    code = re.sub(r"\"[^\"]*\"|'[^']*'|(^|\s)#.*", " ", line)
    words = re.findall(r"(?:^|[;&|(]|\b(?:then|else|do)\b)\s*(if|case|for|while|until|select|fi|esac|done)\b", code)
    braces = len(re.findall(r"(?:^|\s|\))\{(?=\s|$)", code)) - len(re.findall(r"(?:^|[;\s])\}(?=\s|;|$)", code))
    return sum(-1 if w in ("fi", "esac", "done") else 1 for w in words) + braces


def _assigned(text: str, path: str) -> set[int] | Unknown:
    values: set[int] = set()
    depth = 0
    for line in text.split("\n"):
        line = line.rstrip()
        depth = max(0, depth + _nesting(line))
        if "TMOUT" not in line or line.lstrip().startswith("#") or _NAMED.match(line):
            continue
        found = _ASSIGNMENT.match(line)
        if found is None or depth:
            return Unknown(Cause.UNCONFIRMED, f"{path} 中的 TMOUT 带有条件，不能确定是否生效", path)
        values.add(int(found[2]))
    return values


PROBES = (ScreenLockProbe(),)
