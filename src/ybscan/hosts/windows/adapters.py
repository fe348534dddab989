"""IP_ADAPTER_ADDRESSES, MIB_IF_TABLE2, MIB_IPFORWARD_TABLE2 and MIB_IPINTERFACE_TABLE, taken apart.

Sources: iptypes.h and netioapi.h of the Windows SDK, for pointers of 4 and of 8 bytes.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from ybscan.hosts.groups.network import InterfaceAddress
from ybscan.hosts.windows.memory import MalformedBufferError, Memory, address, fixed_wide, guid

_MAX_ROWS = 4096
_MAX_LINKS = 4096

#: sizeof(MIB_IF_ROW2), sizeof(MIB_IPFORWARD_ROW2), sizeof(MIB_IPINTERFACE_ROW): alike on 32 and 64 bits.
IF_ROW = 1352
FORWARD_ROW = 104
INTERFACE_ROW = 168
#: The rows of such a table begin here.
TABLE_HEAD = 8


@dataclass(frozen=True, slots=True)
class Adapter:
    """One IP_ADAPTER_ADDRESSES."""

    id: str
    """As GetAdaptersAddresses names it: the GUID, upper case with braces."""
    name: str
    description: str
    mac: str
    type: int
    status: int
    """IF_OPER_STATUS: 1 up."""
    index: int
    index6: int
    luid: int
    tunnel: int
    addresses: tuple[InterfaceAddress, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """One MIB_IF_ROW2. ``medium`` is its NDIS_PHYSICAL_MEDIUM."""

    id: str
    name: str
    luid: int
    index: int
    permanent: str
    type: int
    medium: int
    hardware: bool
    admin_up: bool


@dataclass(frozen=True, slots=True)
class ForwardRow:
    """One MIB_IPFORWARD_ROW2."""

    luid: int
    index: int
    family: int
    destination: str
    gateway: str
    metric: int
    loopback: bool


@dataclass(frozen=True, slots=True)
class InterfaceRow:
    """One MIB_IPINTERFACE_ROW."""

    family: int
    luid: int
    index: int
    forwarding: bool
    metric: int


def _mac(data: bytes) -> str:
    return ":".join(f"{b:02x}" for b in data) if any(data) else ""


def adapters(memory: Memory) -> tuple[Adapter, ...]:
    """The chain of IP_ADAPTER_ADDRESSES that begins with the buffer.

    Raises:
        MalformedBufferError: it is not what it should be.
    """
    found: list[Adapter] = []
    here: int | None = 0 if memory.data else None
    while here is not None:
        if len(found) >= _MAX_ROWS:
            raise MalformedBufferError("the chain of adapters has no end")
        found.append(_adapter(memory, here))
        here = memory.pointer(here + 8)
    return tuple(found)


def _adapter(memory: Memory, here: int) -> Adapter:
    w = memory.word
    pointers = here + 8  # Next, AdapterName, FirstUnicastAddress … FriendlyName: nine in a row
    plain = pointers + 9 * w  # PhysicalAddress[8], its length, Flags, Mtu, IfType, OperStatus, Ipv6IfIndex
    prefix = plain + 8 + 6 * 4 + 16 * 4  # ZoneIndices[16] between
    speeds = _aligned(prefix + w, 8, here)
    links = speeds + 16  # FirstWinsServerAddress, FirstGatewayAddress, Ipv4Metric, Ipv6Metric
    luid = _aligned(links + 2 * w + 8, 8, here)
    tunnel = luid + 8 + 2 * w + 4 + 16 + 4  # Dhcpv4Server, CompartmentId, NetworkGuid, ConnectionType
    length = memory.number(plain + 8, 4)
    if length > 8:
        raise MalformedBufferError("a hardware address of more than 8 bytes")
    name = memory.narrow(memory.pointer(pointers + w))
    return Adapter(
        id=name.upper() if name.startswith("{") else name,
        name=memory.wide(memory.pointer(pointers + 8 * w)),
        description=memory.wide(memory.pointer(pointers + 7 * w)),
        mac=_mac(memory.at(plain, length)),
        type=memory.number(plain + 20, 4),
        status=memory.number(plain + 24, 4),
        index=memory.number(here + 4, 4),
        index6=memory.number(plain + 28, 4),
        luid=memory.number(luid, 8),
        tunnel=memory.number(tunnel, 4),
        addresses=_addresses(memory, memory.pointer(pointers + 2 * w)),
    )


def _aligned(offset: int, to: int, start: int) -> int:
    return start + -(-(offset - start) // to) * to


def _addresses(memory: Memory, here: int | None) -> tuple[InterfaceAddress, ...]:
    """The chain of IP_ADAPTER_UNICAST_ADDRESS."""
    w = memory.word
    found: list[InterfaceAddress] = []
    for _ in range(_MAX_LINKS):
        if here is None:
            return tuple(found)
        sockaddr = memory.pointer(here + 8 + w)
        size = memory.number(here + 8 + 2 * w, 4)
        text = address(memory.at(sockaddr, min(size, 28))) if sockaddr is not None else ""
        # SOCKET_ADDRESS takes two pointers; then three enumerations, three lifetimes, OnLinkPrefixLength.
        prefix = memory.number(here + 8 + 3 * w + 24, 1)
        if text:
            if prefix > ipaddress.ip_address(text).max_prefixlen:
                raise MalformedBufferError("a prefix longer than the address")
            found.append(InterfaceAddress(text, prefix))
        here = memory.pointer(here + 8)
    raise MalformedBufferError("the chain of addresses has no end")


def count(head: bytes) -> int:
    """The number of rows that a table says it has.

    Raises:
        MalformedBufferError: more than any system has.
    """
    if len(head) < 4:
        raise MalformedBufferError("a table without a count")
    rows: int = struct.unpack_from("<I", head)[0]
    if rows > _MAX_ROWS * 16:
        raise MalformedBufferError(f"{rows} rows")
    return rows


def links(table: bytes) -> tuple[Link, ...]:
    """A MIB_IF_TABLE2 without the filter modules that lie on the real interfaces.

    Raises:
        MalformedBufferError: it is shorter than it says.
    """
    memory = Memory(table)
    found: list[Link] = []
    for i in range(count(table)):
        row = memory.at(TABLE_HEAD + i * IF_ROW, IF_ROW)
        luid, index = struct.unpack_from("<QI", row)
        length = struct.unpack_from("<I", row, 1056)[0]
        if length > 32:
            raise MalformedBufferError("a hardware address of more than 32 bytes")
        kind, _, _, medium = struct.unpack_from("<4I", row, 1128)
        flags, admin = row[1152], struct.unpack_from("<I", row, 1160)[0]
        if flags & 0x02:
            continue
        found.append(
            Link(
                guid(row[12:28]), fixed_wide(row[28:542]), luid, index, _mac(row[1092 : 1092 + length]), kind, medium,
                bool(flags & 0x01), admin == 1,
            )
        )  # fmt: skip
    return tuple(found)


def forward_rows(table: bytes) -> tuple[ForwardRow, ...]:
    """A MIB_IPFORWARD_TABLE2.

    Raises:
        MalformedBufferError: it is shorter than it says, or a row makes no sense.
    """
    memory = Memory(table)
    found: list[ForwardRow] = []
    for i in range(count(table)):
        row = memory.at(TABLE_HEAD + i * FORWARD_ROW, FORWARD_ROW)
        luid, index = struct.unpack_from("<QI", row)
        prefix, length = address(row[12:40]), row[40]
        if not prefix or length > ipaddress.ip_address(prefix).max_prefixlen:
            raise MalformedBufferError("a route with no destination")
        hop = address(row[44:72])
        family = struct.unpack_from("<H", row, 12)[0]
        metric = struct.unpack_from("<I", row, 84)[0]
        net = ipaddress.ip_network(f"{prefix}/{length}", strict=False)
        on_link = not hop or ipaddress.ip_address(hop).is_unspecified
        found.append(ForwardRow(luid, index, family, str(net), "" if on_link else hop, metric, bool(row[92])))
    return tuple(found)


def interface_rows(table: bytes) -> tuple[InterfaceRow, ...]:
    """A MIB_IPINTERFACE_TABLE.

    Raises:
        MalformedBufferError: it is shorter than it says.
    """
    memory = Memory(table)
    found: list[InterfaceRow] = []
    for i in range(count(table)):
        row = memory.at(TABLE_HEAD + i * INTERFACE_ROW, INTERFACE_ROW)
        family, luid, index = struct.unpack_from("<H6xQI", row)
        found.append(InterfaceRow(family, luid, index, bool(row[41]), struct.unpack_from("<I", row, 148)[0]))
    return tuple(found)
