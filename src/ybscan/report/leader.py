"""The page for the leader: the six questions that are asked, answered from the newest check of each terminal and the ledger.

Every answer carries its evidence. What a check cannot know (whether a backup would restore, whether anything leaked) is
left to the person who reports. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from ybscan.model.ledger import Entry, EntryStatus
from ybscan.model.result import Finding, ScanResult, Status
from ybscan.report.claims import UNCONFIRMED, Claim, Ref, claim
from ybscan.report.dates import day_text, range_text
from ybscan.report.figures import weeks_of
from ybscan.report.model import LeaderAnswer, LeaderPage
from ybscan.report.options import Options
from ybscan.report.parts import OPEN, attested, evidence_of, grade_of, intact, list_text, redaction_note, self_name
from ybscan.report.terminals import Checks, day, grouped, record_number, when
from ybscan.report.text import Prose, data, joined, prose

_NAMES = 8
#: What the second question asks about: words for the answer, and the rules that answer it.
_TRESPASSES = (
    (
        "通向互联网的路径、代理、热点等",
        ("NET-01", "NET-02", "NET-03", "NET-04", "NET-05", "NET-06", "NET-07", "NET-08"),
    ),
    ("未登记的移动介质", ("USB-04", "USB-05")),
    ("禁止的软件和攻击工具", ("SW-01", "SW-05")),
)
#: Rules whose 不符合 a technician alone cannot mend: money, machines or an approval are needed.
_DECISIONS = {
    "OS-01": "操作系统已停止支持，需要升级、更换或停用",
    "HW-01": "磁盘或空间有故障迹象，需要更换或扩容",
    "UPS-01": "不间断电源需要配备或更换",
    "AV-04": "杀毒软件需要采购批准的国产产品",
}
_SUBJECTS = {
    "OS-01": Prose("操作系统支持期限"), "HW-01": Prose("磁盘状况"), "UPS-01": Prose("不间断电源"),
    "AV-04": Prose("杀毒软件产品"),
}  # fmt: skip
_SOON_DAYS = 30
_INCOMPLETE = Prose("应检终端的数量未经确认或者仍有终端没有检查，以下内容只对已检查的终端而言。")
#: Weeks in the table of rates: what leaves the page one page.
_WEEKS = 5


def build_leader(results: tuple[ScanResult, ...], options: Options) -> LeaderPage:
    """The view of the page.

    Raises:
        EvidenceMissing: an answer would rest on nothing.
    """
    groups = grouped(results)
    latest = [g.latest for g in groups]
    newest = max(latest, key=lambda r: (when(r), r.digest))
    today = options.today or day(newest)
    for result in latest:
        for finding in result.findings:
            evidence_of(finding, Ref(record_number(result, options.numbers), finding.rule_id))  # refuses a bare verdict
    page = _Page(latest, options, today)
    findings = tuple(f for r in latest for f in r.findings)
    complete = options.expected == len(latest) and not options.missed
    grade = grade_of(findings, sound=all(intact(r) for r in latest), partial=any(r.left_out for r in latest))
    if not complete and grade not in ("不符合", "部分符合"):
        grade = "无法判定"
    days = sorted(d for d in (day(r) for r in results) if d)
    period = (
        Prose(options.period.text) if options.period else Prose(range_text(days[0], days[-1])) if days else UNCONFIRMED
    )
    # Earlier checks show where things are going; the questions are about the period alone.
    weeks = weeks_of(grouped((*options.previous, *results)), options.missed_weeks)[-_WEEKS:]
    people = tuple(q for q in options.questions if q.part in ("manual", "organisation"))
    return LeaderPage(
        unit=newest.unit.get("name", ""),
        self_name=self_name(newest.unit),
        title=Prose("医保网络安全检查情况（供领导询问）"),
        period=period,
        grade=Prose(grade),
        questions=(
            page.scope(),
            page.trespasses(),
            page.backups(),
            page.protection(),
            page.rectification(groups),
            page.decisions(),
        ),
        weeks=weeks if len(weeks) > 1 else (),
        only_people=tuple(a for a in attested(people, options.answers, today) if a.answered)[:_NAMES],
        reporter=newest.people.get("inspector", ""),
        warnings=(*redaction_note(options), *(() if complete else (_INCOMPLETE,))),
    )


class _Page:
    def __init__(self, latest: list[ScanResult], options: Options, today: date | None) -> None:
        self._latest = latest
        self._options = options
        self._today = today
        self._numbers = {id(r): record_number(r, options.numbers) for r in latest}

    def _refs(self, results: Iterable[ScanResult], rule: str = "") -> tuple[Ref, ...]:
        return tuple(Ref(self._numbers[id(r)], rule) for r in results)

    def scope(self) -> LeaderAnswer:
        """本期查了几台、差几台、为什么。"""
        options, n = self._options, len(self._latest)
        expected = (
            prose(" {n} 台", n=options.expected) if options.expected is not None else prose("数量{u}", u=UNCONFIRMED)
        )
        refs = self._refs(self._latest)
        said = [claim("应检终端{e}，实检 {n} 台。", refs, shown=False, e=expected, n=n)]
        if options.missed:
            reasons = Prose(
                "、".join(
                    prose("{id}（{why}）", id=m.id, why=data(m.reason) if m.reason else prose("原因{u}", u=UNCONFIRMED))
                    for m in options.missed[:_NAMES]
                )
            )
            if len(options.missed) > _NAMES:
                reasons = prose("{some}等", some=reasons)
            said.append(claim("还有 {n} 台没有检查：{why}。", refs, shown=False, n=len(options.missed), why=reasons))
        elif options.expected is not None and options.expected > n:
            said.append(
                claim("另有 {n} 台没有检查，原因{u}。", refs, shown=False, n=options.expected - n, u=UNCONFIRMED)
            )
        if options.missed_weeks:
            days = Prose("、".join(day_text(d) for d in options.missed_weeks[-_NAMES:]))
            said.append(
                claim(
                    "本期有 {n} 个星期五没有检查：{days}。", refs, shown=False, n=len(options.missed_weeks), days=days
                )
            )
        return LeaderAnswer(1, Prose("本期检查了几台终端，还差几台，为什么？"), tuple(said), Prose(""))

    def trespasses(self) -> LeaderAnswer:
        """有没有连互联网、插 U 盘、装不该装的软件。"""
        said = [self._about(what, rules) for what, rules in _TRESPASSES]
        question = Prose("有没有连互联网、插 U 盘、装不该装的软件？")
        return LeaderAnswer(2, question, tuple(said), Prose("检查只反映读取到的痕迹，痕迹被删除的查不出来。"))

    def _about(self, what: str, rules: tuple[str, ...]) -> Claim:
        """How many terminals stand how. A terminal is only called 符合 where each of the rules that apply to it passed."""
        found = self._stands(rules)
        words = (
            ("bad", "{n} 台发现问题（{names}）"), ("unsure", "{n} 台未能确认（{names}）"),
            ("other", "{n} 台为例外、委托管控或者不适用（{names}）"), ("fine", "{n} 台检查结果为“符合”"),
            ("unchecked", "{n} 台没有检查这一内容（{names}）"),
        )  # fmt: skip
        parts = [prose(text, n=len(found[key]), names=_ids(found[key])) for key, text in words if found[key]]
        if len(found["unchecked"]) == len(self._latest):
            return claim(
                "{what}：本期没有检查这一内容，不能回答。", self._refs(self._latest), shown=False, what=Prose(what)
            )
        return claim(
            "{what}：已检查的 {n} 台终端中，{parts}。",
            self._refs(self._latest), shown=False, what=Prose(what), n=len(self._latest), parts=joined("，", parts),
        )  # fmt: skip

    def _stands(self, rules: tuple[str, ...]) -> dict[str, list[ScanResult]]:
        """Each terminal in exactly one group."""
        found: dict[str, list[ScanResult]] = {k: [] for k in ("bad", "unsure", "other", "fine", "unchecked")}
        for result in self._latest:
            statuses = {f.status for f in result.findings if f.rule_id in rules}
            if Status.FAIL in statuses:
                found["bad"].append(result)
            elif not statuses:
                found["unchecked"].append(result)
            elif statuses & set(OPEN) or set(rules) & set(result.left_out):
                found["unsure"].append(result)
            elif statuses <= {Status.PASS, Status.NOT_APPLICABLE} and Status.PASS in statuses:
                found["fine"].append(result)
            else:
                found["other"].append(result)
        return found

    def backups(self) -> LeaderAnswer:
        """备份最近一次成功是什么时候、能不能恢复。"""
        question = Prose("备份最近一次是什么时候，能不能恢复？")
        open_ = Prose("备份能否恢复，以恢复演练的记录为准。")
        said = self._dated("backup.copies", "newest", "最近一份备份的时间：{list}。")
        said += self._standing("BAK-01", "按时备份")
        said += self._standing("BAK-03", "备份完整性和恢复演练")
        return LeaderAnswer(3, question, tuple(said), open_)

    def protection(self) -> LeaderAnswer:
        """杀毒和补丁到哪天。"""
        said = self._dated("antivirus.signatures", "time", "病毒库的日期：{list}。")
        said += self._standing("AV-02", "按时更新病毒库")
        said += self._dated("patches.upgrades", "time", "最近安装补丁的日期：{list}。")
        said += self._standing("OS-02", "按时安装补丁")
        return LeaderAnswer(4, Prose("杀毒软件的病毒库和系统补丁更新到哪一天？"), tuple(said), Prose(""))

    def _dated(self, fact: str, field: str, words: str) -> list[Claim]:
        """The newest time each terminal reports; terminals without one are not in the sentence."""
        # Only the day is printed; comparing it leaves out which zone the time was in.
        told = [(t.date(), r) for r in self._latest if (t := _newest(r.facts, fact, field)) is not None]
        if not told:
            return []
        told.sort(key=lambda pair: (pair[0], pair[1].host.id))
        shown = [prose("{id} {time}", id=r.host.id, time=Prose(day_text(d))) for d, r in told[:_NAMES]]
        rest = Prose(f"等 {len(told)} 台，其余较新") if len(told) > _NAMES else Prose("")
        text = Prose("、".join(shown) + rest)
        return [claim(words, self._refs([r for _, r in told]), shown=False, list=text)]

    def _standing(self, rule: str, what: str) -> list[Claim]:
        counted = {
            s: [r for r in self._latest if _has(r, (rule,), *s)]
            for s in ((Status.PASS,), (Status.FAIL,), OPEN, (Status.WAIVED,))
        }
        if not any(counted.values()):
            return [claim("“{what}”一项：本期没有得出结果。", self._refs(self._latest), shown=False, what=Prose(what))]
        words = {(Status.PASS,): "符合", (Status.FAIL,): "不符合", OPEN: "未能确认", (Status.WAIVED,): "例外"}
        parts = []
        for statuses, found in counted.items():
            if found:
                names = prose("（{names}）", names=_ids(found)) if statuses != (Status.PASS,) else Prose("")
                parts.append(prose("{n} 台{word}{names}", word=Prose(words[statuses]), n=len(found), names=names))
        everyone = [r for found in counted.values() for r in found]
        text = Prose("，".join(parts))
        return [claim("“{what}”一项：{parts}。", self._refs(everyone, rule), shown=False, what=Prose(what), parts=text)]

    def rectification(self, groups: tuple[Checks, ...]) -> LeaderAnswer:
        """上次的问题改了没有、谁没改、拖了多久。"""
        question = Prose("以前的问题改了没有，谁没改，拖了多久？")
        refs = self._refs(self._latest)
        entries = self._options.ledger
        if not entries and any(f.status is Status.FAIL for r in self._latest for f in r.findings):
            return LeaderAnswer(5, question, (), Prose("没有提供整改台账。"))
        open_ = [e for e in entries if e.status is not EntryStatus.CLOSED]
        late = [e for e in open_ if self._today is not None and e.overdue(self._today)]
        if not entries:
            return LeaderAnswer(5, question, (claim("整改台账中没有登记问题。", refs, shown=False),), Prose(""))
        overdue = prose("，其中逾期 {late} 条", late=len(late)) if late else Prose("，没有逾期的" if open_ else "")
        said = [
            claim(
                "整改台账共登记问题 {n} 条，已销号 {done} 条，未销号 {open} 条{overdue}。",
                refs, shown=False, n=len(entries), done=len(entries) - len(open_), open=len(open_), overdue=overdue,
            )
        ]  # fmt: skip
        said += [self._late(e, refs) for e in late[:_NAMES]]
        idle = [e for e in open_ if not e.owner or e.deadline is None]
        if idle:
            said.append(
                claim(
                    "还没有落实责任人或者期限的 {n} 条：{names}。", refs, shown=False, n=len(idle), names=_entries(idle)
                )
            )
        again = [e for e in open_ if e.recurrences]
        if again:
            said.append(
                claim("整改后又出现的 {n} 条：{names}。", refs, shown=False, n=len(again), names=_entries(again))
            )
        del groups
        return LeaderAnswer(5, question, tuple(said), Prose(""))

    def _late(self, entry: Entry, refs: tuple[Ref, ...]) -> Claim:
        assert self._today is not None and entry.deadline is not None  # noqa: S101, PT018 - overdue entries have both
        return claim(
            "{id} {title}：责任人{owner}，期限{deadline}，逾期 {n} 天。",
            refs, shown=False, id=entry.id, title=entry.title, owner=data(entry.owner) if entry.owner else UNCONFIRMED,
            deadline=Prose(day_text(entry.deadline)), n=(self._today - entry.deadline).days,
        )  # fmt: skip

    def decisions(self) -> LeaderAnswer:
        """有没有需要领导决定的。"""
        said = []
        for rule, why in _DECISIONS.items():
            bad = [r for r in self._latest if _has(r, (rule,), Status.FAIL)]
            if bad:
                said.append(
                    claim(
                        "{why}：{n} 台（{names}）。",
                        self._refs(bad, rule),
                        shown=False,
                        why=Prose(why),
                        n=len(bad),
                        names=_ids(bad),
                    )
                )
        for result in self._latest:
            for f in result.findings:
                if f.status is Status.WAIVED and f.waiver is not None and self._ending(f):
                    said.append(
                        claim(
                            "例外即将到期，需要整改或者重新报批：终端 {id} {rule}，{day}到期。",
                            self._refs([result], f.rule_id), shown=False, id=result.host.id, rule=f.rule_id,
                            day=Prose(day_text(date.fromisoformat(f.waiver.expires))),
                        )
                    )  # fmt: skip
        question = Prose("有没有需要领导决定的事项（更换设备、停用系统、采购、特批）？")
        return LeaderAnswer(6, question, tuple(said[: 2 * _NAMES]), self._left_to_say(bool(said)))

    def _left_to_say(self, some: bool) -> Prose:
        """What the checks leave to the person who reports: what was not checked cannot be called settled."""
        found = {rule: self._stands((rule,)) for rule in _DECISIONS}
        unsure = [_SUBJECTS[rule] for rule, by in found.items() if by["unsure"] or by["unchecked"]]
        if unsure:
            return prose(
                "{what}：有的终端没有检查或者未能确认，是否需要领导决定由汇报人核实；其他事项由汇报人补充。",
                what=joined("、", unsure),
            )
        if some:
            return Prose("其他事项由汇报人补充。")
        return Prose("检查中没有需要领导决定的设备、采购和特批事项；其他事项由汇报人补充。")

    def _ending(self, finding: Finding) -> bool:
        if self._today is None or finding.waiver is None:
            return False
        return (date.fromisoformat(finding.waiver.expires) - self._today).days <= _SOON_DAYS


def _has(result: ScanResult, rules: tuple[str, ...], *statuses: Status) -> bool:
    return any(f.rule_id in rules and f.status in statuses for f in result.findings)


def _ids(results: Iterable[ScanResult]) -> Prose:
    return list_text((r.host.id for r in results), limit=_NAMES)


def _entries(entries: Iterable[Entry]) -> Prose:
    return list_text((e.id for e in entries), limit=_NAMES)


def _newest(facts: Mapping[str, Any], fact: str, field: str) -> datetime | None:
    """The latest time in a field of a recorded list fact."""
    entry = facts.get(fact)
    items = entry.get("value") if isinstance(entry, Mapping) and entry.get("status") == "known" else None
    times = []
    for item in items if isinstance(items, list) else ():
        text = item.get(field) if isinstance(item, Mapping) else None
        if isinstance(text, str):
            try:
                times.append(datetime.fromisoformat(text))
            except ValueError:
                continue
    # Times of one terminal are in one zone; what has none cannot be put in order with what has.
    aware = [t for t in times if t.tzinfo is not None] or times
    return max(aware, default=None)
