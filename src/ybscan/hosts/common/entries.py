"""Directory entries, told alike on both systems.

Sources: "Reparse Point Tags" of the Windows documentation (bit 29: the entry stands for another one, as symbolic links
and junctions do); CreateFile and FindFirstFile on sizes and times in a directory, which may be behind those of the file.
"""

from __future__ import annotations

import os
import stat as st
import sys

_NAME_SURROGATE = 0x20000000


def fresh(item: os.DirEntry[str]) -> os.stat_result:
    """Metadata of the entry itself. On Windows the file is asked, as the directory may hold an old size and time.

    Raises:
        OSError: it cannot be asked.
    """
    return os.lstat(item.path) if sys.platform == "win32" else item.stat(follow_symlinks=False)


def leads_away(s: os.stat_result) -> bool:
    """Whether the entry stands for another one: a symbolic link, or a junction or mount point of Windows."""
    return st.S_ISLNK(s.st_mode) or bool(getattr(s, "st_reparse_tag", 0) & _NAME_SURROGATE)
