"""Answers of the storage stack, hand-made after winioctl.h: sound, cut off, and with offsets that lead astray."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ybscan.hosts.windows import storage
from ybscan.hosts.windows.memory import MalformedBufferError


def described(*, bus: int = 7, removable: int = 1, vendor: int = 40, product: int = 49, serial: int = 66) -> bytes:
    body = b"Kingston\0DataTraveler 3.0\0".ljust(26, b"\0") + b"E0D55EA574\0"
    return (
        struct.pack("<2I4B6I", 40, 100, 0, 0, removable, 0, vendor, product, 0, serial, bus, len(body))
        + bytes(4)
        + body
    )


def test_a_stick() -> None:
    said = storage.descriptor(described())
    assert said == storage.Descriptor("usb", True, "Kingston DataTraveler 3.0", "E0D55EA574")


def test_texts_that_are_not_there() -> None:
    said = storage.descriptor(described(vendor=0, product=0xFFFFFFFF, serial=0, bus=0x13, removable=0))
    assert said == storage.Descriptor("other:19", False, "", "")


@pytest.mark.parametrize("offset", [1, 35, 4096, 0xFFFFFFFE])
def test_offsets_out_of_the_descriptor(offset: int) -> None:
    with pytest.raises(MalformedBufferError):
        storage.descriptor(described(serial=offset))


@pytest.mark.parametrize("size", [0, 8, 31])
def test_a_descriptor_cut_off(size: int) -> None:
    with pytest.raises(MalformedBufferError):
        storage.descriptor(described()[:size])


def test_zeros_are_no_descriptor() -> None:
    with pytest.raises(MalformedBufferError):
        storage.descriptor(bytes(1024))


def test_a_serial_with_its_bytes_swapped() -> None:
    plain = "S2R5NX0H123456"
    swapped = "".join(plain[i ^ 1] for i in range(len(plain))).encode().hex()
    data = described(serial=66)[:66] + swapped.encode() + b"\0"
    assert storage.descriptor(data).serial == plain


def test_garbled_texts_are_printable() -> None:
    data = described(serial=66)[:66] + b"\x01\xff\xd6\xd0AB\0"
    assert storage.descriptor(data).serial == "AB"


def extents(*disks: int, count: int | None = None) -> bytes:
    return struct.pack("<I4x", len(disks) if count is None else count) + b"".join(
        struct.pack("<I4xQQ", d, 0, 1) for d in disks
    )


def test_extents() -> None:
    assert storage.extents(extents(3, 1, 3)) == (1, 3)
    for lying in (b"", extents(), extents(1, count=2), extents(count=0xFFFFFFFF)):
        with pytest.raises(MalformedBufferError):
            storage.extents(lying)


def layout(style: int, *kinds: bytes) -> bytes:
    head = struct.pack("<2I", style, len(kinds)).ljust(48, b"\0")
    return head + b"".join(bytes(32) + k.ljust(112, b"\0") for k in kinds)


def test_dynamic_disks() -> None:
    basic = bytes.fromhex("a2a0d0ebe5b9334487c068b6b72699c7")
    ldm = bytes.fromhex("a0609baf3114624fbc683311714a69ad")
    assert storage.is_dynamic(layout(1, basic)) is False
    assert storage.is_dynamic(layout(1, basic, ldm)) is True
    assert storage.is_dynamic(layout(0, b"\x07")) is False
    assert storage.is_dynamic(layout(0, b"\x42")) is True
    with pytest.raises(MalformedBufferError):
        storage.is_dynamic(layout(1, ldm)[:100])


@pytest.mark.parametrize(
    ("bus", "model", "hidden"),
    [
        ("sata", "WDC WD10EZEX-08WN4A0", False), ("nvme", "Samsung SSD 970 EVO", False), ("usb", "HP v100w", False),
        ("raid", "Intel Raid 1 Volume", True), ("spaces", "Storage Space", True), ("file-backed", "Virtual Disk", True),
        ("sas", "VMware Virtual disk", True), ("scsi", "DELL PERC H730", True), ("scsi", "QEMU HARDDISK", True),
        ("iscsi", "LUN", True), ("other:6", "LUN", True),
    ],
)  # fmt: skip
def test_disks_that_are_not_what_they_seem(bus: str, model: str, hidden: bool) -> None:
    assert bool(storage.why_hidden(storage.Descriptor(bus, False, model, ""))) is hidden


@pytest.mark.parametrize(
    ("bus", "nested"), [("file-backed", True), ("virtual", True), ("spaces", False), ("sata", False)]
)
def test_images_mounted_from_files(bus: str, nested: bool) -> None:
    assert storage.is_nested(storage.Descriptor(bus, False, "Msft Virtual Disk", "")) is nested


def test_machines() -> None:
    assert storage.why_virtual("Dell Inc. OptiPlex 7080") == ""
    assert storage.why_virtual("LENOVO 11DT 启天M435") == ""
    assert storage.why_virtual("Microsoft Corporation Surface Pro") == ""
    for machine in (
        "Microsoft Corporation Virtual Machine",
        "VMware, Inc. VMware7,1",
        "QEMU Standard PC",
        "Alibaba Cloud ECS",
        " ",
    ):
        assert storage.why_virtual(machine), machine


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Nothing is read out of less than the fixed part of its structure."""
    for read, least in (
        (storage.descriptor, 32), (storage.device_number, 12), (storage.extents, 8), (storage.length, 8),
        (storage.geometry_size, 32), (storage.is_dynamic, 8), (storage.logical_unit, 8),
    ):  # fmt: skip
        with contextlib.suppress(MalformedBufferError):
            read(data)
            assert len(data) >= least, read
