"""Loading the clause catalogue. Only reports and the rule linter need it, so it is read on first use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ybscan.model.catalogue import CatalogueFile, Clause, Contradiction, ContradictionFile
from ybscan.model.problem import InputProblems, Problem
from ybscan.rules.load import read_document, validated
from ybscan.rules.strict_yaml import Map, line_at, read_yaml

_SCHEMA = "ybscan.catalog/v1"


def load_catalogue(root: Path, ids: Iterable[str] | None = None, *, shown_root: str = "") -> dict[str, Clause]:
    """The clauses of ``root/catalog/*.yml`` by id, in the order of the files.

    Files of another schema (the contradictions between sources) lie beside the clauses and are passed over.

    Args:
        root: the rules folder.
        ids: only these; those that no file has are left out. All by default.
        shown_root: how problems name the folder; as given by default.

    Raises:
        InputProblems: the folder is missing, a file is malformed, an id is used twice.
    """
    folder = root / "catalog"
    shown = f"{shown_root or root}/catalog"
    if not folder.is_dir():
        raise InputProblems([Problem(shown, 0, "条款目录文件夹不存在", "请核对规则文件夹")])
    problems: list[Problem] = []
    clauses: dict[str, Clause] = {}
    places: dict[str, str] = {}
    for path in sorted(folder.glob("*.yml")):
        name = f"{shown}/{path.name}"
        try:
            raw = read_yaml(path, name=name)
        except InputProblems as e:
            problems.extend(e.problems)
            continue
        if isinstance(raw, Map) and isinstance(raw.get("schema"), str) and raw["schema"] != _SCHEMA:
            continue
        document = validated(CatalogueFile, raw, name, problems)
        for i, clause in enumerate(document.clauses if document else ()):
            line = line_at(raw, ("clauses", i))
            if clause.id in clauses:
                problems.append(
                    Problem(name, line, f"条款编号 {clause.id} 重复，已见于 {places[clause.id]}", "请改用其他编号")
                )
            clauses[clause.id] = clause
            places[clause.id] = f"{path.name}:{line}"
    if problems:
        raise InputProblems(problems)
    return clauses if ids is None else {i: clauses[i] for i in ids if i in clauses}


def load_contradictions(root: Path) -> tuple[Contradiction, ...]:
    """Where the sources of the catalogue disagree, and how that was settled.

    Raises:
        InputProblems: the file is missing or malformed.
    """
    document, _ = read_document(ContradictionFile, root / "catalog" / "contradictions.yml")
    return document.contradictions


def clause_ids(root: Path, *, shown_root: str = "") -> frozenset[str]:
    """The ids that a rule may refer to.

    Raises:
        InputProblems: see :func:`load_catalogue`.
    """
    return frozenset(load_catalogue(root, shown_root=shown_root))


class LazyClauses(Mapping[str, Clause]):
    """The catalogue as a mapping that reads its files when it is first asked.

    Raises:
        InputProblems: on that first question, see :func:`load_catalogue`.
    """

    def __init__(self, root: Path, *, shown_root: str = "") -> None:
        self._root = root
        self._shown = shown_root
        self._loaded: dict[str, Clause] | None = None

    def _clauses(self) -> dict[str, Clause]:
        if self._loaded is None:
            self._loaded = load_catalogue(self._root, shown_root=self._shown)
        return self._loaded

    def __getitem__(self, key: str) -> Clause:
        return self._clauses()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._clauses())

    def __len__(self) -> int:
        return len(self._clauses())
