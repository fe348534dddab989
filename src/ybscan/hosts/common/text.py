"""Text from the bytes of a file of either system."""

from __future__ import annotations

import codecs

from ybscan.model.reading import Cause, Known, Reading, Unknown

MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""The byte order marks of text files."""


def text_of(data: bytes, path: str, *, nul: bool = False) -> Reading[str]:
    """UTF-8, UTF-16 with a byte order mark, else GB 18030; what is none of them is malformed.

    So is a text with a NUL in it, unless ``nul`` says that this file may hold some.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text and not nul:
            break
        return Known(text, path)
    return Unknown(Cause.MALFORMED, f"{path} 不是文字文件", path)
