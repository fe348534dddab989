"""Proxies of Windows: each person's and the machine's Internet settings, WinHTTP, variables, browser policies.

Sources: "INTERNET_PER_CONN_OPTION" (flags: 1 direct, 2 proxy, 4 script, 8 automatic detection), "Setting WinINet options",
"Netsh commands for WinHTTP", the enterprise policies of Chromium and Firefox on Windows. How the connection values are
laid out is nowhere documented: where they and the plain values disagree nothing is taken for certain. Automatic
detection alone is what Windows comes with, and no proxy of anybody's choosing.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ybscan.hosts.base import Host
from ybscan.hosts.groups.registry import RegistryValue, View
from ybscan.model.facts import Item
from ybscan.model.reading import Cause, Gap, Unknown
from ybscan.probes._windows.keys import Keys

_INTERNET = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings"
_POLICY = r"Software\Policies\Microsoft\Windows\CurrentVersion\Internet Settings"
_MACHINE_ENV = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
_CHROMIUM = (r"Google\Chrome", r"Microsoft\Edge", "Chromium", r"BraveSoftware\Brave", r"360\360se", r"360\360chrome")
_FIREFOX = r"Mozilla\Firefox\Proxy"
_VARIABLES = frozenset({"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "socks_proxy", "socks_server"})
_VIEWS: tuple[View, ...] = ("64", "32")
_DIRECT, _PROXY, _SCRIPT, _DETECT = 1, 2, 4, 8

Shown = Callable[..., Iterator[Item]]


@dataclass(frozen=True, slots=True)
class Makers:
    """How the probe makes items: of a proxy, of a script, of the policies of Chromium and of Firefox."""

    proxy: Shown
    script: Callable[..., Item]
    chromium: Shown
    firefox: Shown


@dataclass(frozen=True, slots=True)
class _Connection:
    flags: int
    proxy: str
    script: str


def entries(host: Host, make: Makers) -> tuple[list[Item], list[Gap]]:
    """All proxies that are set anywhere, and what could not be read."""
    keys = Keys(host)
    people = keys.people()
    machine = keys.number(f"HKLM\\{_POLICY}", "ProxySettingsPerUser") == 0
    items: list[Item] = []
    for view in _VIEWS:
        why = None if machine else "仅当策略规定全机使用同一设置时才生效"
        items += _internet(keys, f"HKLM\\{_INTERNET}", make, None, why, view)
        items += _winhttp(keys, make, view)
    items += _internet(keys, f"HKLM\\{_POLICY}", make, None, None)
    items += _browsers(keys, "HKLM", make, None)
    items += _variables(keys, _MACHINE_ENV, make, None)
    for user in people:
        root = f"HKU\\{user.sid}"
        why = "策略规定全机使用同一设置，用户自己的可能不生效" if machine else None
        items += _internet(keys, f"{root}\\{_INTERNET}", make, user.account, why)
        items += _internet(keys, f"{root}\\{_POLICY}", make, user.account, None)
        items += _browsers(keys, root, make, user.account)
        items += _variables(keys, f"{root}\\Environment", make, user.account)
    return items, list(keys.all_gaps())


# Internet settings --------------------------------------------------------------------------------------------------


def _internet(
    keys: Keys, key: str, make: Makers, account: str | None, why: str | None, view: View = "64"
) -> Iterator[Item]:
    """``why``: the reason for which what is set here may not be in force."""
    plain = keys.values(key, view)
    on = keys.as_number(plain.get("proxyenable"), key, "ProxyEnable")
    server, script = str(plain.get("proxyserver", "")), str(plain.get("autoconfigurl", ""))
    connections = _connections(keys, f"{key}\\Connections", view)
    own = [c for n, c in connections.items() if n in ("defaultconnectionsettings", "savedlegacysettings")]
    found: list[Item] = []
    if on and server:
        found += _servers(server, make, key, account)
    if on and not server:
        found.append(_unclear("已启用代理，但没有读到代理地址", key, account))
    if script:
        found.append(make.script(script, key, account))
    shown = {str(i["proxy"]) for i in found}
    for connection in connections.values():
        told = list(_told(connection, make, f"{key}\\Connections", account))
        if connection in own and {str(i["proxy"]) for i in told} - shown:
            told = [_unclear("两处设置不一致，不能确定代理是否启用", f"{key}\\Connections", account)]
        found += [i for i in told if str(i["proxy"]) not in shown]
    if found and own and on and not any(c.flags & _PROXY for c in own):
        found = [_unclear("两处设置不一致，不能确定代理是否启用", key, account)]
    if why is not None:
        found = [{**i, "proxy": Unknown(Cause.UNCONFIRMED, f"{i['proxy']}：{why}", key)} for i in found]
    yield from found


def _servers(text: str, make: Makers, key: str, account: str | None) -> Iterator[Item]:
    """``host:port`` for all, or ``http=host:port;https=…``."""
    for part in re.split(r"[;\s]+", text.split("\0", 1)[0]):
        yield from make.proxy(part.partition("=")[2] if re.match(r"^\w+=", part) else part, "手动", key, account)


def _told(connection: _Connection, make: Makers, key: str, account: str | None) -> Iterator[Item]:
    if connection.flags & _PROXY:
        named = list(_servers(connection.proxy, make, key, account))
        yield from named or [_unclear("已启用代理，但没有读到代理地址", key, account)]
    if connection.flags & _SCRIPT:
        yield make.script(connection.script, key, account)


def _unclear(why: str, key: str, account: str | None) -> Item:
    return {"proxy": Unknown(Cause.UNCONFIRMED, why, key), "method": "手动", "account": account, "source": key}


def _connections(keys: Keys, key: str, view: View) -> dict[str, _Connection]:
    """The settings of each connection: the local network's own, and one per dial-up or VPN entry."""
    found = {}
    for name, raw in keys.values(key, view).items():
        if name == "winhttpsettings":
            continue
        connection = _parsed(raw)
        if connection is None:
            keys.malformed(key, name[:60])
        else:
            found[name] = connection
    return found


def _parsed(raw: RegistryValue) -> _Connection | None:
    """Version, counter and flags, then two texts (proxy, exceptions) and perhaps a third (script), each after its length."""
    if not isinstance(raw, bytes) or len(raw) < 12:
        return None
    flags = struct.unpack_from("<I", raw, 8)[0]
    if flags & ~0x0F:
        return None
    texts, here = [], 12
    for needed in (True, True, False):
        if here + 4 > len(raw):
            if needed:
                return None
            break
        size = struct.unpack_from("<I", raw, here)[0]
        if here + 4 + size > len(raw):
            return None
        texts.append(raw[here + 4 : here + 4 + size].decode("ascii", "replace"))
        here += 4 + size
    return _Connection(flags, texts[0], texts[2] if len(texts) > 2 else "")


def _winhttp(keys: Keys, make: Makers, view: View) -> Iterator[Item]:
    key = f"HKLM\\{_INTERNET}\\Connections"
    raw = keys.value(key, "WinHttpSettings", view)
    if raw is None:
        return
    parsed = _parsed(raw)
    if parsed is None or (parsed.proxy and not parsed.flags & _PROXY):
        yield {**_unclear("WinHttpSettings 的内容无法识别", key, None), "method": "WinHTTP"}
    elif parsed.flags & (_PROXY | _SCRIPT):
        for item in _told(parsed, make, f"{key}\\WinHttpSettings", None):
            yield {**item, "method": "WinHTTP" if item["method"] == "手动" else item["method"]}


# Policies and variables ---------------------------------------------------------------------------------------------


def _browsers(keys: Keys, root: str, make: Makers, account: str | None) -> Iterator[Item]:
    software = f"{root}\\Software\\Policies"
    for browser in _CHROMIUM:
        key = f"{software}\\{browser}"
        values = keys.values(key)
        wanted = ("ProxyMode", "ProxyServer", "ProxyPacUrl", "ProxySettings", "ProxyServerMode")
        policy: dict[str, Any] = {w: values[w.lower()] for w in wanted if w.lower() in values}
        policy |= _settings(keys, policy.pop("ProxySettings", None), key)
        old = policy.pop("ProxyServerMode", None)
        # The older policy by number: 0 never, 1 automatic detection, 2 by hand or script, 3 the system's own.
        if old is not None and "ProxyMode" not in policy:
            policy["ProxyMode"] = {0: "direct", 1: "auto_detect", 3: "system"}.get(
                int(old) if str(old).isdigit() else 2, ""
            )
        for item in make.chromium(policy, key):
            yield {**item, "account": account}
    proxy = {n: str(v) for n, v in keys.values(f"{software}\\{_FIREFOX}").items()}
    names = {n.lower(): n for n in ("Mode", "HTTPProxy", "SSLProxy", "FTPProxy", "SOCKSProxy", "AutoConfigURL")}
    given = {names[n]: v for n, v in proxy.items() if n in names}
    if given:
        for item in make.firefox(given, f"{software}\\{_FIREFOX}"):
            yield {**item, "account": account}


def _settings(keys: Keys, raw: object, key: str) -> Mapping[str, Any]:
    """``ProxySettings`` is a JSON object in a text."""
    if raw in (None, ""):
        return {}
    try:
        parsed = json.loads(str(raw))
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        keys.malformed(key, "ProxySettings")
        return {}
    return parsed


def _variables(keys: Keys, key: str, make: Makers, account: str | None) -> Iterator[Item]:
    for name, value in sorted(keys.values(key).items()):
        if name == "auto_proxy" and value:
            yield make.script(str(value), f"环境变量 {name}", account)
        elif name in _VARIABLES:
            for item in make.proxy(str(value), "手动", f"环境变量 {name}", account):
                unclear = "%" in str(item["proxy"])
                doubt = Unknown(Cause.MALFORMED, "代理地址引用了变量，无法得知", key)
                yield {**item, "proxy": doubt} if unclear else item
