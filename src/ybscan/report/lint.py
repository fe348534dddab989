"""What no document of ours may say. Looks at our own words; inserted data and quoted evidence are left out. Pure.

The tool sees a terminal at one moment. It cannot know that nothing ever leaked, that a network is physically isolated or
that a backup would restore, so no template may say it, nor may it carry the leftovers of a copied text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ybscan.report.text import CLAIM_CLOSE, CLAIM_OPEN, DATA_CLOSE, DATA_OPEN, without_marks


@dataclass(frozen=True, slots=True)
class Ban:
    """Words that may not stand in a document, and why."""

    pattern: re.Pattern[str]
    why: str


def _ban(pattern: str, why: str) -> Ban:
    return Ban(re.compile(pattern, re.IGNORECASE), why)


_CANNOT_KNOW = "技术检测不能得出这样的结论"
_LEFTOVER = "是没有填写的占位符或抄录留下的杂字"

#: Never, in no document.
NEVER: Final = (
    _ban(r"(?:确保|保证)(?:了)?(?:无|没有|不存在)(?:任何)?(?:安全)?隐患", _CANNOT_KNOW),
    _ban(r"(?:无|没有|不存在)任何(?:安全)?隐患|(?:无|没有|不存在)安全隐患", _CANNOT_KNOW),
    _ban(r"杜绝|绝对安全|万无一失|从未发生|从来没有发生", _CANNOT_KNOW),
    _ban(r"(?:未|没有|无)(?:发生|出现)(?:过)?(?:任何)?(?:失密|泄密|失泄密|网络安全事[件故])", _CANNOT_KNOW),
    _ban(r"(?:系统|终端|电脑|计算机)(?:内)?(?:无|没有|不存在)(?:计算机)?病毒", _CANNOT_KNOW),
    _ban(r"(?:符合|满足|通过|达到)[^，。；]{0,8}(?:等保|等级保护|密评|密码应用安全性评估|国密)", "终端自查不等于等级测评和密码测评"),
    _ban(r"已(?:经)?(?:实现|做到|进行)?(?:了)?物理隔离", _CANNOT_KNOW),
    _ban(r"备份(?:数据)?(?:可以|能够|可|能)(?:正常)?恢复", "没有恢复记录不得这样写"),
    _ban(r"(?:未|没有|从未)(?:连接|接入|访问)(?:过)?(?:互联网|外网|因特网)", "只能写“检查时未探测到互联网连通”"),
    _ban(r"专线专用", _CANNOT_KNOW),
    _ban(r"自动完成(?:了)?自查", "技术检测只是自查的一部分"),
    _ban(r"\b20[x×]{2}|[x×]{2,}(?=[年月日市县区局院店])|某某|\[[^\]]{0,12}具体[^\]]{0,20}\]|〔[^〕]{0,12}具体[^〕]{0,20}〕", _LEFTOVER),
    _ban(r"\{\{|\}\}|\{%|%\}|\bTODO\b|\bNone\b|\bundefined\b|lorem ipsum|�", _LEFTOVER),
    _ban(r"v\s+pn|vp\s+n|病素|医咻|是也过", _LEFTOVER),
)  # fmt: skip
#: Only where every terminal that there is was checked and nothing stayed undetermined.
COMPLETE_ONLY: Final = (
    _ban(r"全部|所有终端|每一?台|完全|(?<!平)均(?![衡价值匀线])", "应检终端没有全部检查，或者还有未能确认的项目"),
)
#: Only where no critical item fails.
UNBLEMISHED_ONLY: Final = (_ban(r"总体良好|情况良好|总体较好", "存在严重的不符合项"),)
#: Statements of a result: only inside a sentence that carries its evidence.
ASSERTIONS: Final = _ban(
    r"经(?:技术)?检[查测]|检出|检查时未|在已检查的",
    "陈述检查结果的句子没有证据（用 stated 写出依据）",
)

_DATA = re.compile(f"{DATA_OPEN}[^{DATA_CLOSE}]*{DATA_CLOSE}")
_CLAIM = re.compile(f"{CLAIM_OPEN}[^{CLAIM_CLOSE}]*{CLAIM_CLOSE}")
_STYLE = re.compile(r"<style\b.*?</style>|<script>.*?</script>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Hit:
    """Words found where they may not be. ``line`` of the rendered text, from 1."""

    words: str
    why: str
    line: int


def _own(text: str) -> str:
    """Our own words: data becomes a box, tags vanish so that they cannot split a word; lines stay where they are."""

    def lines_only(match: re.Match[str]) -> str:
        return "\n" * match[0].count("\n")

    own = _DATA.sub(lambda m: "□" + lines_only(m), text)
    return _TAG.sub(lines_only, _STYLE.sub(lines_only, own))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def lint(text: str, *, complete: bool, unblemished: bool) -> tuple[Hit, ...]:
    """Everything in a rendered, still marked text that may not be said.

    Args:
        text: the document with its marks.
        complete: every expected terminal was checked and nothing is undetermined.
        unblemished: no critical item fails.
    """
    own = _own(text)
    bans = [*NEVER, *(() if complete else COMPLETE_ONLY), *(() if unblemished else UNBLEMISHED_ONLY)]
    hits = list(_hits(without_marks(own), bans))
    unproven = _CLAIM.sub(lambda m: "\n" * m[0].count("\n"), own)
    hits.extend(_hits(without_marks(unproven), [ASSERTIONS]))
    return tuple(hits)


def lint_words(text: str) -> tuple[Hit, ...]:
    """What may never be said, in a text that is all ours: a template's strings, a rule's title."""
    return tuple(_hits(text, NEVER))


def _hits(text: str, bans: Iterable[Ban]) -> Iterable[Hit]:
    for number, line in enumerate(text.split("\n"), 1):
        folded = _folded(line)
        for ban in bans:
            found = ban.pattern.search(folded)
            if found:
                yield Hit(found[0], ban.why, number)
