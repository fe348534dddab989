"""Mounts, disks and bounded reading of backup folders on Linux."""

from __future__ import annotations

import os
import socket
import stat as st
import sys
import threading
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import BinaryIO, TypeVar

from ybscan.hosts.common.backupdir import list_candidates
from ybscan.hosts.common.bounded import bounded
from ybscan.hosts.common.errors import from_error
from ybscan.hosts.common.filetree import writable
from ybscan.hosts.common.opening import READ_FLAGS
from ybscan.hosts.common.walking import WalkingVolumes
from ybscan.hosts.groups.files import Files
from ybscan.hosts.groups.volumes import Entry, Mount, Place, Space, TreeEntry
from ybscan.hosts.linux.disks import DiskWalk
from ybscan.hosts.linux.files import LIVE_ONLY
from ybscan.hosts.linux.mounts import (
    MountLine,
    expected_mount,
    fstab_points,
    is_own,
    local_addresses,
    mount_of,
    parse_mountinfo,
)
from ybscan.hosts.linux.paths import MAX_LINKS, ClosedTreeError, resolve
from ybscan.hosts.linux.redact import holds_hashes
from ybscan.model.reading import Cause, Known, Reading, Unknown

T = TypeVar("T")

_CHUNK = 1024 * 1024
_LOOK_UP_SECONDS = 10
#: How much longer than its own time limit a walk may hang before it is left behind.
_GRACE = 5


class LinuxVolumes(WalkingVolumes):
    """Reads below ``root``. With ``live`` false only the folders themselves can be read: the disks are not there."""

    def __init__(self, files: Files, *, root: str = "/", live: bool = True) -> None:
        super().__init__("只有运行中的系统能回答")
        self._files = files
        self._root = root
        self._live = live
        self._walk = DiskWalk(files, self._place)

    # Mounts and disks -------------------------------------------------------------------------------------------

    def mount(self, *, path: str) -> Reading[Mount]:
        if not self._live:
            # A disk that lies still: what fstab mounts elsewhere is certainly not on it.
            expected = self._expected(path)
            if isinstance(expected, str) and expected:
                return Known(Mount("", "", "", "other", (0, 0), "", expected), "/etc/fstab")
            return expected if isinstance(expected, Unknown) else self.unsupported()
        return bounded(lambda: self._mount(path), _LOOK_UP_SECONDS, path)

    def _mount(self, path: str) -> Reading[Mount]:
        mounts = self._mounts()
        if not isinstance(mounts, Known):
            return mounts
        found = self._locate(mounts.value, path)
        if isinstance(found, Unknown):
            return found
        line, real = found
        expected = self._expected(real)
        if isinstance(expected, Unknown):
            return expected
        missing = expected if len(expected) > len(line.point.rstrip("/")) else ""
        return Known(
            Mount(line.point, line.fs_type, line.source, line.kind, line.device, line.server, missing),
            "/proc/self/mountinfo",
        )

    def place(self, *, path: str) -> Reading[Place]:
        if not self._live:
            return self.unsupported()
        # Links are followed in the way of local paths only, but the mount table may have changed under us: bounded.
        return bounded(lambda: self._place(path, 0), _LOOK_UP_SECONDS, path)

    def _place(self, path: str, depth: int) -> Reading[Place]:
        mounts = self._mounts()
        if not isinstance(mounts, Known):
            return mounts
        found = self._locate(mounts.value, path)
        if isinstance(found, Unknown):
            return found
        line, real = found
        if line.kind == "network":
            return self._server(line)
        if line.kind == "memory":
            return Known(Place((), (), "", True), "/proc/self/mountinfo")
        stat = self._files.stat(path=real)
        if not isinstance(stat, Known):
            return stat
        if line.kind == "other":
            return Unknown(Cause.UNAVAILABLE, f"{line.fs_type} 文件系统，无法得知所在的磁盘", path)
        if line.device[0]:
            return self._walk.of_number(line.device, depth)
        return self._walk.of_source(line.source, line.fs_type, depth)

    def _server(self, line: MountLine) -> Reading[Place]:
        origin = "/proc/self/mountinfo"
        if not line.server or line.fs_type == "autofs":
            return Unknown(Cause.UNAVAILABLE, f"无法得知网络存储 {line.source} 在哪台机器上", origin)
        trie = self._files.text(path="/proc/net/fib_trie", limit=8 * _CHUNK)
        six = self._files.text(path="/proc/net/if_inet6")
        if not isinstance(trie, Known):
            return Unknown(Cause.UNAVAILABLE, "无法得知本机地址，不能确认网络存储在另一台机器上", "/proc/net/fib_trie")
        if isinstance(six, Unknown):
            return six
        own = is_own(
            line.server, local_addresses(trie.value, six.value if isinstance(six, Known) else ""), self._hostname()
        )
        if own is None:
            return Unknown(Cause.UNAVAILABLE, f"只知道服务器名 {line.server}，不能确认它不是本机", origin)
        if own:
            return Unknown(Cause.UNAVAILABLE, f"网络存储 {line.source} 就在本机上，无法得知所在的磁盘", origin)
        return Known(Place((), (), line.server), origin)

    def _hostname(self) -> str:
        if self._root == "/" and sys.platform != "win32":
            return socket.gethostname()
        name = self._files.text(path="/etc/hostname", limit=4096)
        return name.value.strip() if isinstance(name, Known) else ""

    def _mounts(self) -> Reading[tuple[MountLine, ...]]:
        origin = "/proc/self/mountinfo"
        text = self._files.text(path=origin, limit=16 * _CHUNK)
        if not isinstance(text, Known):
            return text if isinstance(text, Unknown) else Unknown(Cause.UNAVAILABLE, f"没有 {origin}", origin)
        parsed = parse_mountinfo(text.value)
        return Unknown(Cause.MALFORMED, origin, origin) if parsed is None else Known(parsed, origin)

    def _locate(self, mounts: tuple[MountLine, ...], path: str) -> tuple[MountLine, str] | Unknown:
        """The mount of ``path`` and the path with its links resolved, stopping where a network mount begins."""
        todo = [p for p in PurePosixPath(path).parts if p != "/"][::-1]
        here = ""
        links = 0
        line = mount_of(mounts, "/")
        while todo:
            part = todo.pop()
            if part == "..":
                here = here.rpartition("/")[0]
                continue
            step = f"{here}/{part}"
            line = mount_of(mounts, step)
            if line is not None and (line.kind == "network" or line.fs_type.startswith("fuse")):
                return line, "/".join((step, *todo[::-1]))  # even a look at a link may wait for ever there
            target = self._files.link(path=step)
            if isinstance(target, Unknown):
                return target
            if isinstance(target, Known):
                links += 1
                if links > MAX_LINKS:
                    return Unknown(Cause.UNAVAILABLE, f"{path} 的符号链接层次过多", path)
                if target.value.startswith("/"):
                    here = ""
                todo.extend(p for p in PurePosixPath(target.value).parts[::-1] if p != "/")
                continue
            here = step
        line = mount_of(mounts, here or "/")
        if line is None:
            return Unknown(Cause.UNAVAILABLE, f"挂载信息中没有 {path} 所在的位置", "/proc/self/mountinfo")
        return line, here or "/"

    def _expected(self, path: str) -> str | Unknown:
        text = self._files.text(path="/etc/fstab")
        if isinstance(text, Unknown):
            return text
        return expected_mount(fstab_points(text.value), path) if isinstance(text, Known) else ""

    # Bounded reading --------------------------------------------------------------------------------------------

    def listing(self, *, path: str, pattern: str, limit: int, seconds: int) -> Reading[tuple[Entry, ...]]:
        if (no := self._not_here(path)) is not None:
            return no
        return bounded(lambda: list_candidates(resolve(self._root, path), pattern, limit, shown=path), seconds, path)

    def writable(
        self, *, path: str, count: int, seconds: int, trusted: tuple[int, ...]
    ) -> Reading[tuple[TreeEntry, ...]]:
        return self._walked(
            path, seconds, lambda top: writable(top, shown=path, count=count, seconds=seconds, trusted=trusted)
        )

    def _secret(self, path: str) -> bool:
        return holds_hashes(path)

    def _walked(self, path: str, seconds: int, look: Callable[[str], Reading[T]]) -> Reading[T]:
        """What ``look`` makes of the folder; it keeps to ``seconds`` itself unless the file system hangs."""

        def work() -> Reading[T]:
            try:
                top = resolve(self._root, path, closed=() if self._live else LIVE_ONLY)
            except ClosedTreeError:
                return Unknown(Cause.UNSUPPORTED, f"{path} 只存在于运行中的系统", path)
            return look(top)

        return bounded(work, seconds + _GRACE, path)

    def space(self, *, path: str, seconds: int) -> Reading[Space]:
        # A tree laid out in a folder lies on somebody else's file system.
        if not self._live or self._root != "/" or sys.platform == "win32":
            return self.unsupported()

        def work() -> Reading[Space]:
            s = os.statvfs(path)
            return Known(Space(s.f_blocks * s.f_frsize, s.f_bavail * s.f_frsize), path)

        return bounded(work, seconds, path)

    def being_written(self, *, path: str) -> Reading[bool]:
        if not self._live:
            return Known(False, "系统没有运行")
        try:
            wanted = os.stat(resolve(self._root, path))  # noqa: PTH116
        except OSError as e:
            return from_error(e, path)
        return bounded(lambda: _open_for_writing(self._root, (wanted.st_dev, wanted.st_ino), path), 20, path)

    def _opened(self, path: str, seconds: int, work: Callable[[BinaryIO, threading.Event], Reading[T]]) -> Reading[T]:
        if (no := self._not_here(path)) is not None:
            return no
        if holds_hashes(path):
            return Unknown(Cause.NOT_PERMITTED, f"{path} 含口令散列，不读取原文", path)
        stop = threading.Event()

        def run() -> Reading[T]:
            fd = os.open(resolve(self._root, path), READ_FLAGS)
            with os.fdopen(fd, "rb") as f:
                if not st.S_ISREG(os.fstat(fd).st_mode):
                    return Unknown(Cause.MALFORMED, f"{path} 不是普通文件", path)
                return work(f, stop)

        answer = bounded(run, seconds, path)
        stop.set()  # what was left behind stops at its next block
        return answer

    def _not_here(self, path: str) -> Unknown | None:
        if not self._live and any(path == p or path.startswith(p + "/") for p in LIVE_ONLY):
            return Unknown(Cause.UNSUPPORTED, f"{path} 只存在于运行中的系统", path)
        return None


def _open_for_writing(root: str, wanted: tuple[int, int], path: str) -> Reading[bool]:
    """Looks through /proc/<pid>/fd. A process whose descriptors cannot be read leaves the answer open."""
    base = os.path.join(root, "proc")  # noqa: PTH118
    origin = "/proc/*/fd"
    denied = 0
    seen = False
    for pid in os.listdir(base):  # noqa: PTH208
        if not pid.isdigit():
            continue
        seen = seen or int(pid) == os.getpid()
        try:
            names = os.listdir(f"{base}/{pid}/fd")  # noqa: PTH208
        except PermissionError:
            denied += 1
            continue
        except OSError:
            continue  # ended while we looked
        for name in names:
            try:
                s = os.stat(f"{base}/{pid}/fd/{name}")  # noqa: PTH116
                if (s.st_dev, s.st_ino) != wanted:
                    continue
                with open(f"{base}/{pid}/fdinfo/{name}", encoding="ascii", errors="replace") as f:  # noqa: PTH123
                    flags = next((line.split()[1] for line in f if line.startswith("flags:")), "0")
            except (OSError, IndexError):
                continue
            if int(flags, 8) & (os.O_WRONLY | os.O_RDWR):
                return Known(True, origin)
    if not seen:
        return Unknown(Cause.UNAVAILABLE, "/proc 不是本机的进程信息", origin)
    if denied:
        return Unknown(Cause.DENIED, f"{denied} 个进程打开的文件无法读取，不能确认 {path} 是否写完", origin)
    return Known(False, origin)
