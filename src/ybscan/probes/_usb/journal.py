"""Kernel messages from the systemd journal, and whether they are all there.

Sources: journalctl(1) (who may read which messages), journald.conf(5) (Storage, ReadKMsg, MaxLevelStore).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._logs.journal_query import query
from ybscan.probes._usb.kernel_log import Line
from ybscan.probes._usb.layers import layered, unmasked

FOLDER = "/var/log/journal"
_CONFIGURATION = (
    "/etc/systemd/journald.conf.d",
    "/run/systemd/journald.conf.d",
    "/usr/local/lib/systemd/journald.conf.d",
    "/usr/lib/systemd/journald.conf.d",
    "/lib/systemd/journald.conf.d",
)
_MAIN = ("/etc/systemd/journald.conf", "/usr/lib/systemd/journald.conf")
#: Values of MaxLevelStore that keep the kernel's messages on devices, which are of level 5 and 6 (an empty one: default).
_SEES_INFORMATION = frozenset({"", "debug", "7", "info", "6"})
#: How much later than the start of the system its first kernel messages may reach the journal.
_BOOT_SLACK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Journal:
    """The kernel lines from the window (and what came shortly before it), and every reason why some may be missing."""

    lines: tuple[Line, ...]
    gaps: tuple[Gap, ...]


def read_journal(host: Host, *, start: datetime) -> Journal | Absent | Unknown:
    """The journal since ``start``. Absent: the system has none; Unknown: it cannot be asked."""
    boot = host.system.boot_time()
    booted = datetime.fromtimestamp(boot.value, tz=UTC) if isinstance(boot, Known) else None
    # Reaching back to the start of the system makes sure there is something to see where the kernel's log is kept.
    since = min(start, booted) if booted is not None else start
    answer = _ask(host, f"--since=@{int(since.timestamp())}")
    if isinstance(answer, Unknown):
        return answer
    lines, malformed = answer
    gaps = list(_storage_gaps(host))
    if malformed:
        gaps.append(Gap(Cause.MALFORMED, f"journalctl 的输出中有 {malformed} 行无法识别", "journalctl"))
    elevated = host.system.elevated()
    if not (isinstance(elevated, Known) and elevated.value):
        gaps.append(Gap(Cause.DENIED, "没有以 root 运行，只能看到自己的日志", "journalctl"))
    if not lines:
        gaps.append(Gap(Cause.UNAVAILABLE, "日志中没有内核消息", "journalctl"))
    elif booted is None:
        gaps.append(Gap(Cause.UNAVAILABLE, "不知道系统何时启动，不能确认日志完整", "/proc/stat"))
    elif not any(booted - _BOOT_SLACK <= when <= booted + _BOOT_SLACK for when, _ in lines):
        gaps.append(Gap(Cause.INCOMPLETE, "日志中没有本次启动时的内核消息", "journalctl"))
    if not any(when <= start for when, _ in lines) and not _has_older(host, start):
        oldest = (
            f"，最早的内核消息为 {min(w for w, _ in lines).astimezone(start.tzinfo):%Y-%m-%d %H:%M}" if lines else ""
        )
        gaps.append(Gap(Cause.INCOMPLETE, f"日志没有覆盖整个检查周期{oldest}", "journalctl"))
    return Journal(tuple(lines), tuple(gaps))


def _has_older(host: Host, start: datetime) -> bool:
    """Whether a kernel message from before the window is still kept: what came after it has not been deleted then."""
    answer = _ask(host, "--since=@0", f"--until=@{int(start.timestamp())}", lines=1)
    return not isinstance(answer, Unknown) and any(when <= start for when, _ in answer[0])


def _ask(host: Host, *times: str, lines: int = 0) -> tuple[list[Line], int] | Unknown:
    answer = query(host, "_TRANSPORT=kernel", ("MESSAGE",), *times, lines=lines)
    if isinstance(answer, Unknown):
        return answer
    return [(when, fields["MESSAGE"]) for when, fields in answer[0]], answer[1]


def _storage_gaps(host: Host) -> list[Gap]:
    """Why the journal may not outlive a restart, or may lack the kernel's messages."""
    gaps: list[Gap] = []
    kept = host.files.entries(path=FOLDER)
    if isinstance(kept, Unknown):
        gaps.append(kept.as_gap())
    elif isinstance(kept, Absent) or not kept.value:
        gaps.append(Gap(Cause.INCOMPLETE, "日志没有持久保存（没有 /var/log/journal），重新启动后即丢失", FOLDER))
    settings: dict[str, str] = {}
    main = next((t for p in _MAIN if not isinstance(t := unmasked(host, p), Absent)), None)
    layers = layered(host, _CONFIGURATION, ".conf")
    gaps += layers.gaps
    texts: list[Reading[str]] = [*([main] if main is not None else []), *(t for _, t in layers.files)]
    for text in texts:
        if isinstance(text, Unknown):
            gaps.append(text.as_gap())
        elif isinstance(text, Known):
            settings.update(
                re.findall(r"^[ \t]*(Storage|ReadKMsg|MaxLevelStore)[ \t]*=[ \t]*(\S*)", text.value, re.MULTILINE)
            )
    if settings.get("Storage", "auto").lower() in ("volatile", "none"):
        gaps.append(Gap(Cause.INCOMPLETE, f"journald 设置为不持久保存日志（Storage={settings['Storage']}）", _MAIN[0]))
    if (level := settings.get("MaxLevelStore", "debug").lower()) not in _SEES_INFORMATION:
        gaps.append(Gap(Cause.INCOMPLETE, f"journald 设置为只保存较严重的消息（MaxLevelStore={level}）", _MAIN[0]))
    if settings.get("ReadKMsg", "yes").lower() in ("no", "false", "0", "off"):
        gaps.append(Gap(Cause.INCOMPLETE, "journald 设置为不收集内核消息（ReadKMsg=no）", _MAIN[0]))
    return gaps
