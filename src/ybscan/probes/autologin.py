"""Automatic login of display managers and consoles.

Sources: lightdm NEWS (folders and order, ``[SeatDefaults]`` of old releases), GDM daemon.conf, sddm.conf(5),
agetty(8) ``--autologin`` in getty drop-ins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, Item, Kind
from ybscan.model.reading import Gap, Known, Unknown
from ybscan.probes.base import Context, Probe

#: Later folders win over earlier ones; lightdm.conf itself is read last.
_LIGHTDM_FOLDERS = (
    "/usr/share/lightdm/lightdm.conf.d",
    "/etc/xdg/lightdm/lightdm.conf.d",
    "/etc/lightdm/lightdm.conf.d",
)
_LIGHTDM_FILE = "/etc/lightdm/lightdm.conf"
_GDM_FILES = ("/etc/gdm3/daemon.conf", "/etc/gdm3/custom.conf", "/etc/gdm/custom.conf")
_SDDM_FOLDERS = ("/usr/lib/sddm/sddm.conf.d", "/etc/sddm.conf.d")
_SDDM_FILE = "/etc/sddm.conf"
_GETTY_ROOTS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system")
_GETTY = re.compile(r"^(serial-|console-)?getty@?[^/]*\.service\.d$")
_TRUE = frozenset({"true", "1", "yes"})


class AutologinProbe(Probe):
    """Who is logged in without being asked for a password."""

    name = "autologin"
    title = "自动登录"
    facts = (
        FactSpec(
            "entries", Kind.ITEMS, "自动登录设置",
            help="每个显示管理器或终端登录服务最终生效的自动登录设置。",
            linux="lightdm、gdm、sddm 的配置（按各自的优先次序）与 getty 的 systemd 附加配置",
            windows="Winlogon 的 AutoAdminLogon 等值",
            fields=(
                Field("source", Kind.TEXT, "来源"),
                Field("account", Kind.TEXT, "账户"),
                Field("enabled", Kind.BOOLEAN, "是否启用"),
                Field("path", Kind.TEXT, "配置文件"),
            ),
            summary="{source}（账户：{account}，{path}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        items: list[Item] = []
        gaps: list[Gap] = []
        for path, settings in (*_lightdm(host, gaps), *_ini(host, _GDM_FILES, gaps), *_sddm(host, gaps)):
            items.extend(_entries(path, settings))
        items.extend(_getty(host, gaps))
        return {"entries": Known(tuple(items), "显示管理器与 getty 配置", tuple(gaps))}


Settings = dict[tuple[str, str], str]


def _parse(text: str) -> Settings:
    """Section and key → value, both in lower case; ``Seat:*`` and the old ``SeatDefaults`` are one section."""
    found: Settings = {}
    section = ""
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip().lower()
            if section == "seatdefaults" or section.startswith("seat:"):
                section = "seat"
        elif "=" in line and not line.startswith(("#", ";")):
            key, value = line.split("=", 1)
            found[section, key.strip().lower()] = value.strip()
    return found


def _read(host: Host, path: str, gaps: list[Gap]) -> Settings | None:
    text = host.files.text(path=path)
    if isinstance(text, Known):
        return _parse(text.value)
    if isinstance(text, Unknown):
        gaps.append(text.as_gap())
    return None


def _conf_files(host: Host, folder: str, gaps: list[Gap]) -> list[str]:
    names = host.files.entries(path=folder)
    if isinstance(names, Unknown):
        gaps.append(names.as_gap())
    return [f"{folder}/{n}" for n in names.value if n.endswith(".conf")] if isinstance(names, Known) else []


def _merged(host: Host, paths: list[str], gaps: list[Gap]) -> list[tuple[str, Settings]]:
    """Several files read in order into one set of settings, named after the last that set something."""
    merged: Settings = {}
    last = ""
    for path in paths:
        settings = _read(host, path, gaps)
        if settings:
            merged.update(settings)
            last = path if any("autologin" in k or s == "autologin" for s, k in settings) else last or path
    return [(last, merged)] if merged else []


def _lightdm(host: Host, gaps: list[Gap]) -> list[tuple[str, Settings]]:
    return _merged(host, [p for f in _LIGHTDM_FOLDERS for p in _conf_files(host, f, gaps)] + [_LIGHTDM_FILE], gaps)


def _sddm(host: Host, gaps: list[Gap]) -> list[tuple[str, Settings]]:
    return _merged(host, [p for f in _SDDM_FOLDERS for p in _conf_files(host, f, gaps)] + [_SDDM_FILE], gaps)


def _ini(host: Host, paths: tuple[str, ...], gaps: list[Gap]) -> Iterator[tuple[str, Settings]]:
    for path in paths:
        settings = _read(host, path, gaps)
        if settings:
            yield path, settings


def _entries(path: str, settings: Settings) -> Iterator[Item]:
    lightdm = settings.get(("seat", "autologin-user"), "")
    if lightdm:
        yield {"source": "lightdm", "account": lightdm, "enabled": True, "path": path}
    for kind in ("automaticlogin", "timedlogin"):
        if settings.get(("daemon", f"{kind}enable"), "").lower() in _TRUE:
            yield {
                "source": "gdm",
                "account": settings.get(("daemon", kind), "") or None,
                "enabled": True,
                "path": path,
            }
    sddm = settings.get(("autologin", "user"), "")
    if sddm:
        yield {"source": "sddm", "account": sddm, "enabled": True, "path": path}


def _getty(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    for root in _GETTY_ROOTS:
        names = host.files.entries(path=root)
        # /run is empty on a disk that lies still: its drop-ins do not outlive a restart.
        if isinstance(names, Unknown) and not root.startswith("/run"):
            gaps.append(names.as_gap())
        for folder in names.value if isinstance(names, Known) else ():
            if not _GETTY.match(folder):
                continue
            for path in _conf_files(host, f"{root}/{folder}", gaps):
                text = host.files.text(path=path)
                if isinstance(text, Unknown):
                    gaps.append(text.as_gap())
                if isinstance(text, Known) and (
                    m := re.search(r"^\s*ExecStart\s*=.*?\s(?:--autologin|-a)[=\s]+(\S+)", text.value, re.MULTILINE)
                ):
                    yield {"source": "getty", "account": m[1], "enabled": True, "path": path}


PROBES = (AutologinProbe(),)
