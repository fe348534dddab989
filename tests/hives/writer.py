"""Writes small registry hives, for there is no modern SOFTWARE hive to test with.

Layout: "Windows registry file format specification" (M. Suhanov), minor version 5: hash leaves, big data.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ybscan.hosts.windows.hivefile import folded
from ybscan.hosts.windows.hivelog import _marvin, checksum

NOWHERE = 0xFFFFFFFF
#: 2024-01-01T00:00:00Z
WRITTEN = 1_704_067_200.0
_PIECE = 16344


def filetime(seconds: float) -> int:
    return int((seconds + 11_644_473_600) * 10_000_000)


@dataclass
class Key:
    """A key to be written. Values: int REG_DWORD, str REG_SZ, list REG_MULTI_SZ, bytes REG_BINARY, (type, bytes) raw."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)
    subkeys: dict[str, Key] = field(default_factory=dict)
    written: float = WRITTEN

    def make(self, path: str) -> Key:
        found = self
        for name in filter(None, path.split("\\")):
            found = found.subkeys.setdefault(folded(name), Key(name))
        return found


class Writer:
    """Cells one after another; ``list_kind`` is the kind of the lists of subkeys, ``split`` how many go into one leaf."""

    def __init__(self, *, list_kind: bytes = b"lh", split: int = 500, minor: int = 5) -> None:
        self.cells = bytearray(32)
        self.list_kind, self.split, self.minor = list_kind, split, minor

    def cell(self, content: bytes) -> int:
        offset, size = len(self.cells), -(-(len(content) + 4) // 8) * 8
        self.cells += struct.pack("<i", -size) + content.ljust(size - 4, b"\0")
        return offset

    def key(self, key: Key, parent: int) -> int:
        compressed, name = _name(key.name)
        offset = self.cell(bytes(76 + len(name)))
        subkeys = [self.key(k, offset) for _, k in sorted(key.subkeys.items(), key=lambda i: _order(i[0]))]
        names = [k.name for _, k in sorted(key.subkeys.items(), key=lambda i: _order(i[0]))]
        listed = self.listed(list(zip(names, subkeys, strict=True)))
        values = [self.value(n, v) for n, v in key.values.items()]
        value_list = self.cell(struct.pack(f"<{len(values)}I", *values)) if values else NOWHERE
        head = struct.pack(
            "<2sHQIIIIIIIIIIIIIIIHH", b"nk", (0x20 if compressed else 0) | (0x2C if parent == NOWHERE else 0) & ~0x20,
            filetime(key.written), 0, parent, len(subkeys), 0, listed, NOWHERE, len(values), value_list, NOWHERE, NOWHERE,
            0, 0, 0, 0, 0, len(name), 0,
        )  # fmt: skip
        self.cells[offset + 4 : offset + 80 + len(name)] = head + name
        return offset

    def listed(self, children: list[tuple[str, int]]) -> int:
        if not children:
            return NOWHERE
        parts = [children[n : n + self.split] for n in range(0, len(children), self.split)]
        leaves = [self.leaf(part) for part in parts]
        return (
            leaves[0]
            if len(leaves) == 1
            else self.cell(struct.pack(f"<2sH{len(leaves)}I", b"ri", len(leaves), *leaves))
        )

    def leaf(self, children: list[tuple[str, int]]) -> int:
        out = struct.pack("<2sH", self.list_kind, len(children))
        for name, offset in children:
            out += struct.pack("<I", offset)
            if self.list_kind == b"lh":
                out += struct.pack("<I", _hash(name))
            elif self.list_kind == b"lf":
                fits = max(name[:4]) <= "\xff"
                out += name[:4].encode("latin-1").ljust(4, b"\0") if fits else bytes(4)
        return self.cell(out)

    def value(self, name: str, value: Any) -> int:
        kind, data = _typed(value)
        compressed, raw = _name(name)
        size, where = len(data), NOWHERE
        if size <= 4:
            size, where = size | 0x80000000, int.from_bytes(data.ljust(4, b"\0"), "little")
        elif size > _PIECE and self.minor > 3:
            pieces = [self.cell(data[n : n + _PIECE]) for n in range(0, size, _PIECE)]
            listed = self.cell(struct.pack(f"<{len(pieces)}I", *pieces))
            where = self.cell(struct.pack("<2sHI", b"db", len(pieces), listed))
        else:
            where = self.cell(data)
        return self.cell(struct.pack("<2sHIIIHH", b"vk", len(raw), size, where, kind, int(compressed), 0) + raw)


def hive(
    keys: Mapping[str, Mapping[str, Any]],
    *,
    list_kind: bytes = b"lh",
    split: int = 500,
    minor: int = 5,
    sequence: int = 7,
) -> bytes:
    """A clean hive of keys by path below its root; ``.written`` among the values is the key's time in seconds."""
    root = Key("ROOT")
    for path, values in keys.items():
        key = root.make(path)
        for name, value in values.items():
            if name == ".written":
                key.written = value
            else:
                key.values[name] = value
    writer = Writer(list_kind=list_kind, split=split, minor=minor)
    top = writer.key(root, NOWHERE)
    size = -(-len(writer.cells) // 4096) * 4096
    rest = size - len(writer.cells)
    bins = bytearray(writer.cells)
    bins += (struct.pack("<i", rest) if rest else b"").ljust(rest, b"\0")
    bins[:32] = struct.pack("<4sIIIIQI", b"hbin", 0, size, 0, 0, filetime(WRITTEN), 0)
    head = bytearray(4096)
    struct.pack_into(
        "<4sIIQIIIIIII", head, 0, b"regf", sequence, sequence, filetime(WRITTEN), 1, minor, 0, 1, top, size, 1
    )
    return sealed(bytes(head) + bytes(bins))


def sealed(data: bytes, *, primary: int | None = None, secondary: int | None = None) -> bytes:
    """The hive with other sequence numbers and the check sum that goes with them."""
    out = bytearray(data)
    if primary is not None:
        struct.pack_into("<I", out, 4, primary)
    if secondary is not None:
        struct.pack_into("<I", out, 8, secondary)
    struct.pack_into("<I", out, 508, checksum(bytes(out[:508])))
    return bytes(out)


def log(base: bytes, entries: list[tuple[int, bytes, bytes]]) -> bytes:
    """A log in the new format: each entry turns one hive into another, given as (sequence, from, to)."""
    head = bytearray(base[:512])
    struct.pack_into("<II", head, 4, entries[0][0], entries[0][0])
    struct.pack_into("<I", head, 28, 6)
    struct.pack_into("<I", head, 508, checksum(bytes(head)))
    return bytes(head) + b"".join(entry(*e) for e in entries)


def entry(sequence: int, before: bytes, after: bytes) -> bytes:
    """The pages in which two hives differ, as an entry of a log."""
    pages = [n for n in range(4096, len(after), 4096) if before[n : n + 4096] != after[n : n + 4096]]
    refs = b"".join(struct.pack("<II", n - 4096, 4096) for n in pages)
    body = refs + b"".join(after[n : n + 4096] for n in pages)
    size = -(-(40 + len(body)) // 512) * 512
    body = body.ljust(size - 40, b"\0")
    head = struct.pack("<4sIIIIIQ", b"HvLE", size, 0, sequence, len(after) - 4096, len(pages), _marvin(body))
    return head + struct.pack("<Q", _marvin(head)) + body


def old_log(base: bytes, after: bytes, *, sequence: int) -> bytes:
    """A log in the old format that turns ``base`` into ``after``."""
    head = bytearray(after[:512])
    struct.pack_into("<II", head, 4, sequence, sequence)
    struct.pack_into("<Q", head, 12, struct.unpack_from("<Q", base, 12)[0])
    struct.pack_into("<I", head, 28, 1)
    struct.pack_into("<I", head, 508, checksum(bytes(head)))
    bits = (len(after) - 4096) // 512
    vector, pages = bytearray((bits + 7) // 8), b""
    for n in range(bits):
        at = 4096 + n * 512
        if base[at : at + 512] != after[at : at + 512]:
            vector[n // 8] |= 1 << n % 8
            pages += after[at : at + 512]
    dirty = b"DIRT" + bytes(vector)
    return bytes(head) + dirty.ljust(-(-len(dirty) // 512) * 512, b"\0") + pages


def _typed(value: Any) -> tuple[int, bytes]:
    if isinstance(value, tuple):
        return value[0], value[1]
    if isinstance(value, int):
        return (4, value.to_bytes(4, "little")) if value < 1 << 32 else (11, value.to_bytes(8, "little"))
    if isinstance(value, str):
        return 1, (value + "\0").encode("utf-16-le", "surrogatepass")
    if isinstance(value, list):
        return 7, ("".join(v + "\0" for v in value) + "\0").encode("utf-16-le")
    return 3, bytes(value)


def _name(name: str) -> tuple[bool, bytes]:
    try:
        return True, name.encode("latin-1")
    except UnicodeEncodeError:
        return False, name.encode("utf-16-le", "surrogatepass")


def _order(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")


def _hash(name: str) -> int:
    found = 0
    for c in struct.iter_unpack("<H", folded(name).encode("utf-16-le", "surrogatepass")):
        found = (37 * found + c[0]) & 0xFFFFFFFF
    return found
