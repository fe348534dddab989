"""Where a path of the running system lies: links, substituted and mapped drives, mounted folders, volumes, disks.

No network path is opened here. Links are followed by hand, and not beyond the point where one leads to the network.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
import ntpath  # noqa: E402
import os  # noqa: E402
import re  # noqa: E402
from dataclasses import dataclass  # noqa: E402

from ybscan.hosts.common.entries import leads_away  # noqa: E402
from ybscan.hosts.windows import netpaths  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live import letters  # noqa: E402
from ybscan.hosts.windows.live.dll import function, last_error  # noqa: E402
from ybscan.hosts.windows.memory import fixed_wide  # noqa: E402
from ybscan.model.reading import Cause, Unknown  # noqa: E402

_MAX_STEPS = 40
_VOLUME = re.compile(r"^(\\\\\?\\Volume\{[0-9a-f-]{36}\})(\\.*)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Spot:
    """What a path comes to. Either ``unc`` (``\\\\server\\share``) or ``root`` (``C:\\`` or ``\\\\?\\Volume{…}\\``) is set."""

    path: str
    """The path with substitutions and links undone as far as they lead."""
    root: str = ""
    unc: str = ""
    server: str = ""
    layers: tuple[str, ...] = ()


def _unknown(detail: str, origin: str, cause: Cause = Cause.UNAVAILABLE) -> NotReadError:
    return NotReadError(Unknown(cause, detail, origin))


def locate(path: str) -> Spot:
    """Follow the path to a volume or a share.

    Raises:
        NotReadError: it is no full path, its drive is not there, or where it leads cannot be told.
    """
    here = netpaths.plain(path)
    layers: list[str] = []
    for _ in range(_MAX_STEPS):
        network = netpaths.unc_of(here)
        if network is not None:
            server, share = network
            return Spot(here, "", f"\\\\{server}\\{share}", server, tuple(dict.fromkeys(layers)))
        if volume := _VOLUME.match(here):
            root, rest = f"{volume[1]}\\", (volume[2] or "\\")[1:]
        elif re.match(r"^[A-Za-z]:\\", here):
            letter, rest = here[:2].upper(), here[3:]
            beyond = _beyond(letter, path)
            if beyond:
                layers.append("subst" if not beyond.startswith("\\\\") else letter)
                here = netpaths.plain(ntpath.join(beyond, rest) if rest else beyond)
                continue
            root = f"{letter}\\"
        else:
            raise _unknown(f"“{path}”不是完整的路径", path, Cause.MALFORMED)
        followed = _followed(root, rest, path)
        if followed is None:
            return Spot(root + rest, root, "", "", tuple(dict.fromkeys(layers)))
        here = netpaths.plain(followed)
    raise _unknown(f"{path} 的链接层次过多", path)


def _beyond(letter: str, path: str) -> str:
    """The path that a letter stands for: of a substituted or a mapped drive; empty for a drive of its own."""
    try:
        device = letters.device_behind(letter)
    except NotReadError as e:
        if e.code == 2:
            raise _unknown(f"没有盘符 {letter}（可能是未接入的磁盘，或其他登录会话映射的网络盘）", path) from None
        raise
    if device.startswith("\\??\\") and not letters.is_volume_path(device):
        return netpaths.plain(device)
    if netpaths.is_network_device(device) or letters.drive_type(f"{letter}\\") == letters.REMOTE:
        return netpaths.unc_of_device(device) or _connection(letter, path)
    return ""


def _connection(letter: str, path: str) -> str:
    """``\\\\server\\share`` of a mapped drive, as the workstation service remembers it."""
    call = function(
        "mpr", "WNetGetConnectionW", ctypes.c_uint32, ctypes.c_wchar_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint32)
    )
    buffer, size = ctypes.create_string_buffer(2 * 1024), ctypes.c_uint32(1023)
    code = call(letter, buffer, ctypes.byref(size))
    remote = fixed_wide(buffer.raw)
    if code or netpaths.unc_of(remote) is None:
        raise _unknown(f"{letter} 是网络盘，但系统没有给出它在哪台机器上（错误 {code}）", path)
    return remote


def _followed(root: str, rest: str, path: str) -> str | None:
    """The path behind the first link on the way; None when there is no link."""
    here = root
    parts = [p for p in rest.split("\\") if p]
    for n, part in enumerate(parts):
        here = ntpath.join(here, part)
        try:
            s = os.lstat(netpaths.extended(here))
        except FileNotFoundError:
            return None  # nothing below what is not there
        except OSError as e:
            if e.errno == 13:
                raise _unknown(here, path, Cause.DENIED) from None
            raise
        if not leads_away(s):
            continue
        target = os.readlink(netpaths.extended(here))  # noqa: PTH115
        if not ntpath.isabs(target) and not target.startswith("\\??\\"):
            target = ntpath.join(ntpath.dirname(here), target)
        return ntpath.join(target, *parts[n + 1 :]) if parts[n + 1 :] else target
    return None


def volume_of(root: str) -> str:
    """``\\\\?\\Volume{…}`` of a root, without the last backslash; ``\\\\.\\C:`` where the system gives no such name.

    Raises:
        NotReadError: there is no such volume.
    """
    if _VOLUME.match(root):
        return root.rstrip("\\")
    call = function(
        "kernel32",
        "GetVolumeNameForVolumeMountPointW",
        ctypes.c_int,
        ctypes.c_wchar_p,
        ctypes.c_void_p,
        ctypes.c_uint32,
    )
    buffer = ctypes.create_string_buffer(2 * 128)
    if call(root, buffer, 127):
        name = fixed_wide(buffer.raw)
        if _VOLUME.match(name):
            return name.rstrip("\\")
    return f"\\\\.\\{root[:2]}"


def file_system(root: str) -> str:
    """The name of the file system, such as ``NTFS``.

    Raises:
        NotReadError: the volume does not say (no medium, not formatted).
    """
    call = function(
        "kernel32", "GetVolumeInformationW", ctypes.c_int, ctypes.c_wchar_p, ctypes.c_void_p, ctypes.c_uint32,
        ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32,
    )  # fmt: skip
    buffer = ctypes.create_string_buffer(2 * 64)
    if not call(root, None, 0, None, None, None, buffer, 63):
        raise last_error(root)
    return fixed_wide(buffer.raw)
