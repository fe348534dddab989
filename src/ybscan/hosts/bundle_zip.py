"""The zip around an evidence bundle: written to the same bytes each time, read with everything counted beforehand."""

from __future__ import annotations

import hashlib
import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MANIFEST = "manifest.json"

_MIB = 1024 * 1024
_RATIO_FROM = _MIB
_MAX_DIRECTORY = 64 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What a bundle may be at most, in bytes and counts; the same for writing and reading."""

    file: int = 128 * _MIB
    members: int = 64
    member: int = 128 * _MIB
    total: int = 256 * _MIB
    #: Text of answers deflates to a tenth or a fiftieth. What promises more is made to fill memory; small members may.
    ratio: int = 200


LIMITS = Limits()

_NAME = re.compile(r"answers/[a-z][a-z_]{0,39}\.json|manifest\.json")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_END = struct.Struct("<4s4H2LH")
_END_MAGIC = b"PK\x05\x06"


class Limit(Exception):
    """The bundle is damaged or exceeds a limit; the message is for the administrator."""


def packed(members: Mapping[str, bytes], limits: Limits) -> bytes:
    """The zip file: members in order of name, the manifest first, no times of its own.

    Raises:
        Limit: a limit of the reader would be exceeded.
    """
    if len(members) > limits.members:
        raise Limit(f"文件数超过 {limits.members} 个")
    if any(len(d) > limits.member for d in members.values()) or sum(map(len, members.values())) > limits.total:
        raise Limit(f"内容超过 {limits.total // _MIB} MiB")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as z:
        for name in sorted(members, key=lambda n: (n != MANIFEST, n)):
            data = members[name]
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o600) << 16
            # What deflates beyond the reader's limit is stored as it is.
            deflated = len(data) < _RATIO_FROM or len(zlib.compress(data, 6)) * limits.ratio > len(data) * 1.1
            info.compress_type = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
            z.writestr(info, data, compresslevel=6 if deflated else None)
    made = buffer.getvalue()
    if len(made) > limits.file:
        raise Limit(f"证据包超过 {limits.file // _MIB} MiB")
    return made


def members_of(path: Path, limits: Limits) -> tuple[dict[str, bytes], str]:
    """Every member's content by name, and the SHA-256 of the file.

    Raises:
        Limit: the file cannot be read, is no such zip, or exceeds a limit.
    """
    try:
        if not path.is_file():
            raise Limit("文件不存在" if not path.exists() else "不是普通文件")
        with path.open("rb") as f:
            # Not read(limit): that reserves the whole limit.
            data = f.read(min(path.stat().st_size, limits.file) + 1)
    except (OSError, ValueError) as e:
        raise Limit(f"无法读取（{getattr(e, 'strerror', None) or type(e).__name__}）") from None
    if len(data) > limits.file:
        raise Limit(f"证据包超过 {limits.file // _MIB} MiB，不予读取")
    _check_end(data, limits)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as z:
            infos = z.infolist()
            _check(infos, limits)
            return {i.filename: _content(z, i) for i in infos}, hashlib.sha256(data).hexdigest()
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
        NotImplementedError,
        struct.error,
    ):
        raise Limit("证据包已损坏或不完整") from None


def _check_end(data: bytes, limits: Limits) -> None:
    """The end record before anything else is parsed: it says how large the directory claims to be."""
    if not data.startswith(b"PK"):
        raise Limit("不是 zip 格式的证据包")
    if len(data) < _END.size or not data[-_END.size :].startswith(_END_MAGIC):
        raise Limit("证据包不完整（缺少结尾），可能复制时中断")
    _, disk, start_disk, here, count, size, _, comment = _END.unpack(data[-_END.size :])
    if disk or start_disk or here != count or comment:
        raise Limit("证据包已损坏或不完整")
    if count > limits.members or size > _MAX_DIRECTORY:
        raise Limit(f"证据包中的文件超过 {limits.members} 个，不予读取")


def _check(infos: list[zipfile.ZipInfo], limits: Limits) -> None:
    names = [i.filename for i in infos]
    if len(infos) > limits.members:
        raise Limit(f"证据包中的文件超过 {limits.members} 个，不予读取")
    for info in infos:
        # orig_filename too: the library cuts a name at a NUL and turns separators round.
        if _NAME.fullmatch(info.filename) is None or info.orig_filename != info.filename:
            raise Limit(f"证据包中有不应有的文件 {info.filename[:80]!a}")
        if info.flag_bits & 0x1:
            raise Limit("证据包中有加密的文件，不予读取")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Limit("证据包用了不支持的压缩方法")
        if info.file_size > limits.member:
            raise Limit(f"{info.filename} 超过 {limits.member // _MIB} MiB，不予读取")
        if info.file_size > _RATIO_FROM and info.file_size > limits.ratio * max(info.compress_size, 1):
            raise Limit(f"{info.filename} 的压缩比异常，不予读取")
    if len(set(names)) != len(names):
        raise Limit("证据包中有重名的文件")
    if sum(i.file_size for i in infos) > limits.total:
        raise Limit(f"证据包解压后超过 {limits.total // _MIB} MiB，不予读取")


def _content(z: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with z.open(info) as f:
        # One byte more than declared: a stream that inflates to more than it says is refused, not cut.
        data = f.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise Limit("证据包已损坏或不完整")
    return data
