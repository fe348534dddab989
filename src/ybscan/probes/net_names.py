"""Name resolution: which servers are asked, and what the hosts file claims.

Sources: resolv.conf(5), systemd-resolved.service(8) on its stub and ``/run/systemd/resolve/resolv.conf``,
NetworkManager.conf(5) ``dns=``, hosts(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes._addresses import address_of, is_public
from ybscan.probes._patterns import folded
from ybscan.probes.base import Context, Probe

_RESOLV = "/etc/resolv.conf"
_RESOLVED = "/run/systemd/resolve/resolv.conf"
#: Where the real servers stand when resolv.conf names a server on this machine.
_UPSTREAM = (
    _RESOLVED,
    "/run/NetworkManager/no-stub-resolv.conf",
    "/run/dnsmasq/resolv.conf",
    "/run/resolvconf/resolv.conf",
)
_HOSTS = "/etc/hosts"
#: Names every system gives itself.
_STANDARD = frozenset(
    {
        "localhost", "localhost.localdomain", "localhost4", "localhost4.localdomain4", "localhost6", "localhost6.localdomain6",
        "ip6-localhost", "ip6-loopback", "ip6-localnet", "ip6-mcastprefix", "ip6-allnodes", "ip6-allrouters", "ip6-allhosts",
        "ipv6-localhost", "ipv6-loopback", "ipv6-localnet", "ipv6-mcastprefix", "ipv6-allnodes", "ipv6-allrouters",
        "ipv6-allhosts", "broadcasthost",
    }
)  # fmt: skip


class NameProbe(Probe):
    """DNS servers and hosts entries."""

    name = "net_names"
    title = "DNS 与 hosts"
    facts = (
        FactSpec(
            "resolvers", Kind.ITEMS, "DNS 服务器",
            help="实际使用的 DNS 服务器。resolv.conf 指向本机转发程序时，读取该程序的上级服务器。",
            linux="/etc/resolv.conf、/run/systemd/resolve/resolv.conf、/run/NetworkManager/no-stub-resolv.conf",
            windows="Tcpip、Tcpip6 的 Parameters\\Interfaces 之 NameServer、DhcpNameServer、Dhcpv6DNSServers，组策略与 NRPT 规则",
            fields=(
                Field("address", Kind.ADDRESS, "地址"),
                Field("public", Kind.BOOLEAN, "是否公网服务器"),
                Field("source", Kind.TEXT, "来源"),
            ),
            summary="{address}（{source}）",
        ),
        FactSpec(
            "hosts", Kind.ITEMS, "hosts 条目",
            help="hosts 文件中除本机名称以外的条目，与单位批准的条目比对；批准而没有的也列出。",
            linux="/etc/hosts", windows="Tcpip\\Parameters 的 DataBasePath 下的 hosts",
            fields=(
                Field("name", Kind.TEXT, "域名"),
                Field("address", Kind.TEXT, "地址"),
                Field("deviation", Kind.BOOLEAN, "是否与批准的不同"),
                Field("state", Kind.TEXT, "比对结果"),
            ),
            summary="{name} → {address}（{state}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        identity = host.system.identity()
        own = identity.value.hostname if isinstance(identity, Known) else None
        return {"resolvers": _resolvers(host, context), "hosts": _hosts(host, context, _HOSTS, own)}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.net_names import hosts_path, own_name, resolvers, unapproved

        dns, own = context.site.network.dns or (), context.site.network.networks
        found, gaps = resolvers(host)
        here = sorted({r.address for r in found if _here(r.address) and r.in_use is True})
        if here:
            gaps.append(Gap(Cause.UNAVAILABLE, f"域名解析由本机程序（{'、'.join(here)}）转发，其上级服务器无法得知"))
        items: dict[tuple[str, str], Item] = {
            (r.address, r.source): {
                "address": address, "source": r.source,
                "public": address if isinstance(address, Unknown)
                else False if _approved(r.address, dns) else is_public(r.address, own),
            }
            for r, address in unapproved(found, lambda s: _approved(s, dns)) if not _here(r.address)
        }  # fmt: skip
        ordered = tuple(item for _, item in sorted(items.items()))
        path, moved, unread = hosts_path(host)
        place: Item = {"name": "DataBasePath", "address": path, "deviation": True, "state": "hosts 文件的位置被改动"}
        hosts = _hosts(host, context, path, own_name(host), more=(place,) if moved else (), unread=tuple(unread))
        origin = "Tcpip、Tcpip6 的 Parameters\\Interfaces"
        return {"resolvers": Known(ordered, origin, tuple(dict.fromkeys(gaps))), "hosts": hosts}


# DNS ----------------------------------------------------------------------------------------------------------------


def _resolvers(host: Host, context: Context) -> Fact:
    text = host.files.text(path=_RESOLV)
    if isinstance(text, Unknown):
        return text
    gaps: list[Gap] = []
    found: dict[str, str] = {}
    named = _servers(text.value, _RESOLV, gaps) if isinstance(text, Known) else []
    stub = [s for s in named if _here(s)]
    for server in named:
        if server not in stub:
            found.setdefault(server, _RESOLV)
    resolved = host.files.text(path=_RESOLVED)
    if isinstance(resolved, Known):
        # Programs may ask systemd-resolved past resolv.conf (nss-resolve): its servers count in any case.
        for server in _servers(resolved.value, _RESOLVED, gaps):
            found.setdefault(server, _RESOLVED)
    elif isinstance(resolved, Unknown) and (stub or resolved.cause is not Cause.UNSUPPORTED):
        gaps.append(resolved.as_gap())
    if stub and not isinstance(resolved, Known):
        _upstream(host, found, stub, gaps)
    own, dns = context.site.network.networks, context.site.network.dns or ()
    items: list[Item] = [
        {"address": s, "public": False if _approved(s, dns) else is_public(s, own), "source": source}
        for s, source in sorted(found.items()) if not _here(s)
    ]  # fmt: skip
    return Known(tuple(items), _RESOLV, tuple(dict.fromkeys(gaps)))


def _upstream(host: Host, found: dict[str, str], stub: list[str], gaps: list[Gap]) -> None:
    for path in _UPSTREAM[1:]:
        text = host.files.text(path=path)
        if isinstance(text, Unknown):
            gaps.append(text.as_gap())
        servers = [s for s in _servers(text.value, path, gaps) if not _here(s)] if isinstance(text, Known) else []
        if servers:
            for server in servers:
                found.setdefault(server, path)
            return
    gaps.append(Gap(Cause.UNAVAILABLE, f"域名解析由本机程序（{'、'.join(stub)}）转发，其上级服务器无法得知", _RESOLV))


def _servers(text: str, path: str, gaps: list[Gap]) -> list[str]:
    found = []
    for line in text.splitlines():
        words = re.split(r"[#;]", line, maxsplit=1)[0].split()
        if len(words) < 2 or words[0] != "nameserver":
            continue
        if address_of(words[1]) is None:
            gaps.append(Gap(Cause.MALFORMED, f"{path} 中的 DNS 服务器“{words[1][:60]}”", path))
        else:
            found.append(words[1])
    if (
        not found
        and text.strip()
        and not re.search(r"^\s*([#;]|nameserver|search|domain|options|sortlist)", text, re.MULTILINE)
    ):
        gaps.append(Gap(Cause.MALFORMED, path, path))
    return list(dict.fromkeys(found))


def _here(server: str) -> bool:
    address = address_of(server)
    return address is not None and (address.is_loopback or address.is_unspecified)


def _approved(server: str, dns: Iterable[str]) -> bool:
    return address_of(server) in {address_of(d) for d in dns}


# hosts --------------------------------------------------------------------------------------------------------------


def _hosts(
    host: Host,
    context: Context,
    path: str,
    own: str | None,
    *,
    more: tuple[Item, ...] = (),
    unread: tuple[Gap, ...] = (),
) -> Fact:
    """The entries of the hosts file at ``path`` that are not the machine's own; ``own`` is its name where it is known."""
    text = host.files.text(path=path)
    if isinstance(text, Unknown):
        return text
    gaps: list[Gap] = []
    entries = list(_entries(text.value, path, gaps)) if isinstance(text, Known) else []
    wanted = context.site.network.hosts
    baseline = {folded(n): a for n, a in wanted.items()} if wanted is not None else None
    items: list[Item] = []
    present: set[str] = set()
    for address, name, beside in entries:
        if folded(name) in _STANDARD or (own and _is_own(name, beside, own)):
            continue
        present.add(folded(name))
        deviation, state = _compared(address, name, baseline)
        if own is None and deviation is True:
            deviation = Unknown(Cause.UNAVAILABLE, "本机名称无法读取，不能确定是否为本机名称")
        items.append({"name": name, "address": address, "deviation": deviation, "state": state})
    for name, approved in sorted((baseline or {}).items()):
        if name not in present:
            items.append({"name": name, "address": approved, "deviation": True, "state": "批准的条目缺失"})
    return Known((*more, *items), path, (*unread, *gaps))


def _is_own(name: str, beside: Iterable[str], own: str) -> bool:
    """Whether a name is this machine's: its host name, or the full form of it on the same line."""
    short = folded(own).split(".", 1)[0]
    mine = {folded(own), short}
    return folded(name) in mine or (
        folded(name).split(".", 1)[0] == short and any(folded(other) in mine for other in beside)
    )


def _entries(text: str, path: str, gaps: list[Gap]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Address, name, and all names of its line."""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        if address_of(words[0]) is None or len(words) < 2:
            gaps.append(Gap(Cause.MALFORMED, f"{path} 第 {number} 行", path))
            continue
        for name in words[1:]:
            yield words[0], name, tuple(words[1:])


def _compared(address: str, name: str, baseline: Mapping[str, str] | None) -> tuple[FieldValue, str]:
    if baseline is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 network.hosts", "site.yml"), "未登记基准，无法比对"
    approved = baseline.get(folded(name))
    if approved is None:
        return True, "未经批准"
    if address_of(approved) != address_of(address):
        return True, f"与批准的地址 {approved} 不同"
    return False, "与批准的一致"


PROBES = (NameProbe(),)
