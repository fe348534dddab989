"""Bringing a hive up to date from its transaction logs, in memory.

Windows writes changes of the registry to a log first and to the hive later: since Windows 8.1 up to an hour later. A
hive whose two sequence numbers differ, or whose header has a wrong check sum, is *dirty*: taken as it lies it is stale
or half written. The rules below are those of the "Windows registry file format specification" (M. Suhanov), chapters
"Format of transaction log files", "Dirty state of a hive" and "Multiple transaction log files". They are stricter than
Windows in one way: Windows loads what it can and forgets the rest, here a log that does not fit to its end is refused.

regipy has a replay of its own, which looks at neither the hashes nor the sequence numbers of the entries and so lays
leftovers of older transactions over newer data; it is not used.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ybscan.model.reading import Cause

BASE = 4096
"""Bytes of the header (base block) before the hive bins."""
LOGS_IN_TURN = (".LOG1", ".LOG2")
"""Endings of the two logs that Windows writes by turns."""
_SECTOR = 512
_PAGE = 4096
_ENTRY = struct.Struct("<4sIIIIIQQ")
_U32 = struct.Struct("<I")
_SEED = 0x82EF4D887A4E55C5
_MASK = 0xFFFFFFFF
_NEW_LOG = 6
_OLD_LOGS = (1, 2)
#: A log is at most as large as what it logs.
LOG_LIMIT = 64 * 1024 * 1024


class HiveError(Exception):
    """The hive cannot be read, or not so that its content can be relied on."""

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause
        self.detail = detail


@dataclass(frozen=True, slots=True)
class _Header:
    """A base block, of a hive or of a log."""

    primary: int
    secondary: int
    stamp: int
    type: int
    bins: int
    sound: bool

    @classmethod
    def of(cls, data: bytes) -> _Header | None:
        if len(data) < _SECTOR or data[:4] != b"regf":
            return None
        _, primary, secondary, stamp, _, _, kind, _, _, bins = struct.unpack_from("<4sIIQIIIIII", data)
        return cls(primary, secondary, stamp, kind, bins, _U32.unpack_from(data, 508)[0] == checksum(data))


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of a log in the new format (HvLE)."""

    sequence: int
    bins: int
    pages: tuple[tuple[int, bytes], ...]


def checksum(header: bytes) -> int:
    """XOR-32 of the first 508 bytes of a base block."""
    found: int = 0
    for (word,) in _U32.iter_unpack(header[:508]):
        found ^= word
    return {0: 1, _MASK: _MASK - 1}.get(found, found)


def recovered(hive: bytes, logs: Sequence[bytes]) -> bytes:
    """``hive`` itself when it is clean, else a copy with the logs applied to it.

    ``logs`` are the contents of ``.LOG1``, ``.LOG2`` and ``.LOG`` as far as they exist.

    Raises:
        HiveError: it is no hive, or dirty and the logs do not bring it up to date.
    """
    header = _Header.of(hive)
    if header is None or len(hive) < BASE:
        raise HiveError(Cause.MALFORMED, "不是注册表文件")
    if header.sound and header.primary == header.secondary:
        return hive
    new: list[bytes] = []
    old: list[tuple[_Header, bytes]] = []
    for log in logs:
        top = _Header.of(log)
        if top is None or not top.sound or top.primary != top.secondary:
            continue
        if top.type == _NEW_LOG:
            new.append(log)
        elif top.type in _OLD_LOGS and log[_SECTOR : _SECTOR + 4] == b"DIRT":
            old.append((top, log))
    if new:
        return _from_entries(hive, header, new)
    return _from_vector(hive, header, old)


def _lost(why: str) -> HiveError:
    return HiveError(Cause.INCOMPLETE, f"注册表文件有未写完的改动，{why}")


# --------------------------------------------------------------------------------------------------- new format


def _from_entries(hive: bytes, header: _Header, logs: Sequence[bytes]) -> bytes:
    chains = sorted(((c, log) for log in logs if (c := _chain(log))), key=lambda c: c[0][0].sequence)
    # A broken header goes with the log that was written last; what the other one holds is in the hive by then.
    chains = [c for c in chains if c[0][0].sequence >= header.secondary] if header.sound else chains[-1:]
    entries = [e for chain, _ in chains for e in chain]
    if not entries:
        raise _lost("日志中没有对应的内容")
    if any(b.sequence != a.sequence + 1 for a, b in pairwise(entries)):
        raise _lost("两份日志不连续")
    # With a part already carried over to the hive its oldest entries are gone from the logs: then both are needed.
    if header.sound and entries[0].sequence > header.secondary and len(chains) < len(LOGS_IN_TURN):
        raise _lost("日志缺少较早的部分")
    if max(map(_latest, logs)) > entries[-1].sequence:
        raise _lost("日志的后一部分已损坏")
    out = bytearray(hive)
    if not header.sound:
        out[:_SECTOR] = chains[-1][1][:_SECTOR]
    for entry in entries:
        _grow(out, entry.bins)
        for offset, page in entry.pages:
            out[BASE + offset : BASE + offset + len(page)] = page
    return _closed(out, entries[-1].sequence, entries[-1].bins)


def _chain(log: bytes) -> list[_Entry]:
    """The entries that follow one another from the number in the log's own header, as far as they are sound."""
    found: list[_Entry] = []
    at, expected = _SECTOR, int(_U32.unpack_from(log, 4)[0])
    while (entry := _entry(log, at)) is not None and entry[1].sequence == expected:
        size, parsed = entry
        if _marvin(log[at + 40 : at + size]) != _u64(log, at + 24) or _marvin(log[at : at + 32]) != _u64(log, at + 32):
            break
        found.append(parsed)
        at, expected = at + size, expected + 1
    return found


def _latest(log: bytes) -> int:
    """The highest sequence number of anything in the log that begins like an entry, sound or not."""
    numbers: list[int] = [_U32.unpack_from(log, 4)[0]]
    at = log.find(b"HvLE", _SECTOR)
    while at >= 0:
        # A page of another hive may hold the four letters anywhere; entries begin on sectors.
        if at % _SECTOR == 0 and at + _ENTRY.size <= len(log):
            numbers.append(_ENTRY.unpack_from(log, at)[3])
        at = log.find(b"HvLE", at + 4)
    return max(numbers)


def _entry(log: bytes, at: int) -> tuple[int, _Entry] | None:
    """Size and content of the entry at ``at``; None when there is none that makes sense."""
    if at + _ENTRY.size > len(log):
        return None
    magic, size, _, sequence, bins, count, _, _ = _ENTRY.unpack_from(log, at)
    body = _ENTRY.size + 8 * count
    if magic != b"HvLE" or size % _SECTOR or body > size or at + size > len(log) or bins % _PAGE:
        return None
    pages: list[tuple[int, bytes]] = []
    for n in range(count):
        offset, length = struct.unpack_from("<II", log, at + _ENTRY.size + 8 * n)
        if body + length > size or offset + length > bins:
            return None
        pages.append((offset, log[at + body : at + body + length]))
        body += length
    return size, _Entry(sequence, bins, tuple(pages))


def _u64(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _marvin(data: bytes) -> int:
    """Marvin32 of ``data`` with the seed of the registry: both halves, the first state in the lower one."""
    lo, hi = _SEED & _MASK, _SEED >> 32
    whole = len(data) // 4 * 4
    words = [w for (w,) in _U32.iter_unpack(data[:whole])]
    words.append(int.from_bytes(data[whole:] + b"\x80", "little"))
    for word in (*words, 0):
        lo = (lo + word) & _MASK
        hi ^= lo
        lo = ((lo << 20 | lo >> 12) + hi) & _MASK
        hi = (hi << 9 | hi >> 23) & _MASK ^ lo
        lo = ((lo << 27 | lo >> 5) + hi) & _MASK
        hi = (hi << 19 | hi >> 13) & _MASK
    return hi << 32 | lo


# --------------------------------------------------------------------------------------------------- old format


def _from_vector(hive: bytes, header: _Header, logs: Sequence[tuple[_Header, bytes]]) -> bytes:
    # A header that broke has its time in the first bin too.
    stamp = header.stamp if header.sound else _u64(hive, BASE + 20)
    fitting = [(top, log) for top, log in logs if top.stamp == stamp]
    if not fitting:
        raise _lost("没有可用的日志")
    if any(top.stamp > stamp for top, _ in logs):
        raise _lost("日志比注册表文件新")
    results = {_applied(hive, top, log) for top, log in fitting}
    if len(results) > 1:
        raise _lost("两份日志不一致")
    return results.pop()


def _applied(hive: bytes, top: _Header, log: bytes) -> bytes:
    bits = top.bins // _SECTOR
    vector = log[_SECTOR + 4 : _SECTOR + 4 + (bits + 7) // 8]
    at = -(-(_SECTOR + 4 + len(vector)) // _SECTOR) * _SECTOR
    out = bytearray(hive)
    _grow(out, top.bins)
    if len(vector) * 8 < bits:
        raise _lost("日志不完整")
    for n in range(bits):
        if not vector[n // 8] >> n % 8 & 1:
            continue
        page = log[at : at + _SECTOR]
        if len(page) < _SECTOR:
            raise _lost("日志不完整")
        out[BASE + n * _SECTOR : BASE + (n + 1) * _SECTOR] = page
        at += _SECTOR
    out[:_SECTOR] = log[:_SECTOR]
    return _closed(out, top.primary, top.bins)


def _grow(out: bytearray, bins: int) -> None:
    if bins > len(out) + LOG_LIMIT:
        raise _lost("日志中的长度不合理")
    out.extend(bytes(max(0, BASE + bins - len(out))))


def _closed(out: bytearray, sequence: int, bins: int) -> bytes:
    """The header as after a finished write."""
    struct.pack_into("<II", out, 4, sequence, sequence)
    struct.pack_into("<I", out, 28, 0)
    struct.pack_into("<I", out, 40, bins)
    struct.pack_into("<I", out, 508, checksum(bytes(out[:508])))
    return bytes(out)
