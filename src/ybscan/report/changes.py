"""What changed since the terminal's last check, for its record. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ybscan.engine.compare import ThingChange, compare
from ybscan.model.result import Finding, ScanResult, Status
from ybscan.report.claims import Ref, claim
from ybscan.report.dates import day_text
from ybscan.report.model import Change
from ybscan.report.options import Options
from ybscan.report.parts import OPEN, checked_text, list_text
from ybscan.report.terminals import previous_of, record_number
from ybscan.report.text import Prose, data, prose

_NAMES = 8


def compared(result: ScanResult, options: Options) -> Prose:
    """With which earlier check, or that there was none to compare with."""
    earlier = previous_of(result, options.previous)
    if earlier is None:
        return Prose("没有提供上一次检查结果，未作对比。")
    number = record_number(earlier, options.numbers)
    return prose("与上一次检查（记录 {number}，{time}）对比。", number=number, time=checked_text(earlier))


def changes_of(result: ScanResult, options: Options, number: str, place: str) -> tuple[Change, ...]:
    """Findings, things and names that are no longer as they were; what stays 不符合 as well."""
    earlier = previous_of(result, options.previous)
    if earlier is None:
        return ()
    before = {f.rule_id: f for f in earlier.findings}
    old_number = record_number(earlier, options.numbers)
    changes = []
    for f in result.findings:
        old = before.get(f.rule_id)
        kind = _change(old.status if old else None, f.status)
        if kind:
            refs = (Ref(number, f.rule_id, place), Ref(old_number))
            was = old.status.text if old else "没有检查"
            text = claim(
                "上一次为“{was}”，本次为“{now}”{since}。",
                refs, shown=False, was=Prose(was), now=Prose(f.status.text), since=_since(f, options),
            )  # fmt: skip
            changes.append(Change(Prose(kind), f.rule_id, f.title, text))
    changes.extend(_gone(old, old_number) for i, old in before.items() if _lost(i, old, result))
    changes.extend(_things(result, earlier, (Ref(number, place=place), Ref(old_number))))
    return tuple(changes)


def _since(finding: Finding, options: Options) -> Prose:
    """Since when it has been so, where the history tells."""
    streak = options.streaks.get(finding.rule_id)
    if streak is None or streak.status is not finding.status or streak.checks < 2:
        return Prose("")
    again = prose("，第 {n} 次重复出现", n=streak.recurrences) if streak.recurrences else Prose("")
    since = Prose(day_text(streak.since))
    return prose(
        "，自{since}起连续 {n} 次检查（{w} 周）{again}", since=since, n=streak.checks, w=streak.weeks, again=again
    )


def _things(result: ScanResult, earlier: ScanResult, refs: tuple[Ref, ...]) -> Iterator[Change]:
    found = compare(earlier, result)
    for thing in found.things:
        text = claim("{what}", refs, shown=False, what=_told(thing))
        yield Change(Prose("清单变化"), "", thing.label, text)
    for sentence in found.identity:
        yield Change(Prose("标识变化"), "", "终端标识", claim("{what}。", refs, shown=False, what=data(sentence)))


def _told(thing: ThingChange) -> Prose:
    parts = []
    for word, names in (("新增", thing.added), ("减少", thing.removed)):
        if names:
            parts.append(
                prose("{word} {n} 项：{names}", word=Prose(word), n=len(names), names=list_text(names, limit=_NAMES))
            )
    if thing.unsure:
        parts.append(data(thing.unsure))
    return Prose("；".join(parts) + "。")


def _lost(rule_id: str, old: Finding, result: ScanResult) -> bool:
    return old.status is Status.FAIL and all(f.rule_id != rule_id for f in result.findings)


def _gone(old: Finding, old_number: str) -> Change:
    text = claim("上一次为“不符合”，本次没有检查。", (Ref(old_number),), shown=False)
    return Change(Prose("未复查"), old.rule_id, old.title, text)


def _change(before: Status | None, now: Status) -> str:
    """What happened to a finding; empty when there is nothing to report. Only 符合 closes a 不符合."""
    if now is Status.FAIL:
        return "仍未整改" if before is Status.FAIL else "新增问题"
    if before is Status.FAIL:
        if now is Status.PASS:
            return "已消除"
        return "已批准例外" if now is Status.WAIVED else "未能确认是否消除"
    return "变为未能确认" if now in OPEN and before is not None and before not in OPEN else ""
