"""Names and addresses that tell who or where, found in results and replaced by code names. Pure.

Two passes: :meth:`Identities.learn` walks everything that will be printed and gives each name its code name,
:meth:`Identities.hide` then replaces them, wherever they stand, in one go, so that no code name is replaced again.
Names are learnt by where they stand (a field ``account``) and by how they look (``/home/…``); addresses by their look.
What everybody's system has (root, Administrator, 127.0.0.1) names nobody and stays.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

#: Fields of facts and what they name.
FIELDS: Final = {
    "account": "用户", "user": "用户", "users": "用户", "persons": "用户", "owner": "用户", "who": "用户",
    "hostname": "主机", "host": "主机", "server": "主机",
    "serial": "序列号", "machine_id": "序列号", "ssid": "无线网络",
}  # fmt: skip
#: Facts that are a name as a whole.
FACTS: Final = {
    "computer_name.current": "主机", "computer_name.configured": "主机", "registration.machine_id": "序列号",
}  # fmt: skip

_COMMON: Final = """
root administrator administrators admin guest guests users everyone system nobody daemon bin sys sync games man lp mail
news uucp proxy www-data backup list irc gnats systemd systemd-network systemd-resolve systemd-timesync messagebus syslog
sshd lightdm gdm dbus polkitd chrony ntp rpc rpcuser tss defaultaccount wdagutilityaccount defaultuser0 public default
localservice networkservice trustedinstaller wheel sudo adm local localhost localhost.localdomain unknown none builtin
workgroup true false yes no all other others ? . - — 所有用户 所有账户 任何人 本机 未知 任意
"""
_NOBODY = frozenset(_COMMON.split())
_MIN_DIGITS = 4
"""A name of digits alone that is shorter could be any number in a sentence."""
_LONG = 120
"""Longer names stand beside the prefix tree, which would be nested too deeply for them."""

_WORD = "A-Za-z0-9"
_SPLIT = re.compile(r"[、，,；;\s]+")
_LOOKS = re.compile(
    r"(?:/home/|/Users/)(?P<home>[^/\\\s\"'<>|:*?，。；：、（）“”]+)"
    r"|\\(?:Users|Documents and Settings)\\(?P<profile>[^\\/:*?\"<>|\r\n，。；“”（）]{1,64}?)(?=[\\\s，。；“”）\"]|$)"
    r"|://(?:[^/@\s]*@)?(?P<url>[^/:@\s\]\[，。；）)\"'“”]+)"
    r"|(?<![\\\w])\\\\(?P<unc>[^\\/\s?.][^\\/\s，。；]*)(?=\\)"
    r"|序列号(?:摘要)?[ ：:为“]*(?P<serial>[0-9A-Za-z][0-9A-Za-z_-]{3,})",
    re.IGNORECASE,
)
_LOOK_KINDS = {"home": "用户", "profile": "用户", "url": "主机", "unc": "主机", "serial": "序列号"}
_ADDRESSES = (
    r"(?P<mac>(?<![0-9A-Za-z])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5,}(?![0-9A-Fa-f])"
    r"|(?<![0-9A-Fa-f.])[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![0-9A-Fa-f.]))"
    r"|(?P<sid>S-1-5-21(?:-\d+){3,4})"
    r"|(?P<mail>(?<![A-Za-z0-9._+-])[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8})"
    r"|(?P<ip>(?<![0-9A-Za-z.])(?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{2,39}(?:\d{1,3}(?:\.\d{1,3}){3})?(?![0-9A-Za-z])"
    r"|(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d))"
)
_VERSION = re.compile(r"(?:版本(?:号)?|version|\bv)[ ：:为是“\"]*$", re.IGNORECASE)
_PADDED = {"主机": 3}


class Identities:
    """What was learnt, and the code names given in the order of learning.

    Args:
        persons: also replace names of persons and departments that are learnt with :meth:`add`.
    """

    def __init__(self, *, persons: bool) -> None:
        self._persons = persons
        self._codes: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._names: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    # Learning -------------------------------------------------------------------------------------------------------

    def add(self, kind: str, name: str) -> None:
        """A name of a kind: ``用户``, ``主机``, ``序列号``, ``无线网络``, ``人员``, ``科室``."""
        if kind in ("人员", "科室") and not self._persons:
            return
        name = name.strip()
        if _harmless(name) or (kind == "主机" and _address(name) is not None):
            return
        parts = [name]
        if kind == "用户" and "\\" in name:
            domain, _, user = name.rpartition("\\")
            self.add("主机", domain)
            parts = [user]
        for part in parts:
            if not _harmless(part):
                self._code(kind, part)
        if kind == "主机" and "." in name:
            self.add("主机", name.partition(".")[0])

    def learn(self, value: Any, field: str = "") -> None:
        """Every name in a JSON value that stands in a field of :data:`FIELDS` or looks like one."""
        if isinstance(value, Mapping):
            for key, inner in value.items():
                self._look(key)
                self.learn(inner, key)
        elif isinstance(value, (list, tuple)):
            for inner in value:
                self.learn(inner, field)
        elif isinstance(value, str):
            kind = FIELDS.get(field) or FACTS.get(field)
            if kind:
                for name in _SPLIT.split(value) if kind == "用户" else (value,):
                    self.add(kind, name)
            self._look(value)

    def _look(self, text: str) -> None:
        for found in _LOOKS.finditer(text):
            group = found.lastgroup or ""
            self.add(_LOOK_KINDS[group], found[group])

    # Hiding ---------------------------------------------------------------------------------------------------------

    def name(self, kind: str, name: str) -> str:
        """The code name for a value that is a name as a whole; harmless ones stay."""
        return name if _harmless(name.strip()) else self._code(kind, name.strip())

    def hide(self, text: str) -> str:
        """``text`` with everything learnt, and every address, replaced."""
        if self._pattern is None:
            known = "|".join(_alternatives(self._names))
            self._pattern = re.compile(f"(?P<name>{known})|{_ADDRESSES}" if known else _ADDRESSES, re.IGNORECASE)
        return self._pattern.sub(self._replaced, text)

    def hidden(self, value: Any, field: str = "") -> Any:
        """A JSON value with every text in it hidden, keys included."""
        if isinstance(value, Mapping):
            return {self.hide(k) if _free(k) else k: self.hidden(v, k) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.hidden(v, field) for v in value]
        if not isinstance(value, str):
            return value
        kind = FIELDS.get(field) or FACTS.get(field)
        if kind and len(_SPLIT.split(value)) == 1 and value.strip().casefold() in self._codes:
            return self._codes[value.strip().casefold()]
        return self.hide(value)

    def _replaced(self, match: re.Match[str]) -> str:
        text = match[0]
        group = match.lastgroup
        if group == "name":
            return self._codes.get(text.casefold(), text)
        if group == "mac":
            return self._numbered("MAC", re.sub("[^0-9a-f]", "", text.casefold()))
        if group == "sid":
            return self._numbered("SID", text)
        if group == "mail":
            return self._numbered("邮箱", text)
        return self._address(match)

    def _address(self, match: re.Match[str]) -> str:
        for cut in (match[0], match[0].removeprefix(":"), match[0].removesuffix(":"), match[0].strip(":")):
            address = _address(cut)
            if address is not None:
                before, _, after = match[0].partition(cut)
                return before + self._told(address, cut, match) + after
        return match[0]

    def _told(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address, text: str, match: re.Match[str]) -> str:
        if address.is_loopback or address.is_unspecified or address.is_multicast or text.startswith("255."):
            return text
        private = address.is_private
        if not private and _VERSION.search(match.string, max(0, match.start() - 16), match.start()):
            return text
        code = self._numbered("地址" if private else "公网地址", str(address))
        if private and address.version == 4:
            first, second = text.split(".")[:2]
            return f"{first}.{second}.x.x（{code}）"
        return code

    def _numbered(self, kind: str, key: str) -> str:
        return self._code(kind, key, name=False)

    def _code(self, kind: str, text: str, *, name: bool = True) -> str:
        """The code name, given on first sight."""
        key = text.casefold()
        if key not in self._codes:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._codes[key] = f"{kind}{self._counts[kind]:0{_PADDED.get(kind, 1)}}"
            if name:
                if not (text.isdigit() and len(text) < _MIN_DIGITS):
                    self._names.update((key, text))
                self._pattern = None
        return self._codes[key]

    def learn_mac(self, mac: str) -> None:
        """A MAC address that may be written without separators as well."""
        bare = re.sub("[^0-9a-f]", "", mac.casefold())
        if len(bare) == 12:
            self._numbered("MAC", bare)
            self._names.add(bare)
            self._pattern = None
        elif mac.strip():
            self._code("MAC", mac.strip())


def _harmless(name: str) -> bool:
    return not name or name.casefold() in _NOBODY or name.startswith(("NT AUTHORITY", "NT SERVICE", "BUILTIN"))


def _free(key: str) -> bool:
    """Whether a key is more than a field's or a fact's name: a parametric fact carries the path it was asked for."""
    return not re.fullmatch(r"[a-z0-9_]+(?:\.[a-z0-9_]+)?", key)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _alternatives(names: Iterable[str]) -> Iterator[str]:
    """Patterns that together match every name, the longest first, whole words where they begin or end like words."""
    word: dict[str, Any] = {}
    other: dict[str, Any] = {}
    for name in sorted(names, key=lambda n: (-len(n), n)):
        if len(name) > _LONG:
            yield (
                _ended(re.escape(name), name)
                if not _wordlike(name[0])
                else f"(?<![{_WORD}])" + _ended(re.escape(name), name)
            )
            continue
        node = word if _wordlike(name[0]) else other
        for char in name:
            node = node.setdefault(char, {})
        node[""] = name
    if word:
        yield f"(?<![{_WORD}])(?:{_tree(word)})"
    if other:
        yield _tree(other)


def _ended(pattern: str, name: str) -> str:
    return pattern + (f"(?![{_WORD}])" if _wordlike(name[-1]) else "")


def _wordlike(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _tree(node: Mapping[str, Any]) -> str:
    """Alternatives of a prefix tree; at each place the longer name is tried first, the one that ends here last."""
    parts = []
    for char, inner in sorted((c, n) for c, n in node.items() if c):
        chain = char
        while len(inner) == 1 and "" not in inner:
            ((more, inner),) = inner.items()
            chain += more
        below = _tree(inner)
        parts.append(re.escape(chain) + (f"(?:{below})" if below else ""))
    if "" in node:
        parts.append(_ended("", node[""]))
    return "|".join(parts)
