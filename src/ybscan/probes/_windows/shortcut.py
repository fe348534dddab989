"""The target of a shortcut file.

Source: [MS-SHLLINK] 2.1 (header, LinkFlags), 2.2 (LinkTargetIDList), 2.3 (LinkInfo: LocalBasePath in the system's code page,
LocalBasePathUnicode where the header is 0x24 or longer).
"""

from __future__ import annotations

import struct

_HEADER = 0x4C
_CLSID = bytes.fromhex("0114020000000000c000000000000046")
_HAS_IDS, _HAS_INFO = 0x1, 0x2
_LOCAL = 0x1


def target(data: bytes) -> str | None:
    """The local path a shortcut leads to; None where it names none, or is no shortcut that is understood."""
    try:
        return _target(data)
    except (struct.error, IndexError, UnicodeDecodeError):
        return None


def _target(data: bytes) -> str | None:
    if len(data) < _HEADER or data[4:20] != _CLSID or struct.unpack_from("<I", data)[0] != _HEADER:
        return None
    flags = struct.unpack_from("<I", data, 20)[0]
    at = _HEADER
    if flags & _HAS_IDS:
        at += 2 + struct.unpack_from("<H", data, at)[0]
    if not flags & _HAS_INFO:
        return None
    size, header, info_flags, _volume, local = struct.unpack_from("<5I", data, at)
    if not info_flags & _LOCAL or at + size > len(data):
        return None
    if header >= 0x24:
        wide = struct.unpack_from("<I", data, at + 28)[0]
        if wide:
            return _wide(data[at + wide : at + size])
    end = data.index(b"\0", at + local)
    return data[at + local : end].decode("gb18030") or None


def _wide(data: bytes) -> str | None:
    for n in range(0, len(data) - 1, 2):
        if data[n : n + 2] == b"\0\0":
            return data[:n].decode("utf-16-le") or None
    return None
