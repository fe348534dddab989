"""AutoPlay of Windows: ``NoDriveTypeAutoRun`` of the machine and of each person.

Sources: the description of update 967715 ("How to disable the Autorun functionality": the machine's value stands above
a person's; REG_DWORD, or REG_BINARY of old; 0xFF for all kinds of drives). ``NoAutorun`` and a person's own switch
(``DisableAutoplay``) are told nowhere here, since they leave part of it on, or anybody may switch it back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, Item
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._usb import as_fact
from ybscan.probes._windows.settings import installation_type
from ybscan.probes.base import Context

_POLICIES = r"Microsoft\Windows\CurrentVersion\Policies\Explorer"
_MACHINE = rf"HKLM\SOFTWARE\{_POLICIES}"
_VALUE = "NoDriveTypeAutoRun"
_ALL_DRIVES = 0xFF
_DESKTOP = "Windows"
_NEW_USER = "（新建用户的默认设置）"


def read(host: Host, context: Context) -> Mapping[str, Fact]:
    """All facts of the probe."""
    del context
    return {
        "graphical": as_fact(_graphical(host)),
        "users": _users(host),
        "automounters": Absent("Windows 的自动播放不靠其他程序"),
    }


def _graphical(host: Host) -> Reading[bool]:
    kind = installation_type(host)
    if isinstance(kind, Unknown):
        return kind
    return Known(not (isinstance(kind, Known) and kind.value in ("Server Core", "Nano Server")), kind.origin)


def _users(host: Host) -> Fact:
    machine = _switch(host, _MACHINE)
    if not isinstance(machine, Absent):
        value = machine if isinstance(machine, Unknown) else machine.value
        return Known(({"account": "全机", "desktop": _DESKTOP, "autorun_off": value},), _MACHINE)
    gaps: list[Gap] = []
    items: list[Item] = [*_people(host, gaps)]
    # Nothing holds for people who log on for the first time.
    items.append({"account": _NEW_USER, "desktop": _DESKTOP, "autorun_off": False})
    return Known(tuple(items), f"{_MACHINE} 与各用户的 {_VALUE}", tuple(gaps))


def _people(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    users = host.registry.users()
    if not isinstance(users, Known):
        gaps.append(users.as_gap() if isinstance(users, Unknown) else Gap(Cause.UNAVAILABLE, "没有用户列表"))
        return
    gaps.extend(users.gaps)
    for user in users.value:
        own = _switch(host, rf"HKU\{user.sid}\Software\{_POLICIES}")
        value = own if isinstance(own, Unknown) else isinstance(own, Known) and own.value
        yield {"account": user.account, "desktop": _DESKTOP, "autorun_off": value}


def _switch(host: Host, key: str) -> Reading[bool]:
    """Whether the value switches AutoPlay off for all kinds of drives."""
    value = host.registry.value(key=key, name=_VALUE)
    if not isinstance(value, Known):
        return value
    raw = value.value
    if isinstance(raw, bytes) and len(raw) in (1, 2, 4):
        raw = int.from_bytes(raw, "little")
    if not isinstance(raw, int):
        return Unknown(Cause.MALFORMED, f"{key}\\{_VALUE} 不是数值", key)
    return Known(raw & _ALL_DRIVES == _ALL_DRIVES, value.origin)
