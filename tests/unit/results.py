"""Handmade results for the tests of documents. Built from findings; counts and digest as a scan makes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ybscan.engine.coverage import coverage
from ybscan.engine.summary import summary
from ybscan.model.result import (
    Finding,
    FindingWaiver,
    HostInfo,
    Observation,
    PackInfo,
    ScanResult,
    Status,
    Tool,
)
from ybscan.model.rule import Severity

PACKS = {
    "password-policy": "口令与登录",
    "usb-lockdown": "移动介质管控",
    "internet-isolation": "互联网隔离",
    "backup-freshness": "数据备份",
    "antivirus": "病毒防护",
}
FIX = '以管理员身份运行命令提示符，执行：\nreg add "HKLM\\SYSTEM\\CurrentControlSet\\Services\\USBSTOR" /v Start /t REG_DWORD /d 4 /f'


def observed(
    status: Status, sentence: str, *, fact: str = "probe.fact", origin: str = "/etc/example.conf"
) -> Observation:
    return Observation(fact=fact, status=status, sentence=sentence, origin=origin, value=None)


def finding(
    rule_id: str,
    status: Status = Status.PASS,
    *,
    title: str = "",
    pack: str = "password-policy",
    severity: Severity = Severity.HIGH,
    sentence: str = "",
    origin: str = "/etc/example.conf",
    reason: str = "",
    clauses: tuple[str, ...] = ("gz-2-4-set",),
    remediation: str = FIX,
    method: str = "读取系统配置，与要求比对。",
    observations: tuple[Observation, ...] | None = None,
    waiver: FindingWaiver | None = None,
) -> Finding:
    """One finding; with a sentence unless it is given its observations."""
    said = sentence or {
        Status.PASS: f"{rule_id} 的设置为“已启用”，要求为“已启用”",
        Status.FAIL: f"{rule_id} 的设置为“未启用”，要求为“已启用”",
        Status.UNKNOWN: f"{rule_id} 的设置无法读取：权限不足（/etc/shadow）",
        Status.DELEGATED: "本项由北信源管控，检查时其进程 VRVEDP_M.exe 正在运行；管控策略需在该产品中核对",
        Status.WAIVED: f"{rule_id} 的设置为“未启用”，要求为“已启用”",
    }.get(status, "")
    if observations is None:
        observations = (observed(status, said, origin=origin),) if said else ()
    if not reason and status in (Status.UNKNOWN, Status.DELEGATED):
        reason = "；".join(o.sentence for o in observations)
    if not reason and status is Status.NOT_APPLICABLE:
        reason = "本规则不适用于 Linux 系统"
    if not reason and status is Status.MANUAL:
        reason = "须由人工核对台账"
    if waiver is None and status is Status.WAIVED:
        waiver = FindingWaiver(
            reason="设备更换前暂缓", approver="王主任", document="示院信〔2026〕12 号", approved="2026-09-01",
            expires="2026-12-31",
        )  # fmt: skip
    return Finding(
        rule_id=rule_id, pack=pack, title=title or f"{rule_id} 所列设置已启用", severity=severity, status=status,
        reason=reason, method=method, observations=observations, clauses=clauses,
        remediation=remediation if status in (Status.FAIL, Status.WAIVED, Status.UNKNOWN) else "", waiver=waiver,
    )  # fmt: skip


def result(
    findings: Iterable[Finding],
    *,
    id: str = "YB-0001",
    hostname: str = "SFC-01",
    macs: tuple[str, ...] = ("00:1a:2b:3c:4d:01",),
    addresses: tuple[str, ...] = ("10.20.1.11",),
    started_at: str = "2026-11-20T09:05:00+08:00",
    finished_at: str = "2026-11-20T09:06:40+08:00",
    unit: dict[str, str] | None = None,
    people: dict[str, str] | None = None,
    **host: Any,
) -> ScanResult:
    """A sealed result."""
    found = tuple(findings)
    used = dict.fromkeys(f.pack for f in found)
    info = {
        "os": "linux", "os_version": "Kylin Linux Desktop V10 (SP1)", "arch": "x86_64", "role": "settlement",
        "backend": "live", "elevated": True, "department": "收费处", "owner": "李收费",
    } | host  # fmt: skip
    return ScanResult(
        tool=Tool(name="ybscan", version="0.1.0"),
        host=HostInfo(id=id, hostname=hostname, macs=macs, addresses=addresses, **info),
        unit={"name": "示例市人民医院", "kind": "hospital", "self": "我院"} if unit is None else unit,
        people={"inspector": "张信息", "reviewer": "赵科长"} if people is None else people,
        started_at=started_at,
        finished_at=finished_at,
        packs=tuple(PackInfo(id=p, title=PACKS.get(p, p), version="1.0", sha256=p[:1].encode().hex() * 32) for p in used),
        site_sha256="5" * 64,
        summary=summary(found),
        findings=found,
        coverage=coverage(found),
    ).sealed()  # fmt: skip


#: id, title, pack, severity, clauses: a cut through the subjects, with clauses of the real catalogue.
RULES = (
    ("PWD-01", "口令最小长度不少于 8 位", "password-policy", Severity.HIGH, ("gz-2-4", "gbt22239-8.1.4.1a")),
    ("PWD-05", "没有空口令账户", "password-policy", Severity.CRITICAL, ("gz-2-4-set", "gbt22239-8.1.4.1a")),
    ("PWD-06", "未启用自动登录", "password-policy", Severity.CRITICAL, ("gz-2-4-set", "zc-4-2-boot")),
    ("USB-01", "USB 存储驱动已禁用", "usb-lockdown", Severity.CRITICAL, ("gz-2-2", "putian2019-120-4")),
    ("USB-02", "检查时没有接入移动存储设备", "usb-lockdown", Severity.HIGH, ("gz-2-2",)),
    ("NET-01", "默认路由只经过批准的网关", "internet-isolation", Severity.CRITICAL, ("gz-2-5", "nhsa2021-23-isolation")),
    ("NET-05", "无线网卡未启用", "internet-isolation", Severity.HIGH, ("gbt22239-8.1.3.1d",)),
    ("BAK-01", "业务数据备份不超过 24 小时", "backup-freshness", Severity.HIGH, ("gz-2-1-backup", "gbt22239-8.1.4.9a")),
    ("AV-01", "已安装并运行防病毒软件", "antivirus", Severity.HIGH, ("zc-5-2-av",)),
    ("AV-02", "病毒库不超过 7 天", "antivirus", Severity.MEDIUM, ("zc-2-2-weekly",)),
)  # fmt: skip


def findings(statuses: dict[str, Status] | Status = Status.PASS, **more: Any) -> tuple[Finding, ...]:
    """A finding for each of :data:`RULES`: one status for all, or by rule (符合 where not named)."""
    return tuple(
        finding(
            rule_id, statuses if isinstance(statuses, Status) else statuses.get(rule_id, Status.PASS), title=title,
            pack=pack, severity=severity, clauses=clauses, **more,
        )
        for rule_id, title, pack, severity, clauses in RULES
    )  # fmt: skip


HOSTILE = (
    "<script>document.title='pwned';alert(1)</script>", "{{7*7}}{% raw %}${7*7}", "a|b`c`*d*_e_[f](javascript:alert(1))<b>",
    "\u202egnp.exe\u202c", "\ud800 lone", "null\x00bell\x07esc\x1b[31m", "新行\n## 二、伪造的标题\n| 假 | 表 |", "长" * 10_000,
    "\"><img src=x onerror=alert(1)>", "# 标题", "- 项", "1. 项", "&lt;b&gt;", "http://evil.example/?a=b", "\x02\x03\x0e\x0f",
    "שלום world", "系统无病毒，确保无隐患", "20xx年", "</title><svg onload=alert(1)>", "```\n```", "\u0300" * 40 + "z",
)  # fmt: skip
"""Names that were made to break documents."""


def pharmacy() -> ScanResult:
    """One terminal, everything in order."""
    unit = {"name": "示例市康民大药房", "kind": "pharmacy"}
    return result(findings(), id="YD-01", hostname="CASH-1", unit=unit, people={}, department="门店", owner="陈店长")


def everything_wrong() -> ScanResult:
    """Every rule fails, seen on a Thursday."""
    return result(
        findings(Status.FAIL),
        id="YB-0007",
        started_at="2026-11-19T16:30:00+08:00",
        finished_at="2026-11-19T16:31:00+08:00",
    )


def nothing_readable() -> ScanResult:
    """A disk without anything to read, no site file."""
    return result(
        findings(Status.UNKNOWN), id="unknown", hostname="", macs=(), addresses=(), unit={}, people={}, os_version="",
        arch="", backend="offline", elevated=None, department="", owner="",
    )  # fmt: skip


def hostile() -> ScanResult:
    """Names that attack the document, in every place that carries data."""
    found = [
        finding(
            f"HOST-{i:02}", list(Status)[i % 7], title=name, sentence=name, origin=name, method=name, remediation=name,
            reason=name, clauses=("gz-2-4",),
        )
        for i, name in enumerate(HOSTILE, 1)
    ]  # fmt: skip
    bad = HOSTILE[0]
    unit = {"name": HOSTILE[8], "kind": "hospital", "self": HOSTILE[2]}
    return result(found, id=bad, hostname=HOSTILE[6], macs=(HOSTILE[3],), addresses=(HOSTILE[2],), unit=unit,
                  people={"inspector": HOSTILE[1], "leader": HOSTILE[4]}, department=HOSTILE[7], owner=HOSTILE[6])  # fmt: skip


def hospital() -> tuple[ScanResult, ...]:
    """Several terminals of a hospital, one of them checked twice."""
    F, U, N, W, D, M = (
        Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE, Status.WAIVED, Status.DELEGATED, Status.MANUAL,
    )  # fmt: skip
    early = {"started_at": "2026-11-13T09:00:00+08:00", "finished_at": "2026-11-13T09:02:00+08:00"}
    return (
        result(findings({"PWD-01": F, "USB-01": F}), **early),
        result(findings({"USB-01": F, "AV-02": U}), people={"inspector": "张信息", "leader": "孙院长"}),
        result(findings({"NET-05": N, "USB-01": D, "USB-02": D}), id="YB-0002", hostname="SFC-02", macs=("00:1a:2b:3c:4d:02",), addresses=("10.20.1.12",), owner="周收费"),
        result(findings({"PWD-06": F, "BAK-01": U, "USB-01": W, "AV-01": M}), id="YB-0003", hostname="YJK-01", macs=("00:1a:2b:3c:4d:03",), addresses=("10.20.1.13",), department="医保科", owner="", role="office", elevated=False, started_at="2026-11-19T15:00:00+08:00", finished_at="2026-11-19T15:01:30+08:00"),
    )  # fmt: skip
