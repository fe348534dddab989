"""Serial numbers of media: shown salted and shortened, compared in full."""

from __future__ import annotations

import hashlib

from ybscan.hosts.base import Host
from ybscan.model.reading import Known

#: How many hexadecimal digits of the digest are shown: enough to tell a unit's media apart, too few to be a number.
SHOWN = 8
_PURPOSE = "ybscan/media-serial/v1"
_MACHINE_GUID = r"HKLM\SOFTWARE\Microsoft\Cryptography"


def salt(host: Host) -> str:
    """What makes the shown form this terminal's own: its machine id (of Windows the ``MachineGuid``), else its name.

    The same stick has the same shown form in every record of one terminal, and nobody can look the number up in a
    table made elsewhere.
    """
    if host.os == "windows":
        guid = host.registry.value(key=_MACHINE_GUID, name="MachineGuid")
        if isinstance(guid, Known) and isinstance(guid.value, str) and guid.value.strip():
            return guid.value.strip().lower()
    else:
        machine = host.files.text(path="/etc/machine-id", limit=4096)
        if isinstance(machine, Known) and machine.value.strip():
            return machine.value.strip()
    identity = host.system.identity()
    return identity.value.hostname if isinstance(identity, Known) else ""


def shown(serial: str, salt_text: str) -> str:
    """The form of a serial that reports carry: the first digits of SHA-256 over purpose, salt and serial."""
    return hashlib.sha256("\0".join((_PURPOSE, salt_text, serial.strip())).encode()).hexdigest()[:SHOWN]


def registered(serial: str, media: tuple[str, ...] | None) -> bool:
    """Whether the serial is one of the unit's registered media; letter case and blanks at the ends do not count."""
    return bool(serial.strip()) and serial.strip().casefold() in {m.strip().casefold() for m in media or ()}
