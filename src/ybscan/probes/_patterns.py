"""Wildcard patterns of the site file, compared as the rule language compares texts. Pure."""

from __future__ import annotations

import fnmatch
import unicodedata
from collections.abc import Iterable


def folded(text: str) -> str:
    """NFKC, case-folded, trimmed: as the matchers of rules see a text."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def like(text: str, patterns: Iterable[str]) -> bool:
    """Whether a text is like one of the wildcard patterns (``*`` and ``?``)."""
    return any(fnmatch.fnmatchcase(folded(text), folded(p)) for p in patterns)
