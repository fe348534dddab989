"""Wireless, mobile, Bluetooth and tethering adapters of Windows: there, switched on, switched off.

Sources: GetAdaptersAddresses (IfType 71, 243, 244), WlanQueryInterface (radio state), the configuration manager's
problem codes (22: disabled), device nodes of the classes Net and Bluetooth.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.hosts.groups.devices import Device
from ybscan.hosts.groups.network import Interface, InterfaceKind, Radio
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown
from ybscan.probes._patterns import like
from ybscan.probes._windows.adapters import BLUETOOTH_CLASS, NET_CLASS, adapter_of, adapters, connection_name, kind_of
from ybscan.probes._windows.keys import Keys

_ON, _OFF, _UNSURE = "已启用", "已禁用，未拆除", "状态未知"
_DISABLED = 22
#: A radio's own node, and not that of a phone or headset that was paired with it.
_PAIRED = re.compile(r"^(bth|bthenum|bthle|bthledevice|bthhfenum|swd)\\", re.IGNORECASE)
#: Nodes that Windows makes while a radio is on.
_RADIO_ON = re.compile(r"^bth\\ms_(bthbrb|bthle)\\", re.IGNORECASE)


def radios(host: Host, labels: Mapping[str, str], allowed: tuple[str, ...]) -> Fact:
    """The adapters by which the terminal could leave its network without a cable.

    Interfaces tell the state of what is switched on; device nodes also show what is disabled, and what protocol a
    USB device speaks.
    """
    keys = Keys(host)
    known = adapters(keys)
    nodes = _nodes(host, NET_CLASS, keys.gaps)
    interfaces = host.network.interfaces()
    if not isinstance(interfaces, Known):
        keys.gaps.append(_why(interfaces, "网络接口").as_gap())
    live = {i.id.upper(): i for i in interfaces.value if i.id} if isinstance(interfaces, Known) else {}
    inner = {a.id for a in known if a.inner}
    found = _Adapters(host, labels, allowed)
    for i in interfaces.value if isinstance(interfaces, Known) else ():
        if i.kind in labels and (i.running or i.id.upper() not in inner):
            found.interface(i, i.kind, certain=i.kind != "usb-ethernet")
    if isinstance(interfaces, Known):
        keys.gaps.extend(interfaces.gaps)
    for node in nodes:
        adapter = adapter_of(keys, node, known)
        kind, certain = kind_of(node, adapter)
        if kind is None or kind not in labels:
            continue
        guid = adapter.id if adapter else ""
        name = (connection_name(keys, guid) if guid else "") or node.name or node.instance
        interface = live.get(guid) if guid else None
        if interface is None:
            found.node(node, kind, name, isinstance(interfaces, Known))
        elif interface.kind != kind and interface.kind not in ("usb-tether", "wireless", "wwan", "bluetooth"):
            found.interface(interface, kind, certain=certain)
    bluetooth = _nodes(host, BLUETOOTH_CLASS, keys.gaps)
    on = any(_RADIO_ON.match(n.instance) and n.present and n.problem == 0 for n in bluetooth)
    for node in bluetooth:
        if not _PAIRED.match(node.instance):
            found.bluetooth(node, on)
    return Known(tuple(found.items), "网络接口与设备", keys.all_gaps())


def _why(reading: Reading[tuple[Interface, ...]], what: str) -> Unknown:
    return reading if isinstance(reading, Unknown) else Unknown(Cause.UNAVAILABLE, what)


def _nodes(host: Host, guid: str, gaps: list[Gap]) -> tuple[Device, ...]:
    nodes = host.devices.of_class(guid=guid)
    if isinstance(nodes, Unknown):
        gaps.append(nodes.as_gap())
    if not isinstance(nodes, Known):
        return ()
    gaps.extend(nodes.gaps)
    return tuple(n for n in nodes.value if n.present is not False)


class _Adapters:
    """The items, and what the wireless switches say."""

    def __init__(self, host: Host, labels: Mapping[str, str], allowed: tuple[str, ...]) -> None:
        self.items: list[Item] = []
        self._labels, self._allowed = labels, allowed
        self._switches = host.network.radios()

    def interface(self, i: Interface, kind: InterfaceKind, *, certain: bool) -> None:
        enabled: FieldValue = i.up
        if kind == "wireless":
            enabled = self._wireless(i)
        elif kind == "usb-ethernet" and i.up and not certain:
            enabled = Unknown(Cause.UNCONFIRMED, "手机共享网络和普通 USB 网卡都使用这一协议，需现场核实是何设备")
        self._add(kind, i.name, i.driver, enabled, connected=i.running, other=i.detail)

    def node(self, node: Device, kind: InterfaceKind, name: str, asked: bool) -> None:
        """A device that none of the interfaces is."""
        enabled = _state(node)
        if enabled is True:
            what = "设备正常，但没有看到它的网络接口" if asked else "网络接口无法读取"
            enabled = Unknown(Cause.UNAVAILABLE, what)
        self._add(kind, name, node.service, enabled, other=node.name)

    def bluetooth(self, node: Device, on: bool) -> None:
        enabled = _state(node)
        if enabled is True and not on:
            enabled = Unknown(Cause.UNCONFIRMED, "蓝牙适配器在位，开关状态无法得知，需现场核实")
        self._add("bluetooth", node.name or node.instance, node.service, enabled, label="蓝牙适配器")

    def _wireless(self, i: Interface) -> FieldValue:
        if i.running:
            return True
        if not isinstance(self._switches, Known):
            why = self._switches if isinstance(self._switches, Unknown) else Unknown(Cause.UNAVAILABLE, "无线服务")
            return Unknown(why.cause, f"无线开关状态：{why.detail}", why.origin)
        radio = next((r for r in self._switches.value if _same(r, i)), None)
        if radio is None or radio.on is None:
            return Unknown(Cause.UNAVAILABLE, "无线开关状态无法读取（无线服务可能没有运行）")
        return radio.on or radio.connected

    def _add(
        self, kind: InterfaceKind, name: str, driver: str, enabled: FieldValue, *, connected: bool = False,
        other: str = "", label: str = "",
    ) -> None:  # fmt: skip
        state = _UNSURE if isinstance(enabled, Unknown) else _ON if enabled else _OFF
        self.items.append(
            {
                "name": name, "kind": label or self._labels[kind], "driver": driver or None, "enabled": enabled,
                "state": state + ("，已连接" if enabled is True and connected else ""),
                "approved": any(like(n, self._allowed) for n in (name, other) if n),
            }
        )  # fmt: skip


def _same(radio: Radio, i: Interface) -> bool:
    return bool(i.id) and radio.id.upper() == i.id.upper()


def _state(node: Device) -> bool | Unknown:
    """Whether the device works; what is not plugged in was left out before."""
    if node.present is None:
        return Unknown(Cause.UNSUPPORTED, "未运行的系统盘看不出设备是否在位、是否启用")
    if node.problem is None:
        return Unknown(Cause.UNAVAILABLE, "设备状态无法读取")
    if node.problem == _DISABLED:
        return False
    return True if node.problem == 0 else Unknown(Cause.UNCONFIRMED, f"设备有故障（代码 {node.problem}），需核实")
