"""Scheduled tasks of a Windows that does not run, from their files.

Source: "Task Scheduler Service": each task is a file of its path below ``System32\\Tasks``, and a key below ``TaskCache``
without which it is none. When it last ran stands there too, in a form that is not documented: that is not told.
"""

from __future__ import annotations

from dataclasses import replace

from ybscan.hosts.groups.jobs import Jobs, Task
from ybscan.hosts.groups.registry import Registry
from ybscan.hosts.windows.offline import LIVE
from ybscan.hosts.windows.offline.tree import WindowsTree
from ybscan.hosts.windows.taskxml import TASK_LIMIT, parse_task
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

_TREE = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Schedule\TaskCache\Tree"
_COUNT = 5000
_DEPTH = 16


class OfflineJobs(Jobs):
    """Every file below ``System32\\Tasks``. One that is no task leaves a gap, and so does a task without a file.

    A file that Windows has not registered is no task that could run: it counts as switched off.
    """

    def __init__(self, tree: WindowsTree, registry: Registry) -> None:
        super().__init__(LIVE)
        self._tree = tree
        self._registry = registry

    def tasks(self) -> Reading[tuple[Task, ...]]:
        files = self._files()
        registered = self._registered()
        if not isinstance(files, Known) or registered is None:
            return files
        paths = {t.path.lower() for t in files.value} | {g.detail.partition(" ")[2].lower() for g in files.gaps}
        missing = [p for p in registered if p not in paths]
        gaps = tuple(Gap(Cause.INCOMPLETE, f"计划任务 {p} 没有定义文件", _TREE) for p in missing)
        tasks = tuple(t if t.path.lower() in registered else replace(t, enabled=False) for t in files.value)
        return Known(tasks, files.origin, files.gaps + gaps)

    def _registered(self) -> tuple[str, ...] | None:
        """The paths of the tasks that Windows knows, lower case; None where the registry does not tell."""
        found: list[str] = []
        todo = [""]
        while todo:
            folder = todo.pop()
            below = self._registry.subkeys(key=_TREE + folder)
            task = self._registry.value(key=_TREE + folder, name="Id")
            if not isinstance(below, Known) or isinstance(task, Unknown) or len(found) + len(todo) > _COUNT:
                return None
            if isinstance(task, Known):
                found.append(folder.lower())
            todo.extend(f"{folder}\\{name}" for name in below.value)
        return tuple(found)

    def _files(self) -> Reading[tuple[Task, ...]]:
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
