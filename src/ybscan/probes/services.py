"""System services that are rarely needed: whether they start with the system, and whether they run.

Sources: systemd.unit(5) (search path, ``.wants`` and ``.requires`` folders, masking by a link to /dev/null),
systemd-sysv-generator(8) (a native unit hides the init script of the same name), inetd.conf(5), xinetd.conf(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._listing import names_in
from ybscan.probes._services import SERVICES, SUPERSERVERS, Service, inetd_services, xinetd_services
from ybscan.probes.base import Context, Probe

#: Earlier folders win. /run is empty on a disk that lies still: what is there does not outlive a restart.
_UNIT_FOLDERS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_RUNLEVELS = tuple(f"/etc/rc{level}.d" for level in ("2", "3", "4", "5", "S"))
_START = re.compile(r"^S\d\d(.+)$")
_INSTANCE = re.compile(r"@[^.]*(?=\.)")
_ACTIVE = frozenset({"active", "activating", "reloading", "deactivating", "refreshing"})


class ServicesProbe(Probe):
    """Services a terminal rarely needs."""

    name = "services"
    title = "系统服务"
    facts = (
        FactSpec(
            "unneeded", Kind.ITEMS, "通常不需要的系统服务",
            help="系统中装有或正在运行的、终端通常不需要的服务；单位需要的写入 site.yml 的 services.needed。",
            linux="systemd 单元与启用链接、/etc/rc?.d、inetd 与 xinetd 配置、systemctl list-units、进程列表",
            windows="服务的启动类型（Start）与当前状态，打印机设置",
            fields=(
                Field("name", Kind.TEXT, "名称"),
                Field("title", Kind.TEXT, "用途"),
                Field("units", Kind.TEXT, "服务单元或程序"),
                Field("enabled", Kind.BOOLEAN, "开机启动"),
                Field("running", Kind.BOOLEAN, "正在运行"),
                Field("grave", Kind.BOOLEAN, "明文传输或高风险"),
                Field("needed", Kind.BOOLEAN, "单位需要"),
            ),
            summary="{title}（{units}；开机启动：{enabled}，正在运行：{running}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        gaps: list[Gap] = []
        system = look(host, gaps)
        needed = context.site.services.needed
        items: list[Item] = []
        for service in SERVICES:
            item = _item(service, system)
            if item is not None:
                items.append({**item, "needed": _needed(service, needed)})
        return {"unneeded": Known(tuple(items), "systemd、SysV 与进程列表", tuple(dict.fromkeys(gaps)))}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.services import unneeded

        needed = context.site.services.needed
        return {"unneeded": unneeded(host, lambda service: _needed(service, needed))}


@dataclass(slots=True)
class System:
    """What is installed, turned on and running, by name."""

    units: set[str] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)
    masked: set[str] = field(default_factory=set)
    unclear: dict[str, Unknown] = field(default_factory=dict)
    """Units of which it could not be read whether they are masked."""
    folders_unknown: Unknown | None = None
    """Why a folder of units could not be listed: what is masked there is not known."""
    scripts: set[str] = field(default_factory=set)
    """Init scripts that a run level starts."""
    superserved: set[str] = field(default_factory=set)
    active: set[str] | Unknown = field(default_factory=set)
    processes: set[str] | Unknown = field(default_factory=set)
    files_unknown: Unknown | None = None
    """Why the record of what is turned on is not complete."""


def look(host: Host, gaps: list[Gap], services: Iterable[Service] = SERVICES) -> System:
    """Read everything about ``services``; what could not be read is added to ``gaps``."""
    system = System()
    before = len(gaps)
    _units(host, system, {u for s in (*services, SUPERSERVERS) for u in s.units}, gaps)
    _scripts(host, system, gaps)
    _superservers(host, system, gaps)
    if len(gaps) > before:
        first = gaps[before]
        system.files_unknown = Unknown(first.cause, first.detail, first.origin)
    system.active = _active(host)
    system.processes = _processes(host)
    gaps.extend(part.as_gap() for part in (system.active, system.processes) if isinstance(part, Unknown))
    return system


def _folders(host: Host) -> Iterable[str]:
    seen: set[str] = set()
    for folder in _UNIT_FOLDERS:
        real = host.files.real(path=folder)
        if isinstance(real, Absent) or (isinstance(real, Known) and real.value in seen):
            continue
        if isinstance(real, Known):
            seen.add(real.value)
        elif folder.startswith("/run/") and real.cause is Cause.UNSUPPORTED:
            continue
        yield folder


def _units(host: Host, system: System, known: set[str], gaps: list[Gap]) -> None:
    decided: set[str] = set()
    for folder in _folders(host):
        before = len(gaps)
        names = names_in(host, folder, gaps)
        if len(gaps) > before:
            system.folders_unknown = Unknown(gaps[-1].cause, gaps[-1].detail, gaps[-1].origin)
        for name in names:
            if name.endswith((".wants", ".requires", ".upholds")):
                system.wanted.update(_base(n) for n in names_in(host, f"{folder}/{name}", gaps))
            elif _base(name) in known:
                system.units.add(_base(name))
                # Only the first file of a name counts; a link to /dev/null there turns the unit off for good.
                if name not in decided:
                    decided.add(name)
                    target = host.files.link(path=f"{folder}/{name}")
                    if isinstance(target, Known) and target.value == "/dev/null":
                        system.masked.add(_base(name))
                    elif isinstance(target, Unknown):
                        system.unclear[_base(name)] = target
                        gaps.append(target.as_gap())


def _base(unit: str) -> str:
    """A unit's name without its instance: ``vsftpd@lan.service`` is ``vsftpd.service`` to us."""
    return _INSTANCE.sub("", unit)


def _scripts(host: Host, system: System, gaps: list[Gap]) -> None:
    for folder in _RUNLEVELS:
        for name in names_in(host, folder, gaps):
            if (m := _START.match(name)) and f"{m[1]}.service" not in system.units:
                system.scripts.add(m[1])


def _superservers(host: Host, system: System, gaps: list[Gap]) -> None:
    # xinetd itself passes names with a dot or a tilde at the end over; services may stand in its main file too.
    included = (n for n in names_in(host, "/etc/xinetd.d", gaps) if "." not in n and not n.endswith("~"))
    for path in ("/etc/xinetd.conf", *(f"/etc/xinetd.d/{n}" for n in included)):
        text = host.files.text(path=path)
        if isinstance(text, Unknown):
            gaps.append(text.as_gap())
        elif isinstance(text, Known):
            if text.value.strip() and not re.search(
                r"^\s*(#|service\s|defaults\b|include(dir)?\s)", text.value, re.MULTILINE
            ):
                gaps.append(Gap(Cause.MALFORMED, path, path))
            system.superserved.update(xinetd_services(text.value))
    conf = host.files.text(path="/etc/inetd.conf")
    if isinstance(conf, Unknown):
        gaps.append(conf.as_gap())
    elif isinstance(conf, Known):
        system.superserved.update(inetd_services(conf.value))


def _active(host: Host) -> set[str] | Unknown:
    """The active units; none where the system is not run by systemd (sd_booted(3))."""
    booted = host.files.stat(path="/run/systemd/system")
    if isinstance(booted, Absent):
        return set()
    if isinstance(booted, Unknown):
        return booted
    args = ("list-units", "--no-pager", "--no-legend", "--plain", "--all", "--type=service,socket")
    output = host.tools.run(tool="SYSTEMCTL", args=args)
    if not isinstance(output, Known):
        return (
            output if isinstance(output, Unknown) else Unknown(Cause.UNAVAILABLE, "systemctl", "systemctl list-units")
        )
    rows = re.findall(r"^\W*(\S+\.(?:service|socket))\s+\S+\s+(\S+)\s", output.value.stdout, re.MULTILINE)
    if output.value.code != 0 or not rows:
        return Unknown(Cause.TOOL_FAILED, "systemctl list-units", "systemctl list-units")
    if len(rows) != len(output.value.stdout.strip().splitlines()):
        return Unknown(Cause.MALFORMED, "systemctl list-units 的输出无法识别", "systemctl list-units")
    return {_base(unit) for unit, state in rows if state in _ACTIVE}


def _processes(host: Host) -> set[str] | Unknown:
    running = host.processes.running()
    if not isinstance(running, Known):
        return running if isinstance(running, Unknown) else Unknown(Cause.UNAVAILABLE, "进程列表", "/proc")
    # An unreadable image does not hide a process's name; only a hidden part of the list matters.
    hidden = next((g for g in running.gaps if g.origin == "/proc" or g.cause is not Cause.DENIED), None)
    if hidden is not None:
        return Unknown(hidden.cause, hidden.detail, hidden.origin)
    return {p.name for p in running.value} | {p.exe.rsplit("/", 1)[-1] for p in running.value if p.exe}


def _item(service: Service, system: System) -> Item | None:
    """The service as it stands on this system; None when nothing of it is there."""
    enabled = starts(service, system)
    running = runs(service, system)
    installed = sorted({*system.units} & {*service.units} | {*system.scripts} & {*service.sysv})
    configured = sorted({*system.superserved} & {*service.inetd})
    seen = sorted(system.processes & {*service.processes}) if isinstance(system.processes, set) else []
    names = [*installed, *(f"inetd：{n}" for n in configured), *seen]
    if not names and enabled is not True and running is not True:
        return None
    return {
        "name": service.name,
        "title": service.title,
        "units": "、".join(dict.fromkeys(names)) or "、".join(service.units[:1]),
        "enabled": enabled,
        "running": running,
        "grave": service.grave,
    }


def starts(service: Service, system: System) -> bool | Unknown:
    """Whether the service starts with the system, or a super-server starts it for connections."""
    wanted = [u for u in service.units if u in system.wanted and u not in system.masked]
    doubt = system.folders_unknown or next((system.unclear[u] for u in wanted if u in system.unclear), None)
    if wanted:
        return doubt if doubt is not None else True
    if system.scripts & {*service.sysv}:
        return doubt if doubt is not None else True  # a native unit that was not seen would hide the script
    if system.superserved & {*service.inetd} and service is not SUPERSERVERS:
        through = starts(SUPERSERVERS, system)
        # Running right now is enough: then it takes connections for what it is configured to start.
        if through is True or runs(SUPERSERVERS, system) is True:
            return True
    return system.files_unknown if system.files_unknown is not None else False


def runs(service: Service, system: System) -> bool | Unknown:
    """Whether the service runs now."""
    if isinstance(system.active, set) and system.active & {*service.units}:
        return True
    if isinstance(system.processes, set) and system.processes & {*service.processes}:
        return True
    for part in (system.active, system.processes):
        if isinstance(part, Unknown):
            return part
    return False


def _needed(service: Service, needed: tuple[str, ...] | None) -> bool | Unknown:
    if needed is not None:
        return any(service.called(n) for n in needed)
    return False if service.grave else Unknown(Cause.NOT_CONFIGURED, "site.yml 的 services.needed", "site.yml")


PROBES = (ServicesProbe(),)
