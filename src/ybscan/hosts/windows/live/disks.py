"""Physical disks and disc drives of the running system. Devices are opened without any access right: nothing spins up
and nothing can be read or changed through such a handle.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
from collections.abc import Iterator, Mapping  # noqa: E402
from contextlib import contextmanager  # noqa: E402

from ybscan.hosts.groups.devices import PhysicalDisk  # noqa: E402
from ybscan.hosts.windows import storage  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live.devnodes import DeviceInterface, device_interfaces  # noqa: E402
from ybscan.hosts.windows.live.dll import INVALID_HANDLE, function, last_error  # noqa: E402
from ybscan.hosts.windows.memory import MalformedBufferError  # noqa: E402
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown  # noqa: E402

_DISK = "{53f56307-b6bf-11d0-94f2-00a0c91efb8b}"
_CDROM = "{53f56308-b6bf-11d0-94f2-00a0c91efb8b}"

#: CTL_CODE of winioctl.h, worked out.
_QUERY_PROPERTY, _DEVICE_NUMBER, _CHECK_VERIFY2 = 0x2D1400, 0x2D1080, 0x2D0800
_LENGTH_INFO, _GEOMETRY_EX, _VOLUME_EXTENTS = 0x7405C, 0x700A0, 0x560000

_SHARE_ALL, _OPEN_EXISTING = 0x1 | 0x2 | 0x4, 3
_NOT_READY, _NO_MEDIA, _MEDIA_CHANGED, _MORE_DATA = 21, 1112, 1110, 234


@contextmanager
def opened(path: str) -> Iterator[int]:
    """A handle to a device or volume without any access right.

    Raises:
        NotReadError: it cannot be opened.
    """
    create = function(
        "kernel32", "CreateFileW", ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_uint32, ctypes.c_uint32,
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p,
    )  # fmt: skip
    close = function("kernel32", "CloseHandle", ctypes.c_int, ctypes.c_void_p)
    handle = create(path, 0, _SHARE_ALL, None, _OPEN_EXISTING, 0, None)
    if handle in (None, INVALID_HANDLE):
        raise last_error(path)
    try:
        yield handle
    finally:
        close(handle)


def control(handle: int, code: int, given: bytes, size: int, origin: str) -> bytes:
    """What the device answers to a control code.

    Raises:
        NotReadError: it refuses.
    """
    call = function(
        "kernel32", "DeviceIoControl", ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p,
        ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint32), ctypes.c_void_p,
    )  # fmt: skip
    back, buffer = ctypes.c_uint32(), ctypes.create_string_buffer(max(size, 1))
    passed = ctypes.create_string_buffer(given, len(given)) if given else None
    if not call(handle, code, passed, len(given), buffer if size else None, size, ctypes.byref(back), None):
        raise last_error(origin)
    return buffer.raw[: min(back.value, size)]


def volume_disks(volume: str) -> tuple[int, ...]:
    """The numbers of the disks that a volume (``\\\\?\\Volume{…}`` or ``\\\\.\\C:``) lies on.

    Raises:
        NotReadError: it does not say.
        MalformedBufferError: it says nonsense.
    """
    with opened(volume) as handle:
        return storage.extents(control(handle, _VOLUME_EXTENTS, b"", 8 + 24 * 1024, volume))


def device_number(path: str) -> storage.DeviceNumber:
    """Number and sort of a device.

    Raises:
        NotReadError: it does not say.
        MalformedBufferError: it says nonsense.
    """
    with opened(path) as handle:
        return storage.device_number(control(handle, _DEVICE_NUMBER, b"", 12, path))


def description(handle: int, origin: str) -> storage.Descriptor:
    """What a device says of itself.

    Raises:
        NotReadError: nothing.
        MalformedBufferError: nonsense.
    """
    query = bytes(12)  # StorageDeviceProperty, PropertyStandardQuery
    return storage.descriptor(control(handle, _QUERY_PROPERTY, query, 4096, origin))


def disks(
    letters: Mapping[int, tuple[str, ...]], discs: Mapping[int, str], system: tuple[int, ...] | None
) -> Reading[tuple[PhysicalDisk, ...]]:
    """Every disk and disc drive.

    Args:
        letters: drive letters by disk number.
        discs: drive letter by number of the disc drive.
        system: the numbers of the disks that the Windows folder lies on; None where that is not known.

    Raises:
        NotReadError: SetupAPI refuses.
    """
    origin = "SetupAPI"
    found: list[PhysicalDisk] = []
    gaps: dict[Gap, None] = {}
    for guid, cd in ((_DISK, False), (_CDROM, True)):
        interfaces, missed = device_interfaces(guid)
        gaps.update(dict.fromkeys(missed))
        for one in interfaces:
            try:
                found.append(_disk(one, cd, letters, discs, system))
            except NotReadError as e:
                gaps[Gap(e.reading.cause, f"磁盘 {one.instance}：{e.reading.detail}", origin)] = None
            except MalformedBufferError as e:
                gaps[Gap(Cause.MALFORMED, f"磁盘 {one.instance}：{e}", origin)] = None
    found.sort(key=lambda d: (d.number is None, d.number or 0, d.device))
    if not found and not gaps:
        return Unknown(Cause.UNAVAILABLE, "系统没有给出任何磁盘", origin)
    return Known(tuple(found), origin, tuple(gaps))


def _disk(
    one: DeviceInterface, cd: bool, letters: Mapping[int, tuple[str, ...]], discs: Mapping[int, str],
    system: tuple[int, ...] | None,
) -> PhysicalDisk:  # fmt: skip
    with opened(one.path) as handle:
        number = storage.device_number(control(handle, _DEVICE_NUMBER, b"", 12, one.instance))
        said = description(handle, one.instance)
        medium = _medium(handle, said.removable, one.instance)
        # A disc drive tells the size of a disc only to who may read it.
        size = None if cd or medium is False else _size(handle)
    mine = number.number
    if cd:
        letter = discs.get(mine)
        return PhysicalDisk(
            f"CdRom{mine}", None, said.bus, said.removable, said.model, said.serial, size, medium, one.instance,
            (letter,) if letter else (), False,
        )  # fmt: skip
    return PhysicalDisk(
        f"PhysicalDrive{mine}", mine, said.bus, said.removable, said.model, said.serial, size, medium, one.instance,
        letters.get(mine, ()), None if system is None else mine in system,
    )  # fmt: skip


def _medium(handle: int, removable: bool, origin: str) -> bool | None:
    if not removable:
        return True
    try:
        control(handle, _CHECK_VERIFY2, b"", 0, origin)
    except NotReadError as e:
        if e.code in (_NOT_READY, _NO_MEDIA):
            return False
        return True if e.code == _MEDIA_CHANGED else None
    return True


def _size(handle: int) -> int | None:
    """Bytes, from the first control code that a handle without rights may use; None where none answers."""
    for code, parse, size in ((_LENGTH_INFO, storage.length, 8), (_GEOMETRY_EX, storage.geometry_size, 512)):
        try:
            return parse(control(handle, code, b"", size, "")) or None
        except (NotReadError, MalformedBufferError):
            continue
    return None
