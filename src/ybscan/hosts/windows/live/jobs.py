"""Scheduled tasks of the running system: the Task Scheduler itself, else the definitions in its folder."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import os  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from dataclasses import replace  # noqa: E402
from datetime import datetime  # noqa: E402

from ybscan.hosts.common.errors import from_error  # noqa: E402
from ybscan.hosts.common.opening import open_read  # noqa: E402
from ybscan.hosts.groups.jobs import Jobs, Task  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live.com import ComObject, com_asked, component  # noqa: E402
from ybscan.hosts.windows.live.dll import WORD, asked  # noqa: E402
from ybscan.hosts.windows.live.letters import windows_folder  # noqa: E402
from ybscan.hosts.windows.live.rights import elevated  # noqa: E402
from ybscan.hosts.windows.taskxml import TASK_LIMIT, parse_task  # noqa: E402
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown  # noqa: E402

_SECONDS = 40.0
_INCLUDE_HIDDEN = 1
_NEVER_RUN = 0x41303
#: The scheduler says 1899 or 1999 for a time that never was.
_FIRST_YEAR = 2001
_MAX_TASKS = 5000
_MAX_DEPTH = 16


class LiveJobs(Jobs):
    """Scheduled tasks of the running system. Arguments of their command lines are dropped while reading."""

    def tasks(self) -> Reading[tuple[Task, ...]]:
        answered = com_asked(_from_scheduler, "ITaskService", _SECONDS)
        if isinstance(answered, Unknown):
            stored = asked(_from_files, "System32\\Tasks", _SECONDS)
            return stored if isinstance(stored, Known) else answered
        return answered


def _all(found: dict[str, Task], gaps: dict[Gap, None], origin: str) -> Reading[tuple[Task, ...]]:
    if not elevated():
        # Nobody is told of tasks that he may not see: the list simply ends early.
        gaps[Gap(Cause.DENIED, "没有管理员权限，看不到其他账户的计划任务", origin)] = None
    ordered = tuple(found[k] for k in sorted(found, key=str.lower))
    return Known(ordered, origin, tuple(gaps))


def _from_scheduler() -> Reading[tuple[Task, ...]]:
    origin = "ITaskService"
    service = component("Schedule.Service", origin)
    service.get("Connect")
    found: dict[str, Task] = {}
    gaps: dict[Gap, None] = {}
    walk(service.child("GetFolder", "\\"), found, gaps, 0)
    if not found and not gaps:
        # Windows brings dozens of its own.
        return Unknown(Cause.UNAVAILABLE, "计划任务服务没有给出任何任务", origin)
    return _all(found, gaps, origin)


def walk(folder: ComObject, found: dict[str, Task], gaps: dict[Gap, None], depth: int) -> None:
    """Add the tasks of an ITaskFolder and of those below it; what refuses leaves a gap."""
    try:
        for task in folder.child("GetTasks", _INCLUDE_HIDDEN).each():
            if len(found) >= _MAX_TASKS:
                gaps[Gap(Cause.TOO_LARGE, f"计划任务超过 {_MAX_TASKS} 个", "ITaskService")] = None
                return
            try:
                one = _task(task)
            except NotReadError as e:
                gaps[e.reading.as_gap()] = None
                continue
            if isinstance(one, Known):
                found[one.value.path] = one.value
            elif isinstance(one, Unknown):
                gaps[one.as_gap()] = None
        below = list(folder.child("GetFolders", 0).each())
    except NotReadError as e:
        gaps[e.reading.as_gap()] = None
        return
    for inner in below:
        if depth >= _MAX_DEPTH:
            gaps[Gap(Cause.TOO_LARGE, "计划任务的文件夹层次过深", "ITaskService")] = None
            return
        walk(inner, found, gaps, depth + 1)


def _task(task: ComObject) -> Reading[Task]:
    path = task.text("Path")
    defined = parse_task(task.text("Xml"), path=path)
    if not isinstance(defined, Known):
        return defined
    result = task.number("LastTaskResult") & 0xFFFFFFFF
    last = None if result == _NEVER_RUN else _time(task.get("LastRunTime"))
    return Known(
        replace(
            defined.value, enabled=bool(task.number("Enabled")), ran=True, last_run=last, last_result=result,
            next_run=_time(task.get("NextRunTime")),
        ),
        path,
    )  # fmt: skip


def _time(value: object) -> float | None:
    """A VT_DATE in local time as seconds since the epoch; None for never."""
    if not isinstance(value, datetime) or value.year < _FIRST_YEAR:
        return None
    return value.timestamp()


def _from_files() -> Reading[tuple[Task, ...]]:
    """The definitions as they lie on the disk: without times and results."""
    system = windows_folder()
    # A 32-bit program on 64-bit Windows sees another System32.
    seen = WORD == 4 and os.path.isdir(f"{system}\\Sysnative")  # noqa: PTH112
    return in_folder(f"{system}\\{'Sysnative' if seen else 'System32'}\\Tasks")


def in_folder(top: str) -> Reading[tuple[Task, ...]]:
    """The tasks whose definitions lie in the folder, which no Windows has empty."""
    found: dict[str, Task] = {}
    gaps: dict[Gap, None] = {}
    for path, name in _files(top, gaps):
        try:
            with os.fdopen(open_read(path), "rb") as f:
                data = f.read(TASK_LIMIT + 1)
        except OSError as e:
            failed = from_error(e, path)
            if isinstance(failed, Unknown):
                gaps[failed.as_gap()] = None
            continue
        task = parse_task(data, path=name)
        if isinstance(task, Known):
            found[name] = task.value
        elif isinstance(task, Unknown):
            gaps[task.as_gap()] = None
    if not found:
        return Unknown(Cause.UNAVAILABLE, f"{top} 中没有计划任务", top)
    return _all(found, gaps, top)


def _files(top: str, gaps: dict[Gap, None]) -> Iterator[tuple[str, str]]:
    """Files below the folder, and the names of their tasks."""
    todo = [(top, "", 0)]
    left = _MAX_TASKS
    while todo:
        folder, name, depth = todo.pop()
        try:
            with os.scandir(folder) as listed:
                items = sorted(listed, key=lambda i: i.name)
        except OSError as e:
            failed = from_error(e, folder)
            gaps[
                failed.as_gap() if isinstance(failed, Unknown) else Gap(Cause.UNAVAILABLE, f"没有 {folder}", folder)
            ] = None
            continue
        for item in items:
            left -= 1
            if left < 0 or depth > _MAX_DEPTH:
                gaps[Gap(Cause.TOO_LARGE, f"{top} 中的计划任务过多或层次过深", top)] = None
                return
            if item.is_dir(follow_symlinks=False):
                todo.append((item.path, f"{name}\\{item.name}", depth + 1))
            elif item.is_file(follow_symlinks=False):
                yield item.path, f"{name}\\{item.name}"
