"""Functions of Windows' own libraries, with their types declared, and questions under a time limit.

Libraries are taken from the system folder alone (LOAD_LIBRARY_SEARCH_SYSTEM32): the program may lie on a share on
which somebody else can write.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any, TypeVar  # noqa: E402

from ybscan.hosts.common.bounded import bounded  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError, failed  # noqa: E402
from ybscan.hosts.windows.memory import MalformedBufferError  # noqa: E402
from ybscan.model.reading import Cause, Reading, Unknown  # noqa: E402

T = TypeVar("T")

_SEARCH_SYSTEM32 = 0x800
_libraries: dict[str, ctypes.WinDLL] = {}

#: How long a question to the system may take, seconds.
SECONDS = 30.0

WORD = ctypes.sizeof(ctypes.c_void_p)
INVALID_HANDLE = ctypes.c_void_p(-1).value


def function(library: str, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    """The function of that name.

    Raises:
        NotReadError: this Windows has no such library or function.
    """
    try:
        if library not in _libraries:
            _libraries[library] = ctypes.WinDLL(f"{library}.dll", use_last_error=True, winmode=_SEARCH_SYSTEM32)
        # By index, not as an attribute: each caller gets an object of its own, with the types that caller declared.
        found = _libraries[library][name]
    except (OSError, AttributeError):
        raise NotReadError(
            Unknown(Cause.UNSUPPORTED, f"这一版本的 Windows 没有 {library} 的 {name}", f"{library}!{name}")
        ) from None
    found.argtypes, found.restype = list(arguments), result
    made: Callable[..., Any] = found
    return made


def last_error(origin: str) -> NotReadError:
    """The last error of this thread as something to raise."""
    return failed(ctypes.get_last_error(), origin)


def asked(work: Callable[[], Reading[T]], origin: str, seconds: float = SECONDS) -> Reading[T]:
    """What ``work`` answers within the time limit; a call that failed, or gave nonsense, as Unknown with its reason."""

    def run() -> Reading[T]:
        try:
            return work()
        except NotReadError as e:
            return e.reading
        except MalformedBufferError as e:
            return Unknown(Cause.MALFORMED, f"{origin}：{e}", origin)

    return bounded(run, seconds, origin)


def copied(address: int, size: int) -> bytes:
    """``size`` bytes of this process's memory, which the system has just filled."""
    return ctypes.string_at(address, size)
