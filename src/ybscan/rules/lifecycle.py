"""Loading the data that ages: end-of-support dates and minimum versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ybscan.model.lifecycle import Lifecycle, LifecycleFile, PackageFix, ProgramMinimum, Release
from ybscan.model.problem import InputProblems, Problem
from ybscan.rules.load import read_document
from ybscan.rules.strict_yaml import line_at


def load_lifecycle(root: Path) -> Lifecycle:
    """Every entry of ``root/lifecycle/*.yml``.

    Raises:
        InputProblems: malformed files, or two entries that speak of the same thing.
    """
    releases: list[Release] = []
    packages: list[PackageFix] = []
    programs: list[ProgramMinimum] = []
    problems: list[Problem] = []
    seen: dict[tuple[object, ...], str] = {}
    folder = root / "lifecycle"
    for path in sorted(folder.glob("*.yml")) if folder.is_dir() else ():
        try:
            document, raw = read_document(LifecycleFile, path)
        except InputProblems as e:
            problems.extend(e.problems)
            continue
        problems.extend(_repeated(document, raw, str(path), seen))
        releases.extend(document.releases)
        packages.extend(document.packages)
        programs.extend(document.programs)
    if problems:
        raise InputProblems(problems)
    return Lifecycle(tuple(releases), tuple(packages), tuple(programs))


def _repeated(document: LifecycleFile, raw: Any, file: str, seen: dict[tuple[object, ...], str]) -> Iterator[Problem]:
    keys: list[tuple[tuple[str | int, ...], tuple[object, ...], str]] = []
    for i, r in enumerate(document.releases):
        for edition in r.editions or ("",):
            keys.append((("releases", i), ("release", r.os, r.build, r.server, edition.casefold()), r.name))
    for i, p in enumerate(document.packages):
        keys.append((("packages", i), ("package", p.os, p.package, p.advisory), f"{p.os} 的 {p.package}"))
    for i, m in enumerate(document.programs):
        keys.append((("programs", i), ("program", m.name, m.advisory), m.name))
    for place, key, name in keys:
        if key in seen:
            yield Problem(file, line_at(raw, place), f"“{name}”与 {seen[key]} 中的条目重复", "请删除其中一条")
        seen.setdefault(key, file)
