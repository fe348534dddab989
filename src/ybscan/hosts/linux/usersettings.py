"""dconf databases: gvdb files, read without the desktop's own tools."""

from __future__ import annotations

from ybscan.hosts.groups.usersettings import UserSettings


class LinuxUserSettings(UserSettings):
    """Decodes the databases below ``root``."""

    def __init__(self, *, root: str = "/") -> None:
        super().__init__()
        self._root = root
