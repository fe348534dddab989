"""Signs that logs were cleared or auditing was interrupted.

Sources: audit's record types DAEMON_END, DAEMON_ABORT and CONFIG_CHANGE (a normal stop writes DAEMON_END too, so it
counts only without a shutdown or a restart beside it); journald's sequence numbers; logrotate's numbering; utmp(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from ybscan.hosts.base import Host
from ybscan.hosts.groups.logs import AuditEvent
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._logs.coverage import FOLDER, Coverage, add_family, add_journal, family_names
from ybscan.probes._logs.journal_files import JournalFile, read_journal_files
from ybscan.probes.base import Context, Probe

_AUDIT = "/var/log/audit"
_LIMIT = 512 * 1024 * 1024
_FAMILIES = ("auth.log", "secure", "syslog", "messages")
#: A stop of the audit service within this of a shutdown, a start of the system or its own new start is none.
_BESIDE = 600.0
_RESTART = 120.0
#: So many numbers are never used up by messages that went into users' own journals alone.
_MISSING_NUMBERS = 1000
_WTMP = "/var/log/wtmp"
_WTMPDB = "/var/lib/wtmpdb"


class LogClearingProbe(Probe):
    """Clearings and interruptions inside the window since the last check."""

    name = "log_clearing"
    title = "日志清除痕迹"
    facts = (
        FactSpec(
            "events", Kind.ITEMS, "日志清除和审计中断的痕迹",
            help="检查周期内的事件，以及现存日志中看得出的缺失。日志没有覆盖整个周期时列表不完整。",
            linux="/var/log/audit/audit.log* 的 DAEMON_END、DAEMON_ABORT、CONFIG_CHANGE；/var/log/journal 的序号；"
            "轮转文件的编号；wtmp 中的空白记录",
            windows="Security 1102、System 104（清除日志）；4719、4616、1100 只作说明",
            fields=(
                Field("kind", Kind.TEXT, "情况"),
                Field("log", Kind.TEXT, "日志"),
                Field("time", Kind.TIME, "时间"),
                Field("account", Kind.TEXT, "账户"),
                Field("proven", Kind.BOOLEAN, "确属清除或中断"),
            ),
            summary="{kind}（{log}，时间：{time}，账户：{account}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        start = context.now - context.window
        gaps: list[Gap] = []
        items = [
            *_audit(host, context, start, gaps),
            *_journal(host, context, gaps),
            *_numbering(host, gaps),
            *_logins(host, gaps),
        ]
        gaps += _uncovered(host, context, start)
        items.sort(key=lambda i: (str(i["time"]), str(i["log"]), str(i["kind"])))
        return {"events": Known(tuple(items), f"{FOLDER}，自 {start:%Y-%m-%d %H:%M} 起", tuple(dict.fromkeys(gaps)))}


def _item(kind: str, log: str, proven: FieldValue, when: datetime | None = None, account: str | None = None) -> Item:
    return {"kind": kind, "log": log, "time": when, "account": account, "proven": proven}


def _unsure(why: str) -> Unknown:
    return Unknown(Cause.UNCONFIRMED, why)


# ---------------------------------------------------------------------------------------------------------------- audit


def _audit(host: Host, context: Context, start: datetime, gaps: list[Gap]) -> Iterator[Item]:
    names = host.files.entries(path=_AUDIT)
    if isinstance(names, Unknown):
        gaps.append(names.as_gap())
    events: list[AuditEvent] = []
    for name in family_names(names.value, "audit.log") if isinstance(names, Known) else ():
        found = host.logs.audit_events(path=f"{_AUDIT}/{name}", limit=_LIMIT)
        if isinstance(found, Unknown):
            gaps.append(found.as_gap())
        elif isinstance(found, Known):
            events += found.value
            gaps += found.gaps
    events.sort(key=lambda e: e.time)
    users = host.accounts.users()
    by_uid = {u.uid: u.name for u in users.value} if isinstance(users, Known) else {}
    for event in events:
        if event.time < start.timestamp() or event.kind not in ("stopped", "aborted", "disabled"):
            continue
        when = datetime.fromtimestamp(event.time, context.now.tzinfo)
        who = by_uid.get(event.auid, f"UID {event.auid}") if event.auid is not None else None
        if event.kind == "aborted":
            yield _item("审计服务异常退出", f"{_AUDIT}/audit.log", _unsure("可能是故障，请核对原因"), when, who)
        elif _at_shutdown(event, events):
            continue
        elif event.kind == "disabled":
            yield _item("内核审计被关闭", f"{_AUDIT}/audit.log", True, when, who)
        elif not _restarted(event, events):
            why = "前后没有关机或重新启动的记录，请核对停止原因"
            yield _item("审计服务被停止", f"{_AUDIT}/audit.log", _unsure(why), when, who)


def _at_shutdown(event: AuditEvent, events: list[AuditEvent]) -> bool:
    return any(
        (e.kind == "shutdown" and abs(e.time - event.time) <= _BESIDE)
        or (e.kind == "boot" and 0 <= e.time - event.time <= _BESIDE)
        for e in events
    )


def _restarted(event: AuditEvent, events: list[AuditEvent]) -> bool:
    return any(e.kind == "started" and 0 <= e.time - event.time <= _RESTART for e in events)


# -------------------------------------------------------------------------------------------------------------- journal


def _journal(host: Host, context: Context, gaps: list[Gap]) -> Iterator[Item]:
    kept = read_journal_files(host)
    if isinstance(kept, Unknown):
        gaps.append(kept.as_gap())
    if isinstance(kept, (Unknown, Absent)):
        return
    gaps += kept.gaps
    if kept.gaps or not kept.system:
        return  # a file that could not be read would look like one that is missing
    by_sequence: dict[str, list[JournalFile]] = {}
    for file in kept.files:
        by_sequence.setdefault(file.sequence, []).append(file)
    for files in by_sequence.values():
        own = [f for f in files if f.system]
        if not own:
            continue
        # What is older than the system's first file was deleted as it grew too old.
        reached = min(own, key=lambda f: f.first_number)
        last, end = reached.last_number, reached.last
        for file in sorted(files, key=lambda f: f.first_number):
            if file.first_number - last > _MISSING_NUMBERS:
                a, b = end.astimezone(context.now.tzinfo), file.first.astimezone(context.now.tzinfo)
                why = f"{a:%Y-%m-%d %H:%M} 至 {b:%Y-%m-%d %H:%M} 之间少了约 {file.first_number - last} 条"
                yield _item("系统日志中间缺少文件", "/var/log/journal", _unsure(why), b)
            if file.last_number > last:
                last, end = file.last_number, file.last


# ------------------------------------------------------------------------------------------------- text logs and logins


def _numbering(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    for folder, families in ((FOLDER, _FAMILIES), (_AUDIT, ("audit.log",))):
        names = host.files.entries(path=folder)
        if isinstance(names, Unknown):
            gaps.append(names.as_gap())
        for family in families if isinstance(names, Known) else ():
            mine = family_names(names.value, family) if isinstance(names, Known) else []
            # Six and more digits are a date.
            numbers = {int(m[1]) for n in mine if (m := re.search(r"\.(\d{1,5})(?:\.\w+)?$", n))}
            missing = sorted(set(range(1, max(numbers, default=0))) - numbers)
            if missing:
                shown = "、".join(f"{family}.{n}" for n in missing[:5])
                yield _item("轮转的日志文件缺号", f"{folder}/{family}", _unsure(f"缺少 {shown}，请核对是否被删除"))
            if numbers and family not in mine:
                yield _item("当前日志文件不存在", f"{folder}/{family}", _unsure("只有轮转文件，请核对日志服务是否停用"))


def _logins(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    log = host.logs.login_log(path=_WTMP)
    if isinstance(log, Unknown):
        gaps.append(log.as_gap())
    if not isinstance(log, Known):
        return
    gaps += log.gaps
    if log.value.blank:
        why = f"有 {log.value.blank} 条空白记录，可能是断电造成，也可能是被抹去"
        yield _item("登录记录中有空白", _WTMP, _unsure(why))
    if log.value.first is None:
        older, database = host.files.stat(path=f"{_WTMP}.1"), host.files.stat(path=_WTMPDB)
        gaps.extend(r.as_gap() for r in (older, database) if isinstance(r, Unknown))
        if isinstance(older, Absent) and isinstance(database, Absent):
            yield _item("登录记录文件是空的", _WTMP, _unsure("可能被清空，也可能系统不写这个文件"))


def _uncovered(host: Host, context: Context, start: datetime) -> list[Gap]:
    """Why the readable logs do not say anything about the whole window; empty when one of them reaches back."""
    zone = context.now.tzinfo
    found = Coverage()
    add_journal(host, found, zone)
    for family in _FAMILIES:
        add_family(host, found, FOLDER, family, zone)
    if found.oldest is not None and found.oldest <= start:
        if found.newest is not None and found.newest >= start:
            return []
        return [Gap(Cause.INCOMPLETE, "检查周期内没有任何系统日志记录", FOLDER)]
    reach = f"最早的记录为 {found.oldest:%Y-%m-%d %H:%M}" if found.oldest else "没有可读的系统日志"
    return [*found.gaps, Gap(Cause.INCOMPLETE, f"系统日志没有覆盖整个检查周期，{reach}", FOLDER)]


PROBES = (LogClearingProbe(),)
