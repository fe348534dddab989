"""The published grading rule in words, and what a digest is worth; every document prints both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ybscan.report.text import Prose


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the published grading rule."""

    grade: Prose
    text: Prose


GRADING: Final = (
    Rule(Prose("不符合"), Prose("有风险等级为“严重”的检查项不符合。")),
    Rule(
        Prose("无法判定"),
        Prose("没有“严重”项不符合，但有“严重”项未能确认；或者没有不符合项，但有“高”风险项未能确认，"
              "未能确认项超过适用项的五分之一，没有一项得出符合或不符合的结论，或者只检查了部分规则。"),
    ),
    Rule(
        Prose("部分符合"),
        Prose("“严重”项没有不符合和未能确认，但有“高”风险项不符合；或者既有不符合项，又有“高”风险项未能确认，"
              "未能确认项超过适用项的五分之一，或者只检查了部分规则。"),
    ),
    Rule(
        Prose("基本符合"),
        Prose("“严重”“高”风险项没有不符合，也没有未能确认，但仍有“中”“低”风险项不符合或者未能确认（不超过适用项的五分之一），"
              "或者有已批准的例外，或者有委托其他产品管控的项。"),
    ),
    Rule(Prose("符合"), Prose("适用的检查项中没有不符合、未能确认、例外和委托管控。")),
)  # fmt: skip
"""The published grading rule in words, as :func:`ybscan.engine.summary.grade` applies it."""
DIGEST_NOTE: Final = Prose(
    "摘要值只用于发现内容是否被改动，不构成《中华人民共和国电子签名法》所称的可靠电子签名，不能代替签字和盖章。"
)
