"""Mount tables, disk topology, bounded listing and containers, on texts and real files."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sqlite3
import struct
import tarfile
import threading
import time
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ybscan.hosts.common.archive import inspect_archive
from ybscan.hosts.common.backupdir import fits, is_partial
from ybscan.hosts.common.bounded import bounded
from ybscan.hosts.groups.volumes import Archive, Entry
from ybscan.hosts.linux.files import LinuxFiles
from ybscan.hosts.linux.mounts import (
    expected_mount,
    fstab_points,
    is_own,
    local_addresses,
    mount_of,
    parse_mountinfo,
    server_of,
    unescaped,
)
from ybscan.hosts.linux.volumes import LinuxVolumes
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

# Mounts --------------------------------------------------------------------------------------------------------------

TABLE = """\
22 1 8:2 / / rw - ext4 /dev/sda2 rw
30 22 8:17 / /data rw shared:3 master:2 - xfs /dev/sdb1 rw
31 30 0:50 / /data/nas rw - nfs4 nas.example:/b rw,addr=10.20.0.9,vers=4.2
32 22 8:33 / /mnt/a\\040b rw - ext4 /dev/sdc1 rw
33 22 8:18 / /hidden/deep rw - ext4 /dev/sdb2 rw
34 22 0:60 / /hidden rw - tmpfs tmpfs rw
35 30 8:49 / /data rw - ext4 /dev/sdd1 rw
"""


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("/", "/dev/sda2"), ("/database", "/dev/sda2"), ("/mnt/a b/x", "/dev/sdc1"), ("/mnt/a", "/dev/sda2"),
        ("/hidden/deep/x", "tmpfs"), ("/hidden", "tmpfs"), ("/data/x", "/dev/sdd1"), ("/data/nas/x", "/dev/sdd1"),
    ],
)  # fmt: skip
def test_mount_of(path: str, source: str) -> None:
    mounts = parse_mountinfo(TABLE)
    assert mounts is not None
    found = mount_of(mounts, path)
    assert found is not None
    assert found.source == source


def test_network_mount_tells_its_server() -> None:
    mounts = parse_mountinfo(TABLE)
    assert mounts is not None
    nas = next(m for m in mounts if m.id == 31)
    assert (nas.kind, nas.server) == ("network", "10.20.0.9")


@pytest.mark.parametrize(
    "text", ["", "\n", "22 1 8:2 / /", "x 1 8:2 / / rw - ext4 a b", "22 1 8 / / rw - ext4 a b", "22 1 8:2 / / rw ext4"]
)
def test_tables_that_make_no_sense(text: str) -> None:
    assert parse_mountinfo(text) is None


def test_one_bad_line_spoils_the_table() -> None:
    assert parse_mountinfo(TABLE + "garbage\n") is None


@given(st.text(max_size=200))
def test_any_text_is_a_table_or_none(text: str) -> None:
    table = parse_mountinfo(text)
    assert table is None or isinstance(table, tuple | list)
    assert all(isinstance(point, str) for point in fstab_points(text))
    assert isinstance(server_of(text), str | None)


@pytest.mark.parametrize(
    ("source", "server"),
    [
        ("nas:/export", "nas"), ("10.0.0.1:/x", "10.0.0.1"), ("[fe80::1]:/x", "fe80::1"), ("//srv/share", "srv"),
        ("\\\\srv\\share", "srv"), ("user@host:dir", "host"), ("https://u:p@dav.example:8443/x", "dav.example"), ("nothing", ""),
    ],
)  # fmt: skip
def test_servers(source: str, server: str) -> None:
    assert server_of(source) == server


def test_passwords_in_sources_are_masked() -> None:
    mounts = parse_mountinfo("22 1 0:9 / /d rw - fuse.davfs https://yb:secret@dav.example/x rw\n")
    assert mounts is not None
    assert "secret" not in mounts[0].source
    assert mounts[0].server == "dav.example"


def test_escapes() -> None:
    assert unescaped(r"/a\040b\134c") == "/a b\\c"
    assert unescaped("/备份") == "/备份"
    assert unescaped(r"/\345\244\207") == "/备"


def test_fstab() -> None:
    points = fstab_points(
        "# x /no ext4\nUUID=1 / ext4 d 0 1\nUUID=2 none swap sw 0 0\n//s/x /mnt/a\\040b cifs noauto\nUUID=3 /mnt/ ext4\nshort /x\n"
    )
    assert points == ("/mnt/a b", "/mnt")
    assert expected_mount(points, "/mnt/a b/c") == "/mnt/a b"
    assert expected_mount(points, "/mnt/c") == "/mnt"
    assert expected_mount(points, "/mntc") == ""


def test_own_addresses() -> None:
    trie = Path("/proc/net/fib_trie")
    if trie.exists():
        assert "127.0.0.1" in local_addresses(trie.read_text(), "")
    mine = local_addresses(
        "  |-- 10.0.0.7\n     /32 host LOCAL\n  |-- 10.0.0.255\n     /32 link BROADCAST\n",
        "fe800000000000000000000000000001 02 40 20 80 eth0\n",
    )
    assert mine == {"10.0.0.7", "fe80::1"}
    assert is_own("10.0.0.7", mine, "yb") is True
    assert is_own("127.0.0.53", mine, "yb") is True
    assert is_own("10.0.0.255", mine, "yb") is False
    assert is_own("fe80::1%eth0", mine, "yb") is True
    assert is_own("YB.example", mine, "yb") is True
    assert is_own("localhost", mine, "yb") is True
    assert is_own("nas", mine, "yb") is None


# Listing -------------------------------------------------------------------------------------------------------------


def here(root: Path, *, live: bool = False) -> LinuxVolumes:
    return LinuxVolumes(LinuxFiles(root=str(root), live=live), root=str(root), live=live)


def names(reading: Reading[tuple[Entry, ...]]) -> list[str]:
    assert isinstance(reading, Known), reading
    return [e.name for e in reading.value]


def ask(root: Path, pattern: str = "*", limit: int = 1000) -> Reading[tuple[Entry, ...]]:
    return here(root).listing(path="/b", pattern=pattern, limit=limit, seconds=5)


def test_what_counts_as_a_candidate(tmp_path: Path) -> None:
    b = tmp_path / "b"
    b.mkdir()
    for name in ("his.bak", "HIS2.BAK", "his.bak.tmp", "his.bak.md5", ".hidden.bak", "his.txt", "x.bak~"):
        (b / name).write_text("x")
    (b / "link.bak").symlink_to("his.bak")
    (b / "folder.d").mkdir()
    os.mkfifo(b / "pipe.bak")
    assert names(ask(tmp_path, "*.bak")) == ["HIS2.BAK", "his.bak", "link.bak"]
    assert names(ask(tmp_path)) == ["HIS2.BAK", "his.bak", "his.txt", "link.bak"]
    assert names(ask(tmp_path, "*.md5")) == ["his.bak.md5"]
    assert names(ask(tmp_path, ".*")) == [".hidden.bak"]


def test_dated_folders_are_one_copy(tmp_path: Path) -> None:
    day = tmp_path / "b" / "2026-11-20"
    (day / "base" / "1").mkdir(parents=True)
    (day / "big.bak").write_bytes(b"x" * 50)
    (day / "base" / "1" / "small.bak").write_bytes(b"x" * 7)
    (day / "empty.bak").write_bytes(b"")
    (day / "half.bak.part").write_bytes(b"x")
    (day / "note.txt").write_bytes(b"x" * 1000)
    (tmp_path / "b" / "other").mkdir()
    (tmp_path / "b" / "2026-11-19").mkdir()
    os.utime(day / "big.bak", (5000, 5000))
    for rest in ("base/1/small.bak", "empty.bak"):
        os.utime(day / rest, (4000, 4000))
    got = ask(tmp_path, "*.bak")
    assert isinstance(got, Known)
    assert got.value == (Entry("2026-11-20", "folder", 57, 5000.0, 3, 1, 1, "2026-11-20/big.bak"),)


def test_a_folder_of_the_pattern_counts_with_all_it_holds(tmp_path: Path) -> None:
    (tmp_path / "b" / "base-1").mkdir(parents=True)
    (tmp_path / "b" / "base-1" / "PG_VERSION").write_text("15")
    assert names(ask(tmp_path, "base-*")) == ["base-1"]
    assert names(ask(tmp_path)) == []


def test_thousands_of_files_stay_within_the_budget(tmp_path: Path) -> None:
    b = tmp_path / "b"
    b.mkdir()
    for i in range(3000):
        (b / f"{i}.bak").touch()
    start = time.monotonic()
    got = ask(tmp_path, limit=1000)
    assert time.monotonic() - start < 2
    assert isinstance(got, Known)
    assert len(got.value) == 1000
    assert [g.cause for g in got.gaps] == [Cause.TOO_LARGE]
    whole = ask(tmp_path, limit=3000)
    assert isinstance(whole, Known)
    assert (len(whole.value), whole.gaps) == (3000, ())


def test_a_folder_cut_short_is_not_summed_up(tmp_path: Path) -> None:
    day = tmp_path / "b" / "2026-11-20"
    day.mkdir(parents=True)
    for i in range(20):
        (day / str(i)).write_text("x")
    got = ask(tmp_path, limit=10)
    assert isinstance(got, Known)
    assert got.value == ()
    assert [g.cause for g in got.gaps] == [Cause.TOO_LARGE]


def test_links_out_of_the_root_are_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.bak").touch()
    (root / "b").symlink_to(tmp_path / "outside")
    assert isinstance(ask(root), Absent)


def test_absent_and_other_errors(tmp_path: Path) -> None:
    assert isinstance(ask(tmp_path), Absent)
    (tmp_path / "b").write_text("a file")
    assert isinstance(ask(tmp_path), Absent)
    assert here(tmp_path).listing(path="/run/x", pattern="*", limit=5, seconds=5) == Unknown(
        Cause.UNSUPPORTED, "/run/x 只存在于运行中的系统", "/run/x"
    )


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_pattern_can_be_tried(name: str, pattern: str) -> None:
    assert fits(name, pattern) in (True, False)
    assert is_partial(name) in (True, False)


def test_names_in_either_unicode_form_fit() -> None:
    assert fits("cafe\u0301.bak", "caf\u00e9*")


# Bounded reading -----------------------------------------------------------------------------------------------------


def test_what_hangs_is_left_behind() -> None:
    stop = threading.Event()

    def hang() -> Reading[int]:
        stop.wait(30)
        return Known(1)

    start = time.monotonic()
    got = bounded(hang, 0.2, "/x")
    stop.set()
    assert time.monotonic() - start < 2
    assert isinstance(got, Unknown)
    assert got.cause is Cause.TIMEOUT


def test_what_goes_wrong_is_named() -> None:
    def fail() -> Reading[int]:
        raise PermissionError(13, "no")

    def crash() -> Reading[int]:
        raise RuntimeError("x")

    assert bounded(fail, 1, "/x") == Unknown(Cause.DENIED, "/x", "/x")
    got = bounded(crash, 1, "/x")
    assert isinstance(got, Unknown)
    assert got.cause is Cause.PROBE_ERROR


def test_digest(tmp_path: Path) -> None:
    import hashlib

    (tmp_path / "x").write_bytes(b"abc" * 1000)
    v = here(tmp_path)
    assert v.digest(path="/x", limit=3000, seconds=5) == Known(hashlib.sha256(b"abc" * 1000).hexdigest(), "/x")
    got = v.digest(path="/x", limit=2999, seconds=5)
    assert isinstance(got, Unknown)
    assert got.cause is Cause.TOO_LARGE
    os.mkfifo(tmp_path / "pipe")
    assert isinstance(v.digest(path="/pipe", limit=9, seconds=5), Unknown)
    assert isinstance(v.digest(path="/none", limit=9, seconds=5), Absent)


# Containers ----------------------------------------------------------------------------------------------------------

BODY = os.urandom(50_000)


def look(data: bytes, budget: int = 10_000_000) -> Archive:
    return inspect_archive(io.BytesIO(data), budget, lambda: False)


def zipped(method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        z.writestr("folder/", b"")
        z.writestr("a", BODY)
        z.writestr("b", BODY)
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name in ("a", "b"):
            info = tarfile.TarInfo(name)
            info.size = len(BODY)
            t.addfile(info, io.BytesIO(BODY))
    return out.getvalue()


def seven() -> bytes:
    packed, header = b"packed" * 10, b"\x01\x04\x06header"
    start = struct.pack("<QQL", len(packed), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<L", zlib.crc32(start)) + start + packed + header


WHOLE = {"zip": zipped(), "gzip": gzip.compress(BODY), "xz": lzma.compress(BODY), "bzip2": bz2.compress(BODY)}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_containers_are_verified_and_every_cut_is_seen(name: str) -> None:
    data = WHOLE[name]
    assert look(data) == Archive(name, "verified")
    assert look(data, 1000).state == "opens"
    for cut in (len(data) // 3, len(data) // 2, len(data) - 20, len(data) - 1):
        assert look(data[:cut]).state == "corrupt", cut


@pytest.mark.parametrize("name", WHOLE)
def test_changed_bytes_are_seen(name: str) -> None:
    data = bytearray(WHOLE[name])
    data[len(data) // 3] ^= 0x10
    assert look(bytes(data)).state == "corrupt"


def test_tar() -> None:
    data = tarred()
    assert look(data).state == "opens"
    for cut in (600, 30_000, 60_000, 51_712):
        assert look(data[:cut]).state == "corrupt", cut


def test_seven_zip() -> None:
    data = seven()
    assert look(data).state == "opens"
    assert look(data[:-1]).state == "corrupt"
    assert look(data[:20]).state == "corrupt"
    assert look(data[:-1] + b"x").state == "corrupt"
    assert look(data[:13] + b"\xff" + data[14:]).state == "corrupt"


def test_encrypted_zip_says_so() -> None:
    data = bytearray(zipped())
    at = data.index(b"PK\x01\x02")
    while at >= 0:
        data[at + 8] |= 1
        at = data.find(b"PK\x01\x02", at + 1)
    assert look(bytes(data)).state == "encrypted"


def test_empty_and_zeros() -> None:
    assert look(b"").state == "corrupt"
    assert look(b"\0" * 5000).state == "corrupt"
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w"):
        pass
    assert look(empty.getvalue()).state == "corrupt"


def test_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with sqlite3.connect(path) as db:
        db.execute("create table a (b)")
        db.executemany("insert into a values (?)", [("x" * 500,)] * 100)
    db.close()
    data = path.read_bytes()
    assert look(data).state == "opens"
    assert look(data[:-4096]).state == "corrupt"


def test_others() -> None:
    assert look(b"TAPE" + b"\0" * 9000).state == "unrecognised"
    assert look(b"TAPE").state == "corrupt"
    assert look(b"PGDMP\x01\x0e\x00\x04\x08\x01" + b"\0" * 100).state == "unrecognised"
    assert look(b"PGDMP\x01").state == "corrupt"
    assert look(b"Salted__xxxxxxxx").state == "encrypted"
    assert look(b"\x28\xb5\x2f\xfd" + b"x" * 50).state == "unrecognised"
    assert look(b"hello world").state == "unrecognised"
    assert look(b"--\n-- PostgreSQL database dump\n--\nx\n-- PostgreSQL database dump complete\n").state == "opens"
    assert look(b"--\n-- PostgreSQL database dump\n--\nx\n").state == "corrupt"


def test_sound_compression_of_half_a_backup_is_no_backup() -> None:
    dump = b"-- MySQL dump 10.13\n" + b"INSERT INTO t VALUES (1);\n" * 900
    assert look(gzip.compress(b"")).state == "corrupt"
    assert look(gzip.compress(dump)).state == "corrupt"
    assert look(bz2.compress(dump)).state == "corrupt"
    assert look(gzip.compress(dump + b"-- Dump completed on 2026-11-20  3:00:00\n")).state == "verified"
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as t:
        info = tarfile.TarInfo("a")
        info.size = 3000
        t.addfile(info, io.BytesIO(b"x" * 3000))
    assert look(gzip.compress(made.getvalue())).state == "verified"
    assert look(gzip.compress(made.getvalue()[:2000])).state == "corrupt"


def test_a_bomb_costs_no_more_than_the_budget() -> None:
    start = time.monotonic()
    assert look(gzip.compress(b"\0" * 200_000_000), 1_000_000).state == "opens"
    assert time.monotonic() - start < 5


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(
        [
            b"",
            b"PK\x03\x04",
            b"\x1f\x8b",
            b"\xfd7zXZ\0",
            b"BZh",
            b"7z\xbc\xaf\x27\x1c",
            b"SQLite format 3\0",
            b"PGDMP",
            b"x" * 257 + b"ustar",
        ]
    ),
    st.binary(max_size=600),
)
def test_any_bytes_give_an_answer(magic: bytes, rest: bytes) -> None:
    assert look(magic + rest).state in ("verified", "opens", "corrupt", "encrypted", "unrecognised")


# Jobs ----------------------------------------------------------------------------------------------------------------


def test_cron_lines_never_show_the_command(tmp_path: Path) -> None:
    from ybscan.hosts.linux.jobs import LinuxJobs

    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "crontab").write_text(
        "PATH=/bin\n# run backup.sh daily\n0 3 * * *\troot\t/opt/backup.sh -pSECRET\n"
        "#5 4 * * 1-5 yb /opt/backup.sh -pSECRET\n@daily root mybackup.sh\n*/10 * * * * root cp backup.shell /x\n",
        encoding="utf-8",
    )
    got = LinuxJobs(LinuxFiles(root=str(tmp_path)), root=str(tmp_path)).cron(names=("backup.sh",))
    assert isinstance(got, Known)
    assert "SECRET" not in repr(got)
    assert [(e.schedule, e.user, e.enabled) for e in got.value] == [
        ("0 3 * * *", "root", True),
        ("5 4 * * 1-5", "yb", False),
    ]
