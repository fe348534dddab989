"""What a desktop setting really is for one user: dconf profile, locks, and the schema's default.

Sources: dconf(7): a profile lists databases, the first is the user's own, earlier ones win; a lock in a database makes
everything above it count for nothing. ``/run/dconf/user/<uid>`` and ``/etc/dconf/profile/user`` name the profile; with
neither, a user has only the own database. GLib takes the schema's default when no database has a value.
"""

from __future__ import annotations

from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.hosts.groups.usersettings import Setting
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

#: Where GLib looks for compiled schemas by default, first wins (XDG_DATA_DIRS).
SCHEMA_FILES = (
    "/usr/local/share/glib-2.0/schemas/gschemas.compiled",
    "/usr/share/glib-2.0/schemas/gschemas.compiled",
)
_PROFILES = ("/etc/dconf/profile/user", "/usr/local/share/dconf/profile/user", "/usr/share/dconf/profile/user")


def profile(host: Host, *, uid: int | None = None) -> Reading[tuple[str, ...]]:
    """The lines of the user's dconf profile, such as ``user-db:user``, first wins."""
    places = (f"/run/dconf/user/{uid}", *_PROFILES) if uid is not None else _PROFILES
    for path in places:
        text = host.files.text(path=path, limit=65536)
        # A disk that lies still has no /run: what was there does not outlive a restart.
        if isinstance(text, Unknown) and not (text.cause is Cause.UNSUPPORTED and path.startswith("/run/")):
            return text
        if isinstance(text, Known):
            lines = (line.split("#", 1)[0].strip() for line in text.value.splitlines())
            return Known(tuple(line for line in lines if line), path)
    return Known(("user-db:user",), "dconf")


def effective(
    host: Host, *, home: str, keys: tuple[str, ...], uid: int | None = None
) -> Mapping[str, Reading[Setting]]:
    """What each of ``keys`` (dconf paths) is for the user whose home is ``home``.

    Known with the database it comes from, Absent when no database sets it (the schema's default holds), Unknown when a
    database that could decide it cannot be read.
    """
    lines = profile(host, uid=uid)
    if not isinstance(lines, Known):
        return {k: lines if isinstance(lines, Unknown) else Absent() for k in keys}
    places = [_database(line, home) for line in lines.value]
    values = [_values(host, p, line, keys) for p, line in zip(places, lines.value, strict=True)]
    # The first database is the one the user writes; it holds no locks.
    locks = [_locks(host, p, keys) for p in places[1:]]
    return {k: _one(k, values, locks) for k in keys}


def default(host: Host, *, schema: str, key: str) -> Reading[Setting]:
    """The default of a schema's key as this machine has it, vendor overrides included.

    Absent when no compiled schema file knows the schema (the program that would use it is not installed), or when the
    schema has no such key.
    """
    for path in SCHEMA_FILES:
        found = host.user_settings.defaults(path=path, schema=schema, keys=(key,))
        if isinstance(found, Unknown):
            return found
        if isinstance(found, Known):
            return Known(found.value[key], path) if key in found.value else Absent(path)
    return Absent(SCHEMA_FILES[-1])


def folder(host: Host, *, schema: str) -> Reading[str]:
    """The dconf folder that holds a schema's values, such as ``/org/gnome/desktop/session/``; Absent without schema."""
    found = default(host, schema=schema, key=".path")
    if isinstance(found, Known):
        return Known(str(found.value), found.origin)
    return found


def _database(line: str, home: str) -> str:
    kind, _, name = line.partition(":")
    if kind == "user-db":
        return f"{home.rstrip('/')}/.config/dconf/{name}"
    if kind == "system-db":
        return f"/etc/dconf/db/{name}"
    return name if kind == "file-db" else ""


def _values(host: Host, path: str, line: str, keys: tuple[str, ...]) -> Reading[dict[str, Setting]]:
    if not path.startswith("/"):
        return Unknown(Cause.UNSUPPORTED, f"dconf 数据源 {line}", line)
    return host.user_settings.dconf(path=path, keys=keys)


def _locks(host: Host, path: str, keys: tuple[str, ...]) -> Reading[tuple[str, ...]]:
    if not path.startswith("/"):
        return Known((), path)  # its values are unknown already
    return host.user_settings.locks(path=path, keys=keys)


def _one(
    key: str, values: list[Reading[dict[str, Setting]]], locks: list[Reading[tuple[str, ...]]]
) -> Reading[Setting]:
    start = 0
    for i, lock in enumerate(locks, 1):
        if isinstance(lock, Unknown):
            return lock
        if isinstance(lock, Known) and key in lock.value:
            start = i
    for reading in values[start:]:
        if isinstance(reading, Unknown):
            return reading
        if isinstance(reading, Known) and key in reading.value:
            return Known(reading.value[key], reading.origin)
    return Absent("dconf")
