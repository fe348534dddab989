"""The Windows registry."""

from __future__ import annotations

from typing import Literal

from ybscan.hosts.base import Group, question
from ybscan.model.reading import Reading

View = Literal["64", "32"]


class Registry(Group):
    """Keys are written ``HKLM\\SYSTEM\\…``; the 64-bit view unless stated."""

    name = "registry"

    @question
    def value(self, *, key: str, name: str, view: View = "64") -> Reading[str | int | bytes | tuple[str, ...]]:
        """One value. Absent when the key or the value does not exist."""
        return self.unsupported()

    @question
    def subkeys(self, *, key: str, view: View = "64") -> Reading[tuple[str, ...]]:
        """The names of the subkeys."""
        return self.unsupported()
