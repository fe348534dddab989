"""The Windows registry: machine keys, and the hives of all people who have a profile on the terminal.

Keys are written ``HKLM\\SYSTEM\\CurrentControlSet\\…`` and ``HKU\\<SID>\\…``; a person's classes are ``HKU\\<SID>_Classes\\…``.
Names compare without regard to case, as Windows does. Secrets (a stored logon password, hashes, LSA secrets) never
leave a backend: of such a value only its presence is told, as :data:`WITHHELD`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ybscan.hosts.base import Group, question
from ybscan.hosts.windows.commandline import programs
from ybscan.model.reading import Known, Reading

View = Literal["64", "32"]
"""Which half of a redirected key: ``64`` the system's own (on 32-bit Windows the only one), ``32`` Wow6432Node."""

WITHHELD = "（已隐去）"
"""Stands for the content of a value that holds a secret; an empty value stays empty."""

RegistryValue = str | int | bytes | tuple[str, ...]
"""REG_SZ and REG_EXPAND_SZ (unexpanded) as text, REG_DWORD as a number, REG_MULTI_SZ as texts, else bytes."""


@dataclass(frozen=True, slots=True)
class UserHive:
    """A person's part of the registry."""

    sid: str
    account: str
    """The account's name as resolved locally, else the last part of the profile's folder."""
    home: str
    """The profile's folder, such as ``C:\\Users\\张三``."""
    loaded: bool
    """Whether Windows has the hive open (the person is logged on, or was lately)."""


class Registry(Group):
    """The 64-bit view unless stated. Absent means that the key, or the value in it, does not exist."""

    name = "registry"

    @question
    def value(self, *, key: str, name: str, view: View = "64") -> Reading[str | int | bytes | tuple[str, ...]]:
        """One value; ``name`` is empty for the default value."""
        return self.unsupported()

    @question
    def values(self, *, key: str, view: View = "64") -> Reading[dict[str, str | int | bytes | tuple[str, ...]]]:
        """All values of a key, by their names as written."""
        return self.unsupported()

    @question
    def subkeys(self, *, key: str, view: View = "64") -> Reading[tuple[str, ...]]:
        """The names of the subkeys, sorted."""
        return self.unsupported()

    @question
    def commands(self, *, key: str, view: View = "64") -> Reading[dict[str, tuple[str, ...]]]:
        """Of a key whose values are command lines (``Run``): per value name the programs it starts, as written.

        Arguments never leave the backend, except the scripts and libraries an interpreter is given and the marks of
        :mod:`ybscan.hosts.windows.commandline`. Values that are no text are left out.
        """
        found = self.values(key=key, view=view)
        if not isinstance(found, Known):
            return found
        started = {n: programs(v) for n, v in found.value.items() if isinstance(v, str)}
        return Known(started, found.origin, found.gaps)

    @question
    def written(self, *, key: str, view: View = "64") -> Reading[float]:
        """When the key was last written, in seconds since the epoch."""
        return self.unsupported()

    @question
    def users(self) -> Reading[tuple[UserHive, ...]]:
        """Everybody with a profile (``ProfileList``), sorted by SID; service accounts (S-1-5-18, 19, 20) are left out.

        Questions about ``HKU\\<SID>`` of a person who is not logged on are answered from the hive file, else Unknown.
        """
        return self.unsupported()
