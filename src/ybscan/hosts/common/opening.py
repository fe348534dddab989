"""How a file is opened that somebody else may have laid there."""

from __future__ import annotations

import os
import sys

#: O_NONBLOCK: a FIFO laid in the way must not hang the scan. Windows lacks most of these.
READ_FLAGS = os.O_RDONLY | sum(
    getattr(os, f, 0) for f in ("O_BINARY", "O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY", "O_NOFOLLOW", "O_NOINHERIT")
)


def open_read(path: str) -> int:
    """A descriptor of the file, for reading; others may read, write and delete it meanwhile.

    On Windows the C library would turn a server that is gone into "no such file", and a file that is in use into "no
    permission"; so the system itself is asked there.

    Raises:
        OSError: it cannot be opened.
    """
    if sys.platform != "win32":
        return os.open(path, READ_FLAGS)
    import _winapi
    import msvcrt

    share_all, existing = 0x7, 3
    handle = _winapi.CreateFile(path, _winapi.GENERIC_READ, share_all, 0, existing, 0, 0)
    return msvcrt.open_osfhandle(handle, os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT)
