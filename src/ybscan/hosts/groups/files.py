"""Files: text, listings, metadata. Never a password hash, never a file that blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ybscan.hosts.base import Group, question
from ybscan.model.reading import Reading

TEXT_LIMIT = 1024 * 1024
"""Default limit of :meth:`Files.text`, bytes."""

FileKind = Literal["file", "dir", "link", "other"]


@dataclass(frozen=True, slots=True)
class FileStat:
    """What stat says. Times in seconds since the epoch, ``mode`` the permission bits, ``device`` major and minor."""

    kind: FileKind
    size: int
    mtime: float
    mode: int
    uid: int
    gid: int
    device: tuple[int, int]


class Files(Group):
    """Read-only questions about files. Paths are absolute and those of the terminal (``/etc/…``, ``C:\\…``).

    Absent means that the path, or a folder on the way to it, does not exist.
    """

    name = "files"

    @question
    def text(self, *, path: str, limit: int = TEXT_LIMIT) -> Reading[str]:
        """The text of a regular file: UTF-8, UTF-16 with a byte order mark, or GB 18030.

        Credentials in URLs and the values of secret keys in known secret-bearing files are masked. Files of password
        hashes are refused; see :class:`ybscan.hosts.groups.accounts.Accounts`. Larger than ``limit`` bytes is Unknown(too_large).
        """
        return self.unsupported()

    @question
    def head(self, *, path: str, size: int) -> Reading[bytes]:
        """The first ``size`` bytes (at most 64 KiB) of a regular file."""
        return self.unsupported()

    @question
    def digest(self, *, path: str, limit: int) -> Reading[str]:
        """SHA-256 of a regular file in lower-case hex; larger than ``limit`` bytes is Unknown(too_large)."""
        return self.unsupported()

    @question
    def entries(self, *, path: str) -> Reading[tuple[str, ...]]:
        """The names in a folder, sorted."""
        return self.unsupported()

    @question
    def stat(self, *, path: str, follow: bool = True) -> Reading[FileStat]:
        """Metadata; of the link itself when ``follow`` is false."""
        return self.unsupported()

    @question
    def rights(self, *, path: str) -> Reading[dict[str, int]]:
        """Windows: what the access control list of a file or folder grants, as SID → access mask.

        Generic rights are mapped to those of files; entries that only inherit are left out, denials are not subtracted.
        The owner has at least READ_CONTROL and WRITE_DAC. Without a list (FAT, or a null list) Everyone has all.
        """
        return self.unsupported()

    @question
    def link(self, *, path: str) -> Reading[str]:
        """What a symbolic link says, unresolved; Absent when the path is not a link."""
        return self.unsupported()

    @question
    def real(self, *, path: str) -> Reading[str]:
        """The absolute path with every link resolved; Absent when it leads nowhere."""
        return self.unsupported()
