"""Files of a Windows disk that lies still."""

from __future__ import annotations

import hashlib
import os
import stat as st

from ybscan.hosts.common.opening import READ_FLAGS
from ybscan.hosts.common.text import text_of
from ybscan.hosts.groups.files import TEXT_LIMIT, FileKind, Files, FileStat
from ybscan.hosts.windows.offline.tree import WindowsTree
from ybscan.hosts.windows.redact import text_kept
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown, mapped

_HEAD_LIMIT = 64 * 1024


class OfflineFiles(Files):
    """Owners and permissions are not told: what this machine shows of them says nothing about Windows."""

    def __init__(self, tree: WindowsTree) -> None:
        super().__init__()
        self._tree = tree

    def text(self, *, path: str, limit: int = TEXT_LIMIT) -> Reading[str]:
        raw = self._tree.closed(path) or self._tree.read(path, limit)
        text = text_of(raw.value, path) if isinstance(raw, Known) else raw
        return mapped(text, text_kept)

    def head(self, *, path: str, size: int) -> Reading[bytes]:
        return self._tree.closed(path) or self._tree.read(path, min(size, _HEAD_LIMIT), cut=True)

    def digest(self, *, path: str, limit: int) -> Reading[str]:
        def work(here: str) -> Reading[str]:
            with os.fdopen(os.open(here, READ_FLAGS), "rb") as f:
                s = os.fstat(f.fileno())
                if not st.S_ISREG(s.st_mode):
                    return Unknown(Cause.MALFORMED, f"{path} 不是普通文件", path)
                if s.st_size > limit:
                    return Unknown(Cause.TOO_LARGE, path, path)
                return Known(hashlib.file_digest(f, "sha256").hexdigest(), path)

        return self._tree.closed(path) or self._tree.ask(path, work)

    def entries(self, *, path: str) -> Reading[tuple[str, ...]]:
        return self._tree.names(path)

    def stat(self, *, path: str, follow: bool = True) -> Reading[FileStat]:
        del follow  # links are not followed either way

        def work(here: str) -> Reading[FileStat]:
            s = os.lstat(here)
            kind: FileKind = "file" if st.S_ISREG(s.st_mode) else "dir" if st.S_ISDIR(s.st_mode) else "other"
            return Known(FileStat(kind, s.st_size, s.st_mtime, 0, 0, 0, (0, 0)), path)

        return self._tree.ask(path, work)

    def link(self, *, path: str) -> Reading[str]:
        return self._tree.ask(path, lambda _: Absent(path))

    def real(self, *, path: str) -> Reading[str]:
        return self._tree.ask(path, lambda here: Known(self._tree.shown(here), path))
