"""What wlanapi answers, taken apart: WLAN_INTERFACE_INFO_LIST, WLAN_RADIO_STATE, WLAN_PROFILE_INFO_LIST, the status of
a hosted network. Source: wlanapi.h of the Windows SDK.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ybscan.hosts.windows.memory import MalformedBufferError, Memory, fixed_wide, guid

INFO = 532
PROFILE = 516
_MAX = 256
#: WLAN_MAX_PHY_INDEX
_MAX_PHYS = 64


@dataclass(frozen=True, slots=True)
class WlanInterface:
    """One WLAN_INTERFACE_INFO."""

    id: str
    raw: bytes
    """The GUID as it lies in memory, for further calls."""
    detail: str
    state: int
    """WLAN_INTERFACE_STATE: 1 connected, 2 ad hoc network formed."""


def item_count(head: bytes) -> int:
    """The first number of a list.

    Raises:
        MalformedBufferError: it is cut off, or more than any system has.
    """
    number = Memory(head).number(0, 4)
    if number > _MAX:
        raise MalformedBufferError(f"{number} items")
    return number


def wlan_interfaces(data: bytes) -> tuple[WlanInterface, ...]:
    """A WLAN_INTERFACE_INFO_LIST.

    Raises:
        MalformedBufferError: it is shorter than it says.
    """
    memory = Memory(data)
    found: list[WlanInterface] = []
    for i in range(item_count(data)):
        row = memory.at(8 + i * INFO, INFO)
        state = struct.unpack_from("<I", row, 528)[0]
        found.append(WlanInterface(guid(row[:16]), row[:16], fixed_wide(row[16:528]), state))
    return tuple(found)


def wlan_profiles(data: bytes) -> tuple[str, ...]:
    """The names in a WLAN_PROFILE_INFO_LIST.

    Raises:
        MalformedBufferError: it is shorter than it says.
    """
    memory = Memory(data)
    return tuple(fixed_wide(memory.at(8 + i * PROFILE, PROFILE)[:512]) for i in range(item_count(data)))


def radio_on(data: bytes) -> bool | None:
    """Whether any radio of a WLAN_RADIO_STATE has both its switches on; None where no radio says clearly.

    Raises:
        MalformedBufferError: it is shorter than it says.
    """
    memory = Memory(data)
    phys = memory.number(0, 4)
    if phys > _MAX_PHYS:
        raise MalformedBufferError(f"{phys} radios")
    unclear = phys == 0
    for i in range(phys):
        _, software, hardware = struct.unpack("<3I", memory.at(4 + i * 12, 12))
        if software == hardware == 1:  # dot11_radio_state_on
            return True
        unclear = unclear or (2 not in (software, hardware))
    return None if unclear else False


def hosted_active(data: bytes) -> bool | None:
    """Whether a WLAN_HOSTED_NETWORK_STATUS says that the network runs; None for a state that is not known.

    Raises:
        MalformedBufferError: it is cut off.
    """
    state = Memory(data).number(0, 4)
    return {0: False, 1: False, 2: True}.get(state)  # unavailable, idle, active
