"""Name servers and the hosts file of Windows.

Sources: ``Tcpip\\Parameters\\Interfaces\\{GUID}`` (``NameServer`` wins over ``DhcpNameServer``; separated by spaces or commas),
the same below ``Tcpip6`` (``Dhcpv6DNSServers`` holds 16 bytes per address), [MS-GPNRPT] for the name resolution policy
table, ``DataBasePath``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator

from ybscan.hosts.base import Host
from ybscan.model.facts import FieldValue
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._addresses import address_of
from ybscan.probes._windows.adapters import connection_name, is_connection
from ybscan.probes._windows.keys import Keys

_TCPIP = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
_TCPIP6 = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip6\Parameters"
_POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\DNSClient"
_NRPT = (f"{_POLICY}\\DnsPolicyConfig", r"HKLM\SYSTEM\CurrentControlSet\Services\Dnscache\Parameters\DnsPolicyConfig")
_SYSTEM = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_FOLDER = r"%systemroot%\system32\drivers\etc"


class Resolver:
    """A server that would be asked. ``in_use`` is Unknown where nobody can tell whether the card is there."""

    __slots__ = ("address", "in_use", "source")

    def __init__(self, address: str, source: str, in_use: bool | Unknown = True) -> None:
        self.address, self.source, self.in_use = address, source, in_use


def resolvers(host: Host) -> tuple[list[Resolver], list[Gap]]:
    """All servers, of this machine's own forwarders too, each with the card or policy that names it."""
    keys = Keys(host)
    found = list(_policies(keys))
    used = _in_use(host, keys)
    cards = keys.expected(f"{_TCPIP}\\Interfaces", "网卡的 TCP/IP 设置")
    for guid in cards:
        found.extend(_card(keys, _TCPIP, guid, used))
    for guid in keys.subkeys(f"{_TCPIP6}\\Interfaces"):
        found.extend(_card(keys, _TCPIP6, guid, used))
    return found, list(keys.all_gaps())


def _in_use(host: Host, keys: Keys) -> Callable[[str], bool | Unknown]:
    """Whether the card of a GUID is in use now. Asked of the system that runs; on a disk only what is set up is known."""
    interfaces = host.network.interfaces()
    ids = {i.id.upper() for i in interfaces.value if i.up and i.id} if isinstance(interfaces, Known) else set()
    if isinstance(interfaces, Known) and ids and not interfaces.gaps:
        return lambda guid: guid.upper() in ids
    why = interfaces if isinstance(interfaces, Unknown) else Unknown(Cause.INCOMPLETE, "网络接口")

    def told(guid: str) -> bool | Unknown:
        if guid.upper() in ids:
            return True
        return Unknown(why.cause, "网卡是否在用无法得知") if is_connection(keys, guid) else False

    return told


def _card(keys: Keys, stack: str, guid: str, used: Callable[[str], bool | Unknown]) -> Iterator[Resolver]:
    in_use = used(guid)
    if in_use is False:
        return
    key = f"{stack}\\Interfaces\\{guid}"
    values = keys.values(key)
    source = connection_name(keys, guid) or guid
    # Settings of Windows 10 and later writes those it was told for this one network beside the card's own.
    written = [values[n] for n in ("nameserver", "profilenameserver") if n in values]
    given: list[str] = []
    if not all(isinstance(w, str) for w in written):
        keys.malformed(key, "NameServer")
    if texts := [w for w in written if isinstance(w, str) and w.strip()]:
        given = [address for w in texts for address in _addresses(keys, w, key)]
    elif values.get("enabledhcp") != 0:
        given = _addresses(keys, str(values.get("dhcpnameserver", "")), key)
        packed = values.get("dhcpv6dnsservers", b"")
        if isinstance(packed, bytes) and len(packed) % 16 == 0:
            given += [str(ipaddress.IPv6Address(packed[n : n + 16])) for n in range(0, len(packed), 16)]
        else:
            keys.malformed(key, "Dhcpv6DNSServers")
    for address in given:
        yield Resolver(address, source, in_use)


def _addresses(keys: Keys, text: str, key: str) -> list[str]:
    found = []
    for word in re.split(r"[\s,;]+", text.split("\0", 1)[0]):
        if not word:
            continue
        if address_of(word) is None:
            keys.gaps.append(Gap(Cause.MALFORMED, f"DNS 服务器“{word[:60]}”", key))
        else:
            found.append(word)
    return found


def _policies(keys: Keys) -> Iterator[Resolver]:
    for key, source in ((_TCPIP, "Tcpip\\Parameters"), (_POLICY, "组策略")):
        for address in _addresses(keys, keys.text(key, "NameServer"), key):
            yield Resolver(address, source)
    for table in _NRPT:
        for rule in keys.subkeys(table):
            key = f"{table}\\{rule}"
            for name in ("GenericDNSServers", "DirectAccessDNSServers"):
                for address in _addresses(keys, keys.text(key, name), key):
                    yield Resolver(address, "名称解析策略表")


def own_name(host: Host) -> str | None:
    """The terminal's name in TCP/IP; None where it could not be read."""
    for name in ("Hostname", "NV Hostname"):
        reading = host.registry.value(key=_TCPIP, name=name)
        if isinstance(reading, Known) and isinstance(reading.value, str) and reading.value:
            return reading.value
    return None


def hosts_path(host: Host) -> tuple[str, FieldValue, list[Gap]]:
    """Where the hosts file lies, whether that is somewhere else than usual, and what could not be read."""
    keys = Keys(host)
    root = keys.text(_SYSTEM, "SystemRoot") or r"C:\Windows"
    reading = host.registry.value(key=_TCPIP, name="DataBasePath")
    if isinstance(reading, Unknown):
        keys.gaps.append(reading.as_gap())
    written = reading.value if isinstance(reading, Known) else _FOLDER
    if isinstance(reading, Absent) or not isinstance(written, str) or not written.strip():
        written = _FOLDER
    lower = written.strip().rstrip("\\").lower()
    for variable in ("%systemroot%", "%windir%"):
        lower = lower.replace(variable, root.lower())
    usual = f"{root}\\System32\\drivers\\etc"
    moved = lower != usual.lower()
    return f"{written.strip() if moved else usual}\\hosts", moved, keys.gaps


def unapproved(found: Iterable[Resolver], approved: Callable[[str], bool]) -> Iterator[tuple[Resolver, FieldValue]]:
    """Each resolver with the address to compare: in doubt where its card may not be in use."""
    for resolver in found:
        address: FieldValue = resolver.address
        if isinstance(resolver.in_use, Unknown) and not approved(resolver.address):
            address = Unknown(resolver.in_use.cause, f"{resolver.address}：{resolver.in_use.detail}", resolver.source)
        yield resolver, address
