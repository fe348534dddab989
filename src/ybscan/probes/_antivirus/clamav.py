"""ClamAV: the date of its signatures and its scan logs.

Sources: ClamAV manual, "CVD format" (a header of 512 bytes, ``ClamAV-VDB:07 Mar 2017 08-02 -0500:version:…:builder:epoch``);
freshclam.conf(5) ``DatabaseDirectory``, ``daily`` is the file of current signatures (``main`` is rebuilt every few years).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from ybscan.hosts.base import Host
from ybscan.hosts.groups.logs import VirusLog, VirusScan
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

_FOLDER = "/var/lib/clamav"
_CONFIGS = ("/etc/clamav/freshclam.conf", "/etc/freshclam.conf", "/etc/clamav/clamd.conf", "/etc/clamd.d/scan.conf")
_DIRECTORY = re.compile(r"^\s*DatabaseDirectory\s+\"?(/[^\s\"]+)", re.MULTILINE)
_DAILY = ("daily.cld", "daily.cvd")
_HEADER = 512
_BUILT = re.compile(r"^(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d)[-:](\d\d) ([+-])(\d\d)(\d\d)$")
_MONTHS = {
    m: i for i, m in enumerate(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1)
}
_LOG_FOLDER = "/var/log/clamav"
_LOG_LIMIT = 256 * 1024 * 1024
_LOG_SECONDS = 20
_LOG = re.compile(r"(?!freshclam).*\.log(?:[.-]\d+)?(?:\.gz|\.xz|\.bz2|\.zst)?")
_LOOSE_LOG = re.compile(r"clam(?:d?scan|av|onacc)?[^/]*\.log(?:[.-]\d+)?(?:\.gz|\.xz|\.bz2|\.zst)?")


def built(header: bytes) -> datetime | None:
    """When a database was built, from its header; None when that is no header or contradicts itself."""
    fields = header.decode("ascii", "replace").split(":")
    if len(fields) < 8 or fields[0] != "ClamAV-VDB":
        return None
    m = _BUILT.match(fields[1].strip())
    if m is None or m[2] not in _MONTHS:
        return None
    offset = timedelta(hours=int(m[7]), minutes=int(m[8])) * (-1 if m[6] == "-" else 1)
    try:
        when = datetime(int(m[3]), _MONTHS[m[2]], int(m[1]), int(m[4]), int(m[5]), tzinfo=timezone(offset))
    except ValueError:
        return None
    seconds = re.match(r"\d{9,11}", fields[8]) if len(fields) > 8 else None
    if seconds and abs(int(seconds[0]) - when.timestamp()) > 2 * 86400:
        return None
    return when


def signature_time(host: Host) -> tuple[Reading[datetime], str]:
    """When the current signatures were built, and the file that says so. Absent when there is no such file."""
    folders, trouble = _folders(host)
    best: tuple[datetime, str] | None = None
    for folder in folders:
        for name in _DAILY:
            path = f"{folder}/{name}"
            head = host.files.head(path=path, size=_HEADER)
            if isinstance(head, Unknown):
                trouble = trouble or head
            if not isinstance(head, Known):
                continue
            when = built(head.value)
            if when is None:
                trouble = trouble or Unknown(Cause.MALFORMED, f"{path} 的文件头", path)
            elif best is None or when > best[0]:
                best = (when, path)
    if trouble is not None:
        # The file that could not be read may be the one in use.
        return trouble, trouble.origin
    return (Known(best[0], best[1]), best[1]) if best else (Absent(_FOLDER), _FOLDER)


def _folders(host: Host) -> tuple[list[str], Unknown | None]:
    folders: list[str] = []
    trouble: Unknown | None = None
    for path in _CONFIGS:
        text = host.files.text(path=path)
        if isinstance(text, Unknown):
            trouble = trouble or text
        if isinstance(text, Known):
            folders += [f.rstrip("/") for f in _DIRECTORY.findall(text.value)]
    return list(dict.fromkeys(folders)) or [_FOLDER], trouble


@dataclass(frozen=True, slots=True)
class History:
    """What the scan logs say. ``last`` Absent: no finished scan is recorded."""

    last: Reading[datetime]
    detections: int
    unresolved: int | Unknown
    logs: tuple[str, ...]


def history(host: Host, now: datetime, window: timedelta) -> History | Unknown:
    """The last finished scan, and what was found since ``window`` ago and not dealt with; Unknown when logs are unreadable."""
    scans: list[tuple[datetime, VirusScan]] = []
    found: list[datetime] = []
    undated = loose = 0
    logs, gaps = _log_files(host)
    for path in logs:
        log = host.logs.virus_log(path=path, limit=_LOG_LIMIT, seconds=_LOG_SECONDS)
        if isinstance(log, Unknown):
            gaps.append(log.as_gap())
        if not isinstance(log, Known):
            continue
        for scan in log.value.scans:
            when = _local(scan.end or scan.start, now)
            if when is None:
                undated += 1
                loose += max(scan.infected - scan.handled, 0)
            else:
                scans.append((when, scan))
        found += [when for d in log.value.detections if (when := _local(d, now)) is not None]
        loose += log.value.loose + _undated(log.value)
    if gaps:
        return Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin)
    return _summed(scans, found, undated, loose, now - window, tuple(logs))


def _undated(log: VirusLog) -> int:
    return sum(1 for d in log.detections if not d)


def _summed(
    scans: list[tuple[datetime, VirusScan]],
    found: list[datetime],
    undated: int,
    loose: int,
    start: datetime,
    logs: tuple[str, ...],
) -> History:
    scans.sort(key=lambda s: s[0])
    recent = [(when, scan) for when, scan in scans if when >= start]
    resident = sum(1 for when in found if when >= start)
    count = sum(scan.infected for _, scan in recent) + resident
    left = max(scans[-1][1].infected - scans[-1][1].handled, 0) if scans else 0
    unresolved: int | Unknown = left
    earlier = sum(max(scan.infected - scan.handled, 0) for _, scan in recent[:-1])
    if not left and (earlier or resident or loose):
        what = "日志中有检出，但没有处置记录，请核实这些文件是否已清除"
        unresolved = Unknown(Cause.UNCONFIRMED, what, logs[0] if logs else _LOG_FOLDER)
    last: Reading[datetime]
    if scans:
        last = Known(scans[-1][0], "查杀日志")
    elif undated:
        last = Unknown(Cause.UNAVAILABLE, "查杀日志没有写日期", logs[0])
    else:
        last = Absent("查杀日志")
    return History(last, count, unresolved, logs)


def _log_files(host: Host) -> tuple[list[str], list[Gap]]:
    gaps: list[Gap] = []
    paths: list[str] = []
    for folder, fits in ((_LOG_FOLDER, _LOG), ("/var/log", _LOOSE_LOG)):
        names = host.files.entries(path=folder)
        if isinstance(names, Unknown):
            gaps.append(names.as_gap())
        paths += [f"{folder}/{n}" for n in names.value if fits.fullmatch(n)] if isinstance(names, Known) else []
    return paths, gaps


def _local(text: str, now: datetime) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=now.tzinfo) if text else None
