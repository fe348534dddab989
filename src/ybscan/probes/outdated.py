"""Software known to be unsafe in the version installed.

Two kinds: products that are unsafe in any version (category ``outdated`` of the dictionary), and the distribution's own
packages below the version in which the distribution closed a known hole. Distributions backport: their package version
is compared, never the upstream one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ybscan.hosts.base import Host
from ybscan.model.debversion import compare_versions
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.lifecycle import PackageFix
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._software.inventory import gather
from ybscan.probes._software.match import match_products
from ybscan.probes._software.records import Inventory
from ybscan.probes._software.text import shown
from ybscan.probes.base import Context, Probe
from ybscan.probes.os_support import VENDOR_MARKS


class OutdatedProbe(Probe):
    """What is installed and known to be unsafe."""

    name = "outdated"
    title = "高危旧版软件"
    facts = (
        FactSpec(
            "products", Kind.ITEMS, "与最低版本比对过的软件",
            help="检测字典“高危旧软件”类的命中，以及最低版本表（rules/lifecycle）中本系统的软件包。表中只有少数广为利用的漏洞，"
            "不能代替漏洞扫描；没有本系统条目时列表不完整。",
            linux="软件清单、检测字典、/var/lib/dpkg/status 与 rules/lifecycle 的 packages",
            windows="卸载登记的 DisplayVersion 与 rules/lifecycle 的 programs、检测字典",
            fields=(
                Field("name", Kind.TEXT, "名称"),
                Field("version", Kind.TEXT, "已装版本"),
                Field("minimum", Kind.TEXT, "最低版本"),
                Field("advisory", Kind.TEXT, "漏洞"),
                Field("source", Kind.TEXT, "依据"),
                Field("outdated", Kind.BOOLEAN, "是否低于最低版本或已停止支持"),
            ),
            summary="{name} {version}（最低 {minimum}，{advisory}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        if not context.dictionary.products:
            return {"products": Unknown(Cause.NOT_CONFIGURED, "没有检测字典", "rules/software")}
        inventory = context.once("software.inventory", lambda: gather(host))
        gaps = list(inventory.gaps)
        items = [*_products(inventory, context), *_packages(host, inventory, context, gaps)]
        items.sort(key=lambda i: (str(i["name"]), str(i["advisory"])))
        return {"products": Known(tuple(items), "软件清单与最低版本表", tuple(dict.fromkeys(gaps)))}


def _products(inventory: Inventory, context: Context) -> Iterator[Item]:
    for match in match_products(inventory, context.dictionary):
        if match.product.category != "outdated":
            continue
        value: FieldValue = True
        if not match.confirmed():
            value = Unknown(Cause.UNCONFIRMED, f"仅有一类线索：{sorted(match.clues)[0].text}")
        yield {
            "name": match.product.name,
            "version": next((shown(c.version, 60) for c in sorted(match.clues) if c.version), None),
            "minimum": None,
            "advisory": "已停止支持",
            "source": "检测字典",
            "outdated": value,
        }


def _packages(host: Host, inventory: Inventory, context: Context, gaps: list[Gap]) -> Iterator[Item]:
    identity = host.system.identity()
    if not isinstance(identity, Known):
        gaps.append(identity.as_gap() if isinstance(identity, Unknown) else Gap(Cause.UNAVAILABLE, "os-release"))
        return
    os_id = identity.value.os_id
    fixes = list(context.lifecycle.fixes(os_id))
    mark = next((m for m in VENDOR_MARKS if not isinstance(host.files.stat(path=m), Absent)), "") if fixes else ""
    if not fixes or mark:
        what = f"最低版本表中没有 {shown(os_id, 60)} 的条目" + (
            f"（存在 {mark}，不按基础系统的版本比对）" if mark else ""
        )
        gaps.append(Gap(Cause.NOT_CONFIGURED, f"{what}，请用漏洞扫描或厂商公告核对", "rules/lifecycle"))
        return
    installed = {p.name: p.version for p in inventory.packages if p.source == "dpkg"}
    for fix in fixes:
        if fix.package in installed:
            yield _fix_item(fix, installed[fix.package])


def _fix_item(fix: PackageFix, version: str) -> Item:
    order = compare_versions(version, fix.fixed)
    value: FieldValue
    if order is None:
        value = Unknown(Cause.MALFORMED, f"版本“{shown(version, 60)}”无法比较")
    elif order < 0 and not fix.verified:
        value = Unknown(Cause.UNCONFIRMED, "最低版本没有与公开出处核对过")
    else:
        value = order < 0
    return {
        "name": fix.package, "version": shown(version, 60), "minimum": fix.fixed, "advisory": fix.advisory,
        "source": f"{fix.source}（{fix.checked} 核对）", "outdated": value,
    }  # fmt: skip


PROBES = (OutdatedProbe(),)
