"""The jobs that make the backups: scheduled, enabled, and how they ended last.

Commands are not kept: the host answers only whether a job's name occurs in one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ybscan.hosts.base import Host
from ybscan.hosts.groups.jobs import CronEntry, TimerFile
from ybscan.hosts.groups.tools import Output
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown
from ybscan.model.site import BackupJob, parse_duration
from ybscan.probes._backups.copies import CLOCK_SLACK
from ybscan.probes._backups.timers import properties, stamp
from ybscan.probes.base import Context, Probe

NOT_CONFIGURED = Unknown(Cause.NOT_CONFIGURED, "site.yml 的 backup.jobs", "site.yml")
_CRON_PROGRAMS = ("cron", "crond", "fcron", "cronie")
_WANTS = "/etc/systemd/system/multi-user.target.wants"
#: How far back the journal is asked about a job.
_JOURNAL_DAYS = 40
#: SD_MESSAGE_UNIT_STARTED: what systemd notes when a start job has really run its unit.
_STARTED = "39f53479d3a045ac8e11786248231fbf"
_NO_RESULT = Unknown(Cause.UNAVAILABLE, "cron 不记录执行结果", "crontab")


class BackupJobsProbe(Probe):
    """The jobs of ``backup.jobs`` in the site file."""

    name = "backup_jobs"
    title = "备份任务"
    facts = (
        FactSpec(
            "jobs", Kind.ITEMS, "备份任务",
            help="单位配置中每个备份任务：有没有、是否启用、上次执行的时间和结果。cron 不记录执行结果，结果为未知；"
            "Windows 计划任务只有没有停用且有触发器的才算启用。",
            linux="systemd 单元文件与 systemctl show、/etc/crontab、/etc/cron.d、/etc/cron.daily 等、/var/spool/cron",
            windows="计划任务（按任务名或完整路径）：是否启用、触发器、上次运行时间和结果",
            fields=(
                Field("name", Kind.TEXT, "任务"),
                Field("kind", Kind.TEXT, "类型"),
                Field("found", Kind.BOOLEAN, "是否存在"),
                Field("enabled", Kind.BOOLEAN, "是否启用"),
                Field("schedule", Kind.TEXT, "时间"),
                Field("last_run", Kind.TIME, "上次执行"),
                Field("recent", Kind.BOOLEAN, "上次执行是否在时限之内"),
                Field("succeeded", Kind.BOOLEAN, "上次执行是否成功"),
                Field("source", Kind.TEXT, "来源"),
                Field("note", Kind.TEXT, "情况"),
            ),
            summary="{name}：{note}（{source}，时间 {schedule}，上次执行 {last_run}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        wanted = tuple(j for j in context.site.backup.jobs or () if j.kind != "task")
        if not wanted:
            return {"jobs": NOT_CONFIGURED}
        names = tuple(dict.fromkeys(j.name for j in wanted))
        cron = host.jobs.cron(names=names)
        timers = host.jobs.timers(names=names)
        items = tuple(_job(host, context, job, cron, timers) for job in wanted)
        return {"jobs": Known(items, "systemd、crontab")}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows import backup_jobs

        return backup_jobs.read(host, context)


def _job(
    host: Host,
    context: Context,
    job: BackupJob,
    cron: Reading[tuple[CronEntry, ...]],
    timers: Reading[tuple[TimerFile, ...]],
) -> Item:
    tables: list[CronEntry] = []
    units: list[TimerFile] = []
    doubts: list[Gap | Unknown] = []
    if job.kind != "cron":
        units = [t for t in timers.value if t.job == job.name] if isinstance(timers, Known) else []
        doubts += _doubts(timers)
    if job.kind != "timer":
        tables = [c for c in cron.value if c.job == job.name] if isinstance(cron, Known) else []
        doubts += _doubts(cron)
    if units:
        # One that works is enough: a service may have an old timer that is switched off besides the current one.
        made = [_timer(host, context, job, t) for t in units]
        return next((m for m in made if m["enabled"] is True), made[0])
    if tables:
        return _cron(host, job, tables)
    if doubts:
        first = doubts[0]
        why = Unknown(first.cause, first.detail, first.origin)
        return {"name": job.name, "kind": job.kind, "found": why, "note": why.text}
    return {"name": job.name, "kind": job.kind, "found": False, "note": "没有找到这个任务"}


def _doubts(reading: Reading[Any]) -> list[Gap | Unknown]:
    if isinstance(reading, Known):
        return list(reading.gaps)
    return [reading] if isinstance(reading, Unknown) else [Gap(Cause.UNAVAILABLE, "没有这类信息来源")]


# Cron ----------------------------------------------------------------------------------------------------------------


def _cron(host: Host, job: BackupJob, tables: list[CronEntry]) -> Item:
    on = [t for t in tables if t.enabled]
    shown = (on or tables)[0]
    enabled: FieldValue = False
    note = "已停用（注释掉，或脚本没有执行权限）"
    if on:
        enabled = _cron_runs(host)
        note = (
            "cron 不记录执行结果"
            if enabled is True
            else "cron 服务没有运行"
            if enabled is False
            else "cron 服务状态未知"
        )
    return {
        "name": job.name, "kind": "cron", "found": True, "enabled": enabled, "schedule": shown.schedule,
        "last_run": _NO_RESULT, "recent": _NO_RESULT, "succeeded": _NO_RESULT, "source": shown.source, "note": note,
    }  # fmt: skip


def _cron_runs(host: Host) -> bool | Unknown:
    running = host.processes.running()
    if isinstance(running, Known):
        if any(p.name in _CRON_PROGRAMS for p in running.value):
            return True
        if not [g for g in running.gaps if g.origin == "/proc"]:
            return False
        return Unknown(Cause.INCOMPLETE, "只看到一部分进程，不能确认 cron 服务在运行", "/proc")
    for name in ("cron.service", "crond.service"):
        link = host.files.stat(path=f"{_WANTS}/{name}", follow=False)
        if isinstance(link, Known):
            return True
    return Unknown(Cause.UNAVAILABLE, "不能确认 cron 服务在运行", _WANTS)


# Timers --------------------------------------------------------------------------------------------------------------


def _timer(host: Host, context: Context, job: BackupJob, unit: TimerFile) -> Item:
    item: dict[str, FieldValue] = {
        "name": job.name, "kind": "timer", "found": True, "schedule": unit.schedule or None, "source": unit.path,
    }  # fmt: skip
    if unit.masked:
        return item | {"enabled": False, "note": "定时器已屏蔽（masked）"}
    timer = _show(host, unit.timer, "LoadState,ActiveState,UnitFileState,LastTriggerUSec")
    if isinstance(timer, Unknown):
        # Without a running systemd the unit files still tell whether it is switched on.
        enabled: FieldValue = unit.enabled if timer.cause is Cause.UNSUPPORTED else timer
        last = datetime.fromtimestamp(unit.last_trigger, context.now.tzinfo) if unit.last_trigger is not None else None
        return item | {
            "enabled": enabled, "last_run": last if last is not None else timer,
            "recent": _recent(job, context, last) if last is not None else timer, "succeeded": timer, "note": timer.text,
        }  # fmt: skip
    active, state = timer.get("ActiveState", ""), timer.get("UnitFileState", "")
    enabled = active == "active" and state in ("enabled", "enabled-runtime", "static", "linked", "generated", "alias")
    item["enabled"] = enabled
    service = _show(
        host,
        unit.activates,
        "LoadState,Type,ActiveState,Result,ExecMainStatus,ExecMainStartTimestamp,ExecMainExitTimestamp",
    )
    succeeded, ended = _outcome(host, context, service, unit.activates)
    last = stamp(timer.get("LastTriggerUSec", ""), context.now.tzinfo)
    if last is None or (ended is not None and ended < last - CLOCK_SLACK and last <= context.now + CLOCK_SLACK):
        # The timer went off, but the service was not started (an unmet Condition…=): the run before counts.
        last = ended
    item["last_run"] = last
    item["recent"] = _recent(job, context, last)
    item["succeeded"] = succeeded
    notes = []
    if not enabled:
        notes.append(f"未启用（{active or '未知'}、{state or '未知'}）")
    if last is None:
        notes.append("从未执行")
    if item["recent"] is False and last is not None:
        notes.append("上次执行已超过时限")
    if succeeded is False:
        notes.append("上次执行失败")
    if isinstance(succeeded, Unknown):
        notes.append(succeeded.text)
    return item | {"note": "；".join(notes) or "正常"}


def _recent(job: BackupJob, context: Context, last: datetime | None) -> bool | Unknown:
    if last is None:
        return False
    if last > context.now + CLOCK_SLACK:
        return Unknown(Cause.MALFORMED, "上次执行时间晚于检查时刻，时钟有误", "systemctl show")
    limit: timedelta = parse_duration(job.max_age or context.site.backup.max_age)
    return context.now - last <= limit


def _show(host: Host, unit: str, wanted: str) -> dict[str, str] | Unknown:
    try:
        reading: Reading[Output] = host.tools.run(
            tool="SYSTEMCTL", args=("show", "--no-pager", f"--property={wanted}", unit)
        )
    except ValueError:
        return Unknown(Cause.MALFORMED, f"单元名 {unit} 含有不支持的字符", "systemctl show")
    if not isinstance(reading, Known):
        return reading if isinstance(reading, Unknown) else Unknown(Cause.UNAVAILABLE, "systemctl", "systemctl show")
    found = properties(reading.value.stdout)
    if reading.value.code != 0 or "LoadState" not in found or "ActiveState" not in found:
        return Unknown(Cause.TOOL_FAILED, f"systemctl show {unit}", "systemctl show")
    return found


def _outcome(
    host: Host, context: Context, service: dict[str, str] | Unknown, unit: str
) -> tuple[bool | Unknown, datetime | None]:
    """How the service ended last, and when. systemd forgets at a restart; then the journal may still know."""
    if isinstance(service, Unknown):
        return service, None
    if service["LoadState"] != "loaded":
        return False, None
    zone = context.now.tzinfo
    ended = stamp(service.get("ExecMainExitTimestamp", ""), zone)
    started = stamp(service.get("ExecMainStartTimestamp", ""), zone)
    if service["ActiveState"] == "failed":
        return False, ended
    if service["ActiveState"] in ("activating", "active", "reloading", "deactivating") and (
        ended is None or (started or ended) > ended
    ):
        return Unknown(Cause.INCOMPLETE, "备份正在执行，还没有结果", "systemctl show"), started
    if ended is not None:
        result, code = service.get("Result", ""), service.get("ExecMainStatus", "")
        if not result or not code:
            return Unknown(Cause.MALFORMED, "systemctl show 没有给出结果", "systemctl show"), ended
        return result == "success" and code == "0", ended
    if service.get("Type") != "oneshot":
        return Unknown(Cause.UNAVAILABLE, "本次开机后没有执行过，结果未知", "systemctl show"), None
    return _from_journal(host, context, unit)


def _from_journal(host: Host, context: Context, unit: str) -> tuple[bool | Unknown, datetime | None]:
    """The end of the last start job of a oneshot service: JOB_TYPE and JOB_RESULT of systemd.journal-fields(7)."""
    since = int((context.now - timedelta(days=_JOURNAL_DAYS)).timestamp())
    unknown = Unknown(Cause.UNAVAILABLE, "本次开机后没有执行过，日志中也没有结果", "journalctl")
    try:
        reading = host.tools.run(
            tool="JOURNALCTL",
            args=("--no-pager", "--quiet", "--output=json", f"--since=@{since}", f"UNIT={unit}", "--lines=500"),
        )
    except ValueError:
        return unknown, None
    if not isinstance(reading, Known) or reading.value.code != 0:
        return (reading if isinstance(reading, Unknown) else unknown), None
    last: tuple[bool, datetime] | None = None
    for line in reading.value.stdout.splitlines():
        try:
            entry = json.loads(line)
            if not isinstance(entry, dict) or entry.get("JOB_TYPE") != "start" or entry.get("_PID") != "1":
                continue
            at = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1_000_000, context.now.tzinfo)
            if entry.get("JOB_RESULT") == "done" and entry.get("MESSAGE_ID") != _STARTED:
                continue  # a start that a Condition…= made an empty one is "done" as well
            if "JOB_RESULT" in entry and (last is None or at >= last[1]):
                last = entry["JOB_RESULT"] == "done", at
        except (ValueError, KeyError, TypeError, OverflowError, OSError):
            return Unknown(Cause.MALFORMED, "日志内容无法识别", "journalctl"), None
    return last if last is not None else (unknown, None)


PROBES = (BackupJobsProbe(),)
