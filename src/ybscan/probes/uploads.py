"""Whether the day's data went to the medical-insurance centre: the last success in the client's log, files that wait."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from ybscan.hosts.base import Host
from ybscan.hosts.groups.volumes import LogMark
from ybscan.model.facts import Fact, FactSpec, Field, Item, Kind
from ybscan.model.reading import Absent, Cause, Known, Unknown
from ybscan.model.site import Upload, UploadMark, UploadQueue
from ybscan.probes.base import Context, Probe
from ybscan.probes.integrity import clean

#: How much of the end of a log is searched, bytes.
TAIL = 8 * 1024 * 1024
SECONDS = 15
ENTRIES = 20_000
#: A clock that is a little ahead is no sign of anything.
_SLACK = timedelta(minutes=10)


class UploadsProbe(Probe):
    """The logs and folders of ``upload`` in the site file."""

    name = "uploads"
    title = "数据上传"
    facts = (
        FactSpec(
            "marks", Kind.ITEMS, "最近一次上传成功", never_empty=True,
            help="upload.marks 的日志中最后一次出现上传成功文字的时间，距今小时数不含停业的日子。只取时间，不读取日志的其他内容。",
            linux="upload.marks 的日志", windows="upload.marks 的日志",
            fields=(
                Field("title", Kind.TEXT, "业务"),
                Field("path", Kind.TEXT, "日志"),
                Field("found", Kind.BOOLEAN, "是否有成功记录"),
                Field("last", Kind.TEXT, "最近一次成功"),
                Field("hours_least", Kind.NUMBER, "距今至少", "小时"),
                Field("hours_most", Kind.NUMBER, "距今至多", "小时"),
                Field("precise", Kind.BOOLEAN, "日志是否写明时刻"),
            ),
            summary="{title}（最近一次成功：{last}，{path}）",
        ),
        FactSpec(
            "queues", Kind.ITEMS, "待上传队列",
            help="upload.queues 的文件夹中等待上传的文件数，以及其中最早的一个已等待的分钟数（不含停业的日子）。",
            linux="upload.queues 的文件夹", windows="upload.queues 的文件夹",
            fields=(
                Field("title", Kind.TEXT, "业务"),
                Field("path", Kind.TEXT, "文件夹"),
                Field("count", Kind.INTEGER, "等待的文件", "个"),
                Field("waited", Kind.INTEGER, "最长等待", "分钟"),
            ),
            summary="{title}（{count} 个，最长等待 {waited}，{path}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        upload = context.site.upload
        if upload.marks is None and upload.queues is None:
            why = Unknown(Cause.NOT_CONFIGURED, "site.yml 的 upload.marks 或 upload.queues", "site.yml")
            return {"marks": why, "queues": why}
        if not upload.marks:
            # An empty queue alone does not show that anything was ever sent.
            marks: Fact = Unknown(Cause.NOT_CONFIGURED, "site.yml 的 upload.marks", "site.yml")
        else:
            marks = Known(tuple(_mark(host, context, m) for m in upload.marks), "site.yml 的 upload.marks")
        queues: Fact = Absent("site.yml 的 upload.queues")
        if upload.queues:
            queues = Known(tuple(_queue(host, context, q) for q in upload.queues), "site.yml 的 upload.queues")
        return {"marks": marks, "queues": queues}


def _mark(host: Host, context: Context, mark: UploadMark) -> Item:
    item: dict[str, Any] = {"title": mark.title, "path": f"{clean(mark.path).rstrip('/')}/{mark.pattern}"}
    if not mark.path.startswith("/"):
        return item | _open(Unknown(Cause.UNSUPPORTED, f"{mark.path} 不是 Linux 的绝对路径", "site.yml"))
    answer = host.volumes.log_mark(
        path=clean(mark.path), pattern=mark.pattern, text=mark.text, tail=TAIL, seconds=SECONDS
    )
    if isinstance(answer, Unknown):
        return item | _open(answer)
    if isinstance(answer, Absent):
        # A missing log says that the setting is wrong or the client elsewhere, not that nothing was sent.
        return item | _open(Unknown(Cause.UNAVAILABLE, f"没有日志 {item['path']}", str(item["path"])))
    return item | _read(answer.value, context, str(item["path"]))


def _open(why: Unknown) -> dict[str, Any]:
    return {"found": why, "last": why, "hours_least": why, "hours_most": why, "precise": why}


def _read(mark: LogMark, context: Context, path: str) -> dict[str, Any]:
    if not mark.file:
        if mark.whole:
            return {"found": False, "last": None}
        return _open(Unknown(Cause.TOO_LARGE, f"{path} 只读取了末尾部分，其中没有成功记录", path))
    zone = context.now.tzinfo
    if not mark.stamp:
        return _open(Unknown(Cause.MALFORMED, f"{path} 中成功记录的那一行没有日期", path))
    precise = "T" in mark.stamp
    moment = datetime.fromisoformat(mark.stamp).replace(tzinfo=zone)
    latest = moment if precise else min(moment + timedelta(days=1) - timedelta(seconds=1), max(context.now, moment))
    if moment > context.now + _SLACK:
        return _open(Unknown(Cause.MALFORMED, f"{path} 中的时间 {mark.stamp} 晚于检查时刻，时钟有误", path))
    return {
        "found": True, "last": mark.stamp.replace("T", " "),
        "hours_least": working_hours(latest, context.now, context.site.upload),
        "hours_most": working_hours(moment, context.now, context.site.upload),
        "precise": precise or Unknown(Cause.UNCONFIRMED, f"{path} 的成功记录只写了日期，不能确定时刻", path),
    }  # fmt: skip


def working_hours(since: datetime, now: datetime, upload: Upload) -> float:
    """Hours from ``since`` to ``now`` without those of days on which the unit is closed, to the hundredth, rounded up."""
    total = timedelta()
    day = since.date()
    while day <= now.date():
        start, end = (datetime.combine(d, time(), now.tzinfo) for d in (day, day + timedelta(days=1)))
        if not _closed(day, upload):
            total += max(min(end, now) - max(start, since), timedelta())
        day += timedelta(days=1)
        if day - since.date() > timedelta(days=3660):
            break
    hundredths = -(-total // timedelta(seconds=36))
    return hundredths / 100


def _closed(day: date, upload: Upload) -> bool:
    return day.isoweekday() in upload.rest_weekdays or day in upload.holidays


def _queue(host: Host, context: Context, queue: UploadQueue) -> Item:
    path = clean(queue.path)
    item: dict[str, Any] = {"title": queue.title, "path": f"{path.rstrip('/')}/{queue.pattern}"}
    if not path.startswith("/"):
        why = Unknown(Cause.UNSUPPORTED, f"{path} 不是 Linux 的绝对路径", "site.yml")
        return item | {"count": why, "waited": why}
    listed = host.volumes.listing(path=path, pattern=queue.pattern, limit=ENTRIES, seconds=SECONDS)
    if isinstance(listed, Absent):
        listed = Unknown(Cause.UNAVAILABLE, f"没有文件夹 {path}", path)
    if isinstance(listed, Unknown):
        return item | {"count": listed, "waited": listed}
    waiting = [e for e in listed.value if e.kind != "link"]
    partial = listed.gaps[0] if listed.gaps else None
    doubt = Unknown(partial.cause, partial.detail, partial.origin) if partial else None
    if not waiting:
        return item | {"count": doubt or 0, "waited": doubt}
    oldest = datetime.fromtimestamp(min(e.mtime for e in waiting), context.now.tzinfo)
    minutes = int(working_hours(oldest, context.now, context.site.upload) * 60)
    return item | {"count": len(waiting), "waited": minutes}


PROBES = (UploadsProbe(),)
