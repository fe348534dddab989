"""What the tests share: where the project lies, its probes and its dictionary."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ybscan.model.dictionary import Dictionary
from ybscan.model.lifecycle import Lifecycle
from ybscan.probes.registry import ProbeRegistry, builtin
from ybscan.rules.lifecycle import load_lifecycle
from ybscan.rules.load import LoadedPack, load_packs
from ybscan.rules.software import load_dictionary

PROJECT = Path(__file__).resolve().parents[1]

#: What runs on Windows alone (``nox -s windows``) is not even looked at elsewhere.
collect_ignore = [] if sys.platform == "win32" else ["windows"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--update-golden`` writes the golden documents anew; nothing else ever does."""
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew")


#: What reads or changes the machine itself, or starts a browser: one after the other, while the rest runs beside it.
_ONE_BY_ONE = ("live", "browser", "portable")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep tests that would disturb each other on one worker (``pytest -n auto --dist loadgroup``)."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        if (
            PROJECT.joinpath("tests") in item.path.parents
            and item.path.relative_to(PROJECT / "tests").parts[0] in _ONE_BY_ONE
        ):
            item.add_marker(pytest.mark.xdist_group("machine"))


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What tests scan must not end up in the history of whoever runs them."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session")
def registry() -> ProbeRegistry:
    """All probes of the project."""
    return builtin()


@pytest.fixture(scope="session")
def packs(registry: ProbeRegistry) -> tuple[LoadedPack, ...]:
    """All rule packs of the project."""
    return load_packs(PROJECT / "rules", registry)


@pytest.fixture(scope="session")
def dictionary() -> Dictionary:
    """The software dictionary of the project."""
    return load_dictionary(PROJECT / "rules")


@pytest.fixture(scope="session")
def lifecycle() -> Lifecycle:
    """The end-of-support dates and minimum versions of the project."""
    return load_lifecycle(PROJECT / "rules")
