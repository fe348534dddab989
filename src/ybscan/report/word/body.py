"""Blocks as the body of ``word/document.xml``: paragraphs, tables, sections."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ybscan.report.word import tables
from ybscan.report.word.blocks import Block, Code, Heading, Inline, Paragraph, Row, Rule, Run, Table, plain
from ybscan.report.word.layout import Layout
from ybscan.report.word.xml import escape

#: The deepest heading style; deeper headings share it.
_DEEPEST: Final = 4
#: Indentation levels of lists.
_MAX_DEPTH: Final = 3
BULLETS: Final = 1
_SIGN_OFF = re.compile(r"^(.*（盖章）)([　 ]*年[　 ]+月[　 ]+日)$")


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of blocks on pages of one direction."""

    wide: bool
    blocks: tuple[Block, ...]


def sections(found: Sequence[Block], layout: Layout) -> tuple[Section, ...]:
    """The document in sections: a chapter with a table that no upright page holds lies on its side.

    A document that begins that way (a ledger) stays that way, so that its signatures are not left on a page of their own.
    """
    chapters: list[list[Block]] = [[]]
    for block in found:
        if isinstance(block, Heading) and block.level <= 2 and chapters[-1]:
            chapters.append([])
        chapters[-1].append(block)
    wide = [any(isinstance(b, Table) and tables.needs_wide(b, layout) for b in c) for c in chapters]
    for i in range(len(chapters) - 1):
        # A title must not stand on a page alone.
        first = chapters[i][0] if chapters[i] else None
        if isinstance(first, Heading) and first.level == 1 and not any(isinstance(b, Table) for b in chapters[i]):
            wide[i] = wide[i + 1]
    if wide[0]:
        wide = [True] * len(wide)
    merged: list[Section] = []
    for one, chapter in zip(wide, chapters, strict=True):
        if merged and merged[-1].wide == one:
            merged[-1] = Section(one, merged[-1].blocks + tuple(chapter))
        else:
            merged.append(Section(one, tuple(chapter)))
    return tuple(merged)


class Body:
    """Writes a body once.

    Args:
        layout: sizes.
        ids: our style ids to those of the file.
        section: gives ``w:sectPr`` for pages upright or on their side.
    """

    def __init__(self, layout: Layout, ids: Mapping[str, str], section: Callable[[bool], str]) -> None:
        self._layout = layout
        self._ids = ids
        self._section = section
        self._text_width: Callable[[bool], int] = lambda wide: layout.wide_text_width if wide else layout.text_width
        self._after_rule = False
        self._before_chapters = True
        self.starts: list[int] = []
        """The first number of each numbered list."""

    def write(self, found: Sequence[Block]) -> str:
        """The content of ``w:body``."""
        parts = sections(found, self._layout)
        out: list[str] = []
        for i, part in enumerate(parts):
            out.extend(self._part(part, first=i == 0))
            if i < len(parts) - 1:
                properties = f'<w:pStyle w:val="{self._ids["YbBreak"]}"/>{self._section(part.wide)}'
                out.append(f"<w:p><w:pPr>{properties}</w:pPr></w:p>")
        out.append(self._section(parts[-1].wide))
        return "".join(out)

    def _part(self, part: Section, *, first: bool) -> Iterator[str]:
        alike: dict[tuple[str, ...], list[Table]] = {}
        for block in part.blocks:
            if isinstance(block, Table):
                alike.setdefault(_titles(block), []).append(block)
        for i, block in enumerate(part.blocks):
            at_top = i == 0
            after = part.blocks[i + 1] if i + 1 < len(part.blocks) else None
            if isinstance(block, Heading):
                yield self._heading(block, new_page=not at_top, first=first and at_top)
            elif isinstance(block, Table):
                yield self._table(block, alike[_titles(block)], self._text_width(part.wide))
                if not isinstance(after, Heading):
                    yield self._paragraph("YbGap", ())
            elif isinstance(block, Code):
                yield self._paragraph("YbCode", (Run(block.text),), "<w:keepLines/>" if _short(block.text) else "")
            elif isinstance(block, Rule):
                self._after_rule = True
            else:
                leads = not block.quoted and not block.depth and plain(block.content).endswith("：")
                yield self._words(block, "<w:keepNext/>" if leads and after is not None else "")

    # --- paragraphs ---------------------------------------------------------------------------------------------------

    def _paragraph(self, style: str, content: Inline, properties: str = "") -> str:
        style_xml = "" if style == "Normal" else f'<w:pStyle w:val="{escape(self._ids[style])}"/>'
        ppr = f"<w:pPr>{style_xml}{properties}</w:pPr>" if style_xml or properties else ""
        return f"<w:p>{ppr}{''.join(map(self._run, content))}</w:p>"

    def _run(self, run: Run) -> str:
        dress = ""
        if run.code:
            dress += f'<w:rStyle w:val="{escape(self._ids["YbCodeText"])}"/>'
        elif run.italic or run.bold:
            dress += f'<w:rStyle w:val="{escape(self._ids["Strong" if run.bold else "Emphasis"])}"/>'
        if run.strike:
            dress += "<w:strike/>"
        rpr = f"<w:rPr>{dress}</w:rPr>" if dress else ""
        text = "<w:br/>".join(
            f'<w:t xml:space="preserve">{escape(line)}</w:t>' if line else "" for line in run.text.split("\n")
        )
        return f"<w:r>{rpr}{text}</w:r>" if text else ""

    def _heading(self, block: Heading, *, new_page: bool, first: bool) -> str:
        self._after_rule = False
        self._before_chapters = block.level == 1
        text = plain(block.content)
        if block.level == 1:
            page = "<w:pageBreakBefore/>" if new_page and not first else ""
            return self._paragraph("Title", block.content, page + _balanced(text, self._layout))
        if block.level == 2 and re.match(r"附件\s*\d*(?:\s|$)", text):
            return self._paragraph("AnnexHeading", block.content, "<w:pageBreakBefore/>" if new_page else "")
        return self._paragraph(f"Heading{min(block.level - 1, _DEEPEST)}", block.content)

    def _words(self, block: Paragraph, keep: str) -> str:
        if self._after_rule and not block.quoted and not block.depth:
            self._after_rule = False
            line = '<w:pBdr><w:top w:val="single" w:sz="4" w:space="6" w:color="auto"/></w:pBdr>'
            return self._paragraph("YbNote", _unindented(block.content), line)
        if block.depth:
            return self._item(block)
        if block.quoted:
            return self._paragraph("YbQuote", block.content)
        text = plain(block.content)
        signed = _SIGN_OFF.match(text)
        if signed:
            return self._paragraph("SignOff", (Run(signed[1]),)) + self._paragraph("SignOff", (Run(signed[2]),))
        if self._before_chapters and text.endswith("：") and len(text) <= 60:
            return self._paragraph("Addressee", block.content)
        return self._paragraph("BodyText", _unindented(block.content), keep)

    def _item(self, block: Paragraph) -> str:
        depth = min(block.depth, _MAX_DEPTH) - 1
        style = "ListNumber" if block.list_id else "ListBullet"
        if not block.marker:
            left = self._layout.listed * 10 * (2 + (2 if block.list_id else 1) * (depth + 1))
            return self._paragraph(style, block.content, f'<w:ind w:left="{left}" w:firstLine="0"/>')
        number = BULLETS + block.list_id
        while len(self.starts) < block.list_id:
            self.starts.append(block.start)
        numbering = f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{number}"/></w:numPr>'
        return self._paragraph(style, block.content, numbering)

    # --- tables -------------------------------------------------------------------------------------------------------

    def _table(self, table: Table, alike: Sequence[Table], total: int) -> str:
        is_small = tables.small(table)
        em = (self._layout.small if is_small else self._layout.table) * 10
        style = "YbTableSmall" if is_small else "YbTable"
        at = tables.widths(alike, total, em)
        signed = tables.is_signed(table.header)
        empty = self._layout.sign_row if signed else self._layout.fill_row
        grid = "".join(f'<w:gridCol w:w="{w}"/>' for w in at)
        head = self._row(table.header, at, ("center",) * len(at), f"{style}Head", "<w:cantSplit/><w:tblHeader/>", True)
        rows = []
        for row in table.rows:
            properties = "<w:cantSplit/>" if tables.unbroken(row, at, em) else ""
            if any(map(tables.is_blank, row)):
                properties += f'<w:trHeight w:val="{empty}"/>'
            # Signatures stay together.
            keep = signed and row is not table.rows[-1]
            rows.append(self._row(row, at, table.aligns, style, properties, False, keep=keep))
        return (
            f'<w:tbl><w:tblPr><w:tblStyle w:val="{escape(self._ids["TableGrid"])}"/><w:tblW w:w="{sum(at)}" '
            'w:type="dxa"/><w:jc w:val="center"/><w:tblLayout w:type="fixed"/><w:tblLook w:val="0020" '
            'w:firstRow="1" w:lastRow="0" w:firstColumn="0" w:lastColumn="0" w:noHBand="1" w:noVBand="1"/></w:tblPr>'
            f"<w:tblGrid>{grid}</w:tblGrid>{head}{''.join(rows)}</w:tbl>"
        )

    def _row(
        self,
        cells: Row,
        at: Sequence[int],
        aligns: Sequence[str],
        style: str,
        properties: str,
        head: bool,
        *,
        keep: bool = False,
    ) -> str:
        out = []
        held = "<w:keepNext/>" if keep else ""
        for content, width, align in zip(cells, at, aligns, strict=True):
            shade = '<w:shd w:val="clear" w:color="auto" w:fill="EDEDED"/>' if head else ""
            jc = f'<w:jc w:val="{align}"/>' if align and not head else ""
            out.append(
                f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}<w:vAlign w:val="center"/></w:tcPr>'
                f"{self._paragraph(style, content if tables.cell_text(content) else (), held + jc)}</w:tc>"
            )
        trpr = f"<w:trPr>{properties}</w:trPr>" if properties else ""
        return f"<w:tr>{trpr}{''.join(out)}</w:tr>"


def _titles(table: Table) -> tuple[str, ...]:
    return tuple(plain(c) for c in table.header)


def _short(text: str) -> bool:
    return text.count("\n") < tables._UNBROKEN_LINES


def _unindented(content: Inline) -> Inline:
    """Without the ideographic spaces that indent a paragraph in Markdown; the style indents it here."""
    if not content or not content[0].text.startswith("\u3000"):
        return content
    first = content[0]
    stripped = Run(first.text.lstrip("\u3000"), first.bold, first.italic, first.strike, first.code)
    return (stripped, *content[1:]) if stripped.text else content[1:]


def _balanced(title: str, layout: Layout) -> str:
    """Indentation that breaks a long title into lines of about the same length (7.3.1 of the standard)."""
    em = layout.title * 10
    room = layout.text_width / em
    asked = tables.width(title)
    if asked <= room or asked > room * 4:
        return ""
    lines = math.ceil(asked / room)
    side = max(0, int((room - asked / lines - 1) / 2 * em))
    return f'<w:ind w:left="{side}" w:right="{side}" w:firstLineChars="0" w:firstLine="0"/>' if side else ""
