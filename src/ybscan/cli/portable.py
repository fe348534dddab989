"""The portable forms: which one this is, and the digests by which it can be told from a changed one.

The build puts ``_data/portable.txt`` into the package: one line with the form's name and what it was made from. A
checkout or an installed package has no such file.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import ybscan

MARKER = Path(ybscan.__file__).parent / "_data" / "portable.txt"
SUMS = "SHA256SUMS"


def is_portable() -> bool:
    """Whether this is one of the portable forms."""
    return MARKER.is_file()


def single_file() -> bool:
    """Whether this is the program that unpacks itself into a temporary folder."""
    unpacked = Path(getattr(sys, "_MEIPASS", ".")).resolve()
    return hasattr(sys, "_MEIPASS") and not unpacked.is_relative_to(Path(sys.executable).resolve().parent)


def shown_files() -> list[Path]:
    """The files whose digests identify the program: the .exe, and the list that a folder form carries of its files."""
    if getattr(sys, "frozen", False):
        program = Path(sys.executable)
        files = [program] if single_file() else [program, program.parent / SUMS]
    else:
        files = [Path(ybscan.__file__).resolve().parents[2] / SUMS]
    return [f for f in files if f.is_file()]


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def folder_digest(folder: Path) -> str:
    """One SHA-256 over all files below a folder: over the lines ``digest, two blanks, path/with/slashes``, in the order
    of the paths' code points. The same as ``sha256sum`` of the sorted list that ``sha256sum`` prints.

    Raises:
        OSError: a file cannot be read.
    """
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    lines = "".join(f"{file_digest(files[name])}  {name}\n" for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def version_text() -> str:
    """What ``--version`` prints in a portable form."""
    lines = [f"ybscan {ybscan.__version__}（{MARKER.read_text(encoding='utf-8').strip()}）"]
    lines += [f"{file.name} 的 SHA-256：{file_digest(file)}" for file in shown_files()]
    lines.append(f"规则的 SHA-256：{folder_digest(MARKER.parent / 'rules')}")
    return "\n".join(lines) + "\n"
