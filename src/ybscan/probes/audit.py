"""What is recorded of logins and of changes to accounts: the audit service, its rules, the system log.

Sources: auditd(8), auditd.conf(5), augenrules(8) (rules.d is put together into audit.rules at each start), auditctl(8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._logs.audit_rules import AuditRules, covered, joined, parse_rules
from ybscan.probes.base import Context, Probe

_DAEMONS = ("/usr/sbin/auditd", "/sbin/auditd")
#: Other programs that take the kernel's audit records.
_OTHERS = frozenset({"auditbeat", "go-audit", "osqueryd", "wazuh-agentd", "laurel"})
_LOGGERS = ("rsyslogd", "syslog-ng", "systemd-journald", "systemd-journal", "syslogd")
_RULES_FOLDER = "/etc/audit/rules.d"
_RULES_FILE = "/etc/audit/audit.rules"
#: What has to be watched, in words; a folder with a slash at the end.
_OBJECTS = (
    ("/etc/passwd", "账户文件"), ("/etc/shadow", "口令文件"), ("/etc/group", "组文件"), ("/etc/gshadow", "组口令文件"),
    ("/etc/sudoers", "提权配置"), ("/etc/sudoers.d/", "提权配置"),
)  # fmt: skip


class AuditProbe(Probe):
    """Whether auditing is on, and what it watches."""

    name = "audit"
    title = "安全审计"
    facts = (
        FactSpec(
            "running", Kind.BOOLEAN, "审计服务运行状态", words=("正在运行", "未运行"),
            linux="auditd 进程；没有安装时为未运行", windows="审计由系统内核完成，见各审核子类别",
        ),
        FactSpec(
            "recording", Kind.BOOLEAN, "内核审计开关", words=("已打开", "已关闭"),
            linux="auditctl -s 的 enabled", windows="",
        ),
        FactSpec(
            "objects", Kind.ITEMS, "账户和权限文件的改动审计",
            help="对象的写入和属性修改是否被记录：在内核中生效，并写在规则文件中（重新启动后仍有效）。",
            linux="auditctl -l；/etc/audit/rules.d/*.rules 与 /etc/audit/audit.rules", windows="",
            fields=(
                Field("path", Kind.TEXT, "对象"),
                Field("title", Kind.TEXT, "名称"),
                Field("loaded", Kind.BOOLEAN, "正在审计"),
                Field("configured", Kind.BOOLEAN, "写入规则文件"),
            ),
            summary="{title} {path}（正在审计：{loaded}，写入规则文件：{configured}）",
        ),
        FactSpec(
            "system_log", Kind.BOOLEAN, "系统日志服务运行状态", words=("正在运行", "未运行"),
            linux="systemd-journald、rsyslogd、syslog-ng 进程", windows="EventLog 服务",
        ),
        FactSpec(
            "subcategories", Kind.ITEMS, "审核子类别", linux="",
            windows="AuditQuerySystemPolicy（按子类别 GUID；第 0 位成功，第 1 位失败）",
            fields=(
                Field("guid", Kind.TEXT, "GUID"),
                Field("title", Kind.TEXT, "子类别"),
                Field("success", Kind.BOOLEAN, "审核成功"),
                Field("failure", Kind.BOOLEAN, "审核失败"),
                Field("needs_failure", Kind.BOOLEAN, "须审核失败"),
            ),
            summary="{title}（成功：{success}，失败：{failure}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        installed = _installed(host)
        return {
            "running": _running(host, installed),
            "recording": _recording(host, installed),
            "objects": _objects(host, installed),
            "system_log": _system_log(host),
            "subcategories": Absent("Windows 的审核策略"),
        }


def _installed(host: Host) -> bool | Unknown:
    for path in _DAEMONS:
        found = host.files.stat(path=path)
        if isinstance(found, Unknown):
            return found
        if isinstance(found, Known):
            return True
    return False


def _running(host: Host, installed: bool | Unknown) -> Fact:
    running = host.processes.running()
    names = {p.name for p in running.value} if isinstance(running, Known) else set()
    if "auditd" in names:
        return Known(True, "auditd")
    if others := sorted(names & _OTHERS):
        return Unknown(Cause.UNCONFIRMED, f"由 {'、'.join(others)} 收集审计记录，请在该产品中核对", others[0])
    if installed is False and not (isinstance(running, Known) and running.gaps):
        return Known(False, "没有安装 auditd")
    if isinstance(running, Known):
        gap = next((g for g in running.gaps if g.origin == "/proc"), None)
        return Unknown(gap.cause, gap.detail, gap.origin) if gap else Known(False, "auditd")
    return running


def _auditctl(host: Host, option: str, installed: bool | Unknown) -> str | Unknown | None:
    """What auditctl says; None where there is nothing to ask."""
    if installed is False:
        return None
    output = host.tools.run(tool="AUDITCTL", args=(option,))
    shown = f"auditctl {option}"
    if not isinstance(output, Known):
        return output if isinstance(output, Unknown) else Unknown(Cause.UNAVAILABLE, shown, shown)
    if output.value.code != 0:
        denied = "root" in output.value.stderr or "permitted" in output.value.stderr
        return Unknown(Cause.DENIED if denied else Cause.TOOL_FAILED, shown, shown)
    if not output.value.stdout.strip():
        return Unknown(Cause.MALFORMED, f"{shown} 没有输出", shown)
    return output.value.stdout


def _recording(host: Host, installed: bool | Unknown) -> Fact:
    said = _auditctl(host, "-s", installed)
    if said is None:
        return Known(False, "没有安装 auditd")
    if isinstance(said, Unknown):
        return said
    # "enabled 1" (audit 2.3.3 and later), "AUDIT_STATUS: enabled=1 …" before; 2 is on and locked.
    m = re.search(r"\benabled[ =](\d)\b", said)
    return Known(m[1] in "12", "auditctl -s") if m else Unknown(Cause.MALFORMED, "auditctl -s", "auditctl -s")


def _objects(host: Host, installed: bool | Unknown) -> Fact:
    said = _auditctl(host, "-l", installed)
    loaded: AuditRules | Unknown
    if isinstance(said, Unknown):
        loaded = said
    else:
        loaded = parse_rules(said or "")
        if loaded.strange:
            loaded = Unknown(Cause.MALFORMED, "auditctl -l 的输出无法识别", "auditctl -l")
    gaps: list[Gap] = []
    written = _written(host, gaps)
    items: list[Item] = []
    for path, title in _OBJECTS:
        there = host.files.stat(path=path.rstrip("/"))
        if isinstance(there, Absent):
            continue
        # A folder is watched when a new file in it would be.
        inside = str(PurePosixPath(path) / "new") if path.endswith("/") else path
        live: FieldValue = loaded if isinstance(loaded, Unknown) else covered(loaded, inside)
        kept: FieldValue = covered(written, inside)
        if not kept and gaps:
            kept = Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin)
        elif not kept and live is True:
            kept = Unknown(Cause.UNCONFIRMED, "规则正在生效，但没有找到写入它的规则文件，重新启动后可能失效")
        elif not kept and isinstance(live, Unknown) and live.cause is not Cause.UNSUPPORTED:
            kept = live  # what cannot be seen in the kernel may have come from elsewhere than the usual files
        if isinstance(there, Unknown):
            live, kept = (there if v is False else v for v in (live, kept))
        items.append({"path": path, "title": title, "loaded": live, "configured": kept})
    return Known(tuple(items), "auditctl -l、/etc/audit")


def _written(host: Host, gaps: list[Gap]) -> AuditRules:
    names = host.files.entries(path=_RULES_FOLDER)
    if isinstance(names, Unknown):
        gaps.append(names.as_gap())
    files = [f"{_RULES_FOLDER}/{n}" for n in names.value if n.endswith(".rules")] if isinstance(names, Known) else []
    parts: list[AuditRules] = []
    for path in (*files, _RULES_FILE):
        text: Reading[str] = host.files.text(path=path)
        if isinstance(text, Unknown):
            gaps.append(text.as_gap())
        elif isinstance(text, Known):
            parts.append(parse_rules(text.value))
    return joined(parts)


def _system_log(host: Host) -> Fact:
    running = host.processes.running()
    if not isinstance(running, Known):
        return running
    if any(p.name in _LOGGERS for p in running.value):
        return Known(True, running.origin)
    gap = next((g for g in running.gaps if g.origin == "/proc"), None)
    return Unknown(gap.cause, gap.detail, gap.origin) if gap else Known(False, running.origin)


PROBES = (AuditProbe(),)
