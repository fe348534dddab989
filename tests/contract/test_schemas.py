"""The JSON Schemas that editors use accept what the loader accepts, and refuse the plain mistakes."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ybscan.model.expression import WORDS
from ybscan.rules.load import DATA_FOLDERS
from ybscan.rules.schema import DOCUMENTS, schema
from ybscan.rules.strict_yaml import parse_yaml, read_yaml

PROJECT = Path(__file__).resolve().parents[2]
FILES = sorted(p for p in (PROJECT / "rules").glob("*/*.yml") if p.parent.name not in DATA_FOLDERS)

GOOD = """
schema: ybscan.rule/v1
id: XX-01
title: 例
severity: low
rationale: 例
method: 例
params:
  most: { label: 上限, default: 3, site_may: lower, source: 惯例 }
checks:
  - os: [linux]
    expect: { fact: a.b, at_most: $most }
remediation: { linux: 例 }
"""


def errors(kind: str, document: Any) -> list[str]:
    return [e.message for e in Draft202012Validator(schema(kind)).iter_errors(json.loads(json.dumps(document)))]


def rule_with(expect: str, *, when: str = "") -> Any:
    document = copy.deepcopy(parse_yaml(GOOD.encode(), name="good"))
    document["checks"][0]["expect"] = parse_yaml(expect.encode(), name="expect")
    if when:
        document["checks"][0]["when"] = parse_yaml(when.encode(), name="when")
    return document


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_rule_and_pack_validates(path: Path) -> None:
    assert errors("pack" if path.name == "pack.yml" else "rule", read_yaml(path, name=path.name)) == []


@pytest.mark.parametrize(
    "expect",
    [
        "{ fact: a.b, is: true }",
        "{ fact: a.b, is: 8, when_absent: fail }",
        "{ fact: a.b, at_least: $most }",
        "{ fact: a.b, between: [1, $most] }",
        "{ fact: a.b, one_of: $site.network.gateways }",
        "{ fact: a.b, none_of: [telnet, 23] }",
        '{ fact: a.b, like_any: ["wps-*"] }',
        "{ fact: a.b, newer_than: 24h }",
        "{ fact: a.b, older_than: $site.backup.max_age }",
        '{ fact: a.b, version_at_least: "8.2" }',
        "{ fact: file_line, args: { path: /etc/x, pattern: w }, is: z }",
        "{ all: [{ fact: a.b, is: x }, { not: { any: [{ fact: a.c, is: w }] } }] }",
        "{ no_item_in: a.list }",
        "{ no_item_in: a.list, where: { field: f, is: x }, except: { all: [{ field: g, is: w }] }, when_absent: pass }",
        "{ every_item_in: a.list, expect_item: { any: [{ field: f, is: x }, { fact: a.b, is: true }] } }",
        "{ some_item_in: a.list, where: { some_item_in: a.other, where: { field: f, is: x } } }",
    ],
)
def test_good_condition(expect: str) -> None:
    assert errors("rule", rule_with(expect)) == []
    assert errors("rule", rule_with("{ fact: a.b, is: true }", when=expect)) == []


@pytest.mark.parametrize(
    "expect",
    [
        "{}",
        "{ all: [] }",
        "{ any: { fact: a.b, is: x } }",
        "{ not: [{ fact: a.b, is: x }] }",
        "{ fact: a.b }",
        "{ is: true }",
        "{ fact: a.b, is: x, is_not: w }",
        "{ fact: a.b, equals: x }",
        "{ field: f, is: x }",
        "{ all: [{ field: f, is: x }] }",
        "{ fact: a.b, field: f, is: x }",
        "{ fact: a.b, is: [x] }",
        '{ fact: a.b, at_least: "8" }',
        "{ fact: a.b, at_most: true }",
        "{ fact: a.b, between: [1] }",
        "{ fact: a.b, between: [1, 2, 3] }",
        "{ fact: a.b, one_of: x }",
        "{ fact: a.b, one_of: [] }",
        "{ fact: a.b, matches: 8 }",
        "{ fact: a.b, newer_than: 24 }",
        "{ fact: a.b, newer_than: 24 hours }",
        "{ fact: a.b, is: x, when_absent: maybe }",
        "{ no_item_in: a.list, expect_item: { field: f, is: x } }",
        "{ every_item_in: a.list }",
        "{ no_item_in: a.list, where: {} }",
        "{ no_item_in: a.list, some_item_in: a.list }",
        "{ all: [{ fact: a.b, is: x }], when_absent: pass }",
    ],
)
def test_bad_condition(expect: str) -> None:
    assert errors("rule", rule_with(expect)) != []


@pytest.mark.parametrize("word", WORDS)
def test_every_leaf_word_is_known(word: str) -> None:
    operand = {"between": "[1, 2]", "at_least": "1", "at_most": "1", "newer_than": "1d", "older_than": "1d"}
    shown = operand.get(word, "[x]" if word in ("one_of", "none_of", "like_any") else "x")
    assert errors("rule", rule_with(f"{{ fact: a.b, {word}: {shown} }}")) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", "ybscan.rule/v2"),
        ("id", "xx-1"),
        ("severity", "grave"),
        ("title", ""),
        ("clauses", ["GB 1"]),
        ("checks", []),
        ("surprise", 1),
        ("params", {"most": {"label": "上限", "default": 3, "site_may": "shrink"}}),
    ],
)
def test_bad_rule(key: str, value: Any) -> None:
    document = rule_with("{ fact: a.b, is: true }")
    assert errors("rule", document) == []
    document[key] = value
    assert errors("rule", document) != []


@pytest.mark.parametrize("key", ["schema", "id", "title", "severity", "rationale", "method", "checks", "remediation"])
def test_required(key: str) -> None:
    document = rule_with("{ fact: a.b, is: true }")
    del document[key]
    assert errors("rule", document) != []


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("unit: { name: 甲医院, kind: hospital }", True),
        ("egress: { active: false }", True),
        ("ports: { allowed: [{ proto: tcp, port: 22, from: [10.0.0.0/8], reason: 运维 }] }", True),
        ("unit: { name: 甲医院, kind: 医院 }", False),
        ("terminal: { id: A, role: server }", False),
        ("reach: [internet]", False),
        ("ports: { allowed: [{ proto: tcp, port: 70000, reason: 运维 }] }", False),
        ("ports: { allowed: [{ proto: tcp, port: 22 }] }", False),
        ("netwrok: {}", False),
    ],
)
def test_site(text: str, good: bool) -> None:
    assert (errors("site", parse_yaml(text.encode(), name="site.yml")) == []) is good


def test_waivers() -> None:
    waiver = {
        "rule": "PWD-01", "terminals": ["*"], "reason": "甲", "approver": "乙", "document": "丙",
        "approved": "2026-01-01", "expires": "2026-12-31",
    }  # fmt: skip
    document = {"schema": "ybscan.waivers/v1", "waivers": [waiver]}
    assert errors("waivers", document) == []
    for key in waiver:
        assert errors("waivers", {**document, "waivers": [{k: v for k, v in waiver.items() if k != key}]}) != [], key
    assert errors("waivers", {**document, "waivers": [{**waiver, "terminals": []}]}) != []
