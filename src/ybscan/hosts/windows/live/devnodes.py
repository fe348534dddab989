"""Device nodes of the running system, present and past, from SetupAPI and the configuration manager."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
import uuid  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from typing import ClassVar  # noqa: E402

from ybscan.hosts.groups.devices import Device  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.devids import class_guid, plain_name  # noqa: E402
from ybscan.hosts.windows.live.dll import INVALID_HANDLE, function, last_error  # noqa: E402
from ybscan.hosts.windows.memory import filetime, fixed_wide, multi_wide  # noqa: E402
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown  # noqa: E402

_ALL_CLASSES, _PRESENT, _DEVICE_INTERFACE = 0x4, 0x2, 0x10
_NO_MORE, _INVALID_DATA, _NOT_FOUND, _TOO_SMALL = 259, 13, 1168, 122
_NO_SUCH_DEVINST, _NO_SUCH_VALUE = 0x0D, 0x25
_CR_SMALL = 0x1A
_DESCRIPTION, _HARDWARE_ID, _COMPATIBLE_IDS, _SERVICE, _CLASS_GUID, _FRIENDLY_NAME = 0, 1, 2, 4, 8, 0x0C
_HAS_PROBLEM = 0x400
#: CM_PROB_PHANTOM: only remembered, not there.
_PHANTOM = 45
_TYPE_FILETIME = 0x10
_MAX_NODES = 100_000
_MAX_PROPERTY = 64 * 1024
_DATES = uuid.UUID("{83da6326-97a6-4088-9453-a1923f573b29}")
_FIRST_INSTALL, _LAST_ARRIVAL, _LAST_REMOVAL = 101, 102, 103


class Guid(ctypes.Structure):
    """GUID of guiddef.h."""

    _fields_: ClassVar = [("data", ctypes.c_ubyte * 16)]

    @classmethod
    def of(cls, text: str) -> Guid:
        """The GUID written as ``text``."""
        return cls((ctypes.c_ubyte * 16)(*uuid.UUID(text).bytes_le))


class DeviceInfo(ctypes.Structure):
    """SP_DEVINFO_DATA of setupapi.h."""

    _fields_: ClassVar = [
        ("size", ctypes.c_uint32), ("guid", Guid), ("node", ctypes.c_uint32), ("reserved", ctypes.c_size_t),
    ]  # fmt: skip


class InterfaceData(ctypes.Structure):
    """SP_DEVICE_INTERFACE_DATA of setupapi.h."""

    _fields_: ClassVar = [
        ("size", ctypes.c_uint32), ("guid", Guid), ("flags", ctypes.c_uint32), ("reserved", ctypes.c_size_t),
    ]  # fmt: skip


class PropertyKey(ctypes.Structure):
    """DEVPROPKEY of devpropdef.h."""

    _fields_: ClassVar = [("guid", Guid), ("id", ctypes.c_uint32)]


@dataclass(frozen=True, slots=True)
class DeviceInterface:
    """A way to open a device: the path for CreateFile, and the instance id of its node."""

    path: str
    instance: str


@contextmanager
def _listed(guid: str, enumerator: str, flags: int) -> Iterator[int]:
    """A device information set.

    Raises:
        NotReadError: SetupAPI refuses.
    """
    origin = "SetupDiGetClassDevs"
    make = function(
        "setupapi", "SetupDiGetClassDevsW", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_void_p,
        ctypes.c_uint32,
    )  # fmt: skip
    destroy = function("setupapi", "SetupDiDestroyDeviceInfoList", ctypes.c_int, ctypes.c_void_p)
    handle = make(ctypes.byref(Guid.of(guid)) if guid else None, enumerator or None, None, flags)
    if handle in (None, INVALID_HANDLE):
        raise last_error(origin)
    try:
        yield handle
    finally:
        destroy(handle)


def nodes(*, guid: str = "", enumerator: str = "") -> Reading[tuple[Device, ...]]:
    """All nodes of a setup class or an enumerator, present or not, sorted by instance id.

    Raises:
        NotReadError: SetupAPI refuses.
    """
    origin = "SetupAPI"
    found: dict[str, Device] = {}
    gaps: dict[Gap, None] = {}
    step = function(
        "setupapi", "SetupDiEnumDeviceInfo", ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p
    )
    try:
        with _listed(guid, enumerator, 0 if guid else _ALL_CLASSES) as handle:
            for i in range(_MAX_NODES):
                info = DeviceInfo(size=ctypes.sizeof(DeviceInfo))
                if not step(handle, i, ctypes.byref(info)):
                    if ctypes.get_last_error() != _NO_MORE:
                        raise last_error(origin)
                    break
                try:
                    device = _device(handle, info)
                except NotReadError as e:
                    gaps[e.reading.as_gap()] = None
                    continue
                found.setdefault(device.instance.upper(), device)
            else:
                gaps[Gap(Cause.TOO_LARGE, f"设备超过 {_MAX_NODES} 个", origin)] = None
    except NotReadError as e:
        # An enumerator under which nothing was ever seen has no key, and SetupAPI says so.
        if enumerator and e.code in (_INVALID_DATA, 2):
            return Known((), origin)
        raise
    return Known(tuple(found[k] for k in sorted(found)), origin, tuple(gaps))


def _device(handle: int, info: DeviceInfo) -> Device:
    instance = _instance(info.node)
    texts = {n: _text(handle, info, n) for n in (_FRIENDLY_NAME, _DESCRIPTION, _SERVICE, _CLASS_GUID)}
    present, problem = _status(info.node)
    first, dated = _date(info.node, _FIRST_INSTALL)
    arrival, _ = _date(info.node, _LAST_ARRIVAL)
    removal, _ = _date(info.node, _LAST_REMOVAL)
    return Device(
        instance=instance, name=plain_name(texts[_FRIENDLY_NAME]) or plain_name(texts[_DESCRIPTION]),
        class_guid=class_guid(texts[_CLASS_GUID]), service=texts[_SERVICE], parent=_parent(info.node),
        hardware_ids=_texts(handle, info, _HARDWARE_ID), compatible_ids=_texts(handle, info, _COMPATIBLE_IDS),
        present=present, problem=problem, dated=dated, first_install=first, last_arrival=arrival, last_removal=removal,
    )  # fmt: skip


def _instance(node: int) -> str:
    call = function(
        "cfgmgr32", "CM_Get_Device_IDW", ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32,
        ctypes.c_uint32,
    )  # fmt: skip
    buffer = ctypes.create_string_buffer(2 * 512)
    code = call(node, buffer, 511, 0)
    text = fixed_wide(buffer.raw)
    if code or not text:
        raise NotReadError(Unknown(Cause.UNAVAILABLE, f"有设备的实例标识无法读取（代码 {code}）", "CM_Get_Device_ID"))
    return text


def _parent(node: int) -> str:
    call = function(
        "cfgmgr32", "CM_Get_Parent", ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint32), ctypes.c_uint32, ctypes.c_uint32
    )
    parent = ctypes.c_uint32()
    if call(ctypes.byref(parent), node, 0):
        return ""  # a node that is not there has no parent in the tree
    try:
        return _instance(parent.value)
    except NotReadError:
        return ""


def _status(node: int) -> tuple[bool | None, int | None]:
    """Whether the node is there now, and its problem code."""
    call = function(
        "cfgmgr32", "CM_Get_DevNode_Status", ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint32),
        ctypes.POINTER(ctypes.c_uint32), ctypes.c_uint32, ctypes.c_uint32,
    )  # fmt: skip
    status, problem = ctypes.c_uint32(), ctypes.c_uint32()
    code = call(ctypes.byref(status), ctypes.byref(problem), node, 0)
    if code == _NO_SUCH_DEVINST:
        return False, None
    if code:
        return None, None
    number = problem.value if status.value & _HAS_PROBLEM else 0
    return (False, None) if number == _PHANTOM else (True, number)


def _raw(handle: int, info: DeviceInfo, number: int) -> bytes:
    """A property of the registry; empty where the node has none.

    Raises:
        NotReadError: there is one, and it cannot be read.
    """
    origin = "SetupDiGetDeviceRegistryProperty"
    call = function(
        "setupapi", f"{origin}W", ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p,
        ctypes.c_void_p, ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint32),
    )  # fmt: skip
    size = 2048
    for _ in range(4):
        buffer, needed = ctypes.create_string_buffer(size), ctypes.c_uint32()
        if call(handle, ctypes.byref(info), number, None, buffer, size, ctypes.byref(needed)):
            return buffer.raw[: min(needed.value, size)]
        code = ctypes.get_last_error()
        if code in (_INVALID_DATA, _NOT_FOUND, 2):
            return b""
        if code != _TOO_SMALL or not size < needed.value <= _MAX_PROPERTY:
            break
        size = needed.value
    raise last_error(origin)


def _text(handle: int, info: DeviceInfo, number: int) -> str:
    return fixed_wide(_raw(handle, info, number))


def _texts(handle: int, info: DeviceInfo, number: int) -> tuple[str, ...]:
    return multi_wide(_raw(handle, info, number))


def _date(node: int, number: int) -> tuple[float | None, bool]:
    """A date of the node, and whether it could be asked for at all."""
    try:
        call = function(
            "cfgmgr32", "CM_Get_DevNode_PropertyW", ctypes.c_uint32, ctypes.c_uint32, ctypes.POINTER(PropertyKey),
            ctypes.POINTER(ctypes.c_uint32), ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint32), ctypes.c_uint32,
        )  # fmt: skip
    except NotReadError:
        return None, False
    key = PropertyKey(Guid.of(str(_DATES)), number)
    sort, buffer, size = ctypes.c_uint32(), ctypes.create_string_buffer(8), ctypes.c_uint32(8)
    code = call(node, ctypes.byref(key), ctypes.byref(sort), buffer, ctypes.byref(size), 0)
    if code == _NO_SUCH_VALUE:
        return None, True
    if code or sort.value != _TYPE_FILETIME or size.value != 8:
        return None, False
    return filetime(int.from_bytes(buffer.raw, "little")), True


def device_interfaces(guid: str) -> tuple[list[DeviceInterface], list[Gap]]:
    """The interfaces of a class that are there now.

    Raises:
        NotReadError: SetupAPI refuses.
    """
    origin = "SetupDiEnumDeviceInterfaces"
    step = function(
        "setupapi", origin, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32,
        ctypes.c_void_p,
    )  # fmt: skip
    detail = function(
        "setupapi", "SetupDiGetDeviceInterfaceDetailW", ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p,
        ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint32), ctypes.c_void_p,
    )  # fmt: skip
    found: list[DeviceInterface] = []
    gaps: list[Gap] = []
    wanted = Guid.of(guid)
    with _listed(guid, "", _PRESENT | _DEVICE_INTERFACE) as handle:
        for i in range(_MAX_NODES):
            data = InterfaceData(size=ctypes.sizeof(InterfaceData))
            if not step(handle, None, ctypes.byref(wanted), i, ctypes.byref(data)):
                if ctypes.get_last_error() != _NO_MORE:
                    raise last_error(origin)
                break
            buffer, needed = ctypes.create_string_buffer(4096), ctypes.c_uint32()
            # SP_DEVICE_INTERFACE_DETAIL_DATA_W: its own size (6 on 32 bits, 8 on 64), then the path.
            ctypes.c_uint32.from_buffer(buffer).value = 8 if ctypes.sizeof(ctypes.c_void_p) == 8 else 6
            info = DeviceInfo(size=ctypes.sizeof(DeviceInfo))
            if not detail(handle, ctypes.byref(data), buffer, 4096, ctypes.byref(needed), ctypes.byref(info)):
                gaps.append(last_error(origin).reading.as_gap())
                continue
            try:
                found.append(DeviceInterface(fixed_wide(buffer.raw[4:]), _instance(info.node)))
            except NotReadError as e:
                gaps.append(e.reading.as_gap())
    return found, gaps
