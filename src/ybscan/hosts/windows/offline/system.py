"""What Windows it is that lies on the disk."""

from __future__ import annotations

from ybscan.hosts.groups.system import Identity, System, WindowsEdition
from ybscan.hosts.windows.edition import edition_of, identity_of
from ybscan.hosts.windows.offline import LIVE
from ybscan.hosts.windows.offline.registry import OfflineRegistry
from ybscan.model.reading import Known, Reading

_ENVIRONMENT = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"


class OfflineSystem(System):
    """From the hives SYSTEM and SOFTWARE."""

    def __init__(self, registry: OfflineRegistry) -> None:
        super().__init__(LIVE)
        self._registry = registry

    def identity(self) -> Reading[Identity]:
        found = self._registry.value(key=_ENVIRONMENT, name="PROCESSOR_ARCHITECTURE")
        arch = str(found.value) if isinstance(found, Known) else ""
        edition = edition_of(self._registry)
        if isinstance(edition, Known):
            return Known(identity_of(self._registry, edition.value, arch=arch), edition.origin)
        # Without SOFTWARE the name of the terminal can still be told.
        named = identity_of(self._registry, WindowsEdition(0, 0, "", "", "Windows"), arch=arch)
        return Known(Identity(named.hostname, "windows", "Windows（版本未知）", "", arch), "SYSTEM")

    def windows(self) -> Reading[WindowsEdition]:
        return edition_of(self._registry)

    def bits(self) -> Reading[tuple[int, int]]:
        """Both numbers are Windows' own: what reads its files is not redirected."""
        bits = self._registry.bits()
        return Known((bits.value, bits.value), bits.origin) if isinstance(bits, Known) else bits
