"""Gathering the inventory of one terminal."""

from __future__ import annotations

from ybscan.hosts.base import Host
from ybscan.model.reading import Gap
from ybscan.probes._software.desktop import read_entries
from ybscan.probes._software.folders import read_folders, read_homes, read_processes, read_services
from ybscan.probes._software.packages import read_packages
from ybscan.probes._software.records import Inventory


def gather(host: Host) -> Inventory:
    """Installed records, menu entries, folders, services and processes of a terminal, with what could not be read."""
    if host.os == "windows":
        from ybscan.probes._windows.inventory import gather_windows

        return gather_windows(host)
    inventory = Inventory()
    read_homes(host, inventory)
    read_packages(host, inventory)
    read_entries(host, inventory)
    read_folders(host, inventory)
    read_services(host, inventory)
    read_processes(host, inventory)
    inventory.gaps = unique(inventory.gaps)
    return inventory


def unique(gaps: list[Gap]) -> list[Gap]:
    """The gaps in order, each once."""
    return list(dict.fromkeys(gaps))
