"""The names and addresses that this machine goes by, and the domain it is in."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
from dataclasses import dataclass  # noqa: E402

from ybscan.hosts.groups.registry import Registry  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live.dll import function, last_error  # noqa: E402
from ybscan.hosts.windows.live.letters import windows_folder  # noqa: E402
from ybscan.hosts.windows.live.netadapters import read_adapters  # noqa: E402
from ybscan.hosts.windows.memory import fixed_wide  # noqa: E402
from ybscan.hosts.windows.netpaths import names_for  # noqa: E402
from ybscan.model.reading import Cause, Known, Unknown  # noqa: E402

#: ComputerNameNetBIOS, …DnsHostname, …DnsFullyQualified and their physical counterparts.
_NAMES, _DOMAINS = (0, 1, 3, 4, 5, 7), (2, 6)
#: Further names the file service and the logon accept.
_ALIASES = (
    (r"HKLM\SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters", "OptionalNames"),
    (r"HKLM\SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters", "AlternateComputerNames"),
    (r"HKLM\SYSTEM\CurrentControlSet\Services\Dnscache\Parameters", "AlternateComputerNames"),
    (r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa\MSV1_0", "BackConnectionHostNames"),
)
#: Switches by which the file service takes calls under any name: an alias of DNS may then lead back here.
_ANY_NAME = (
    (r"HKLM\SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters", "DisableStrictNameChecking"),
    (r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa", "DisableLoopbackCheck"),
)
_DOMAIN = (r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters", "Domain")
_LOGON_DOMAIN = (r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon", "DefaultDomainName")
_CACHE_DOMAIN = (r"HKLM\SYSTEM\CurrentControlSet\Services\Netlogon\Parameters", "DefaultDomainName")
_HOSTS_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Own:
    """Names, addresses and domains of this machine."""

    names: frozenset[str]
    addresses: frozenset[str]
    domains: frozenset[str]
    any_name: bool
    """Whether the file service answers to names that it does not know itself by."""


def own(registry: Registry) -> Own:
    """All of them.

    Raises:
        NotReadError: one of the sources cannot be read; then nobody can say that a server is another machine.
    """
    addresses = frozenset(a.address for adapter in read_adapters() for a in adapter.addresses)
    names = {_name(n) for n in _NAMES}
    for key, value in _ALIASES:
        names.update(_texts(registry, key, value))
    names.update(names_for(_hosts(), addresses))
    domains = {_name(n) for n in _DOMAINS}
    for key, value in (_DOMAIN, _LOGON_DOMAIN, _CACHE_DOMAIN):
        domains.update(_texts(registry, key, value))
    any_name = any(_switched_on(registry, key, value) for key, value in _ANY_NAME)
    return Own(frozenset(names - {""}), addresses, frozenset(domains - {""} - names), any_name)


def _switched_on(registry: Registry, key: str, name: str) -> bool:
    value = registry.value(key=key, name=name)
    if isinstance(value, Unknown):
        raise NotReadError(value)
    return isinstance(value, Known) and value.value != 0


def _name(number: int) -> str:
    call = function(
        "kernel32", "GetComputerNameExW", ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint32)
    )
    buffer, size = ctypes.create_string_buffer(2 * 1024), ctypes.c_uint32(1023)
    if not call(number, buffer, ctypes.byref(size)):
        raise last_error("GetComputerNameEx")
    return fixed_wide(buffer.raw)


def _texts(registry: Registry, key: str, name: str) -> tuple[str, ...]:
    value = registry.value(key=key, name=name)
    if isinstance(value, Unknown):
        raise NotReadError(value)
    if not isinstance(value, Known):
        return ()
    if isinstance(value.value, str):
        return tuple(value.value.replace(",", " ").split())
    return value.value if isinstance(value.value, tuple) else ()


def _hosts() -> str:
    path = f"{windows_folder()}\\System32\\drivers\\etc\\hosts"
    try:
        with open(path, "rb") as f:  # noqa: PTH123
            data = f.read(_HOSTS_LIMIT + 1)
    except FileNotFoundError:
        return ""
    except OSError:
        raise NotReadError(Unknown(Cause.DENIED, path, path)) from None
    if len(data) > _HOSTS_LIMIT:
        raise NotReadError(Unknown(Cause.TOO_LARGE, path, path))
    return data.decode("utf-8", "replace")
