"""Whole documents: golden files, the same verdicts everywhere, nothing claimed without evidence."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import ChoiceLoader, DictLoader
from markdown_it import MarkdownIt
from tests.documents import CLAUSES, PROJECT, cases, document, templates
from tests.unit.results import HOSTILE, finding, findings, hospital, pharmacy, result

from ybscan.engine.summary import GRADES, grade
from ybscan.model.problem import InputProblems
from ybscan.model.result import ScanResult, Status
from ybscan.model.rule import Severity
from ybscan.report.claims import EvidenceMissing, claim
from ybscan.report.inspection import build_inspection
from ybscan.report.options import Kind, Missed, Options, TextFormat
from ybscan.report.record import build_record
from ybscan.report.render import render
from ybscan.report.text import without_marks

GOLDEN = PROJECT / "tests" / "golden"
KINDS: tuple[Kind, ...] = get_args(Kind)
ALL = [(name, kind, format) for name in cases() for kind in KINDS for format in get_args(TextFormat)]
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
WORDS = {s.text: s.value for s in Status}


@pytest.mark.parametrize(("name", "kind", "format"), ALL)
def test_golden(name: str, kind: Kind, format: TextFormat, request: pytest.FixtureRequest) -> None:
    path = GOLDEN / f"{name}.{kind}.{format}"
    text = document(name, kind, format)
    if request.config.getoption("--update-golden"):
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8"), f"{path.name} differs; see pytest --update-golden"


@pytest.mark.parametrize(("name", "kind", "format"), ALL)
def test_the_same_result_gives_the_same_bytes(name: str, kind: Kind, format: TextFormat) -> None:
    assert document(name, kind, format).encode() == document(name, kind, format).encode()


# --- verdicts ---------------------------------------------------------------------------------------------------------


def html_verdicts(text: str) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Rule, class of the row, and the verdicts with their numbers, of every row of results."""
    rows = re.findall(r'<table class="fixed items">.*?<tbody>(.*?)</tbody>', text, re.DOTALL)
    found = []
    for row in re.findall(r"<tr.*?</tr>", "".join(rows), re.DOTALL):
        status = re.match(r'<tr(?: id="[^"]*" class="(\w+)")?(?: data-v="[\w ]+")? data-s="\w+">', row)
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        assert status is not None
        verdicts = re.findall(r"<b[^>]*>\S (\S+)</b> ?(\d*)", cells[3])
        found.append((cells[0], status[1] or "pass", verdicts))
    return found


def markdown_tables(text: str) -> list[list[list[str]]]:
    """Every table as a Markdown reader sees it, cells as plain text."""
    tables: list[list[list[str]]] = []
    for token in MARKDOWN.parse(text):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type == "inline" and tables and tables[-1] and token.level >= 3:
            tables[-1][-1].append("".join(c.content for c in token.children or ()))
    return tables


def markdown_verdicts(text: str) -> list[tuple[str, str]]:
    return [
        (row[0], row[5])
        for table in markdown_tables(text)
        if len(table[0]) == 7 and table[0][0] == "编号" and table[0][5].startswith("结果")
        for row in table[1:]
    ]


@pytest.mark.parametrize("name", list(cases()))
def test_records_print_the_verdicts_of_the_result(name: str) -> None:
    found = cases()[name][0]
    one = found[1] if len(found) > 1 else found[0]
    expected = [(f.rule_id, f.status.value) for f in one.findings]
    html = html_verdicts(document(name, "record", "html"))
    assert [(rule, status) for rule, status, _ in html] == expected
    assert [[WORDS[word] for word, _ in verdicts] for _, _, verdicts in html] == [[s] for _, s in expected]
    markdown = markdown_verdicts(document(name, "record", "md"))
    assert [(rule, WORDS[words.split(" ", 1)[1]]) for rule, words in markdown] == expected


def test_reports_count_terminals_by_verdict_alike_in_both_formats() -> None:
    html = html_verdicts(document("hospital", "self-inspection", "html"))
    markdown = markdown_verdicts(document("hospital", "self-inspection", "md"))
    latest = hospital()[1:]
    assert [rule for rule, _, _ in html] == [rule for rule, _ in markdown] == [f.rule_id for f in latest[0].findings]
    for (rule, _, verdicts), (_, words) in zip(html, markdown, strict=True):
        want: dict[str, int] = {}
        for r in latest:
            status = next(f.status.value for f in r.findings if f.rule_id == rule)
            want[status] = want.get(status, 0) + 1
        assert {WORDS[word]: int(number) for word, number in verdicts} == want
        told = [part.split(" ", 1)[1].rsplit(" ", 1) for part in words.split("，")]
        assert {WORDS[word]: int(number) for word, number in told} == want
    assert {r: s for r, s, _ in html}["USB-01"] == "fail", "the worst of the terminals"


# --- what may be said -------------------------------------------------------------------------------------------------


def test_a_generated_sentence_needs_evidence() -> None:
    with pytest.raises(EvidenceMissing, match="没有证据"):
        claim("在已检查的 {n} 台终端中，没有问题。", (), n=3)


@pytest.mark.parametrize("status", [Status.PASS, Status.FAIL, Status.WAIVED, Status.DELEGATED])
@pytest.mark.parametrize("kind", [k for k in KINDS if k != "ledger"])
def test_a_verdict_that_nothing_was_seen_for_is_refused(status: Status, kind: Kind) -> None:
    bare = result([finding("PWD-01", status, observations=())])
    with pytest.raises(InputProblems, match="却没有任何证据"):
        render(kind, "md", [bare], templates=templates())


def with_template(text: str, name: str = "record.md.j2", macros: str = "") -> ChoiceLoader:
    return ChoiceLoader([DictLoader({name: text, **({"_macros.md.j2": macros} if macros else {})}), templates()])


def rendered(
    text: str, results: Iterable[ScanResult] = (), options: Options | None = None, kind: Kind = "record"
) -> str:
    return render(
        kind, "md", list(results) or [pharmacy()], templates=with_template(text, f"{kind}.md.j2"), options=options
    )


def problem(
    text: str, results: Iterable[ScanResult] = (), options: Options | None = None, kind: Kind = "record"
) -> str:
    with pytest.raises(InputProblems) as caught:
        rendered(text, results, options, kind)
    return str(caught.value)


@pytest.mark.parametrize(
    "words",
    ["确保无隐患", "不存在任何安全隐患", "杜绝违规外联", "网络绝对安全", "从未发生泄密", "未发生失泄密事故", "系统无病毒",
     "符合等保三级要求", "通过密评", "已实现物理隔离", "备份可正常恢复", "终端未连接互联网", "专线专用", "自动完成自查",
     "20xx年", "××市医保局", "[具体时间段]", "{{ '{{' }}", "V PN", "病素", "杜\n\n绝 绝对安全"],
)  # fmt: skip
def test_what_can_never_be_known_is_refused_with_its_line(words: str) -> None:
    message = problem(f"# 记录\n\n正文\n\n{words}\n")
    assert message.startswith("record.md.j2:"), message
    assert "不得出现" in message


def test_the_words_are_refused_in_a_template_string_as_well() -> None:
    assert problem("x\n{{ '系统无病毒' }}\n").startswith("record.md.j2:2 模板不得出现“系统无病毒”")


def test_the_same_words_in_data_are_only_data() -> None:
    named = [result([finding("PWD-01", title="系统无病毒，确保无隐患（20xx）", sentence="全部均完全符合等保三级")])]
    for kind in ("record", "self-inspection"):
        for format in get_args(TextFormat):
            assert "系统无病毒" in render(kind, format, named, templates=templates())


@pytest.mark.parametrize("words", ["全部符合", "均已安装", "完全一致", "每台终端"])
def test_words_for_all_need_all(words: str) -> None:
    whole = {"kind": "self-inspection", "options": Options(expected=1)}
    assert words in rendered(words, **whole)  # type: ignore[arg-type]
    assert "没有全部检查" in problem(words, kind="self-inspection", options=Options(expected=2))
    assert "没有全部检查" in problem(words, kind="self-inspection", options=Options())
    unsure = [result(findings({"AV-02": Status.UNKNOWN}))]
    assert "没有全部检查" in problem(words, unsure, **whole)  # type: ignore[arg-type]


def test_average_is_no_word_for_all() -> None:
    assert "平均" in rendered("平均 3 项", options=Options(expected=9), kind="self-inspection")


def test_good_in_general_is_refused_where_a_critical_rule_fails() -> None:
    assert "总体良好" in rendered("总体良好")
    assert "严重的不符合项" in problem("总体良好", [result(findings({"PWD-06": Status.FAIL}))])


def test_a_template_sentence_about_the_result_needs_evidence() -> None:
    assert "没有证据" in problem("经检查，没有问题。")
    assert "没有证据" in problem("{% call stated([]) %}经检查，没有问题。{% endcall %}")
    assert "没有证据" in problem("{% call stated('PWD-01') %}经检查，没有问题。{% endcall %}")
    text = "{% for r in records %}{% call stated(r.conclusion[0].refs) %}经检查，得出结果。{% endcall %}{% endfor %}"
    assert rendered(text).startswith("经检查，得出结果。〔YB-2026-W47-")


# --- templates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a\n{{ nothing }}\n", 2, "不存在的内容"),
        ("{% for r in records %}\n\n{{ r.nothing }}\n{% endfor %}", 3, "不存在的内容"),
        ("a\n{% if %}\n", 2, "语法错误"),
        ("a\n\n{% for x in records %}", 3, "语法错误"),
        ("{{ records }}", 1, "不能直接输出"),
        ("{% set x = none %}{{ x }}", 1, "没有值"),
        ("{% set x = 1.5 %}\n{{ x }}", 2, "不能直接输出"),
        ("{{ ''.__class__.__mro__ }}", 1, "不存在的内容|不允许的操作"),
        ("{{ records[0].__class__ }}", 1, "不存在的内容|不允许的操作"),
        ("{% include 'other.j2' %}", 1, "找不到模板“other.j2”"),
        ("a\n{{ '<b>'|safe }}", 2, "语法错误"),
        ("a\n\x02b", 2, "控制字符"),
        ("{{ 1 // 0 }}", 1, "模板出错"),
    ],
)
def test_a_broken_template_is_named_with_its_line(text: str, line: int, words: str) -> None:
    message = problem(text)
    assert message.startswith(f"record.md.j2:{line} "), message
    assert re.search(words, message)


def test_a_template_cannot_switch_escaping_off() -> None:
    hostile = [result(findings(), hostname="<script>x</script>")]
    text = "{% autoescape false %}{% for r in records %}{{ r.terminal.hostname }}{% endfor %}{% endautoescape %}"
    assert rendered(text, hostile).strip() == "\\<script\\>x\\</script\\>"
    joined = "{% for r in records %}{{ r.terminal.id ~ r.grade ~ r.terminal.hostname }}{% endfor %}"
    assert rendered(joined, hostile).strip() == "YB-0001符合\\<script\\>x\\</script\\>"


def test_no_results_no_document() -> None:
    with pytest.raises(InputProblems, match="没有检查结果"):
        render("record", "md", [], templates=templates())


# --- facts of the report ----------------------------------------------------------------------------------------------


def test_every_problem_has_its_rectification() -> None:
    text = document("hospital", "self-inspection", "md")
    problems = re.findall(r"^### 问题(\d+)　(.*)（风险等级：", text, re.MULTILINE)
    assert problems
    assert re.findall(r"^### 整改(\d+)　(.*)$", text, re.MULTILINE) == problems


def test_a_later_check_counts_and_the_earlier_one_stays_visible() -> None:
    report = build_inspection(hospital(), Options(clauses=CLAUSES))
    assert [t.id for t in report.terminals] == ["YB-0001", "YB-0002", "YB-0003"]
    assert len(report.records) == 4
    assert [c.rule_id for c in report.solved] == ["PWD-01"]


def test_clones_do_not_hide_each_other() -> None:
    """Two machines from one disk image: same id, same name, other network cards."""
    bad = result(findings(Status.FAIL), id="PC", hostname="PC", macs=("02:00:00:00:00:01",))
    good = result(
        findings(), id="PC", hostname="PC", macs=("02:00:00:00:00:02",), started_at="2026-11-21T09:00:00+08:00"
    )
    report = build_inspection((bad, good), Options(expected=2))
    assert len(report.terminals) == 2
    assert len(report.problems) == 10
    assert any("重复" in w for w in report.warnings)
    nameless = [result(findings(s), id="unknown", hostname="", macs=()) for s in (Status.FAIL, Status.PASS)]
    assert len(build_inspection(tuple(nameless), Options()).terminals) == 2


def test_the_same_result_twice_counts_once() -> None:
    assert len(build_inspection((pharmacy(), pharmacy()), Options(expected=1)).terminals) == 1


@pytest.mark.parametrize(
    ("options", "grade"),
    [(Options(expected=1), "符合"), (Options(), "无法判定"), (Options(expected=2), "无法判定"),
     (Options(expected=1, missed=(Missed(id="B"),)), "无法判定"), (Options(missed=(Missed(id="B"),)), "无法判定")],
)  # fmt: skip
def test_the_unit_passes_only_when_all_its_terminals_were_checked(options: Options, grade: str) -> None:
    report = build_inspection((pharmacy(),), options)
    assert (report.grade, report.unit_grade) == ("符合", grade)
    last = [str(c.text) for c in report.conclusion][-1]
    assert ("全部" in last) == (grade == "符合")


def test_an_altered_result_earns_no_good_grade() -> None:
    honest = result(findings({"AV-02": Status.FAIL}))
    forged = honest.model_copy(update={"findings": findings()})
    for view in (build_record(forged, Options()), build_inspection((forged,), Options(expected=1))):
        assert view.grade == "无法判定"
        assert any("改动" in w for w in view.warnings)
    assert "与内容不符" in render("record", "md", [forged], templates=templates())


def test_a_clause_is_not_met_by_some_of_its_rules() -> None:
    report = build_inspection((result([finding("PWD-06", clauses=("gz-2-4-set",))]),), Options(clauses=CLAUSES))
    ((covered,),) = (s.clauses for s in report.coverage)
    assert covered.unchecked == ("PWD-05",)
    assert covered.verdict.key == "unknown"


def test_a_report_does_not_rest_on_the_rules_of_another_city() -> None:
    rules = ("putian2019-120-4", "zc-4-2-boot", "jilin2025-4", "province-12.3", "gz-2-2")
    report = build_inspection((result([finding("PWD-06", clauses=rules)]),), Options(clauses=CLAUSES))
    assert without_marks(report.introduction[0].text).startswith("依据《医保信息系统网络安全管理制度》，我院于")
    assert [c.document for c in report.results[0].items[0].clauses if not c.sample] == ["医保信息系统网络安全管理制度"]


def test_a_friday_is_no_ad_hoc_check() -> None:
    def at(day: str) -> bool:
        return build_record(result(findings(), started_at=f"{day}T09:00:00+08:00"), Options()).adhoc

    assert not at("2026-11-20")
    assert at("2026-11-19")
    friday = build_record(result(findings(), started_at="2027-01-01T09:00:00+08:00"), Options())
    assert (friday.week, friday.planned) == ("2026年第53周", "2027年1月1日（星期五）")


def test_changes_since_the_last_check() -> None:
    before = result(
        findings({"PWD-01": Status.FAIL, "PWD-05": Status.FAIL, "PWD-06": Status.FAIL}),
        started_at="2026-11-13T09:00:00+08:00",
    )
    now = result(findings({"PWD-05": Status.UNKNOWN, "PWD-06": Status.FAIL, "AV-02": Status.FAIL}))
    record = build_record(now, Options(previous=(before,)))
    assert {c.rule_id: str(c.kind) for c in record.changes} == {
        "PWD-01": "已消除", "PWD-05": "未能确认是否消除", "PWD-06": "仍未整改", "AV-02": "新增问题",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "self_name"),
    [
        ("hospital", "我院"),
        ("pharmacy", "我店"),
        ("agency", "我局"),
        ("company", "我公司"),
        ("clinic", "我诊所"),
        ("", "我单位"),
    ],
)
def test_the_unit_calls_itself_by_its_kind(kind: str, self_name: str) -> None:
    unit = {"name": "某单位", "kind": kind} if kind else {}
    text = render("self-inspection", "md", [result(findings(), unit=unit)], templates=templates())
    assert f"{self_name}于2026年11月20日对医保联网终端" in text


def test_rendering_time_is_printed_only_when_given() -> None:
    given = Options(rendered_at=datetime.fromisoformat("2026-12-01T08:00:00+08:00"))
    assert "成文日期：2026年12月1日" in render("record", "md", [pharmacy()], templates=templates(), options=given)
    assert "成文日期" not in document("pharmacy", "record", "md")


# --- HTML -------------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What the tests need to know of a page."""

    VOID = frozenset({"meta", "br", "img", "link", "hr", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.errors: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.errors.append(tag)


def page(text: str) -> Page:
    parsed = Page()
    parsed.feed(text)
    return parsed


HTML = [(name, kind) for name, kind, format in ALL if format == "html"]


@pytest.mark.parametrize(("name", "kind"), HTML)
def test_pages_are_well_formed_and_self_contained(name: str, kind: Kind) -> None:
    parsed = page(document(name, kind, "html"))
    assert (parsed.errors, parsed.open) == ([], [])
    names = {tag for tag, _ in parsed.tags}
    assert not names & {"iframe", "object", "embed", "link", "form", "img", "b3", "base"}
    for _, attributes in parsed.tags:
        assert not [a for a in attributes if a.startswith("on") or a in ("src", "srcset", "style")]
        assert (attributes.get("href") or "#").startswith("#")


SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@pytest.mark.parametrize(("name", "kind"), HTML)
def test_the_only_script_is_ours_and_the_policy_allows_no_other(name: str, kind: Kind) -> None:
    """The text between the tags is that of the template, whatever the data, and the policy names its hash and no more."""
    text = document(name, kind, "html")
    ours = [] if kind == "leader" else SCRIPT.findall(document("pharmacy", "record", "html"))
    assert SCRIPT.findall(text) == ours
    assert text.lower().count("<script") == len(ours)
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in ours]
    policies = [a["content"] for t, a in page(text).tags if a.get("http-equiv") == "Content-Security-Policy"]
    (policy,) = policies
    assert policy is not None
    allowed = [p.strip() for p in policy.split(";")]
    assert allowed[0] == "default-src 'none'"
    assert [p.split()[1:] for p in allowed if p.startswith("script-src")] == ([hashes] if hashes else [])
    assert not [p for p in allowed if "'unsafe" in p and p != "style-src 'unsafe-inline'"]


def test_a_template_folder_may_bring_a_script_of_its_own_and_gets_its_hash() -> None:
    mine = ChoiceLoader(
        [DictLoader({"_filter.js.j2": "var a = '{{ rendered_at }}';\n\n\n\n// x\nvar b = 1 < 2;"}), templates()]
    )
    text = render("record", "html", [pharmacy()], templates=mine)
    (script,) = SCRIPT.findall(text)
    assert script == "var a = '{{ rendered_at }}';\nvar b = 1 < 2;\n", "not rendered: no data gets into a script"
    assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in text
    closing = ChoiceLoader([DictLoader({"_filter.js.j2": "x='</script>'"}), templates()])
    with pytest.raises(InputProblems, match=r"_filter\.js\.j2"):
        render("record", "html", [pharmacy()], templates=closing)


@pytest.mark.parametrize(("name", "kind"), HTML)
def test_every_link_has_its_target_once(name: str, kind: Kind) -> None:
    tags = page(document(name, kind, "html")).tags
    ids = [a["id"] for _, a in tags if "id" in a]
    assert len(ids) == len(set(ids))
    wanted = {a["href"] for t, a in tags if t == "a"}
    assert {w.lstrip("#") for w in wanted if w} <= set(ids)
    labelled = {i for _, a in tags for i in (a.get("aria-labelledby") or "").split()}
    assert labelled <= set(ids)


@pytest.mark.parametrize(("name", "kind"), HTML)
def test_pages_can_be_read_by_a_screen_reader(name: str, kind: Kind) -> None:
    tags = page(document(name, kind, "html")).tags
    names = [t for t, _ in tags]
    long = kind in ("record", "self-inspection")
    for landmark in ("header", *(("nav",) if long else ()), "main", "footer"):
        assert names.count(landmark) == 1, landmark
    assert dict(tags)["html"]["lang"] == "zh-CN"
    levels = [int(t[1]) for t in names if re.fullmatch(r"h[1-6]", t)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels)), levels
    assert all("scope" in a for t, a in tags if t == "th")
    assert names.count("caption") == names.count("table")
    assert all(a.get("role") == "img" or a.get("aria-hidden") for t, a in tags if t == "svg")


def luminance(colour: str) -> float:
    def channel(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (channel(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_at_least_that_of_wcag_aa() -> None:
    from ybscan.report.charts import COLOURS

    assert round(contrast("#000000", "#ffffff"), 1) == 21.0
    for status, (fill, ink) in COLOURS.items():
        assert contrast(fill, ink) >= 4.5, status
    css = (PROJECT / "templates" / "_style.css.j2").read_text(encoding="utf-8")
    inks = set(re.findall(r"(?<![-\w])color: (#[0-9a-f]{6})", css))
    assert len(inks) > 8
    grounds = set(re.findall(r"background: (#[0-9a-f]{6})", css))
    assert len(grounds) > 4
    for ink in inks:
        for ground in grounds:
            assert contrast(ink, ground) >= 4.5, (ink, ground)


def test_the_style_needs_no_browser_newer_than_chromium_49() -> None:
    for path in (PROJECT / "templates").glob("*.j2"):
        css = path.read_text(encoding="utf-8")
        for newer in (
            "display: grid",
            ":has(",
            "var(--",
            ":is(",
            ":where(",
            "inset:",
            "@layer",
            "clamp(",
            " gap:",
            "aspect-ratio",
        ):
            assert newer not in css, (path.name, newer)


def test_two_hundred_rules_fit_in_150_kilobytes() -> None:
    many = []
    ids = list(CLAUSES)
    for i in range(200):
        status = Status.FAIL if i % 20 == 0 else Status.UNKNOWN if i % 10 == 0 else Status.PASS
        many.append(
            finding(
                f"RULE-{i:03}", status, title=f"第 {i} 项安全设置符合单位的规定", pack=f"pack-{i // 20}", severity=Severity.MEDIUM,
                clauses=(ids[i % 60], ids[(i * 3) % 60]), method="读取系统配置，与规定值比对。",
                sentence=f"第 {i} 项设置为“已启用”，要求为“已启用”",
            )
        )  # fmt: skip
    text = render("record", "html", [result(many)], templates=templates(), options=Options(clauses=CLAUSES))
    assert len(text.encode()) <= 150_000
    report = render("self-inspection", "html", [result(many)], templates=templates(), options=Options(clauses=CLAUSES))
    assert len(report.encode()) <= 150_000


def test_every_status_has_its_own_sign() -> None:
    text = document("hospital", "self-inspection", "md")
    for told in ("√ 符合", "× 不符合", "？ 无法判定", "□ 待人工确认", "△ 例外（已批准）", "◇ 委托管控", "— 不适用"):
        assert told in text
        told.encode("gbk")


def test_hostile_names_stay_text() -> None:
    for kind in KINDS:
        tags = [t for t, _ in page(document("hostile", kind, "html")).tags]
        assert tags.count("script") == (0 if kind == "leader" else 1), "ours"
        assert {a.get("role") for t, a in page(document("hostile", kind, "html")).tags if t == "svg"} <= {"img", None}
        charts = {"record": 1, "self-inspection": 2, "leader": 1}.get(kind, 0)
        assert tags.count("title") == 1 + charts, "the page's and the charts'"
        tokens = MARKDOWN.parse(document("hostile", kind, "md"))
        kinds = {t.type for t in tokens} | {c.type for t in tokens for c in t.children or ()}
        assert not kinds & {"html_block", "html_inline", "link_open", "image", "code_inline", "em_open", "s_open"}
        headings = [
            tokens[i + 1].content for i, t in enumerate(tokens) if t.type == "heading_open" and t.tag in ("h1", "h2")
        ]
        assert not [h for h in headings if "伪造" in h]
        text = document("hostile", kind, "html") + document("hostile", kind, "md")
        text.encode("utf-8")
        assert not [c for c in text if c in "\u202e\x00\x07\x1b\x02\x03\x0e\x0f"]
        assert "49" not in re.sub(r"\d{3,}|[0-9A-F]{8}", "", "".join(HOSTILE[1:2])), (
            "the template text is not evaluated"
        )
        if kind == "leader":
            continue  # it prints no titles and no sentences of evidence
        assert "{{7*7}}{% raw %}" in document("hostile", kind, "html")
        assert "〔U+0002〕〔U+0003〕" in document("hostile", kind, "html"), (
            "data cannot lose characters that are marks to us"
        )


def test_no_golden_file_is_left_over() -> None:
    assert {p.name for p in Path(GOLDEN).iterdir()} == {f"{n}.{k}.{f}" for n, k, f in ALL}


def test_the_printed_grading_rule_names_every_grade() -> None:
    from ybscan.report.grading import GRADING

    assert sorted(r.grade for r in GRADING) == sorted(GRADES)


OPEN = (Status.UNKNOWN, Status.MANUAL)


@given(st.lists(st.tuples(st.sampled_from(list(Status)), st.sampled_from(list(Severity))), max_size=12), st.booleans())
def test_the_printed_grading_rule_is_the_one_applied(drawn: list[tuple[Status, Severity]], partial: bool) -> None:
    """The printed lines, read from top to bottom, as a person would apply them."""
    applicable = [d for d in drawn if d[0] is not Status.NOT_APPLICABLE]
    failed = [severity for status, severity in applicable if status is Status.FAIL]
    open_ = [severity for status, severity in applicable if status in OPEN]
    many = len(open_) * 5 > len(applicable)
    decided = any(status in (Status.PASS, Status.FAIL) for status, _ in applicable)
    stood_in = any(status in (Status.WAIVED, Status.DELEGATED) for status, _ in applicable)
    high_open = Severity.HIGH in open_
    if Severity.CRITICAL in failed:
        expected = "不符合"
    elif Severity.CRITICAL in open_ or (not failed and (high_open or many or not decided or partial)):
        expected = "无法判定"
    elif Severity.HIGH in failed or (failed and (high_open or many or partial)):
        expected = "部分符合"
    elif failed or open_ or stood_in:
        expected = "基本符合"
    else:
        expected = "符合"
    assert (
        grade(tuple(finding(f"AA-{i:02}", s, severity=v) for i, (s, v) in enumerate(drawn, 1)), partial=partial)
        == expected
    )
