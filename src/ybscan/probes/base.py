"""What a probe is: a subject, the facts it answers, and how it reads them from a host."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from ybscan.hosts.base import Host
from ybscan.model.dictionary import Dictionary
from ybscan.model.facts import Fact, FactSpec
from ybscan.model.lifecycle import Lifecycle
from ybscan.model.reading import Cause, Unknown
from ybscan.model.site import Site

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a probe may know besides the host: the unit's settings, the clock, and the data that ages."""

    site: Site
    now: datetime
    """Aware; the moment the terminal is judged at."""
    window: timedelta = timedelta(days=7)
    """How far back "since the last check" reaches."""
    dictionary: Dictionary = field(default_factory=Dictionary)
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    """End-of-support dates and minimum versions."""
    shared: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What probes of this one scan work out once for each other; see :meth:`once`."""

    def once(self, key: str, make: Callable[[], T]) -> T:
        """What ``make`` returns, worked out by the first probe of the scan that asks for ``key``."""
        if key not in self.shared:
            self.shared[key] = make()
        found: T = self.shared[key]
        return found


class Probe(ABC):
    """One subject. A subclass states its facts and implements the systems it knows.

    ``read_linux`` and ``read_windows`` return a reading for every fact, keyed by short name. What they leave out or
    raise becomes Unknown(probe_error); a system they do not implement is Unknown(unsupported).
    """

    name: ClassVar[str]
    title: ClassVar[str]
    facts: ClassVar[tuple[FactSpec, ...]]

    def read(self, host: Host, context: Context) -> Mapping[str, Fact]:
        """Read all facts of the subject on this host, keyed by short name."""
        return self.read_windows(host, context) if host.os == "windows" else self.read_linux(host, context)

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        """Read the facts on Linux."""
        return self.unsupported("Linux")

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        """Read the facts on Windows."""
        return self.unsupported("Windows")

    def unsupported(self, system: str) -> Mapping[str, Fact]:
        """Every fact Unknown, since this version cannot read the subject on ``system``."""
        why = Unknown(Cause.UNSUPPORTED, f"本版本尚不能在 {system} 上检查“{self.title}”")
        return {spec.name: why for spec in self.facts}


class Parametric(ABC):
    """A fact that takes arguments, for what nobody modelled. Arguments are confined to an allow-list."""

    name: ClassVar[str]
    title: ClassVar[str]
    help: ClassVar[str]

    @abstractmethod
    def check_args(self, args: Mapping[str, str]) -> list[str]:
        """Chinese sentences on what is wrong with the arguments; empty when nothing is."""

    @abstractmethod
    def spec(self, args: Mapping[str, str]) -> FactSpec:
        """The fact that these arguments name."""

    @abstractmethod
    def read(self, host: Host, context: Context, args: Mapping[str, str]) -> Fact:
        """Read the fact."""
