"""The ledger as the table that units hand in. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from ybscan.model.ledger import Entry, EntryStatus

HEADINGS = (
    "序号", "问题编号", "发现日期", "来源", "终端/部位", "问题描述", "违反条款", "风险等级", "整改措施", "责任人", "责任领导",
    "承办科室", "完成期限", "状态", "延期情况", "最近复查日期", "复查情况", "销号日期", "销号依据", "重复次数", "备注",
)  # fmt: skip

_SOURCES = {"check": "工具检查", "person": "人工", "authority": "上级通报"}


def rows(entries: Iterable[Entry], today: date | None) -> list[tuple[str, ...]]:
    """One row per entry. Blank where nobody has said anything; nothing is filled in for a person."""
    return [
        (
            str(number), e.id, e.opened.isoformat(), _SOURCES[e.source], e.terminal,
            f"{e.rule_id} {e.title}".strip() + (f"：{e.problem}" if e.problem else ""), "；".join(e.clauses), e.severity.text,
            e.measures, e.owner, e.leader, e.department, e.deadline.isoformat() if e.deadline else "", _status(e, today),
            "；".join(e.extensions), e.last_seen.isoformat() if e.source == "check" else "", _recheck(e),
            e.closed.isoformat() if e.closed else "", _basis(e), str(e.recurrences), "；".join(e.notes),
        )
        for number, e in enumerate(entries, 1)
    ]  # fmt: skip


def _status(entry: Entry, today: date | None) -> str:
    if today is not None and entry.deadline is not None and entry.overdue(today):
        return f"{entry.status.text}（逾期 {(today - entry.deadline).days} 天）"
    if entry.status is EntryStatus.ACCEPTED:
        return f"{entry.status.text}（{entry.waiver}，至 {entry.waived_until}）"
    return entry.status.text


def _recheck(entry: Entry) -> str:
    if entry.source != "check":
        return ""
    if entry.closed is not None and not entry.closer:
        return "符合"
    return "最近一次检查没有判定" if entry.unchecked else f"不符合（共 {entry.checks_failed} 次）"


def _basis(entry: Entry) -> str:
    if entry.closed is None:
        return ""
    return f"{entry.basis}（{entry.closer}）" if entry.closer else f"历史第 {entry.closed_by} 号检查"
