"""Logs of ClamAV's scanners, reduced to counts and times: a log may name every file of a patient.

Formats: clamscan(1) and clamdscan(1) ``--log`` (``path: signature FOUND``, ``path: Removed.``, ``path: moved to '…'``, a
block ``SCAN SUMMARY`` with ``Infected files``, and since 0.103 ``Start Date``/``End Date`` as ``2026:11:15 03:00:01``),
and clamd's LogFile (``Sun Nov 15 03:00:01 2026 -> path: signature FOUND``; LogTime in clamd.conf(5)).
"""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import IO

from ybscan.hosts.groups.logs import VirusLog, VirusScan
from ybscan.model.reading import Cause, Known, Reading, Unknown

_LINE = 64 * 1024
_CHECK_EVERY = 20_000
_FOUND = re.compile(rb": (\S+) FOUND\s*$")
_HANDLED = re.compile(rb": (?:Removed\.|moved to '.*'|removed|copied to '.*' and removed)\s*$")
_SUMMARY = re.compile(rb"-{5,} SCAN SUMMARY -{5,}")
_INFECTED = re.compile(rb"^Infected files: (\d{1,9})\s*$")
_DATE = re.compile(rb"^(Start|End) Date:\s+(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)\s*$")
_CLAMD = re.compile(rb"^[A-Z][a-z]{2} ([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d) (\d{4}) -> ")
_MONTHS = {
    m: i
    for i, m in enumerate((b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"), 1)
}  # fmt: skip


class _Reader:
    """Lines as they come by: a scan is what lies before its summary."""

    def __init__(self) -> None:
        self.scans: list[VirusScan] = []
        self.detections: list[str] = []
        self.undated = 0
        self._start = self._end = ""
        self._infected: int | None = None
        self._handled = 0
        self._found = 0
        self._in_summary = False

    def line(self, line: bytes) -> None:
        if _SUMMARY.search(line):
            self.close()
            self._in_summary = True
        elif self._in_summary and (m := _INFECTED.match(line)):
            self._infected = int(m[1])
        elif self._in_summary and (m := _DATE.match(line)):
            stamp = _iso(*(int(m[i]) for i in range(2, 8)))
            if m[1] == b"Start":
                self._start = stamp
            else:
                self._end = stamp
        elif m := _FOUND.search(line):
            self.close()
            dated = _CLAMD.match(line)
            if dated and dated[1] in _MONTHS:
                self.detections.append(
                    _iso(int(dated[6]), _MONTHS[dated[1]], int(dated[2]), int(dated[3]), int(dated[4]), int(dated[5]))
                )
            else:
                self._found += 1
        elif _HANDLED.search(line):
            self.close()
            self._handled += 1

    def close(self) -> None:
        """End the summary that was being read, if one was."""
        if not self._in_summary:
            return
        if self._infected is not None:
            self.scans.append(VirusScan(self._start, self._end, self._infected, min(self._handled, self._infected)))
            self._handled = self._found = 0
        self._start = self._end = ""
        self._infected, self._in_summary = None, False

    def done(self) -> VirusLog:
        self.close()
        # Detections without a summary behind them: a scan that broke off, or a log without times.
        return VirusLog(tuple(self.scans), tuple(self.detections), max(self._found - self._handled, 0))


def _iso(year: int, month: int, day: int, hour: int, minute: int, second: int) -> str:
    try:
        return datetime(year, month, day, hour, minute, second).isoformat()  # noqa: DTZ001 - the terminal's own zone
    except ValueError:
        return ""


def virus_log(stream: IO[bytes], path: str, limit: int, deadline: float) -> Reading[VirusLog]:
    """Read a scanner's log to its end.

    ``deadline`` is on the monotonic clock. A text without anything of such a log in it is Unknown(malformed).
    """
    reader = _Reader()
    left = limit
    count = 0
    known = False
    while line := stream.readline(_LINE):
        left -= len(line)
        count += 1
        if left < 0:
            return Unknown(Cause.TOO_LARGE, f"{path}（上限 {limit // (1024 * 1024)} MiB）", path)
        if count % _CHECK_EVERY == 0 and time.monotonic() > deadline:
            return Unknown(Cause.TIMEOUT, f"{path} 在规定时间内没有读完", path)
        known = known or bool(_SUMMARY.search(line) or _CLAMD.match(line) or line.startswith(b"-----") or b": " in line)
        reader.line(line)
    if count and not known:
        return Unknown(Cause.MALFORMED, f"{path} 不是查杀日志", path)
    return Known(reader.done(), path)
