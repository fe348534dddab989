"""Package sources of apt, dnf/yum and zypper.

Sources: sources.list(5) (one-line and deb822 forms, which file names count, options), yum.conf(5) and dnf.conf(5)
(repository options, folders), zypper(8) (the same file format in its own folder).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from ybscan.hosts.base import Host
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes._listing import names_in

APT_LIST = "/etc/apt/sources.list"
APT_FOLDER = "/etc/apt/sources.list.d"
REPO_FOLDERS = ("/etc/yum.repos.d", "/etc/yum/repos.d", "/etc/distro.repos.d", "/etc/zypp/repos.d")
_MAIN = ("/etc/dnf/dnf.conf", "/etc/yum.conf")
#: apt reads only names of these characters with these endings (sources.list(5)).
_APT_NAME = re.compile(r"[A-Za-z0-9_.-]+\.(list|sources)")
_ONE_LINE = re.compile(r"^(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)")
_CDROM = re.compile(r"^(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?(cdrom:\[[^\]]*\]\S*)\s+(\S+)")
_LOCAL = frozenset({"cdrom", "file", "copy", "media", "dvd", "cd", "hd", "iso", "dir"})
_NO = frozenset({"no", "false", "0", "off", "without", "disable"})
_YES = frozenset({"yes", "true", "1", "on", "with", "enable"})


@dataclass(frozen=True, slots=True)
class Source:
    """One address that packages are taken from."""

    kind: str
    """``apt``, ``yum`` or ``zypper``."""
    path: str
    name: str
    """The suite of apt, the id of a repository."""
    url: str
    enabled: bool

    @property
    def scheme(self) -> str:
        """The access method, without ``mirror+`` and the like before it."""
        return self.url.partition(":")[0].lower().rpartition("+")[2]

    @property
    def local(self) -> bool:
        """A disc, or a folder of this machine."""
        return self.scheme in _LOCAL or (self.scheme == "mirror" and self.url.lower().startswith("mirror+file"))

    @property
    def host(self) -> str:
        """The server, in lower case; empty for local sources and for what cannot be read."""
        if self.local:
            return ""
        try:
            return (urlsplit(self.url).hostname or "").lower()
        except ValueError:
            return ""


def read_sources(host: Host) -> tuple[tuple[Source, ...], tuple[Gap, ...]]:
    """Every package source that is written down, and what could not be read."""
    gaps: list[Gap] = []
    found = [*_apt(host, gaps), *_repositories(host, gaps)]
    return tuple(sorted(found, key=lambda s: (s.kind, s.path, s.name, s.url))), tuple(dict.fromkeys(gaps))


def _text(host: Host, path: str, gaps: list[Gap]) -> str:
    text = host.files.text(path=path)
    if isinstance(text, Unknown):
        gaps.append(text.as_gap())
    return text.value if isinstance(text, Known) else ""


# apt ------------------------------------------------------------------------------------------------------------


def _apt(host: Host, gaps: list[Gap]) -> Iterator[Source]:
    paths = [APT_LIST] + [f"{APT_FOLDER}/{n}" for n in names_in(host, APT_FOLDER, gaps) if _APT_NAME.fullmatch(n)]
    for path in paths:
        text = _text(host, path, gaps)
        parse = deb822_sources if path.endswith(".sources") else one_line_sources
        yield from parse(text, path, gaps)


def one_line_sources(text: str, path: str, gaps: list[Gap]) -> Iterator[Source]:
    """The lines of a ``.list`` file. A line in comment is no source."""
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        if not line:
            continue
        m = _CDROM.match(line) or _ONE_LINE.match(line)
        if m is None:
            gaps.append(Gap(Cause.MALFORMED, f"{path} 有无法识别的行", path))
            continue
        # Sources of source code bring no programs.
        if m[1] == "deb":
            yield Source("apt", path, m[4], m[3], True)


def deb822_sources(text: str, path: str, gaps: list[Gap]) -> Iterator[Source]:
    """The stanzas of a ``.sources`` file."""
    for stanza in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n")):
        fields: dict[str, str] = {}
        key = ""
        for line in stanza.splitlines():
            if line.startswith("#") or not line.strip():
                continue
            if line[0] in " \t" and key:
                fields[key] += " " + line.strip()
            elif ":" in line:
                key, _, value = line.partition(":")
                key = key.strip().lower()
                fields[key] = value.strip()
            else:
                gaps.append(Gap(Cause.MALFORMED, f"{path} 有无法识别的行", path))
        if not fields:
            continue
        if not fields.get("uris") or not fields.get("types"):
            gaps.append(Gap(Cause.MALFORMED, f"{path} 中有一段缺少 Types 或 URIs", path))
            continue
        if "deb" not in fields["types"].split():
            continue
        enabled = fields.get("enabled", "yes").lower() not in _NO
        for url in fields["uris"].split():
            for suite in fields.get("suites", "").split() or [""]:
                yield Source("apt", path, suite, url, enabled)


# dnf, yum, zypper -----------------------------------------------------------------------------------------------


def _repositories(host: Host, gaps: list[Gap]) -> Iterator[Source]:
    for folder in REPO_FOLDERS:
        for name in names_in(host, folder, gaps):
            if name.endswith(".repo"):
                path = f"{folder}/{name}"
                yield from repo_sources(_text(host, path, gaps), path, gaps)
    for path in _MAIN:
        yield from repo_sources(_text(host, path, gaps), path, gaps)


def repo_sources(text: str, path: str, gaps: list[Gap]) -> Iterator[Source]:
    """The sections of a ``.repo`` file: base addresses (several lines are allowed), else lists of mirrors."""
    kind = "zypper" if path.startswith("/etc/zypp") else "yum"
    sections: dict[str, dict[str, str]] = {}
    section: dict[str, str] | None = None
    key = ""
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare.startswith(("#", ";")):
            continue
        if bare.startswith("[") and bare.endswith("]"):
            section, key = sections.setdefault(bare[1:-1].strip(), {}), ""
        elif section is None:
            gaps.append(Gap(Cause.MALFORMED, f"{path} 有无法识别的行", path))
        elif line[0] in " \t" and key:
            section[key] += " " + bare
        elif "=" in bare:
            key, _, value = bare.partition("=")
            key = key.strip().lower()
            section[key] = value.strip()
        else:
            gaps.append(Gap(Cause.MALFORMED, f"{path} 有无法识别的行", path))
    for name, values in sections.items():
        if name == "main":
            continue
        enabled = values.get("enabled", "1").lower() not in _NO
        urls = re.split(r"[\s,]+", values.get("baseurl", "").strip())
        # With a base address dnf still asks the mirror list where one is given.
        urls += [values[k] for k in ("mirrorlist", "metalink") if values.get(k)]
        named = [u for u in urls if u]
        if not named:
            gaps.append(Gap(Cause.MALFORMED, f"{path} 的 [{name[:60]}] 没有地址", path))
        for url in named:
            yield Source(kind, path, name, url, enabled)


# The unit's own server ------------------------------------------------------------------------------------------


def is_on(source: Source, server: str) -> bool | None:
    """Whether the source lies on the unit's server; None when the setting or the address cannot be read.

    ``server`` is a host name, ``host:port`` or an address with a path; what it leaves out is not compared.
    """
    text = server.strip() if "://" in server else f"//{server.strip()}"
    try:
        wanted, have = urlsplit(text), urlsplit(source.url)
        wanted_port, have_port = wanted.port, have.port
    except ValueError:
        return None
    if not wanted.hostname or not source.host or "$" in source.host:
        return None
    if source.host != wanted.hostname.lower():
        return False
    default = {"http": 80, "https": 443, "ftp": 21}
    if wanted_port is not None and (have_port or default.get(source.scheme)) != wanted_port:
        return False
    prefix = wanted.path.rstrip("/")
    return not prefix or have.path.rstrip("/") == prefix or have.path.startswith(prefix + "/")


def is_global(host_name: str) -> bool | None:
    """Whether a host given as an address lies in the Internet; None for names."""
    try:
        return ipaddress.ip_address(host_name.strip("[]")).is_global
    except ValueError:
        return None
