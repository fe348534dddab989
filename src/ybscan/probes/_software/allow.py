"""What the unit approved or forbade by name."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from ybscan.model.dictionary import Product
from ybscan.model.rule import Role, Severity
from ybscan.model.site import Site
from ybscan.probes._software.match import Clue, Match, package_clue, settled
from ybscan.probes._software.records import Inventory
from ybscan.probes._software.text import folded, shown


def usable(patterns: Iterable[str] | None) -> tuple[str, ...]:
    """The patterns, folded, without those that would fit everything: approving ``*`` is no approval of anything.

    A class of letters (``[a-z]*``) says no more than ``?`` does.
    """
    return tuple(f for p in patterns or () if len(re.sub(r"\[[^\]]+\]|[*?\s]", "", f := folded(p))) >= 2)


def fits(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is like one of the folded patterns."""
    text = folded(name)
    return any(fnmatch.fnmatchcase(text, p) for p in patterns)


def allowed(match: Match, site: Site, *, exact_only: bool = False) -> bool:
    """Whether the unit approved this product: by its name or id, or by the names under which it is installed.

    An entry that stands for several programs (``Chrome、Chromium、Opera``) is approved only when every clue is: the
    approval of one of them must not cover another.
    """
    patterns = usable(site.software.allowed)
    if match.product.category == "tunnel":
        patterns += usable(site.network.vpn)
    if exact_only:
        patterns = tuple(p for p in patterns if not _wild(p))
    if fits(match.product.name, patterns) or fits(match.product.id, patterns):
        return True
    if "、" in match.product.name:
        return all(fits(c.name, patterns) for c in match.clues)
    # For a single product, process and file names do not count: approval is a statement about a product.
    names = [n for n in re.split(r"[（）()]", match.product.name) if n.strip()]
    names += [c.name for c in match.clues if c.kind in ("package", "desktop")]
    return any(fits(n, patterns) for n in names)


def forbidden_here(inventory: Inventory, site: Site) -> list[Match]:
    """What the unit's own list forbids and the terminal has; one match per pattern and name found.

    Clues are joined by the name that was found, so that two programs which one wildcard fits confirm nothing of each
    other.
    """
    matches: dict[tuple[int, str], Match] = {}
    for number, raw in enumerate(site.software.extra_forbidden or (), 1):
        pattern = folded(raw)
        if not re.sub(r"[*?\s]", "", pattern):
            continue
        for name, clue in _named_clues(inventory, pattern):
            key = (number, folded(name))
            if key not in matches:
                matches[key] = Match(_product(number, raw, name))
            matches[key].clues[clue] = None
    return [matches[k] for k in sorted(matches)]


def _named_clues(inventory: Inventory, pattern: str) -> Iterable[tuple[str, Clue]]:
    one = (pattern,)
    for package in inventory.packages:
        if fits(package.name, one):
            checked = settled(inventory, package)
            clue = package_clue(checked, conclusive=not _wild(pattern))
            yield package.name, replace(clue, weak=bool(checked.doubt) and inventory.system == "windows")
    for entry in inventory.entries:
        for name in (*entry.names, entry.app):
            if fits(name, one):
                text = f"应用菜单“{shown(name, 60)}”（{shown(entry.path)}）"
                yield name, Clue("desktop", text, name, weak=inventory.system == "windows")
                break
    for found in inventory.found:
        if fits(found.name, one):
            yield found.name, Clue("files", f"程序文件 {shown(found.path)}", found.name, weak=found.kind == "data")
    for name in sorted(set(inventory.processes.values())):
        if fits(name, one):
            yield name, Clue("process", f"正在运行的进程 {shown(name, 60)}", name)
    for name, path in sorted(inventory.services.items()):
        if fits(name, one):
            yield name, Clue("service", f"系统服务 {shown(name, 60)}（{shown(path)}）", name)


def _wild(pattern: str) -> bool:
    return any(c in pattern for c in "*?[")


def _product(number: int, raw: str, name: str) -> Product:
    shown_name = shown(raw, 80) if folded(raw) == folded(name) else f"{shown(name, 80)}（{shown(raw, 80)}）"
    # Not a document from outside: built without validation, since the category is our own and the id may repeat.
    return Product.model_construct(
        id=f"unit-{number}", name=shown_name, category="unit", severity=Severity.HIGH,
        roles=tuple(Role), review=(), names=(), not_names=(), confidence="verified", note="",
        source="site.yml 的 software.extra_forbidden", checked=date.min,
    )  # fmt: skip
