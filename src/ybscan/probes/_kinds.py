"""Kinds of interfaces in the administrator's words."""

from __future__ import annotations

from collections.abc import Mapping

from ybscan.hosts.groups.network import InterfaceKind

KIND_TEXT: Mapping[InterfaceKind, str] = {
    "ethernet": "有线网卡", "wireless": "无线网卡", "wwan": "移动网卡", "bluetooth": "蓝牙网络", "usb-tether": "USB 共享网络",
    "usb-ethernet": "USB 网络设备", "bridge": "网桥", "bond": "聚合", "vlan": "子接口", "tunnel": "隧道", "ppp": "拨号",
    "loopback": "回环", "virtual": "虚拟网卡", "container": "虚拟网线", "other": "其他",
}  # fmt: skip
