"""What the Windows tests share. They run in a CPython for Windows (``nox -s windows``); nothing here is collected elsewhere."""

from __future__ import annotations

import sys

import pytest

from ybscan.hosts.base import Host
from ybscan.hosts.live_windows import live_windows

assert sys.platform == "win32"


@pytest.fixture(scope="session")
def host() -> Host:
    """The Windows that the tests run on."""
    return live_windows()
