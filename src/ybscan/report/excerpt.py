"""Results as documents over many terminals need them, small enough to hold thousands at once. Pure.

A result is mostly facts, and what is left is mostly the same on every terminal: titles, methods, remediation, and whole
findings where nothing is out of order. An excerpt leaves the facts out and holds what is the same once.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import PrivateAttr

from ybscan.model.result import Finding, HostInfo, Observation, PackInfo, ScanResult, Status
from ybscan.report.options import Kind

#: The facts of which a document prints something besides the sentences of findings.
_FACTS: Final[dict[Kind, tuple[str, ...]]] = {
    "leader": ("backup.copies", "antivirus.signatures", "patches.upgrades"),
}
_TOLD: Final = (
    "rule_id",
    "pack",
    "title",
    "severity",
    "status",
    "reason",
    "method",
    "clauses",
    "remediation",
    "waiver",
)


class Excerpt(ScanResult):
    """A part of a result, or one with other names in it. It is checked against what the whole content had as digest."""

    _original: str = PrivateAttr(default="")

    def compute_digest(self) -> str:
        """The digest of the content that this was made from."""
        return self._original


class Excerpts:
    """Makes excerpts that share what is equal among them.

    Args:
        kind: the kind of document they are for: ``self-inspection``, ``leader`` or ``ledger``.
    """

    def __init__(self, kind: Kind) -> None:
        if kind == "record":
            raise ValueError("a record prints the facts that changed")
        self._facts = _FACTS.get(kind, ())
        self._findings: dict[Any, Finding] = {}
        self._packs: dict[Any, tuple[PackInfo, ...]] = {}
        self._texts: dict[str, str] = {}
        self._named: set[str] = set(Finding.model_fields)

    def __call__(self, result: ScanResult) -> Excerpt:
        """What a document of the kind prints of a result. The result itself can be let go."""
        packs = self._packs.setdefault(tuple((p.id, p.title, p.version, p.sha256) for p in result.packs), result.packs)
        made = Excerpt.model_construct(
            _fields_set=None,
            schema_=result.schema_, tool=result.tool, host=self._host(result.host), unit=self._shared(result.unit),
            people=self._shared(result.people), started_at=result.started_at, finished_at=result.finished_at, packs=packs,
            site_sha256=self._text(result.site_sha256), summary=result.summary, left_out=result.left_out,
            findings=tuple(self._finding(f) for f in result.findings), coverage=(),
            facts={k: result.facts[k] for k in self._facts if k in result.facts}, redacted=result.redacted,
            previous_digest=result.previous_digest, digest=result.digest,
        )  # fmt: skip
        made._original = result.compute_digest()
        return made

    def _text(self, text: str) -> str:
        return self._texts.setdefault(text, text)

    def _shared(self, texts: dict[str, str]) -> dict[str, str]:
        return {self._text(k): self._text(v) for k, v in texts.items()}

    def _host(self, host: HostInfo) -> HostInfo:
        shared = {
            n: self._text(getattr(host, n)) for n in ("os", "os_version", "arch", "role", "backend", "department")
        }
        return host.model_copy(update=shared)

    def _finding(self, finding: Finding) -> Finding:
        seen = tuple((self._text(o.sentence), self._text(o.origin), o.status) for o in finding.observations)
        key = (
            finding.rule_id, finding.status, finding.title, finding.severity, finding.reason, finding.method, finding.clauses,
            finding.remediation, finding.pack, finding.waiver and tuple(finding.waiver.model_dump().values()), seen,
        )  # fmt: skip
        known = self._findings.get(key)
        if known is None:
            told = {n: getattr(finding, n) for n in _TOLD}
            for name in ("title", "method", "remediation", "reason"):
                told[name] = self._text(told[name])
            if finding.status in (Status.PASS, Status.NOT_APPLICABLE):
                told["remediation"] = ""
            observations = tuple(self._observation(*s) for s in seen)
            known = Finding.model_construct(_fields_set=self._named, observations=observations, **told)
            self._findings[key] = known
        return known

    def _observation(self, sentence: str, origin: str, status: Status) -> Observation:
        return Observation(fact="", status=status, sentence=sentence, origin=origin)
