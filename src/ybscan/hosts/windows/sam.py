"""Local accounts, their groups and the policy for them, as the SAM hive holds them at rest.

Windows documents the fields ([MS-SAMR] 2.2.3 and 2.2.6, USER_MODALS_INFO) but not how they lie in the hive; the layouts
of ``F`` and ``C`` were checked against hives whose content another library reads. Of an account only ``F`` (flags and
times) and the key of its name are read: ``V``, which holds the hashes, never is.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from ybscan.hosts.groups.accounts import AccountPolicy, LocalUser, Member
from ybscan.hosts.windows.hive import Hive, filetime
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

_ACCOUNT = ("SAM", "Domains", "Account")
_USERS = (*_ACCOUNT, "Users")
_ALIASES = ("SAM", "Domains", "Builtin", "Aliases")
_ORIGIN = "SAM"
_NEVER = -(1 << 63)
_NO_EXPIRY = (0, (1 << 63) - 1)
#: DOMAIN_PASSWORD_COMPLEX, DOMAIN_PASSWORD_STORE_CLEARTEXT.
_COMPLEX, _CLEARTEXT = 0x01, 0x10
#: USER_ACCOUNT_* of [MS-SAMR] 2.2.1.12.
_DISABLED, _NOT_REQUIRED, _DONT_EXPIRE, _LOCKED, _EXPIRED = 0x1, 0x4, 0x200, 0x400, 0x20000
_BUILTIN = "S-1-5-32-"
_MACHINE_PARTS = 12
#: Offsets, lengths and the number of members in ``C`` count from here.
_ALIAS_HEAD = 0x34
_MEMBERS_LIMIT = 10_000
#: Relative ids of a domain's own groups (domain admins, users, guests, computers, controllers …); 500 to 503 are accounts.
_DOMAIN_GROUPS = frozenset({498, *range(512, 523), 525, 526, 527, 553, 571, 572})


def policy(sam: Hive) -> Reading[AccountPolicy]:
    """The policy of the ``F`` value of the account domain."""
    raw = _data(sam, _ACCOUNT, "F")
    if not isinstance(raw, Known):
        return raw
    try:
        (max_age, min_age, _, duration, window) = struct.unpack_from("<5q", raw.value, 0x18)
        properties, length, history, threshold = struct.unpack_from("<IHHH", raw.value, 0x4C)
    except struct.error:
        return Unknown(Cause.MALFORMED, "账户策略", _ORIGIN)
    # All are spans of time, which Windows counts downwards from zero.
    if max(max_age, min_age, duration, window) > 0 or history > 1024 or length > 256:
        return Unknown(Cause.MALFORMED, "账户策略", _ORIGIN)
    return Known(
        AccountPolicy(
            min_length=length,
            max_age=None if max_age in (_NEVER, 0) else _seconds(max_age),
            min_age=0 if min_age == _NEVER else _seconds(min_age),
            history=history,
            complexity=bool(properties & _COMPLEX),
            reversible=bool(properties & _CLEARTEXT),
            lockout_threshold=threshold,
            lockout_duration=None if duration == _NEVER else _seconds(duration),
            lockout_window=0 if window == _NEVER else _seconds(window),
        ),
        _ORIGIN,
    )


def local_users(sam: Hive) -> Reading[tuple[LocalUser, ...]]:
    """All accounts; one whose name or flags cannot be read leaves a gap."""
    listed = sam.subkeys(path=_USERS, shown="SAM\\Users")
    names = user_names(sam)
    if not isinstance(listed, Known):
        return listed if isinstance(listed, Unknown) else Unknown(Cause.MALFORMED, "没有账户", _ORIGIN)
    if not isinstance(names, Known):
        return names
    found: list[LocalUser] = []
    gaps = list(names.gaps)
    for key in listed.value:
        if key.lower() == "names":
            continue
        user = _user(sam, key, names.value)
        if isinstance(user, LocalUser):
            found.append(user)
        else:
            gaps.append(user)
    missing = set(names.value) - {u.rid for u in found}
    gaps.extend(Gap(Cause.MALFORMED, f"账户 {names.value[rid]} 的设置", _ORIGIN) for rid in sorted(missing))
    if not found:
        # No Windows is without accounts.
        return Unknown(Cause.MALFORMED, "没有可以读取的账户", _ORIGIN)
    return Known(tuple(sorted(found, key=lambda u: u.rid)), _ORIGIN, tuple(dict.fromkeys(gaps)))


def user_names(sam: Hive) -> Reading[Mapping[int, str]]:
    """The names of the accounts by relative id: below ``Names`` the type of the default value is the id."""
    listed = sam.subkeys(path=(*_USERS, "Names"), shown="SAM\\Names")
    if not isinstance(listed, Known):
        return listed if isinstance(listed, Unknown) else Unknown(Cause.MALFORMED, "没有账户名", _ORIGIN)
    found: dict[int, str] = {}
    gaps: list[Gap] = []
    for name in listed.value:
        raw = sam.raw(path=(*_USERS, "Names", name), name="")
        if isinstance(raw, Known):
            found[raw.value.type] = name
        else:
            gaps.append(Gap(raw.cause if isinstance(raw, Unknown) else Cause.MALFORMED, f"账户 {name}", _ORIGIN))
    return Known(found, _ORIGIN, tuple(gaps))


def _user(sam: Hive, key: str, names: Mapping[int, str]) -> LocalUser | Gap:
    gap = Gap(Cause.MALFORMED, f"账户 {key}", _ORIGIN)
    raw = _data(sam, (*_USERS, key), "F")
    if not isinstance(raw, Known):
        return Gap(raw.cause, gap.detail, _ORIGIN) if isinstance(raw, Unknown) else gap
    try:
        rid_of_key = int(key, 16)
        _, last_logon, _, password_set, expires, _ = struct.unpack_from("<6Q", raw.value)
        rid, _, flags = struct.unpack_from("<3I", raw.value, 0x30)
    except (struct.error, ValueError):
        return gap
    name = names.get(rid)
    times = [_moment(t) for t in (last_logon, password_set)]
    if rid != rid_of_key or name is None or any(isinstance(t, Unknown) for t in times):
        return gap
    end = None if expires in _NO_EXPIRY else _moment(expires)
    if isinstance(end, Unknown):
        return gap
    return LocalUser(
        name=name,
        rid=rid,
        disabled=bool(flags & _DISABLED),
        password_not_required=bool(flags & _NOT_REQUIRED),
        never_expires=bool(flags & _DONT_EXPIRE),
        locked=bool(flags & _LOCKED),
        password_set=times[1],  # type: ignore[arg-type]
        # Without a time it must be changed, except where it never expires: there Windows does not say.
        must_change=True
        if flags & _EXPIRED
        else (None if flags & _DONT_EXPIRE else True)
        if not password_set
        else False,
        last_logon=times[0],  # type: ignore[arg-type]
        expires=end,
    )


def members(sam: Hive, sid: str) -> Reading[tuple[Member, ...]]:
    """The members of a built-in group (``S-1-5-32-…``), from its ``C`` value."""
    if not sid.upper().startswith(_BUILTIN) or not sid[len(_BUILTIN) :].isdecimal():
        return Unknown(Cause.UNSUPPORTED, f"只能读取内置组的成员，{sid} 不是内置组", _ORIGIN)
    key = f"{int(sid[len(_BUILTIN) :]):08X}"
    raw = _data(sam, (*_ALIASES, key), "C")
    if not isinstance(raw, Known):
        return raw
    names, own = user_names(sam), machine_sid(sam)
    if not isinstance(names, Known) or not isinstance(own, Known):
        return names if isinstance(names, Unknown) else own  # type: ignore[return-value]
    sids = _sids(raw.value, int(key, 16))
    if sids is None:
        return Unknown(Cause.MALFORMED, f"组 {sid} 的成员", _ORIGIN)
    found = tuple(sorted((_member(s, own.value, names.value) for s in sids), key=lambda m: m.sid))
    return Known(found, _ORIGIN, names.gaps)


def machine_sid(sam: Hive) -> Reading[str]:
    """The SID before the relative ids of the local accounts: the end of the account domain's own record."""
    raw = _data(sam, _ACCOUNT, "V")
    if not isinstance(raw, Known):
        return raw
    if len(raw.value) < _MACHINE_PARTS:
        return Unknown(Cause.MALFORMED, "计算机的标识", _ORIGIN)
    parts = struct.unpack("<3I", raw.value[-_MACHINE_PARTS:])
    return Known("-".join(("S-1-5-21", *map(str, parts))), _ORIGIN)


def _sids(data: bytes, rid: int) -> list[str] | None:
    """The SIDs at the end of an alias' record; None when anything about them does not add up."""
    if len(data) < _ALIAS_HEAD:
        return None
    head = struct.unpack_from("<13I", data)
    offset, size, count = head[10], head[11], head[12]
    block = data[_ALIAS_HEAD + offset : _ALIAS_HEAD + offset + size]
    if head[0] != rid or len(block) != size or count > _MEMBERS_LIMIT:
        return None
    found: list[str] = []
    while block:
        if len(block) < 8 or block[0] != 1 or block[1] > 15 or len(block) < 8 + 4 * block[1]:
            return None
        parts = struct.unpack_from(f"<{block[1]}I", block, 8)
        found.append("-".join(("S-1", str(int.from_bytes(block[2:8], "big")), *map(str, parts))))
        block = block[8 + 4 * block[1] :]
    return found if len(found) == count else None


def _member(sid: str, own: str, names: Mapping[int, str]) -> Member:
    front, _, last = sid.rpartition("-")
    if front == own and int(last) in names:
        return Member(sid, names[int(last)], "user")
    if front.startswith("S-1-5-21-"):
        return Member(sid, "", "group" if int(last) in _DOMAIN_GROUPS else "unknown")
    return Member(sid, "", "well-known")


def _data(sam: Hive, path: tuple[str, ...], name: str) -> Reading[bytes]:
    raw = sam.raw(path=path, name=name)
    if isinstance(raw, Known):
        if raw.value.data is None:
            return Unknown(Cause.TOO_LARGE, _ORIGIN, _ORIGIN)
        return Known(raw.value.data, _ORIGIN)
    return Absent(_ORIGIN) if isinstance(raw, Absent) else Unknown(raw.cause, raw.detail, _ORIGIN)


def _moment(value: int) -> float | Unknown | None:
    """A time, None for none, Unknown for what is no time."""
    if value == 0:
        return None
    found = filetime(value, _ORIGIN)
    return found.value if isinstance(found, Known) else Unknown(Cause.MALFORMED, "", _ORIGIN)


def _seconds(span: int) -> int:
    return -span // 10_000_000
