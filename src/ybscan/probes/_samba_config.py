"""smb.conf and the shares people make in file managers (usershares). Pure parsing over the files group.

Sources: smb.conf(5) (names of parameters ignore case and inner blanks; ``\\`` joins lines; ``include``, ``copy``,
``config backend``; the synonyms listed there), net(8) on usershares and their format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

CONFIG = "/etc/samba/smb.conf"
KSMBD_CONFIGS = ("/etc/ksmbd/ksmbd.conf", "/etc/ksmbd/smb.conf")
_USERSHARES = "/var/lib/samba/usershares"
_MAX_DEPTH = 8

#: Synonym → (name, whether its value is the opposite); all without blanks.
_SYNONYMS: Mapping[str, tuple[str, bool]] = {
    "public": ("guestok", False), "onlyguest": ("guestonly", False), "writeable": ("readonly", True), "writable": ("readonly", True),
    "writeok": ("readonly", True), "printok": ("printable", False), "directory": ("path", False),
    "minprotocol": ("serverminprotocol", False),
}  # fmt: skip
_TRUE = frozenset({"yes", "true", "1", "on"})
_FALSE = frozenset({"no", "false", "0", "off"})


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter as written, and the file that has it."""

    text: str
    source: str


@dataclass(slots=True)
class SambaConfig:
    """Sections by folded name; ``global`` is one of them. ``gaps``: what a directive leaves untold."""

    sections: dict[str, dict[str, Value]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    """Folded section name → as written."""
    gaps: list[Gap] = field(default_factory=list)

    def value(self, section: str, name: str) -> Value | None:
        """The value that holds in the section: its own, that of the section it copies, else that of ``[global]``."""
        key = _key(name)
        seen: set[str] = set()
        here = section
        while here and here not in seen:
            seen.add(here)
            found = self.sections.get(here, {})
            if key in found:
                return found[key]
            copied = found.get("copy")
            here = copied.text.strip().casefold() if copied else ""
        return self.sections.get("global", {}).get(key)

    def flag(self, section: str, name: str, default: bool) -> bool | Unknown:
        """A yes-or-no parameter."""
        value = self.value(section, name)
        if value is None:
            return default
        word = value.text.strip().casefold()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        return Unknown(Cause.MALFORMED, f"{value.source} 的 {name}", value.source)

    def shares(self) -> tuple[str, ...]:
        """The folded names of the sections that define services."""
        return tuple(s for s in self.sections if s not in ("global", "ipc$"))


def _key(name: str) -> str:
    return re.sub(r"\s+", "", name).casefold()


def read_config(host: Host, path: str = CONFIG) -> Reading[SambaConfig]:
    """The configuration with what it includes; Absent when there is no such file."""
    config = SambaConfig()
    text = host.files.text(path=path)
    if not isinstance(text, Known):
        return text
    _merge(host, text.value, path, config, "", 0)
    if not config.sections and any(
        line.strip() and not line.strip().startswith(("#", ";")) for line in text.value.splitlines()
    ):
        return Unknown(Cause.MALFORMED, path, path)
    backend = config.value("global", "config backend")
    if backend is not None and backend.text.strip().casefold() != "file":
        config.gaps.append(Gap(Cause.UNSUPPORTED, f"{path} 使用注册表方式保存配置，本版本不能读取", path))
    return Known(config, path)


def _merge(host: Host, text: str, path: str, config: SambaConfig, section: str, depth: int) -> None:
    """Later values win. An included file goes on in the section it is included from."""
    for line in _lines(text):
        if line.startswith("["):
            title, bracket, _ = line[1:].partition("]")
            if not bracket:
                config.gaps.append(Gap(Cause.MALFORMED, f"{path}：{line[:40]}", path))
                continue
            section = " ".join(title.split()).casefold()
            config.titles.setdefault(section, title.strip())
            config.sections.setdefault(section, {})
            continue
        name, equals, value = line.partition("=")
        if not equals or not section:
            config.gaps.append(Gap(Cause.MALFORMED, f"{path}：{line[:40]}", path))
            continue
        key = _key(name)
        if key == "include":
            _include(host, value.strip(), path, config, section, depth)
            continue
        key, opposite = _SYNONYMS.get(key, (key, False))
        word = value.strip()
        if opposite and word.casefold() in _TRUE | _FALSE:
            word = "no" if word.casefold() in _TRUE else "yes"
        config.sections.setdefault(section, {})[key] = Value(word, path)


def _include(host: Host, target: str, path: str, config: SambaConfig, section: str, depth: int) -> None:
    target = target.strip("\"'")
    if target.casefold() == "registry":
        config.gaps.append(Gap(Cause.UNSUPPORTED, f"{path} 引用注册表中的配置，本版本不能读取", path))
    elif "%" in target:
        config.gaps.append(Gap(Cause.UNSUPPORTED, f"{path} 按客户端引用不同的配置（{target[:60]}）", path))
    elif depth >= _MAX_DEPTH:
        config.gaps.append(Gap(Cause.TOO_LARGE, f"{path} 的引用层次过深", path))
    else:
        file = target if target.startswith("/") else f"{path.rpartition('/')[0]}/{target}"
        text = host.files.text(path=file)
        if isinstance(text, Known):
            _merge(host, text.value, file, config, section, depth + 1)
        elif isinstance(text, Unknown):
            config.gaps.append(text.as_gap())


def _lines(text: str) -> list[str]:
    found: list[str] = []
    pending = ""
    for raw in text.splitlines():
        line = pending + raw.strip()
        pending = ""
        if not line or line.startswith(("#", ";")):
            continue
        if line.endswith("\\"):
            pending = line[:-1]
            continue
        found.append(line)
    return [*found, pending] if pending.strip() else found


@dataclass(frozen=True, slots=True)
class UserShare:
    """A share that a user made without the administrator. ``everyone``: the rights its list gives to everybody."""

    name: str
    path: str
    everyone: str
    guest: bool
    source: str


def read_usershares(host: Host, config: SambaConfig | None, gaps: list[Gap]) -> tuple[UserShare, ...]:
    """The usershares; none where the administrator switched them off (``usershare max shares = 0``)."""
    limit = config.value("global", "usershare max shares") if config else None
    if limit is not None and limit.text.strip() == "0":
        return ()
    folder = config.value("global", "usershare path") if config else None
    where = folder.text.strip() if folder is not None and folder.text.strip() else _USERSHARES
    names = host.files.entries(path=where)
    if isinstance(names, Unknown):
        gaps.append(names.as_gap())
    found: list[UserShare] = []
    for name in names.value if isinstance(names, Known) else ():
        # A name beginning with a colon is a temporary file of ``net usershare``.
        if name.startswith((".", ":")):
            continue
        text = host.files.text(path=f"{where}/{name}", limit=64 * 1024)
        if isinstance(text, Absent):
            continue
        share = _usershare(text.value, name, f"{where}/{name}") if isinstance(text, Known) else None
        if share is None:
            gaps.append(text.as_gap() if isinstance(text, Unknown) else Gap(Cause.MALFORMED, f"{where}/{name}", where))
        else:
            found.append(share)
    return tuple(found)


def _usershare(text: str, name: str, source: str) -> UserShare | None:
    if not re.match(r"#VERSION [12]\s*$", text.split("\n", 1)[0]):
        return None
    values = {
        k: v.strip() for k, v in re.findall(r"^(path|usershare_acl|guest_ok|sharename)=(.*)$", text, re.MULTILINE)
    }
    if "path" not in values:
        return None
    acl = dict(part.split(":", 1) for part in values.get("usershare_acl", "").split(",") if ":" in part)
    everyone = acl.get("S-1-1-0", "").upper()
    return UserShare(
        values.get("sharename") or name, values["path"], {"R": "读取", "F": "完全", "D": ""}.get(everyone, ""),
        values.get("guest_ok", "n").casefold() == "y", source,
    )  # fmt: skip
