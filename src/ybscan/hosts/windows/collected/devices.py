"""Devices out of the registry's ``Enum``, present ones out of Win32_PnPEntity, disks out of Win32_DiskDrive and MSFT_Disk.

Sources: "Win32_DiskDrive class", "Win32_DiskPartition class", "MSFT_Disk class" (BusType as STORAGE_BUS_TYPE), and
"HKLM\\SYSTEM\\CurrentControlSet\\Enum Registry Tree".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ybscan.hosts.collected.evidence import Evidence
from ybscan.hosts.collected.records import Record
from ybscan.hosts.groups.devices import Device, Devices, PhysicalDisk
from ybscan.hosts.groups.registry import Registry, RegistryValue
from ybscan.hosts.windows.devids import plain_name
from ybscan.hosts.windows.storage import bus_name
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

_ENUM = r"HKLM\SYSTEM\CurrentControlSet\Enum"
#: Since Windows 8 a USB disk may be driven by UASPStor, and WMI then calls its interface SCSI.
_WINDOWS_8 = 9200


class CollectedDevices(Devices):
    """Device nodes and disks as the collector found them."""

    def __init__(self, evidence: Evidence, registry: Registry) -> None:
        super().__init__()
        self._evidence = evidence
        self._registry = registry

    def listed(self, *, enumerator: str) -> Reading[tuple[Device, ...]]:
        key = f"{_ENUM}\\{enumerator}"
        kinds = self._registry.subkeys(key=key)
        if isinstance(kinds, Unknown):
            return kinds
        if isinstance(kinds, Absent):
            return Known((), key)
        gaps = list(kinds.gaps)
        found: list[Device] = []
        present = self._present(gaps)
        for kind in kinds.value:
            for item in self._nodes(key, f"{enumerator}\\{kind}", f"{key}\\{kind}", present):
                if isinstance(item, Gap):
                    gaps.append(item)
                else:
                    found.append(item)
        return Known(tuple(sorted(found, key=lambda d: d.instance)), key, tuple(gaps))

    def of_class(self, *, guid: str) -> Reading[tuple[Device, ...]]:
        enumerators = self._registry.subkeys(key=_ENUM)
        if not isinstance(enumerators, Known):
            return enumerators if isinstance(enumerators, Unknown) else Unknown(Cause.MALFORMED, f"没有 {_ENUM}", _ENUM)
        gaps = list(enumerators.gaps)
        found: list[Device] = []
        for name in enumerators.value:
            read = self.listed(enumerator=name)
            if isinstance(read, Known):
                found += [d for d in read.value if d.class_guid == guid]
                gaps += [g for g in read.gaps if g not in gaps]
            elif isinstance(read, Unknown):
                gaps.append(read.as_gap())
        return Known(tuple(sorted(found, key=lambda d: d.instance)), _ENUM, tuple(gaps))

    def disks(self) -> Reading[tuple[PhysicalDisk, ...]]:
        rows = self._evidence.rows("disks", "disk", "Win32_DiskDrive")
        if not isinstance(rows, Known):
            return rows
        if not rows.value:
            return Unknown(Cause.MALFORMED, "系统没有给出任何磁盘", "Win32_DiskDrive")
        gaps = list(rows.gaps)
        found: list[PhysicalDisk] = []
        letters = self._letters(gaps)
        for row in rows.value:
            disk = self._disk(row, letters)
            if disk is None:
                gaps.append(Gap(Cause.MALFORMED, f"磁盘 {row.text('DeviceID')} 的记录有误", "Win32_DiskDrive"))
            else:
                found.append(disk)
        discs = self._evidence.rows("disks", "disc", "Win32_CDROMDrive")
        if isinstance(discs, Known):
            gaps += discs.gaps
            found += [_disc(n, r) for n, r in enumerate(discs.value)]
        elif isinstance(discs, Unknown):
            gaps.append(discs.as_gap())
        return Known(tuple(found), "Win32_DiskDrive", tuple(gaps))

    # ------------------------------------------------------------------------------------------------------------

    def _present(self, gaps: list[Gap]) -> dict[str, Record] | None:
        rows = self._evidence.rows("devices", "device", "Win32_PnPEntity")
        if isinstance(rows, Known) and rows.value and not rows.gaps:
            return {r.text("DeviceID").upper(): r for r in rows.value}
        why = (
            rows.as_gap()
            if isinstance(rows, Unknown)
            else Gap(Cause.MALFORMED, "没有现有设备的清单", "Win32_PnPEntity")
        )
        gaps.append(why)
        return None

    def _nodes(self, key: str, prefix: str, path: str, present: dict[str, Record] | None) -> Iterator[Device | Gap]:
        instances = self._registry.subkeys(key=path)
        if not isinstance(instances, Known):
            if isinstance(instances, Unknown):
                yield instances.as_gap()
            return
        yield from instances.gaps
        for name in instances.value:
            values = self._registry.values(key=f"{path}\\{name}")
            if isinstance(values, Unknown):
                yield values.as_gap()
            elif isinstance(values, Known):
                yield _device(f"{prefix}\\{name}", {k.lower(): v for k, v in values.value.items()}, present)

    def _letters(self, gaps: list[Gap]) -> dict[str, str] | None:
        """Partition by drive letter."""
        rows = self._evidence.rows("disks", "letter", "Win32_LogicalDiskToPartition")
        if not isinstance(rows, Known):
            if isinstance(rows, Unknown):
                gaps.append(rows.as_gap())
            return None
        found: dict[str, str] = {}
        for row in rows.value:
            partition = re.search(r'DeviceID="([^"]+)"', row.text("Antecedent"), re.IGNORECASE)
            letter = re.search(r'DeviceID="([A-Za-z]:)"', row.text("Dependent"), re.IGNORECASE)
            if partition and letter:
                found[letter[1].upper()] = partition[1]
        return found

    def _disk(self, row: Record, letters: dict[str, str] | None) -> PhysicalDisk | None:
        number = row.number("Index")
        if number is None:
            return None
        own = [n for n, p in (letters or {}).items() if re.match(rf"Disk #{number}, ", p)]
        kind = row.text("MediaType").lower()
        removable = kind.startswith(("removable", "external"))
        size = row.number("Size")
        return PhysicalDisk(
            device=f"PhysicalDrive{number}",
            number=number,
            bus=self._bus(number, row.text("InterfaceType").lower(), removable=removable),
            removable=removable,
            model=row.text("Model"),
            serial=row.text("SerialNumber").strip(),
            size=size,
            medium=size is not None and size > 0
            if row.values.get("MediaLoaded") is None
            else row.text("MediaLoaded") == "1",
            instance=row.text("PNPDeviceID"),
            letters=tuple(sorted(own)),
            system=self._is_system(own) if letters is not None else None,
        )

    def _bus(self, number: int, interface: str, *, removable: bool) -> str:
        rows = self._evidence.rows("disks", "bus", "MSFT_Disk")
        for row in rows.value if isinstance(rows, Known) else ():
            if row.number("Number") == number and (kind := row.number("BusType")) is not None:
                return bus_name(kind)
        if interface in ("usb", "1394"):
            return interface
        if interface == "ide" and not removable:
            return "ata"
        build = self._evidence.rows("system", "os", "Win32_OperatingSystem")
        old = (
            isinstance(build, Known) and bool(build.value) and (build.value[0].number("BuildNumber") or 0) < _WINDOWS_8
        )
        # A USB disk under a vendor's driver, or under UASPStor, shows as SCSI too.
        return "scsi" if interface == "scsi" and old and not removable else f"other:{interface or '0'}"

    def _is_system(self, own: list[str]) -> bool | None:
        rows = self._evidence.rows("system", "os", "Win32_OperatingSystem")
        drive = rows.value[0].text("SystemDrive").upper() if isinstance(rows, Known) and rows.value else ""
        return drive in own if drive else None


def _device(instance: str, values: dict[str, RegistryValue], present: dict[str, Record] | None) -> Device:
    here = present.get(instance.upper()) if present is not None else None
    problem = here.number("ConfigManagerErrorCode") if here is not None else None
    return Device(
        instance=instance,
        name=plain_name(_text(values.get("friendlyname")))
        or plain_name(_text(values.get("devicedesc")))
        or (here.text("Name") if here else ""),
        class_guid=_text(values.get("classguid")).lower(),
        service=_text(values.get("service")),
        parent="",
        hardware_ids=_texts(values.get("hardwareid")),
        compatible_ids=_texts(values.get("compatibleids")),
        present=here is not None if present is not None else None,
        problem=problem,
        dated=False,
    )


def _disc(number: int, row: Record) -> PhysicalDisk:
    instance = row.text("PNPDeviceID")
    start = instance.partition("\\")[0].upper()
    bus = {"USBSTOR": "usb", "IDE": "atapi"}.get(start, f"other:{start.lower() or '0'}")
    letter = row.text("Drive").upper()
    return PhysicalDisk(
        device=f"CdRom{number}", number=None, bus=bus, removable=True, model=row.text("Name"), serial="", size=None,
        medium={"1": True, "0": False}.get(row.text("MediaLoaded")), instance=instance,
        letters=(letter,) if re.fullmatch(r"[A-Z]:", letter) else (), system=False,
    )  # fmt: skip


def _text(value: RegistryValue | None) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: RegistryValue | None) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()
