"""What only a date is needed of: the months that a folder of records has files for, the last time a log says a thing.

Contents and names of records may be about patients. They are looked at here and never leave.
"""

from __future__ import annotations

import os
import re
import stat as st
import time
from collections.abc import Iterator
from datetime import datetime

from ybscan.hosts.common.backupdir import fits, is_partial
from ybscan.hosts.common.entries import fresh, leads_away
from ybscan.hosts.common.errors import from_error
from ybscan.hosts.common.opening import open_read
from ybscan.hosts.groups.volumes import LogMark, MonthFiles
from ybscan.model.dates import dates_in, newest_date
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

_MONTH = re.compile(r"(?<!\d)(20\d\d)(?:[-_./]?|年)(0[1-9]|1[0-2])(?:月|(?!\d))")
_MAX_DEPTH = 12
_MAX_LOGS = 5
_LINE = 65536


def months(top: str, pattern: str, *, shown: str, limit: int, seconds: float) -> Reading[tuple[MonthFiles, ...]]:
    """The months with files; see ``Volumes.months``.

    Raises:
        OSError: ``top`` cannot be read.
    """
    deadline = time.monotonic() + seconds
    count: dict[str, list[int]] = {}
    gaps: dict[Gap, None] = {}
    left = limit
    todo: list[tuple[str, str, int]] = [(top, "", 0)]
    while todo:
        folder, name, depth = todo.pop()
        try:
            with os.scandir(folder) as listed:
                for item in listed:
                    left -= 1
                    if left < 0 or time.monotonic() > deadline:
                        cause = Cause.TOO_LARGE if left < 0 else Cause.TIMEOUT
                        what = f"文件超过 {limit} 个" if left < 0 else "规定时间内没有读完"
                        gaps[Gap(cause, f"{shown}：{what}，未全部读取", shown)] = None
                        todo.clear()
                        break
                    try:
                        s = fresh(item)
                    except OSError as e:
                        why = from_error(e, f"{shown}/{item.name}")
                        if isinstance(why, Unknown):
                            gaps[why.as_gap()] = None
                        continue  # else removed while we looked
                    below = f"{name}/{item.name}" if name else item.name
                    if leads_away(s):
                        continue
                    if st.S_ISDIR(s.st_mode):
                        if depth < _MAX_DEPTH:
                            todo.append((item.path, below, depth + 1))
                        else:
                            gaps[Gap(Cause.TOO_LARGE, f"{shown} 的文件夹层次过深", shown)] = None
                        continue
                    if not st.S_ISREG(s.st_mode) or is_partial(item.name) or not fits(item.name, pattern):
                        continue
                    month, named = month_of(below, s.st_mtime)
                    tally = count.setdefault(month, [0, 0, 0])
                    tally[0] += 1
                    tally[1] += s.st_size == 0
                    tally[2] += named
        except OSError as e:
            if not name:
                raise
            cause = Cause.DENIED if isinstance(e, PermissionError) else Cause.UNAVAILABLE
            gaps[Gap(cause, f"{shown} 中有子文件夹无法读取", shown)] = None
    found = tuple(MonthFiles(m, *count[m]) for m in sorted(count))
    return Known(found, shown, tuple(gaps))


def month_of(name: str, mtime: float) -> tuple[str, bool]:
    """The month a file is about, and whether its name or a folder's says so: the last date in the path, else its time."""
    for part in reversed(name.split("/")):
        named = newest_date(part)
        if named is not None:
            return f"{named.day:%Y-%m}", True
        if m := _MONTH.search(part):
            return f"{m[1]}-{m[2]}", True
    folders = "/".join(name.split("/")[:-1])  # 2026/11
    if m := _MONTH.search(folders):
        return f"{m[1]}-{m[2]}", True
    return f"{datetime.fromtimestamp(mtime).astimezone():%Y-%m}", False


def log_mark(folder: str, pattern: str, text: str, *, shown: str, tail: int, seconds: float) -> Reading[LogMark]:
    """The last line that holds ``text``; see ``Volumes.log_mark``.

    Raises:
        OSError: the folder or a file cannot be read.
    """
    deadline = time.monotonic() + seconds
    logs: list[tuple[float, str, str]] = []
    with os.scandir(folder) as listed:
        for item in listed:
            if fits(item.name, pattern):
                s = item.stat()
                if st.S_ISREG(s.st_mode):
                    logs.append((s.st_mtime, item.name, item.path))
    if not logs:
        return Absent(shown)
    whole = len(logs) <= _MAX_LOGS
    for modified, name, path in sorted(logs, reverse=True)[:_MAX_LOGS]:
        if time.monotonic() > deadline:
            return Unknown(Cause.TIMEOUT, f"{shown} 在规定时间内没有读完", shown)
        fd = open_read(path)
        with os.fdopen(fd, "rb") as f:
            size = os.fstat(fd).st_size
            start = max(size - tail, 0)
            f.seek(start)
            data = f.read(tail)
        whole = whole and start == 0
        content = _text(data)
        if content is None:
            return Unknown(Cause.MALFORMED, f"{shown}/{name} 不是文字文件", shown)
        for line in _backwards(content):
            if text in line:
                return Known(LogMark(name, stamp_of(line), modified, whole), shown)
    return Known(LogMark("", "", 0.0, whole), shown)


def _text(data: bytes) -> str | None:
    """The tail of a log, whose first character may be cut in two; None for what is no text."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        return None
    for encoding in ("utf-8", "gb18030"):
        for cut in range(4):
            try:
                return data[cut:].decode(encoding)
            except UnicodeDecodeError as e:
                if e.start > 3:
                    break
    return data.decode("utf-8", "replace")


def _backwards(content: str) -> Iterator[str]:
    for line in reversed(content.splitlines()):
        yield line[:_LINE]


def stamp_of(line: str) -> str:
    """The first date of a line: ``2026-11-20`` or ``2026-11-20T08:01:02`` in the terminal's own time; else empty."""
    found = dates_in(re.sub(r"(?<=\d)/(?=\d)", "-", line))
    if not found:
        return ""
    first = found[0]
    return first.day.isoformat() if first.at is None else f"{first.day.isoformat()}T{first.at.isoformat()}"
