"""The terminal's record (安全检查工作记录): one check of one terminal. Pure."""

from __future__ import annotations

from ybscan.engine.fridays import friday_of
from ybscan.model.result import ScanResult, Status
from ybscan.report.changes import changes_of, compared
from ybscan.report.claims import UNCONFIRMED, Claim, Ref, anchor, claim
from ybscan.report.dates import day_text, numeral, weekday_text
from ybscan.report.model import (
    VERDICTS,
    Excepted,
    Item,
    PackItems,
    Person,
    Problem,
    Record,
    Undetermined,
)
from ybscan.report.options import Options
from ybscan.report.parts import (
    OPEN,
    ClauseNumbers,
    again,
    attested,
    checked_text,
    counts,
    evidence_of,
    exception_of,
    grade_of,
    gravest_first,
    intact,
    measures_of,
    mode_text,
    packs_of,
    reason_of,
    redaction_note,
    rule_claims,
    seen_of,
    self_name,
    severity_text,
    status_sentence,
    tally,
    terminal_view,
)
from ybscan.report.terminals import adhoc, day, record_number
from ybscan.report.text import Prose, data, prose

#: How many missed Fridays a warning names.
MAX_WEEKS = 8
ALTERED = Prose("本结果的摘要值与内容不符：内容在检查之后被改动过，不能作为依据。")


def build_record(result: ScanResult, options: Options, *, place: str = "") -> Record:
    """The view of one record; ``place`` tells it from others in the same document.

    Raises:
        EvidenceMissing: a finding claims something that nothing was seen for.
    """
    number = record_number(result, options.numbers)
    whole = Ref(number, place=place)
    terminal = terminal_view(result, options.numbers)
    clauses = ClauseNumbers(options.clauses, place=place)
    checked = day(result)
    sound = intact(result)
    grade = Prose(grade_of(result.findings, sound=sound, partial=bool(result.left_out)))
    results = _results(result, number, place, clauses)
    total = counts(result.findings)
    return Record(
        number=number,
        anchor=anchor(number),
        unit=result.unit.get("name", ""),
        self_name=self_name(result.unit),
        week=Prose("{0[0]}年第{0[1]}周".format(checked.isocalendar())) if checked else UNCONFIRMED,
        planned=Prose(f"{day_text(friday_of(checked))}（星期五）") if checked else UNCONFIRMED,
        actual=checked_text(result),
        weekday=Prose(weekday_text(checked)) if checked else UNCONFIRMED,
        adhoc=adhoc(result),
        shift_reason=data(options.shift_reason) if options.shift_reason else UNCONFIRMED,
        terminal=terminal,
        tool=f"{result.tool.name} {result.tool.version}",
        site_digest=result.site_sha256,
        packs=packs_of([result]),
        counts=total,
        conclusion=_conclusion(result, whole, grade),
        grade=grade,
        results=results,
        problems=_problems(result, number, place, clauses),
        exceptions=tuple(
            Excepted(
                f.rule_id, anchor(place, f.rule_id), f.title, terminal.id,
                seen_of(f, terminal.id, Ref(number, f.rule_id, place)), exception_of(f),
            )
            for f in result.findings if f.status is Status.WAIVED
        ),
        undetermined=tuple(
            Undetermined(
                f.rule_id, anchor(place, f.rule_id), f.title, severity_text(f.severity), VERDICTS[f.status],
                (seen_of(f, terminal.id, Ref(number, f.rule_id, place)),),
            )
            for f in gravest_first(result.findings) if f.status in OPEN
        ),
        attested=attested(
            (q for q in options.questions if q.frequency == "weekly"), options.answers, checked, options.today
        ),
        changes=changes_of(result, options, number, place),
        compared=compared(result, options),
        signatures=signatures(result),
        warnings=(*redaction_note(options), *_warnings(result, options, sound=sound)),
    )  # fmt: skip


def signatures(result: ScanResult) -> tuple[Person, ...]:
    """Who signs: names only where the site file has them."""
    roles = (("inspector", "检查人"), ("reviewer", "复核人"), ("leader", "分管领导"))
    return tuple(Person(Prose(role), result.people.get(key, "")) for key, role in roles)


def pack_groups(results: list[ScanResult]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Packs in order with their title and rule ids in order, over all results."""
    titles = {p.id: p.title for r in results for p in r.packs}
    order: dict[str, dict[str, None]] = {}
    for result in results:
        for finding in result.findings:
            order.setdefault(finding.pack, {})[finding.rule_id] = None
    return tuple((pack, titles.get(pack, pack), tuple(ids)) for pack, ids in order.items())


def _results(result: ScanResult, number: str, place: str, clauses: ClauseNumbers) -> tuple[PackItems, ...]:
    by_pack: list[PackItems] = []
    for i, (pack, title, _) in enumerate(pack_groups([result]), 1):
        findings = tuple(f for f in result.findings if f.pack == pack)
        before = len(clauses.all)
        items = tuple(
            Item(
                rule_id=f.rule_id, anchor=anchor(place, f.rule_id), title=f.title, severity=severity_text(f.severity),
                verdict=VERDICTS[f.status], counts=tally([f.status]), method=f.method, reason=reason_of(f),
                evidence=evidence_of(f, Ref(number, f.rule_id, place)), clauses=clauses.cite(f.clauses),
            )
            for f in findings
        )  # fmt: skip
        by_pack.append(
            PackItems(
                Prose(f"（{numeral(i)}）"),
                title,
                counts(findings),
                items,
                clauses.first_cited(before),
                again(items, before),
            )
        )
    return tuple(by_pack)


def _problems(result: ScanResult, number: str, place: str, clauses: ClauseNumbers) -> tuple[Problem, ...]:
    failed = gravest_first(f for f in result.findings if f.status is Status.FAIL)
    return tuple(
        Problem(
            number=i,
            rule_id=f.rule_id,
            anchor=anchor(place, f.rule_id),
            title=f.title,
            severity=severity_text(f.severity),
            sentence=claim("经检查，“{title}”一项不符合要求。", (Ref(number, f.rule_id, place),), title=f.title),
            seen=(seen_of(f, result.host.id, Ref(number, f.rule_id, place)),),
            clauses=clauses.cite(f.clauses),
            measures=measures_of([(result.host.id, f)]),
            owners=(result.host.owner,) if result.host.owner else (),
            acceptance=acceptance(f.rule_id),
        )
        for i, f in enumerate(failed, 1)
    )


def acceptance(rule_id: str) -> Prose:
    """When a rectification is done: only a later check that passes closes it."""
    return prose("后一次检查中 {rule} 的结果为“符合”；结果为“无法判定”的不得销号", rule=rule_id)


def _conclusion(result: ScanResult, whole: Ref, grade: Prose) -> tuple[Claim, ...]:
    numbers = counts(result.findings)
    refs = (whole,)
    return (
        claim(
            "经技术检测（{tool}，{time}，{mode}），终端 {id} 共检查 {total} 项，适用 {applicable} 项：{found}。",
            refs, shown=False, tool=f"{result.tool.name} {result.tool.version}", time=checked_text(result),
            mode=mode_text(result.host), id=result.host.id, total=numbers.total,
            applicable=numbers.applicable, found=status_sentence(numbers),
        ),
        claim("合格率 {p}；确认率 {d}。", refs, shown=False, p=numbers.pass_rate.text, d=numbers.determined_rate.text),
        *rule_claims(result.findings, Status.FAIL, "严重和高风险的不符合项 {n} 项：{names}。", whole.record, whole.place),
        *rule_claims(result.findings, Status.UNKNOWN, "严重和高风险的无法判定项 {n} 项：{names}。", whole.record, whole.place),
        claim("按照公布的等级规则，本次检查等级为“{grade}”。", refs, shown=False, grade=grade),
    )  # fmt: skip


def _warnings(result: ScanResult, options: Options, *, sound: bool) -> tuple[Prose, ...]:
    found = [] if sound else [ALTERED]
    if result.host.backend == "offline":
        found.append(Prose("本次为离线检查，没有读取运行中的进程、端口、网络连接和已接入设备，有关检查项无法判定。"))
    elif result.host.elevated is False:
        found.append(Prose("本次以普通用户权限运行，需要管理员权限的内容没有读取，有关检查项无法判定。"))
    if result.left_out:
        found.append(
            prose(
                "本次只检查了所选的 {n} 项，另有 {left} 项没有检查，等级不代表本终端的整体情况。",
                n=len(result.findings), left=len(result.left_out),
            )
        )  # fmt: skip
    if options.clock_back:
        found.append(Prose("本次存入历史时，本机时钟早于历史中已有的记录，时钟可能被调回过，请核对系统时间。"))
    if options.missed_weeks:
        days = Prose("、".join(day_text(d) for d in options.missed_weeks[-MAX_WEEKS:]))
        found.append(prose("近期没有检查的星期五 {n} 个：{days}。", n=len(options.missed_weeks), days=days))
    if not result.unit:
        found.append(Prose("没有配置单位信息（site.yml 的 unit），单位名称须人工填写。"))
    return tuple(found)
