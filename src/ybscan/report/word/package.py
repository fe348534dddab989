"""The package around the parts: content types, relationships, properties, the zip. The same bytes each time."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ybscan.report.word.layout import WIDE_FOOTER, Layout
from ybscan.report.word.styles import LATIN
from ybscan.report.word.xml import HEAD, NAMESPACES, PACKAGE, R, escape

WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_TYPES: Final = f"{PACKAGE}/content-types"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_DOS_FILE: Final = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One part beside the document: its name below ``word/``, type, relationship and bytes."""

    name: str
    content_type: str
    relation: str
    """The last word of the relationship's type; empty for parts that only another part points to."""
    data: bytes
    id: str = ""
    """The relationship's id."""
    relations: bytes = b""
    """The part's own relationships, if it has any."""


@dataclass(frozen=True, slots=True)
class Properties:
    """What the file says about itself; no name of a person or machine that was not given."""

    title: str
    author: str
    moment: datetime
    """Aware."""


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A zip with nothing in it that depends on when and where it was made."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = _DOS_FILE
            info.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(info, data, compresslevel=6)
    return buffer.getvalue()


def package(document: str, parts: Sequence[Part], properties: Properties) -> bytes:
    """The file."""
    defaults = {"rels": "application/vnd.openxmlformats-package.relationships+xml", "xml": "application/xml"}
    defaults |= {p.name.rsplit(".", 1)[-1].lower(): p.content_type for p in parts if not p.content_type.endswith("xml")}
    overrides = [
        ("/word/document.xml", f"{WORD}.document.main+xml"),
        ("/docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml"),
        ("/docProps/app.xml", "application/vnd.openxmlformats-officedocument.extended-properties+xml"),
        *((f"/word/{p.name}", p.content_type) for p in parts if p.content_type.endswith("xml")),
    ]
    types = (
        f'{HEAD}<Types xmlns="{_TYPES}">'
        + "".join(f'<Default Extension="{escape(e)}" ContentType="{escape(t)}"/>' for e, t in defaults.items())
        + "".join(f'<Override PartName="{escape(n)}" ContentType="{escape(t)}"/>' for n, t in overrides)
        + "</Types>"
    )
    top = relationships(
        [
            ("rId1", f"{R}/officeDocument", "word/document.xml"),
            ("rId2", f"{PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
            ("rId3", f"{R}/extended-properties", "docProps/app.xml"),
        ]
    )
    own = relationships([(p.id, f"{R}/{p.relation}", p.name) for p in parts if p.relation])
    members: dict[str, bytes] = {
        "[Content_Types].xml": types.encode(),
        "_rels/.rels": top.encode(),
        "word/document.xml": document.encode(),
        "word/_rels/document.xml.rels": own.encode(),
    }
    for p in parts:
        members[f"word/{p.name}"] = p.data
        if p.relations:
            members[f"word/_rels/{p.name}.rels"] = p.relations
    members["docProps/core.xml"] = _core(properties).encode()
    members["docProps/app.xml"] = (
        f'{HEAD}<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">'
        "<Application>ybscan</Application></Properties>"
    ).encode()
    return zipped(members)


def relationships(found: Sequence[tuple[str, str, str]]) -> str:
    """A ``.rels`` part of ``(id, type, target)``."""
    lines = "".join(
        f'<Relationship Id="{escape(i)}" Type="{escape(t)}" Target="{escape(target)}"/>' for i, t, target in found
    )
    return f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{lines}</Relationships>'


def _core(properties: Properties) -> str:
    moment = properties.moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    kind = 'xsi:type="dcterms:W3CDTF"'
    return (
        f'{HEAD}<cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{escape(properties.title)}</dc:title><dc:creator>{escape(properties.author)}</dc:creator>"
        f"<cp:lastModifiedBy>{escape(properties.author)}</cp:lastModifiedBy>"
        f"<dcterms:created {kind}>{moment}</dcterms:created><dcterms:modified {kind}>{moment}</dcterms:modified>"
        "<dc:language>zh-CN</dc:language></cp:coreProperties>"
    )


def settings_part(*, odd_even: bool) -> str:
    """``word/settings.xml``: page numbers outside on both sides of a sheet, Chinese line breaking, Word 2013 and later."""
    switches = (
        "spaceForUL", "balanceSingleByteDoubleByteWidth", "doNotLeaveBackslashAlone", "ulTrailSpace", "adjustLineHeightInTable",
    )  # fmt: skip
    modes = {
        "compatibilityMode": "15", "overrideTableStyleFontSizeAndJustification": "1", "enableOpenTypeFeatures": "1",
        "doNotFlipMirrorIndents": "1", "differentiateMultirowTableHeaders": "1",
    }  # fmt: skip
    return (
        f'{HEAD}<w:settings {NAMESPACES}><w:zoom w:percent="100"/><w:defaultTabStop w:val="420"/>'
        + ("<w:evenAndOddHeaders/>" if odd_even else "")
        + '<w:characterSpacingControl w:val="compressPunctuation"/><w:compat>'
        + "".join(f"<w:{s}/>" for s in switches)
        + "".join(
            f'<w:compatSetting w:name="{n}" w:uri="http://schemas.microsoft.com/office/word" w:val="{v}"/>'
            for n, v in modes.items()
        )
        + '</w:compat><w:themeFontLang w:val="zh-CN" w:eastAsia="zh-CN"/></w:settings>'
    )


def footer_part(layout: Layout, style: str, *, even: bool) -> str:
    """``— 1 —``: on the right of odd pages and the left of even ones, one character from the edge."""
    one = layout.page_number * 10
    ind, jc = ("left", "left") if even else ("right", "right")
    return (
        f'{HEAD}<w:ftr {NAMESPACES}><w:p><w:pPr><w:pStyle w:val="{escape(style)}"/>'
        f'<w:ind w:{ind}Chars="100" w:{ind}="{one}"/><w:jc w:val="{jc}"/></w:pPr>'
        '<w:r><w:t xml:space="preserve">— </w:t></w:r><w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        '<w:r><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        '<w:r><w:t>1</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
        '<w:r><w:t xml:space="preserve"> —</w:t></w:r></w:p></w:ftr>'
    )


def numbering_part(layout: Layout, starts: Sequence[int]) -> str:
    """``word/numbering.xml``: number 1 is the bullets, 2 and on the numbered lists, each with its own first number."""
    one = layout.listed * 10
    face = f'<w:rPr><w:rFonts w:ascii="{LATIN}" w:hAnsi="{LATIN}" w:hint="default"/></w:rPr>'

    def level(depth: int, kind: str, text: str, hanging: int) -> str:
        left = one * 2 + hanging * (depth + 1)
        return (
            f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/>'
            f'<w:lvlJc w:val="left"/><w:pPr><w:ind w:left="{left}" w:hanging="{hanging}"/></w:pPr>{face}</w:lvl>'
        )

    bullets = "".join(level(d, "bullet", mark, one) for d, mark in enumerate("•–·"))
    numbers = "".join(level(d, "decimal", f"%{d + 1}.", one * 2) for d in range(3))
    multi = '<w:multiLevelType w:val="hybridMultilevel"/>'
    lists = "".join(
        f'<w:num w:numId="{i + 2}"><w:abstractNumId w:val="1"/>'
        + "".join(f'<w:lvlOverride w:ilvl="{d}"><w:startOverride w:val="{start}"/></w:lvlOverride>' for d in range(3))
        + "</w:num>"
        for i, start in enumerate(starts)
    )
    return (
        f'{HEAD}<w:numbering {NAMESPACES}><w:abstractNum w:abstractNumId="0">{multi}{bullets}</w:abstractNum>'
        f'<w:abstractNum w:abstractNumId="1">{multi}{numbers}</w:abstractNum>'
        f'<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>{lists}</w:numbering>'
    )


def section_part(layout: Layout, *, wide: bool, references: str, extra: str = "") -> str:
    """``w:sectPr``.

    Args:
        layout: sizes.
        wide: pages on their side.
        references: the headers and footers, as elements.
        extra: what stands between the columns and the grid.
    """
    wide = wide and layout.width < layout.height
    w, h = (layout.height, layout.width) if wide else (layout.width, layout.height)
    top, right, bottom, left = layout.top, layout.right, layout.bottom, layout.left
    if wide:  # turned to the left, so that the bound edge is at the top
        top, right, bottom, left = layout.left, layout.top, layout.right, layout.bottom
    turned = ' w:orient="landscape"' if w > h else ""
    footer = min(layout.footer, WIDE_FOOTER) if wide else layout.footer
    kind = "linesAndChars" if layout.char_space is not None else "lines" if layout.grid else "default"
    chars = f' w:charSpace="{layout.char_space}"' if layout.char_space is not None else ""
    grid = f'<w:docGrid w:type="{kind}" w:linePitch="{layout.line}"{chars}/>'
    return (
        f'<w:sectPr>{references}<w:type w:val="nextPage"/><w:pgSz w:w="{w}" w:h="{h}"{turned}/>'
        f'<w:pgMar w:top="{top}" w:right="{right}" w:bottom="{bottom}" w:left="{left}" w:header="{layout.header}" '
        f'w:footer="{footer}" w:gutter="0"/><w:cols w:space="425"/>{extra}{grid}</w:sectPr>'
    )
