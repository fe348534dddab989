"""The scheduled tasks of Windows that make the backups.

Sources: "Task Scheduler error and success constants" (0x41301 running, 0x41303 not yet run, 0x41325 queued, 0x41306
ended by a user); robocopy's exit codes are bits, and below 8 nothing failed to be copied (4: something did not match).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from ybscan.hosts.base import Host
from ybscan.hosts.groups.jobs import Task
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.model.site import BackupJob, parse_duration
from ybscan.probes._backups.copies import CLOCK_SLACK
from ybscan.probes.backup_jobs import NOT_CONFIGURED
from ybscan.probes.base import Context

_RUNNING, _NEVER, _QUEUED = 0x41301, 0x41303, 0x41325
_WORDS = {
    0x41302: "任务已停用", 0x41303: "从未执行", 0x41306: "上次执行被用户终止", 0x1: "程序以代码 1 结束（可能出错）",
    0x2: "找不到文件", 0x80070002: "找不到程序或文件", 0x8007052E: "运行账户的密码不对", 0x80070569: "运行账户没有批处理登录权限",
}  # fmt: skip
_ROBOCOPY = frozenset({"robocopy", "robocopy.exe"})
_SOURCE = "任务计划程序"


def read(host: Host, context: Context) -> Mapping[str, Fact]:
    """All facts of the probe."""
    wanted = tuple(j for j in context.site.backup.jobs or () if j.kind in (None, "task"))
    if not wanted:
        return {"jobs": NOT_CONFIGURED}
    tasks = host.jobs.tasks()
    gaps: list[Gap] = []
    if not isinstance(tasks, Known):
        why = tasks if isinstance(tasks, Unknown) else Unknown(Cause.UNAVAILABLE, "没有计划任务列表", _SOURCE)
        return {"jobs": Known(tuple(_missing(job, why) for job in wanted), _SOURCE)}
    gaps += tasks.gaps
    items = [i for job in wanted for i in _job(context, job, tasks.value, gaps)]
    return {"jobs": Known(tuple(items), tasks.origin or _SOURCE)}


def _missing(job: BackupJob, why: Unknown) -> Item:
    return {"name": job.name, "kind": "task", "found": why, "note": why.text}


def _job(context: Context, job: BackupJob, tasks: tuple[Task, ...], gaps: list[Gap]) -> Iterator[Item]:
    named = [t for t in tasks if _is_named(t, job.name)]
    if not named and gaps:
        yield _missing(job, Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin))
        return
    if not named:
        yield {"name": job.name, "kind": "task", "found": False, "note": "没有找到这个计划任务"}
        return
    if gaps and not job.name.startswith("\\"):
        why = Unknown(
            gaps[0].cause, f"{gaps[0].detail}，可能另有同名任务；请以管理员身份检查，或写任务的完整路径", gaps[0].origin
        )
        yield _missing(job, why)
    # A task of the same name in another folder that is switched off is an old one; of those that are on each counts.
    on = [t for t in named if t.enabled]
    for task in on or named[:1]:
        yield _task(context, job, task)


def _is_named(task: Task, name: str) -> bool:
    path = task.path.casefold()
    wanted = name.casefold()
    return path == wanted if "\\" in wanted and wanted.startswith("\\") else path.rpartition("\\")[2] == wanted


def _task(context: Context, job: BackupJob, task: Task) -> Item:
    item: dict[str, FieldValue] = {
        "name": job.name, "kind": "task", "found": True, "enabled": task.enabled, "schedule": task.schedule or None,
        "source": task.path,
    }  # fmt: skip
    notes = [] if task.enabled else ["任务已停用"]
    if task.enabled and not task.schedule:
        why = Unknown(Cause.UNCONFIRMED, "任务没有触发器，是否由其他程序启动需人工核对", task.path)
        item["enabled"] = why
        notes.append(why.detail)
    if not task.ran:
        why = Unknown(Cause.UNAVAILABLE, "没有读到上次运行的时间和结果", task.path)
        return item | {"last_run": why, "recent": why, "succeeded": why, "note": "；".join([*notes, why.detail])}
    never = task.last_result == _NEVER or task.last_run is None
    last = None if never or task.last_run is None else datetime.fromtimestamp(task.last_run, UTC)
    last = last.astimezone(context.now.tzinfo) if last is not None else None
    recent = _recent(job, context, last)
    succeeded = False if never else _succeeded(task)
    if never:
        notes.append("从未执行")
    elif recent is False:
        notes.append("上次执行已超过时限")
    if isinstance(succeeded, Unknown):
        notes.append(succeeded.detail)
    elif not succeeded and not never:
        notes.append(_failure(task.last_result))
    if isinstance(recent, Unknown):
        notes.append(recent.detail)
    return item | {
        "last_run": last, "recent": recent, "succeeded": succeeded, "note": "；".join(notes) or "正常",
    }  # fmt: skip


def _succeeded(task: Task) -> bool | Unknown:
    result = task.last_result
    if result is None:
        return Unknown(Cause.UNAVAILABLE, "没有读到上次运行的结果", task.path)
    if result in (_RUNNING, _QUEUED):
        return Unknown(Cause.INCOMPLETE, "备份正在执行或排队，还没有结果", task.path)
    programs = {p.rpartition("\\")[2].strip('"').casefold() for p in task.programs}
    if 0 < result < 8 and programs and programs <= _ROBOCOPY:
        if result < 4:
            return True
        return Unknown(Cause.UNCONFIRMED, f"robocopy 返回 {result}，有不一致的文件或文件夹，需核对日志", task.path)
    return result == 0


def _failure(result: int | None) -> str:
    code = f"0x{result:X}" if result is not None else "未知"
    words = _WORDS.get(result or 0, "")
    return f"上次结果为 {code}" + (f"（{words}）" if words else "")


def _recent(job: BackupJob, context: Context, last: datetime | None) -> bool | Unknown:
    if last is None:
        return False
    if last > context.now + CLOCK_SLACK:
        return Unknown(Cause.MALFORMED, "上次执行时间晚于检查时刻，时钟有误", _SOURCE)
    return context.now - last <= parse_duration(job.max_age or context.site.backup.max_age)
