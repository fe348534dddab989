"""``ybscan doctor``: what would be 无法判定 here and why, before the inspection."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from ybscan.cli import console
from ybscan.cli.options import NowOption, RootOption, RulesOption, SiteOption
from ybscan.cli.state import StateOption

if TYPE_CHECKING:
    from pathlib import Path

    from ybscan.engine.scan import Plan
    from ybscan.model.result import ScanResult

#: Detection data older than this may miss new products, days.
STALE_DAYS = 180
#: Exceptions that end within so many days are pointed out, days.
SOON_DAYS = 14
#: A copy of the history older than this is pointed out, days.
COPY_DAYS = 35
#: How many stale answers are named.
SHOWN = 6

_ADVICE = {
    "denied": "请以管理员身份（Linux 用 root 或 sudo）运行。",
    "not_configured": "请在 site.yml 中填写（可用 ybscan init 生成）。",
    "not_permitted": "需要单位书面同意后在 site.yml 中开启。",
    "tool_missing": "系统缺少该命令，专网终端不得为此安装软件；请改用人工核对并在记录中说明。",
    "unsupported": "此方式读不到该信息；请在该终端上直接运行 ybscan scan，或人工核对。",
    "not_recorded": "证据包中没有该信息；请用本版本重新采集。",
    "timeout": "请检查对应的磁盘或网络位置是否可用，再重试。",
    "unconfirmed": "线索不足以认定，请人工核实后处理或登记例外。",
    "unavailable": "系统没有提供该信息，请人工核对。",
    "incomplete": "请补全缺少的来源（以管理员身份运行、让系统保存日志等），或人工核对。",
    "malformed": "来源的内容损坏或写法特殊，请打开该来源人工核对。",
    "too_large": "来源过大没有读完，请人工核对。",
    "tool_failed": "请在该终端上手工执行该命令查看原因，或人工核对。",
}
_OTHER = "请按说明核对该来源；确认为程序问题的请反馈。"


def doctor(
    site: SiteOption = None,
    rules: RulesOption = None,
    root: RootOption = None,
    state: StateOption = None,
    now: NowOption = None,
) -> int:
    """体检：列出在本机上将无法判定的检查项、原因和解决办法。不写任何文件。"""
    from ybscan.cli import prepare
    from ybscan.cli.state import state_folder
    from ybscan.engine.scan import scan as run_scan
    from ybscan.hosts.recorder import recorded

    where = prepare.source(root=root, evidence=None, now=now)
    settings = prepare.site_path(site)
    plan = prepare.plan(rules=rules, site=settings, packs=[], only=[], now=where.now)
    host, _ = recorded(where.host, lambda: datetime.now().astimezone())
    with console.progress(quiet=False) as show:
        result = run_scan(host, plan, finished=lambda: where.now, progress=show)
    _environment(result, settings is not None)
    _stale(plan, where.now.date())
    _answers(rules, settings, where.now.date())
    _kept(state_folder(state, plan.loaded, settings), where.now.date())
    return _unknowns(result)


def _environment(result: ScanResult, has_site: bool) -> None:
    elevated = {True: "管理员", False: "普通用户（部分内容无权读取）", None: "无法确定"}[result.host.elevated]
    bits = f"    {result.host.process_bits} 位程序" if result.host.process_bits else ""
    console.emit(f"终端：{result.host.hostname or '未知'}（{result.host.os_version}）    运行身份：{elevated}{bits}\n")
    if not has_site:
        console.emit("没有单位配置文件 site.yml：凡需要单位批准清单的检查都将无法判定。请先运行 ybscan init。\n")


def _stale(plan: Plan, today: date) -> None:
    dated = plan.context.dictionary.date
    if dated and (today - date.fromisoformat(dated)).days > STALE_DAYS:
        console.emit(f"软件识别字典的日期为 {dated}，已超过 {STALE_DAYS} 天，可能漏掉新软件。请更新规则文件夹。\n")
    checked = plan.context.lifecycle.date
    if checked is not None and (today - checked).days > STALE_DAYS:
        console.emit(
            f"停止支持日期和最低版本表中最早核对的条目为 {checked}，已超过 {STALE_DAYS} 天，日期可能已有变化。请更新规则文件夹。\n"
        )
    for waiver in plan.loaded.waivers:
        left = (waiver.expires - today).days
        named = f"{waiver.rule}（文号 {waiver.document}，{waiver.expires} 到期）"
        if left < 0 and waiver.revoked is None:
            console.emit(f"例外已到期：{named}，该项恢复为“不符合”。仍需例外的，批准后用 ybscan waiver add 登记。\n")
        elif left <= SOON_DAYS and waiver.holds(today):
            console.emit(f"例外还有 {left} 天到期：{named}。请在到期前整改，或重新报批。\n")
    for broken in plan.registry.broken:
        console.emit(f"扩展检查程序 {broken.name} 无法加载：{broken.error}\n")


def _answers(rules: Path | None, settings: Path | None, today: date) -> None:
    """Answers of persons that are too old, or missing altogether."""
    from ybscan.cli.answers import given_answers, questions
    from ybscan.model.attestation import confirmed, last_answer

    asked = questions(rules)
    given = given_answers(None, settings, asked, quiet=True)
    old = [q.title for q in asked if last_answer(q, given) is not None and confirmed(q, given, today) is None]
    never = sum(last_answer(q, given) is None for q in asked)
    if old:
        shown = "、".join(old[:SHOWN]) + (f"等 {len(old)} 项" if len(old) > SHOWN else "")
        console.emit(f"人工确认的答复已过期：{shown}。请用 ybscan attest 重新确认。\n")
    if never:
        console.emit(f"还有 {never} 项人工确认事项没有答复，报告中将印为【未确认】。请用 ybscan attest 答复。\n")


def _kept(folder: Path, today: date) -> None:
    """What is wrong with what is remembered: the chain, missed Fridays, no copy elsewhere, overdue rectification."""
    from ybscan.cli.ledger import entries_of
    from ybscan.model.problem import InputProblems
    from ybscan.store.history import FILE, opened

    if not (folder / FILE).is_file():
        console.emit(f"还没有历史记录（{folder}）。ybscan scan 会自动保存每次检查。\n")
        return
    try:
        with opened(folder) as history:
            flaws = history.verify()
            copied = history.copied_at()
            late = [e for e in entries_of(history, today) if e.overdue(today)]
    except InputProblems as e:
        console.emit(f"历史记录不能使用：{e.problems[0]}\n")
        return
    if flaws:
        console.emit(f"历史记录核对有 {len(flaws)} 处不符：{flaws[0].message}。请用 ybscan history verify 查看。\n")
    if copied is None or (today - copied.date()).days > COPY_DAYS:
        when = "从未备份" if copied is None else f"最近一次备份在 {copied.date()}"
        console.emit(f"历史记录{when}。请用 ybscan history backup -o 另一处的文件夹 备份。\n")
    if late:
        console.emit(
            f"整改台账有 {len(late)} 条逾期，最早的期限为 {min(e.deadline for e in late if e.deadline)}。请用 ybscan ledger list 查看。\n"
        )


def _unknowns(result: ScanResult) -> int:
    from ybscan.model.result import Status

    unknown = [f for f in result.findings if f.status in (Status.UNKNOWN, Status.MANUAL)]
    if not unknown:
        console.emit("所有检查项都能得出结论。\n")
        return console.OK
    console.emit(f"\n以下 {len(unknown)} 项将无法判定：\n")
    for finding in unknown:
        console.emit(f"\n{finding.rule_id} {finding.title}\n  原因：{finding.reason}\n")
        for advice in _advice(finding.reason):
            console.emit(f"  办法：{advice}\n")
    return console.UNDETERMINED


def _advice(reason: str) -> list[str]:
    from ybscan.model.reading import Cause

    return [_ADVICE.get(c.value, _OTHER) for c in Cause if c.text in reason] or [_OTHER]
