"""Small readers over the registry, services and version of Windows that several probes share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.hosts.groups.registry import RegistryValue
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
_CURRENT_VERSION = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
#: Windows 8: the first build with the UAS driver, with arrival dates of devices and with layered policies to come.
WINDOWS_8 = 9200
#: Causes that tell of a source that does not exist here, rather than of one that could not be read this time.
NO_SUCH_SOURCE = (Cause.UNSUPPORTED, Cause.UNAVAILABLE)

DISABLED = 4
#: EditionID of Home editions: Core, CoreCountrySpecific, CoreSingleLanguage; HomeBasic, HomePremium, Starter of Windows 7.
_HOME = ("Core", "Home", "Starter")
_START = {0: "引导", 1: "系统", 2: "自动", 3: "手动", 4: "禁用"}


def start_text(start: int) -> str:
    """The ``Start`` value as Windows' own service window words it."""
    return f"Start 为 {start}（{_START[start]}）"


def pick(values: Mapping[str, RegistryValue], name: str) -> RegistryValue | None:
    """A value of a key by its name, letter case aside; None when the key has no such value."""
    return next((v for n, v in values.items() if n.lower() == name.lower()), None)


def flag(values: Known[dict[str, RegistryValue]], name: str, key: str) -> bool | Unknown:
    """A REG_DWORD that is 0 or 1; False when it is not there.

    Unknown for other numbers, of which nobody says what Windows makes, and where the value may be one that was not read.
    """
    value = pick(values.value, name)
    if value is None:
        return next((Unknown(g.cause, g.detail, g.origin) for g in values.gaps), False)
    if isinstance(value, int) and value in (0, 1):
        return value == 1
    if isinstance(value, int):
        return Unknown(Cause.MALFORMED, f"{key}\\{name} 为 {value}，应为 0 或 1", key)
    return Unknown(Cause.MALFORMED, f"{key}\\{name} 不是 DWORD 数值", key)


def start_of(host: Host, service: str) -> Reading[int]:
    """The ``Start`` value of a service or driver; Absent when it is not registered at all."""
    key = f"{SERVICES}\\{service}"
    values = host.registry.values(key=key)
    if not isinstance(values, Known):
        return values
    start = pick(values.value, "Start")
    if start is None and values.gaps:
        return Unknown(values.gaps[0].cause, values.gaps[0].detail, values.gaps[0].origin)
    if isinstance(start, int) and start in _START:
        return Known(start, key)
    return Unknown(Cause.MALFORMED, f"{service} 的 Start 值应为 0 至 4 的数值", key)


def is_running(host: Host, service: str) -> Reading[bool]:
    """Whether the service runs. Unknown(unsupported) where nothing runs, as on a disk that lies still.

    The list of states leaves out services whose rights hide them: one that is set up and not listed may well run.
    """
    states = host.services.states()
    if not isinstance(states, Known):
        return states
    for state in states.value:
        if state.name.lower() == service.lower():
            return Known(state.state != "stopped", states.origin)
    if states.gaps:
        return Unknown(states.gaps[0].cause, states.gaps[0].detail, states.gaps[0].origin)
    configured = host.services.configured()
    if isinstance(configured, Known) and any(s.name.lower() == service.lower() for s in configured.value):
        return Unknown(Cause.UNAVAILABLE, f"系统没有报告服务 {service} 的状态", states.origin)
    return Known(False, states.origin)


def either(first: Reading[bool], second: Reading[bool]) -> Reading[bool]:
    """One of two controls is enough; a doubt about one matters only where the other does not decide."""
    for one in (first, second):
        if isinstance(one, Known) and one.value:
            return one
    return second if isinstance(second, Unknown) and not isinstance(first, Unknown) else first


@dataclass(frozen=True, slots=True)
class Switch:
    """A driver or service: whether it is switched off for good, why we say so, and whether it runs now."""

    off: bool | Unknown
    how: str
    running: bool | Unknown | None
    """None where nothing runs (a disk that lies still)."""
    present: bool
    """Whether it is registered at all."""


def switch(host: Host, service: str) -> Switch:
    """Whether a driver is disabled. One that runs although it is disabled was loaded before, and still serves."""
    start = start_of(host, service)
    state = is_running(host, service)
    running: bool | Unknown | None
    if isinstance(state, Unknown):
        running = None if state.cause is Cause.UNSUPPORTED else state
    else:
        running = isinstance(state, Known) and state.value
    if isinstance(start, Unknown):
        return Switch(start, start.text, running, present=True)
    if isinstance(start, Absent):
        return Switch(off=False, how="服务项不存在", running=running, present=False)
    how = start_text(start.value)
    if start.value != DISABLED:
        return Switch(off=False, how=how, running=running, present=True)
    if running is True:
        return Switch(off=False, how=f"{how}，但仍在运行，重新启动后才失效", running=running, present=True)
    off: bool | Unknown = running if isinstance(running, Unknown) else True
    return Switch(off=off, how=how, running=running, present=True)


def before_windows_8(host: Host) -> bool | Unknown:
    """Whether this is Windows 7 (or older)."""
    edition = host.system.windows()
    if isinstance(edition, Known):
        return edition.value.build < WINDOWS_8
    return edition if isinstance(edition, Unknown) else Unknown(Cause.UNAVAILABLE, "没有 Windows 版本信息")


def home_doubt(host: Host) -> Unknown | None:
    """Why a policy may have no effect: Home editions have no group policy, and what they do with its keys is not verified."""
    edition = host.system.windows()
    if not isinstance(edition, Known):
        return edition if isinstance(edition, Unknown) else Unknown(Cause.UNAVAILABLE, "没有 Windows 版本信息")
    if edition.value.edition.startswith(_HOME):
        return Unknown(Cause.UNCONFIRMED, "家庭版 Windows 是否执行这一策略未经核实，需人工试验", edition.origin)
    return None


def system_folder(host: Host) -> Reading[str]:
    """The folder of Windows, such as ``C:\\Windows``."""
    root = host.registry.value(key=_CURRENT_VERSION, name="SystemRoot")
    if not isinstance(root, Known):
        return root if isinstance(root, Unknown) else Unknown(Cause.UNAVAILABLE, "没有 SystemRoot", _CURRENT_VERSION)
    if not isinstance(root.value, str) or root.value[1:3] != ":\\":
        return Unknown(Cause.MALFORMED, "SystemRoot 无法识别", _CURRENT_VERSION)
    return Known(root.value.rstrip("\\"), root.origin)


def installation_type(host: Host) -> Reading[str]:
    """``Client``, ``Server`` or ``Server Core``; Absent on systems that do not state it."""
    stated = host.registry.value(key=_CURRENT_VERSION, name="InstallationType")
    if not isinstance(stated, Known):
        return stated
    if not isinstance(stated.value, str):
        return Unknown(Cause.MALFORMED, "InstallationType 无法识别", _CURRENT_VERSION)
    return Known(stated.value, stated.origin)
