"""Adapters that need no cable into the wall: wireless, mobile, Bluetooth, phones on USB. Their radio state, not what they hear.

Sources: Documentation/ABI/stable/sysfs-class-rfkill (``soft``, ``hard``; 1 is blocked), sysfs class net and bluetooth,
BlueZ D-Bus API (Adapter1.Powered). No scan, no list of networks nearby.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from ybscan.hosts.base import Host
from ybscan.hosts.groups.network import Interface
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes._patterns import like
from ybscan.probes.base import Context, Probe

_LABELS = {
    "wireless": "无线网卡", "wwan": "移动数据网卡", "usb-tether": "手机或上网卡的 USB 共享网络", "usb-ethernet": "USB 网络设备",
    "bluetooth": "蓝牙网络",
}  # fmt: skip
_RFKILL = "/sys/class/rfkill"
_BLUETOOTH = "/sys/class/bluetooth"
_ON = "已启用"
_OFF = "已禁用，未拆除"


class AdapterProbe(Probe):
    """Adapters by which a terminal could leave the private network without a cable."""

    name = "net_adapters"
    title = "无线、移动网络与共享网络适配器"
    facts = (
        FactSpec(
            "radios", Kind.ITEMS, "无线、蓝牙、移动网络和 USB 共享网络适配器",
            help="按系统登记的设备类型识别，不看接口名称。无线开关（rfkill）关闭、接口停用、设备在设备管理器中停用的为已禁用。",
            linux="/sys/class/net、/sys/class/rfkill、/sys/class/bluetooth",
            windows="GetAdaptersAddresses 的 IfType 71、243、244，WlanQueryInterface 的无线开关状态，网络与蓝牙类设备的兼容标识和故障代码",
            fields=(
                Field("name", Kind.TEXT, "名称"),
                Field("kind", Kind.TEXT, "类型"),
                Field("driver", Kind.TEXT, "驱动"),
                Field("enabled", Kind.BOOLEAN, "是否启用"),
                Field("state", Kind.TEXT, "状态"),
                Field("approved", Kind.BOOLEAN, "是否经批准"),
            ),
            summary="{kind} {name}（驱动 {driver}，{state}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        allowed = context.site.network.interfaces_allowed or ()
        gaps: list[Gap] = []
        items: list[Item] = []
        interfaces = host.network.interfaces()
        if not isinstance(interfaces, Known):
            return {"radios": interfaces}
        gaps.extend(interfaces.gaps)
        unread: list[Gap] = []
        switches = _switches(host, unread)
        gaps.extend(unread)
        for i in interfaces.value:
            if i.kind in _LABELS:
                items.append(_interface(host, i, switches, unread, approved=like(i.name, allowed)))
        items.extend(_bluetooth(host, switches, allowed, gaps))
        return {"radios": Known(tuple(items), "/sys/class", tuple(dict.fromkeys(gaps)))}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.net_adapters import radios

        return {"radios": radios(host, _LABELS, context.site.network.interfaces_allowed or ())}


Switches = Mapping[str, bool]
"""Where the device of an rfkill switch really lies → whether it is blocked."""


def _switches(host: Host, gaps: list[Gap]) -> Switches:
    names = host.files.entries(path=_RFKILL)
    if isinstance(names, Unknown):
        gaps.append(names.as_gap())
    found: dict[str, bool] = {}
    for name in names.value if isinstance(names, Known) else ():
        device = host.files.real(path=f"{_RFKILL}/{name}/device")
        states = [host.files.text(path=f"{_RFKILL}/{name}/{s}", limit=64) for s in ("soft", "hard")]
        if isinstance(device, Known) and all(isinstance(s, Known) for s in states):
            found[device.value] = any(isinstance(s, Known) and s.value.strip() == "1" for s in states)
        gaps.extend(s.as_gap() for s in (device, *states) if isinstance(s, Unknown))
    return found


def _interface(host: Host, i: Interface, switches: Switches, unread: list[Gap], *, approved: bool) -> Item:
    enabled: FieldValue = i.up
    state = _ON + ("，已连接" if i.running else "") if i.up else _OFF
    if i.kind == "wireless" and i.up and not i.running:
        phy = host.files.real(path=f"/sys/class/net/{i.name}/phy80211")
        if isinstance(phy, Known) and switches.get(phy.value):
            enabled, state = False, _OFF + "（无线开关已关闭）"
        elif isinstance(phy, Unknown) or unread:
            # Up without a connection, and the switch not legible: on or blocked, nobody knows.
            why = phy if isinstance(phy, Unknown) else unread[0]
            enabled, state = Unknown(why.cause, f"无线开关状态：{why.detail}", why.origin), "状态未知"
    if i.kind == "usb-ethernet" and i.up:
        enabled = Unknown(Cause.UNCONFIRMED, "手机共享网络和普通 USB 网卡都使用这一驱动，需现场核实是何设备")
    return {
        "name": i.name, "kind": _LABELS[i.kind], "driver": i.driver or None, "enabled": enabled, "state": state,
        "approved": approved,
    }  # fmt: skip


def _bluetooth(host: Host, switches: Switches, allowed: tuple[str, ...], gaps: list[Gap]) -> Iterator[Item]:
    names = host.files.entries(path=_BLUETOOTH)
    if isinstance(names, Unknown):
        gaps.append(names.as_gap())
    for name in names.value if isinstance(names, Known) else ():
        if not re.fullmatch(r"hci\d+", name):
            continue  # a connection of an adapter (hci0:256)
        driver = host.files.link(path=f"{_BLUETOOTH}/{name}/device/driver")
        place = host.files.real(path=f"{_BLUETOOTH}/{name}")
        enabled = _powered(host, name)
        if isinstance(place, Known) and switches.get(place.value):
            enabled = False
        state = "状态未知" if isinstance(enabled, Unknown) else _ON if enabled else _OFF
        yield {
            "name": name, "kind": "蓝牙适配器", "driver": driver.value.rsplit("/", 1)[-1] if isinstance(driver, Known) else None,
            "enabled": enabled, "state": state, "approved": like(name, allowed),
        }  # fmt: skip


def _powered(host: Host, name: str) -> bool | Unknown:
    """Whether the adapter is switched on. Without its daemon nothing switches it on, and asking D-Bus would start that."""
    running = host.processes.running()
    if not isinstance(running, Known):
        return running if isinstance(running, Unknown) else Unknown(Cause.UNAVAILABLE, "进程列表")
    if not any(p.name == "bluetoothd" for p in running.value):
        hidden = next((g for g in running.gaps if g.origin == "/proc"), None)
        return Unknown(hidden.cause, hidden.detail) if hidden else False
    args = ("--json=short", "get-property", "org.bluez", f"/org/bluez/{name}", "org.bluez.Adapter1", "Powered")
    output = host.tools.run(tool="BUSCTL", args=args)
    if not isinstance(output, Known):
        return output if isinstance(output, Unknown) else Unknown(Cause.UNAVAILABLE, "busctl")
    try:
        data = json.loads(output.value.stdout)["data"] if output.value.code == 0 else None
    except (ValueError, KeyError, TypeError):
        data = None
    return data if isinstance(data, bool) else Unknown(Cause.TOOL_FAILED, "busctl 对蓝牙开关状态的回答")


PROBES = (AdapterProbe(),)
