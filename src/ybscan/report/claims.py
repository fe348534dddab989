"""The three classes of sentences, and what may never be said.

A: generated sentences; they carry the evidence they rest on, or they cannot be made. B: what only a person knows; the
person's answer, else 【未确认】. C: words no report of ours may use, see :mod:`ybscan.report.lint`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ybscan.report.text import MAX_SENTENCE, Prose, data, prose

#: Printed where a person has not answered.
UNCONFIRMED = Prose("【未确认】")
#: Printed where a person signs or fills in by hand.
BLANK = Prose("＿＿＿＿＿＿")


class EvidenceMissing(ValueError):
    """A generated sentence without evidence; the message is Chinese and names the sentence."""


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """Where a sentence can be looked up: a record, and the rule in it (empty: the record as a whole)."""

    record: str
    rule: str = ""
    place: str = ""
    """Which of several records in one document is meant; empty where there is one."""

    @property
    def anchor(self) -> str:
        """The fragment of the place in an HTML document: the rule's row, or the record."""
        return anchor(self.place, self.rule) if self.rule else anchor(self.record)


def anchor(*parts: str) -> str:
    """A fragment identifier from names that may hold anything."""
    return "-".join(
        "".join(c if c.isascii() and (c.isalnum() or c == "-") else "." for c in p) for p in ("r", *parts) if p
    )


@dataclass(frozen=True, slots=True)
class Claim:
    """A generated sentence and its evidence. ``shown``: print the references (not where it stands in its own item)."""

    text: Prose
    refs: tuple[Ref, ...]
    shown: bool = True

    def __post_init__(self) -> None:
        if not self.refs:
            raise EvidenceMissing(f"生成的句子没有证据：“{str(self.text)[:60]}”")


def claim(words: str, refs: tuple[Ref, ...], /, *, shown: bool = True, **values: object) -> Claim:
    """A generated sentence; ``words`` and ``values`` as for :func:`~ybscan.report.text.prose`."""
    return Claim(prose(words, **values), refs, shown)


def quoted(sentence: str, refs: tuple[Ref, ...], *, shown: bool = False) -> Claim:
    """A sentence of the result itself, inserted as data."""
    return Claim(data(sentence, limit=MAX_SENTENCE), refs, shown)
