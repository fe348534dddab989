"""Values in GVariant's serialised form, decoded with strict bounds.

Source: the GVariant specification ("GVariant Specification", Ryan Lortie), chapters "Type strings" and "Serialisation
format". GLib replaces what is not in normal form by a default value; here it is an error, since a default nobody set
must not be judged.
"""

from __future__ import annotations

import struct
from typing import Any, Literal

Endian = Literal["<", ">"]

_MAX_DEPTH = 32
_MAX_ELEMENTS = 65536
#: Type character → (struct format, size); the alignment of a basic fixed-size type is its size.
_FIXED = {
    "b": ("B", 1), "y": ("B", 1), "n": ("h", 2), "q": ("H", 2), "i": ("i", 4), "u": ("I", 4), "h": ("i", 4),
    "x": ("q", 8), "t": ("Q", 8), "d": ("d", 8),
}  # fmt: skip


class MalformedVariant(ValueError):
    """The bytes are no value of the type, or the type string makes no sense."""


def decode_variant(data: bytes, endian: Endian) -> Any:
    """The value inside a serialised variant (``v``): the value, a NUL, its type string.

    Texts come as str, numbers as int and float, booleans as bool, arrays, tuples and dictionary entries as lists, maybe
    types as None or the value.

    Raises:
        MalformedVariant: the data is not in normal form.
    """
    return _variant(data, endian, 0)


def _variant(data: bytes, endian: Endian, depth: int) -> Any:
    cut = data.rfind(b"\0")
    if cut < 0:
        raise MalformedVariant("variant without a type")
    try:
        type_string = data[cut + 1 :].decode("ascii")
    except UnicodeDecodeError:
        raise MalformedVariant("type string is not ASCII") from None
    if _end_of_type(type_string, 0, 0) != len(type_string):
        raise MalformedVariant("type string holds more than one type")
    return _value(type_string, data[:cut], endian, depth + 1)


def _end_of_type(text: str, at: int, depth: int) -> int:
    """Where the complete type that begins at ``at`` ends."""
    if depth > _MAX_DEPTH or at >= len(text):
        raise MalformedVariant("type string cut short or too deep")
    c = text[at]
    if c in _FIXED or c in "sogv":
        return at + 1
    if c in "am":
        return _end_of_type(text, at + 1, depth + 1)
    if c == "(":
        at += 1
        while at < len(text) and text[at] != ")":
            at = _end_of_type(text, at, depth + 1)
        if at >= len(text):
            raise MalformedVariant("tuple type is not closed")
        return at + 1
    if c == "{":
        if text[at + 1 : at + 2] not in (*_FIXED, "s", "o", "g"):
            raise MalformedVariant("the key of a dictionary entry is a basic type")
        at = _end_of_type(text, at + 2, depth + 1)
        if text[at : at + 1] != "}":
            raise MalformedVariant("dictionary entry type is not closed")
        return at + 1
    raise MalformedVariant(f"unknown type {c!r}")


def _members(t: str) -> list[str]:
    """The types of a tuple's or dictionary entry's members."""
    members = []
    at = 1
    while at < len(t) - 1:
        end = _end_of_type(t, at, 0)
        members.append(t[at:end])
        at = end
    return members


def _alignment(t: str) -> int:
    if t[0] in _FIXED:
        return _FIXED[t[0]][1]
    if t[0] == "v":
        return 8
    if t[0] in "am":
        return _alignment(t[1:])
    if t[0] in "({":
        return max((_alignment(m) for m in _members(t)), default=1)
    return 1


def _fixed_size(t: str) -> int | None:
    """The size of every value of the type; None when values differ in size."""
    if t[0] in _FIXED:
        return _FIXED[t[0]][1]
    if t[0] not in "({":
        return None
    members = _members(t)
    if not members:
        return 1
    at = 0
    for m in members:
        size = _fixed_size(m)
        if size is None:
            return None
        at = _aligned(at, _alignment(m)) + size
    return _aligned(at, _alignment(t))


def _aligned(at: int, alignment: int) -> int:
    return -(-at // alignment) * alignment


def _value(t: str, data: bytes, endian: Endian, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise MalformedVariant("nested too deeply")
    c = t[0]
    if c in _FIXED:
        return _number(c, data, endian)
    if c in "sog":
        return _text(data)
    if c == "v":
        return _variant(data, endian, depth)
    if c == "m":
        return _maybe(t[1:], data, endian, depth)
    if c == "a":
        return [_value(t[1:], part, endian, depth + 1) for part in _array(t[1:], data)]
    return [_value(m, part, endian, depth + 1) for m, part in _tuple(t, data)]


def _number(c: str, data: bytes, endian: Endian) -> bool | int | float:
    form, size = _FIXED[c]
    if len(data) != size:
        raise MalformedVariant("wrong size of a number")
    (value,) = struct.unpack(endian + form, data)
    if c == "b":
        if value > 1:
            raise MalformedVariant("a boolean is 0 or 1")
        return bool(value)
    return value  # type: ignore[no-any-return]


def _text(data: bytes) -> str:
    if not data.endswith(b"\0") or b"\0" in data[:-1]:
        raise MalformedVariant("text is not ended by its only NUL")
    try:
        return data[:-1].decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedVariant("text is not UTF-8") from None


def _maybe(t: str, data: bytes, endian: Endian, depth: int) -> Any:
    if not data:
        return None
    if _fixed_size(t) is None:
        if data[-1] != 0:
            raise MalformedVariant("maybe without its closing NUL")
        data = data[:-1]
    return _value(t, data, endian, depth + 1)


def _offset_size(length: int) -> int:
    """How many bytes each framing offset of a container of ``length`` bytes takes."""
    return 1 if length <= 0xFF else 2 if length <= 0xFFFF else 4 if length <= 0xFFFFFFFF else 8


def _offset(data: bytes, at: int, size: int) -> int:
    # Framing offsets are little-endian in files of either byte order.
    if at < 0 or at + size > len(data):
        raise MalformedVariant("framing offset outside its container")
    return int.from_bytes(data[at : at + size], "little")


def _array(t: str, data: bytes) -> list[bytes]:
    if not data:
        return []
    size = _fixed_size(t)
    if size is not None:
        if len(data) % size or len(data) // size > _MAX_ELEMENTS:
            raise MalformedVariant("array of odd size")
        return [data[i : i + size] for i in range(0, len(data), size)]
    width = _offset_size(len(data))
    table = _offset(data, len(data) - width, width)
    span = len(data) - table
    if table > len(data) or span <= 0 or span % width or span // width > _MAX_ELEMENTS:
        raise MalformedVariant("array with a wrong table of offsets")
    parts = []
    end = 0
    for at in range(table, len(data), width):
        start, end = _aligned(end, _alignment(t)), _offset(data, at, width)
        if not start <= end <= table:
            raise MalformedVariant("array element outside the array")
        parts.append(data[start:end])
    return parts


def _tuple(t: str, data: bytes) -> list[tuple[str, bytes]]:
    members = _members(t)
    fixed = _fixed_size(t)
    if fixed is not None and len(data) != fixed:
        raise MalformedVariant("tuple of wrong size")
    width = _offset_size(len(data))
    parts = []
    end = 0
    used = 0
    for i, m in enumerate(members):
        start = _aligned(end, _alignment(m))
        size = _fixed_size(m)
        if size is not None:
            end = start + size
        elif i == len(members) - 1:
            end = len(data) - used * width
        else:
            used += 1
            end = _offset(data, len(data) - used * width, width)
        if not start <= end <= len(data) - used * width:
            raise MalformedVariant("tuple member outside the tuple")
        parts.append((m, data[start:end]))
    if fixed is None and end != len(data) - used * width:
        raise MalformedVariant("tuple with bytes left over")
    return parts
