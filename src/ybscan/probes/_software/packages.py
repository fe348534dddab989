"""Installed packages from the package managers' own records.

Sources: dpkg(1) "PACKAGE STATES" and deb-control(5) for the status file; apt's extended_states (apt-mark(8)); rpm(8)
for the tool, whose database formats change too often to be read by hand; flatpak's and snapd's folder layouts;
linglong's layers (by application id, or by content hash with an ``info.json``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._software.records import Inventory, Package

#: The status file of a full desktop is about 6 MiB.
STATUS_LIMIT = 32 * 1024 * 1024
STATUS = "/var/lib/dpkg/status"
INFO = "/var/lib/dpkg/info"
EXTENDED = "/var/lib/apt/extended_states"

#: States with the program's files on the disk. "config-files" is a removed package whose settings stayed.
_PRESENT = frozenset(
    {"installed", "unpacked", "half-configured", "half-installed", "triggers-awaited", "triggers-pending"}
)
_STATES = _PRESENT | {"not-installed", "config-files"}
_FIELD = re.compile(
    r"^(Package|Status|Version|Priority|Essential|Section|Architecture):[ \t]*(.*?)[ \t\r]*$", re.MULTILINE
)
_BASE = frozenset({"required", "important", "standard"})

RPM_FORMAT = r"%{NAME}\t%{VERSION}\n"
_RPM_FOLDERS = ("/var/lib/rpm", "/usr/lib/sysimage/rpm")
_RPM_DATABASES = frozenset({"Packages", "Packages.db", "rpmdb.sqlite"})


def read_packages(host: Host, inventory: Inventory) -> None:
    """Add the packages of every manager that is there; at least one system package manager must be."""
    managers: list[str] = []
    for name, read in (("dpkg", _dpkg), ("rpm", _rpm), ("pacman", _pacman)):
        if read(host, inventory):
            managers.append(name)
    if not managers:
        inventory.gaps.append(Gap(Cause.UNSUPPORTED, "没有找到可识别的软件包数据库（dpkg、rpm、pacman）", STATUS))
    inventory.managers = tuple(managers)
    _flatpak(host, inventory)
    _snap(host, inventory)
    _linglong(host, inventory)


def names_in(host: Host, inventory: Inventory, folder: str) -> tuple[str, ...]:
    """The names in a folder; what cannot be listed becomes a gap."""
    listed = host.files.entries(path=folder)
    if isinstance(listed, Unknown):
        inventory.gaps.append(listed.as_gap())
    if not isinstance(listed, Known):
        return ()
    inventory.gaps.extend(listed.gaps)
    inventory.listings[folder] = listed.value
    return listed.value


# dpkg -----------------------------------------------------------------------------------------------------------


def _dpkg(host: Host, inventory: Inventory) -> bool:
    text = host.files.text(path=STATUS, limit=STATUS_LIMIT)
    if isinstance(text, Absent):
        listed = host.files.entries(path=INFO)
        if isinstance(listed, Known) and any(n.endswith(".list") for n in listed.value):
            inventory.gaps.append(Gap(Cause.INCOMPLETE, f"{STATUS} 不存在，但 {INFO} 中有软件包", STATUS))
            return True
        return False
    if isinstance(text, Unknown):
        inventory.gaps.append(text.as_gap())
        return True
    auto = _auto_installed(host)
    packages, known, gaps = parse_status(text.value)
    inventory.gaps.extend(gaps)
    inventory.packages.extend(
        Package(p.source, p.name, p.version, p.base, None if auto is None else p.name in auto, p.origin)
        for p in packages
    )
    # Every package dpkg knows has its file list in the info folder: a record cut at a stanza's end shows there.
    info = host.files.entries(path=INFO)
    if isinstance(info, Unknown):
        inventory.gaps.append(info.as_gap())
    elif isinstance(info, Known):
        names = {n[:-5].partition(":")[0] for n in info.value if n.endswith(".list")}
        missing = names - known
        if missing:
            inventory.gaps.append(Gap(Cause.INCOMPLETE, f"{STATUS} 缺少 {len(missing)} 个软件包的记录", STATUS))
    return True


def parse_status(text: str) -> tuple[list[Package], set[str], list[Gap]]:
    """The installed packages of a status file, every package name in it, and what makes no sense."""
    packages: list[Package] = []
    known: set[str] = set()
    bad = 0
    for stanza in re.split(r"\n[ \t\r]*\n", text):
        if not stanza.strip():
            continue
        fields = dict(_FIELD.findall(stanza))
        name, status = fields.get("Package", ""), fields.get("Status", "").split()
        if not name or len(status) != 3 or status[2] not in _STATES:
            bad += 1
            continue
        known.add(name)
        if status[2] not in _PRESENT:
            continue
        if "Version" not in fields:
            bad += 1
        base = fields.get("Essential") == "yes" or fields.get("Priority") in _BASE
        packages.append(Package("dpkg", name, fields.get("Version", ""), base, None, STATUS))
    gaps = []
    if bad:
        gaps.append(Gap(Cause.MALFORMED, f"{STATUS} 有 {bad} 段记录无法识别", STATUS))
    if text and not text.endswith("\n"):
        gaps.append(Gap(Cause.INCOMPLETE, f"{STATUS} 末尾不完整", STATUS))
    if not known:
        gaps.append(Gap(Cause.MALFORMED, f"{STATUS} 中没有软件包记录", STATUS))
    return packages, known, gaps


def _auto_installed(host: Host) -> frozenset[str] | None:
    """Packages marked as installed only as dependencies; None when there is no readable record of it."""
    text = host.files.text(path=EXTENDED, limit=STATUS_LIMIT)
    if not isinstance(text, Known):
        return None
    auto = set()
    for stanza in text.value.split("\n\n"):
        name = re.search(r"^Package:[ \t]*(\S+)", stanza, re.MULTILINE)
        if name and re.search(r"^Auto-Installed:[ \t]*1\b", stanza, re.MULTILINE):
            auto.add(name[1])
    return frozenset(auto)


# rpm, pacman ----------------------------------------------------------------------------------------------------


def _rpm(host: Host, inventory: Inventory) -> bool:
    present = False
    for folder in _RPM_FOLDERS:
        listed = host.files.entries(path=folder)
        if isinstance(listed, Unknown):
            inventory.gaps.append(listed.as_gap())
            present = True
        elif isinstance(listed, Known) and _RPM_DATABASES & set(listed.value):
            present = True
    if not present:
        return False
    answer = host.tools.run(tool="RPM", args=("-qa", "--qf", RPM_FORMAT))
    if not isinstance(answer, Known):
        why = answer.as_gap() if isinstance(answer, Unknown) else Gap(Cause.UNAVAILABLE, "rpm", "rpm")
        inventory.gaps.append(Gap(why.cause, f"rpm 软件包数据库未能读取：{why.detail}", "rpm"))
        return True
    packages, bad = [], 0
    for line in answer.value.stdout.splitlines():
        name, tab, version = line.partition("\t")
        if not tab or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+~-]*", name):
            bad += 1
        elif name != "gpg-pubkey":
            packages.append(Package("rpm", name, version.strip(), False, None, "rpm -qa"))
    if answer.value.code != 0 or bad or not packages:
        detail = f"rpm 返回 {answer.value.code}，{bad} 行无法识别，{len(packages)} 个软件包"
        inventory.gaps.append(Gap(Cause.TOOL_FAILED if answer.value.code else Cause.MALFORMED, detail, "rpm"))
    inventory.packages.extend(packages)
    return True


def _pacman(host: Host, inventory: Inventory) -> bool:
    folder = "/var/lib/pacman/local"
    listed = host.files.entries(path=folder)
    if isinstance(listed, Absent):
        return False
    if isinstance(listed, Unknown):
        inventory.gaps.append(listed.as_gap())
        return True
    for entry in listed.value:
        m = re.fullmatch(r"(.+)-([^-]+-[^-]+)", entry)
        if m:
            inventory.packages.append(Package("pacman", m[1], m[2], False, None, f"{folder}/{entry}"))
    return True


# flatpak, snap, linglong ----------------------------------------------------------------------------------------


def _flatpak(host: Host, inventory: Inventory) -> None:
    folders = ["/var/lib/flatpak/app"]
    folders += [f"{h}/.local/share/flatpak/app" for h in inventory.homes if ".local" in inventory.listings.get(h, ())]
    for folder in folders:
        for app in names_in(host, inventory, folder):
            # "current" points to the branch in use; a folder without it is what an uninstalled application left.
            current = host.files.link(path=f"{folder}/{app}/current")
            if isinstance(current, Unknown):
                inventory.gaps.append(current.as_gap())
            doubt = "" if isinstance(current, Known) else "应用文件夹存在，但没有启用的版本"
            inventory.packages.append(Package("flatpak", app, "", False, False, f"{folder}/{app}", doubt))


def _snap(host: Host, inventory: Inventory) -> None:
    seen = {}
    for name in names_in(host, inventory, "/var/lib/snapd/snaps"):
        m = re.fullmatch(r"(.+)_([^_]+)\.snap", name)
        if m:
            seen[m[1]] = f"/var/lib/snapd/snaps/{name}"
    for name, origin in seen.items():
        inventory.packages.append(Package("snap", name, "", name.startswith(("core", "snapd")), False, origin))
    # A mount point alone (no image) is what a removed snap may leave.
    for name in names_in(host, inventory, "/snap"):
        if name not in seen and name not in ("bin", "README"):
            inventory.packages.append(
                Package("snap", name, "", False, False, f"/snap/{name}", "只有挂载点，没有镜像文件")
            )


def _linglong(host: Host, inventory: Inventory) -> None:
    layers = "/var/lib/linglong/layers"
    names = names_in(host, inventory, layers)
    apps: dict[str, str] = {}
    for name in names:
        if name == "main":
            for app in names_in(host, inventory, f"{layers}/main"):
                apps[app] = f"{layers}/main/{app}"
        elif re.fullmatch(r"[0-9a-f]{32,128}", name):
            text = host.files.text(path=f"{layers}/{name}/info.json")
            if isinstance(text, Unknown):
                inventory.gaps.append(text.as_gap())
            elif isinstance(text, Known):
                app = _layer_id(text.value)
                if app:
                    apps[app] = f"{layers}/{name}"
                else:
                    inventory.gaps.append(Gap(Cause.MALFORMED, f"{layers}/{name}/info.json", layers))
        elif "." in name and not name.startswith("."):
            apps[name] = f"{layers}/{name}"
    for app, origin in apps.items():
        base = app.startswith(("org.deepin.base", "org.deepin.foundation", "org.deepin.runtime"))
        inventory.packages.append(Package("linglong", app, "", base, False, origin))


def _layer_id(text: str) -> str:
    try:
        info = json.loads(text)
    except ValueError:
        return ""
    if not isinstance(info, dict):
        return ""
    return next(_texts(info, ("id", "appid")), "")


def _texts(info: dict[str, object], keys: tuple[str, ...]) -> Iterator[str]:
    for key in keys:
        value = info.get(key)
        if isinstance(value, str) and value:
            yield value
