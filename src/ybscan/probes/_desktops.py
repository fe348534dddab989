"""After how long each desktop locks the screen of a user.

Sources: the GSettings schemas of GNOME (org.gnome.desktop.session and .screensaver), UKUI (org.ukui.screensaver), MATE,
Cinnamon and DDE (com.deepin.dde.power), and KDE's kscreenlockerrc. Where a source leaves the unit open, only an upper
bound is stated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.hosts.groups.usersettings import Setting
from ybscan.model.facts import FieldValue
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._dconf import default, effective, folder
from ybscan.probes._ini import Sections, merged

_SESSION_FOLDERS = ("/usr/share/xsessions", "/usr/share/wayland-sessions")
#: First part of a session file's name → desktop. None: a wrapper that starts one of the others.
_FAMILIES: Mapping[str, str | None] = {
    "gnome": "GNOME", "ubuntu": "GNOME", "ukui": "UKUI", "kylin": "UKUI", "deepin": "DDE", "dde": "DDE", "mate": "MATE",
    "cinnamon": "Cinnamon", "plasma": "KDE", "plasmax11": "KDE", "plasmawayland": "KDE", "xfce": "Xfce",
    "lightdm": None, "default": None, "custom": None,
}  # fmt: skip
_DCONFIG = (
    "/usr/share/dsg/configs/org.deepin.dde.daemon/org.deepin.dde.daemon.power.json",
    "/usr/share/dsg/configs/org.deepin.dde.daemon.power.json",
)


@dataclass(frozen=True, slots=True)
class User:
    """Whose desktop it is."""

    name: str
    uid: int
    home: str


@dataclass(frozen=True, slots=True)
class ScreenLock:
    """``seconds`` from the last movement to the lock; ``at_most`` an upper bound where the exact value is unknown."""

    locks: FieldValue
    seconds: FieldValue = None
    at_most: FieldValue = None


def installed_desktops(host: Host) -> Reading[tuple[str, ...]]:
    """The desktops one can choose at the login screen, sorted; a session we do not know stands by its file's name."""
    found: set[str] = set()
    for place in _SESSION_FOLDERS:
        names = host.files.entries(path=place)
        if isinstance(names, Unknown):
            return names
        for name in names.value if isinstance(names, Known) else ():
            if name.endswith(".desktop"):
                family = family_of(name.removesuffix(".desktop"))
                if family is not None:
                    found.add(family)
    return Known(tuple(sorted(found)), _SESSION_FOLDERS[0])


def family_of(session: str) -> str | None:
    """The desktop that a session name such as ``ubuntu-xorg`` starts; None for a mere wrapper."""
    return _FAMILIES.get(session.lower().split("-")[0].split("_")[0], session)


def chosen_desktop(host: Host, user: User) -> str | Unknown | None:
    """The desktop of the user's last login, where the login screen has noted it; None where it has not."""
    gaps: list[Gap] = []
    noted = merged(host, (f"/var/lib/AccountsService/users/{user.name}",), gaps).get("user", {})
    if gaps:
        return Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin)
    for key in ("session", "xsession"):
        value = noted.get(key, ("", ""))[0]
        if value:
            return family_of(value)
    return None


def screen_lock(host: Host, user: User, desktop: str) -> ScreenLock:
    """When ``desktop`` locks for ``user``."""
    reader = _READERS.get(desktop)
    if reader is None:
        why = Unknown(Cause.UNSUPPORTED, f"本版本不能读取桌面 {desktop} 的锁屏设置")
        return ScreenLock(why, why)
    return reader(host, user)


# --------------------------------------------------------------------------------------------------------------- values


def _set(host: Host, user: User, schema: str, key: str, *, path: str = "") -> Reading[Setting]:
    """A setting as it holds for the user: the databases, then the schema's default. Absent without either."""
    place = folder(host, schema=schema)
    if isinstance(place, Unknown):
        return place
    # Without the schema, by the folder that the desktop's releases have used.
    full = (place.value if isinstance(place, Known) else path or "/" + schema.replace(".", "/") + "/") + key
    reading = effective(host, home=user.home, uid=user.uid, keys=(full,))[full]
    return default(host, schema=schema, key=key) if isinstance(reading, Absent) else reading


def _value(host: Host, user: User, schema: str, key: str, *, path: str = "") -> Reading[Setting]:
    """The same, where a setting that exists nowhere is unknown."""
    reading = _set(host, user, schema, key, path=path)
    return Unknown(Cause.UNAVAILABLE, f"没有 {schema} 的默认值", schema) if isinstance(reading, Absent) else reading


def _switch(reading: Reading[Setting], what: str) -> bool | Unknown:
    if isinstance(reading, Known) and isinstance(reading.value, bool):
        return reading.value
    return reading if isinstance(reading, Unknown) else Unknown(Cause.MALFORMED, what)


def _number(reading: Reading[Setting], what: str) -> int | Unknown:
    if isinstance(reading, Known) and isinstance(reading.value, int) and not isinstance(reading.value, bool):
        return reading.value
    return reading if isinstance(reading, Unknown) else Unknown(Cause.MALFORMED, what)


def _all_on(*switches: bool | Unknown) -> bool | Unknown:
    if any(s is False for s in switches):
        return False
    return next((s for s in switches if isinstance(s, Unknown)), True)


def _timed(on: bool | Unknown, *delays: int | Unknown, unit: int = 1) -> ScreenLock:
    """A lock that comes the sum of ``delays`` after the last movement; the first of them 0 means never."""
    for delay in delays:
        if isinstance(delay, Unknown):
            return ScreenLock(False if on is False else _all_on(on, delay), delay)
    numbers = [d for d in delays if isinstance(d, int)]
    return ScreenLock(_all_on(on, numbers[0] > 0), max(0, sum(numbers)) * unit)


# ------------------------------------------------------------------------------------------------------------- desktops


def _gnome_like(prefix: str, session: str) -> Callable[[Host, User], ScreenLock]:
    def read(host: Host, user: User) -> ScreenLock:
        saver = f"{prefix}.screensaver"
        on = _switch(_value(host, user, saver, "lock-enabled"), "lock-enabled")
        idle = _number(_value(host, user, session, "idle-delay"), "idle-delay")
        delay = _number(_value(host, user, saver, "lock-delay"), "lock-delay")
        off = _switch(_value(host, user, f"{prefix}.lockdown", "disable-lock-screen"), "disable-lock-screen")
        return _timed(_all_on(on, off if isinstance(off, Unknown) else not off), idle, delay)

    return read


def _mate(host: Host, user: User) -> ScreenLock:
    saver = "org.mate.screensaver"
    on = _switch(_value(host, user, saver, "lock-enabled"), "lock-enabled")
    starts = _switch(_value(host, user, saver, "idle-activation-enabled"), "idle-activation-enabled")
    idle = _number(
        _value(host, user, "org.mate.session", "idle-delay", path="/org/mate/desktop/session/"), "idle-delay"
    )
    delay = _number(_value(host, user, saver, "lock-delay"), "lock-delay")
    return _timed(_all_on(on, starts), idle, delay, unit=60)


def _ukui(host: Host, user: User) -> ScreenLock:
    saver = "org.ukui.screensaver"
    on = _all_on(
        _switch(_value(host, user, saver, "lock-enabled"), "lock-enabled"),
        _switch(_value(host, user, saver, "idle-activation-enabled"), "idle-activation-enabled"),
    )
    delay = _number(_value(host, user, saver, "lock-delay"), "lock-delay")
    waits = _set(host, user, saver, "idle-delay")
    if isinstance(waits, Absent):  # older releases have it in another schema
        waits = _value(host, user, "org.ukui.session", "idle-delay", path="/org/ukui/desktop/session/")
    idle = _number(waits, "idle-delay")
    if isinstance(idle, Unknown) or isinstance(delay, Unknown):
        why = next(p for p in (idle, delay) if isinstance(p, Unknown))
        return ScreenLock(False if on is False else _all_on(on, why), why)
    unit = Unknown(Cause.UNCONFIRMED, f"UKUI 空闲时间为 {idle}，其单位未能确认")
    if idle <= 0 or delay < 0:
        return ScreenLock(False if on is False else _all_on(on, unit), unit)
    return ScreenLock(on, unit, (idle + delay) * 60)


def _dde(host: Host, user: User) -> ScreenLock:
    for path in _DCONFIG:
        found = host.files.stat(path=path)
        if isinstance(found, Unknown):
            return ScreenLock(found, found)
        if isinstance(found, Known):
            why = Unknown(Cause.UNCONFIRMED, "本系统的锁屏时间保存在 dconfig 中，其存放位置未能确认", path)
            return ScreenLock(why, why)
    schema = "com.deepin.dde.power"
    plugged = _timed(True, _number(_value(host, user, schema, "line-power-lock-delay"), "line-power-lock-delay"))
    if plugged.locks is False:
        return plugged
    battery = _has_battery(host)
    if battery is False:
        return plugged
    unplugged = _timed(True, _number(_value(host, user, schema, "battery-lock-delay"), "battery-lock-delay"))
    if unplugged == plugged:
        return plugged
    if isinstance(battery, Unknown):
        return ScreenLock(battery, battery)
    return unplugged if unplugged.locks is not True or _later(unplugged, plugged) else plugged


def _later(one: ScreenLock, other: ScreenLock) -> bool:
    return isinstance(one.seconds, int) and isinstance(other.seconds, int) and one.seconds > other.seconds


def _has_battery(host: Host) -> bool | Unknown:
    names = host.files.entries(path="/sys/class/power_supply")
    if isinstance(names, Unknown):
        return names
    return isinstance(names, Known) and any(n.upper().startswith("BAT") for n in names.value)


def _kde_group(sections: Sections, group: str) -> dict[str, tuple[str, str]]:
    """The keys of a group of KDE's configuration. ``[$i]`` behind a group or key fixes what stands there."""
    found: dict[str, tuple[str, str]] = {}
    fixed: dict[str, tuple[str, str]] = {}
    for section, keys in sections.items():
        name, _, group_flags = section.partition("][$")
        for key, value in keys.items() if name == group else ():
            bare, _, flags = key.partition("[$")
            into = fixed if "i" in group_flags or "i" in flags else found
            into[bare] = value
    return found | fixed


def _kde(host: Host, user: User) -> ScreenLock:
    gaps: list[Gap] = []
    found = _kde_group(
        merged(host, ("/etc/xdg/kscreenlockerrc", f"{user.home}/.config/kscreenlockerrc"), gaps), "daemon"
    )
    if gaps:
        why = Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin)
        return ScreenLock(why, why)
    on = found.get("autolock", ("true", ""))[0].lower() in ("true", "1")
    numbers = [found.get(k, (d, ""))[0] for k, d in (("timeout", "5"), ("lockgrace", "5"))]
    if not all(n.isdecimal() for n in numbers):
        return ScreenLock(on, Unknown(Cause.MALFORMED, "kscreenlockerrc 的 Timeout 或 LockGrace"))
    return _timed(on, int(numbers[0]) * 60, int(numbers[1]))


_READERS: Mapping[str, Callable[[Host, User], ScreenLock]] = {
    "GNOME": _gnome_like("org.gnome.desktop", "org.gnome.desktop.session"),
    "Cinnamon": _gnome_like("org.cinnamon.desktop", "org.cinnamon.desktop.session"),
    "UKUI": _ukui,
    "MATE": _mate,
    "DDE": _dde,
    "KDE": _kde,
}
