"""What is wrong with an input file, in words its author can act on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem at one place. ``line`` counts from 1; 0 means the file as a whole."""

    file: str
    line: int
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place} {self.message}{f'，{self.suggestion}' if self.suggestion else ''}"


class InputProblems(Exception):
    """Input that cannot be used; carries every problem found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The suggestion “是不是想写…” when one of ``known`` is close to ``word``, else an empty text."""
    close = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.55)
    return f"是不是想写“{close[0]}”？" if close else ""
