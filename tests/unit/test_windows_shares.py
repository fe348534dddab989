"""What NetShareEnum gives, for pointers of 4 and of 8 bytes."""

from __future__ import annotations

import struct

import pytest

from ybscan.hosts.groups.network import SharedFolder
from ybscan.hosts.windows import sharedata
from ybscan.hosts.windows.memory import MalformedBufferError, Memory

TEXTS = {0x1000: "数据", 0x2000: "D:\\数据", 0x3000: "C$", 0x4000: "C:\\", 0x5000: "IPC$"}


def rows(level: int, word: int) -> bytes:
    """Three shares: a folder, a disk's own and IPC$; in level 2 with a pointer to a password that must not be followed."""
    found = b""
    for name, kind, path in ((0x1000, 0x40000000, 0x2000), (0x3000, 0x80000000, 0x4000), (0x5000, 0x80000003, 0)):
        if word == 8:
            found += struct.pack("<QIIQ", name, kind, 0, 0)
            found += struct.pack("<IIIIQQ", 0, 0xFFFFFFFF, 0, 0, path, 0xDEAD) if level == 2 else b""
        else:
            found += struct.pack("<III", name, kind, 0)
            found += struct.pack("<IIIII", 0, 0xFFFFFFFF, 0, path, 0xDEAD) if level == 2 else b""
    return found


@pytest.mark.parametrize("word", [4, 8])
@pytest.mark.parametrize("level", [1, 2])
def test_shares(level: int, word: int) -> None:
    data = rows(level, word)
    assert len(data) == 3 * sharedata.row_size(level, word)
    told = level == 2
    assert sharedata.shares(Memory(data, 0, word), 3, level, TEXTS.__getitem__) == (
        SharedFolder("数据", "disk", False, "D:\\数据" if told else ""),
        SharedFolder("C$", "disk", True, "C:\\" if told else ""),
        SharedFolder("IPC$", "ipc", True, ""),
    )
    with pytest.raises(MalformedBufferError):
        sharedata.shares(Memory(data[:-1], 0, word), 3, level, TEXTS.__getitem__)
