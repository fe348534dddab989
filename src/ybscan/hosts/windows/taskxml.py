"""The definition of a scheduled task, as Windows keeps it in files and hands it out over COM.

Source: the Task Scheduler schema (namespace ``http://schemas.microsoft.com/windows/2004/02/mit/task``) and [MS-TSCH].
Arguments of actions hold passwords now and then: they are not even looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from ybscan.hosts.groups.jobs import Task
from ybscan.hosts.windows.redact import masked
from ybscan.model.reading import Cause, Known, Reading, Unknown

TASK_LIMIT = 256 * 1024
"""Largest definition that is read, bytes; real ones have 2 to 10 KiB."""
_NODES_LIMIT = 10_000
_ALL_MONTHS = 12
#: By the element's name; calendar and time triggers say more, see :func:`_trigger`.
_TRIGGERS = {
    "BootTrigger": "boot",
    "LogonTrigger": "logon",
    "IdleTrigger": "idle",
    "EventTrigger": "event",
    "RegistrationTrigger": "registration",
    "SessionStateChangeTrigger": "session",
    "WnfStateChangeTrigger": "state",
    "MaintenanceTrigger": "maintenance",
}
_ACTIONS = {"ComHandler": "COM", "SendEmail": "mail", "ShowMessage": "message"}
_TRUE, _FALSE = ("true", "1"), ("false", "0")


class _OddError(Exception):
    """The definition says something that it cannot say."""


class _Builder(ET.TreeBuilder):
    """No document type, and so no entities: a task has none, a file made to fill memory does."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise _OddError(name)

    def start(self, tag: str, attrs: dict[str, str]) -> ET.Element:
        self._count += 1
        if self._count > _NODES_LIMIT:
            raise _OddError("too many elements")
        return super().start(tag, attrs)


def parse_task(source: bytes | str, *, path: str) -> Reading[Task]:
    """The task of this path (``\\Microsoft\\Windows\\…``) from its definition; ``ran`` is false.

    ``schedule`` names each trigger that is switched on: ``daily``, ``weekly``, ``monthly``, ``daily/3`` and ``weekly/2``
    for every third day and second week, ``some-months``, ``once``, ``every PT1H`` for what repeats without an end,
    and the names of :data:`_TRIGGERS`; ``other`` for a trigger that is not known.
    """
    if len(source) > TASK_LIMIT:
        return Unknown(Cause.TOO_LARGE, f"计划任务 {path}", path)
    parser = ET.XMLParser(target=_Builder())  # noqa: S314 - the builder takes no document type
    try:
        parser.feed(_unmarked(source))
        root = parser.close()
        return Known(_task(root, path), path)
    except (ET.ParseError, _OddError, LookupError, ValueError, RecursionError):  # LookupError: no such encoding
        return Unknown(Cause.MALFORMED, f"计划任务 {path}", path)


def _unmarked(source: bytes | str) -> bytes | str:
    # Some programs write UTF-16 without its mark, which the XML declaration alone does not make readable.
    if isinstance(source, bytes) and source[:4] == b"<\0?\0":
        return source.decode("utf-16-le")
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    return source


def _task(root: ET.Element, path: str) -> Task:
    if _local(root) != "Task":
        raise _OddError(root.tag)
    actions = _child(root, "Actions")
    if actions is None:
        raise _OddError("no actions")
    settings = _child(root, "Settings")
    triggers = _child(root, "Triggers")
    named = [t for t in map(_trigger, triggers if triggers is not None else ()) if t]
    return Task(
        path=path,
        enabled=_flag(settings, "Enabled", default=True),
        programs=tuple(_program(a) for a in actions),
        schedule=",".join(dict.fromkeys(named)),
        run_as=_principal(root, actions.get("Context", "")),
        hidden=_flag(settings, "Hidden", default=False),
        ran=False,
    )


def _program(action: ET.Element) -> str:
    kind = _local(action)
    if kind == "Exec":
        return masked(_text(action, "Command"))
    if kind in _ACTIONS:
        return _ACTIONS[kind]
    raise _OddError(kind)


def _principal(root: ET.Element, context: str) -> str:
    principals = _child(root, "Principals")
    if principals is None:
        return ""
    every = [p for p in principals if _local(p) == "Principal"]
    chosen = [p for p in every if context and p.get("id") == context] or every[:1]
    return _text(chosen[0], "UserId") or _text(chosen[0], "GroupId") if chosen else ""


def _trigger(trigger: ET.Element) -> str:
    """The trigger in a word; empty for one that is switched off."""
    if not _flag(trigger, "Enabled", default=True):
        return ""
    kind = _local(trigger)
    if kind == "CalendarTrigger":
        return _calendar(trigger)
    if kind == "TimeTrigger":
        repetition = _child(trigger, "Repetition")
        interval = _text(repetition, "Interval") if repetition is not None else ""
        # With a duration it repeats for that long after its one start only.
        return (
            f"every {interval}" if interval and repetition is not None and not _text(repetition, "Duration") else "once"
        )
    return _TRIGGERS.get(kind, "other")


def _calendar(trigger: ET.Element) -> str:
    for part in trigger:
        match _local(part):
            case "ScheduleByDay":
                return _stepped("daily", _text(part, "DaysInterval"))
            case "ScheduleByWeek":
                return _stepped("weekly", _text(part, "WeeksInterval"))
            case "ScheduleByMonth" | "ScheduleByMonthDayOfWeek":
                months = _child(part, "Months")
                return "monthly" if months is None or len(months) == _ALL_MONTHS else "some-months"
    raise _OddError("no schedule")


def _stepped(word: str, interval: str) -> str:
    step = int(interval) if interval else 1
    if step < 1:
        raise _OddError(interval)
    return word if step == 1 else f"{word}/{step}"


def _flag(parent: ET.Element | None, name: str, *, default: bool) -> bool:
    text = (_text(parent, name) if parent is not None else "").lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text:
        raise _OddError(text)
    return default


def _text(parent: ET.Element, name: str) -> str:
    found = _child(parent, name)
    return (found.text or "").strip() if found is not None else ""


def _child(parent: ET.Element, name: str) -> ET.Element | None:
    return next(_named(parent, name), None)


def _named(parent: ET.Element, name: str) -> Iterator[ET.Element]:
    return (c for c in parent if _local(c) == name)


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
