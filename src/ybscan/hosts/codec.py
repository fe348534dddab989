"""Answers of a host to and from plain JSON values."""

from __future__ import annotations

import base64
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_origin


def encode(value: Any) -> Any:
    """A recorded value as JSON: dataclasses as objects, bytes as ``{"base64": …}``."""
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, (list, tuple)):
        return [encode(v) for v in value]
    if isinstance(value, dict):
        return {str(k): encode(v) for k, v in value.items()}
    return value


def decode(declared: Any, raw: Any) -> Any:
    """The value of type ``declared`` that :func:`encode` made ``raw`` of.

    Raises:
        ValueError: ``raw`` does not fit the type.
    """
    # Only where bytes are declared: a mapping may well have a single key of that name.
    if isinstance(raw, dict) and set(raw) == {"base64"} and bytes in (declared, *get_args(declared)):
        if not isinstance(raw["base64"], str):
            raise ValueError("base64 is not a text")
        return base64.b64decode(raw["base64"], validate=True)
    # The values of a mapping may be bytes each (registry values): their own type says so, not the mapping's.
    if isinstance(raw, dict) and get_origin(declared) is dict:
        keys, values = get_args(declared)
        return {decode(keys, k): decode(values, v) for k, v in raw.items()}
    return _adapter(declared).validate_python(raw)


@cache
def _adapter(declared: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(declared)
