"""Whether a backup file is a sound container. Reads the structure and check sums, keeps no content.

Formats: PKWARE APPNOTE (zip), RFC 1952 (gzip), the xz and 7z format descriptions, POSIX pax (tar), the PostgreSQL
custom dump magic ``PGDMP``, Microsoft Tape Format (``TAPE``), the SQLite file header, and the closing comment lines
of mysqldump and pg_dump.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from typing import BinaryIO, Protocol

from ybscan.hosts.groups.volumes import Archive, ArchiveState

_CHUNK = 256 * 1024
_MAX_MEMBERS = 100_000
_TAIL = 4096
_HEAD = 1024
#: The head alone proves nothing about the rest: a file that broke off has it too.
_HEAD_ONLY = "只能确认文件头，不能确认文件完整"

Stop = Callable[[], bool]


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def inspect_archive(f: BinaryIO, budget: int, stop: Stop) -> Archive:
    """What the open file is and whether it is sound; at most ``budget`` bytes are inflated, ``stop()`` ends it early."""
    size = os.fstat(f.fileno()).st_size if hasattr(f, "fileno") and not isinstance(f, io.BytesIO) else _size(f)
    head = f.read(1024)
    f.seek(0)
    if not head:
        return Archive("empty", "corrupt", "文件没有内容")
    if not any(head) and size:
        return Archive("zeros", "corrupt", "文件开头全为零字节")
    for magic, check in _CHECKS:
        if head.startswith(magic):
            return check(f, size, budget, stop)
    if head[257:262] == b"ustar":
        return _tar(f, size, budget, stop)
    return _sql(f, size, head) or Archive("", "unrecognised", "不是已知的备份格式")


def _size(f: BinaryIO) -> int:
    end = f.seek(0, io.SEEK_END)
    f.seek(0)
    return end


class _Watched:
    """A stream that keeps its own beginning and end while it is read through."""

    def __init__(self, stream: _Readable) -> None:
        self._stream = stream
        self._head = b""
        self._tail = b""

    def read(self, size: int, /) -> bytes:
        block = self._stream.read(size)
        if len(self._head) < _HEAD:
            self._head += block[: _HEAD - len(self._head)]
        self._tail = (self._tail + block)[-_TAIL:]
        return block

    def unfinished(self) -> str:
        """Why what was read is no whole backup although the compression is sound; empty when nothing tells against it.

        A pipe such as ``mysqldump | gzip`` leaves a perfect file when the program before it breaks off.
        """
        if not self._head:
            return "压缩包是空的"
        closing = _closing(self._head)
        if closing is not None and closing not in self._tail:
            return "压缩包内的导出文件不完整（没有结束标记）"
        # tar(5): the archive ends with two blocks of zeros.
        if self._head[257:262] == b"ustar" and any(self._tail[-1024:]):
            return "压缩包内的归档不完整（缺少结尾标记）"
        return ""


def _drain(stream: _Readable, budget: int, stop: Stop) -> int:
    """Bytes left of the budget after reading to the end; negative when the end was not reached."""
    left = budget
    while not stop():
        block = stream.read(min(_CHUNK, max(left, 1)))
        if not block:
            return max(left, 0)
        left -= len(block)
        if left < 0:
            break
    return -1


def _state(left: int) -> ArchiveState:
    return "verified" if left >= 0 else "opens"


def _stream(
    name: str, opened: Callable[[BinaryIO], _Readable], footer: bytes = b""
) -> Callable[[BinaryIO, int, int, Stop], Archive]:
    def check(f: BinaryIO, size: int, budget: int, stop: Stop) -> Archive:
        if footer:
            f.seek(max(size - _TAIL, 0))
            if not f.read().rstrip(b"\0").endswith(footer):
                return Archive(name, "corrupt", "文件不完整（缺少结尾标记）")
            f.seek(0)
        inside = _Watched(opened(f))
        try:
            left = _drain(inside, budget, stop)
        except EOFError:
            return Archive(name, "corrupt", "文件不完整（提前结束）")
        except (OSError, zlib.error, lzma.LZMAError, ValueError):
            return Archive(name, "corrupt", "数据损坏（校验不符）")
        if left >= 0 and (why := inside.unfinished()):
            return Archive(name, "corrupt", why)
        return Archive(name, _state(left), "" if left >= 0 else "文件较大，只校验了前一部分")

    return check


def _zip(f: BinaryIO, size: int, budget: int, stop: Stop) -> Archive:
    try:
        with zipfile.ZipFile(f) as z:
            members = z.infolist()
            if len(members) > _MAX_MEMBERS:
                return Archive("zip", "opens", f"文件数超过 {_MAX_MEMBERS}，未逐个校验")
            if not members:
                return Archive("zip", "corrupt", "压缩包是空的")
            if any(m.flag_bits & 1 for m in members):
                return Archive("zip", "encrypted", "压缩包已加密，只能确认目录完整")
            left = budget
            for member in members:
                if member.is_dir():
                    continue
                with z.open(member) as stream:
                    left = _drain(stream, left, stop)
                if left < 0:
                    return Archive("zip", "opens", "文件较大，只校验了前一部分")
    except NotImplementedError:
        return Archive("zip", "opens", "压缩方法无法在此校验，只能确认目录完整")
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, struct.error, RuntimeError):
        return Archive("zip", "corrupt", "压缩包损坏或不完整")
    return Archive("zip", "verified")


def _seven(f: BinaryIO, size: int, budget: int, stop: Stop) -> Archive:
    header = f.read(32)
    if len(header) < 32:
        return Archive("7z", "corrupt", "文件不完整")
    start_crc, offset, length, next_crc = struct.unpack("<LQQL", header[8:32])
    if zlib.crc32(header[12:32]) != start_crc:
        return Archive("7z", "corrupt", "文件头校验不符")
    if 32 + offset + length > size:
        return Archive("7z", "corrupt", "文件不完整（缺少目录）")
    if not length:
        return Archive("7z", "corrupt", "压缩包是空的")
    if length <= 16 * 1024 * 1024:
        f.seek(32 + offset)
        if zlib.crc32(f.read(length)) != next_crc:
            return Archive("7z", "corrupt", "目录校验不符")
    return Archive("7z", "opens", "目录完整，未解压校验内容")


def _tar(f: BinaryIO, size: int, budget: int, stop: Stop) -> Archive:
    try:
        with tarfile.open(fileobj=f, mode="r:") as t:
            count, last = 0, 0
            for member in t:
                count += 1
                last = member.offset_data + member.size
                if last > size:
                    return Archive("tar", "corrupt", "文件不完整（提前结束）")
                if stop() or count >= _MAX_MEMBERS:
                    return Archive("tar", "opens", "文件较大，只校验了前一部分")
            f.seek(t.offset if t.offset <= size else size)
    except (tarfile.TarError, EOFError, OSError, ValueError):
        return Archive("tar", "corrupt", "数据损坏或不完整")
    if not count:
        return Archive("tar", "corrupt", "归档是空的")
    # tar(5): the archive ends with two blocks of zeros; without them it was cut off at a member's edge.
    f.seek((last + 511) // 512 * 512)
    if len(end := f.read(1024)) < 1024 or any(end):
        return Archive("tar", "corrupt", "文件不完整（缺少结尾标记）")
    return Archive("tar", "opens", "结构完整，内容没有校验码")


def _zstd(f: BinaryIO, size: int, budget: int, stop: Stop) -> Archive:
    return (
        Archive("zstd", "unrecognised", f"{_HEAD_ONLY}，请用 zstd -t 核对")
        if size > 16
        else Archive("zstd", "corrupt", "文件不完整")
    )


def _pgdump(f: BinaryIO, size: int, budget: int, stop: Stop) -> Archive:
    head = f.read(11)
    # Magic, then the archive version as three bytes, sizes of integers and offsets, format (1 custom, 3 tar, 5 dir).
    if len(head) < 11 or head[5] != 1 or head[8] not in (4, 8):
        return Archive("pgdump", "corrupt", "文件头无效")
    if size < 64:
        return Archive("pgdump", "corrupt", "文件不完整")
    return Archive("pgdump", "unrecognised", f"{_HEAD_ONLY}，请用 pg_restore -l 核对")


def _mtf(f: BinaryIO, size: int, budget: int, stop: Stop) -> Archive:
    # A tape descriptor is followed by a start-of-set block at a format logical block: nothing smaller is a backup.
    if size <= 4096:
        return Archive("mtf", "corrupt", "文件不完整")
    return Archive("mtf", "unrecognised", f"{_HEAD_ONLY}，请用 RESTORE VERIFYONLY 核对")


def _sqlite(f: BinaryIO, size: int, budget: int, stop: Stop) -> Archive:
    head = f.read(100)
    if len(head) < 100:
        return Archive("sqlite", "corrupt", "文件不完整")
    page = struct.unpack(">H", head[16:18])[0]
    page = 65536 if page == 1 else page
    (pages,) = struct.unpack(">L", head[28:32])
    # The page count is valid only when the change counter equals "version-valid-for" (file format, 1.3.7).
    if head[24:28] == head[92:96] and page and pages * page > size:
        return Archive("sqlite", "corrupt", "文件不完整")
    return Archive("sqlite", "opens", "文件头完整，内容没有校验码")


def _encrypted(f: BinaryIO, size: int, budget: int, stop: Stop) -> Archive:
    return Archive("encrypted", "encrypted", "备份已加密，无法检查内部结构")


def _sql(f: BinaryIO, size: int, head: bytes) -> Archive | None:
    """A plain SQL dump: the tools write a closing comment only when they finished."""
    closing = _closing(head)
    if closing is None:
        return None
    f.seek(max(size - _TAIL, 0))
    if closing not in f.read():
        return Archive("sql", "corrupt", "导出文件不完整（没有结束标记）")
    return Archive("sql", "opens", "有完整的开始和结束标记")


def _closing(head: bytes) -> bytes | None:
    """What a plain SQL dump that begins with ``head`` ends with; None when it is no dump of a known program."""
    if head.startswith((b"-- MySQL dump", b"-- MariaDB dump", b"/*!999999", b"/*M!999999")) and b"dump" in head:
        return b"-- Dump completed"
    if b"-- PostgreSQL database dump" in head[:200]:
        return b"database dump complete"
    if b"-- PostgreSQL database cluster dump" in head[:200]:
        return b"database cluster dump complete"
    return None


_CHECKS: tuple[tuple[bytes, Callable[[BinaryIO, int, int, Stop], Archive]], ...] = (
    (b"PK\x03\x04", _zip),
    (b"PK\x05\x06", _zip),
    (b"\x1f\x8b", _stream("gzip", lambda f: gzip.GzipFile(fileobj=f))),
    (b"\xfd7zXZ\0", _stream("xz", lzma.LZMAFile, b"YZ")),
    (b"BZh", _stream("bzip2", bz2.BZ2File)),
    (b"7z\xbc\xaf\x27\x1c", _seven),
    (b"\x28\xb5\x2f\xfd", _zstd),
    (b"TAPE", _mtf),
    (b"PGDMP", _pgdump),
    (b"SQLite format 3\0", _sqlite),
    (b"Salted__", _encrypted),
    (b"LUKS\xba\xbe", _encrypted),
    (b"-----BEGIN PGP MESSAGE", _encrypted),
    (b"age-encryption.org/", _encrypted),
)
