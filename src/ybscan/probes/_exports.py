"""NFS exports and FTP configuration. Pure.

Sources: exports(5) (a client without options stands alone; a blank before the parenthesis makes it mean everybody;
``-options`` as defaults; backslash joins lines; octal escapes), exportfs(8) on ``/etc/exports.d/*.exports``;
vsftpd.conf(5) (``anonymous_enable`` is YES unless the file says otherwise).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ybscan.hosts.linux.mounts import unescaped
from ybscan.probes._usb.layers import logical_lines

_TOKEN = re.compile(r'"[^"]*"(?:\([^)]*\))?|[^\s"(]*\([^)]*\)|[^\s"]+')


@dataclass(frozen=True, slots=True)
class Export:
    """One path given to one client. ``client`` is empty for everybody."""

    path: str
    client: str
    writable: bool
    root: bool
    """Whether the other side's root is root here (``no_root_squash``)."""

    @property
    def everybody(self) -> bool:
        """Whether any machine may mount it."""
        return is_everybody(self.client)


def is_everybody(client: str) -> bool:
    """Whether a client specification fits every machine of a family."""
    bare = client.strip()
    if bare in ("", "*"):
        return True
    try:
        return ipaddress.ip_network(bare, strict=False).prefixlen == 0
    except ValueError:
        return False


def parse_exports(text: str) -> tuple[tuple[Export, ...], tuple[str, ...]]:
    """The exports of a file, and the lines that make no sense."""
    found: list[Export] = []
    bad: list[str] = []
    for line in logical_lines(text):
        bare = line.split("#", 1)[0].strip() if not line.lstrip().startswith("#") else ""
        if not bare:
            continue
        tokens = _TOKEN.findall(bare)
        path = unescaped(tokens[0].strip('"')) if tokens else ""
        if not path.startswith("/"):
            bad.append(line[:60])
            continue
        found.extend(_clients(path, tokens[1:]))
    return tuple(found), tuple(bad)


def _clients(path: str, tokens: list[str]) -> Iterator[Export]:
    defaults: list[str] = []
    named = False
    for token in tokens:
        if token.startswith("-"):
            defaults = token[1:].split(",")
            continue
        client, _, options = token.partition("(")
        words = [*defaults, *(o.strip() for o in options.rstrip(")").split(",") if o.strip())]
        named = True
        yield Export(path, client.strip('"'), _last(words, "rw", "ro"), _last(words, "no_root_squash", "root_squash"))
    if not named:
        yield Export(path, "", _last(defaults, "rw", "ro"), _last(defaults, "no_root_squash", "root_squash"))


def _last(words: list[str], on: str, off: str) -> bool:
    """The later of two opposite options holds; neither is ``off``."""
    said = [w for w in words if w in (on, off)]
    return bool(said) and said[-1] == on


def vsftpd_anonymous(text: str) -> bool | None:
    """Whether vsftpd lets anybody in without a password; None when the value is neither YES nor NO."""
    found = re.findall(r"^anonymous_enable=(\S*)\s*$", text, re.MULTILINE)
    if not found:
        return True
    word = found[-1].upper()
    if word in ("YES", "TRUE", "1"):
        return True
    return False if word in ("NO", "FALSE", "0") else None
