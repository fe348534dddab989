"""The unit's own calendar of checks: Fridays moved or left out for holidays and their make-up workdays (调休)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import Field

from ybscan.model.rule import Day, Document, Text

#: Of the ISO week.
FRIDAY = 5


@dataclass(frozen=True, slots=True)
class Shift:
    """A planned Friday that the unit moved (``to`` a day of any week) or cancelled (``to`` None)."""

    to: date | None
    reason: str


class MovedFriday(Document):
    """A Friday whose check is made on another day, or not at all."""

    friday: Day = Field(description="原定的星期五")
    to: Day | None = Field(default=None, description="改在哪一天；不写表示这一周不检查")
    reason: Text = Field(description="原因，例如 国庆节放假")


class CalendarFile(Document):
    """The document ``ybscan.calendar/v1``."""

    schema_: Literal["ybscan.calendar/v1"] = Field(alias="schema")
    moved: tuple[MovedFriday, ...] = ()
