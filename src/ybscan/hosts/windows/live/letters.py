"""Drive letters of the running system, and what stands behind each."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402

from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live.disks import device_number, volume_disks  # noqa: E402
from ybscan.hosts.windows.live.dll import function, last_error  # noqa: E402
from ybscan.hosts.windows.memory import MalformedBufferError, fixed_wide  # noqa: E402

#: STORAGE_DEVICE_NUMBER.DeviceType of a disk.
FILE_DEVICE_DISK = 7
#: GetDriveType
UNKNOWN_DRIVE, NO_ROOT, REMOVABLE, FIXED, REMOTE, CDROM, RAMDISK = range(7)


def drive_type(root: str) -> int:
    """What GetDriveType says of ``C:\\``. It does not touch a network drive's server."""
    return int(function("kernel32", "GetDriveTypeW", ctypes.c_uint32, ctypes.c_wchar_p)(root))


def letters() -> tuple[str, ...]:
    """The letters in use, ``C:`` and so on.

    Raises:
        NotReadError: there is none.
    """
    mask = function("kernel32", "GetLogicalDrives", ctypes.c_uint32)()
    if not mask:
        raise last_error("GetLogicalDrives")
    return tuple(f"{chr(65 + i)}:" for i in range(26) if mask >> i & 1)


def device_behind(letter: str) -> str:
    """The device that a letter (``C:``) stands for, such as ``\\Device\\HarddiskVolume3`` or ``\\??\\D:\\data`` (subst).

    Raises:
        NotReadError: it stands for none.
    """
    call = function("kernel32", "QueryDosDeviceW", ctypes.c_uint32, ctypes.c_wchar_p, ctypes.c_void_p, ctypes.c_uint32)
    buffer = ctypes.create_string_buffer(2 * 32768)
    if not call(letter, buffer, 32767):
        raise last_error(letter)
    return fixed_wide(buffer.raw)


def is_volume_path(device: str) -> bool:
    """Whether what a letter stands for is a volume of its own, though written like a substitution."""
    return device.lower().startswith("\\??\\volume{")


def windows_folder() -> str:
    """Such as ``C:\\Windows``; of the system, not of a session.

    Raises:
        NotReadError: it cannot be told.
    """
    call = function("kernel32", "GetSystemWindowsDirectoryW", ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32)
    buffer = ctypes.create_string_buffer(2 * 1024)
    if not call(buffer, 1023):
        raise last_error("GetSystemWindowsDirectory")
    return fixed_wide(buffer.raw)


def _numbers(letter: str, sort: int) -> tuple[int, ...]:
    """The disks of a letter; of a slot without a medium, which has no volume, the slot itself."""
    device = f"\\\\.\\{letter}"
    try:
        return volume_disks(device)
    except NotReadError:
        if sort != REMOVABLE:
            raise
    slot = device_number(device)
    return (slot.number,) if slot.type == FILE_DEVICE_DISK else ()


def by_disk() -> tuple[dict[int, tuple[str, ...]], dict[int, str]]:
    """The letters of each disk by its number, and of each disc drive by its own. A letter that does not say is left out."""
    disks: dict[int, list[str]] = {}
    discs: dict[int, str] = {}
    for letter in letters():
        sort = drive_type(f"{letter}\\")
        try:
            if sort == CDROM:
                discs[device_number(f"\\\\.\\{letter}").number] = letter
            elif sort in (REMOVABLE, FIXED) and not device_behind(letter).startswith("\\??\\"):
                for number in _numbers(letter, sort):
                    disks.setdefault(number, []).append(letter)
        except (NotReadError, MalformedBufferError):
            continue
    return {n: tuple(sorted(v)) for n, v in disks.items()}, discs
