"""Backups of business data: how fresh, how large, on which disks, for which periods.

What is read is what the site file names: folders and file names, sizes and times; never a content.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import combinations
from typing import Any

from ybscan.hosts.base import Host
from ybscan.hosts.groups.volumes import Place
from ybscan.model.facts import Fact, FactSpec, Field, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._backups.copies import Copy, days_since, identity, same_round
from ybscan.probes._backups.locations import NOT_CONFIGURED, Location, describe, locations, read_location
from ybscan.probes._backups.paths import clean, is_absolute, same, why_not
from ybscan.probes._backups.periods import REACH, TIER_TEXT, has_copy, periods
from ybscan.probes._backups.places import apart, independent, other_machine
from ybscan.probes.base import Context, Probe

_LISTED = "列出 backup.locations 的文件夹（含一层带日期的子文件夹），路径可为 D:\\备份 或 \\\\服务器\\共享"
_PLACED = (
    "GetVolumeNameForVolumeMountPoint 与 IOCTL_VOLUME_GET_VOLUME_DISK_EXTENTS 找出所在磁盘，共享看是不是另一台机器"
)


class BackupProbe(Probe):
    """The locations of ``backup.locations`` in the site file."""

    name = "backup"
    title = "数据备份"
    facts = (
        FactSpec(
            "copies", Kind.ITEMS, "备份位置",
            help="单位配置中每个备份位置（不含 kind: system）的最新一份完整备份。未完成的文件（*.tmp、*.part 等）不算；"
            "文件名或文件夹名中的日期与修改时间不一致时，以较早的为准。",
            linux="列出 backup.locations 的文件夹（含一层带日期的子文件夹）", windows=_LISTED,
            fields=(
                Field("path", Kind.TEXT, "文件夹"),
                Field("pattern", Kind.TEXT, "文件名"),
                Field("kind", Kind.TEXT, "类型"),
                Field("tier", Kind.TEXT, "层级"),
                Field("found", Kind.BOOLEAN, "是否有完整的备份"),
                Field("name", Kind.TEXT, "最新备份"),
                Field("newest", Kind.TIME, "备份时间"),
                Field("limit", Kind.TEXT, "时限"),
                Field("fresh", Kind.BOOLEAN, "是否在该位置的时限之内"),
                Field("current", Kind.BOOLEAN, "是否在 backup.max_age 之内"),
                Field("size", Kind.INTEGER, "大小", "字节"),
                Field("enough", Kind.BOOLEAN, "大小是否达到下限"),
                Field("usual", Kind.INTEGER, "此前备份的中位大小", "字节"),
                Field("shrunk", Kind.BOOLEAN, "大小是否不到此前的一半"),
                Field("count", Kind.INTEGER, "备份份数", "份"),
                Field("base_days", Kind.INTEGER, "最近的全量备份距今", "天"),
                Field("note", Kind.TEXT, "情况"),
            ),
            summary="{path}/{pattern}：{name}（{newest}，{size}，{note}）",
        ),
        FactSpec(
            "places", Kind.ITEMS, "备份所在磁盘",
            help="每份全量备份在哪些物理磁盘或哪台机器上；同一磁盘的两个分区、RAID 的成员都算同一处。",
            linux="/proc/self/mountinfo、/sys/dev/block、slaves、loop/backing_file", windows=_PLACED,
            fields=(
                Field("path", Kind.TEXT, "文件夹"),
                Field("name", Kind.TEXT, "最新备份"),
                Field("counts", Kind.BOOLEAN, "是否为最近一轮的备份"),
                Field("where", Kind.TEXT, "所在磁盘或机器"),
                Field("on_data_disk", Kind.BOOLEAN, "是否与业务数据在同一磁盘"),
            ),
            summary="{path}：{where}（{name}）",
        ),
        FactSpec(
            "independent_copies", Kind.INTEGER, "分别在不同物理磁盘或机器上的备份份数", "份",
            help="最近一轮的全量备份中，互不共用物理磁盘和机器的最多份数；有磁盘情况不明时，能确认至少两份才给出数值（至少这么多）。",
            linux="由 backup.places 计算", windows="由 backup.places 计算",
        ),
        FactSpec(
            "periods", Kind.ITEMS, "备份日历",
            help="各层级最近若干个完整的日、周、月、年里有没有备份；序号 1 为刚过去的一个。没有配置的层级只有一条，是否有备份为未配置。",
            linux="由 backup.locations 中各层级的文件日期计算",
            windows="由 backup.locations 中各层级的文件日期计算",
            fields=(
                Field("tier", Kind.TEXT, "层级"),
                Field("label", Kind.TEXT, "层级名称"),
                Field("configured", Kind.BOOLEAN, "是否已配置"),
                Field("index", Kind.INTEGER, "第几个以前的周期"),
                Field("period", Kind.TEXT, "周期"),
                Field("present", Kind.BOOLEAN, "是否有备份"),
            ),
            summary="{label} {period}",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return self._read(host, context)

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return self._read(host, context)

    def _read(self, host: Host, context: Context) -> Mapping[str, Fact]:
        wanted = locations(context)
        if not wanted:
            return {spec.name: NOT_CONFIGURED for spec in self.facts}
        read = [read_location(host, context, one) for one in wanted]
        gaps = tuple(dict.fromkeys(g for one in read for g in one.gaps))
        places, count = _places(host, context, read, gaps)
        return {
            "copies": Known(tuple(_copies(read, context)), "site.yml 的 backup.locations", gaps),
            "places": places,
            "independent_copies": count,
            "periods": Known(tuple(_calendar(read, context)), "备份文件的日期"),
        }


def _copies(read: list[Location], context: Context) -> list[Item]:
    items: list[Item] = []
    for one in read:
        item: dict[str, Any] = describe(one, context)
        if one.wanted.kind in ("incremental", "log") and item.get("found") is True:
            item["base_days"] = _base_days(one, read, context)
        items.append(item)
    return items


def _base_days(one: Location, read: list[Location], context: Context) -> int | Unknown | None:
    """Age of the newest full copy an incremental one can be laid upon: in the same folder where there is one."""
    full = [b for b in read if b.wanted.kind == "full"]
    beside = [b for b in full if same(b.path, one.path)]
    days: list[int] = []
    doubt: Unknown | None = None
    for base in beside or full:
        if base.trouble is not None:
            doubt = base.trouble
        elif base.newest is not None and base.newest.entry.size >= max(base.wanted.min_bytes, 1):
            days.append(days_since(base.newest.low, context.now))
    if days:
        return min(days)
    return doubt


# Places --------------------------------------------------------------------------------------------------------------


def _places(host: Host, context: Context, read: list[Location], gaps: tuple[Gap, ...]) -> tuple[Fact, Fact]:
    full = [one for one in read if one.wanted.kind == "full"]
    if not full:
        why = Unknown(Cause.NOT_CONFIGURED, "site.yml 的 backup.locations 中没有 kind: full 的位置", "site.yml")
        return why, why
    data = [_place(host, clean(p), p) for p in context.site.backup.data or ()]
    items: list[Item] = []
    rounds = _rounds(full)
    counted: dict[str, list[Place | Unknown]] = {}
    for one in full:
        if one.trouble is not None:
            items.append({"path": one.path, "counts": one.trouble, "where": one.trouble})
        elif one.newest is not None and _sound(one):
            place = _place(host, one.path, one.path)
            kind = identity(one.newest)
            counts = same_round(one.newest, rounds[kind])
            items.append(
                {
                    "path": one.path, "name": one.newest.entry.name, "counts": counts, "where": _where(place),
                    "on_data_disk": _on_data_disk(place, data),
                }
            )  # fmt: skip
            if counts:
                counted.setdefault(kind, []).append(place)
    trouble = [one.trouble for one in full if one.trouble is not None]
    origin = "/proc/self/mountinfo、/sys/dev/block" if host.os == "linux" else "卷所在的磁盘"
    return Known(tuple(items), origin, gaps), _count(counted, trouble, gaps)


def _sound(one: Location) -> bool:
    return one.newest is not None and one.newest.entry.size >= max(one.wanted.min_bytes, 1)


def _rounds(full: list[Location]) -> dict[str, Copy]:
    """The newest copy of each kind of data, by the identity of its name."""
    latest: dict[str, Copy] = {}
    for one in full:
        if one.newest is not None and _sound(one):
            kind = identity(one.newest)
            if kind not in latest or one.newest.high > latest[kind].high:
                latest[kind] = one.newest
    return latest


def _count(counted: Mapping[str, list[Place | Unknown]], trouble: list[Unknown], gaps: tuple[Gap, ...]) -> Fact:
    """The copies of the worst secured kind of data.

    Names alone do not prove that two files are copies of one another, nor that they are not: what is named alike
    counts as copies, what is named otherwise may still be.
    """
    origin = "backup.places"
    if gaps:
        return Unknown(Cause.INCOMPLETE, gaps[0].text, origin)
    everything = [p for places in counted.values() for p in places]
    certain = min((independent(places)[0] for places in counted.values()), default=0)
    possible = independent([*everything, *trouble])[1]
    if certain == possible or certain >= 2:
        return Known(certain, origin)
    for place in (*trouble, *everything):
        if isinstance(place, Unknown):
            return Unknown(place.cause, place.detail, origin)
    if len(counted) > 1:
        return Unknown(Cause.UNCONFIRMED, "各位置的备份文件名不同，不能确认是同一数据的多份备份", origin)
    servers = sorted({p.server for p in everything if isinstance(p, Place) and p.server})
    for a, b in combinations(servers, 2):
        if other_machine(a, b) is None:
            return Unknown(Cause.UNCONFIRMED, f"{a} 与 {b} 可能是同一台机器，请用同一种写法", origin)
    hidden = sorted(
        {f"{d.name}（{d.hidden}）" for p in everything if isinstance(p, Place) for d in p.disks if d.hidden}
    )
    return Unknown(Cause.UNAVAILABLE, f"{'、'.join(hidden)}背后的物理磁盘无法得知，不能确认是两块磁盘", origin)


def _place(host: Host, path: str, given: str) -> Place | Unknown:
    if not is_absolute(given, host.os):
        return Unknown(Cause.UNSUPPORTED, why_not(given, host.os), "site.yml")
    reading: Reading[Place] = host.volumes.place(path=path)
    if isinstance(reading, Absent):
        return Unknown(Cause.UNAVAILABLE, f"{path} 不存在", path)
    if isinstance(reading, Unknown):
        return reading
    if not (reading.value.disks or reading.value.server or reading.value.memory):
        # Nothing under it at all would be apart from everything.
        return Unknown(Cause.UNAVAILABLE, f"系统没有说明 {path} 在哪块磁盘上", path)
    if host.os == "windows" and reading.value.server:
        own = _own_share(host, reading.value.server, path)
        return own or reading.value
    return reading.value


def _own_share(host: Host, server: str, path: str) -> Unknown | None:
    """Why a share does not count as another machine: it is one of this machine, or that could not be told."""
    identity = host.system.identity()
    interfaces = host.network.interfaces()
    for reading in (identity, interfaces):
        if isinstance(reading, Unknown) and reading.cause is not Cause.UNSUPPORTED:
            return reading
    name = server.casefold().rstrip(".")
    own = {"localhost", "127.0.0.1", "::1", "."}
    if isinstance(identity, Known):
        own.add(identity.value.hostname.casefold())
    if isinstance(interfaces, Known):
        own |= {a.address.casefold() for i in interfaces.value for a in i.addresses}
    # An address is compared whole; of a full name the first part is the machine's.
    short = name if name.replace(".", "").isdigit() or ":" in name else name.partition(".")[0]
    if name in own or short in own:
        return Unknown(Cause.UNCONFIRMED, f"{path} 是本机自己的共享，请写成它所在的本地文件夹", path)
    return None


def _where(place: Place | Unknown) -> str | Unknown:
    if isinstance(place, Unknown):
        return place
    if place.server:
        return f"机器 {place.server}"
    if place.memory:
        return "内存（重启即丢失）"
    shown = "、".join(f"{d.name}（{d.hidden}）" if d.hidden else d.name for d in place.disks)
    return f"磁盘 {shown}" + (f"，经 {'、'.join(place.layers)}" if place.layers else "")


def _on_data_disk(place: Place | Unknown, data: list[Place | Unknown]) -> bool | Unknown | None:
    if not data:
        return None
    if isinstance(place, Unknown):
        return place
    answers = [d if isinstance(d, Unknown) else apart(place, d) for d in data]
    if any(a is False for a in answers):
        return True
    for answer in answers:
        if isinstance(answer, Unknown):
            return answer
        if answer is None:
            return Unknown(Cause.UNAVAILABLE, "磁盘或地址背后的硬件无法得知", "backup.places")
    return False


# Calendar ------------------------------------------------------------------------------------------------------------


def _calendar(read: list[Location], context: Context) -> list[Item]:
    items: list[Item] = []
    for tier in REACH:
        mine = [one for one in read if one.wanted.tier == tier]
        label = TIER_TEXT[tier]
        if not mine:
            missing = Unknown(
                Cause.NOT_CONFIGURED, f"site.yml 的 backup.locations 中没有 tier: {tier} 的位置", "site.yml"
            )
            items.append(
                {
                    "tier": tier,
                    "label": label,
                    "configured": False,
                    "index": 1,
                    "period": "（全部）",
                    "present": missing,
                }
            )
            continue
        days = frozenset(d for one in mine for d in _days(one))
        doubt = next((one.trouble for one in mine if one.trouble is not None), None)
        part = next((g for one in mine for g in one.gaps), None)
        if doubt is None and part is not None:
            doubt = Unknown(part.cause, part.detail, part.origin)
        for period in periods(tier, context.now.date()):
            has = has_copy(period, days)
            items.append(
                {
                    "tier": tier, "label": label, "configured": True, "index": period.index, "period": period.text,
                    "present": doubt if doubt is not None and not has else has,
                }
            )  # fmt: skip
    return items


def _days(one: Location) -> list[date]:
    return [_day(c) for c in one.copies if not c.future and c.entry.size >= max(one.wanted.min_bytes, 1)]


def _day(copy: Copy) -> date:
    return copy.high.date()


PROBES = (BackupProbe(),)
