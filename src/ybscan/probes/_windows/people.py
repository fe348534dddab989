"""Local accounts, the domain, and whose profile is whose on Windows.

Sources: lmaccess.h (flags and reserved RIDs), "Well-known SIDs" of the Windows documentation; CloudDomainJoin is where a
Windows that joined Entra ID (Azure AD) keeps its registration.
"""

from __future__ import annotations

from datetime import datetime

from ybscan.hosts.base import Host
from ybscan.hosts.groups.accounts import LocalUser
from ybscan.hosts.groups.registry import UserHive
from ybscan.model.facts import FieldValue
from ybscan.model.reading import Cause, Known, Reading, Unknown
from ybscan.probes._patterns import folded

ADMINISTRATOR, GUEST = 500, 501
#: What Windows puts behind the SID of a profile it could not load.
SET_ASIDE = ".bak"
#: Administrator, Guest, krbtgt's place, DefaultAccount, WDAGUtilityAccount: made by Windows itself.
BUILT_IN = frozenset({500, 501, 502, 503, 504})
_ONLINE = r"HKU\.DEFAULT\Software\Microsoft\IdentityCRL\StoredIdentities"
_WINDOWS_8 = 9200
_CLOUD = r"HKLM\SYSTEM\CurrentControlSet\Control\CloudDomainJoin\JoinInfo"


def directory_accounts(host: Host) -> Reading[bool]:
    """Known(false) when only local accounts can log in; never Known(true): the domain's rules cannot be read here."""
    joined = host.accounts.join()
    if not isinstance(joined, Known):
        return joined if isinstance(joined, Unknown) else Unknown(Cause.UNAVAILABLE, "没有域成员状态", joined.origin)
    if joined.value.kind == "domain":
        why = f"已加入域 {joined.value.name}，域账户的口令策略在域控制器上，本机无法读取"
        return Unknown(Cause.UNAVAILABLE, why, joined.origin)
    cloud = host.registry.subkeys(key=_CLOUD)
    if isinstance(cloud, Unknown):
        return cloud
    if isinstance(cloud, Known) and cloud.value:
        why = "已加入 Entra ID（Azure AD），云端账户的口令策略本机无法读取"
        return Unknown(Cause.UNAVAILABLE, why, _CLOUD)
    return Known(False, joined.origin)


def passwords_elsewhere(host: Host) -> Reading[bool]:
    """As :func:`directory_accounts`, for what a password has to be: Microsoft accounts have theirs from the Internet.

    Such an account is a local one in every other respect. Who ever used one is listed for the logon screen; Windows knows
    them since Windows 8.
    """
    there = directory_accounts(host)
    edition = host.system.windows()
    if not isinstance(there, Known) or (isinstance(edition, Known) and edition.value.build < _WINDOWS_8):
        return there
    online = host.registry.subkeys(key=_ONLINE)
    if isinstance(online, Unknown):
        return online
    if isinstance(online, Known) and (online.value or online.gaps):
        why = "本机保存有 Microsoft 账户，以其登录时口令由云端管理，本机策略不起作用，请核对各账户的类型"
        return Unknown(Cause.UNCONFIRMED, why, _ONLINE)
    return there


def usable(user: LocalUser, now: datetime) -> bool:
    """Whether the account is neither disabled nor expired. One that is locked for some minutes still counts."""
    return not user.disabled and not (user.expires is not None and user.expires <= now.timestamp())


def rid_of(sid: str) -> int | None:
    """The last part of a domain's or machine's SID (``S-1-5-21-…``); None for all others."""
    last = sid.rsplit("-", 1)[-1]
    return int(last) if sid.upper().startswith("S-1-5-21-") and last.isdigit() else None


def is_person(sid: str) -> bool:
    """Whether the SID is of an account of the machine, a domain or Entra ID; not of a service or an application pool.

    The profile of a person may be set aside (:data:`SET_ASIDE`), with its folder and what lies in it still there.
    """
    sid = sid.removesuffix(SET_ASIDE)
    return rid_of(sid) is not None or (sid.upper().startswith("S-1-12-1-") and sid.rsplit("-", 1)[-1].isdigit())


def bare(name: str) -> str:
    """``DOMAIN\\name`` without the domain."""
    return name.rsplit("\\", 1)[-1]


def can_use(hive: UserHive, users: Reading[tuple[LocalUser, ...]], local: Reading[bool], now: datetime) -> FieldValue:
    """Whether the owner of a profile can log in: false only for a local account that is disabled or expired.

    ``local`` is the answer of :func:`directory_accounts`. An account of a domain may have RID and name of a local one
    (Administrator): there nobody can tell whose profile it is.
    """
    if not isinstance(users, Known):
        return users if isinstance(users, Unknown) else Unknown(Cause.UNAVAILABLE, "没有账户列表")
    rid = rid_of(hive.sid)
    same = next((u for u in users.value if u.rid == rid), None)
    if same is None or usable(same, now):
        return True
    if isinstance(local, Known) and folded(same.name) == folded(bare(hive.account)):
        return False
    return Unknown(Cause.UNCONFIRMED, f"用户文件夹 {hive.home} 属于哪个账户不能确定")
