"""Accounts, processes, sockets and commands as the collector found them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Literal

from ybscan.hosts.collected.evidence import Evidence, mapped_rows
from ybscan.hosts.collected.records import Record
from ybscan.hosts.groups.accounts import Accounts, PasswordAgeing
from ybscan.hosts.groups.files import Files
from ybscan.hosts.groups.processes import Process, Processes
from ybscan.hosts.groups.sockets import Socket, Sockets
from ybscan.hosts.groups.tools import Output, Tool, Tools
from ybscan.hosts.linux.accounts import LinuxAccounts, parse_shadow
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

_TABLES: Mapping[str, tuple[Literal["tcp", "udp"], Literal["ipv4", "ipv6"]]] = {
    "tcp": ("tcp", "ipv4"), "tcp6": ("tcp", "ipv6"), "udp": ("udp", "ipv4"), "udp6": ("udp", "ipv6"),
}  # fmt: skip
#: ``st`` of /proc/net/tcp, see tcp_states.h of the kernel.
_ESTABLISHED, _LISTEN = "01", "0A"
_ROW = re.compile(
    r"(tcp6?|udp6?) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{2}) (\d+)"
)


class CollectedAccounts(LinuxAccounts):
    """passwd and group out of the tree; shadow as the collector reduced it."""

    def __init__(self, files: Files, evidence: Evidence) -> None:
        super().__init__(files)
        self._evidence = evidence

    def ageing(self) -> Reading[tuple[PasswordAgeing, ...]]:
        data = self._evidence.content("shadow")
        if isinstance(data, Unknown) and data.cause is Cause.UNAVAILABLE:
            return Absent("/etc/shadow")
        return parse_shadow(data.value) if isinstance(data, Known) else data


class CollectedProcesses(Processes):
    """The process list: names and images."""

    def __init__(self, evidence: Evidence, accounts: Accounts) -> None:
        super().__init__()
        self._evidence = evidence
        self._accounts = accounts

    def running(self) -> Reading[tuple[Process, ...]]:
        users = self._accounts.users()
        names = {u.uid: u.name for u in users.value} if isinstance(users, Known) else {}
        read = mapped_rows(
            self._evidence.rows("processes", "process"), lambda r: _process(r, names), never_empty="进程"
        )
        if not isinstance(read, Known):
            return read
        gaps = read.gaps
        denied = sum(p.exe is None for p in read.value)
        if denied:
            gaps += (Gap(Cause.DENIED, f"{denied} 个进程的程序文件无法读取", "/proc/*/exe"),)
        # Whoever looks sees the first process; where it is missing, others are hidden as well.
        if not any(p.pid == 1 for p in read.value):
            gaps += (Gap(Cause.DENIED, "系统隐藏了其他用户的进程（hidepid）", "/proc"),)
        return Known(tuple(sorted(read.value, key=lambda p: p.pid)), "/proc", gaps)


def _process(r: Record, names: Mapping[int, str]) -> Process | Gap:
    pid, ppid, uid = r.number("pid"), r.number("ppid"), r.number("uid")
    state = r.text("state")
    if pid is None or ppid is None or uid is None or state not in ("known", "kernel", "denied"):
        return Gap(Cause.MALFORMED, "进程的记录有误", "/proc")
    exe = {"known": r.text("exe").removesuffix(" (deleted)"), "kernel": "", "denied": None}[state]
    return Process(pid, ppid, r.text("name"), exe, uid, names.get(uid, str(uid)))


class CollectedSockets(Sockets):
    """/proc/net, with the owners whose descriptors could be listed."""

    def __init__(self, evidence: Evidence, processes: Processes) -> None:
        super().__init__()
        self._evidence = evidence
        self._processes = processes

    def table(self) -> Reading[tuple[Socket, ...]]:
        data = self._evidence.content("sockets")
        if not isinstance(data, Known):
            return data
        lines = data.value.decode("ascii", "replace").split("\n")
        if lines[-2:] != ["end", ""]:
            return Unknown(Cause.INCOMPLETE, "sockets.txt 不完整", "/proc/net")
        words = [line.split() for line in lines]
        read = {w[1] for w in words if len(w) == 2 and w[0] == "read"}
        # Without IPv6 in the kernel its tables are not there; a system without the others shows none at all.
        without = {w[1] for w in words if len(w) == 2 and w[0] == "none"} & {"tcp6", "udp6"}
        if not {"tcp", "udp"} <= read:
            return Unknown(Cause.UNAVAILABLE, "采集时没有读到端口表", "/proc/net")
        read |= without
        owners = {w[1]: int(w[2]) for w in words if len(w) == 3 and w[0] == "owner" and w[2].isdecimal()}
        running = self._processes.running()
        names = {p.pid: p.name for p in running.value} if isinstance(running, Known) else {}
        found: list[Socket] = []
        gaps = [Gap(Cause.DENIED, f"/proc/net/{t} 没有读到", "/proc/net") for t in sorted(_TABLES.keys() - read)]
        orphans = 0
        for line in lines:
            if line == "end" or line.partition(" ")[0] in ("read", "none", "owner", ""):
                continue
            row = _ROW.fullmatch(line)
            socket = _socket(row, owners, names) if row else None
            if socket is None:
                gaps.append(Gap(Cause.MALFORMED, "端口表有无法识别的行", "/proc/net"))
            elif socket.local_port:
                orphans += socket.pid is None and socket.state == "listen"
                found.append(socket)
        if orphans:
            gaps.append(Gap(Cause.DENIED, f"{orphans} 个监听端口的程序无法读取", "/proc/net"))
        return Known(tuple(found), "/proc/net", tuple(gaps[:20]))


def _socket(row: re.Match[str], owners: Mapping[str, int], names: Mapping[int, str]) -> Socket | None:
    table, local, local_port, remote, remote_port, code, inode = row.groups()
    proto, family = _TABLES[table]
    here, there = _address(local, family), _address(remote, family)
    if here is None or there is None:
        return None
    port = int(remote_port, 16)
    bare = not port
    state: Literal["listen", "established", "other"]
    if proto == "udp":
        state = "listen" if bare else "established"
    else:
        state = "listen" if code == _LISTEN else "established" if code == _ESTABLISHED else "other"
    pid = owners.get(inode)
    return Socket(
        proto,
        family,
        here,
        int(local_port, 16),
        "" if bare else there,
        port,
        state,
        pid,
        names.get(pid, "") if pid else "",
    )


def _address(text: str, family: str) -> str | None:
    """Words of four bytes, each in the byte order of the processor; all processors in question are little-endian."""
    if len(text) != (8 if family == "ipv4" else 32):
        return None
    raw = b"".join(bytes.fromhex(text[n : n + 8])[::-1] for n in range(0, len(text), 8))
    return str(ipaddress.ip_address(raw))


class CollectedTools(Tools):
    """The commands that the collector ran."""

    def __init__(self, evidence: Evidence) -> None:
        super().__init__()
        self._evidence = evidence

    def run(self, *, tool: str, args: tuple[str, ...], seconds: int = 10) -> Reading[Output]:
        rows = self._evidence.rows("tools", "tool")
        if not isinstance(rows, Known):
            return rows
        shown = f"{Tool[tool].command} {' '.join(args)}"
        wanted = _whole_journal(args) if tool == "JOURNALCTL" else args
        row = next((r for r in rows.value if r.text("name") == tool and tuple(r.lists.get("arg", ())) == wanted), None)
        if row is None:
            missing = next((r for r in rows.value if r.text("name") == tool and r.text("code") == "missing"), None)
            if missing is None:
                return Unknown(Cause.NOT_RECORDED, f"采集时没有执行 {shown}", shown)
            row = missing
        if row.text("code") == "missing":
            return Unknown(Cause.TOOL_MISSING, f"系统没有 {Tool[tool].command}", shown)
        # timeout(1) ends what takes too long with 124, or 137 when it has to kill.
        if row.text("code") in ("124", "137"):
            return Unknown(Cause.TIMEOUT, shown, shown)
        code = row.number("code")
        out = self._evidence.members.get(row.text("out"))
        err = self._evidence.members.get(row.text("err"))
        if code is None or out is None or err is None:
            return Unknown(Cause.INCOMPLETE, f"采集结果缺少 {shown} 的输出", shown)
        said = out.decode("utf-8", "surrogateescape")
        if tool == "JOURNALCTL" and code == 0:
            part = _of_journal(said, args)
            if part is None:
                return Unknown(Cause.MALFORMED, f"{shown} 的输出不完整", shown)
            said = part
        return Known(Output(code, said, err.decode("utf-8", "surrogateescape")), shown)


_SINCE, _UNTIL, _LINES = "--since=@", "--until=@", "--lines="


def _whole_journal(args: tuple[str, ...]) -> tuple[str, ...]:
    """The command that the collector ran for questions like this one: without limits."""
    kept = tuple(a for a in args if not a.startswith((_UNTIL, _LINES)))
    return tuple(f"{_SINCE}0" if a.startswith(_SINCE) else a for a in kept)


def _of_journal(text: str, args: tuple[str, ...]) -> str | None:
    """Those of the journal's records that the limits leave, as journalctl(1) does; None when a record has no time."""
    limits = {k: int(a[len(k) :]) for a in args for k in (_SINCE, _UNTIL, _LINES) if a.startswith(k)}
    kept: list[str] = []
    if text and not text.endswith("\n"):
        return None
    for line in text.split("\n")[:-1]:
        found = re.search(r'"__REALTIME_TIMESTAMP"\s*:\s*"(\d{1,18})"', line)
        if found is None:
            return None
        when = int(found[1]) / 1_000_000
        if limits.get(_SINCE, 0) <= when and (_UNTIL not in limits or when <= limits[_UNTIL]):
            kept.append(line)
    if _LINES in limits:
        kept = kept[-limits[_LINES] :] if limits[_LINES] else []
    return "".join(f"{line}\n" for line in kept)
