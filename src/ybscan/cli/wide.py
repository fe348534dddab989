"""Help text measured in columns of a terminal, of which a Chinese character takes two.

The command-line library counts characters, which lets Chinese lines run past the edge and columns drift apart.
"""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

#: Must not begin a line.
_CLOSING = "，。、；：？！）》】”’…％%,.;:?!)]}"
#: Words of other scripts stay whole; every wide character may end a line.
_PIECES = re.compile(r"\n|[ \t]+|[\x21-\x7e]+|.")


def columns(text: str) -> int:
    """How many columns a text takes; characters of ambiguous width (quotation marks, dashes) count as wide, which they
    are on a Chinese console."""
    return sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in text)


def wrap(text: str, width: int) -> list[str]:
    """A paragraph in lines of at most ``width`` columns, a single longer word excepted."""
    lines, line = [], ""
    for piece in _PIECES.findall(" ".join(text.split())):
        # One closing mark may hang over the edge.
        room = width + 2 if piece in _CLOSING else width
        if columns(line) + columns(piece) > room and line.strip():
            lines.append(line.rstrip())
            line = ""
        line += piece if line or not piece.isspace() else ""
    return [*lines, line.rstrip()] if line.strip() else lines


class Formatter:
    """Writes a help page; what the command-line library calls, and no more."""

    def __init__(self, translate: Callable[[str], str] = str, width: int | None = None) -> None:
        """``translate`` is applied to meanings before they are broken into lines."""
        self._translate = translate
        # Two columns are kept free: a closing mark may hang over the edge.
        self.width = width if width is not None else max(min(shutil.get_terminal_size().columns, 80) - 2, 50)
        self.current_indent = 0
        self._parts: list[str] = []

    def write(self, string: str) -> None:
        """Add text as it is."""
        self._parts.append(string)

    def indent(self) -> None:
        """What follows stands two columns further in."""
        self.current_indent += 2

    def dedent(self) -> None:
        """What follows stands two columns further out."""
        self.current_indent -= 2

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The line that shows how a command is called."""
        self.write(f"{prefix if prefix is not None else 'Usage: '}{prog} {args}\n")

    def write_heading(self, heading: str) -> None:
        """The line above a list."""
        self.write(f"{'':{self.current_indent}}{heading}:\n")

    def write_paragraph(self) -> None:
        """An empty line, unless nothing is there yet."""
        if self._parts:
            self.write("\n")

    def write_text(self, text: str) -> None:
        """Paragraphs, with empty lines between them."""
        margin = " " * self.current_indent
        paragraphs = re.split(r"\n\s*\n", text.strip())
        self.write(
            "\n\n".join("\n".join(margin + line for line in wrap(p, self.width - len(margin))) for p in paragraphs)
            + "\n"
        )

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Terms and what they mean, in two columns."""
        first = min(max((columns(term) for term, _ in rows), default=0), col_max) + col_spacing
        margin = " " * self.current_indent
        for term, meaning in rows:
            lines = wrap(self._translate(meaning), max(self.width - first - self.current_indent, 20))
            self.write(margin + term)
            if columns(term) > first - col_spacing and lines:
                self.write("\n" + margin + " " * first)
            elif lines:
                self.write(" " * (first - columns(term)))
            self.write(("\n" + margin + " " * first).join(lines) + "\n")

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """A heading, and what is written under it."""
        self.write_paragraph()
        self.write_heading(name)
        with self.indentation():
            yield

    @contextmanager
    def indentation(self) -> Iterator[None]:
        """What is written meanwhile stands further in."""
        self.indent()
        try:
            yield
        finally:
            self.dedent()

    def getvalue(self) -> str:
        """The page."""
        return "".join(self._parts)
