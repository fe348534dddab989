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


class Accounts(Group):
    """Local accounts."""

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
