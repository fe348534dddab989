"""Text from the bytes of a file of either system."""

from __future__ import annotations

import codecs

from ybscan.model.reading import Cause, Known, Reading, Unknown

MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""The byte order marks of text files."""


def decoded(data: bytes) -> str | None:
    """UTF-8, UTF-16 with a byte order mark, else GB 18030; None when it is none of them, or cut within a character."""
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def text_of(data: bytes, path: str, *, nul: bool = False) -> Reading[str]:
    """What :func:`decoded` reads; what it does not read is malformed.

    So is a text with a NUL in it, unless ``nul`` says that this file may hold some.
    """
    text = decoded(data)
    if text is None or ("\0" in text and not nul):
        return Unknown(Cause.MALFORMED, f"{path} 不是文字文件", path)
    return Known(text, path)
