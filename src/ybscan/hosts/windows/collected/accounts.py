"""Accounts out of WMI, ADSI and the security template.

Sources: Win32_UserAccount, Win32_ComputerSystem; ADSI's WinNT provider (IADsUser, IADsDomain; ``UserFlags`` as ADS_USER_FLAG).
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Literal

from ybscan.hosts.collected.evidence import Evidence, mapped_rows
from ybscan.hosts.collected.records import Record, cause_of
from ybscan.hosts.groups.accounts import AccountPolicy, Accounts, Join, LocalUser, Member
from ybscan.hosts.windows.collected.secedit import holders_of, policy_of
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown

_ADMINISTRATORS = "S-1-5-32-544"
#: E_ADS_PROPERTY_NOT_FOUND: the property was never set.
_NEVER_SET = "8000500D"
#: TIMEQ_FOREVER as signed and as unsigned number.
_FOREVER = (-1, 0xFFFFFFFF)
#: 1990-01-01: no account is older.
_OLDEST = 631_152_000
_PASSWORD_NOT_REQUIRED = 0x20
_DONT_EXPIRE = 0x10000


class CollectedAccounts(Accounts):
    """Local accounts as the collector found them. ``offset`` is the terminal's distance from UTC, minutes."""

    def __init__(self, evidence: Evidence, *, offset: int) -> None:
        super().__init__("Windows 没有 passwd、shadow、group 文件")
        self._evidence = evidence
        self._zone = timezone(timedelta(minutes=offset))

    def policy(self) -> Reading[AccountPolicy]:
        template = self._evidence.content("secedit")
        if isinstance(template, Known):
            return policy_of(template.value)
        rows = self._evidence.rows("policy", "policy")
        if not isinstance(rows, Known):
            return rows
        if not rows.value:
            return template
        return _policy(rows.value[0])

    def local_users(self) -> Reading[tuple[LocalUser, ...]]:
        rows = self._evidence.rows("accounts", "user")
        read = mapped_rows(rows, self._user, never_empty="本地账户")
        if not isinstance(read, Known):
            return read
        return Known(tuple(sorted(read.value, key=lambda u: u.rid)), "Win32_UserAccount", read.gaps)

    def members(self, *, sid: str) -> Reading[tuple[Member, ...]]:
        if sid != _ADMINISTRATORS:
            return Unknown(Cause.NOT_RECORDED, f"采集结果没有本地组 {sid}", sid)
        read = self._evidence.records("administrators")
        if not isinstance(read, Known):
            return read
        if any(r.kind == "not_permitted" for r in read.value):
            return Unknown(Cause.NOT_PERMITTED, "终端已加入域，查询成员名会询问域控制器，采集时没有 /domain", sid)
        rows = self._evidence.rows("administrators", "group")
        if not isinstance(rows, Known) or not rows.value:
            return rows if isinstance(rows, Unknown) else Unknown(Cause.MALFORMED, "没有找到管理员组", sid)
        # The built-in administrator cannot be taken out of the group: nobody in it means that the answer is none.
        found = mapped_rows(self._evidence.rows("administrators", "member"), _member, never_empty="管理员组成员")
        if not isinstance(found, Known):
            return found
        return Known(tuple(sorted(found.value, key=lambda m: m.sid)), sid, found.gaps)

    def holders(self, *, right: str) -> Reading[tuple[Member, ...]]:
        template = self._evidence.content("secedit")
        return holders_of(template.value, right) if isinstance(template, Known) else template

    def join(self) -> Reading[Join]:
        rows = self._evidence.rows("system", "computer", "Win32_ComputerSystem")
        if not isinstance(rows, Known):
            return rows
        row = rows.value[0] if rows.value else Record("computer")
        if row.text("PartOfDomain") == "1":
            return Known(Join("domain", row.text("Domain")), "Win32_ComputerSystem")
        if row.text("PartOfDomain") == "0":
            return Known(Join("workgroup", row.text("Workgroup") or row.text("Domain")), "Win32_ComputerSystem")
        return Unknown(Cause.MALFORMED, "系统没有说明是否加入域", "Win32_ComputerSystem")

    def _user(self, r: Record) -> LocalUser | Gap:
        rid = r.text("SID").rpartition("-")[2]
        flags = [r.text(n) for n in ("Disabled", "Lockout", "PasswordRequired", "PasswordExpires")]
        if not r.text("Name") or not rid.isdecimal() or any(f not in ("0", "1") for f in flags):
            return Gap(Cause.MALFORMED, f"账户 {r.text('Name') or '（无名）'} 的记录有误", "Win32_UserAccount")
        disabled, locked, required, expires = (f == "1" for f in flags)
        bits = r.number("UserFlags")
        age, expired = r.number("PasswordAge"), r.number("PasswordExpired")
        known = age is not None and expired is not None and self._now is not None
        # With "must change at next logon" the time of the last change is wiped, and the age counts from nowhere.
        must_change = bool(expired) and age == 0 if known else None
        password_set = None
        # An age of zero is also what a password has that was never set.
        if known and age and self._now is not None:
            password_set = self._now - age
        last = self._time(r, "LastLogin")
        return LocalUser(
            name=r.text("Name"),
            rid=int(rid),
            disabled=disabled,
            # Of two sources that contradict each other the worse counts.
            password_not_required=not required or bool((bits or 0) & _PASSWORD_NOT_REQUIRED),
            never_expires=not expires or bool((bits or 0) & _DONT_EXPIRE),
            locked=locked,
            password_set=password_set,
            must_change=must_change,
            last_logon=last,
            expires=self._time(r, "AccountExpirationDate"),
            comment=r.text("Description"),
            full_name=r.text("FullName"),
            password_known=known,
        )

    @property
    def _now(self) -> float | None:
        return self._evidence.at.timestamp() if self._evidence.at is not None else None

    def _time(self, r: Record, name: str) -> float | None:
        try:
            when = datetime.fromisoformat(r.text(name)).replace(tzinfo=self._zone).timestamp()
        except (ValueError, OverflowError):
            return None
        # The beginning of some calendar stands for "never", above all for "never expires".
        return when if when > _OLDEST else None


def _member(r: Record) -> Member | Gap:
    sid = r.text("SID")
    if not sid.upper().startswith("S-1-"):
        return Gap(Cause.MALFORMED, "管理员组有无法识别的成员", "administrators")
    kind: Literal["user", "group", "well-known", "unknown"]
    if not sid.upper().startswith(("S-1-5-21-", "S-1-12-")):
        kind = "well-known"
    else:
        kind = {"user": "user", "group": "group"}.get(r.text("Class").lower(), "unknown")  # type: ignore[assignment]
    return Member(sid, r.text("Name"), kind)


def _policy(r: Record) -> Reading[AccountPolicy]:
    """From ADSI, which does not tell complexity."""
    names = ("MinPasswordLength", "MaxPasswordAge", "MinPasswordAge", "PasswordHistoryLength", "MaxBadPasswordsAllowed",
             "AutoUnlockInterval", "LockoutObservationInterval")  # fmt: skip
    numbers = [r.number(n) for n in names]
    if any(n is None for n in numbers):
        name = names[numbers.index(None)]
        code = r.text(f"{name}.error")
        cause = cause_of(code) if code and code != _NEVER_SET else Cause.MALFORMED
        return Unknown(cause, f"采集时没有取得 {name}（代码 {code or '无'}）", "ADSI")
    length, longest, shortest, history, threshold, unlock, window = (n or 0 for n in numbers)
    return Known(
        AccountPolicy(
            min_length=length,
            max_age=None if longest in _FOREVER or longest <= 0 else longest,
            min_age=max(shortest, 0),
            history=history,
            complexity=None,
            reversible=None,
            lockout_threshold=threshold,
            lockout_duration=None if unlock in _FOREVER else max(unlock, 0),
            lockout_window=max(window, 0),
        ),
        "ADSI",
    )
