"""Recognising products in an inventory: every trace found becomes a clue, clues are joined by product.

Exact names are looked up in dictionaries; expressions and wildcards are joined into one expression each, so that
what matches nothing (nearly everything) is dismissed in one step.
"""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from ybscan.model.dictionary import Dictionary, Product, Traces
from ybscan.probes._software.records import SOURCE_TEXT, Entry, Inventory, Package
from ybscan.probes._software.text import folded, shown

ClueKind = Literal["package", "desktop", "files", "process", "service", "signature"]

KIND_TEXT: dict[ClueKind, str] = {
    "package": "软件包登记", "desktop": "应用菜单", "files": "程序文件", "process": "运行进程", "service": "系统服务",
    "signature": "程序签名",
}  # fmt: skip

#: proc_pid_stat(5): the kernel keeps 15 characters of a process name.
_COMM = 15


@dataclass(frozen=True, slots=True, order=True)
class Clue:
    """One trace that was found. ``conclusive``: an installed record under an exact, verified name.

    ``weak``: a trace that uninstalling leaves behind (a record without its files, a shortcut, a data folder); any number
    of such traces confirms nothing.
    """

    kind: ClueKind
    text: str
    name: str
    conclusive: bool = False
    version: str = ""
    weak: bool = False


@dataclass(slots=True)
class Match:
    """A product and everything that speaks for it."""

    product: Product
    clues: dict[Clue, None] = field(default_factory=dict)

    def kinds(self) -> tuple[ClueKind, ...]:
        """The kinds of clue, sorted."""
        return tuple(sorted({c.kind for c in self.clues}))

    def confirmed(self) -> bool:
        """One conclusive record, or two clues of different kinds of which one is more than a left-over."""
        if any(c.conclusive for c in self.clues):
            return True
        return len(self.kinds()) >= 2 and not all(c.weak for c in self.clues)


@dataclass(frozen=True, slots=True)
class _Trace:
    product: Product
    trusted: bool


@dataclass(slots=True)
class _Names:
    """Names of one sort: exact ones, and wildcards behind one joint expression."""

    exact: dict[str, list[_Trace]] = field(default_factory=dict)
    wild: list[tuple[re.Pattern[str], _Trace]] = field(default_factory=list)
    joint: re.Pattern[str] | None = None

    def add(self, name: str, trace: _Trace) -> None:
        name = folded(name)
        if any(c in name for c in "*?["):
            self.wild.append((re.compile(fnmatch.translate(name)), trace))
        else:
            self.exact.setdefault(name, []).append(trace)

    def close(self) -> None:
        if self.wild:
            self.joint = re.compile("|".join(p.pattern for p, _ in self.wild))

    def find(self, name: str) -> Iterator[tuple[_Trace, bool]]:
        """The traces that fit the folded ``name``, and whether exactly."""
        for trace in self.exact.get(name, ()):
            yield trace, True
        if self.joint is not None and self.joint.match(name):
            for pattern, trace in self.wild:
                if pattern.match(name):
                    yield trace, False


class Index:
    """A dictionary made ready for look-ups on one system. Made once per dictionary."""

    def __init__(self, dictionary: Dictionary, system: str = "linux") -> None:
        self._system = system
        self.keys = _Names()
        self.place_traces: list[tuple[str, Product]] = []
        """Windows: the paths of the dictionary as written there."""
        self.packages = _Names()
        self.processes = _Names()
        self.services = _Names()
        self.paths: dict[str, _Names] = {}
        self.home_paths: dict[str, _Names] = {}
        self._expressions: list[tuple[tuple[str, ...], tuple[str, ...], Product]] = []
        for product in dictionary.products:
            self._add(product)
        tables = (self.packages, self.keys, self.processes, self.services, *self.paths.values())
        for names in (*tables, *self.home_paths.values()):
            names.close()
        # Inline flags may stand only at the start of an expression, so joining is safe for expressions without them.
        every = tuple(e for p in dictionary.products for e in p.names)
        self._joint = _joined(every) if every else None
        # Kernel names are cut at 15 characters; an exact name that long must be found by its head.
        self._cut: dict[str, list[_Trace]] = {}
        for name, traces in self.processes.exact.items():
            if len(name) > _COMM and system == "linux":
                self._cut.setdefault(name[:_COMM], []).extend(traces)

    def _add(self, product: Product) -> None:
        if product.names:
            self._expressions.append((product.names, product.not_names, product))
        if self._system == "windows":
            self._add_windows(product)
        else:
            self._add_linux(product)

    def _add_windows(self, product: Product) -> None:
        windows = product.windows
        for table, names in (
            (self.keys, windows.keys),
            (self.packages, (*windows.packages, *windows.apps)),
            (self.processes, windows.processes),
            (self.services, windows.services),
        ):
            for name in names:
                table.add(name, self._trace(product, windows, name))
        self.place_traces += [(path, product) for path in windows.paths]

    def _add_linux(self, product: Product) -> None:
        linux = product.linux
        for name in (*linux.packages, *linux.apps):
            self.packages.add(name, self._trace(product, linux, name))
        for name in linux.processes:
            self.processes.add(name, self._trace(product, linux, name))
        # Windows programs run under wine with the names they have at home.
        for name in product.windows.processes:
            self.processes.add(name, self._trace(product, product.windows, name))
        for name in linux.services:
            self.services.add(name, self._trace(product, linux, name))
        for path in linux.paths:
            folder, _, name = path.rpartition("/")
            home = folder.startswith("~")
            table = self.home_paths if home else self.paths
            table.setdefault(folder[1:] if home else folder, _Names()).add(name, self._trace(product, linux, path))

    @staticmethod
    def _trace(product: Product, traces: Traces, name: str) -> _Trace:
        return _Trace(product, not product.unverified(traces, name))

    def named(self, name: str) -> Iterator[Product]:
        """The products whose display name this may be."""
        text = folded(name)
        if self._joint is None or not self._joint.search(text):
            return
        for names, unlike, product in self._expressions:
            if _joined(names).search(text) and not (unlike and _joined(unlike).search(text)):
                yield product

    def not_named(self, name: str) -> Iterator[str]:
        """The ids of the products that something of this name is certainly not."""
        text = folded(name)
        for _, unlike, product in self._expressions:
            if unlike and _joined(unlike).search(text):
                yield product.id

    def running(self, name: str) -> Iterator[_Trace]:
        """The products whose process this may be."""
        text = folded(name)
        for trace, _ in self.processes.find(text):
            yield trace
        if len(name) == _COMM:
            yield from self._cut.get(text, ())


@cache
def _joined(expressions: tuple[str, ...]) -> re.Pattern[str]:
    """Several expressions as one. Made on first use: on most machines few products come near to any name."""
    return re.compile("|".join(f"(?:{unicodedata.normalize('NFKC', e)})" for e in expressions), re.IGNORECASE)


_last: dict[str, tuple[Dictionary, Index]] = {}


def index_of(dictionary: Dictionary, system: str = "linux") -> Index:
    """The index of a dictionary for a system; the last one made for each is kept."""
    last = _last.get(system)
    if last is not None and last[0] is dictionary:
        return last[1]
    made = Index(dictionary, system)
    _last[system] = (dictionary, made)
    return made


def match_products(inventory: Inventory, dictionary: Dictionary) -> list[Match]:
    """The products found, in dictionary order."""
    index = index_of(dictionary, inventory.system)
    matches: dict[str, Match] = {}
    if inventory.system == "windows":
        from ybscan.probes._windows.products import clues, signatures

        for product, clue in clues(inventory, index):
            matches.setdefault(product.id, Match(product)).clues[clue] = None
        for match in matches.values():
            signatures(inventory, match)
    else:
        for product, clue in _clues(inventory, index):
            matches.setdefault(product.id, Match(product)).clues[clue] = None
    order = {p.id: i for i, p in enumerate(dictionary.products)}
    return sorted(matches.values(), key=lambda m: order[m.product.id])


def _clues(inventory: Inventory, index: Index) -> Iterator[tuple[Product, Clue]]:
    for package in inventory.packages:
        for trace, exact in index.packages.find(folded(package.name)):
            yield trace.product, package_clue(package, conclusive=exact and trace.trusted)
    for entry in inventory.entries:
        for product in entry_products(entry, index):
            name = entry.names[0] if entry.names else entry.app
            yield product, Clue("desktop", f"应用菜单“{shown(name, 60)}”（{shown(entry.path)}）", name)
    yield from _file_clues(inventory, index)
    for name in sorted(set(inventory.processes.values())):
        for trace in index.running(name):
            yield trace.product, Clue("process", f"正在运行的进程 {shown(name, 60)}", name)
    for name, path in sorted(inventory.services.items()):
        for trace, _ in index.services.find(folded(name)):
            yield trace.product, Clue("service", f"系统服务 {shown(name, 60)}（{shown(path)}）", name)


def settled(inventory: Inventory, package: Package) -> Package:
    """The record with the doubt that its own files raise, where records are left behind (Windows)."""
    if inventory.system != "windows":
        return package
    from ybscan.probes._windows.products import settled as by_its_files

    return by_its_files(inventory, package)


def package_clue(package: Package, *, conclusive: bool) -> Clue:
    """The clue a package record is."""
    version = f" {shown(package.version, 40)}" if package.version else ""
    doubt = f"，{package.doubt}" if package.doubt else ""
    return Clue(
        "package", f"{SOURCE_TEXT[package.source]} {shown(package.name, 80)}{version}{doubt}", package.name,
        conclusive and not package.doubt, package.version,
    )  # fmt: skip


def entry_products(entry: Entry, index: Index) -> Iterable[Product]:
    """The products a desktop entry speaks of: by its names, the program it starts, or its id.

    One entry is one clue, however much of it fits.
    """
    found: dict[str, Product] = {}
    unlike: set[str] = set()
    for name in entry.names:
        unlike.update(index.not_named(name))
        for product in index.named(name):
            found[product.id] = product
    for program in entry.programs:
        for trace in index.running(re.split(r"[/\\]", program)[-1]):
            found[trace.product.id] = trace.product
    for trace, _ in index.packages.find(folded(entry.app)):
        found[trace.product.id] = trace.product
    return [p for i, p in found.items() if i not in unlike]


def _file_clues(inventory: Inventory, index: Index) -> Iterator[tuple[Product, Clue]]:
    for one in inventory.found:
        # File names join words with signs where display names have spaces.
        spaced = re.sub(r"[-_]+", " ", one.name)
        for product in {p.id: p for n in (one.name, spaced) for p in index.named(n)}.values():
            yield product, Clue("files", f"程序文件 {shown(one.path)}", one.name)
        if one.kind == "opt":
            for trace, _ in index.packages.find(folded(one.name)):
                yield trace.product, Clue("files", f"程序文件 {shown(one.path)}", one.name)
    folders = [(folder, names, index.paths.get(folder)) for folder, names in inventory.listings.items()]
    for home in inventory.homes:
        folders += [
            (f"{home}{below}", inventory.listings.get(f"{home}{below}", ()), table)
            for below, table in index.home_paths.items()
        ]
    for folder, names, table in folders:
        if table is None:
            continue
        for name in names:
            for trace, _ in table.find(folded(name)):
                yield trace.product, Clue("files", f"程序文件 {shown(f'{folder}/{name}')}", name)
    # Programs people keep in their own folders are known by the name they would run under.
    for folder in inventory.personal:
        for name in inventory.listings.get(folder, ()):
            for trace in index.running(name):
                yield trace.product, Clue("files", f"程序文件 {shown(f'{folder}/{name}')}", name)
