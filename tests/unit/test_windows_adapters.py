"""The IP Helper's buffers, hand-made after iptypes.h and netioapi.h for both pointer sizes: sound ones, and lying ones."""

from __future__ import annotations

import contextlib
import ipaddress
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ybscan.hosts.groups.network import InterfaceAddress
from ybscan.hosts.windows import adapters as rows
from ybscan.hosts.windows.memory import MalformedBufferError, Memory

BASE = 0x10000
#: sizeof(IP_ADAPTER_ADDRESSES_LH) and of the unicast entry, by pointer size; offsets as the compiler lays them out.
LAYOUT = {
    8: {"size": 448, "pa": 80, "pal": 88, "type": 100, "oper": 104, "i6": 108, "luid": 224, "tunnel": 272, "unicast": 64},
    4: {"size": 376, "pa": 44, "pal": 52, "type": 64, "oper": 68, "i6": 72, "luid": 176, "tunnel": 216, "unicast": 48},
}  # fmt: skip


class Arena:
    """A buffer that grows, with pointers to what was put into it."""

    def __init__(self, word: int) -> None:
        self.word = word
        self.data = bytearray()

    def put(self, data: bytes) -> int:
        while len(self.data) % 8:
            self.data.append(0)
        at = len(self.data)
        self.data += data
        return at

    def point(self, at: int, to: int | None) -> None:
        self.data[at : at + self.word] = (0 if to is None else BASE + to).to_bytes(self.word, "little")

    def set(self, at: int, value: int, size: int) -> None:
        self.data[at : at + size] = value.to_bytes(size, "little")

    def memory(self) -> Memory:
        return Memory(bytes(self.data), BASE, self.word)


def sockaddr(text: str) -> bytes:
    ip = ipaddress.ip_address(text)
    if ip.version == 4:
        return struct.pack("<HH", 2, 0) + ip.packed + bytes(8)
    return struct.pack("<HHI", 23, 0, 0) + ip.packed + bytes(4)


def adapter(
    arena: Arena, *, name: str = "以太网", kind: int = 6, addresses: tuple[tuple[str, int], ...] = (("10.20.1.5", 24),)
) -> int:
    here = LAYOUT[arena.word]
    w = arena.word
    at = arena.put(bytes(here["size"]))
    arena.set(at, here["size"], 4)
    arena.set(at + 4, 7, 4)
    arena.point(at + 8 + w, arena.put(b"{4f8e1c2a-0000-4000-8000-00000000abcd}\0"))
    arena.point(at + 8 + 7 * w, arena.put("Realtek PCIe GbE".encode("utf-16-le") + b"\0\0"))
    arena.point(at + 8 + 8 * w, arena.put(name.encode("utf-16-le") + b"\0\0"))
    arena.data[at + here["pa"] : at + here["pa"] + 6] = bytes.fromhex("001122aabbcc")
    for key, value in (("pal", 6), ("type", kind), ("oper", 1), ("i6", 7), ("tunnel", 0)):
        arena.set(at + here[key], value, 4)
    arena.set(at + here["luid"], 0x0006000001000000, 8)
    link = at + 8 + 2 * w
    for text, prefix in addresses:
        raw = sockaddr(text)
        entry = arena.put(bytes(here["unicast"]))
        arena.set(entry, here["unicast"], 4)
        arena.point(entry + 8 + w, arena.put(raw))
        arena.set(entry + 8 + 2 * w, len(raw), 4)
        arena.set(entry + (56 if w == 8 else 44), prefix, 1)
        arena.point(link, entry)
        link = entry + 8
    return at


@pytest.mark.parametrize("word", [4, 8])
def test_a_chain_of_two(word: int) -> None:
    arena = Arena(word)
    first = adapter(arena, addresses=(("10.20.1.5", 24), ("fe80::1", 64)))
    arena.point(first + 8, adapter(arena, name="WLAN", kind=71, addresses=()))
    one, two = rows.adapters(arena.memory())
    assert (one.name, one.description, one.mac) == ("以太网", "Realtek PCIe GbE", "00:11:22:aa:bb:cc")
    assert one.id == "{4F8E1C2A-0000-4000-8000-00000000ABCD}"
    assert one.addresses == (InterfaceAddress("10.20.1.5", 24), InterfaceAddress("fe80::1", 64))
    assert (one.type, one.status, one.index, one.luid) == (6, 1, 7, 0x0006000001000000)
    assert (two.name, two.type, two.addresses) == ("WLAN", 71, ())


def test_no_adapters() -> None:
    assert rows.adapters(Memory(b"")) == ()


@pytest.mark.parametrize("word", [4, 8])
def test_a_pointer_out_of_the_buffer(word: int) -> None:
    arena = Arena(word)
    at = adapter(arena)
    arena.set(at + 8 + 8 * word, BASE - 1, word)
    with pytest.raises(MalformedBufferError):
        rows.adapters(arena.memory())


def test_chains_without_an_end() -> None:
    arena = Arena(8)
    at = adapter(arena)
    arena.point(at + 8, at)
    with pytest.raises(MalformedBufferError):
        rows.adapters(arena.memory())
    arena = Arena(8)
    at = adapter(arena)
    entry = int.from_bytes(arena.data[at + 24 : at + 32], "little") - BASE
    arena.point(entry + 8, entry)
    with pytest.raises(MalformedBufferError):
        rows.adapters(arena.memory())


def test_numbers_that_cannot_be() -> None:
    for offset, value, size in ((88, 9, 4), (None, 33, 1)):
        arena = Arena(8)
        at = adapter(arena)
        entry = int.from_bytes(arena.data[at + 24 : at + 32], "little") - BASE
        arena.set(at + offset if offset else entry + 56, value, size)
        with pytest.raises(MalformedBufferError):
            rows.adapters(arena.memory())


@settings(deadline=None)
@given(st.data())
def test_a_damaged_buffer_is_read_or_refused(data: st.DataObject) -> None:
    arena = Arena(data.draw(st.sampled_from((4, 8))))
    adapter(arena)
    for _ in range(data.draw(st.integers(1, 6))):
        arena.data[data.draw(st.integers(0, len(arena.data) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(arena.data)))
    with contextlib.suppress(MalformedBufferError):
        assert len(rows.adapters(Memory(bytes(arena.data[:cut]), BASE, arena.word))) <= 1


def table(*entries: bytes, count: int | None = None) -> bytes:
    return struct.pack("<I4x", len(entries) if count is None else count) + b"".join(entries)


def if_row(*, alias: str = "以太网", flags: int = 1, admin: int = 1, length: int = 6) -> bytes:
    row = bytearray(rows.IF_ROW)
    struct.pack_into("<QI", row, 0, 0x0006000001000000, 7)
    row[12:28] = bytes.fromhex("2a1c8e4f00000040800000000000abcd")
    encoded = alias.encode("utf-16-le")
    row[28 : 28 + len(encoded)] = encoded
    struct.pack_into("<I", row, 1056, length)
    row[1060:1066] = bytes.fromhex("020000000001")
    row[1092:1098] = bytes.fromhex("001122aabbcc")
    struct.pack_into("<4I", row, 1128, 6, 0, 0, 14)
    row[1152] = flags
    struct.pack_into("<3I", row, 1156, 1, admin, 1)
    return bytes(row)


def test_links() -> None:
    (one,) = rows.links(table(if_row(), if_row(alias="WFP", flags=2)))
    assert (one.name, one.permanent, one.medium) == ("以太网", "00:11:22:aa:bb:cc", 14)
    assert (one.hardware, one.admin_up) == (True, True)
    assert one.id == "{4F8E1C2A-0000-4000-8000-00000000ABCD}"
    assert rows.links(table(if_row(admin=2)))[0].admin_up is False


def forward_row(destination: str, length: int, hop: str, *, loopback: int = 0) -> bytes:
    row = bytearray(rows.FORWARD_ROW)
    struct.pack_into("<QI", row, 0, 0x0006000001000000, 7)
    raw = sockaddr(destination)
    row[12 : 12 + len(raw)] = raw
    row[40] = length
    raw = sockaddr(hop)
    row[44 : 44 + len(raw)] = raw
    struct.pack_into("<I", row, 84, 256)
    row[92] = loopback
    return bytes(row)


def test_routes() -> None:
    found = rows.forward_rows(
        table(
            forward_row("0.0.0.0", 0, "10.20.0.1"), forward_row("10.20.0.0", 16, "0.0.0.0"),  # noqa: S104 - an unset hop
            forward_row("::", 0, "fe80::1"), forward_row("fe80::", 64, "::"),
        )
    )  # fmt: skip
    assert [(r.destination, r.gateway, r.family) for r in found] == [
        ("0.0.0.0/0", "10.20.0.1", 2), ("10.20.0.0/16", "", 2), ("::/0", "fe80::1", 23), ("fe80::/64", "", 23),
    ]  # fmt: skip
    assert {r.metric for r in found} == {256}


def test_forwarding() -> None:
    row = bytearray(rows.INTERFACE_ROW)
    struct.pack_into("<H6xQI", row, 0, 23, 0x0006000001000000, 7)
    struct.pack_into("<I", row, 148, 25)
    off, on = bytes(row), bytearray(row)
    on[41] = 1
    first, second = rows.interface_rows(table(off, bytes(on)))
    assert (first.family, first.index, first.forwarding, first.metric) == (23, 7, False, 25)
    assert second.forwarding is True


@pytest.mark.parametrize("read", [rows.links, rows.forward_rows, rows.interface_rows])
def test_tables_that_lie(read: object) -> None:
    assert callable(read)
    assert read(table()) == ()
    for lying in (b"", b"\1", table(count=1), table(if_row(), count=400), struct.pack("<I", 0xFFFFFFFF)):
        with pytest.raises(MalformedBufferError):
            read(lying)


def test_rows_that_cannot_be() -> None:
    for row in (forward_row("10.0.0.0", 33, "10.0.0.1"), bytes(rows.FORWARD_ROW)):
        with pytest.raises(MalformedBufferError):
            rows.forward_rows(table(row))
    with pytest.raises(MalformedBufferError):
        rows.links(table(if_row(length=33)))
