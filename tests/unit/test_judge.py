"""The judge: applicability, waivers exact at day boundaries, delegation, one finding per rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from ybscan.engine.coverage import coverage
from ybscan.engine.judge import Case, judge
from ybscan.engine.scan import judged
from ybscan.engine.summary import grade, summary
from ybscan.model.expression import Leaf, Ref
from ybscan.model.facts import FactSpec, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.model.result import Finding, Status
from ybscan.model.rule import Check, Remediation, Role, Rule, Severity, Waiver
from ybscan.model.site import Site

SPEC = FactSpec("length", Kind.INTEGER, "口令最小长度", unit="位")
EXPECT = Leaf(word="at_least", operand=8, fact="p.length", when_absent="fail")
RULE = Rule(
    id="PWD-01", title="口令长度", severity=Severity.HIGH, clauses=("c-1",), rationale="r", method="m", params={}, delegable="usb",
    checks=(Check(("linux",), (), None, EXPECT, 1),), remediation=Remediation(windows="w", linux="l"), notes="", pack="p", file="f",
)  # fmt: skip
NOW = "2026-11-20T10:00:00+08:00"


def case(length: object = 6, *, now: str = NOW, **change: object) -> Case:
    reading = length if isinstance(length, (Absent, Unknown)) else Known(length)
    made = Case(
        facts={"p.length": reading}, specs=lambda name, args: SPEC, site=Site(), waivers=(), now=datetime.fromisoformat(now),
        os="linux", role=Role.SETTLEMENT, terminal="YB-1",
    )  # fmt: skip
    return replace(made, **change)


@pytest.mark.parametrize(
    ("length", "status"),
    [
        (8, "pass"),
        (7, "fail"),
        (Absent(), "fail"),
        (Unknown(Cause.DENIED), "unknown"),
        ("x", "unknown"),
        (True, "unknown"),
    ],
)
def test_verdicts(length: object, status: str) -> None:
    from ybscan.engine.scan import checked

    one = case(length)
    one = replace(one, facts={"p.length": checked(one.facts["p.length"], SPEC)})
    assert judge(RULE, one).status == status


def test_a_fact_that_was_never_read_is_unknown() -> None:
    assert judge(RULE, case(facts={})).status is Status.UNKNOWN


def test_sentence_names_value_and_demand() -> None:
    [seen] = judge(RULE, case(6)).observations
    assert seen.sentence == "口令最小长度为“6 位”，要求不小于 8 位"
    assert (seen.value, seen.expected) == (6, "不小于 8 位")


WAIVER = Waiver(
    rule="PWD-01",
    terminals=("YB-1",),
    reason="r",
    approver="a",
    document="d",
    approved=date(2026, 11, 1),
    expires=date(2026, 11, 20),
)


@pytest.mark.parametrize(
    ("now", "status"),
    [
        ("2026-10-31T23:59:59+08:00", "fail"),
        ("2026-11-01T00:00:00+08:00", "waived"),
        ("2026-11-20T23:59:59+08:00", "waived"),
        ("2026-11-21T00:00:00+08:00", "fail"),
        # the same instant as 2026-11-21 07:59 in Beijing: the day is that of the terminal's own clock and zone
        ("2026-11-20T23:59:59+00:00", "waived"),
    ],
)
def test_waiver_is_exact_at_day_boundaries(now: str, status: str) -> None:
    finding = judge(RULE, case(6, now=now, waivers=(WAIVER,)))
    assert finding.status == status
    assert (finding.waiver is not None) == (status == "waived")
    assert "6 位" in finding.reason, "the FAIL stays visible"


def test_a_waiver_covers_its_terminals_only_and_never_an_unknown_or_a_pass() -> None:
    assert judge(RULE, case(6, waivers=(WAIVER,), terminal="YB-2")).status is Status.FAIL
    everyone = WAIVER.model_copy(update={"terminals": ("*",)})
    assert judge(RULE, case(6, waivers=(everyone,), terminal="YB-2")).status is Status.WAIVED
    assert judge(RULE, case(Unknown(Cause.DENIED), waivers=(WAIVER,))).status is Status.UNKNOWN
    assert judge(RULE, case(8, waivers=(WAIVER,))).status is Status.PASS
    assert judge(RULE, case(6, waivers=(WAIVER.model_copy(update={"rule": "PWD-02"}),))).status is Status.FAIL


DELEGATED = Site.model_validate({"delegations": [{"owns": "usb", "product": "某产品", "process": "Agent.exe"}]})


@pytest.mark.parametrize(
    ("names", "length", "status"),
    [
        (Known(("agent.EXE",)), 6, "delegated"),
        (Known(("agent.exe",)), Unknown(Cause.DENIED), "delegated"),
        (Known(("agent.exe",)), 9, "pass"),
        (Known(("other",)), 6, "fail"),
        (Known(("other",), "", (Gap(Cause.DENIED),)), 6, "unknown"),
        (Unknown(Cause.DENIED), 6, "unknown"),
        (Known(("other",)), Unknown(Cause.DENIED), "unknown"),
    ],
)
def test_delegation_needs_the_product_running(names: object, length: object, status: str) -> None:
    one = case(length, site=DELEGATED)
    finding = judge(RULE, replace(one, facts={**one.facts, "processes.names": names}))
    assert finding.status == status
    if status in ("fail", "unknown"):
        assert "某产品" in finding.reason


def test_delegation_of_another_area_does_not_count() -> None:
    one = case(6, site=DELEGATED)
    rule = replace(RULE, delegable="ports")
    assert (
        judge(rule, replace(one, facts={**one.facts, "processes.names": Known(("agent.exe",))})).status is Status.FAIL
    )


def test_applicability() -> None:
    assert judge(RULE, case(os="windows")).status is Status.NOT_APPLICABLE
    office = replace(RULE, checks=(replace(RULE.checks[0], roles=(Role.OFFICE,)),))
    assert judge(office, case()).status is Status.NOT_APPLICABLE
    when = replace(RULE, checks=(replace(RULE.checks[0], when=Leaf(word="at_least", operand=1, fact="p.length")),))
    assert judge(when, case(6)).status is Status.FAIL
    assert judge(when, case(0)).status is Status.NOT_APPLICABLE
    assert judge(when, case(Unknown(Cause.DENIED))).status is Status.UNKNOWN


def test_a_setting_nobody_made_is_unknown() -> None:
    spec = FactSpec("gateway", Kind.ADDRESS, "默认网关")
    leaf = Leaf(word="one_of", operand=Ref("site.network.gateways"), fact="p.length")
    rule = replace(RULE, checks=(replace(RULE.checks[0], expect=leaf),))
    unset = judge(rule, case("10.0.0.1", specs=lambda name, args: spec))
    assert unset.status is Status.UNKNOWN
    assert "未配置" in unset.reason
    configured = Site.model_validate({"network": {"gateways": ["10.0.0.1"]}})
    assert judge(rule, case("10.0.0.1", specs=lambda name, args: spec, site=configured)).status is Status.PASS
    empty = Site.model_validate({"network": {"gateways": []}})
    assert judge(rule, case("10.0.0.1", specs=lambda name, args: spec, site=empty)).status is Status.FAIL


def test_a_crash_in_judging_is_an_unknown_finding() -> None:
    def broken(name: str, args: object) -> FactSpec:
        raise RuntimeError("boom")

    finding = judged(RULE, case(6, specs=broken))
    assert finding.status is Status.UNKNOWN
    assert "boom" in finding.reason


def found(status: str, severity: str = "medium", n: int = 0) -> Finding:
    return Finding(
        rule_id=f"X-{n:02d}", pack="p", title="t", severity=Severity(severity), status=Status(status), clauses=("c",)
    )


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([], "无法判定"),
        ([("not_applicable", "low")], "无法判定"),
        ([("pass", "critical"), ("not_applicable", "critical")], "符合"),
        ([("pass", "critical"), ("delegated", "low")], "基本符合"),
        ([("delegated", "low")], "无法判定"),
        ([("pass", "critical"), ("waived", "low")], "基本符合"),
        ([("pass", "low")] * 9 + [("unknown", "low")], "基本符合"),
        ([("pass", "low")] * 3 + [("unknown", "low")], "无法判定"),
        ([("pass", "low")] * 9 + [("unknown", "high")], "无法判定"),
        ([("pass", "low")] * 9 + [("manual", "critical")], "无法判定"),
        ([("pass", "low")] * 9 + [("fail", "low")], "基本符合"),
        ([("pass", "low")] * 9 + [("fail", "high")], "部分符合"),
        ([("pass", "low")] * 9 + [("fail", "low"), ("unknown", "critical")], "无法判定"),
        ([("pass", "low")] * 9 + [("fail", "low"), ("unknown", "high")], "部分符合"),
        ([("pass", "low")] * 9 + [("fail", "critical")], "不符合"),
        ([("unknown", "low")], "无法判定"),
    ],
)
def test_grades(findings: list[tuple[str, str]], expected: str) -> None:
    assert grade(tuple(found(*f) for f in findings)) == expected


def test_summary_counts_and_rates() -> None:
    s = summary([found(x) for x in ("pass", "pass", "fail", "unknown", "not_applicable", "waived")])
    assert (s.pass_, s.fail, s.unknown, s.not_applicable, s.waived, s.total) == (2, 1, 1, 1, 1, 6)
    assert s.pass_rate == pytest.approx(0.6667)
    assert s.determined_rate == pytest.approx(3 / 5)
    nothing = summary([])
    assert (nothing.pass_rate, nothing.determined_rate) == (None, None)


def test_coverage_takes_the_worst() -> None:
    [one] = coverage([found("pass", n=1), found("unknown", n=2), found("not_applicable", n=3)])
    assert (one.clause, one.status.value, one.rules) == ("c", "unknown", ("X-01", "X-02", "X-03"))


def test_a_partial_scan_never_claims_the_whole() -> None:
    good = (found("pass", "critical"), found("pass", "low"))
    assert (grade(good), grade(good, partial=True)) == ("符合", "无法判定")
    assert grade((*good, found("fail", "low")), partial=True) == "部分符合"
    assert grade((*good, found("fail", "critical")), partial=True) == "不符合"
