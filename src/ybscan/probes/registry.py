"""All probes and what they answer, found by looking into this folder and at the entry points ``ybscan.probes``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from ybscan.model.facts import FactSpec
from ybscan.probes.base import Parametric, Probe

_NOT_PROBES = frozenset({"base", "registry"})


@dataclass(frozen=True, slots=True)
class Broken:
    """A third-party probe that could not be imported; it becomes visible in every scan."""

    name: str
    error: str


@dataclass(frozen=True)
class ProbeRegistry:
    """The facts that exist, and who answers them. Serves the rule loader as its catalogue."""

    probes: Mapping[str, Probe]
    parametric: Mapping[str, Parametric]
    broken: tuple[Broken, ...] = ()
    _specs: dict[str, FactSpec] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, probe in self.probes.items():
            for spec in probe.facts:
                self._specs[f"{name}.{spec.name}"] = spec
        for name, parametric in self.parametric.items():
            self._specs[name] = parametric.spec({})

    def names(self) -> tuple[str, ...]:
        """Every fact name, sorted."""
        return tuple(sorted(self._specs))

    def spec(self, name: str) -> FactSpec | None:
        """The fact of that full name; for a parametric fact, what it is without arguments."""
        return self._specs.get(name)

    def check_args(self, name: str, args: Mapping[str, str]) -> list[str] | None:
        """Problems with the arguments of a parametric fact; None when the fact takes none."""
        parametric = self.parametric.get(name)
        return parametric.check_args(args) if parametric else None

    def spec_with_args(self, name: str, args: Mapping[str, str]) -> FactSpec | None:
        """The fact as these arguments make it."""
        parametric = self.parametric.get(name)
        return parametric.spec(args) if parametric else self._specs.get(name)

    def spec_of(self, name: str, args: tuple[tuple[str, str], ...]) -> FactSpec | None:
        """The same with the arguments as conditions carry them."""
        return self.spec_with_args(name, dict(args))


@cache
def builtin() -> ProbeRegistry:
    """Every probe of this package and of installed extensions. Imported once per process."""
    import ybscan.probes as package

    probes: dict[str, Probe] = {}
    parametric: dict[str, Parametric] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.name in _NOT_PROBES or info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        for thing in getattr(module, "PROBES", ()):
            if isinstance(thing, Parametric):
                parametric[thing.name] = thing
            else:
                probes[thing.name] = thing
    broken = _extensions(probes)
    return ProbeRegistry(dict(sorted(probes.items())), parametric, broken)


def _extensions(probes: dict[str, Probe]) -> tuple[Broken, ...]:
    from importlib.metadata import entry_points

    broken = []
    for entry in entry_points(group="ybscan.probes"):
        try:
            probe = entry.load()()
            if not isinstance(probe, Probe):
                raise TypeError(f"{entry.value} is not a Probe")
            probes.setdefault(probe.name, probe)
        except Exception as e:
            broken.append(Broken(entry.name, f"{type(e).__name__}: {e}"))
    return tuple(broken)
