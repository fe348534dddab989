"""Tables: how wide each column gets, whether a table needs a page on its side, and the table itself."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ybscan.report.word.blocks import Inline, Row, Table, plain
from ybscan.report.word.layout import Layout

#: Left and right of a cell's text, twips.
PADDING: Final = 2 * 57 + 20
#: More columns than this are set in the smaller type.
_MANY: Final = 6
#: What a column of words must have to be read, in characters.
_READABLE: Final = 5.0
#: What it gets at least, since long columns need the room more.
_LEAST: Final = 4.0
_HEAD: Final = 4.0
#: Longest unbroken piece that gets a column to itself; longer ones (digests, paths) break anywhere.
_MAX_PIECE: Final = 8.0
#: Faces differ; a column must not break its rule numbers for a hair's breadth.
_SLACK: Final = 0.4
#: Room for handwriting.
_TO_WRITE: Final = 12.0
_MAX_WANT: Final = 48.0
#: A row that would be higher than this many lines may break across pages.
_UNBROKEN_LINES: Final = 16
_PIECE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Column:
    """What the cells of a column ask for, in characters of the table's type."""

    need: float
    want: float


def cell_text(content: Inline) -> str:
    """What a cell shows. A line to write on would stand in the way of who types into the cell: it is left empty."""
    return "" if is_blank(content) else plain(content)


def is_blank(content: Inline) -> bool:
    """Whether a cell waits for somebody to write into it."""
    text = plain(content)
    return bool(text) and not text.strip("＿")


def width(text: str) -> float:
    """Width of a text in characters (em); capitals and some signs of a Latin face are wider than half of one."""
    return sum(
        (0.72 if c.isupper() or c in "@%&" else 0.52) if c.isascii()
        else 1.0 if unicodedata.east_asian_width(c) in "WFA" else 0.6
        for c in text
    )  # fmt: skip


def small(table: Table) -> bool:
    """Whether a table is set in the smaller type."""
    return len(table.header) > _MANY


def columns(tables: Sequence[Table], readable: float = _LEAST) -> list[Column]:
    """The columns of tables with the same header, which shall stand at the same places."""
    found = []
    for i, (title, align) in enumerate(zip(tables[0].header, tables[0].aligns, strict=True)):
        cells = [cell_text(row[i]) for t in tables for row in t.rows]
        head = width(plain(title))
        longest = max((width(c) for c in cells), default=0.0)
        mean = sum(map(width, cells)) / len(cells) if cells else 0.0
        piece = max((width(p) for c in cells for p in _PIECE.findall(c)), default=0.0)
        if any(is_blank(row[i]) for t in tables for row in t.rows):
            longest, mean = max(longest, _TO_WRITE), max(mean, _TO_WRITE / 2)
        need = max(min(piece + _SLACK, _MAX_PIECE), min(head, _HEAD))
        if align != "right":
            need = max(need, min(longest, readable) if longest != _TO_WRITE else _HEAD)
        # A few very long cells must not starve the others; many long ones earn their room.
        want = max(need, min(head + 1, 6.0), min(longest, 6.0 + mean, _MAX_WANT))
        found.append(Column(need, want))
    return found


def needs_wide(table: Table, layout: Layout) -> bool:
    """Whether a table cannot be read on an upright page."""
    em = (layout.small if small(table) else layout.table) * 10
    # Paths and the like break where they must; they alone do not turn a page.
    asked = sum(min(c.need, _READABLE) for c in columns([table], _READABLE)) * em + len(table.header) * PADDING
    return asked > layout.text_width


def widths(tables: Sequence[Table], total: int, em: int) -> list[int]:
    """Widths in twips that add up to ``total``; ``em`` is the type's size in twips."""
    padding = PADDING * len(tables[0].header)
    room = max(total - padding, len(tables[0].header)) / em
    # Where there is room to spare, short words and dates stay in one line.
    found = columns(tables, _MAX_PIECE)
    if sum(c.need for c in found) > room * 0.6:
        found = columns(tables)
    needs, wants = sum(c.need for c in found), sum(c.want for c in found)
    if needs >= room:
        shares = [c.need * room / needs for c in found]
    elif wants >= room:
        weights = [(c.want - c.need) * c.want for c in found]
        shares = [c.need + (room - needs) * w / sum(weights) for c, w in zip(found, weights, strict=True)]
    else:
        # What is left goes to the columns with much to say.
        squares = sum(c.want**2 for c in found)
        shares = [c.want + (room - wants) * c.want**2 / squares for c in found]
    exact = [round(s * em) + PADDING for s in shares]
    exact[-1] += total - sum(exact)
    return exact


def unbroken(row: Row, at: Sequence[int], em: int) -> bool:
    """Whether a row is low enough to be kept on one page."""
    return all(width(cell_text(c)) * em <= (w - PADDING) * _UNBROKEN_LINES for c, w in zip(row, at, strict=True))


def is_signed(header: Iterable[Inline]) -> bool:
    """Whether people write their names into the rows."""
    return any(plain(c) in ("签字", "签名") for c in header)
