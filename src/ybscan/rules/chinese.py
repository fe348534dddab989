"""From pydantic's errors to problems in Chinese, placed on their lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from ybscan.model.problem import Problem, did_you_mean
from ybscan.rules.strict_yaml import line_at

_TEXT = {
    "string_type": "应为文字，数字和日期请加引号",
    "int_type": "应为整数",
    "float_type": "应为数字",
    "bool_type": "应为 true 或 false",
    "tuple_type": "应为列表",
    "list_type": "应为列表",
    "dict_type": "应为“键: 值”形式",
    "model_type": "应为“键: 值”形式",
    "model_attributes_type": "应为“键: 值”形式",
    "string_too_short": "不能为空",
    "too_short": "不能为空",
    "date_from_datetime_parsing": "日期应写成 2026-12-31 的形式",
    "date_parsing": "日期应写成 2026-12-31 的形式",
    "date_from_datetime_inexact": "日期应写成 2026-12-31 的形式，不带时刻",
}


def problems_of(
    error: ValidationError, *, file: str, raw: Any, model: type[BaseModel], top: tuple[Any, ...] = ()
) -> Iterable[Problem]:
    """One problem per error. ``raw`` is the strict YAML document, ``top`` the path of the validated part in it."""
    for e in error.errors(include_url=False):
        if e["type"] == "too_short" and isinstance(e["input"], (list, tuple)) and e["input"]:
            continue  # a list whose items are wrong also counts as short; the items' own errors say what is wrong
        path = top + tuple(p for p in e["loc"] if not (isinstance(p, str) and p.startswith("function-")))
        line = line_at(raw, path)
        shown = ".".join(str(p + 1) if isinstance(p, int) else p for p in path)
        yield Problem(file, line, *_worded(e, shown, path[len(top) :], model))


def _worded(e: Any, shown: str, path: tuple[Any, ...], model: type[BaseModel]) -> tuple[str, str]:
    kind, context = e["type"], e.get("ctx", {})
    if kind == "missing":
        return f"缺少必填项“{path[-1]}”", ""
    if kind == "extra_forbidden":
        return f"不认识的键“{path[-1]}”", did_you_mean(str(path[-1]), _keys_at(model, path[:-1]))
    if kind in ("literal_error", "enum"):
        allowed = str(context.get("expected", "")).replace("'", "").replace(" or ", "、").replace(", ", "、")
        return f"“{shown}”不能是“{_clip(e['input'])}”", did_you_mean(
            str(e["input"]), allowed.split("、")
        ) or f"只能是 {allowed}"
    if kind == "value_error":
        return f"“{shown}”：{context.get('error', e['msg'])}", ""
    if kind == "string_pattern_mismatch":
        return f"“{shown}”的写法“{_clip(e['input'])}”不符合规定", f"应符合 {context.get('pattern', '')}"
    if kind == "string_too_long":
        return f"“{shown}”过长", f"上限 {context.get('max_length')} 字符"
    if kind in ("greater_than_equal", "less_than_equal"):
        word = "不能小于" if kind == "greater_than_equal" else "不能大于"
        return f"“{shown}”{word} {context.get('ge', context.get('le'))}", ""
    return f"“{shown}”的值“{_clip(e['input'])}”不合适：{_TEXT.get(kind, e['msg'])}", ""


def _clip(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:40] + "…"


def _keys_at(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    """The keys a document allows at ``path``, for a suggestion."""
    here: Any = model
    for step in path:
        if isinstance(step, int):
            continue
        field = _by_alias(here).get(step) if isinstance(here, type) and issubclass(here, BaseModel) else None
        here = _model_in(field.annotation) if field is not None else None
    return list(_by_alias(here)) if isinstance(here, type) and issubclass(here, BaseModel) else []


def _by_alias(model: type[BaseModel]) -> Mapping[str, Any]:
    return {f.alias or name: f for name, f in model.model_fields.items()}


def _model_in(annotation: Any) -> Any:
    from typing import get_args

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for a in get_args(annotation) if (m := _model_in(a)) is not None), None)
