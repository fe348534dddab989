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
