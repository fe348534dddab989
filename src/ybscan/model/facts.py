"""Facts: the typed statements about a terminal that rules are written against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ybscan.model.reading import Reading, Unknown


class Kind(StrEnum):
    """The type of a fact or of an item's field; it decides which matchers apply."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"
    """An aware ``datetime``."""
    VERSION = "version"
    ADDRESS = "address"
    """An IP address; ``one_of`` accepts networks."""
    TEXTS = "texts"
    """A list of texts."""
    ITEMS = "items"
    """A list of items, each with the fields the fact declares."""

    @property
    def label(self) -> str:
        """The type in the administrator's words."""
        return _KIND_LABEL[self]


_KIND_LABEL = {
    Kind.TEXT: "文字",
    Kind.INTEGER: "整数",
    Kind.NUMBER: "数值",
    Kind.BOOLEAN: "是/否",
    Kind.TIME: "时间",
    Kind.VERSION: "版本号",
    Kind.ADDRESS: "IP 地址",
    Kind.TEXTS: "文字列表",
    Kind.ITEMS: "条目列表",
}

Plain = str | int | float | bool | datetime | tuple[str, ...]
"""A value that a matcher can compare."""

FieldValue = Plain | None | Unknown
"""A field of an item: a value, ``None`` (absent: the item has no such thing) or why it is not known."""

Item = Mapping[str, FieldValue]

FactValue = Plain | tuple[Item, ...]

Fact = Reading[FactValue]

FactSet = Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the items of a list fact."""

    name: str
    kind: Kind
    label: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class FactSpec:
    """What a fact means: the reference page, the rule loader and the sentences of a report are made from it.

    ``name`` is the short name below the probe's (``min_length`` of ``password_policy.min_length``); ``linux`` and
    ``windows`` name the source on that system, empty where the system has no such fact. For list facts ``summary``
    is a Chinese template over the fields that names one item in a report, such as ``{name}（{version}）``.
    """

    name: str
    kind: Kind
    label: str
    unit: str = ""
    help: str = ""
    linux: str = ""
    windows: str = ""
    fields: tuple[Field, ...] = ()
    summary: str = ""
    #: For lists that every terminal has something in: an empty one was not read, and must satisfy nothing.
    never_empty: bool = False
    #: For booleans: how true and false read in a sentence.
    words: tuple[str, str] = ("是", "否")
    field_by_name: Mapping[str, Field] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        if (self.kind is Kind.ITEMS) != bool(self.fields):
            raise ValueError(f"fact {self.name}: fields go with kind 'items', and only with it")
        object.__setattr__(self, "field_by_name", {f.name: f for f in self.fields})
