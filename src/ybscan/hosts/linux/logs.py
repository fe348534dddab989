"""Text logs and audit logs of a Linux system, reduced to their times."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import stat as st
import time
import zlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import IO, BinaryIO, TypeVar, cast

from ybscan.hosts.common.errors import from_error
from ybscan.hosts.common.opening import READ_FLAGS
from ybscan.hosts.groups.files import Files
from ybscan.hosts.groups.logs import AuditEvent, AuditKind, Login, LoginLog, Logs, LogSpan, VirusLog
from ybscan.hosts.linux.files import LIVE_ONLY
from ybscan.hosts.linux.loginrecords import databased, lastlog, wtmp
from ybscan.hosts.linux.paths import ClosedTreeError, resolve
from ybscan.hosts.linux.redact import holds_hashes
from ybscan.hosts.linux.viruslog import virus_log
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown

T = TypeVar("T")

_LINE = 64 * 1024
_BINARY_LIMIT = 64 * 1024 * 1024
_CHECK_EVERY = 20_000
_MONTHS = {
    m: i
    for i, m in enumerate((b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"), 1)
}  # fmt: skip
_CLASSIC = re.compile(rb"([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d{2}):(\d{2}):(\d{2}) ")
_ISO = re.compile(rb"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:[.,]\d{1,9})?(Z|[+-]\d{2}:\d{2})?[ \t]")
_AUDIT = re.compile(rb"(?:node=\S{1,255} )?type=(\S{1,40}) msg=audit\((\d{9,11})\.\d{1,6}:\d+\)")
_DISABLED = re.compile(rb"\baudit_enabled=0 old=[12]\b")
_AUID = re.compile(rb"\bauid=(\d{1,10})\b")
_AUDIT_KINDS: dict[bytes, AuditKind] = {
    b"DAEMON_START": "started", b"DAEMON_END": "stopped", b"DAEMON_ABORT": "aborted", b"SYSTEM_BOOT": "boot",
    b"SYSTEM_SHUTDOWN": "shutdown",
}  # fmt: skip
_UNSET = 0xFFFFFFFF


class LinuxLogs(Logs):
    """Reads below ``root``; with ``live`` false nothing below /run."""

    def __init__(self, files: Files, *, root: str = "/", live: bool = True) -> None:
        super().__init__("只有运行中的系统能回答")
        self._files = files
        self._root = root
        self._live = live

    def span(self, *, path: str, limit: int, seconds: int) -> Reading[LogSpan]:
        def work(f: BinaryIO) -> Reading[LogSpan]:
            modified = datetime.fromtimestamp(os.fstat(f.fileno()).st_mtime)  # noqa: DTZ006 - classic stamps are local
            return _span(f, path, limit, time.monotonic() + seconds, modified)

        return self._with(path, work)

    def audit_events(self, *, path: str, limit: int) -> Reading[tuple[AuditEvent, ...]]:
        return self._with(path, lambda f: _audit(f, path, limit))

    def virus_log(self, *, path: str, limit: int, seconds: int) -> Reading[VirusLog]:
        def work(f: BinaryIO) -> Reading[VirusLog]:
            stream = _unpacked(f, path)
            return stream if isinstance(stream, Unknown) else virus_log(stream, path, limit, time.monotonic() + seconds)

        return self._with(path, work)

    def login_log(self, *, path: str) -> Reading[LoginLog]:
        return self._with(path, lambda f: wtmp(f.read(_BINARY_LIMIT + 1), path, _BINARY_LIMIT))

    def login_database(self, *, path: str) -> Reading[tuple[Login, ...]]:
        found = self._with(path, lambda f: databased(f.read(_BINARY_LIMIT + 1), path, _BINARY_LIMIT))
        if not isinstance(found, Known):
            return found
        ahead = self._files.stat(path=f"{path}-wal")
        if isinstance(ahead, Known) and ahead.value.size:
            gap = Gap(Cause.INCOMPLETE, f"{path} 有尚未写入的部分", path)
            return Known(found.value, found.origin, (*found.gaps, gap))
        return found

    def last_logins(self, *, path: str, uids: tuple[int, ...]) -> Reading[tuple[Login, ...]]:
        return self._with(path, lambda f: lastlog(f, path, uids))

    def _with(self, path: str, work: Callable[[BinaryIO], Reading[T]]) -> Reading[T]:
        if holds_hashes(path):
            return Unknown(Cause.NOT_PERMITTED, f"{path} 含口令散列，不读取原文", path)
        try:
            fd = os.open(resolve(self._root, path, closed=() if self._live else LIVE_ONLY), READ_FLAGS)
            with os.fdopen(fd, "rb") as f:
                if not st.S_ISREG(os.fstat(fd).st_mode):
                    return Unknown(Cause.MALFORMED, f"{path} 不是普通文件", path)
                return work(f)
        except ClosedTreeError:
            return Unknown(Cause.UNSUPPORTED, f"{path} 只存在于运行中的系统", path)
        except (zlib.error, lzma.LZMAError, EOFError, gzip.BadGzipFile):
            return Unknown(Cause.MALFORMED, f"{path} 已损坏，无法解压", path)
        except OSError as e:
            # bz2 says OSError without a number for damaged data.
            return from_error(e, path) if e.errno else Unknown(Cause.MALFORMED, f"{path} 已损坏，无法解压", path)


# ------------------------------------------------------------------------------------------------------------- text logs


class _Times:
    """The times of a log as they come by. Classic stamps have no year: it follows from the file's own time."""

    def __init__(self) -> None:
        self.days: set[str] = set()
        self.dated: tuple[str, str] | None = None
        self.undated: list[tuple[int, int, int, int]] = []
        """Turn of the year counted from the start, month, day, second of the day: one for the first and last of a day."""
        self.turns = 0
        self.unread = 0
        self._last_month = 0

    def iso(self, stamp: str) -> None:
        self.days.add(stamp[:10])
        low, high = self.dated or (stamp, stamp)
        self.dated = (min(low, stamp), max(high, stamp))

    def epoch(self, seconds: int) -> None:
        self.iso(f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}+00:00")

    def classic(self, month: int, day: int, second: int) -> None:
        if self._last_month - month >= 6:
            self.turns += 1
        elif month - self._last_month >= 6 and self.turns and self._last_month:
            self.turns -= 1  # a straggler of last December
        self._last_month = month
        new = (self.turns, month, day, second)
        # Of each day the first and the last are enough.
        if len(self.undated) >= 2 and self.undated[-1][:3] == new[:3] == self.undated[-2][:3]:
            self.undated[-1] = new
        else:
            self.undated.append(new)

    def settle(self, modified: datetime) -> None:
        """Give the classic stamps their years: the newest of them is not younger than the file."""
        if not self.undated:
            return
        newest = max(self.undated)
        year = modified.year
        made = _local(year, newest)
        if made is None or made > modified + timedelta(days=1):
            year -= 1
        for stamp in self.undated:
            made = _local(year - (newest[0] - stamp[0]), stamp)
            if made is None:
                self.unread += 1
            else:
                self.iso(made.isoformat())


def _local(year: int, stamp: tuple[int, int, int, int]) -> datetime | None:
    try:
        day = date(year, stamp[1], stamp[2])
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day) + timedelta(seconds=stamp[3])  # noqa: DTZ001 - the terminal's own zone


def _unpacked(f: BinaryIO, path: str) -> IO[bytes] | Unknown:
    if path.endswith(".gz"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=f))
    if path.endswith(".xz"):
        return lzma.LZMAFile(f)
    if path.endswith(".bz2"):
        return bz2.BZ2File(f)
    if path.endswith((".zst", ".lz4")):
        return Unknown(Cause.UNSUPPORTED, f"{path} 的压缩格式无法读取", path)
    return f


def _span(f: BinaryIO, path: str, limit: int, deadline: float, modified: datetime) -> Reading[LogSpan]:
    stream = _unpacked(f, path)
    if isinstance(stream, Unknown):
        return stream
    times = _Times()
    left = limit
    count = 0
    whole = True  # whether the next piece begins a line
    while line := stream.readline(_LINE):
        left -= len(line)
        count += 1
        if left < 0:
            return Unknown(Cause.TOO_LARGE, f"{path}（上限 {limit // (1024 * 1024)} MiB）", path)
        if count % _CHECK_EVERY == 0 and time.monotonic() > deadline:
            return Unknown(Cause.TIMEOUT, f"{path} 在规定时间内没有读完", path)
        if whole and line.strip():
            _note(line, times)
        whole = line.endswith(b"\n")
    times.settle(modified)
    if times.dated is None and times.unread:
        return Unknown(Cause.MALFORMED, f"{path} 中没有可识别的时间", path)
    first, last = times.dated or ("", "")
    return Known(LogSpan(first, last, tuple(sorted(times.days)), times.unread), path)


def _note(line: bytes, times: _Times) -> None:
    if (m := _CLASSIC.match(line)) and m[1] in _MONTHS:
        times.classic(_MONTHS[m[1]], int(m[2]), int(m[3]) * 3600 + int(m[4]) * 60 + int(m[5]))
    elif m := _ISO.match(line):
        times.iso(f"{m[1].decode()}T{m[2].decode()}{(m[3] or b'').decode().replace('Z', '+00:00')}")
    elif m := _AUDIT.match(line):
        times.epoch(int(m[2]))
    else:
        times.unread += 1


# ------------------------------------------------------------------------------------------------------------ audit logs


def _audit(f: BinaryIO, path: str, limit: int) -> Reading[tuple[AuditEvent, ...]]:
    stream = _unpacked(f, path)
    if isinstance(stream, Unknown):
        return stream
    found: list[AuditEvent] = []
    left = limit
    seen = 0
    strange = 0
    whole = True
    while line := stream.readline(_LINE):
        left -= len(line)
        if left < 0:
            return Unknown(Cause.TOO_LARGE, f"{path}（上限 {limit // (1024 * 1024)} MiB）", path)
        begins, whole = whole, line.endswith(b"\n")
        m = _AUDIT.match(line) if begins else None
        if m is None:
            strange += begins and bool(line.strip())
            continue
        seen += 1
        kind = _AUDIT_KINDS.get(m[1])
        if m[1] == b"CONFIG_CHANGE" and _DISABLED.search(line):
            kind = "disabled"
        if kind is not None:
            who = _AUID.search(line)
            auid = int(who[1]) if who and int(who[1]) != _UNSET else None
            found.append(AuditEvent(float(m[2]), kind, auid))
    if strange and not seen:
        return Unknown(Cause.MALFORMED, f"{path} 不是审计日志", path)
    gaps = (Gap(Cause.MALFORMED, f"{path} 中有 {strange} 行无法识别", path),) if strange else ()
    return Known(tuple(found), path, gaps)
