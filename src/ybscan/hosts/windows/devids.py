"""Names of device nodes. Source: the inf string syntax of the Windows driver documentation (``@file.inf,%key%;text``)."""

from __future__ import annotations


def plain_name(text: str) -> str:
    """A device's name without the reference to a resource before it; empty for a reference that has no text."""
    text = text.strip()
    if not text.startswith("@"):
        return text
    _, separator, plain = text.partition(";")
    # Arguments of the reference stand in brackets after the text: "…;USB %1;(Hub)".
    plain = plain.partition(";(")[0].strip()
    return plain if separator else ""


def class_guid(text: str) -> str:
    """A setup class as the devices group writes it: lower case, with braces."""
    return text.strip().lower()


def enumerator_of(instance: str) -> str:
    """The enumerator of an instance id, upper case."""
    return instance.partition("\\")[0].upper()
