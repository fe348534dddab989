"""What machine it was, and with what rights the collector ran."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from ybscan.hosts.collected.evidence import Evidence
from ybscan.hosts.collected.records import Record
from ybscan.hosts.groups.registry import Registry, RegistryValue
from ybscan.hosts.groups.system import Identity, System, WindowsEdition
from ybscan.hosts.windows.edition import VERSION_KEY, edition_of, identity_of
from ybscan.hosts.windows.keys import parts
from ybscan.hosts.windows.tree import Key, TreeRegistry
from ybscan.model.reading import Cause, Known, Reading, Unknown

_VALUES = ("CurrentBuildNumber", "CurrentBuild", "UBR", "EditionID", "InstallationType", "DisplayVersion", "CSDVersion")
_ARCHITECTURES = (("arm64", "ARM64"), ("x64", "AMD64"), ("x86", "x86"))


class CollectedSystem(System):
    """Names out of the registry, times out of WMI."""

    def __init__(self, evidence: Evidence, registry: Registry) -> None:
        super().__init__("采集脚本不取这类信息")
        self._evidence = evidence
        self._registry = registry

    def identity(self) -> Reading[Identity]:
        edition = self.windows()
        if not isinstance(edition, Known):
            return edition
        made = identity_of(
            self._registry,
            edition.value,
            arch=architecture(self._evidence),
            hostname=self._evidence.collector.text("host"),
        )
        return Known(made, edition.origin)

    def windows(self) -> Reading[WindowsEdition]:
        # Single values were asked of this key, so only those may be looked at.
        root = Key("")
        key = root.make(parts(VERSION_KEY))
        for name in _VALUES:
            found: Reading[RegistryValue] = self._registry.value(key=VERSION_KEY, name=name)
            if isinstance(found, Unknown):
                return found
            if isinstance(found, Known):
                key.values[name] = found.value
        return edition_of(TreeRegistry(root, covered=(VERSION_KEY,), origin="采集结果"))

    def elevated(self) -> Reading[bool]:
        said = self._evidence.collector.text("elevated")
        if said not in ("yes", "no"):
            return Unknown(Cause.MALFORMED, "采集结果没有说明权限", "manifest")
        return Known(said == "yes", "manifest")

    def boot_time(self) -> Reading[float]:
        row = _first(self._evidence, "os", "Win32_OperatingSystem")
        if not isinstance(row, Record):
            return row
        when = cim_time(row.text("LastBootUpTime"))
        if when is None:
            return Unknown(Cause.MALFORMED, "LastBootUpTime", "Win32_OperatingSystem")
        return Known(when, "Win32_OperatingSystem")

    def bits(self) -> Reading[tuple[int, int]]:
        system = system_bits(self._evidence)
        own = self._evidence.collector.text("process_bits")
        if system is None or own not in ("32", "64"):
            return Unknown(Cause.MALFORMED, "采集结果没有说明系统位数", "Win32_OperatingSystem")
        return Known((int(own), system), "Win32_OperatingSystem")


def _first(evidence: Evidence, kind: str, source: str) -> Record | Unknown:
    rows = evidence.rows("system", kind, source)
    if not isinstance(rows, Known):
        return rows if isinstance(rows, Unknown) else Unknown(Cause.MALFORMED, source, source)
    return rows.value[0] if rows.value else Unknown(Cause.MALFORMED, f"{source} 没有记录", source)


def system_bits(evidence: Evidence) -> int | None:
    """Bits of Windows. ``OSArchitecture`` is localised (``64 位``), its number is not."""
    row = _first(evidence, "os", "Win32_OperatingSystem")
    if isinstance(row, Record) and (found := re.search(r"\b(32|64)\b", row.text("OSArchitecture"))):
        return int(found[1])
    # The collector refuses to run as a 32-bit process on 64-bit Windows.
    own = evidence.collector.text("process_bits")
    return int(own) if own in ("32", "64") else None


def architecture(evidence: Evidence) -> str:
    """As ``platform.machine()`` names it; empty where it is not known."""
    row = _first(evidence, "computer", "Win32_ComputerSystem")
    said = row.text("SystemType").lower() if isinstance(row, Record) else ""
    return next((name for word, name in _ARCHITECTURES if word in said), "")


def cim_time(text: str) -> float | None:
    """Seconds since the epoch of ``20261129195653.693000+480`` (CIM_DATETIME, minutes east of Greenwich)."""
    found = re.fullmatch(r"(\d{14})\.(\d{6})([+-]\d{2,3})", text)
    if found is None:
        return None
    try:
        local = datetime.strptime(found[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return (local - timedelta(minutes=int(found[3]))).timestamp() + int(found[2]) / 1e6
