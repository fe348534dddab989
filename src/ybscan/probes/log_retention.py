"""How long the terminal's logs are kept, by the records that are really there.

Sources: the classic files of rsyslog below /var/log, systemd's journal files by their headers, auditd's logs; what they
hold counts, not what a configuration promises.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._logs.coverage import FOLDER, Coverage, Interval, add_family, add_journal
from ybscan.probes.base import Context, Probe

_AUDIT = "/var/log/audit"
_AUDITD = ("/usr/sbin/auditd", "/sbin/auditd")
#: Written or made when the system is set up, and hardly ever again.
_SETUP = ("/etc/machine-id", "/var/log/installer", "/var/log/anaconda")
#: The first days of a system are spent on setting it up.
_SETUP_TIME = timedelta(days=7)
_CURRENT = timedelta(days=7)


class LogRetentionProbe(Probe):
    """The span of each kind of log."""

    name = "log_retention"
    title = "日志留存"
    facts = (
        FactSpec(
            "logs", Kind.ITEMS, "各类日志的留存情况",
            help="按实际存在的记录计算。同一类日志分存几处的合并计算；连续留存从最近一次超过 15 天的中断之后算起。",
            linux="/var/log 下 syslog、messages、auth.log、secure、audit/audit.log 及其轮转文件，/var/log/journal 的文件头，"
            "站点文件 logs.archive 中的同名文件",
            windows="EvtQuery 取 Security、System、Application 的第一条 TimeCreated，logs.archive 中的 *.evtx",
            fields=(
                Field("name", Kind.TEXT, "日志"),
                Field("sources", Kind.TEXT, "存放位置"),
                Field("oldest", Kind.TIME, "最早记录"),
                Field("newest", Kind.TIME, "最新记录"),
                Field("total_days", Kind.INTEGER, "最早记录距今", "天"),
                Field("continuous_days", Kind.INTEGER, "连续留存", "天"),
                Field("current", Kind.BOOLEAN, "仍在记录"),
                Field("gap_explained", Kind.BOOLEAN, "中断已说明"),
                Field("elsewhere", Kind.BOOLEAN, "其余部分已在别处留存"),
            ),
            summary="{name}（最早记录 {oldest}，最新记录 {newest}，连续留存 {continuous_days}，{sources}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        started = _started(host, context.now)
        outside = _outside(host, context)
        kinds = [
            ("系统日志", _coverage(host, context, True, (FOLDER, "syslog"), (FOLDER, "messages"))),
            ("登录日志", _coverage(host, context, True, (FOLDER, "auth.log"), (FOLDER, "secure"))),
        ]
        gaps: list[Gap] = []
        there = _audited(host)
        if isinstance(there, Unknown):
            gaps.append(there.as_gap())
        elif there:
            kinds.append(("审计日志", _coverage(host, context, False, (_AUDIT, "audit.log"))))
        live = not isinstance(host.system.boot_time(), Unknown)
        items = [_item(name, found, started, outside, context, live=live) for name, found in kinds]
        return {"logs": Known(tuple(items), FOLDER, tuple(gaps))}


def _coverage(host: Host, context: Context, journal: bool, *families: tuple[str, str]) -> Coverage:
    zone = context.now.tzinfo
    found = Coverage()
    if journal:
        add_journal(host, found, zone)
    for folder, family in families:
        add_family(host, found, folder, family, zone)
        for archive in context.site.logs.archive or ():
            if _is_local(host, archive):
                add_family(host, found, archive.rstrip("/"), family, zone)
    return found


def _is_local(host: Host, path: str) -> bool:
    """A folder on this machine: on another one's the listing might never return."""
    if not path.startswith("/"):
        return False
    mount = host.volumes.mount(path=path)
    return not (isinstance(mount, Known) and (mount.value.kind == "network" or mount.value.expected))


def _outside(host: Host, context: Context) -> list[Unknown]:
    """Where logs may be kept that cannot be looked at from here."""
    logs = context.site.logs
    found = [
        Unknown(Cause.UNAVAILABLE, f"归档位置 {a} 不在本机或未挂载，请在该处核对留存时间", "site.yml")
        for a in logs.archive or ()
        if not _is_local(host, a)
    ]
    if logs.central:
        found.append(Unknown(Cause.UNCONFIRMED, "日志集中存放在日志服务器，留存时间请在服务器上核对", "site.yml"))
    return found


def _audited(host: Host) -> bool | Unknown:
    names = host.files.entries(path=_AUDIT)
    if isinstance(names, Unknown):
        return names
    if isinstance(names, Known) and names.value:
        return True
    for path in _AUDITD:
        found = host.files.stat(path=path)
        if not isinstance(found, Absent):
            return found if isinstance(found, Unknown) else True
    return False


def _started(host: Host, now: datetime) -> datetime | Unknown:
    """When the system was set up: the latest sign of it, since a copied disk brings older ones along."""
    times: list[datetime] = []
    for path in _SETUP:
        stat = host.files.stat(path=path)
        if isinstance(stat, Unknown):
            return stat
        if isinstance(stat, Known):
            times.append(datetime.fromtimestamp(stat.value.mtime, now.tzinfo))
    if not times or max(times) > now:
        return Unknown(Cause.UNAVAILABLE, "不能确定系统的启用日期", _SETUP[0])
    return max(times)


def _item(
    name: str, found: Coverage, started: datetime | Unknown, outside: list[Unknown], context: Context, *, live: bool
) -> Item:  # fmt: skip
    now = context.now
    if found.newest is not None and found.newest > now + timedelta(days=1):
        found.gaps.append(Gap(Cause.MALFORMED, f"{name}中有晚于检查时刻的记录，时钟有误", FOLDER))
    breaks = found.breaks()
    since = breaks[-1][1] if breaks else found.oldest.date() if found.oldest else None
    doubts = [Unknown(g.cause, g.detail, g.origin) for g in found.gaps] + outside
    young = _young(name, found, started, now)
    if young is not None:
        doubts.append(young)
    recent: FieldValue = found.newest is not None and now - found.newest <= _CURRENT
    if found.newest is not None and not recent and not live:
        recent = Unknown(Cause.UNCONFIRMED, "系统没有运行，不能确定停用日期")
    return {
        "name": name, "sources": "、".join(found.sources) or None, "oldest": found.oldest, "newest": found.newest,
        "total_days": max((now.date() - found.oldest.date()).days, 0) if found.oldest else None,
        "continuous_days": max((now.date() - since).days, 0) if since else None,
        "current": recent, "gap_explained": _paused(breaks), "elsewhere": _joined(doubts),
    }  # fmt: skip


def _young(name: str, found: Coverage, started: datetime | Unknown, now: datetime) -> Unknown | None:
    """Why too short a log need not be a lack: it reaches back to the system's first days."""
    if isinstance(started, Unknown):
        return started
    if found.oldest is None and now - started <= _SETUP_TIME:
        return Unknown(Cause.UNCONFIRMED, f"系统自 {started:%Y-%m-%d} 启用，尚无{name}", _SETUP[0])
    if found.oldest is not None and found.oldest <= started + _SETUP_TIME:
        return Unknown(Cause.UNCONFIRMED, f"系统自 {started:%Y-%m-%d} 启用，{name}从启用时开始", _SETUP[0])
    return None


def _paused(breaks: list[Interval]) -> FieldValue:
    if not breaks:
        return False
    shown = "、".join(f"{a} 至 {b}" for a, b in breaks[-3:])
    return Unknown(Cause.UNCONFIRMED, f"{shown} 没有记录，可能是停机，也可能是记录缺失")


def _joined(doubts: list[Unknown]) -> FieldValue:
    if not doubts:
        return False
    return Unknown(doubts[0].cause, "；".join(dict.fromkeys(d.detail or d.text for d in doubts[:3])), doubts[0].origin)


PROBES = (LogRetentionProbe(),)
