"""Whether media are mounted, and programs on them offered, as soon as they are plugged in.

Sources: the schemas ``org.gnome.desktop.media-handling`` and its copies in MATE and Cinnamon (``automount``,
``autorun-never``). UKUI, DDE, KDE and Xfce keep such settings elsewhere; where and how is not verified, so they are
Unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.hosts.groups.usersettings import Setting
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes import _dconf
from ybscan.probes._software.homes import person_homes
from ybscan.probes._usb import as_fact
from ybscan.probes.base import Context, Probe

_SESSIONS = ("/usr/share/xsessions", "/usr/share/wayland-sessions", "/usr/local/share/xsessions")
#: Programs that mount whatever is plugged in, with or without a desktop.
_AUTOMOUNTERS = (
    ("/usr/share/usbmount/usbmount", "usbmount"),
    ("/usr/bin/udiskie", "udiskie"),
    ("/usr/bin/devmon", "devmon"),
    ("/usr/bin/ldm", "ldm"),
)
_NEW_USER, _SKELETON = "（新建用户的默认设置）", "/etc/skel"


@dataclass(frozen=True, slots=True)
class _Desktop:
    """A desktop: how its session files begin, and where it keeps the settings (empty: not verified)."""

    name: str
    sessions: tuple[str, ...]
    schema: str = ""
    folder: str = ""


_DESKTOPS = (
    _Desktop("GNOME", ("gnome", "ubuntu", "openeuler-gnome"), "org.gnome.desktop.media-handling", "/org/gnome/desktop/media-handling"),
    _Desktop("MATE", ("mate",), "org.mate.media-handling", "/org/mate/desktop/media-handling"),
    _Desktop("Cinnamon", ("cinnamon",), "org.cinnamon.desktop.media-handling", "/org/cinnamon/desktop/media-handling"),
    _Desktop("UKUI", ("ukui", "kylin")),
    _Desktop("DDE", ("deepin", "dde", "uos")),
    _Desktop("KDE", ("plasma", "kde")),
    _Desktop("Xfce", ("xfce",)),
)  # fmt: skip


class UsbAutorunProbe(Probe):
    """Automatic mounting and running, for each person with an account and for accounts yet to be made."""

    name = "usb_autorun"
    title = "自动播放与自动运行"
    facts = (
        FactSpec(
            "graphical", Kind.BOOLEAN, "图形桌面", words=("已安装", "未安装"),
            help="没有图形桌面的系统不会自动挂载或自动运行。", linux="/usr/share/xsessions、/usr/share/wayland-sessions",
            windows="除 InstallationType 为 Server Core 的以外总是有",
        ),
        FactSpec(
            "users", Kind.ITEMS, "自动播放设置",
            help="每个可登录用户和新建用户在每种已安装桌面中的实际设置。",
            linux="用户的 dconf 数据库、系统 dconf 数据库及锁定、编译后的 gschema 默认值",
            windows="HKLM 的 Policies\\Explorer 中的 NoDriveTypeAutoRun（255 为全部关闭），没有时为各用户的同名值",
            fields=(
                Field("account", Kind.TEXT, "用户"),
                Field("desktop", Kind.TEXT, "桌面"),
                Field("autorun_off", Kind.BOOLEAN, "自动运行是否关闭"),
                Field("automount", Kind.BOOLEAN, "自动挂载是否开启"),
            ),
            summary="{account}（{desktop}，自动运行是否关闭：{autorun_off}，自动挂载是否开启：{automount}）",
        ),
        FactSpec(
            "automounters", Kind.ITEMS, "自动挂载程序", linux="usbmount、udiskie、devmon 等程序的安装文件",
            fields=(Field("name", Kind.TEXT, "程序"), Field("path", Kind.TEXT, "文件")), summary="{name}（{path}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        sessions, gaps = _sessions(host)
        graphical: Reading[bool] = Known(bool(sessions), "xsessions、wayland-sessions")
        if not sessions and gaps:
            graphical = Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin)
        items: list[Item] = []
        if sessions:
            people = person_homes(host, gaps)
            # Root's desktop counts only where root has used one.
            used = host.files.stat(path="/root/.config/dconf")
            homes = {h: n for h, n in people.items() if h != "/root" or not isinstance(used, Absent)}
            for desktop in _installed(sessions):
                items += [_item(host, desktop, name, home) for home, name in homes.items()]
                items.append(_item(host, desktop, _NEW_USER, _SKELETON))
        users: Fact = graphical if isinstance(graphical, Unknown) else Known(tuple(items), "dconf", tuple(gaps))
        return {"graphical": as_fact(graphical), "users": users, "automounters": _automounters(host)}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows import usb_autorun

        return usb_autorun.read(host, context)


def _sessions(host: Host) -> tuple[list[str], list[Gap]]:
    found: list[str] = []
    gaps: list[Gap] = []
    for folder in _SESSIONS:
        names = host.files.entries(path=folder)
        if isinstance(names, Unknown):
            gaps.append(names.as_gap())
        elif isinstance(names, Known):
            found += [n for n in names.value if n.endswith(".desktop")]
    return found, gaps


def _installed(sessions: list[str]) -> list[_Desktop]:
    """The desktops behind the session files; a session of an unknown kind is a desktop that nothing is known of."""
    found: dict[str, _Desktop] = {}
    for session in sorted(set(sessions)):
        stem = session.removesuffix(".desktop").lower()
        known = next((d for d in _DESKTOPS if stem.startswith(d.sessions)), None)
        desktop = known or _Desktop(stem, ())
        found.setdefault(desktop.name, desktop)
    return list(found.values())


def _item(host: Host, desktop: _Desktop, account: str, home: str) -> Item:
    if not desktop.schema:
        why = Unknown(Cause.UNCONFIRMED, f"{desktop.name} 桌面的自动播放设置没有经核实的读取方法，请人工核对")
        return {"account": account, "desktop": desktop.name, "autorun_off": why, "automount": why}
    keys = (f"{desktop.folder}/autorun-never", f"{desktop.folder}/automount")
    readings = _dconf.effective(host, home=home, keys=keys)
    return {
        "account": account,
        "desktop": desktop.name,
        "autorun_off": _value(host, desktop, "autorun-never", readings[keys[0]]),
        "automount": _value(host, desktop, "automount", readings[keys[1]]),
    }


def _value(host: Host, desktop: _Desktop, key: str, reading: Reading[Setting]) -> FieldValue:
    if isinstance(reading, Absent):
        reading = _dconf.default(host, schema=desktop.schema, key=key)
    if isinstance(reading, Absent):
        return Unknown(Cause.UNAVAILABLE, f"没有找到 {desktop.schema} 的默认值")
    if isinstance(reading, Unknown):
        return reading
    if not isinstance(reading.value, bool):
        return Unknown(Cause.MALFORMED, f"{desktop.schema} {key}")
    return reading.value


def _automounters(host: Host) -> Fact:
    items: list[Item] = []
    gaps: list[Gap] = []
    for path, name in _AUTOMOUNTERS:
        stat = host.files.stat(path=path)
        if isinstance(stat, Unknown):
            gaps.append(stat.as_gap())
        elif isinstance(stat, Known):
            items.append({"name": name, "path": path})
    return Known(tuple(items), "程序文件", tuple(gaps))


PROBES = (UsbAutorunProbe(),)
