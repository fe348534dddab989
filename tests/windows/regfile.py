"""A SYSTEM hive written out as a registration file that ``reg import`` puts below a key of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ybscan.hosts.windows.hivefile import HiveFile, KeyNode
from ybscan.hosts.windows.hivelog import recovered

#: Left out: the drivers that Windows could install, half of the hive and no question's subject.
_LEFT_OUT = ("DriverDatabase",)


def opened(hive: Path) -> HiveFile:
    """The hive with its transaction logs, where they lie beside it."""
    logs = [log.read_bytes() for ending in (".LOG1", ".LOG2") if (log := Path(f"{hive}{ending}")).is_file()]
    return HiveFile(recovered(hive.read_bytes(), logs))


def write_registration(file: HiveFile, target: Path, below: str, control_set: str) -> int:
    """Write the hive with its root at ``below`` (``HKEY_LOCAL_MACHINE\\…``); returns the number of keys.

    ``control_set`` (``ControlSet001``) becomes CurrentControlSet, which is a link to it that Windows makes when it
    starts; other control sets are left out.
    """
    count = 0
    with target.open("w", encoding="utf-16", newline="\r\n") as f:
        f.write("Windows Registry Editor Version 5.00\n\n")
        for path, key in walk(file, control_set):
            count += 1
            f.write(_section(file, key, "\\".join((below, *path))))
    return count


def walk(file: HiveFile, control_set: str) -> Iterator[tuple[tuple[str, ...], KeyNode]]:
    """All keys that are written out, by the path that they have on the running machine."""
    yield (), file.root
    for child in file.subkeys(file.root).values():
        if child.name == control_set:
            yield from _below(file, child, ("CurrentControlSet",))
        elif not child.name.startswith("ControlSet") and child.name not in _LEFT_OUT:
            yield from _below(file, child, (child.name,))


def _below(file: HiveFile, key: KeyNode, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], KeyNode]]:
    yield path, key
    for child in file.subkeys(key).values():
        yield from _below(file, child, (*path, child.name))


def _section(file: HiveFile, key: KeyNode, where: str) -> str:
    lines = [f"[{where}]"]
    for value in file.values(key):
        name = '"' + value.name.replace("\\", "\\\\").replace('"', '\\"') + '"' if value.name else "@"
        data = value.data or b""
        lines.append(f"{name}=hex({value.type:x}):" + data.hex(",") if data else f"{name}=hex({value.type:x}):")
    return "\n".join(lines) + "\n\n"
