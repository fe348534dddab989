"""Proxies: environment files, package managers, desktops, browser policies. Credentials are dropped.

Sources: environment(5) of pam_env, apt.conf(5), dnf.conf(5), the schema org.gnome.system.proxy (path ``/system/proxy/``,
which Kylin's and UOS's desktops share), the enterprise policies of Chromium (ProxySettings, ProxyMode …) and Firefox.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes._dconf import effective
from ybscan.probes.base import Context, Probe

_NAMES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "socks_proxy", "auto_proxy", "SOCKS_SERVER")
_VARIABLES = tuple(dict.fromkeys(n for name in _NAMES for n in (name, name.upper())))
_ASSIGNED = re.compile(
    r"(?:^|[\s;&])(?:export\s+|declare\s+-x\s+)?(" + "|".join(_NAMES) + r")=(\"[^\"]*\"|'[^']*'|[^\s;&#]*)",
    re.IGNORECASE,
)
_SHELL_FILES = (
    "/etc/environment",
    "/etc/profile",
    "/etc/bash.bashrc",
    "/etc/bashrc",
    "/etc/zsh/zshenv",
    "/etc/zsh/zprofile",
    "/etc/zshenv",
    "/etc/zprofile",
    "/etc/csh.cshrc",
    "/etc/csh.login",
    "/etc/profile.local",
)
_SHELL_FOLDERS = (("/etc/profile.d", (".sh", ".csh")), ("/etc/environment.d", (".conf",)))
_PAM_ENV = "/etc/security/pam_env.conf"
_APT = re.compile(r"\bProxy(?:-Auto-Detect|AutoDetect)?(?:::[^\s\"]+)?\s+\"([^\"]*)\"", re.IGNORECASE)
_APT_COMMENT = re.compile(r"/\*.*?\*/|(?<!:)//[^\n]*|^\s*#(?!clear|include)[^\n]*", re.DOTALL | re.MULTILINE)
_YUM = ("/etc/yum.conf", "/etc/dnf/dnf.conf")
_CHROMIUM = (
    "/etc/opt/chrome/policies/managed", "/etc/chromium/policies/managed", "/etc/chromium-browser/policies/managed",
    "/etc/opt/edge/policies/managed",
)  # fmt: skip
_FIREFOX = ("/etc/firefox/policies/policies.json", "/usr/lib/firefox/distribution/policies.json")
_DESKTOP_KEYS = (
    "/system/proxy/mode", "/system/proxy/autoconfig-url",
    "/system/proxy/http/host", "/system/proxy/http/port", "/system/proxy/https/host", "/system/proxy/https/port",
    "/system/proxy/socks/host", "/system/proxy/socks/port", "/system/proxy/ftp/host", "/system/proxy/ftp/port",
)  # fmt: skip
_NONE = frozenset({"", "direct", "none", "false", "_none_", "off", "no"})


class ProxyProbe(Probe):
    """Proxies by which programs of this terminal would reach the Internet without a default route."""

    name = "net_proxies"
    title = "代理设置"
    facts = (
        FactSpec(
            "entries", Kind.ITEMS, "代理设置",
            help="全系统和各用户的代理设置，账号口令已去除。自动配置脚本（PAC）单独标明。",
            linux="环境变量、/etc/environment、/etc/profile.d、apt 与 yum/dnf 配置、各用户桌面代理设置、浏览器策略",
            windows="全机与各用户的 Internet Settings 及其 Connections，WinHttpSettings，环境变量，Chrome、Edge、Firefox 策略",
            fields=(
                Field("proxy", Kind.TEXT, "代理"),
                Field("method", Kind.TEXT, "方式"),
                Field("account", Kind.TEXT, "账户"),
                Field("source", Kind.TEXT, "来源"),
            ),
            summary="{proxy}（{method}，{source}，账户：{account}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        gaps: list[Gap] = []
        items = [
            *_environment(host, gaps), *_shell(host, gaps), *_pam_env(host, gaps), *_apt(host, gaps), *_yum(host, gaps),
            *_browsers(host, gaps), *_desktops(host, gaps),
        ]  # fmt: skip
        return {"entries": _listed_once(items, gaps, context)}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.net_proxies import Makers, entries

        items, gaps = entries(host, Makers(_item, _pac, _chromium, _firefox))
        return {"entries": _listed_once(items, gaps, context)}


def _listed_once(items: list[Item], gaps: list[Gap], context: Context) -> Fact:
    # The rule compares with the unit's list: ``http://proxy:3128/`` there is the same as what is shown here.
    approved = {plain_proxy(p): p for p in context.site.network.proxies or ()}
    items = [
        {**i, "proxy": approved.get(i["proxy"], i["proxy"]) if isinstance(i["proxy"], str) else i["proxy"]}
        for i in items
    ]
    unique = {tuple(str(i[k]) for k in ("source", "proxy", "method", "account")): i for i in items}
    return Known(tuple(v for _, v in sorted(unique.items())), "各处代理设置", tuple(dict.fromkeys(gaps)))


def plain_proxy(value: str) -> str:
    """A proxy as ``host:port`` in lower case: without scheme, credentials and path; empty when it means none."""
    text = value.strip().strip("\"'").strip()
    if text.casefold() in _NONE:
        return ""
    text = re.sub(r"^[a-z][a-z0-9+.-]*://", "", text, flags=re.IGNORECASE)
    return text.split("/", 1)[0].rpartition("@")[2].casefold()


def _item(value: str, method: str, source: str, account: str | None = None) -> Iterator[Item]:
    proxy = plain_proxy(value)
    if proxy:
        shown: FieldValue = proxy
        if "$" in proxy or "`" in proxy:
            shown = Unknown(Cause.MALFORMED, "代理地址引用了变量，无法得知", source)
        yield {"proxy": shown, "method": method, "account": account, "source": source}


def _pac(value: str, source: str, account: str | None = None) -> Item:
    """An automatic configuration, by the host its script comes from; ``wpad`` when the network is asked."""
    return {"proxy": plain_proxy(value) or "wpad", "method": "自动配置脚本", "account": account, "source": source}


def _environment(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    found = host.system.environment(names=_VARIABLES)
    if isinstance(found, Unknown):
        gaps.append(found.as_gap())
    for name, value in sorted(found.value.items()) if isinstance(found, Known) else ():
        if name.lower() == "auto_proxy":
            yield _pac(value, f"环境变量 {name}")
        else:
            yield from _item(value, "手动", f"环境变量 {name}")


def _listed(host: Host, folder: str, endings: tuple[str, ...], gaps: list[Gap]) -> list[str]:
    names = host.files.entries(path=folder)
    if isinstance(names, Unknown):
        gaps.append(names.as_gap())
    return [f"{folder}/{n}" for n in names.value if n.endswith(endings)] if isinstance(names, Known) else []


def _text(host: Host, path: str, gaps: list[Gap]) -> str:
    text = host.files.text(path=path)
    if isinstance(text, Unknown):
        gaps.append(text.as_gap())
    return text.value if isinstance(text, Known) else ""


def _shell(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    for path in (*_SHELL_FILES, *(p for f, e in _SHELL_FOLDERS for p in _listed(host, f, e, gaps))):
        for line in _text(host, path, gaps).splitlines():
            if line.lstrip().startswith("#"):
                continue
            line = re.sub(r"^\s*setenv\s+(\w+)\s+", r"\1=", line)
            for name, value in _ASSIGNED.findall(line):
                if name.lower() == "auto_proxy":
                    yield _pac(value.strip("\"'"), path)
                else:
                    yield from _item(value, "手动", path)


def _pam_env(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    """pam_env.conf(5): a variable, then ``DEFAULT=`` and ``OVERRIDE=`` with a value each, on a line that may go on."""
    text = _text(host, _PAM_ENV, gaps).replace("\\\n", " ")
    for line in text.splitlines():
        name = [*line.split(), ""][0]
        if name.lower() not in {n.lower() for n in _NAMES}:
            continue
        for value in re.findall(r"\b(?:DEFAULT|OVERRIDE)=(\"[^\"]*\"|\S+)", line):
            yield from _item(value, "手动", _PAM_ENV)


def _apt(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    """apt reads every file of apt.conf.d that has no ending or ends in ``.conf``."""
    names = host.files.entries(path="/etc/apt/apt.conf.d")
    if isinstance(names, Unknown):
        gaps.append(names.as_gap())
    listed = names.value if isinstance(names, Known) else ()
    paths = [f"/etc/apt/apt.conf.d/{n}" for n in listed if re.fullmatch(r"[A-Za-z0-9_-]+(\.conf)?", n)]
    for path in ("/etc/apt/apt.conf", *paths):
        text = _APT_COMMENT.sub("", _text(host, path, gaps))
        for match in _APT.finditer(text):
            if "auto" in match[0][:20].lower():
                yield {"proxy": Unknown(Cause.UNCONFIRMED, "由程序自动选择代理", path), "method": "自动选择", "account": None,
                       "source": path}  # fmt: skip
            else:
                yield from _item(match[1], "手动", path)


def _yum(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    for path in (*_YUM, *_listed(host, "/etc/yum.repos.d", (".repo",), gaps)):
        for value in re.findall(r"^\s*proxy\s*=\s*(\S+)", _text(host, path, gaps), re.MULTILINE):
            yield from _item(value, "手动", path)


# Browsers -----------------------------------------------------------------------------------------------------------


def _browsers(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    for path in (p for f in _CHROMIUM for p in _listed(host, f, (".json",), gaps)):
        policy = _json(host, path, gaps)
        settings = policy.get("ProxySettings")
        yield from _chromium({**policy, **(settings if isinstance(settings, dict) else {})}, path)
    for path in _FIREFOX:
        policies = _json(host, path, gaps).get("policies")
        proxy = policies.get("Proxy") if isinstance(policies, dict) else None
        if isinstance(proxy, dict):
            yield from _firefox(proxy, path)


def _json(host: Host, path: str, gaps: list[Gap]) -> dict[str, Any]:
    text = _text(host, path, gaps)
    if not text:
        return {}
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        gaps.append(Gap(Cause.MALFORMED, path, path))
        return {}
    return parsed


def _chromium(policy: dict[str, Any], path: str) -> Iterator[Item]:
    mode = str(policy.get("ProxyMode", ""))
    if mode in ("direct", "system"):
        return
    if mode in ("pac_script", "auto_detect") or (not mode and policy.get("ProxyPacUrl")):
        yield _pac(str(policy.get("ProxyPacUrl", "")) if mode != "auto_detect" else "", path)
    elif policy.get("ProxyServer"):
        yield from _item(str(policy["ProxyServer"]), "手动", path)


def _firefox(proxy: dict[str, Any], path: str) -> Iterator[Item]:
    mode = str(proxy.get("Mode", "manual" if any(k.endswith("Proxy") for k in proxy) else "none"))
    if mode == "manual":
        for key in ("HTTPProxy", "SSLProxy", "FTPProxy", "SOCKSProxy"):
            yield from _item(str(proxy.get(key, "")), "手动", path)
    elif mode in ("autoConfig", "autoDetect"):
        yield _pac(str(proxy.get("AutoConfigURL", "")) if mode == "autoConfig" else "", path)


# Desktops -----------------------------------------------------------------------------------------------------------


def _desktops(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    users = host.accounts.users()
    if isinstance(users, Unknown):
        gaps.append(users.as_gap())
    homes: dict[str, tuple[str, int | None]] = {}
    if isinstance(users, Known):
        gaps.extend(users.gaps)
        homes = {u.home.rstrip("/"): (u.name, u.uid) for u in users.value if u.uid == 0 or u.uid >= 1000}
    # Accounts of a directory service are in no local database; their home folders are there all the same.
    folders = host.files.entries(path="/home")
    if isinstance(folders, Unknown):
        gaps.append(folders.as_gap())
    for name in folders.value if isinstance(folders, Known) else ():
        homes.setdefault(f"/home/{name}", (name, None))
    for home, (name, uid) in sorted(homes.items()):
        if home and home != "/nonexistent":
            yield from _desktop(host, home, name, uid, gaps)


def _desktop(host: Host, home: str, name: str, uid: int | None, gaps: list[Gap]) -> Iterator[Item]:
    values = effective(host, home=home, keys=_DESKTOP_KEYS, uid=uid)
    mode = values["/system/proxy/mode"]
    if isinstance(mode, Unknown):
        gaps.append(Gap(mode.cause, f"{name} 的桌面代理设置：{mode.detail}", mode.origin))
    if not isinstance(mode, Known) or mode.value == "none":
        return
    source = f"桌面代理设置（{mode.origin}）"
    if mode.value == "auto":
        url = values["/system/proxy/autoconfig-url"]
        yield _pac(str(url.value) if isinstance(url, Known) else "", source, name)
        return
    found = False
    for scheme in ("http", "https", "socks", "ftp"):
        target, port = values[f"/system/proxy/{scheme}/host"], values[f"/system/proxy/{scheme}/port"]
        if isinstance(target, Known) and str(target.value).strip():
            # The schema's default ports: 8080 for http, 0 for the others.
            number = port.value if isinstance(port, Known) else 8080 if scheme == "http" else 0
            found = True
            yield from _item(f"{target.value}:{number}", "手动", source, name)
    if not found:
        unclear = Unknown(Cause.UNAVAILABLE, "已选择手动代理，但没有读到代理地址", source)
        yield {"proxy": unclear, "method": "手动", "account": name, "source": source}


PROBES = (ProxyProbe(),)
