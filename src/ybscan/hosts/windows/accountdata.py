"""Accounts and policy as netapi32 and samlib hand them out.

Sources: USER_MODALS_INFO_0 and _3, USER_INFO_3, LOCALGROUP_MEMBERS_INFO_0, DOMAIN_PASSWORD_INFORMATION. Times of the
network functions are whole seconds; TIMEQ_FOREVER (all bits set) stands for "never".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ybscan.hosts.groups.accounts import AccountPolicy, LocalUser
from ybscan.hosts.windows.memory import MalformedBufferError, Memory

_FOREVER = 0xFFFFFFFF
#: UF_* of lmaccess.h.
_DISABLED, _LOCKED, _NOT_REQUIRED, _NEVER_EXPIRES = 0x2, 0x10, 0x20, 0x10000
_COMPLEX, _CLEAR_TEXT = 0x1, 0x10
#: 1990-01-01: an older time was counted from the beginning of some calendar.
_OLDEST = 631_152_000


@dataclass(frozen=True, slots=True)
class PasswordProperties:
    """What DOMAIN_PASSWORD_INFORMATION tells beyond USER_MODALS_INFO_0."""

    min_length: int
    complexity: bool
    reversible: bool


def policy(modals0: bytes, modals3: bytes, properties: PasswordProperties | None) -> AccountPolicy:
    """The account policy.

    Raises:
        MalformedBufferError: a buffer is too short, or the two sources contradict each other.
    """
    first, third = Memory(modals0), Memory(modals3)
    min_length, max_age, min_age = (first.number(4 * n, 4) for n in range(3))
    duration, window, threshold = (third.number(4 * n, 4) for n in range(3))
    if properties is not None and properties.min_length != min_length:
        raise MalformedBufferError("two minimum lengths")
    return AccountPolicy(
        min_length=min_length,
        # An age of no time at all is how some sources write that there is no such limit.
        max_age=None if max_age in (0, _FOREVER) else max_age,
        min_age=min_age,
        history=first.number(16, 4),
        complexity=properties.complexity if properties else None,
        reversible=properties.reversible if properties else None,
        lockout_threshold=threshold,
        lockout_duration=None if duration == _FOREVER else duration,
        lockout_window=window,
    )


def password_properties(data: bytes) -> PasswordProperties:
    """DOMAIN_PASSWORD_INFORMATION: two short numbers, the properties, two times.

    Raises:
        MalformedBufferError: it is too short.
    """
    memory = Memory(data)
    flags = memory.number(4, 4)
    return PasswordProperties(memory.number(0, 2), bool(flags & _COMPLEX), bool(flags & _CLEAR_TEXT))


def user_size(word: int) -> int:
    """Bytes of one USER_INFO_3 with pointers of ``word`` bytes."""
    return _Offsets(word).size


def local_users(memory: Memory, count: int, now: float, text: Callable[[int], str]) -> Iterator[LocalUser]:
    """USER_INFO_3, one after the other. ``now`` is when they were asked for, seconds since the epoch; ``text`` reads
    the text at an address, which need not lie in the same buffer.

    Raises:
        MalformedBufferError: they are not all there.
    """
    word = memory.word
    at = _Offsets(word)

    def wide(offset: int) -> str:
        address = memory.number(offset, word)
        return text(address) if address else ""

    for n in range(count):
        base = n * at.size
        name = wide(base + at.name)
        if not name:
            raise MalformedBufferError("an account without a name")
        flags = memory.number(base + at.flags, 4)
        age = memory.number(base + at.age, 4)
        expired = memory.number(base + at.expired, 4)
        # An age of zero is what a password has that was never set, or that has to be changed at the next logon.
        when = float(round(now - age)) if age and now - age > _OLDEST else None
        last_logon = memory.number(base + at.last_logon, 4)
        expires = memory.number(base + at.expires, 4)
        yield LocalUser(
            name=name,
            rid=memory.number(base + at.rid, 4),
            disabled=bool(flags & _DISABLED),
            password_not_required=bool(flags & _NOT_REQUIRED),
            never_expires=bool(flags & _NEVER_EXPIRES),
            locked=bool(flags & _LOCKED),
            password_set=when,
            must_change=bool(expired) and when is None,
            last_logon=float(last_logon) if last_logon else None,
            expires=None if expires in (0, _FOREVER) else float(expires),
            comment=wide(base + at.comment),
            full_name=wide(base + at.full_name),
        )


class _Offsets:
    """USER_INFO_3 with pointers of ``word`` bytes: its members in order, each aligned to its own size."""

    def __init__(self, word: int) -> None:
        members = (
            ("name", word), ("password", word), ("age", 4), ("privilege", 4), ("home", word), ("comment", word),
            ("flags", 4), ("script", word), ("auth", 4), ("full_name", word), ("user_comment", word), ("parameters", word),
            ("workstations", word), ("last_logon", 4), ("last_logoff", 4), ("expires", 4), ("storage", 4), ("units", 4),
            ("hours", word), ("bad", 4), ("logons", 4), ("server", word), ("country", 4), ("code_page", 4), ("rid", 4),
            ("group", 4), ("profile", word), ("drive", word), ("expired", 4),
        )  # fmt: skip
        places: dict[str, int] = {}
        offset = 0
        for name, size in members:
            offset += -offset % size
            places[name] = offset
            offset += size
        self.size = offset + -offset % word
        self.name, self.age, self.flags, self.comment = (places[n] for n in ("name", "age", "flags", "comment"))
        self.full_name, self.last_logon, self.expires = (places[n] for n in ("full_name", "last_logon", "expires"))
        self.rid, self.expired = places["rid"], places["expired"]
