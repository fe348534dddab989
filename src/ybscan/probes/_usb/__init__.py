"""Parsers and readers behind the probes of USB and other removable media."""

from __future__ import annotations

from ybscan.model.facts import Fact, Plain
from ybscan.model.reading import Known, Reading


def as_fact(reading: Reading[bool] | Reading[str]) -> Fact:
    """A reading of one value as the fact it is."""
    if isinstance(reading, Known):
        value: Plain = reading.value
        return Known(value, reading.origin)
    return reading
