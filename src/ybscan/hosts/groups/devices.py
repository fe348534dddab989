"""Devices of Windows: what is plugged in, what was, and the physical disks. Asking starts or changes no device."""

from __future__ import annotations

from dataclasses import dataclass

from ybscan.hosts.base import Group, question
from ybscan.model.reading import Reading


@dataclass(frozen=True, slots=True)
class Device:
    """One device node. Times are seconds since the epoch; None where Windows has none.

    Sources: SetupAPI and the configuration manager, DEVPKEY_Device_* of devpkey.h; on a disk that lies still the keys
    below ``CurrentControlSet\\Enum``.
    """

    instance: str
    """The instance id, such as ``USBSTOR\\Disk&Ven_HP&Prod_v100w&Rev_1024\\AA951D0000007252&0``."""
    name: str
    """Friendly name, else description; references to resources are resolved or left out."""
    class_guid: str
    """The setup class in lower case with braces; empty where none is set."""
    service: str
    parent: str
    """Instance id of the parent; empty where it is not known."""
    hardware_ids: tuple[str, ...]
    compatible_ids: tuple[str, ...]
    present: bool | None
    """Whether it is there now; None where only a running system could tell."""
    problem: int | None
    """The configuration manager's problem code (22: disabled by the user); 0 for none, None where it is not known."""
    dated: bool
    """Whether the times below could be read at all."""
    first_install: float | None = None
    last_arrival: float | None = None
    """Windows 8 and later."""
    last_removal: float | None = None


@dataclass(frozen=True, slots=True)
class PhysicalDisk:
    """A disk, card reader slot or disc drive as the storage stack describes it (STORAGE_DEVICE_DESCRIPTOR)."""

    device: str
    """``PhysicalDrive1`` or ``CdRom0``."""
    number: int | None
    """The disk number; None for disc drives."""
    bus: str
    """``usb sata ata atapi scsi sas nvme raid spaces virtual file-backed sd mmc 1394 iscsi``, else ``other:<number>``."""
    removable: bool
    """Whether the medium can be taken out (of a stick: whether it says so)."""
    model: str
    serial: str
    """Empty where the device has none."""
    size: int | None
    """Bytes; None without a medium."""
    medium: bool | None
    """Whether a medium is in it; None where that could not be told."""
    instance: str
    """Instance id of its device node; empty where it is not known."""
    letters: tuple[str, ...]
    """Drive letters of the volumes on it, ``E:``, sorted."""
    system: bool | None
    """Whether Windows was started from it."""


class Devices(Group):
    """Device nodes and disks."""

    name = "devices"

    @question
    def listed(self, *, enumerator: str) -> Reading[tuple[Device, ...]]:
        """All nodes of an enumerator (``USBSTOR``, ``USB``, ``SCSI``, ``SD``, ``SWD``, ``BTHENUM`` …), present or not.

        Known and empty when Windows has never seen a device of that kind.
        """
        return self.unsupported()

    @question
    def of_class(self, *, guid: str) -> Reading[tuple[Device, ...]]:
        """All nodes of a setup class (lower case, with braces), present or not."""
        return self.unsupported()

    @question
    def disks(self) -> Reading[tuple[PhysicalDisk, ...]]:
        """Every physical disk and disc drive that is there now. One that gives no description leaves a gap."""
        return self.unsupported()
