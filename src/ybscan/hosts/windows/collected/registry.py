"""The registry out of the collector's files."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

from ybscan.hosts.collected.evidence import Evidence
from ybscan.hosts.collected.records import Malformed
from ybscan.hosts.groups.registry import RegistryValue, UserHive, View
from ybscan.hosts.windows.collected.regfile import RegFile, parse_reg
from ybscan.hosts.windows.keys import in_view, parts
from ybscan.hosts.windows.redact import kept
from ybscan.hosts.windows.tree import Key, TreeRegistry, people
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

PART = "registry"
_Path = tuple[str, ...]


@dataclass(slots=True)
class _Gathered:
    """What all files together say."""

    root: Key = field(default_factory=lambda: Key(""))
    covered: list[str] = field(default_factory=list)
    refused: dict[str, Unknown] = field(default_factory=dict)
    bad: dict[_Path, Unknown] = field(default_factory=dict)
    """Keys some of whose values are not known."""
    named: dict[_Path, tuple[frozenset[str], dict[str, Unknown]]] = field(default_factory=dict)
    """Keys of which single values were asked: the names that do not exist, and those that could not be read."""
    listed: set[_Path] = field(default_factory=set)
    """Roots of what was exported but not checked for completeness."""
    exported: set[_Path] = field(default_factory=set)


class CollectedRegistry(TreeRegistry):
    """A tree that knows what was asked: elsewhere nothing is Absent."""

    def __init__(self, evidence: Evidence, *, bits: int) -> None:
        self._all = gather(evidence)
        super().__init__(
            self._all.root, covered=tuple(self._all.covered), origin="采集结果", bits=bits, refused=self._all.refused
        )
        self._hives = next((r.lists.get("sid", []) for r in evidence.extra if r.kind == "users"), None)
        self._system_bits = bits
        self._tops = {
            r.text("sid").lower(): tuple(sorted(r.lists.get("key", ()))) for r in evidence.extra if r.kind == "hive"
        }

    def value(self, *, key: str, name: str, view: View = "64") -> Reading[RegistryValue]:
        path = self._path(key, view)
        part = self._all.named.get(path)
        if part is not None and path not in self._all.exported:
            without, unread = part
            if name.lower() in without:
                return Absent(f"{key}\\{name}")
            if name.lower() in unread:
                return unread[name.lower()]
        found = self._find(key, view)
        if not isinstance(found, Known):
            return found
        for written, value in found.value.values.items():
            if written.lower() == name.lower():
                return Known(kept(key, written, value), f"{key}\\{written}")
        partial = self._partial(key, path)
        return partial if partial is not None else Absent(f"{key}\\{name}")

    def values(self, *, key: str, view: View = "64") -> Reading[dict[str, RegistryValue]]:
        found = super().values(key=key, view=view)
        partial = self._partial(key, self._path(key, view)) if isinstance(found, Known) else None
        return partial if partial is not None else found

    def subkeys(self, *, key: str, view: View = "64") -> Reading[tuple[str, ...]]:
        path = self._path(key, view)
        if len(path) == 2 and path[0] == "hku" and self._tops.get(path[1]):
            return Known(self._tops[path[1]], key)
        found = super().subkeys(key=key, view=view)
        if not isinstance(found, Known):
            return found
        if path not in self._all.exported:
            # Only on the way to what was asked for, or asked for single values.
            return Unknown(Cause.NOT_RECORDED, f"采集结果没有 {key} 的全部子项", key)
        gaps: list[Gap] = []
        if any(path[: len(p)] == p for p in self._all.listed):
            gaps.append(Gap(Cause.INCOMPLETE, f"采集时未能核对 {key} 的子项是否齐全", key))
        return Known(found.value, found.origin, (*found.gaps, *gaps))

    def users(self) -> Reading[tuple[UserHive, ...]]:
        if self._hives is None:
            loaded: frozenset[str] = frozenset()
        else:
            loaded = frozenset(s.upper() for s in self._hives)
        return people(self, loaded)

    def _path(self, key: str, view: View) -> _Path:
        return _lower(key if self._system_bits == 32 else in_view(key, view))

    def _partial(self, key: str, path: _Path) -> Unknown | None:
        if path in self._all.bad:
            return self._all.bad[path]
        if path not in self._all.exported:
            return Unknown(Cause.NOT_RECORDED, f"采集结果没有 {key} 的全部值", key)
        return None


def gather(evidence: Evidence) -> _Gathered:
    """All registry files of the evidence in one tree."""
    made = _Gathered()
    for entry in evidence.parts.get(PART, ()):
        data = evidence.members.get(entry.file)
        if data is None or entry.status not in ("done", "partial"):
            continue
        try:
            found = parse_reg(data)
        except Malformed as e:
            _refuse(made, data, Unknown(Cause.MALFORMED, f"{entry.file} {e}", entry.file))
            continue
        if found.asked:
            _take(made, found)
    return made


def _refuse(made: _Gathered, data: bytes, why: Unknown) -> None:
    """A damaged file: what it was about is told by its first note, if that can still be read."""
    for line in data[:4096].decode("utf-16", "replace").splitlines():
        if line.startswith(";ybscan key [") and line.rstrip().endswith("]"):
            # The note may be damaged as well; what was asked is then not recorded.
            with contextlib.suppress(ValueError):
                made.refused["\\".join(parts(line.strip()[13:-1]))] = why
            return


def _take(made: _Gathered, found: RegFile) -> None:
    top = _lower(found.asked)
    if found.absent:
        if not found.keys and not found.errors:
            made.covered.append(found.asked)
        return
    if found.asked in found.errors:
        made.refused[found.asked] = found.errors[found.asked]
        return
    if found.named:
        _take_named(made, found, top)
        return
    present = {_lower(k.path) for k in found.keys}
    if top not in present:
        made.refused[found.asked] = Unknown(Cause.MALFORMED, f"导出文件中没有 {found.asked}", found.asked)
        return
    for key in found.keys:
        path = _lower(key.path)
        if path[: len(top)] != top:
            made.refused[found.asked] = Unknown(Cause.MALFORMED, f"导出文件中有别处的 {key.path}", found.asked)
            return
    for key in found.keys:
        path = _lower(key.path)
        node = made.root.make(parts(key.path))
        node.values.update(key.values)
        made.exported.add(path)
        if key.bad is not None:
            made.bad[path] = key.bad
    for path_written, why in found.errors.items():
        # Its name was seen; only what is in it is not known.
        if _lower(path_written)[: len(top)] == top:
            made.root.make(parts(path_written))
            made.refused[path_written] = why
    if found.verified:
        made.covered.append(found.asked)
    else:
        made.listed.add(top)


def _take_named(made: _Gathered, found: RegFile, top: _Path) -> None:
    if len(found.keys) != 1 or _lower(found.keys[0].path) != top:
        made.refused[found.asked] = Unknown(Cause.MALFORMED, f"{found.asked} 的记录有误", found.asked)
        return
    key = found.keys[0]
    made.root.make(parts(key.path)).values.update(key.values)
    if key.bad is not None:
        made.bad[top] = key.bad
    made.named[top] = (frozenset(found.without), found.unread)


def _lower(key: str) -> _Path:
    return tuple(p.lower() for p in parts(key))
