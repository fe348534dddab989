"""The inventory of a Windows terminal.

Sources: the Uninstall keys ("Uninstall Registry Key" of the Windows Installer documentation; both views of the machine's,
and every person's, whose HKU\\<SID>\\Software is not redirected); Appx packages staged for all users and those of each
person's AppModel repository; services, tasks, Run keys, processes, and the folders programs are put in.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from ybscan.hosts.base import Host
from ybscan.hosts.groups.registry import View
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._software.folders import bare, read_processes
from ybscan.probes._software.packages import names_in
from ybscan.probes._software.records import Entry, Found, Inventory, Package, Startup
from ybscan.probes._software.text import folded
from ybscan.probes._windows.components import belongs_to_windows
from ybscan.probes._windows.places import Places, places_of
from ybscan.probes._windows.startups import run_commands

UNINSTALL = r"Software\Microsoft\Windows\CurrentVersion\Uninstall"
_APPX_ALL = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore\Applications"
_APPX_OWN = r"Local Settings\Software\Microsoft\Windows\CurrentVersion\AppModel\Repository\Packages"
_VALUES = (
    "DisplayName",
    "DisplayVersion",
    "Publisher",
    "InstallLocation",
    "DisplayIcon",
    "ParentKeyName",
    "ReleaseType",
)
_MENU = r"Microsoft\Windows\Start Menu\Programs"
#: Names of files, as opposed to folders such as ``Foxmail 7.2``.
_FILE = re.compile(
    r"\.(exe|msi|zip|rar|7z|iso|gho|sys|dat|log|ini|inf|cfg|txt|lnk|url|tmp|bin|json|xml|dll|db|bat|cmd|ps1|vbs|png|jpe?g|"
    r"bmp|gif|pdf|docx?|xlsx?|pptx?|wps|et|csv|mp[34])$",
    re.IGNORECASE,
)
#: Makers that keep several programs in a folder of their own.
_VENDORS = frozenset(
    {
        "tencent", "netease", "oray", "baidu", "360", "2345soft", "alibaba", "kingsoft", "thunder network", "sogou",
        "qihoo", "sangfor", "qax", "huorong", "rising", "bytedance",
    }
)  # fmt: skip


def gather_windows(host: Host) -> Inventory:
    """What is installed, runs, or lies in the usual folders, with what could not be read."""
    inventory = records(host)
    places = inventory.places
    assert isinstance(places, Places)  # noqa: S101 - records() has put them there
    _folders(host, inventory, places)
    _services(host, inventory)
    _startups(host, inventory, places)
    read_processes(host, inventory)
    inventory.gaps = list(dict.fromkeys(inventory.gaps))
    return inventory


def records(host: Host) -> Inventory:
    """An inventory of the installed records alone."""
    inventory = Inventory(system="windows", host=host)
    places = places_of(host)
    inventory.places = places
    inventory.homes = tuple(h.home for h in places.people if h.home)
    inventory.gaps.extend(places.gaps)
    _uninstall_keys(host, inventory, places)
    _appx(host, inventory, places)
    return inventory


# Records ------------------------------------------------------------------------------------------------------------


def _uninstall_keys(host: Host, inventory: Inventory, places: Places) -> None:
    hidden: dict[Package, str] = {}
    _records(host, inventory, places, hidden, f"HKLM\\{UNINSTALL}", "64", always=True)
    _records(host, inventory, places, hidden, f"HKLM\\{UNINSTALL}", "32")
    for hive in places.people:
        # A hive that is not there at all would look like one without programs; the backend answers Unknown for it.
        _records(host, inventory, places, hidden, f"HKU\\{hive.sid}\\{UNINSTALL}", "64", home=hive.home)
    inventory.packages = _without_parts(inventory.packages, hidden)


def _without_parts(packages: list[Package], hidden: dict[Package, str]) -> list[Package]:
    """Records that Windows does not list, as parts of what it does list: of the same maker, or of the program they name.

    Whoever wants to go unseen marks the record as a part of the system; that alone makes it none.
    """
    listed = [p for p in packages if p not in hidden]
    makers = {folded(p.publisher) for p in listed if p.publisher.strip()}
    keys = {folded(p.key) for p in listed}
    return [
        replace(p, base=True) if p in hidden and (folded(p.publisher) in makers or folded(hidden[p]) in keys) else p
        for p in packages
    ]


def _records(
    host: Host,
    inventory: Inventory,
    places: Places,
    hidden: dict[Package, str],
    key: str,
    view: View,
    *,
    home: str = "",
    always: bool = False,
) -> None:
    """``hidden`` gets the records that Windows does not list, with the key of the program they name as theirs."""
    listed = host.registry.subkeys(key=key, view=view)
    if isinstance(listed, Unknown):
        inventory.gaps.append(listed.as_gap())
        return
    if isinstance(listed, Absent):
        if always:
            inventory.gaps.append(Gap(Cause.MALFORMED, "没有卸载登记", key))
        return
    inventory.gaps.extend(listed.gaps)
    for name in listed.value:
        package, parent = _record(host, inventory, places, f"{key}\\{name}", view, home)
        if parent is not None:
            hidden[package] = parent
        # On 32-bit Windows both views are one.
        if package not in inventory.packages:
            inventory.packages.append(package)


def _record(
    host: Host, inventory: Inventory, places: Places, key: str, view: View, home: str
) -> tuple[Package, str | None]:
    """One record, and, where Windows does not list it, the key it names as its program's (empty when it names none).

    Its command lines are not asked for; without a name for people it is known by its key alone.
    """
    texts: dict[str, str] = {}
    for name in _VALUES:
        value = host.registry.value(key=key, name=name, view=view)
        if isinstance(value, Unknown):
            inventory.gaps.append(value.as_gap())
        elif isinstance(value, Known) and not isinstance(value.value, str):
            inventory.gaps.append(Gap(Cause.MALFORMED, f"{key} 的 {name} 不是文字", key))
        texts[name] = value.value if isinstance(value, Known) and isinstance(value.value, str) else ""
    hidden = host.registry.value(key=key, name="SystemComponent", view=view)
    if isinstance(hidden, Unknown):
        inventory.gaps.append(hidden.as_gap())
    short = key.rpartition("\\")[2]
    title, publisher = texts["DisplayName"].strip(), texts["Publisher"].strip()
    update = texts["ReleaseType"].lower() in ("update", "hotfix", "security update")
    unlisted = update or bool(texts["ParentKeyName"]) or (isinstance(hidden, Known) and hidden.value == 1)
    base = not title or belongs_to_windows(title, publisher)
    location = places.expand(texts["InstallLocation"], home) or places.expand(_icon(texts["DisplayIcon"]), home)
    package = Package(
        "uninstall", title or short, texts["DisplayVersion"].strip(), base, False, key, "", short, publisher, location
    )
    return package, texts["ParentKeyName"] if unlisted else None


def _icon(text: str) -> str:
    """The file of ``"C:\\…\\x.exe",0``; icons that Windows Installer keeps for itself say nothing about the program."""
    path = re.sub(r",\s*-?\d+\s*$", "", text.strip()).strip('" ')
    return "" if re.search(r"\\installer\\\{", path, re.IGNORECASE) else path


def _appx(host: Host, inventory: Inventory, places: Places) -> None:
    """``Name_1.2.0.0_x64__publisherid`` names a package. Staged for all users does not yet mean registered for one."""
    staged = _package_names(host, inventory, _APPX_ALL)
    own: set[str] = set()
    for hive in places.people:
        own |= _package_names(host, inventory, f"HKU\\{hive.sid}_Classes\\{_APPX_OWN}")
    for full in sorted(staged | own):
        name, _, rest = full.partition("_")
        version, publisher = rest.split("_", 1)[0], full.rpartition("_")[2]
        inventory.packages.append(
            Package(
                "appx", name, version, publisher.lower() in _MICROSOFT_IDS, False, full,
                "" if full in own else "只在系统中预置，没有为使用人安装", full, publisher,
            )
        )  # fmt: skip


#: The publisher ids of packages that Microsoft signs.
_MICROSOFT_IDS = frozenset({"8wekyb3d8bbwe", "cw5n1h2txyewy"})


def _package_names(host: Host, inventory: Inventory, key: str) -> set[str]:
    listed = host.registry.subkeys(key=key)
    if isinstance(listed, Unknown):
        inventory.gaps.append(listed.as_gap())
    if not isinstance(listed, Known):
        return set()
    inventory.gaps.extend(listed.gaps)
    return set(listed.value)


# Folders ------------------------------------------------------------------------------------------------------------


def _folders(host: Host, inventory: Inventory, places: Places) -> None:
    for folder in places.program_files:
        _programs(host, inventory, folder, "program")
    drives = {places.system_root[:2].upper(), *_drives(host, inventory)}
    for drive in sorted(drives):
        _programs(host, inventory, f"{drive}\\", "program")
        inventory.personal.append(f"{drive}\\")
    _programs(host, inventory, places.program_data, "data")
    _menu(host, inventory, f"{places.program_data}\\{_MENU}")
    for home in (*inventory.homes, places.public):
        for part in ("", "\\Desktop", "\\Downloads"):
            _names(host, inventory, f"{home}{part}")
            inventory.personal.append(f"{home}{part}")
        _shortcuts(inventory, f"{home}\\Desktop")
    for home in inventory.homes:
        _programs(host, inventory, f"{home}\\AppData\\Local\\Programs", "program")
        _programs(host, inventory, f"{home}\\AppData\\Local", "data")
        _programs(host, inventory, f"{home}\\AppData\\Roaming", "data")
        _menu(host, inventory, f"{home}\\AppData\\Roaming\\{_MENU}")


def _drives(host: Host, inventory: Inventory) -> list[str]:
    """The letters of the disks that are built in."""
    disks = host.devices.disks()
    if isinstance(disks, Unknown):
        inventory.gaps.append(disks.as_gap())
    if not isinstance(disks, Known):
        return []
    inventory.gaps.extend(disks.gaps)
    return [letter.upper() for d in disks.value if not d.removable and d.bus != "usb" for letter in d.letters]


def _programs(host: Host, inventory: Inventory, folder: str, kind: Literal["program", "data"]) -> None:
    """Each folder in ``folder`` by its name, in the folders of makers also what lies in those."""
    for name in _names(host, inventory, folder):
        if _FILE.search(name):
            continue  # a file: what people keep there is looked for by the names of programs
        path = f"{folder.rstrip(chr(92))}\\{name}"
        inventory.found.append(Found(path, kind, bare(name)))
        if folded(name) not in _VENDORS:
            continue
        for below in _names(host, inventory, path):
            inventory.found.append(Found(f"{path}\\{below}", kind, bare(below)))


def _names(host: Host, inventory: Inventory, folder: str) -> tuple[str, ...]:
    known = inventory.listings.get(folder)
    return names_in(host, inventory, folder) if known is None else known


def _menu(host: Host, inventory: Inventory, folder: str) -> None:
    """The shortcuts of a start menu and of its groups."""
    for name in _names(host, inventory, folder):
        if not _FILE.search(name) and folded(name) not in ("startup", "启动"):
            _names(host, inventory, f"{folder}\\{name}")
            _shortcuts(inventory, f"{folder}\\{name}")
    _shortcuts(inventory, folder)


def _shortcuts(inventory: Inventory, folder: str) -> None:
    for name in inventory.listings.get(folder, ()):
        if name.lower().endswith(".lnk"):
            inventory.entries.append(Entry(f"{folder}\\{name}", "", (name[:-4],), ()))


# What runs, and what is to run --------------------------------------------------------------------------------------


def _services(host: Host, inventory: Inventory) -> None:
    configured = host.services.configured()
    if not isinstance(configured, Known):
        why = configured if isinstance(configured, Unknown) else Unknown(Cause.UNAVAILABLE, "没有服务列表")
        inventory.gaps.append(why.as_gap())
        return
    inventory.gaps.extend(configured.gaps)
    for service in configured.value:
        inventory.services.setdefault(folded(service.name), service.name)
        inventory.programs[folded(service.name)] = service.dll or service.image
        if service.display:
            inventory.titles.setdefault(folded(service.display), service.name)


def _startups(host: Host, inventory: Inventory, places: Places) -> None:
    tasks = host.jobs.tasks()
    if isinstance(tasks, Known):
        inventory.gaps.extend(tasks.gaps)
        for task in tasks.value:
            inventory.startups += [
                Startup(p, f"计划任务 {task.path}") for p in task.programs if p and p != "COM"
            ]  # fmt: skip
    else:
        why = tasks if isinstance(tasks, Unknown) else Unknown(Cause.UNAVAILABLE, "没有计划任务列表")
        inventory.gaps.append(why.as_gap())
    for run in run_commands(host, places, inventory.gaps):
        inventory.startups += [Startup(p, f"启动项 {run.key} 的 {run.name}") for p in run.programs]
