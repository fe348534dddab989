"""Windows services a terminal rarely needs: how they are set up, and whether they run.

A service that is started on demand counts only while it runs. Sources: ``Start`` of the service's key, QueryServiceStatusEx;
``Print\\Printers`` for the spooler, which is needed where there is a printer.
"""

from __future__ import annotations

from collections.abc import Callable

from ybscan.hosts.base import Host
from ybscan.hosts.groups.services import ServiceConfig
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Absent, Cause, Known, Unknown
from ybscan.probes._services import SERVICES, Service
from ybscan.probes._windows.keys import Keys

_PRINTERS = r"HKLM\SYSTEM\CurrentControlSet\Control\Print\Printers"
#: Ports of printers that only make files or faxes.
_NO_PAPER = (
    "portprompt:",
    "xpsport:",
    "shrfax:",
    "nul:",
    "file:",
    "microsoft.office.onenote",
    "ts0",
    "wps",
    "pdf",
    "onenote",
)
_START = {"boot": "随系统启动", "system": "随系统启动", "auto": "自动", "demand": "手动", "disabled": "禁用"}
_RUNS = frozenset({"running", "pending", "paused"})


def unneeded(host: Host, needed: Callable[[Service], bool | Unknown]) -> Fact:
    """Those of the known services that are there."""
    configured = host.services.configured()
    if not isinstance(configured, Known):
        return configured
    by_name = {s.name.lower(): s for s in configured.value}
    state = _states(host)
    keys = Keys(host)
    items: list[Item] = []
    for service in SERVICES:
        there = [by_name[n.lower()] for n in service.windows if n.lower() in by_name]
        if not there:
            continue
        wanted = needed(service)
        if service.name == "spooler":
            printer = _has_printer(keys)
            if printer is True:
                continue
            wanted = wanted if wanted is True or printer is False else printer
        items.append(
            {
                "name": service.name, "title": service.title,
                "units": "、".join(f"{s.name}（{_START[s.start]}）" for s in there),
                "enabled": any(s.start in ("boot", "system", "auto") for s in there),
                "running": _any([state(s) for s in there]), "grave": service.grave, "needed": wanted,
            }
        )  # fmt: skip
    return Known(tuple(items), configured.origin, configured.gaps)


def _states(host: Host) -> Callable[[ServiceConfig], bool | Unknown]:
    states = host.services.states()
    by_name = {s.name.lower(): s.state in _RUNS for s in states.value} if isinstance(states, Known) else {}

    def running(service: ServiceConfig) -> bool | Unknown:
        if isinstance(states, Known):
            found = by_name.get(service.name.lower())
            if found is None:
                gap = states.gaps[0] if states.gaps else None
                return Unknown(gap.cause, gap.detail) if gap else Unknown(Cause.UNAVAILABLE, "没有报告该服务的状态")
            return found
        if isinstance(states, Absent):
            return Unknown(Cause.UNAVAILABLE, "服务状态")
        # On a disk that lies still nothing runs; what is disabled there will not run when it starts.
        if states.cause is Cause.UNSUPPORTED and service.start == "disabled":
            return False
        return states

    return running


def _any(answers: list[bool | Unknown]) -> FieldValue:
    if True in answers:
        return True
    return next((a for a in answers if isinstance(a, Unknown)), False)


def _has_printer(keys: Keys) -> bool | Unknown:
    """Whether a printer is set up that puts anything on paper, for the machine or for a person."""
    before = len(keys.gaps)
    for name in keys.subkeys(_PRINTERS):
        port = keys.text(f"{_PRINTERS}\\{name}", "Port").lower()
        if port and not port.startswith(_NO_PAPER):
            return True
    for user in keys.people():
        if keys.subkeys(f"HKU\\{user.sid}\\Printers\\Connections"):
            return True
    if len(keys.gaps) > before:
        gap = keys.gaps[before]
        return Unknown(gap.cause, f"打印机设置：{gap.detail}", gap.origin)
    return False
