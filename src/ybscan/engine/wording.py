"""How values and comparisons read in Chinese. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ybscan.model.facts import FactSpec, Field, Item, Kind
from ybscan.model.reading import Unknown

#: How many items a sentence names before it only counts them.
MAX_NAMED = 20


def value_text(value: Any, *, unit: str = "", words: tuple[str, str] = ("是", "否")) -> str:
    """One value for a person: booleans as words, times to the minute, lists joined."""
    if isinstance(value, bool):
        return words[0] if value else words[1]
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, tuple):
        return "、".join(value) if value else "（空）"
    if isinstance(value, Unknown):
        return f"未知（{value.text}）"
    if value is None:
        return "无"
    if value == "":
        return "（空）"
    return f"{value} {unit}" if unit and isinstance(value, (int, float)) else str(value)


class _Fields(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "无"


def item_text(spec: FactSpec, item: Item) -> str:
    """One item of a list fact in one phrase, after the fact's ``summary``; else all its fields."""
    shown = {f.name: value_text(item.get(f.name), unit=f.unit) for f in spec.fields}
    if spec.summary:
        # format_map with plain keys only: summaries come from our own probes, values are inserted as they are.
        return spec.summary.format_map(_Fields(shown))
    return "，".join(f"{f.label} {shown[f.name]}" for f in spec.fields if item.get(f.name) is not None)


def items_text(spec: FactSpec, items: tuple[Item, ...]) -> str:
    """Several items, the first :data:`MAX_NAMED` by name."""
    named = "；".join(item_text(spec, i) for i in items[:MAX_NAMED])
    return f"{named}；等共 {len(items)} 项" if len(items) > MAX_NAMED else named


def json_value(value: Any) -> Any:
    """A value as documents carry it."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, tuple):
        return [json_value(v) for v in value]
    if isinstance(value, Mapping):
        return {k: json_value(v) for k, v in value.items()}
    if isinstance(value, Unknown):
        return {"unknown": value.cause.value, "detail": value.detail}
    return value


def field_of(spec: FactSpec | None, name: str) -> Field:
    """The declared field, or a plain one of that name (for facts of a newer version)."""
    found = spec.field_by_name.get(name) if spec else None
    return found or Field(name, Kind.TEXT, name)
