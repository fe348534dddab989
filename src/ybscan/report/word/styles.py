"""The styles of a Word file: built-in ones under the names Word translates (标题 1 …), our own under Chinese names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ybscan.report.word.layout import Layout
from ybscan.report.word.xml import HEAD, NAMESPACES, escape

#: Fonts every Windows since Vista and WPS have. The short names of the standard are alternatives in the font table.
SONG, HEI, KAI, FANGSONG = "宋体", "黑体", "楷体", "仿宋"
TITLE_FONT = "方正小标宋简体"
LATIN = "Times New Roman"
MONO = "Consolas"
#: What a program takes when a font is missing (17.8.3.1): the same face under its other names, then the nearest one.
FONTS: dict[str, tuple[str, str]] = {
    FANGSONG: ("仿宋_GB2312,FangSong,FangSong_GB2312,华文仿宋,STFangsong,方正仿宋_GBK", "modern"),
    KAI: ("楷体_GB2312,KaiTi,KaiTi_GB2312,华文楷体,STKaiti,方正楷体_GBK", "modern"),
    HEI: ("SimHei,华文黑体,STHeiti,方正黑体_GBK,Noto Sans CJK SC", "modern"),
    SONG: ("SimSun,华文宋体,STSong,方正书宋_GBK,Noto Serif CJK SC", "auto"),
    TITLE_FONT: ("方正小标宋_GBK,FZXiaoBiaoSong-B05S,FZXiaoBiaoSong-B05,华文中宋,STZhongsong,宋体", "auto"),
}


@dataclass(frozen=True, slots=True)
class Style:
    """One style. ``id`` is ours; in a unit's own file a style of the same ``name`` stands in for it."""

    id: str
    name: str
    paragraph: str = ""
    """Children of ``w:pPr``, in the order of the schema."""
    text: str = ""
    """Children of ``w:rPr``, in the order of the schema."""
    based_on: str = "Normal"
    next: str = ""
    kind: str = "paragraph"
    extra: str = ""
    """What comes after: ``w:tblPr`` and the like."""
    default: bool = False
    builtin: bool = False

    def xml(self, ids: dict[str, str]) -> str:
        """The element; ``ids`` says what a style that it names is called in this file."""
        based = f'<w:basedOn w:val="{escape(ids[self.based_on])}"/>' if self.based_on else ""
        after = f'<w:next w:val="{escape(ids[self.next])}"/>' if self.next else ""
        ppr = f"<w:pPr>{self.paragraph}</w:pPr>" if self.paragraph else ""
        rpr = f"<w:rPr>{self.text}</w:rPr>" if self.text else ""
        flags = ' w:default="1"' if self.default else "" if self.builtin else ' w:customStyle="1"'
        return (
            f'<w:style w:type="{self.kind}"{flags} w:styleId="{escape(ids[self.id])}"><w:name w:val="{self.name}"/>'
            f"{based}{after}<w:qFormat/>{ppr}{rpr}{self.extra}</w:style>"
        )


def fonts(east: str, latin: str = LATIN) -> str:
    """``w:rFonts`` that depends on no theme."""
    return f'<w:rFonts w:ascii="{latin}" w:hAnsi="{latin}" w:eastAsia="{east}" w:cs="{latin}"/>'


def size(half_points: int) -> str:
    """``w:sz`` and its twin for complex scripts."""
    return f'<w:sz w:val="{half_points}"/><w:szCs w:val="{half_points}"/>'


def _line(line: int, rule: str = "exact", before: int = 0, after: int = 0) -> str:
    return f'<w:spacing w:before="{before}" w:after="{after}" w:line="{line}" w:lineRule="{rule}"/>'


_KEEP = "<w:keepNext/><w:keepLines/>"
_OFF_GRID = '<w:snapToGrid w:val="0"/>'
_NO_INDENT = '<w:ind w:firstLineChars="0" w:firstLine="0"/>'


def styles(layout: Layout) -> tuple[Style, ...]:
    """Every style that a document of ours uses."""
    return (*_text_styles(layout), *_block_styles(layout), *_table_styles(layout), *_character_styles())


def _text_styles(layout: Layout) -> Iterator[Style]:
    indent = f'<w:ind w:firstLineChars="200" w:firstLine="{layout.body * 20}"/>'
    yield Style(
        "Normal", "Normal", _line(layout.line) + '<w:jc w:val="both"/>', fonts(FANGSONG) + size(layout.body),
        based_on="", default=True, builtin=True,
    )  # fmt: skip
    narrow = f'<w:spacing w:val="-{layout.narrower}"/>' if layout.narrower else ""
    yield Style("BodyText", "Body Text", indent, narrow, builtin=True)
    yield Style(
        "Title", "Title",
        _KEEP + _OFF_GRID + _line(layout.title_line, after=layout.title_after) + '<w:jc w:val="center"/>',
        fonts(TITLE_FONT) + size(layout.title), next="BodyText", builtin=True,
    )  # fmt: skip
    for level, (east, bold) in enumerate(((HEI, False), (KAI, False), (FANGSONG, False), (FANGSONG, True)), 1):
        yield Style(
            f"Heading{level}", f"heading {level}", _KEEP + indent + f'<w:outlineLvl w:val="{level - 1}"/>',
            fonts(east) + ("<w:b/><w:bCs/>" if bold else "") + narrow + size(layout.body), next="BodyText", builtin=True,
        )  # fmt: skip
    yield Style("AnnexHeading", "附件标题", _NO_INDENT, based_on="Heading1", next="BodyText")
    yield Style("Addressee", "主送机关", _NO_INDENT, narrow)
    right = f'<w:ind w:rightChars="400" w:right="{layout.body * 40}"/><w:jc w:val="right"/>'
    yield Style("SignOff", "落款", "<w:keepNext/>" + right, narrow)


def _block_styles(layout: Layout) -> Iterator[Style]:
    one = layout.listed * 10
    for id, name, hanging in (("ListBullet", "List Bullet", one), ("ListNumber", "List Number", one * 2)):
        place = f'<w:ind w:left="{one * 2 + hanging}" w:hanging="{hanging}"/>'
        yield Style(
            id,
            name,
            _OFF_GRID + _line(layout.list_line) + place + '<w:jc w:val="left"/>',
            size(layout.listed),
            builtin=True,
        )
    yield Style(
        "YbQuote", "提示",
        '<w:pBdr><w:left w:val="single" w:sz="24" w:space="8" w:color="7F7F7F"/></w:pBdr>'
        '<w:shd w:val="clear" w:color="auto" w:fill="F5F5F5"/>' + _OFF_GRID
        + _line(layout.note_line, before=60, after=60) + '<w:ind w:left="240"/>',
        size(layout.note),
    )  # fmt: skip
    edge = "".join(
        f'<w:{s} w:val="single" w:sz="4" w:space="4" w:color="BFBFBF"/>' for s in ("top", "left", "bottom", "right")
    )
    yield Style(
        "YbCode", "命令",
        f'<w:pBdr>{edge}</w:pBdr><w:shd w:val="clear" w:color="auto" w:fill="F2F2F2"/><w:wordWrap w:val="0"/>'
        + _OFF_GRID + _line(layout.table * 15, before=100, after=100)
        + '<w:ind w:left="120" w:right="120"/><w:jc w:val="left"/>',
        fonts(FANGSONG, MONO) + "<w:noProof/>" + size(layout.table),
    )  # fmt: skip
    yield Style(
        "YbNote", "附注", _OFF_GRID + _line(layout.note_line), size(layout.note),
    )  # fmt: skip
    yield Style("YbGap", "间隔", _OFF_GRID + _line(layout.block_gap), size(2))
    yield Style("YbBreak", "分节", _OFF_GRID + _line(20), size(2))
    yield Style(
        "Footer", "footer", _OFF_GRID + _line(240, "auto") + '<w:jc w:val="left"/>',
        fonts(SONG, SONG) + size(layout.page_number), builtin=True,
    )  # fmt: skip


def _table_styles(layout: Layout) -> Iterator[Style]:
    sides = ("top", "left", "bottom", "right", "insideH", "insideV")
    borders = "".join(f'<w:{s} w:val="single" w:sz="4" w:space="0" w:color="auto"/>' for s in sides)
    cells = '<w:top w:w="0" w:type="dxa"/><w:left w:w="57" w:type="dxa"/><w:bottom w:w="0" w:type="dxa"/><w:right w:w="57" w:type="dxa"/>'
    yield Style(
        "TableNormal", "Normal Table", based_on="", kind="table", default=True, builtin=True,
        extra=f'<w:tblPr><w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar>{cells}</w:tblCellMar></w:tblPr>',
    )  # fmt: skip
    yield Style(
        "TableGrid", "Table Grid", based_on="TableNormal", kind="table", builtin=True,
        extra=f"<w:tblPr><w:tblBorders>{borders}</w:tblBorders></w:tblPr>",
    )  # fmt: skip
    for id, name, points in (("YbTable", "表格文字", layout.table), ("YbTableSmall", "表格小字", layout.small)):
        tight = _OFF_GRID + _line(round(points * 13.5), before=30, after=30)
        yield Style(id, name, tight + '<w:jc w:val="left"/>', '<w:snapToGrid w:val="0"/>' + size(points))
    for id, name, base in (("YbTableHead", "表头", "YbTable"), ("YbTableSmallHead", "小字表头", "YbTableSmall")):
        yield Style(id, name, '<w:keepNext/><w:jc w:val="center"/>', fonts(HEI), based_on=base)


def _character_styles() -> Iterator[Style]:
    yield Style(
        "DefaultParagraphFont", "Default Paragraph Font", based_on="", kind="character", default=True, builtin=True
    )
    base = "DefaultParagraphFont"
    yield Style("Strong", "Strong", text="<w:b/><w:bCs/>", based_on=base, kind="character", builtin=True)
    # Chinese type has no italics; a slanted 仿宋 would look broken.
    yield Style("Emphasis", "Emphasis", text=fonts(KAI), based_on=base, kind="character", builtin=True)
    yield Style(
        "YbCodeText", "命令字符", text=fonts(FANGSONG, MONO) + "<w:noProof/>", based_on=base, kind="character"
    )  # fmt: skip


def styles_part(layout: Layout) -> str:
    """``word/styles.xml`` of a file without a reference."""
    all_styles = styles(layout)
    ids = {s.id: s.id for s in all_styles}
    # Latin text as English: in text marked as Chinese, LibreOffice breaks numbers and words anywhere.
    language = '<w:lang w:val="en-US" w:eastAsia="zh-CN" w:bidi="ar-SA"/>'
    return (
        f"{HEAD}<w:styles {NAMESPACES}><w:docDefaults><w:rPrDefault><w:rPr>{fonts(FANGSONG)}{size(layout.body)}{language}"
        "</w:rPr></w:rPrDefault><w:pPrDefault/></w:docDefaults>"
        + "".join(s.xml(ids) for s in all_styles) + "</w:styles>"
    )  # fmt: skip


def fonts_part() -> str:
    """``word/fontTable.xml``: the other names of our fonts."""
    east = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{others}"/><w:charset w:val="86"/><w:family w:val="{family}"/>'
        '<w:pitch w:val="default"/></w:font>'
        for name, (others, family) in FONTS.items()
    )
    latin = (
        f'<w:font w:name="{LATIN}"><w:charset w:val="00"/><w:family w:val="roman"/><w:pitch w:val="variable"/></w:font>'
        f'<w:font w:name="{MONO}"><w:altName w:val="Courier New,DejaVu Sans Mono"/><w:charset w:val="00"/>'
        '<w:family w:val="modern"/><w:pitch w:val="fixed"/></w:font>'
    )
    return f"{HEAD}<w:fonts {NAMESPACES}>{east}{latin}</w:fonts>"
