"""Paths of programs as Windows and its registry write them. Pure."""

from __future__ import annotations

import re

from ybscan.hosts.groups.processes import Process
from ybscan.model.reading import Cause, Gap, Known

#: Where the environment variables of paths usually lead; the drive may be another.
_VARIABLE = re.compile(
    r"^(?:%[^%\\]+%|[a-z]:\\windows|[a-z]:\\program files(?: \(x86\))?|[a-z]:\\programdata)\\", re.IGNORECASE
)


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
    tails = [_VARIABLE.sub("", p.strip().strip('"').replace("/", "\\")).lower() for p in (written, running)]
    return True if tails[0] == tails[1] else None


def name_gaps(running: Known[tuple[Process, ...]]) -> tuple[Gap, ...]:
    """The gaps of a process list that may hide a process: Windows lists every process, but not every image's path."""
    unread = sum(p.exe is None for p in running.value)
    denied = sum(g.cause is Cause.DENIED for g in running.gaps)
    return tuple(g for g in running.gaps if not (g.cause is Cause.DENIED and denied <= unread))
