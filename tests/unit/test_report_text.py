"""Data stays data, dates and numbers read as in official documents."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.unit.results import HOSTILE

from ybscan.engine.fridays import friday_of
from ybscan.report.dates import (
    day_text,
    numeral,
    percent_text,
    period_of,
    span_text,
)
from ybscan.report.text import MARKS, code_markdown, data, prose, scrub, to_html, to_markdown, without_marks

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def inline_kinds(markdown: str) -> list[str]:
    kinds = []
    for token in MARKDOWN.parse(markdown):
        kinds.append(token.type)
        kinds.extend(t.type for t in token.children or ())
    return kinds


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_data_is_one_paragraph_of_text(name: str) -> None:
    kinds = inline_kinds(without_marks(to_markdown(name)))
    assert set(kinds) <= {"paragraph_open", "inline", "text", "text_special", "paragraph_close"}, kinds


@given(st.text(alphabet="|`*_<>[]()#+-=.!~&:@/\\$ \n\t1a长\u202e\x00", min_size=1, max_size=40))
def test_markdown_data_stays_in_its_cell(name: str) -> None:
    table = f"| a | b |\n| --- | --- |\n| {without_marks(to_markdown(name))} | x |\n"
    tokens = MARKDOWN.parse(table)
    cells = [t for t in tokens if t.type == "td_open"]
    assert len(cells) == 2
    inner = [t.type for i, t in enumerate(tokens) if tokens[i - 1].type == "td_open" for t in t.children or ()]
    assert set(inner) <= {"text", "text_special"}


@given(st.text(st.characters(exclude_characters=MARKS), max_size=60))
def test_markdown_renders_as_the_scrubbed_text(name: str) -> None:
    shown = scrub(name)
    tokens = MARKDOWN.parse("x" + without_marks(to_markdown(name)) + "x")
    inline = next(t for t in tokens if t.type == "inline")
    read = "".join(c.content for c in inline.children or () if c.type in ("text", "text_special"))
    assert read.strip("x").replace("\u2068", "").replace("\u2069", "").split() == shown.strip("x").split()


@given(st.text(alphabet="`a\n", max_size=60))
def test_no_code_ends_its_fence(code: str) -> None:
    tokens = MARKDOWN.parse(without_marks(code_markdown(code)) + "\n\nafter")
    assert [t.type for t in tokens[:2]] == ["fence", "paragraph_open"]


@given(st.text())
def test_scrubbed_text_is_printable(text: str) -> None:
    clean = scrub(text)
    assert "\n" not in clean
    clean.encode("utf-8")
    assert not set(clean) & set("\x02\x03\x0e\x0f\u202e\u200b\ufeff")


def test_what_cannot_be_seen_is_shown_by_its_code() -> None:
    assert scrub("\u202egnp.exe") == "〔U+202E〕gnp.exe"
    assert scrub("a\ud800b") == "a〔U+D800〕b"
    assert scrub("a\r\nb\tc") == "a ↵ b c"


def test_long_text_says_that_it_is_cut() -> None:
    assert scrub("长" * 10_000, limit=5) == "长长长长长……（共 10000 字，此处截断）"


def test_html_data_is_escaped_and_isolated() -> None:
    assert without_marks(to_html("<b>'\"&")) == "&lt;b&gt;&#39;&quot;&amp;"
    assert without_marks(to_html("שלום")) == "<bdi>שלום</bdi>"


def test_a_sentence_escapes_its_values_only_once() -> None:
    sentence = prose("终端 {name} 有 {n} 项。", name="<b>", n=3)
    assert without_marks(to_html(sentence)) == "终端 &lt;b&gt; 有 3 项。"
    assert without_marks(to_html(prose("{s}好", s=sentence))) == "终端 &lt;b&gt; 有 3 项。好"
    assert without_marks(data("{n}")) == "{n}"


@pytest.mark.parametrize(
    ("numerator", "denominator", "text"),
    [(9996, 10000, "99.96%"), (99999, 100000, "99.99%"), (1, 1, "100%"), (0, 7, "0%"), (1, 100000, "不足 0.01%"),
     (1, 3, "33.33%"), (1, 2, "50%"), (999, 1000, "99.9%"), (0, 0, "无法计算")],
)  # fmt: skip
def test_percentages_are_never_rounded_up(numerator: int, denominator: int, text: str) -> None:
    assert percent_text(numerator, denominator) == text


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_only_the_whole_is_a_hundred_percent(part: int, more: int) -> None:
    assert percent_text(part, part + more) != "100%"


def test_dates_have_no_leading_zeros() -> None:
    assert day_text(date(2026, 3, 6)) == "2026年3月6日"
    east = timezone(timedelta(hours=8))
    start = datetime(2026, 11, 20, 9, 5, tzinfo=east)
    assert span_text(start, start + timedelta(minutes=2)) == "2026年11月20日 09:05至09:07（UTC+08:00）"
    assert span_text(start, start + timedelta(hours=15)) == "2026年11月20日 09:05至2026年11月21日 00:05（UTC+08:00）"
    assert span_text(datetime(2026, 1, 2, tzinfo=UTC), None) == "2026年1月2日 00:00（UTC+00:00）"


def test_periods() -> None:
    day = date(2026, 11, 20)
    texts = [period_of(k, day).text for k in ("week", "month", "quarter", "half-year", "year")]
    assert texts == ["2026年第47周", "2026年11月", "2026年第四季度", "2026年下半年", "2026年度"]
    assert period_of("quarter", date(2026, 2, 3)).last == date(2026, 3, 31)
    assert period_of("week", date(2027, 1, 1)).text == "2026年第53周"
    assert friday_of(date(2027, 1, 3)) == date(2027, 1, 1)


def test_numerals() -> None:
    assert [numeral(n) for n in (1, 10, 11, 20, 23)] == ["一", "十", "十一", "二十", "二十三"]
