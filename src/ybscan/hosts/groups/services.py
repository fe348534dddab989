"""Windows services and drivers: how they are set up, and which of them run. Arguments of command lines are not kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ybscan.hosts.base import Group, question
from ybscan.model.reading import Reading

Start = Literal["boot", "system", "auto", "demand", "disabled"]
"""The ``Start`` value 0 to 4 of the service's key."""


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """A service or driver as its key below ``Services`` has it."""

    name: str
    display: str
    """The display name where the key holds it in plain; empty when it only refers to a resource."""
    start: Start
    kind: Literal["driver", "service"]
    image: str
    """The program as written there, without quotes and arguments; empty where there is none."""
    dll: str
    """``Parameters\\ServiceDll`` of a service that runs in a shared process, as written there."""
    account: str
    delayed: bool = False
    triggered: bool = False
    """Whether Windows starts it upon an event (key ``TriggerInfo``)."""


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What the service control manager says at this moment."""

    name: str
    state: Literal["running", "stopped", "paused", "pending"]
    pid: int | None
    """None when it does not run, or when the manager gave none."""


class Services(Group):
    """Services of Windows. On Linux nothing answers here."""

    name = "services"

    @question
    def configured(self) -> Reading[tuple[ServiceConfig, ...]]:
        """All services and drivers, sorted by name; one whose key cannot be read or makes no sense leaves a gap."""
        return self.unsupported()

    @question
    def states(self) -> Reading[tuple[ServiceState, ...]]:
        """The state of every service and driver, sorted by name. Only a running system can answer."""
        return self.unsupported()
