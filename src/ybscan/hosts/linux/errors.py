"""From operating-system errors to readings."""

from __future__ import annotations

import errno

from ybscan.model.reading import Absent, Cause, Unknown

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR})
_DENIED = frozenset({errno.EACCES, errno.EPERM})


def from_error(error: OSError, origin: str) -> Absent | Unknown:
    """Absent for what does not exist, Unknown with its cause for everything else."""
    if error.errno in _ABSENT:
        return Absent(origin)
    if error.errno in _DENIED:
        return Unknown(Cause.DENIED, origin, origin)
    if error.errno == errno.ETIMEDOUT:
        return Unknown(Cause.TIMEOUT, origin, origin)
    return Unknown(
        Cause.UNAVAILABLE, f"{origin}：{errno.errorcode.get(error.errno or 0, type(error).__name__)}", origin
    )
