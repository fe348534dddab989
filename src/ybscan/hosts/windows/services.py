"""Services and drivers as the registry has them.

Sources: "CreateServiceW" (types, start types), "Service Trigger Events", and the key ``Services`` as documented in
"HKLM\\SYSTEM\\CurrentControlSet\\Services Registry Tree".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from ybscan.hosts.groups.registry import Registry, RegistryValue
from ybscan.hosts.groups.services import ServiceConfig, Start
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown

SERVICES_KEY = r"HKLM\SYSTEM\CurrentControlSet\Services"
_STARTS: tuple[Start, ...] = ("boot", "system", "auto", "demand", "disabled")
#: SERVICE_KERNEL_DRIVER, _FILE_SYSTEM_DRIVER, _ADAPTER, _RECOGNIZER_DRIVER.
_DRIVER = 0x0F
#: SERVICE_WIN32_OWN_PROCESS, _SHARE_PROCESS.
_SERVICE = 0x30
_SHARED = 0x20
#: Where a program's name ends in a command line without quotes.
_PROGRAM = re.compile(r"^.*?\.(?:exe|com|bat|cmd|scr|sys|dll)(?=[\s\",]|$)", re.IGNORECASE)
_FIRST_OPTION = re.compile(r"\s+[-/]")


def configured(registry: Registry) -> Reading[tuple[ServiceConfig, ...]]:
    """Answer of :meth:`ybscan.hosts.groups.services.Services.configured` from a registry."""
    listed = registry.subkeys(key=SERVICES_KEY)
    if not isinstance(listed, Known):
        # No Windows is without the key.
        return listed if isinstance(listed, Unknown) else Unknown(Cause.MALFORMED, "没有 Services 项", SERVICES_KEY)
    found: list[ServiceConfig] = []
    gaps = list(listed.gaps)
    for name in listed.value:
        service = _service(registry, name)
        if isinstance(service, Gap):
            gaps.append(service)
        elif service is not None:
            found.append(service)
    if not found and not gaps:
        return Unknown(Cause.MALFORMED, "Services 项中没有任何服务", SERVICES_KEY)
    return Known(tuple(sorted(found, key=lambda s: s.name)), SERVICES_KEY, tuple(gaps))


def _service(registry: Registry, name: str) -> ServiceConfig | Gap | None:
    """None for a key that sets up no service: one without a type holds counters or settings only."""
    key = f"{SERVICES_KEY}\\{name}"
    read = registry.values(key=key)
    if isinstance(read, Unknown):
        return read.as_gap()
    if not isinstance(read, Known):
        return None  # removed while we looked
    values = {n.lower(): v for n, v in read.value.items()}
    kind, start = values.get("type"), values.get("start")
    unreadable = any(gap.origin.lower().endswith(("\\type", "\\start")) for gap in read.gaps)
    if "type" not in values and not unreadable:
        return None
    if not isinstance(kind, int) or not isinstance(start, int) or not 0 <= start < len(_STARTS):
        return Gap(Cause.MALFORMED, f"服务 {name} 的类型或启动方式无法识别", key)
    which: Literal["driver", "service"]
    if kind & _SERVICE:
        which = "service"
    elif kind & _DRIVER:
        which = "driver"
    else:
        return Gap(Cause.MALFORMED, f"服务 {name} 的类型 {kind} 无法识别", key)
    dll = _dll(registry, key, values, shared=bool(kind & _SHARED)) if which == "service" else ""
    if isinstance(dll, Gap):
        return dll
    below = registry.subkeys(key=key)
    if isinstance(below, Unknown):
        return below.as_gap()
    written = _text(values.get("imagepath"))
    display = _text(values.get("displayname"))
    return ServiceConfig(
        name=name,
        display="" if display.startswith("@") else display,
        start=_STARTS[start],
        kind=which,
        image=program_of(written) if which == "service" else written.strip().strip('"'),
        dll=dll,
        account=_text(values.get("objectname")),
        delayed=values.get("delayedautostart") == 1,
        triggered=isinstance(below, Known) and any(n.lower() == "triggerinfo" for n in below.value),
    )


def _dll(registry: Registry, key: str, values: Mapping[str, RegistryValue], *, shared: bool) -> str | Gap:
    """The library of a service that runs in a process with others; some name it in the service's own key."""
    named = registry.value(key=f"{key}\\Parameters", name="ServiceDll")
    if isinstance(named, Unknown):
        return named.as_gap() if shared else ""
    return _text(named.value) if isinstance(named, Known) else _text(values.get("servicedll"))


def program_of(command: str) -> str:
    """The program of a command line, without quotes and arguments.

    Without quotes, and with blanks in the path, it ends where the first name of a program does; Windows itself tries
    shorter names first, but those seldom exist, and where they do the finding is about them anyway.
    """
    command = command.strip()
    if command.startswith('"'):
        return command[1:].partition('"')[0].strip()
    if found := _PROGRAM.match(command):
        return found[0]
    return _FIRST_OPTION.split(command, maxsplit=1)[0]


def _text(value: RegistryValue | None) -> str:
    return value if isinstance(value, str) else ""
