"""What an inventory is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ybscan.hosts.base import Host
from ybscan.model.reading import Gap

Source = Literal["dpkg", "rpm", "pacman", "flatpak", "snap", "linglong", "uninstall", "appx"]

SOURCE_TEXT = {
    "dpkg": "dpkg 软件包", "rpm": "rpm 软件包", "pacman": "pacman 软件包", "flatpak": "flatpak 应用", "snap": "snap 应用",
    "linglong": "玲珑应用", "uninstall": "卸载登记", "appx": "应用商店应用",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package as its manager's own record has it.

    ``base`` marks what belongs to the system itself by the record (Essential, Priority); ``auto`` whether it came
    only as a dependency, None where the manager does not say. ``doubt`` says why the record alone does not prove
    that the program is there.
    """

    source: Source
    name: str
    version: str = ""
    base: bool = False
    auto: bool | None = None
    origin: str = ""
    doubt: str = ""
    key: str = ""
    """Windows: the name of the record's key."""
    publisher: str = ""
    location: str = ""
    """Windows: the folder or program the record names, expanded; empty where it names none."""


@dataclass(frozen=True, slots=True)
class Startup:
    """Windows: a program that something starts by itself; ``where`` is for people."""

    program: str
    where: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A desktop entry: its names in all languages, the program it starts, the id its file name gives."""

    path: str
    app: str
    names: tuple[str, ...]
    programs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A file or folder that was seen; ``kind`` tells what looking there means."""

    path: str
    kind: Literal["path", "opt", "appimage", "wine", "program", "data"]
    name: str
    """The bare name to compare: ``QQ`` for ``/opt/QQ``, without version and ``.AppImage``."""


@dataclass(slots=True)
class Inventory:
    """Everything found on one terminal, and what could not be looked at."""

    packages: list[Package] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    processes: dict[str, str] = field(default_factory=dict)
    """Folded process and image names → as shown."""
    images: set[str] = field(default_factory=set)
    """Paths of the images that run."""
    services: dict[str, str] = field(default_factory=dict)
    """Unit names without suffix, folded → unit file."""
    listings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Folders that were listed, with their names."""
    homes: tuple[str, ...] = ()
    personal: list[str] = field(default_factory=list)
    """Folders where people and installers put single programs (downloads, ~/bin, /usr/local/bin, /tmp)."""
    managers: tuple[str, ...] = ()
    gaps: list[Gap] = field(default_factory=list)
    process_gaps: tuple[Gap, ...] = ()
    """The part of ``gaps`` that concerns what runs."""
    system: Literal["linux", "windows"] = "linux"
    startups: list[Startup] = field(default_factory=list)
    programs: dict[str, str] = field(default_factory=dict)
    """Windows: folded names of services → the program each runs."""
    titles: dict[str, str] = field(default_factory=dict)
    """Windows: folded display names of services → names of services."""
    places: object = None
    """Windows: the :class:`ybscan.probes._windows.places.Places` of the terminal."""
    host: Host | None = field(default=None, repr=False)
    """Windows: whom to ask the few questions that only a hit is worth (is the file there, who signed it)."""
