"""The computer's name against the register, and whether ordinary users may change it or the clock.

Sources: hostname(5), hostname(1), hosts of older Red Hat descendants (``HOSTNAME=`` in /etc/sysconfig/network),
org.freedesktop.hostname1(5) and org.freedesktop.timedate1(5) with their polkit actions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._polkit_grants import Grant, grants
from ybscan.probes._register import registered_name
from ybscan.probes.base import Context, Probe

_STATIC = ("/etc/hostname", "/etc/HOSTNAME")
_SYSCONFIG = "/etc/sysconfig/network"
#: What the administrator reads → the polkit actions it takes.
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "计算机名": ("org.freedesktop.hostname1.set-hostname", "org.freedesktop.hostname1.set-static-hostname"),
    "系统时间": (
        "org.freedesktop.timedate1.set-time", "org.freedesktop.timedate1.set-timezone", "org.freedesktop.timedate1.set-ntp",
    ),
}  # fmt: skip


class ComputerNameProbe(Probe):
    """Name of the computer."""

    name = "computer_name"
    title = "计算机名"
    facts = (
        FactSpec(
            "current", Kind.TEXT, "计算机名", help="登记表中的名称不含域名后缀时，只取第一段比较。大小写不计。",
            linux="gethostname(2)", windows="GetComputerNameEx（ComputerNamePhysicalDnsHostname）",
        ),
        FactSpec(
            "configured", Kind.TEXT, "设置的计算机名", help="重新启动后使用的名称。",
            linux="/etc/hostname，旧系统为 /etc/sysconfig/network 的 HOSTNAME", windows="Tcpip\\Parameters 的 NV Hostname",
        ),
        FactSpec(
            "changeable", Kind.ITEMS, "普通用户可以更改的系统属性",
            help="普通用户不经管理员验证就能更改计算机名或系统时间的授权。",
            linux="polkit 动作的默认授权（/usr/share/polkit-1/actions）、.pkla 与 rules.d 规则",
            windows="SeSystemtimePrivilege 用户权利的持有者",
            fields=(
                Field("what", Kind.TEXT, "项目"),
                Field("allowed", Kind.BOOLEAN, "普通用户可以更改"),
                Field("source", Kind.TEXT, "来源"),
            ),
            summary="{what}（{source}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        listed = registered_name(context)
        short = isinstance(listed, str) and "." not in listed
        return {
            "current": _cut(_current(host), short),
            "configured": _cut(_configured(host), short),
            "changeable": _changeable(host),
        }

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.computer_name import changeable, configured

        listed = registered_name(context)
        short = isinstance(listed, str) and "." not in listed
        return {
            "current": _cut(_current(host), short),
            "configured": _cut(configured(host), short),
            "changeable": changeable(host),
        }


def _cut(name: Reading[str], short: bool) -> Fact:
    if isinstance(name, Known) and short:
        return Known(name.value.split(".")[0], name.origin)
    if isinstance(name, Known):
        return Known(name.value, name.origin)
    return name


def _current(host: Host) -> Reading[str]:
    identity = host.system.identity()
    if not isinstance(identity, Known):
        return identity
    name = identity.value.hostname
    return Known(name, "gethostname") if name else Unknown(Cause.UNAVAILABLE, "系统没有给出计算机名", "gethostname")


def _configured(host: Host) -> Reading[str]:
    for path in _STATIC:
        text = host.files.text(path=path, limit=4096)
        if isinstance(text, Unknown):
            return text
        if isinstance(text, Known):
            lines = [ln.strip() for ln in text.value.splitlines() if ln.strip() and not ln.lstrip().startswith("#")]
            if len(lines) != 1 or not re.fullmatch(r"[\w.-]{1,253}", lines[0]):
                return Unknown(Cause.MALFORMED, path, path)
            return Known(lines[0], path)
    text = host.files.text(path=_SYSCONFIG)
    if isinstance(text, Unknown):
        return text
    found = re.search(r"^[ \t]*HOSTNAME=[\"']?([\w.-]+)", text.value, re.MULTILINE) if isinstance(text, Known) else None
    return Known(found[1], _SYSCONFIG) if found else Absent("/etc/hostname")


def _changeable(host: Host) -> Fact:
    gaps: list[Gap] = []
    found = grants(host, tuple(a for actions in ACTIONS.values() for a in actions), gaps)
    items: list[Item] = []
    for what, actions in ACTIONS.items():
        mine = [g for g in found if g.action in actions]
        for grant in _worst(mine):
            items.append({"what": what, "allowed": grant.allowed, "source": grant.source})
    return Known(tuple(items), "polkit", tuple(dict.fromkeys(gaps)))


def _worst(found: list[Grant]) -> list[Grant]:
    """Each source once; a certain grant hides the doubts about the same thing."""
    certain = [g for g in found if g.allowed is True]
    chosen: dict[str, Grant] = {}
    for grant in certain or found:
        chosen.setdefault(grant.source, grant)
    return [chosen[s] for s in sorted(chosen)]


PROBES = (ComputerNameProbe(),)
