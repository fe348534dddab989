"""Installed and running software: products of the detection dictionary, what the unit did not approve, what it demands.

A package manager's own record under an exact name of the dictionary is conclusive. Everything else (a name that only
fits a pattern, a menu entry, a file, a process, a service, a name written from memory) is a clue, and a product is
confirmed by two clues of different kinds; with one it is 待核实, so that neither 符合 nor 不符合 follows from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ybscan.hosts.base import Host
from ybscan.model.dictionary import CATEGORY_TEXT
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Cause, Known, Unknown
from ybscan.model.rule import Role, Severity
from ybscan.model.site import Site
from ybscan.probes._software.allow import allowed, fits, forbidden_here, usable
from ybscan.probes._software.baseline import Baseline, read_baseline
from ybscan.probes._software.inventory import gather
from ybscan.probes._software.match import KIND_TEXT, Match, match_products, settled
from ybscan.probes._software.records import SOURCE_TEXT, Inventory, Package
from ybscan.probes._software.required import required_item
from ybscan.probes._software.text import folded, shown
from ybscan.probes._windows.components import WINDOWS_OWN
from ybscan.probes._windows.inbox import comes_with
from ybscan.probes._windows.places import program_folders
from ybscan.probes.base import Context, Probe

#: How many clues an item shows; all of them count.
_CLUES_SHOWN = 8


class SoftwareProbe(Probe):
    """What is installed or runs, as far as the dictionary and the unit's lists speak of it."""

    name = "software"
    title = "已安装和运行的软件"
    facts = (
        FactSpec(
            "products", Kind.ITEMS, "命中检测字典的软件",
            help="检测字典和本单位另行禁止清单中的产品，每个产品一条，附全部线索。各终端角色字段表示在该角色终端上是否确认属于禁止软件："
            "线索不足或须人工核实用途的为未知。",
            linux="dpkg、rpm、pacman 登记，flatpak、snap、玲珑，应用菜单，/opt、用户目录、AppImage、wine，进程和系统服务",
            windows="卸载登记（64/32 位视图和各用户）、Appx、服务、进程、计划任务、Run 键、程序文件夹和快捷方式；"
            "只有进程一类线索时看其签名者",
            fields=(
                Field("id", Kind.TEXT, "产品编号"),
                Field("name", Kind.TEXT, "产品"),
                Field("category", Kind.TEXT, "类别编号"),
                Field("category_name", Kind.TEXT, "类别"),
                Field("severity", Kind.TEXT, "风险等级"),
                Field("version", Kind.TEXT, "版本"),
                Field("running", Kind.BOOLEAN, "是否正在运行"),
                Field("clues", Kind.TEXTS, "线索"),
                Field("kinds", Kind.TEXTS, "线索类别"),
                Field("confirmed", Kind.BOOLEAN, "是否确认"),
                Field("allowed", Kind.BOOLEAN, "是否经本单位批准"),
                Field("settlement", Kind.BOOLEAN, "在医保结算终端上是否属于禁止软件"),
                Field("office", Kind.BOOLEAN, "在办公终端上是否属于禁止软件"),
                Field("internet", Kind.BOOLEAN, "在互联网终端上是否属于禁止软件"),
            ),
            summary="{name}（{category_name}；{clues}）",
        ),
        FactSpec(
            "unapproved", Kind.ITEMS, "不在允许清单中的软件",
            help="系统自带（必备、重要、标准优先级）和作为依赖自动安装的软件包不计。",
            linux="软件包登记与 apt 的自动安装标记、flatpak、snap、玲珑、AppImage、/opt、wine，与 software.allowed 和基线比对",
            windows="卸载登记、Appx 与程序文件夹，按厂商和名称扣除系统组件、更新、运行库和驱动，与 software.allowed 和基线比对",
            fields=(
                Field("name", Kind.TEXT, "名称"),
                Field("version", Kind.TEXT, "版本"),
                Field("source", Kind.TEXT, "来源"),
                Field("path", Kind.TEXT, "位置"),
                Field("confirmed", Kind.BOOLEAN, "是否确认为自行安装"),
            ),
            summary="{name}（{source}，{version}）",
        ),
        FactSpec(
            "required", Kind.ITEMS, "应装软件", never_empty=True,
            help="site.yml 的 software.required 中每一项的安装和运行情况。",
            linux="软件包登记、系统服务、进程", windows="卸载登记、服务（名称或显示名称）的状态、进程",
            fields=(
                Field("name", Kind.TEXT, "名称"),
                Field("installed", Kind.BOOLEAN, "是否已安装"),
                Field("running", Kind.BOOLEAN, "是否正在运行"),
                Field("evidence", Kind.TEXT, "依据"),
            ),
            summary="{name}（已安装：{installed}，正在运行：{running}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return self._read(host, context)

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return self._read(host, context)

    def _read(self, host: Host, context: Context) -> Mapping[str, Fact]:
        inventory = context.once("software.inventory", lambda: gather(host))
        matches = context.once("software.matches", lambda: match_products(inventory, context.dictionary))
        return {
            "products": _products(inventory, matches, context),
            "unapproved": _unapproved(host, inventory, context.site),
            "required": _required(host, inventory, matches, context.site),
        }


# Products of the dictionary -------------------------------------------------------------------------------------


def _products(inventory: Inventory, matches: list[Match], context: Context) -> Fact:
    if not context.dictionary.products:
        return Unknown(Cause.NOT_CONFIGURED, "没有检测字典", "rules/software")
    items = [product_item(m, inventory, context.site) for m in matches]
    items += [product_item(m, inventory, context.site, unit=True) for m in forbidden_here(inventory, context.site)]
    gaps = tuple(dict.fromkeys(inventory.gaps))
    return Known(tuple(items), f"软件清单（检测字典 {context.dictionary.date}）", gaps)


def product_item(match: Match, inventory: Inventory, site: Site, *, unit: bool = False) -> Item:
    """One product as an item. ``unit``: forbidden by the unit itself, so only an exact approval takes it out again."""
    product = match.product
    clues = sorted(match.clues)
    kinds = match.kinds()
    confirmed: FieldValue = True
    if not match.confirmed():
        confirmed = Unknown(Cause.UNCONFIRMED, f"仅有一类线索：{'、'.join(KIND_TEXT[k] for k in kinds)}")
    running: FieldValue = "process" in kinds
    if not running and inventory.process_gaps:
        running = Unknown(inventory.process_gaps[0].cause, inventory.process_gaps[0].detail)
    own = False if unit or inventory.system != "windows" else comes_with(inventory, product)
    shown_clues = tuple(c.text for c in clues[:_CLUES_SHOWN])
    if len(clues) > _CLUES_SHOWN:
        shown_clues += (f"等共 {len(clues)} 条线索",)
    return {
        "id": product.id,
        "name": product.name,
        "category": product.category,
        "category_name": CATEGORY_TEXT[product.category],
        "severity": Severity(product.severity).text,
        "version": next((shown(c.version, 60) for c in clues if c.version), None),
        "running": running,
        "clues": shown_clues,
        "kinds": tuple(KIND_TEXT[k] for k in kinds),
        "confirmed": confirmed,
        "allowed": allowed(match, site, exact_only=unit),
        **{role.value: _forbidden(match, role, confirmed, own) for role in Role},
    }


def _forbidden(match: Match, role: Role, confirmed: FieldValue, own: bool | Unknown) -> FieldValue:
    """``own``: whether the product is a part of Windows that nobody made more of."""
    if role in match.product.roles:
        return confirmed
    if role in match.product.review:
        if own is not False:
            return own if isinstance(own, Unknown) else False
        return Unknown(Cause.UNCONFIRMED, "可经批准使用或属双用途，须人工核实用途")
    return False


# The unit's list of approved software ---------------------------------------------------------------------------


def _unapproved(host: Host, inventory: Inventory, site: Site) -> Fact:
    if site.software.allowed is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 software.allowed", "site.yml")
    patterns = usable(site.software.allowed)
    baseline = read_baseline(host, site)
    items = [*_unapproved_packages(inventory, patterns, baseline), *_unapproved_files(inventory, patterns)]
    items.sort(key=lambda i: (str(i["source"]), str(i["name"])))
    return Known(tuple(items), "软件清单与 software.allowed", tuple(dict.fromkeys(inventory.gaps)))


def _unapproved_packages(
    inventory: Inventory, patterns: tuple[str, ...], baseline: Baseline | Unknown
) -> Iterator[Item]:
    accepted = baseline.packages if isinstance(baseline, Baseline) else None
    for package in inventory.packages:
        if package.base or package.auto is True or fits(package.name, patterns):
            continue
        if accepted is not None and package.name in accepted:
            continue
        package = settled(inventory, package)
        yield {
            "name": shown(package.name), "version": shown(package.version) or None, "source": SOURCE_TEXT[package.source],
            "path": shown(package.origin), "confirmed": _own_choice(package, accepted, baseline),
        }  # fmt: skip


def _own_choice(package: Package, accepted: frozenset[str] | None, baseline: Baseline | Unknown) -> FieldValue:
    """Whether somebody chose to install this, after the system was set up."""
    if package.doubt:
        return Unknown(Cause.UNCONFIRMED, package.doubt)
    if package.source in ("flatpak", "snap", "linglong"):
        return True
    if accepted is None:
        detail = baseline.text if isinstance(baseline, Unknown) else "基线文件中没有 packages"
        return Unknown(Cause.UNCONFIRMED, f"没有可用的基线，无法区分系统预装与自行安装：{detail}")
    if package.auto is None:
        return Unknown(Cause.UNCONFIRMED, "不在基线中，但无法确认是否作为依赖自动安装")
    return True


def _unapproved_files(inventory: Inventory, patterns: tuple[str, ...]) -> Iterator[Item]:
    """Programs without a package. Whether a folder below /opt belongs to one is told by likeness of names only."""
    if inventory.system == "windows":
        yield from _unrecorded(inventory, patterns)
        return
    installed = [_words(p.name) for p in inventory.packages]
    label = {"appimage": "AppImage", "wine": "wine 中的 Windows 程序", "opt": "/opt 文件夹"}
    for found in inventory.found:
        name = folded(found.name)
        if fits(found.name, patterns) or found.path == "/opt/apps" or not name:
            continue
        if found.kind == "opt" and _owned(_words(found.name), installed):
            continue
        if found.kind == "wine" and name in _WINE_OWN:
            continue
        yield {
            "name": shown(found.name), "version": None, "source": label.get(found.kind, "文件"), "path": shown(found.path),
            "confirmed": Unknown(Cause.UNCONFIRMED, "没有软件包登记，须核实来源"),
        }  # fmt: skip


def _unrecorded(inventory: Inventory, patterns: tuple[str, ...]) -> Iterator[Item]:
    """Folders among the programs of Windows that no record names, and that bear no record's or maker's name."""
    installed = [_words(p.name) | _words(p.publisher) for p in inventory.packages if p.source == "uninstall"]
    named = [p.location.casefold() for p in inventory.packages if p.location]
    folders = {f.casefold() for f in program_folders(inventory)}
    for found in inventory.found:
        folder, _, name = found.path.casefold().rpartition("\\")
        if folder not in folders or name in WINDOWS_OWN or fits(found.name, patterns) or not folded(found.name):
            continue
        within = found.path.casefold()
        if any(n == within or n.startswith(f"{within}\\") for n in named) or _owned(_words(found.name), installed):
            continue
        yield {
            "name": shown(found.name), "version": None, "source": "程序文件夹", "path": shown(found.path),
            "confirmed": Unknown(Cause.UNCONFIRMED, "没有卸载登记，须核实来源"),
        }  # fmt: skip


def _words(name: str) -> frozenset[str]:
    return frozenset(re.split(r"[-_. ]+", folded(name))) - {""}


def _owned(folder: frozenset[str], packages: list[frozenset[str]]) -> bool:
    """Whether a package is called like the folder, or like the folder and more: ``google`` by google-chrome-stable.

    Whole words only: ``anydesk`` does not belong to the package ``any``, nor ``database`` to ``at``.
    """
    return bool(folder) and any(folder <= package for package in packages)


#: Folders every wine prefix has.
_WINE_OWN = frozenset({"common files", "internet explorer", "windows media player", "windows nt"})


# Demanded software ----------------------------------------------------------------------------------------------


def _required(host: Host, inventory: Inventory, matches: list[Match], site: Site) -> Fact:
    if site.software.required is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 software.required", "site.yml")
    if not site.software.required:
        # An empty list demands nothing, and nothing would then pass as "all there".
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 software.required 是空清单", "site.yml")
    items = tuple(required_item(host, inventory, matches, wanted) for wanted in site.software.required)
    return Known(items, "软件清单与 software.required")


PROBES = (SoftwareProbe(),)
