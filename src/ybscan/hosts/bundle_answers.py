"""One recorded answer as a JSON document, and back with every value checked against what its question declares."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from ybscan.hosts.base import answer_type
from ybscan.hosts.codec import decode, encode
from ybscan.hosts.recorder import Answer
from ybscan.hosts.replay import group_types
from ybscan.model.problem import Problem
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

#: After this many problems the rest of a bundle is not looked at.
MAX_PROBLEMS = 20

Key = tuple[str, str, tuple[tuple[str, Any], ...]]


def plain(args: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """A question's arguments as JSON."""
    return {name: encode(value) for name, value in args}


def answer_document(answer: Answer) -> dict[str, Any]:
    """An answer as the bundle carries it."""
    made: dict[str, Any] = {"question": answer.question, "args": plain(answer.args), "at": answer.at.isoformat()}
    reading = answer.reading
    made["origin"] = reading.origin
    if isinstance(reading, Known):
        made |= {"status": "known", "value": encode(reading.value)}
        if reading.gaps:
            made["gaps"] = [{"cause": g.cause.value, "detail": g.detail, "origin": g.origin} for g in reading.gaps]
    elif isinstance(reading, Absent):
        made["status"] = "absent"
    else:
        made |= {"status": "unknown", "cause": reading.cause.value, "detail": reading.detail}
    return made


class Collector:
    """Gathers the answers of all members. Problems go to the list given; unknown questions are counted."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems
        self.answers: dict[Key, Reading[Any]] = {}
        self.ignored = 0
        self.total = 0

    def read(self, member: str, document: Any) -> None:
        """Take the answers of one ``answers/<group>.json``."""
        group = member.removeprefix("answers/").removesuffix(".json")
        shown = f"{self._file}:{member}"
        if (
            not isinstance(document, dict) or set(document) != {"group", "answers"} or document["group"] != group
            or not isinstance(document["answers"], list)
        ):  # fmt: skip
            self._problems.append(Problem(shown, 0, "格式有误"))
            return
        kind = group_types().get(group)
        known = frozenset(kind.questions()) if kind is not None else frozenset()
        for number, raw in enumerate(document["answers"], 1):
            self.total += 1
            if len(self._problems) >= MAX_PROBLEMS:
                return
            question = raw.get("question") if isinstance(raw, dict) else None
            if isinstance(question, str) and question not in known:
                self.ignored += 1
                continue
            try:
                if kind is None or not isinstance(raw, dict) or not isinstance(question, str):
                    raise ValueError("格式有误")
                key = (group, question, _args(group, question, raw.get("args")))
                reading = _reading(answer_type(kind, question), raw)
            except _BAD as e:
                why = str(e) if type(e) is ValueError and str(e) in _SAYINGS else "值与问题声明的类型不符"
                self._problems.append(Problem(shown, 0, f"第 {number} 条回答（{str(question)[:40]}）{why}"))
                continue
            if key in self.answers:
                self._problems.append(Problem(shown, 0, f"第 {number} 条回答（{question[:40]}）重复"))
                continue
            self.answers[key] = reading


# pydantic's ValidationError is a ValueError; the others come of values of a wrong shape.
_BAD = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
_SAYINGS = frozenset({"格式有误", "参数有误", "状态有误"})
_FIELDS = {
    "known": frozenset({"question", "args", "at", "origin", "status", "value"}),
    "absent": frozenset({"question", "args", "at", "origin", "status"}),
    "unknown": frozenset({"question", "args", "at", "origin", "status", "cause", "detail"}),
}


@cache
def _parameters(group: str, question: str) -> dict[str, tuple[Any, bool]]:
    """Each argument of a question with its declared type and whether it must be given."""
    function: Callable[..., Any] = getattr(group_types()[group], question)
    hints = typing.get_type_hints(function)
    return {
        name: (hints[name], p.default is inspect.Parameter.empty)
        for name, p in inspect.signature(function).parameters.items()
        if name != "self"
    }


def _args(group: str, question: str, raw: Any) -> tuple[tuple[str, Any], ...]:
    wanted = _parameters(group, question)
    if not isinstance(raw, dict) or set(raw) - set(wanted):
        raise ValueError("参数有误")
    if any(must and name not in raw for name, (_, must) in wanted.items()):
        raise ValueError("参数有误")
    return tuple(sorted((name, exactly(wanted[name][0], value)) for name, value in raw.items()))


def exactly(declared: Any, raw: Any) -> Any:
    """The value of type ``declared``, refusing what only fits after a conversion (``"3"`` for 3, unknown fields).

    Raises:
        ValueError: it does not fit.
    """
    value = decode(declared, raw)
    if not _covers(encode(value), raw):
        raise ValueError("converted")
    return value


def _covers(made: Any, raw: Any) -> bool:
    """Whether ``raw`` says nothing that ``made`` does not; fields with a default may be missing in older bundles."""
    if isinstance(raw, dict) and isinstance(made, dict):
        return all(k in made and _covers(made[k], v) for k, v in raw.items())
    if isinstance(raw, list) and isinstance(made, list):
        return len(raw) == len(made) and all(map(_covers, made, raw))
    if isinstance(raw, bool) != isinstance(made, bool):
        return False
    return bool(made == raw) or (made != made and raw != raw)  # not-a-number equals itself here


def _reading(declared: Any, raw: dict[str, Any]) -> Reading[Any]:
    fields = _FIELDS.get(str(raw.get("status")))
    if fields is None:
        raise ValueError("状态有误")
    if set(raw) - {"gaps"} != fields or ("gaps" in raw and raw["status"] != "known"):
        raise ValueError("格式有误")
    origin = _text(raw["origin"])
    if datetime.fromisoformat(raw["at"]).tzinfo is None:
        raise ValueError("格式有误")
    if raw["status"] == "absent":
        return Absent(origin)
    if raw["status"] == "unknown":
        return Unknown(Cause(raw["cause"]), _text(raw["detail"]), origin)
    gaps = raw.get("gaps", [])
    if not isinstance(gaps, list) or any(
        not isinstance(g, dict) or set(g) != {"cause", "detail", "origin"} for g in gaps
    ):
        raise ValueError("格式有误")
    return Known(
        exactly(declared, raw["value"]), origin,
        tuple(Gap(Cause(g["cause"]), _text(g["detail"]), _text(g["origin"])) for g in gaps),
    )  # fmt: skip


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("格式有误")
    return value
