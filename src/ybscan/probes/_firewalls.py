"""The services that load firewall rules at start, and the inbound default their files say. Files only.

Sources: ufw(8) and ufw-framework(8) (``/etc/default/ufw``, ``/etc/ufw/ufw.conf``), firewalld.conf(5) and
firewalld.zone(5) (``target``; the default target rejects), nft(8), the unit and rule files of iptables-persistent and
of iptables-services.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._services import Service
from ybscan.probes.services import System, look, starts

_UFW = Service("ufw", "ufw", units=("ufw.service",), sysv=("ufw",))
_FIREWALLD = Service(
    "firewalld", "firewalld", units=("firewalld.service",), sysv=("firewalld",), processes=("firewalld",)
)
_NFTABLES = Service("nftables", "nftables", units=("nftables.service",), sysv=("nftables",))
_SAVED = Service(
    "iptables", "iptables", units=("netfilter-persistent.service", "iptables-persistent.service", "iptables.service"),
    sysv=("netfilter-persistent", "iptables-persistent", "iptables"),
)  # fmt: skip
_SERVICES = (_UFW, _FIREWALLD, _NFTABLES, _SAVED)

_ZONES = ("/etc/firewalld/zones", "/usr/lib/firewalld/zones")
_NFT_FILES = ("/etc/nftables.conf", "/etc/sysconfig/nftables.conf")
_SAVED_FILES = ("/etc/iptables/rules.v4", "/etc/sysconfig/iptables")


@dataclass(frozen=True, slots=True)
class Manager:
    """A service that loads rules. ``inbound``: 阻止, 放行, 停用, or why its files do not tell."""

    name: str
    starts: bool | Unknown
    inbound: str | Unknown
    source: str


def managers(host: Host, gaps: list[Gap]) -> tuple[Manager, ...]:
    """Those whose files are on this system."""
    ours: list[Gap] = []
    system = look(host, ours, _SERVICES)
    # What runs now is asked of the kernel, not of these services.
    gaps.extend(g for g in ours if not _about_running(g, system))
    readers: tuple[tuple[Service, Callable[[Host], Reading[tuple[str, str]]]], ...] = (
        (_UFW, _ufw), (_FIREWALLD, _firewalld), (_NFTABLES, _nftables), (_SAVED, _saved),
    )  # fmt: skip
    found: list[Manager] = []
    for service, read in readers:
        told = read(host)
        if isinstance(told, Absent):
            continue
        inbound, source = told.value if isinstance(told, Known) else (told, told.origin)
        found.append(Manager(service.name, starts(service, system), inbound, source))
    return tuple(found)


def _about_running(gap: Gap, system: System) -> bool:
    return any(isinstance(part, Unknown) and part.as_gap() == gap for part in (system.active, system.processes))


def _assignments(text: str) -> dict[str, str]:
    """``KEY=value`` lines as a shell reads them."""
    pairs = re.findall(r"^[ \t]*([A-Za-z_]+)[ \t]*=[ \t]*(.*?)[ \t\r]*$", text, re.MULTILINE)
    return {k.lower(): v.strip("\"'").lower() for k, v in pairs}


def _ufw(host: Host) -> Reading[tuple[str, str]]:
    path, defaults = "/etc/ufw/ufw.conf", "/etc/default/ufw"
    conf = host.files.text(path=path)
    if not isinstance(conf, Known):
        return conf
    switch = _assignments(conf.value).get("enabled", "")
    if switch not in ("yes", "no"):
        return Unknown(Cause.MALFORMED, f"{path} 中没有 ENABLED", path)
    if switch == "no":
        return Known(("停用", path), path)
    policy = host.files.text(path=defaults)
    if not isinstance(policy, Known):
        return policy if isinstance(policy, Unknown) else Unknown(Cause.UNAVAILABLE, f"没有 {defaults}", defaults)
    word = _assignments(policy.value).get("default_input_policy", "")
    meaning = {"drop": "阻止", "reject": "阻止", "accept": "放行"}.get(word)
    if meaning is None:
        return Unknown(Cause.MALFORMED, f"{defaults} 的 DEFAULT_INPUT_POLICY", defaults)
    return Known((meaning, defaults), defaults)


def _firewalld(host: Host) -> Reading[tuple[str, str]]:
    """The target of the default zone; any other zone that lets everything in leaves it open which one holds."""
    path = "/etc/firewalld/firewalld.conf"
    conf = host.files.text(path=path)
    if isinstance(conf, Unknown):
        return conf
    if isinstance(conf, Absent):
        installed = host.files.stat(path="/usr/lib/firewalld")
        if not isinstance(installed, Known):
            return installed if isinstance(installed, Unknown) else Absent(path)
    zone = _assignments(conf.value).get("defaultzone", "public") if isinstance(conf, Known) else "public"
    if not re.fullmatch(r"[\w-]{1,40}", zone):
        return Unknown(Cause.MALFORMED, f"{path} 的 DefaultZone", path)
    names = _zone_names(host, zone)
    if isinstance(names, Unknown):
        return names
    for folder in _ZONES:
        actual = names.get(folder)
        if actual is None:
            continue
        file = f"{folder}/{actual}"
        text = host.files.text(path=file)
        if isinstance(text, Absent):
            continue
        if isinstance(text, Unknown):
            return text
        tag = re.search(r"<zone\b([^>]*)>", text.value)
        if tag is None:
            return Unknown(Cause.MALFORMED, file, file)
        target = re.search(r"\btarget\s*=\s*[\"']([^\"']*)[\"']", tag[1])
        word = target[1].upper() if target else "DEFAULT"
        return Known(("放行" if word == "ACCEPT" else "阻止", file), file)
    return Unknown(Cause.UNAVAILABLE, f"找不到 firewalld 的默认区域 {zone} 的定义", path)


def _zone_names(host: Host, zone: str) -> dict[str, str] | Unknown:
    """The zone's file in each folder. Names of zones keep their case: ``FedoraWorkstation.xml``."""
    found: dict[str, str] = {}
    for folder in _ZONES:
        names = host.files.entries(path=folder)
        if isinstance(names, Unknown):
            return names
        for name in names.value if isinstance(names, Known) else ():
            if name.lower() == f"{zone}.xml":
                found[folder] = name
    return found


def _nftables(host: Host) -> Reading[tuple[str, str]]:
    return _first(host, _NFT_FILES, _nft_inbound)


def _nft_inbound(text: str, path: str) -> Reading[tuple[str, str]]:
    bare = re.sub(r"#[^\n]*", "", text)
    policies = re.findall(r"\bhook\s+input\b[^;}]*;(?:\s*policy\s+(\w+))?", bare)
    if not policies:
        if re.search(r"^\s*include\b", bare, re.MULTILINE):
            return Unknown(Cause.UNSUPPORTED, f"{path} 的规则在其他文件中", path)
        return Known(("放行", path), path)
    if "drop" in policies:
        return Known(("阻止", path), path)
    # A chain may end in a rule that drops everything; whether it does is the kernel's to say.
    if re.search(r"\b(drop|reject)\b", bare):
        return Unknown(Cause.UNCONFIRMED, f"{path} 的入站链默认放行，由规则阻止，需核对", path)
    return Known(("放行", path), path)


def _saved(host: Host) -> Reading[tuple[str, str]]:
    return _first(host, _SAVED_FILES, _saved_inbound)


def _saved_inbound(text: str, path: str) -> Reading[tuple[str, str]]:
    policy = re.search(r"^:INPUT\s+(\w+)", text, re.MULTILINE)
    if policy is None:
        return Unknown(Cause.MALFORMED, path, path)
    # A last rule without any condition decides for what is left over, as distributions write it.
    rules = re.findall(r"^-A INPUT (.*?)\s*$", text, re.MULTILINE)
    if policy[1] in ("DROP", "REJECT") or (rules and re.fullmatch(r"-j (DROP|REJECT)\b.*", rules[-1])):
        return Known(("阻止", path), path)
    return Known(("放行", path), path)


def _first(
    host: Host, paths: Iterable[str], read: Callable[[str, str], Reading[tuple[str, str]]]
) -> Reading[tuple[str, str]]:
    for path in paths:
        text = host.files.text(path=path)
        if isinstance(text, Known):
            return read(text.value, path)
        if isinstance(text, Unknown):
            return text
    return Absent()
