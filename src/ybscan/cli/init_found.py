"""What ``init`` can find out by itself on the terminal: offered to the person, never taken for approved."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ybscan.hosts.base import Host

_BACKUP = re.compile(r"(?i)(?:^|[^a-z])(?:backups?|bak|dbbak|databak)(?:$|[^a-z])|备份")
_LINUX_ROOTS = ("/", "/home", "/srv", "/data", "/mnt", "/media", "/opt", "/var")
#: The system's own folders of that name hold no backups of business data.
_NOT_BACKUPS = frozenset({"/var/backups"})
_MAX_FOUND = 8


@dataclass(frozen=True, slots=True)
class Found:
    """What was seen; empty where nothing could be read."""

    gateways: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    backups: tuple[str, ...] = ()
    listeners: tuple[tuple[str, int, str], ...] = ()
    """Protocol, port and program of what other computers could reach."""


def look(host: Host) -> Found:
    """Look at the running terminal. Nothing is sent or changed."""
    return Found(
        gateways=_unique(_gateways(host)),
        networks=_unique(_networks(host)),
        dns=_unique(_dns(host)),
        backups=_unique(_backups(host))[:_MAX_FOUND],
        listeners=tuple(sorted(set(_listeners(host)))),
    )


def _unique(texts: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _gateways(host: Host) -> Iterator[str]:
    from ybscan.model.reading import Known

    routes = host.network.routes()
    for r in routes.value if isinstance(routes, Known) else ():
        if r.gateway and r.destination in ("0.0.0.0/0", "::/0"):
            yield r.gateway


def _networks(host: Host) -> Iterator[str]:
    from ybscan.model.reading import Known

    interfaces = host.network.interfaces()
    for interface in interfaces.value if isinstance(interfaces, Known) else ():
        for a in interface.addresses:
            try:
                address = ipaddress.ip_interface(f"{a.address.split('%')[0]}/{a.prefix}")
            except ValueError:
                continue
            if interface.kind != "loopback" and not address.is_link_local:
                yield str(address.network)


def _dns(host: Host) -> Iterator[str]:
    from ybscan.model.reading import Known
    from ybscan.model.site import Site
    from ybscan.probes.base import Context
    from ybscan.probes.net_names import PROBES

    if host.os == "windows":
        from datetime import datetime

        facts = PROBES[0].read(host, Context(site=Site(), now=datetime.now().astimezone()))
        resolvers = facts.get("resolvers")
        items = resolvers.value if isinstance(resolvers, Known) and isinstance(resolvers.value, tuple) else ()
        yield from (str(i["address"]) for i in items if isinstance(i, dict) and isinstance(i.get("address"), str))
        return
    resolv = host.files.text(path="/etc/resolv.conf")
    words = [line.split() for line in resolv.value.splitlines()] if isinstance(resolv, Known) else []
    yield from (w[1] for w in words if len(w) > 1 and w[0] == "nameserver" and not w[1].startswith("127."))


def _backups(host: Host) -> Iterator[str]:
    """Folders that are called backups, on the first two levels of the usual places and of every drive."""
    from ybscan.model.reading import Known

    windows = host.os == "windows"
    separator = "\\" if windows else "/"
    for root in (f"{letter}:\\" for letter in "DEFGHC") if windows else _LINUX_ROOTS:
        names = host.files.entries(path=root)
        for name in names.value if isinstance(names, Known) else ():
            path = f"{root.rstrip(separator)}{separator}{name}"
            if _BACKUP.search(name) and path not in _NOT_BACKUPS:
                stat = host.files.stat(path=path)
                if isinstance(stat, Known) and stat.value.kind == "dir":
                    yield path


def _listeners(host: Host) -> Iterator[tuple[str, int, str]]:
    from ybscan.model.reading import Known

    table = host.sockets.table()
    for s in table.value if isinstance(table, Known) else ():
        if s.state != "listen" or s.proto != "tcp":
            continue
        try:
            loopback = ipaddress.ip_address(s.local.split("%")[0]).is_loopback
        except ValueError:
            continue
        if not loopback:
            yield s.proto, s.local_port, s.program
