"""Local accounts from passwd, shadow and group. The only reader of shadow: a hash is reduced to its state here."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TypeVar

from ybscan.hosts.common.errors import from_error
from ybscan.hosts.common.opening import READ_FLAGS
from ybscan.hosts.groups.accounts import Account, Accounts, GroupEntry, PasswordAgeing, PasswordState
from ybscan.hosts.groups.files import Files
from ybscan.hosts.linux.paths import resolve
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown

T = TypeVar("T")

_SCHEMES = {
    "1": "md5", "2a": "bcrypt", "2b": "bcrypt", "2y": "bcrypt", "5": "sha256", "6": "sha512", "7": "scrypt",
    "y": "yescrypt", "gy": "gost-yescrypt", "sm3": "sm3",
}  # fmt: skip
_LIMIT = 4 * 1024 * 1024


class LinuxAccounts(Accounts):
    """passwd(5), shadow(5) and group(5) below ``root``."""

    def __init__(self, files: Files, *, root: str = "/") -> None:
        super().__init__()
        self._files = files
        self._root = root

    def users(self) -> Reading[tuple[Account, ...]]:
        return self._lines("/etc/passwd", 7, _account)

    def groups(self) -> Reading[tuple[GroupEntry, ...]]:
        return self._lines("/etc/group", 4, _group)

    def ageing(self) -> Reading[tuple[PasswordAgeing, ...]]:
        path = "/etc/shadow"
        try:
            fd = os.open(resolve(self._root, path), READ_FLAGS)
            with os.fdopen(fd, "rb") as f:
                data = f.read(_LIMIT + 1)
        except OSError as e:
            return from_error(e, path)
        if len(data) > _LIMIT:
            return Unknown(Cause.TOO_LARGE, path, path)
        return parse_shadow(data)

    def _lines(self, path: str, count: int, make: Callable[[list[str]], T]) -> Reading[tuple[T, ...]]:
        text = self._files.text(path=path)
        return _parsed(text.value, path, count, make) if isinstance(text, Known) else text


def parse_shadow(data: bytes) -> Reading[tuple[PasswordAgeing, ...]]:
    """The states and dates in the text of /etc/shadow; a hash is looked at for its scheme alone."""
    return _parsed(data.decode("utf-8", "surrogateescape"), "/etc/shadow", 9, _ageing)


def _parsed(text: str, path: str, count: int, make: Callable[[list[str]], T]) -> Reading[tuple[T, ...]]:
    entries: list[T] = []
    bad: list[int] = []
    # Not splitlines(): a name may hold U+2028 and the like, which ends no line for the system.
    for number, line in enumerate(text.split("\n"), 1):
        # "+" and "-" lines hand over to NIS; they name no local account.
        if not line.strip() or line.startswith(("#", "+", "-")):
            continue
        fields = line.split(":")
        try:
            if len(fields) != count or not fields[0]:
                raise ValueError(line)
            entries.append(make(fields))
        except ValueError:
            bad.append(number)
    if not entries:
        return Unknown(Cause.MALFORMED, f"{path} 没有可识别的记录", path)
    gaps = (Gap(Cause.MALFORMED, f"{path} 第 {'、'.join(map(str, bad[:5]))} 行", path),) if bad else ()
    return Known(tuple(entries), path, gaps)


def _account(f: list[str]) -> Account:
    field = "shadow" if f[1] == "x" else "empty" if f[1] == "" else "locked" if f[1][0] in "*!" else "set"
    return Account(f[0], int(f[2]), int(f[3]), f[4], f[5], f[6], field)  # type: ignore[arg-type]


def _group(f: list[str]) -> GroupEntry:
    return GroupEntry(f[0], int(f[2]), tuple(m for m in f[3].split(",") if m))


def _ageing(f: list[str]) -> PasswordAgeing:
    last, low, high, warn, inactive, expires = (int(v) if v.strip() else None for v in f[2:8])
    state, scheme = _state(f[1])
    return PasswordAgeing(f[0], state, last, low, high, warn, inactive, expires, scheme)


def _state(secret: str) -> tuple[PasswordState, str]:
    """The state and scheme of a shadow password field, after shadow(5) and crypt(5)."""
    if secret == "":
        return "empty", ""
    bare = secret.lstrip("!*")
    if not bare:
        return "none", ""
    found = re.match(r"\$([a-z0-9]+)\$", bare)
    scheme = _SCHEMES.get(found[1], "other") if found else "des" if len(bare) == 13 else "other"
    return ("locked" if secret[0] in "!*" else "set"), scheme
