"""Backups of the system itself: snapshots of timeshift and snapper, and system images the site file names.

Sources: timeshift (folders ``snapshots/<YYYY-MM-DD_HH-MM-SS>`` with ``info.json``), snapper(8) (``.snapshots/<n>/info.xml``,
dates in UTC). The folders of the Kylin and UOS tools are not documented: they make a doubt, never a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone

from ybscan.hosts.base import Host
from ybscan.model.dates import newest_date
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.model.site import BackupLocation
from ybscan.probes._backups.copies import CLOCK_SLACK, days_since
from ybscan.probes._backups.locations import read_location
from ybscan.probes.base import Context, Probe

_TIMESHIFT = ("/timeshift/snapshots", "/run/timeshift/backup/timeshift/snapshots")
_TIMESHIFT_BTRFS = "/run/timeshift/backup/timeshift-btrfs/snapshots"
_TIMESHIFT_CONFIG = ("/etc/timeshift/timeshift.json", "/etc/timeshift.json")
_TIMESHIFT_NAME = re.compile(r"^\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d$")
_SNAPPER_CONFIGS = "/etc/snapper/configs"
_SUBVOLUME = re.compile(r"^\s*SUBVOLUME\s*=\s*[\"']?(/[^\"'\n]*)", re.MULTILINE)
_SNAPPER_DATE = re.compile(r"<date>\s*(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s*</date>")
#: Undocumented; seen named in forums only.
_VENDOR = (
    ("麒麟备份还原", "/backup/snapshots"),
    ("麒麟备份还原", "/backup/imgbackup"),
    ("统信备份还原", "/recovery/backup"),
)
_VENDOR_SYSTEMS = ("kylin", "neokylin", "openkylin", "uos", "uniontech", "deepin")


class RestorePointsProbe(Probe):
    """When the system was last saved."""

    name = "restore_points"
    title = "系统备份与还原点"
    facts = (
        FactSpec(
            "points", Kind.ITEMS, "系统备份与还原点",
            help="系统快照工具的快照，以及单位配置中 kind: system 的备份位置的最新一份。麒麟、统信自带工具的目录没有公开说明，"
            "发现时只作为待核实的线索。",
            linux="/timeshift/snapshots、snapper 的 .snapshots、site.yml 中 kind: system 的位置",
            windows="系统还原点（root\\default 的 SystemRestore），site.yml 中 kind: system 的位置；各盘的 WindowsImageBackup 文件夹和 "
            "Microsoft-Windows-Backup 的事件 4 只作为待核实的线索",
            fields=(
                Field("tool", Kind.TEXT, "工具"),
                Field("path", Kind.TEXT, "位置"),
                Field("time", Kind.TIME, "时间"),
                Field("days", Kind.INTEGER, "距今", "天"),
                Field("confirmed", Kind.BOOLEAN, "是否确认是系统备份"),
            ),
            summary="{tool} {time}（{path}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        gaps: list[Gap] = []
        items: list[Item] = []
        items.extend(_timeshift(host, context, gaps))
        items.extend(_snapper(host, context, gaps))
        items.extend(declared(host, context, gaps))
        _vendor(host, gaps)
        items.sort(key=lambda i: (str(i["tool"]), str(i["path"])))
        return {"points": Known(tuple(items), "timeshift、snapper、site.yml", tuple(dict.fromkeys(gaps)))}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows import restore_points

        return restore_points.read(host, context)


def point(tool: str, path: str, when: datetime, context: Context) -> Item:
    """A backup of the system as an item; of one dated in the future the age is not known."""
    days: FieldValue = days_since(when, context.now)
    if when > context.now + CLOCK_SLACK:
        days = Unknown(Cause.MALFORMED, "时间晚于检查时刻，时钟或快照日期有误", path)
    return {"tool": tool, "path": path, "time": when, "days": days, "confirmed": True}


def _names(host: Host, folder: str, gaps: list[Gap]) -> tuple[str, ...] | None:
    """The names in a folder; None when it does not exist or cannot be read (a gap then)."""
    names = host.files.entries(path=folder)
    if isinstance(names, Known):
        return names.value
    # On a disk that lies still /run is empty: what is mounted there lies on another disk, told by the configuration.
    if isinstance(names, Unknown) and not (names.cause is Cause.UNSUPPORTED and folder.startswith("/run/")):
        gaps.append(names.as_gap())
    return None


def _timeshift(host: Host, context: Context, gaps: list[Gap]) -> Iterator[Item]:
    seen = False
    for folder in (*_TIMESHIFT, _TIMESHIFT_BTRFS):
        names = _names(host, folder, gaps)
        if names is None:
            continue
        seen = True
        for name in names:
            named = newest_date(name) if _TIMESHIFT_NAME.match(name) else None
            if named is None:
                continue
            # A snapshot being made, or broken off, has no info.json yet.
            info = host.files.stat(path=f"{folder}/{name}/info.json")
            if isinstance(info, Unknown):
                gaps.append(info.as_gap())
            elif isinstance(info, Known):
                yield point("timeshift", f"{folder}/{name}", named.span(context.now.tzinfo)[1], context)
    for path in _TIMESHIFT_CONFIG:
        config = host.files.stat(path=path)
        if isinstance(config, Known) and not seen:
            gaps.append(Gap(Cause.UNAVAILABLE, "timeshift 的快照在另一个未挂载的分区上", path))
        elif isinstance(config, Unknown):
            gaps.append(config.as_gap())


def _snapper(host: Host, context: Context, gaps: list[Gap]) -> Iterator[Item]:
    configs = _names(host, _SNAPPER_CONFIGS, gaps)
    for config in configs or ():
        text = host.files.text(path=f"{_SNAPPER_CONFIGS}/{config}")
        if isinstance(text, Unknown):
            gaps.append(text.as_gap())
        volume = _SUBVOLUME.search(text.value) if isinstance(text, Known) else None
        # Only snapshots of the root file system are snapshots of the system.
        if volume is None or volume[1].rstrip("/"):
            continue
        for number in _names(host, "/.snapshots", gaps) or ():
            if number.isdigit():
                yield from _snapper_one(host, context, number, gaps)


def _snapper_one(host: Host, context: Context, number: str, gaps: list[Gap]) -> Iterator[Item]:
    path = f"/.snapshots/{number}"
    text = host.files.text(path=f"{path}/info.xml", limit=65536)
    if isinstance(text, Unknown):
        gaps.append(text.as_gap())
        return
    found = _SNAPPER_DATE.search(text.value) if isinstance(text, Known) else None
    try:
        if found is not None:
            when = datetime.fromisoformat(found[1]).replace(tzinfo=timezone.utc)  # noqa: UP017
            yield point("snapper", path, when.astimezone(context.now.tzinfo), context)
            return
    except ValueError:
        pass
    if isinstance(text, Known):
        gaps.append(Gap(Cause.MALFORMED, f"{path}/info.xml 中没有日期", path))


def declared(host: Host, context: Context, gaps: list[Gap]) -> Iterator[Item]:
    """The newest image at each place that the site file names for whole systems."""
    for wanted in context.site.backup.locations or ():
        if wanted.kind != "system":
            continue
        one = read_location(host, context, BackupLocation.model_validate(wanted.model_dump()))
        gaps.extend(one.gaps)
        if one.trouble is not None:
            gaps.append(one.trouble.as_gap())
        elif one.newest is not None and one.newest.entry.size >= max(wanted.min_bytes, 1):
            yield point("系统映像", one.file(one.newest.entry.name), one.newest.low, context)


def _vendor(host: Host, gaps: list[Gap]) -> None:
    """Doubts that keep "none found" from being a verdict where an undocumented tool may have made backups."""
    for tool, folder in _VENDOR:
        names = _names(host, folder, gaps)
        if names:
            gaps.append(Gap(Cause.UNCONFIRMED, f"{folder} 中可能有{tool}的备份，请人工核对", folder))
    identity = host.system.identity()
    if isinstance(identity, Unknown):
        gaps.append(identity.as_gap())
    elif isinstance(identity, Known) and identity.value.os_id.startswith(_VENDOR_SYSTEMS):
        gaps.append(Gap(Cause.UNCONFIRMED, "系统自带的备份还原工具没有公开的目录说明，请在工具中核对", "os-release"))


PROBES = (RestorePointsProbe(),)
