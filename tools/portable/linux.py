"""The portable form for Linux: a folder in a tar.gz, with everything but Python itself.

One folder serves x86-64 and aarch64 with Python 3.11 and newer. Compiled packages lie in folders by machine and Python;
nothing is unpacked when it runs, so a read-only share will do.
"""

from __future__ import annotations

import compileall
import py_compile
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tools.portable import licences
from tools.portable.common import (
    FILES,
    PROJECT,
    SCRATCH,
    TARGET,
    copy_collector,
    copy_program,
    fresh,
    tar_folder,
    version,
    write_sums,
)
from tools.portable.lock import BINARY, LOCK, PURE, pins, platform, targets

#: One wheel serves every Python.
_ANY_PYTHON = ("evtx", "psutil")
#: Bytecode is made for the oldest Python only, which is also the one that builds; newer ones compile as they start.
_BYTECODE_OF = (3, 11)


def build() -> Path:
    """Make the archive; returns its path.

    Raises:
        subprocess.CalledProcessError: a wheel cannot be had.
        licences.LicenceError: something may not be shipped as it is.
    """
    work = fresh(SCRATCH / "linux")
    folder = work / f"ybscan-{version()}-linux"
    library = folder / "lib"
    library.mkdir(parents=True)
    shutil.copy(FILES / "ybscan", folder / "ybscan")
    shutil.copyfile(FILES / "start.py", library / "start.py")
    copy_program(library, form="便携版，Linux")
    done = set(_unpacked(work / "wheels", library / "python", PURE, [], folder / "licenses"))
    for machine, python in targets():
        tag = f"{machine}-cp{python.replace('.', '')}"
        wheels = work / f"wheels-{tag}"
        options = platform(machine, python)
        common = library / machine
        if not common.exists():
            done |= set(_unpacked(wheels, common, _ANY_PYTHON, options, folder / "licenses"))
        own = [n for n in BINARY if n not in _ANY_PYTHON]
        done |= set(_unpacked(wheels, library / tag, own, options, folder / "licenses"))
    shutil.copyfile(PROJECT / "LICENSE", folder / "LICENSE")
    shutil.copyfile(FILES / "usage-linux.txt", folder / "使用说明.txt")
    copy_collector(folder)
    _compile(library)
    write_sums(folder)
    TARGET.mkdir(parents=True, exist_ok=True)
    archive = TARGET / f"{folder.name}.tar.gz"
    tar_folder(folder, archive)
    print(f"{archive.name}: {len(done)} packages, Python {', '.join(sorted({p for _, p in targets()}))}")
    return archive


def _unpacked(
    wheels: Path, target: Path, names: tuple[str, ...] | list[str], options: list[str], texts: Path
) -> list[str]:
    """Fetch pinned wheels, unpack what a program needs of them, and keep their licence texts."""
    wheels.mkdir(exist_ok=True)
    target.mkdir(exist_ok=True)
    versions = pins(LOCK)
    lock = LOCK.read_text(encoding="ascii").split("\n")
    chosen = wheels / "chosen.txt"
    chosen.write_text("\n".join(_entries(lock, {versions[n] for n in names})) + "\n", encoding="ascii")
    pip = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--no-deps"]
    pip += ["--require-hashes", "--only-binary", ":all:", *options, "-r", str(chosen), "-d", str(wheels)]
    subprocess.run(pip, check=True)
    for wheel in sorted(wheels.glob("*.whl")):
        if wheel.name.split("-")[0].lower().replace("_", "-") not in names:
            continue
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)
    found = licences.distributions(target)
    modules = {m for _, tops in found.values() for m in tops}
    fresh_texts = target / "licences-of-this"
    done = licences.collect(target, modules, fresh_texts, own=PROJECT / "LICENSE")
    shutil.copytree(fresh_texts, texts, dirs_exist_ok=True)
    shutil.rmtree(fresh_texts)
    _prune(target)
    return done


def _entries(lock: list[str], wanted: set[str]) -> list[str]:
    """The lines of a requirements file for the wanted pins, with their digests."""
    kept, on = [], False
    for line in lock:
        if line[:1].isalnum():
            on = line.split(" ")[0] in wanted
        if on and line:
            kept.append(line)
    return kept


def _prune(target: Path) -> None:
    """Leave out what no program needs: tests, stubs, sources of compiled parts, packaging records."""
    for path in sorted(target.rglob("*"), reverse=True):
        in_info = any(part.endswith(".dist-info") for part in path.relative_to(target).parts)
        surplus = path.suffix in (".pyi", ".c", ".h", ".pyx", ".typed") or (in_info and path.name != "METADATA")
        if path.is_file() and (surplus or "tests" in path.relative_to(target).parts):
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _compile(library: Path) -> None:
    """Bytecode beside the sources, never checked against their times, which copying to a share changes."""
    if sys.version_info[:2] != _BYTECODE_OF:
        print("没有用 Python 3.11 构建：便携版中没有字节码，启动较慢", file=sys.stderr)
        return
    compileall.compile_dir(
        str(library), quiet=1, stripdir=str(library.parent), prependdir="ybscan", workers=1,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )  # fmt: skip
