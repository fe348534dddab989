"""GVariant Database files (gvdb): the format of dconf's databases and of compiled GSettings schemas.

Source: gvdb's format header (gvdb-format.h) as GLib and dconf carry it: a 24-byte header that names the root table; a
table is a bloom filter, hash buckets and 24-byte items; an item is a value (``v``), a nested table (``H``) or a list
(``L``, dconf's folders). Numbers of the structure are little-endian in every file; the *values* have the byte order of
the machine that wrote the file, told by the signature.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from ybscan.hosts.linux.gvariant import Endian

_HEADER = struct.Struct("<8sIIII")
_ITEM = struct.Struct("<IIIHBBII")
_SIGNATURES: dict[bytes, Endian] = {b"GVariant": "<", b"raVGtnai": ">"}
_Row = tuple[int, int, int, int, int, int, int, int]
"""Hash, parent, start and size of the key's own part, type letter, unused, start and end of what it holds."""
_NO_PARENT = 0xFFFFFFFF
_BLOOM_MASK = (1 << 27) - 1
_MAX_PARENTS = 64


class MalformedDatabase(ValueError):
    """The bytes are no gvdb file, or lead outside of it."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: full key → (type letter, start, end) of what it holds."""

    data: bytes = field(repr=False)
    endian: Endian
    items: dict[str, tuple[str, int, int]]

    def value(self, key: str) -> bytes | None:
        """The serialised variant under ``key``; None when the table has no value of that name."""
        found = self.items.get(key)
        if found is None or found[0] != "v":
            return None
        _, start, end = found
        # A value is 8-aligned, as GVariant demands of a variant.
        if start % 8:
            raise MalformedDatabase("value is not aligned")
        return _slice(self.data, start, end)

    def table(self, key: str) -> Table | None:
        """The table nested under ``key``; None when there is none."""
        found = self.items.get(key)
        if found is None or found[0] != "H":
            return None
        return _table(self.data, self.endian, found[1], found[2])


def open_database(data: bytes) -> Table:
    """The root table of a gvdb file.

    Raises:
        MalformedDatabase: signature, version or any position is wrong.
    """
    if len(data) < _HEADER.size:
        raise MalformedDatabase("shorter than a header")
    signature, version, _options, start, end = _HEADER.unpack_from(data)
    endian = _SIGNATURES.get(signature)
    if endian is None or version != 0:
        raise MalformedDatabase("no gvdb signature")
    return _table(data, endian, start, end)


def _slice(data: bytes, start: int, end: int) -> bytes:
    if not start <= end <= len(data):
        raise MalformedDatabase("position outside the file")
    return data[start:end]


def _table(data: bytes, endian: Endian, start: int, end: int) -> Table:
    if start % 4:
        raise MalformedDatabase("table is not aligned")
    raw = _slice(data, start, end)
    if len(raw) < 8:
        raise MalformedDatabase("table without a head")
    bloom, buckets = struct.unpack_from("<II", raw)
    items_at = 8 + 4 * (bloom & _BLOOM_MASK) + 4 * buckets
    if items_at > len(raw) or (len(raw) - items_at) % _ITEM.size:
        raise MalformedDatabase("table of odd size")
    rows: list[_Row] = [_ITEM.unpack_from(raw, at) for at in range(items_at, len(raw), _ITEM.size)]
    items: dict[str, tuple[str, int, int]] = {}
    for row in rows:
        kind = chr(row[4])
        if kind not in "vHL":
            raise MalformedDatabase("unknown kind of item")
        # A folder's list repeats the names of what lies in it; only what holds something is of use here.
        if kind == "L":
            continue
        key = _key(data, rows, row)
        name = key.decode("utf-8", "surrogateescape")
        if _hash(key) != row[0] or name in items:
            raise MalformedDatabase("item does not fit its hash, or stands twice")
        items[name] = (kind, row[6], row[7])
    return Table(data, endian, items)


def _key(data: bytes, rows: list[_Row], row: _Row) -> bytes:
    """The full key: an item stores its own last part and the number of its parent."""
    parts: list[bytes] = []
    here = row
    for _ in range(_MAX_PARENTS):
        parts.append(_slice(data, here[2], here[2] + here[3]))
        if here[1] == _NO_PARENT:
            return b"".join(reversed(parts))
        if here[1] >= len(rows):
            raise MalformedDatabase("parent does not exist")
        here = rows[here[1]]
    raise MalformedDatabase("parents lead in a circle")


def _hash(key: bytes) -> int:
    """djb2 over signed characters, as gvdb computes it."""
    value = 5381
    for c in key:
        value = (value * 33 + (c - 256 if c > 127 else c)) & 0xFFFFFFFF
    return value
