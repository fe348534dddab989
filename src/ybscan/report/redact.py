"""Results and options without what tells who and where, for documents that leave the house. Pure.

Everything is replaced before a view is built, so that all formats say the same. The digest stays that of the record the
document was made from: whoever keeps the record can find it by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from ybscan.model.attestation import Answer
from ybscan.model.ledger import Entry
from ybscan.model.result import ScanResult
from ybscan.report.excerpt import Excerpt
from ybscan.report.identities import FACTS, Identities
from ybscan.report.options import Options, Redaction
from ybscan.report.terminals import when

LEVELS: Final[tuple[Redaction, ...]] = ("none", "partial", "full")
#: Printed in place of what a person wrote freely.
WITHHELD: Final = "（内容已脱敏）"
_SURE = re.compile(r"(是|否|不适用)(?=$|[：:，,（( ])")
#: Parts of a result that are neither free text nor anybody's.
_FIXED = frozenset({
    "schema", "tool", "site_sha256", "summary", "left_out", "coverage", "started_at", "finished_at", "previous_digest",
    "digest",
})  # fmt: skip
_FIXED_HOST = frozenset(("os", "role", "backend", "arch", "elevated", "process_bits"))
_TEXTS = ("title", "reason", "method", "remediation")


class Redactor:
    """Learns from everything that one document is about, then replaces in all of it.

    Args:
        level: ``partial`` or ``full``.
    """

    def __init__(self, level: Redaction) -> None:
        self._level = level
        self._full = level == "full"
        self._known = Identities(persons=self._full)

    # Learning -------------------------------------------------------------------------------------------------------

    def learn(self, result: ScanResult) -> None:
        """The names in a result, facts included: a name that only a fact tells may stand in another's sentence."""
        known, host = self._known, result.host
        known.add("主机", host.hostname)
        for mac in host.macs:
            known.learn_mac(mac)
        self._persons((host.owner, *result.people.values()), (host.department,))
        known.learn(result.facts)
        for name in FACTS:
            entry = result.facts.get(name)
            if isinstance(entry, dict):
                known.learn(entry.get("value"), name)
        for finding in result.findings:
            for o in finding.observations:
                known.learn({o.fact: o.value, "origin": o.origin, "sentence": o.sentence})
            known.learn(finding.reason)
            if finding.waiver is not None:
                self._persons((finding.waiver.approver,), ())
        registered = result.facts.get("registration.entries")
        items = registered.get("value") if isinstance(registered, dict) else None
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and isinstance(item.get("value"), str):
                said = str(item.get("name"))
                if "人" in said:
                    self._persons((item["value"],), ())
                elif "科" in said or "部门" in said:
                    self._persons((), (item["value"],))

    def learn_options(self, options: Options) -> None:
        """The names in everything else that a document says."""
        for result in options.previous:
            self.learn(result)
        self._persons((a.person for a in options.answers), (m.department for m in options.missed))
        for e in options.ledger:
            self._persons((e.owner, e.leader, e.closer), (e.department,))
            self._known.learn(e.problem)

    def _persons(self, persons: Iterable[str], departments: Iterable[str]) -> None:
        for name in persons:
            self._known.add("人员", name)
        for name in departments:
            self._known.add("科室", name)

    # Replacing ------------------------------------------------------------------------------------------------------

    def result(self, result: ScanResult) -> ScanResult:
        """The result with code names."""
        document = result.model_dump(mode="json", by_alias=True)
        hide = self._known.hide
        out: dict[str, Any] = {k: v for k, v in document.items() if k in _FIXED}
        out["redacted"] = self._level
        out["host"] = {k: v if k in _FIXED_HOST else self._known.hidden(v) for k, v in document["host"].items()}
        out["host"]["department"] = self._department(result.host.department)
        out["host"]["owner"] = self._person(result.host.owner)
        if result.host.hostname:
            out["host"]["hostname"] = self._known.name("主机", result.host.hostname)
        out["host"]["macs"] = [self._known.hide(m) for m in result.host.macs]
        out["unit"] = {k: hide(v) for k, v in result.unit.items()}
        out["people"] = {} if self._full else {k: hide(v) for k, v in result.people.items()}
        out["packs"] = [{**p, "title": hide(p["title"])} for p in document["packs"]]
        out["findings"] = [self._finding(f) for f in document["findings"]]
        out["facts"] = {hide(k) if "(" in k else k: self._fact(k, v) for k, v in result.facts.items()}
        made = Excerpt.model_validate(out)
        made._original = result.compute_digest()
        return made

    def _fact(self, name: str, entry: Any) -> Any:
        hidden = self._known.hidden(entry)
        if isinstance(hidden, dict) and isinstance(entry, dict) and "value" in entry:
            hidden["value"] = self._known.hidden(entry["value"], name)
        return hidden

    def _finding(self, finding: dict[str, Any]) -> dict[str, Any]:
        hide = self._known.hide
        out = finding | {k: hide(finding[k]) for k in _TEXTS}
        out["observations"] = [
            o | {
                "fact": hide(o["fact"]) if "(" in o["fact"] else o["fact"], "value": self._known.hidden(o["value"], o["fact"]),
                "expected": hide(o["expected"]), "origin": hide(o["origin"]), "sentence": hide(o["sentence"]),
            }
            for o in finding["observations"]
        ]  # fmt: skip
        waiver = finding["waiver"]
        if waiver is not None:
            out["waiver"] = waiver | {
                "reason": self._free(waiver["reason"]), "approver": self._person(waiver["approver"]),
                "document": hide(waiver["document"]),
            }  # fmt: skip
        return out

    def options(self, options: Options) -> Options:
        """The options with code names."""
        hide = self._known.hide
        return replace(
            options,
            previous=tuple(self.result(r) for r in options.previous),
            answers=tuple(self._answer(a) for a in options.answers),
            missed=tuple(
                replace(m, id=hide(m.id), department=self._department(m.department), reason=self._free(m.reason))
                for m in options.missed
            ),
            ledger=tuple(self._entry(e) for e in options.ledger),
            shift_reason=hide(options.shift_reason),
            addressee=hide(options.addressee),
            redaction=self._level,
        )

    def _answer(self, answer: Answer) -> Answer:
        text = self._known.hide(answer.answer)
        if self._full:
            sure = _SURE.match(answer.answer.strip())
            plain = re.fullmatch(r"[\d.-]+", answer.answer.strip())
            rest = "" if sure and sure[1] == answer.answer.strip() else WITHHELD
            text = answer.answer if plain else f"{sure[1]}{'：' if rest else ''}{rest}" if sure else WITHHELD
        said = {"answer": text, "person": self._person(answer.person), "basis": self._free(answer.basis)}
        return answer.model_copy(update=said)

    def _entry(self, entry: Entry) -> Entry:
        hide = self._known.hide
        # A check's words are the rule's; what persons registered, they wrote.
        told = hide if entry.source == "check" else self._free
        free: Callable[[Iterable[str]], tuple[str, ...]] = lambda texts: tuple(self._free(t) for t in texts)  # noqa: E731
        return entry.model_copy(
            update={
                "id": hide(entry.id), "terminal": hide(entry.terminal), "title": told(entry.title),
                "problem": told(entry.problem), "remediation": hide(entry.remediation), "owner": self._person(entry.owner),
                "leader": self._person(entry.leader), "closer": self._person(entry.closer), "waiver": hide(entry.waiver),
                "department": self._department(entry.department), "measures": self._free(entry.measures),
                "basis": self._free(entry.basis), "notes": free(entry.notes), "extensions": free(entry.extensions),
            }
        )  # fmt: skip

    def _free(self, text: str) -> str:
        """What a person wrote: it may name anybody in any words."""
        return (WITHHELD if text else "") if self._full else self._known.hide(text)

    def _person(self, name: str) -> str:
        return self._known.name("人员", name) if self._full else self._known.hide(name)

    def _department(self, name: str) -> str:
        return self._known.name("科室", name) if self._full else self._known.hide(name)


def redacted(
    results: Sequence[ScanResult], options: Options, level: Redaction
) -> tuple[tuple[ScanResult, ...], Options]:
    """Results and options of one document at a level.

    Args:
        results: as they were stored.
        options: what else the document says.
        level: ``none``: as they are. ``partial``: accounts, host names, serials, wireless networks, MAC and IP addresses
            get code names, the same one for the same thing. ``full``: departments and persons as well; what persons
            wrote in their own words is withheld, names for the signatures are left out.

    Returns:
        The same numbers and verdicts; equal arguments give equal names.
    """
    if level == "none":
        return tuple(results), options
    redactor = Redactor(level)
    for result in sorted(results, key=lambda r: (r.host.id, when(r), r.digest)):
        redactor.learn(result)
    redactor.learn_options(options)
    return tuple(redactor.result(r) for r in results), redactor.options(options)
