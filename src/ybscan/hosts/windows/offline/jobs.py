"""Scheduled tasks of a Windows that does not run, from their files.

Source: "Task Scheduler Service": each task is a file of its path below ``System32\\Tasks``. When it last ran stands in
the registry in a form that is not documented: that is not told.
"""

from __future__ import annotations

from ybscan.hosts.groups.jobs import Jobs, Task
from ybscan.hosts.windows.offline import LIVE
from ybscan.hosts.windows.offline.tree import WindowsTree
from ybscan.hosts.windows.taskxml import TASK_LIMIT, parse_task
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

_COUNT = 5000
_DEPTH = 16


class OfflineJobs(Jobs):
    """Every file below ``System32\\Tasks``; one that is no task leaves a gap."""

    def __init__(self, tree: WindowsTree) -> None:
        super().__init__(LIVE)
        self._tree = tree

    def tasks(self) -> Reading[tuple[Task, ...]]:
        top = f"{self._tree.drive}\\Windows\\System32\\Tasks"
        listed = self._tree.names(top)
        if not isinstance(listed, Known):
            return listed if isinstance(listed, Unknown) else Unknown(Cause.INCOMPLETE, f"其中没有 {top}", top)
        found: list[Task] = []
        gaps: list[Gap] = []
        todo = [("", listed.value, 0)]
        while todo:
            folder, names, depth = todo.pop()
            for name in names:
                path = f"{folder}\\{name}"
                if len(found) + len(gaps) >= _COUNT:
                    return Known(_sorted(found), top, (*gaps, Gap(Cause.TOO_LARGE, f"计划任务超过 {_COUNT} 个", top)))
                below = self._tree.names(top + path) if depth < _DEPTH else Unknown(Cause.TOO_LARGE, path)
                if isinstance(below, Known):
                    todo.append((path, below.value, depth + 1))
                    continue
                raw = self._tree.read(top + path, TASK_LIMIT)
                task = parse_task(raw.value, path=path) if isinstance(raw, Known) else raw
                if isinstance(task, Known):
                    found.append(task.value)
                elif not isinstance(task, Absent):
                    gaps.append(Gap(task.cause, f"计划任务 {path}", top + path))
        return Known(_sorted(found), top, tuple(gaps))


def _sorted(tasks: list[Task]) -> tuple[Task, ...]:
    return tuple(sorted(tasks, key=lambda t: t.path))
