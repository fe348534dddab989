"""Automatic login of display managers and consoles.

Sources: lightdm NEWS (folders and order, ``[SeatDefaults]`` of old releases), GDM's daemon.conf, sddm.conf(5), lxdm's and
nodm's shipped configuration, greetd(5) ``initial_session``, agetty(8) ``--autologin`` in getty units and drop-ins; on
Windows "How to turn on automatic logon" (AutoAdminLogon, a text).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._ini import Sections, conf_files, lightdm, merged
from ybscan.probes.base import Context, Probe

_GDM_FILES = ("/etc/gdm3/daemon.conf", "/etc/gdm3/custom.conf", "/etc/gdm/custom.conf")
_SDDM_FOLDERS = ("/usr/lib/sddm/sddm.conf.d", "/etc/sddm.conf.d")
_SDDM_FILE = "/etc/sddm.conf"
_LXDM_FILE = "/etc/lxdm/lxdm.conf"
_NODM_FILE = "/etc/default/nodm"
_GREETD_FILE = "/etc/greetd/config.toml"
_UNIT_ROOTS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_GETTY = re.compile(r"^(serial-|console-|container-)?(getty|autovt|autologin)@?[^/]*\.service(\.d)?$")
_EXEC = re.compile(r"^\s*ExecStart\s*=(.*)$", re.MULTILINE)
_AUTOLOGIN = re.compile(r"(?:agetty|mingetty)\b.*?\s(?:--autologin|-a)(?:[=\s]\s*|(?<=-a))(\S+)")
_TRUE = frozenset({"true", "1", "yes"})
_WINLOGON = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon"


class AutologinProbe(Probe):
    """Who is logged in without being asked for a password."""

    name = "autologin"
    title = "自动登录"
    facts = (
        FactSpec(
            "entries", Kind.ITEMS, "自动登录设置",
            help="每个显示管理器或终端登录服务最终生效的自动登录设置。",
            linux="lightdm、gdm、sddm、lxdm、nodm、greetd 的配置（按各自的优先次序）与 getty 的 systemd 单元",
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
        gaps: list[Gap] = []
        items = [
            *_lightdm(host, gaps),
            *_gdm(host, gaps),
            *_sddm(host, gaps),
            *_others(host, gaps),
            *_getty(host, gaps),
        ]
        return {"entries": Known(tuple(items), "显示管理器与 getty 配置", tuple(gaps))}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        on = _automatic(host)
        if not isinstance(on, Known):
            return {"entries": on}
        if not on.value:
            return {"entries": Known((), f"{_WINLOGON} 的 AutoAdminLogon")}
        account = host.registry.value(key=_WINLOGON, name="DefaultUserName")
        name = str(account.value) if isinstance(account, Known) and account.value else None
        return {"entries": Known((_item("Winlogon", name, _WINLOGON),), _WINLOGON)}


def _automatic(host: Host) -> Known[bool] | Unknown:
    """Whether Winlogon logs somebody in. What is neither set nor plainly 0 is not taken for "off"."""
    on = host.registry.value(key=_WINLOGON, name="AutoAdminLogon")
    if isinstance(on, Unknown):
        return on
    if isinstance(on, Absent):
        # Every Windows has a Shell there: without it the key itself is missing, and nothing about it is known.
        shell = host.registry.value(key=_WINLOGON, name="Shell")
        if isinstance(shell, Known):
            return Known(False, on.origin)
        return shell if isinstance(shell, Unknown) else Unknown(Cause.MALFORMED, f"{_WINLOGON} 不完整", _WINLOGON)
    # Windows takes any text that begins with 1 for "on", and a number where a text belongs as well.
    said = str(on.value).strip() if isinstance(on.value, str | int) else None
    if said is not None and said.startswith("1"):
        return Known(True, on.origin)
    if said in ("", "0"):
        return Known(False, on.origin)
    return Unknown(Cause.MALFORMED, f"{_WINLOGON} 的 AutoAdminLogon 不是 0 或 1", _WINLOGON)


def _item(source: str, account: str | None, path: str, *, unread: list[Gap] | None = None) -> Item:
    # A file that could not be read may have turned it off again.
    doubt = Unknown(unread[0].cause, unread[0].detail, unread[0].origin) if unread else None
    return {"source": source, "account": account, "enabled": doubt or True, "path": path}


def _get(settings: Sections, section: str, key: str) -> tuple[str, str]:
    return settings.get(section, {}).get(key, ("", ""))


def _lightdm(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    unread: list[Gap] = []
    settings = lightdm(host, unread)
    gaps.extend(unread)
    for section in sorted(s for s in settings if s.startswith("seat:")):
        user, path = _get(settings, section, "autologin-user")
        if user:
            yield _item("lightdm", user, path, unread=unread)
        guest, path = _get(settings, section, "autologin-guest")
        if guest.lower() in _TRUE:
            yield _item("lightdm", "来宾", path, unread=unread)


def _gdm(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    for path in _GDM_FILES:
        settings = merged(host, (path,), gaps)
        for kind in ("automaticlogin", "timedlogin"):
            if _get(settings, "daemon", f"{kind}enable")[0].lower() in _TRUE:
                yield _item("gdm", _get(settings, "daemon", kind)[0] or None, path)


def _sddm(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    unread: list[Gap] = []
    settings = merged(host, [*(p for f in _SDDM_FOLDERS for p in conf_files(host, f, unread)), _SDDM_FILE], unread)
    gaps.extend(unread)
    user, path = _get(settings, "autologin", "user")
    if user:
        yield _item("sddm", user, path, unread=unread)


def _others(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    user, path = _get(merged(host, (_LXDM_FILE,), gaps), "base", "autologin")
    if user:
        yield _item("lxdm", user, path)
    nodm = merged(host, (_NODM_FILE,), gaps)
    if _get(nodm, "", "nodm_enabled")[0].strip("'").lower() in _TRUE:
        yield _item("nodm", _get(nodm, "", "nodm_user")[0].strip("'") or None, _NODM_FILE)
    greetd = merged(host, (_GREETD_FILE,), gaps)
    if "initial_session" in greetd:
        yield _item("greetd", _get(greetd, "initial_session", "user")[0] or None, _GREETD_FILE)


def _getty(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    for root in _UNIT_ROOTS:
        names = host.files.entries(path=root)
        # /run is empty on a disk that lies still: its drop-ins do not outlive a restart.
        if isinstance(names, Unknown) and not root.startswith("/run"):
            gaps.append(names.as_gap())
        for name in names.value if isinstance(names, Known) else ():
            if not _GETTY.match(name):
                continue
            path = f"{root}/{name}"
            if host.files.link(path=path) == Known("/dev/null", path):
                continue  # a masked unit
            for file in conf_files(host, path, gaps) if name.endswith(".d") else [path]:
                text = host.files.text(path=file)
                if isinstance(text, Unknown):
                    gaps.append(text.as_gap())
                account = _agetty_account(text.value) if isinstance(text, Known) else ""
                if account:
                    yield _item("getty", account, file)


def _agetty_account(text: str) -> str:
    """The account that the last command of a unit or drop-in logs in; an empty ``ExecStart=`` clears those before it."""
    joined = text.replace("\\\n", " ")
    commands = [m.strip() for m in _EXEC.findall(joined)]
    found = _AUTOLOGIN.search(commands[-1]) if commands else None
    return found[1] if found else ""


PROBES = (AutologinProbe(),)
