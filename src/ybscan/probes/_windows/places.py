"""Where the well-known folders of a Windows terminal are, and paths with variables as full paths.

The registry says so for any Windows, also one that lies still: the environment of the process that looks is of no use.
Source: "Recognized Environment Variables"; ProfileList for people's folders.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ybscan.hosts.base import Host
from ybscan.hosts.groups.registry import UserHive
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes._software.records import Inventory
from ybscan.probes._windows.people import is_person
from ybscan.probes._windows.values import text

_CURRENT = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion"
_NT = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
PROFILES = rf"{_NT}\ProfileList"
_VARIABLE = re.compile(r"%([A-Za-z0-9_() ]+)%")
_FULL = re.compile(r"^[A-Za-z]:\\")


@dataclass(slots=True)
class Places:
    """Folders without a backslash at the end. ``people`` are the profiles that may hold programs and settings."""

    system_root: str = r"C:\Windows"
    program_files: tuple[str, ...] = ()
    program_data: str = r"C:\ProgramData"
    public: str = r"C:\Users\Public"
    people: tuple[UserHive, ...] = ()
    gaps: list[Gap] = field(default_factory=list)

    def expand(self, path: str, home: str = "") -> str:
        """A path of the registry as a full path; empty where it holds a variable that is not known, or is no full path.

        ``home`` is the folder of the person whose path it is. Driver paths such as ``\\SystemRoot\\System32\\x.sys`` and
        ``System32\\x.sys`` lie below the folder of Windows.
        """
        path = path.strip().strip('"')
        for prefix in ("\\??\\", "\\\\?\\"):
            path = path.removeprefix(prefix)
        known = self._variables(home)
        unknown = False

        def put(found: re.Match[str]) -> str:
            nonlocal unknown
            value = known.get(found[1].lower(), "")
            unknown = unknown or not value
            return value

        path = _VARIABLE.sub(put, path).replace("/", "\\")
        lower = path.lower()
        if lower.startswith("\\systemroot\\"):
            path = self.system_root + path[len("\\systemroot") :]
        elif lower.startswith(("system32\\", "syswow64\\")):
            path = f"{self.system_root}\\{path}"
        return "" if unknown or not _FULL.match(path) else path.rstrip("\\")

    def candidates(self, path: str) -> list[str]:
        """The full paths that a path of the dictionary may mean: in each Program Files, below each person's folder."""
        lower = path.lower()
        if lower.startswith("%programfiles%"):
            return [f"{folder}{path[len('%programfiles%') :]}" for folder in self.program_files]
        if any(v in lower for v in ("%appdata%", "%localappdata%", "%userprofile%")):
            return [full for hive in self.people if hive.home and (full := self.expand(path, hive.home))]
        full = self.expand(path)
        return [full] if full else []

    def _variables(self, home: str) -> dict[str, str]:
        drive = self.system_root[:2]
        native, old = (*self.program_files, "", "")[:2]
        return {
            "systemroot": self.system_root, "windir": self.system_root, "systemdrive": drive,
            "programfiles": native, "programw6432": native, "programfiles(x86)": old or native,
            "commonprogramfiles": f"{native}\\Common Files" if native else "",
            "commonprogramfiles(x86)": f"{old or native}\\Common Files" if native else "",
            "programdata": self.program_data, "allusersprofile": self.program_data, "public": self.public,
            "userprofile": home, "appdata": f"{home}\\AppData\\Roaming" if home else "",
            "localappdata": f"{home}\\AppData\\Local" if home else "",
        }  # fmt: skip


def places_of(host: Host) -> Places:
    """The folders as the registry names them; what it does not tell is taken from where Windows puts it, with a gap."""
    found = Places()
    root = _folder(host, found, _NT, "SystemRoot")
    found.system_root = root or found.system_root
    drive = found.system_root[:2]
    native = _folder(host, found, _CURRENT, "ProgramFilesDir") or f"{drive}\\Program Files"
    old = text(host, _CURRENT, "ProgramFilesDir (x86)")
    if isinstance(old, Unknown):
        found.gaps.append(old.as_gap())
    found.program_files = (native, old.value.rstrip("\\")) if isinstance(old, Known) and old.value else (native,)
    found.program_data = found.expand(_folder(host, found, PROFILES, "ProgramData")) or f"{drive}\\ProgramData"
    found.public = found.expand(_folder(host, found, PROFILES, "Public")) or f"{drive}\\Users\\Public"
    people = host.registry.users()
    if isinstance(people, Known):
        found.gaps.extend(people.gaps)
        kept = []
        for hive in people.value:
            if is_person(hive.sid):
                home = found.expand(hive.home)
                if not home:
                    found.gaps.append(Gap(Cause.UNAVAILABLE, f"用户 {hive.account} 的文件夹位置", PROFILES))
                kept.append(UserHive(hive.sid, hive.account, home, hive.loaded))
        found.people = tuple(kept)
    else:
        why = people if isinstance(people, Unknown) else Unknown(Cause.UNAVAILABLE, "没有用户配置文件列表", PROFILES)
        found.gaps.append(why.as_gap())
    return found


def program_folders(inventory: Inventory) -> tuple[str, ...]:
    """The folders whose subfolders are programs: each Program Files, and AppData\\Local\\Programs of each person."""
    places = inventory.places
    if not isinstance(places, Places):
        return ()
    return (*places.program_files, *(f"{home}\\AppData\\Local\\Programs" for home in inventory.homes))


def _folder(host: Host, found: Places, key: str, name: str) -> str:
    value = text(host, key, name)
    if isinstance(value, Known):
        return value.value.rstrip("\\")
    why = value if isinstance(value, Unknown) else Unknown(Cause.UNAVAILABLE, f"{key} 中没有 {name}", key)
    found.gaps.append(why.as_gap())
    return ""
