"""Groups of questions, and the host that bundles them.

A group is a class whose public methods are questions: keyword-only arguments of plain types, a Reading as the answer.
The base class of each group answers Unknown(unsupported) to everything; a backend overrides what it can answer. That
one rule makes Recorder and Replay generic: they are built from the list of questions, not written per question.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from ybscan.model.reading import Cause, Unknown

if TYPE_CHECKING:
    from ybscan.hosts.groups.accounts import Accounts
    from ybscan.hosts.groups.devices import Devices
    from ybscan.hosts.groups.files import Files
    from ybscan.hosts.groups.jobs import Jobs
    from ybscan.hosts.groups.logs import Logs
    from ybscan.hosts.groups.network import Network
    from ybscan.hosts.groups.processes import Processes
    from ybscan.hosts.groups.registry import Registry
    from ybscan.hosts.groups.security import Security
    from ybscan.hosts.groups.services import Services
    from ybscan.hosts.groups.sockets import Sockets
    from ybscan.hosts.groups.system import System
    from ybscan.hosts.groups.tools import Tools
    from ybscan.hosts.groups.usersettings import UserSettings
    from ybscan.hosts.groups.volumes import Volumes

F = TypeVar("F", bound=Callable[..., Any])


def question(method: F) -> F:
    """Mark a method of a group as a question: recorded and replayed by its name and arguments."""
    method.__question__ = True  # type: ignore[attr-defined]
    return method


class Group:
    """Base of all groups."""

    name: ClassVar[str]

    def __init__(self, why: str = "当前方式不提供这类信息") -> None:
        self._why = why

    def unsupported(self) -> Unknown:
        """What a backend answers that does not implement a question."""
        return Unknown(Cause.UNSUPPORTED, self._why)

    @classmethod
    def questions(cls) -> Iterator[str]:
        """The names of the group's questions."""
        for name, method in inspect.getmembers(cls, inspect.isfunction):
            if any(hasattr(getattr(base, name, None), "__question__") for base in cls.__mro__):
                del method
                yield name


def answer_type(group: type[Group], name: str) -> Any:
    """The ``X`` of a question declared to return ``Reading[X]``, for decoding recorded answers."""
    declared = typing.get_type_hints(getattr(group, name))["return"]
    for part in typing.get_args(declared):
        if typing.get_origin(part) is not None and typing.get_origin(part).__name__ == "Known":
            return typing.get_args(part)[0]
    raise TypeError(f"{group.__name__}.{name} does not declare Reading[…]")


Os = Literal["linux", "windows"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """A terminal, as the groups of questions that one backend answers."""

    backend: str
    """``live``, ``offline`` or ``replay``."""
    os: Os
    system: System
    files: Files
    tools: Tools
    processes: Processes
    sockets: Sockets
    network: Network
    accounts: Accounts
    user_settings: UserSettings
    registry: Registry
    volumes: Volumes
    jobs: Jobs
    logs: Logs
    services: Services
    devices: Devices
    security: Security

    def groups(self) -> Iterator[tuple[str, Group]]:
        """Field name and group, in declaration order."""
        for f in fields(self):
            group = getattr(self, f.name)
            if isinstance(group, Group):
                yield f.name, group
