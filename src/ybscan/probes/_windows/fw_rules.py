"""Inbound rules of the Windows firewall: what a rule says, and whether it is about a listener. Pure.

Sources: [MS-GPFAS] 2.2.2.19, the grammar of the values below ``FirewallRules`` (``v2.10|Action=Allow|Active=TRUE|Dir=In|…``);
[MS-FASP] 2.2.97 for the trusted tuples (``TTK``). A field may be repeated, one that is missing restricts nothing. A
condition that is not understood here makes a rule one that may or may not apply: it then lets in for all we know, and
never blocks.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ybscan.probes._netfilter.ranges import Family, Ranges, everyone, normal, union
from ybscan.probes._windows.images import base_name, same_image

Tri = bool | None
"""None: perhaps."""

_PROTOCOLS = {"tcp": 6, "udp": 17}
#: Fields that do not say to whom the rule applies. A remote port is the other side's to choose.
_REMARKS = frozenset({"action", "active", "dir", "name", "desc", "embedctxt", "edge", "defer", "lsm", "pcross", "lom"})
_ADDRESSES = frozenset({"ra4", "ra6", "ra42", "ra62"})
_PORTS = ("lport", "lport2_10", "lport2_20", "lport2_24", "lport2_29")
_PACKAGED = frozenset({"apppkgid", "pfn"})
#: Programs of Windows' own folder in which packaged applications run.
_CONTAINERS = frozenset({"backgroundtaskhost.exe", "wwahost.exe", "runtimebroker.exe", "applicationframehost.exe"})
#: Names that only programs of Windows itself have; where a path could not be read the name is enough.
_SYSTEM = frozenset({"system", "svchost.exe", "lsass.exe", "services.exe", "wininit.exe", "spoolsv.exe", "lsm.exe"})
_UPNP = frozenset({"ssdpsrv", "upnphost", "fdphost", "fdrespub"})
#: Where the kernel takes the events that UPnP devices send.
_UPNP_PORT = 2869
_EVERYWHERE = frozenset({"internet", "any", "*"})


@dataclass(frozen=True, slots=True)
class Listener:
    """What waits for connections. ``services`` is None where nobody can tell which services the process holds."""

    proto: Literal["tcp", "udp"]
    port: int
    image: str
    """The path, or the name alone; empty where it is not known; ``System`` for the kernel."""
    services: frozenset[str] | None
    wireless: bool = True
    """Whether a wireless card is, or may be, in use."""


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """A rule that is on and about incoming traffic, its fields by lower-case name."""

    title: str
    action: Literal["allow", "block", "bypass"]
    fields: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Remote:
    """Whom a rule lets in: all, or these ranges at most. ``vague``: not even that is known."""

    ranges: Ranges
    anyone: bool = False
    vague: bool = False


def parsed(text: str) -> FirewallRule | Literal["off"] | None:
    """The rule; ``off`` for one that is not active or not about incoming traffic; None for what is no rule."""
    head, *parts = text.rstrip("\0").split("|")
    if not re.fullmatch(r"v\d+\.\d+", head.strip(), re.IGNORECASE):
        return None
    fields: dict[str, tuple[str, ...]] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        if part and not equals:
            return None
        if part:
            fields[name.strip().lower()] = (*fields.get(name.strip().lower(), ()), value.strip())
    one = {n: v[0].lower() for n, v in fields.items()}
    if one.get("active") == "false" or one.get("dir") == "out":
        return "off"
    actions: dict[str, Literal["allow", "block", "bypass"]] = {"allow": "allow", "block": "block", "bypass": "bypass"}
    action = actions.get(one.get("action", ""))
    if action is None or one.get("active") != "true" or one.get("dir") != "in":
        return None
    title = fields.get("name", ("",))[0]
    return FirewallRule("" if title.startswith("@") else title[:80], action, fields)


def applies(rule: FirewallRule, listener: Listener, profile: str) -> Tri:
    """Whether the rule is about this listener in a profile, remote addresses aside."""
    answers: list[Tri] = []
    packaged = False
    for name, values in rule.fields.items():
        if name in _REMARKS or name in _ADDRESSES or name in _PORTS:
            continue
        if name in _PACKAGED:
            packaged = True
        elif name in ("rport", "rport2_10"):
            answers.append(None if rule.action == "block" else True)
        elif name in _CONDITIONS:
            answers.append(_CONDITIONS[name](values, listener, profile))
        else:
            answers.append(None)
    if packaged:
        answers.append(_in_container(listener.image))
    ports = [v for n in _PORTS for v in rule.fields.get(n, ())]
    if ports:
        answers.append(_any(_port(v, listener) for v in ports))
    if False in answers:
        return False
    return None if None in answers else True


def _any(answers: Iterable[Tri]) -> Tri:
    found = list(answers)
    if True in found:
        return True
    return None if None in found else False


def _protocol(values: tuple[str, ...], listener: Listener, _: str) -> Tri:
    if not values[0].isdigit():
        return None
    return int(values[0]) in (_PROTOCOLS[listener.proto], 256)


def _profile(values: tuple[str, ...], _: Listener, profile: str) -> Tri:
    named = {word for v in values for word in re.split(r"[,\s]+", v.lower())}
    return (
        profile in named or bool({"all", "any"} & named) or (None if named - {"domain", "private", "public"} else False)
    )


def _app(values: tuple[str, ...], listener: Listener, _: str) -> Tri:
    if not listener.image:
        return None
    return _any(same_image(v, listener.image) for v in values)


def _service(values: tuple[str, ...], listener: Listener, _: str) -> Tri:
    if listener.services is None:
        return None
    wanted = values[0].lower()
    if wanted == "*":
        return bool(listener.services)
    # A service of a single person's session has that session's number added to its name.
    return any(s == wanted or s.startswith(f"{wanted}_") for s in listener.services)


def _in_container(image: str) -> Tri:
    """Whether a process may run inside the container of a packaged application: rules for those match no other."""
    path = image.lower().replace("/", "\\")
    if not path:
        return None
    if "\\windowsapps\\" in path or "\\systemapps\\" in path or base_name(path) in _CONTAINERS:
        return None
    return False if "\\" in path or path in _SYSTEM else None


def _tuples(values: tuple[str, ...], listener: Listener, _: str) -> Tri:
    """Traffic that a service of Windows registered while it talks to a peer of Wi-Fi Direct, or by UPnP."""
    return _any(_tuple(v.lower(), listener) for v in values)


def _tuple(word: str, listener: Listener) -> Tri:
    if word.startswith(("wfd", "prox")):
        return None if listener.wireless else False
    if word == "upnp":
        if listener.services is None or listener.services & _UPNP:
            return None
        return None if listener.image == "System" and listener.port == _UPNP_PORT else False
    return None


def _interface_type(values: tuple[str, ...], listener: Listener, _: str) -> Tri:
    return False if not listener.wireless and {v.lower() for v in values} == {"wireless"} else None


_CONDITIONS: Mapping[str, Callable[[tuple[str, ...], Listener, str], Tri]] = {
    "protocol": _protocol, "profile": _profile, "app": _app, "svc": _service, "iftype": _interface_type,
    "ttk": _tuples, "ttk2_22": _tuples, "ttk2_27": _tuples, "ttk2_28": _tuples,
}  # fmt: skip


def _port(text: str, listener: Listener) -> Tri:
    answers = [_one_port(word.strip().lower(), listener) for word in text.split(",") if word.strip()]
    return _any(answers)


def _one_port(word: str, listener: Listener) -> Tri:
    numbers = re.fullmatch(r"(\d{1,5})(?:\s*-\s*(\d{1,5}))?", word)
    if numbers:
        return int(numbers[1]) <= listener.port <= int(numbers[2] or numbers[1])
    if word == "rpc-epmap":
        return listener.proto == "tcp" and listener.port == 135
    if word == "mdns":
        return listener.proto == "udp" and listener.port == 5353
    if word == "rpc":
        # Ports that the RPC run time hands out: which they are cannot be seen here.
        return None if listener.proto == "tcp" and listener.port >= 1024 else False
    if word in ("iphttpsin", "iptlsin"):
        return None if listener.proto == "tcp" and listener.port == 443 else False
    if word in ("teredo", "ply2disc"):
        return None if listener.proto == "udp" else False
    return None


def remote(rule: FirewallRule, family: Family, subnets: Ranges | None) -> Remote:
    """From where the rule lets in. ``subnets``: the networks this machine stands in; None where they are not known."""
    written = [v for n in sorted(_ADDRESSES & rule.fields.keys()) for v in rule.fields[n]]
    if not written:
        return Remote(everyone(family), anyone=True)
    found: Ranges = ()
    vague = False
    for text in written:
        for word in text.split(","):
            ranges = _range(word.strip(), family, subnets)
            vague |= ranges is None
            found = union(found, ranges or ())
    return Remote(found, vague=vague)


def _range(word: str, family: Family, subnets: Ranges | None) -> Ranges | None:
    """The addresses a word stands for, none for those of the other family; None where that is not known."""
    lower = word.lower()
    if lower == "localsubnet" or re.fullmatch(r"localsubnet[46]", lower):
        return () if lower[-1] in "46" and not family.endswith(lower[-1]) else subnets
    if lower in _EVERYWHERE:
        return everyone(family)
    try:
        if "-" in word:
            low, high = (ipaddress.ip_address(p.strip()) for p in word.split("-", 1))
            return normal([(int(low), int(high))]) if f"ipv{low.version}" == family else ()
        network = ipaddress.ip_network(word, strict=False)
    except ValueError:
        return None
    if f"ipv{network.version}" != family:
        return ()
    return ((int(network.network_address), int(network.broadcast_address)),)
