"""Which files of a program folder are the program: what runs, and what tells it how. Pure."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

#: What runs, by its ending, on any system.
_RUNS = re.compile(
    r"exe|dll|ocx|sys|com|bat|cmd|ps1|vbs|jse?|wsf|msi|cpl|scr|drv|py[cd]?|jar|war|ear|class|so|sh|bash|pl|rb|lua"
    r"|php|appimage|node"
)
#: What tells a program what to do.
_CONFIGURES = re.compile(r"ini|cfg|conf|config|xml|properties|json|ya?ml|toml|reg|desktop|service")
#: Folders in which a program writes by itself; settings there change every day, what runs there is still watched.
_SCRATCH = frozenset({"log", "logs", "cache", "caches", "tmp", "temp", "日志", "缓存", "临时"})
_VERSIONED_SO = re.compile(r"\.so(\.\d+)+$")


def is_program(name: str, mode: int, *, posix: bool = True) -> bool:
    """Whether the file is watched.

    Args:
        name: the path relative to the program folder, with ``/``.
        mode: the permission bits; an execute bit makes any file one that runs.
        posix: whether the bits mean anything.
    """
    path = PurePosixPath(name)
    ending = path.suffix[1:].casefold()
    if _RUNS.fullmatch(ending) or _VERSIONED_SO.search(path.name.casefold()) or (posix and mode & 0o111):
        return True
    return bool(_CONFIGURES.fullmatch(ending)) and not in_scratch(str(path.parent))


def in_scratch(folder: str) -> bool:
    """Whether the folder (relative, with ``/``) is one in which a program writes by itself, or lies below one."""
    return any(p.casefold() in _SCRATCH for p in PurePosixPath(folder).parts)
