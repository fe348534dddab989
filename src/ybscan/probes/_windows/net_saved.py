"""Networks that Windows remembers: the profiles of its network list, and the connections that are set up.

Sources: ``NetworkList\\Profiles`` (``NameType`` is IANA's interface type; ``DateLastConnected`` a SYSTEMTIME in local time),
"SYSTEMTIME structure", ``TimeZoneInformation`` (``ActiveTimeBias``: minutes to add to local time to get UTC).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from ybscan.hosts.base import Host
from ybscan.hosts.groups.network import HISTORY, SavedNetwork
from ybscan.hosts.groups.registry import RegistryValue
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes._patterns import folded
from ybscan.probes._windows.keys import Keys
from ybscan.probes.base import Context

_PROFILES = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\NetworkList\Profiles"
_ZONE = r"HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation"
#: Local time may have been an hour off when the time was written (daylight saving).
_HOUR = timedelta(hours=1)
#: Windows Vista is the first that keeps the list. 1601 stands for no time at all.
_FIRST_YEAR = 2006
#: Without the terminal's zone the time may mean any moment of that day, anywhere on earth.
_ANYWHERE = timedelta(hours=26)
_WIRED, _PPP, _WIRELESS, _VIRTUAL, _MOBILE = 6, 23, 71, 53, (243, 244)


@dataclass(frozen=True, slots=True)
class _Clock:
    """How the local times of the terminal are to be read."""

    zone: tzinfo
    slack: timedelta


def networks(host: Host, context: Context, vpn_approved: Callable[..., bool | Unknown]) -> Fact:
    """What was joined, with the time; then what is set up and not in that list."""
    keys = Keys(host)
    clock = _clock(keys, context)
    items: list[Item] = []
    profiles = keys.expected(_PROFILES, "网络接入记录", empty=True)
    if not profiles and not keys.gaps:
        # A terminal that ever had a cable plugged in has one: an empty list was emptied.
        keys.gaps.append(Gap(Cause.UNAVAILABLE, "没有任何网络接入记录，可能已被清除", _PROFILES))
    for guid in profiles:
        item = _profile(keys, guid, clock, context, vpn_approved)
        if item is not None:
            items.append(item)
    dated = {folded(str(i["id"])) for i in items}
    saved = host.network.saved()
    if isinstance(saved, Known):
        keys.gaps.extend(g for g in saved.gaps if g.origin != HISTORY)  # the network list has the times
        items.extend(_saved(n, context, vpn_approved) for n in saved.value if folded(n.ssid or n.id) not in dated)
    else:
        keys.gaps.append(saved.as_gap() if isinstance(saved, Unknown) else Gap(Cause.UNAVAILABLE, "保存的网络连接"))
    ordered = sorted(items, key=lambda i: (str(i["kind"]), str(i["id"])))
    return Known(tuple(ordered), _PROFILES, keys.all_gaps())


def _clock(keys: Keys, context: Context) -> _Clock:
    before = len(keys.gaps)
    bias = keys.number(_ZONE, "ActiveTimeBias")
    del keys.gaps[before:]  # without the zone the times are only less exact
    if bias is None:
        return _Clock(context.now.tzinfo or UTC, _ANYWHERE)
    minutes = bias - (1 << 32) if bias >= 1 << 31 else bias
    if abs(minutes) > 16 * 60:
        return _Clock(context.now.tzinfo or UTC, _ANYWHERE)
    return _Clock(timezone(timedelta(minutes=-minutes)), _HOUR)


def _profile(
    keys: Keys, guid: str, clock: _Clock, context: Context, vpn_approved: Callable[..., bool | Unknown]
) -> Item | None:
    key = f"{_PROFILES}\\{guid}"
    before = len(keys.gaps)
    values = keys.values(key)
    if len(keys.gaps) > before:
        return None
    number, name = values.get("nametype"), str(values.get("profilename", "") or guid)
    if number == _WIRED:
        return None
    kind, traceable = "类型不明的网络", _untold(number)
    approved: FieldValue = False
    if number == _WIRELESS:
        kind, traceable = "无线网络", True
    elif number == _PPP:
        # A dial-up connection and a VPN of Windows' own look alike here.
        kind, traceable, approved = "拨号或 VPN", True, vpn_approved(context, name)
    elif number in _MOBILE:
        kind, traceable = "移动网络", True
    elif number == _VIRTUAL:
        kind, approved = "虚拟或隧道网络", vpn_approved(context, name)
    when = _moment(values.get("datelastconnected"), clock)
    created = _moment(values.get("datecreated"), clock)
    if isinstance(when, datetime) and isinstance(created, datetime) and when < created - _HOUR:
        # The clock stood wrong at one of the two times (an empty battery takes it back by years).
        when = Unknown(Cause.MALFORMED, "最近使用时间早于首次使用时间，系统时钟曾经有误", _PROFILES)
    return {
        "id": name, "kind": kind, "ssid": name if number == _WIRELESS else None, "last_used": when,
        "recent": _recent(when, clock, context), "vpn": number in (_PPP, _VIRTUAL), "approved": approved,
        "traceable": traceable, "source": "NetworkList\\Profiles",
    }  # fmt: skip


def _untold(number: RegistryValue | None) -> FieldValue:
    what = "没有记录网络类型" if number is None else f"网络类型编号 {str(number)[:20]}"
    return Unknown(Cause.UNCONFIRMED, f"{what}，不能得知是何种网络，需核实")


def _moment(raw: RegistryValue | None, clock: _Clock) -> datetime | Unknown:
    """A SYSTEMTIME: year, month, day of the week, day, hour, minute, second, milliseconds, 16 bits each."""
    if raw is None:
        return Unknown(Cause.UNAVAILABLE, "没有记录最近使用时间", _PROFILES)
    if not isinstance(raw, bytes) or len(raw) != 16:
        return Unknown(Cause.MALFORMED, "最近使用时间", _PROFILES)
    year, month, _, day, hour, minute, second, milli = struct.unpack("<8H", raw)
    if year < _FIRST_YEAR:
        return Unknown(Cause.MALFORMED, f"最近使用时间为 {year} 年，系统时钟曾经有误，或没有记录", _PROFILES)
    try:
        return datetime(year, month, day, hour, minute, second, min(milli, 999) * 1000, clock.zone)
    except ValueError:
        return Unknown(Cause.MALFORMED, "最近使用时间", _PROFILES)


def _recent(when: datetime | Unknown, clock: _Clock, context: Context) -> bool | Unknown:
    if isinstance(when, Unknown):
        return when
    if when > context.now + clock.slack + timedelta(minutes=5):
        return Unknown(Cause.MALFORMED, "使用时间晚于检查时刻，系统时钟可能有误", _PROFILES)
    edge = context.now - context.window
    if when >= edge + clock.slack:
        return True
    if when < edge - clock.slack:
        return False
    return Unknown(Cause.UNCONFIRMED, "使用时间正好在检查周期的边缘，时区不能精确确定", _PROFILES)


def _saved(network: SavedNetwork, context: Context, vpn_approved: Callable[..., bool | Unknown]) -> Item:
    """A connection that is set up and that the network list does not know: used never, or cleared from it."""
    from ybscan.probes.net_saved import LABELS, VPN_KINDS

    vpn = network.kind in VPN_KINDS
    return {
        "id": network.id, "kind": LABELS.get(network.kind, network.kind), "ssid": network.ssid or None, "last_used": None,
        "recent": Unknown(Cause.UNAVAILABLE, "接入记录中没有这一网络，可能从未使用，也可能记录已被清除", network.source),
        "vpn": vpn, "approved": vpn_approved(context, network.id, network.interface) if vpn else False,
        "traceable": True, "source": network.source,
    }  # fmt: skip
