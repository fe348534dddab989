"""Reading the packet filter of a host without changing it.

``nft list ruleset`` makes the kernel load nf_tables when it is a module and not there yet (the netfilter netlink
subsystem asks for it, nfnetlink_rcv_msg); so it is run only when nf_tables is known to be present, or the kernel has no
loadable modules at all. When it is present, every extension that a rule uses is loaded already, so that listing loads
nothing. The old iptables back end has no such way of asking: its tables are known by name only
(/proc/net/ip_tables_names), their rules are not readable without a command that may load modules.
"""

from __future__ import annotations

import re

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown
from ybscan.probes._netfilter.exposure import Firewall
from ybscan.probes._netfilter.ranges import Family
from ybscan.probes._netfilter.ruleset import Ruleset, parse

_LEGACY: dict[Family, str] = {"ipv4": "/proc/net/ip_tables_names", "ipv6": "/proc/net/ip6_tables_names"}
_ALL_TABLES = frozenset({"filter", "nat", "mangle", "raw", "security"})
_OUTSIDE = frozenset(
    {"ethernet", "wireless", "wwan", "bluetooth", "usb-tether", "usb-ethernet", "vlan", "ppp", "other"}
)


def read_firewall(host: Host) -> Reading[Firewall]:
    """The packet filter; Unknown when it cannot be read completely enough to say anything."""
    ruleset = read_ruleset(host)
    if not isinstance(ruleset, Known):
        return ruleset
    legacy: dict[Family, frozenset[str]] = {}
    for family, path in _LEGACY.items():
        names = host.files.text(path=path)
        if isinstance(names, Known):
            words = names.value.split()
            legacy[family] = frozenset(words) if all(re.fullmatch(r"\w+", w) for w in words) else _ALL_TABLES
        else:
            legacy[family] = frozenset() if isinstance(names, Absent) else _ALL_TABLES
    return Known(Firewall(ruleset.value, legacy, _interfaces(host)), ruleset.origin)


def read_ruleset(host: Host) -> Reading[Ruleset]:
    """The nftables rules, those of iptables-nft included; an empty ruleset when the kernel has no nf_tables."""
    elevated = host.system.elevated()
    if isinstance(elevated, Unknown):
        return elevated
    if not (isinstance(elevated, Known) and elevated.value is True):
        return Unknown(Cause.DENIED, "读取防火墙规则需要 root 权限", "nft list ruleset")
    present = _present(host)
    if isinstance(present, Unknown):
        return present
    if not present:
        return Known(Ruleset({}, {}), "/proc/modules")
    listings: list[str] = []
    for args in (("-j", "list", "ruleset"), ("-a", "list", "ruleset")):
        output = host.tools.run(tool="NFT", args=args)
        if not isinstance(output, Known):
            return output if isinstance(output, Unknown) else Unknown(Cause.UNAVAILABLE, "nft", "nft list ruleset")
        if output.value.code != 0:
            said = (output.value.stderr.strip().splitlines() or [""])[0][:120]
            cause = Cause.DENIED if "not permitted" in output.value.stderr else Cause.TOOL_FAILED
            return Unknown(cause, f"nft {' '.join(args)}：{said}", "nft list ruleset")
        listings.append(output.value.stdout)
    try:
        return Known(parse(*listings), "nft list ruleset")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Unknown(Cause.MALFORMED, "nft list ruleset 的输出无法识别", "nft list ruleset")


def _present(host: Host) -> bool | Unknown:
    """Whether the running kernel has nf_tables, so that asking for its rules loads nothing."""
    modules = host.files.text(path="/proc/modules")
    if isinstance(modules, Unknown):
        return modules
    if isinstance(modules, Absent):
        return True  # a kernel without loadable modules: whatever it can do is built in
    lines = modules.value.splitlines()
    if any(not re.match(r"\w+ \d+ ", line) for line in lines):
        return Unknown(Cause.MALFORMED, "/proc/modules", "/proc/modules")
    if any(line.startswith("nf_tables ") for line in lines):
        return True
    if isinstance(host.files.stat(path="/sys/module/nf_tables"), Known):
        return True
    identity = host.system.identity()
    release = identity.value.kernel if isinstance(identity, Known) else ""
    if not re.fullmatch(r"[\w.+~-]+", release):
        return Unknown(Cause.UNAVAILABLE, "无法确定内核版本", "uname -r")
    path = f"/lib/modules/{release}/modules.builtin"
    builtin = host.files.text(path=path)
    if not isinstance(builtin, Known):
        return Unknown(Cause.UNAVAILABLE, f"无法确定内核是否含有 nf_tables（{path} 不可读）", path)
    if "kernel/" not in builtin.value:
        return Unknown(Cause.MALFORMED, path, path)
    return "/nf_tables.ko" in builtin.value


def _interfaces(host: Host) -> frozenset[str] | None:
    """Interfaces through which the outside comes in: real ones, and bridges with a real one in them."""
    reading = host.network.interfaces()
    if not isinstance(reading, Known) or reading.gaps:
        return None
    real = {i.name for i in reading.value if i.kind in _OUTSIDE}
    masters = {i.master for i in reading.value if i.name in real and i.master}
    return frozenset((real - {i.name for i in reading.value if i.master}) | masters)
