"""Who logged in when: lastlog and wtmp files, and the databases that take their place.

Sources: utmp(5); bits/utmp.h of the GNU C library, whose records are of 384 bytes where times have 32 bits (x86-64 for
its 32-bit programs' sake) and of 400 where they have 64 (arm64, loongarch64), lastlog's of 292 and 296; the tables
Lastlog2 (seconds) of util-linux and wtmp (microseconds) of wtmpdb.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from ybscan.hosts.groups.logs import ClockStep, Login, LoginLog
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown

#: Times outside of 1990 to 2100 are no times of a login.
_EARLIEST, _LATEST = 631152000, 4102444800
_BOOT_TIME, _USER_PROCESS = 2, 7
_MAX_TYPE = 9
#: Records of sessions that began together come out of order by seconds.
_STEP = 300
#: Seconds after a start in which a clock that was wrong is put right.
_SETTLING = 900


@dataclass(frozen=True, slots=True)
class _Layout:
    size: int
    time: str
    at: int
    """Offset of the time in a wtmp record."""


_WTMP = (_Layout(384, "<i", 340), _Layout(400, "<q", 344))
_LASTLOG = (_Layout(292, "<i", 0), _Layout(296, "<q", 0))


@dataclass(frozen=True, slots=True)
class _Record:
    type: int
    account: str
    time: int

    @property
    def sound(self) -> bool:
        return 0 <= self.type <= _MAX_TYPE and (self.time == 0 or _EARLIEST <= self.time <= _LATEST)

    @property
    def blank(self) -> bool:
        return self.type == 0 and not self.account and self.time == 0


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "replace")


def _records(data: bytes, layout: _Layout) -> Iterator[_Record]:
    for start in range(0, len(data) - layout.size + 1, layout.size):
        one = data[start : start + layout.size]
        yield _Record(
            struct.unpack_from("<h", one)[0], _text(one[44:76]), struct.unpack_from(layout.time, one, layout.at)[0]
        )


def wtmp(data: bytes, path: str, limit: int) -> Reading[LoginLog]:
    """The content of a wtmp file. A record cut off at the end leaves a gap."""
    if len(data) > limit:
        return Unknown(Cause.TOO_LARGE, path, path)
    if not data:
        return Known(LoginLog(None, None, (), (), 0), path)
    fitting = []
    for layout in _WTMP:
        records = list(_records(data, layout))
        if any(r.time for r in records) and all(r.sound for r in records):
            fitting.append((layout, records))
    if len(fitting) > 1:
        fitting = [f for f in fitting if len(data) % f[0].size == 0] or fitting
    if len(fitting) != 1:
        return Unknown(Cause.MALFORMED, f"{path} 的记录无法识别", path)
    layout, records = fitting[0]
    dated = [r for r in records if r.time]
    logins: dict[str, int] = {}
    for r in dated:
        if r.type == _USER_PROCESS and r.account:
            logins[r.account] = max(r.time, logins.get(r.account, 0))
    torn = len(data) % layout.size
    gaps = (Gap(Cause.INCOMPLETE, f"{path} 的最后一条记录不完整", path),) if torn else ()
    return Known(
        LoginLog(
            float(min(r.time for r in dated)), float(max(r.time for r in dated)),
            tuple(Login(float(when), account) for account, when in sorted(logins.items())),
            tuple(_steps(dated)), sum(r.blank for r in records),
        ),
        path, gaps,
    )  # fmt: skip


def _steps(dated: list[_Record]) -> Iterator[ClockStep]:
    booted: int | None = None
    for one, other in pairwise(dated):
        if one.type == _BOOT_TIME:
            booted = one.time
        if other.time < one.time - _STEP:
            # Until a time service has set it, the clock is what the board's own clock said.
            early = booted is not None and 0 <= one.time - booted <= _SETTLING and other.type != _BOOT_TIME
            yield ClockStep(float(one.time), float(other.time), early)


def lastlog(f: BinaryIO, path: str, uids: tuple[int, ...]) -> Reading[tuple[Login, ...]]:
    """The records of ``uids``. The file is sparse and addressed by uid; which of the two layouts it has, its size tells."""
    size = f.seek(0, 2)
    fitting = []
    for layout in _LASTLOG:
        if size % layout.size == 0 and (found := _last(f, layout, uids)) is not None:
            fitting.append(found)
    if len(fitting) == 2 and fitting[0] != fitting[1]:
        return Unknown(Cause.MALFORMED, f"{path} 的记录格式不能确定", path)
    return Known(fitting[0], path) if fitting else Unknown(Cause.MALFORMED, f"{path} 的记录无法识别", path)


def _last(f: BinaryIO, layout: _Layout, uids: tuple[int, ...]) -> tuple[Login, ...] | None:
    logins = []
    for uid in sorted(set(uids)):
        f.seek(uid * layout.size)
        one = f.read(layout.size)
        if len(one) < layout.size or not any(one):
            continue
        when = struct.unpack_from(layout.time, one)[0]
        if not _EARLIEST <= when <= _LATEST:
            return None
        logins.append(Login(float(when), "", uid))
    return tuple(logins)


def databased(data: bytes, path: str, limit: int) -> Reading[tuple[Login, ...]]:
    """The last login of every account in the database. It is opened in memory: nothing is locked or written."""
    if len(data) > limit:
        return Unknown(Cause.TOO_LARGE, path, path)
    if not data.startswith(b"SQLite format 3\0") or len(data) < 100:
        return Unknown(Cause.MALFORMED, f"{path} 不是 SQLite 数据库", path)
    # Bytes 18 and 19 say that the write-ahead log is in use, which a database in memory cannot have.
    plain = data[:18] + b"\1\1" + data[20:]
    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(plain)
            tables = {
                row[0].casefold() for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
            }
            if "lastlog2" in tables:
                rows = connection.execute("SELECT Name, MAX(Time), 1 FROM Lastlog2 GROUP BY Name").fetchall()
            elif "wtmp" in tables:
                rows = connection.execute(
                    f"SELECT User, MAX(Login), 1000000 FROM wtmp WHERE Type = {_WTMPDB_USER} GROUP BY User"  # noqa: S608
                ).fetchall()
            else:
                return Unknown(Cause.MALFORMED, f"{path} 中没有登录记录表", path)
    except (sqlite3.Error, AttributeError) as e:
        return Unknown(Cause.MALFORMED, f"{path}：{type(e).__name__}", path)
    logins = []
    for name, when, unit in rows:
        if not isinstance(name, str) or not isinstance(when, int) or not _EARLIEST <= when / unit <= _LATEST:
            return Unknown(Cause.MALFORMED, f"{path} 的记录无法识别", path)
        logins.append(Login(when / unit, name))
    return Known(tuple(sorted(logins, key=lambda r: r.account)), path)


#: wtmpdb.h: EMPTY 0, BOOT_TIME 1, RUNLEVEL 2, USER_PROCESS 3.
_WTMPDB_USER = 3
