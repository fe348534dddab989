"""Pictures as inline SVG: told apart by pattern and sign as well as by colour, with their text for screen readers. Pure.

No script, no style sheet of their own, no identifiers but those of the patterns: several pictures share one document.
Sizes are in pixels of the viewBox; the page scales them.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ybscan.model.result import Status
from ybscan.report.model import ORDER, SIGNS, Counts, PackItems, Rate
from ybscan.report.text import DATA_CLOSE, DATA_OPEN, escape_html, scrub

#: Fill and text colour; each pair has a contrast of at least 4.5:1 (WCAG 2 AA), which a test computes.
COLOURS: dict[Status, tuple[str, str]] = {
    Status.PASS: ("#1b6e3c", "#ffffff"),
    Status.FAIL: ("#b3261e", "#ffffff"),
    Status.UNKNOWN: ("#f2c14e", "#1f1f1f"),
    Status.MANUAL: ("#cfd8e3", "#1f1f1f"),
    Status.WAIVED: ("#e6d3f0", "#1f1f1f"),
    Status.DELEGATED: ("#d3ebe8", "#1f1f1f"),
    Status.NOT_APPLICABLE: ("#efefef", "#3a3a3a"),
}
#: Lines over the fill, so that a black-and-white print still shows which is which; none for 符合 (plain).
_HATCH = {
    Status.FAIL: '<path d="M0 8L8 0M-2 2L2 -2M6 10L10 6" stroke="#ffffff" stroke-opacity=".45" stroke-width="1.5"/>',
    Status.UNKNOWN: '<circle cx="2" cy="2" r="1.1" fill="#7a5b00"/><circle cx="6" cy="6" r="1.1" fill="#7a5b00"/>',
    Status.MANUAL: '<path d="M0 2H8M0 6H8" stroke="#6b7a8c" stroke-width=".8"/>',
    Status.WAIVED: '<path d="M2 0V8M6 0V8" stroke="#7b5a8e" stroke-width=".8"/>',
    Status.DELEGATED: '<path d="M0 0L8 8M-2 6L2 10M6 -2L10 2" stroke="#3d7d76" stroke-width=".8"/>',
}
WIDTH = 720
LABEL = 190
BAR = WIDTH - LABEL - 60
ROW = 30
HEIGHT = 20
_MAX_LABEL = 13


def patterns() -> Markup:
    """The hatchings that every picture of a document refers to; to be put into it once, before the first."""
    parts = []
    for status, lines in _HATCH.items():
        fill = COLOURS[status][0]
        parts.append(
            f'<pattern id="p-{status.value}" width="8" height="8" patternUnits="userSpaceOnUse">'
            f'<rect width="8" height="8" fill="{fill}"/>{lines}</pattern>'
        )
    # Not display:none, in which browsers do not paint patterns.
    return Markup(  # noqa: S704 - fixed text
        f'<svg class="defs" width="0" height="0" aria-hidden="true" focusable="false"><defs>{"".join(parts)}</defs></svg>'
    )


def _fill(status: Status) -> str:
    return f"url(#p-{status.value})" if status in _HATCH else COLOURS[status][0]


def _data(text: str) -> str:
    return f"{DATA_OPEN}{escape_html(scrub(text))}{DATA_CLOSE}"


def _short(text: str) -> str:
    clean = scrub(text)
    return clean if len(clean) <= _MAX_LABEL else clean[: _MAX_LABEL - 1] + "…"


def _told(counts: Counts) -> str:
    return "，".join(f"{c.verdict.text} {c.number}" for c in counts.by_status if c.number) or "没有检查项"


def bars(packs: Sequence[PackItems], name: str) -> Markup:
    """A stacked bar per pack, segments in the order of the legend; ``name`` makes the identifiers unique.

    Every bar has the same length: it shows shares, the number stands in the segment and the total at the end.
    """
    height = ROW * len(packs) + 6
    told = "；".join(f"{_data(p.title)}：{_told(p.counts)}" for p in packs)
    rows = "".join(_row(p, i * ROW + 4) for i, p in enumerate(packs))
    ident = escape_html(scrub(name))
    return Markup(  # noqa: S704 - numbers and escaped text only
        f'<svg class="chart" font-size="13" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{ident}-t {ident}-d">'
        f'<title id="{ident}-t">各规则包检查结果</title><desc id="{ident}-d">{told}。</desc>{rows}</svg>'
    )


def _row(pack: PackItems, top: int) -> str:
    parts = [f'<text x="{LABEL - 8}" y="{top + 15}" class="l">{_data(_short(pack.title))}</text>']
    total = pack.counts.total
    left = float(LABEL)
    for status in ORDER:
        number = pack.counts.of(status.value)
        if not number:
            continue
        width = BAR * number / total
        parts.append(f'<rect x="{left:.0f}" y="{top}" width="{width:.0f}" height="{HEIGHT}" fill="{_fill(status)}"/>')
        label = f"{SIGNS[status]}{number}"
        if width >= 14 * len(label) * 0.75 + 6:
            parts.append(_label(left + width / 2, top + 15, label, status))
        left += width
    parts.append(f'<text x="{LABEL + BAR + 8}" y="{top + 15}">共 {total}</text>')
    return "".join(parts)


def _label(x: float, y: int, text: str, status: Status) -> str:
    """A number inside a segment, on a plate of the plain fill so that the pattern does not run through it."""
    fill, ink = COLOURS[status]
    width = 8.5 * len(text) + 8
    return (
        f'<rect x="{x - width / 2:.0f}" y="{y - 12}" width="{width:.0f}" height="15" class="p" fill="{fill}"/>'
        f'<text x="{x:.0f}" y="{y}" class="m" fill="{ink}">{text}</text>'
    )


def legend() -> Markup:
    """What the signs, colours and patterns mean."""
    parts = []
    left = 0
    for status in ORDER:
        parts.append(
            f'<rect x="{left}" y="3" width="22" height="14" fill="{_fill(status)}" stroke="#555555" stroke-width=".5"/>'
            f'<text x="{left + 27}" y="15" font-size="12">{SIGNS[status]}{_word(status)}</text>'
        )
        left += 46 + 12 * (1 + len(_word(status)))
    return Markup(  # noqa: S704 - fixed words
        f'<svg class="chart legend" viewBox="0 0 {WIDTH} 20" role="img" aria-label="图例">{"".join(parts)}</svg>'
    )


def _word(status: Status) -> str:
    return "例外" if status is Status.WAIVED else status.text


def meter(rate: Rate, label: str) -> Markup:
    """A rate as a bar with its numbers. The bar is cut, like the percentage: only the whole is drawn full."""
    share = rate.numerator / rate.denominator if rate.denominator else 0.0
    width = int(300 * share)
    said = escape_html(f"{label} {rate.text}")
    shown = f"{rate.percent}  {rate.numerator}/{rate.denominator}" if rate.denominator else "无法计算"
    return Markup(  # noqa: S704 - numbers and escaped text only
        f'<svg class="meter" viewBox="0 0 520 24" role="img" aria-label="{said}">'
        f'<text x="0" y="17" font-size="15">{escape_html(label)}</text>'
        f'<rect x="58" y="3" width="300" height="18" fill="#ffffff" stroke="#555555"/>'
        f'<rect x="58" y="3" width="{width}" height="18" fill="#1d4f91"/>'
        f'<text x="368" y="17" font-size="15">{escape_html(shown)}</text></svg>'
    )
