"""The disks under a volume, and why one of them may not be what it seems."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

from ybscan.hosts.groups.registry import Registry  # noqa: E402
from ybscan.hosts.groups.volumes import Disk  # noqa: E402
from ybscan.hosts.windows import storage  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live.disks import control, description, opened, volume_disks  # noqa: E402
from ybscan.hosts.windows.memory import MalformedBufferError  # noqa: E402
from ybscan.model.reading import Known, Unknown  # noqa: E402

_DRIVE_LAYOUT_EX, _SCSI_ADDRESS = 0x70050, 0x41018
#: ERROR_INVALID_FUNCTION, ERROR_NOT_SUPPORTED, ERROR_INVALID_PARAMETER
_NO_SUCH_QUESTION = (1, 50, 87)
_BIOS = r"HKLM\HARDWARE\DESCRIPTION\System\BIOS"
_BIOS_NAMES = ("SystemManufacturer", "SystemProductName", "SystemFamily", "BIOSVendor")


def disks_of(volume: str, registry: Registry) -> tuple[Disk, ...]:
    """Every disk that the volume has an extent on.

    Raises:
        NotReadError: the volume or a disk does not say.
        MalformedBufferError: it says nonsense.
    """
    virtual = storage.why_virtual(_machine(registry))
    return tuple(_disk(n, virtual) for n in volume_disks(volume))


def _disk(number: int, virtual: str) -> Disk:
    path = f"\\\\.\\PhysicalDrive{number}"
    with opened(path) as handle:
        said = description(handle, path)
        why = storage.why_hidden(said)
        why = why or _dynamic(handle, path) or _unit(handle, path)
    return Disk(f"PhysicalDrive{number}", why or virtual, storage.is_nested(said))


def _dynamic(handle: int, path: str) -> str:
    """Why the Logical Disk Manager may spread volumes over this disk and others; empty when it does not."""
    try:
        return "动态磁盘" if storage.is_dynamic(control(handle, _DRIVE_LAYOUT_EX, b"", 64 * 1024, path)) else ""
    except (NotReadError, MalformedBufferError):
        return "分区表读不到的磁盘（可能是动态磁盘）"


def _unit(handle: int, path: str) -> str:
    """Why the disk may be a part of a device with several; empty when it is its first or only unit."""
    try:
        return (
            "一个设备的多个逻辑单元之一" if storage.logical_unit(control(handle, _SCSI_ADDRESS, b"", 8, path)) else ""
        )
    except NotReadError as e:
        # Drivers that have no such address do not know the question.
        return "" if e.code in _NO_SUCH_QUESTION else "逻辑单元号读不到的磁盘"
    except MalformedBufferError:
        return "逻辑单元号读不到的磁盘"


def _machine(registry: Registry) -> str:
    """Maker and model of the machine as its firmware says.

    Raises:
        NotReadError: it cannot be read.
    """
    found: list[str] = []
    for name in _BIOS_NAMES:
        value = registry.value(key=_BIOS, name=name)
        if isinstance(value, Unknown):
            raise NotReadError(value)
        if isinstance(value, Known) and isinstance(value.value, str):
            found.append(value.value)
    return " ".join(found)
