"""WMI queries to this machine, row by row, through the scripting objects."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

from typing import Any  # noqa: E402

from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live.com import component  # noqa: E402

#: wbemConnectFlagUseMaxWait: give up after two minutes at the latest.
_USE_MAX_WAIT = 0x80
#: wbemFlagReturnImmediately | wbemFlagForwardOnly
_SEMISYNCHRONOUS = 0x10 | 0x20
#: WBEM_E_NOT_FOUND: this version of the class has no such property.
_NOT_FOUND = 0x80041002


def rows(namespace: str, query: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """What a WQL query finds in a namespace of this machine. A property that a row lacks, or that is NULL, is None.

    Call within :func:`ybscan.hosts.windows.live.com.com_asked`.

    Raises:
        NotReadError: WMI, the namespace, the class or the right to read it is missing, or the answer breaks off.
    """
    origin = f"WMI {namespace}"
    locator = component("WbemScripting.SWbemLocator", origin)
    services = locator.child("ConnectServer", ".", namespace, "", "", "", "", _USE_MAX_WAIT)
    found: list[dict[str, Any]] = []
    for item in services.child("ExecQuery", query, "WQL", _SEMISYNCHRONOUS).each():
        properties = item.child("Properties_")
        found.append({name: _property(properties, name) for name in names})
    return found


def _property(properties: Any, name: str) -> Any:
    try:
        return properties.child("Item", name).get("Value")
    except NotReadError as e:
        if e.code == _NOT_FOUND:
            return None
        raise
