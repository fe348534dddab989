"""Accounts, groups and the ageing of passwords. Hashes never leave the backend's parser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ybscan.hosts.base import Group, question
from ybscan.model.reading import Reading

PasswordState = Literal["set", "empty", "locked", "none"]
"""``locked``: a hash that ``passwd -l`` made unusable; ``none``: never had a usable password (``*``, ``!``, ``!!``)."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the system's own database (``/etc/passwd``; SAM)."""

    name: str
    uid: int
    gid: int
    comment: str
    home: str
    shell: str
    #: The second field of the passwd file: ``shadow`` (x), ``empty``, ``set`` (a hash stands there) or ``locked``.
    password_field: Literal["shadow", "empty", "set", "locked"]


@dataclass(frozen=True, slots=True)
class PasswordAgeing:
    """Flags and dates of the shadow entry, in days as shadow(5) has them; None where the field is empty."""

    name: str
    state: PasswordState
    last_changed: int | None
    """Days since 1970-01-01; 0 means it must be changed at the next login."""
    min_days: int | None
    max_days: int | None
    warn_days: int | None
    inactive_days: int | None
    expires: int | None
    """Days since 1970-01-01 on which the account expires."""
    scheme: str = ""
    """The hash scheme's identifier such as ``yescrypt`` or ``sha512``, never the hash."""


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """A group and the members its entry lists."""

    name: str
    gid: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountPolicy:
    """Password and lockout policy for the local accounts of Windows. Times in seconds; None stands for "never".

    Sources: USER_MODALS_INFO_0 and _3, DOMAIN_PASSWORD_INFORMATION; at rest the ``F`` value of SAM\\Domains\\Account.
    """

    min_length: int
    max_age: int | None
    """None: passwords never expire."""
    min_age: int
    history: int
    complexity: bool | None
    """None where the source does not tell (USER_MODALS_INFO_0 alone does not)."""
    reversible: bool | None
    """Whether passwords are stored so that they can be recovered; None as above."""
    lockout_threshold: int
    """0: accounts are never locked."""
    lockout_duration: int | None
    """None: locked until an administrator unlocks."""
    lockout_window: int


@dataclass(frozen=True, slots=True)
class LocalUser:
    """A local account of Windows: flags and times, never a hash. Times in seconds since the epoch."""

    name: str
    rid: int
    """500 is the built-in administrator, 501 the guest, whatever their names."""
    disabled: bool
    password_not_required: bool
    """UF_PASSWD_NOTREQD: a blank password would be allowed; it does not say that there is one."""
    never_expires: bool
    locked: bool
    password_set: float | None
    """When the password was last set; None when it never was, or must be changed at the next logon."""
    must_change: bool | None
    last_logon: float | None
    expires: float | None
    """When the account expires; None for never."""
    comment: str = ""
    full_name: str = ""
    password_known: bool = True
    """Whether ``password_set`` and ``must_change`` could be read at all."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a local group. ``name`` is as resolved locally, empty when that failed."""

    sid: str
    name: str
    kind: Literal["user", "group", "well-known", "unknown"]


@dataclass(frozen=True, slots=True)
class Join:
    """Whether the terminal belongs to a domain (NetGetJoinInformation)."""

    kind: Literal["workgroup", "domain", "none"]
    name: str


class Accounts(Group):
    """Local accounts. ``users``, ``ageing`` and ``groups`` are those of Linux, the others those of Windows."""

    name = "accounts"

    @question
    def users(self) -> Reading[tuple[Account, ...]]:
        """All local accounts; a line that makes no sense leaves a gap."""
        return self.unsupported()

    @question
    def ageing(self) -> Reading[tuple[PasswordAgeing, ...]]:
        """Password flags and dates of all local accounts; a line that makes no sense leaves a gap."""
        return self.unsupported()

    @question
    def groups(self) -> Reading[tuple[GroupEntry, ...]]:
        """All local groups; a line that makes no sense leaves a gap."""
        return self.unsupported()

    @question
    def policy(self) -> Reading[AccountPolicy]:
        """The policy for local accounts. On a domain member it says nothing about the domain's accounts."""
        return self.unsupported()

    @question
    def local_users(self) -> Reading[tuple[LocalUser, ...]]:
        """All local accounts, sorted by RID; one that could not be read leaves a gap."""
        return self.unsupported()

    @question
    def members(self, *, sid: str) -> Reading[tuple[Member, ...]]:
        """The direct members of the local group with this SID (S-1-5-32-544: administrators), sorted by SID."""
        return self.unsupported()

    @question
    def holders(self, *, right: str) -> Reading[tuple[Member, ...]]:
        """Those who hold a user right of Windows, such as ``SeSystemtimePrivilege``, sorted by SID."""
        return self.unsupported()

    @question
    def join(self) -> Reading[Join]:
        """Domain or workgroup."""
        return self.unsupported()
