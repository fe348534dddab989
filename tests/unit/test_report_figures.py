"""The numbers behind the charts, and that both formats and the pictures say the same."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import date
from html import unescape

import pytest
from tests.documents import CLAUSES, PROJECT, document, templates
from tests.unit.results import findings, hospital, result
from tests.unit.test_report_documents import markdown_tables

from ybscan.model.result import ScanResult, Status
from ybscan.model.rule import Severity
from ybscan.report.figures import MATRIX_MOST, MATRIX_WHOLE, matrix_of, severities_of, weeks_of
from ybscan.report.options import Options
from ybscan.report.record import pack_groups
from ybscan.report.render import render
from ybscan.report.terminals import grouped
from ybscan.report.text import Prose

F, U, P = Status.FAIL, Status.UNKNOWN, Status.PASS


def checked(id: str, day: str, statuses: dict[str, Status] | Status = P) -> ScanResult:
    return result(findings(statuses), id=id, hostname=id, macs=(), started_at=f"{day}T09:00:00+08:00")


def test_a_week_counts_the_newest_check_of_each_terminal() -> None:
    found = [
        checked("A", "2026-11-02", F),
        checked("A", "2026-11-06", {"PWD-01": F}),
        checked("B", "2026-11-06", {"AV-02": U}),
        checked("A", "2026-11-20"),
    ]
    weeks = weeks_of(grouped(found), ())
    assert [(str(w.name), w.terminals) for w in weeks] == [
        ("2026年第45周", 2), ("2026年第46周", 0), ("2026年第47周", 1),
    ]  # fmt: skip
    rate = weeks[0].pass_rate
    assert (rate.numerator, rate.denominator, rate.undetermined) == (18, 19, 1)
    assert str(weeks[0].determined_rate.text) == "95%（19/20，另有 1 项未能确认）"
    assert weeks[1].pass_rate.denominator == 0, "a week without checks has no rate"


def test_a_missed_friday_is_a_week_of_its_own_and_years_do_not_mix() -> None:
    weeks = weeks_of(grouped([checked("A", "2027-01-08")]), (date(2026, 12, 25),))
    assert [str(w.name) for w in weeks] == ["2026年第52周", "2026年第53周", "2027年第1周"]
    assert [w.terminals for w in weeks] == [0, 0, 1]


def test_problems_are_counted_by_pack_and_severity() -> None:
    found = [
        checked("A", "2026-11-20", {"PWD-01": F, "PWD-05": F, "AV-02": U}),
        checked("B", "2026-11-20", {"PWD-05": F}),
    ]
    got = severities_of(pack_groups(found), [f for r in found for f in r.findings])
    assert [(p.title, p.numbers, p.total, p.undetermined) for p in got.packs] == [
        ("口令与登录", (2, 1, 0, 0), 3, 0), ("病毒防护", (0, 0, 0, 0), 0, 1),
    ]  # fmt: skip
    assert (got.rest, got.whole.total, got.whole.undetermined) == (3, 3, 1)
    assert [str(w) for w in got.words] == [s.text for s in Severity]


def _matrix(found: list[ScanResult]):  # noqa: ANN202
    return matrix_of(pack_groups(found), found, [Prose("符合")] * len(found))


def test_up_to_two_hundred_terminals_all_have_a_row() -> None:
    matrix = _matrix([checked(f"T{i}", "2026-11-20") for i in range(MATRIX_WHOLE)])
    assert (len(matrix.rows), matrix.fine, matrix.more) == (MATRIX_WHOLE, 0, 0)


def test_of_more_only_those_with_something_to_look_at_and_the_rest_is_counted() -> None:
    found = [checked(f"T{i:04}", "2026-11-20", {"AV-02": U} if i % 100 == 0 else P) for i in range(MATRIX_WHOLE + 100)]
    matrix = _matrix(found)
    assert ([r.id for r in matrix.rows], matrix.fine, matrix.more) == (["T0000", "T0100", "T0200"], 297, 0)


def test_the_gravest_keep_their_rows_where_there_are_too_many() -> None:
    found = [checked(f"T{i:04}", "2026-11-20", {"AV-02": U}) for i in range(MATRIX_MOST)]
    found.append(checked("ZZ", "2026-11-20", {"PWD-05": F}))
    matrix = _matrix(found)
    assert (len(matrix.rows), matrix.fine, matrix.more) == (MATRIX_MOST, 0, 1)
    assert matrix.rows[-1].id == "ZZ"


def test_a_cell_is_the_worst_of_its_pack_and_counts_what_is_open() -> None:
    one = checked("A", "2026-11-20", {"PWD-01": F, "PWD-05": U, "USB-01": Status.NOT_APPLICABLE})
    cells = _matrix([one]).rows[0].cells
    assert [c.verdict.key for c in cells if c] == ["fail", "pass", "pass", "pass", "pass"]
    assert cells[0] is not None
    assert [(n.verdict.key, n.number) for n in cells[0].counts] == [("fail", 1), ("unknown", 1)]


def _plain(html: str) -> str:
    return re.sub(r"\s+", "", unescape(re.sub(r"<[^>]+>", "", html)))


def test_both_formats_have_the_same_numbers() -> None:
    html, markdown = (document("hospital", "self-inspection", f) for f in ("html", "md"))  # type: ignore[arg-type]
    for caption, head in (("各周的检查结果", "周"), ("不符合和未能确认的项次", "规则包")):
        table = html.split(f"<caption>{caption}", 1)[1].split("</table>", 1)[0]
        shown = [[_plain(c) for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in table.split("<tr")[1:]]
        told = next(
            t for t in markdown_tables(markdown) if t[0][0] == head and t[0][1] in ("实检", "严重")
        )  # fmt: skip
        assert shown == [[_plain(c) for c in row[: len(told[0])]] for row in told]
    matrix = html.split("<caption>终端和规则包一览", 1)[1].split("</table>", 1)[0]
    signs = {
        _plain(row.split("</th>", 1)[0].split(">", 2)[-1]): re.findall(r'<td class="(\w+)">', row)
        for row in matrix.split("<tr data-v")[1:]
    }
    table = next(t for t in markdown_tables(markdown) if "没有使用" in t[0])
    for row in table[1:]:
        keys = signs[_plain(row[0])]
        named = [0 if c.strip() == "—" else len(re.findall(r"、(?![^（]*）)", c)) + 1 for c in row[1:5]]
        groups = (("fail",), ("unknown", "manual"), ("waived", "delegated"), ("not_applicable",))
        assert named == [sum(k in g for k in keys) for g in groups], row


def test_the_leader_sees_the_weeks_before_and_answers_for_the_period_alone() -> None:
    now, before = [checked("A", "2026-11-20")], (checked("A", "2026-11-13", {"PWD-01": F}),)
    said = Options(clauses=CLAUSES, expected=1, previous=before)
    text = render("leader", "md", now, templates=templates(), options=said)
    assert "2026年第46周 | 1 台 | 90%（9/10" in text
    assert "近几周" not in render(
        "leader", "md", now, templates=templates(), options=Options(clauses=CLAUSES, expected=1)
    )


def test_the_picture_of_the_rates_never_draws_more_than_the_numbers() -> None:
    """100 % is the line at the top: nothing but the whole may reach it."""
    from ybscan.report.charts import trend

    almost = [checked(f"T{i:03}", "2026-11-20", {"AV-02": F} if i == 0 else P) for i in range(150)]
    svg = str(trend(weeks_of(grouped([*almost, checked("T001", "2026-11-13")]), ()), "t"))
    heights = [float(y) for y in re.findall(r'<circle cx="[\d.]+" cy="([\d.]+)"', svg)]
    assert heights[-2] == 32.0
    assert heights[-1] > 32.0


# --- old browsers -----------------------------------------------------------------------------------------------------

#: Properties of our style sheets that Chromium 49 has; sticky positioning is a value it drops, and does without.
_KNOWN = frozenset(
    [
        "align",
        "background",
        "border",
        "border-bottom",
        "border-collapse",
        "border-left",
        "border-top",
        "border-left-width",
        "box-sizing",
        "break-after",
        "break-before",
        "break-inside",
        "caption-side",
        "clear",
        "color",
        "content",
        "display",
        "float",
        "font",
        "font-family",
        "font-size",
        "font-weight",
        "height",
        "left",
        "line-height",
        "list-style",
        "margin",
        "margin-bottom",
        "margin-left",
        "margin-top",
        "max-height",
        "max-width",
        "min-width",
        "orphans",
        "outline",
        "outline-offset",
        "overflow",
        "overflow-wrap",
        "overflow-x",
        "padding",
        "padding-bottom",
        "padding-left",
        "padding-right",
        "padding-top",
        "page-break-after",
        "page-break-before",
        "page-break-inside",
        "paint-order",
        "position",
        "print-color-adjust",
        "-webkit-print-color-adjust",
        "size",
        "stroke",
        "stroke-linejoin",
        "stroke-width",
        "table-layout",
        "text-align",
        "text-anchor",
        "text-decoration",
        "text-indent",
        "top",
        "vertical-align",
        "white-space",
        "widows",
        "width",
        "word-break",
        "word-wrap",
        "writing-mode",
        "-webkit-writing-mode",
        "z-index",
        "border-color",
        "border-width",
        "text-transform",
        "visibility",
    ]
)


def _styles() -> str:
    pages = [
        document(name, kind, "html")
        for name in ("pharmacy",)
        for kind in ("record", "self-inspection", "leader", "ledger")
    ]  # type: ignore[arg-type]
    return "\n".join(re.findall(r"<style>(.*?)</style>", "".join(pages), re.DOTALL))


def test_the_style_uses_only_what_chromium_49_has() -> None:
    css = re.sub(r"/\*.*?\*/|\"[^\"]*\"", "", _styles(), flags=re.DOTALL)
    used = set(re.findall(r"[{;]\s*([a-z-]+)\s*:(?=[^{}]*[;}])", css))
    assert len(used) > 40
    assert used <= _KNOWN, used - _KNOWN
    assert not re.findall(
        r":(?:is|where|has|focus-visible|focus-within)\b|\bvar\(|\b(?:min|max|clamp)\(|\bgrid\b|\bgap\b", css
    )
    assert set(re.findall(r"@([\w-]+)", css)) <= {"media", "page", "bottom-center", "bottom-left", "bottom-right"}
    assert not re.findall(r"#[0-9a-f]{8}\b|#[0-9a-f]{4}\b", css), "colours with alpha came later"


_NEWER = (
    r"=>|`|\?\.|\?\?|\.\.\.|\*\*|\b(?:let|const|class|async|await|yield|of|import|export)\b(?!\")|"
    r"\.(?:includes|startsWith|endsWith|padStart|closest|matches|append|prepend|remove|replaceWith|forEach|from|assign|entries|fetch)\("
)


def test_the_script_is_plain_es5() -> None:
    script = re.findall(r"<script>(.*?)</script>", document("pharmacy", "record", "html"), re.DOTALL)[0]
    bare = re.sub(r'"[^"\n]*"', '""', script)
    assert not re.findall(_NEWER, bare)
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|Function\(", bare), (
        "data stays text"
    )
    acorn = PROJECT / ".browser" / "node_modules" / "acorn" / "bin" / "acorn"
    node = shutil.which("node")
    if node is None or not acorn.is_file():
        pytest.skip("the words were looked at; the grammar needs node and acorn (see .ci/run)")
    for text, accepted in ((script, True), ("var f = () => 1;", False)):
        done = subprocess.run(
            [node, acorn, "--ecma5", "--silent"], input=text, capture_output=True, text=True, check=False
        )
        assert (done.returncode == 0) == accepted, done.stderr


def test_the_hospital_case_has_several_weeks() -> None:
    assert len(weeks_of(grouped(hospital()), ())) == 2
