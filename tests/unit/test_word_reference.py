"""A unit's own Word file: what a document takes from it, and what is refused."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from docx.enum.section import WD_ORIENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from tests.documents import document, word
from tests.unit.test_word import markdown_pieces, opened, word_pieces

from ybscan.model.problem import InputProblems
from ybscan.rules.templates import MAX_WORD_BYTES, word_reference


def picture() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def saved(file: Any) -> bytes:
    buffer = io.BytesIO()
    file.save(buffer)
    return buffer.getvalue()


def letterhead() -> bytes:
    """As a unit would make one: its own title, small margins, its name and mark on top, numbered headings."""
    file = Document()
    file.styles["Title"].font.size = Pt(30)
    file.styles["Title"].font.name = "微软雅黑"
    numbered = OxmlElement("w:numPr")
    file.styles["Heading 1"].element.get_or_add_pPr().append(numbered)
    file.styles.add_style("表格文字", 1).font.size = Pt(8)
    section = file.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(20)
    section.header.paragraphs[0].text = "示例市人民医院信息科"
    section.header.paragraphs[0].add_run().add_picture(io.BytesIO(picture()))
    file.add_heading("原来的标题", 1)
    file.add_paragraph("原来的正文")
    return saved(file)


def changed(data: bytes, change: Callable[[dict[str, bytes]], object]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        members = {n: z.read(n) for n in z.namelist()}
    change(members)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in members.items():
            z.writestr(name, content)
    return buffer.getvalue()


def test_styles_pages_and_headers_are_the_units() -> None:
    data = word("hospital", "self-inspection", ("a.docx", letterhead()))
    file = opened(data)
    title = file.paragraphs[0]
    assert (title.style.name, title.style.font.size, title.style.font.name) == ("Title", Pt(30), "微软雅黑")
    assert file.styles["表格文字"].font.size == Pt(8)
    assert file.styles["表头"].base_style.name == "表格文字", "what it lacks is ours"
    for section in file.sections:
        upright = section.orientation == WD_ORIENT.PORTRAIT
        assert round(section.page_width.mm) == (210 if upright else 297)
        assert round((section.left_margin if upright else section.top_margin).mm) == 20
        assert section.header.paragraphs[0].text == "示例市人民医院信息科"
        assert section.header.part.related_parts
    blips = file.sections[0].header._element.xpath(".//a:blip")
    assert file.sections[0].header.part.related_parts[blips[0].get(qn("r:embed"))].blob == picture()
    assert not file.styles.element.xpath(".//w:numPr"), "numbers are in our text already"
    for table in file.tables:
        assert sum(c.width for c in table.columns) <= Mm(297)


def test_its_text_is_dropped_and_ours_is_whole() -> None:
    pieces = list(word_pieces(word("hospital", "record", ("a.docx", letterhead()))))
    assert pieces == list(markdown_pieces(document("hospital", "record", "md")))
    assert not [p for p in pieces if "原来" in str(p)]


def test_without_header_and_footer_the_page_numbers_are_ours() -> None:
    file = opened(word("hospital", "record", ("a.docx", saved(Document()))))
    assert file.sections[0].footer.paragraphs[0].text == "— 1 —"
    assert file.settings.odd_and_even_pages_header_footer


def test_a_document_of_ours_serves_as_reference() -> None:
    """A unit changes what it got, and uses that."""
    first = word("hospital", "record")
    again = word("hospital", "record", ("a.docx", first))
    assert list(word_pieces(again)) == list(word_pieces(first))
    one, two = opened(first), opened(again)
    assert {s.style_id for s in one.styles} == {s.style_id for s in two.styles}
    assert [s.page_height for s in one.sections] == [s.page_height for s in two.sections]
    assert two.sections[0].even_page_footer.paragraphs[0].text == "— 1 —"


def test_style_ids_that_clash_get_others() -> None:
    file = Document()
    file.styles.add_style("YbCode", 1)
    made = opened(word("hospital", "record", ("a.docx", saved(file))))
    assert made.styles["命令"].style_id != "YbCode"
    assert "命令" in {p.style.name for p in made.paragraphs}


def drop(name: str) -> Callable[[dict[str, bytes]], object]:
    return lambda members: members.pop(name)


def put(name: str, data: bytes) -> Callable[[dict[str, bytes]], object]:
    return lambda members: members.__setitem__(name, data)


def swap(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], object]:
    def change(members: dict[str, bytes]) -> None:
        assert old in members[name]
        members[name] = members[name].replace(old, new, 1)

    return change


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
BROKEN = {
    "no zip": (b"hello", "不是完整的 Word 文件"),
    "cut off": (letterhead()[:-400], "不是完整的 Word 文件"),
    "old .doc or password": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "旧版 .doc"),
    "workbook": (changed(letterhead(), drop("word/document.xml")), "缺少 word/document.xml"),
    "no styles": (changed(letterhead(), drop("word/styles.xml")), "缺少 word/styles.xml"),
    "garbage": (changed(letterhead(), put("word/styles.xml", b"\0\1<w:")), "word/styles.xml 已损坏"),
    "not Word's": (changed(letterhead(), put("word/document.xml", b"<html/>")), "不是通常的 Word 格式"),
    "entities": (changed(letterhead(), put("word/styles.xml", BOMB + b"<x>&b;</x>")), "word/styles.xml 已损坏"),
    "entities in UTF-16": (
        changed(letterhead(), put("word/styles.xml", (BOMB + b"<x>&b;</x>").decode().encode("utf-16"))),
        "word/styles.xml 已损坏",
    ),
    "macros": (changed(letterhead(), put("word/vbaProject.bin", b"x")), "宏或控件"),
    "macros by type": (
        changed(
            letterhead(),
            swap("[Content_Types].xml", b"</Types>", b'<Default Extension="x" ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/></Types>'),
        ),
        "宏或控件",
    ),
    "control": (changed(letterhead(), put("word/activeX/activeX1.xml", b"<x/>")), "宏或控件"),
    "zip bomb": (changed(letterhead(), put("word/media/x.bin", bytes(65 * 1024 * 1024))), "解压后过大"),
    "many members": (changed(letterhead(), lambda m: m.update({f"x/{i}": b"" for i in range(600)})), "解压后过大"),
    "page without room": (
        changed(letterhead(), swap("word/document.xml", b'w:left="1134"', b'w:left="9999"')),
        "版心太窄",
    ),
    "margin of no number": (
        changed(letterhead(), swap("word/document.xml", b'w:left="1134"', b'w:left="wide"')),
        "页面设置有误（left）",
    ),
    "header without a file": (changed(letterhead(), drop("word/header1.xml")), "缺少 word/header1.xml"),
    "header with a link outside": (
        changed(letterhead(), swap("word/_rels/header1.xml.rels", b'Target="media/image1.png"', b'Target="http://192.0.2.1/x.png" TargetMode="External"')),
        "不能有链接和对象",
    ),
    "header that climbs": (
        changed(letterhead(), swap("word/_rels/header1.xml.rels", b'Target="media/image1.png"', b'Target="../../etc/x.png"')),
        "不能有链接和对象",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(BROKEN))
def test_what_cannot_be_used_is_refused_by_name(name: str) -> None:
    data, words = BROKEN[name]
    with pytest.raises(InputProblems) as caught:
        word("pharmacy", "record", ("本单位/record.docx", data))
    (problem,) = caught.value.problems
    assert problem.file == "本单位/record.docx"
    assert words in problem.message, problem.message
    assert problem.suggestion


def test_a_member_that_lies_about_its_size_is_refused() -> None:
    data = bytearray(changed(letterhead(), put("word/styles.xml", b"<x>" + b" " * 100_000)))
    at = data.rfind(b"word/styles.xml") - 46
    assert data[at : at + 4] == b"PK\1\2"
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    with pytest.raises(InputProblems, match="不是完整的 Word 文件"):
        word("pharmacy", "record", ("a.docx", bytes(data)))


def test_the_file_of_the_kind_comes_before_that_for_all(tmp_path: Path) -> None:
    assert word_reference(tmp_path, "record") is None
    (tmp_path / "_reference.docx").write_bytes(b"all")
    assert word_reference(tmp_path, "record") == (str(tmp_path / "_reference.docx"), b"all")
    (tmp_path / "record.docx").write_bytes(b"one")
    assert word_reference(tmp_path, "record") == (str(tmp_path / "record.docx"), b"one")
    assert word_reference(tmp_path, "ledger") == (str(tmp_path / "_reference.docx"), b"all")
    with (tmp_path / "ledger.docx").open("wb") as f:
        f.truncate(MAX_WORD_BYTES + 1)
    with pytest.raises(InputProblems, match="16 MiB"):
        word_reference(tmp_path, "ledger")
    (tmp_path / "leader.docx").mkdir()
    with pytest.raises(InputProblems, match="无法读取文件"):
        word_reference(tmp_path, "leader")
