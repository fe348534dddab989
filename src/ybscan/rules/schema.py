"""JSON Schemas of our documents, for editors and for other programs. Generated from the models, never by hand."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from ybscan.model.attestation import AnswerFile, QuestionFile
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
    "questions": ("ybscan 人工确认事项", QuestionFile),
    "answers": ("ybscan 人工确认的答复", AnswerFile),
    "result": ("ybscan 检查结果", ScanResult),
}

_REF: dict[str, Any] = {"type": "string", "pattern": r"^\$[A-Za-z_]"}
_SCALAR: dict[str, Any] = {"type": ["string", "number", "boolean"]}
_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_NUMBER: dict[str, Any] = {"anyOf": [_REF, {"type": "number"}]}
_SPAN: dict[str, Any] = {"type": "string", "pattern": r"^(\$[A-Za-z_]|\s*\d{1,6}\s*[mhdw]\s*$)"}


def _list(item: dict[str, Any], **limits: int) -> dict[str, Any]:
    return {"anyOf": [_REF, {"type": "array", "items": item, **(limits or {"minItems": 1})}]}


#: What may stand after each leaf word. The loader knows the fact's kind and is stricter still.
_OPERANDS: dict[str, dict[str, Any]] = {
    "at_least": _NUMBER, "at_most": _NUMBER, "between": _list(_NUMBER, minItems=2, maxItems=2),
    "one_of": _list(_SCALAR), "none_of": _list(_SCALAR), "like_any": _list(_TEXT), "matches": _TEXT, "contains": _TEXT,
    "newer_than": _SPAN, "older_than": _SPAN, "version_at_least": _TEXT,
}  # fmt: skip
_ABSENT = {"enum": ["pass", "fail", "unknown"], "description": "没有该信息时怎样判定，不写为 unknown"}


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a document type of :data:`DOCUMENTS`."""
    title, model = DOCUMENTS[name]
    document = model.model_json_schema(by_alias=True, mode="validation")
    if name == "rule":
        definitions = document.setdefault("$defs", {})
        definitions["Condition"] = _condition("Condition", on_item=False)
        definitions["ItemCondition"] = _condition("ItemCondition", on_item=True)
        properties = definitions["CheckDocument"]["properties"]
        for key in ("when", "expect"):
            properties[key] = {"$ref": "#/$defs/Condition", "description": properties[key].get("description", "")}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document, "title": title}


def _condition(own: str, *, on_item: bool) -> dict[str, Any]:
    """The grammar of conditions: exactly one structure word, or a leaf with exactly one matcher.

    ``own`` is the definition's name. Only a condition on an item (below ``where``, ``except``, ``expect_item``) may
    speak of its fields.
    """
    inner = {"$ref": f"#/$defs/{own}"}
    of_item = {"$ref": "#/$defs/ItemCondition"}
    parts = {"type": "array", "minItems": 1, "items": inner}
    name = {"type": "string", "minLength": 1}
    args = {"type": "object", "additionalProperties": {"type": ["string", "integer"]}}
    quantified = {"args": args, "where": of_item, "except": of_item, "when_absent": _ABSENT}

    def exactly(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    forms = [exactly({"all": parts}, ["all"]), exactly({"any": parts}, ["any"]), exactly({"not": inner}, ["not"])]
    for word in ("no_item_in", "some_item_in"):
        forms.append(exactly({word: name, **quantified}, [word]))
    every = {"every_item_in": name, "expect_item": of_item, **quantified}
    forms.append(exactly(every, ["every_item_in", "expect_item"]))
    for word in WORDS:
        operand = _OPERANDS.get(word, _SCALAR)
        forms.append(exactly({"fact": name, "args": args, word: operand, "when_absent": _ABSENT}, ["fact", word]))
        if on_item:
            forms.append(exactly({"field": name, word: operand, "when_absent": _ABSENT}, ["field", word]))
    return {"oneOf": forms}
