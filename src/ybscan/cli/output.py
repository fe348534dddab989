"""Writing result files: whole or not at all, and never over an earlier record."""

from __future__ import annotations

import contextlib
import ntpath
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ybscan.model.problem import InputProblems, Problem

#: Room for a file name of our own within the 260 characters that Windows allows.
_LONG = 150
_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]|[\ud800-\udfff]|^\.+')
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def safe_name(text: str) -> str:
    """A file name made from a terminal's id that every system accepts."""
    name = _UNSAFE.sub("_", text).strip(" .")[:80] or "terminal"
    return f"_{name}" if _RESERVED.match(name) else name


def reachable(path: Path) -> Path:
    r"""The same place by a name that Windows takes whatever its length, where it is so long that it matters.

    Windows refuses names of 260 characters and more unless the registry allows them; ``\\\\?\\`` in front lifts the
    limit everywhere ("Maximum Path Length Limitation", Windows documentation).
    """
    return Path(extended(str(path.absolute()))) if sys.platform == "win32" else path


def extended(path: str) -> str:
    """The text of an absolute Windows path, long ones with the prefix that lifts the limit."""
    if len(path) < _LONG or path.startswith(("\\\\?\\", "\\\\.\\")):
        return path
    path = ntpath.normpath(path)
    return "\\\\?\\UNC" + path[1:] if path.startswith("\\\\") else "\\\\?\\" + path


def prepared_folder(folder: Path) -> Path:
    """The output folder, made if need be and proven writable before anything is scanned.

    Raises:
        InputProblems: it cannot be made or written to.
    """
    try:
        reachable(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=reachable(folder)):
            pass
    except OSError as e:
        raise InputProblems(
            [
                Problem(
                    str(folder),
                    0,
                    f"输出文件夹无法写入（{e.strerror or type(e).__name__}）",
                    "请用 -o 指定可写的文件夹",
                )
            ]
        ) from None
    return folder


def free_stem(folder: Path, stem: str, endings: tuple[str, ...]) -> str:
    """``stem``, or with ``-2``, ``-3`` … appended where a record of that name exists already."""
    number = 1
    while True:
        candidate = stem if number == 1 else f"{stem}-{number}"
        if not any(reachable(folder / f"{candidate}.{e}").exists() for e in endings):
            return candidate
        number += 1


def write_all(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write several files: all content is on the disk before the first gets its name.

    Raises:
        InputProblems: the disk is full or the folder cannot be written to; nothing is left behind.
    """
    made: list[tuple[Path, Path]] = []
    named: list[Path] = []
    try:
        for name, data in files.items():
            fd, temporary = tempfile.mkstemp(prefix=".ybscan-", dir=reachable(folder))
            made.append((Path(temporary), folder / name))
            with os.fdopen(fd, "wb") as f:
                f.write(data)
                f.flush()
                os.fsync(f.fileno())
            Path(temporary).chmod(0o640)
        for temporary_path, final in made:
            temporary_path.replace(reachable(final))
            named.append(final)
    except (OSError, KeyboardInterrupt) as e:
        for final in named:
            with contextlib.suppress(OSError):
                reachable(final).unlink()
        if isinstance(e, KeyboardInterrupt):
            raise
        raise InputProblems([Problem(str(folder), 0, f"写入失败（{e.strerror or type(e).__name__}）")]) from None
    finally:
        for temporary_path, _ in made:
            with contextlib.suppress(OSError):
                temporary_path.unlink()
    return [final for _, final in made]
