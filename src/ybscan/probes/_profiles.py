"""How network interfaces are told to get their address: the profiles of every common manager, from their files.

Only the keys named here are kept of a file. Sources: nm-settings-keyfile(5) and nm-settings(5), NetworkManager.conf(5),
interfaces(5) of ifupdown, netplan(5), systemd.network(5), systemd.link(5), ifcfg files of initscripts and of wicked.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from ybscan.hosts.base import Host
from ybscan.hosts.linux.netsaved import ALIASES, IFCFG, LEFTOVERS, PROFILES, parsed_keyfile
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes._usb.layers import layered

Method = Literal["static", "auto", "off"]

_KEYS = frozenset(
    {
        ("connection", "id"), ("connection", "uuid"), ("connection", "type"), ("connection", "interface-name"),
        ("connection", "autoconnect"), ("ethernet", "mac-address"), ("ethernet", "cloned-mac-address"), ("ipv4", "method"),
        ("802-1x", "eap"),
    }
)  # fmt: skip
_SUSE = "/etc/sysconfig/network"
_NETWORKD = ("/etc/systemd/network", "/run/systemd/network", "/usr/lib/systemd/network", "/lib/systemd/network")
_NETWORKD_ON = "/etc/systemd/system/multi-user.target.wants/systemd-networkd.service"
_NM_CONFIG = ("/etc/NetworkManager/conf.d", "/run/NetworkManager/conf.d", "/usr/lib/NetworkManager/conf.d")
_NM_MAIN = "/etc/NetworkManager/NetworkManager.conf"
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}")
_MAX_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Profile:
    """What one manager will do with a wired interface. ``interface`` may be a pattern; empty with ``mac`` empty: any."""

    manager: str
    name: str
    interface: str
    mac: str
    method: Method
    enabled: bool
    source: str
    uuid: str = ""
    dot1x: bool = False

    def fits(self, interface: str, mac: str) -> bool:
        """Whether the profile may be used for this card."""
        if self.mac and bare(self.mac) != bare(mac):
            return False
        return not self.interface or any(fnmatch.fnmatchcase(interface, p) for p in self.interface.split())


@dataclass(frozen=True, slots=True)
class Override:
    """A setting that gives a wired card another hardware address: ``random`` or the address."""

    interface: str
    value: str
    source: str


@dataclass(slots=True)
class Profiles:
    """Everything found, and what could not be read."""

    profiles: list[Profile] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


def bare(mac: str) -> str:
    """A hardware address without separators, in lower case."""
    return re.sub(r"[^0-9a-f]", "", mac.casefold())


def read_profiles(host: Host) -> Profiles:
    """The wired profiles of all managers."""
    found = Profiles()
    for folder in PROFILES:
        _keyfiles(host, folder, found)
    _nm_defaults(host, found)
    _ifcfg(host, IFCFG, found)
    _ifcfg(host, _SUSE, found)
    _ifupdown(host, "/etc/network/interfaces", found, 0)
    _netplan(host, found)
    _networkd(host, found)
    found.gaps = list(dict.fromkeys(found.gaps))
    return found


def _names(host: Host, folder: str, found: Profiles) -> tuple[str, ...]:
    names = host.files.entries(path=folder)
    # On a disk that lies still /run has nothing that counts.
    if isinstance(names, Unknown) and not (names.cause is Cause.UNSUPPORTED and folder.startswith("/run/")):
        found.gaps.append(names.as_gap())
    return names.value if isinstance(names, Known) else ()


def _text(host: Host, path: str, found: Profiles) -> str | None:
    text = host.files.text(path=path)
    if isinstance(text, Unknown):
        found.gaps.append(text.as_gap())
    return text.value if isinstance(text, Known) else None


def _override(value: str, interface: str, source: str, found: Profiles) -> None:
    word = value.strip().strip("\"'")
    if _MAC.fullmatch(word):
        found.overrides.append(Override(interface, word.lower(), source))
    elif word.lower() in ("random", "stable", "stable-ssid"):
        found.overrides.append(Override(interface, "random", source))
    elif word.lower() not in ("", "preserve", "permanent", "persistent", "none"):
        found.gaps.append(Gap(Cause.MALFORMED, f"{source} 的网卡地址设置“{word[:40]}”", source))


# NetworkManager -----------------------------------------------------------------------------------------------------


def _keyfiles(host: Host, folder: str, found: Profiles) -> None:
    for name in _names(host, folder, found):
        path = f"{folder}/{name}"
        text = None if LEFTOVERS.search(name) else _text(host, path, found)
        if text is None:
            continue
        keys = parsed_keyfile(text, _KEYS)
        kind = ALIASES.get(keys.get(("connection", "type"), ""), keys.get(("connection", "type"), ""))
        if not kind:
            found.gaps.append(Gap(Cause.MALFORMED, f"{path} 不是可识别的连接配置", path))
        if kind != "ethernet":
            continue
        interface = keys.get(("connection", "interface-name"), "")
        methods: Mapping[str, Method] = {
            "manual": "static", "shared": "static", "disabled": "off", "link-local": "off", "": "auto", "auto": "auto",
        }  # fmt: skip
        method = methods.get(keys.get(("ipv4", "method"), ""))
        if method is None:
            found.gaps.append(Gap(Cause.MALFORMED, f"{path} 的 ipv4.method", path))
            continue
        found.profiles.append(
            Profile(
                "NetworkManager", keys.get(("connection", "id"), "") or name.removesuffix(".nmconnection"), interface,
                keys.get(("ethernet", "mac-address"), ""), method,
                keys.get(("connection", "autoconnect"), "true").lower() != "false", path,
                uuid=keys.get(("connection", "uuid"), ""), dot1x=bool(keys.get(("802-1x", "eap"), "")),
            )
        )  # fmt: skip
        _override(keys.get(("ethernet", "cloned-mac-address"), ""), interface, path, found)


def _nm_defaults(host: Host, found: Profiles) -> None:
    """``[connection…] ethernet.cloned-mac-address=`` holds for every profile that does not say otherwise."""
    files = [f"{folder}/{n}" for folder in _NM_CONFIG for n in _names(host, folder, found) if n.endswith(".conf")]
    for path in (*files, _NM_MAIN):
        for value in re.findall(
            r"^[ \t]*ethernet\.cloned-mac-address[ \t]*=[ \t]*(\S*)", _text(host, path, found) or "", re.MULTILINE
        ):
            _override(value, "", path, found)


# ifcfg --------------------------------------------------------------------------------------------------------------


def _ifcfg(host: Host, folder: str, found: Profiles) -> None:
    for name in _names(host, folder, found):
        if not name.startswith("ifcfg-") or LEFTOVERS.search(name) or name == "ifcfg-lo":
            continue
        path = f"{folder}/{name}"
        text = _text(host, path, found)
        if text is None:
            continue
        pairs = re.findall(r"^[ \t]*([A-Z_0-9]+)=[\"']?(.*?)[\"']?[ \t\r]*$", text, re.MULTILINE)
        values = {k: v.strip() for k, v in pairs}
        if not values:
            found.gaps.append(Gap(Cause.MALFORMED, f"{path} 不是可识别的连接配置", path))
            continue
        if values.get("TYPE", "Ethernet").lower() not in ("ethernet", "") or "ESSID" in values:
            continue
        device = values.get("DEVICE") or ("" if "HWADDR" in values else name[6:])
        word = values.get("BOOTPROTO", "").lower()
        addressed = any(re.match(r"IPADDR(_?\w+)?$", k) for k in values)
        method: Method = "auto" if word.startswith(("dhcp", "bootp", "auto")) else "static" if addressed else "off"
        on = values.get("ONBOOT", values.get("STARTMODE", "yes")).lower() not in ("no", "off", "manual", "false")
        dot1x = values.get("KEY_MGMT", "").upper() == "IEEE8021X"
        found.profiles.append(
            Profile(
                "ifcfg", values.get("NAME") or name[6:], device, values.get("HWADDR", ""), method, on, path,
                uuid=values.get("UUID", ""), dot1x=dot1x,
            )
        )  # fmt: skip
        for key in ("MACADDR", "LLADDR"):
            _override(values.get(key, ""), device, path, found)


# ifupdown -----------------------------------------------------------------------------------------------------------


def _ifupdown(host: Host, path: str, found: Profiles, depth: int) -> None:
    text = _text(host, path, found)
    if text is None or depth > _MAX_DEPTH:
        return
    started: set[str] = set()
    stanzas: list[tuple[str, Method, list[str]]] = []
    current: list[str] | None = None
    for line in re.sub(r"\\\n", " ", text).splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in ("auto", "allow-auto", "allow-hotplug"):
            started.update(words[1:])
        elif words[0] in ("source", "source-directory"):
            _sourced(host, path, words, found, depth)
        elif words[0] == "iface" and len(words) >= 4:
            current = []
            if words[2] == "inet" and words[1] != "lo":
                method: Method = {"static": "static", "dhcp": "auto", "bootp": "auto"}.get(words[3], "off")  # type: ignore[assignment]
                stanzas.append((words[1], method, current))
        elif words[0] in ("mapping", "rename", "no-auto-down", "no-scripts"):
            current = None
        elif current is not None:
            current.append(line.strip())
        else:
            found.gaps.append(Gap(Cause.MALFORMED, f"{path}：{line[:40]}", path))
    for interface, method, options in stanzas:
        if any(o.startswith(("wpa-ssid", "wireless-essid")) for o in options):
            continue
        dot1x = any(re.match(r"wpa-driver\s+wired\b", o) for o in options)
        found.profiles.append(
            Profile("ifupdown", interface, interface, "", method, interface in started, path, dot1x=dot1x)
        )
        for option in options:
            if m := re.match(r"hwaddress\s+(?:ether\s+)?(\S+)", option):
                _override(m[1], interface, path, found)


def _sourced(host: Host, path: str, words: list[str], found: Profiles, depth: int) -> None:
    for target in words[1:]:
        full = target if target.startswith("/") else f"{path.rpartition('/')[0]}/{target}"
        folder, _, pattern = full.rpartition("/")
        if words[0] == "source-directory":
            folder, pattern = full.rstrip("/"), "*"
        if re.search(r"[*?\[]", folder):
            found.gaps.append(Gap(Cause.UNSUPPORTED, f"{path} 的 source {target[:60]}", path))
            continue
        for name in _names(host, folder, found):
            # run-parts(8) names only for a whole folder; a pattern says itself what it means.
            if fnmatch.fnmatchcase(name, pattern) and (words[0] == "source" or re.fullmatch(r"[\w-]+", name)):
                _ifupdown(host, f"{folder}/{name}", found, depth + 1)


# netplan ------------------------------------------------------------------------------------------------------------


def _netplan(host: Host, found: Profiles) -> None:
    for path, text in layered(host, ("/run/netplan", "/etc/netplan", "/lib/netplan"), ".yaml").files:
        if isinstance(text, Unknown):
            found.gaps.append(text.as_gap())
        if not isinstance(text, Known):
            continue
        try:
            # Masked secrets are no YAML; aliases are refused, since a few of them can make any size.
            cleaned = re.sub(r"([:=]\s*)\*\*\*", r'\1"-"', text.value)
            if re.search(r"(^|[\s\[{,])[*&]\w", cleaned):
                raise ValueError
            # All scalars stay text: YAML 1.1 takes 52:54:00:12:34:56 for a number.
            document = yaml.load(cleaned, Loader=yaml.BaseLoader) or {}  # noqa: S506 - makes plain texts only
            ethernets = document.get("network", {}).get("ethernets") or {}
            found.profiles.extend(_netplan_profiles(ethernets, path, found))
        except (yaml.YAMLError, ValueError, AttributeError, TypeError, RecursionError):
            found.gaps.append(Gap(Cause.MALFORMED, path, path))


def _netplan_profiles(ethernets: Mapping[str, Any], path: str, found: Profiles) -> Iterator[Profile]:
    for name, body in ethernets.items():
        body = body or {}
        match = body.get("match") or {}
        interface = str(match.get("name", "" if match else name))
        addresses = body.get("addresses") or []
        method: Method = (
            "auto" if str(body.get("dhcp4", "")).lower() in ("true", "yes", "on") else "static" if addresses else "off"
        )
        yield Profile(
            "netplan",
            str(name),
            interface,
            str(match.get("macaddress", "")),
            method,
            True,
            path,
            dot1x=bool(body.get("auth")),
        )
        _override(str(body.get("macaddress", "")), interface, path, found)


# systemd-networkd ---------------------------------------------------------------------------------------------------


def _networkd(host: Host, found: Profiles) -> None:
    on = host.files.stat(path=_NETWORKD_ON, follow=False)
    if isinstance(on, Unknown):
        found.gaps.append(on.as_gap())
    links = layered(host, _NETWORKD, ".link")
    networks = layered(host, _NETWORKD, ".network") if isinstance(on, Known) else None
    found.gaps.extend(links.gaps)
    for path, text in (*links.files, *(networks.files if networks else ())):
        if isinstance(text, Unknown):
            found.gaps.append(text.as_gap())
        if not isinstance(text, Known):
            continue
        values = _sections(text.value)
        interface = values.get(("match", "name"), values.get(("match", "originalname"), ""))
        _override(
            values.get(("link", "macaddress"), values.get(("link", "macaddresspolicy"), "")), interface, path, found
        )
        # What matches by type or driver is for devices of software, or leaves open which card is meant.
        wired = interface != "" or ("match", "macaddress") in values or values.get(("match", "type")) == "ether"
        if path.endswith(".network") and wired and ("match", "kind") not in values:
            dhcp = values.get(("network", "dhcp"), "no").lower()
            addressed = ("network", "address") in values or ("address", "address") in values
            method: Method = (
                "auto" if dhcp in ("yes", "true", "1", "on", "ipv4", "both", "v4") else "static" if addressed else "off"
            )
            found.profiles.append(
                Profile(
                    "systemd-networkd", path.rpartition("/")[2], interface, values.get(("match", "macaddress"), ""), method,
                    True, path,
                )
            )  # fmt: skip


def _sections(text: str) -> dict[tuple[str, str], str]:
    values: dict[tuple[str, str], str] = {}
    section = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].lower()
        elif "=" in line and not line.startswith(("#", ";")):
            key, value = line.split("=", 1)
            values[section, key.strip().lower()] = value.strip()
    return values
