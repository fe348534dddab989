"""The connections that Windows remembers, as they are gathered from profiles and phone books, live or at rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ybscan.hosts.groups.network import SavedNetwork
from ybscan.model.reading import Gap, Known, Reading, Unknown


@dataclass(slots=True)
class Remembered:
    """What was found so far, each once, and what could not be read."""

    networks: dict[tuple[str, str, str], SavedNetwork] = field(default_factory=dict)
    gaps: dict[Gap, None] = field(default_factory=dict)

    def add(self, name: str, kind: str, source: str, *, ssid: str = "", mode: str = "") -> None:
        """A connection; radio networks are the same wherever they are written."""
        made = SavedNetwork(name, kind, ssid, mode, False, None, source, dated=False)
        self.networks.setdefault((name, kind, source if kind not in ("wifi", "gsm") else ""), made)

    def missed(self, reading: Reading[Any], path: str = "") -> None:
        """A source that did not answer; one that is absent has nothing to tell."""
        if isinstance(reading, Unknown):
            self.gaps[Gap(reading.cause, reading.detail, path or reading.origin)] = None

    def answer(self, origin: str) -> Known[tuple[SavedNetwork, ...]]:
        """All of it, in a fixed order."""
        ordered = tuple(sorted(self.networks.values(), key=lambda n: (n.kind, n.id, n.source)))
        return Known(ordered, origin, tuple(self.gaps))
