"""The order of Debian versions, held against dpkg itself."""

from __future__ import annotations

import itertools
import shutil
import subprocess

import pytest

from ybscan.model.debversion import compare_versions

VERSIONS = [
    "1.0", "1.0~rc1", "1.0~~", "1.0-1", "1.0-1+deb12u1", "1.0-1~bpo12+1", "1:0.5", "0:1.0", "1.0.0", "1.00", "1.10", "1.9",
    "1.0a", "1.0+b", "1.0-1ubuntu0.10", "1.0-1ubuntu0.9", "2.36-9+deb12u14", "2.36-9+deb12u3", "1.9.15p5-3ubuntu5.24.04.1",
    "0.105-26ubuntu1.2", "0.105-31+deb11u1", "1:9.2p1-2+deb12u10", "1:9.2p1-2+deb12u3", "20230311", "1.2-3-4", "5",
]  # fmt: skip


@pytest.mark.parametrize(
    ("a", "b", "order"),
    [
        ("1.0~rc1", "1.0", -1),
        ("1.0-1", "1.0-1+deb12u1", -1),
        ("2.36-9+deb12u14", "2.36-9+deb12u3", 1),
        ("1:0.5", "9.9", 1),
        ("1.00", "1.0", 0),
        ("1.0a", "1.0+", -1),
        ("1.0", "1.0-0", 0),
    ],
)
def test_order(a: str, b: str, order: int) -> None:
    assert compare_versions(a, b) == order
    assert compare_versions(b, a) == -order


@pytest.mark.parametrize("bad", ["", "一点九", "abc", "1.0 2", "x" * 300, "1.0\n2", "-1"])
def test_what_is_no_version_is_not_compared(bad: str) -> None:
    assert compare_versions(bad, "1.0") is None
    assert compare_versions("1.0", bad) is None


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="needs dpkg to compare with")
def test_same_as_dpkg() -> None:
    for a, b in itertools.combinations(VERSIONS, 2):
        said = 1
        for word, value in (("lt", -1), ("eq", 0)):
            if subprocess.run(["dpkg", "--compare-versions", a, word, b], check=False).returncode == 0:
                said = value
        assert compare_versions(a, b) == said, (a, b)
