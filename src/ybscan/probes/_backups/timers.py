"""What ``systemctl show`` says about a timer and its service. Pure apart from the clock's zone.

Property names: org.freedesktop.systemd1(5). Times are printed as ``Fri 2026-11-20 03:00:01 CST``; older releases know
no other form, so the zone's abbreviation has to be understood.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo

#: Abbreviations a terminal in China shows. Everything else is taken for the local zone of the scan.
_ZONES = {"UTC": timezone.utc, "GMT": timezone.utc, "CST": timezone(timedelta(hours=8))}  # noqa: UP017
_STAMP = re.compile(r"(?:[A-Z][a-z]{2} )?(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)?(?: (\S+))?$")


def properties(text: str) -> dict[str, str]:
    """``Key=value`` lines."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def stamp(text: str, zone: tzinfo | None) -> datetime | None:
    """A printed time; None when it is empty, ``n/a`` or of another form."""
    m = _STAMP.match(text.strip())
    if m is None:
        return None
    try:
        bare = datetime.fromisoformat(f"{m[1]}T{m[2]}")
    except ValueError:
        return None
    return bare.replace(tzinfo=_ZONES.get(m[3] or "", zone))
