"""Every probe has a case of each kind of trouble, by the first word of the case's file name."""

from __future__ import annotations

import inspect

import pytest
from tests.conftest import PROJECT

from ybscan.probes.registry import builtin

KINDS = ("normal", "absent", "denied", "timeout", "malformed", "truncated", "chinese")


@pytest.mark.parametrize("name", sorted(builtin().probes))
def test_kinds(name: str) -> None:
    folder = PROJECT / "tests" / "probes" / name
    stems = [p.stem for p in folder.glob("*.yml")]
    wanted = list(KINDS)
    if ".tools.run" in inspect.getsource(inspect.getmodule(type(builtin().probes[name]))):  # type: ignore[arg-type]
        wanted.append("tool-missing")
    missing = [k for k in wanted if not any(s == k or s.startswith(f"{k}-") for s in stems)]
    assert missing == [], f"{name}: add a case for {missing}"
