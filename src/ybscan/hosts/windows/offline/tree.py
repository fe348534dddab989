"""The disk as a folder of this machine: the terminal's paths in any case, and nothing that leads out of it.

A disk under inspection is hostile data, and this machine may tell ``SYSTEM`` from ``system`` where Windows does not.
Links, junctions and mount points are not followed: their targets are paths of the terminal as Windows saw them, and a
driver for NTFS may have turned them into paths of this machine.
"""

from __future__ import annotations

import os
import re
import stat as st
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ybscan.hosts.common.entries import leads_away
from ybscan.hosts.common.errors import from_error
from ybscan.hosts.common.opening import READ_FLAGS
from ybscan.hosts.windows.hivefile import folded
from ybscan.hosts.windows.redact import holds_hashes
from ybscan.hosts.windows.winpaths import PathError, plain
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

T = TypeVar("T")

_CONFIG = ("Windows", "System32", "config")
_FOLDERS_KEPT = 4096
HIVES = ("SYSTEM", "SOFTWARE", "SAM", "SECURITY", "DEFAULT")


#: What an 8.3 name looks like: only the file system knows which long name it stands for.
_SHORT_NAME = re.compile(r"^[^.]{1,6}~\d{1,6}(?:\..{0,3})?$")


class _OddWayError(Exception):
    """The way to a path cannot be followed; ``reading`` says why."""

    def __init__(self, reading: Unknown) -> None:
        super().__init__(reading.detail)
        self.reading = reading


class WindowsTree:
    """The drive of Windows below ``root``. ``drive`` is its letter as Windows has it, known only after a look inside.

    ``whole``: a complete system (System32 with the hives SYSTEM and SOFTWARE). In anything less a file that is not there
    may well be on the terminal, so nothing is Absent, only Unknown(incomplete).
    """

    def __init__(self, root: Path) -> None:
        self._root = str(root.resolve())
        self._listed: dict[str, dict[str, tuple[str, ...]]] = {}
        self.drive = "C:"
        #: The hives may also lie in the folder itself, without the way to it.
        self.bare = not self._exists(_CONFIG)
        self.whole = not self.missing()

    def missing(self) -> tuple[str, ...]:
        """Which of the hives that no Windows is without are not in their place."""
        return tuple("\\".join((*_CONFIG, n)) for n in ("SYSTEM", "SOFTWARE") if not self._exists((*_CONFIG, n)))

    def has_hives(self) -> bool:
        """Whether any hive of the machine is there; in the folder itself a name alone is not enough."""
        if not self.bare:
            return any(self._exists((*_CONFIG, n)) for n in HIVES)
        heads = (self.read(self.hive_path(n), 4, cut=True) for n in HIVES)
        return any(isinstance(h, Known) and h.value == b"regf" for h in heads)

    def hive_path(self, name: str) -> str:
        """The path of one of :data:`HIVES`."""
        return f"{self.drive}\\{name}" if self.bare else "\\".join((self.drive, *_CONFIG, name))

    def closed(self, path: str) -> Unknown | None:
        """Unknown for a file of hashes or stored secrets, by whatever spelling of its path."""
        try:
            whole = plain(path)
        except PathError:
            return None
        bare = self.bare and whole[3:].partition(".")[0].upper() in ("SAM", "SECURITY")
        if bare or holds_hashes(whole):
            return Unknown(Cause.NOT_PERMITTED, f"{path} 含口令散列等机密，不读取原文", path)
        return None

    def ask(self, path: str, work: Callable[[str], Reading[T]]) -> Reading[T]:
        """What ``work`` answers for the file of this machine that ``path`` is; errors as readings."""
        try:
            if path.startswith(("\\\\", "//")) and not path.startswith("\\\\?\\"):
                return Unknown(Cause.UNSUPPORTED, f"{path} 在网络上", path)
            whole = plain(path)
            if whole[:2].upper() != self.drive:
                return Unknown(Cause.UNSUPPORTED, f"{path} 不在所检查的磁盘上", path)
            return work(self._resolved(tuple(n for n in whole[3:].split("\\") if n), path))
        except _OddWayError as e:
            return e.reading
        except PathError as e:
            return Unknown(Cause.MALFORMED, f"{path} {e}", path)
        except OSError as e:
            reading = from_error(e, path)
            if isinstance(reading, Absent) and not self.whole:
                return Unknown(Cause.INCOMPLETE, f"文件夹不是完整的系统盘，不能确定终端上有无 {path}", path)
            return reading
        except ValueError as e:  # such as a lone surrogate that the file system encoding refuses
            return Unknown(Cause.MALFORMED, f"{path}：{type(e).__name__}", path)

    def read(self, path: str, limit: int, *, cut: bool = False) -> Reading[bytes]:
        """The bytes of a regular file; more than ``limit`` is Unknown(too_large), or cut off."""

        def work(here: str) -> Reading[bytes]:
            with os.fdopen(os.open(here, READ_FLAGS), "rb") as f:
                if not st.S_ISREG(os.fstat(f.fileno()).st_mode):
                    return Unknown(Cause.MALFORMED, f"{path} 不是普通文件", path)
                data = f.read(limit if cut else limit + 1)
            if len(data) > limit:
                return Unknown(Cause.TOO_LARGE, f"{path}（上限 {limit // 1024} KiB）", path)
            return Known(data, path)

        return self.ask(path, work)

    def names(self, path: str) -> Reading[tuple[str, ...]]:
        """The names in a folder, sorted."""
        return self.ask(path, lambda here: Known(tuple(sorted(os.listdir(here))), path))  # noqa: PTH208 - names only

    def shown(self, here: str) -> str:
        """The terminal's name of a path of this machine, in the case in which it is written there."""
        below = here[len(self._root) :].strip(os.sep)
        return "\\".join((self.drive, *Path(below).parts)) if below else self.drive + "\\"

    # ------------------------------------------------------------------------------------------------------------

    def _exists(self, names: tuple[str, ...]) -> bool:
        try:
            os.lstat(self._resolved(names, ""))
        except (_OddWayError, OSError, ValueError):
            return False
        return True

    def _resolved(self, names: tuple[str, ...], shown: str) -> str:
        here = self._root
        for name in names:
            if not st.S_ISDIR(os.lstat(here).st_mode):
                raise NotADirectoryError(20, "not a folder")
            here = os.path.join(here, self._written(here, name, shown))  # noqa: PTH118 - surrogate-escaped names
            if leads_away(os.lstat(here)):
                raise _OddWayError(Unknown(Cause.UNSUPPORTED, f"{shown} 经过链接或重解析点，没有跟随", shown))
        return here

    def _written(self, folder: str, name: str, shown: str) -> str:
        """The name in the folder that Windows would take ``name`` for."""
        listed = self._listed.get(folder)
        if listed is None:
            found: dict[str, list[str]] = {}
            for entry in os.listdir(folder):  # noqa: PTH208
                found.setdefault(folded(entry), []).append(entry)
            if len(self._listed) >= _FOLDERS_KEPT:
                self._listed.clear()
            listed = self._listed[folder] = {k: tuple(v) for k, v in found.items()}
        hits = listed.get(folded(name), ())
        if name in hits:
            return name
        if len(hits) > 1:
            raise _OddWayError(Unknown(Cause.MALFORMED, f"{shown} 有多个只差大小写的同名文件", shown))
        if not hits and _SHORT_NAME.match(name):
            raise _OddWayError(Unknown(Cause.UNSUPPORTED, f"{shown} 是短文件名，无法对应到实际文件", shown))
        if not hits:
            raise FileNotFoundError(2, "no such file")
        return hits[0]
