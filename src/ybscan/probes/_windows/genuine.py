"""Whether Windows and its antivirus product are licensed.

Source: SoftwareLicensingProduct.LicenseStatus (0 unlicensed, 1 licensed, 2 to 4 and 6 grace, 5 notification). A client of
volume licensing that was long without its host shows a grace period, which is no sign of a copy.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact
from ybscan.model.reading import Cause, Known, Unknown
from ybscan.probes._software.match import Match
from ybscan.probes._software.records import Inventory
from ybscan.probes._software.text import folded, shown

_GRACE = frozenset({2, 3, 4, 6})
_LICENSED, _NOTIFICATION = 1, 5
_DEFENDER = re.compile(r"^(windows|microsoft) defender( antivirus)?$|^(windows|microsoft) defender 防病毒")
_OWN_PRODUCTS = frozenset({"defender", "windows-defender"})


def system(host: Host) -> Fact:
    """The state of the licence; a key management host on the terminal itself is what activators set up."""
    found = host.security.licence()
    if not isinstance(found, Known):
        return found if isinstance(found, Unknown) else Unknown(Cause.UNAVAILABLE, "系统没有提供授权状态")
    licence = found.value
    doubt = _host_doubt(host, licence.kms_host)
    if doubt is False:
        return Known(False, f"{found.origin}（密钥管理主机 {shown(licence.kms_host, 60)} 是本机或互联网地址）")
    volume = "KMS" in licence.channel.upper() or bool(licence.kms_host)
    if licence.status == _LICENSED and volume and not licence.kms_host:
        # Activation by the domain looks like this, and so does a forged ticket that runs until 2038.
        what = "批量授权的客户端已激活，却没有密钥管理主机：如果不是由域激活，可能是非法激活，请用 slmgr /dlv 核对"
        return Unknown(Cause.UNCONFIRMED, what, found.origin)
    if licence.status == _LICENSED:
        return doubt if isinstance(doubt, Unknown) else Known(True, found.origin)
    if licence.status in _GRACE or (licence.status == _NOTIFICATION and volume):
        what = "授权处于宽限期或提醒状态，可能是长期没有连上本单位的密钥管理主机，请用 slmgr /xpr 核对"
        return Unknown(Cause.UNCONFIRMED, what, found.origin)
    if licence.status in (0, _NOTIFICATION):
        return Known(False, found.origin)
    return Unknown(Cause.MALFORMED, f"授权状态 {licence.status} 无法识别", found.origin)


def _host_doubt(host: Host, kms: str) -> Unknown | bool:
    """False: this terminal itself, or on the Internet. Unknown: a name that may be anywhere. True: no objection."""
    name = re.sub(r":\d+$", "", kms.strip()).strip("[]").rstrip(".").lower()
    if not name:
        return True
    if name == "localhost":
        return False
    try:
        address = ip_address(name)
    except ValueError:
        identity = host.system.identity()
        if not isinstance(identity, Known):
            return identity if isinstance(identity, Unknown) else Unknown(Cause.UNAVAILABLE, "没有读到计算机名")
        if name.split(".", 1)[0] == identity.value.hostname.lower().split(".", 1)[0]:
            return False
        if "." not in name or name.endswith((".local", ".lan", ".internal", ".intra")):
            return True
        return Unknown(Cause.UNCONFIRMED, f"密钥管理主机 {shown(kms, 60)} 是否为本单位的主机，请核对")
    if address.is_loopback or address.is_global or address.is_unspecified:
        return False
    interfaces = host.network.interfaces()
    if not isinstance(interfaces, Known):
        return interfaces if isinstance(interfaces, Unknown) else Unknown(Cause.UNAVAILABLE, "没有读到本机地址")
    if str(address) in {a.address for i in interfaces.value for a in i.addresses}:
        return False
    return Unknown(interfaces.gaps[0].cause, interfaces.gaps[0].detail) if interfaces.gaps else True


def antivirus(host: Host, inventory: Inventory, matches: list[Match]) -> Fact:
    """Windows' own antivirus is licensed with Windows; nobody else's licence can be read."""
    others = [m.product for m in matches if m.product.antivirus is not None and m.product.id not in _OWN_PRODUCTS]
    if others:
        names = "、".join(p.name for p in others)
        return Unknown(Cause.UNAVAILABLE, f"{names} 的授权状态须在其界面核对", "软件清单")
    products = host.security.products()
    if not isinstance(products, Known):
        return products if isinstance(products, Unknown) else Unknown(Cause.UNAVAILABLE, "没有安全中心登记")
    guards = [p for p in products.value if p.kind == "antivirus"]
    strange = [p.name for p in guards if not _DEFENDER.match(folded(p.name))]
    if strange:
        names = "、".join(shown(n, 40) for n in strange)
        return Unknown(Cause.UNAVAILABLE, f"{names} 的授权状态须在其界面核对", products.origin)
    if any(p.enabled is True for p in guards) and not products.gaps and not inventory.gaps:
        return Known(True, f"{products.origin}（系统自带的 Defender，随系统授权）")
    return Unknown(Cause.UNAVAILABLE, "没有识别到杀毒软件，无法核对其授权", products.origin)
