"""Electronic records on this terminal: for which months there are files, by name or time; no content is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.model.site import RecordFolder
from ybscan.probes.base import Context, Probe
from ybscan.probes.integrity import clean

ENTRIES = 400_000
SECONDS = 40
_REMOVABLE = ("/media/", "/run/media/")


class RecordsProbe(Probe):
    """The folders of ``records.folders`` in the site file."""

    name = "records"
    title = "电子记录留存"
    facts = (
        FactSpec(
            "months", Kind.ITEMS, "电子记录日历",
            help="records.folders 各文件夹在应保存的每个完整月份里有没有非空的记录文件；序号 1 为上个月。月份取文件名或文件夹名中的日期，"
            "没有时取修改时间。开始使用（since）之前的月份无法判定。",
            linux="records.folders 的文件夹", windows="FindFirstFile 列出 records.folders 的文件夹",
            fields=(
                Field("title", Kind.TEXT, "记录"),
                Field("path", Kind.TEXT, "文件夹"),
                Field("index", Kind.INTEGER, "第几个以前的月"),
                Field("month", Kind.TEXT, "月份"),
                Field("present", Kind.BOOLEAN, "是否有记录"),
            ),
            summary="{title} {month}（{path}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        folders = context.site.records.folders
        if not folders:
            return {"months": Unknown(Cause.NOT_CONFIGURED, "site.yml 的 records.folders", "site.yml")}
        items = tuple(item for folder in folders for item in _folder(host, context, folder))
        return {"months": Known(items, "site.yml 的 records.folders")}


def complete_months(today: date, count: int) -> Iterator[tuple[int, str]]:
    """The last ``count`` months that are over, newest first, with their number."""
    year, month = today.year, today.month
    for index in range(1, count + 1):
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
        yield index, f"{year:04}-{month:02}"


def _folder(host: Host, context: Context, wanted: RecordFolder) -> Iterator[Item]:
    path = clean(wanted.path)
    found = _found(host, wanted, path)
    for index, month in complete_months(context.now.date(), wanted.months):
        present = _present(found, month, wanted)
        yield {"title": wanted.title, "path": path, "index": index, "month": month, "present": present}


def _present(found: tuple[frozenset[str], Gap | None] | Unknown, month: str, wanted: RecordFolder) -> FieldValue:
    if isinstance(found, Unknown):
        return found
    have, gap = found
    if month in have:
        return True
    if wanted.since is not None and month < f"{wanted.since:%Y-%m}":
        return Unknown(Cause.UNCONFIRMED, f"{wanted.since} 开始使用，不满 {wanted.months} 个月", "site.yml")
    return Unknown(gap.cause, gap.detail, gap.origin) if gap is not None else False


def _found(host: Host, wanted: RecordFolder, path: str) -> tuple[frozenset[str], Gap | None] | Unknown:
    """The months with at least one file that is not empty, and what may be missing."""
    if not path.startswith("/"):
        return Unknown(Cause.UNSUPPORTED, f"{path} 不是 Linux 的绝对路径", "site.yml")
    # Listed first: that makes an automount happen, so that the mount looked at afterwards is the real one.
    listed = host.volumes.months(path=path, pattern=wanted.pattern, limit=ENTRIES, seconds=SECONDS)
    mount = host.volumes.mount(path=path)
    if isinstance(mount, Unknown) and mount.cause is not Cause.UNSUPPORTED:
        return mount
    have = frozenset(m.month for m in listed.value if m.files > m.empty) if isinstance(listed, Known) else frozenset()
    if isinstance(mount, Known) and mount.value.expected and (mount.value.mount_point or not have):
        return Unknown(Cause.UNAVAILABLE, f"{mount.value.expected} 未挂载", "/etc/fstab")
    if isinstance(listed, Unknown):
        return listed
    if isinstance(listed, Absent):
        if path.startswith(_REMOVABLE):
            return Unknown(Cause.UNAVAILABLE, f"{path} 未挂载", path)
        return Unknown(Cause.UNAVAILABLE, f"没有文件夹 {path}，请核对 records.folders", path)
    return have, listed.gaps[0] if listed.gaps else None


PROBES = (RecordsProbe(),)
