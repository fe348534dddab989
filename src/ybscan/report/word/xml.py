"""Writing XML text, and reading XML that somebody else wrote."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree

W: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
NAMESPACES: Final = f'xmlns:w="{W}" xmlns:r="{R}"'

Element = ElementTree.Element

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
# Everything but the Char production of XML 1.0.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escape(text: str) -> str:
    """Text as XML text or attribute value; what XML cannot hold is shown by its code point."""
    return _NO_XML.sub(lambda m: f"〔U+{ord(m[0]):04X}〕", text).translate(_ESCAPES)


def parsed(data: bytes) -> Element:
    """The root of a part.

    Raises:
        ValueError: not well-formed, or with a DOCTYPE, which no part of an Office file has and entity bombs need.
    """
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = data.decode("utf-16", "replace") if wide else ""
    if b"<!DOCTYPE" in data or "<!DOCTYPE" in text:
        raise ValueError("DOCTYPE")
    try:
        return ElementTree.fromstring(data)  # noqa: S314 - no DOCTYPE, no entities
    except (ElementTree.ParseError, LookupError) as e:
        raise ValueError(str(e)) from None


def w(name: str) -> str:
    """A name of the main namespace as ElementTree spells it."""
    return f"{{{W}}}{name}"


def r(name: str) -> str:
    """A name of the relationships' namespace as ElementTree spells it."""
    return f"{{{R}}}{name}"
