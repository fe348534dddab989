"""Keys and values of a registry hive, looked up by name; nothing is walked that was not asked for.

The layout of the records is regipy's (``regipy.structs``). What they point to is followed here, for a disk may be
damaged or made to harm, and a scanner must not take one key for another: every offset, length and count is checked
against the cell it lies in, a subkey has to name its parent, and the hashes and hints beside the names have to fit
(72,000 keys of real hives do). regipy's own walk decodes names as ASCII with replacements, cuts values that are too
short, skips a type it does not know and believes the offsets it finds.

Source: "Windows registry file format specification" (M. Suhanov).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ybscan.hosts.windows.hivelog import BASE, HiveError
from ybscan.model.reading import Cause

HIVE_LIMIT = 256 * 1024 * 1024
"""Largest hive that is read, bytes; SOFTWARE of a well-used machine has some 100 MiB."""
VALUE_LIMIT = 1024 * 1024
"""Largest value that is read, bytes; the Windows documentation advises against more than 2 KiB."""
_VALUES_LIMIT = 16 * 1024 * 1024
_COUNT_LIMIT = 200_000
_NAME_LIMIT = 512
_BIG = 16344
_LINK = 0x10
_NOWHERE = 0xFFFFFFFF


def folded(name: str) -> str:
    """The form in which names are compared: upper case, one character for one, as Windows' own table has it."""
    return name.upper() if name.isascii() else "".join(u if len(u := c.upper()) == 1 else c for c in name)


def _bad(detail: str) -> HiveError:
    return HiveError(Cause.MALFORMED, detail)


@dataclass(frozen=True, slots=True)
class KeyNode:
    """A key. ``written`` is a FILETIME; the rest is where its lists lie."""

    name: str
    offset: int
    written: int
    parent: int
    link: bool
    subkey_count: int
    subkey_list: int
    value_count: int
    value_list: int


@dataclass(frozen=True, slots=True)
class RawValue:
    """A value as it lies there."""

    name: str
    type: int
    data: bytes | None
    """None where it is larger than :data:`VALUE_LIMIT`."""


class HiveFile:
    """A hive that is not dirty, or was brought up to date.

    Raises:
        HiveError: it is no hive, or damaged.
    """

    def __init__(self, data: bytes) -> None:
        from regipy.structs import CM_KEY_NODE, VALUE_KEY

        self._node: Any = CM_KEY_NODE
        self._vk: Any = VALUE_KEY
        self._data = data
        self._children: dict[int, dict[str, KeyNode]] = {}
        if len(data) < BASE + 32 or data[:4] != b"regf":
            raise _bad("不是注册表文件")
        major, self._minor, kind, layout, root, self._size = struct.unpack_from("<IIIIII", data, 20)
        if (major, kind, layout) != (1, 0, 1) or not 3 <= self._minor <= 6:
            raise _bad("注册表文件的版本无法识别")
        if self._size % 4096 or BASE + self._size > len(data):
            raise _bad("注册表文件不完整")
        self._check_bins()
        self.root = self._key(root)

    def _check_bins(self) -> None:
        at = 0
        while at < self._size:
            magic, offset, size = struct.unpack_from("<4sII", self._data, BASE + at)
            if magic != b"hbin" or offset != at or not size or size % 4096 or at + size > self._size:
                raise _bad("注册表文件已损坏")
            at += size

    # ------------------------------------------------------------------------------------------------------- cells

    def _cell(self, offset: int, need: int = 2) -> tuple[int, int]:
        """Beginning and length of the content of the allocated cell at ``offset``."""
        if offset % 8 or not 0 < offset <= self._size - 8:
            raise _bad("注册表文件中的位置不合理")
        size = -struct.unpack_from("<i", self._data, BASE + offset)[0]
        if size < 4 + need or offset + size > self._size:
            raise _bad("注册表文件中的长度不合理")
        return BASE + offset + 4, size - 4

    def _key(self, offset: int) -> KeyNode:
        at, length = self._cell(offset, 76)
        if self._data[at : at + 2] != b"nk":
            raise _bad("注册表项已损坏")
        name_length = struct.unpack_from("<H", self._data, at + 72)[0]
        if not 0 < name_length <= min(_NAME_LIMIT, length - 76):
            raise _bad("注册表项的名称已损坏")
        nk = self._node.parse(self._data[at + 2 : at + 76 + name_length])
        flags = struct.unpack_from("<H", self._data, at + 2)[0]
        name = _name(nk.key_name_string, compressed=bool(flags & 0x20))
        return KeyNode(
            name, offset, nk.last_modified, nk.parent_key_offset, bool(flags & _LINK), nk.subkey_count,
            nk.subkeys_list_offset, nk.values_count, nk.values_list_offset,
        )  # fmt: skip

    # ----------------------------------------------------------------------------------------------------- subkeys

    def subkeys(self, key: KeyNode) -> dict[str, KeyNode]:
        """The subkeys by :func:`folded` name.

        Raises:
            HiveError: one of them cannot be read: then nobody knows which they are.
        """
        known = self._children.get(key.offset)
        if known is None:
            known = self._children[key.offset] = self._read_subkeys(key)
        return known

    def _read_subkeys(self, key: KeyNode) -> dict[str, KeyNode]:
        if not key.subkey_count:
            _must_be_none(key.subkey_list)
            return {}
        if key.subkey_count > _COUNT_LIMIT:
            raise HiveError(Cause.TOO_LARGE, f"子项超过 {_COUNT_LIMIT} 个")
        found: dict[str, KeyNode] = {}
        last: bytes | None = None
        for offset, kind, mark in self._elements(key):
            child = self._key(offset)
            name = folded(child.name)
            order = _order(name)
            behind = order is not None and last is not None and order <= last
            if child.parent != key.offset or not _fits(kind, mark, child.name) or behind:
                raise _bad("注册表项的清单已损坏")
            found[name] = child
            last = order
        if len(found) != key.subkey_count:
            raise _bad("注册表项的清单不完整")
        return found

    def _elements(self, key: KeyNode) -> Iterator[tuple[int, bytes, int]]:
        """Offset, kind of list and hash or hint of every subkey; stops one after as many as there should be."""
        left = key.subkey_count
        for start in self._leaves(key.subkey_list):
            at, length = self._cell(start, 4)
            kind, count = self._data[at : at + 2], struct.unpack_from("<H", self._data, at + 2)[0]
            step = 4 if kind == b"li" else 8
            if kind not in (b"li", b"lf", b"lh") or 4 + step * count > length or count > left:
                raise _bad("注册表项的清单已损坏")
            left -= count
            for n in range(count):
                offset, mark = struct.unpack_from("<I", self._data, at + 4 + step * n)[0], 0
                if step == 8:
                    mark = struct.unpack_from("<I", self._data, at + 8 + step * n)[0]
                yield offset, kind, mark

    def _leaves(self, offset: int) -> tuple[int, ...]:
        at, length = self._cell(offset, 4)
        kind, count = self._data[at : at + 2], struct.unpack_from("<H", self._data, at + 2)[0]
        if kind != b"ri":
            return (offset,)
        if 4 + 4 * count > length:
            raise _bad("注册表项的清单已损坏")
        leaves: tuple[int, ...] = struct.unpack_from(f"<{count}I", self._data, at + 4)
        if len(set(leaves)) != count:
            raise _bad("注册表项的清单已损坏")
        return leaves

    # ------------------------------------------------------------------------------------------------------ values

    def values(self, key: KeyNode) -> Iterator[RawValue]:
        """All values.

        Raises:
            HiveError: one of them cannot be read.
        """
        total = 0
        for offset in self._value_offsets(key):
            value = self._value(offset)
            if value is None:
                continue
            total += len(value.data or b"")
            if total > _VALUES_LIMIT:
                raise HiveError(Cause.TOO_LARGE, f"值的总长超过 {_VALUES_LIMIT // 1024 // 1024} MiB")
            yield value

    def value(self, key: KeyNode, name: str) -> RawValue | None:
        """One value; only its own data are read, of the others the names.

        Raises:
            HiveError: it, or the name of another one, cannot be read.
        """
        wanted = folded(name)
        hits = [o for o in self._value_offsets(key) if folded(self._value_name(o)) == wanted]
        if len(hits) > 1:
            raise _bad("注册表值重名")
        return self._value(hits[0]) if hits else None

    def _value_offsets(self, key: KeyNode) -> tuple[int, ...]:
        if not key.value_count:
            _must_be_none(key.value_list)
            return ()
        if key.value_count > _COUNT_LIMIT:
            raise HiveError(Cause.TOO_LARGE, f"值超过 {_COUNT_LIMIT} 个")
        at, _ = self._cell(key.value_list, 4 * key.value_count)
        offsets: tuple[int, ...] = struct.unpack_from(f"<{key.value_count}I", self._data, at)
        if len(set(offsets)) != len(offsets):
            raise _bad("注册表值的清单已损坏")
        return offsets

    def _vk_at(self, offset: int) -> tuple[int, int]:
        at, length = self._cell(offset, 20)
        name_length: int = struct.unpack_from("<H", self._data, at + 2)[0]
        if self._data[at : at + 2] != b"vk" or 20 + name_length > length:
            raise _bad("注册表值已损坏")
        return at, name_length

    def _value_name(self, offset: int) -> str:
        at, length = self._vk_at(offset)
        compressed = bool(struct.unpack_from("<H", self._data, at + 16)[0] & 1)
        return _name(self._data[at + 20 : at + 20 + length], compressed=compressed)

    def _value(self, offset: int) -> RawValue | None:
        at, length = self._vk_at(offset)
        vk = self._vk.parse(self._data[at : at + 20 + length])
        flags = struct.unpack_from("<H", self._data, at + 16)[0]
        # A tombstone says that the value was deleted in an upper layer.
        if flags & 2:
            return None
        return RawValue(self._value_name(offset), int(vk.data_type), self._content(vk.data_size, vk.data_offset, at))

    def _content(self, size: int, offset: int, at: int) -> bytes | None:
        if size & 0x80000000:
            size &= 0x7FFFFFFF
            if size > 4:
                raise _bad("注册表值的长度不合理")
            return self._data[at + 8 : at + 8 + size]
        if not size or offset == _NOWHERE:
            if size:
                raise _bad("注册表值没有内容")
            return b""
        if size > VALUE_LIMIT:
            return None
        if size > _BIG and self._minor > 3:
            return self._big(size, offset)
        start, length = self._cell(offset, 1)
        if size > length:
            raise _bad("注册表值不完整")
        return self._data[start : start + size]

    def _big(self, size: int, offset: int) -> bytes:
        """Data in pieces: a record ``db`` with the list of them; all but the last are full."""
        at, length = self._cell(offset, 8)
        magic, count, listed = struct.unpack_from("<2sHI", self._data, at)
        if magic != b"db":
            if size <= length:
                return self._data[at : at + size]
            raise _bad("注册表值不完整")
        if count != -(-size // _BIG):
            raise _bad("注册表值的分段不合理")
        start, _ = self._cell(listed, 4 * count)
        pieces: list[bytes] = []
        for n, piece in enumerate(struct.unpack_from(f"<{count}I", self._data, start)):
            want = min(_BIG, size - n * _BIG)
            begin, _ = self._cell(piece, want)
            pieces.append(self._data[begin : begin + want])
        return b"".join(pieces)


def _must_be_none(listed: int) -> None:
    # A list without a number of entries: the number was damaged, and what is in the list would go unseen.
    if listed != _NOWHERE:
        raise _bad("注册表项的数目已损坏")


def _name(raw: bytes, *, compressed: bool) -> str:
    if compressed:
        return raw.decode("latin-1")
    if len(raw) % 2:
        raise _bad("注册表中的名称已损坏")
    # Windows lets any 16 bits stand in a name; half a pair stays what it is.
    return raw.decode("utf-16-le", "surrogatepass")


def _fits(kind: bytes, mark: int, name: str) -> bool:
    """Whether a list's hash or hint goes with the name."""
    if kind == b"li":
        return True
    if kind == b"lf":
        hint, begin = mark.to_bytes(4, "little"), name[:4]
        # Characters that take two bytes do not fit into the hint: its first byte is then zero.
        return hint[0] == 0 if max(begin) > "\xff" else hint == begin.encode("latin-1").ljust(4, b"\0")
    # Windows' table of capitals and Python's differ beyond ASCII in a few letters, such as the micro sign.
    return any(_hash(t) == mark for t in (folded(name), _LATIN_SMALL.sub(_capital, name), _SMALL.sub(_capital, name)))


#: Small letters of ASCII alone, and of everything but what lies between ASCII and the other alphabets.
_SMALL = re.compile(r"[a-z]")
_LATIN_SMALL = re.compile(r"[^\x80-\xff]")


def _capital(found: re.Match[str]) -> str:
    return folded(found[0])


def _order(name: str) -> bytes | None:
    """What lists are sorted by; None for a name whose capitals Windows may see otherwise."""
    if not name.isascii() and any(c > "\x7f" and c.lower() != c.upper() for c in name):
        return None
    return name.encode("utf-16-be", "surrogatepass")


def _hash(name: str) -> int:
    found = 0
    for (c,) in struct.iter_unpack("<H", name.encode("utf-16-le", "surrogatepass")):
        found = (37 * found + c) & 0xFFFFFFFF
    return found
