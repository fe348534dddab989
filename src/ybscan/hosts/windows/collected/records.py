"""Event logs, security centre, licence, restore points and the few files the collector brought."""

from __future__ import annotations

import re

from ybscan.hosts.collected.evidence import Evidence, mapped_rows
from ybscan.hosts.collected.records import Malformed, Record, decoded
from ybscan.hosts.groups.files import TEXT_LIMIT, Files
from ybscan.hosts.groups.logs import Event, EventLog, Logs
from ybscan.hosts.groups.security import Licence, Security, SecurityProduct
from ybscan.hosts.windows.collected.system import cim_time
from ybscan.hosts.windows.eventxml import moment, parse_event
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

_KINDS = ("antivirus", "antispyware", "firewall")
_SOURCES = {"antivirus": "AntiVirusProduct", "antispyware": "AntiSpywareProduct", "firewall": "FirewallProduct"}
_CHANNEL = re.compile(r",\s*([A-Z0-9_:-]+) channel\b", re.IGNORECASE)


#: Clearing one of these leaves a record in it.
_NEVER_EMPTY = frozenset({"system", "security"})


class CollectedLogs(Logs):
    """The channels and event ids that the collector asks for; others were not recorded."""

    def __init__(self, evidence: Evidence) -> None:
        super().__init__("Windows 没有这种日志文件")
        self._evidence = evidence

    def events(
        self, *, channel: str, ids: tuple[int, ...], since: float, fields: tuple[str, ...], limit: int = 5000
    ) -> Reading[EventLog]:
        # Shortened as the collector does it: names of parts are limited.
        part = f"events-{channel.lower().removeprefix('microsoft-windows-').replace('/', '-')}"
        read = self._evidence.records(part)
        if not isinstance(read, Known):
            return read
        about = next((r for r in read.value if r.kind == "channel"), None)
        asked = set(about.lists.get("id", ())) if about else set()
        missing = [i for i in ids if str(i) not in asked]
        if missing:
            return Unknown(Cause.NOT_RECORDED, f"采集结果没有 {channel} 日志的事件 {missing[0]}", channel)
        if any(r.kind == "absent" for r in read.value):
            return Absent(channel)
        if about is None or not any(r.kind == "searched" for r in read.value):
            errors = [r for r in read.value if r.kind == "error"]
            cause = Cause.DENIED if self._evidence.collector.text("elevated") == "no" else Cause.TOOL_FAILED
            return Unknown(cause, f"采集时没有读到 {channel} 日志{'' if errors else '的全部内容'}", channel)
        gaps: list[Gap] = []
        found: list[Event] = []
        rows = [r for r in read.value if r.kind == "event"]
        for row in rows:
            event = parse_event(row.text("xml"), fields)
            if event is None:
                gaps.append(Gap(Cause.MALFORMED, f"{channel} 日志有无法识别的记录", channel))
            elif event.id in ids and event.time >= since:
                found.append(event)
        most = about.number("limit") or 0
        found.sort(key=lambda e: (e.time, e.record))
        if len(rows) >= most or len(found) > limit:
            gaps.append(Gap(Cause.TOO_LARGE, f"{channel} 日志只采集了最近 {most} 条", channel))
        oldest, newest = _time(read.value, "oldest"), _time(read.value, "newest")
        state = next((r.text("enabled") for r in read.value if r.kind == "state"), "")
        enabled = {"true": True, "false": False}.get(state)
        if oldest is None and (found or enabled is None or channel.lower() in _NEVER_EMPTY):
            # A tool that printed nothing did not look: the state shows whether it speaks at all.
            return Unknown(Cause.MALFORMED, f"采集时没有得到 {channel} 日志的任何记录", channel)
        return Known(EventLog(tuple(found[-limit:]), oldest, newest, enabled), channel, tuple(gaps[:20]))


def _time(records: tuple[Record, ...], kind: str) -> float | None:
    found = next((r for r in records if r.kind == kind), None)
    return moment(found.text("time")) if found else None


class CollectedSecurity(Security):
    """Security centre, licence and restore points out of WMI."""

    def __init__(self, evidence: Evidence) -> None:
        super().__init__("采集脚本不取这类信息")
        self._evidence = evidence

    def products(self) -> Reading[tuple[SecurityProduct, ...]]:
        found: list[SecurityProduct] = []
        gaps: list[Gap] = []
        for kind in _KINDS:
            rows = self._evidence.rows("products", kind)
            read = mapped_rows(rows, _product)
            if isinstance(read, Unknown):
                gaps.append(read.as_gap())
            elif isinstance(read, Known):
                found += read.value
                gaps += [g for g in read.gaps if g not in gaps]
        if gaps and not found:
            return Unknown(gaps[0].cause, gaps[0].detail, "SecurityCenter2")
        return Known(tuple(found), "SecurityCenter2", tuple(gaps))

    def licence(self) -> Reading[Licence]:
        rows = self._evidence.rows("licence", "licence", "SoftwareLicensingProduct")
        if not isinstance(rows, Known):
            return rows
        if not rows.value:
            return Unknown(Cause.MALFORMED, "系统没有给出许可信息", "SoftwareLicensingProduct")
        row = rows.value[0]
        status = row.number("LicenseStatus")
        if len(rows.value) > 1 or status is None:
            return Unknown(Cause.MALFORMED, "许可信息无法识别", "SoftwareLicensingProduct")
        channel = _CHANNEL.search(row.text("Description"))
        host = row.text("KeyManagementServiceMachine") or row.text("DiscoveredKeyManagementServiceMachineName")
        return Known(Licence(status, channel[1].upper() if channel else "", host), "SoftwareLicensingProduct")

    def restore_points(self) -> Reading[tuple[float, ...]]:
        read = mapped_rows(self._evidence.rows("restore", "point"), _point)
        return Known(tuple(sorted(read.value)), "SystemRestore", read.gaps) if isinstance(read, Known) else read


def _product(r: Record) -> SecurityProduct | Gap:
    state = r.number("productState")
    if not r.text("displayName") or state is None:
        return Gap(Cause.MALFORMED, "安全中心的记录无法识别", "SecurityCenter2")
    # The bits are not documented. Off and outdated are believed, the opposite is not.
    return SecurityProduct(
        kind=r.kind,  # type: ignore[arg-type]
        name=r.text("displayName"),
        enabled=False if not state & 0xF000 else None,
        updated=False if state & 0xF0 else None,
        program=r.text("pathToSignedProductExe"),
    )


def _point(r: Record) -> float | Gap:
    when = cim_time(r.text("CreationTime"))
    return when if when is not None else Gap(Cause.MALFORMED, "还原点的时间无法识别", "SystemRestore")


class CollectedFiles(Files):
    """The hosts file; nothing is known about others."""

    def __init__(self, evidence: Evidence) -> None:
        super().__init__("采集脚本不取其他文件")
        self._evidence = evidence

    def text(self, *, path: str, limit: int = TEXT_LIMIT) -> Reading[str]:
        rows = self._evidence.rows("files", "file")
        if not isinstance(rows, Known):
            return rows
        row = next((r for r in rows.value if r.text("path").lower() == path.lower()), None)
        if row is None:
            return Unknown(Cause.NOT_RECORDED, f"采集结果没有 {path}", path)
        if row.text("state") == "absent":
            return Absent(path)
        data = self._evidence.members.get(row.text("member"))
        if row.text("state") != "copied" or data is None:
            return Unknown(Cause.TOOL_FAILED, f"采集时没有读到 {path}（{row.text('state')}）", path)
        if str(len(data)) != row.text("bytes"):
            return Unknown(Cause.INCOMPLETE, f"{path} 没有复制完整", path)
        if len(data) > limit:
            return Unknown(Cause.TOO_LARGE, f"{path}（上限 {limit // 1024} KiB）", path)
        try:
            return Known(decoded(data), path)
        except Malformed:
            return Unknown(Cause.MALFORMED, f"{path} 不是文字文件", path)
