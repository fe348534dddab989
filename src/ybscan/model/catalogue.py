"""The clause catalogue: what the regulations and standards demand, the documents ``ybscan.catalog/v1``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ybscan.model.rule import ClauseId, Document, RuleId, Severity, Slug, Text

ClauseKind = Literal["automatic", "configured", "attested", "process", "report"]
"""Who can answer a clause: the terminal alone, the terminal with the unit's settings, a person, our way of working,
or the report's wording."""

Verification = Literal["verified", "partial", "derived", "memory"]
"""How far the wording of a clause was compared with its source."""


class Clause(Document):
    """One demand of one document, in our own words."""

    id: ClauseId
    document: Text = Field(description="文件名称")
    article: Text = Field(description="条款号或所在部分")
    text: Text = Field(description="要求的概括")
    kind: ClauseKind
    severity: Severity
    rules: tuple[RuleId, ...] = Field(default=(), description="回答该条款的规则")
    stands_for: tuple[Text, ...] = Field(default=(), description="由它概括的来源条目")
    verification: Verification


class CatalogueFile(Document):
    """One file of ``rules/catalog``."""

    schema_: Literal["ybscan.catalog/v1"] = Field(alias="schema")
    id: Slug
    title: Text
    clauses: tuple[Clause, ...] = Field(min_length=1)


class Contradiction(Document):
    """Where sources disagree: what each says, what we took, and how a unit changes it."""

    id: Slug
    topic: Text
    positions: tuple[Text, ...] = Field(min_length=2, description="各方说法")
    resolution: Text = Field(description="取舍")
    default: Text = Field(description="默认值及其出处")
    how_to_change: Text = Field(description="单位怎样修改")

    def concerns(self, rule_id: str) -> bool:
        """Whether the settlement speaks of a rule."""
        return rule_id in f"{self.resolution} {self.default} {self.how_to_change}"


class ContradictionFile(Document):
    """``rules/catalog/contradictions.yml``."""

    schema_: Literal["ybscan.contradictions/v1"] = Field(alias="schema")
    contradictions: tuple[Contradiction, ...] = Field(min_length=1)
