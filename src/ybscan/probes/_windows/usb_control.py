"""What keeps USB storage out of a Windows terminal: drivers, access policy, installation policy, other products.

Sources: the ``Start`` value of the services USBSTOR and UASPStor (the second from Windows 8 on); supported-usb-classes
of the driver documentation. A service key that is missing is no obstacle: Windows makes it when the first device comes.
"""

from __future__ import annotations

from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, Item
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown
from ybscan.probes._usb import as_fact
from ybscan.probes._windows import install_policy, removable_policy
from ybscan.probes._windows.settings import SERVICES, before_windows_8, either, switch
from ybscan.probes.base import Context

_DRIVERS = ("USBSTOR", "UASPStor")
#: Ids in the detection dictionary of products that control devices, and whose processes no other product has.
_PRODUCTS = frozenset({"vrv"})


def read(host: Host, context: Context) -> Mapping[str, Fact]:
    """All facts of the probe."""
    items = {name: _driver(host, name) for name in _DRIVERS}
    return {
        "drivers": Known(tuple(items.values()), "；".join(f"{n}：{i['how']}" for n, i in items.items())),
        "deauthorised": Absent("Windows 没有 udev"),
        "device_policy": as_fact(install_policy.keeps_out(host, install_policy.STORAGE)),
        "phone_policy": as_fact(either(removable_policy.phones_closed(host), _phones(host))),
        "mount_denied": as_fact(removable_policy.disks_closed(host)),
        "read_only": as_fact(_read_only(host, context, items["UASPStor"])),
        "vendor": _products(host, context),
    }


def _driver(host: Host, name: str) -> Item:
    found = switch(host, name)
    blocked, how = found.off, found.how
    if not found.present:
        how = f"{name} 服务项不存在，插入设备时系统会自动安装"
        if name == "UASPStor":
            old = before_windows_8(host)
            if old is True:
                blocked, how = True, "Windows 7 没有 UAS 驱动"
            elif isinstance(old, Unknown):
                blocked, how = old, "UASPStor 服务项不存在，系统版本未知"
    return {"name": name, "blocked": blocked, "how": how, "path": f"{SERVICES}\\{name}", "loaded": found.running}


def _phones(host: Host) -> Reading[bool]:
    return install_policy.keeps_out(host, install_policy.PHONES)


def _read_only(host: Host, context: Context, uas: Item) -> Reading[bool]:
    if context.site.usb.profile != "read-only":
        return Known(False, "site.yml 的 usb.profile")
    blocked = uas["blocked"]
    without_uas = blocked if isinstance(blocked, (bool, Unknown)) else False
    protected = removable_policy.write_protected(host, without_uas=without_uas)
    return either(removable_policy.disks_closed(host, removable_policy.WRITE), protected)


def _products(host: Host, context: Context) -> Fact:
    """Unknown where a product that controls devices runs: what it forbids nobody outside can read."""
    running = host.processes.running()
    if not isinstance(running, Known):
        nowhere = not isinstance(running, Unknown) or running.cause is Cause.UNSUPPORTED
        return Absent("进程列表") if nowhere else running
    names = {p.name.lower() for p in running.value}
    for product in context.dictionary.products:
        if product.id in _PRODUCTS and names & {p.lower() for p in product.windows.processes}:
            why = f"发现{product.name}在运行，其管控策略无法从系统读取；由其管控 USB 的，请在 site.yml 的 delegations 中声明"
            return Unknown(Cause.UNCONFIRMED, why, running.origin)
    return Absent(running.origin)
