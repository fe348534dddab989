"""A document as a Word file, made from its Markdown: the same template, the same facts, the same checks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from jinja2 import BaseLoader

from ybscan.model.result import ScanResult
from ybscan.report.options import Kind, Options
from ybscan.report.render import render
from ybscan.report.text import scrub
from ybscan.report.word.blocks import Block, Heading, blocks, plain
from ybscan.report.word.body import Body
from ybscan.report.word.layout import OFFICIAL, ONE_PAGE, Layout
from ybscan.report.word.package import (
    WORD,
    Part,
    Properties,
    footer_part,
    numbering_part,
    package,
    section_part,
    settings_part,
)
from ybscan.report.word.reference import Dress, dress
from ybscan.report.word.styles import fonts_part, styles, styles_part
from ybscan.report.word.xml import HEAD, NAMESPACES


def render_docx(
    kind: Kind,
    results: Sequence[ScanResult],
    *,
    templates: BaseLoader,
    options: Options | None = None,
    reference: tuple[str, bytes] | None = None,
) -> bytes:
    """One document as a Word file.

    Args:
        kind: as for :func:`ybscan.report.render.render`.
        results: at least one.
        templates: its Markdown template gives the content.
        options: everything that is not in a result.
        reference: the unit's own Word file, as its name in messages and its bytes; its styles, page set-up, headers and
            footers are used.

    Returns:
        The same bytes for the same arguments.

    Raises:
        InputProblems: as for ``render``; or the unit's Word file cannot be used.
    """
    layout = ONE_PAGE if kind == "leader" else OFFICIAL
    # A letterhead would name the unit that the redaction took out.
    named = not any(r.redacted for r in results)
    own = dress(*reference, layout, headers=named) if reference is not None else None
    found = blocks(render(kind, "md", results, templates=templates, options=options))
    units = sorted({r.unit.get("name", "") for r in results} - {""})
    properties = Properties(
        _title(found), scrub(units[0]) if len(units) == 1 else "ybscan", max(_moment(r.finished_at) for r in results)
    )
    return assembled(found, properties, own.layout if own is not None else layout, own)


def assembled(found: Sequence[Block], properties: Properties, layout: Layout, own: Dress | None) -> bytes:
    """The file of these blocks, in our dress or the unit's."""
    ids = dict(own.ids) if own is not None else {s.id: s.id for s in styles(layout)}
    parts = list(own.parts) if own is not None else []
    styled = own.styles if own is not None else styles_part(layout).encode()
    references, extra, odd_even = "", "", True
    if own is not None and own.references:
        references, odd_even = own.references, own.odd_even
        extra = "<w:titlePg/>" if own.first_page else ""
    else:
        for even, when in ((False, "default"), (True, "even")):
            id = "rIdEven" if even else "rIdOdd"
            data = footer_part(layout, ids["Footer"], even=even).encode()
            parts.append(Part(f"footer-{when}.xml", f"{WORD}.footer+xml", "footer", data, id))
            references += f'<w:footerReference w:type="{when}" r:id="{id}"/>'
    body = Body(layout, ids, lambda wide: section_part(layout, wide=wide, references=references, extra=extra))
    content = body.write(found)
    for name, data in (
        ("styles", styled),
        ("settings", settings_part(odd_even=odd_even).encode()),
        ("numbering", numbering_part(layout, body.starts).encode()),
        ("fontTable", fonts_part().encode()),
    ):
        parts.append(Part(f"{name}.xml", f"{WORD}.{name}+xml", name, data, f"rId{name.title()}"))
    return package(f"{HEAD}<w:document {NAMESPACES}><w:body>{content}</w:body></w:document>", parts, properties)


def _title(found: Sequence[Block]) -> str:
    return next((plain(b.content) for b in found if isinstance(b, Heading)), "")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
