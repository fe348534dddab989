"""A rendered Markdown document as a flat list of blocks: what Word has to show, in order."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one dress; a line feed in it is a line break."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False


Inline = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """``level`` as in Markdown, from 1: the title."""

    level: int
    content: Inline


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of text, of a block quote, or within an item of a list."""

    content: Inline
    quoted: bool = False
    depth: int = 0
    """Of the list that it belongs to, from 1; 0 outside lists."""
    marker: Literal["", "bullet", "number"] = ""
    """What stands before it; empty for the second paragraph of an item too."""
    list_id: int = 0
    """Which numbered list of the document, from 1."""
    start: int = 1
    """The number that list begins with."""


@dataclass(frozen=True, slots=True)
class Code:
    """Lines of commands."""

    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the page."""


Row = tuple[Inline, ...]
Align = Literal["", "left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with one header row; every row has as many cells."""

    header: Row
    aligns: tuple[Align, ...]
    rows: tuple[Row, ...]


Block = Heading | Paragraph | Code | Rule | Table


def plain(content: Inline) -> str:
    """The text alone."""
    return "".join(r.text for r in content)


def blocks(markdown: str) -> list[Block]:
    """The blocks of a CommonMark text with tables and strikethrough."""
    return _Reader(MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)).all()


class _Reader:
    """Walks over the tokens once."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._quotes = 0
        self._lists: list[tuple[Literal["bullet", "number"], int, int]] = []
        self._fresh = False
        self._numbered = 0

    def all(self) -> list[Block]:
        found: list[Block] = []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            block = self._block(token)
            if block is not None:
                found.append(block)
        return found

    def _block(self, token: Token) -> Block | None:
        kind = token.type
        if kind == "table_open":
            return self._table()
        if kind == "heading_open":
            return Heading(int(token.tag[1:]), self._inline())
        if kind == "paragraph_open":
            return self._paragraph()
        if kind in ("fence", "code_block"):
            return Code(token.content.rstrip("\n"))
        if kind == "hr":
            return Rule()
        if kind == "html_block":
            text = _untagged(token.content)
            return Paragraph((Run(text),)) if text else None
        self._enter(token)
        return None

    def _enter(self, token: Token) -> None:
        kind = token.type
        self._quotes += {"blockquote_open": 1, "blockquote_close": -1}.get(kind, 0)
        if kind == "bullet_list_open":
            self._lists.append(("bullet", 0, 1))
        elif kind == "ordered_list_open":
            self._numbered += 1
            self._lists.append(("number", self._numbered, int(token.attrs.get("start", 1))))
        elif kind in ("bullet_list_close", "ordered_list_close"):
            self._lists.pop()
        self._fresh = kind == "list_item_open"

    def _inline(self) -> Inline:
        """The content of the block that was just opened; steps behind its end."""
        token = self._tokens[self._at]
        self._at += 2
        return runs(token.children or ())

    def _paragraph(self) -> Paragraph:
        fresh, self._fresh = self._fresh, False
        content = self._inline()
        if not self._lists:
            return Paragraph(content, quoted=self._quotes > 0)
        marker, number, start = self._lists[-1]
        return Paragraph(content, False, len(self._lists), marker if fresh else "", number, start)

    def _table(self) -> Table:
        rows: list[list[Inline]] = []
        aligns: list[Align] = []
        while True:
            token = self._tokens[self._at]
            self._at += 1
            if token.type == "table_close":
                break
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(runs(token.children or ()))
            elif token.type == "th_open":
                style = str(token.attrs.get("style", ""))
                aligns.append("right" if "right" in style else "center" if "center" in style else "")
        return Table(tuple(rows[0]), tuple(aligns), tuple(map(tuple, rows[1:])))


def runs(children: Sequence[Token]) -> Inline:
    """The runs of an inline token's children; those in the same dress become one."""
    found: list[Run] = []
    bold = italic = strike = 0
    for i, token in enumerate(children):
        kind = token.type
        bold += {"strong_open": 1, "strong_close": -1}.get(kind, 0)
        italic += {"em_open": 1, "em_close": -1}.get(kind, 0)
        strike += {"s_open": 1, "s_close": -1}.get(kind, 0)
        text = _text(token, children[i - 1] if i else None, children[i + 1] if i + 1 < len(children) else None)
        if not text:
            continue
        run = Run(text, bold > 0, italic > 0, strike > 0, kind == "code_inline")
        if found and _dress(found[-1]) == _dress(run):
            found[-1] = Run(found[-1].text + text, *_dress(run))
        else:
            found.append(run)
    return tuple(found)


def _dress(run: Run) -> tuple[bool, bool, bool, bool]:
    return run.bold, run.italic, run.strike, run.code


def _text(token: Token, before: Token | None, after: Token | None) -> str:
    if token.type == "softbreak":
        # A line that a template only wraps: no space between two Chinese characters.
        wide = _wide(before.content[-1:] if before else "") and _wide(after.content[:1] if after else "")
        return "" if wide else " "
    if token.type == "hardbreak":
        return "\n"
    if token.type == "html_inline":
        return "\n" if re.fullmatch(r"<br\s*/?>", token.content, re.IGNORECASE) else ""
    return token.content  # an image has its description here


def _wide(char: str) -> bool:
    return bool(char) and unicodedata.east_asian_width(char) in "WF"


def _untagged(source: str) -> str:
    """The words of a piece of HTML in a unit's template; Word cannot show its tags."""
    return html.unescape(re.sub(r"<!--.*?-->|<[^<>]*>", "", source, flags=re.DOTALL)).strip()
