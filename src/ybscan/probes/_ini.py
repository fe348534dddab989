"""Configuration files of display managers: sections, keys, and several files read one over the other."""

from __future__ import annotations

from collections.abc import Iterable

from ybscan.hosts.base import Host
from ybscan.model.reading import Gap, Known, Unknown

Sections = dict[str, dict[str, tuple[str, str]]]
"""Section → key → (value, path of the file that set it); sections and keys in lower case."""

#: In the order lightdm reads them, later ones win; lightdm.conf itself comes last (lightdm NEWS).
LIGHTDM_FOLDERS = (
    "/usr/share/lightdm/lightdm.conf.d",
    "/etc/xdg/lightdm/lightdm.conf.d",
    "/etc/lightdm/lightdm.conf.d",
)
LIGHTDM_FILE = "/etc/lightdm/lightdm.conf"


def conf_files(host: Host, folder: str, gaps: list[Gap]) -> list[str]:
    """The ``*.conf`` of a folder in order."""
    names = host.files.entries(path=folder)
    if isinstance(names, Unknown):
        gaps.append(names.as_gap())
    return [f"{folder}/{n}" for n in names.value if n.endswith(".conf")] if isinstance(names, Known) else []


def merged(host: Host, paths: Iterable[str], gaps: list[Gap]) -> Sections:
    """Files read in order, later values over earlier ones; what cannot be read leaves a gap."""
    found: Sections = {}
    for path in paths:
        text = host.files.text(path=path)
        if isinstance(text, Unknown):
            gaps.append(text.as_gap())
        if isinstance(text, Known):
            _parse(text.value, path, found)
    return found


def lightdm(host: Host, gaps: list[Gap]) -> Sections:
    """What lightdm is set to. ``Seat:*`` and the ``SeatDefaults`` of old releases are one section, ``seat:*``."""
    files = [p for f in LIGHTDM_FOLDERS for p in conf_files(host, f, gaps)]
    return merged(host, [*files, LIGHTDM_FILE], gaps)


def _parse(text: str, path: str, found: Sections) -> None:
    section = ""
    for line in text.split("\n"):
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip().lower()
            if section == "seatdefaults":
                section = "seat:*"
        elif "=" in line and not line.startswith(("#", ";")):
            key, value = line.split("=", 1)
            found.setdefault(section, {})[key.strip().lower()] = (value.strip().strip('"'), path)
