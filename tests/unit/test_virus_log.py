"""Scanner logs are reduced to counts and times: no file name leaves them."""

from __future__ import annotations

import gzip
import io
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ybscan.hosts.groups.logs import VirusLog
from ybscan.hosts.linux.viruslog import virus_log
from ybscan.hosts.offline import offline_root
from ybscan.model.reading import Cause, Known, Unknown
from ybscan.probes._antivirus.clamav import built

SUMMARY = """
----------- SCAN SUMMARY -----------
Known viruses: 8708648
Scanned files: 60112
Infected files: {infected}
Time: 2412.123 sec (40 m 12 s)
Start Date: 2026:11:16 03:00:01
End Date:   2026:11:16 03:40:13
"""


def read(text: str) -> VirusLog:
    got = virus_log(io.BytesIO(text.encode()), "log", 1 << 20, time.monotonic() + 10)
    assert isinstance(got, Known), got
    return got.value


def test_a_clean_scan() -> None:
    log = read("/home/yb/张三.doc: OK\n" + SUMMARY.format(infected=0))
    (scan,) = log.scans
    assert (scan.start, scan.end, scan.infected, scan.handled) == ("2026-11-16T03:00:01", "2026-11-16T03:40:13", 0, 0)
    assert "张三" not in repr(log)


def test_what_was_moved_counts_for_its_own_scan_only() -> None:
    first = "/a: Win.X FOUND\n/a: moved to '/q/a'\n" + SUMMARY.format(infected=1)
    second = "/b: Win.Y FOUND\n" + SUMMARY.format(infected=1)
    assert [(s.infected, s.handled) for s in read(first + second).scans] == [(1, 1), (1, 0)]


def test_more_removed_than_infected_is_not_credited() -> None:
    (scan,) = read("/a: Removed.\n/b: Removed.\n" + SUMMARY.format(infected=1)).scans
    assert scan.handled == 1


def test_a_scan_that_broke_off_leaves_its_finds() -> None:
    log = read("/a: Win.X FOUND\n/b: Win.X FOUND\n/b: Removed.\n")
    assert (log.scans, log.loose) == ((), 1)


def test_a_file_named_like_a_summary_is_no_summary() -> None:
    log = read("/home/Infected files: 0: Win.X FOUND\nInfected files: 0\n" + SUMMARY.format(infected=1))
    assert [(s.infected, s.handled) for s in log.scans] == [(1, 0)]


def test_resident_scanner() -> None:
    log = read("Wed Nov 18 10:00:01 2026 -> /home/yb/a.exe: Win.Trojan.X-1(aa:1) FOUND\n")
    assert log.detections == ("2026-11-18T10:00:01",)


@pytest.mark.parametrize(
    ("data", "cause"), [(b"\x00\x01\x02" * 50, Cause.MALFORMED), (b"x: OK\n" * 1000, Cause.TOO_LARGE)]
)
def test_limits(data: bytes, cause: Cause) -> None:
    got = virus_log(io.BytesIO(data), "log", 2000, time.monotonic() + 10)
    assert isinstance(got, Unknown)
    assert got.cause is cause


def test_packed_logs_and_damaged_ones(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    packed = gzip.compress(SUMMARY.format(infected=0).encode())
    (tmp_path / "a.log.1.gz").write_bytes(packed)
    (tmp_path / "b.log.1.gz").write_bytes(packed[:-12])
    logs = offline_root(tmp_path).logs
    whole = logs.virus_log(path="/a.log.1.gz", limit=1 << 20, seconds=5)
    assert isinstance(whole, Known)
    assert len(whole.value.scans) == 1
    assert isinstance(logs.virus_log(path="/b.log.1.gz", limit=1 << 20, seconds=5), Unknown)


def header(date: str, epoch: str = "") -> bytes:
    return f"ClamAV-VDB:{date}:27000:2000000:90:0123:sig:builder:{epoch}".encode().ljust(512)


def test_date_of_signatures() -> None:
    when = built(header("07 Mar 2017 08-02 -0500", "1488891746"))
    assert when is not None
    assert when.astimezone(UTC) == datetime(2017, 3, 7, 13, 2, tzinfo=UTC)
    assert when.utcoffset() == timedelta(hours=-5)


@pytest.mark.parametrize(
    "bad",
    [
        b"", b"ClamAV-VDB", header("yesterday"), header("31 Feb 2026 08-02 +0000"), header("07 Mrz 2026 08-02 +0000"),
        header("07 Mar 2026 08-02 -0500", "1488891746"), b"X" + header("07 Mar 2026 08-02 +0000"),
    ],
)  # fmt: skip
def test_headers_that_give_no_date(bad: bytes) -> None:
    assert built(bad) is None
