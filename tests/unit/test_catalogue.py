"""The clause catalogue and the templates folder: strict, with places, read once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.documents import PROJECT
from tests.unit.results import pharmacy

from ybscan.model.problem import InputProblems
from ybscan.report.options import Options
from ybscan.report.render import render
from ybscan.rules.catalogue import LazyClauses, clause_ids, load_catalogue
from ybscan.rules.load import LoadedPack
from ybscan.rules.templates import template_loader

GOOD = """schema: ybscan.catalog/v1
id: test
title: 试验
clauses:
  - id: a-1
    document: 某制度
    article: 第一条
    text: 应当检查。
    kind: automatic
    severity: high
    rules: [PWD-01]
    stands_for: []
    verification: verified
"""


def catalogue(root: Path, **files: str) -> Path:
    (root / "catalog").mkdir()
    for name, text in files.items():
        (root / "catalog" / f"{name}.yml").write_text(text, encoding="utf-8")
    return root


def test_the_project_has_one() -> None:
    clauses = load_catalogue(PROJECT / "rules")
    assert len(clauses) > 400
    assert clauses["gz-2-4"].document == "医保信息系统网络安全管理制度"
    assert clause_ids(PROJECT / "rules") == set(clauses)


def test_every_clause_that_a_rule_names_exists(packs: tuple[LoadedPack, ...]) -> None:
    known = clause_ids(PROJECT / "rules")
    missing = {(r.id, c) for p in packs for r in p.rules for c in r.clauses if c not in known}
    assert not missing


def test_only_the_named_clauses() -> None:
    assert list(load_catalogue(PROJECT / "rules", ["gz-2-4", "nothing"])) == ["gz-2-4"]


def test_every_problem_has_its_place(tmp_path: Path) -> None:
    bad = GOOD.replace("kind: automatic", "kind: automatisch").replace("text:", "txt:")
    root = catalogue(tmp_path, a=GOOD, b=bad, c=GOOD, d="a: [", e="schema: ybscan.other/v1\nx: 1\n")
    with pytest.raises(InputProblems) as caught:
        load_catalogue(root, shown_root="rules")
    said = str(caught.value)
    assert "rules/catalog/b.yml:9 " in said
    assert "是不是想写“automatic”？" in said
    assert "rules/catalog/b.yml:8 不认识的键“txt”，是不是想写“text”？" in said
    assert "rules/catalog/c.yml:5 条款编号 a-1 重复，已见于 a.yml:5" in said
    assert "rules/catalog/d.yml:" in said
    assert "e.yml" not in said


def test_a_missing_folder_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(InputProblems, match="条款目录文件夹不存在"):
        load_catalogue(tmp_path)


def test_lazy_means_lazy(tmp_path: Path) -> None:
    lazy = LazyClauses(tmp_path)
    catalogue(tmp_path, a=GOOD)
    assert lazy["a-1"].article == "第一条"
    (tmp_path / "catalog" / "a.yml").unlink()
    assert (len(lazy), list(lazy)) == (1, ["a-1"])


def test_a_unit_hides_a_template_of_ours(tmp_path: Path) -> None:
    (tmp_path / "record.md.j2").write_bytes("\ufeff本单位的模板\r\n{{ records|length }}\r\n".encode())
    loader = template_loader(tmp_path, PROJECT / "templates")
    assert render("record", "md", [pharmacy()], templates=loader) == "本单位的模板\n1\n"
    assert "<html" in render("record", "html", [pharmacy()], templates=loader, options=Options())
    (tmp_path / "record.md.j2").write_text("好\n{{ recrds }}\n", encoding="utf-8")
    with pytest.raises(InputProblems) as caught:
        render("record", "md", [pharmacy()], templates=template_loader(tmp_path))
    assert str(caught.value).startswith(f"{tmp_path}/record.md.j2:2 模板使用了不存在的内容")


@pytest.mark.parametrize(
    ("content", "words"),
    [("好\n坏".encode("gbk"), "record.md.j2:1 不是 UTF-8"), (b"x" * (1024 * 1024 + 1), "超过 1 MiB")],
)
def test_templates_that_cannot_be_read(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "record.md.j2").write_bytes(content)
    with pytest.raises(InputProblems, match=words):
        template_loader(tmp_path)
    with pytest.raises(InputProblems, match="模板文件夹不存在"):
        template_loader(tmp_path / "nowhere")
