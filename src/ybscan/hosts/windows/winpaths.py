"""Paths of Windows as text: which of them name a file of a local disk, and nothing else.

Sources: "Naming Files, Paths, and Namespaces", "File Streams", "File System Redirector".
"""

from __future__ import annotations

import ntpath
import re
from collections.abc import Callable

_DRIVE = re.compile(r"^[A-Za-z]:\\")
#: Names of devices, in any folder and with any extension; the superscript digits are those of Latin-1.
_DEVICES = re.compile(
    r"^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9¹²³])\s*(?:[.:].*)?$", re.IGNORECASE
)
_FORBIDDEN = re.compile(r'[<>"|?*\x00-\x1f]')


_MAX_LINKS = 40


class PathError(ValueError):
    """What is wrong with a path, in Chinese."""


class RefusedError(Exception):
    """The way leads where nothing may be asked; the text says where."""


def plain(path: str) -> str:
    r"""``C:\…`` with single backslashes, without ``.`` and ``..``, and without the blanks and dots that Windows drops.

    Raises:
        PathError: it names no file of a drive: a device, a stream beside a file, a share, a relative path.
    """
    text = path.replace("/", "\\")
    if text.startswith("\\\\?\\") and _DRIVE.match(text[4:]):
        text = text[4:]
    if text.startswith("\\\\"):
        raise PathError("是网络路径或设备")
    if not _DRIVE.match(text):
        raise PathError("不是完整的路径")
    names: list[str] = []
    for name in text[3:].split("\\"):
        if name == "..":
            names = names[:-1]
            continue
        # Before the blanks and dots go: a device stays one with them.
        if _DEVICES.match(name):
            raise PathError("是设备名")
        if ":" in name:
            raise PathError("是文件的附加数据流")
        if _FORBIDDEN.search(name):
            raise PathError("含有文件名中不能有的字符")
        if stripped := name.rstrip(" ."):
            names.append(stripped)
    return text[:3] + "\\".join(names)


def long(path: str) -> str:
    r"""A plain path in the form that knows no limit of length: ``\\?\C:\…``."""
    return "\\\\?\\" + path


def shown(path: str) -> str:
    r"""A path as people write it: without the prefix that lifts the limit of length."""
    if path.startswith(("\\\\?\\UNC\\", "\\??\\UNC\\")):
        return "\\\\" + path[8:]
    return path[4:] if path.startswith(("\\\\?\\", "\\??\\")) else path


def unredirected(path: str, root: str) -> str:
    r"""For a 32-bit process on 64-bit Windows: the true System32 is called ``Sysnative`` there."""
    system = f"{root.rstrip(chr(92))}\\System32"
    if path.lower() == system.lower() or path.lower().startswith(system.lower() + "\\"):
        return ntpath.join(root.rstrip("\\"), "Sysnative") + path[len(system) :]
    return path


def followed(
    path: str, target_of: Callable[[str], str | None], is_remote: Callable[[str], bool], *, last: bool = True
) -> str:
    r"""Where ``path`` leads, every link followed; with ``last`` false, the link itself that it may end in.

    ``target_of`` gives what a link says (``C:\…``, ``\\server\…``, ``..\x``), None for what is none; ``is_remote`` tells
    whether a drive (``Z:``) is one of the network.

    Raises:
        PathError: it is no path of a drive, or leads round in a circle.
        RefusedError: the way leads to the network.
    """
    todo = plain(path)
    for _ in range(_MAX_LINKS):
        if is_remote(todo[:2].upper()):
            raise RefusedError(f"{path} 在网络驱动器上，未获准访问")
        here, names = todo[:3], [n for n in todo[3:].split("\\") if n]
        for n, name in enumerate(names):
            below = ntpath.join(here, name)
            target = target_of(below) if last or n < len(names) - 1 else None
            if target is not None:
                todo = plain("\\".join((_absolute(target, here, path).rstrip("\\"), *names[n + 1 :])))
                break
            here = below
        else:
            return here
    raise PathError("的链接绕成了圈，或层次过多")


def _absolute(target: str, folder: str, path: str) -> str:
    """The target of a link that lies in ``folder``: whole, on the folder's drive, or beside the link."""
    if target.startswith("\\\\"):
        raise RefusedError(f"{path} 指向网络路径，未获准访问")
    if target.startswith("\\"):
        return folder[:2] + target
    return target if target[1:2] == ":" else ntpath.join(folder, target)
