"""Text as documents print it: our own words kept apart from inserted data, data made harmless for each format.

Data comes from terminals, from the unit's files and from rule packs: any of it may hold markup, control characters or
text that only looks like ours. It is scrubbed (what cannot be seen is shown by its code point), cut to a length, and
wrapped in two control characters until the whole document is rendered. They let the lint look at our own words only,
and the Markdown escape know where data begins. :func:`without_marks` takes them out at the very end.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from markupsafe import Markup

#: Around inserted data, and around a sentence that has its evidence. Scrubbing takes control characters out of all data.
DATA_OPEN: Final = "\x02"
DATA_CLOSE: Final = "\x03"
CLAIM_OPEN: Final = "\x0e"
CLAIM_CLOSE: Final = "\x0f"
MARKS: Final = DATA_OPEN + DATA_CLOSE + CLAIM_OPEN + CLAIM_CLOSE

#: Longest inserted value, characters. A name of 10 000 characters must not bury the page; the result file has it all.
MAX_INLINE: Final = 300
#: A sentence of evidence names up to twenty things.
MAX_SENTENCE: Final = 2400
MAX_BLOCK: Final = 6000

_CONTROL = re.compile(
    r"[^\n\t -\x7e\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u2bff\u3000-\ud7ff\uff01-\uffef]"
)
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NO_BREAK_SPACES = frozenset("\u00a0\u2007\u202f")
# Piled-up accents would be drawn over the lines above and below.
_PILED = re.compile("([\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff]{3})[\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff]+")


class Prose(str):
    """Our own words, in which data is marked. A plain ``str`` that reaches a template is data as a whole."""

    __slots__ = ()


def _visible(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    if char in _NO_BREAK_SPACES:
        return " "
    if unicodedata.category(char) in _INVISIBLE or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:
        return f"〔U+{code:04X}〕"
    return char


def scrub(text: str, *, limit: int = MAX_INLINE, lines: bool = False) -> str:
    """``text`` with everything invisible made visible, in one line unless ``lines``, cut to ``limit`` characters."""
    total = len(text)
    cut = text[:limit] if total > limit else text
    clean = _PILED.sub(r"\1", _CONTROL.sub(_visible, cut.replace("\r\n", "\n").replace("\r", "\n")))
    clean = clean.replace("\t", "    ") if lines else clean.replace("\n", " ↵ ").replace("\t", " ").strip()
    return f"{clean}……（共 {total} 字，此处截断）" if total > limit else clean


def data(text: object, *, limit: int = MAX_INLINE) -> Prose:
    """A value as marked data."""
    return Prose(DATA_OPEN + scrub(str(text), limit=limit) + DATA_CLOSE)


def prose(words: str, /, **values: object) -> Prose:
    """Our own sentence with values put in: a :class:`Prose` as it is, anything else as marked data.

    ``words`` is a format text with plain names, written in this package only.
    """
    return Prose(words.format_map({k: v if isinstance(v, Prose) else data(v) for k, v in values.items()}))


def joined(separator: str, parts: list[Prose] | tuple[Prose, ...]) -> Prose:
    """Several sentences or words with our separator between them."""
    return Prose(separator.join(parts))


_MARKS = re.compile(f"[{MARKS}]")


def without_marks(text: str) -> str:
    """The finished document: every mark taken out."""
    return _MARKS.sub("", text)


_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


def _leans(text: str) -> bool:
    """Whether data holds right-to-left letters, which would pull the words around it out of order."""
    return not text.isascii() and any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in text)


def escape_html(text: str) -> str:
    """Text as HTML text or attribute value."""
    return text.translate(_HTML)


# Everything that CommonMark, GFM tables, GFM autolinks or the common mathematics extension could take for markup.
_MARKDOWN = re.compile(r"[\\`*_\[\]<>|~$]|&(?=#|\w)|:(?=//)|@(?=\w)|(?<=www)\.", re.IGNORECASE)
_MARKDOWN_START = re.compile(r"^(\s*)(?:([#=>]|[+\-](?=[\s+\-]|$))|(\d{1,9})([.)])(?=\s|$))")


def escape_markdown(text: str) -> str:
    """Text as Markdown text that renders as itself, in a table cell as well."""
    escaped = _MARKDOWN.sub(lambda m: "\\" + m[0], text)
    return _MARKDOWN_START.sub(lambda m: f"{m[1]}\\{m[2]}" if m[2] else f"{m[1]}{m[3]}\\{m[4]}", escaped)


_SEGMENT = re.compile(f"({DATA_OPEN}[^{DATA_CLOSE}]*{DATA_CLOSE})")


def _escaped(text: str, escape: Callable[[str], str], isolate: Callable[[str], str]) -> str:
    parts = []
    for part in _SEGMENT.split(text):
        inner = part.strip(DATA_OPEN + DATA_CLOSE)
        done = escape(inner)
        if part.startswith(DATA_OPEN):
            done = DATA_OPEN + (isolate(done) if _leans(inner) else done) + DATA_CLOSE
        parts.append(done)
    return "".join(parts)


def to_html(text: str) -> Markup:
    """A value or a sentence for HTML; a plain text is marked as data first."""
    marked = text if isinstance(text, Prose) else data(without_marks(text))
    return Markup(_escaped(marked, escape_html, lambda t: f"<bdi>{t}</bdi>"))  # noqa: S704 - escaped just here


def to_markdown(text: str) -> Markup:
    """A value or a sentence for Markdown; a plain text is marked as data first. ``Markup`` here means: done escaping."""
    marked = text if isinstance(text, Prose) else data(without_marks(text))
    return Markup(_escaped(marked, escape_markdown, lambda t: f"\u2068{t}\u2069"))  # noqa: S704 - escaped just here


def without_blank_runs(marked: str) -> str:
    """Runs of blank lines that templates leave, as one blank line; data keeps its own."""
    parts = _SEGMENT.split(marked)
    return "".join(p if p.startswith(DATA_OPEN) else re.sub(r"\n{3,}", "\n\n", p) for p in parts)


def code_html(text: str) -> Markup:
    """Several lines of commands, as the content of ``<pre>``."""
    clean = escape_html(scrub(text, limit=MAX_BLOCK, lines=True))
    return Markup(f"<pre>{DATA_OPEN}{clean}{DATA_CLOSE}</pre>")  # noqa: S704 - escaped just here


def code_markdown(text: str) -> Markup:
    """Several lines of commands as a fenced block; the fence is longer than any run of backticks inside."""
    clean = scrub(text, limit=MAX_BLOCK, lines=True)
    fence = "`" * max(3, max((len(run) for run in re.findall(r"`+", clean)), default=0) + 1)
    return Markup(f"{fence}text\n{DATA_OPEN}{clean}{DATA_CLOSE}\n{fence}")  # noqa: S704 - a fence nothing inside closes
