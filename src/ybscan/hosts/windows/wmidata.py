"""Values of WMI classes, decoded: dates, the state of a security product, the channel of a licence.

Sources: "Date and Time Format" of the WMI documentation; WSC_SECURITY_PRODUCT_STATE and
WSC_SECURITY_SIGNATURE_STATUS of iwscapi.h, which ``productState`` holds in its third and fourth nibble from the end; the
``Description`` of SoftwareLicensingProduct, which ends in ``<CHANNEL> channel`` in every language.
"""

from __future__ import annotations

import calendar
import re

_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.(\d{6})([+-])(\d{3})")
_CHANNEL = re.compile(r"([A-Z0-9_]+) channel", re.ASCII)


def cim_datetime(text: str) -> float | None:
    """Seconds since the epoch of ``20261120080102.000000+480`` (minutes east of UTC); None for anything else."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(found[i]) for i in range(1, 7))
    if year < 1601 or not 1 <= month <= 12 or hour > 23 or minute > 59 or second > 60:
        return None
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None
    offset = int(found[9]) * 60 * (1 if found[8] == "+" else -1)
    return calendar.timegm((year, month, day, hour, minute, second, 0, 0, 0)) + int(found[7]) / 1e6 - offset


def product_enabled(state: int) -> bool | None:
    """Whether a product is on; snoozed and expired ones are not. None for a state that is not known."""
    return {0: False, 1: True, 2: False, 3: False}.get(state >> 12 & 0xF)


def product_updated(state: int) -> bool | None:
    """Whether a product says that its signatures are current; None for a status that is not known."""
    return {0: True, 1: False}.get(state >> 4 & 0xF)


def licence_channel(description: str) -> str:
    """The channel in a licence's description; empty when it names none."""
    found = _CHANNEL.search(description)
    return found[1] if found else ""
