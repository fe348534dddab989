"""Security centre, licence, signatures and restore points of the running system."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

from collections.abc import Mapping  # noqa: E402
from dataclasses import replace  # noqa: E402
from typing import Any, Literal  # noqa: E402

from ybscan.hosts.groups.security import Licence, Security, SecurityProduct, Signature  # noqa: E402
from ybscan.hosts.groups.services import Services  # noqa: E402
from ybscan.hosts.windows import wmidata  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live.com import com_asked, component  # noqa: E402
from ybscan.hosts.windows.live.dll import asked  # noqa: E402
from ybscan.hosts.windows.live.signatures import signature  # noqa: E402
from ybscan.hosts.windows.live.wmi import rows  # noqa: E402
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown  # noqa: E402

_SECONDS = 45.0
_CENTRE = r"root\SecurityCenter2"
_Kind = Literal["antivirus", "antispyware", "firewall"]
#: Rows of a class of the namespace; state and signature status by name.
Registered = tuple[list[dict[str, Any]], Mapping[str, tuple[int, int]]]
#: The classes of the namespace, and WSC_SECURITY_PROVIDER.
_CLASSES: tuple[tuple[_Kind, str, int], ...] = (
    ("antivirus", "AntiVirusProduct", 0x4),
    ("antispyware", "AntiSpywareProduct", 0x8),
    ("firewall", "FirewallProduct", 0x1),
)
#: WSCProductList of iwscapi.h, Windows 8 and later.
_PRODUCT_LIST = "{17072F7B-9ABE-4A74-A261-1EB76B55107A}"
#: ApplicationID of Windows in the software licensing classes.
_WINDOWS = "55c92734-d682-4d71-983e-d6ec3f16059f"
_KMS = ("KeyManagementServiceMachine", "DiscoveredKeyManagementServiceMachineName")


class LiveSecurity(Security):
    """Security centre, licence, signatures and restore points of the running system. Nothing is fetched."""

    def __init__(self, *, services: Services) -> None:
        super().__init__()
        self._services = services

    def products(self) -> Reading[tuple[SecurityProduct, ...]]:
        return com_asked(lambda: _products(self._services), _CENTRE, _SECONDS)

    def licence(self) -> Reading[Licence]:
        return com_asked(_licence, "SoftwareLicensingProduct", _SECONDS)

    def signature(self, *, path: str) -> Reading[Signature]:
        return asked(lambda: signature(path), path, _SECONDS)

    def restore_points(self) -> Reading[tuple[float, ...]]:
        return com_asked(_restore_points, "SystemRestore", _SECONDS)


def _products(services: Services) -> Reading[tuple[SecurityProduct, ...]]:
    registered: dict[_Kind, Registered] = {}
    for kind, name, provider in _CLASSES:
        listed = rows(_CENTRE, f"SELECT * FROM {name}", ("displayName", "productState", "pathToSignedProductExe"))  # noqa: S608
        registered[kind] = (listed, _documented(provider))
    return products_of(registered, services)


def products_of(registered: Mapping[_Kind, Registered], services: Services) -> Reading[tuple[SecurityProduct, ...]]:
    """The products out of the rows of each class, and of what the documented interface says of them."""
    found: list[SecurityProduct] = []
    gaps: dict[Gap, None] = {}
    for kind, (listed, told) in registered.items():
        for row in listed:
            title, state, program = row["displayName"], row["productState"], row["pathToSignedProductExe"]
            if not isinstance(title, str) or not title:
                gaps[Gap(Cause.MALFORMED, f"安全中心登记的产品没有名称（{kind}）", _CENTRE)] = None
                continue
            enabled, updated = _state(state, told.get(title))
            found.append(SecurityProduct(kind, title, enabled, updated, program if isinstance(program, str) else ""))
    stopped = _not_running(services)
    if stopped is not None:
        # The namespace stays when the centre itself is off: then nothing registered means nothing, and what is registered
        # tells what was once there, not how it is doing now.
        if not any(p.kind == "antivirus" for p in found):
            return stopped
        found = [replace(p, enabled=None, updated=None) for p in found]
        gaps[stopped.as_gap()] = None
    found.sort(key=lambda p: (p.kind, p.name, p.program))
    return Known(tuple(found), _CENTRE, tuple(gaps))


def _state(state: object, told: tuple[int, int] | None) -> tuple[bool | None, bool | None]:
    """Whether a product is on and current: as the documented interface says where there is one, and never against
    ``productState``, whose layout is written down nowhere.
    """
    number = state & 0xFFFFFFFF if isinstance(state, int) else None
    enabled = None if number is None else wmidata.product_enabled(number)
    updated = None if number is None else wmidata.product_updated(number)
    if told is None:
        return enabled, updated
    on = {0: True, 1: False, 2: False, 3: False}.get(told[0])  # WSC_SECURITY_PRODUCT_STATE
    current = {0: False, 1: True}.get(told[1])  # WSC_SECURITY_SIGNATURE_STATUS
    return on if enabled in (None, on) else None, current if updated in (None, current) else None


def _documented(provider: int) -> dict[str, tuple[int, int]]:
    """State and signature status by product name, from IWSCProductList; empty where this Windows has none."""
    found: dict[str, tuple[int, int]] = {}
    twice: set[str] = set()
    try:
        products = component(_PRODUCT_LIST, "IWSCProductList")
        products.get("Initialize", provider)
        for i in range(min(products.number("Count"), 64)):
            one = products.child("Item", i)
            name = one.text("ProductName")
            if name in found:
                twice.add(name)
            found[name] = (one.number("ProductState"), one.number("SignatureStatus"))
    except NotReadError:
        return {}
    return {n: v for n, v in found.items() if n not in twice}


def _not_running(services: Services) -> Unknown | None:
    states = services.states()
    if not isinstance(states, Known):
        why = states.text if isinstance(states, Unknown) else "没有服务列表"
        return Unknown(Cause.UNAVAILABLE, f"不能确认安全中心服务正在运行：{why}", "wscsvc")
    if any(s.name.lower() == "wscsvc" and s.state == "running" for s in states.value):
        return None
    return Unknown(Cause.UNAVAILABLE, "安全中心服务 wscsvc 没有运行", "wscsvc")


def _licence() -> Reading[Licence]:
    origin = "SoftwareLicensingProduct"
    listed = rows(
        r"root\cimv2",
        f"SELECT * FROM {origin} WHERE ApplicationID = '{_WINDOWS}' AND PartialProductKey IS NOT NULL",  # noqa: S608
        ("LicenseStatus", "Description", "LicenseIsAddon", *_KMS),
    )
    return licence_of(listed)


def licence_of(listed: list[dict[str, Any]]) -> Reading[Licence]:
    """The licence out of the products that have a key.

    Raises:
        NotReadError: the key management host has to be asked for, and is not told.
    """
    origin = "SoftwareLicensingProduct"
    # Keys of extended updates are add-ons: they say nothing about Windows itself.
    base = [r for r in listed if r["LicenseIsAddon"] is not True]
    if not base:
        return Unknown(Cause.UNAVAILABLE, "系统没有给出装有密钥的 Windows 产品", origin)
    statuses = {r["LicenseStatus"] for r in base}
    if len(statuses) > 1:
        return Unknown(Cause.UNCONFIRMED, "系统给出多个状态不同的 Windows 许可证", origin)
    status = statuses.pop()
    if not isinstance(status, int):
        return Unknown(Cause.MALFORMED, f"{origin} 没有许可证状态", origin)
    description = base[0]["Description"]
    channel = wmidata.licence_channel(description) if isinstance(description, str) else ""
    # A host may be left over from another key; only a key of that sort uses it.
    host = _kms_host(base[0]) if not channel or "KMS" in channel else ""
    return Known(Licence(status, channel, host), origin)


def _kms_host(product: dict[str, Any]) -> str:
    """The key management host of the product, else of the licensing service."""
    for name in _KMS:
        if isinstance(product[name], str) and product[name]:
            return str(product[name])
    for row in rows(r"root\cimv2", "SELECT * FROM SoftwareLicensingService", _KMS):
        for name in _KMS:
            if isinstance(row[name], str) and row[name]:
                return str(row[name])
    return ""


def _restore_points() -> Reading[tuple[float, ...]]:
    origin = "SystemRestore"
    found: list[float] = []
    for row in rows(r"root\default", f"SELECT * FROM {origin}", ("CreationTime",)):  # noqa: S608
        text = row["CreationTime"]
        moment = wmidata.cim_datetime(text) if isinstance(text, str) else None
        if moment is None:
            return Unknown(Cause.MALFORMED, "还原点没有可识别的创建时间", origin)
        found.append(moment)
    return Known(tuple(sorted(found)), origin)
