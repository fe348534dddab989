"""A unit's own packs beside the standard ones, and how the unit differs from the standard."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli import tree, ybscan

PACK = 'schema: ybscan.pack/v1\nid: mine\ntitle: 本院规则\nversion: "1.0"\norder: [{id}]\n'
RULE = """\
schema: ybscan.rule/v1
id: {id}
title: 默认权限掩码
severity: low
rationale: 说明
method: 方法
checks:
  - os: [linux]
    expect: {{ fact: file_line, args: {{ path: /etc/login.defs, pattern: '^UMASK (\\d+)' }}, is: "027" }}
remediation: {{ linux: 修改 /etc/login.defs }}
"""
SITE = """\
schema: ybscan.site/v1
rules: own
params: { PWD-01: { min_length: 10 } }
waivers: waivers.yml
delegations: [ { owns: usb, product: 某产品, process: agent } ]
"""
WAIVERS = """\
schema: ybscan.waivers/v1
waivers:
  - { rule: PWD-06, terminals: [YB-1], reason: r, approver: a, document: d, approved: 2026-11-01, expires: 2026-12-01 }
"""


def unit(folder: Path, rule_id: str = "OUR-01") -> Path:
    own = folder / "own" / "mine"
    own.mkdir(parents=True)
    (own / "pack.yml").write_text(PACK.format(id=rule_id), encoding="utf-8")
    (own / f"{rule_id.lower()}-umask.yml").write_text(RULE.format(id=rule_id), encoding="utf-8")
    (folder / "waivers.yml").write_text(WAIVERS, encoding="utf-8")
    (folder / "site.yml").write_text(SITE, encoding="utf-8")
    return folder / "site.yml"


def test_own_rules_are_judged_with_the_standard_ones(tmp_path: Path) -> None:
    machine = tree(tmp_path / "machine", {"etc/login.defs": "UMASK 027\n"})
    site = unit(tmp_path)
    run = ybscan("scan", "--root", str(machine), "--site", str(site), "--format", "json", "-o", "-", "-q")
    result = json.loads(run.stdout)
    status = {f["rule_id"]: f["status"] for f in result["findings"]}
    assert status["OUR-01"] == "pass"
    assert "PWD-01" in status
    assert [p["id"] for p in result["packs"]][-1] == "mine", "a unit's own packs come last"


def test_an_own_rule_may_not_take_a_standard_rules_place(tmp_path: Path) -> None:
    run = ybscan("rules", "diff", "--site", str(unit(tmp_path, "PWD-06")))
    assert run.returncode == 2
    assert "规则编号 PWD-06 重复" in run.stderr.decode()


def test_the_differences_are_named(tmp_path: Path) -> None:
    run = ybscan("rules", "diff", "--site", str(unit(tmp_path)), "--format", "json")
    found = {(d["kind"], d["rule"].split("、")[0]): d["text"] for d in json.loads(run.stdout)}
    assert set(found) == {("added", "OUR-01"), ("tightened", "PWD-01"), ("waived", "PWD-06"), ("delegated", "USB-01")}
    assert "由 8 改为 10 位" in found["tightened", "PWD-01"]


def test_changed_and_missing_rules_are_named(tmp_path: Path) -> None:
    import shutil

    from tests.conftest import PROJECT

    copy = tmp_path / "rules"
    shutil.copytree(PROJECT / "rules", copy)
    shutil.rmtree(copy / "usb-lockdown")
    path = next((copy / "password-policy").glob("pwd-06-*.yml"))
    path.write_text("# a comment moves every line\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    other = next((copy / "password-policy").glob("pwd-01-*.yml"))
    other.write_text(other.read_text(encoding="utf-8").replace("severity: high", "severity: low"), encoding="utf-8")
    run = ybscan("rules", "diff", "--rules", str(copy), "--format", "json", cwd=tmp_path)
    found = {(d["kind"], d["rule"]) for d in json.loads(run.stdout)}
    assert found == {("changed", "PWD-01"), *(("removed", f"USB-0{i}") for i in range(1, 8))}


def test_nothing_differs_from_itself(tmp_path: Path) -> None:
    run = ybscan("rules", "diff", cwd=tmp_path)
    assert run.returncode == 0
    assert "完全一致" in run.stderr.decode()
