"""Programs that build tunnels, found by the names of what runs. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ybscan.hosts.groups.processes import Process
from ybscan.model.facts import FieldValue, Item
from ybscan.model.reading import Cause, Unknown


def by_name(
    processes: Iterable[Process], product_of: Callable[[Process], str | None], outside: frozenset[int] | object
) -> tuple[Item, ...]:
    """Each program of a product once. A name is one clue; a process among ``outside`` has the second.

    Args:
        processes: what runs.
        product_of: the tunnel's name where a process is one.
        outside: ids of the processes connected to a public address; anything else where they are not known.
    """
    connected = outside if isinstance(outside, frozenset) else frozenset()
    found: dict[tuple[str, str], Item] = {}
    for process in processes:
        product = product_of(process)
        if product is None:
            continue
        confirmed: FieldValue = Unknown(Cause.UNCONFIRMED, "仅进程名一条线索，需核实")
        if process.pid in connected:
            confirmed = True
        key = (product, process.name)
        if found.get(key, {}).get("confirmed") is not True:
            found[key] = {"process": process.name, "product": product, "confirmed": confirmed}
    return tuple(item for _, item in sorted(found.items()))
