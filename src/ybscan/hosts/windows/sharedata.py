"""SHARE_INFO_1 and SHARE_INFO_2 as NetShareEnum gives them, taken apart.

Source: lmshare.h of the Windows SDK, for pointers of 4 and of 8 bytes. The password field of level 2 is never followed.
"""

from __future__ import annotations

from collections.abc import Callable

from ybscan.hosts.groups.network import SharedFolder, ShareKind
from ybscan.hosts.windows.memory import Memory

_KINDS: dict[int, ShareKind] = {0: "disk", 1: "printer", 2: "device", 3: "ipc"}
#: STYPE_SPECIAL; the two lowest bits of the type tell the kind, the rest of its lowest byte is not in use.
_SPECIAL = 0x80000000


def row_size(level: int, word: int) -> int:
    """Bytes of one row. In words: name, type, remark; for level 2 three numbers, path and password more."""
    return 3 * word if level == 1 else 5 * word + (16 if word == 8 else 12)


def shares(memory: Memory, count: int, level: int, text: Callable[[int], str]) -> tuple[SharedFolder, ...]:
    """The rows. ``text`` gives the text at an address.

    Raises:
        MalformedBufferError: the buffer is shorter than it says.
    """
    w = memory.word
    found = []
    for n in range(count):
        here = n * row_size(level, w)
        memory.at(here, row_size(level, w))
        name = memory.number(here, w)
        kind = memory.number(here + w, 4)
        # Three numbers of 4 bytes lie between remark and path, and on 64 bits room for a fourth.
        path = memory.number(here + 3 * w + (16 if w == 8 else 12), w) if level == 2 else 0
        found.append(
            SharedFolder(
                text(name) if name else "", _KINDS.get(kind & 0xFF, "other"), bool(kind & _SPECIAL),
                text(path) if path else "",
            )
        )  # fmt: skip
    return tuple(found)
