"""What the storage stack answers to control codes, taken apart. Source: winioctl.h of the Windows SDK."""

from __future__ import annotations

import re
import struct
import uuid
from dataclasses import dataclass

from ybscan.hosts.windows.memory import MalformedBufferError, Memory

_MAX_EXTENTS = 1024
#: STORAGE_BUS_TYPE
_BUSES = {
    0x01: "scsi", 0x02: "atapi", 0x03: "ata", 0x04: "1394", 0x07: "usb", 0x08: "raid", 0x09: "iscsi", 0x0A: "sas",
    0x0B: "sata", 0x0C: "sd", 0x0D: "mmc", 0x0E: "virtual", 0x0F: "file-backed", 0x10: "spaces", 0x11: "nvme",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A STORAGE_DEVICE_DESCRIPTOR."""

    bus: str
    removable: bool
    model: str
    serial: str


@dataclass(frozen=True, slots=True)
class DeviceNumber:
    """A STORAGE_DEVICE_NUMBER. ``type`` is a FILE_DEVICE_*: 2 CD-ROM, 7 disk. ``partition`` is -1 where there is none."""

    type: int
    number: int
    partition: int


def bus_name(number: int) -> str:
    """The bus in words, ``other:<number>`` for one without."""
    return _BUSES.get(number, f"other:{number}")


def descriptor(data: bytes) -> Descriptor:
    """The answer to IOCTL_STORAGE_QUERY_PROPERTY for StorageDeviceProperty.

    Raises:
        MalformedBufferError: it is cut off, or an offset leads out of it.
    """
    memory = Memory(data)
    version, size, _, _, removable, _, vendor, product, _, serial, bus = struct.unpack("<2I4B5I", memory.at(0, 32))
    if version < 36 or size < 36:
        raise MalformedBufferError("a descriptor of no size")
    model = " ".join(" ".join((_text(memory, vendor), _text(memory, product))).split())
    return Descriptor(bus_name(bus), bool(removable), model, _serial(_text(memory, serial)))


def _text(memory: Memory, offset: int) -> str:
    """A text of the descriptor; 0 stands for none, and some drivers say 0xFFFFFFFF."""
    if offset in (0, 0xFFFFFFFF):
        return ""
    if offset < 36:
        raise MalformedBufferError("a text inside the header")
    if offset >= len(memory.data):
        raise MalformedBufferError("a text outside the descriptor")
    raw = memory.data[offset : offset + 256].partition(b"\0")[0]
    return "".join(chr(b) if 32 <= b < 127 else " " for b in raw).strip()


def _serial(text: str) -> str:
    """ATA disks of old drivers give their serial as hex with the bytes of each word swapped."""
    if re.fullmatch(r"(?:[0-9a-fA-F]{4}){5,20}", text):
        raw = bytes.fromhex(text)
        swapped = bytes(raw[i ^ 1] for i in range(len(raw)))
        if all(32 <= b < 127 for b in swapped):
            return swapped.decode("ascii").strip()
    return text


def device_number(data: bytes) -> DeviceNumber:
    """The answer to IOCTL_STORAGE_GET_DEVICE_NUMBER.

    Raises:
        MalformedBufferError: it is cut off.
    """
    return DeviceNumber(*struct.unpack("<IIi", Memory(data).at(0, 12)))


def extents(data: bytes) -> tuple[int, ...]:
    """The disk numbers in a VOLUME_DISK_EXTENTS, sorted, each once.

    Raises:
        MalformedBufferError: it is shorter than it says, or names no disk.
    """
    memory = Memory(data)
    many = memory.number(0, 4)
    if not 0 < many <= _MAX_EXTENTS:
        raise MalformedBufferError(f"{many} extents")
    return tuple(sorted({memory.number(8 + i * 24, 4) for i in range(many) if memory.at(8 + i * 24, 24)}))


def length(data: bytes) -> int:
    """The answer to IOCTL_DISK_GET_LENGTH_INFO, in bytes.

    Raises:
        MalformedBufferError: it is cut off.
    """
    return Memory(data).number(0, 8)


def geometry_size(data: bytes) -> int:
    """DiskSize of a DISK_GEOMETRY_EX, in bytes.

    Raises:
        MalformedBufferError: it is cut off.
    """
    return Memory(data).number(24, 8)


_RAID = re.compile(
    r"perc|mr[ -]?\d{4}|smart array|logical ?(?:vol|dr)|raid|\basr-?\d{4}|\bsmc\d{4}|\bavago\b|\blsi\b|adaptec|\b3ware\b|\bareca\b",
    re.IGNORECASE,
)
_VIRTUAL = re.compile(
    r"qemu|vbox|virtualbox|vmware|virtual (?:disk|machine|platform)|xen|kvm|bhyve|proxmox|parallels|openstack|bochs|cloud|\becs\b",
    re.IGNORECASE,
)
_HIDING_BUSES = {
    "raid": "阵列卡后的逻辑磁盘", "spaces": "存储空间中的虚拟磁盘", "virtual": "虚拟磁盘", "file-backed": "虚拟磁盘文件",
    "iscsi": "网络块设备", "other:6": "存储网络上的逻辑磁盘", "other:0": "不说明接口的磁盘", "other:5": "不说明接口的磁盘",
}  # fmt: skip
#: PARTITION_LDM_DATA_GUID and PARTITION_LDM_METADATA_GUID; 0x42 is the type in an MBR.
_LDM = (
    uuid.UUID("AF9B60A0-1431-4F62-BC68-3311714A69AD").bytes_le,
    uuid.UUID("5808C8AA-7E8F-42E0-85D2-E1E90434CFB3").bytes_le,
)
_LDM_MBR = 0x42
_PARTITION = 144


def why_hidden(said: Descriptor) -> str:
    """Why what lies behind a disk cannot be told from its own word; empty when it can."""
    if said.bus in _HIDING_BUSES:
        return _HIDING_BUSES[said.bus]
    if _VIRTUAL.search(said.model):
        return "虚拟磁盘"
    return "阵列卡后的逻辑磁盘" if _RAID.search(said.model) else ""


def is_nested(said: Descriptor) -> bool:
    """Whether the disk is an image that Windows mounted from a file on another disk, which may be any of this machine."""
    return said.bus in ("virtual", "file-backed")


def why_virtual(machine: str) -> str:
    """Why the disks of a machine of that maker and model are not what they seem; empty for a real machine."""
    if not machine.strip():
        return "无法得知是否为虚拟机"
    return "虚拟机中的磁盘" if _VIRTUAL.search(machine) else ""


def is_dynamic(layout: bytes) -> bool:
    """Whether a DRIVE_LAYOUT_INFORMATION_EX has a partition of the Logical Disk Manager.

    Raises:
        MalformedBufferError: it is shorter than it says.
    """
    memory = Memory(layout)
    style, many = memory.number(0, 4), memory.number(4, 4)
    if many > 1024:
        raise MalformedBufferError(f"{many} partitions")
    for i in range(many):
        entry = memory.at(48 + i * _PARTITION, _PARTITION)
        if style == 0 and entry[32] == _LDM_MBR:
            return True
        if style == 1 and entry[32:48] in _LDM:
            return True
    return False


def logical_unit(address: bytes) -> int:
    """Lun of a SCSI_ADDRESS.

    Raises:
        MalformedBufferError: it is cut off.
    """
    return Memory(address).number(7, 1)
