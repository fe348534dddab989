"""Two digests of the same bytes: SM3 (GB/T 32905-2016), which Chinese units are asked for, and SHA-256.

Both come from OpenSSL through hashlib. A forger would have to break both.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Digests:
    """Lower-case hex."""

    sha256: str
    sm3: str


#: What the first record of a chain names as its predecessor.
NONE = Digests("0" * 64, "0" * 64)


def digests(data: bytes) -> Digests:
    """Both digests of ``data``.

    Raises:
        ValueError: this Python's OpenSSL was built without SM3.
    """
    return Digests(hashlib.sha256(data).hexdigest(), hashlib.new("sm3", data).hexdigest())
