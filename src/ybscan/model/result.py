"""What a scan found: the document ``ybscan.result/v1``."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from ybscan.model.rule import Document, Severity


class Status(StrEnum):
    """The verdict of a finding."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"
    MANUAL = "manual"
    WAIVED = "waived"
    DELEGATED = "delegated"

    @property
    def text(self) -> str:
        """In Chinese, as every document prints it."""
        return _STATUS_TEXT[self]


_STATUS_TEXT = {
    Status.PASS: "符合",
    Status.FAIL: "不符合",
    Status.UNKNOWN: "无法判定",
    Status.NOT_APPLICABLE: "不适用",
    Status.MANUAL: "待人工确认",
    Status.WAIVED: "例外（已批准）",
    Status.DELEGATED: "委托管控",
}


class Observation(Document):
    """One fact that decided a finding. ``status`` is that of this one comparison."""

    fact: str
    status: Status
    value: Any = None
    expected: str = ""
    origin: str = ""
    sentence: str


class FindingWaiver(Document):
    """The exception that covers a FAIL, as printed."""

    reason: str
    approver: str
    document: str
    approved: str
    expires: str


class Finding(Document):
    """The verdict on one rule. Every rule gives exactly one."""

    rule_id: str
    pack: str
    title: str
    severity: Severity
    status: Status
    reason: str = ""
    method: str = ""
    observations: tuple[Observation, ...] = ()
    clauses: tuple[str, ...] = ()
    remediation: str = ""
    waiver: FindingWaiver | None = None


class Tool(Document):
    """The program that made the result."""

    name: str
    version: str


class HostInfo(Document):
    """The terminal, and how it was looked at."""

    id: str
    hostname: str
    os: str
    os_version: str
    arch: str
    role: str
    backend: str
    elevated: bool | None
    department: str = ""
    owner: str = ""
    addresses: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    process_bits: int | None = None
    """Bits of the program that looked, told on Windows: one of 32 bits sees some folders and keys under other names."""

    @model_serializer(mode="wrap")
    def _only_what_is_told(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the bits where they were not told: documents of Linux terminals, and old ones, keep their digests."""
        document: dict[str, Any] = plain(self)
        if document["process_bits"] is None:
            del document["process_bits"]
        return document


class PackInfo(Document):
    """A rule pack as it was used."""

    id: str
    title: str
    version: str
    sha256: str


class Summary(Document):
    """Counts and rates. ``pass_rate`` = pass/(pass+fail), ``determined_rate`` = (pass+fail)/applicable; None for 0/0."""

    model_config = Document.model_config | {"populate_by_name": True}

    pass_: int = Field(alias="pass")
    fail: int
    unknown: int
    not_applicable: int
    manual: int
    waived: int
    delegated: int
    total: int
    pass_rate: float | None
    determined_rate: float | None
    grade: str


class ClauseCoverage(Document):
    """A clause of the catalogue and what came of the rules that answer it."""

    clause: str
    status: Status
    rules: tuple[str, ...]


class ScanResult(Document):
    """One terminal, one scan."""

    schema_: Literal["ybscan.result/v1"] = Field(default="ybscan.result/v1", alias="schema")
    tool: Tool
    host: HostInfo
    unit: dict[str, str] = Field(default_factory=dict)
    people: dict[str, str] = Field(default_factory=dict)
    started_at: str
    finished_at: str
    packs: tuple[PackInfo, ...]
    site_sha256: str
    summary: Summary
    left_out: tuple[str, ...] = ()
    """Rules in force that this scan was told not to check (``--pack``, ``--rule``)."""
    findings: tuple[Finding, ...]
    coverage: tuple[ClauseCoverage, ...] = ()
    facts: dict[str, Any] = Field(default_factory=dict)
    redacted: Literal["", "partial", "full"] = ""
    """How far names were replaced for a copy that leaves the house; ``digest`` is then that of the original."""
    previous_digest: str = ""
    digest: str = ""

    @model_serializer(mode="wrap")
    def _unredacted_says_nothing(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the level where nothing was replaced: such documents keep their digests.

        What was read has its keys in one order, so that a check out of the history is the same text as a fresh one.
        """
        document: dict[str, Any] = plain(self)
        document["facts"] = _ordered(document["facts"])
        for finding in document["findings"]:
            for observation in finding["observations"]:
                observation["value"] = _ordered(observation["value"])
        if not document["redacted"]:
            del document["redacted"]
        return document

    def sealed(self) -> ScanResult:
        """The same result with its digest filled in."""
        return self.model_copy(update={"digest": self.compute_digest()})

    def compute_digest(self) -> str:
        """``sha256:`` over the canonical JSON of everything but the digest itself."""
        document = self.model_dump(mode="json", by_alias=True)
        del document["digest"]
        return "sha256:" + hashlib.sha256(canonical_json(document)).hexdigest()


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _ordered(value[k]) for k in sorted(value)}
    return [_ordered(v) for v in value] if isinstance(value, (list, tuple)) else value


def canonical_json(document: Any) -> bytes:
    """JSON with sorted keys, no spaces, ASCII only: the same bytes for the same content, lone surrogates included."""
    return json.dumps(document, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode("ascii")
