"""Whether system and antivirus are licensed, as far as that can be read.

No vendor documents how the activation of its Linux can be read without running its own graphical tools, so a
commercial system is Unknown here and a person looks.
"""

from __future__ import annotations

from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Kind
from ybscan.model.reading import Cause, Known, Unknown
from ybscan.probes._software.inventory import gather
from ybscan.probes._software.match import match_products
from ybscan.probes._software.text import shown
from ybscan.probes.base import Context, Probe

#: os-release ids of systems that are free software and need no licence (os-release(5)).
_FREE_SYSTEMS = frozenset(
    {"debian", "ubuntu", "fedora", "centos", "rocky", "almalinux", "openeuler", "anolis", "opencloudos", "openkylin",
     "ubuntukylin", "arch", "opensuse-leap", "opensuse-tumbleweed", "linuxmint"}
)  # fmt: skip
#: Antivirus products that are free software.
_FREE = frozenset({"clamav"})
#: Security features of the system itself: licensed with it, and no antivirus on their own.
_PART_OF_SYSTEM = frozenset({"kysec", "deepin-defender"})


class LicenceProbe(Probe):
    """Licence state of the system and of the antivirus product."""

    name = "licence"
    title = "正版授权"
    facts = (
        FactSpec(
            "system", Kind.BOOLEAN, "操作系统正版授权", words=("已授权或无需授权", "未授权"),
            help="自由软件发行版无需授权；厂商系统的激活状态没有经核实的读取方法时未知。",
            linux="/etc/os-release 的 ID", windows="SoftwareLicensingProduct 的 LicenseStatus、KMS 主机（本机和互联网地址视为非法激活）",
        ),
        FactSpec(
            "antivirus", Kind.BOOLEAN, "杀毒软件正版授权", words=("已授权或无需授权", "未授权"),
            help="检测字典安全软件类中已安装的产品；商业产品的授权状态须在其界面核对。",
            linux="软件清单与检测字典", windows="安全中心登记的产品；只有系统自带的 Defender 随系统授权，其他产品须在其界面核对",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return {"system": _system(host), "antivirus": _antivirus(host, context)}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.genuine import antivirus, system

        if not context.dictionary.products:
            return {
                "system": system(host),
                "antivirus": Unknown(Cause.NOT_CONFIGURED, "没有检测字典", "rules/software"),
            }
        inventory = context.once("software.inventory", lambda: gather(host))
        matches = context.once("software.matches", lambda: match_products(inventory, context.dictionary))
        return {"system": system(host), "antivirus": antivirus(host, inventory, matches)}


def _system(host: Host) -> Fact:
    identity = host.system.identity()
    if not isinstance(identity, Known):
        return identity
    os_id = identity.value.os_id
    name = os_id if os_id in _FREE_SYSTEMS else os_id.rpartition("-")[0] or os_id
    if name in _FREE_SYSTEMS:
        return Known(True, f"/etc/os-release（{shown(identity.value.os_name, 60)}，自由软件发行版）")
    what = shown(identity.value.os_name or os_id, 60)
    return Unknown(Cause.UNAVAILABLE, f"{what} 的激活状态没有经核实的读取方法，请在系统设置中核对", "/etc/os-release")


def _antivirus(host: Host, context: Context) -> Fact:
    if not context.dictionary.products:
        return Unknown(Cause.NOT_CONFIGURED, "没有检测字典", "rules/software")
    inventory = context.once("software.inventory", lambda: gather(host))
    matches = context.once("software.matches", lambda: match_products(inventory, context.dictionary))
    found = [m.product for m in matches if m.product.category == "security"]
    licensed = [p.name for p in found if p.id not in _FREE | _PART_OF_SYSTEM]
    if licensed:
        return Unknown(Cause.UNAVAILABLE, f"{'、'.join(licensed)} 的授权状态须在其界面核对", "软件清单")
    free = [p.name for p in found if p.id in _FREE]
    if free and not inventory.gaps:
        return Known(True, f"软件清单（{'、'.join(free)}，自由软件）")
    # A product the dictionary does not know may be there all the same: no claim about its licence.
    return Unknown(Cause.UNAVAILABLE, "没有识别到杀毒软件，无法核对其授权", "软件清单")


PROBES = (LicenceProbe(),)
