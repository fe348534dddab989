"""Registry values as probes want them: of the type Windows takes, from the first of several keys that holds one."""

from __future__ import annotations

from collections.abc import Iterable

from ybscan.hosts.base import Host
from ybscan.hosts.groups.registry import View
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

#: Policy values that group policy writes, and whose local twins it overrides, lie in several keys: (key, value name).
Place = tuple[str, str]


def number(host: Host, key: str, name: str, view: View = "64") -> Reading[int]:
    """A REG_DWORD. Another type is Unknown(malformed): Windows takes no text for a number."""
    found = host.registry.value(key=key, name=name, view=view)
    if isinstance(found, Known) and not isinstance(found.value, int):
        return Unknown(Cause.MALFORMED, f"{key} 的 {name} 不是数值", f"{key}\\{name}")
    return found  # type: ignore[return-value]  # a number, or no value at all


def flag(host: Host, key: str, name: str, view: View = "64") -> Reading[bool]:
    """A REG_DWORD that is 0 or 1."""
    found = number(host, key, name, view)
    if not isinstance(found, Known):
        return found
    if found.value not in (0, 1):
        return Unknown(Cause.MALFORMED, f"{key} 的 {name} 为 {found.value}", f"{key}\\{name}")
    return Known(found.value == 1, found.origin)


def text(host: Host, key: str, name: str, view: View = "64") -> Reading[str]:
    """A REG_SZ or REG_EXPAND_SZ. Another type is Unknown(malformed)."""
    found = host.registry.value(key=key, name=name, view=view)
    if isinstance(found, Known) and not isinstance(found.value, str):
        return Unknown(Cause.MALFORMED, f"{key} 的 {name} 不是文字", f"{key}\\{name}")
    return found  # type: ignore[return-value]  # a text, or no value at all


def first_number(host: Host, places: Iterable[Place]) -> Reading[int]:
    """The number in the first of ``places`` (policy before local value) that holds one.

    A place that could not be read ends the search: what lies behind it may not be what counts.
    """
    found: Reading[int] = Absent()
    for key, name in places:
        found = number(host, key, name)
        if not isinstance(found, Absent):
            return found
    return found


def first_text(host: Host, places: Iterable[Place]) -> Reading[str]:
    """As :func:`first_number`, for texts."""
    found: Reading[str] = Absent()
    for key, name in places:
        found = text(host, key, name)
        if not isinstance(found, Absent):
            return found
    return found


def decimal(value: Reading[str]) -> Reading[int]:
    """A text of digits as a number; anything else is Unknown(malformed)."""
    if not isinstance(value, Known):
        return value
    digits = value.value.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
        return Unknown(Cause.MALFORMED, f"{value.origin} 不是数字", value.origin)
    return Known(int(digits), value.origin)
