"""Folders of a Windows that does not run. On which disks they lie, and how full those are, it cannot tell."""

from __future__ import annotations

import hashlib
import os
import stat as st
import threading
from collections.abc import Callable
from typing import BinaryIO, TypeVar

from ybscan.hosts.common.archive import inspect_archive
from ybscan.hosts.common.backupdir import list_candidates
from ybscan.hosts.common.bounded import bounded
from ybscan.hosts.common.dated import log_mark, months
from ybscan.hosts.common.filetree import walk
from ybscan.hosts.common.opening import READ_FLAGS
from ybscan.hosts.groups.volumes import Archive, Entry, LogMark, MonthFiles, TreeEntry, Volumes
from ybscan.hosts.windows.offline import LIVE
from ybscan.hosts.windows.offline.tree import WindowsTree
from ybscan.hosts.windows.redact import holds_hashes
from ybscan.model.reading import Cause, Known, Reading, Unknown

T = TypeVar("T")

_CHUNK = 1024 * 1024
_GRACE = 5


class OfflineVolumes(Volumes):
    """Only what lies in the folders. Owners and permissions are not told, and so not who might write there."""

    def __init__(self, tree: WindowsTree) -> None:
        super().__init__(LIVE)
        self._tree = tree

    def listing(self, *, path: str, pattern: str, limit: int, seconds: int) -> Reading[tuple[Entry, ...]]:
        return self._walked(path, seconds, lambda top: list_candidates(top, pattern, limit, shown=path))

    def tree(self, *, path: str, count: int, hash_bytes: int, seconds: int) -> Reading[tuple[TreeEntry, ...]]:
        def refuses(shown: str) -> bool:
            return self._tree.closed(shown) is not None

        return self._walked(
            path, seconds,
            lambda top: walk(top, shown=path, count=count, hash_bytes=hash_bytes, seconds=seconds, refuses=refuses),
        )  # fmt: skip

    def months(self, *, path: str, pattern: str, limit: int, seconds: int) -> Reading[tuple[MonthFiles, ...]]:
        return self._walked(path, seconds, lambda top: months(top, pattern, shown=path, limit=limit, seconds=seconds))

    def log_mark(self, *, path: str, pattern: str, text: str, tail: int, seconds: int) -> Reading[LogMark]:
        if holds_hashes(f"{path}\\{pattern}"):
            return Unknown(Cause.NOT_PERMITTED, f"{path} 含口令散列，不读取原文", path)
        return self._walked(
            path, seconds, lambda top: log_mark(top, pattern, text, shown=path, tail=tail, seconds=seconds)
        )

    def digest(self, *, path: str, limit: int, seconds: int) -> Reading[str]:
        def work(f: BinaryIO, stop: threading.Event) -> Reading[str]:
            if os.fstat(f.fileno()).st_size > limit:
                return Unknown(Cause.TOO_LARGE, f"{path}（上限 {limit // _CHUNK} MiB）", path)
            hasher = hashlib.sha256()
            while chunk := f.read(_CHUNK):
                if stop.is_set():
                    break
                hasher.update(chunk)
            return Known(hasher.hexdigest(), path)

        return self._opened(path, seconds, work)

    def archive(self, *, path: str, budget: int, seconds: int) -> Reading[Archive]:
        return self._opened(path, seconds, lambda f, stop: Known(inspect_archive(f, budget, stop.is_set), path))

    def being_written(self, *, path: str) -> Reading[bool]:
        return Known(False, "系统没有运行")

    def _walked(self, path: str, seconds: int, look: Callable[[str], Reading[T]]) -> Reading[T]:
        return bounded(lambda: self._tree.ask(path, look), seconds + _GRACE, path)

    def _opened(self, path: str, seconds: int, work: Callable[[BinaryIO, threading.Event], Reading[T]]) -> Reading[T]:
        closed = self._tree.closed(path)
        if closed is not None:
            return closed
        stop = threading.Event()

        def run(here: str) -> Reading[T]:
            with os.fdopen(os.open(here, READ_FLAGS), "rb") as f:
                if not st.S_ISREG(os.fstat(f.fileno()).st_mode):
                    return Unknown(Cause.MALFORMED, f"{path} 不是普通文件", path)
                return work(f, stop)

        answer = bounded(lambda: self._tree.ask(path, run), seconds, path)
        stop.set()  # what was left behind stops at its next block
        return answer
