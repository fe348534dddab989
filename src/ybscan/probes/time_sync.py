"""Whether the clock follows the unit's time server, and whether it was set back. Nothing is sent.

Sources: adjtimex(2); the configuration of chrony, ntpd and systemd-timesyncd; records whose times run backwards in wtmp
and between journal files; systemd-timedated's message when someone sets the time.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.model.site import Site
from ybscan.probes._logs.journal_files import read_journal_files
from ybscan.probes._logs.journal_query import query
from ybscan.probes._patterns import folded
from ybscan.probes._time_sources import PROCESSES, Source, configured, installed
from ybscan.probes.base import Context, Probe

#: systemd's message "the time was changed"; systemd itself sends it too, for every step of the clock.
_TIME_CHANGE = "MESSAGE_ID=c7a787079b354eaaa9e77b371893cd27"
_TIMEDATED = ("systemd-timedat", "systemd-timedated")
_WTMP = ("/var/log/wtmp", "/var/log/wtmp.1")
_STEP = timedelta(minutes=5)
_UNWRITTEN = "未写明的服务器"
#: Names of servers on the Internet that come with distributions.
_PUBLIC = (
    "ntp.org", "ntp.ubuntu.com", "ntp.aliyun.com", "ntp.tencent.com", "cloud.tencent.com", "time.windows.com",
    "time.google.com", "time.cloudflare.com", "time.apple.com", "ntp.ntsc.ac.cn", "time.edu.cn", "debian.org",
    "centos.org", "fedoraproject.org", "ntp.chinaunicom.cn",
)  # fmt: skip


class TimeSyncProbe(Probe):
    """Time sources, the state of the clock, and signs of a clock set back."""

    name = "time_sync"
    title = "时间同步"
    facts = (
        FactSpec(
            "servers", Kind.ITEMS, "时间服务器",
            help="正在运行的时间同步服务所配置的服务器；没有运行时列出已配置的。",
            linux="chrony.conf、ntp.conf、timesyncd.conf 及其引用的文件",
            windows="W32Time\\Parameters 的 NtpServer、Type，组策略 Policies\\Microsoft\\W32Time 优先",
            fields=(
                Field("server", Kind.TEXT, "服务器"),
                Field("program", Kind.TEXT, "同步服务"),
                Field("path", Kind.TEXT, "配置文件"),
                Field("approved", Kind.BOOLEAN, "单位登记的时间服务器"),
            ),
            summary="{server}（{program}，{path}）",
        ),
        FactSpec(
            "required", Kind.BOOLEAN, "单位已登记时间服务器", words=("已登记", "未登记"),
            linux="site.yml 的 time.servers", windows="site.yml 的 time.servers",
        ),
        FactSpec(
            "running", Kind.BOOLEAN, "时间同步服务", words=("已启用", "未启用"),
            linux="chronyd、ntpd、systemd-timesyncd 进程",
            windows="W32Time\\Parameters 的 Type 不为 NoSync，NtpClient 的 Enabled；服务按需启动，停止状态不算未启用",
        ),
        FactSpec(
            "synchronised", Kind.BOOLEAN, "系统时钟状态", words=("已同步", "未同步"),
            linux="adjtimex(2) 的 STA_UNSYNC", windows="Microsoft-Windows-Time-Service 事件中最近一次同步",
        ),
        FactSpec(
            "max_error", Kind.NUMBER, "时钟误差上限", unit="秒",
            help="内核按时间源和上次同步后经过的时间推算的误差上限。", linux="adjtimex(2) 的 maxerror",
            windows="最近一次同步事件之后经过时间的推算",
        ),
        FactSpec(
            "offset", Kind.NUMBER, "与单位时间服务器的偏差", unit="秒",
            help="绝对值。需要向服务器发送查询，站点文件 reach 中没有 ntp 时不查询。", linux="SNTP 查询", windows="SNTP 查询",
        ),
        FactSpec(
            "measured", Kind.BOOLEAN, "已实测与时间服务器的偏差", words=("已实测", "未实测"),
            linux="SNTP 查询", windows="SNTP 查询",
        ),
        FactSpec(
            "changes", Kind.ITEMS, "系统时间被改动的痕迹",
            help="检查周期内时间倒退或被手工设置的痕迹；启动后的正常校时不算。",
            linux="wtmp 与 /var/log/journal 中时间倒退的记录，systemd-timedated 的记录",
            windows="Security 4616（时间服务和 SYSTEM 的除外）",
            fields=(
                Field("kind", Kind.TEXT, "情况"),
                Field("time", Kind.TIME, "时间"),
                Field("minutes", Kind.INTEGER, "倒退", "分钟"),
                Field("source", Kind.TEXT, "依据"),
                Field("unauthorised", Kind.BOOLEAN, "擅自改动"),
            ),
            summary="{kind}（{time}，倒退 {minutes}，{source}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        running = host.processes.running()
        active: list[str] = []
        if isinstance(running, Known):
            names = {p.name for p in running.value}
            active = [p for p, processes in PROCESSES.items() if names & set(processes)]
        service: Fact = Known(bool(active), "、".join(active) or "运行中的进程")
        if not isinstance(running, Known):
            service = running
        elif not active and (gap := next((g for g in running.gaps if g.origin == "/proc"), None)):
            service = Unknown(gap.cause, gap.detail, gap.origin)
        clock = host.system.clock()
        return {
            "servers": _servers(host, active, context.site),
            "required": _required(context.site),
            "running": service,
            "synchronised": Known(clock.value.synchronised, clock.origin) if isinstance(clock, Known) else clock,
            "max_error": Known(clock.value.max_error, clock.origin) if isinstance(clock, Known) else clock,
            "offset": _offset(context.site),
            "measured": Known(False, "未发送查询"),
            "changes": _changes(host, context),
        }


def _required(site: Site) -> Fact:
    if site.time.servers is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 time.servers", "site.yml")
    return Known(True, "site.yml")


def _offset(site: Site) -> Fact:
    if "ntp" not in site.reach:
        return Unknown(Cause.NOT_PERMITTED, "site.yml 的 reach 中没有 ntp，不向时间服务器发送查询", "site.yml")
    return Unknown(Cause.UNSUPPORTED, "本版本不主动查询时间服务器", "site.yml")


def _servers(host: Host, active: list[str], site: Site) -> Fact:
    gaps: list[Gap] = []
    sources: list[Source] = []
    for program in active or PROCESSES:
        unread: list[Gap] = []
        found = configured(host, program, unread)
        gaps += unread
        there = program in active or installed(host, program)
        if isinstance(there, Unknown):
            gaps.append(there.as_gap())
        if not found and not unread and there is True:
            # DHCP may hand servers out, and timesyncd has some built in.
            found = [Source(_UNWRITTEN, program, "无")]
        sources += found
    items: list[Item] = []
    for source in dict.fromkeys(sources):
        approved = _approved(source, site)
        if approved is False and gaps:
            # A file that could not be read may have taken this server back.
            approved = Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin)
        items.append({"server": source.server, "program": source.program, "path": source.path, "approved": approved})
    return Known(tuple(items), "时间同步配置", tuple(dict.fromkeys(gaps)))


def _approved(source: Source, site: Site) -> FieldValue:
    servers = site.time.servers
    if servers is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 time.servers")
    if source.server == _UNWRITTEN:
        return Unknown(Cause.UNCONFIRMED, f"{source.program} 没有写明服务器，可能使用内置的或由 DHCP 下发的服务器")
    if source.own:
        return Unknown(Cause.UNCONFIRMED, "以本机时钟作时间源，不能确认当前依据哪一个")
    name = folded(source.server).rstrip(".")
    listed = {folded(s).rstrip(".") for s in servers}
    if name in listed:
        return True
    if any(name == p or name.endswith(f".{p}") for p in _PUBLIC):
        return False
    # A name and an address may be the same server: nothing is resolved here.
    others = [s for s in listed if _is_address(s) != _is_address(name)]
    return Unknown(Cause.UNCONFIRMED, f"{source.server} 与登记的地址或名称是否同一台不能确认") if others else False


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


# -------------------------------------------------------------------------------------------------- signs of a change


def _changes(host: Host, context: Context) -> Fact:
    start = context.now - context.window
    gaps: list[Gap] = []
    items = [*_logins(host, start, gaps), *_journal(host, start, gaps), *_by_hand(host, start, gaps)]
    zone = context.now.tzinfo
    shown = [{**i, "time": i["time"].astimezone(zone) if isinstance(i["time"], datetime) else None} for i in items]
    shown.sort(key=lambda i: (str(i["time"]), str(i["source"])))
    origin = f"登录记录与系统日志，自 {start:%Y-%m-%d %H:%M} 起"
    return Known(tuple(shown), origin, tuple(dict.fromkeys(gaps)))


def _logins(host: Host, start: datetime, gaps: list[Gap]) -> Iterator[Item]:
    for path in _WTMP:
        log = host.logs.login_log(path=path)
        if isinstance(log, Unknown):
            gaps.append(log.as_gap())
        for step in log.value.steps if isinstance(log, Known) else ():
            if max(step.before, step.after) >= start.timestamp() and not step.at_boot:
                yield _back(datetime.fromtimestamp(step.before, UTC), datetime.fromtimestamp(step.after, UTC), path)


def _back(before: datetime, after: datetime, source: str) -> Item:
    why = Unknown(Cause.UNCONFIRMED, "可能是人为改动，也可能是主板电池耗尽或正常校时")
    return {
        "kind": "系统时间倒退", "time": after, "minutes": int((before - after).total_seconds() // 60), "source": source,
        "unauthorised": why,
    }  # fmt: skip


def _journal(host: Host, start: datetime, gaps: list[Gap]) -> Iterator[Item]:
    kept = read_journal_files(host)
    if isinstance(kept, Unknown):
        gaps.append(kept.as_gap())
    if isinstance(kept, (Unknown, Absent)):
        return
    gaps += kept.gaps
    own = sorted(kept.system, key=lambda f: (f.sequence, f.first_number))
    for one, other in pairwise(own):
        # journald begins a new file when the clock jumps back.
        backwards = one.sequence == other.sequence and other.first < one.last - _STEP
        if backwards and max(one.last, other.first) >= start:
            yield _back(one.last, other.first, "系统日志文件的起止时间")


def _by_hand(host: Host, start: datetime, gaps: list[Gap]) -> Iterator[Item]:
    since = f"--since=@{int(start.timestamp())}"
    answer = query(host, _TIME_CHANGE, ("_COMM",), since)
    # Most weeks there is no such message. Asked twice, a journalctl that fails in silence does not look like that.
    again = query(host, _TIME_CHANGE, ("_COMM",), since, lines=1)
    for one in (answer, again):
        if isinstance(one, Unknown):
            if one.cause is not Cause.UNSUPPORTED:
                gaps.append(one.as_gap())
            return
    assert not isinstance(answer, Unknown)  # noqa: S101 - both were looked at
    assert not isinstance(again, Unknown)  # noqa: S101
    records, malformed = answer
    if bool(records) != bool(again[0]):
        gaps.append(Gap(Cause.TOOL_FAILED, "journalctl 前后两次的回答不一致", "journalctl"))
    if malformed:
        gaps.append(Gap(Cause.MALFORMED, f"journalctl 的输出中有 {malformed} 行无法识别", "journalctl"))
    for when, fields in records:
        if fields["_COMM"] in _TIMEDATED:
            why = Unknown(Cause.UNCONFIRMED, "系统时间被手工设置，是否经批准由单位确认")
            yield {
                "kind": "手工设置系统时间", "time": when, "minutes": None, "source": "systemd-timedated 的记录",
                "unauthorised": why,
            }  # fmt: skip


PROBES = (TimeSyncProbe(),)
