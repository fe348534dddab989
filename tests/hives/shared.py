"""Real hives and logs, unpacked once for all tests; a test without them is skipped."""

from __future__ import annotations

import lzma
from functools import cache

import pytest

from tests.conftest import PROJECT

FOLDER = PROJECT.parent / "shared" / "windows" / "hives"


@cache
def _unpacked(name: str) -> bytes | None:
    path = FOLDER / f"{name}.xz"
    return lzma.decompress(path.read_bytes()) if path.is_file() else None


def real(name: str) -> bytes:
    """The content of a real file; skips the test where it is missing."""
    data = _unpacked(name)
    if data is None:
        pytest.skip(f"没有真实的样本 {name}")
    return data
