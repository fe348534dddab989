"""Where the system's updates come from."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes._repos import Source, is_global, is_on, read_sources
from ybscan.probes._software.text import shown
from ybscan.probes.base import Context, Probe

_KIND_TEXT = {"apt": "apt", "yum": "yum/dnf", "zypper": "zypper"}
_PROXY = re.compile(r"^\s*Acquire::(?:https?|ftp)::(?:Proxy|ProxyAutoDetect)\b[^\n]*", re.IGNORECASE | re.MULTILINE)


class UpdateSourcesProbe(Probe):
    """The update channel: package sources on Linux, the update server on Windows."""

    name = "update_sources"
    title = "系统更新源"
    facts = (
        FactSpec(
            "sources", Kind.ITEMS, "系统更新源",
            help="每个软件源地址一条。本机光盘、文件夹来源（local）不经过网络。"
            "是否在单位的更新服务器上，按 site.yml 的 updates.server 比对。",
            linux="/etc/apt/sources.list、sources.list.d（.list 与 .sources）、/etc/yum.repos.d、/etc/zypp/repos.d",
            windows="HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate 的 WUServer、WUStatusServer 与 AU\\UseWUServer",
            fields=(
                Field("kind", Kind.TEXT, "类型"),
                Field("path", Kind.TEXT, "配置位置"),
                Field("name", Kind.TEXT, "名称"),
                Field("url", Kind.TEXT, "地址"),
                Field("host", Kind.TEXT, "服务器"),
                Field("enabled", Kind.BOOLEAN, "是否启用"),
                Field("local", Kind.BOOLEAN, "是否本机来源"),
                Field("approved", Kind.BOOLEAN, "是否在单位的更新服务器上"),
                Field("internet_address", Kind.BOOLEAN, "是否为互联网地址"),
            ),
            summary="{url}（{kind} {name}，{path}）",
        ),
        FactSpec(
            "from_server", Kind.BOOLEAN, "是否有启用的更新源指向单位的更新服务器", words=("有", "没有"),
            help="与 site.yml 的 updates.server 比对。",
            linux="同上", windows="同上",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        sources, gaps = read_sources(host)
        proxied = _proxy(host)
        items = tuple(_item(s, context, proxied) for s in sources)
        return {
            "sources": Known(items, "软件源配置", gaps),
            "from_server": _from_server(items, gaps, context),
        }


def _item(source: Source, context: Context, proxied: bool | Unknown) -> Item:
    internet: FieldValue = False
    if not source.local:
        address = is_global(source.host)
        internet = Unknown(Cause.UNCONFIRMED, "只知道名称") if address is None else address
    return {
        "kind": _KIND_TEXT[source.kind], "path": source.path, "name": shown(source.name, 60) or None,
        "url": shown(source.url, 200), "host": shown(source.host, 100) or None, "enabled": source.enabled,
        "local": source.local, "approved": _approved(source, context, proxied), "internet_address": internet,
    }  # fmt: skip


def _approved(source: Source, context: Context, proxied: bool | Unknown) -> FieldValue:
    server = context.site.updates.server
    if server is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 updates.server", "site.yml")
    if source.local:
        return False
    found = is_on(source, server)
    if found is None:
        return Unknown(Cause.MALFORMED, f"地址“{shown(source.url, 60)}”或 updates.server 无法识别")
    if not found and source.kind == "apt" and proxied is not False:
        # An apt cache in the unit (apt-cacher-ng) is set as a proxy while the list keeps the public addresses.
        if isinstance(proxied, Unknown):
            return proxied
        return Unknown(Cause.UNCONFIRMED, "apt 设有代理，实际来源取决于代理服务器")
    return found


def _proxy(host: Host) -> bool | Unknown:
    """Whether apt goes through a proxy (apt.conf(5)); what cannot be read leaves it open."""
    names = host.files.entries(path="/etc/apt/apt.conf.d")
    if isinstance(names, Unknown):
        return names
    listed = names.value if isinstance(names, Known) else ()
    paths = [f"/etc/apt/apt.conf.d/{n}" for n in listed if re.fullmatch(r"[A-Za-z0-9_-]+(\.conf)?", n)]
    for path in ("/etc/apt/apt.conf", *paths):
        text = host.files.text(path=path)
        if isinstance(text, Unknown):
            return text
        if isinstance(text, Known) and any(
            "direct" not in line.lower() and not re.search(r'""|"false"', line, re.IGNORECASE)
            for line in _PROXY.findall(_flat(text.value))
        ):
            return True
    return False


def _flat(text: str) -> str:
    """``Acquire { http { Proxy "x"; }; };`` as ``Acquire::http::Proxy "x";``, for as much as matters here."""
    text = re.sub(r"^\s*(//|#).*$", "", text, flags=re.MULTILINE)
    path: list[str] = []
    lines: list[str] = []
    for word, mark in re.findall(r'((?:"[^"]*"|[^{};"])*)([{};])', text):
        if mark == "{":
            path.append(word.strip())
        elif mark == "}":
            path = path[:-1]
        elif word.strip():
            lines.append("::".join((*path, word.strip())))
    return "\n".join(lines)


def _from_server(items: tuple[Item, ...], gaps: tuple[Gap, ...], context: Context) -> Fact:
    if context.site.updates.server is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 updates.server", "site.yml")
    enabled = [i for i in items if i["enabled"]]
    if any(i["approved"] is True for i in enabled):
        return Known(True, "软件源配置")
    doubt = next((i["approved"] for i in enabled if isinstance(i["approved"], Unknown)), None)
    if isinstance(doubt, Unknown):
        return doubt
    if gaps:
        return Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin)
    return Known(False, "软件源配置")


PROBES = (UpdateSourcesProbe(),)
