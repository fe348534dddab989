"""Names as hostile input: how they are compared, and how they may be shown."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: Longest part of a name that is compared, characters. Real names are shorter than 100.
COMPARED = 512
SHOWN = 160

_UNSEEN = re.compile(r"[\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_UNSHOWABLE = re.compile(r"[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@lru_cache(maxsize=16384)
def folded(text: str) -> str:
    """NFKC, case-folded, without characters nobody sees (a zero-width space must hide nothing), spaces joined."""
    return " ".join(_UNSEEN.sub("", unicodedata.normalize("NFKC", text[:COMPARED])).casefold().split())


def shown(text: str, limit: int = SHOWN) -> str:
    """``text`` fit for a report: no control, direction or undecodable characters, at most ``limit`` characters."""
    clean = _UNSHOWABLE.sub("\ufffd", text)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"
