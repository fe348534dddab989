"""The pins of the Linux form: the versions that the Windows form has, with the digests of Linux wheels."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools.portable.common import PROJECT

LOCK = Path(__file__).resolve().parent / "linux-requirements.txt"
WINDOWS = PROJECT / "tools" / "windows-requirements.txt"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
MACHINES = ("x86_64", "aarch64")
#: Distributions with compiled parts; evtx and psutil have one wheel for every Python.
BINARY = ("evtx", "markupsafe", "psutil", "pydantic-core", "pyyaml")
PURE = (
    "annotated-doc", "annotated-types", "attrs", "click", "construct", "et-xmlfile", "inflection", "jinja2",
    "markdown-it-py", "mdurl", "openpyxl", "platformdirs", "pydantic", "pygments", "pytz", "regipy", "rich",
    "shellingham", "typer", "typing-extensions", "typing-inspection",
)  # fmt: skip
_HEAD = """\
# What the portable form for Linux holds, in the versions of the Windows form. Written by python -m tools.portable lock.
"""


def pins(file: Path) -> dict[str, str]:
    """Name → ``name==version`` of a requirements file."""
    found = re.findall(r"^([a-z0-9-]+)(==\S+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: name + version for name, version in found}


def platform(machine: str, python: str) -> list[str]:
    """pip's options for wheels of one machine and Python, for glibc 2.17 and newer."""
    tags = [f"manylinux_2_17_{machine}", f"manylinux2014_{machine}"]
    return [*(o for t in tags for o in ("--platform", t)), "--implementation", "cp", "--python-version", python]


def targets() -> Iterator[tuple[str, str]]:
    """Every machine and Python the form is for."""
    return ((machine, python) for machine in MACHINES for python in PYTHONS)


def write() -> None:
    """Fetch each wheel once and write its digest down.

    Raises:
        subprocess.CalledProcessError: a wheel cannot be had.
    """
    versions = pins(WINDOWS)
    digests: dict[str, set[str]] = {}
    with tempfile.TemporaryDirectory(prefix="ybscan-lock-") as scratch:
        _fetch(scratch, [versions[n] for n in PURE], [])
        for machine, python in targets():
            _fetch(scratch, [versions[n] for n in BINARY], platform(machine, python))
        for wheel in Path(scratch).glob("*.whl"):
            name = wheel.name.split("-")[0].lower().replace("_", "-")
            digests.setdefault(name, set()).add(hashlib.sha256(wheel.read_bytes()).hexdigest())
    lines = [
        " \\\n".join([versions[name], *(f"    --hash=sha256:{d}" for d in sorted(digests[name]))])
        for name in sorted(digests)
    ]
    LOCK.write_text(_HEAD + "\n".join(lines) + "\n", encoding="ascii")


def _fetch(folder: str, requirements: list[str], options: list[str]) -> None:
    pip = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--only-binary", ":all:", "-d", folder, *options, *requirements], check=True)
