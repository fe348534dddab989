"""Paths of Windows and their parts.

Sources: "Naming Files, Paths, and Namespaces" of the Windows documentation.
"""

from __future__ import annotations

import re

from ybscan.model.reading import Cause

_DRIVE = re.compile(r"^(?:\\\\\?\\|\\\?\?\\)?([A-Za-z]):[\\/]?(.*)$", re.DOTALL)
#: What an 8.3 name looks like: only the file system knows which long name it stands for.
SHORT_NAME = re.compile(r"^[^.]{1,6}~\d{1,6}(?:\..{0,3})?$")
_ILLEGAL = re.compile(r'[\x00-\x1f<>:"|?*]')


class PathError(ValueError):
    """No path of a local drive. ``cause`` and ``args[0]`` say why."""

    def __init__(self, detail: str, cause: Cause = Cause.MALFORMED) -> None:
        super().__init__(detail)
        self.cause = cause


def split_path(path: str) -> tuple[str, tuple[str, ...]]:
    """The drive (``C:``) and the names below it, dots resolved and trailing blanks and dots dropped as Windows does.

    Raises:
        PathError: the path is relative, on another machine, or holds what no name can hold.
    """
    if path.startswith(("\\\\", "//")) and not path.startswith("\\\\?\\"):
        raise PathError(f"{path} 在网络上", Cause.UNSUPPORTED)
    found = _DRIVE.match(path)
    if found is None:
        raise PathError(f"{path} 不是完整的路径")
    names: list[str] = []
    for part in re.split(r"[\\/]", found[2]):
        if part == "..":
            del names[-1:]
            continue
        name = part.rstrip(" .")
        if not name:
            continue
        if _ILLEGAL.search(name):
            raise PathError(f"{path} 中有不能用于文件名的字符")
        names.append(name)
    return f"{found[1].upper()}:", tuple(names)
