"""Findings of many terminals, rule by rule, for the self-inspection report. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ybscan.model.result import Finding, ScanResult, Status
from ybscan.model.rule import Severity
from ybscan.report.claims import Claim, Ref, anchor, claim
from ybscan.report.dates import numeral
from ybscan.report.figures import WORST
from ybscan.report.model import (
    VERDICTS,
    Change,
    Evidence,
    Excepted,
    Item,
    PackItems,
    Problem,
    Undetermined,
)
from ybscan.report.parts import (
    OPEN,
    ClauseNumbers,
    again,
    checked_text,
    counts,
    evidence_of,
    exception_of,
    list_text,
    measures_of,
    seen_of,
    severity_text,
    tally,
)
from ybscan.report.record import acceptance, pack_groups
from ybscan.report.terminals import Checks, record_number
from ybscan.report.text import Prose, prose

#: How many different sentences of evidence a rule shows in the chapter of results.
MAX_KINDS = 3
MAX_BASIS = 3


@dataclass(frozen=True, slots=True)
class Found:
    """A finding with its result and record number."""

    result: ScanResult
    number: str
    finding: Finding

    @property
    def terminal(self) -> str:
        """What the terminal is called."""
        return self.result.host.id

    @property
    def ref(self) -> Ref:
        """Where the finding can be looked up."""
        return Ref(self.number)


def by_rule(found: Iterable[Found]) -> dict[str, list[Found]]:
    """Findings by rule, rules as they first occur."""
    rules: dict[str, list[Found]] = {}
    for one in found:
        rules.setdefault(one.finding.rule_id, []).append(one)
    return rules


def refs_of(rule_id: str, found: list[Found]) -> tuple[Ref, ...]:
    """The rule's place in the report, then the records."""
    return (Ref("", rule_id), *(f.ref for f in found))


def results_of(latest: list[ScanResult], found: list[Found], clauses: ClauseNumbers) -> tuple[PackItems, ...]:
    """Results pack by pack, rule by rule."""
    packs = []
    for i, (pack, title, rule_ids) in enumerate(pack_groups(latest), 1):
        mine = [f for f in found if f.finding.pack == pack]
        before = len(clauses.all)
        rules = by_rule(mine)
        items = tuple(_item(rules[r], clauses) for r in rule_ids)
        packs.append(
            PackItems(
                Prose(f"（{numeral(i)}）"),
                title,
                counts(f.finding for f in mine),
                items,
                clauses.first_cited(before),
                again(items, before),
            )
        )
    return tuple(packs)


def _item(found: list[Found], clauses: ClauseNumbers) -> Item:
    first = found[-1].finding
    statuses = [f.finding.status for f in found]
    return Item(
        rule_id=first.rule_id,
        anchor=anchor("", first.rule_id),
        title=first.title,
        severity=severity_text(first.severity),
        verdict=VERDICTS[min(statuses, key=WORST.index)],
        counts=tally(statuses),
        method=first.method,
        reason=Prose(""),
        evidence=_summary(found),
        clauses=clauses.cite(c for f in found for c in f.finding.clauses),
    )


def _summary(found: list[Found]) -> tuple[Evidence, ...]:
    """The same sentence over several terminals once; what is wrong or unknown is told in its own chapter."""
    same: dict[Prose, list[Found]] = {}
    for one in found:
        if one.finding.status in (Status.PASS, Status.DELEGATED):
            for evidence in evidence_of(one.finding, one.ref):
                same.setdefault(evidence.claim.text, []).append(one)
    several = len(found) > 1
    shown = [
        Evidence(
            Claim(text, refs_of(fs[0].finding.rule_id, fs), False), "", tuple(f.terminal for f in fs) if several else ()
        )
        for text, fs in list(same.items())[:MAX_KINDS]
    ]
    if len(same) > len(shown):
        refs = refs_of(found[0].finding.rule_id, found)
        shown.append(
            Evidence(claim("另有 {n} 条，见各终端的检查记录。", refs, shown=False, n=len(same) - len(shown)), "")
        )
    return tuple(shown)


def _of(found: list[Found], *statuses: Status) -> dict[str, list[Found]]:
    """By rule, the gravest rules first."""
    order = list(Severity)
    chosen = [f for f in found if f.finding.status in statuses]
    return by_rule(sorted(chosen, key=lambda f: order.index(f.finding.severity)))


def problems_of(found: list[Found], clauses: ClauseNumbers) -> tuple[Problem, ...]:
    """Every rule that fails anywhere, with every terminal where it does."""
    machines = len({f.number for f in found})
    problems = []
    for i, (rule_id, failed) in enumerate(_of(found, Status.FAIL).items(), 1):
        finding = failed[-1].finding
        problems.append(
            Problem(
                number=i,
                rule_id=rule_id,
                anchor=anchor("", rule_id),
                title=finding.title,
                severity=severity_text(finding.severity),
                sentence=claim(
                    "在已检查的 {n} 台终端中，{m} 台的“{title}”一项不符合要求：{names}。", (Ref("", rule_id),),
                    n=machines, m=len(failed), title=finding.title, names=list_text(f.terminal for f in failed),
                ),
                seen=tuple(seen_of(f.finding, f.terminal, f.ref) for f in failed),
                clauses=clauses.cite(c for f in failed for c in f.finding.clauses),
                measures=measures_of((f.terminal, f.finding) for f in failed),
                owners=tuple(dict.fromkeys(f.result.host.owner for f in failed if f.result.host.owner)),
                acceptance=acceptance(rule_id),
            )
        )  # fmt: skip
    return tuple(problems)


def excepted_of(found: list[Found]) -> tuple[Excepted, ...]:
    """Every 不符合 that an approved exception covers."""
    return tuple(
        Excepted(
            f.finding.rule_id, anchor("", f.finding.rule_id), f.finding.title, f.terminal,
            seen_of(f.finding, f.terminal, f.ref), exception_of(f.finding),
        )
        for f in found if f.finding.status is Status.WAIVED
    )  # fmt: skip


def undetermined_of(found: list[Found]) -> tuple[Undetermined, ...]:
    """Every rule that could not be determined somewhere, with every terminal and the reason."""
    rows = []
    for rule_id, open_ in _of(found, *OPEN).items():
        finding = open_[-1].finding
        worst = min((f.finding.status for f in open_), key=WORST.index)
        seen = tuple(seen_of(f.finding, f.terminal, f.ref) for f in open_)
        severity = severity_text(finding.severity)
        rows.append(Undetermined(rule_id, anchor("", rule_id), finding.title, severity, VERDICTS[worst], seen))
    return tuple(rows)


def solved_of(groups: tuple[Checks, ...], numbers: Mapping[str, str]) -> tuple[Change, ...]:
    """What an earlier check of the period found wrong and the latest one found right."""
    changes = []
    for group in groups:
        now = {f.rule_id: f for f in group.latest.findings}
        wrong: dict[str, ScanResult] = {}
        for result in group.results[:-1]:
            wrong.update({f.rule_id: result for f in result.findings if f.status is Status.FAIL})
        for rule_id, result in wrong.items():
            finding = now.get(rule_id)
            if finding is not None and finding.status is Status.PASS:
                refs = (Ref(record_number(result, numbers)), Ref(record_number(group.latest, numbers)))
                text = claim(
                    "终端 {id}：{before}检查为“不符合”，{after}检查为“符合”。", refs,
                    id=result.host.id, before=checked_text(result), after=checked_text(group.latest),
                )  # fmt: skip
                changes.append(Change(Prose("已消除"), rule_id, finding.title, text))
    return tuple(changes)


def cited_documents(clauses: ClauseNumbers) -> Prose:
    """The regulations the checks rest on, for the opening sentence; nothing where the catalogue knows none."""
    names = list(dict.fromkeys(c.document for c in clauses.all if c.known and not c.sample))
    if not names:
        return Prose("")
    shown = Prose("".join(prose("《{n}》", n=n) for n in names[:MAX_BASIS]))
    rest = Prose(f"等 {len(names)} 份文件") if len(names) > MAX_BASIS else Prose("")
    return prose("依据{shown}{rest}，", shown=shown, rest=rest)
