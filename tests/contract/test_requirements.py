"""The rules and the catalogue against the requirements they were written for, where that file is beside the project."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cli import ybscan
from tests.conftest import PROJECT

from ybscan.rules.catalogue import load_catalogue, load_contradictions
from ybscan.rules.load import LoadedPack

REQUIREMENTS = PROJECT.parent / "shared" / "requirements" / "clauses.yaml"


@pytest.fixture(scope="module")
def required() -> dict[str, Any]:
    if not REQUIREMENTS.is_file():
        pytest.skip("the requirements file is not beside the project")
    loaded: dict[str, Any] = yaml.load(
        REQUIREMENTS.read_text(encoding="utf-8"),
        Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader),  # noqa: S506
    )
    return loaded


def test_every_check_is_a_rule(required: dict[str, Any], packs: tuple[LoadedPack, ...]) -> None:
    ids = {r.id for p in packs for r in p.rules}
    assert set(required["checks"]) == ids


def test_the_list_command_has_them_all(required: dict[str, Any]) -> None:
    listed = {r["id"] for r in json.loads(ybscan("rules", "list", "--format", "json").stdout)}
    assert listed == set(required["checks"])


def test_every_rule_has_both_halves(packs: tuple[LoadedPack, ...]) -> None:
    for rule in (r for p in packs for r in p.rules):
        assert {o for c in rule.checks for o in c.os} == {"linux", "windows"}, rule.id


def test_every_clause_is_accounted_for_once(required: dict[str, Any]) -> None:
    standing: list[str] = [c for clause in load_catalogue(PROJECT / "rules").values() for c in clause.stands_for]
    assert sorted(standing) == sorted(c["id"] for c in required["clauses"])


def test_coverage_names_every_clause(required: dict[str, Any]) -> None:
    rows = json.loads(ybscan("rules", "coverage", "--format", "json").stdout)
    assert {c for row in rows for c in row["stands_for"]} == {c["id"] for c in required["clauses"]}


def test_rules_name_clauses_of_the_catalogue(packs: tuple[LoadedPack, ...]) -> None:
    known = load_catalogue(PROJECT / "rules")
    wrong = {(r.id, c) for p in packs for r in p.rules for c in r.clauses if c not in known}
    assert wrong == set()


def test_no_sentence_of_a_source_stands_in_the_project(required: dict[str, Any]) -> None:
    """Requirements are said in our own words."""
    quotes = {q for c in required["clauses"] if len(q := re.sub(r"\s", "", c.get("quote") or "")) >= 24}
    for path in _texts():
        text = re.sub(r"\s", "", path.read_text(encoding="utf-8"))
        assert not [q for q in quotes if q in text], path


def _texts() -> list[Path]:
    folders = ("rules", "templates", "docs", "src")
    return [p for f in folders for p in (PROJECT / f).rglob("*") if p.suffix in {".yml", ".md", ".j2", ".py", ".html"}]


def test_every_rule_has_cases_of_each_verdict(packs: tuple[LoadedPack, ...]) -> None:
    for rule in (r for p in packs for r in p.rules):
        verdicts = {
            p.name.removesuffix(".yml").rpartition(".")[2]
            for p in (PROJECT / "tests" / "rules" / rule.id).glob("*.yml")
        }
        assert {"pass", "fail", "unknown"} <= verdicts, rule.id


def test_every_contradiction_is_settled_and_shown(required: dict[str, Any]) -> None:
    settled = load_contradictions(PROJECT / "rules")
    assert len(settled) == len(required["contradictions"])
    shown = (PROJECT / "docs" / "reference" / "clauses.md").read_text(encoding="utf-8")
    assert all(c.topic in shown for c in settled)
    assert "来源不一致（口令长度）" in ybscan("rules", "show", "PWD-01").stdout.decode()
