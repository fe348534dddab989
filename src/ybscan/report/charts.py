"""Pictures as inline SVG: told apart by pattern and sign as well as by colour, with their text for screen readers. Pure.

No script, no style sheet of their own, no identifiers but those of the patterns: several pictures share one document.
Sizes are in pixels of the viewBox; the page scales them.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ybscan.model.result import Status
from ybscan.model.rule import Severity
from ybscan.report.model import ORDER, SIGNS, PackItems, PackProblems, Rate, Severities, Week
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
#: Fill, ink and hatching of the severities; together with their words, which stand in the segments.
SEVERITIES: dict[Severity, tuple[str, str, str]] = {
    Severity.CRITICAL: (
        "#8c1d18", "#ffffff", '<path d="M0 0L8 8M0 8L8 0" stroke="#ffffff" stroke-opacity=".3" stroke-width="1"/>',
    ),
    Severity.HIGH: (
        "#c2571a", "#000000", '<path d="M0 8L8 0M-2 2L2 -2M6 10L10 6" stroke="#000000" stroke-opacity=".35" stroke-width="1"/>',
    ),
    Severity.MEDIUM: ("#f2c14e", "#1f1f1f", '<circle cx="4" cy="4" r="1.1" fill="#7a5b00"/>'),
    Severity.LOW: ("#e4e8ee", "#1f1f1f", ""),
}  # fmt: skip
#: A full bar is at least so many problems, so that a single one does not look like many.
_SHORTEST = 4
_INK, _SECOND_INK = "#1b6e3c", "#1d4f91"


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


def bars(packs: Sequence[PackItems], name: str) -> Markup:
    """A stacked bar per pack, segments in the order of the legend; ``name`` makes the identifiers unique.

    Every bar has the same length: it shows shares, the number stands in the segment and the total at the end.
    """
    height = ROW * len(packs) + 6
    rows = "".join(_row(p, i * ROW + 4) for i, p in enumerate(packs))
    ident = escape_html(scrub(name))
    return Markup(  # noqa: S704 - numbers and escaped text only
        f'<svg class="chart" font-size="13" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{ident}-t {ident}-d">'
        f'<title id="{ident}-t">各规则包检查结果</title><desc id="{ident}-d">数字见表“各规则包检查结果”。</desc>{rows}</svg>'
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
    """A number inside a segment, edged with the plain fill so that the pattern does not run through it."""
    fill, ink = COLOURS[status]
    return _plate(x, y, text, fill, ink)


def _plate(x: float, y: int, text: str, fill: str, ink: str) -> str:
    edge = f' stroke="{fill}"' if fill != COLOURS[Status.PASS][0] else ""
    return f'<text x="{x:.0f}" y="{y}" class="m" fill="{ink}"{edge}>{text}</text>'


def legend() -> Markup:
    """What the signs, colours and patterns mean."""
    parts = []
    left = 0
    for status in ORDER:
        parts.append(
            f'<rect x="{left}" y="3" width="22" height="14" fill="{_fill(status)}"/>'
            f'<text x="{left + 27}" y="15">{SIGNS[status]}{_word(status)}</text>'
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
        f'<text x="0" y="17">{escape_html(label)}</text>'
        f'<rect x="58" y="3" width="300" height="18" fill="#ffffff" stroke="#555555"/>'
        f'<rect x="58" y="3" width="{width}" height="18" fill="#1d4f91"/>'
        f'<text x="368" y="17">{escape_html(shown)}</text></svg>'
    )


def _name(title: str, described: str, ident: str) -> tuple[str, str]:
    """Attributes and elements by which a screen reader tells what a picture is and where its numbers stand as text."""
    safe = escape_html(scrub(ident))
    return (
        f'role="img" aria-labelledby="{safe}-t {safe}-d"',
        f'<title id="{safe}-t">{title}</title><desc id="{safe}-d">{described}</desc>',
    )


def severity_bars(found: Severities, ident: str) -> Markup:
    """A bar per pack with problems, as long as it has problems, its segments by severity, the gravest first."""
    packs = [p for p in found.packs if p.total]
    most = max(max((p.total for p in packs), default=0), _SHORTEST)
    if not packs:
        return Markup("")
    attributes, told = _name("各规则包不符合项次，按风险等级", "数字见本图下面的表。", ident)
    defs = "".join(
        f'<pattern id="s-{s.value}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect width="8" height="8" fill="{fill}"/>{lines}</pattern>'
        for s, (fill, _, lines) in SEVERITIES.items() if lines
    )  # fmt: skip
    rows = "".join(_severity_row(p, most, i * ROW + 30) for i, p in enumerate(packs))
    key = "".join(
        f'<rect x="{LABEL + i * 90}" y="3" width="22" height="14" fill="{_severity_fill(s)}"/>'
        f'<text x="{LABEL + 28 + i * 90}" y="15" font-size="12">{s.text}</text>'
        for i, s in enumerate(SEVERITIES)
    )
    return Markup(  # noqa: S704 - numbers and escaped text only
        f'<svg class="chart" font-size="13" viewBox="0 0 {WIDTH} {ROW * len(packs) + 32}" {attributes}>'
        f"{told}<defs>{defs}</defs>{key}{rows}</svg>"
    )


def _severity_fill(severity: Severity) -> str:
    fill, _, lines = SEVERITIES[severity]
    return f"url(#s-{severity.value})" if lines else fill


def _severity_row(pack: PackProblems, most: int, top: int) -> str:
    parts = [f'<text x="{LABEL - 8}" y="{top + 15}" class="l">{_data(_short(pack.title))}</text>']
    left = float(LABEL)
    for severity, number in zip(SEVERITIES, pack.numbers, strict=True):
        if not number:
            continue
        fill, ink, _ = SEVERITIES[severity]
        width = BAR * number / most
        parts.append(
            f'<rect x="{left:.0f}" y="{top}" width="{max(width, 1):.0f}" height="{HEIGHT}" fill="{_severity_fill(severity)}"/>'
        )
        label = f"{severity.text}{number}"
        if width >= 13 * len(label) + 4:
            parts.append(_plate(left + width / 2, top + 15, label, fill, ink))
        left += width
    parts.append(f'<text x="{left + 8:.0f}" y="{top + 15}">{pack.total}</text>')
    return "".join(parts)


def trend(weeks: Sequence[Week], ident: str) -> Markup:
    """Both rates over the weeks: told apart by colour, stroke and marker. A week without checks is a gap with its mark."""
    if len(weeks) < 2:
        return Markup("")
    attributes, told = _name(
        f"{weeks[0].name}至{weeks[-1].name}的合格率和确认率", "每周的分子、分母和未能确认数见本图下面的表。", ident
    )
    step = (WIDTH - 90) / (len(weeks) - 1)
    xs = [56 + step * i for i in range(len(weeks))]
    grid = "".join(
        f'<path d="M50 {_y(p):.0f}H{WIDTH - 28}" stroke="#c4cad1"/><text x="44" y="{_y(p) + 4:.0f}" class="l">{p * 100:.0f}</text>'
        for p in (0, 0.5, 1)
    )
    every = -(-len(weeks) // 14)
    axis = "".join(
        f'<text x="{x:.0f}" y="178" class="m">{w.short}</text>'
        for i, (x, w) in enumerate(zip(xs, weeks, strict=True)) if (len(weeks) - 1 - i) % every == 0
    )  # fmt: skip
    gaps = "".join(
        f'<text x="{x:.0f}" y="146" class="m" fill="#3a3a3a">—</text>'
        for x, w in zip(xs, weeks, strict=True) if not w.terminals
    )  # fmt: skip
    lines = _line(xs, [w.pass_rate for w in weeks], _INK, "", round_=True) + _line(
        xs, [w.determined_rate for w in weeks], _SECOND_INK, "6 4", round_=False
    )
    key = (
        f'<path d="M56 10h34" stroke="{_INK}" stroke-width="2"/><circle cx="73" cy="10" r="4" fill="{_INK}"/>'
        f'<text x="98" y="15">合格率</text>'
        f'<path d="M176 10h34" stroke="{_SECOND_INK}" stroke-width="2" stroke-dasharray="6 4"/>'
        f'<path d="M189 6h8v8h-8z" fill="{_SECOND_INK}"/><text x="218" y="15">确认率</text>'
        '<text x="296" y="15">— 没有检查或无法计算　　单位：％</text>'
    )
    return Markup(  # noqa: S704 - numbers and our own words only
        f'<svg class="chart" font-size="13" viewBox="0 0 {WIDTH} 186" {attributes}>{told}{key}{grid}{axis}{gaps}{lines}</svg>'
    )


def _y(share: float) -> float:
    return 150 - 118 * share


def _line(xs: Sequence[float], rates: Sequence[Rate], ink: str, dashes: str, *, round_: bool) -> str:
    """One rate; the stroke ends where a week has none. Shares are cut, like the percentages, never rounded up."""
    path, marks, drawn = "", "", False
    for x, rate in zip(xs, rates, strict=True):
        if not rate.denominator:
            drawn = False
            continue
        y = _y(rate.numerator * 1000 // rate.denominator / 1000)
        path += f"{'L' if drawn else 'M'}{x:.0f} {y:.1f}"
        marks += (
            f'<circle cx="{x:.0f}" cy="{y:.1f}" r="4" fill="{ink}"/>' if round_
            else f'<path d="M{x - 4:.0f} {y - 4:.1f}h8v8h-8z" fill="{ink}"/>'
        )  # fmt: skip
        drawn = True
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="{path}" fill="none" stroke="{ink}" stroke-width="2"{dashed}/>{marks}' if path else ""
