"""JSON Schemas of our documents, for editors and for other programs. Generated from the models, never by hand."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from ybscan.model.expression import WORDS
from ybscan.model.result import ScanResult
from ybscan.model.rule import Pack, RuleDocument, WaiverFile
from ybscan.model.site import Site

#: Schema file name → (title, model).
DOCUMENTS: dict[str, tuple[str, type[BaseModel]]] = {
    "rule": ("ybscan 规则", RuleDocument),
    "pack": ("ybscan 规则包", Pack),
    "site": ("ybscan 单位配置", Site),
    "waivers": ("ybscan 例外", WaiverFile),
    "result": ("ybscan 检查结果", ScanResult),
}

_SCALAR = {"type": ["string", "number", "boolean"]}
_LIST = {"anyOf": [{"type": "string", "pattern": r"^\$"}, {"type": "array", "minItems": 1, "items": _SCALAR}]}
_LIST_WORDS = frozenset({"between", "one_of", "none_of", "like_any"})
_ABSENT = {"enum": ["pass", "fail", "unknown"], "description": "没有该信息时怎样判定，不写为 unknown"}


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a document type of :data:`DOCUMENTS`."""
    title, model = DOCUMENTS[name]
    document = model.model_json_schema(by_alias=True, mode="validation")
    if name == "rule":
        definitions = document.setdefault("$defs", {})
        definitions["Condition"] = _condition()
        properties = definitions["CheckDocument"]["properties"]
        for key in ("when", "expect"):
            properties[key] = {"$ref": "#/$defs/Condition", "description": properties[key].get("description", "")}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document, "title": title}


def _condition() -> dict[str, Any]:
    """The grammar of conditions: exactly one structure word, or a leaf with exactly one matcher."""
    inner = {"$ref": "#/$defs/Condition"}
    parts = {"type": "array", "minItems": 1, "items": inner}
    args = {"type": "object", "additionalProperties": {"type": ["string", "integer"]}}
    quantified = {"args": args, "where": inner, "except": inner, "when_absent": _ABSENT}

    def exactly(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    forms = [exactly({"all": parts}, ["all"]), exactly({"any": parts}, ["any"]), exactly({"not": inner}, ["not"])]
    for word in ("no_item_in", "some_item_in"):
        forms.append(exactly({word: {"type": "string"}, **quantified}, [word]))
    every = {"every_item_in": {"type": "string"}, "expect_item": inner, **quantified}
    forms.append(exactly(every, ["every_item_in", "expect_item"]))
    for word in WORDS:
        operand = _LIST if word in _LIST_WORDS else _SCALAR
        forms.append(
            exactly({"fact": {"type": "string"}, "args": args, word: operand, "when_absent": _ABSENT}, ["fact", word])
        )
        forms.append(exactly({"field": {"type": "string"}, word: operand, "when_absent": _ABSENT}, ["field", word]))
    return {"oneOf": forms}
