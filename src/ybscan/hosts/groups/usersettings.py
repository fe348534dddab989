"""Desktop settings of single users and of the system (dconf databases, compiled schemas)."""

from __future__ import annotations

from ybscan.hosts.base import Group, question
from ybscan.model.reading import Reading

Setting = str | bool | int | float | list[str]
"""A value of a setting: the types ``s o g``, ``b``, ``y n q i u x t h``, ``d`` and ``as`` of GVariant."""


class UserSettings(Group):
    """Only the keys that are asked for are kept; the databases hold much more."""

    name = "user_settings"

    @question
    def dconf(self, *, path: str, keys: tuple[str, ...]) -> Reading[dict[str, str | bool | int | float | list[str]]]:
        """The values of ``keys`` (such as ``/org/gnome/system/proxy/mode``) set in the binary dconf database at ``path``.

        A key without a value there is left out. Absent when there is no such database; Unknown(malformed) when it
        cannot be decoded, or when a key asked for holds a value of a type that :data:`Setting` does not have.
        """
        return self.unsupported()

    @question
    def locks(self, *, path: str, keys: tuple[str, ...]) -> Reading[tuple[str, ...]]:
        """Those of ``keys`` that the dconf database at ``path`` locks: databases above it may not override them.

        Only system databases have locks. Absent and Unknown as for :meth:`dconf`.
        """
        return self.unsupported()

    @question
    def defaults(
        self, *, path: str, schema: str, keys: tuple[str, ...]
    ) -> Reading[dict[str, str | bool | int | float | list[str]]]:
        """The default values of ``keys`` (last parts, such as ``idle-delay``) in the compiled schemas at ``path``.

        Vendor overrides are part of a compiled file. A key that the schema lacks is left out;
        ``.path`` is the dconf folder of the schema's values. Absent when there is no
        such file, or no such schema in it; Unknown(unavailable) when a default depends on the desktop in use.
        """
        return self.unsupported()
