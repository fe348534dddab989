"""The hive reader: every type and name, transaction logs, damage."""

from __future__ import annotations

import random
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hives.shared import real
from tests.hives.writer import WRITTEN, hive, log, old_log, sealed
from ybscan.hosts.groups.registry import WITHHELD
from ybscan.hosts.windows import hivefile
from ybscan.hosts.windows.hive import Hive, load_hive, open_hive
from ybscan.hosts.windows.hivelog import checksum
from ybscan.model.reading import Absent, Cause, Known, Unknown


def opened(data: bytes, *logs: bytes) -> Hive:
    found = open_hive(data, logs, origin="测试")
    assert isinstance(found, Known), found
    return found.value


def cause(data: bytes, *logs: bytes) -> Cause:
    found = open_hive(data, logs, origin="测试")
    assert isinstance(found, Unknown), found
    return found.cause


def value(of: Hive, path: str, name: str) -> Any:
    return of.value(path=tuple(path.split("\\")), name=name, shown=f"HKU\\S-1\\{path}")


CHINESE = "医保结算客户端"
BIG = bytes(range(256)) * 300


def sample(**options: Any) -> bytes:
    return hive(
        {
            "Software\\" + CHINESE: {
                "": "默认",
                "名称": CHINESE,
                "Größe": "latin",
                "dword": 4294967295,
                "qword": 1 << 63,
                "multi": ["一", "two", "三"],
                "multi-empty": (7, b"\0\0"),
                "binary": b"\x01\x02\x03",
                "none": (0, b""),
                "none-data": (0, b"\xff" * 9),
                "odd": (1, "甲乙".encode("utf-16-le") + b"\x41"),
                "unended": (2, "%windir%".encode("utf-16-le")),
                "cut": (1, "a\0b\0".encode("utf-16-le")),
                "half": (1, b"\x00\xd8\x41\x00"),
                "big-endian": (5, b"\0\0\0\1"),
                "devprop": (0xFFFF0010, b"\x01" * 8),
                "strange": (0x200000, b"abcdefgh"),
                "short-dword": (4, b"\x01\x02"),
                "long-dword": (4, b"\x01" * 8),
                "inline": (1, "x".encode("utf-16-le")),
                "big": (3, BIG),
                "huge": (3, bytes(hivefile.VALUE_LIMIT + 1)),
                "LogonPassword": "geheim",
            },
            "Many": {},
            **{f"Many\\Key{n:04}": {"n": n} for n in range(1200)},
            "Empty": {".written": 0.0 - 11_644_473_600},
        },
        **options,
    )


@pytest.mark.parametrize("options", [{}, {"list_kind": b"lf"}, {"list_kind": b"li"}, {"split": 7}])
def test_every_type_and_name(options: dict[str, Any]) -> None:
    found = opened(sample(**options))
    path = f"software\\{CHINESE}"

    def plain(name: str) -> Any:
        reading = value(found, path, name)
        assert isinstance(reading, Known), reading
        return reading.value

    assert plain("") == "默认"
    assert plain("名称") == CHINESE
    assert plain("GRÖSSE".replace("SS", "ß")) == "latin"
    assert plain("DWORD") == 4294967295
    assert plain("qword") == (1 << 63).to_bytes(8, "little")  # no switch of Windows is one
    assert plain("multi") == ("一", "two", "三")
    assert plain("multi-empty") == ()
    assert plain("binary") == b"\x01\x02\x03"
    assert plain("none") == b""
    assert plain("none-data") == b"\xff" * 9
    assert plain("odd") == "甲乙"
    assert plain("unended") == "%windir%"
    assert plain("cut") == "a"
    assert plain("half") == "\ud800A"
    assert plain("big-endian") == b"\0\0\0\1"
    assert plain("devprop") == b"\x01" * 8
    assert plain("strange") == b"abcdefgh"
    assert plain("inline") == "x"
    assert plain("big") == BIG
    assert plain("LogonPassword") == WITHHELD
    assert value(found, path, "short-dword").cause is Cause.MALFORMED
    assert value(found, path, "long-dword").cause is Cause.MALFORMED
    assert value(found, path, "huge").cause is Cause.TOO_LARGE
    assert isinstance(value(found, path, "不存在"), Absent)
    assert isinstance(value(found, "Software\\没有", "x"), Absent)
    every = found.values(path=("Software", CHINESE), shown="HKU\\S-1\\x")
    assert isinstance(every, Known)
    assert {g.cause for g in every.gaps} == {Cause.MALFORMED, Cause.TOO_LARGE}
    assert every.value["名称"] == CHINESE
    assert "geheim" not in repr(every)
    many = found.subkeys(path=("MANY",), shown="x")
    assert isinstance(many, Known)
    assert len(many.value) == 1200
    assert value(found, "Many\\key0777", "N").value == 777
    assert found.written(path=("Many",), shown="x") == Known(WRITTEN, "x")
    assert isinstance(found.written(path=("Empty",), shown="x"), Unknown)


@pytest.mark.parametrize("list_kind", [b"lf", b"lh", b"li"])
def test_key_names_of_every_alphabet(list_kind: bytes) -> None:
    names = (
        "软件",
        "中A",
        "aé中",
        "Größe",
        "µTorrent",
        "ÿ",
        "Программы",
        "Ελλάδα",
        "😀",
        "\ud800",
        "ǆ",
        "ß",
        "ａｂｃ",
        "x",
    )
    found = opened(hive({f"Top\\{n}": {"n": n if n.isprintable() else "?"} for n in names}, list_kind=list_kind))
    assert set(found.subkeys(path=("Top",), shown="x").value) == set(names)  # type: ignore[union-attr]
    assert value(found, "top\\ПРОГРАММЫ", "n").value == "Программы"
    assert value(found, "top\\GRÖßE", "n").value == "Größe"


def test_what_we_write_regipy_reads(tmp_path: Path) -> None:
    from regipy.registry import RegistryHive

    (tmp_path / "SOFTWARE").write_bytes(sample())
    theirs = RegistryHive(str(tmp_path / "SOFTWARE"))
    key = theirs.get_key(f"\\Software\\{CHINESE}")
    assert key.get_value("名称") == CHINESE
    assert key.get_value("dword") == 4294967295
    assert {k.name for k in theirs.get_key("\\Many").iter_subkeys()} == {f"Key{n:04}" for n in range(1200)}


def test_no_file_and_no_hive(tmp_path: Path) -> None:
    assert isinstance(load_hive(str(tmp_path / "SAM")), Absent)
    (tmp_path / "SAM").write_bytes(b"")
    (tmp_path / "SYSTEM").mkdir()
    assert isinstance(load_hive(str(tmp_path / "SYSTEM")), Unknown)
    for data in (b"", b"regf", b"PK\3\4" * 9000, bytes(20000), "这不是注册表文件".encode("gb18030") * 900):
        assert cause(data) is Cause.MALFORMED
        (tmp_path / "SAM").write_bytes(data)
        found = load_hive(str(tmp_path / "SAM"))
        assert isinstance(found, Unknown)
        assert found.cause is Cause.MALFORMED


def test_a_hive_cut_short_is_no_hive() -> None:
    data = sample()
    for size in (5000, len(data) // 2, len(data) - 4096, len(data) - 1):
        assert cause(data[:size]) is Cause.MALFORMED
    # What lies behind the bins does not belong to the hive.
    assert value(opened(data + bytes(4096)), "Many\\Key0001", "n").value == 1


# ------------------------------------------------------------------------------------------------------- logs

BEFORE = hive({"Software\\Policy": {"Start": 4}}, sequence=10)
BETWEEN = hive({"Software\\Policy": {"Start": 3}}, sequence=10)
AFTER = hive({"Software\\Policy": {"Start": 2}}, sequence=10)
DIRTY = sealed(BEFORE, primary=11, secondary=10)


def start(data: bytes, *logs: bytes) -> Any:
    return value(opened(data, *logs), "Software\\Policy", "Start").value


def test_a_clean_hive_ignores_its_logs() -> None:
    assert start(BEFORE, log(BEFORE, [(10, BEFORE, AFTER)])) == 4


def test_a_dirty_hive_without_logs_tells_nothing() -> None:
    assert cause(DIRTY) is Cause.INCOMPLETE
    assert cause(DIRTY, b"", b"") is Cause.INCOMPLETE
    assert cause(DIRTY, bytes(4096)) is Cause.INCOMPLETE


def test_logs_are_applied_in_their_order_whichever_comes_first() -> None:
    first, second = log(BEFORE, [(10, BEFORE, BETWEEN)]), log(BEFORE, [(11, BETWEEN, AFTER)])
    assert start(DIRTY, first, second) == 2
    assert start(DIRTY, second, first) == 2
    assert start(DIRTY, log(BEFORE, [(10, BEFORE, BETWEEN), (11, BETWEEN, AFTER)]), b"") == 2


def test_leftovers_of_older_logs_are_not_applied() -> None:
    stale = log(BEFORE, [(10, BEFORE, AFTER)]) + log(BEFORE, [(5, AFTER, BETWEEN)])[512:]
    assert start(DIRTY, stale) == 2
    assert cause(DIRTY, log(BEFORE, [(5, BEFORE, AFTER)])) is Cause.INCOMPLETE


def test_a_log_with_a_hole_or_a_broken_end_is_not_relied_on() -> None:
    first, second = log(BEFORE, [(10, BEFORE, BETWEEN)]), log(BEFORE, [(13, BETWEEN, AFTER)])
    assert cause(DIRTY, first, second) is Cause.INCOMPLETE
    assert cause(DIRTY, log(BEFORE, [(10, BEFORE, BETWEEN), (12, BETWEEN, AFTER)])) is Cause.INCOMPLETE
    whole = log(BEFORE, [(10, BEFORE, BETWEEN), (11, BETWEEN, AFTER)])
    for at in (len(whole) - 3000, len(whole) - 5, 520, 700):
        broken = bytearray(whole)
        broken[at] ^= 1
        if at == len(whole) - 5 and not any(whole[at - 200 :]):
            continue
        assert cause(DIRTY, bytes(broken)) is Cause.INCOMPLETE, at
    assert cause(DIRTY, whole[:-512]) is Cause.INCOMPLETE
    # Only the second of two logs is left, and the hive holds no more than half of the first.
    assert cause(DIRTY, log(BEFORE, [(11, BETWEEN, AFTER)])) is Cause.INCOMPLETE


def test_a_hive_whose_header_broke_takes_that_of_its_log() -> None:
    broken = bytearray(BEFORE)
    broken[40:44] = b"\xff\xff\xff\x0f"
    assert cause(bytes(broken)) is Cause.INCOMPLETE
    assert start(bytes(broken), log(BEFORE, [(10, BEFORE, AFTER)])) == 2


def test_logs_of_windows_7() -> None:
    assert start(DIRTY, old_log(BEFORE, AFTER, sequence=11)) == 2
    assert start(DIRTY, b"", old_log(BEFORE, AFTER, sequence=11)) == 2
    assert cause(DIRTY, old_log(BEFORE, AFTER, sequence=11)[:-512]) is Cause.INCOMPLETE
    assert cause(DIRTY, old_log(BEFORE, AFTER, sequence=11), old_log(BEFORE, BETWEEN, sequence=11)) is Cause.INCOMPLETE
    other = bytearray(old_log(BEFORE, AFTER, sequence=11))
    other[12] ^= 1
    struct.pack_into("<I", other, 508, checksum(bytes(other)))
    assert cause(DIRTY, bytes(other)) is Cause.INCOMPLETE


def test_a_hive_grows_by_its_log() -> None:
    larger = hive(
        {"Software\\Policy": {"Start": 2}, **{f"More\\{n}": {"x": bytes(500)} for n in range(50)}}, sequence=10
    )
    assert len(larger) > len(BEFORE)
    grown = bytearray(larger)
    struct.pack_into("<I", grown, 36, struct.unpack_from("<I", BEFORE, 36)[0])
    found = opened(DIRTY, log(BEFORE, [(10, BEFORE, bytes(grown))]))
    assert value(found, "More\\49", "x").value == bytes(500)


def test_logs_beside_the_hive_are_found_and_nothing_is_written_there(tmp_path: Path) -> None:
    (tmp_path / "NTUSER.DAT").write_bytes(DIRTY)
    (tmp_path / "NTUSER.DAT.LOG1").write_bytes(log(BEFORE, [(10, BEFORE, AFTER)]))
    found = load_hive(str(tmp_path / "NTUSER.DAT"))
    assert isinstance(found, Known)
    assert value(found.value, "Software\\Policy", "Start").value == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["NTUSER.DAT", "NTUSER.DAT.LOG1"]
    assert (tmp_path / "NTUSER.DAT").read_bytes() == DIRTY
    (tmp_path / "NTUSER.DAT.LOG2").mkdir()
    denied = load_hive(str(tmp_path / "NTUSER.DAT"))
    assert isinstance(denied, Unknown)


def test_a_real_dirty_hive_with_its_logs() -> None:
    data, one, two = real("rp_SYSTEM_B"), real("rp_SYSTEM_B.LOG1"), real("rp_SYSTEM_B.LOG2")
    assert cause(data) is Cause.INCOMPLETE
    assert cause(data, one) is Cause.INCOMPLETE
    assert cause(data, two) is Cause.INCOMPLETE
    found = opened(data, one, two)
    assert value(found, "ControlSet001\\Services\\USBSTOR", "Start").value == 3
    # The hive as it lies ends on the morning of the day; the logs reach to its afternoon.
    path = ("ControlSet001", "Services", "bam", "UserSettings", "S-1-5-21-2734969515-1644526556-1039763013-1001")
    after = found.written(path=path, shown="x")
    before = opened(sealed(data, primary=1622, secondary=1622)).written(path=path, shown="x")
    assert isinstance(after, Known)
    assert isinstance(before, Known)
    assert after.value - before.value > 3600
    broken = bytearray(two)
    broken[600_000] ^= 0x10
    assert cause(data, one, bytes(broken)) is Cause.INCOMPLETE


# ------------------------------------------------------------------------------------------------------ damage

SMALL = hive(
    {
        "Policies\\Explorer": {"NoDriveTypeAutoRun": 255, "文字": "值" * 30},
        **{f"Services\\S{n}": {"Start": n, "ImagePath": "x" * 40} for n in range(20)},
    }
)
QUESTIONS = [("Policies\\Explorer", "NoDriveTypeAutoRun"), ("Policies\\Explorer", "文字"), ("Services\\S7", "Start")]
RIGHT = [value(opened(SMALL), *q) for q in QUESTIONS]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=12))
def test_garbled_bytes_never_make_a_key_or_value_vanish(changes: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL)
    for at, byte in changes:
        data[at] = byte
    found = open_hive(bytes(data), origin="x")
    if not isinstance(found, Known):
        assert isinstance(found, Unknown)
        return
    for question in QUESTIONS:
        reading = value(found.value, *question)
        if isinstance(reading, Absent):
            # A value has no hash: a letter of its name may change unseen. Keys have.
            listed = found.value.values(path=tuple(question[0].split("\\")), shown="x")
            assert isinstance(listed, Known)
            assert question[1] not in listed.value
    listed_keys = found.value.subkeys(path=("Services",), shown="x")
    if not isinstance(listed_keys, Unknown):
        assert isinstance(listed_keys, Known)
        # A letter may change its case: to Windows it is the same name.
        assert {k.upper() for k in listed_keys.value} == {f"S{n}" for n in range(20)}


def test_flipped_bits_of_real_hives_are_bounded_and_never_lose_a_key() -> None:
    data = real("pl_NTUSER-WIN7.DAT")
    path = ("Software", "Microsoft", "Windows", "CurrentVersion")
    right = opened(data).subkeys(path=path, shown="x")
    chance = random.Random(7)  # noqa: S311
    for _ in range(60):
        garbled = bytearray(data)
        for _ in range(200):
            garbled[chance.randrange(len(garbled))] ^= 1 << chance.randrange(8)
        began = time.monotonic()
        found = open_hive(sealed(bytes(garbled)), origin="x")
        if isinstance(found, Known):
            keys = found.value.subkeys(path=path, shown="x")
            assert keys == right or isinstance(keys, Unknown)
            found.value.values(path=("Control Panel", "Desktop"), shown="x")
        assert time.monotonic() - began < 5


def _cell(data: bytes, magic: bytes, name: bytes) -> int:
    """File offset of the content of the cell of a record with this name."""
    at = data.index(name)
    return data.rindex(magic, 0, at)


def test_loops_and_absurd_numbers_are_refused() -> None:
    def changed(record: bytes, name: bytes, at: int, code: str, number: int) -> bytes:
        data = bytearray(SMALL)
        struct.pack_into(code, data, _cell(SMALL, record, name) + at, number)
        return bytes(data)

    services = _cell(SMALL, b"nk", b"Services") - 4100
    hostile = [
        changed(b"nk", b"Services", 20, "<I", 0xFFFFFFFF),  # as many subkeys as there are numbers
        changed(b"nk", b"Services", 20, "<I", 21),
        changed(b"nk", b"Services", 20, "<I", 19),
        changed(b"nk", b"Services", 20, "<I", 0),
        changed(b"nk", b"Services", 28, "<I", services),  # a list that is the key itself
        changed(b"nk", b"Services", 28, "<I", 0x7FFFFFF8),
        changed(b"nk", b"Services", 72, "<H", 0xFFFF),
        changed(b"nk", b"S7", 16, "<I", services + 8),  # another parent
    ]
    for data in hostile:
        found = opened(data).subkeys(path=("Services",), shown="x")
        assert isinstance(found, Unknown)
    none = changed(b"nk", b"Explorer", 36, "<I", 0)
    assert isinstance(value(opened(none), "Policies\\Explorer", "NoDriveTypeAutoRun"), Unknown)
    endless = changed(b"vk", b"NoDriveTypeAutoRun", 4, "<I", 0x7FFFFFFF)
    assert isinstance(value(opened(endless), "Policies\\Explorer", "NoDriveTypeAutoRun"), Unknown)
    assert isinstance(
        value(opened(changed(b"nk", b"Explorer", 36, "<I", 0xFFFFFF)), "Policies\\Explorer", "x"), Unknown
    )
    ring = bytearray(SMALL)
    leaf = SMALL.index(b"lh")
    ring[leaf : leaf + 4] = struct.pack("<2sH", b"ri", 2)
    ring[leaf + 4 : leaf + 12] = struct.pack("<II", leaf - 4100, leaf - 4100)
    assert isinstance(opened(bytes(ring)).subkeys(path=("Policies",), shown="x"), Unknown)
