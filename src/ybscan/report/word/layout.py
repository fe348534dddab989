"""Sizes of a document: page, lines and type after GB/T 9704-2012, and the closer setting of a single page.

Lengths are twips (1/20 pt) unless they say otherwise, type sizes half points, as in WordprocessingML.
"""

from __future__ import annotations

from dataclasses import dataclass


def mm(length: float) -> int:
    """Millimetres as twips."""
    return round(length / 25.4 * 1440)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One way to set a document."""

    width: int = mm(210)
    height: int = mm(297)
    top: int = mm(37)
    bottom: int = mm(35)
    left: int = mm(28)
    right: int = mm(26)
    header: int = mm(15)
    #: The page number's dashes stand 7 mm below the type area (7.5 of the standard).
    footer: int = mm(23)
    #: 225 mm of type area for 22 lines.
    line: int = 579
    #: 156 mm for 28 characters of 16 pt: each a quarter of a point narrower. As character spacing, since a grid of cells
    #: that are narrower than the type gives every character two cells in LibreOffice.
    narrower: int = 5
    #: Whether lines stand on a grid.
    grid: bool = True
    #: ``w:charSpace`` of a unit's own grid.
    char_space: int | None = None
    body: int = 32
    title: int = 44
    title_line: int = 700
    title_after: int = 400
    #: Lists quote evidence and clauses; in the type of the text they would bury it ("may be adjusted", 5.2.3).
    listed: int = 24
    list_line: int = 420
    note: int = 24
    note_line: int = 400
    table: int = 21
    small: int = 18
    page_number: int = 28
    block_gap: int = 160
    #: Height of rows that wait for a signature, and of others with a cell to fill in.
    sign_row: int = mm(12)
    fill_row: int = mm(9)

    @property
    def text_width(self) -> int:
        """Of an upright page."""
        return self.width - self.left - self.right

    @property
    def wide_text_width(self) -> int:
        """Of a page turned on its side: the same type area, turned with it."""
        return self.text_width if self.width >= self.height else self.height - self.top - self.bottom


#: Of a page on its side, where 26 mm below the type area leave less room for the number.
WIDE_FOOTER = mm(14)

OFFICIAL = Layout()
#: The page for the leader is one page whatever the standard says about type; narrow margins, as in the HTML form.
ONE_PAGE = Layout(
    top=mm(14), bottom=mm(15), left=mm(20), right=mm(20), footer=mm(8), line=280, narrower=0, grid=False, body=21, title=36,
    title_line=480, title_after=60, listed=21, list_line=280, note=18, note_line=270, table=19, small=18, page_number=18, block_gap=80,
    fill_row=mm(6.5),
)  # fmt: skip
