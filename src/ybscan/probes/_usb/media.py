"""Whether a medium is one the unit has registered."""

from __future__ import annotations

from ybscan.model.facts import FieldValue
from ybscan.model.reading import Absent, Cause, Reading, Unknown
from ybscan.model.site import Site
from ybscan.probes._usb.serials import registered, shown


def registration(serial: Reading[str], site: Site) -> bool | Unknown:
    """Whether the medium is registered. Without a list nothing is, unless the unit says it works with registered media.

    A medium without a serial number cannot be told from others, so it never counts as registered.
    """
    if site.usb.registered is None:
        if site.usb.profile == "registered":
            return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 usb.registered", "site.yml")
        return False
    if isinstance(serial, Unknown):
        return serial
    return not isinstance(serial, Absent) and registered(serial.value, site.usb.registered)


def shown_serial(serial: Reading[str], salt: str) -> FieldValue:
    """The serial as reports carry it; None for a medium that has none."""
    if isinstance(serial, Unknown):
        return serial
    return None if isinstance(serial, Absent) or not serial.value.strip() else shown(serial.value, salt)
