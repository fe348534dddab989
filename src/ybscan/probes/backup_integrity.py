"""Whether backups are sound: equal copies, containers that open, and recovery drills on record.

The files are read to compute a digest and to check the container's own check sums; nothing of their content is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, time
from itertools import combinations

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Known, Unknown
from ybscan.probes._backups.copies import Copy, days_since, same_round
from ybscan.probes._backups.locations import NOT_CONFIGURED, Location, locations, read_location
from ybscan.probes._backups.paths import same
from ybscan.probes.base import Context, Probe

#: Larger files are not digested; their sizes are compared.
DIGEST_LIMIT = 2 * 1024**3
DIGEST_SECONDS = 15
#: At most this many files are digested and looked into, so that all of it stays within the probe's time.
MAX_DIGESTS = 4
ARCHIVE_BUDGET = 256 * 1024**2
ARCHIVE_SECONDS = 6
MAX_ARCHIVES = 6

NO_DRILL = "未提供恢复演练记录"

_WINDOWS = "逐块读取文件计算 SHA-256，检查容器结构"


class BackupIntegrityProbe(Probe):
    """Digests, containers, drills."""

    name = "backup_integrity"
    title = "备份完整性与恢复演练"
    facts = (
        FactSpec(
            "containers", Kind.ITEMS, "备份文件结构",
            help="各全量备份位置最新一份的结构检查：压缩包目录与校验码、导出文件的结束标记等。加密或不认识的格式无法检查。",
            linux="读取备份文件的头尾与校验码", windows=_WINDOWS,
            fields=(
                Field("path", Kind.TEXT, "文件"),
                Field("format", Kind.TEXT, "格式"),
                Field("opens", Kind.BOOLEAN, "结构是否完好"),
                Field("verified", Kind.BOOLEAN, "是否全部校验"),
                Field("note", Kind.TEXT, "情况"),
            ),
            summary="{path}（{format}，{note}）",
        ),
        FactSpec(
            "comparisons", Kind.ITEMS, "多份备份的比对",
            help=f"不同位置中同名备份的 SHA-256 是否一致；超过 {DIGEST_LIMIT // 1024**3} GiB 的只比大小。",
            linux="计算文件的 SHA-256", windows=_WINDOWS,
            fields=(
                Field("name", Kind.TEXT, "备份"),
                Field("first", Kind.TEXT, "位置一"),
                Field("second", Kind.TEXT, "位置二"),
                Field("equal", Kind.BOOLEAN, "是否一致"),
                Field("note", Kind.TEXT, "情况"),
            ),
            summary="{name}（{first} 与 {second}：{note}）",
        ),
        FactSpec(
            "drill_days", Kind.INTEGER, "最近一次恢复演练距今", "天",
            help="单位配置 backup.restore_tests 中日期最近的一次。", linux="site.yml 的 backup.restore_tests",
            windows="site.yml 的 backup.restore_tests",
        ),
        FactSpec(
            "drill_succeeded", Kind.BOOLEAN, "最近一次恢复演练的结果", words=("成功", "失败"),
            help="单位配置 backup.restore_tests 中日期最近的一次；同一天有几次时，有一次失败即为失败。",
            linux="site.yml 的 backup.restore_tests", windows="site.yml 的 backup.restore_tests",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return self._read(host, context)

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return self._read(host, context)

    def _read(self, host: Host, context: Context) -> Mapping[str, Fact]:
        days, result = _drill(context)
        wanted = locations(context)
        if not wanted:
            return {spec.name: NOT_CONFIGURED for spec in self.facts} | (
                {"drill_days": days, "drill_succeeded": result} if context.site.backup.restore_tests else {}
            )
        read = [read_location(host, context, one) for one in wanted]
        return {
            "containers": Known(tuple(_containers(host, read)), "备份文件"),
            "comparisons": _comparisons(host, read),
            "drill_days": days,
            "drill_succeeded": result,
        }


def _drill(context: Context) -> tuple[Fact, Fact]:
    origin = "site.yml 的 backup.restore_tests"
    tests = context.site.backup.restore_tests
    if not tests:
        why = Unknown(Cause.NOT_CONFIGURED, NO_DRILL, origin)
        return why, why
    last = max(tests, key=lambda t: t.date)
    if last.date > context.now.date():
        why = Unknown(Cause.MALFORMED, f"恢复演练日期 {last.date} 晚于检查日期", origin)
        return why, why
    # Several drills on one day: a failed one among them counts.
    results = {t.result for t in tests if t.date == last.date}
    days = days_since(
        datetime.combine(last.date, time(), context.now.tzinfo),
        context.now.replace(hour=0, minute=0, second=0, microsecond=0),
    )
    return Known(days, origin), Known("failure" not in results, origin)


# Containers ----------------------------------------------------------------------------------------------------------


def _containers(host: Host, read: list[Location]) -> Iterator[Item]:
    looked = 0
    for one in (r for r in read if r.wanted.kind == "full"):
        if one.trouble is not None or one.newest is None:
            why = one.trouble or Unknown(Cause.UNAVAILABLE, f"{one.path} {one.why_none}", one.path)
            yield {"path": one.path, "opens": why, "note": why.text}
            continue
        path = one.file(one.newest.entry.largest or one.newest.entry.name)
        looked += 1
        if looked > MAX_ARCHIVES:
            yield {
                "path": path,
                "opens": Unknown(Cause.TOO_LARGE, f"一次最多检查 {MAX_ARCHIVES} 份", path),
                "note": "未检查",
            }
            continue
        yield _container(host, path)


def _container(host: Host, path: str) -> Item:
    reading = host.volumes.archive(path=path, budget=ARCHIVE_BUDGET, seconds=ARCHIVE_SECONDS)
    if isinstance(reading, Absent):
        reading = Unknown(Cause.UNAVAILABLE, f"{path} 已不存在", path)
    if isinstance(reading, Unknown):
        return {"path": path, "opens": reading, "note": reading.text}
    seen = reading.value
    opens: FieldValue
    if seen.state in ("verified", "opens"):
        opens = True
    elif seen.state == "corrupt":
        opens = False
    else:
        known = seen.state == "unrecognised" and bool(seen.format)
        opens = Unknown(Cause.UNCONFIRMED if known else Cause.UNSUPPORTED, seen.detail, path)
    note = seen.detail or "校验码全部相符"
    return {
        "path": path,
        "format": seen.format or "未知",
        "opens": opens,
        "verified": seen.state == "verified",
        "note": note,
    }


# Comparison ----------------------------------------------------------------------------------------------------------


def _comparisons(host: Host, read: list[Location]) -> Fact:
    full = [one for one in read if one.wanted.kind == "full"]
    trouble = next((one.trouble for one in full if one.trouble is not None), None)
    pairs = list(_pairs([one for one in full if one.trouble is None and one.newest is not None]))
    if not pairs:
        return trouble or Unknown(Cause.UNAVAILABLE, "没有同名的多份备份可以比对", "site.yml 的 backup.locations")
    digests: dict[str, str | Unknown] = {}
    items = tuple(_compared(host, digests, *pair) for pair in pairs)
    gaps = (trouble.as_gap(),) if trouble is not None else ()
    return Known(items, "SHA-256", gaps)


def _pairs(good: list[Location]) -> Iterator[tuple[Location, Copy, Location, Copy]]:
    """The newest backup of each name that two places have."""
    for a, b in combinations(good, 2):
        if same(a.path, b.path):
            continue
        names = {c.entry.name: c for c in b.copies}
        # Copies are ordered newest first: the first common name is the newest common backup. Only one of the same
        # round as the newest counts, or an old pair would vouch for a copy that is no longer made.
        common = next(((c, names[c.entry.name]) for c in a.copies if c.entry.name in names), None)
        if common is not None and a.newest is not None and same_round(common[0], a.newest):
            yield a, common[0], b, common[1]


def _compared(
    host: Host, digests: dict[str, str | Unknown], a: Location, first: Copy, b: Location, second: Copy
) -> Item:
    item: dict[str, FieldValue] = {"name": first.entry.name, "first": a.path, "second": b.path}
    if first.entry.kind != second.entry.kind:
        return item | {"equal": False, "note": "一处是文件，一处是文件夹"}
    if first.entry.size != second.entry.size or first.entry.files != second.entry.files:
        return item | {"equal": False, "note": f"大小不同：{first.entry.size} 与 {second.entry.size} 字节"}
    if first.entry.kind == "folder":
        why = Unknown(Cause.UNSUPPORTED, "文件夹形式的备份只比对了文件数和总大小", a.path)
        return item | {"equal": why, "note": why.detail}
    one, other = (_digest(host, digests, p) for p in (a.file(first.entry.name), b.file(second.entry.name)))
    for answer in (one, other):
        if isinstance(answer, Unknown):
            return item | {"equal": answer, "note": answer.text}
    return item | {"equal": one == other, "note": "内容一致" if one == other else "大小相同，内容不同"}


def _digest(host: Host, digests: dict[str, str | Unknown], path: str) -> str | Unknown:
    if path not in digests:
        if len(digests) >= MAX_DIGESTS:
            return Unknown(Cause.TOO_LARGE, f"一次最多比对 {MAX_DIGESTS} 个文件", path)
        reading = host.volumes.digest(path=path, limit=DIGEST_LIMIT, seconds=DIGEST_SECONDS)
        if isinstance(reading, Known):
            digests[path] = reading.value
        else:
            digests[path] = (
                reading if isinstance(reading, Unknown) else Unknown(Cause.UNAVAILABLE, f"{path} 已不存在", path)
            )
    return digests[path]


PROBES = (BackupIntegrityProbe(),)
