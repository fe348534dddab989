"""The portable forms for Windows, made by PyInstaller in a CPython for Windows under Wine.

A folder in a zip, which is the recommended form, and a single file that unpacks itself into the temporary folder at each
start. Both come from one analysis (``files/windows.spec``).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from tools import windows_python
from tools.portable.common import (
    FILES,
    PROJECT,
    SCRATCH,
    TARGET,
    copy_collector,
    copy_data,
    copy_program,
    epoch,
    fresh,
    version,
    write_sums,
    zip_folder,
)

_FORM = "便携版，Windows x86-64"
#: What the warnings name and a Windows program need not have: an attribute made on demand, the GPL library, the libraries
#: for signing (a matter for the desk, not for terminals), and what other systems alone have.
_MAY_MISS = {
    "pydantic.BaseModel", "nmap", "gmalg", "cryptography", "cryptography.exceptions", "cryptography.hazmat", "pwd", "grp",
    "fcntl", "termios", "resource", "posix",
}  # fmt: skip


class BuildError(Exception):
    """PyInstaller did not make what it was asked for."""


def build() -> Path:
    """Make the zip and the single file; returns the zip's path.

    Raises:
        windows_python.MissingError: there is no Wine.
        BuildError: PyInstaller failed.
    """
    windows_python.setup()
    work = fresh(SCRATCH / "windows")
    interpreter = _interpreter(work / "python")
    source = work / "source"
    source.mkdir()
    copy_program(source, form=_FORM)
    shutil.rmtree(source / "ybscan" / "_data")  # code is packed, data lies beside it
    copy_data(work / "data", form=_FORM)
    (source / "entry.py").write_text("from ybscan.__main__ import main\n\nmain()\n", encoding="ascii")
    name = f"ybscan-{version()}-windows-x86_64"
    _run_pyinstaller(interpreter, work, source, name)
    folder = work / name
    shutil.move(work / "made" / "ybscan", folder)
    shutil.move(folder / "_internal" / "ybscan" / "_data" / "licenses", folder / "licenses")
    shutil.copyfile(PROJECT / "LICENSE", folder / "LICENSE.txt")
    usage = (FILES / "usage-windows.txt").read_text(encoding="utf-8")
    # Notepad of every Windows: a mark for UTF-8, and its own line ends.
    (folder / "使用说明.txt").write_bytes(("\ufeff" + usage.replace("\n", "\r\n")).encode())
    copy_collector(folder)
    write_sums(folder)
    TARGET.mkdir(parents=True, exist_ok=True)
    archive = TARGET / f"{name}.zip"
    zip_folder(folder, archive)
    shutil.copyfile(work / "made" / f"{name}.exe", TARGET / f"{name}.exe")
    return archive


def _interpreter(target: Path) -> Path:
    """A copy of the interpreter that looks at its environment, which the embeddable build with its ``._pth`` does not:
    PYTHONHASHSEED is what makes two builds alike."""
    target.mkdir()
    for file in (windows_python.HOME / "python").iterdir():
        if file.is_file() and file.suffix != "._pth":
            shutil.copyfile(file, target / file.name)
    return target


def _run_pyinstaller(interpreter: Path, work: Path, source: Path, name: str) -> None:
    path = windows_python.windows_path
    packages = windows_python.HOME / "python" / "Lib" / "site-packages"
    environment = windows_python.environment() | {
        "LC_ALL": "C.UTF-8",
        "PYTHONHOME": path(interpreter),
        "PYTHONPATH": ";".join(path(p) for p in (interpreter, packages, source, PROJECT)),
        "PYTHONHASHSEED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SOURCE_DATE_EPOCH": str(epoch()),
        "YBSCAN_BUILD_NAME": name,
        "YBSCAN_BUILD_VERSION": version(),
        "YBSCAN_BUILD_WORK": path(work),
        "YBSCAN_BUILD_PACKAGES": path(packages),
        "YBSCAN_BUILD_PROJECT": path(PROJECT),
    }
    # Wine's services start without our pipes, or this would wait for them to end.
    windows_python.run(["cmd", "/c", "exit"])
    command = ["wine", str(interpreter / "python.exe"), "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    command += ["--distpath", path(work / "made"), "--workpath", path(work / "made-by")]
    with (work / "pyinstaller.log").open("wb") as log:
        run = subprocess.run(
            [*command, path(FILES / "windows.spec")], env=environment, cwd=work, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        log.write(run.stdout)
    made = [work / "made" / "ybscan" / "ybscan.exe", work / "made" / f"{name}.exe"]
    if run.returncode or not all(f.is_file() for f in made):
        tail = os.linesep.join(run.stdout.decode("utf-8", "replace").splitlines()[-30:])
        raise BuildError(f"PyInstaller: exit {run.returncode}\n{tail}")
    warnings = (work / "made-by" / "windows" / "warn-windows.txt").read_text(encoding="utf-8")
    if missing := missing_modules(warnings) - _MAY_MISS:
        raise BuildError(f"imported by ybscan and not packed: {', '.join(sorted(missing))}")


def missing_modules(warnings: str) -> set[str]:
    """The modules that PyInstaller's list of warnings says ybscan imports and the program lacks."""
    lines = re.findall(r"^(?:missing|excluded) module named '?([\w.]+)'? - imported by (.*)$", warnings, re.MULTILINE)
    return {name for name, importers in lines if re.search(r"\bybscan\b", importers)}
