"""Running Windows programs as a person does, in the Wine prefix that the build uses."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tools import windows_python

PREFIX = windows_python.HOME / "prefix"
_NOTHING = subprocess.DEVNULL


def environment() -> dict[str, str]:
    """Of every run: Chinese, and nothing that a developer has set for Python or ybscan."""
    kept = {k: v for k, v in windows_python.environment().items() if not k.startswith(("YBSCAN", "PYTHON"))}
    return kept | {"LC_ALL": "zh_CN.UTF-8", "LOCPATH": str(windows_python.HOME / "locale")}


def services() -> None:
    """Start Wine's own processes without our pipes: they would keep them open for as long as they live."""
    for command in (["wineserver", "-p60"], ["wine", "cmd", "/c", "exit"]):
        subprocess.run(command, env=environment(), check=False, stdin=_NOTHING, stdout=_NOTHING, stderr=_NOTHING)


def stop() -> None:
    """End the prefix's processes, which also writes its registry to disk."""
    subprocess.run(["wineserver", "-k"], env=windows_python.environment(), check=False, stdin=_NOTHING)
    subprocess.run(["wineserver", "-w"], env=windows_python.environment(), check=False, stdin=_NOTHING)


def wine(
    *command: str | Path,
    cwd: Path | None = None,
    env: dict[str, str | None] | None = None,
    stdin: bytes = b"",
    timeout: float = 120,
) -> subprocess.CompletedProcess[bytes]:
    """One run of a Windows program on code page 936, its output caught through pipes.

    ``env`` changes the environment; None takes a variable away.
    """
    changed: dict[str, str | None] = {**environment(), **(env or {})}
    return subprocess.run(
        ["wine", *map(str, command)], env={k: v for k, v in changed.items() if v is not None}, cwd=cwd or "/", input=stdin, capture_output=True,
        timeout=timeout, check=False,
    )  # fmt: skip


def windows(path: Path) -> str:
    """A path of this machine as Windows programs see it."""
    return windows_python.windows_path(path)


def python(*arguments: str | Path, **more: object) -> subprocess.CompletedProcess[bytes]:
    """The build's CPython for Windows."""
    return wine(windows_python.HOME / "python" / "python.exe", *arguments, **more)  # type: ignore[arg-type]
