"""The worked examples of CONTRIBUTING.md work: they load, lint without remark, and give what their cases say."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from ybscan.engine.cases import CaseDocument, case_facts, host_of, run_rule_case
from ybscan.engine.scan import checked
from ybscan.model.dictionary import Dictionary
from ybscan.model.problem import Problem
from ybscan.model.reading import Known
from ybscan.model.result import Status
from ybscan.probes.base import Context
from ybscan.probes.registry import ProbeRegistry, builtin
from ybscan.rules.catalogue import clause_ids
from ybscan.rules.lint import Surroundings, lint
from ybscan.rules.load import load_packs, read_document

PROJECT = Path(__file__).resolve().parents[2]
EXAMPLES = {
    m["file"]: m["text"]
    for m in re.finditer(
        r"^```\w+ file=(?P<file>\S+)\n(?P<text>.*?)^```$",
        (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
}
RULE_CASES = sorted(f for f in EXAMPLES if f.startswith("tests/rules/"))
PROBE_CASES = sorted(f for f in EXAMPLES if f.startswith("tests/probes/"))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("copy")
    for name, text in EXAMPLES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def registry(copy: Path) -> ProbeRegistry:
    spec = importlib.util.spec_from_file_location("example_aslr", copy / "src" / "ybscan" / "probes" / "aslr.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    ours = builtin()
    assert not {p.name for p in module.PROBES} & set(ours.probes), "the example's name is taken"
    return ProbeRegistry({**ours.probes, **{p.name: p for p in module.PROBES}}, ours.parametric)


def test_the_examples_are_there() -> None:
    assert len(RULE_CASES) >= 6
    assert len(PROBE_CASES) >= 4


def test_the_rules_have_nothing_to_remark(copy: Path, registry: ProbeRegistry) -> None:
    rules = tuple(r for p in load_packs(copy / "rules", registry) for r in p.rules)
    assert [r.id for r in rules] == ["DEMO-01", "DEMO-02"]
    around = Surroundings(clause_ids(PROJECT / "rules"), copy / "tests" / "rules", registry)
    assert [str(r) for r in lint(rules, around)] == []


@pytest.mark.parametrize("case", RULE_CASES)
def test_rule_case(case: str, copy: Path, registry: ProbeRegistry, tmp_path: Path) -> None:
    rules = {r.id: r for p in load_packs(copy / "rules", registry) for r in p.rules}
    outcome = run_rule_case(copy / case, rules[Path(case).parent.name], registry, Dictionary(), tmp_path)
    assert outcome.ok, outcome.finding


def test_a_wrong_case_is_noticed(copy: Path, registry: ProbeRegistry, tmp_path: Path) -> None:
    rules = {r.id: r for p in load_packs(copy / "rules", registry) for r in p.rules}
    wrong = tmp_path / "off.pass.yml"
    wrong.write_text(EXAMPLES["tests/rules/DEMO-02/off.fail.yml"], encoding="utf-8")
    (tmp_path / "tree").mkdir()
    outcome = run_rule_case(wrong, rules["DEMO-02"], registry, Dictionary(), tmp_path / "tree")
    assert not outcome.ok
    assert outcome.finding.status is Status.FAIL


@pytest.mark.parametrize("case", PROBE_CASES)
def test_probe_case(case: str, copy: Path, registry: ProbeRegistry, tmp_path: Path) -> None:
    document, raw = read_document(CaseDocument, copy / case)
    problems: list[Problem] = []
    wanted = case_facts(document, registry, case, raw, problems)
    assert not problems
    assert wanted
    probe = registry.probes["aslr"]
    context = Context(site=document.site, now=document.moment())
    readings = probe.read(host_of(document, tmp_path), context)
    for name, reading in wanted.items():
        got = checked(readings[name.partition(".")[2]], probe.facts[0])
        assert type(got) is type(reading)
        assert getattr(got, "cause", None) == getattr(reading, "cause", None)
        if isinstance(reading, Known) and isinstance(got, Known):
            assert got.value == reading.value
