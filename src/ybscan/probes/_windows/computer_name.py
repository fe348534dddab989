"""The computer's name on Windows that holds after the next start, and who may set the clock.

Sources: GetComputerNameEx, LsaEnumerateAccountsWithUserRight, "Well-known SIDs"; ``Tcpip\\Parameters`` (``NV Hostname``),
``Control\\ComputerName\\ComputerName``.
"""

from __future__ import annotations

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

_TCPIP = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
_RIGHT = "SeSystemtimePrivilege"
#: LocalSystem, LocalService, NetworkService, administrators, server operators.
_TRUSTED = frozenset({"S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-32-544", "S-1-5-32-549"})
_SERVICES = "S-1-5-80-"
#: Everyone, those who sign in here or from the network, guests, users, power users.
_ORDINARY = frozenset(
    {"S-1-1-0", "S-1-2-0", "S-1-5-2", "S-1-5-4", "S-1-5-7", "S-1-5-11", "S-1-5-32-545", "S-1-5-32-546", "S-1-5-32-547"}
)
_NAME = r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName"


def configured(host: Host) -> Reading[str]:
    """The name that is set."""
    for key, name in ((_TCPIP, "NV Hostname"), (_NAME, "ComputerName")):
        reading = host.registry.value(key=key, name=name)
        if isinstance(reading, Unknown):
            return reading
        if isinstance(reading, Known):
            text = reading.value
            if not isinstance(text, str) or not text.strip():
                return Unknown(Cause.MALFORMED, f"{key} 的 {name}", key)
            return Known(text.strip(), f"{key} 的 {name}")
    return Absent(_TCPIP)


def changeable(host: Host) -> Fact:
    """Who may set the clock. Renaming always takes an administrator."""
    reading = host.accounts.holders(right=_RIGHT)
    if not isinstance(reading, Known):
        return reading if isinstance(reading, Unknown) else Unknown(Cause.UNAVAILABLE, "用户权利", _RIGHT)
    if not reading.value:
        # Administrators hold it on every Windows: a list without anybody was not read.
        return Unknown(Cause.UNAVAILABLE, "“更改系统时间”的用户权利没有任何持有者，与一般的 Windows 不符", _RIGHT)
    items: list[Item] = []
    for member in reading.value:
        if member.sid in _TRUSTED or member.sid.startswith(_SERVICES):
            continue
        allowed: FieldValue = True
        if member.sid not in _ORDINARY:
            allowed = Unknown(Cause.UNCONFIRMED, f"{member.name or member.sid} 是否为普通用户，需核实")
        items.append(
            {"what": "系统时间", "allowed": allowed, "source": f"用户权利 {_RIGHT}：{member.name or member.sid}"}
        )
    return Known(tuple(items), reading.origin, reading.gaps)
