"""After how long Windows locks an unattended session.

Two things lock it: the machine's limit InactivityTimeoutSecs (Windows 8 and later; earlier ones ignore it), and a user's
screen saver that asks for the password. A user's policy goes before the user's own value, value by value.
Sources: "Interactive logon: Machine inactivity limit"; policy CSP ADMX_ControlPanelDisplay (ScreenSaveActive,
ScreenSaverIsSecure, ScreenSaveTimeOut, SCRNSAVE.EXE, all texts); "MSS: ScreenSaverGracePeriod" for the seconds between
the screen saver and the lock, 5 where nothing is set.
"""

from __future__ import annotations

from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.hosts.groups.registry import UserHive
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown
from ybscan.probes._windows.people import SET_ASIDE, can_use, directory_accounts, is_person
from ybscan.probes._windows.settings import system_folder
from ybscan.probes._windows.values import decimal, first_text, number
from ybscan.probes.base import Context

_SYSTEM_POLICY = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
_WINLOGON = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon"
_WINDOWS_8 = 9200
#: Screen savers that every Windows since 7 has in System32.
_OWN_SAVERS = frozenset(
    {"scrnsave.scr", "bubbles.scr", "mystify.scr", "photoscreensaver.scr", "ribbons.scr", "sstext3d.scr"}
)
#: The usual seconds of grace are part of what a limit in whole minutes means.
_USUAL_GRACE = 5


@dataclass(frozen=True, slots=True)
class _Lock:
    """``seconds``: None when it never locks."""

    seconds: int | Unknown | None


def sessions(host: Host, context: Context) -> Fact:
    """The lock of every profile's owner."""
    hives = host.registry.users()
    if not isinstance(hives, Known):
        return hives if isinstance(hives, Unknown) else Unknown(Cause.UNAVAILABLE, "没有用户配置文件列表", hives.origin)
    machine = _machine(host)
    users = host.accounts.local_users()
    grace = _grace(host)
    local = directory_accounts(host)
    items = [
        _item(hive, can_use(hive, users, local, context.now), machine, _screen_saver(host, hive, grace))
        for hive in hives.value
        if is_person(hive.sid) and not _replaced(hive, hives.value)
    ]
    if not items:
        return Unknown(Cause.UNAVAILABLE, "没有找到使用人的用户配置文件，不能判断锁屏设置", hives.origin)
    return Known(tuple(items), "锁屏策略与各用户的屏幕保护设置", hives.gaps)


def _replaced(hive: UserHive, hives: tuple[UserHive, ...]) -> bool:
    """Whether the profile was set aside and its owner has another: then its settings count for nothing."""
    return hive.sid.endswith(SET_ASIDE) and any(h.sid == hive.sid.removesuffix(SET_ASIDE) for h in hives)


def _item(hive: UserHive, used: FieldValue, machine: _Lock, own: _Lock) -> Item:
    known = [lock.seconds for lock in (machine, own) if isinstance(lock.seconds, int)]
    doubt = next((lock.seconds for lock in (machine, own) if isinstance(lock.seconds, Unknown)), None)
    shortest = min(known, default=None)
    return {
        "account": hive.account, "desktop": "Windows", "used": used,
        "locks": True if known else doubt or False,
        # What could not be read can only lock earlier still.
        "seconds": doubt or shortest,
        "at_most": shortest,
    }  # fmt: skip


def _machine(host: Host) -> _Lock:
    limit = number(host, _SYSTEM_POLICY, "InactivityTimeoutSecs")
    if isinstance(limit, Unknown):
        return _Lock(limit)
    if isinstance(limit, Absent) or limit.value <= 0:
        return _Lock(None)
    windows = host.system.windows()
    if not isinstance(windows, Known):
        return _Lock(windows if isinstance(windows, Unknown) else Unknown(Cause.UNAVAILABLE, "没有读到 Windows 版本"))
    return _Lock(limit.value if windows.value.build >= _WINDOWS_8 else None)


def _grace(host: Host) -> int | Unknown:
    found = host.registry.value(key=_WINLOGON, name="ScreenSaverGracePeriod")
    if isinstance(found, Absent):
        return 0
    if isinstance(found, Known):
        seconds: Reading[int] = Unknown(Cause.MALFORMED, f"{_WINLOGON} 的 ScreenSaverGracePeriod 不是数字", _WINLOGON)
        if isinstance(found.value, int):
            seconds = Known(found.value, found.origin)
        elif isinstance(found.value, str):
            seconds = decimal(Known(found.value, f"{_WINLOGON} 的 ScreenSaverGracePeriod"))
        if isinstance(seconds, Known):
            return seconds.value if seconds.value > _USUAL_GRACE else 0
        found = seconds if isinstance(seconds, Unknown) else Unknown(Cause.MALFORMED)
    return found


def _screen_saver(host: Host, hive: UserHive, grace: int | Unknown) -> _Lock:
    """The screen saver of one person. A value that could not be read matters only while nothing else turns it off."""
    own = f"HKU\\{hive.sid}\\Control Panel\\Desktop"
    policy = f"HKU\\{hive.sid}\\Software\\Policies\\Microsoft\\Windows\\Control Panel\\Desktop"
    found = {
        name: first_text(host, ((policy, name), (own, name)))
        for name in ("ScreenSaveActive", "SCRNSAVE.EXE", "ScreenSaverIsSecure", "ScreenSaveTimeOut")
    }
    program, active, secure = (found[n] for n in ("SCRNSAVE.EXE", "ScreenSaveActive", "ScreenSaverIsSecure"))
    # No program chosen is what the settings leave for "none".
    if isinstance(program, Absent) or (isinstance(program, Known) and not program.value.strip()):
        return _Lock(None)
    if any(isinstance(v, Known) and v.value.strip() == "0" for v in (active, secure)):
        return _Lock(None)
    there = _exists(host, program.value) if isinstance(program, Known) else program
    if isinstance(there, Absent):
        return _Lock(None)  # a policy may name one that this Windows does not have: nothing starts then
    wait = decimal(found["ScreenSaveTimeOut"])
    if isinstance(wait, Known) and wait.value == 0:
        return _Lock(None)
    for name, value in (*found.items(), ("", wait)):
        if isinstance(value, Unknown):
            return _Lock(value)
        if isinstance(value, Absent):
            return _Lock(Unknown(Cause.UNAVAILABLE, f"用户 {hive.account} 的 {name} 没有设置，默认值未经核实", own))
    for name, switch in (("ScreenSaveActive", active), ("ScreenSaverIsSecure", secure)):
        if isinstance(switch, Known) and switch.value.strip() != "1":
            return _Lock(Unknown(Cause.MALFORMED, f"用户 {hive.account} 的 {name} 不是 0 或 1", own))
    for doubt in (there, grace):
        if isinstance(doubt, Unknown):
            return _Lock(doubt)
    assert not isinstance(grace, Unknown)  # noqa: S101 - the loop above left no other case
    assert isinstance(wait, Known)  # noqa: S101 - the loop above left no other case
    return _Lock(wait.value + grace)


def _exists(host: Host, program: str) -> Reading[bool]:
    """Whether the screen saver is there: Absent when Windows has no such file."""
    root = system_folder(host)
    path = program.strip().strip('"').replace("/", "\\")
    folder, _, name = path.rpartition("\\")
    here = root.value if isinstance(root, Known) else r"C:\Windows"
    for variable in ("%systemroot%", "%windir%"):
        if folder.lower().startswith(variable):
            folder = here + folder[len(variable) :]
    if not folder or folder.lower() == "system32":
        folder = f"{here}\\System32"
    if name.lower() in _OWN_SAVERS and folder.lower() == f"{here}\\System32".lower():
        return Known(True, path)
    stat = host.files.stat(path=f"{folder}\\{name}")
    return Known(True, stat.origin) if isinstance(stat, Known) else stat
