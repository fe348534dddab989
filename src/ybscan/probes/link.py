"""How the way to the medical-insurance platform is encrypted: what the unit declared, and what a handshake showed.

Without consent nothing is sent, and then nothing is known about the way. National algorithms (TLCP, SM2/SM3/SM4)
cannot be spoken by this program: no statement is made about them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, Item, Kind
from ybscan.model.reading import Cause, Known, Unknown
from ybscan.probes.base import Context, Probe

_GATEWAYS = {"tlcp": "国密 TLCP 网关", "ipsec": "IPSec VPN", "ssl-vpn": "SSL VPN"}
NONE = "未登记"
_PLATFORM = "site.yml 的 encryption.platform"
_ADDRESS = re.compile(r"(?:(https?)://)?(\[[0-9a-fA-F:.]+\]|[^\s/:\[\]]+)(?::(\d{1,5}))?(?:/.*)?", re.IGNORECASE)


class LinkProbe(Probe):
    """The way to the platform."""

    name = "link"
    title = "医保链路加密"
    facts = (
        FactSpec(
            "gateway", Kind.TEXT, "登记的链路加密设备",
            help="单位登记的承担链路加密的网关或 VPN 及其批准、验收文件编号。这是单位的登记，不是检测结果；"
            "本程序不能验证国密协议，也不能据此得出密码应用安全性评估的结论。",
            linux="site.yml 的 encryption.gateway", windows="site.yml 的 encryption.gateway",
        ),
        FactSpec(
            "sessions", Kind.ITEMS, "与医保平台的连接方式",
            help="平台地址写明 http:// 的为明文，不需要连接即可判断；其余须经单位同意（reach 含 tls）后做一次 TLS 握手。",
            linux="site.yml 的 encryption.platform；TLS 握手", windows="site.yml 的 encryption.platform；TLS 握手",
            fields=(
                Field("target", Kind.TEXT, "平台地址"),
                Field("encrypted", Kind.BOOLEAN, "已加密"),
                Field("version", Kind.VERSION, "TLS 版本"),
                Field("valid", Kind.BOOLEAN, "证书有效"),
                Field("expires", Kind.TIME, "证书到期"),
            ),
            summary="{target}（已加密：{encrypted}，TLS 版本：{version}，证书有效：{valid}，到期：{expires}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return read_link(context)

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return read_link(context)


def read_link(context: Context) -> Mapping[str, Fact]:
    """Both facts; they hang on the unit's settings, not on the system."""
    return {"gateway": _gateway(context), "sessions": _sessions(context)}


def _gateway(context: Context) -> Fact:
    gateway = context.site.encryption.gateway
    if gateway is None:
        return Known(NONE, "site.yml 的 encryption.gateway")
    text = f"{_GATEWAYS[gateway.kind]}（{gateway.product}，文件编号 {gateway.document}）"
    return Known(text, "site.yml 的 encryption.gateway")


def _sessions(context: Context) -> Fact:
    platform = context.site.encryption.platform
    if platform is None:
        return Unknown(Cause.NOT_CONFIGURED, _PLATFORM, "site.yml")
    m = _ADDRESS.fullmatch(platform.strip())
    if m is None or not (m[3] is None or 1 <= int(m[3]) <= 65535):
        return Unknown(Cause.MALFORMED, f"{_PLATFORM}“{platform[:60]}”不是地址", "site.yml")
    if (m[1] or "").casefold() == "http":
        item: Item = {"target": platform, "encrypted": False, "version": None, "valid": None, "expires": None}
        return Known((item,), _PLATFORM)
    if "tls" not in context.site.reach:
        return Unknown(Cause.NOT_PERMITTED, "未经单位同意（site.yml 的 reach 不含 tls），不连接医保平台", "site.yml")
    return Unknown(Cause.UNSUPPORTED, "本版本不能做 TLS 握手，请由平台方或网络管理员确认", _PLATFORM)


PROBES = (LinkProbe(),)
