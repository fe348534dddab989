"""Networks the terminal joined lately without a cable, or by dialling: from the records of its connection managers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from ybscan.hosts.base import Host
from ybscan.hosts.groups.network import HISTORY, SavedNetwork
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes._patterns import like
from ybscan.probes.base import Context, Probe

#: How far a time may lie ahead before the clock is in doubt.
_SLACK = timedelta(minutes=5)

#: Kinds of connections other than by cable, in the administrator's words.
LABELS = {
    "wifi": "无线网络", "gsm": "移动网络", "cdma": "移动网络", "wwan": "移动网络", "wimax": "移动网络", "bluetooth": "蓝牙网络",
    "pppoe": "拨号网络", "adsl": "拨号网络", "ppp": "拨号网络", "vpn": "VPN", "wireguard": "VPN", "olpc-mesh": "无线网络",
    "wifi-p2p": "无线网络", "deleted": "已删除配置的网络",
}  # fmt: skip
VPN_KINDS = frozenset({"vpn", "wireguard"})


class SavedNetworkProbe(Probe):
    """Wireless, mobile and dial-up networks remembered, and whether they were used since the last check."""

    name = "net_saved"
    title = "接入过的网络"
    facts = (
        FactSpec(
            "networks", Kind.ITEMS, "保存的无线、移动、拨号和 VPN 网络",
            help="连接管理程序保存的网络（有线除外）。“近期使用”按检查周期计算。只读取名称、类型和时间，不读取密码。",
            linux="NetworkManager 的 system-connections 与 timestamps、wpa_supplicant.conf、/etc/ppp/peers",
            windows="NetworkList\\Profiles 的 NameType、DateLastConnected，WLAN 配置与拨号电话簿（rasphone.pbk）",
            fields=(
                Field("id", Kind.TEXT, "名称"),
                Field("kind", Kind.TEXT, "类型"),
                Field("ssid", Kind.TEXT, "无线网络名称"),
                Field("last_used", Kind.TIME, "最近使用"),
                Field("recent", Kind.BOOLEAN, "本检查周期内是否使用"),
                Field("vpn", Kind.BOOLEAN, "是否为 VPN"),
                Field("approved", Kind.BOOLEAN, "是否为批准的 VPN"),
                Field("traceable", Kind.BOOLEAN, "类型是否可知"),
                Field("source", Kind.TEXT, "来源"),
            ),
            summary="{kind} {id}（最近使用：{last_used}，{source}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        saved = host.network.saved()
        if not isinstance(saved, Known):
            return {"networks": saved}
        undated = next((g for g in saved.gaps if g.origin == HISTORY), None)
        items = [_item(n, undated, context) for n in saved.value if n.kind in LABELS]
        return {"networks": Known(tuple(items), saved.origin, saved.gaps)}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.net_saved import networks

        return {"networks": networks(host, context, vpn_approved)}


def recent(network: SavedNetwork, undated: Gap | None, context: Context) -> bool | Unknown:
    """Whether the network was used within the look-back."""
    if network.last_used is None:
        if undated is not None:
            return Unknown(undated.cause, undated.detail, undated.origin)
        return False if network.dated else Unknown(Cause.UNAVAILABLE, "该配置不记录使用时间", network.source)
    when = datetime.fromtimestamp(network.last_used, UTC)
    if when > context.now + _SLACK:
        return Unknown(Cause.MALFORMED, "使用时间晚于检查时刻，系统时钟可能有误", network.source)
    return when >= context.now - context.window


def vpn_approved(context: Context, *names: str) -> bool | Unknown:
    """Whether one of a VPN's names is among those the unit approved."""
    approved = context.site.network.vpn
    if approved is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 network.vpn", "site.yml")
    return any(like(n, approved) for n in names if n)


def _item(network: SavedNetwork, undated: Gap | None, context: Context) -> Item:
    vpn = network.kind in VPN_KINDS
    when: FieldValue = None
    if network.last_used is not None:
        when = datetime.fromtimestamp(network.last_used, context.now.tzinfo or UTC)
    traceable: FieldValue = True
    if network.kind == "deleted":
        traceable = Unknown(Cause.UNCONFIRMED, "配置已删除，不能得知是何种网络，需核实")
    return {
        "id": network.id, "kind": LABELS[network.kind], "ssid": network.ssid or None, "last_used": when,
        "recent": recent(network, undated, context), "vpn": vpn,
        "approved": vpn_approved(context, network.id, network.interface) if vpn else False,
        "traceable": traceable, "source": network.source,
    }  # fmt: skip


PROBES = (SavedNetworkProbe(),)
