"""Paths of programs as Windows and its registry write them. Pure."""

from __future__ import annotations

import re

from ybscan.hosts.groups.processes import Process
from ybscan.model.reading import Cause, Gap, Known

#: Where the variables in paths of programs lead on every Windows, the drive aside.
_FOLDERS = {
    "systemroot": "\\windows", "windir": "\\windows", "systemdrive": "", "programfiles": "\\program files",
    "programfiles(x86)": "\\program files (x86)", "programw6432": "\\program files", "programdata": "\\programdata",
    "allusersprofile": "\\programdata",
}  # fmt: skip


def base_name(path: str) -> str:
    """The file name of a path, in lower case, without quotes."""
    return path.strip().strip('"').replace("/", "\\").rsplit("\\", 1)[-1].lower()


def same_image(written: str, running: str) -> bool | None:
    """Whether ``written`` (as in a rule, with ``%SystemRoot%`` and the like) is the running image; None: perhaps.

    Two images of different file names are never the same, short names (``PROGRA~1``) aside.
    """
    a, b = base_name(written), base_name(running)
    if a != b:
        return None if "~" in a or "~" in b else False
    variable = re.match(r"%([^%]+)%", _plain(written))
    if variable is None:
        return True if _plain(written) == _plain(running) else None
    folder = _FOLDERS.get(variable[1])
    # The variables lead to the system's drive, which is C: on all but odd systems; the same path elsewhere is another file.
    return True if folder is not None and f"c:{folder}{_plain(written)[variable.end() :]}" == _plain(running) else None


def _plain(path: str) -> str:
    return path.strip().strip('"').replace("/", "\\").lower()


def name_gaps(running: Known[tuple[Process, ...]]) -> tuple[Gap, ...]:
    """The gaps of a process list that may hide a process: Windows lists every process, but not every image's path."""
    unread = sum(p.exe is None for p in running.value)
    denied = sum(g.cause is Cause.DENIED for g in running.gaps)
    return tuple(g for g in running.gaps if not (g.cause is Cause.DENIED and denied <= unread))
