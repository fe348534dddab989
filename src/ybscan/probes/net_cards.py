"""Hardware addresses of the network cards: as registered, and as the maker gave them.

Sources: Documentation/ABI/testing/sysfs-class-net (``addr_assign_type``: 0 permanent, 1 random, 2 stolen from another
device, 3 set), rtnetlink(7) IFLA_PERM_ADDRESS, which ip-link(8) prints as ``permaddr`` only where it differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ybscan.hosts.base import Host
from ybscan.hosts.groups.network import Interface
from ybscan.hosts.linux.iproute import ask_ip
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown
from ybscan.probes._kinds import KIND_TEXT
from ybscan.probes._profiles import bare, read_profiles
from ybscan.probes._register import registered_macs
from ybscan.probes.base import Context, Probe

_CARDS = frozenset({"ethernet", "wireless", "usb-ethernet", "usb-tether"})
_ASSIGNED = {"0": "出厂地址", "1": "系统随机生成", "2": "沿用其他设备", "3": "由系统设置"}
#: First ``ip`` option set shared with the list of interfaces, so that the terminal is asked once.
_IP = ("-j", "-d", "addr")


class CardsProbe(Probe):
    """Hardware addresses."""

    name = "net_cards"
    title = "网卡物理地址"
    facts = (
        FactSpec(
            "cards", Kind.ITEMS, "网卡",
            help="有硬件的网卡及其当前物理地址（MAC），与终端登记表比对；出厂地址读得到时，核对当前地址是否被改过。",
            linux="/sys/class/net/*/address 与 addr_assign_type，ip -j -d addr 的 permaddr",
            windows="GetIfTable2 的 PhysicalAddress、PermanentPhysicalAddress，网卡类注册表的 NetworkAddress",
            fields=(
                Field("interface", Kind.TEXT, "网络接口"),
                Field("kind", Kind.TEXT, "接口类型"),
                Field("mac", Kind.TEXT, "当前地址"),
                Field("permanent", Kind.TEXT, "出厂地址"),
                Field("up", Kind.BOOLEAN, "已启用"),
                Field("assigned", Kind.TEXT, "地址来源"),
                Field("registered", Kind.BOOLEAN, "与登记一致"),
                Field("altered", Kind.BOOLEAN, "被改过"),
            ),
            summary="{interface}（{kind}，当前 {mac}，出厂 {permanent}，{assigned}，与登记一致：{registered}，被改过：{altered}）",
        ),
        FactSpec(
            "overrides", Kind.ITEMS, "改换网卡地址的设置",
            help="为有线网卡指定或随机生成另一个物理地址的设置。无线网卡的随机地址由网卡的当前地址判断。",
            linux="NetworkManager 的 cloned-mac-address、ifcfg 的 MACADDR、ifupdown 的 hwaddress、netplan 的 macaddress、systemd 的 .link",
            windows="网卡类注册表的 NetworkAddress",
            fields=(
                Field("interface", Kind.TEXT, "网络接口"),
                Field("value", Kind.TEXT, "设置"),
                Field("source", Kind.TEXT, "来源"),
            ),
            summary="{source}：{value}（接口 {interface}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        found = read_profiles(host)
        overrides: tuple[Item, ...] = tuple(
            {
                "interface": o.interface or None, "source": o.source,
                "value": "使用随机地址" if o.value == "random" else f"指定为 {o.value}",
            }
            for o in sorted(set(found.overrides), key=lambda o: (o.source, o.interface, o.value))
        )  # fmt: skip
        return {
            "cards": _cards(host, context),
            "overrides": Known(overrides, "连接配置文件", tuple(found.gaps)),
        }

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.net_identity import cards, overrides

        return {
            "cards": cards(host, registered_macs(context), bare),
            "overrides": overrides(host, bare),
        }


def _cards(host: Host, context: Context) -> Fact:
    interfaces = host.network.interfaces()
    if not isinstance(interfaces, Known):
        return interfaces
    listed = registered_macs(context)
    permanent = _permanent(host)
    items = tuple(
        _card(host, i, interfaces.value, listed, permanent)
        for i in interfaces.value
        if i.kind in _CARDS and bare(i.mac).strip("0")
    )
    return Known(items, interfaces.origin, interfaces.gaps)


def _card(
    host: Host, interface: Interface, everyone: Sequence[Interface], listed: tuple[str, ...] | Unknown,
    permanent: Reading[Mapping[str, str]],
) -> Item:  # fmt: skip
    path = f"/sys/class/net/{interface.name}/addr_assign_type"
    text = host.files.text(path=path, limit=64)
    assigned: FieldValue = text if isinstance(text, Unknown) else Unknown(Cause.UNAVAILABLE, path, path)
    if isinstance(text, Known):
        assigned = _ASSIGNED.get(text.value.strip(), Unknown(Cause.MALFORMED, path, path))
    factory = permanent.value.get(interface.name) if isinstance(permanent, Known) else None
    registered: FieldValue = listed
    if not isinstance(listed, Unknown):
        # A card in a bond bears the bond's address; its own one stands in the register.
        registered = bare(interface.mac) in listed or (
            factory is not None and bare(factory) in listed and _bonded(interface, everyone)
        )
    return {
        "interface": interface.name, "kind": KIND_TEXT[interface.kind], "mac": interface.mac,
        "permanent": factory or (interface.mac if assigned == "出厂地址" else None), "up": interface.up, "assigned": assigned,
        "registered": registered, "altered": _altered(interface, everyone, assigned, factory, permanent),
    }  # fmt: skip


def _bonded(interface: Interface, everyone: Sequence[Interface]) -> bool:
    return any(i.name == interface.master and i.kind == "bond" for i in everyone)


def _altered(
    interface: Interface, everyone: Sequence[Interface], assigned: FieldValue, factory: str | None,
    permanent: Reading[Mapping[str, str]],
) -> bool | Unknown:  # fmt: skip
    if factory is not None and bare(factory) != bare(interface.mac):
        # A bond gives all its cards one address; that is what bonds do.
        return not _bonded(interface, everyone)
    if isinstance(assigned, Unknown):
        return assigned
    if assigned == "出厂地址":
        # The list must have been seen: a differing permanent address stands only there.
        return False if isinstance(permanent, Known) else permanent if isinstance(permanent, Unknown) else False
    if assigned == "系统随机生成":
        return Unknown(Cause.UNCONFIRMED, f"{interface.name} 没有出厂地址，地址由系统随机生成")
    return Unknown(Cause.UNCONFIRMED, f"{interface.name} 的地址由系统设置过，读不到出厂地址（虚拟机、聚合口也会如此）")


def _permanent(host: Host) -> Reading[Mapping[str, str]]:
    """Interface → permanent address, where it differs from the present one."""
    listed = ask_ip(host.tools, *_IP)
    if not isinstance(listed, Known):
        return listed if isinstance(listed, Unknown) else Absent("ip")
    return Known(
        {str(k["ifname"]): str(k["permaddr"]) for k in listed.value if k.get("permaddr") and k.get("ifname")},
        listed.origin,
    )


PROBES = (CardsProbe(),)
