"""The portable forms as ``nox -s portable`` has just built them. Elsewhere these tests are skipped: what lies in ``dist``
may be older than the sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.portable import wine


@pytest.fixture(scope="session")
def dist() -> Path:
    """The folder of finished files."""
    folder = os.environ.get("YBSCAN_PORTABLE")
    if not folder:
        pytest.skip("no portable forms built: nox -s portable")
    return Path(folder)


def only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        pytest.skip(f"{pattern} was not built")
    assert len(found) == 1, found
    return found[0]


@pytest.fixture(scope="session")
def share(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder like a network share, blanks and Chinese in its path: a file system of its own that the tests make
    read-only, because root may write anywhere else. Without the right to mount, an ordinary folder."""
    place = tmp_path_factory.mktemp("共享 文件夹")
    mounted = not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "mode=755", "ybscan-share", str(place)], capture_output=True, check=False
    ).returncode
    yield place
    if mounted:
        subprocess.run(["umount", "-l", str(place)], check=False)


def read_only(place: Path) -> None:
    """From now on nothing below can be changed."""
    subprocess.run(["mount", "-o", "remount,ro", str(place)], capture_output=True, check=False)
    for path in [place, *place.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222) if os.access(path, os.W_OK) and not path.is_symlink() else None


@pytest.fixture(scope="session")
def unpacked(dist: Path, share: Path) -> Path:
    """The share with all forms on it, read-only."""
    for archive in dist.glob("*.zip"):
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(share)  # noqa: S202 - made by ourselves
    for archive in dist.glob("*.tar.gz"):
        with tarfile.open(archive) as tar:
            tar.extractall(share, filter="data")
    for single in dist.glob("*.exe"):
        shutil.copy(single, share)
    read_only(share)
    return share


@pytest.fixture(scope="session")
def prefix() -> Iterator[Path]:
    """The Wine prefix, with its services running."""
    if shutil.which("wine") is None:
        pytest.skip("no Wine")
    wine.services()
    yield wine.PREFIX
    wine.stop()


@pytest.fixture(scope="session")
def folder_exe(unpacked: Path, prefix: Path) -> Path:
    """The program of the recommended form."""
    return only(unpacked, "*windows*/ybscan.exe")


@pytest.fixture(scope="session")
def single_exe(unpacked: Path, prefix: Path) -> Path:
    """The program in one file."""
    return only(unpacked, "*windows*.exe")


@pytest.fixture(params=["folder", "single"])
def exe(request: pytest.FixtureRequest) -> Path:
    """Both Windows forms in turn."""
    found: Path = request.getfixturevalue(f"{request.param}_exe")
    return found


@pytest.fixture(scope="session")
def linux(unpacked: Path) -> Path:
    """The launcher of the Linux form."""
    return only(unpacked, "*linux/ybscan")
