"""A report as JSON: the whole view model under the names that templates use, and its JSON Schema. Pure.

The document is ``ybscan.report/v1``. Texts are as they are printed, without escapes of any format; a generated sentence
comes with what it rests on. Data from terminals is what it was, control characters included: who prints it escapes it.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Final, Literal, get_args, get_origin

from ybscan.model.problem import InputProblems, Problem
from ybscan.model.result import ScanResult
from ybscan.report import model
from ybscan.report.claims import Claim, EvidenceMissing
from ybscan.report.grading import Rule
from ybscan.report.options import KINDS, Kind, Options
from ybscan.report.render import view_of
from ybscan.report.text import Prose, without_marks

SCHEMA: Final = "ybscan.report/v1"
#: What a kind of document holds, beside what all of them do: the name in templates, and its type.
_HOLDS: Final[dict[Kind, tuple[str, Any]]] = {
    "record": ("records", tuple[model.Record, ...]),
    "self-inspection": ("report", model.Inspection),
    "leader": ("page", model.LeaderPage),
    "ledger": ("ledger", model.LedgerReport),
}
#: Properties that a view works out are part of the document as well.
_WORKED_OUT: Final[dict[type, tuple[str, ...]]] = {model.Rate: ("percent", "text")}


def document(kind: Kind, results: Sequence[ScanResult], *, options: Options) -> dict[str, Any]:
    """The document; arguments as for :func:`ybscan.report.render.render`.

    Raises:
        InputProblems: a verdict has no evidence.
    """
    try:
        view, _ = view_of(kind, tuple(results), options)
    except EvidenceMissing as e:
        raise InputProblems([Problem("检查结果", 0, str(e), "结果文件可能不完整，请重新检查")]) from None
    name, _ = _HOLDS[kind]
    return {
        "schema": SCHEMA,
        "kind": kind,
        "redacted": options.redaction,
        "rendered_at": without_marks(view["rendered_at"]),
        "grading": plain(view["grading"]),
        "digest_note": without_marks(view["digest_note"]),
        name: plain(view[name]),
    }


def document_json(kind: Kind, results: Sequence[ScanResult], *, options: Options) -> bytes:
    """The document, UTF-8, indented; lone surrogates escaped. The same bytes for the same arguments."""
    text = json.dumps(document(kind, results, options=options), ensure_ascii=False, indent=1)
    return text.encode("utf-8", "backslashreplace") + b"\n"


def plain(value: Any) -> Any:
    """A view as JSON values."""
    if isinstance(value, Prose):
        return without_marks(value)
    if isinstance(value, Claim):
        return {"text": without_marks(value.text), "refs": [{"record": r.record, "rule": r.rule} for r in value.refs]}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        names = [f.name for f in fields(value)] + list(_WORKED_OUT.get(type(value), ()))
        return {n: plain(getattr(value, n)) for n in names}
    return value


# The schema ---------------------------------------------------------------------------------------------------------


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the document."""
    definitions: dict[str, Any] = {}
    text = {"type": "string"}
    shared: dict[str, Any] = {
        "schema": {"const": SCHEMA},
        "redacted": {"enum": ["none", "partial", "full"]},
        "rendered_at": text,
        "grading": _type(tuple[Rule, ...], definitions),
        "digest_note": text,
    }
    kinds = []
    for kind in KINDS:
        name, held = _HOLDS[kind]
        properties = {**shared, "kind": {"const": kind}, name: _type(held, definitions)}
        kinds.append(
            {"type": "object", "properties": properties, "required": sorted(properties), "additionalProperties": False}
        )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ybscan 报告",
        "oneOf": kinds,
        "$defs": definitions,
    }


def _type(declared: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of a type of the view model; classes go into ``definitions``."""
    origin, arguments = get_origin(declared), get_args(declared)
    if declared is Claim:
        return _claim(definitions)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return {"type": "array", "items": _type(arguments[0], definitions)}
        items = [_type(a, definitions) for a in arguments]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _type(arguments[1], definitions)}
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_type(a, definitions) for a in arguments]}
    if is_dataclass(declared):
        return _class(declared, definitions)
    simple = {bool: "boolean", int: "integer", float: "number", type(None): "null"}
    if isinstance(declared, type) and issubclass(declared, str):
        return {"type": "string"}
    return {"type": simple[declared]}


def _class(declared: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    name = declared.__name__
    if name not in definitions:
        definitions[name] = {}
        hints = typing.get_type_hints(declared)
        properties = {f.name: _type(hints[f.name], definitions) for f in fields(declared)}
        properties |= {n: {"type": "string"} for n in _WORKED_OUT.get(declared, ())}
        summary = (declared.__doc__ or "").strip().split("\n\n")[0]
        definitions[name] = {
            "type": "object", "description": " ".join(summary.split()), "properties": properties,
            "required": sorted(properties), "additionalProperties": False,
        }  # fmt: skip
    return {"$ref": f"#/$defs/{name}"}


def _claim(definitions: dict[str, Any]) -> dict[str, Any]:
    text = {"type": "string"}
    ref = {"type": "object", "properties": {"record": text, "rule": text}, "required": ["record", "rule"]}
    definitions["Claim"] = {
        "type": "object",
        "description": "A generated sentence and what it rests on: records, and the rule in them.",
        "properties": {"text": text, "refs": {"type": "array", "items": ref, "minItems": 1}},
        "required": ["refs", "text"],
        "additionalProperties": False,
    }
    return {"$ref": "#/$defs/Claim"}
