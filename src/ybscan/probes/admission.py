"""What lets this terminal into the network: 802.1X on its cable, or an admission client.

Only what the unit named is looked for. Whether the switch really demands it cannot be seen from the terminal. Sources:
nm-settings(5) (``802-1x``), wpa_supplicant.conf(5), the detection dictionary.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.dictionary import Product
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Cause, Known, Unknown
from ybscan.probes._profiles import read_profiles
from ybscan.probes._software.inventory import gather
from ybscan.probes._software.match import Match, match_products
from ybscan.probes._software.records import Inventory
from ybscan.probes._software.text import folded, shown
from ybscan.probes.base import Context, Probe
from ybscan.probes.net_identity import active_uuids

_DOT1X = re.compile(r"(ieee)?[\s-]*802\.?1x", re.IGNORECASE)
_WPA = "/etc/wpa_supplicant"


class AdmissionProbe(Probe):
    """Network admission."""

    name = "admission"
    title = "入网准入"
    facts = (
        FactSpec(
            "methods", Kind.ITEMS, "准入方式",
            help="单位批准的每种准入方式（site.yml 的 network.admission）在本机的情况。只说明终端侧已启用，"
            "交换机是否强制准入、端口是否绑定 MAC 地址须由网络管理员确认。",
            linux="连接配置的 802-1x 一节与正在使用的连接；准入客户端的软件登记和进程",
            windows="服务 dot3svc 与有线网络配置文件；准入客户端的服务和进程",
            fields=(
                Field("name", Kind.TEXT, "准入方式"),
                Field("running", Kind.BOOLEAN, "已启用"),
                Field("evidence", Kind.TEXT, "依据"),
            ),
            summary="{name}（已启用：{running}，依据：{evidence}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        wanted = context.site.network.admission
        if wanted is None:
            return {"methods": Unknown(Cause.NOT_CONFIGURED, "site.yml 的 network.admission", "site.yml")}
        inventory = Inventory()
        matches: list[Match] = []
        if any(not _DOT1X.fullmatch(w.strip()) for w in wanted):
            inventory = gather(host)
            matches = match_products(inventory, context.dictionary)
        items: list[Item] = []
        for name in wanted:
            if _DOT1X.fullmatch(name.strip()):
                running, evidence = _dot1x(host)
            else:
                running, evidence = _client(name, inventory, matches, context.dictionary.products)
            items.append({"name": shown(name), "running": running, "evidence": evidence})
        return {"methods": Known(tuple(items), "site.yml 的 network.admission")}


def _dot1x(host: Host) -> tuple[FieldValue, str | None]:
    found = read_profiles(host)
    profiles = [p for p in found.profiles if p.dot1x]
    active = active_uuids(host)
    if isinstance(active, Known):
        for p in profiles:
            if p.uuid and p.uuid in active.value.values():
                return True, f"正在使用的连接 {shown(p.name)} 启用了 802.1X"
    if isinstance(active, Unknown):
        return active, None
    others = [p for p in profiles if p.manager != "NetworkManager" and p.enabled]
    supplicant = _supplicant(host)
    if isinstance(supplicant, Unknown):
        return supplicant, None
    if others or supplicant:
        what = supplicant or others[0].source
        return Unknown(Cause.UNCONFIRMED, f"{what} 配置了 802.1X，是否已通过认证需核实"), what
    if found.gaps:
        return Unknown(found.gaps[0].cause, found.gaps[0].detail, found.gaps[0].origin), None
    return (
        False,
        "有线连接没有启用 802.1X" if not profiles else f"连接 {shown(profiles[0].name)} 配置了 802.1X，但没有使用",
    )


def _supplicant(host: Host) -> str | Unknown:
    """A wpa_supplicant configuration with plain 802.1X, as cables use it; empty when there is none."""
    names = host.files.entries(path=_WPA)
    if isinstance(names, Unknown):
        return names
    for name in names.value if isinstance(names, Known) else ():
        if not name.endswith(".conf"):
            continue
        text = host.files.text(path=f"{_WPA}/{name}")
        if isinstance(text, Unknown):
            return text
        if isinstance(text, Known) and re.search(r"^\s*key_mgmt\s*=.*\bIEEE8021X\b", text.value, re.MULTILINE):
            return f"{_WPA}/{name}"
    return ""


def _client(
    name: str, inventory: Inventory, matches: list[Match], products: tuple[Product, ...]
) -> tuple[FieldValue, str | None]:
    """An admission client, given by a process name or by a product's name."""
    wanted = folded(name)
    if wanted in inventory.processes:
        return True, f"进程 {shown(name)} 正在运行"
    if any(len(p) == 15 and wanted.startswith(p) for p in inventory.processes):
        return Unknown(Cause.UNCONFIRMED, f"进程名 {shown(name)} 被系统截断，无法确认"), None
    known = [p for p in products if _means(p, name)]
    for match in matches:
        if match.product in known and "process" in match.kinds():
            clues = "、".join(c.text for c in match.clues)[:200]
            if match.confirmed():
                return True, clues
            return Unknown(
                Cause.UNCONFIRMED, f"{match.product.name} 仅有一类线索，请在 network.admission 中写进程名"
            ), clues
    if inventory.process_gaps:
        gap = inventory.process_gaps[0]
        return Unknown(gap.cause, gap.detail, gap.origin), None
    if known and all(p.confidence == "memory" for p in known):
        return Unknown(
            Cause.UNCONFIRMED, "没有看到已知名称的进程，但该产品的进程名未经核实，请在 network.admission 中写进程名"
        ), None
    if known:
        return False, f"{known[0].name} 没有运行"
    if re.fullmatch(r"[A-Za-z0-9._+-]+", name.strip()):
        return False, f"没有名为 {shown(name)} 的进程"
    return Unknown(
        Cause.NOT_CONFIGURED, f"检测字典中没有“{shown(name)}”，请在 network.admission 中写进程名", "site.yml"
    ), None


def _means(product: Product, name: str) -> bool:
    if product.category != "security":
        return False
    wanted = folded(name)
    return wanted in (folded(product.id), folded(product.name)) or any(
        re.search(p, wanted, re.IGNORECASE) for p in product.names
    )


PROBES = (AdmissionProbe(),)
