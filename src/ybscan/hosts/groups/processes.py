"""Running processes: names and images, never command lines (they may hold passwords or patients' names)."""

from __future__ import annotations

from dataclasses import dataclass

from ybscan.hosts.base import Group, question
from ybscan.model.reading import Reading


@dataclass(frozen=True, slots=True)
class Process:
    """One process. ``exe`` is empty for kernel threads and None when it could not be read."""

    pid: int
    ppid: int
    name: str
    exe: str | None
    uid: int | None
    user: str


class Processes(Group):
    """The process list."""

    name = "processes"

    @question
    def running(self) -> Reading[tuple[Process, ...]]:
        """All processes. A hidden part of the list leaves a gap.

        So does an image that could not be read; its gap's origin ends in ``/exe``, since the list of names is complete
        all the same.
        """
        return self.unsupported()
