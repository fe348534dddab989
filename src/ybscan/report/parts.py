"""From findings to the parts that record and report share: counts, clauses, evidence, terminals. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

from ybscan.engine.summary import grade
from ybscan.model.attestation import Answer, Question, confirmed
from ybscan.model.catalogue import Clause
from ybscan.model.result import Finding, HostInfo, ScanResult, Status
from ybscan.model.rule import Role, Severity
from ybscan.report.claims import UNCONFIRMED, Claim, EvidenceMissing, Ref, anchor, claim, quoted
from ybscan.report.dates import day_text, moment, span_text
from ybscan.report.model import (
    ORDER,
    VERDICTS,
    Attested,
    ClauseView,
    Count,
    Counts,
    Digest,
    Evidence,
    ExceptionView,
    Item,
    Measure,
    PackView,
    Rate,
    Seen,
    Source,
    Terminal,
)
from ybscan.report.options import Options
from ybscan.report.terminals import adhoc, record_number
from ybscan.report.text import MAX_SENTENCE, Prose, data, prose

#: How many observations of one finding are printed; the result file has them all.
MAX_EVIDENCE = 12
OPEN = (Status.UNKNOWN, Status.MANUAL)
_DECIDED = (Status.PASS, Status.FAIL, Status.WAIVED, Status.DELEGATED)
_BACKENDS = {"live": "在线检查", "offline": "离线检查", "replay": "证据判定"}
_ALGORITHMS = {"sha256": "SHA-256", "sm3": "SM3"}
_SELF = {"hospital": "我院", "pharmacy": "我店", "agency": "我局", "company": "我公司", "clinic": "我诊所"}
_CHECKED = {"verified": "已核对", "partial": "部分核对", "derived": "由已核对内容推得", "memory": "待对照正式文本"}
# Other units' reports, and regulations of one province or city: a report elsewhere cannot say that it rests on them.
_REFERENCE = re.compile(r"自查报告样本|[^（《]{1,4}[省市]")
_CODED = re.compile(r"（([^（）]*(?:GB/T|〔)[^（）]*)）$")
_SEVERITIES = {s: Prose(s.text) for s in Severity}


def gravest_first(findings: Iterable[Finding]) -> list[Finding]:
    """By risk, in the order of the packs where it is the same."""
    return sorted(findings, key=lambda f: list(Severity).index(f.severity))


def severity_text(severity: Severity) -> Prose:
    """The risk as printed."""
    return _SEVERITIES[severity]


_REDACTED = {
    "partial": Prose(
        "本文件已脱敏（partial 级）：用户名、主机名、序列号摘要、无线网络名称、MAC 地址和 IP 地址已换成代号，同一代号在本文件中"
        "指同一对象；摘要值为脱敏以前原始记录的摘要值。"
    ),
    "full": Prose(
        "本文件已脱敏（full 级）：用户名、主机名、序列号摘要、无线网络名称、MAC 地址、IP 地址、科室和人员姓名已换成代号，同一代号"
        "在本文件中指同一对象，人员自行填写的内容已略去；摘要值为脱敏以前原始记录的摘要值。"
    ),
}


def redaction_note(options: Options) -> tuple[Prose, ...]:
    """What a redacted document says of itself; nothing for one that is not."""
    return (_REDACTED[options.redaction],) if options.redaction != "none" else ()


def self_name(unit: Mapping[str, str]) -> str:
    """How the unit calls itself, the same throughout: what the site file says, else by its kind."""
    return unit.get("self") or _SELF.get(unit.get("kind", ""), "我单位")


def tally(statuses: Iterable[Status]) -> tuple[Count, ...]:
    """Statuses counted, only those that occur."""
    count = Counter(statuses)
    return tuple(Count(VERDICTS[s], count[s]) for s in ORDER if count[s])


def counts(findings: Iterable[Finding]) -> Counts:
    """Findings counted, with both rates. Counted anew: a summary that was stored is not taken on trust."""
    statuses = [f.status for f in findings]
    count = Counter(statuses)
    applicable = len(statuses) - count[Status.NOT_APPLICABLE]
    decided = count[Status.PASS] + count[Status.FAIL]
    open_ = count[Status.UNKNOWN] + count[Status.MANUAL]
    return Counts(
        tuple(Count(VERDICTS[s], count[s]) for s in ORDER), len(statuses), applicable,
        Rate(count[Status.PASS], decided, open_), Rate(decided, applicable, open_),
    )  # fmt: skip


def intact(result: ScanResult) -> bool:
    """Whether the result is what was sealed. One without a digest was never sealed."""
    return result.digest == result.compute_digest()


def grade_of(findings: tuple[Finding, ...], *, sound: bool, partial: bool) -> str:
    """The grade; altered results cannot earn a good one, nor can a scan that left rules out."""
    got = grade(findings, partial=partial)
    return got if sound or got in ("不符合", "部分符合") else "无法判定"


class ClauseNumbers:
    """Clauses numbered as they are first cited, so that a document prints each text once."""

    def __init__(self, catalogue: Mapping[str, Clause], *, place: str = "") -> None:
        self._catalogue = catalogue
        self._place = place
        self._views: dict[str, ClauseView] = {}
        self._named: set[str] = set()

    def cite(self, ids: Iterable[str]) -> tuple[ClauseView, ...]:
        """The clauses that bind; the practice of other units and places only where nothing else is cited.

        A record that is signed and filed says what is demanded. What others do alike fills pages and demands nothing;
        the annex of clauses still shows it.
        """
        given = tuple(dict.fromkeys(ids))
        binding = tuple(i for i in given if not self._is_sample(i))
        return tuple(self._view(i) for i in binding or given)

    def _is_sample(self, clause_id: str) -> bool:
        clause = self._catalogue.get(clause_id)
        return clause is not None and _REFERENCE.match(clause.document) is not None

    def _view(self, clause_id: str) -> ClauseView:
        if clause_id not in self._views:
            number = len(self._views) + 1
            clause = self._catalogue.get(clause_id)
            place = f"c{self._place}-{number}" if self._place else f"c{number}"
            self._views[clause_id] = (
                ClauseView(
                    number, place, clause_id, clause_id, clause_id, "", "", Prose("条款目录中没有"), False, False
                )
                if clause is None
                else ClauseView(
                    number, place, clause_id, clause.document, short_name(clause.document), clause.article,
                    clause.text, Prose(_CHECKED[clause.verification]), _REFERENCE.match(clause.document) is not None, True,
                )
            )  # fmt: skip
        return self._views[clause_id]

    def first_cited(self, before: int) -> tuple[Source, ...]:
        """The clauses numbered after the first ``before``, by document: its name in full the first time, then short."""
        found: dict[str, list[ClauseView]] = {}
        for view in list(self._views.values())[before:]:
            found.setdefault(view.document, []).append(view)
        sources = [
            Source(views[0].short if document in self._named else document, views[0].sample, tuple(views))
            for document, views in found.items()
        ]
        self._named.update(found)
        return tuple(sorted(sources, key=lambda s: s.sample))

    def rules(self, clause_id: str) -> tuple[str, ...]:
        """The rules that answer a clause according to the catalogue."""
        clause = self._catalogue.get(clause_id)
        return clause.rules if clause else ()

    def by_person(self, clause_id: str) -> bool:
        """Whether only a person can answer a clause."""
        clause = self._catalogue.get(clause_id)
        return clause is not None and clause.kind in ("attested", "process", "report")

    @property
    def all(self) -> tuple[ClauseView, ...]:
        """Every clause cited so far."""
        return tuple(self._views.values())


def short_name(document: str) -> str:
    """A document as it is cited in passing: by its standard or issue number where the name carries one."""
    coded = _CODED.search(document)
    return coded[1] if coded else document


def evidence_of(finding: Finding, ref: Ref) -> tuple[Evidence, ...]:
    """What was seen, each sentence once.

    Raises:
        EvidenceMissing: a verdict that nothing was seen for.
    """
    if not finding.observations:
        if finding.status in _DECIDED:
            raise EvidenceMissing(f"规则 {finding.rule_id} 的结果为“{finding.status.text}”，却没有任何证据")
        return (Evidence(quoted(finding.reason or "没有说明原因", (ref,)), ""),)
    seen = {(o.sentence, o.origin): Evidence(quoted(o.sentence, (ref,)), o.origin) for o in finding.observations}
    shown = tuple(seen.values())[:MAX_EVIDENCE]
    if len(seen) > len(shown):
        more = claim("另有 {n} 条，见结果文件。", (ref,), shown=False, n=len(seen) - len(shown))
        shown = (*shown, Evidence(more, ""))
    return shown


def reason_of(finding: Finding) -> Prose:
    """The reason without the sentences that are printed as evidence anyway."""
    if not finding.observations:
        return Prose("")
    rest = finding.reason
    for sentence in sorted({o.sentence for o in finding.observations}, key=len, reverse=True):
        rest = rest.replace(sentence, "")
    left = "；".join(p.strip("：") for p in rest.split("；") if p.strip("： "))
    return data(left, limit=MAX_SENTENCE) if left else Prose("")


def seen_of(finding: Finding, terminal: str, ref: Ref) -> Seen:
    """What was seen on one terminal."""
    return Seen(terminal, evidence_of(finding, ref), reason_of(finding))


def exception_of(finding: Finding) -> ExceptionView:
    """The exception that covers a 不符合.

    Raises:
        EvidenceMissing: there is none.
    """
    waiver = finding.waiver
    if waiver is None:
        raise EvidenceMissing(f"规则 {finding.rule_id} 的结果为“{finding.status.text}”，却没有批准例外的记录")
    return ExceptionView(waiver.reason, waiver.approver, waiver.document, _day(waiver.approved), _day(waiver.expires))


def _day(text: str) -> Prose:
    got = moment(text)
    return Prose(day_text(got.date())) if got else data(text)


def measures_of(found: Iterable[tuple[str, Finding]]) -> tuple[Measure, ...]:
    """What to do, terminals with the same instructions together."""
    by_text: dict[str, list[str]] = {}
    for terminal, finding in found:
        by_text.setdefault(finding.remediation, []).append(terminal)
    return tuple(Measure(tuple(t), text) for text, t in by_text.items())


def packs_of(results: Iterable[ScanResult]) -> tuple[PackView, ...]:
    """The packs as they were used; a version or content that differs is its own row."""
    used: Counter[tuple[str, str, str, str]] = Counter()
    for result in results:
        used.update((p.id, p.title, p.version, p.sha256) for p in result.packs)
    return tuple(PackView(id_, title, version, sha, n) for (id_, title, version, sha), n in used.items())


def digest_view(result: ScanResult) -> Digest:
    """The digest of a result and whether it still fits."""
    name, _, value = result.digest.rpartition(":")
    return Digest(_ALGORITHMS.get(name, name) or "SHA-256", value, intact(result))


def privilege_text(elevated: bool | None) -> Prose:
    """With whose rights was looked."""
    return Prose("未能确认" if elevated is None else "管理员" if elevated else "普通用户")


def backend_text(backend: str) -> Prose:
    """How was looked."""
    return Prose(_BACKENDS[backend]) if backend in _BACKENDS else data(backend)


def mode_text(host: HostInfo) -> Prose:
    """With whose rights and how was looked, in one phrase."""
    backend = backend_text(host.backend)
    if host.process_bits is not None:
        backend = prose("{backend}（{bits} 位程序）", backend=backend, bits=Prose(str(host.process_bits)))
    if host.elevated is None:
        return prose("{backend}，运行权限未能确认", backend=backend)
    return prose("以{privilege}权限{backend}", privilege=privilege_text(host.elevated), backend=backend)


def checked_text(result: ScanResult) -> Prose:
    """When the check ran."""
    start = moment(result.started_at)
    return Prose(span_text(start, moment(result.finished_at))) if start else data(result.started_at or "时间不明")


def terminal_view(result: ScanResult, numbers: Mapping[str, str]) -> Terminal:
    """A terminal as tables print it."""
    host = result.host
    number = record_number(result, numbers)
    role = Role(host.role).text if host.role in {r.value for r in Role} else host.role
    return Terminal(
        id=host.id, anchor=anchor(number), hostname=host.hostname, department=host.department, owner=host.owner,
        role=role, os=" ".join(filter(None, (host.os_version or host.os, host.arch))),
        addresses="、".join(host.addresses), macs="、".join(host.macs), privilege=privilege_text(host.elevated),
        backend=backend_text(host.backend), record_no=number, checked_at=checked_text(result), adhoc=adhoc(result),
        counts=counts(result.findings), grade=Prose(grade_of(result.findings, sound=intact(result), partial=bool(result.left_out))),
        failed=tuple(f.rule_id for f in result.findings if f.status is Status.FAIL),
        undetermined=tuple(f.rule_id for f in result.findings if f.status in OPEN),
        verdicts=tuple((f.rule_id, f.status.value) for f in result.findings),
        digest=digest_view(result), previous_digest=result.previous_digest.rpartition(":")[2],
    )  # fmt: skip


def attested(
    questions: Iterable[Question], answers: Iterable[Answer], day: date | None, today: date | None = None
) -> tuple[Attested, ...]:
    """Each question with the answer that holds on ``day``; see :func:`ybscan.model.attestation.confirmed`."""
    given = tuple(answers)
    asked = ((q, confirmed(q, given, day, today=today) if day is not None else None) for q in questions)
    return tuple(Attested(q.id, q.title, q.text, answer_text(a), a is not None) for q, a in asked)


def answer_text(answer: Answer | None) -> Prose:
    """A person's answer with who, when and the basis; 【未确认】 without one."""
    if answer is None:
        return UNCONFIRMED
    return prose(
        "据{person}确认（{at}，依据：{basis}）：{text}",
        person=answer.person, at=Prose(day_text(answer.at)), basis=answer.basis, text=answer.answer,
    )  # fmt: skip


def list_text(names: Iterable[str], limit: int = 0) -> Prose:
    """Names as data with our separators; with a limit the rest is counted."""
    all_ = list(names)
    shown = all_[:limit] if limit else all_
    text = "、".join(data(n) for n in shown)
    return Prose(text if len(shown) == len(all_) else f"{text}等 {len(all_)} 项")


def status_sentence(numbers: Counts) -> Prose:
    """Every status that occurs with its number, for a sentence."""
    parts = [f"{c.verdict.text} {c.number} 项" for c in numbers.by_status if c.number]
    return Prose("，".join(parts) if parts else "没有检查项")


def again(items: Iterable[Item], before: int) -> tuple[ClauseView, ...]:
    """The clauses that items cite and that were numbered before them."""
    return tuple(sorted({c for i in items for c in i.clauses if c.number <= before}, key=lambda c: c.number))


def rule_claims(
    findings: Iterable[Finding], status: Status, words: str, record: str, place: str = ""
) -> tuple[Claim, ...]:
    """One sentence that names the grave findings of a status, if there are any."""
    grave = [f for f in findings if f.status is status and f.severity in (Severity.CRITICAL, Severity.HIGH)]
    if not grave:
        return ()
    names = list_text((f"{f.rule_id} {f.title}" for f in grave), limit=10)
    refs = tuple(Ref(record, f.rule_id, place) for f in grave)
    return (claim(words, refs, shown=False, n=len(grave), names=names),)
