"""USB storage and memory cards that were plugged in since the last check."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._usb import journal
from ybscan.probes._usb.kernel_log import Arrival, arrivals
from ybscan.probes._usb.media import registration, shown_serial
from ybscan.probes._usb.serials import salt
from ybscan.probes._usb.text_logs import FOLDER, TextLog, read_families
from ybscan.probes.base import Context, Probe

_LOGGERS = ("rsyslogd", "syslog-ng", "syslogd")
#: Files whose last change tells when a system that lies still was last in use.
_SIGNS_OF_LIFE = ("/var/log/wtmp", "/var/log/lastlog", "/var/log/btmp", "/var/log/auth.log", "/var/log/secure")
_LIFE_SLACK = timedelta(hours=1)


class UsbHistoryProbe(Probe):
    """Arrivals in the kernel's log, from the journal and from text logs."""

    name = "usb_history"
    title = "移动存储使用痕迹"
    facts = (
        FactSpec(
            "arrivals", Kind.ITEMS, "检查周期内接入过的移动存储",
            help="上次检查以来系统记录的 USB 存储和存储卡，同一介质合并为一条。日志或设备记录没有覆盖整个周期时列表不完整。",
            linux="journalctl _TRANSPORT=kernel，/var/log 下的 kern.log、messages、syslog 及其轮转文件",
            windows="USBSTOR、USB、SCSI、SD 设备节点的首次安装、最近接入和拔出日期（Windows 7 只有首次安装日期，另看注册表项的写入时间和 "
            "DriverFrameworks-UserMode 日志），事件 UserPnp 20001/20003、Partition/Diagnostic 1006，MountedDevices",
            fields=(
                Field("kind", Kind.TEXT, "类型"),
                Field("model", Kind.TEXT, "型号"),
                Field("serial", Kind.TEXT, "序列号摘要"),
                Field("registered", Kind.BOOLEAN, "是否已登记"),
                Field("medium", Kind.BOOLEAN, "是否有介质"),
                Field("first", Kind.TIME, "首次接入"),
                Field("last", Kind.TIME, "最近接入"),
                Field("count", Kind.INTEGER, "接入次数", "次"),
            ),
            summary="{kind} {model}（序列号摘要 {serial}，{first} 至 {last} 接入 {count}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        start = context.now - context.window
        found: list[Arrival] = []
        gaps: list[Gap] = []
        whole: list[str] = []
        read = False

        recorded = journal.read_journal(host, start=start)
        if isinstance(recorded, journal.Journal):
            read = True
            found += (a for a in arrivals(recorded.lines) if a.time >= start)
            if recorded.gaps:
                gaps += recorded.gaps
            else:
                whole.append("journalctl _TRANSPORT=kernel")
        elif isinstance(recorded, Unknown):
            gaps.append(recorded.as_gap())

        logs, denied = read_families(host, start=start, now=context.now)
        gaps += denied
        for log in logs:
            read = True
            missing = _missing(host, log, start)
            if missing:
                gaps += missing
            else:
                whole.append(f"{FOLDER}/{log.family}")
            found += arrivals(log.lines)
        if not read:
            first = gaps[0] if gaps else Gap(Cause.UNAVAILABLE, "没有内核日志")
            return {"arrivals": Unknown(first.cause, first.detail, first.origin)}
        origin = f"{'、'.join(whole) or '系统日志'}，自 {start:%Y-%m-%d %H:%M} 起"
        return {"arrivals": Known(_items(host, context, found), origin, () if whole else tuple(gaps))}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows import usb_history

        return usb_history.read(host, context)


def _missing(host: Host, log: TextLog, start: datetime) -> list[Gap]:
    """Why a family of text logs may lack something of the window; empty when it covers it all."""
    gaps = list(log.gaps)
    path = f"{FOLDER}/{log.family}"
    if log.newest is None:
        return [*gaps, Gap(Cause.INCOMPLETE, f"{path} 中没有检查周期内的记录", path)]
    if not log.reaches_back:
        gaps.append(
            Gap(Cause.INCOMPLETE, f"{path} 的最早记录为 {log.oldest:%Y-%m-%d %H:%M}，没有覆盖整个检查周期", path)
        )
    if not log.lines:
        # Without a single line of the kernel it cannot be told whether its messages go there at all.
        gaps.append(Gap(Cause.INCOMPLETE, f"{path} 在检查周期内没有内核消息", path))
    return gaps + _stopped(host, log, path)


def _stopped(host: Host, log: TextLog, path: str) -> list[Gap]:
    """Why the log may have ended before the terminal did."""
    assert log.newest is not None  # noqa: S101 - the caller has looked
    boot = host.system.boot_time()
    if isinstance(boot, Known):
        running = host.processes.running()
        if not isinstance(running, Known):
            return [running.as_gap()] if isinstance(running, Unknown) else []
        if not any(p.name in _LOGGERS for p in running.value):
            return [Gap(Cause.INCOMPLETE, f"没有运行中的日志服务，{path} 可能早已停止更新", path)]
        if log.newest.timestamp() < boot.value:
            return [Gap(Cause.INCOMPLETE, f"{path} 在本次启动后没有记录", path)]
        return []
    if isinstance(boot, Unknown) and boot.cause is not Cause.UNSUPPORTED:
        return [boot.as_gap()]
    # A disk that lies still: whatever changed last tells how long the system was in use.
    kept = host.files.entries(path=journal.FOLDER)
    machines = kept.value if isinstance(kept, Known) else ()
    signs = [*_SIGNS_OF_LIFE, *(f"{journal.FOLDER}/{m}/system.journal" for m in machines)]
    if isinstance(kept, Unknown):
        return [kept.as_gap()]
    for sign in signs:
        stat = host.files.stat(path=sign)
        if isinstance(stat, Unknown):
            return [stat.as_gap()]
        if isinstance(stat, Known) and stat.value.mtime > (log.newest + _LIFE_SLACK).timestamp():
            return [Gap(Cause.INCOMPLETE, f"{sign} 比 {path} 的最后记录更新，日志可能早已停止", path)]
    return []


def _items(host: Host, context: Context, found: list[Arrival]) -> tuple[Item, ...]:
    salt_text = salt(host)
    merged: dict[tuple[str, str, str | None, bool | None], list[datetime]] = {}
    for arrival in found:
        key = (arrival.kind, arrival.model, arrival.serial, arrival.medium)
        times = merged.setdefault(key, [])
        # The same arrival stands in the journal and in text logs, which round to seconds.
        if not any(abs(t - arrival.time) <= timedelta(seconds=2) for t in times):
            times.append(arrival.time)
    items: list[Item] = []
    for (kind, model, serial, medium), times in merged.items():
        reading: Reading[str] = (
            Unknown(Cause.UNCONFIRMED, "日志中没有该设备的序列号") if serial is None
            else Known(serial) if serial else Absent()
        )  # fmt: skip
        held: FieldValue = medium if medium is not None else Unknown(Cause.UNCONFIRMED, "日志看不出其中有无介质")
        zone = context.now.tzinfo
        items.append(
            {
                "kind": kind, "model": model or None, "serial": shown_serial(reading, salt_text),
                "registered": registration(reading, context.site), "medium": held,
                "first": min(times).astimezone(zone), "last": max(times).astimezone(zone), "count": len(times),
            }
        )  # fmt: skip
    return tuple(sorted(items, key=lambda i: (str(i["first"]), str(i["kind"]), str(i["model"]), str(i["serial"]))))


PROBES = (UsbHistoryProbe(),)
