"""Remembered connections out of their files: WLAN profiles and RAS phone books. Only names are taken.

Sources: the WLAN_profile schema of the Windows documentation (``SSIDConfig/SSID/name`` and ``hex``, ``connectionType``);
rasphone.pbk as the phone book API writes it: an INI file, one section per entry, ``Type`` RASET_* of ras.h, ``MEDIA``,
``DEVICE``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.parsers import expat

_MAX_TEXT = 1024 * 1024
_MAX_DEPTH = 24


@dataclass(frozen=True, slots=True)
class WlanProfile:
    """A profile's names. ``mode`` is ``adhoc`` for a network of this machine's own kind, else empty."""

    name: str
    ssid: str
    mode: str


@dataclass(frozen=True, slots=True)
class PhoneEntry:
    """An entry of a phone book. ``kind`` is ``vpn``, ``pppoe`` or ``ppp``."""

    name: str
    kind: str


class _RefusedError(Exception):
    """The text is no profile."""


def wlan_profile(text: str) -> WlanProfile | None:
    """The names in a profile's XML; None when it is none. The key in it is not looked at."""
    if len(text) > _MAX_TEXT:
        return None
    path: list[str] = []
    found: dict[str, str] = {}
    wanted = {
        "name": "WLANProfile/name", "ssid": "WLANProfile/SSIDConfig/SSID/name", "hex": "WLANProfile/SSIDConfig/SSID/hex",
        "type": "WLANProfile/connectionType",
    }  # fmt: skip
    here = {v: k for k, v in wanted.items()}

    def start(tag: str, _: dict[str, str]) -> None:
        path.append(tag.rpartition("}")[2])
        if len(path) > _MAX_DEPTH:
            raise _RefusedError

    def end(_: str) -> None:
        path.pop()

    def characters(data: str) -> None:
        key = here.get("/".join(path))
        if key is not None:
            found[key] = found.get(key, "") + data

    def refuse(*_: object) -> None:
        raise _RefusedError

    parser = expat.ParserCreate("utf-8", "}")
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    try:
        parser.Parse(re.sub(r"^\ufeff?<\?xml[^>]*\?>", "", text).encode("utf-8", "replace"), True)
    except (expat.ExpatError, _RefusedError, ValueError):
        return None
    ssid = found.get("ssid") or _from_hex(found.get("hex", ""))
    name = found.get("name", "") or ssid
    if not name:
        return None
    return WlanProfile(name, ssid, "adhoc" if found.get("type", "").strip() == "IBSS" else "")


def _from_hex(text: str) -> str:
    try:
        raw = bytes.fromhex(text.strip())
    except ValueError:
        return ""
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.hex()


def phone_book(text: str) -> tuple[PhoneEntry, ...]:
    """The entries of a rasphone.pbk. RASET_Phone 1, RASET_Vpn 2, RASET_Direct 3, RASET_Internet 4, RASET_Broadband 5."""
    found: list[PhoneEntry] = []
    for section in re.split(r"^(?=\[[^\]\r\n]+\][ \t]*\r?$)", text, flags=re.MULTILINE):
        head = re.match(r"\[([^\]\r\n]+)\]", section)
        if head is None:
            continue
        kind = re.search(r"^Type=(\d+)", section, re.MULTILINE | re.IGNORECASE)
        number = kind[1] if kind else ""
        device = re.search(r"^DEVICE=(\w+)", section, re.MULTILINE | re.IGNORECASE)
        pppoe = number == "5" or (device is not None and device[1].lower() == "pppoe")
        found.append(PhoneEntry(head[1], "vpn" if number == "2" else "pppoe" if pppoe else "ppp"))
    return tuple(found)
