"""Paths of backup places as the site file writes them, on either system. Pure.

On Windows a place is ``D:\\backup\\his`` or ``\\\\server\\share\\his``; ``D:backup`` and ``\\backup`` depend on where a
program stands, and ``\\\\?\\…`` and ``\\\\.\\…`` name devices: neither is a place that everybody understands alike.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath

from ybscan.hosts.base import Os

_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
_SHARE = re.compile(r"^\\\\(?![?.][\\/])[^\\/]+[\\/]+[^\\/]+")
_SYSTEM = {"linux": "Linux", "windows": "Windows"}


def is_absolute(path: str, system: Os) -> bool:
    """Whether the path is complete for that system."""
    if system == "linux":
        return path.startswith("/")
    return bool(_DRIVE.match(path) or _SHARE.match(path))


def why_not(path: str, system: Os) -> str:
    """The Chinese sentence for a path that is not."""
    return f"{path} 不是 {_SYSTEM[system]} 的绝对路径"


def is_share(path: str) -> bool:
    """Whether a Windows path lies on a network share by its own words."""
    return bool(_SHARE.match(path))


def is_windows(path: str) -> bool:
    """Whether the path is written the Windows way."""
    return bool(_DRIVE.match(path) or _SHARE.match(path))


def clean(path: str) -> str:
    """The path as one spelling: no double, closing or dot components."""
    if is_windows(path):
        return str(PureWindowsPath(path)).rstrip("\\") + ("\\" if len(path.rstrip("\\/")) == 2 else "")
    return str(PurePosixPath("/" + path.lstrip("/")))


def joined(folder: str, name: str) -> str:
    """An entry of a folder; ``name`` may hold further folders, parted by either stroke."""
    if is_windows(folder):
        return f"{folder.rstrip(chr(92))}\\{name.replace('/', chr(92))}"
    return f"{folder}/{name}"


def same(a: str, b: str) -> bool:
    """Whether two clean paths are one folder by their words; Windows does not tell letter cases apart."""
    return a == b or (is_windows(a) and a.casefold() == b.casefold())


def drive(path: str) -> str:
    """``D:`` or ``\\\\server\\share`` of a Windows path."""
    return PureWindowsPath(path).drive
