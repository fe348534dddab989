"""Services and drivers of the running system: set-up from the registry, states from the service control manager.

Sources: EnumServicesStatusExW, ENUM_SERVICE_STATUS_PROCESSW, SERVICE_STATUS_PROCESS.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
from ctypes import POINTER, byref, c_uint32, c_void_p, c_wchar_p  # noqa: E402

from ybscan.hosts.groups.registry import Registry  # noqa: E402
from ybscan.hosts.groups.services import ServiceConfig, Services, ServiceState  # noqa: E402
from ybscan.hosts.windows.live.dll import WORD, asked, function, last_error  # noqa: E402
from ybscan.hosts.windows.memory import Memory  # noqa: E402
from ybscan.hosts.windows.services import configured  # noqa: E402
from ybscan.hosts.windows.servicestates import service_states  # noqa: E402
from ybscan.model.reading import Cause, Known, Reading, Unknown  # noqa: E402

_ORIGIN = "EnumServicesStatusEx"
_CONNECT_AND_ENUMERATE = 0x1 | 0x4
_ALL_SERVICES_AND_DRIVERS = 0x3B
_ALL_STATES = 3
_MORE_DATA = 234
_ROOM = 256 * 1024
"""Bytes: the most that one call fills."""


class LiveServices(Services):
    """Asking needs no right beyond what every user has, except for single services whose list entry is hidden."""

    def __init__(self, registry: Registry) -> None:
        super().__init__()
        self._registry = registry

    def configured(self) -> Reading[tuple[ServiceConfig, ...]]:
        return configured(self._registry)

    def states(self) -> Reading[tuple[ServiceState, ...]]:
        return asked(_states, _ORIGIN)


def _states() -> Reading[tuple[ServiceState, ...]]:
    open_manager = function("advapi32", "OpenSCManagerW", c_void_p, c_wchar_p, c_wchar_p, c_uint32)
    close = function("advapi32", "CloseServiceHandle", ctypes.c_int, c_void_p)
    manager = open_manager(None, None, _CONNECT_AND_ENUMERATE)
    if not manager:
        raise last_error("OpenSCManager")
    try:
        found = _listed(manager)
    finally:
        close(manager)
    if not found:
        # No Windows runs without services.
        return Unknown(Cause.UNAVAILABLE, "系统没有给出任何服务", _ORIGIN)
    return Known(tuple(sorted(found, key=lambda s: s.name)), _ORIGIN)


def _listed(manager: int) -> list[ServiceState]:
    ask = function(
        "advapi32", "EnumServicesStatusExW", ctypes.c_int, c_void_p, c_uint32, c_uint32, c_uint32, c_void_p, c_uint32,
        POINTER(c_uint32), POINTER(c_uint32), POINTER(c_uint32), c_wchar_p,
    )  # fmt: skip
    found: dict[str, ServiceState] = {}
    buffer = ctypes.create_string_buffer(_ROOM)
    resume = c_uint32()
    while True:
        needed, count = c_uint32(), c_uint32()
        done = ask(
            manager, 0, _ALL_SERVICES_AND_DRIVERS, _ALL_STATES, buffer, _ROOM, byref(needed), byref(count), byref(resume),
            None,
        )  # fmt: skip
        if not done and ctypes.get_last_error() != _MORE_DATA:
            raise last_error(_ORIGIN)
        memory = Memory(buffer.raw, ctypes.addressof(buffer), WORD)
        for state in service_states(memory, count.value):
            found[state.name] = state
        # Nothing more came although there is more: the list would be short, and nobody would know.
        if not done and not count.value:
            raise last_error(_ORIGIN)
        if done:
            return list(found.values())
