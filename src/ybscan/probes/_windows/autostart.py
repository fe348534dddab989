"""Everything on Windows that starts by itself: at boot, at logon, on schedule, or in another program's place.

Sources: "Run and RunOnce Registry Keys", the Winlogon values Shell and Userinit, "Image File Execution Options" (Debugger),
AppInit_DLLs, the start types of services, the startup folders of the shell, and the task store.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ybscan.hosts.base import Host
from ybscan.hosts.groups.registry import View
from ybscan.hosts.windows.commandline import ADDRESS, ENCODED, INLINE
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._listing import names_in
from ybscan.probes._software.autostarts import Autostart
from ybscan.probes._windows.places import Places, places_of
from ybscan.probes._windows.shortcut import target
from ybscan.probes._windows.startups import run_commands
from ybscan.probes._windows.values import number, text

_NT = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_WINLOGON = r"Software\Microsoft\Windows NT\CurrentVersion\Winlogon"
_SHELL_POLICY = r"Software\Microsoft\Windows\CurrentVersion\Policies\System"
_IFEO = rf"{_NT}\Image File Execution Options"
_STARTUP = r"Microsoft\Windows\Start Menu\Programs\Startup"
_SHELL_FOLDERS = r"Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders"
_SHORTCUT_BYTES = 64 * 1024
#: Programs that can be started before anybody has logged on; a debugger in their place opens the machine.
_ACCESSIBILITY = frozenset(
    {"sethc.exe", "utilman.exe", "osk.exe", "magnify.exe", "narrator.exe", "displayswitch.exe", "atbroker.exe"}
)
#: Folders anybody may write to, or that are emptied as a matter of course: nothing belongs there that starts by itself.
_LOOSE = re.compile(
    r"\\windows\\temp\\|\\appdata\\local\\temp\\|\\users\\public\\|\\\$recycle\.bin\\|\\perflogs\\|^[a-z]:\\te?mp\\|^%te?mp%|^%public%",
    re.IGNORECASE,
)
_MARKS = {
    ENCODED: "执行经过编码的命令",
    INLINE: "执行写在命令行中的脚本",
    ADDRESS: "从网址取得内容并执行",
}
#: Folders named by a version change with every update of a program.
_VERSION = re.compile(r"(?<=\\)v?\d+(?:\.\d+){2,}[-.\w]*(?=\\)")
#: Windows 10 and later make a copy of some services for each session: ``CDPUserSvc_3a5f2``.
_PER_SESSION = re.compile(r"^(.+)_[0-9a-f]{4,16}$", re.IGNORECASE)


def items(host: Host, accepted: frozenset[str], doubt: Unknown | None, gaps: list[Gap]) -> list[Autostart]:
    """All items. ``accepted`` are the ids of the baseline; with ``doubt`` nobody knows what it accepts."""
    places = places_of(host)
    gaps.extend(places.gaps)
    found = [
        *_runs(host, places, gaps),
        *_folders(host, places, gaps),
        *_services(host, places, gaps),
        *_tasks(host, places, gaps),
        *_debuggers(host, places, gaps),
        *_libraries(host, places, gaps),
    ]
    for item in _shells(host, places, gaps):
        # A shell of the unit's own (a kiosk) is one the unit approved by its baseline.
        if item.id in accepted:
            found.append(Autostart(item.kind, item.name, item.path, item.owner, item.program))
        elif doubt is not None:
            found.append(Autostart(item.kind, item.name, item.path, item.owner, item.program, "", doubt))
        else:
            found.append(item)
    return found


def _made(
    kind: str, name: str, path: str, programs: Iterable[str], places: Places, owner: str = "", home: str = ""
) -> Autostart:
    """An item whose id names its programs, so that another program under the same name is another item."""
    given = tuple(programs)
    full = "+".join(places.expand(p, home) or p for p in given)
    return Autostart(kind, f"{name}:{_VERSION.sub('*', full)}", path, owner, full, suspicion(given, places, home))


def suspicion(programs: Iterable[str], places: Places, home: str = "") -> str:
    """Why a start is suspicious by what it starts; empty when it is not."""
    for program in programs:
        if program in _MARKS:
            return _MARKS[program]
        for path in (program, places.expand(program, home)):
            if _LOOSE.search(path):
                return f"程序位于临时或任何人可写的文件夹：{path}"
    return ""


def _runs(host: Host, places: Places, gaps: list[Gap]) -> Iterator[Autostart]:
    for run in run_commands(host, places, gaps):
        kind = run.key.rpartition("\\")[2].lower()
        scope = run.owner or ("HKLM" if run.view == "64" else "HKLM32")
        yield _made(kind, f"{scope}:{run.name}", run.key, run.programs, places, run.owner, run.home)


def _folders(host: Host, places: Places, gaps: list[Gap]) -> Iterator[Autostart]:
    folders = [(f"{places.program_data}\\{_STARTUP}", "", "")]
    folders += [(f"{h.home}\\AppData\\Roaming\\{_STARTUP}", h.account, h.home) for h in places.people if h.home]
    usual = {folder.lower() for folder, _, _ in folders}
    folders += [f for f in _elsewhere(host, places, gaps) if f[0].lower() not in usual]
    for folder, owner, home in folders:
        for name in names_in(host, folder, gaps):
            if name.lower() == "desktop.ini":
                continue
            path, label = f"{folder}\\{name}", f"{owner or 'HKLM'}:{name}"
            if not name.lower().endswith(".lnk"):
                yield _made("startup", label, path, (path,), places, owner, home)
                continue
            data = host.files.head(path=path, size=_SHORTCUT_BYTES)
            leads = target(data.value) if isinstance(data, Known) else None
            if leads:
                yield _made("startup", label, path, (leads,), places, owner, home)
            else:
                why = data if isinstance(data, Unknown) else Unknown(Cause.MALFORMED, f"{path} 的目标无法识别", path)
                yield Autostart("startup", label, path, owner, "", "", why)


def _elsewhere(host: Host, places: Places, gaps: list[Gap]) -> Iterator[tuple[str, str, str]]:
    """Where the shell was told to look for what starts at logon, instead of the usual folders."""
    asked = [(f"HKLM\\{_SHELL_FOLDERS}", "Common Startup", "", "")]
    asked += [(f"HKU\\{h.sid}\\{_SHELL_FOLDERS}", "Startup", h.account, h.home) for h in places.people]
    for key, name, owner, home in asked:
        told = _value(host, key, name, gaps)
        if told and (folder := places.expand(told, home)):
            yield folder, owner, home
        elif told:
            gaps.append(Gap(Cause.UNAVAILABLE, f"{owner or '所有用户'}的启动文件夹 {told}", key))


def _services(host: Host, places: Places, gaps: list[Gap]) -> Iterator[Autostart]:
    found = host.services.configured()
    if not isinstance(found, Known):
        gaps.append(found.as_gap() if isinstance(found, Unknown) else Gap(Cause.UNAVAILABLE, "没有服务列表"))
        return
    gaps.extend(found.gaps)
    names = {s.name.lower() for s in found.value}
    for service in found.value:
        copy = _PER_SESSION.match(service.name)
        if service.start not in ("boot", "system", "auto") or (copy and copy[1].lower() in names):
            continue
        programs = [p for p in (service.image, service.dll) if p]
        yield _made(service.kind, service.name, f"服务 {service.name}", programs, places)


def _tasks(host: Host, places: Places, gaps: list[Gap]) -> Iterator[Autostart]:
    found = host.jobs.tasks()
    if not isinstance(found, Known):
        gaps.append(found.as_gap() if isinstance(found, Unknown) else Gap(Cause.UNAVAILABLE, "没有计划任务列表"))
        return
    gaps.extend(found.gaps)
    for task in found.value:
        if task.enabled:
            yield _made("task", task.path, f"计划任务 {task.path}", task.programs, places, task.run_as)


def _shells(host: Host, places: Places, gaps: list[Gap]) -> Iterator[Autostart]:
    """What Winlogon starts in place of, or beside, the shell and the first program of a session."""
    for root, owner in [("HKLM", ""), *((f"HKU\\{h.sid}", h.account) for h in places.people)]:
        for key in (f"{root}\\{_WINLOGON}", f"{root}\\{_SHELL_POLICY}"):
            shell = _value(host, key, "Shell", gaps)
            if shell and shell.strip().lower() not in ("explorer.exe", f"{places.system_root}\\explorer.exe".lower()):
                why = f"登录后启动的外壳不是 explorer.exe，而是 {shell}"
                yield Autostart("winlogon", f"{owner or 'HKLM'}:Shell:{shell}", key, owner, shell, why)
    key = f"HKLM\\{_WINLOGON}"
    usual = f"{places.system_root}\\system32\\userinit.exe".lower()
    for part in (_value(host, key, "Userinit", gaps) or "").split(","):
        full = places.expand(part) or part.strip()
        if full and full.lower() not in (usual, "userinit.exe"):
            yield Autostart(
                "winlogon", f"HKLM:Userinit:{full}", key, "", full, f"登录时另外启动 {full}（Userinit 被改动）"
            )


def _value(host: Host, key: str, name: str, gaps: list[Gap]) -> str:
    found = text(host, key, name)
    if isinstance(found, Unknown):
        gaps.append(found.as_gap())
    return found.value.strip() if isinstance(found, Known) else ""


def _debuggers(host: Host, places: Places, gaps: list[Gap]) -> Iterator[Autostart]:
    seen: set[str] = set()
    for view in _VIEWS:
        for name in _subkeys(host, _IFEO, view, gaps):
            values = host.registry.commands(key=f"{_IFEO}\\{name}", view=view)
            if isinstance(values, Unknown):
                gaps.append(values.as_gap())
            elif isinstance(values, Known):
                gaps.extend(values.gaps)
            started = values.value if isinstance(values, Known) else {}
            programs = next((p for n, p in started.items() if n.lower() == "debugger"), ())
            if not programs:
                continue
            item = _made("ifeo", name, f"{_IFEO}\\{name}", programs, places)
            if item.id in seen:
                continue
            seen.add(item.id)
            if name.lower() in _ACCESSIBILITY:
                why = f"登录界面的辅助功能 {name} 被替换为 {item.program}"
                item = Autostart(item.kind, item.name, item.path, "", item.program, why)
            yield item


_VIEWS: tuple[View, ...] = ("64", "32")


def _subkeys(host: Host, key: str, view: View, gaps: list[Gap]) -> tuple[str, ...]:
    listed = host.registry.subkeys(key=key, view=view)
    if isinstance(listed, Unknown):
        gaps.append(listed.as_gap())
    elif isinstance(listed, Known):
        gaps.extend(listed.gaps)
    return listed.value if isinstance(listed, Known) else ()


def _libraries(host: Host, places: Places, gaps: list[Gap]) -> Iterator[Autostart]:
    """AppInit_DLLs: loaded into every program with a window, unless switched off."""
    key = rf"{_NT}\Windows"
    seen: set[str] = set()
    for view in _VIEWS:
        value = text(host, key, "AppInit_DLLs", view)
        on = number(host, key, "LoadAppInit_DLLs", view)
        for part in (value, on):
            if isinstance(part, Unknown):
                gaps.append(part.as_gap())
        if isinstance(value, (Absent, Unknown)) or (isinstance(on, Known) and on.value == 0):
            continue
        for dll in re.findall(r'"[^"]+"|[^\s,;"]+', value.value):
            item = _made("appinit", "AppInit_DLLs", key, (dll.strip('"'),), places)
            if item.id not in seen:
                seen.add(item.id)
                yield item
