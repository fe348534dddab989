"""Recorded answers come back as they were, bytes included, wherever in an answer they stand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as s

from ybscan.hosts.base import answer_type
from ybscan.hosts.codec import decode, encode
from ybscan.hosts.groups.registry import Registry

Value = str | int | bytes | tuple[str, ...]
VALUES = s.text() | s.integers(0, 2**64 - 1) | s.binary() | s.lists(s.text()).map(tuple)


@given(s.dictionaries(s.text() | s.just("base64"), VALUES))
def test_values_of_a_key(values: dict[str, Any]) -> None:
    there = json.loads(json.dumps(encode(values)))
    assert decode(answer_type(Registry, "values"), there) == values


@given(VALUES)
def test_one_value(value: Any) -> None:
    assert decode(answer_type(Registry, "value"), json.loads(json.dumps(encode(value)))) == value


@pytest.mark.parametrize(
    ("declared", "raw"),
    [
        (bytes, {"base64": 1}), (bytes, {"base64": "*"}), (dict[str, Value], {"x": {"base64": "*"}}),
        (dict[str, Value], {"x": {"base64": "AA==", "y": 1}}), (dict[str, str], {"x": {"base64": "AA=="}}),
        (tuple[int, int], [1]), (tuple[int, int], [1, 2, 3]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(declared: Any, raw: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(declared, raw)
