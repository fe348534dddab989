"""What Windows this is, and with what rights we look.

RtlGetVersion rather than GetVersionEx: the latter tells a program without a manifest of Windows 8 whatever it runs on.
Sources: RtlGetVersion, TOKEN_ELEVATION, CheckTokenMembership, GetNativeSystemInfo, GetTickCount64.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
import os  # noqa: E402
import platform  # noqa: E402
import socket  # noqa: E402
import struct  # noqa: E402
import time  # noqa: E402
from ctypes import POINTER, byref, c_uint16, c_uint32, c_void_p  # noqa: E402
from functools import cache  # noqa: E402
from typing import ClassVar  # noqa: E402

from ybscan.hosts.groups.registry import Registry  # noqa: E402
from ybscan.hosts.groups.system import Identity, System, WindowsEdition  # noqa: E402
from ybscan.hosts.windows.edition import edition_of, identity_of, product_name  # noqa: E402
from ybscan.hosts.windows.live.dll import asked, function, last_error  # noqa: E402
from ybscan.hosts.windows.live.sids import Sid  # noqa: E402
from ybscan.hosts.windows.redact import masked  # noqa: E402
from ybscan.model.reading import Known, Reading  # noqa: E402

_TOKEN_QUERY = 0x8
_TOKEN_ELEVATION = 20
_ADMINISTRATORS = "S-1-5-32-544"
#: PROCESSOR_ARCHITECTURE_* of the system itself.
_ARCHITECTURES = {0: ("x86", 32), 5: ("ARM", 32), 6: ("IA64", 64), 9: ("AMD64", 64), 12: ("ARM64", 64)}


class _Version(ctypes.Structure):
    """RTL_OSVERSIONINFOEXW."""

    _fields_: ClassVar = [
        ("size", c_uint32), ("major", c_uint32), ("minor", c_uint32), ("build", c_uint32), ("platform", c_uint32),
        ("pack", ctypes.c_wchar * 128), ("pack_major", c_uint16), ("pack_minor", c_uint16), ("suite", c_uint16),
        ("product", ctypes.c_ubyte), ("reserved", ctypes.c_ubyte),
    ]  # fmt: skip


class _SystemInfo(ctypes.Structure):
    """SYSTEM_INFO."""

    _fields_: ClassVar = [
        ("architecture", c_uint16), ("reserved", c_uint16), ("page", c_uint32), ("lowest", c_void_p), ("highest", c_void_p),
        ("mask", c_void_p), ("count", c_uint32), ("kind", c_uint32), ("granularity", c_uint32), ("level", c_uint16),
        ("revision", c_uint16),
    ]  # fmt: skip


class LiveSystem(System):
    """Names and editions come from the registry, the build from the kernel."""

    def __init__(self, registry: Registry) -> None:
        super().__init__("Windows 不提供这一信息")
        self._registry = registry

    def identity(self) -> Reading[Identity]:
        def work() -> Reading[Identity]:
            edition = edition_of(self._registry, _version().build)
            # The record has to say what terminal it is about, also when the edition is denied.
            known = edition.value if isinstance(edition, Known) else _unnamed(_version())
            return Known(
                identity_of(self._registry, known, arch=_native()[0], hostname=socket.gethostname()), "RtlGetVersion"
            )

        return asked(work, "RtlGetVersion")

    def windows(self) -> Reading[WindowsEdition]:
        return asked(lambda: edition_of(self._registry, _version().build), "RtlGetVersion")

    def elevated(self) -> Reading[bool]:
        return asked(lambda: Known(_elevated_token() and _is_administrator(), "TokenElevation"), "TokenElevation")

    def bits(self) -> Reading[tuple[int, int]]:
        return asked(lambda: Known((process_bits(), _native()[1]), "GetNativeSystemInfo"), "GetNativeSystemInfo")

    def boot_time(self) -> Reading[float]:
        def work() -> Reading[float]:
            ticks = function("kernel32", "GetTickCount64", ctypes.c_uint64)()
            return Known(float(round(time.time() - ticks / 1000)), "GetTickCount64")

        return asked(work, "GetTickCount64")

    def environment(self, *, names: tuple[str, ...]) -> Reading[dict[str, str]]:
        # Names compare without regard to case; they are given back as they were asked for.
        return Known({n: masked(os.environ[n]) for n in names if n in os.environ}, "environment")


def process_bits() -> int:
    """Bits of this process."""
    return struct.calcsize("P") * 8


def native_bits() -> int:
    """Bits of the system."""
    return _native()[1]


def _version() -> _Version:
    version = _Version(size=ctypes.sizeof(_Version))
    if function("ntdll", "RtlGetVersion", c_uint32, POINTER(_Version))(byref(version)):
        raise last_error("RtlGetVersion")
    return version


def _unnamed(version: _Version) -> WindowsEdition:
    server = "Server" if version.product in (2, 3) else "Client"
    return WindowsEdition(version.build, 0, "", server, product_name(version.build, "", server, "", version.pack))


@cache
def _native() -> tuple[str, int]:
    info = _SystemInfo()
    function("kernel32", "GetNativeSystemInfo", None, POINTER(_SystemInfo))(byref(info))
    return _ARCHITECTURES.get(info.architecture, (platform.machine(), process_bits()))


def _elevated_token() -> bool:
    """Whether this process' token is an elevated one; with user account control off, that of any administrator is."""
    token, elevation, size = c_void_p(), c_uint32(), c_uint32()
    this = function("kernel32", "GetCurrentProcess", c_void_p)()
    opened = function("advapi32", "OpenProcessToken", ctypes.c_int, c_void_p, c_uint32, POINTER(c_void_p))
    ask = function(
        "advapi32", "GetTokenInformation", ctypes.c_int, c_void_p, c_uint32, c_void_p, c_uint32, POINTER(c_uint32)
    )
    if not opened(this, _TOKEN_QUERY, byref(token)):
        raise last_error("OpenProcessToken")
    try:
        if not ask(token, _TOKEN_ELEVATION, byref(elevation), 4, byref(size)):
            raise last_error("TokenElevation")
    finally:
        function("kernel32", "CloseHandle", ctypes.c_int, c_void_p)(token)
    return elevation.value != 0


def _is_administrator() -> bool:
    """Whether the administrators' group is in effect for us: of a filtered token it only serves to deny."""
    member = ctypes.c_int()
    check = function("advapi32", "CheckTokenMembership", ctypes.c_int, c_void_p, c_void_p, POINTER(ctypes.c_int))
    with Sid(_ADMINISTRATORS) as sid:
        if not check(None, sid, byref(member)):
            raise last_error("CheckTokenMembership")
    return member.value != 0
