"""Questions about folders and files that every backend answers alike, once it has found the place and bounded the time."""

from __future__ import annotations

import hashlib
import os
import threading
from abc import abstractmethod
from collections.abc import Callable
from typing import BinaryIO, ClassVar, TypeVar

from ybscan.hosts.common.archive import inspect_archive
from ybscan.hosts.common.dated import log_mark, months
from ybscan.hosts.common.filetree import walk
from ybscan.hosts.groups.volumes import Archive, LogMark, MonthFiles, TreeEntry, Volumes
from ybscan.model.reading import Cause, Known, Reading, Unknown

T = TypeVar("T")

_CHUNK = 1024 * 1024


class WalkingVolumes(Volumes):
    """Implements what only walks and reads. A backend says where a path lies (:meth:`_walked`, :meth:`_opened`)."""

    separator: ClassVar[str] = "/"

    @abstractmethod
    def _walked(self, path: str, seconds: int, look: Callable[[str], Reading[T]]) -> Reading[T]:
        """What ``look`` makes of the place of ``path``, which it is given as this machine has it."""

    @abstractmethod
    def _opened(self, path: str, seconds: int, work: Callable[[BinaryIO, threading.Event], Reading[T]]) -> Reading[T]:
        """What ``work`` makes of the open file; the event tells it to stop. Files of password hashes are refused."""

    @abstractmethod
    def _secret(self, path: str) -> bool:
        """Whether ``path`` is a file whose content never leaves the backend."""

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

    def tree(self, *, path: str, count: int, hash_bytes: int, seconds: int) -> Reading[tuple[TreeEntry, ...]]:
        def look(top: str) -> Reading[tuple[TreeEntry, ...]]:
            return walk(top, shown=path, count=count, hash_bytes=hash_bytes, seconds=seconds, refuses=self._secret)

        return self._walked(path, seconds, look)

    def months(self, *, path: str, pattern: str, limit: int, seconds: int) -> Reading[tuple[MonthFiles, ...]]:
        return self._walked(path, seconds, lambda top: months(top, pattern, shown=path, limit=limit, seconds=seconds))

    def log_mark(self, *, path: str, pattern: str, text: str, tail: int, seconds: int) -> Reading[LogMark]:
        if self._secret(f"{path}{self.separator}{pattern}"):
            return Unknown(Cause.NOT_PERMITTED, f"{path} 含口令散列，不读取原文", path)
        return self._walked(
            path, seconds, lambda top: log_mark(top, pattern, text, shown=path, tail=tail, seconds=seconds)
        )
