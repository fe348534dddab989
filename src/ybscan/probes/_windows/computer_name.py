"""The computer's name on Windows: the one in use, and the one it will bear after the next start.

Sources: GetComputerNameEx, ``Tcpip\\Parameters`` (``NV Hostname``), ``Control\\ComputerName\\ComputerName``.
"""

from __future__ import annotations

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

_TCPIP = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
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


def changeable() -> Fact:
    """Renaming always takes an administrator; who may set the clock stands among the secrets of the LSA."""
    return Unknown(
        Cause.UNSUPPORTED, "本版本不能读取“更改系统时间”的用户权利，请在 secpol.msc 中核对", "SeSystemtimePrivilege"
    )
