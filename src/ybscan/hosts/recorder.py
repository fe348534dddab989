"""Wraps any host: every question is asked once, its answer (a value or why there is none) kept with the time.

Remembering failures matters as much as remembering values: a second asker must not see an empty answer where the
first one saw an error.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ybscan.hosts.base import Group, Host
from ybscan.model.reading import Cause, Known, Reading, Unknown


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and what came of it."""

    group: str
    question: str
    args: tuple[tuple[str, Any], ...]
    reading: Reading[Any]
    at: datetime


@dataclass(slots=True)
class Recording:
    """All answers so far, by question."""

    clock: Callable[[], datetime]
    answers: dict[tuple[str, str, tuple[tuple[str, Any], ...]], Answer] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


def recorded(host: Host, clock: Callable[[], datetime]) -> tuple[Host, Recording]:
    """A host that asks ``host`` and remembers, with its recording. ``clock`` gives the time of each answer."""
    recording = Recording(clock)
    groups = {name: _proxy(name, group, recording) for name, group in host.groups()}
    return Host(backend=host.backend, os=host.os, **groups), recording


def _proxy(name: str, group: Group, recording: Recording) -> Any:
    kind: type[Group] = next(c for c in type(group).__mro__ if c.__dict__.get("name") == name)
    overrides: dict[str, Any] = {q: _remembering(name, q, getattr(group, q), recording) for q in kind.questions()}
    overrides["__init__"] = lambda self: None
    return type(f"Recorded{kind.__name__}", (kind,), overrides)()


def _in_order(reading: Reading[Any]) -> Reading[Any]:
    """A mapping goes by its keys' order, which is how the bundle writes it: judging now and later sees the same."""
    if isinstance(reading, Known) and isinstance(reading.value, dict):
        return Known(dict(sorted(reading.value.items())), reading.origin, reading.gaps)
    return reading


def _remembering(
    group: str, question: str, ask: Callable[..., Reading[Any]], recording: Recording
) -> Callable[..., Any]:
    def answer(_self: Group, **args: Any) -> Reading[Any]:
        key = (group, question, tuple(sorted(args.items())))
        # Not held while asking: a question that hangs must not block the others. Two probes that ask the same thing
        # at once both ask; the first answer stays.
        with recording.lock:
            known = recording.answers.get(key)
        if known is not None:
            return known.reading
        try:
            reading = _in_order(ask(**args))
        except Exception as e:
            reading = Unknown(Cause.PROBE_ERROR, f"{group}.{question}：{type(e).__name__}: {e}", f"{group}.{question}")
        with recording.lock:
            return recording.answers.setdefault(key, Answer(*key, reading, recording.clock())).reading

    return answer
