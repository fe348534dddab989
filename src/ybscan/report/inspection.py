"""The unit's self-inspection report (自查报告) over one or more checks. Pure."""

from __future__ import annotations

from datetime import date

from ybscan.engine.coverage import coverage
from ybscan.model.attestation import AttestedPart, attested_clauses, confirmed, verdict
from ybscan.model.result import Finding, ScanResult, Status
from ybscan.model.rule import Severity
from ybscan.report.claims import UNCONFIRMED, Claim, Ref, claim
from ybscan.report.dates import numeral, range_text
from ybscan.report.figures import matrix_of, severities_of, weeks_of
from ybscan.report.inspection_parts import (
    Found,
    cited_documents,
    excepted_of,
    problems_of,
    results_of,
    solved_of,
    undetermined_of,
)
from ybscan.report.model import VERDICTS, Attested, ClauseCovered, CoveredSource, Inspection, Scope, Terminal
from ybscan.report.options import Options
from ybscan.report.parts import (
    ClauseNumbers,
    attested,
    counts,
    grade_of,
    intact,
    list_text,
    packs_of,
    redaction_note,
    rule_claims,
    self_name,
    status_sentence,
    terminal_view,
)
from ybscan.report.record import ALTERED, pack_groups, signatures
from ybscan.report.terminals import day, grouped, record_number, when
from ybscan.report.text import Prose, data, prose


def build_inspection(results: tuple[ScanResult, ...], options: Options) -> Inspection:
    """The view of the report.

    Raises:
        EvidenceMissing: a finding claims something that nothing was seen for.
    """
    groups = grouped(results)
    latest = [g.latest for g in groups]
    newest = max(latest, key=lambda r: (when(r), r.digest))
    numbers = options.numbers
    found = [Found(r, record_number(r, numbers), f) for r in latest for f in r.findings]
    findings = tuple(x.finding for x in found)
    clauses = ClauseNumbers(options.clauses)
    terminals = tuple(terminal_view(r, numbers) for r in latest)
    refs = tuple(Ref(t.record_no) for t in terminals)
    sound = all(intact(r) for r in latest)
    scope = _scope(terminals, refs, options)
    total = counts(findings)
    grade = grade_of(findings, sound=sound, partial=any(r.left_out for r in latest))
    unit_grade = grade if scope.complete or grade in ("不符合", "部分符合") else "无法判定"
    days = sorted(d for d in (day(r) for r in results) if d)
    period = _period(options, days)
    today = options.today or (days[-1] if days else None)
    parts = {p: _attested(p, options, today) for p in ("organisation", "methods", "manual", "advice")}
    advice = tuple(a for a in parts["advice"] if a.answered)
    packs = results_of(latest, found, clauses)
    ordered = pack_groups(latest)
    weeks = weeks_of(groups, options.missed_weeks)
    problems = problems_of(found, clauses)
    unit = newest.unit.get("name", "")
    return Inspection(
        unit=unit,
        self_name=self_name(newest.unit),
        title=prose("关于{period}医保网络数据安全自查情况的报告", period=period),
        addressee=options.addressee,
        period=period,
        introduction=_introduction(newest, days, scope, clauses, refs),
        organisation=parts["organisation"],
        scope=scope,
        methods=parts["methods"],
        tool="、".join(sorted({f"{r.tool.name} {r.tool.version}" for r in latest})),
        packs=packs_of(latest),
        counts=total,
        overview=claim(
            "经技术检测，在已检查的 {n} 台终端中，共得出检查结果 {total} 项次，适用 {applicable} 项次：{found}。",
            refs, shown=False, n=len(terminals), total=total.total, applicable=total.applicable,
            found=status_sentence(total),
        ),
        weeks=weeks if len(weeks) > 1 else (),
        severities=severities_of(ordered, findings),
        matrix=matrix_of(ordered, latest, [t.grade for t in terminals]),
        results=packs,
        manual_heading=Prose(f"（{numeral(len(packs) + 1)}）"),
        manual=parts["manual"],
        problems=problems,
        solved=solved_of(groups, numbers),
        exceptions=excepted_of(found),
        undetermined=undetermined_of(found),
        unconfirmed=tuple(a for p in ("organisation", "methods", "manual") for a in parts[p] if not a.answered),
        advice=advice,
        conclusion=_conclusion(findings, terminals, refs, scope, self_name(newest.unit), grade, unit_grade),
        grade=Prose(grade),
        unit_grade=Prose(unit_grade),
        terminals=terminals,
        records=tuple(terminal_view(r, numbers) for r in sorted(
            (r for g in groups for r in g.results), key=lambda r: (when(r), r.host.id, r.digest))),
        coverage=_coverage(findings, clauses, options, today),
        signatures=signatures(newest),
        refs=refs,
        headings=_headings(has_advice=bool(advice)),
        warnings=(
            *redaction_note(options), *_warnings(latest, terminals, options, sound=sound), *_denied(options, today),
        ),
    )  # fmt: skip


def _headings(*, has_advice: bool) -> dict[str, str]:
    names = ["organisation", "scope", "results", "problems", "rectification", "undetermined"]
    names += ["advice"] if has_advice else []
    return {name: numeral(i) for i, name in enumerate([*names, "conclusion"], 1)}


def _period(options: Options, days: list[date]) -> Prose:
    if options.period is not None:
        return Prose(options.period.text)
    return Prose(range_text(days[0], days[-1])) if days else UNCONFIRMED


def _attested(part: AttestedPart, options: Options, today: date | None) -> tuple[Attested, ...]:
    return attested((q for q in options.questions if q.part == part), options.answers, today)


def _introduction(
    newest: ScanResult, days: list[date], scope: Scope, clauses: ClauseNumbers, refs: tuple[Ref, ...]
) -> tuple[Claim, ...]:
    basis = cited_documents(clauses)
    span = Prose(range_text(days[0], days[-1])) if days else UNCONFIRMED
    return (
        claim(
            "{basis}{self}于{span}对医保联网终端进行了网络数据安全检查，应检终端 {expected}，实检 {n} 台，未检 {missed}。"
            "现将自查情况报告如下：",
            refs, shown=False, basis=basis, self=self_name(newest.unit), span=span, expected=scope.expected,
            n=scope.checked, missed=scope.missed,
        ),
    )  # fmt: skip


def _scope(terminals: tuple[Terminal, ...], refs: tuple[Ref, ...], options: Options) -> Scope:
    checked = len(terminals)
    expected = options.expected
    if expected is None and options.missed:
        expected = checked + len(options.missed)
    missing = None if expected is None else max(expected - checked, len(options.missed), 0)
    complete = expected == checked and not options.missed
    unchecked = [(m.id, m.department, data(m.reason) if m.reason else UNCONFIRMED) for m in options.missed]
    rest = (missing or 0) - len(unchecked)
    if rest > 0:
        unchecked.append(("", "", prose("另有 {n} 台没有提供编号，原因{unconfirmed}", n=rest, unconfirmed=UNCONFIRMED)))
    expected_text = UNCONFIRMED if expected is None else prose("{n} 台", n=expected)
    missed_text = UNCONFIRMED if missing is None else prose("{n} 台", n=missing)
    return Scope(
        expected=expected_text,
        checked=checked,
        missed=missed_text,
        complete=complete,
        unchecked=tuple(unchecked),
        sentence=claim(
            "应检终端 {e}，实检 {n} 台，未检 {m}。", refs, shown=False, e=expected_text, n=checked, m=missed_text
        ),
        privileges=_privileges(terminals),
    )


def _privileges(terminals: tuple[Terminal, ...]) -> tuple[Claim, ...]:
    """How many terminals were looked at with which rights and in which way."""
    ways: dict[tuple[Prose, Prose], list[Terminal]] = {}
    for t in terminals:
        ways.setdefault((t.backend, t.privilege), []).append(t)
    return tuple(
        claim(
            "{backend}、运行权限为{privilege}的终端 {n} 台：{names}。", tuple(Ref(t.record_no) for t in found), shown=False,
            backend=backend, privilege=privilege, n=len(found), names=list_text(t.id for t in found),
        )
        for (backend, privilege), found in ways.items()
    )  # fmt: skip


def _conclusion(
    findings: tuple[Finding, ...],
    terminals: tuple[Terminal, ...],
    refs: tuple[Ref, ...],
    scope: Scope,
    self_: str,
    grade: str,
    unit_grade: str,
) -> tuple[Claim, ...]:
    total = counts(findings)
    bad = [t for t in terminals if t.failed]
    unsure = [t for t in terminals if t.undetermined]
    failed = {f.rule_id for f in findings if f.status is Status.FAIL}
    critical = {f.rule_id for f in findings if f.status is Status.FAIL and f.severity is Severity.CRITICAL}
    said = [
        claim(
            "已检查终端的合格率为 {p}；确认率为 {d}。",
            refs,
            shown=False,
            p=total.pass_rate.text,
            d=total.determined_rate.text,
        )
    ]
    if failed:
        said.append(claim(
            "存在问题 {n} 个（其中严重 {c} 个），涉及终端 {m} 台：{names}。",
            tuple(Ref(t.record_no) for t in bad), shown=False, n=len(failed), c=len(critical), m=len(bad),
            names=list_text(t.id for t in bad),
        ))  # fmt: skip
    if unsure:
        said.append(claim(
            "有检查项未能确认的终端 {m} 台：{names}。",
            tuple(Ref(t.record_no) for t in unsure), shown=False, m=len(unsure), names=list_text(t.id for t in unsure),
        ))  # fmt: skip
    said += [
        *rule_claims(_once(findings, Status.UNKNOWN), Status.UNKNOWN, "严重和高风险的无法判定项 {n} 项：{names}。", ""),
        claim("按照公布的等级规则，已检查终端的等级为“{grade}”。", refs, shown=False, grade=Prose(grade)),
    ]
    if not scope.complete:
        said.append(claim(
            "应检终端的数量未经确认或者仍有终端没有检查，以上结论只对已检查的 {n} 台终端作出，{self}总体等级为“{grade}”。",
            refs, shown=False, n=scope.checked, self=self_, grade=Prose(unit_grade),
        ))  # fmt: skip
    elif grade == "符合":
        said.append(claim(
            "{self}应检的 {n} 台终端已全部检查，适用的检查项没有不符合和未能确认的情况。",
            refs, shown=False, n=scope.checked, self=self_,
        ))  # fmt: skip
    return tuple(said)


def _once(findings: tuple[Finding, ...], status: Status) -> tuple[Finding, ...]:
    """One finding per rule, the first that has the status."""
    return tuple({f.rule_id: f for f in reversed(findings) if f.status is status}.values())[::-1]


def _coverage(
    findings: tuple[Finding, ...], clauses: ClauseNumbers, options: Options, today: date | None
) -> tuple[CoveredSource, ...]:
    """Clause by clause; rules that passed do not make a clause 符合 when others that answer it did not run, or when only
    a person can answer it. A person who says that it is not met makes it 不符合.
    """
    said = attested_clauses(options.questions, options.answers, today) if today is not None else {}
    ran = {f.rule_id for f in findings}
    good = (Status.PASS, Status.DELEGATED)
    covered = []
    for c in coverage(findings):
        (view,) = clauses.cite([c.clause])
        left = tuple(r for r in clauses.rules(c.clause) if r not in ran)
        status = c.status
        if status in good and left:
            status = Status.UNKNOWN
        elif status in good and clauses.by_person(c.clause):
            status = Status.MANUAL
        if c.clause in said and said[c.clause].verdict == "no" and clauses.by_person(c.clause):
            status = Status.FAIL
        covered.append(ClauseCovered(view, VERDICTS[status], tuple(dict.fromkeys(c.rules)), left))
    by_document: dict[str, list[ClauseCovered]] = {}
    for one in sorted(covered, key=lambda c: c.clause.number):
        by_document.setdefault(one.clause.document, []).append(one)
    sources = (CoveredSource(d, found[0].clause.sample, tuple(found)) for d, found in by_document.items())
    return tuple(sorted(sources, key=lambda s: s.sample))


def _denied(options: Options, today: date | None) -> tuple[Prose, ...]:
    """What persons said is not so: it must not drown among the answers."""
    asked = ((q, confirmed(q, options.answers, today)) for q in options.questions) if today is not None else ()
    names = [q.title for q, a in asked if a is not None and verdict(q, a) == "no"]
    if not names:
        return ()
    return (prose("由人确认的事项中，{n} 项答复为“否”：{names}。", n=len(names), names=list_text(names)),)


def _warnings(
    latest: list[ScanResult], terminals: tuple[Terminal, ...], options: Options, *, sound: bool
) -> tuple[Prose, ...]:
    found: list[Prose] = []
    if not sound:
        altered = list_text(t.record_no for t in terminals if not t.digest.intact)
        found.append(prose("记录 {names}：{altered}", names=altered, altered=ALTERED))
    ids = [t.id for t in terminals]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        found.append(prose("终端编号重复，无法确认是同一台，已分别统计：{names}。", names=list_text(twice)))
    if options.expected is not None and len(terminals) > options.expected:
        found.append(
            prose("实检终端 {n} 台，多于应检终端 {e} 台，请核对终端登记。", n=len(terminals), e=options.expected)
        )
    rules = {tuple(sorted(f.rule_id for f in r.findings)) for r in latest}
    if len(rules) > 1:
        found.append(Prose("各终端检查的规则不尽相同，请以各终端的检查记录为准。"))
    units = sorted({r.unit.get("name", "") for r in latest})
    if len(units) > 1:
        found.append(prose("检查结果的单位名称不一致：{names}。", names=list_text(u or "（未配置）" for u in units)))
    if not any(units):
        found.append(Prose("没有配置单位信息（site.yml 的 unit），单位名称须人工填写。"))
    return tuple(found)
