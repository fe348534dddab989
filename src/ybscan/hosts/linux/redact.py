"""What is taken out of text before it enters memory that is kept or recorded."""

from __future__ import annotations

import re

_URL_CREDENTIALS = re.compile(r"(://)[^/\s@:\"']+(?::[^/\s@\"']*)?@")
_SECRET_KEY = re.compile(
    r"^(\s*[\w.-]*(?:psk|passw(?:or)?d|passphrase|wep[-_]?key\d?|private[-_]?key|preshared[-_]?key|secret|pin|token)[\w.-]*\s*[=:]\s*).*$",
    re.IGNORECASE | re.MULTILINE,
)
_SECRET_FILES = re.compile(
    r"^/(etc|run|usr/lib)/NetworkManager/system-connections/|^/etc/wpa_supplicant|^/etc/(ppp|ipsec|wireguard|openvpn|strongswan)"
    r"|^/etc/(hostapd|samba|netplan)/"
)

#: Files whose second field held the hash on old systems, and still may.
_ACCOUNT_FILES = re.compile(r"^(/usr)?/etc/(passwd|group)[^/]*$")
_SECOND_FIELD = re.compile(r"^([^:\n]*):([!*]*)([^:\n!*][^:\n]+)(?=:)", re.MULTILINE)

#: Files of password hashes: refused outright. Backups of them (``shadow-``, ``shadow.bak``) included.
_HASH_FILES = re.compile(r"^(/usr)?/etc/(security/)?(g?shadow|master\.passwd|opasswd)")


def holds_hashes(path: str) -> bool:
    """Whether ``path`` is a file of password hashes."""
    return bool(_HASH_FILES.match(path))


def may_hold_hashes(path: str) -> bool:
    """Whether ``path`` is a file in which only :func:`redacted` tells hashes from the rest."""
    return bool(_ACCOUNT_FILES.match(path))


def redacted(path: str, text: str) -> str:
    """``text`` without credentials in URLs, and without secret values where the file is known to hold some."""
    if "://" in text and "@" in text:
        text = _URL_CREDENTIALS.sub(r"\1***@", text)
    if _SECRET_FILES.match(path):
        text = _SECRET_KEY.sub(r"\1***", text)
    if may_hold_hashes(path):
        text = _SECOND_FIELD.sub(r"\1:\2[set]", text)
    return text
