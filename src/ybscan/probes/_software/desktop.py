"""Desktop entries (Desktop Entry Specification 1.5): what the menus offer."""

from __future__ import annotations

import re

from ybscan.hosts.base import Host
from ybscan.model.reading import Gap, Known, Unknown
from ybscan.probes._software.packages import names_in
from ybscan.probes._software.records import Entry, Inventory

SYSTEM_FOLDERS = (
    "/usr/share/applications",
    "/usr/local/share/applications",
    "/var/lib/flatpak/exports/share/applications",
    "/var/lib/snapd/desktop/applications",
    "/var/lib/linglong/entries/share/applications",
)
#: Programs that only start another one named in their arguments.
_LAUNCHERS = frozenset(
    {"env", "sh", "bash", "flatpak", "snap", "ll-cli", "pkexec", "sudo", "gksu", "nohup", "xdg-open", "wine"}
)
_ENTRY_LIMIT = 256 * 1024


def read_entries(host: Host, inventory: Inventory) -> None:
    """Add every desktop entry of the system's, the people's and the /opt/apps folders."""
    folders = list(SYSTEM_FOLDERS)
    for app in names_in(host, inventory, "/opt/apps"):
        folders.append(f"/opt/apps/{app}/entries/applications")
    for home in inventory.homes:
        if ".local" in inventory.listings.get(home, ()):
            folders.append(f"{home}/.local/share/applications")
    for folder in folders:
        _folder(host, inventory, folder, depth=2)


def _folder(host: Host, inventory: Inventory, folder: str, *, depth: int) -> None:
    for name in names_in(host, inventory, folder):
        path = f"{folder}/{name}"
        if name.endswith(".desktop"):
            entry = read_entry(host, path, inventory.gaps)
            if entry is not None:
                inventory.entries.append(entry)
        elif depth and "." not in name:
            # Subfolders are allowed (wine puts its entries in wine/Programs/…).
            _folder(host, inventory, path, depth=depth - 1)


def read_entry(host: Host, path: str, gaps: list[Gap]) -> Entry | None:
    """The entry at ``path``; None when it cannot be read (a gap then) or is a dangling link."""
    text = host.files.text(path=path, limit=_ENTRY_LIMIT)
    if isinstance(text, Unknown):
        gaps.append(text.as_gap())
    return parse_entry(text.value, path) if isinstance(text, Known) else None


def parse_entry(text: str, path: str) -> Entry:
    """Names in every language and started programs of the ``[Desktop Entry]`` group; actions are other groups."""
    names: dict[str, None] = {}
    programs: dict[str, None] = {}
    inside = False
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            inside = line == "[Desktop Entry]"
        elif inside and "=" in line and not line.startswith("#"):
            key, value = (part.strip() for part in line.split("=", 1))
            if re.fullmatch(r"(Name|GenericName|X-GNOME-FullName)(\[[^\]]*\])?", key) and value:
                # A generic name ("网页浏览器") says nothing about the product.
                if not key.startswith("GenericName"):
                    names[value] = None
            elif key in ("Exec", "TryExec"):
                programs.update(dict.fromkeys(programs_of(value)))
    app = path.rsplit("/", 1)[-1].removesuffix(".desktop")
    return Entry(path, app, tuple(names), tuple(programs))


def programs_of(command: str) -> tuple[str, ...]:
    """The programs an Exec line starts: its first word, and what launchers such as ``env`` or ``flatpak run`` start.

    Arguments are not kept: they may hold addresses or passwords.
    """
    words = [w[0] or w[1] or w[2] for w in re.findall(r'"([^"]*)"|\'([^\']*)\'|(\S+)', command[:4096])]
    found: list[str] = []
    for word in words:
        if word.startswith(("-", "%")) or re.match(r"[A-Za-z_][A-Za-z0-9_]*=", word) or word in ("run", "c:"):
            continue
        base = re.split(r"[/\\]", word)[-1]
        found.append(word)
        if base.casefold() not in _LAUNCHERS:
            break
    windows = re.search(r"([^\\/\"']+\.exe)\b", command[:4096], re.IGNORECASE)
    if windows:
        found.append(windows[1])
    return tuple(dict.fromkeys(found))
