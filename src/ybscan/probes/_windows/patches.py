"""Updates of Windows, as its component-based servicing has them.

Sources: the keys below ``Component Based Servicing\\Packages`` (``CurrentState`` 0x70 installed, 0x80 permanent: "CBS
Servicing States Chart", Microsoft tip of the day of 2015-10-12; ``InstallTimeHigh`` and ``InstallTimeLow`` are the halves of
a FILETIME). ``Package_for_RollupFix`` is the cumulative update; others may be security updates of a single component or
none. What was there when the system was set up or upgraded came with the medium: its date says nothing of patching.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ybscan.hosts.base import Host
from ybscan.hosts.groups.registry import RegistryValue
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown

PACKAGES = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages"
_VERSION = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_REBOOT = (
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending",
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired",
)
_UPDATE = re.compile(
    r"^Package_for_(RollupFix|KB\d{6,8}|ServicingStack_\d+|DotNetRollup(?:_\d+)?)~.*~([\d.]*)$", re.IGNORECASE
)
_NO_PATCHES = frozenset({"kb2267602", "kb4052623", "kb890830"})
_INSTALLED = frozenset({0x70, 0x80})
_STATES = frozenset({0, 5, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x65, *_INSTALLED})
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
#: Setting a system up takes hours, and its clock may be put right afterwards.
_SETUP = timedelta(days=1)
_SLACK = timedelta(minutes=5)
_DAYS_SHOWN = 20
_NAMES_SHOWN = 6


@dataclass(frozen=True, slots=True)
class _Update:
    """An installed update: its name as people know it, and when it came."""

    name: str
    rollup: bool
    time: datetime


def upgrades(host: Host, now: datetime) -> Fact:
    """The days on which updates came, newest first."""
    names = host.registry.subkeys(key=PACKAGES)
    if not isinstance(names, Known):
        return names if isinstance(names, Unknown) else Unknown(Cause.UNAVAILABLE, "没有更新登记", PACKAGES)
    setup = _set_up(host)
    gaps: list[Gap] = list(names.gaps)
    found = list(_updates(host, names.value, gaps))
    if isinstance(setup, Unknown):
        # Without the day of set-up nobody can tell the medium's own updates from later ones.
        return setup if found else Known((), PACKAGES, (*gaps, setup.as_gap()))
    later = [u for u in found if u.time > setup + _SETUP]
    if not later and now - setup < timedelta(days=60):
        gaps.append(
            Gap(Cause.INCOMPLETE, f"系统于 {setup:%Y-%m-%d} 安装或升级，此后没有更新，安装介质的日期不算", PACKAGES)
        )
    days: dict[str, list[_Update]] = {}
    zone = now.tzinfo
    for update in later:
        days.setdefault(f"{update.time.astimezone(zone):%Y-%m-%d}", []).append(update)
    items = tuple(_item(days[d], now) for d in sorted(days, reverse=True)[:_DAYS_SHOWN])
    return Known(items, PACKAGES, tuple(dict.fromkeys(gaps)))


def _updates(host: Host, names: tuple[str, ...], gaps: list[Gap]) -> Iterator[_Update]:
    for name in names:
        match = _UPDATE.match(name)
        if match is None or match[1].lower() in _NO_PATCHES:
            continue
        key = f"{PACKAGES}\\{name}"
        values = host.registry.values(key=key)
        if not isinstance(values, Known):
            if isinstance(values, Unknown):
                gaps.append(values.as_gap())
            continue
        lower = {n.lower(): v for n, v in values.value.items()}
        state, time = lower.get("currentstate"), _filetime(lower)
        if not isinstance(state, int) or state not in _STATES or (state in _INSTALLED and time is None):
            gaps.append(Gap(Cause.MALFORMED, f"更新 {match[1]} 的状态或时间", key))
        elif state in _INSTALLED and time is not None:
            rollup = match[1].lower() == "rollupfix"
            yield _Update(f"累积更新 {match[2]}" if rollup else match[1], rollup, time)


def _filetime(values: dict[str, RegistryValue]) -> datetime | None:
    high, low = values.get("installtimehigh"), values.get("installtimelow")
    if not isinstance(high, int) or not isinstance(low, int) or not 0 <= high < 1 << 31 or not 0 <= low < 1 << 32:
        return None
    ticks = high << 32 | low
    # Before Windows XP, or beyond what a date can hold: damaged.
    if not 0x01C0000000000000 <= ticks < 0x0300000000000000:
        return None
    return _EPOCH + timedelta(microseconds=ticks // 10)


def _set_up(host: Host) -> datetime | Unknown:
    """When this Windows was installed, or last brought to a new release."""
    value = host.registry.value(key=_VERSION, name="InstallDate")
    if isinstance(value, Unknown):
        return value
    if isinstance(value, Absent):
        return Unknown(Cause.UNAVAILABLE, "系统没有记下安装日期", _VERSION)
    if not isinstance(value.value, int) or not 1_000_000_000 <= value.value < 1 << 32:
        return Unknown(Cause.MALFORMED, "系统的安装日期", _VERSION)
    return datetime.fromtimestamp(value.value, UTC)


def _item(found: list[_Update], now: datetime) -> Item:
    names = sorted({u.name for u in found}, key=lambda n: (not n.startswith("累积更新"), n))
    core: FieldValue = True
    if not any(u.rollup for u in found):
        core = Unknown(Cause.UNCONFIRMED, "没有累积更新，单个更新是不是安全补丁不能确定")
    when = max(u.time for u in found).astimezone(now.tzinfo)
    days: FieldValue = max(0, -((when - now) // timedelta(days=1)))
    if when > now + _SLACK:
        days = Unknown(Cause.MALFORMED, "时间晚于检查时刻，时钟有误")
    shown = tuple(names[:_NAMES_SHOWN]) + (("等",) if len(names) > _NAMES_SHOWN else ())
    return {
        "time": when,
        "days": days,
        "count": len(names),
        "packages": shown,
        "core": core,
        "source": "组件服务的更新登记",
    }


def reboot_required(host: Host) -> Fact:
    """Whether an installed update waits for a restart."""
    for key in _REBOOT:
        found = host.registry.values(key=key)
        if isinstance(found, Unknown):
            return found
        if isinstance(found, Known):
            return Known(True, key)
    return Known(False, _REBOOT[0])
