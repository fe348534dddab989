"""When the system was last patched.

Whether a package source is kept up to date cannot be told from a terminal: what is known here is when packages of the
system itself were last replaced by newer ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._package_log import Record, is_core, read_record
from ybscan.probes._software.text import shown
from ybscan.probes.base import Context, Probe

#: How far back the absence of upgrades has to be proven: the longest interval a rule allows.
REACH = timedelta(days=60)
_DAYS_SHOWN = 20
_NAMES_SHOWN = 6
#: How far a time may lie ahead before the clock is in doubt.
_SLACK = timedelta(minutes=5)
_REBOOT = ("/run/reboot-required", "/var/run/reboot-required")


class PatchesProbe(Probe):
    """Upgrades of the system's packages, by day."""

    name = "patches"
    title = "系统补丁安装记录"
    facts = (
        FactSpec(
            "upgrades", Kind.ITEMS, "系统升级记录",
            help="按天归并的软件包升级，最近的在前。core 表示其中有内核、C 库、systemd、密码库、权限控制等系统核心软件包；"
            "只升级了应用软件或数据包的日子为未知，不能单独说明系统打过补丁。软件源本身是否及时同步，在终端上无从得知。",
            linux="/var/log/dpkg.log、/var/log/apt/history.log、rpm 数据库中的安装时间、/var/log/dnf.rpm.log",
            windows="Component Based Servicing\\Packages 中已安装的更新（不含病毒库、Defender 平台和 MSRT 更新，不含系统安装时自带的）",
            fields=(
                Field("time", Kind.TIME, "时间"),
                Field("days", Kind.INTEGER, "距今", "天"),
                Field("count", Kind.INTEGER, "升级的软件包", "个"),
                Field("packages", Kind.TEXTS, "软件包"),
                Field("core", Kind.BOOLEAN, "是否含系统核心软件包"),
                Field("source", Kind.TEXT, "来源"),
            ),
            summary="{time} 升级软件包 {count}（{packages}，{source}）",
        ),
        FactSpec(
            "core_days", Kind.INTEGER, "最近一次系统核心软件包升级距今", unit="天",
            help="升级记录完整而其中没有系统核心软件包时，没有这一信息；记录不完整时未知。",
            linux="同上", windows="同上",
        ),
        FactSpec(
            "reboot_required", Kind.BOOLEAN, "已装补丁是否等待重新启动", words=("等待重启", "无需重启"),
            help="只有装有相应提示机制的 Debian 系统会留下标记，没有标记不等于无需重启。",
            linux="/run/reboot-required", windows="CBS\\RebootPending、WindowsUpdate\\Auto Update\\RebootRequired",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        upgrades = _upgrades(host, context)
        return {"upgrades": upgrades, "core_days": _core_days(upgrades), "reboot_required": _reboot(host)}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows import patches

        upgrades = patches.upgrades(host, context.now)
        return {
            "upgrades": upgrades,
            "core_days": _core_days(upgrades),
            "reboot_required": patches.reboot_required(host),
        }


def _upgrades(host: Host, context: Context) -> Fact:
    start = context.now - REACH
    record = read_record(host, context.now, start)
    if isinstance(record, Unknown):
        return record
    if isinstance(record, Absent):
        what = "没有找到软件包升级记录（dpkg.log、apt、rpm、dnf）"
        return Unknown(Cause.UNAVAILABLE, what, "/var/log")
    items = tuple(_item(day, record, context.now) for day in sorted(record.upgrades, reverse=True)[:_DAYS_SHOWN])
    gaps = list(record.gaps)
    # The records of a system set up lately, or thrown away, do not show that nothing was patched.
    if record.oldest is None or record.oldest > start:
        since = f"{record.oldest:%Y-%m-%d}" if record.oldest else "无"
        gaps.append(
            Gap(Cause.INCOMPLETE, f"升级记录只从 {since} 开始，更早的情况和安装介质的日期无从得知", record.source)
        )
    return Known(items, record.source, tuple(dict.fromkeys(gaps)))


def _core_days(upgrades: Fact) -> Fact:
    if not isinstance(upgrades, Known) or not isinstance(upgrades.value, tuple):
        return upgrades if isinstance(upgrades, Unknown) else Unknown(Cause.UNAVAILABLE, "升级记录")
    for item in upgrades.value:
        assert not isinstance(item, str)  # noqa: S101 - a list fact holds items
        days, core = item["days"], item["core"]
        for value in (core, days):
            if isinstance(value, Unknown):
                return value
        if core is True and isinstance(days, int):
            return Known(days, upgrades.origin)
    if upgrades.gaps:
        return Unknown(upgrades.gaps[0].cause, upgrades.gaps[0].detail, upgrades.gaps[0].origin)
    return Absent(upgrades.origin)


def _item(day: str, record: Record, now: datetime) -> Item:
    upgrades = record.upgrades[day]
    names = sorted({n for _, n in upgrades})
    core = [n for n in names if is_core(n)]
    value: FieldValue = True
    if not core:
        value = Unknown(Cause.UNCONFIRMED, "只升级了应用软件或数据包，不能说明系统打过补丁")
    listed = (core + [n for n in names if n not in core])[:_NAMES_SHOWN]
    when = max(at for at, _ in upgrades)
    days: FieldValue = max(0, -((when - now) // timedelta(days=1)))
    if when > now + _SLACK:
        days = Unknown(Cause.MALFORMED, "时间晚于检查时刻，时钟有误")
    return {
        "time": when,
        "days": days,
        "count": len(names),
        "packages": tuple(shown(n, 60) for n in listed) + (("等",) if len(names) > len(listed) else ()),
        "core": value,
        "source": record.source,
    }


def _reboot(host: Host) -> Fact:
    for path in _REBOOT:
        stat = host.files.stat(path=path)
        if isinstance(stat, Known):
            return Known(True, path)
        if isinstance(stat, Unknown):
            return stat
    return Absent(_REBOOT[0])


PROBES = (PatchesProbe(),)
