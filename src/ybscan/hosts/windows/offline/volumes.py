"""Folders of a Windows that does not run. On which disks they lie, and how full those are, it cannot tell."""

from __future__ import annotations

import os
import stat as st
import threading
from collections.abc import Callable
from typing import BinaryIO, TypeVar

from ybscan.hosts.common.backupdir import list_candidates
from ybscan.hosts.common.bounded import bounded
from ybscan.hosts.common.opening import READ_FLAGS
from ybscan.hosts.common.walking import WalkingVolumes
from ybscan.hosts.groups.volumes import Entry
from ybscan.hosts.windows.offline import LIVE
from ybscan.hosts.windows.offline.tree import WindowsTree
from ybscan.model.reading import Cause, Known, Reading, Unknown

T = TypeVar("T")

_CHUNK = 1024 * 1024
_GRACE = 5


class OfflineVolumes(WalkingVolumes):
    """Only what lies in the folders. Owners and permissions are not told, and so not who might write there."""

    separator = "\\"

    def __init__(self, tree: WindowsTree) -> None:
        super().__init__(LIVE)
        self._tree = tree

    def listing(self, *, path: str, pattern: str, limit: int, seconds: int) -> Reading[tuple[Entry, ...]]:
        return self._walked(path, seconds, lambda top: list_candidates(top, pattern, limit, shown=path))

    def being_written(self, *, path: str) -> Reading[bool]:
        return Known(False, "系统没有运行")

    def _secret(self, path: str) -> bool:
        return self._tree.closed(path) is not None

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
