"""A Windows DLL that holds nothing but forwarded exports, for functions that Wine has under another name.

Wine 8 lacks bcryptprimitives.dll. The Rust standard library, and with it pydantic_core, takes its random numbers from
``ProcessPrng`` there, and does not load without. Windows itself has had the DLL since Windows 7. What Wine does have is
``SystemFunction036`` of advapi32 (RtlGenRandom): same arguments, same meaning.

Layout: "PE Format" of the Windows documentation.
"""

from __future__ import annotations

import struct

_HEADERS = 0x200
_SECTION = 0x1000
_BASE = 0x180000000


def forwarder(name: str, exports: dict[str, str]) -> bytes:
    """The bytes of a 64-bit DLL called ``name``; ``exports`` maps each function to ``LIBRARY.Function``."""
    directory = _export_directory(name, dict(sorted(exports.items())))
    body = directory.ljust(-(-len(directory) // 0x200) * 0x200, b"\0")
    dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    # AMD64, one section, a DLL that may lie anywhere.
    coff = struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x2022)
    optional = struct.pack("<HBBIIIII", 0x20B, 14, 0, 0, len(body), 0, 0, _SECTION)
    optional += struct.pack("<QII", _BASE, 0x1000, 0x200)
    optional += struct.pack("<HHHHHHI", 6, 0, 0, 0, 6, 0, 0)
    optional += struct.pack("<IIIHH", _SECTION + 0x1000, _HEADERS, 0, 3, 0x160)
    optional += struct.pack("<QQQQII", 0x100000, 0x1000, 0x100000, 0x1000, 0, 16)
    optional += struct.pack("<II", _SECTION, len(directory)) + bytes(15 * 8)
    section = struct.pack(
        "<8sIIIIIIHHI", b".edata", len(directory), _SECTION, len(body), _HEADERS, 0, 0, 0, 0, 0x40000040
    )
    return (dos + b"PE\0\0" + coff + optional + section).ljust(_HEADERS, b"\0") + body


def _export_directory(name: str, exports: dict[str, str]) -> bytes:
    """IMAGE_EXPORT_DIRECTORY with its tables. An address inside the directory itself is a forward."""
    count = len(exports)
    functions = _SECTION + 40
    names = functions + 4 * count
    ordinals = names + 4 * count
    strings = ordinals + 2 * count
    text = bytearray()

    def put(word: str) -> int:
        at = strings + len(text)
        text.extend(word.encode("ascii") + b"\0")
        return at

    own = put(name)
    called = [put(e) for e in exports]
    forwards = [put(f) for f in exports.values()]
    head = struct.pack("<IIHHIIIIIII", 0, 0, 0, 0, own, 1, count, count, functions, names, ordinals)
    tables = struct.pack(f"<{count}I{count}I{count}H", *forwards, *called, *range(count))
    return head + tables + bytes(text)
