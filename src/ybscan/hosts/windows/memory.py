"""Reading what a Windows function put into a buffer, pointers included, without ever leaving the buffer.

The buffer is taken as a copy of bytes and the address it lay at, so that the same code reads a hand-made one on any
system. Counts, sizes, offsets and pointers in it are not believed.
"""

from __future__ import annotations

import ipaddress
import struct
import uuid
from dataclasses import dataclass

_MAX_TEXT = 4096
_FILETIME_EPOCH = 11_644_473_600


class MalformedBufferError(ValueError):
    """The buffer is shorter than it says, or a pointer leads out of it."""


@dataclass(frozen=True, slots=True)
class Memory:
    """``data`` as it lay at ``base``. ``word`` is the size of a pointer in bytes, 4 or 8."""

    data: bytes
    base: int = 0
    word: int = 8

    def at(self, offset: int, size: int) -> bytes:
        """``size`` bytes at ``offset`` of the buffer.

        Raises:
            MalformedBufferError: they are not all there.
        """
        if offset < 0 or size < 0 or offset + size > len(self.data):
            raise MalformedBufferError(f"{size} bytes at {offset} of {len(self.data)}")
        return self.data[offset : offset + size]

    def number(self, offset: int, size: int) -> int:
        """An unsigned number of ``size`` bytes, little-endian."""
        return int.from_bytes(self.at(offset, size), "little")

    def pointer(self, offset: int) -> int | None:
        """The offset in this buffer that the pointer at ``offset`` leads to; None for NULL.

        Raises:
            MalformedBufferError: it leads elsewhere.
        """
        address = self.number(offset, self.word)
        if address == 0:
            return None
        if not self.base <= address < self.base + len(self.data):
            raise MalformedBufferError("a pointer leads out of the buffer")
        return address - self.base

    def wide(self, offset: int | None) -> str:
        """The UTF-16 text that ends with a NUL at ``offset``; empty for None."""
        if offset is None:
            return ""
        end = offset
        while self.at(end, 2) != b"\0\0":
            end += 2
            if end - offset > 2 * _MAX_TEXT:
                raise MalformedBufferError("a text without an end")
        return self.data[offset:end].decode("utf-16-le", "replace")

    def narrow(self, offset: int | None) -> str:
        """The ASCII text that ends with a NUL at ``offset``; empty for None."""
        if offset is None:
            return ""
        end = self.data.find(b"\0", offset, offset + _MAX_TEXT)
        if end < 0:
            raise MalformedBufferError("a text without an end")
        return self.data[offset:end].decode("ascii", "replace")


def fixed_wide(data: bytes) -> str:
    """A UTF-16 text in a field of fixed size, up to its first NUL."""
    return data.decode("utf-16-le", "replace").partition("\0")[0]


def multi_wide(data: bytes) -> tuple[str, ...]:
    """The texts of a REG_MULTI_SZ: each ends with a NUL, an empty one ends the list."""
    found: list[str] = []
    for text in data[: len(data) & ~1].decode("utf-16-le", "replace").split("\0"):
        if not text:
            break
        found.append(text)
    return tuple(found)


def guid(data: bytes) -> str:
    """A GUID of 16 bytes, upper case with braces."""
    return "{" + str(uuid.UUID(bytes_le=data)).upper() + "}"


def filetime(ticks: int) -> float | None:
    """Seconds since the epoch of a FILETIME (100 ns since 1601); None for 0 and for what lies beyond the year 9999."""
    return ticks / 1e7 - _FILETIME_EPOCH if 0 < ticks < 2_650_467_744_000_000_000 else None


def address(sockaddr: bytes) -> str:
    """The address in a SOCKADDR_IN (family 2) or SOCKADDR_IN6 (23), in text; empty for another family.

    Raises:
        MalformedBufferError: it is too short.
    """
    if len(sockaddr) < 2:
        raise MalformedBufferError("an address without a family")
    family = struct.unpack_from("<H", sockaddr)[0]
    if family == 2 and len(sockaddr) >= 8:
        return str(ipaddress.IPv4Address(sockaddr[4:8]))
    if family == 23 and len(sockaddr) >= 24:
        return str(ipaddress.IPv6Address(sockaddr[8:24]))
    if family in (2, 23):
        raise MalformedBufferError("an address is cut off")
    return ""
