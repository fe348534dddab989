"""The active probe of the Internet: only on the unit's written order, since the probe itself is traffic to the Internet.

It opens a TCP connection to each target through each interface in use and closes it again; nothing is sent through it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._addresses import is_public
from ybscan.probes.base import Context, Probe

#: How long one connection may take, and how many are tried at once.
_SECONDS = 2.0
_AT_ONCE = 8

_TARGET = re.compile(r"^(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<v4>[0-9.]+)):(?P<port>\d{1,5})$")
_OFF = Unknown(
    Cause.NOT_PERMITTED,
    "未启用主动探测：探测本身就是访问互联网的流量，须经书面批准后在 site.yml 中设置 egress.active: true",
    "site.yml",
)


class EgressProbe(Probe):
    """Whether any of the named Internet targets could be reached at the moment of the check."""

    name = "net_egress"
    title = "互联网连通性主动探测"
    facts = (
        FactSpec(
            "attempts", Kind.ITEMS, "主动探测",
            help="向单位指定的探测点逐个接口建立 TCP 连接后立即断开，不发送任何内容。仅在单位书面批准并启用后进行。",
            linux="TCP 连接，按接口绑定", windows="TCP 连接，按源地址绑定",
            fields=(
                Field("target", Kind.TEXT, "探测点"),
                Field("interface", Kind.TEXT, "经由接口"),
                Field("reached", Kind.BOOLEAN, "是否连通"),
            ),
            summary="{target}（经由 {interface}）",
        ),
        FactSpec(
            "reached", Kind.BOOLEAN, "主动探测结果",
            help="任一探测点经任一接口连通即为连通；有探测没有得出结论时无法判定。",
            linux="TCP 连接，按接口绑定", windows="TCP 连接，按源地址绑定",
            words=("检查时连通了互联网探测点", "检查时未能连通所列互联网探测点"),
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        egress = context.site.egress
        if not egress.active:
            return {"attempts": _OFF, "reached": _OFF}
        if not egress.targets:
            missing = Unknown(Cause.NOT_CONFIGURED, "site.yml 的 egress.targets", "site.yml")
            return {"attempts": missing, "reached": missing}
        gaps: list[Gap] = []
        through = _interfaces(host, gaps)
        wanted = [(t, i) for t in dict.fromkeys(egress.targets) for i in through]
        own = context.site.network.networks
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            answers = list(pool.map(lambda w: _attempt(host, w[0], w[1], own), wanted))
        items: list[Item] = [
            {"target": t, "interface": i or "系统自选", "reached": a} for (t, i), a in zip(wanted, answers, strict=True)
        ]
        origin = f"主动探测（批准文号：{egress.authorised_by or '未填写'}）"
        return {"attempts": Known(tuple(items), origin, tuple(gaps)), "reached": _result(answers, gaps, origin)}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return self.read_linux(host, context)


def _interfaces(host: Host, gaps: list[Gap]) -> tuple[str, ...]:
    """The interfaces to try; the empty name first, for whatever way the system itself would choose."""
    interfaces = host.network.interfaces()
    if not isinstance(interfaces, Known):
        gaps.append(interfaces.as_gap() if isinstance(interfaces, Unknown) else Gap(Cause.UNAVAILABLE, "网络接口"))
        return ("",)
    gaps.extend(interfaces.gaps)
    return ("", *(i.name for i in interfaces.value if i.kind != "loopback" and i.up and i.addresses))


def _attempt(host: Host, target: str, interface: str, own: tuple[str, ...] | None) -> FieldValue:
    match = _TARGET.match(target.strip())
    port = int(match["port"]) if match else 0
    try:
        address = str(ipaddress.ip_address((match["v4"] or match["v6"]) if match else ""))
    except ValueError:
        return Unknown(Cause.MALFORMED, f"探测目标“{target[:60]}”应写成 IP 地址:端口，例如 223.5.5.5:53")
    if not 0 < port < 65536:
        return Unknown(Cause.MALFORMED, f"探测目标“{target[:60]}”的端口应在 1 至 65535 之间")
    if is_public(address, own or ()) is not True:
        return Unknown(Cause.MALFORMED, f"探测目标“{target[:60]}”不是互联网地址，连不通不能说明问题")
    reading = host.network.reach(target=address, port=port, interface=interface, seconds=_SECONDS)
    if isinstance(reading, Absent):
        return Unknown(Cause.UNAVAILABLE, "没有探测结果")
    return reading.value if isinstance(reading, Known) else reading


def _result(answers: list[FieldValue], gaps: list[Gap], origin: str) -> Fact:
    if any(a is True for a in answers):
        return Known(True, origin)
    doubt = next((a for a in answers if isinstance(a, Unknown)), None)
    if doubt is not None:
        return doubt
    if gaps:
        return Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin)
    return Known(False, origin)


PROBES = (EgressProbe(),)
