"""Software without a package: folders below /opt, AppImages and programs in people's folders, Windows programs in wine."""

from __future__ import annotations

import re

from ybscan.hosts.base import Host
from ybscan.model.reading import Cause, Known, Unknown
from ybscan.probes._software.homes import person_homes
from ybscan.probes._software.packages import names_in
from ybscan.probes._software.records import Found, Inventory

#: Folders of programs that no package manager fills, listed one level deep.
PROGRAM_FOLDERS = (
    "/opt",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/local/lib",
    "/usr/bin",
    "/usr/sbin",
    "/usr/share",
)
#: Where people put what they downloaded.
_PERSONAL = ("Desktop", "桌面", "Downloads", "下载", "bin", "Applications", "应用程序", "软件")
_SCRATCH = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - looked at, never written to
#: Folders of makers below "Program Files"; Windows does not tell large letters from small ones.
_VENDORS = frozenset(
    {"tencent", "netease", "oray", "baidu", "360", "2345soft", "alibaba", "kingsoft", "thunder network"}
)
_WINE_PROGRAMS = ("Program Files", "Program Files (x86)")
_UNIT_FOLDERS = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_VERSION_TAIL = re.compile(r"[-_. ]?v?\d[\w.+~-]*$|[-_.](x86_64|amd64|arm64|aarch64|linux.*)$", re.IGNORECASE)


def read_homes(host: Host, inventory: Inventory) -> None:
    """List the people's home folders; everything else in homes starts from these listings."""
    owners = person_homes(host, inventory.gaps)
    inventory.homes = tuple(owners)
    for home in owners:
        names_in(host, inventory, home)


def read_folders(host: Host, inventory: Inventory) -> None:
    """Add what lies in program folders, homes and wine prefixes."""
    for folder in PROGRAM_FOLDERS:
        names_in(host, inventory, folder)
    for name in inventory.listings.get("/opt", ()):
        inventory.found.append(Found(f"/opt/{name}", "opt", bare(name)))
    for name in inventory.listings.get("/opt/apps", ()):
        inventory.found.append(Found(f"/opt/apps/{name}", "opt", name))
    _appimages(inventory, "/opt")
    inventory.personal += ["/usr/local/bin", "/usr/local/sbin", "/opt"]
    for folder in _SCRATCH:
        # A disk that lies still has no /dev/shm: what was there is gone.
        listed = host.files.entries(path=folder)
        if isinstance(listed, Known):
            inventory.listings[folder] = listed.value
            inventory.personal.append(folder)
            _appimages(inventory, folder)
        elif isinstance(listed, Unknown) and not (folder.startswith("/dev") and listed.cause is Cause.UNSUPPORTED):
            inventory.gaps.append(listed.as_gap())
    for home in inventory.homes:
        here = inventory.listings.get(home, ())
        inventory.personal.append(home)
        _appimages(inventory, home)
        for name in _PERSONAL:
            if name in here:
                names_in(host, inventory, f"{home}/{name}")
                inventory.personal.append(f"{home}/{name}")
                _appimages(inventory, f"{home}/{name}")
        if ".local" in here:
            for folder in (f"{home}/.local/bin", f"{home}/.local/share"):
                names_in(host, inventory, folder)
                _appimages(inventory, folder)
            inventory.personal.append(f"{home}/.local/bin")
        _wine(host, inventory, home, here)


def bare(name: str) -> str:
    """A file's name without ``.AppImage``, version and architecture."""
    name = re.sub(r"\.(appimage|exe|run|bin)$", "", name, flags=re.IGNORECASE)
    for _ in range(4):
        shorter = _VERSION_TAIL.sub("", name)
        if shorter == name or not shorter:
            break
        name = shorter
    return name


def _appimages(inventory: Inventory, folder: str) -> None:
    for name in inventory.listings.get(folder, ()):
        if name.lower().endswith(".appimage"):
            inventory.found.append(Found(f"{folder}/{name}", "appimage", bare(name)))


def _wine(host: Host, inventory: Inventory, home: str, here: tuple[str, ...]) -> None:
    """Windows programs: ``~/.wine`` is wine's default prefix, deepin-wine keeps one prefix per program."""
    prefixes = [f"{home}/.wine"] if ".wine" in here else []
    if ".deepinwine" in here:
        for name in names_in(host, inventory, f"{home}/.deepinwine"):
            prefixes.append(f"{home}/.deepinwine/{name}")
            inventory.found.append(Found(f"{home}/.deepinwine/{name}", "wine", _wine_name(name)))
    for prefix in prefixes:
        for folder in _WINE_PROGRAMS:
            for name in names_in(host, inventory, f"{prefix}/drive_c/{folder}"):
                inventory.found.append(Found(f"{prefix}/drive_c/{folder}/{name}", "wine", name))
                if name.casefold() in _VENDORS:
                    # Vendors' folders; the product is one level below.
                    for below in names_in(host, inventory, f"{prefix}/drive_c/{folder}/{name}"):
                        inventory.found.append(Found(f"{prefix}/drive_c/{folder}/{name}/{below}", "wine", below))


def _wine_name(name: str) -> str:
    """``Deepin-WeChat`` and ``Spark-TIM`` name the program after the maker of the prefix."""
    return re.sub(r"^(Deepin|Spark|Ukylin|UOS|Kylin)[-_]", "", name, flags=re.IGNORECASE)


def read_services(host: Host, inventory: Inventory) -> None:
    """The names of installed service units."""
    for folder in _UNIT_FOLDERS:
        for name in names_in(host, inventory, folder):
            if name.endswith(".service"):
                inventory.services.setdefault(name.removesuffix(".service").casefold(), f"{folder}/{name}")
    for name in names_in(host, inventory, "/etc/init.d"):
        inventory.services.setdefault(name.casefold(), f"/etc/init.d/{name}")


def read_processes(host: Host, inventory: Inventory) -> None:
    """The names and images of what runs; the list of names is complete where only images could not be read."""
    running = host.processes.running()
    if not isinstance(running, Known):
        why = running if isinstance(running, Unknown) else Unknown(Cause.UNAVAILABLE, "没有进程列表")
        inventory.process_gaps = (why.as_gap(),)
    else:
        inventory.process_gaps = tuple(g for g in running.gaps if not g.origin.endswith("/exe"))
        for process in running.value:
            inventory.processes.setdefault(process.name.casefold(), process.name)
            if process.exe:
                image = re.split(r"[/\\]", process.exe)[-1]
                inventory.processes.setdefault(image.casefold(), image)
                inventory.images.add(process.exe)
    inventory.gaps.extend(inventory.process_gaps)
