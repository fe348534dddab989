"""Files of a running Linux (root ``/``) or of a tree laid out like one."""

from __future__ import annotations

import hashlib
import os
import re
import stat as st
import sys
from collections.abc import Callable
from typing import TypeVar

from ybscan.hosts.common.errors import from_error
from ybscan.hosts.common.opening import READ_FLAGS
from ybscan.hosts.common.text import MARKS, text_of
from ybscan.hosts.groups.files import TEXT_LIMIT, FileKind, Files, FileStat
from ybscan.hosts.linux.paths import ClosedTreeError, resolve
from ybscan.hosts.linux.redact import holds_hashes, may_hold_hashes, redacted
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

T = TypeVar("T")

#: Trees that only a running system fills; on a disk that lies still they are empty or stale.
LIVE_ONLY = ("/proc", "/sys", "/run", "/dev")
#: Files of programs that know no byte order mark: what stands in their first line (UTF-8) or anywhere (UTF-16) is void.
_NO_MARK = re.compile(
    r"/(?:modprobe|pam|sysctl|modules-load)\.d/|/udev/rules\.d/|/usbguard/|/systemd/|/etc/security/|/etc/ssh/"
    r"|/etc/(?:login\.defs|nsswitch\.conf|pam\.conf|sysctl\.conf|fstab|crontab|resolv\.conf|inetd\.conf|xinetd\.conf)$"
)
#: What Python takes for a blank or an end of line, and the programs of these files do not (or for a blank alone).
_VOID = dict.fromkeys(
    (*range(0x1C, 0x20), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000), "␣"
)
_VOID |= {0x0B: " ", 0x0C: " "}
_HEAD_LIMIT = 64 * 1024


class LinuxFiles(Files):
    """Reads below ``root``; with ``live`` false, questions below :data:`LIVE_ONLY` are Unknown(unsupported).

    With ``whole`` false the tree is no complete system: what is not in it may well be on the terminal, so nothing is
    Absent, only Unknown(incomplete).
    """

    def __init__(self, *, root: str = "/", live: bool = True, whole: bool = True) -> None:
        super().__init__()
        self._root = root
        self._live = live
        self._whole = whole
        self._folders: dict[str, str] = {}

    def text(self, *, path: str, limit: int = TEXT_LIMIT) -> Reading[str]:
        if holds_hashes(path):
            return Unknown(Cause.NOT_PERMITTED, f"{path} 含口令散列，不读取原文", path)
        raw = self._read(path, limit, whole=True)
        text = decoded(raw.value, path) if isinstance(raw, Known) else raw
        # A link does not change what the file holds.
        return Known(redacted(self._inside(path), text.value), path) if isinstance(text, Known) else text

    def head(self, *, path: str, size: int) -> Reading[bytes]:
        if holds_hashes(path):
            return Unknown(Cause.NOT_PERMITTED, f"{path} 含口令散列，不读取原文", path)
        if may_hold_hashes(self._inside(path)):
            return Unknown(Cause.NOT_PERMITTED, f"{path} 可能含口令散列，只能按文字读取", path)
        return self._read(path, min(size, _HEAD_LIMIT), whole=False)

    def digest(self, *, path: str, limit: int) -> Reading[str]:
        def work() -> Reading[str]:
            fd = self._open(path)
            if isinstance(fd, Unknown):
                return fd
            with os.fdopen(fd, "rb") as f:
                if os.fstat(f.fileno()).st_size > limit:
                    return Unknown(Cause.TOO_LARGE, path, path)
                return Known(hashlib.file_digest(f, "sha256").hexdigest(), path)

        return self._guard(path, work)

    def entries(self, *, path: str) -> Reading[tuple[str, ...]]:
        def work() -> Reading[tuple[str, ...]]:
            return Known(tuple(sorted(os.listdir(self._resolved(path)))), path)  # noqa: PTH208 - names, not paths

        return self._guard(path, work)

    def stat(self, *, path: str, follow: bool = True) -> Reading[FileStat]:
        def work() -> Reading[FileStat]:
            s = os.lstat(self._resolved(path, last=follow))
            kind: FileKind = (
                "file" if st.S_ISREG(s.st_mode) else "dir" if st.S_ISDIR(s.st_mode)
                else "link" if st.S_ISLNK(s.st_mode) else "other"
            )  # fmt: skip
            device = (0, 0)
            if sys.platform != "win32":
                device = (os.major(s.st_dev), os.minor(s.st_dev))
            return Known(FileStat(kind, s.st_size, s.st_mtime, st.S_IMODE(s.st_mode), s.st_uid, s.st_gid, device), path)

        return self._guard(path, work)

    def link(self, *, path: str) -> Reading[str]:
        def work() -> Reading[str]:
            here = self._resolved(path, last=False)
            if not st.S_ISLNK(os.lstat(here).st_mode):
                return Absent(path)
            return Known(os.readlink(here), path)  # noqa: PTH115

        return self._guard(path, work)

    def real(self, *, path: str) -> Reading[str]:
        def work() -> Reading[str]:
            here = self._resolved(path)
            os.lstat(here)
            return Known(self._below(here) or "/", path)

        return self._guard(path, work)

    # ------------------------------------------------------------------------------------------------------------

    def _guard(self, path: str, work: Callable[[], Reading[T]]) -> Reading[T]:
        try:
            return work()
        except ClosedTreeError:
            return Unknown(Cause.UNSUPPORTED, f"{path} 只存在于运行中的系统", path)
        except OSError as e:
            reading = from_error(e, path)
            if isinstance(reading, Absent) and not self._whole:
                return Unknown(Cause.INCOMPLETE, f"文件夹不是完整的系统盘，不能确定终端上有无 {path}", path)
            return reading
        except ValueError as e:  # such as a lone surrogate that the file system encoding refuses
            return Unknown(Cause.MALFORMED, f"{path}：{type(e).__name__}", path)

    def _resolved(self, path: str, *, last: bool = True) -> str:
        """The way below the root. On a disk that lies still a link into /run leads nowhere: that says nothing."""
        if not self._live:
            return resolve(self._root, path, last=last, closed=LIVE_ONLY)
        # A scan asks for many files of few folders: the way to a folder is followed once.
        folder, _, name = path.rpartition("/")
        if name in ("", ".", "..") or not path.startswith("/") or "\0" in path:
            return resolve(self._root, path, last=last)
        base = self._folders.get(folder)
        if base is None:
            base = self._folders[folder] = resolve(self._root, folder or "/")
        here = os.path.join(base, name)  # noqa: PTH118 - surrogate-escaped names, hot path
        if last and os.path.islink(here):  # noqa: PTH114
            return resolve(self._root, path)
        return here

    def _below(self, here: str) -> str:
        return here[len(self._root.rstrip("/")) :]

    def _inside(self, path: str) -> str:
        """The terminal's own name for what ``path`` leads to; ``path`` itself when it leads nowhere."""
        try:
            return self._below(self._resolved(path))
        except (OSError, ValueError, ClosedTreeError):
            return path

    def _open(self, path: str) -> int | Unknown:
        here = self._resolved(path)
        # Asked by another name (a link, ``..`` in a configuration's include) a file of hashes is one all the same.
        if holds_hashes(self._below(here)):
            return Unknown(Cause.NOT_PERMITTED, f"{path} 含口令散列，不读取原文", path)
        # What is no regular file is refused: a device or a FIFO has no content to judge.
        fd = os.open(here, READ_FLAGS)
        try:
            if st.S_ISREG(os.fstat(fd).st_mode):
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
        return Unknown(Cause.MALFORMED, f"{path} 不是普通文件", path)

    def _read(self, path: str, limit: int, *, whole: bool) -> Reading[bytes]:
        def work() -> Reading[bytes]:
            fd = self._open(path)
            if isinstance(fd, Unknown):
                return fd
            with os.fdopen(fd, "rb") as f:
                data = f.read(limit + 1 if whole else limit)
            if whole and len(data) > limit:
                return Unknown(Cause.TOO_LARGE, f"{path}（上限 {limit // 1024} KiB）", path)
            return Known(data, path)

        return self._guard(path, work)


def decoded(data: bytes, path: str) -> Reading[str]:
    """Text from bytes: UTF-8, UTF-16 with a byte order mark, else GB 18030; what is none of them is malformed.

    Where the program that reads the file knows bytes only, a mark is malformed too, for it is part of the first word
    there, and a full-width or no-break blank becomes a visible sign: ``minlen　8`` sets nothing.
    """
    if data.startswith(MARKS) and _NO_MARK.search(path):
        return Unknown(
            Cause.MALFORMED, f"{path} 开头有字节顺序标记（BOM），系统不能识别，请另存为不带 BOM 的 UTF-8", path
        )
    text = text_of(data, path, nul=path.startswith("/proc/"))
    if not isinstance(text, Known):
        return text
    return Known(redacted(path, text.value.translate(_VOID) if _NO_MARK.search(path) else text.value), path)
