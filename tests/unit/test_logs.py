"""Readers of logs: text logs, login records, databases, audit logs, journal headers, checked against real tools where there are any."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ybscan.hosts.linux.files import LinuxFiles
from ybscan.hosts.linux.loginrecords import databased, wtmp
from ybscan.hosts.linux.logs import LinuxLogs
from ybscan.model.reading import Absent, Cause, Known, Unknown
from ybscan.probes._logs.audit_rules import covered, parse_rules

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Linux logs")


def logs(root: Path) -> LinuxLogs:
    return LinuxLogs(LinuxFiles(root=str(root)), root=str(root))


def written(root: Path, name: str, data: bytes, modified: datetime | None = None) -> str:
    path = root / "var" / "log" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if modified is not None:
        os.utime(path, (modified.timestamp(), modified.timestamp()))
    return f"/var/log/{name}"


def span(root: Path, path: str, limit: int = 1 << 20) -> object:
    return logs(root).span(path=path, limit=limit, seconds=10)


# Text logs -------------------------------------------------------------------------------------------------------------


def test_classic_stamps_take_their_years_from_the_file(tmp_path: Path) -> None:
    text = b"Nov 30 23:59:59 a b: c\nDec 31 10:00:00 a b: c\nJan  1 00:00:01 a b: c\nFeb 29 08:00:00 a b: c\n"
    got = span(tmp_path, written(tmp_path, "syslog", text, datetime(2024, 2, 29, 8, 0, 1)))  # noqa: DTZ001
    assert isinstance(got, Known)
    assert got.value.first == "2023-11-30T23:59:59"
    assert got.value.last == "2024-02-29T08:00:00"
    assert got.value.days == ("2023-11-30", "2023-12-31", "2024-01-01", "2024-02-29")


def test_a_straggler_of_last_year_does_not_add_another(tmp_path: Path) -> None:
    text = b"Dec 31 23:59:58 a b: c\nJan  1 00:00:00 a b: c\nDec 31 23:59:59 a b: c\nJan  1 00:00:02 a b: c\n"
    got = span(tmp_path, written(tmp_path, "syslog", text, datetime(2026, 1, 1, 8, 0)))  # noqa: DTZ001
    assert isinstance(got, Known)
    assert got.value.days == ("2025-12-31", "2026-01-01")


def test_only_the_days_leave_the_reader(tmp_path: Path) -> None:
    got = span(tmp_path, written(tmp_path, "auth.log", "2026-11-20T08:00:00+08:00 a su: 张三 13800000000\n".encode()))
    assert "张三" not in repr(got)
    assert "138" not in repr(got)


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)])
def test_packed_logs(tmp_path: Path, ending: str, pack: object) -> None:
    data = pack(b"2026-11-20T08:00:00.123456+08:00 a b: c\n" * 9)  # type: ignore[operator]
    path = written(tmp_path, f"syslog.2{ending}", data)
    got = span(tmp_path, path)
    assert isinstance(got, Known)
    assert got.value.first == "2026-11-20T08:00:00+08:00"
    cut = span(tmp_path, written(tmp_path, f"cut{ending}", data[: len(data) // 2]))
    assert isinstance(cut, Unknown)
    assert cut.cause is Cause.MALFORMED


def test_a_bomb_stops_at_the_limit(tmp_path: Path) -> None:
    path = written(tmp_path, "syslog.2.gz", gzip.compress(b"2026-11-20T08:00:00 a\n" * 100_000))
    got = span(tmp_path, path, limit=100_000)
    assert isinstance(got, Unknown)
    assert got.cause is Cause.TOO_LARGE


def test_a_line_without_end_is_read_in_pieces(tmp_path: Path) -> None:
    got = span(tmp_path, written(tmp_path, "syslog", b"2026-11-20T08:00:00 a " + b"Jan  1 00:00:00 " * 20_000))
    assert isinstance(got, Known)
    assert got.value.days == ("2026-11-20",)


def test_what_is_no_log(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert isinstance(logs(tmp_path).span(path="/fifo", limit=10, seconds=1), Unknown)
    assert isinstance(span(tmp_path, written(tmp_path, "x", b"hello\n")), Unknown)
    assert isinstance(span(tmp_path, "/var/log/none"), Absent)
    empty = span(tmp_path, written(tmp_path, "empty", b""))
    assert isinstance(empty, Known)
    assert empty.value.first == ""


# Login records ---------------------------------------------------------------------------------------------------------


def record(kind: int, account: str, when: int, size: int = 384, line: str = "tty2") -> bytes:
    one = bytearray(size)
    struct.pack_into("<hxxi", one, 0, kind, 4242)
    one[8 : 8 + len(line)] = line.encode()
    one[44 : 44 + len(account.encode())] = account.encode()
    struct.pack_into("<i" if size == 384 else "<q", one, 340 if size == 384 else 344, when)
    return bytes(one)


T = int(datetime(2026, 11, 20, 2, 0, tzinfo=UTC).timestamp())


@pytest.mark.parametrize("size", [384, 400])
@pytest.mark.parametrize("count", [1, 2, 25, 96])
def test_both_layouts(size: int, count: int) -> None:
    data = b"".join(record(7, f"u{i % 3}", T + i, size) for i in range(count))
    got = wtmp(data, "wtmp", 1 << 20)
    assert isinstance(got, Known)
    assert (got.value.first, got.value.last) == (T, T + count - 1)
    assert max(x.time for x in got.value.logins) == T + count - 1
    torn = wtmp(data + data[:100], "wtmp", 1 << 20)
    assert isinstance(torn, Known)
    assert torn.gaps


@pytest.mark.skipif(shutil.which("last") is None or os.uname().machine != "x86_64", reason="needs last(1) of x86-64")
def test_last_reads_the_same(tmp_path: Path) -> None:
    (tmp_path / "wtmp").write_bytes(record(2, "reboot", T - 60, line="~") + record(7, "shoufei", T))
    run = subprocess.run(
        ["last", "--time-format", "iso", "-f", str(tmp_path / "wtmp")], capture_output=True, text=True, check=True,
        env={**os.environ, "TZ": "UTC"},
    )  # fmt: skip
    assert "shoufei" in run.stdout
    assert "2026-11-20T02:00:00" in run.stdout


def test_the_clock_put_right_after_a_start_is_told_apart() -> None:
    ahead = record(2, "reboot", T + 28800) + record(6, "LOGIN", T + 28810) + record(7, "a", T + 30)
    late = record(2, "reboot", T) + record(7, "a", T + 5000) + record(7, "a", T + 1000)
    off = record(2, "reboot", T) + record(1, "shutdown", T + 100_000) + record(2, "reboot", T + 50_000)
    steps = []
    for data in (ahead, late, off):
        got = wtmp(data, "wtmp", 1 << 20)
        assert isinstance(got, Known)
        steps.append([s.at_boot for s in got.value.steps])
    assert steps == [[True], [False], [False]]


@given(st.binary(max_size=2000))
def test_any_bytes_as_login_records(data: bytes) -> None:
    got = wtmp(data, "wtmp", 1 << 20)
    assert isinstance(got, Unknown) or not data or got.value.first is not None  # type: ignore[union-attr]
    assert not isinstance(databased(data, "db", 1 << 20), Known)


@pytest.mark.parametrize(("size", "form"), [(292, "<i"), (296, "<q")])
def test_lastlog_is_addressed_by_uid(tmp_path: Path, size: int, form: str) -> None:
    path = tmp_path / "lastlog"
    with path.open("wb") as f:
        f.truncate(60_001 * size)
        f.seek(60_000 * size)
        f.write(struct.pack(form, T))
    got = logs(tmp_path).last_logins(path="/lastlog", uids=(0, 1000, 60_000, 70_000))
    assert isinstance(got, Known)
    assert [(x.uid, x.time) for x in got.value] == [(60_000, T)]


def database(path: Path, table: str, rows: list[tuple[object, ...]], *, wal: bool = False) -> None:
    with sqlite3.connect(path) as connection:
        if wal:
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(table)
        for row in rows:
            name = table.split("(")[0].split()[-1]
            connection.execute(f"INSERT INTO {name} VALUES ({','.join('?' * len(row))})", row)  # noqa: S608
    connection.close()


@pytest.mark.parametrize("wal", [False, True])
def test_databases_of_lastlog2_and_wtmpdb(tmp_path: Path, *, wal: bool) -> None:
    database(
        tmp_path / "a.db", "CREATE TABLE Lastlog2(Name TEXT PRIMARY KEY, Time INTEGER, TTY TEXT, RemoteHost TEXT, Service TEXT)",
        [("shoufei", T, "tty2", "", "gdm"), ("信息科", T - 9, "", "", "")], wal=wal,
    )  # fmt: skip
    database(
        tmp_path / "b.db",
        "CREATE TABLE wtmp(ID INTEGER PRIMARY KEY, Type INTEGER, User TEXT, Login INTEGER, Logout INTEGER, TTY TEXT, R TEXT, S TEXT)",
        [(1, 1, "reboot", T * 10**6, None, "~", "", ""), (2, 3, "shoufei", (T + 5) * 10**6, None, "tty2", "", "")], wal=wal,
    )  # fmt: skip
    before = sorted(p.name for p in tmp_path.iterdir())
    one, other = logs(tmp_path).login_database(path="/a.db"), logs(tmp_path).login_database(path="/b.db")
    assert isinstance(one, Known)
    assert isinstance(other, Known)
    assert [(x.account, x.time) for x in one.value] == [("shoufei", T), ("信息科", T - 9)]
    assert [(x.account, x.time) for x in other.value] == [("shoufei", T + 5)]
    assert sorted(p.name for p in tmp_path.iterdir()) == before, "reading wrote something"


# Audit -----------------------------------------------------------------------------------------------------------------


def test_audit_events(tmp_path: Path) -> None:
    text = (
        f"type=DAEMON_START msg=audit({T}.1:1): op=start auid=4294967295 pid=1\n"
        f"node=yb-01 type=CONFIG_CHANGE msg=audit({T + 1}.1:2): op=set audit_enabled=0 old=1 auid=1001 ses=1 res=1\n"
        f"type=CONFIG_CHANGE msg=audit({T + 2}.1:3): op=set audit_enabled=1 old=0 auid=1001 res=1\n"
        f'type=EXECVE msg=audit({T + 3}.1:4): argc=2 a0="mysql" a1="-psecret audit_enabled=0 old=1"\n'
    )
    got = logs(tmp_path).audit_events(path=written(tmp_path, "audit.log", text.encode()), limit=1 << 20)
    assert isinstance(got, Known)
    assert [(e.kind, e.auid) for e in got.value] == [("started", None), ("disabled", 1001)]
    assert "secret" not in repr(got)


@pytest.mark.parametrize(
    ("rules", "watched"),
    [
        ("-w /etc/passwd -p wa -k x", True),
        ("-w /etc/passwd", True),
        ("-w /etc/passwd -p w", False),
        ("-w /etc/passwd -p w\n-w /etc/passwd -p a", True),
        ("-w /etc/passwd- -p wa", False),
        ("-w /etc/ -p wa", True),
        ("-a always,exit -F path=/etc/passwd -F perm=wa", True),
        ("-a exit,always -S all -F dir=/etc -F perm=wa -k x", True),
        ("-a always,exit -F arch=b64 -S openat -F path=/etc/passwd -F perm=wa", False),
        ("-a always,exit -F path=/etc/passwd -F perm=wa -F auid>=1000", False),
        ("-a always,exit -F path=/etc/passwd -F perm=wa -F auid!=0", False),
        ("-a never,exit -F path=/etc/passwd -F perm=wa", False),
        ("-w /etc/passwd -p wa\n-D", False),
        ("-w /etc/passwd -p wa\n-a task,never", False),
        ("# -w /etc/passwd -p wa", False),
        ("-W /etc/passwd -p wa", False),
        ("No rules", False),
    ],
)
def test_watches(rules: str, watched: bool) -> None:
    assert covered(parse_rules(rules), "/etc/passwd") is watched
