"""What ran when the collector looked: services, processes, sockets, scheduled tasks."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Literal

from ybscan.hosts.collected.evidence import Evidence, mapped_rows
from ybscan.hosts.collected.records import Record
from ybscan.hosts.groups.jobs import Jobs, Task
from ybscan.hosts.groups.processes import Process, Processes
from ybscan.hosts.groups.registry import Registry
from ybscan.hosts.groups.services import ServiceConfig, Services, ServiceState
from ybscan.hosts.groups.sockets import Socket, Sockets
from ybscan.hosts.windows.collected.netstat import sockets_of
from ybscan.hosts.windows.services import configured
from ybscan.hosts.windows.taskxml import parse_task
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown

State = Literal["running", "stopped", "paused", "pending"]
#: Win32_BaseService.State; these words are part of the class, not of the locale.
_STATES: dict[str, State] = {
    "running": "running", "stopped": "stopped", "paused": "paused", "start pending": "pending", "stop pending": "pending",
    "continue pending": "pending", "pause pending": "pending",
}  # fmt: skip
#: Processes without an image file of their own.
_KERNEL = frozenset(
    {"system idle process", "system", "registry", "memory compression", "secure system", "memcompression"}
)


class CollectedServices(Services):
    """Configuration out of the registry, states out of Win32_Service and Win32_SystemDriver."""

    def __init__(self, evidence: Evidence, registry: Registry) -> None:
        super().__init__()
        self._evidence = evidence
        self._registry = registry

    def configured(self) -> Reading[tuple[ServiceConfig, ...]]:
        return configured(self._registry)

    def states(self) -> Reading[tuple[ServiceState, ...]]:
        found: list[ServiceState] = []
        gaps: list[Gap] = []
        for kind, source in (("service", "Win32_Service"), ("driver", "Win32_SystemDriver")):
            read = mapped_rows(self._evidence.rows("services", kind, source), _state, never_empty="服务")
            if isinstance(read, Known):
                found += read.value
                gaps += read.gaps
            elif isinstance(read, Unknown):
                if kind == "service":
                    return read
                gaps.append(read.as_gap())
        return Known(tuple(sorted(found, key=lambda s: s.name)), "Win32_Service", tuple(gaps))


def _state(r: Record) -> ServiceState | Gap:
    state = _STATES.get(r.text("State").lower())
    if not r.text("Name") or state is None:
        return Gap(Cause.MALFORMED, f"服务 {r.text('Name') or '（无名）'} 的状态无法识别", "Win32_Service")
    pid = r.number("ProcessId")
    return ServiceState(r.text("Name"), state, pid or None)


class CollectedProcesses(Processes):
    """Win32_Process. Command lines were never taken."""

    def __init__(self, evidence: Evidence) -> None:
        super().__init__()
        self._evidence = evidence

    def running(self) -> Reading[tuple[Process, ...]]:
        rows = self._evidence.rows("processes", "process", "Win32_Process")
        read = mapped_rows(rows, _process, never_empty="进程")
        if not isinstance(read, Known):
            return read
        hidden = sum(p.exe is None for p in read.value)
        gaps = read.gaps
        if hidden:
            gaps += (Gap(Cause.DENIED, f"{hidden} 个进程的程序文件无法读取", "Win32_Process/exe"),)
        return Known(tuple(sorted(read.value, key=lambda p: p.pid)), "Win32_Process", gaps)


def _process(r: Record) -> Process | Gap:
    pid = r.number("ProcessId")
    name = r.text("Name")
    if pid is None or not name:
        return Gap(Cause.MALFORMED, "进程的记录有误", "Win32_Process")
    exe: str | None = r.text("ExecutablePath") or None
    if exe is None and (pid in (0, 4) or name.lower() in _KERNEL):
        exe = ""
    return Process(pid, r.number("ParentProcessId") or 0, name, exe, None, "")


class CollectedSockets(Sockets):
    """``netstat -ano``, with the programs of the process list."""

    def __init__(self, evidence: Evidence, processes: Processes) -> None:
        super().__init__()
        self._evidence = evidence
        self._processes = processes

    def table(self) -> Reading[tuple[Socket, ...]]:
        output = self._evidence.content("netstat")
        if not isinstance(output, Known):
            return output
        running = self._processes.running()
        names = {p.pid: p.name for p in running.value} if isinstance(running, Known) else {}
        return sockets_of(output.value, names)


class CollectedJobs(Jobs):
    """The task scheduler's own definitions, without arguments."""

    def __init__(self, evidence: Evidence, *, offset: int) -> None:
        super().__init__("Windows 没有 cron 与 systemd 计时器")
        self._evidence = evidence
        self._zone = timezone(timedelta(minutes=offset))

    def tasks(self) -> Reading[tuple[Task, ...]]:
        read = mapped_rows(self._evidence.rows("tasks", "task"), self._task, never_empty="计划任务")
        if not isinstance(read, Known):
            return read
        return Known(tuple(sorted(read.value, key=lambda t: t.path)), "Schedule.Service", read.gaps)

    def _task(self, r: Record) -> Task | Gap:
        path = r.text("path")
        if not path or not r.text("xml"):
            return Gap(Cause.MALFORMED, f"计划任务 {path or '（无名）'} 的定义没有取得", "Schedule.Service")
        # The declaration speaks of UTF-16; the text is no longer in it.
        made = parse_task(re.sub(r"^\s*<\?xml[^>]*\?>", "", r.text("xml")), path=path)
        if not isinstance(made, Known):
            return made.as_gap() if isinstance(made, Unknown) else Gap(Cause.MALFORMED, path, path)
        task = replace(made.value, enabled=made.value.enabled and r.text("enabled") != "0")
        result = r.text("last_result")
        if "times.error" in r.values or not re.fullmatch(r"[0-9A-Fa-f]{1,8}", result):
            return task
        return replace(
            task, ran=True, last_run=self._time(r.text("last_run")), last_result=int(result, 16),
            next_run=self._time(r.text("next_run")),
        )  # fmt: skip

    def _time(self, text: str) -> float | None:
        """Local time; 1899-12-30 and 1999-11-30 stand for never."""
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            return None
        return when.replace(tzinfo=self._zone).timestamp() if when.year > 2000 else None
