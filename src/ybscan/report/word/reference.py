"""A unit's own Word file as the dress of a document: its styles, page set-up, headers and footers; its text is dropped.

The file is somebody else's: every size is checked before anything is unpacked, and what it may bring along is listed
here. Macros, objects and links to the outside stay outside.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from xml.etree import ElementTree

from ybscan.model.problem import InputProblems, Problem
from ybscan.report.word.layout import Layout, mm
from ybscan.report.word.package import WORD, Part
from ybscan.report.word.styles import Style, styles
from ybscan.report.word.xml import PACKAGE, Element, R, W, parsed, r, w

#: A letterhead has a logo and some styles; these are generous.
_MAX_UNPACKED: Final = 64 * 1024 * 1024
_MAX_MEMBERS: Final = 500
_OLE = b"\xd0\xcf\x11\xe0"
_IMAGES: Final = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "bmp": "image/bmp",
    "tif": "image/tiff", "tiff": "image/tiff", "emf": "image/x-emf", "wmf": "image/x-wmf",
}  # fmt: skip
_MACROS = re.compile(r"vbaProject|vbaData|activeX", re.IGNORECASE)
_RELS = f"{{{PACKAGE}/relationships}}Relationship"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dress:
    """What a document takes from the unit's file."""

    layout: Layout
    styles: bytes
    ids: Mapping[str, str]
    """Our style ids to those of the file."""
    parts: tuple[Part, ...]
    references: str
    """Its headers and footers, as children of ``w:sectPr``; empty when it has none."""
    first_page: bool
    odd_even: bool


class _Refused(Exception):
    """Why, and what to do."""

    def __init__(self, message: str, suggestion: str = "请用 Word 或 WPS 另存为 .docx 文件") -> None:
        super().__init__(message)
        self.suggestion = suggestion


def dress(shown: str, data: bytes, layout: Layout, *, headers: bool = True) -> Dress:
    """What the unit's file gives.

    Args:
        shown: its name in messages.
        data: the file.
        layout: our own sizes, for what it does not say.
        headers: whether its headers and footers are taken; they name the unit.

    Raises:
        InputProblems: it is damaged, too large, has macros, or brings in what a document may not.
    """
    try:
        return _dress(_members(data), layout, headers)
    except _Refused as e:
        raise InputProblems([Problem(shown, 0, str(e), e.suggestion)]) from None


def _members(data: bytes) -> dict[str, bytes]:
    if data.startswith(_OLE):
        raise _Refused("是旧版 .doc 文件，或者设了密码", "请去掉密码，另存为 .docx 文件")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            if len(infos) > _MAX_MEMBERS or sum(i.file_size for i in infos) > _MAX_UNPACKED:
                raise _Refused("Word 模板解压后过大", "请去掉其中的图片和正文，只保留样式、页面设置和页眉页脚")
            if any(_MACROS.search(i.filename) for i in infos):
                raise _Refused("Word 模板带有宏或控件", "请另存为不带宏的 .docx 文件")
            # A member that holds more than it declares is cut by zipfile, and then fails its checksum.
            return {i.filename: archive.read(i) for i in infos if not i.is_dir()}
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, ValueError):
        raise _Refused("不是完整的 Word 文件（.docx）") from None


def _root(members: Mapping[str, bytes], name: str, tag: str) -> Element:
    try:
        root = parsed(members[name])
    except KeyError:
        raise _Refused(f"Word 模板中缺少 {name}") from None
    except ValueError:
        raise _Refused(f"Word 模板中的 {name} 已损坏") from None
    if root.tag != tag:
        raise _Refused(f"Word 模板中的 {name} 不是通常的 Word 格式")
    return root


def _dress(members: Mapping[str, bytes], layout: Layout, headers: bool) -> Dress:
    types = members.get("[Content_Types].xml", b"")
    if re.search(rb"macroEnabled|vbaProject", types, re.IGNORECASE):
        raise _Refused("Word 模板带有宏或控件", "请另存为不带宏的 .docx 文件")
    document = _root(members, "word/document.xml", w("document"))
    section = document.find(f"{w('body')}/{w('sectPr')}")
    layout = _sizes(section, layout)
    written, ids = _styles(_root(members, "word/styles.xml", w("styles")), layout)
    parts, references = _headers(members, section if headers else None)
    theme = members.get("word/theme/theme1.xml")
    if theme is not None:
        _root(members, "word/theme/theme1.xml", "{http://schemas.openxmlformats.org/drawingml/2006/main}theme")
        kind = "application/vnd.openxmlformats-officedocument.theme+xml"
        parts.append(Part("theme/theme1.xml", kind, "theme", theme, "rIdTheme"))
    odd_even = False
    if "word/settings.xml" in members:
        found = _root(members, "word/settings.xml", w("settings")).find(w("evenAndOddHeaders"))
        odd_even = found is not None and _on(found)
    title = section.find(w("titlePg")) if section is not None else None
    return Dress(
        layout=layout, styles=written, ids=ids, parts=tuple(parts), references=references,
        first_page=title is not None and _on(title), odd_even=odd_even,
    )  # fmt: skip


def _on(element: Element) -> bool:
    return element.get(w("val"), "1") not in ("0", "false", "off")


def _sizes(section: Element | None, layout: Layout) -> Layout:
    if section is None:
        return layout
    size, margins, grid = (section.find(w(n)) for n in ("pgSz", "pgMar", "docGrid"))

    def number(element: Element | None, name: str, default: int) -> int:
        text = element.get(w(name)) if element is not None else None
        if text is None:
            return default
        if not re.fullmatch(r"-?\d{1,5}", text):
            raise _Refused(f"Word 模板的页面设置有误（{name}）")
        return abs(int(text))

    layout = replace(
        layout,
        width=number(size, "w", layout.width), height=number(size, "h", layout.height),
        top=number(margins, "top", layout.top), bottom=number(margins, "bottom", layout.bottom),
        left=number(margins, "left", layout.left), right=number(margins, "right", layout.right),
        header=number(margins, "header", layout.header), footer=number(margins, "footer", layout.footer),
    )  # fmt: skip
    if grid is not None:
        pitch = number(grid, "linePitch", layout.line)
        kind = grid.get(w("type"), "default")
        chars = kind in ("linesAndChars", "snapToChars")
        space = grid.get(w("charSpace"), "0")
        char_space = int(space) if chars and re.fullmatch(r"-?\d{1,6}", space) else None
        layout = replace(layout, line=pitch or layout.line, char_space=char_space, grid=kind != "default")
    if min(layout.text_width, layout.wide_text_width) < mm(60):
        raise _Refused("Word 模板的版心太窄", "请核对页面大小和页边距")
    return layout


def _cleaned(element: Element) -> None:
    """Only what the standard's main namespace has; extensions of one program would need their declarations."""
    for child in list(element):
        if not child.tag.startswith(f"{{{W}}}"):
            element.remove(child)
        else:
            _cleaned(child)
    for name in [n for n in element.attrib if not n.startswith(f"{{{W}}}")]:
        del element.attrib[name]


def _styles(root: Element, layout: Layout) -> tuple[bytes, dict[str, str]]:
    """The unit's styles with those of ours that it lacks, and what each of ours is called there."""
    _cleaned(root)
    there: dict[tuple[str, str], str] = {}
    for style in root.findall(w("style")):
        # Numbers are in our text already.
        for ppr in style.findall(w("pPr")):
            for numbering in ppr.findall(w("numPr")):
                ppr.remove(numbering)
        name = style.find(w("name"))
        id, kind = style.get(w("styleId")), style.get(w("type"), "paragraph")
        if name is not None and id:
            there.setdefault((kind, name.get(w("val"), "").casefold()), id)
    taken = {style.get(w("styleId"), "").casefold() for style in root.findall(w("style"))}
    ids: dict[str, str] = {}
    missing: list[Style] = []
    for ours in styles(layout):
        known = there.get((ours.kind, ours.name.casefold()))
        if known is None:
            missing.append(ours)
            known = ours.id
            while known.casefold() in taken:
                known = f"{known}Yb"
        ids[ours.id] = known
    for ours in missing:
        source = f'<x xmlns:w="{W}">{ours.xml(ids)}</x>'
        root.extend(list(parsed(source.encode())))
    return _written(root), ids


def _written(root: Element) -> bytes:
    ElementTree.register_namespace("w", W)
    ElementTree.register_namespace("r", R)
    written: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written


def _relations(members: Mapping[str, bytes], part: str) -> dict[str, Element]:
    folder, name = posixpath.split(part)
    path = f"{folder}/_rels/{name}.rels"
    if path not in members:
        return {}
    root = _root(members, path, f"{{{PACKAGE}/relationships}}Relationships")
    return {e.get("Id", ""): e for e in root.findall(_RELS)}


def _headers(members: Mapping[str, bytes], section: Element | None) -> tuple[list[Part], str]:
    parts: dict[str, Part] = {}
    references: list[str] = []
    relations = _relations(members, "word/document.xml")
    for reference in section if section is not None else ():
        kind = {w("headerReference"): "header", w("footerReference"): "footer"}.get(reference.tag)
        if kind is None:
            continue
        found, when = relations.get(reference.get(r("id"), "")), reference.get(w("type"), "default")
        name = _target(found)
        if not re.fullmatch(r"[\w.-]+\.xml", name) or when not in ("default", "even", "first"):
            raise _Refused("Word 模板的页眉页脚已损坏")
        if name not in parts:
            _root(members, f"word/{name}", w({"header": "hdr", "footer": "ftr"}[kind]))
            for image in _images(members, f"word/{name}"):
                parts[image.name] = image
            rels = members.get(f"word/_rels/{name}.rels", b"")
            content_type = f"{WORD}.{kind}+xml"
            parts[name] = Part(name, content_type, kind, members[f"word/{name}"], f"rIdPage{len(parts) + 1}", rels)
        references.append(f'<w:{kind}Reference w:type="{when}" r:id="{parts[name].id}"/>')
    return list(parts.values()), "".join(references)


def _target(relation: Element | None) -> str:
    """Where an inner relationship of a part in ``word/`` points to, seen from there."""
    if relation is None or relation.get("TargetMode") == "External":
        return ""
    target = posixpath.normpath(posixpath.join("/word", relation.get("Target", "")))
    return target.removeprefix("/word/")


def _images(members: Mapping[str, bytes], part: str) -> list[Part]:
    found = []
    for relation in _relations(members, part).values():
        name = _target(relation)
        ending = name.rsplit(".", 1)[-1].lower()
        image = relation.get("Type", "").endswith("/image") and re.fullmatch(r"media/[\w.-]+", name)
        if not image or ending not in _IMAGES or f"word/{name}" not in members:
            raise _Refused("Word 模板的页眉页脚只能有文字和图片，不能有链接和对象", "请去掉页眉页脚中的链接和对象")
        found.append(Part(name, _IMAGES[ending], "", members[f"word/{name}"]))
    return found
