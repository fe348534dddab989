"""What a developer runs: ``nox -s lint types tests windows docs build bench`` (or ``python3 tools/bootstrap.py nox``)."""

from __future__ import annotations

import sys
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "tests", "docs", "build"]
nox.options.reuse_existing_virtualenvs = True
nox.options.default_venv_backend = "venv"


def _install(session: nox.Session, extras: str) -> None:
    session.install("--quiet", "-e", f".[{extras}]")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, import directions, and the project's own rules."""
    _install(session, "dev")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")
    session.run("ybscan", "rules", "lint")


@nox.session
def types(session: nox.Session) -> None:
    """Strict types, on both systems."""
    _install(session, "dev")
    for platform in ("linux", "win32"):
        session.run("mypy", "--platform", platform)
    session.run("mypy", "-p", "tools.portable")


@nox.session
def tests(session: nox.Session) -> None:
    """The whole test suite."""
    _install(session, "test")
    session.run("pytest", *(session.posargs or ["-q", "-n", "auto", "--dist", "loadgroup"]))


@nox.session(venv_backend="none")
def windows(session: nox.Session) -> None:
    """The Windows tests, in a CPython for Windows under Wine; first as on a Chinese Windows, then as on a Western one."""
    windows_python = (sys.executable, "tools/windows_python.py")
    session.run(*windows_python, "setup", external=True)
    tests = (
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:faulthandler",
        *(session.posargs or ["-q"]),
        "tests/windows",
    )
    for locale in ("zh_CN.UTF-8", "C.UTF-8"):
        session.run(*windows_python, "--isolated", "python", *tests, env={"LC_ALL": locale}, external=True)


@nox.session
def docs(session: nox.Session) -> None:
    """The generated reference is what the code says; ``nox -s docs -- --write`` brings it up to date."""
    _install(session, "dev")
    session.run("python", "tools/reference.py", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """A wheel and an sdist; the wheel, in an empty environment and from ``/``, scans."""
    session.install("--quiet", "build")
    target = Path(session.create_tmp()) / "dist"
    session.run("python", "-m", "build", "--quiet", "--outdir", str(target), ".")
    wheel = max(target.glob("*.whl"), key=lambda p: p.stat().st_mtime)
    session.run("python", "tools/check_wheel.py", str(wheel))


@nox.session
def portable(session: nox.Session) -> None:
    """The portable forms for Windows and Linux, and their tests."""
    _install(session, "test")
    session.run("python", "-m", "tools.portable", "build")
    session.run("pytest", *(session.posargs or ["-q"]), "tests/portable", env={"YBSCAN_PORTABLE": "dist/portable"})


@nox.session
def bench(session: nox.Session) -> None:
    """Ratios, all taken in this one run."""
    _install(session, "test")
    session.run("python", "tools/bench.py", *session.posargs)
