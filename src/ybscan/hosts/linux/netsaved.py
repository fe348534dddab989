"""Networks that connection managers remember: NetworkManager (keyfile and ifcfg), wpa_supplicant, PPP peers.

Only the keys named in :data:`_WANTED` are kept of a profile; keys and passwords are dropped line by line while reading.
Managers whose records this module does not understand leave a gap when they have any. Sources: nm-settings-keyfile(5),
NetworkManager(8) on ``/var/lib/NetworkManager/timestamps``, wpa_supplicant.conf(5), pppd(8), iwd.network(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ybscan.hosts.groups.files import Files
from ybscan.hosts.groups.network import HISTORY, SavedNetwork
from ybscan.hosts.groups.tools import Tools
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown

PROFILES = (
    "/etc/NetworkManager/system-connections",
    "/usr/lib/NetworkManager/system-connections",
    "/run/NetworkManager/system-connections",
)
_TIMESTAMPS = "/var/lib/NetworkManager/timestamps"
IFCFG = "/etc/sysconfig/network-scripts"
_WPA = "/etc/wpa_supplicant"
_PEERS = "/etc/ppp/peers"

_WANTED = frozenset(
    {
        ("connection", "id"), ("connection", "uuid"), ("connection", "type"), ("connection", "interface-name"),
        ("wifi", "ssid"), ("wifi", "mode"), ("ipv4", "method"), ("ipv6", "method"),
    }
)  # fmt: skip
#: Names of old releases → the short ones of today.
ALIASES = {
    "802-11-wireless": "wifi", "802-3-ethernet": "ethernet", "802-11-olpc-mesh": "olpc-mesh", "802-3-ethernet.s390": "ethernet",
}  # fmt: skip
_MODES = {"ap": "ap", "adhoc": "adhoc", "mesh": "mesh"}
_BYTES = re.compile(r"(\d{1,3};)+$")
#: Files an editor or package manager leaves behind, and NetworkManager's own notes on deleted profiles.
LEFTOVERS = re.compile(r"(^\.|~$|\.(nmmeta|bak|rpmnew|rpmorig|rpmsave|dpkg-(old|new|dist)|swp|orig)$)")


@dataclass(slots=True)
class _Findings:
    networks: list[SavedNetwork] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    uuids: set[str] = field(default_factory=set)
    #: Whether NetworkManager has anything on this system at all.
    managed: bool = False


def read_saved(files: Files, tools: Tools) -> Reading[tuple[SavedNetwork, ...]]:
    """Everything remembered, sorted; a source that cannot be read leaves a gap."""
    found = _Findings()
    stamps = _timestamps(files)
    times = stamps.value if isinstance(stamps, Known) else {}
    for folder in PROFILES:
        _keyfiles(files, folder, times, found)
    _ifcfg(files, times, found)
    _orphans(tools, times, found)
    if not found.managed:
        found.gaps.append(Gap(Cause.UNAVAILABLE, "系统没有保存连接历史的程序（NetworkManager）", HISTORY))
    elif not isinstance(stamps, Known):
        cause, what = Cause.UNAVAILABLE, "没有 NetworkManager 的连接时间记录（从未联网或记录已清除）"
        if isinstance(stamps, Unknown):
            cause, what = stamps.cause, "NetworkManager 的连接时间无法读取"
        found.gaps.append(Gap(cause, what, HISTORY))
    _wpa(files, found)
    _peers(files, found)
    found.gaps.extend(_others(files))
    networks = sorted(set(found.networks), key=lambda n: (n.kind, n.id, n.source))
    return Known(tuple(networks), "NetworkManager 等的连接配置", tuple(dict.fromkeys(found.gaps)))


def _timestamps(files: Files) -> Reading[dict[str, float]]:
    text = files.text(path=_TIMESTAMPS)
    if not isinstance(text, Known):
        return text
    if not re.search(r"^\[timestamps\]\s*$", text.value, re.MULTILINE):
        return Unknown(Cause.MALFORMED, _TIMESTAMPS, _TIMESTAMPS)
    times: dict[str, float] = {}
    for key, value in re.findall(r"^([0-9A-Za-z-]+)\s*=\s*(\d{1,12})\s*$", text.value, re.MULTILINE):
        times[key] = float(value)
    return Known(times, _TIMESTAMPS)


def _unread(reading: Unknown, path: str) -> Gap | None:
    """The gap an unreadable source leaves. A disk that lies still has no /run, and what was there is gone for good."""
    if reading.cause is Cause.UNSUPPORTED and path.startswith("/run/"):
        return None
    return reading.as_gap()


def _names(files: Files, folder: str, gaps: list[Gap]) -> tuple[str, ...] | None:
    names = files.entries(path=folder)
    if isinstance(names, Unknown) and (gap := _unread(names, folder)) is not None:
        gaps.append(gap)
    return names.value if isinstance(names, Known) else None


# NetworkManager -----------------------------------------------------------------------------------------------------


def _keyfiles(files: Files, folder: str, times: Mapping[str, float], found: _Findings) -> None:
    names = _names(files, folder, found.gaps)
    if names is None:
        return
    found.managed = True
    for name in names:
        if LEFTOVERS.search(name):
            continue
        path = f"{folder}/{name}"
        text = files.text(path=path)
        if isinstance(text, Unknown):
            found.gaps.append(text.as_gap())
        if not isinstance(text, Known):
            continue
        profile = parsed_keyfile(text.value)
        kind = ALIASES.get(profile.get(("connection", "type"), ""), profile.get(("connection", "type"), ""))
        if not kind:
            found.gaps.append(Gap(Cause.MALFORMED, f"{path} 不是可识别的连接配置", path))
            continue
        uuid = profile.get(("connection", "uuid"), "")
        found.uuids.add(uuid)
        found.networks.append(
            SavedNetwork(
                id=profile.get(("connection", "id"), "") or name.removesuffix(".nmconnection"),
                kind=kind,
                ssid=_ssid(profile.get(("wifi", "ssid"), "")),
                mode=_MODES.get(profile.get(("wifi", "mode"), ""), ""),
                shared="shared" in (profile.get(("ipv4", "method")), profile.get(("ipv6", "method"))),
                last_used=times.get(uuid) or None,
                source=path,
                interface=profile.get(("connection", "interface-name"), ""),
            )
        )


def parsed_keyfile(text: str, wanted: frozenset[tuple[str, str]] = _WANTED) -> dict[tuple[str, str], str]:
    """The wanted keys of a profile: (group, key) → value. Nothing else of the file is kept."""
    values: dict[tuple[str, str], str] = {}
    group = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            group = ALIASES.get(line[1:-1].strip(), line[1:-1].strip())
        elif "=" in line and not line.startswith(("#", ";")):
            key, value = line.split("=", 1)
            if (group, key.strip()) in wanted:
                values[group, key.strip()] = value.strip()
    return values


def _ssid(value: str) -> str:
    """A network name as keyfiles have it: text with ``\\s`` for outer blanks, or a list of byte values."""
    if _BYTES.match(value):
        try:
            data = bytes(int(n) for n in value.rstrip(";").split(";"))
        except ValueError:
            return value
        for encoding in ("utf-8", "gb18030"):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                continue
        return data.hex()
    return value.replace("\\s", " ").replace("\\;", ";").replace("\\\\", "\\")


def _ifcfg(files: Files, times: Mapping[str, float], found: _Findings) -> None:
    """Wireless profiles that the ifcfg plugin of older Red Hat descendants keeps."""
    for name in _names(files, IFCFG, found.gaps) or ():
        if not name.startswith("ifcfg-") or LEFTOVERS.search(name):
            continue
        path = f"{IFCFG}/{name}"
        text = files.text(path=path)
        if isinstance(text, Unknown):
            found.gaps.append(text.as_gap())
        if not isinstance(text, Known):
            continue
        values = {
            k: v.strip("\"'") for k, v in re.findall(r"^\s*(TYPE|NAME|UUID|ESSID|MODE|DEVICE)=(.*?)\s*$", text.value, re.MULTILINE)
        }  # fmt: skip
        found.uuids.add(values.get("UUID", ""))
        kinds = {"wireless": "wifi", "modem": "ppp", "xdsl": "pppoe"}
        kind = kinds.get(values.get("TYPE", "").lower(), "wifi" if "ESSID" in values else "")
        if not kind:
            continue
        found.managed = True
        mode = {"master": "ap", "ap": "ap", "ad-hoc": "adhoc"}.get(values.get("MODE", "").lower(), "")
        used = times.get(values.get("UUID", "")) or None
        ssid = values.get("ESSID", "")
        found.networks.append(
            SavedNetwork(values.get("NAME") or name[6:], kind, ssid, mode, False, used, path, values.get("DEVICE", ""))
        )


def _orphans(tools: Tools, times: Mapping[str, float], found: _Findings) -> None:
    """Connections that have a time of use and no profile: made in memory (older releases do that for plain cables), or deleted."""
    left = {u: t for u, t in times.items() if u not in found.uuids}
    if not left:
        return
    in_memory: dict[str, str] = {}
    listed = tools.run(tool="NMCLI", args=("-t", "-f", "UUID,TYPE", "connection", "show"))
    if isinstance(listed, Known) and listed.value.code == 0:
        for line in listed.value.stdout.splitlines():
            uuid, _, kind = line.partition(":")
            in_memory[uuid] = ALIASES.get(kind, kind)
    for uuid, when in left.items():
        kind = in_memory.get(uuid) or "deleted"
        found.networks.append(SavedNetwork(uuid, kind, "", "", False, when, _TIMESTAMPS))


# Others -------------------------------------------------------------------------------------------------------------


def _wpa(files: Files, found: _Findings) -> None:
    for name in _names(files, _WPA, found.gaps) or ():
        if not name.endswith(".conf"):
            continue
        path = f"{_WPA}/{name}"
        text = files.text(path=path)
        if isinstance(text, Unknown):
            found.gaps.append(text.as_gap())
        for block in _wpa_blocks(text.value) if isinstance(text, Known) else ():
            mode = {"1": "adhoc", "2": "ap"}.get(block.get("mode", ""), "")
            ssid = block.get("ssid", "")
            found.networks.append(SavedNetwork(ssid or name, "wifi", ssid, mode, False, None, path, dated=False))


def _wpa_blocks(text: str) -> Iterator[dict[str, str]]:
    for block in re.findall(r"^\s*network\s*=\s*\{(.*?)^\s*\}", text, re.MULTILINE | re.DOTALL):
        found: dict[str, str] = {}
        for key, value in re.findall(r"^\s*(ssid|mode)\s*=\s*(.*?)\s*$", block, re.MULTILINE):
            found[key] = value.strip('"')
        # A block with ``disabled=1`` counts too: it can be enabled at any moment, and was perhaps used before.
        yield found


def _peers(files: Files, found: _Findings) -> None:
    """Dial-up peers. Debian ships a template named ``provider`` that nobody dials."""
    for name in _names(files, _PEERS, found.gaps) or ():
        if name != "provider" and not LEFTOVERS.search(name):
            path = f"{_PEERS}/{name}"
            found.networks.append(SavedNetwork(name, "ppp", "", "", False, None, path, dated=False))


def _others(files: Files) -> Iterator[Gap]:
    """Gaps for managers whose records are not read here, where they have any."""
    for folder, pattern, who in (
        ("/var/lib/iwd", r"\.(psk|open|8021x)$", "iwd"),
        ("/var/lib/connman", r"^(wifi|cellular)_", "ConnMan"),
        ("/etc/wicked", r"^ifconfig.*wlan", "wicked"),
    ):
        names = files.entries(path=folder)
        if isinstance(names, Unknown):
            yield names.as_gap()
        if isinstance(names, Known) and any(re.search(pattern, n) for n in names.value):
            yield Gap(Cause.UNSUPPORTED, f"{who} 保存有无线网络记录，本版本不能读取其连接时间", folder)
    for folder, pattern, who in (
        ("/etc/netplan", r"^\s*(wifis|modems|tunnels)\s*:", "netplan"),
        ("/etc/systemd/network", r"^\s*(WLANInterfaceType|SSID|BSSID)\s*=", "systemd-networkd"),
        ("/etc/network", r"^\s*(wpa-|wireless-essid)|^\s*iface\s+\S+\s+inet\s+(ppp|wvdial)", "ifupdown"),
        ("/etc/network/interfaces.d", r"^\s*(wpa-|wireless-essid)|^\s*iface\s+\S+\s+inet\s+(ppp|wvdial)", "ifupdown"),
    ):
        names = files.entries(path=folder)
        if isinstance(names, Unknown):
            yield names.as_gap()
        for name in names.value if isinstance(names, Known) else ():
            if folder == "/etc/network" and name != "interfaces":
                continue
            text = files.text(path=f"{folder}/{name}")
            if isinstance(text, Unknown) and text.cause is not Cause.MALFORMED:
                yield text.as_gap()
            if isinstance(text, Known) and re.search(pattern, text.value, re.MULTILINE):
                yield Gap(Cause.UNSUPPORTED, f"{who} 配置了无线或拨号网络，不记录连接时间", f"{folder}/{name}")
