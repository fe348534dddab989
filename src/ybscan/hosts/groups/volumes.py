"""Where a path's bytes lie: mounts, whole disks, and the contents of folders on file systems that may hang.

Everything that touches a path a site file names goes through here rather than through the files group, since that
path may lie on a network share whose server is gone: each such question carries its own time limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ybscan.hosts.base import Group, question
from ybscan.model.reading import Reading

MountKind = Literal["disk", "network", "memory", "other"]


@dataclass(frozen=True, slots=True)
class Mount:
    """The mount a path lies on, from /proc/self/mountinfo; see proc_pid_mountinfo(5)."""

    mount_point: str
    fs_type: str
    source: str
    """The device or ``server:/export`` as mounted; credentials in a URL are masked."""
    kind: MountKind
    device: tuple[int, int]
    """Major and minor number; major 0 for file systems without a block device of their own."""
    server: str = ""
    """Host name or address of the server of a network file system."""
    expected: str = ""
    """The mount point that /etc/fstab has for this path although nothing is mounted there now; else empty."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A whole disk as the kernel has it. ``hidden`` says why what lies behind it cannot be told; empty when it can."""

    name: str
    hidden: str = ""
    nested: bool = False
    """Whether it is itself kept on other disks of this machine, as a mounted image file is, and on which is not known."""


@dataclass(frozen=True, slots=True)
class Place:
    """The hardware under a path: the whole disks it is spread over, or the other machine that holds it."""

    disks: tuple[Disk, ...]
    layers: tuple[str, ...] = ()
    """What lies between, from the top: ``dm-0``, ``md0``, ``loop3`` …"""
    server: str = ""
    """The other machine of a network file system; ``disks`` is then empty."""
    memory: bool = False
    """The path lies in memory and is gone after a restart."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One backup candidate in a folder.

    ``name`` is relative to the folder asked about. For a folder ``size`` is the sum over the matching files below it,
    ``mtime`` that of the newest of them, ``largest`` the relative path of the largest one.
    """

    name: str
    kind: Literal["file", "folder", "link"]
    size: int
    mtime: float
    files: int = 1
    empty: int = 0
    """How many of the files have no content."""
    partial: int = 0
    """How many of the files bear a name of an unfinished transfer; they are not counted in the other fields."""
    largest: str = ""


ArchiveState = Literal["verified", "opens", "corrupt", "encrypted", "unrecognised"]


@dataclass(frozen=True, slots=True)
class Archive:
    """What a look into a backup file showed.

    ``verified``: all check sums were recomputed; ``opens``: the structure is sound as far as the budget went;
    ``unrecognised``: no known container, nothing can be said.
    """

    format: str
    state: ArchiveState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One file, folder or link below a folder. ``name`` is relative to it; empty for the folder (or file) itself."""

    name: str
    kind: Literal["file", "dir", "link", "other"]
    size: int
    mtime: float
    mode: int
    """Permission bits."""
    uid: int
    gid: int
    acl: bool | None = None
    """Whether an access control list adds to ``mode``; None where that is not known."""
    sha256: str = ""
    """Lower-case hex for program files and links that were hashed; of a link ``link:`` and its target is hashed."""


@dataclass(frozen=True, slots=True)
class MonthFiles:
    """The files of one month, counted. ``month`` is ``2026-11``."""

    month: str
    files: int
    empty: int
    """How many have no content."""
    named: int
    """How many carry the month in their name; of the others the time of modification tells it."""


@dataclass(frozen=True, slots=True)
class LogMark:
    """The last line of the newest logs that holds a text: when that was, never the line."""

    file: str
    """The log's name; empty when no line holds the text."""
    stamp: str
    """ISO date, or date and time in the terminal's own zone, as the line has it; empty when it has none."""
    modified: float
    whole: bool
    """Whether every log was read from its beginning, so that nothing found means there is nothing."""


@dataclass(frozen=True, slots=True)
class Space:
    """The size of a file system and what ordinary users may still write, bytes; see statvfs(3)."""

    total: int
    free: int


class Volumes(Group):
    """Mounts, disks and bounded reading. Sends no packet except by reading a network path the caller may name."""

    name = "volumes"

    @question
    def mount(self, *, path: str) -> Reading[Mount]:
        """The mount that ``path`` lies on, links followed except on network file systems. Does not read ``path`` there."""
        return self.unsupported()

    @question
    def place(self, *, path: str) -> Reading[Place]:
        """The disks or the server under ``path``; Unknown where the system hides them."""
        return self.unsupported()

    @question
    def listing(self, *, path: str, pattern: str, limit: int, seconds: int) -> Reading[tuple[Entry, ...]]:
        """The backup candidates in the folder: files like ``pattern``, and dated folders that hold such files.

        A folder like ``pattern`` itself (not for ``*``) counts with all it holds. Stops after ``limit`` directory
        entries with a gap (too_large), after ``seconds`` with Unknown(timeout). Absent when there is no such folder.
        """
        return self.unsupported()

    @question
    def being_written(self, *, path: str) -> Reading[bool]:
        """Whether a process of this machine has the file open for writing now."""
        return self.unsupported()

    @question
    def digest(self, *, path: str, limit: int, seconds: int) -> Reading[str]:
        """SHA-256 in lower-case hex; larger than ``limit`` bytes is Unknown(too_large)."""
        return self.unsupported()

    @question
    def archive(self, *, path: str, budget: int, seconds: int) -> Reading[Archive]:
        """Whether the file is a sound container; inflates at most ``budget`` bytes. Contents are not kept."""
        return self.unsupported()

    @question
    def tree(self, *, path: str, count: int, hash_bytes: int, seconds: int) -> Reading[tuple[TreeEntry, ...]]:
        """Everything below the folder (or the one file) ``path``, itself included, links not followed, sorted by name.

        Program files (:func:`ybscan.model.programs.is_program`) and links are hashed as long as ``hash_bytes`` last.
        What lies beyond ``count`` entries, ``hash_bytes`` or ``seconds`` leaves a gap. Absent when there is no such path.
        """
        return self.unsupported()

    @question
    def writable(
        self, *, path: str, count: int, seconds: int, trusted: tuple[int, ...]
    ) -> Reading[tuple[TreeEntry, ...]]:
        """As :meth:`tree` without hashes, but only what somebody besides ``trusted`` (uids) might change.

        That is: what everybody or a group other than root's may write, what has an access control list (or may have),
        and what belongs to somebody else. Links are left out: their own permissions mean nothing.
        """
        return self.unsupported()

    @question
    def months(self, *, path: str, pattern: str, limit: int, seconds: int) -> Reading[tuple[MonthFiles, ...]]:
        """The months that files like ``pattern`` below ``path`` are about, by the dates in their names, else their times."""
        return self.unsupported()

    @question
    def log_mark(self, *, path: str, pattern: str, text: str, tail: int, seconds: int) -> Reading[LogMark]:
        """When a log like ``pattern`` in the folder ``path`` last says ``text``: the end (``tail`` bytes) of the newest ones
        is searched. Absent when there is no such log. The lines themselves are never kept.
        """
        return self.unsupported()

    @question
    def space(self, *, path: str, seconds: int) -> Reading[Space]:
        """Size and free space of the file system that ``path`` lies on."""
        return self.unsupported()
