"""What was ever plugged into a Windows that does not run, from the keys below ``Enum``.

Sources: "Registry Trees and Keys for Devices and Drivers"; devpkey.h for the numbers of properties
(``{83da6326-97a6-4088-9453-a1923f573b29}``: 100 and 101 install, 102 arrival, 103 removal, 10 last parent) and
devpropdef.h for their types. Windows 8 and later keep a property as ``0064`` with its value as the default value,
Windows 7 as ``00000064\\00000000`` with the value in ``Data``.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from ybscan.hosts.groups.devices import Device, Devices
from ybscan.hosts.groups.registry import RegistryValue
from ybscan.hosts.windows.devids import class_guid, plain_name
from ybscan.hosts.windows.hive import filetime
from ybscan.hosts.windows.offline import LIVE
from ybscan.hosts.windows.offline.registry import OfflineRegistry
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

ENUM = r"HKLM\SYSTEM\CurrentControlSet\Enum"
_TIMES = "{83da6326-97a6-4088-9453-a1923f573b29}"
_INSTALL, _FIRST_INSTALL, _ARRIVAL, _REMOVAL = 0x64, 0x65, 0x66, 0x67
_LAST_PARENT = 0x0A
#: CONFIGFLAG_DISABLED of regstr.h, and the problem code it comes to (CM_PROB_DISABLED).
_DISABLED, _PROBLEM_DISABLED = 0x1, 22
_FILETIME_SIZE = 8


class OfflineDevices(Devices):
    """Whether a device is plugged in, and what disks there are, only a running system knows."""

    def __init__(self, registry: OfflineRegistry) -> None:
        super().__init__(LIVE)
        self._registry = registry

    def listed(self, *, enumerator: str) -> Reading[tuple[Device, ...]]:
        key = f"{ENUM}\\{enumerator}"
        kinds = self._registry.subkeys(key=key)
        if isinstance(kinds, Absent):
            # Without the tree above, nobody can say that there was none of the kind.
            above = self._registry.subkeys(key=ENUM)
            return Known((), key) if isinstance(above, Known) else _missing(above)
        if isinstance(kinds, Unknown):
            return kinds
        found: list[Device] = []
        gaps: list[Gap] = []
        for kind in kinds.value:
            instances = self._registry.subkeys(key=f"{key}\\{kind}")
            if not isinstance(instances, Known):
                gaps.append(_gap(instances, f"{enumerator}\\{kind}"))
                continue
            for instance in instances.value:
                device = self._device(f"{enumerator}\\{kind}\\{instance}")
                if isinstance(device, Gap):
                    gaps.append(device)
                else:
                    found.append(device)
        return Known(tuple(sorted(found, key=lambda d: d.instance)), key, tuple(gaps))

    def of_class(self, *, guid: str) -> Reading[tuple[Device, ...]]:
        enumerators = self._registry.subkeys(key=ENUM)
        if not isinstance(enumerators, Known):
            return _missing(enumerators)
        found: list[Device] = []
        gaps: list[Gap] = []
        for enumerator in enumerators.value:
            listed = self.listed(enumerator=enumerator)
            if isinstance(listed, Known):
                found.extend(d for d in listed.value if d.class_guid == class_guid(guid))
                gaps.extend(listed.gaps)
            else:
                gaps.append(_gap(listed, enumerator))
        return Known(tuple(sorted(found, key=lambda d: d.instance)), ENUM, tuple(gaps))

    def _device(self, instance: str) -> Device | Gap:
        read = self._registry.values(key=f"{ENUM}\\{instance}")
        if not isinstance(read, Known):
            return _gap(read, instance)
        if read.gaps:
            return Gap(read.gaps[0].cause, f"设备 {instance}", instance)
        values = {n.lower(): v for n, v in read.value.items()}
        flags = values.get("configflags", 0)
        if not isinstance(flags, int):
            return Gap(Cause.MALFORMED, f"设备 {instance}", instance)
        times = self._times(instance)
        if isinstance(times, Gap):
            return times
        return Device(
            instance=instance,
            name=plain_name(_text(values, "friendlyname")) or plain_name(_text(values, "devicedesc")),
            class_guid=class_guid(_text(values, "classguid")),
            service=_text(values, "service"),
            parent=self._parent(instance),
            hardware_ids=_texts(values, "hardwareid"),
            compatible_ids=_texts(values, "compatibleids"),
            present=None,
            problem=_PROBLEM_DISABLED if flags & _DISABLED else None,
            dated=times is not None,
            first_install=(times.get(_FIRST_INSTALL) or times.get(_INSTALL)) if times else None,
            last_arrival=times.get(_ARRIVAL) if times else None,
            last_removal=times.get(_REMOVAL) if times else None,
        )

    def _times(self, instance: str) -> Mapping[int, float] | Gap | None:
        """The times there are, by number of the property; None where Windows kept none for the device."""
        key = f"{ENUM}\\{instance}\\Properties\\{_TIMES}"
        listed = self._registry.subkeys(key=key)
        if isinstance(listed, Absent):
            return None
        if isinstance(listed, Unknown):
            return Gap(listed.cause, f"设备 {instance} 的时间", instance)
        found: dict[int, float] = {}
        for name in listed.value:
            number = _number(name)
            if number not in (_INSTALL, _FIRST_INSTALL, _ARRIVAL, _REMOVAL):
                continue
            raw = self._property(key, name)
            if isinstance(raw, Absent):
                continue
            when = filetime(raw, instance) if isinstance(raw, int) else Unknown(Cause.MALFORMED, "", instance)
            if isinstance(when, Unknown):
                return Gap(when.cause, f"设备 {instance} 的时间", instance)
            if isinstance(when, Known):
                found[number] = when.value
        return found or None

    def _property(self, key: str, name: str) -> int | Absent | None:
        raw = self._registry.value(key=f"{key}\\{name}", name="")
        if isinstance(raw, Absent):
            raw = self._registry.value(key=f"{key}\\{name}\\00000000", name="Data")
        if isinstance(raw, Absent):
            return raw
        if isinstance(raw, Known) and isinstance(raw.value, bytes) and len(raw.value) == _FILETIME_SIZE:
            return int(struct.unpack("<Q", raw.value)[0])
        return None

    def _parent(self, instance: str) -> str:
        key = f"{ENUM}\\{instance}\\Properties\\{_TIMES}\\{_LAST_PARENT:04X}"
        raw = self._registry.value(key=key, name="")
        if not isinstance(raw, Known) or not isinstance(raw.value, bytes) or len(raw.value) % 2:
            return ""
        return raw.value.decode("utf-16-le", "replace").rstrip("\0")


def _number(name: str) -> int | None:
    try:
        return int(name, 16)
    except ValueError:
        return None


def _missing(reading: Reading[tuple[str, ...]]) -> Unknown:
    # No Windows is without the tree of its devices.
    return reading if isinstance(reading, Unknown) else Unknown(Cause.MALFORMED, "没有设备清单", ENUM)


def _gap(reading: object, what: str) -> Gap:
    cause = reading.cause if isinstance(reading, Unknown) else Cause.MALFORMED
    return Gap(cause, f"设备 {what}", what)


def _text(values: Mapping[str, RegistryValue], name: str) -> str:
    value = values.get(name)
    return value.strip() if isinstance(value, str) else ""


def _texts(values: Mapping[str, RegistryValue], name: str) -> tuple[str, ...]:
    value = values.get(name)
    return value if isinstance(value, tuple) else ((value,) if isinstance(value, str) and value else ())
