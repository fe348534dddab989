"""How a file is opened that somebody else may have laid there."""

from __future__ import annotations

import os

#: O_NONBLOCK: a FIFO laid in the way must not hang the scan. Windows lacks most of these.
READ_FLAGS = os.O_RDONLY | sum(
    getattr(os, f, 0) for f in ("O_BINARY", "O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY", "O_NOFOLLOW", "O_NOINHERIT")
)
