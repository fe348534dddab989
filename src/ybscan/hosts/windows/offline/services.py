"""Services of a Windows that does not run: how they are set up."""

from __future__ import annotations

from ybscan.hosts.groups.registry import Registry
from ybscan.hosts.groups.services import ServiceConfig, Services
from ybscan.hosts.windows.offline import LIVE
from ybscan.hosts.windows.services import configured
from ybscan.model.reading import Reading


class OfflineServices(Services):
    """What runs only a running system knows."""

    def __init__(self, registry: Registry) -> None:
        super().__init__(LIVE)
        self._registry = registry

    def configured(self) -> Reading[tuple[ServiceConfig, ...]]:
        return configured(self._registry)
