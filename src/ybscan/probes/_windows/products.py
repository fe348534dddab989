"""Recognising products in the inventory of a Windows terminal.

The key of an uninstall record under an exact name of the dictionary is conclusive as long as the program it names is
there: records are often left behind. A display name fits a pattern and is a clue, as a file, a process or a service is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace

from ybscan.hosts.base import Host
from ybscan.model.dictionary import Product
from ybscan.model.reading import Absent, Known, Unknown
from ybscan.probes._software.match import Clue, Index, Match, entry_products, package_clue
from ybscan.probes._software.records import Found, Inventory, Package
from ybscan.probes._software.text import folded, shown
from ybscan.probes._windows.components import OWN_SERVICES
from ybscan.probes._windows.places import Places

#: An installed record whose files are gone, and one that names no place to look at.
LEFT_OVER = "登记的位置已不存在，可能是卸载残留"
NO_PLACE = "登记中没有安装位置，未能确认文件仍在"


def clues(inventory: Inventory, index: Index) -> Iterator[tuple[Product, Clue]]:
    """Every trace of a product."""
    for package in inventory.packages:
        yield from _record_clues(inventory, package, index)
    for entry in inventory.entries:
        for product in entry_products(entry, index):
            yield product, Clue("desktop", f"快捷方式 {shown(entry.path)}", entry.names[0], weak=True)
    yield from _folder_clues(inventory, index)
    for name in sorted(set(inventory.processes.values())):
        for trace in index.running(name):
            yield trace.product, Clue("process", f"正在运行的进程 {shown(name, 60)}", name)
    for key, name in sorted(inventory.services.items()):
        image = _last(inventory.programs.get(key, ""))
        found = {t.product.id: t.product for t, _ in index.services.find(key)}
        if image and key not in OWN_SERVICES:
            found |= {t.product.id: t.product for t in index.running(image)}
        for product in found.values():
            yield product, Clue("service", f"系统服务 {shown(name, 60)}", name)
    yield from _startup_clues(inventory, index)
    yield from _place_clues(inventory, index)


def _record_clues(inventory: Inventory, package: Package, index: Index) -> Iterator[tuple[Product, Clue]]:
    found: dict[str, tuple[Product, bool]] = {p.id: (p, False) for p in index.named(package.name)}
    appx = package.source == "appx"
    for trace, exact in index.packages.find(folded(package.name)) if appx else index.keys.find(folded(package.key)):
        found[trace.product.id] = (trace.product, exact and trace.trusted)
    if not found:
        return
    settled_package = settled(inventory, package)
    for product, exact in found.values():
        files = list(_folder_of_record(inventory, package, product))
        # A folder that is still there may hold no program any more.
        conclusive = exact and bool(files or package.source == "appx" or not product.windows.processes)
        clue = package_clue(settled_package, conclusive=conclusive)
        # A record whose files nobody saw may be all that is left, whatever the reason they were not seen.
        yield product, replace(clue, weak=bool(settled_package.doubt))
        yield from files


def settled(inventory: Inventory, package: Package) -> Package:
    """The record with the doubt that its own files raise. Asked only for records that matter."""
    if package.source != "uninstall" or inventory.host is None:
        return package
    places = inventory.places
    assert isinstance(places, Places)  # noqa: S101 - every Windows inventory has them
    here = package.location
    roots = {p.lower() for p in (*places.program_files, places.system_root, places.program_data, *inventory.homes)}
    if not here or here.lower() in roots or re.fullmatch(r"[A-Za-z]:\\?", here):
        return replace(package, doubt=NO_PLACE)
    there = inventory.host.files.stat(path=here)
    if isinstance(there, Known):
        return package
    if isinstance(there, Absent):
        return replace(package, doubt=LEFT_OVER)
    return replace(package, doubt=f"登记的位置{there.text}")


def _folder_of_record(inventory: Inventory, package: Package, product: Product) -> Iterator[tuple[Product, Clue]]:
    """The product's own program in the folder a record names: the name of a file confirms what the title says."""
    names = {folded(p) for p in product.windows.processes}
    if not package.location or not names or inventory.host is None:
        return
    if _last(package.location).lower().endswith((".exe", ".ico")):
        file = _last(package.location)
        if folded(file) in names and isinstance(inventory.host.files.stat(path=package.location), Known):
            yield product, Clue("files", f"程序文件 {shown(package.location)}", file)
        return
    listed = inventory.host.files.entries(path=package.location)
    for name in listed.value if isinstance(listed, Known) else ():
        if folded(name) in names:
            yield product, Clue("files", f"程序文件 {shown(package.location)}\\{shown(name, 60)}", name)


def _folder_clues(inventory: Inventory, index: Index) -> Iterator[tuple[Product, Clue]]:
    for one in inventory.found:
        spaced = re.sub(r"[-_]+", " ", one.name)
        for product in {p.id: p for n in (one.name, spaced) for p in index.named(n)}.values():
            yield product, _folder_clue(one)
    for folder in inventory.personal:
        for name in inventory.listings.get(folder, ()):
            for trace in index.running(name):
                path = f"{folder.rstrip(chr(92))}\\{name}"
                yield trace.product, Clue("files", f"程序文件 {shown(path)}", name)


def _folder_clue(one: Found) -> Clue:
    what = "数据文件夹" if one.kind == "data" else "程序文件夹"
    return Clue("files", f"{what} {shown(one.path)}", one.name, weak=one.kind == "data")


def _startup_clues(inventory: Inventory, index: Index) -> Iterator[tuple[Product, Clue]]:
    """What is told to start. As a trace it is a file; one that is gone is what a removed program left behind."""
    places = inventory.places
    for startup in inventory.startups:
        for trace in index.running(_last(startup.program)):
            full = places.expand(startup.program) if isinstance(places, Places) else ""
            there = inventory.host.files.stat(path=full) if full and inventory.host is not None else None
            text = f"{shown(startup.where, 80)} 启动的 {shown(_last(startup.program), 60)}"
            yield trace.product, Clue("files", text, _last(startup.program), weak=not isinstance(there, Known))


def _place_clues(inventory: Inventory, index: Index) -> Iterator[tuple[Product, Clue]]:
    places = inventory.places
    if inventory.host is None or not isinstance(places, Places):
        return
    for path, product in index.place_traces:
        for full in places.candidates(path):
            there = inventory.host.files.stat(path=full)
            if isinstance(there, Unknown):
                inventory.gaps.append(there.as_gap())
            elif isinstance(there, Known):
                yield product, Clue("files", f"程序文件 {shown(full)}", _last(full))


def signatures(inventory: Inventory, match: Match) -> None:
    """Ask who signed the program that runs, where that is all there is and would settle it."""
    if inventory.host is None or match.confirmed() or not match.product.windows.signers:
        return
    names = {c.name.casefold() for c in match.clues if c.kind == "process"}
    for image in sorted(i for i in inventory.images if _last(i).casefold() in names):
        signer = _signed(inventory.host, image)
        if any(_like(e, signer) for e in match.product.windows.signers if signer):
            match.clues[Clue("signature", f"{shown(image)} 由 {shown(signer, 80)} 签名", signer)] = None
            return


def _signed(host: Host, image: str) -> str:
    """The signer of a file whose signature holds; empty otherwise."""
    found = host.security.signature(path=image)
    return found.value.signer if isinstance(found, Known) and found.value.valid is True else ""


def _like(expression: str, text: str) -> bool:
    return re.search(unicodedata.normalize("NFKC", expression), folded(text), re.IGNORECASE) is not None


def _last(path: str) -> str:
    return re.split(r"[/\\]", path)[-1]
