"""This terminal's row of the unit's register, as probes compare with it. Pure."""

from __future__ import annotations

import ipaddress
import re

from ybscan.model.reading import Cause, Unknown
from ybscan.probes._profiles import bare
from ybscan.probes.base import Context

#: Several values in one cell.
_SEPARATORS = re.compile(r"[\s,;/、，；]+")


def _cell(context: Context, column: str, label: str) -> str | Unknown:
    terminal = context.site.terminal
    if terminal is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 terminals 或 terminal（登记表中没有找到本机）", "site.yml")
    value = getattr(terminal, column)
    return (
        str(value) if value else Unknown(Cause.NOT_CONFIGURED, f"终端登记表中本机的{label}（{column} 列）", "site.yml")
    )


def registered_addresses(context: Context) -> tuple[str, ...] | Unknown:
    """The registered IP addresses; a prefix length behind one (``10.20.1.5/24``) is left out."""
    cell = _cell(context, "ip", " IP 地址")
    if isinstance(cell, Unknown):
        return cell
    found: list[str] = []
    for word in _SEPARATORS.split(re.sub(r"/\d{1,3}(?![\d.])", "", cell.strip())):
        try:
            found.append(str(ipaddress.ip_address(word)))
        except ValueError:
            return Unknown(Cause.MALFORMED, f"终端登记表中的 IP 地址“{word[:40]}”", "site.yml")
    return tuple(found)


def registered_macs(context: Context) -> tuple[str, ...] | Unknown:
    """The registered hardware addresses, bare."""
    cell = _cell(context, "mac", " MAC 地址")
    if isinstance(cell, Unknown):
        return cell
    # ``00-11-22-33-44-55`` and ``0011.2233.4455`` are one address each.
    words = [bare(w) if re.fullmatch(r"[0-9A-Fa-f:.-]+", w) else "" for w in _SEPARATORS.split(cell.strip())]
    if any(len(w) != 12 for w in words):
        return Unknown(Cause.MALFORMED, f"终端登记表中的 MAC 地址“{cell[:60]}”", "site.yml")
    return tuple(words)


def registered_name(context: Context) -> str | Unknown:
    """The registered computer name."""
    return _cell(context, "hostname", "计算机名")
