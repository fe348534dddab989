"""Antivirus products: installed, guarding, up to date, used.

Products come from the software dictionary. What only ClamAV documents (the date of signatures, scan logs) is known for
ClamAV alone; the makers of the other products publish no such format, so that a person reads it in the product.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta

from ybscan.hosts.base import Host
from ybscan.model.dictionary import AntivirusTraits
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes._antivirus.clamav import History, history, signature_time
from ybscan.probes._software.allow import fits, usable
from ybscan.probes._software.inventory import gather
from ybscan.probes._software.match import Match, match_products
from ybscan.probes._software.records import Inventory
from ybscan.probes._software.required import required_item
from ybscan.probes._software.text import folded, shown
from ybscan.probes.base import Context, Probe

_FACTS = ("products", "signatures", "scans")
_CLAMAV = "clamav"
#: The kernel keeps 15 characters of a process name; see proc_pid_stat(5).
_COMM = 15
_CLUES_SHOWN = 4
#: How far a time may lie ahead before the clock is in doubt.
_SLACK = timedelta(minutes=5)


class AntivirusProbe(Probe):
    """The antivirus products on the terminal and what state they are in."""

    name = "antivirus"
    title = "杀毒软件"
    facts = (
        FactSpec(
            "products", Kind.ITEMS, "杀毒软件",
            help="检测字典中标明为杀毒软件的产品，以及 site.yml 中 antivirus.products 与 software.required 都写明的产品。"
            "有产品在实时防护时，没有运行的其他产品不算在用。",
            linux="软件包登记、进程、系统服务与检测字典",
            windows="软件清单、进程、系统服务与检测字典，安全中心（root\\SecurityCenter2）登记的杀毒软件及其状态",
            fields=(
                Field("id", Kind.TEXT, "产品编号"),
                Field("name", Kind.TEXT, "产品"),
                Field("vendor", Kind.TEXT, "厂商"),
                Field("version", Kind.TEXT, "版本"),
                Field("installed", Kind.BOOLEAN, "是否确认已安装"),
                Field("running", Kind.BOOLEAN, "是否正在运行"),
                Field("realtime", Kind.BOOLEAN, "实时防护是否开启"),
                Field("in_use", Kind.BOOLEAN, "是否在用"),
                Field("approved", Kind.BOOLEAN, "是否为单位批准的产品"),
                Field("domestic", Kind.BOOLEAN, "是否国产"),
                Field("clues", Kind.TEXTS, "依据"),
            ),
            summary="{name}（实时防护：{realtime}；{clues}）",
        ),
        FactSpec(
            "signatures", Kind.ITEMS, "病毒库",
            help="每个杀毒软件一条。只认病毒库自己的生成时间，不认下载时间和升级日志；只有 ClamAV 有公开格式，其他产品为未知。",
            linux="/var/lib/clamav/daily.cvd、daily.cld 的文件头",
            windows="本版本不读取，未知",
            fields=(
                Field("name", Kind.TEXT, "产品"),
                Field("installed", Kind.BOOLEAN, "是否确认已安装"),
                Field("in_use", Kind.BOOLEAN, "是否在用"),
                Field("time", Kind.TIME, "病毒库生成时间"),
                Field("days", Kind.INTEGER, "病毒库距今", "天"),
                Field("within_unit_limit", Kind.BOOLEAN, "病毒库是否在单位规定的天数之内"),
                Field("path", Kind.TEXT, "来源"),
            ),
            summary="{name} 病毒库生成于 {time}",
        ),
        FactSpec(
            "scans", Kind.ITEMS, "查杀情况",
            help="每个杀毒软件一条。取自查杀日志，只计数，不读入文件名；只有 ClamAV 有公开格式，其他产品为未知。",
            linux="/var/log/clamav 中的查杀日志", windows="本版本不读取，未知",
            fields=(
                Field("name", Kind.TEXT, "产品"),
                Field("installed", Kind.BOOLEAN, "是否确认已安装"),
                Field("in_use", Kind.BOOLEAN, "是否在用"),
                Field("time", Kind.TIME, "最近一次查杀"),
                Field("days", Kind.INTEGER, "最近一次查杀距今", "天"),
                Field("detections", Kind.INTEGER, "检查周期内检出", "个"),
                Field("unresolved", Kind.INTEGER, "未见处置记录的检出", "个"),
            ),
            summary="{name} 最近一次查杀 {time}，检出 {detections}，未见处置记录 {unresolved}",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        if not context.dictionary.products:
            return dict.fromkeys(_FACTS, Unknown(Cause.NOT_CONFIGURED, "没有检测字典", "rules/software"))
        inventory = context.once("software.inventory", lambda: gather(host))
        matches = context.once("software.matches", lambda: match_products(inventory, context.dictionary))
        found = [(m, m.product.antivirus) for m in matches if m.product.antivirus is not None]
        products = [_item(context, inventory, m, traits) for m, traits in found]
        gaps = list(inventory.gaps)
        products += _declared(host, context, inventory, matches, [m for m, _ in found], gaps)
        products.sort(key=lambda i: str(i["id"]))
        # What hides processes alone hides no product: it is confirmed by other traces, or not at all.
        _mark_in_use(products, complete=not [g for g in gaps if g not in inventory.process_gaps])
        missing = tuple(dict.fromkeys(gaps))
        facts: dict[str, tuple[Item, ...]] = {
            "products": tuple(products),
            "signatures": tuple(_about(p) | _signatures(host, context, p) for p in products),
            "scans": tuple(_about(p) | _scans(host, context, p) for p in products),
        }
        return {name: Known(items, "软件清单与检测字典", missing) for name, items in facts.items()}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.guards import Guards

        if not context.dictionary.products:
            return dict.fromkeys(_FACTS, Unknown(Cause.NOT_CONFIGURED, "没有检测字典", "rules/software"))
        inventory = context.once("software.inventory", lambda: gather(host))
        matches = context.once("software.matches", lambda: match_products(inventory, context.dictionary))
        guards = Guards(host, inventory, matches, context.dictionary)
        products: list[dict[str, FieldValue]] = []
        for match in guards.matches:
            assert match.product.antivirus is not None  # noqa: S101 - only antivirus products are among them
            realtime = guards.realtime(match)
            products.append(_item(context, inventory, match, match.product.antivirus) | {"realtime": realtime})
        products += guards.stranger_items()
        gaps = [*inventory.gaps, *guards.gaps]
        products += _declared(host, context, inventory, matches, guards.matches, gaps)
        products.sort(key=lambda i: str(i["id"]))
        _mark_in_use(products, complete=not [g for g in gaps if g not in inventory.process_gaps])
        missing = tuple(dict.fromkeys(gaps))
        why = Unknown(
            Cause.UNAVAILABLE, "本版本不能读取 Windows 上杀毒软件的病毒库日期和查杀记录，请在产品界面核对并截图"
        )
        signatures = tuple(_about(p) | {"time": why, "days": why, "within_unit_limit": why} for p in products)
        scans = tuple(_about(p) | dict.fromkeys(("time", "days", "detections", "unresolved"), why) for p in products)
        facts: dict[str, tuple[Item, ...]] = {
            "products": tuple(products), "signatures": signatures, "scans": scans,
        }  # fmt: skip
        return {name: Known(items, "软件清单、检测字典与安全中心", missing) for name, items in facts.items()}


def _about(product: dict[str, FieldValue]) -> dict[str, FieldValue]:
    return {k: product[k] for k in ("name", "installed", "in_use")}


def _item(context: Context, inventory: Inventory, match: Match, traits: AntivirusTraits) -> dict[str, FieldValue]:
    clues = sorted(match.clues)
    installed: FieldValue = True
    if not match.confirmed():
        installed = Unknown(Cause.UNCONFIRMED, f"仅有一类线索：{clues[0].text}")
    domestic: FieldValue = traits.domestic
    if domestic is None:
        domestic = Unknown(Cause.UNCONFIRMED, "检测字典的条目含多个厂商")
    return {
        "id": match.product.id, "name": match.product.name, "vendor": traits.vendor,
        "version": next((shown(c.version, 60) for c in clues if c.version), None),
        "installed": installed, "running": _running(inventory, match), "realtime": _realtime(inventory, match, traits),
        "approved": _approved(context, match), "domestic": domestic,
        "clues": tuple(c.text for c in clues[:_CLUES_SHOWN]),
    }  # fmt: skip


def _running(inventory: Inventory, match: Match) -> FieldValue:
    if "process" in match.kinds():
        return True
    if inventory.process_gaps:
        return Unknown(inventory.process_gaps[0].cause, inventory.process_gaps[0].detail)
    return False


def _realtime(inventory: Inventory, match: Match, traits: AntivirusTraits) -> FieldValue:
    """Whether the process that guards runs. A name nobody verified proves nothing by its absence."""
    product = match.product
    names = set(inventory.processes)
    for wanted in traits.realtime:
        if folded(wanted) in {folded(n) for n in names} or (len(wanted) > _COMM and folded(wanted)[:_COMM] in names):
            if match.confirmed():
                return True
            return Unknown(Cause.UNCONFIRMED, f"仅有进程 {shown(wanted)} 一类线索")
    if inventory.process_gaps:
        return Unknown(inventory.process_gaps[0].cause, inventory.process_gaps[0].detail)
    known = [n for n in traits.realtime if n in product.linux.processes and not product.unverified(product.linux, n)]
    if not known:
        return Unknown(
            Cause.UNCONFIRMED, f"{product.name} 在 Linux 上的实时防护进程名没有核实过，请在产品界面核对实时防护是否开启"
        )
    return False


def _approved(context: Context, match: Match) -> FieldValue:
    products = context.site.antivirus.products
    if products is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 antivirus.products", "site.yml")
    return _named(match, products)


def _named(match: Match, products: tuple[str, ...]) -> bool:
    """Whether one of the unit's names means the product: by name, id, maker, or the names it shows."""
    product = match.product
    assert product.antivirus is not None  # noqa: S101 - only antivirus products come here
    patterns = usable(products)
    names = [product.id, product.name, *(n for n in re.split(r"[（）()、，]", product.name) if n.strip())]
    names += [n for n in re.split(r"[（）()、，]", product.antivirus.vendor) if n.strip()]
    if any(fits(n, patterns) for n in names):
        return True
    texts = [unicodedata.normalize("NFKC", p) for p in products]
    return any(re.search(unicodedata.normalize("NFKC", e), t, re.IGNORECASE) for e in product.names for t in texts)


# Signatures and scans -------------------------------------------------------------------------------------------


def _signatures(host: Host, context: Context, product: dict[str, FieldValue]) -> dict[str, FieldValue]:
    if product["id"] != _CLAMAV:
        why = Unknown(Cause.UNAVAILABLE, f"{product['name']} 的病毒库日期没有公开的读取方法，请在产品界面核对并截图")
        return {"time": why, "days": why, "within_unit_limit": why}
    when, path = signature_time(host)
    if isinstance(when, Unknown):
        return {"time": when, "days": when, "within_unit_limit": when, "path": path}
    if not isinstance(when, Known):
        return {"time": None, "days": None, "within_unit_limit": None, "path": None}
    days = _days(when.value, context.now)
    limit = context.site.antivirus.max_signature_age_days
    within: FieldValue = None
    if limit is not None:
        within = days if isinstance(days, Unknown) else days <= limit
    return {"time": when.value.astimezone(context.now.tzinfo), "days": days, "within_unit_limit": within, "path": path}


def _scans(host: Host, context: Context, product: dict[str, FieldValue]) -> dict[str, FieldValue]:
    past: History | Unknown
    if product["id"] == _CLAMAV:
        past = history(host, context.now, context.window)
    else:
        past = Unknown(Cause.UNAVAILABLE, f"{product['name']} 的查杀日志没有公开的格式，请在产品界面核对并截图")
    if isinstance(past, Unknown):
        return dict.fromkeys(("time", "days", "detections", "unresolved"), past)
    last: FieldValue
    days: FieldValue
    if isinstance(past.last, Known):
        last, days = past.last.value, _days(past.last.value, context.now)
    elif isinstance(past.last, Unknown):
        last = days = past.last
    else:
        what = "没有找到写明日期的查杀日志（clamscan 须加 --log 参数），请人工核对查杀情况"
        last = days = Unknown(Cause.UNAVAILABLE, what, "/var/log/clamav")
    return {"time": last, "days": days, "detections": past.detections, "unresolved": past.unresolved}


def _days(when: datetime, now: datetime) -> int | Unknown:
    """Whole days since ``when``, a day begun counting as a day."""
    if when > now + _SLACK:
        return Unknown(Cause.MALFORMED, "时间晚于检查时刻，时钟或文件日期有误")
    return max(0, -((when - now) // timedelta(days=1)))


# Products the unit named ------------------------------------------------------------------------------------------


def _declared(
    host: Host, context: Context, inventory: Inventory, matches: list[Match], found: list[Match], gaps: list[Gap]
) -> list[dict[str, FieldValue]]:
    """What the unit names as its product although the dictionary does not know it, by the traces the unit gave."""
    items: list[dict[str, FieldValue]] = []
    for name in context.site.antivirus.products or ():
        if any(_named(m, (name,)) for m in found):
            continue
        wanted = next((r for r in context.site.software.required or () if folded(r.name) == folded(name)), None)
        if wanted is None or not (wanted.package or wanted.process or wanted.service):
            if not any(p.antivirus is not None and _named(Match(p), (name,)) for p in context.dictionary.products):
                what = f"检测字典中没有“{shown(name, 60)}”，请在 site.yml 的 software.required 中写明它的进程或服务"
                gaps.append(Gap(Cause.NOT_CONFIGURED, what, "site.yml"))
            continue
        traces = required_item(host, inventory, matches, wanted)
        running = traces["running"]
        items.append(
            {
                "id": shown(name, 60), "name": shown(name, 60), "vendor": None, "version": None,
                "installed": traces["installed"], "running": running,
                "realtime": running if running is not None else Unknown(
                    Cause.NOT_CONFIGURED, f"software.required 中“{shown(name, 60)}”没有写 process 或 service"
                ),
                "approved": True, "domestic": Unknown(Cause.UNCONFIRMED, "检测字典中没有该产品"),
                "clues": (str(traces["evidence"] or "site.yml 的 software.required"),),
            }
        )  # fmt: skip
    return items


def _mark_in_use(products: list[dict[str, FieldValue]], *, complete: bool) -> None:
    """Beside a product that guards, one that certainly does not is what an earlier installation left.

    Without ``complete`` there may be a product that was not seen.
    """
    guarding = {p["id"] for p in products if p["installed"] is True and p["realtime"] is True}
    perhaps = {p["id"] for p in products if p["installed"] is not False and p["realtime"] is not False}
    for product in products:
        others = {product["id"]}
        if product["realtime"] is True or (complete and not perhaps - others):
            product["in_use"] = True
        elif product["realtime"] is False and guarding - others:
            product["in_use"] = False
        else:
            product["in_use"] = Unknown(Cause.UNCONFIRMED, "另有产品可能在实时防护")


PROBES = (AntivirusProbe(),)
