"""Loading rule packs: every problem of every file is collected before any is reported."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ybscan.model.problem import InputProblems, Problem, did_you_mean
from ybscan.model.rule import Check, Pack, Rule, RuleDocument, Severity
from ybscan.rules.chinese import problems_of
from ybscan.rules.expressions import Catalogue, ExpressionParser
from ybscan.rules.strict_yaml import Map, Seq, parse_yaml, read_yaml

M = TypeVar("M", bound=BaseModel)

#: Folders below rules/ that are data, not packs.
DATA_FOLDERS = frozenset({"attestation", "catalog", "lifecycle", "software"})
MAX_RULES = 5000


@dataclass(frozen=True, slots=True)
class LoadedPack:
    """A pack with its rules in report order."""

    pack: Pack
    rules: tuple[Rule, ...]
    sha256: str


@dataclass(slots=True)
class _Files:
    """Reads the files of a pack, keeping the digest of all of them."""

    digest: Any = field(default_factory=hashlib.sha256)

    def read(self, path: Path, shown: str) -> Any:
        try:
            data = path.read_bytes() if path.stat().st_size <= 4 * 1024 * 1024 else b"\0" * (4 * 1024 * 1024)
        except OSError as e:
            raise InputProblems([Problem(shown, 0, f"无法读取文件（{e.strerror or type(e).__name__}）")]) from None
        # Line ends as git checks them out on Windows must not change the digest that two terminals compare.
        normal = data.replace(b"\r\n", b"\n")
        self.digest.update(f"{path.name}\0{len(normal)}\0".encode() + normal)
        return parse_yaml(data, name=shown)


def load_packs(
    root: Path, catalogue: Catalogue, *, more: tuple[Path, ...] = (), shown_root: str = ""
) -> tuple[LoadedPack, ...]:
    """Every pack below ``root``, then every pack below each of ``more`` (a unit's own).

    Args:
        root: the rules folder.
        catalogue: the facts that exist.
        more: further folders of packs; a rule id may occur in one of all these folders only.
        shown_root: how problems name ``root``; as given by default.

    Raises:
        InputProblems: with every problem of every file.
    """
    problems: list[Problem] = []
    packs: list[LoadedPack] = []
    for folder in (root, *more):
        shown = shown_root if shown_root and folder is root else str(folder)
        packs.extend(_load_folder(folder, shown, catalogue, problems))
    seen: dict[str, str] = {}
    for pack in packs:
        if pack.pack.id in seen:
            problems.append(Problem(seen[pack.pack.id], 0, f"规则包编号 {pack.pack.id} 重复", "请改用其他编号"))
        seen[pack.pack.id] = pack.rules[0].file if pack.rules else pack.pack.id
    _duplicates((r for p in packs for r in p.rules), problems)
    if problems:
        raise InputProblems(problems)
    return tuple(packs)


def _load_folder(root: Path, shown: str, catalogue: Catalogue, problems: list[Problem]) -> list[LoadedPack]:
    """The packs of one folder, in report order; problems are appended."""
    if not root.is_dir():
        problems.append(Problem(shown, 0, "规则文件夹不存在", "请核对 --rules 或 site.yml 的 rules"))
        return []
    before = len(problems)
    found: list[LoadedPack] = []
    for folder in sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")):
        if folder.name in DATA_FOLDERS:
            continue
        pack = _load_pack(folder, f"{shown}/{folder.name}", catalogue, problems)
        if pack is not None:
            found.append(pack)
    if not found and len(problems) == before:
        problems.append(Problem(shown, 0, "没有找到规则包", "每个规则包是一个含 pack.yml 的文件夹"))
    return sorted(found, key=lambda p: (p.pack.position, p.pack.id))


def _load_pack(folder: Path, shown: str, catalogue: Catalogue, problems: list[Problem]) -> LoadedPack | None:
    files = _Files()
    pack_file = f"{shown}/pack.yml"
    if not (folder / "pack.yml").is_file():
        problems.append(Problem(pack_file, 0, "缺少 pack.yml", "规则包文件夹必须有 pack.yml"))
        return None
    try:
        raw = files.read(folder / "pack.yml", pack_file)
    except InputProblems as e:
        problems.extend(e.problems)
        return None
    pack = validated(Pack, raw, pack_file, problems)
    rules: dict[str, Rule] = {}
    for path in sorted(folder.iterdir()):
        if path.name == "pack.yml" or path.name.startswith("."):
            continue
        name = f"{shown}/{path.name}"
        if path.suffix != ".yml":
            problems.append(Problem(name, 0, "规则包中只能有 .yml 文件", "请改名或移走"))
            continue
        try:
            rule = build_rule(files.read(path, name), name, folder.name, catalogue, problems)
        except InputProblems as e:
            problems.extend(e.problems)
            continue
        if rule is not None:
            rules[rule.id] = rule
            if not path.stem.startswith(rule.id.lower() + "-"):
                problems.append(
                    Problem(name, 0, f"文件名应以 {rule.id.lower()}- 开头", "文件名与规则编号一致，便于查找")
                )
    if pack is None:
        return None
    if pack.id != folder.name:
        problems.append(Problem(pack_file, _line(raw, "id"), f"id“{pack.id}”与文件夹名“{folder.name}”不同", ""))
    for rule_id in pack.order:
        if rule_id not in rules:
            problems.append(
                Problem(
                    pack_file,
                    _line(raw, "order"),
                    f"order 中的规则 {rule_id} 不存在或有错误",
                    did_you_mean(rule_id, rules),
                )
            )
    for rule_id, rule in rules.items():
        if rule_id not in pack.order:
            problems.append(Problem(rule.file, 0, f"规则 {rule_id} 没有列入 pack.yml 的 order", "请加入 order"))
    ordered = tuple(rules[i] for i in pack.order if i in rules)
    return LoadedPack(pack, ordered, files.digest.hexdigest())


def _line(raw: Any, key: str) -> int:
    return raw.line_of(key) if isinstance(raw, Map) else 1


def _duplicates(rules: Iterable[Rule], problems: list[Problem]) -> None:
    seen: dict[str, str] = {}
    for rule in rules:
        if rule.id in seen:
            problems.append(Problem(rule.file, 0, f"规则编号 {rule.id} 重复，已见于 {seen[rule.id]}", "请改用其他编号"))
        seen[rule.id] = rule.file


def validated(model: type[M], raw: Any, file: str, problems: list[Problem]) -> M | None:
    """The document, or None with its problems appended."""
    if not isinstance(raw, Map):
        problems.append(Problem(file, 1, "内容应为“键: 值”形式", "文件是空的，或写成了列表"))
        return None
    try:
        return model.model_validate(raw)
    except ValidationError as e:
        problems.extend(problems_of(e, file=file, raw=raw, model=model))
        return None


def build_rule(raw: Any, file: str, pack: str, catalogue: Catalogue, problems: list[Problem]) -> Rule | None:
    """A rule from its YAML document, or None with its problems appended."""
    found: list[Problem] = []
    document = validated(RuleDocument, raw, file, found)
    params: Mapping[str, Any] = document.params if document else {}
    if document is None and isinstance(raw, Map) and isinstance(raw.get("params"), Map):
        params = dict.fromkeys(raw["params"])  # names only, so that references resolve

    def report(line: int, message: str, suggestion: str) -> None:
        found.append(Problem(file, line, message, suggestion))

    parser = ExpressionParser(catalogue, params, report)
    checks: list[Check] = []
    raw_checks = raw.get("checks") if isinstance(raw, Map) else None
    for i, one in enumerate(raw_checks if isinstance(raw_checks, Seq) else ()):
        if not isinstance(one, Map) or "expect" not in one:
            continue  # already reported against the document
        when = parser.parse(one["when"], one.line_of("when")) if one.get("when") is not None else None
        expect = parser.parse(one["expect"], one.line_of("expect"))
        if document is not None and expect is not None:
            checks.append(Check(document.checks[i].os, document.checks[i].roles, when, expect, one.line))
    if document is not None:
        for name in document.params:
            if name not in parser.used_params:
                report(raw["params"].line_of(name), f"参数“{name}”没有用到", "请在条件中用 $ 引用，或删除")
        for system in ("windows", "linux"):
            if any(system in c.os for c in document.checks) and not getattr(document.remediation, system).strip():
                report(_line(raw, "remediation"), f"缺少 {system} 的整改办法", "")
    problems.extend(found)
    if document is None or found:
        return None
    return Rule(
        id=document.id, title=document.title, severity=Severity(document.severity), clauses=document.clauses,
        rationale=document.rationale, method=document.method, params=document.params, delegable=document.delegable,
        checks=tuple(checks), remediation=document.remediation, notes=document.notes, pack=pack, file=file,
    )  # fmt: skip


def read_document(model: type[M], path: Path, *, shown: str = "") -> tuple[M, Any]:
    """One strict YAML document with its raw form (for lines).

    Raises:
        InputProblems: with every problem of the file.
    """
    name = shown or str(path)
    problems: list[Problem] = []
    raw = read_yaml(path, name=name)
    document = validated(model, raw, name, problems)
    if document is None:
        raise InputProblems(problems)
    return document, raw
