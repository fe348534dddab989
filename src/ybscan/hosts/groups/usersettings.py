"""Desktop settings of single users and of the system (dconf databases)."""

from __future__ import annotations

from ybscan.hosts.base import Group, question
from ybscan.model.reading import Reading


class UserSettings(Group):
    """Only the keys that are asked for are kept; the databases hold much more."""

    name = "user_settings"

    @question
    def dconf(self, *, path: str, keys: tuple[str, ...]) -> Reading[dict[str, str | bool | int | float | list[str]]]:
        """The values of ``keys`` (such as ``/org/gnome/system/proxy/mode``) set in the binary dconf database at ``path``.

        A key without a value there is left out. Absent when there is no such database; Unknown(malformed) when it
        cannot be decoded.
        """
        return self.unsupported()
