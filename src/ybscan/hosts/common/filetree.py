"""Walking a folder with a budget, and hashing what of it is program."""

from __future__ import annotations

import hashlib
import os
import stat as st
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ybscan.hosts.common.entries import fresh, leads_away
from ybscan.hosts.common.errors import from_error
from ybscan.hosts.common.opening import open_read
from ybscan.hosts.groups.volumes import TreeEntry
from ybscan.model.programs import is_program
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading

_CHUNK = 1024 * 1024
_MAX_DEPTH = 32
_ACL = "system.posix_acl_access"


@dataclass(slots=True)
class _Walk:
    shown: str
    count: int
    hash_bytes: int
    deadline: float
    refuses: Callable[[str], bool] = lambda _: False
    found: list[TreeEntry] = field(default_factory=list)
    gaps: dict[Gap, None] = field(default_factory=dict)
    stopped: bool = False
    hashing_over: bool = False

    def late(self) -> bool:
        if time.monotonic() > self.deadline:
            self.gap(Cause.TIMEOUT, f"{self.shown} 在规定时间内没有读完")
            self.stopped = True
        return self.stopped

    def gap(self, cause: Cause, detail: str) -> None:
        self.gaps[Gap(cause, detail, self.shown)] = None

    def failed(self, error: OSError, name: str) -> None:
        what = f"{self.shown}/{name}" if name else self.shown
        if isinstance(from_error(error, what), Absent):
            return  # removed while we looked
        denied = isinstance(error, PermissionError)
        self.gap(Cause.DENIED if denied else Cause.UNAVAILABLE, what if denied else f"{what}：{error.strerror}")


def walk(
    top: str,
    *,
    shown: str,
    count: int,
    hash_bytes: int,
    seconds: float,
    refuses: Callable[[str], bool] = lambda _: False,
) -> Reading[tuple[TreeEntry, ...]]:
    """The folder (or the one file) ``top`` of this machine; see ``Volumes.tree``. What ``refuses`` names is not hashed.

    Raises:
        OSError: ``top`` itself cannot be looked at.
    """
    one = _Walk(shown, count, hash_bytes, time.monotonic() + seconds, refuses)
    root = os.stat(top)  # noqa: PTH116
    one.found.append(_entry("", top, root))
    if st.S_ISDIR(root.st_mode):
        _folder(one, top)
    if hash_bytes:
        _hash_all(one, top)
    one.found.sort(key=lambda e: e.name)
    return Known(tuple(one.found), shown, tuple(one.gaps))


def writable(
    top: str, *, shown: str, count: int, seconds: float, trusted: tuple[int, ...]
) -> Reading[tuple[TreeEntry, ...]]:
    """Of :func:`walk` only what somebody besides ``trusted`` might change; see ``Volumes.writable``.

    Raises:
        OSError: ``top`` itself cannot be looked at.
    """
    found = walk(top, shown=shown, count=count, hash_bytes=0, seconds=seconds)
    if not isinstance(found, Known):
        return found
    kept = tuple(
        e for e in found.value
        if e.kind != "link" and (e.mode & 0o002 or (e.mode & 0o020 and e.gid) or e.acl is not False or e.uid not in trusted)
    )  # fmt: skip
    return Known(kept, found.origin, found.gaps)


def _folder(one: _Walk, top: str) -> None:
    todo = [("", 0)]
    device = os.stat(top).st_dev  # noqa: PTH116
    while todo and not one.stopped:
        name, depth = todo.pop()
        try:
            with os.scandir(os.path.join(top, name) if name else top) as listed:  # noqa: PTH118
                below = []
                for item in listed:
                    if len(one.found) > one.count:
                        one.gap(Cause.TOO_LARGE, f"{one.shown} 中的文件超过 {one.count} 个，未全部读取")
                        one.stopped = True
                        break
                    if one.late():
                        break
                    path = f"{name}/{item.name}" if name else item.name
                    try:
                        s = fresh(item)
                    except OSError as e:
                        one.failed(e, path)
                        continue
                    one.found.append(_entry(path, item.path, s))
                    if st.S_ISDIR(s.st_mode) and not leads_away(s):
                        if depth >= _MAX_DEPTH:
                            one.gap(Cause.TOO_LARGE, f"{one.shown}/{path} 的文件夹层次过深")
                        elif s.st_dev != device:
                            one.gap(Cause.UNSUPPORTED, f"{one.shown}/{path} 是另一个文件系统的挂载点，没有读取")
                        else:
                            below.append((path, depth + 1))
                todo.extend(sorted(below, reverse=True))
        except OSError as e:
            if not name:
                raise
            one.failed(e, name)


def _entry(name: str, path: str, s: os.stat_result) -> TreeEntry:
    kind = (
        "link" if leads_away(s) else "file" if st.S_ISREG(s.st_mode) else "dir" if st.S_ISDIR(s.st_mode) else "other"
    )  # fmt: skip
    return TreeEntry(name, kind, s.st_size, s.st_mtime, st.S_IMODE(s.st_mode), s.st_uid, s.st_gid, _acl(path, kind))  # type: ignore[arg-type]


def _acl(path: str, kind: str) -> bool | None:
    """Whether an access control list adds to the permission bits; None where that cannot be asked. acl(5)."""
    if sys.platform != "linux" or kind == "link":
        return False if kind == "link" else None
    try:
        return _ACL in os.listxattr(path, follow_symlinks=False)
    except OSError:
        return None


def _hash_all(one: _Walk, top: str) -> None:
    left = one.hash_bytes
    skipped = 0
    for i, entry in enumerate(one.found):
        if entry.kind == "link":
            try:
                target = os.readlink(os.path.join(top, entry.name))  # noqa: PTH115, PTH118
            except OSError as e:
                one.failed(e, entry.name)
                continue
            one.found[i] = replace(entry, sha256=hashlib.sha256(os.fsencode(f"link:{target}")).hexdigest())
            continue
        if entry.kind != "file" or not is_program(
            entry.name or os.path.basename(top),  # noqa: PTH119
            entry.mode,
            posix=sys.platform != "win32",
        ):
            continue
        if entry.size > left or time.monotonic() > one.deadline:
            skipped += 1
            continue
        if one.refuses(f"{one.shown}/{entry.name}"):
            one.gap(Cause.NOT_PERMITTED, f"{one.shown}/{entry.name} 含口令散列，不读取")
            continue
        try:
            digest = _digest(os.path.join(top, entry.name) if entry.name else top, one.deadline)  # noqa: PTH118
        except OSError as e:
            one.failed(e, entry.name)
            continue
        if digest:
            left -= entry.size
            one.found[i] = replace(entry, sha256=digest)
        else:
            skipped += 1
    if skipped:
        one.gap(Cause.TOO_LARGE, f"{one.shown} 中有 {skipped} 个程序文件超出读取的大小或时间上限，没有比对内容")


def _digest(path: str, deadline: float) -> str:
    """SHA-256 in lower-case hex; empty when the time is up or the file is none."""
    fd = open_read(path)
    with os.fdopen(fd, "rb") as f:
        if not st.S_ISREG(os.fstat(fd).st_mode):
            return ""
        hasher = hashlib.sha256()
        while chunk := f.read(_CHUNK):
            if time.monotonic() > deadline:
                return ""
            hasher.update(chunk)
        return hasher.hexdigest()
