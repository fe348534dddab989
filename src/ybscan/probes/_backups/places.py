"""How many copies would survive the loss of one disk. Pure."""

from __future__ import annotations

import ipaddress
from itertools import combinations

from ybscan.hosts.groups.volumes import Place
from ybscan.model.reading import Unknown

#: Above this many copies only a lower bound is sought; nobody keeps that many.
_EXACT = 12


def apart(a: Place, b: Place) -> bool | None:
    """Whether two places share no disk and no machine; None when what lies behind a disk or an address is hidden."""
    if a.memory or b.memory:
        return False
    if a.server and b.server:
        return other_machine(a.server, b.server)
    if a.server or b.server:
        return True
    names = {d.name for d in a.disks}
    if names & {d.name for d in b.disks}:
        return False
    if any(d.nested for d in (*a.disks, *b.disks)):
        return None
    # Two logical disks of one array, or two of a virtual machine, may be pieces of one piece of hardware.
    if any(d.hidden for d in a.disks) and any(d.hidden for d in b.disks):
        return None
    return True


def other_machine(a: str, b: str) -> bool | None:
    """Whether two names or addresses are of two machines; None where a name and an address, or a short and a full name,
    may be of one. Nothing is looked up: that would be traffic."""
    one, two = (t.casefold().strip("[]").rstrip(".") for t in (a, b))
    if one == two:
        return False
    if _is_address(one) != _is_address(two):
        return None
    if not _is_address(one) and one.partition(".")[0] == two.partition(".")[0]:
        return None
    return True


def _is_address(server: str) -> bool:
    try:
        ipaddress.ip_address(server.partition("%")[0])
    except ValueError:
        return False
    return True


def independent(places: list[Place | Unknown]) -> tuple[int, int]:
    """The largest number of copies of which no two share hardware: certain, and possible if what is hidden differs."""
    usable = [p for p in places if isinstance(p, Unknown) or not p.memory]

    def certain(a: Place | Unknown, b: Place | Unknown) -> bool:
        return not isinstance(a, Unknown) and not isinstance(b, Unknown) and apart(a, b) is True

    def possible(a: Place | Unknown, b: Place | Unknown) -> bool:
        return isinstance(a, Unknown) or isinstance(b, Unknown) or apart(a, b) is not False

    known = [p for p in usable if not isinstance(p, Unknown)]
    return _largest(known, certain), _largest(usable, possible)


def _largest(things: list[Place | Unknown] | list[Place], fits: object) -> int:
    assert callable(fits)  # noqa: S101
    things = things[:_EXACT]
    for count in range(len(things), 0, -1):
        for chosen in combinations(things, count):
            if all(fits(a, b) for a, b in combinations(chosen, 2)):
                return count
    return 0
