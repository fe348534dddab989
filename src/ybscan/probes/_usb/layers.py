"""Folders of configuration files in order of precedence: an earlier folder hides files of the same name in later ones.

modprobe.d(5) and udev(7) share this scheme: what remains after hiding is read in the order of the file names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

#: A file of this many bytes is no configuration file any more.
LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Layered:
    """The files that count, in reading order, and the folders that could not be listed."""

    files: tuple[tuple[str, Reading[str]], ...]
    """Path and text. A file that vanished between listing and reading is Absent; one masked by /dev/null is empty."""
    gaps: tuple[Gap, ...]
    folders: int
    """How many of the folders exist."""


def layered(host: Host, folders: tuple[str, ...], suffix: str) -> Layered:
    """Every file ending in ``suffix`` below ``folders`` that no earlier folder hides."""
    chosen: dict[str, str] = {}
    gaps: list[Gap] = []
    seen = 0
    for folder in folders:
        names = host.files.entries(path=folder)
        if isinstance(names, Unknown):
            # /run does not outlive a restart: a disk that lies still has nothing there that counts.
            if not (names.cause is Cause.UNSUPPORTED and folder.startswith("/run/")):
                gaps.append(names.as_gap())
            continue
        if isinstance(names, Absent):
            continue
        seen += 1
        for name in names.value:
            if name.endswith(suffix) and not name.startswith("."):
                chosen.setdefault(name, f"{folder}/{name}")
    # Byte order, as strcmp has it, not the order of code points of decoded names.
    ordered = sorted(chosen.items(), key=lambda entry: entry[0].encode("utf-8", "surrogateescape"))
    return Layered(tuple((path, unmasked(host, path)) for _, path in ordered), tuple(gaps), seen)


def unmasked(host: Host, path: str) -> Reading[str]:
    """The text of a file; a link to /dev/null (how an administrator masks a vendor's file) is an empty one."""
    text = host.files.text(path=path, limit=LIMIT)
    if isinstance(text, Known):
        return text
    link = host.files.link(path=path)
    return Known("", path) if isinstance(link, Known) and link.value == "/dev/null" else text


def logical_lines(text: str) -> Iterator[str]:
    """Lines with backslash-newline joined, as kmod and udev read them. A comment ends where its line ends.

    Only a newline ends a line for those programs; ``str.splitlines`` knows form feeds and other ends besides.
    """
    pending = ""
    for line in text.split("\n"):
        if line.endswith("\\"):
            pending += line[:-1]
            continue
        yield pending + line
        pending = ""
    if pending:
        yield pending
