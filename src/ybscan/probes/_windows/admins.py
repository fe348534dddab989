"""The administrators of Windows: the members of the group with the well-known SID, whatever its name here.

Sources: "Well-known SIDs" of the Windows documentation; the values of "User Account Control" below Policies\\System.
"""

from __future__ import annotations

from ybscan.hosts.base import Host
from ybscan.hosts.groups.accounts import LocalUser
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Cause, Known, Reading, Unknown
from ybscan.probes._patterns import folded
from ybscan.probes._windows.people import bare, rid_of, usable
from ybscan.probes._windows.values import flag, number
from ybscan.probes.base import Context

ADMINISTRATORS = "S-1-5-32-544"
_UAC = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
#: Everyone, anonymous and network logons, interactive users, authenticated users, Users, Guests.
_EVERYBODY = frozenset({"S-1-1-0", "S-1-5-2", "S-1-5-4", "S-1-5-7", "S-1-5-11", "S-1-5-32-545", "S-1-5-32-546"})
_SYSTEM = "S-1-5-18"


def uac(host: Host) -> Fact:
    """Whether EnableLUA is on. Every Windows since Vista has the value; without it nothing is claimed."""
    found = flag(host, _UAC, "EnableLUA")
    if isinstance(found, Known):
        return Known(found.value, found.origin)
    return found if isinstance(found, Unknown) else Unknown(Cause.UNAVAILABLE, f"{_UAC} 中没有 EnableLUA", _UAC)


def administrators(host: Host, context: Context) -> Fact:
    """The members of the group of administrators."""
    group = host.accounts.members(sid=ADMINISTRATORS)
    if not isinstance(group, Known):
        return group if isinstance(group, Unknown) else Unknown(Cause.UNAVAILABLE, "没有管理员组", group.origin)
    if not group.value and not group.gaps:
        # The built-in administrator cannot be taken out of the group.
        return Unknown(Cause.MALFORMED, "管理员组没有读到任何成员，结果不可信", group.origin)
    users = host.accounts.local_users()
    prompt = number(host, _UAC, "ConsentPromptBehaviorAdmin")
    free: FieldValue = None
    if isinstance(prompt, Known):
        free = prompt.value not in (1, 3)  # these two ask for a password, the others at most for a click
    elif isinstance(prompt, Unknown):
        free = prompt
    rids = [rid_of(m.sid) for m in group.value]
    items: list[Item] = []
    for member in group.value:
        if member.sid.upper() == _SYSTEM:
            continue
        name = member.name or member.sid
        rid = rid_of(member.sid)
        active, approved = _standing(member.sid.upper(), member.kind, name, rids.count(rid), users, context)
        items.append(
            {
                "account": name, "via": "管理员组", "full": True, "no_password": free, "active": active,
                "approved": approved,
            }
        )  # fmt: skip
    return Known(tuple(items), group.origin, group.gaps)


def _standing(
    sid: str, kind: str, name: str, alike: int, users: Reading[tuple[LocalUser, ...]], context: Context
) -> tuple[FieldValue, FieldValue]:
    """Whether the member can be used, and whether the unit approved it."""
    admins = context.site.accounts.admins
    listed = {folded(a) for a in admins or ()}
    if sid in _EVERYBODY:
        return True, False  # nobody can have approved every account there will ever be
    unset = Unknown(Cause.NOT_CONFIGURED, "site.yml 的 accounts.admins")
    named: FieldValue = unset if admins is None else bool({folded(name), folded(sid)} & listed)
    if kind == "user" and (rid := rid_of(sid)) is not None:
        if not isinstance(users, Known):
            why = users if isinstance(users, Unknown) else Unknown(Cause.UNAVAILABLE, "没有账户列表")
            return why, named
        local = next((u for u in users.value if u.rid == rid and folded(u.name) == folded(bare(name))), None)
        if local is not None:
            able: FieldValue = usable(local, context.now)
            if not able and alike > 1:
                able = Unknown(Cause.UNCONFIRMED, f"{name} 与另一成员的编号相同，不能确定是否为本机账户")
            if named is False and folded(local.name) in listed:
                named = True
            return able, named
    if named is True or admins is None:
        return True, named
    if kind in ("group", "well-known"):
        return True, Unknown(Cause.UNAVAILABLE, f"{name} 是组，其成员无法在本机判定")
    if name == sid or folded(bare(name)) in listed:
        return True, Unknown(Cause.UNCONFIRMED, f"{name} 不是本机账户，不能确定是否为名单中的管理员")
    return True, False
