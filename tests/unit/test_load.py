"""Loading rules: every problem is found, in Chinese, on its line, with a suggestion."""

from __future__ import annotations

from pathlib import Path

import pytest

from ybscan.model.problem import InputProblems, Problem
from ybscan.probes.registry import ProbeRegistry
from ybscan.rules.load import LoadedPack, load_packs

PACK = 'schema: ybscan.pack/v1\nid: mine\ntitle: 本单位规则\nversion: "1.0"\norder: [OUR-01]\n'
RULE = """\
schema: ybscan.rule/v1
id: OUR-01
title: 示例
severity: high
clauses: [gz-2-4]
rationale: 说明
method: 方法
params:
  word: { label: 词, default: [root], site_may: extend, source: 惯例 }
checks:
  - os: [linux]
    expect: { no_item_in: autologin.entries, where: { field: account, one_of: $word } }
remediation:
  linux: 办法
"""


def write(root: Path, rule: str, pack: str = PACK, name: str = "our-01-example.yml") -> Path:
    folder = root / "mine"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pack.yml").write_text(pack, encoding="utf-8")
    (folder / name).write_text(rule, encoding="utf-8")
    return root


def refused(root: Path, registry: ProbeRegistry) -> list[Problem]:
    with pytest.raises(InputProblems) as caught:
        load_packs(root, registry, shown_root="rules")
    return list(caught.value.problems)


def test_a_good_rule_loads(tmp_path: Path, registry: ProbeRegistry) -> None:
    [pack] = load_packs(write(tmp_path, RULE), registry)
    assert [r.id for r in pack.rules] == ["OUR-01"]
    assert pack.rules[0].pack == "mine"


BAD = [
    ("severity: high", "severity: hihg", 4, "hihg", "high"),
    ("title: 示例\n", "", 1, "缺少必填项“title”", ""),
    ("method: 方法", "method: 方法\nmetod: x", 8, "不认识的键“metod”", "method"),
    ("autologin.entries", "autologin.entrys", 12, "没有名为“autologin.entrys”的事实", "autologin.entries"),
    ("field: account", "field: acount", 12, "没有字段“acount”", "account"),
    ("one_of: $word", "one_of: $wort", 12, "没有定义参数“wort”", "word"),
    ("one_of: $word", "at_least: 3", 12, "at_least 不适用于文字", "one_of"),
    ("one_of: $word", "one_of: []", 12, "非空列表", ""),
    ("one_of: $word", "matches: '('", 12, "正则表达式有误", ""),
    ("one_of: $word", "is: 3", 12, "应为文字", ""),
    ("one_of: $word", "one_of: $word, is: x", 12, "只能有一个比较词", ""),
    (
        ", where: { field: account, one_of: $word }",
        ", when: { field: account, one_of: $word }",
        12,
        "不认识的键“when”",
        "where",
    ),
    ("no_item_in: autologin.entries, where: { field: account, one_of: $word }", "all: []", 12, "至少一个条件", ""),
    ("no_item_in: autologin.entries, where: { field: account, one_of: $word }", "", 12, "不能为空", ""),
    ("no_item_in: autologin.entries", "every_item_in: autologin.entries", 12, "缺少 expect_item", ""),
    ("no_item_in: autologin.entries", "no_item_in: processes.names", 12, "不是条目列表", ""),
    ("os: [linux]", "os: [linus]", 11, "linus", "linux"),
    ("site_may: extend", "site_may: widen", 9, "widen", ""),
    ("remediation:\n  linux: 办法", "remediation:\n  windows: 办法", 13, "缺少 linux 的整改办法", ""),
    ("clauses: [gz-2-4]", "clauses: [C 1]", 5, "不符合规定", ""),
    ("one_of: $word", "one_of: $site.network.gatewys", 12, "单位配置中没有“network.gatewys”", ""),
    ("schema: ybscan.rule/v1", "schema: ybscan.rule/v2", 1, "ybscan.rule/v2", ""),
    ("one_of: $word", "args: { a: b }, one_of: $word", 12, "args 只能与 fact 一起使用", ""),
    ("one_of: $word", "one_of: [a]", 9, "参数“word”没有用到", ""),
]


@pytest.mark.parametrize(("old", "new", "line", "message", "suggestion"), BAD, ids=[b[3] for b in BAD])
def test_each_mistake_is_named(
    old: str, new: str, line: int, message: str, suggestion: str, tmp_path: Path, registry: ProbeRegistry
) -> None:
    assert old in RULE
    found = refused(write(tmp_path, RULE.replace(old, new, 1)), registry)
    here = [p for p in found if message in p.message]
    assert here, [str(p) for p in found]
    assert here[0].file == "rules/mine/our-01-example.yml"
    assert here[0].line == line, str(here[0])
    assert suggestion in here[0].suggestion


def test_all_problems_of_all_files_are_collected(tmp_path: Path, registry: ProbeRegistry) -> None:
    write(tmp_path, RULE.replace("severity: high", "severity: x").replace("one_of: $word", "one_of: $wort"))
    (tmp_path / "mine" / "our-02-broken.yml").write_text("id: [", encoding="utf-8")
    (tmp_path / "other").mkdir()
    found = refused(tmp_path, registry)
    assert {p.file for p in found} >= {
        "rules/mine/our-01-example.yml",
        "rules/mine/our-02-broken.yml",
        "rules/other/pack.yml",
    }
    assert sum(p.file == "rules/mine/our-01-example.yml" for p in found) >= 2


def test_duplicate_ids_across_packs(tmp_path: Path, registry: ProbeRegistry) -> None:
    write(tmp_path, RULE)
    other = tmp_path / "other"
    other.mkdir()
    (other / "pack.yml").write_text(PACK.replace("id: mine", "id: other"), encoding="utf-8")
    (other / "our-01-again.yml").write_text(RULE, encoding="utf-8")
    assert any("重复" in p.message for p in refused(tmp_path, registry))


def test_order_and_files_must_agree(tmp_path: Path, registry: ProbeRegistry) -> None:
    found = refused(write(tmp_path, RULE, PACK.replace("[OUR-01]", "[OUR-02]")), registry)
    assert any("OUR-02 不存在" in p.message for p in found)
    assert any("没有列入" in p.message for p in found)


def test_file_name_must_start_with_the_id(tmp_path: Path, registry: ProbeRegistry) -> None:
    assert any("our-01-" in p.message for p in refused(write(tmp_path, RULE, name="example.yml"), registry))


def test_no_rules_at_all(tmp_path: Path, registry: ProbeRegistry) -> None:
    assert refused(tmp_path, registry)
    assert refused(tmp_path / "none", registry)


def test_digest_is_that_of_the_content(tmp_path: Path, registry: ProbeRegistry) -> None:
    [first] = load_packs(write(tmp_path / "a", RULE), registry)
    [same] = load_packs(write(tmp_path / "b", RULE), registry)
    [other] = load_packs(write(tmp_path / "c", RULE.replace("rationale: 说明", "rationale: 说明二")), registry)
    windows = write(tmp_path / "d", RULE)
    for path in (windows / "mine").iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    [crlf] = load_packs(windows, registry)
    assert first.sha256 == same.sha256 == crlf.sha256 != other.sha256


def test_the_projects_own_rules_have_distinct_ids(packs: tuple[LoadedPack, ...]) -> None:
    ids = [r.id for p in packs for r in p.rules]
    assert len(ids) == len(set(ids))
