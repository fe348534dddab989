"""The Run keys: what starts when the machine starts or somebody logs on.

Source: "Run and RunOnce Registry Keys"; RunServices of old systems is read too, and policies' own Run keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.hosts.groups.registry import UserHive, View
from ybscan.hosts.windows.commandline import programs
from ybscan.model.reading import Gap, Known, Unknown
from ybscan.probes._windows.places import Places
from ybscan.probes._windows.values import text

_CURRENT = r"Software\Microsoft\Windows\CurrentVersion"
_RUN = (
    rf"{_CURRENT}\Run", rf"{_CURRENT}\RunOnce", rf"{_CURRENT}\RunOnceEx", rf"{_CURRENT}\RunServices",
    rf"{_CURRENT}\RunServicesOnce", rf"{_CURRENT}\Policies\Explorer\Run",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """One value of a Run key: ``owner`` is empty for the machine's, else the person's account."""

    key: str
    name: str
    owner: str
    home: str
    programs: tuple[str, ...]
    view: View = "64"


def run_commands(host: Host, places: Places, gaps: list[Gap]) -> Iterator[Run]:
    """Every value of every Run key; a key that could not be read leaves a gap."""
    for below in _RUN:
        seen: set[tuple[str, tuple[str, ...]]] = set()
        views: tuple[View, ...] = ("64",) if "Policies" in below else ("64", "32")
        for view in views:
            for run in _all(host, f"HKLM\\{below}", view, "", "", gaps):
                # Both views of a 32-bit Windows are one.
                if (run.name, run.programs) not in seen:
                    seen.add((run.name, run.programs))
                    yield run
        for hive in places.people:
            yield from _all(host, f"HKU\\{hive.sid}\\{below}", "64", hive.account, hive.home, gaps)
    for hive in places.people:
        yield from _of_session(host, hive, gaps)


def _all(host: Host, key: str, view: View, owner: str, home: str, gaps: list[Gap]) -> Iterator[Run]:
    """The values of a key; those of RunOnceEx lie in its subkeys."""
    yield from _values(host, key, view, owner, home, gaps)
    if not key.endswith("RunOnceEx"):
        return
    listed = host.registry.subkeys(key=key, view=view)
    if isinstance(listed, Unknown):
        gaps.append(listed.as_gap())
    if isinstance(listed, Known):
        gaps.extend(listed.gaps)
        for name in listed.value:
            yield from _values(host, f"{key}\\{name}", view, owner, home, gaps)


def _of_session(host: Host, hive: UserHive, gaps: list[Gap]) -> Iterator[Run]:
    """``Load`` and ``Run`` of the key that once was win.ini: programs of one person, several of them apart by commas."""
    key = f"HKU\\{hive.sid}\\Software\\Microsoft\\Windows NT\\CurrentVersion\\Windows"
    for name in ("Load", "Run"):
        found = text(host, key, name)
        if isinstance(found, Unknown):
            gaps.append(found.as_gap())
        if isinstance(found, Known):
            started = tuple(p for part in found.value.split(",") for p in programs(part))
            if started:
                yield Run(key, name, hive.account, hive.home, started)


def _values(host: Host, key: str, view: View, owner: str, home: str, gaps: list[Gap]) -> Iterator[Run]:
    found = host.registry.commands(key=key, view=view)
    if isinstance(found, Unknown):
        gaps.append(found.as_gap())
    if isinstance(found, Known):
        gaps.extend(found.gaps)
        for name, programs in sorted(found.value.items()):
            if programs:
                yield Run(key, name, owner, home, programs, view)
