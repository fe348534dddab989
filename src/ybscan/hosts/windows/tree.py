"""A registry held in memory: what a case file states, and what a collector exported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ybscan.hosts.groups.registry import Registry, RegistryValue, UserHive, View
from ybscan.hosts.windows.keys import in_view, parts
from ybscan.hosts.windows.redact import is_closed, kept
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

_PROFILES = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
#: LocalSystem, LocalService, NetworkService: no persons, though they have profiles.
_SERVICE_SIDS = frozenset({"S-1-5-18", "S-1-5-19", "S-1-5-20"})


@dataclass(slots=True)
class Key:
    """A key with its values by name as written, and its subkeys by lower-case name."""

    name: str
    values: dict[str, RegistryValue] = field(default_factory=dict)
    subkeys: dict[str, Key] = field(default_factory=dict)
    written: float | None = None

    def make(self, names: tuple[str, ...]) -> Key:
        """The key below this one, made with all on the way where it is missing."""
        found = self
        for name in names:
            found = found.subkeys.setdefault(name.lower(), Key(name))
        return found


class TreeRegistry(Registry):
    """Answers from ``root``, whose subkeys are HKLM and HKU.

    ``covered`` lists what the tree holds completely (``HKLM``, ``HKLM\\SOFTWARE\\Policies`` …): elsewhere a key that is
    not there is Unknown(not_recorded). ``refused`` are keys that exist, or may, and could not be read. On 32-bit Windows
    (``bits``) both views are one.
    """

    def __init__(
        self,
        root: Key,
        *,
        covered: tuple[str, ...],
        origin: str,
        bits: int = 64,
        refused: Mapping[str, Unknown] | None = None,
    ) -> None:
        super().__init__()
        self._root = root
        self._covered = tuple(tuple(p.lower() for p in parts(c)) for c in covered)
        self._origin = origin
        self._bits = bits
        self._refused = {tuple(p.lower() for p in parts(k)): v for k, v in (refused or {}).items()}

    def value(self, *, key: str, name: str, view: View = "64") -> Reading[RegistryValue]:
        found = self._find(key, view)
        if not isinstance(found, Known):
            return found
        for written, value in found.value.values.items():
            if written.lower() == name.lower():
                return Known(kept(key, written, value), f"{key}\\{written}")
        return Absent(f"{key}\\{name}")

    def values(self, *, key: str, view: View = "64") -> Reading[dict[str, RegistryValue]]:
        found = self._find(key, view)
        if not isinstance(found, Known):
            return found
        return Known({n: kept(key, n, v) for n, v in found.value.values.items()}, key)

    def subkeys(self, *, key: str, view: View = "64") -> Reading[tuple[str, ...]]:
        found = self._find(key, view)
        if not isinstance(found, Known):
            return found
        return Known(tuple(sorted(k.name for k in found.value.subkeys.values())), key)

    def written(self, *, key: str, view: View = "64") -> Reading[float]:
        found = self._find(key, view)
        if not isinstance(found, Known):
            return found
        if found.value.written is None:
            return Unknown(Cause.UNAVAILABLE, f"{self._origin}没有注册表项的修改时间", key)
        return Known(found.value.written, key)

    def users(self) -> Reading[tuple[UserHive, ...]]:
        return people(self)

    def _find(self, key: str, view: View) -> Reading[Key]:
        # In its short form: a hive of secrets is closed by whatever name it is asked for.
        if is_closed("\\".join(parts(key))):
            return Unknown(Cause.NOT_PERMITTED, f"{key} 含口令散列等机密，不读取", key)
        names = parts(key if self._bits == 32 else in_view(key, view))
        path = tuple(n.lower() for n in names)
        for n in range(len(path), 0, -1):
            if path[:n] in self._refused:
                return self._refused[path[:n]]
        found: Key | None = self._root
        for name in path:
            found = found.subkeys.get(name) if found is not None else None
        if found is not None:
            return Known(found, key)
        if any(path[: len(c)] == c for c in self._covered):
            return Absent(key)
        return Unknown(Cause.NOT_RECORDED, f"{self._origin}没有 {key}", key)


def people(registry: Registry, loaded: frozenset[str] | None = None) -> Reading[tuple[UserHive, ...]]:
    """The people of ``ProfileList``. ``loaded`` are the SIDs whose hives are open; without it, those that HKU shows.

    A profile folder's last part stands for the account's name: a backend that can resolve the SID does better.
    """
    listed = registry.subkeys(key=_PROFILES)
    if not isinstance(listed, Known):
        # Every Windows has the list: without it nobody can say whose settings are missing.
        return listed if isinstance(listed, Unknown) else Unknown(Cause.MALFORMED, "没有 ProfileList", _PROFILES)
    if loaded is None:
        shown = registry.subkeys(key="HKU")
        loaded = frozenset(s.upper() for s in shown.value) if isinstance(shown, Known) else frozenset()
    found: list[UserHive] = []
    gaps = list(listed.gaps)
    for sid in listed.value:
        if not sid.upper().startswith("S-1-") or sid.upper() in _SERVICE_SIDS:
            continue
        home = registry.value(key=f"{_PROFILES}\\{sid}", name="ProfileImagePath")
        if isinstance(home, Unknown):
            gaps.append(home.as_gap())
        folder = home.value if isinstance(home, Known) and isinstance(home.value, str) else ""
        account = folder.rstrip("\\").rpartition("\\")[2] or sid
        found.append(UserHive(sid, account, folder, sid.upper() in loaded))
    return Known(tuple(sorted(found, key=lambda u: u.sid)), _PROFILES, tuple(gaps))
