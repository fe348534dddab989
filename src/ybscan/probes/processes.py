"""Running processes by name."""

from __future__ import annotations

from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Kind
from ybscan.model.reading import Known
from ybscan.probes.base import Context, Probe


class ProcessProbe(Probe):
    """What runs on the terminal at the moment of the scan."""

    name = "processes"
    title = "运行中的进程"
    facts = (
        FactSpec(
            "names", Kind.TEXTS, "运行中的进程", help="进程名与程序文件名，去重排序。",
            linux="/proc/<pid>/stat、/proc/<pid>/exe", windows="Toolhelp32 进程快照",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        running = host.processes.running()
        if not isinstance(running, Known):
            return {"names": running}
        names = {p.name for p in running.value} | {p.exe.rsplit("/", 1)[-1] for p in running.value if p.exe}
        # Names are complete whenever the list is: only a hidden part of the list is a gap here, an unreadable image is not.
        gaps = tuple(g for g in running.gaps if g.origin == "/proc")
        return {"names": Known(tuple(sorted(names)), running.origin, gaps)}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        running = host.processes.running()
        if not isinstance(running, Known):
            return {"names": running}
        images = {p.exe.rpartition("\\")[2] for p in running.value if p.exe}
        names = {p.name for p in running.value if p.name} | images
        # The list has the name of every process; only a hidden part of the list itself is a gap here.
        gaps = tuple(g for g in running.gaps if g.origin == running.origin)
        return {"names": Known(tuple(sorted(names)), running.origin, gaps)}


PROBES = (ProcessProbe(),)
