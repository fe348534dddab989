"""Order of Debian package versions, as deb-version(7) defines it. Pure."""

from __future__ import annotations

import re

_VERSION = re.compile(r"(?:(\d+):)?([A-Za-z0-9.+~:-]+)")
_LIMIT = 200


def _order(c: str) -> int:
    """Weight of a character in the parts that are no number: ``~`` before the end, letters before other signs."""
    if c == "~":
        return -1
    if c.isalpha():
        return ord(c)
    return ord(c) + 256


def _compare_part(a: str, b: str) -> int:
    while a or b:
        text_a, text_b = re.match(r"\D*", a), re.match(r"\D*", b)
        assert text_a is not None  # noqa: S101 - matches the empty text
        assert text_b is not None  # noqa: S101
        x, y = text_a[0], text_b[0]
        for i in range(max(len(x), len(y))):
            left = _order(x[i]) if i < len(x) else 0
            right = _order(y[i]) if i < len(y) else 0
            if left != right:
                return -1 if left < right else 1
        a, b = a[len(x) :], b[len(y) :]
        number_a, number_b = re.match(r"\d*", a), re.match(r"\d*", b)
        assert number_a is not None  # noqa: S101
        assert number_b is not None  # noqa: S101
        m, n = int(number_a[0] or 0), int(number_b[0] or 0)
        if m != n:
            return -1 if m < n else 1
        a, b = a[len(number_a[0]) :], b[len(number_b[0]) :]
    return 0


def compare_versions(a: str, b: str) -> int | None:
    """-1, 0 or 1 as version ``a`` is older than, the same as or newer than ``b``; None when one of them is no version."""
    parts = []
    for text in (a.strip(), b.strip()):
        m = _VERSION.fullmatch(text, 0, _LIMIT)
        if m is None or len(text) > _LIMIT or not re.match(r"\d", m[2]):
            return None
        upstream, _, revision = m[2].rpartition("-") if "-" in m[2] else (m[2], "", "")
        parts.append((int(m[1] or 0), upstream, revision))
    (epoch_a, upstream_a, revision_a), (epoch_b, upstream_b, revision_b) = parts
    if epoch_a != epoch_b:
        return -1 if epoch_a < epoch_b else 1
    return _compare_part(upstream_a, upstream_b) or _compare_part(revision_a, revision_b)
