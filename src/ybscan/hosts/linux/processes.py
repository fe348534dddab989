"""The process list from /proc."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from ybscan.hosts.common.errors import from_error
from ybscan.hosts.groups.accounts import Accounts
from ybscan.hosts.groups.processes import Process, Processes
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown

assert sys.platform != "win32"  # noqa: S101 - tells the type checker what system this file is for

_KTHREAD = 0x00200000  # PF_KTHREAD, the flags field of proc_pid_stat(5)


class LinuxProcesses(Processes):
    """Reads ``stat``, ``exe`` and the owner of each process; nothing else (no command line, no environment).

    Owners are named from the local passwd file alone: the system's own look-up may ask a directory server.
    """

    def __init__(self, accounts: Accounts) -> None:
        super().__init__()
        self._accounts = accounts

    def running(self) -> Reading[tuple[Process, ...]]:
        try:
            pids = [int(n) for n in os.listdir("/proc") if n.isdigit()]  # noqa: PTH208
        except OSError as e:
            return from_error(e, "/proc")
        users = self._accounts.users()
        names = {u.uid: u.name for u in users.value} if isinstance(users, Known) else {}
        found: list[Process] = []
        denied = 0
        for pid in pids:
            process = _process(pid, names)
            if process is None:
                continue
            if process.exe is None:
                denied += 1
            found.append(process)
        if not any(p.pid == os.getpid() for p in found):
            return Unknown(Cause.UNAVAILABLE, "/proc 不是本机的进程信息", "/proc")
        gaps = []
        if denied:
            gaps.append(Gap(Cause.DENIED, f"{denied} 个进程的程序文件无法读取", "/proc/*/exe"))
        if _hidden():
            gaps.append(Gap(Cause.DENIED, "系统隐藏了其他用户的进程（hidepid）", "/proc"))
        return Known(tuple(sorted(found, key=lambda p: p.pid)), "/proc", tuple(gaps))


def _process(pid: int, names: Mapping[int, str]) -> Process | None:
    base = f"/proc/{pid}"
    try:
        with open(f"{base}/stat", "rb") as f:  # noqa: PTH123 - a few hundred times per scan
            raw = f.read(4096)
        # The name stands in parentheses and may hold anything, parentheses and spaces included.
        left, right = raw.index(b"("), raw.rindex(b")")
        rest = raw[right + 2 :].split()
        name = raw[left + 1 : right].decode("utf-8", "surrogateescape")
        uid = os.stat(base).st_uid  # noqa: PTH116
    except (OSError, ValueError):
        return None  # ended while we looked
    exe: str | None = ""
    try:
        exe = os.readlink(f"{base}/exe").removesuffix(" (deleted)")  # noqa: PTH115
    except PermissionError:
        exe = None
    except OSError:
        exe = "" if int(rest[6]) & _KTHREAD else _gone(base)
    return Process(pid, int(rest[1]), name, exe, uid, names.get(uid, str(uid)))


def _gone(base: str) -> str | None:
    """A process without an image: ended or a zombie (no image any more) is nothing to read; else it was not readable."""
    try:
        with open(f"{base}/stat", "rb") as f:  # noqa: PTH123
            raw = f.read(4096)
    except OSError:
        return ""
    return "" if raw[raw.rindex(b")") + 2 : raw.rindex(b")") + 3] in (b"Z", b"X") else None


def _hidden() -> bool:
    """Whether /proc hides the processes of others from us: mounted with hidepid while we are not root."""
    if os.geteuid() == 0:
        return False
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as f:  # noqa: PTH123
            for line in f:
                fields = line.split()
                if fields[4] == "/proc" and "hidepid=" in line:
                    return "hidepid=0" not in line and "hidepid=off" not in line
    except (OSError, IndexError):
        return True
    return False
