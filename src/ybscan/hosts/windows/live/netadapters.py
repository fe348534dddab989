"""Interfaces, routes and forwarding of the running system, from the IP Helper functions."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
import ipaddress  # noqa: E402
from collections.abc import Callable, Mapping  # noqa: E402
from typing import Literal  # noqa: E402

from ybscan.hosts.groups.network import Forwarding, Interface, Route  # noqa: E402
from ybscan.hosts.windows import adapters as rows  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError, failed  # noqa: E402
from ybscan.hosts.windows.live.dll import WORD, copied, function  # noqa: E402
from ybscan.hosts.windows.memory import Memory  # noqa: E402
from ybscan.hosts.windows.netkinds import Node, kind_of  # noqa: E402
from ybscan.model.reading import Cause, Known, Reading, Unknown  # noqa: E402

#: The device nodes behind adapters, by the adapter's GUID.
Nodes = Callable[[], Reading[Mapping[str, Node]]]

_AF_UNSPEC, _AF_INET, _AF_INET6 = 0, 2, 23
#: GAA_FLAG_INCLUDE_PREFIX | GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_INCLUDE_GATEWAYS
_FLAGS = 0x10 | 0x02 | 0x04 | 0x80
_OVERFLOW, _NO_DATA, _BUFFER_OVERFLOW = 122, 232, 111
_UP = 1
#: ERROR_NOT_SUPPORTED, ERROR_INVALID_PARAMETER
_FAMILY_REFUSED = (50, 87)


def read_adapters() -> tuple[rows.Adapter, ...]:
    """GetAdaptersAddresses for both families.

    Raises:
        NotReadError: it fails.
        MalformedBufferError: it gives nonsense.
    """
    origin = "GetAdaptersAddresses"
    call = function(
        "iphlpapi", origin, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_uint32),
    )  # fmt: skip
    size = ctypes.c_uint32(32 * 1024)
    for _ in range(6):  # adapters may come while we ask
        buffer = ctypes.create_string_buffer(size.value)
        code = call(_AF_UNSPEC, _FLAGS, None, buffer, ctypes.byref(size))
        if code == 0:
            return rows.adapters(Memory(buffer.raw, ctypes.addressof(buffer), WORD))
        if code == _NO_DATA:
            return ()
        if code not in (_BUFFER_OVERFLOW, _OVERFLOW):
            break
    raise failed(code, origin)


def _table(name: str, row: int, *first: int) -> bytes:
    """A table that the system allocates: its head and as many rows as it says, copied."""
    free = function("iphlpapi", "FreeMibTable", None, ctypes.c_void_p)
    call = function(
        "iphlpapi", name, ctypes.c_uint32, *([ctypes.c_uint16] * len(first)), ctypes.POINTER(ctypes.c_void_p)
    )
    table = ctypes.c_void_p()
    code = call(*first, ctypes.byref(table))
    if code == 1168:  # ERROR_NOT_FOUND: no entries
        return bytes(rows.TABLE_HEAD)
    if code or not table.value:
        raise failed(code, name)
    try:
        many = rows.count(copied(table.value, 4))
        return copied(table.value, rows.TABLE_HEAD + many * row if many else rows.TABLE_HEAD // 2)
    finally:
        free(table)


def read_links() -> tuple[rows.Link, ...]:
    """GetIfTable2.

    Raises:
        NotReadError: it fails.
        MalformedBufferError: it gives nonsense.
    """
    return rows.links(_table("GetIfTable2", rows.IF_ROW))


def interfaces(nodes: Nodes) -> Reading[tuple[Interface, ...]]:
    """The interfaces that IP is bound to, sorted by name.

    Raises:
        NotReadError: the system refuses.
        MalformedBufferError: it gives nonsense.
    """
    origin = "GetAdaptersAddresses"
    by_luid = {link.luid: link for link in read_links()}
    found_nodes = nodes()
    known = found_nodes.value if isinstance(found_nodes, Known) else {}
    gaps = [found_nodes.as_gap()] if isinstance(found_nodes, Unknown) else []
    found: list[Interface] = []
    for adapter in read_adapters():
        link = by_luid.get(adapter.luid)
        node = known.get(adapter.id)
        kind = kind_of(adapter.type, link.medium if link else 0, node)
        up = link.admin_up if link else adapter.status == _UP
        found.append(
            Interface(
                name=adapter.name or adapter.description or adapter.id, kind=kind, up=up,
                running=up and adapter.status == _UP, mac=adapter.mac, driver=node.service if node else "",
                addresses=adapter.addresses, master="", detail=adapter.description, id=adapter.id,
                permanent=link.permanent if link else "",
            )
        )  # fmt: skip
    if not found:
        # Every Windows with IP has at least the loopback interface.
        return Unknown(Cause.UNAVAILABLE, "系统没有给出任何网络接口", origin)
    return Known(tuple(sorted(found, key=lambda i: (i.name, i.id))), origin, tuple(gaps))


def _names() -> dict[int, str]:
    """Interface names by LUID."""
    names = {link.luid: link.name for link in read_links() if link.name}
    names.update({a.luid: a.name for a in read_adapters() if a.name})
    return names


def _both(name: str, row: int) -> tuple[bytes, ...]:
    """The table of both families, or where Windows wants them asked for one by one, the two."""
    try:
        return (_table(name, row, _AF_UNSPEC),)
    except NotReadError as e:
        if e.code not in _FAMILY_REFUSED:
            raise
    return _table(name, row, _AF_INET), _table(name, row, _AF_INET6)


def _interface_rows() -> list[rows.InterfaceRow]:
    return [r for table in _both("GetIpInterfaceTable", rows.INTERFACE_ROW) for r in rows.interface_rows(table)]


def _metrics() -> dict[tuple[int, int], int]:
    """What each interface adds to its routes; nothing where that cannot be told: it only orders them."""
    try:
        return {(r.luid, r.family): r.metric for r in _interface_rows()}
    except NotReadError:
        return {}


def _family(number: int) -> Literal["ipv4", "ipv6"]:
    return "ipv6" if number == _AF_INET6 else "ipv4"


def routes() -> Reading[tuple[Route, ...]]:
    """The routes of both families. A route's metric counts with that of its interface, as Windows does.

    Raises:
        NotReadError: the system refuses.
        MalformedBufferError: it gives nonsense.
    """
    origin = "GetIpForwardTable2"
    names, adapters = _names(), read_adapters()
    metrics = _metrics()
    own = {a.address for adapter in adapters for a in adapter.addresses}
    ends = {
        str(ipaddress.ip_network(f"{a.address}/{a.prefix}", strict=False).broadcast_address)
        for adapter in adapters for a in adapter.addresses if ":" not in a.address and a.prefix < 31
    }  # fmt: skip
    found = [
        Route(
            _family(r.family), r.destination, r.gateway, names.get(r.luid, f"#{r.index}"),
            r.metric + metrics.get((r.luid, r.family), 0), "main", _type(r, own, ends),
        )
        for table in _both(origin, rows.FORWARD_ROW)
        for r in rows.forward_rows(table)
    ]  # fmt: skip
    if not found:
        # Loopback alone has several.
        return Unknown(Cause.UNAVAILABLE, "系统没有给出任何路由", origin)
    found.sort(key=lambda r: (r.family, r.destination, r.metric, r.interface, r.gateway))
    return Known(tuple(found), origin)


def _type(row: rows.ForwardRow, own: set[str], ends: set[str]) -> str:
    """The sort of route in the words of iproute2; Windows keeps them all in one table."""
    net = ipaddress.ip_network(row.destination)
    if net.is_multicast:
        return "multicast"
    if net.prefixlen == net.max_prefixlen:
        address = str(net.network_address)
        if address in own or row.loopback:
            return "local"
        if address == "255.255.255.255" or address in ends:
            return "broadcast"
    return "local" if net.is_loopback else "unicast"


def forwarding() -> Reading[tuple[Forwarding, ...]]:
    """Per interface and family whether packets are passed on.

    Raises:
        NotReadError: the system refuses.
        MalformedBufferError: it gives nonsense.
    """
    origin = "GetIpInterfaceTable"
    names = _names()
    table = _interface_rows()
    if not table:
        return Unknown(Cause.UNAVAILABLE, "系统没有给出任何网络接口", origin)
    found = {Forwarding(names.get(r.luid, f"#{r.index}"), _family(r.family), r.forwarding) for r in table}
    return Known(tuple(sorted(found, key=lambda f: (f.interface, f.family, f.on))), origin)
