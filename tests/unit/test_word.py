"""Word files: what the Markdown says, and nothing else, in real styles, tables and pages after GB/T 9704-2012."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import pytest
from docx import Document
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.table import Table
from docx.text.paragraph import Paragraph
from jinja2 import ChoiceLoader, DictLoader
from lxml import etree
from markdown_it import MarkdownIt
from tests.documents import cases, document, templates, word
from tests.unit.results import findings, hospital, pharmacy, result

from ybscan.report.docx import render_docx
from ybscan.report.options import Kind, Options
from ybscan.report.word.blocks import blocks
from ybscan.report.word.layout import OFFICIAL

KINDS: tuple[Kind, ...] = get_args(Kind)
ALL = [(name, kind) for name in cases() for kind in KINDS]
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])

Piece = tuple[str, Any]


@cache
def made(name: str, kind: Kind) -> bytes:
    return word(name, kind)


def opened(data: bytes) -> Any:
    return Document(io.BytesIO(data))


def bare(text: str) -> str:
    """Without white space, which the two formats use differently, and without the lines to write on."""
    return "" if text and not text.strip("＿") else re.sub(r"\s+", "", text)


def markdown_pieces(text: str) -> Iterator[Piece]:
    """Headings, paragraphs, commands and tables in order, as a Markdown reader sees them."""
    tokens = MARKDOWN.parse(text)
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "heading_open":
            level = int(token.tag[1])
        elif token.type == "table_open":
            rows = []
        elif token.type == "tr_open":
            rows.append([])
        elif token.type == "table_close":
            yield "table", rows
        elif token.type == "fence":
            yield "code", bare(token.content)
        elif token.type == "inline":
            content = bare("".join(c.content for c in token.children or ()))
            if tokens[tokens.index(token) - 1].type in ("th_open", "td_open"):
                rows[-1].append(content)
            elif tokens[tokens.index(token) - 1].type == "heading_open":
                yield f"h{level}", content
            else:
                yield "p", content


HEADINGS = {"Title": "h1", "附件标题": "h2", **{f"Heading {n}": f"h{n + 1}" for n in range(1, 5)}}


def word_pieces(data: bytes) -> Iterator[Piece]:
    """The same of a Word file, told by style."""
    signed = ""
    for block in opened(data).iter_inner_content():
        if isinstance(block, Table):
            yield "table", [[bare(c.text) for c in row.cells] for row in block.rows]
            continue
        assert isinstance(block, Paragraph)
        style, text = block.style.name, bare(block.text)
        if style == "落款":  # one line in Markdown
            signed, text = ("", signed + text) if signed else (text, "")
        if style in ("间隔", "分节"):
            assert not text
        elif text:
            yield HEADINGS.get(style, "code" if style == "命令" else "p"), text


@pytest.mark.parametrize(("name", "kind"), ALL)
def test_it_says_what_the_markdown_says_and_nothing_else(name: str, kind: Kind) -> None:
    pieces = list(word_pieces(made(name, kind)))
    assert pieces == list(markdown_pieces(document(name, kind, "md")))
    assert pieces[0][0] == "h1"
    assert any(k == "table" for k, _ in pieces)


@pytest.mark.parametrize(("name", "kind"), ALL)
def test_the_same_result_gives_the_same_bytes(name: str, kind: Kind) -> None:
    assert word(name, kind) == made(name, kind)


@pytest.mark.parametrize(("name", "kind"), ALL)
def test_every_part_is_well_formed_and_says_nothing_of_this_machine(name: str, kind: Kind) -> None:
    with zipfile.ZipFile(io.BytesIO(made(name, kind))) as z:
        assert z.testzip() is None
        assert {i.date_time for i in z.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        for member in z.namelist():
            data = z.read(member)
            etree.fromstring(data)
            assert b"TargetMode" not in data, "nothing is fetched from outside"
            assert b"rsid" not in data
            text = data.decode()
            assert not [c for c in text if c in "\u202e\x00\x07\x1b\x02\x03\x0e\x0f"]


def test_core_properties() -> None:
    properties = opened(made("hospital", "self-inspection")).core_properties
    assert properties.title == "示例市人民医院关于2026年11月医保网络数据安全自查情况的报告"
    assert properties.author == properties.last_modified_by == "示例市人民医院"
    newest = max(r.finished_at for r in hospital())
    assert properties.created == properties.modified
    assert properties.created.date().isoformat() == newest[:10]
    assert properties.language == "zh-CN"
    nameless = render_docx("record", [result(findings(), unit={})], templates=templates(), options=Options())
    assert opened(nameless).core_properties.author == "ybscan"


# --- styles and pages -------------------------------------------------------------------------------------------------


def east_asian(style: Any) -> str:
    while style is not None:
        found = style.element.find(f"{qn('w:rPr')}/{qn('w:rFonts')}")
        if found is not None and found.get(qn("w:eastAsia")):
            return str(found.get(qn("w:eastAsia")))
        style = style.base_style
    return ""


@pytest.mark.parametrize(
    ("style", "font", "size"),
    [
        ("Title", "方正小标宋简体", 22),
        ("Heading 1", "黑体", 16),
        ("Heading 2", "楷体", 16),
        ("Heading 3", "仿宋", 16),
        ("Heading 4", "仿宋", 16),
        ("Normal", "仿宋", 16),
        ("Body Text", "仿宋", 16),
        ("附件标题", "黑体", 16),
        ("表头", "黑体", 10.5),
        ("Footer", "宋体", 14),
    ],
)
def test_type_is_that_of_the_standard(style: str, font: str, size: float) -> None:
    found = opened(made("hospital", "record")).styles[style]
    assert east_asian(found) == font
    while found.font.size is None:
        found = found.base_style
    assert found.font.size == Pt(size)


def test_missing_fonts_have_other_names() -> None:
    with zipfile.ZipFile(io.BytesIO(made("hospital", "record"))) as z:
        table = z.read("word/fontTable.xml").decode()
        assert "Theme" not in z.read("word/styles.xml").decode()
    for name, other in (("仿宋", "仿宋_GB2312"), ("楷体", "KaiTi_GB2312"), ("方正小标宋简体", "华文中宋")):
        assert re.search(rf'w:name="{name}"><w:altName w:val="[^"]*{other}', table)


def test_paragraphs_are_set_as_the_standard_says() -> None:
    file = opened(made("hospital", "self-inspection"))
    body = file.styles["Body Text"].element.find(f"{qn('w:pPr')}/{qn('w:ind')}")
    assert body.get(qn("w:firstLineChars")) == "200"
    normal = file.styles["Normal"].paragraph_format
    assert round(normal.line_spacing.pt, 2) == 28.95
    narrower = file.styles["Body Text"].element.find(f"{qn('w:rPr')}/{qn('w:spacing')}")
    assert 28 * (320 + int(narrower.get(qn("w:val")))) <= OFFICIAL.text_width < 29 * 315
    levels = [file.styles[f"Heading {n}"].element.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}") for n in range(1, 5)]
    assert [e.get(qn("w:val")) for e in levels] == ["0", "1", "2", "3"]
    texts = {p.style.name: p.text for p in file.paragraphs}
    assert texts["主送机关"] == "示例市医疗保障局："
    assert texts["落款"].strip() == "年　　月　　日"
    assert texts["提示"].startswith("提示：")


@pytest.mark.parametrize("kind", ["record", "self-inspection", "ledger"])
def test_pages_are_set_as_the_standard_says(kind: Kind) -> None:
    file = opened(made("hospital", kind))
    assert file.settings.odd_and_even_pages_header_footer
    for section in file.sections:
        size = (section.page_width.mm, section.page_height.mm)
        margins = [section.top_margin, section.right_margin, section.bottom_margin, section.left_margin]
        if section.orientation == WD_ORIENT.LANDSCAPE:
            assert tuple(map(round, size)) == (297, 210)
            assert [round(m.mm) for m in margins] == [28, 37, 26, 35]
        else:
            assert tuple(map(round, size)) == (210, 297)
            assert [round(m.mm) for m in margins] == [37, 26, 35, 28]
        grid = section._sectPr.find(qn("w:docGrid"))
        assert (grid.get(qn("w:type")), grid.get(qn("w:linePitch"))) == ("lines", "579")
        upright = section.page_height - section.top_margin - section.bottom_margin
        assert section.orientation == WD_ORIENT.LANDSCAPE or upright // Pt(28.95) == 22
        for footer, side in ((section.footer, "right"), (section.even_page_footer, "left")):
            paragraph = footer.paragraphs[0]
            assert re.fullmatch(r"— 1 —", paragraph.text)
            assert "PAGE" in paragraph._p.xml
            assert paragraph._p.find(f"{qn('w:pPr')}/{qn('w:jc')}").get(qn("w:val")) == side
            assert paragraph._p.find(f"{qn('w:pPr')}/{qn('w:ind')}").get(qn(f"w:{side}Chars")) == "100"


def test_wide_tables_lie_on_their_side_and_others_do_not() -> None:
    def turned(kind: Kind) -> list[bool]:
        return [s.orientation == WD_ORIENT.LANDSCAPE for s in opened(made("hospital", kind)).sections]

    assert turned("record") == turned("leader") == [False]
    assert turned("ledger") == [True], "title and signatures stay with the table"
    assert turned("self-inspection") == [False, True, False]


def page_breaks(data: bytes) -> list[str]:
    return [p.text for p in opened(data).paragraphs if p.paragraph_format.page_break_before]


def test_annexes_and_further_records_begin_new_pages() -> None:
    # Annex 1 and 2 begin sections of their own.
    breaks = page_breaks(made("hospital", "self-inspection"))
    assert [b.split("　")[0] for b in breaks] == ["附件3", "附件4", "附件5", "附件6"]
    assert page_breaks(made("hospital", "record")) == ["附件"]
    several = render_docx("record", hospital(), templates=templates())
    assert [b for b in page_breaks(several) if b != "附件"] == ["示例市人民医院医保终端安全检查工作记录"] * 3


@pytest.mark.parametrize(("name", "kind"), ALL)
def test_tables_repeat_their_heads_and_fit_the_page(name: str, kind: Kind) -> None:
    file = opened(made(name, kind))
    widest = max(s.page_width - s.left_margin - s.right_margin for s in file.sections)
    for table in file.tables:
        assert table.style.name == "Table Grid"
        assert not table.autofit
        head = table.rows[0]._tr.trPr
        assert head.find(qn("w:tblHeader")) is not None
        assert not [
            r for r in table.rows[1:] if r._tr.trPr is not None and r._tr.trPr.find(qn("w:tblHeader")) is not None
        ]
        grid = [c.width for c in table.columns]
        assert min(grid) > Mm(6)
        assert sum(grid) <= widest + 1
        for row in table.rows:
            assert [c.width for c in row.cells] == grid


def widths(data: bytes) -> list[list[int]]:
    return [[c.width for c in t.columns] for t in opened(data).tables]


def test_columns_are_as_wide_as_their_text_asks() -> None:
    text = "| 编号 | 说明 | 签字 |\n| --- | --- | --- |\n| PWD-01 | " + "说明" * 40 + " | ＿＿＿＿＿＿ |\n\n文\n\n"
    same = "| 编号 | 说明 | 签字 |\n| --- | --- | --- |\n| PWD-01 | 短 | ＿＿＿＿＿＿ |\n"
    first, second = widths(templated(text + same))
    assert first == second, "tables with the same head stand in line"
    number, words, sign = first
    assert Pt(10.5) * 4 < number < Pt(10.5) * 8, "a rule's number stays in one line"
    assert words > sign > number
    assert sign > Mm(20), "room to write"


def test_long_paths_alone_turn_no_page() -> None:
    path = "/usr/share/" + "x" * 60
    text = "|" + "栏目|" * 6 + "\n|" + "---|" * 6 + "\n|" + f"{path}|" * 6 + "\n"
    assert [s.orientation for s in opened(templated(text)).sections] == [WD_ORIENT.PORTRAIT]
    words = "|" + "栏目|" * 12 + "\n|" + "---|" * 12 + "\n|" + "要读的文字|" * 12 + "\n"
    assert [s.orientation for s in opened(templated(words)).sections] == [WD_ORIENT.LANDSCAPE]


def test_low_rows_stay_whole_and_high_ones_may_break() -> None:
    text = "| 甲 | 乙 |\n| --- | ---: |\n| 一 | 2 |\n| " + "长" * 2000 + " | 3 |\n"
    rows = opened(templated(text)).tables[0].rows
    assert [r._tr.trPr is not None and r._tr.trPr.find(qn("w:cantSplit")) is not None for r in rows] == [
        True,
        True,
        False,
    ]
    assert rows[1].cells[1].paragraphs[0].alignment == 2


def test_signatures_have_room_and_stay_together() -> None:
    table = next(t for t in opened(made("hospital", "record")).tables if "签字" in [c.text for c in t.rows[0].cells])
    assert all(r.height >= Mm(11.9) for r in table.rows[1:])
    kept = [r.cells[0].paragraphs[0].paragraph_format.keep_with_next for r in table.rows[1:]]
    assert kept == [True] * (len(kept) - 1) + [None]
    assert [r.cells[2].text for r in table.rows[1:]] == [""] * len(kept), "no line stands in the way"


# --- what a unit's own template may hold ------------------------------------------------------------------------------


def templated(text: str) -> bytes:
    loader = ChoiceLoader([DictLoader({"record.md.j2": text}), templates()])
    return render_docx("record", [pharmacy()], templates=loader)


def test_inline_dress() -> None:
    runs = opened(templated("平**粗**_斜_~~删~~`码`<br>行 <!-- x -->完")).paragraphs[0].runs
    told = [
        (r.text, r.style.name if r.style.name != "Default Paragraph Font" else "", bool(r.font.strike)) for r in runs
    ]
    assert told == [
        ("平", "", False), ("粗", "Strong", False), ("斜", "Emphasis", False), ("删", "", True), ("码", "命令字符", False),
        ("\n行 完", "", False),
    ]  # fmt: skip


def test_lists_are_real_lists() -> None:
    text = "- 甲\n\n  续\n  - 乙\n\n文\n\n3. 丙\n4. 丁\n\n文\n\n1. 戊\n"
    file = opened(templated(text))
    told = []
    for p in file.paragraphs:
        numbering = p._p.pPr.numPr if p._p.pPr is not None else None
        place = (numbering.numId.val, numbering.ilvl.val) if numbering is not None else None
        told.append((p.text, p.style.name, place))
    assert told == [
        ("甲", "List Bullet", (1, 0)), ("续", "List Bullet", None), ("乙", "List Bullet", (1, 1)),
        ("文", "Body Text", None), ("丙", "List Number", (2, 0)), ("丁", "List Number", (2, 0)),
        ("文", "Body Text", None), ("戊", "List Number", (3, 0)),
    ]  # fmt: skip
    numbering = file.part.numbering_part.element
    starts = [n.find(f"{qn('w:lvlOverride')}/{qn('w:startOverride')}").get(qn("w:val")) for n in numbering.num_lst[1:]]
    assert starts == ["3", "1"]


def test_commands_keep_their_lines_and_spaces() -> None:
    paragraph = opened(templated("```text\nfor f in *; do\n    rm $f\ndone\n```\n")).paragraphs[0]
    assert (paragraph.style.name, paragraph.text) == ("命令", "for f in *; do\n    rm $f\ndone")


def test_wrapped_lines_and_deep_headings() -> None:
    file = opened(
        templated("中文\n换行 one\ntwo\n\n###### 深\n\n<div>块</div>\n\n[链](http://a.example) ![图](x.png)\n")
    )
    assert [(p.style.name, p.text) for p in file.paragraphs if p.text] == [
        ("Body Text", "中文换行 one two"), ("Heading 4", "深"), ("Body Text", "块"), ("Body Text", "链 图"),
    ]  # fmt: skip


def test_what_xml_cannot_hold_is_shown() -> None:
    assert opened(templated("a\x0bb\ufffec\ud800d")).paragraphs[0].text == "a〔U+000B〕b〔U+FFFE〕c〔U+D800〕d"


def test_blocks_of_nothing() -> None:
    assert blocks("") == []
    assert opened(templated(" ")).paragraphs == []


def test_two_thousand_rows() -> None:
    rows = "".join(f"| YB-{n:04} | 收费处 | √ 符合 {n} |\n" for n in range(2000))
    table = opened(templated("| 终端 | 科室 | 结果 |\n| --- | --- | --- |\n" + rows))
    assert len(table.tables[0]._tbl.tr_lst) == 2001
