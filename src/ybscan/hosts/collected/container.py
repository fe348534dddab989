"""The folder, zip or tar.gz that a collector left, as bytes by member name.

Members have names of one form, given by the collectors themselves; the terminal's own file names never become names of
members. So no name can lead outside, and none depends on the medium's file system or on a code page.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_MIB = 1024 * 1024
#: ``ybscan-HOST-TIME/`` in archives, then at most one folder and the file.
_NAME = re.compile(r"(?:[a-z]{1,16}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MANIFEST = "manifest.txt"
PARTIAL = "manifest.partial"


@dataclass(frozen=True, slots=True)
class Limits:
    """What evidence may be at most, in bytes and counts."""

    file: int = 256 * _MIB
    members: int = 60_000
    member: int = 96 * _MIB
    total: int = 512 * _MIB
    #: Registry text deflates to a thirtieth; a member of more than one MiB that promises much more is refused.
    ratio: int = 300


LIMITS = Limits()


class Refused(Exception):
    """The evidence cannot be used. ``member`` is empty where the whole is meant; the message is for the administrator."""

    def __init__(self, message: str, member: str = "") -> None:
        super().__init__(message)
        self.member = member


def is_collected(path: Path) -> bool:
    """Whether ``path`` is something a collector left, rather than a bundle of ``ybscan collect``; only a first look."""
    if path.is_dir():
        return True
    try:
        with path.open("rb") as f:
            start = f.read(4)
        if start.startswith(b"\x1f\x8b"):
            return True
        if start.startswith(b"PK"):
            with zipfile.ZipFile(path) as z:
                names = z.namelist()[:50]
            return "manifest.json" not in names and any(
                n.replace("\\", "/").rpartition("/")[2] in (MANIFEST, PARTIAL, "system.txt") for n in names
            )
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError, struct.error):
        return False
    return False


def members_of(path: Path, limits: Limits = LIMITS) -> dict[str, bytes]:
    """Every member's content by its name inside the evidence folder.

    Raises:
        Refused: the evidence is damaged, hostile or too large.
    """
    try:
        if path.is_dir():
            found = dict(_folder(path, limits))
        else:
            if path.stat().st_size > limits.file:
                raise Refused(f"超过 {limits.file // _MIB} MiB，不予读取")
            with path.open("rb") as f:
                start = f.read(4)
            found = _common(dict(_zip(path, limits) if start.startswith(b"PK") else _tar(path, limits)))
    except Refused:
        raise
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        struct.error,
        RuntimeError,
        NotImplementedError,
    ):
        raise Refused("已损坏或不完整") from None
    except (OSError, ValueError) as e:
        raise Refused(f"无法读取（{getattr(e, 'strerror', None) or type(e).__name__}）") from None
    if MANIFEST not in found and PARTIAL not in found:
        raise Refused(f"其中没有 {MANIFEST}，不是采集脚本的结果")
    return found


@dataclass(slots=True)
class _Budget:
    limits: Limits
    count: int = 0
    total: int = 0

    def take(self, name: str, size: int) -> None:
        self.count += 1
        self.total += size
        if self.count > self.limits.members:
            raise Refused(f"文件超过 {self.limits.members} 个，不予读取")
        if size > self.limits.member:
            raise Refused(f"超过 {self.limits.member // _MIB} MiB，不予读取", name)
        if self.total > self.limits.total:
            raise Refused(f"内容超过 {self.limits.total // _MIB} MiB，不予读取")


def _checked(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise Refused("不应有的文件名", ascii(name)[:80])
    return name


def _folder(path: Path, limits: Limits) -> Iterator[tuple[str, bytes]]:
    """A folder, or one that holds nothing but the evidence folder. Links are not followed."""
    root = path
    if not (root / MANIFEST).is_file() and not (root / PARTIAL).is_file():
        below = [Path(e.path) for e in os.scandir(root) if e.is_dir(follow_symlinks=False)]
        inner = [p for p in below if (p / MANIFEST).is_file() or (p / PARTIAL).is_file()]
        if len(inner) > 1:
            raise Refused(f"其中有 {len(inner)} 台终端的结果，请指定其中一个文件夹")
        root = inner[0] if inner else root
    budget = _Budget(limits)
    for here, prefix in [
        (root, ""),
        *((Path(e.path), e.name + "/") for e in os.scandir(root) if e.is_dir(follow_symlinks=False)),
    ]:
        for entry in os.scandir(here):
            if entry.is_dir(follow_symlinks=False):
                if prefix:
                    raise Refused("不应有的文件夹", ascii(prefix + entry.name)[:80])
                continue
            name = _checked(prefix + entry.name)
            if not entry.is_file(follow_symlinks=False):
                raise Refused("不是普通文件", name)
            with Path(entry.path).open("rb") as f:
                data = f.read(limits.member + 1)
            budget.take(name, len(data))
            yield name, data


def _zip(path: Path, limits: Limits) -> Iterator[tuple[str, bytes]]:
    budget = _Budget(limits)
    seen: set[str] = set()
    with zipfile.ZipFile(path) as z:
        infos = z.infolist()
        if len(infos) > limits.members:
            raise Refused(f"文件超过 {limits.members} 个，不予读取")
        for info in infos:
            # The library cuts a name at a NUL.
            if "\0" in info.orig_filename:
                raise Refused("不应有的文件名", ascii(info.orig_filename)[:80])
            name = info.filename.replace("\\", "/")
            if name.endswith("/"):
                continue
            if info.flag_bits & 0x1:
                raise Refused("已加密，不予读取", ascii(name)[:80])
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.create_system == 3 and kind not in (0, stat.S_IFREG):
                raise Refused("不是普通文件", ascii(name)[:80])
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise Refused("用了不支持的压缩方法", ascii(name)[:80])
            if info.file_size > _MIB and info.file_size > limits.ratio * max(info.compress_size, 1):
                raise Refused("压缩比异常，不予读取", ascii(name)[:80])
            if name in seen:
                raise Refused("重名", ascii(name)[:80])
            seen.add(name)
            budget.take(ascii(name)[:80], info.file_size)
            with z.open(info) as f:
                data = f.read(info.file_size + 1)
            if len(data) != info.file_size:
                raise Refused("长度与记载不符", ascii(name)[:80])
            yield name, data


class _Counted(io.RawIOBase):
    """A stream that refuses to give more than ``left`` bytes: what gzip inflates to is known only afterwards."""

    def __init__(self, inner: IO[bytes] | gzip.GzipFile, left: int) -> None:
        super().__init__()
        self._inner = inner
        self._left = left

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._inner.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise Refused("解压后过大，不予读取")
        return data


def _tar(path: Path, limits: Limits) -> Iterator[tuple[str, bytes]]:

    budget = _Budget(limits)
    seen: set[str] = set()
    with gzip.open(path, "rb") as packed:
        counted = _Counted(packed, limits.total + limits.members * 1536)
        with tarfile.open(fileobj=counted, mode="r|") as t:
            for info in t:
                name = info.name.removeprefix("./")
                if info.isdir():
                    continue
                if not info.isreg():
                    raise Refused("不是普通文件", ascii(name)[:80])
                if name in seen:
                    raise Refused("重名", ascii(name)[:80])
                seen.add(name)
                budget.take(ascii(name)[:80], info.size)
                f = t.extractfile(info)
                data = f.read() if f is not None else b""
                if len(data) != info.size:
                    raise Refused("已损坏或不完整")
                yield name, data
        # tarfile stops at its own end mark; the check sum of gzip stands behind it.
        while counted.read(_MIB):
            pass


def _common(members: dict[str, bytes]) -> dict[str, bytes]:
    """The members without the folder that holds them all."""
    heads = {n.partition("/")[0] for n in members}
    if MANIFEST not in members and PARTIAL not in members and len(heads) == 1:
        members = {n.partition("/")[2]: d for n, d in members.items()}
    return {_checked(n): d for n, d in members.items()}
