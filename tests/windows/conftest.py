"""What the Windows tests share. They run in a CPython for Windows (``nox -s windows``); nothing here is collected elsewhere."""

from __future__ import annotations

import lzma
import subprocess
import sys
import time
import uuid
import winreg
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.windows.win import delete_tree
from ybscan.hosts.base import Host
from ybscan.hosts.live_windows import live_windows

assert sys.platform == "win32"

_HIVES = PROJECT.parent / "shared" / "windows" / "hives"


@pytest.fixture(scope="session", autouse=True)
def desktop() -> Iterator[None]:
    """A desktop that lasts. Wine starts one for the first program that needs it, with that program's pipes: whoever waits
    for the end of what such a program says would wait for the end of the desktop."""
    keep = "import ctypes, time; ctypes.windll.user32.GetDesktopWindow(); time.sleep(3600)"
    nothing = subprocess.DEVNULL
    with subprocess.Popen([sys.executable, "-c", keep], stdin=nothing, stdout=nothing, stderr=nothing) as keeper:
        time.sleep(1)
        yield
        keeper.kill()


@pytest.fixture(scope="session")
def host() -> Host:
    """The Windows that the tests run on."""
    return live_windows()


@pytest.fixture
def scratch() -> Iterator[str]:
    """A key below HKLM\\SOFTWARE of the 64-bit view that is gone afterwards, without its root."""
    path = f"SOFTWARE\\ybscan-test-{uuid.uuid4().hex}"
    winreg.CreateKeyEx(winreg.HKEY_LOCAL_MACHINE, path, 0, winreg.KEY_ALL_ACCESS | winreg.KEY_WOW64_64KEY).Close()
    yield path
    delete_tree(winreg.HKEY_LOCAL_MACHINE, path)


@pytest.fixture(scope="session")
def hive_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A real hive, unpacked."""
    folder = tmp_path_factory.mktemp("hives")

    def unpacked(name: str) -> Path:
        packed = _HIVES / f"{name}.xz"
        if not packed.is_file():
            pytest.skip(f"no real hive {name} beside the checkout")
        target = folder / name
        if not target.exists():
            target.write_bytes(lzma.decompress(packed.read_bytes()))
        return target

    return unpacked
