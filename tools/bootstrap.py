"""Set up a virtual environment beside this checkout and do one thing in it. Needs nothing but Python 3.11 with venv.

python3 tools/bootstrap.py scan [arguments of ybscan scan]
python3 tools/bootstrap.py test [arguments of pytest]
python3 tools/bootstrap.py nox [arguments of nox]
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
EXTRAS = {"scan": "", "test": "[test]", "nox": "[dev]"}


def python_in(folder: Path) -> Path:
    """The interpreter of a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def ready(extras: str) -> Path:
    """The environment's interpreter, made or brought up to date when pyproject.toml changed since."""
    folder = PROJECT / (".venv" if not extras else f".venv-{extras.strip('[]')}")
    wanted = hashlib.sha256((PROJECT / "pyproject.toml").read_bytes() + sys.version.encode()).hexdigest()
    stamp = folder / "ybscan.stamp"
    python = python_in(folder)
    if stamp.is_file() and stamp.read_text(encoding="ascii") == wanted and python.exists():
        return python
    print(f"正在准备运行环境 {folder.name}（首次需要几十秒）……", file=sys.stderr)
    venv.create(folder, with_pip=True, clear=True)
    install = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-e",
        f"{PROJECT}{extras}",
    ]
    subprocess.run(install, check=True)
    # The program itself never writes bytecode; without this every start would compile it anew.
    subprocess.run([str(python), "-m", "compileall", "-q", str(PROJECT / "src")], check=True)
    stamp.write_text(wanted, encoding="ascii")
    return python


def main(arguments: list[str]) -> int:
    """Do what the first argument says; returns the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - what runs this may be older than what the project needs
        print("需要 Python 3.11 或更新版本。", file=sys.stderr)
        return 2
    if not arguments or arguments[0] not in EXTRAS:
        print(__doc__, file=sys.stderr)
        return 2
    what, rest = arguments[0], arguments[1:]
    try:
        python = str(ready(EXTRAS[what]))
    except (subprocess.CalledProcessError, OSError) as e:
        print(f"运行环境准备失败：{e}。Debian 请先安装 python3-venv。", file=sys.stderr)
        return 2
    commands = {
        "scan": [python, "-m", "ybscan", "scan", *rest],
        "test": [python, "-m", "pytest", *(rest or ["-q", "-n", "auto", "--dist", "loadgroup"])],
        "nox": [python, "-m", "nox", *rest],
    }
    here = None if what == "scan" else PROJECT
    return subprocess.run(commands[what], cwd=here, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
