"""An event record's XML, as EvtRender and readers of .evtx files give it, and what may be kept of it.

Sources: the Event Schema of the Windows documentation (``EventType``, ``SystemPropertiesType``, ``EventData``,
``UserData``). Records are written by any program, so the text is hostile: no document type, bounded size, depth and
number of items.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass, field
from xml.parsers import expat

from ybscan.hosts.groups.logs import Event
from ybscan.hosts.windows.redact import masked

#: A record is at most 64 KiB in the log; its XML is longer, but not beyond this.
_MAX_TEXT = 1024 * 1024
_MAX_DEPTH = 24
_MAX_ITEMS = 500
_MAX_VALUE = 4096

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ILLEGAL_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]+)|(\d+));")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?\s?(?:Z|UTC|\+00:00)$")


class _RefusedError(Exception):
    """The text is not what an event looks like."""


@dataclass(slots=True)
class _Seen:
    path: list[str] = field(default_factory=list)
    provider: str = ""
    id: str = ""
    time: str = ""
    record: str = ""
    items: int = 0
    unnamed: int = 0
    named: dict[str, str] = field(default_factory=dict)
    name: str | None = None
    """Of the open ``Data`` element; empty for one without a name."""
    text: list[str] = field(default_factory=list)
    leaf: bool = False


def parse_event(text: str, fields: tuple[str, ...]) -> Event | None:
    """The record, with only ``fields`` of its data; None when it is no event, or not one of sane size.

    Named data goes by its name, unnamed data by its position (``0``, ``1`` …), an element below ``UserData`` by its own
    name. Of two with one name the first counts. Values are cut at 4096 characters, passwords in command lines masked.
    """
    if len(text) > _MAX_TEXT:
        return None
    seen = _Seen()
    parser = expat.ParserCreate("utf-8", "}")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = lambda tag, attributes: _start(seen, tag, attributes)
    parser.EndElementHandler = lambda tag: _end(seen)
    parser.CharacterDataHandler = seen.text.append
    try:
        parser.Parse(_clean(text).encode("utf-8"), True)
    except (expat.ExpatError, _RefusedError, ValueError):
        return None
    when = moment(seen.time)
    if when is None or not seen.id.isdecimal() or not seen.provider:
        return None
    record = int(seen.record) if seen.record.isdecimal() else 0
    kept = {k: masked(v[:_MAX_VALUE]) for k, v in seen.named.items() if k in fields}
    return Event(int(seen.id), seen.provider, when, record, kept)


def moment(text: str) -> float | None:
    """Seconds since the epoch of ``2026-11-20T08:01:02.1234567Z``; None for anything else."""
    found = _TIME.match(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(found[i]) for i in range(1, 7))
    if year < 1601 or not 1 <= month <= 12 or hour > 23 or minute > 59:
        return None
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None
    whole = calendar.timegm((year, month, day, hour, minute, min(second, 60), 0, 0, 0))
    return whole + float(f"0.{found[7] or 0}")


def _refuse(*_: object) -> None:
    raise _RefusedError


def _clean(text: str) -> str:
    """The text without characters that XML forbids and that programs log all the same."""

    def reference(found: re.Match[str]) -> str:
        number = int(found[1], 16) if found[1] else int(found[2])
        return "\ufffd" if number > 0x10FFFF or _ILLEGAL.match(chr(number)) else found[0]

    return _ILLEGAL_REFERENCE.sub(reference, _ILLEGAL.sub("\ufffd", text))


def _start(seen: _Seen, tag: str, attributes: dict[str, str]) -> None:
    name = tag.rpartition("}")[2]
    seen.path.append(name)
    seen.text.clear()
    seen.leaf = True
    if len(seen.path) > _MAX_DEPTH or (len(seen.path) == 1 and name != "Event"):
        raise _RefusedError
    match seen.path[1:]:
        case ["System", "Provider"]:
            seen.provider = attributes.get("Name") or attributes.get("EventSourceName", "")
        case ["System", "TimeCreated"]:
            seen.time = attributes.get("SystemTime", "")
        case ["EventData", _]:
            seen.name = attributes.get("Name", "")


def _end(seen: _Seen) -> None:
    text = "".join(seen.text)
    match seen.path[1:]:
        case ["System", "EventID"]:
            seen.id = text.strip()
        case ["System", "EventRecordID"]:
            seen.record = text.strip()
        case ["EventData", "Data"] if seen.leaf:
            _keep(seen, seen.name or "", text)
        # Some readers give the texts of one unnamed item as elements of their own.
        case ["EventData", "Data", _] if seen.leaf:
            _keep(seen, "", text)
        case ["UserData", *rest] if seen.leaf and rest:
            _keep(seen, rest[-1], text)
    seen.text.clear()
    seen.leaf = False
    seen.path.pop()


def _keep(seen: _Seen, name: str, text: str) -> None:
    seen.items += 1
    if seen.items > _MAX_ITEMS:
        raise _RefusedError
    if not name:
        name = str(seen.unnamed)
        seen.unnamed += 1
    seen.named.setdefault(name, text)
