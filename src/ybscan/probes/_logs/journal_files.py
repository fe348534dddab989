"""Journal files by their headers: from when to when they reach. No entry is read.

Source: systemd's JOURNAL_FILE_FORMAT: signature, seqnum_id at 72, n_entries at 152, the sequence numbers of the last
and first entry at 160 and 168, their times in microseconds at 184 (first) and 192 (last); names of archived and of
uncleanly closed files. journald numbers the entries of all its files in one sequence.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown

FOLDER = "/var/log/journal"
_HEADER = 208
_SIGNATURE = b"LPKSHHRH"
_NAME = re.compile(r"^(system|user-\d+)(?:@[0-9a-f-]+)?\.journal~?$")
_MAX_FILES = 4000


@dataclass(frozen=True, slots=True)
class JournalFile:
    """One file that holds entries."""

    path: str
    system: bool
    """Whether it holds the system's own messages, not one user's."""
    sequence: str
    """Which sequence of numbers it belongs to; numbers of different ones cannot be compared."""
    first_number: int
    last_number: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class JournalFiles:
    """The readable files in order of their first entry, and what could not be read."""

    files: tuple[JournalFile, ...]
    gaps: tuple[Gap, ...]

    @property
    def system(self) -> tuple[JournalFile, ...]:
        """Those with the system's own messages."""
        return tuple(f for f in self.files if f.system)


def read_journal_files(host: Host) -> JournalFiles | Absent | Unknown:
    """The persistent journal of this machine. Absent: nothing is kept over a restart."""
    folders = host.files.entries(path=FOLDER)
    if not isinstance(folders, Known):
        return folders
    machine = host.files.text(path="/etc/machine-id", limit=4096)
    if isinstance(machine, Unknown):
        return machine
    own = machine.value.strip().replace("-", "").lower() if isinstance(machine, Known) else ""
    if not re.fullmatch(r"[0-9a-f]{32}", own):
        return Unknown(Cause.UNAVAILABLE, "/etc/machine-id 没有机器标识，不能确定日志属于本机", "/etc/machine-id")
    if own not in folders.value:
        return Absent(f"{FOLDER}/{own}")
    folder = f"{FOLDER}/{own}"
    names = host.files.entries(path=folder)
    if not isinstance(names, Known):
        return names
    mine = [n for n in names.value if _NAME.match(n)]
    gaps: list[Gap] = []
    if len(mine) > _MAX_FILES:
        return Unknown(Cause.TOO_LARGE, f"{folder} 中的日志文件超过 {_MAX_FILES} 个", folder)
    found: list[JournalFile] = []
    for name in mine:
        one = _file(host, f"{folder}/{name}", name)
        if isinstance(one, Unknown):
            gaps.append(one.as_gap())
        elif one is not None:
            found.append(one)
    if not found and gaps:
        return Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin)
    found.sort(key=lambda f: (f.first, f.path))
    return JournalFiles(tuple(found), tuple(gaps)) if found else Absent(folder)


def _file(host: Host, path: str, name: str) -> JournalFile | Unknown | None:
    head = host.files.head(path=path, size=_HEADER)
    if isinstance(head, Unknown):
        return head
    if isinstance(head, Absent):
        return None  # removed while we looked
    data = head.value
    if not data:
        return None
    if len(data) < _HEADER or not data.startswith(_SIGNATURE):
        return Unknown(Cause.MALFORMED, f"{path} 不是日志文件", path)
    entries, last_number, first_number = struct.unpack_from("<QQQ", data, 152)
    first, last = struct.unpack_from("<QQ", data, 184)
    if not entries:
        return None
    try:
        times = (datetime.fromtimestamp(first / 1e6, UTC), datetime.fromtimestamp(last / 1e6, UTC))
    except (OverflowError, OSError, ValueError):
        return Unknown(Cause.MALFORMED, f"{path} 中的时间无法识别", path)
    if not first or not last:
        return Unknown(Cause.MALFORMED, f"{path} 中没有时间", path)
    return JournalFile(
        path, name.startswith("system"), data[72:88].hex(), first_number, last_number, min(times), max(times)
    )
