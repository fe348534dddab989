r"""Files of the running system.

Links are followed here, name by name, and not by Windows: one that leads to a share would send packets. Files are
opened for reading only, in the form that lifts the limit of length, sharing everything with everybody, and never when
their content lies in a cloud. Times of last access are Windows' own business (off by default); none is set.
Sources: CreateFileW, "File Attribute Constants", "Reparse Point Tags", "Naming Files, Paths, and Namespaces".
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
import hashlib  # noqa: E402
import msvcrt  # noqa: E402
import os  # noqa: E402
import stat as st  # noqa: E402
from collections.abc import Callable  # noqa: E402
from ctypes import c_uint32, c_void_p, c_wchar_p  # noqa: E402
from functools import cache  # noqa: E402
from typing import TypeVar  # noqa: E402

from ybscan.hosts.common.errors import from_error  # noqa: E402
from ybscan.hosts.common.text import text_of  # noqa: E402
from ybscan.hosts.groups.files import TEXT_LIMIT, FileKind, Files, FileStat  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live.acl import rights  # noqa: E402
from ybscan.hosts.windows.live.dll import INVALID_HANDLE, function  # noqa: E402
from ybscan.hosts.windows.live.system import native_bits, process_bits  # noqa: E402
from ybscan.hosts.windows.redact import holds_hashes, text_kept  # noqa: E402
from ybscan.hosts.windows.winpaths import PathError, RefusedError, followed, long, shown, unredirected  # noqa: E402
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown  # noqa: E402

T = TypeVar("T")

_HEAD_LIMIT = 64 * 1024
_DRIVE_REMOTE = 4
#: FILE_ATTRIBUTE_OFFLINE, _RECALL_ON_OPEN, _RECALL_ON_DATA_ACCESS: the content is elsewhere, reading would fetch it.
_ELSEWHERE = 0x1000 | 0x40000 | 0x400000
_NAME_SURROGATE = 0x20000000
_LINKS = (0xA000000C, 0xA0000003)
"""IO_REPARSE_TAG_SYMLINK and _MOUNT_POINT (junctions)."""
_READ = 0x80000000
_SHARE_ALL = 0x7
_OPEN_EXISTING = 3
_FLAGS = 0x08000000 | 0x00100000
"""FILE_FLAG_SEQUENTIAL_SCAN, FILE_FLAG_OPEN_NO_RECALL."""
_TYPE_DISK = 1


class LiveFiles(Files):
    """Of local disks only; a path on a share or a network drive is Unknown(not_permitted)."""

    def text(self, *, path: str, limit: int = TEXT_LIMIT) -> Reading[str]:
        raw = read_bytes(path, limit)
        text = text_of(raw.value, path) if isinstance(raw, Known) else raw
        return Known(text_kept(text.value), path) if isinstance(text, Known) else text

    def head(self, *, path: str, size: int) -> Reading[bytes]:
        return _guard(path, lambda: _with_file(path, lambda fd: Known(_read(fd, min(size, _HEAD_LIMIT)), path)))

    def digest(self, *, path: str, limit: int) -> Reading[str]:
        def work(fd: int) -> Reading[str]:
            if os.fstat(fd).st_size > limit:
                return Unknown(Cause.TOO_LARGE, path, path)
            with os.fdopen(fd, "rb", closefd=False) as f:
                return Known(hashlib.file_digest(f, "sha256").hexdigest(), path)

        return _guard(path, lambda: _with_file(path, work))

    def entries(self, *, path: str) -> Reading[tuple[str, ...]]:
        return _guard(path, lambda: Known(tuple(sorted(os.listdir(_native(resolved(path))))), path))  # noqa: PTH208

    def stat(self, *, path: str, follow: bool = True) -> Reading[FileStat]:
        def work() -> Reading[FileStat]:
            s = os.lstat(_native(resolved(path, last=follow)))
            kind: FileKind = (
                "link" if s.st_reparse_tag & _NAME_SURROGATE else "dir" if st.S_ISDIR(s.st_mode)
                else "file" if st.S_ISREG(s.st_mode) else "other"
            )  # fmt: skip
            mode = st.S_IMODE(s.st_mode)
            return Known(FileStat(kind, s.st_size, s.st_mtime, mode, 0, 0, (0, s.st_dev & 0xFFFFFFFF)), path)

        return _guard(path, work)

    def rights(self, *, path: str) -> Reading[dict[str, int]]:
        def work() -> Reading[dict[str, int]]:
            here = resolved(path)
            os.lstat(_native(here))
            return Known(rights(_native(here)), path)

        return _guard(path, work)

    def link(self, *, path: str) -> Reading[str]:
        def work() -> Reading[str]:
            here = _native(resolved(path, last=False))
            if os.lstat(here).st_reparse_tag not in _LINKS:
                return Absent(path)
            return Known(shown(os.readlink(here)), path)  # noqa: PTH115

        return _guard(path, work)

    def real(self, *, path: str) -> Reading[str]:
        def work() -> Reading[str]:
            here = resolved(path)
            os.lstat(_native(here))
            return Known(here, path)

        return _guard(path, work)


def read_bytes(path: str, limit: int) -> Reading[bytes]:
    """A whole file of at most ``limit`` bytes; larger is Unknown(too_large)."""

    def work(fd: int) -> Reading[bytes]:
        data = _read(fd, limit + 1)
        if len(data) > limit:
            return Unknown(Cause.TOO_LARGE, f"{path}（上限 {limit // 1024} KiB）", path)
        return Known(data, path)

    return _guard(path, lambda: _with_file(path, work))


def resolved(path: str, *, last: bool = True) -> str:
    """Where ``path`` leads; see :func:`ybscan.hosts.windows.winpaths.followed`."""
    return followed(path, _target, _is_remote, last=last)


def _target(path: str) -> str | None:
    """What a link says; None for everything else. What is not there is no link: the question about it finds that out."""
    try:
        s = os.lstat(_native(path))
    except FileNotFoundError:
        return None
    except PermissionError:
        return None  # whoever may not look at it may still look below it
    if s.st_reparse_tag not in _LINKS:
        return None
    target = os.readlink(_native(path))  # noqa: PTH115
    if target.lower().startswith(("\\\\?\\volume{", "\\??\\volume{")):
        return None  # a volume mounted in a folder is where it is
    return shown(target)


@cache
def _is_remote(drive: str) -> bool:
    kind: int = function("kernel32", "GetDriveTypeW", c_uint32, c_wchar_p)(f"{drive}\\")
    return kind == _DRIVE_REMOTE


def _native(path: str) -> str:
    """The plain path as this process has to ask for it."""
    if process_bits() == 32 and native_bits() == 64:
        path = unredirected(path, os.environ.get("SYSTEMROOT", r"C:\Windows"))
    return long(path)


def _guard(path: str, work: Callable[[], Reading[T]]) -> Reading[T]:
    try:
        return work()
    except RefusedError as e:
        return Unknown(Cause.NOT_PERMITTED, str(e), path)
    except PathError as e:
        return Unknown(Cause.MALFORMED, f"{path} {e}", path)
    except NotReadError as e:
        return e.reading
    except OSError as e:
        return from_error(e, path)
    except ValueError as e:
        return Unknown(Cause.MALFORMED, f"{path}：{type(e).__name__}", path)


def _with_file(path: str, work: Callable[[int], Reading[T]]) -> Reading[T]:
    """What ``work`` answers on the open file. What is no regular file, or not on this machine, is not opened."""
    here = resolved(path)
    # Asked by another name, a file of hashes is one all the same.
    if holds_hashes(path) or holds_hashes(here):
        return Unknown(Cause.NOT_PERMITTED, f"{path} 含口令散列或机密，不读取原文", path)
    s = os.lstat(_native(here))
    if not st.S_ISREG(s.st_mode):
        return Unknown(Cause.MALFORMED, f"{path} 不是普通文件", path)
    if s.st_file_attributes & _ELSEWHERE:
        return Unknown(Cause.UNAVAILABLE, f"{path} 的内容在云端或离线存储中，没有下载", path)
    fd = _open(_native(here))
    try:
        return work(fd)
    finally:
        os.close(fd)


def _open(path: str) -> int:
    """A file descriptor that can only read.

    Raises:
        OSError: with Windows' own code.
    """
    create = function(
        "kernel32", "CreateFileW", c_void_p, c_wchar_p, c_uint32, c_uint32, c_void_p, c_uint32, c_uint32, c_void_p
    )
    close = function("kernel32", "CloseHandle", ctypes.c_int, c_void_p)
    handle = create(path, _READ, _SHARE_ALL, None, _OPEN_EXISTING, _FLAGS, None)
    if handle is None or handle == INVALID_HANDLE:
        raise ctypes.WinError(ctypes.get_last_error())
    if function("kernel32", "GetFileType", c_uint32, c_void_p)(handle) != _TYPE_DISK:
        close(handle)
        raise PathError("不是普通文件")
    try:
        return msvcrt.open_osfhandle(handle, os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT)
    except OSError:
        close(handle)
        raise


def _read(fd: int, size: int) -> bytes:
    with os.fdopen(fd, "rb", closefd=False) as f:
        return f.read(size)
