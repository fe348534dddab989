"""Connections that a Windows that does not run remembers; when they were last used stands in the registry."""

from __future__ import annotations

from ybscan.hosts.common.text import text_of
from ybscan.hosts.groups.network import Network, SavedNetwork
from ybscan.hosts.windows.netprofiles import phone_book, wlan_profile
from ybscan.hosts.windows.offline import LIVE
from ybscan.hosts.windows.offline.registry import OfflineRegistry
from ybscan.hosts.windows.offline.tree import WindowsTree
from ybscan.hosts.windows.remembered import Remembered
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

_LIMIT = 1024 * 1024
_MAX_FILES = 2000
_DATA = r"\ProgramData\Microsoft"
_WLAN, _WWAN = r"\Wlansvc\Profiles\Interfaces", r"\WwanSvc\Profiles"
_BOOKS = (r"\Network\Connections\Pbk\rasphone.pbk", r"\Network\Connections\Pbk\_hiddenPbk\rasphone.pbk")


class OfflineNetwork(Network):
    """Interfaces, routes and the state of the firewall are the running system's."""

    def __init__(self, tree: WindowsTree, registry: OfflineRegistry) -> None:
        super().__init__(LIVE)
        self._tree = tree
        self._registry = registry

    def saved(self) -> Reading[tuple[SavedNetwork, ...]]:
        """Profiles of wireless and mobile networks, and phone books; the secrets in them are not looked at."""
        found = Remembered()
        data = self._tree.drive + _DATA
        for path in self._files(found, data + _WLAN):
            text = self._text(path)
            profile = wlan_profile(text.value) if isinstance(text, Known) else None
            if profile is not None:
                found.add(profile.name, "wifi", path, ssid=profile.ssid, mode=profile.mode)
            else:
                found.missed(text if not isinstance(text, Known) else Unknown(Cause.MALFORMED, path), path)
        for path in self._files(found, data + _WWAN):
            found.add(path.rpartition("\\")[2].rpartition(".")[0], "gsm", path)
        for book in _BOOKS:
            self._book(found, data + book)
        people = self._registry.users()
        if not isinstance(people, Known):
            found.missed(people, data)
        else:
            found.gaps.update(dict.fromkeys(people.gaps))
            for person in people.value:
                home = self._registry.expanded(person.home)
                for book in _BOOKS:
                    self._book(found, home + r"\AppData\Roaming\Microsoft" + book)
        return found.answer("Wlansvc、rasphone.pbk")

    def _book(self, found: Remembered, path: str) -> None:
        text = self._text(path)
        if not isinstance(text, Known):
            found.missed(text, path)
            return
        for entry in phone_book(text.value):
            found.add(entry.name, entry.kind, path)

    def _files(self, found: Remembered, folder: str) -> list[str]:
        """The XML files in the folders of a folder; one that is not there holds none."""
        paths: list[str] = []
        todo = [(folder, 0)]
        while todo:
            here, depth = todo.pop()
            names = self._tree.names(here)
            if not isinstance(names, Known):
                # In the first folder a file may lie; below it only folders were asked.
                if depth == 0 or not isinstance(names, Absent):
                    found.missed(names, here)
                continue
            for name in names.value:
                path = f"{here}\\{name}"
                if len(paths) >= _MAX_FILES:
                    found.gaps[Gap(Cause.TOO_LARGE, f"{folder} 中的文件超过 {_MAX_FILES} 个", folder)] = None
                    return paths
                if name.lower().endswith(".xml"):
                    paths.append(path)
                elif depth == 0:
                    todo.append((path, 1))
        return sorted(paths)

    def _text(self, path: str) -> Reading[str]:
        raw = self._tree.read(path, _LIMIT)
        return text_of(raw.value, path) if isinstance(raw, Known) else raw
