"""What both forms are made of, and how archives are written so that the same content gives the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
import time
import zipfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
FILES = Path(__file__).resolve().parent / "files"
#: Where finished files go, and where they are put together.
TARGET = PROJECT / "dist" / "portable"
SCRATCH = PROJECT / "build" / "portable"
SUMS = "SHA256SUMS"
#: The collector for terminals that cannot run Python; travels with both forms.
COLLECTOR = PROJECT / "tools" / "collector"
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", "_data")


def version() -> str:
    """The program's version."""
    text = (PROJECT / "src" / "ybscan" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "([^"]+)"', text)
    assert found is not None, "no version in ybscan/__init__.py"  # noqa: S101
    return found[1]


def _git(*arguments: str) -> str | None:
    run = subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False)
    return run.stdout.strip() if run.returncode == 0 else None


def epoch() -> int:
    """The moment everything is dated with, in seconds since 1970: SOURCE_DATE_EPOCH, else that of the last commit."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct") or 1_700_000_000)


def made_from() -> str:
    """The commit in short, with 之后 when files have been changed since; empty outside a repository."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    if commit is None:
        return ""
    return f"，源码 {commit}" + ("（有改动）" if _git("status", "--porcelain", "--untracked-files=no") else "")


def copy_program(target: Path, *, form: str) -> None:
    """The package with its data below ``target/ybscan``.

    Args:
        target: an existing folder.
        form: what the marker file says of this form, Chinese.
    """
    shutil.copytree(PROJECT / "src" / "ybscan", target / "ybscan", ignore=_IGNORED)
    copy_data(target / "ybscan" / "_data", form=form)


def copy_data(target: Path, *, form: str) -> None:
    """Rules, templates and the marker of a portable form."""
    for name in ("rules", "templates"):
        shutil.copytree(PROJECT / name, target / name, ignore=_IGNORED)
    (target / "portable.txt").write_bytes(f"{form}{made_from()}\n".encode())


def copy_collector(target: Path) -> None:
    """The collector's folder, where there is one."""
    if COLLECTOR.is_dir():
        shutil.copytree(COLLECTOR, target / "collector", ignore=_IGNORED)


def fresh(folder: Path) -> Path:
    """``folder``, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def files_in(folder: Path) -> list[tuple[str, Path]]:
    """Every file below ``folder`` with its path in slashes, in the order of the paths' code points."""
    return sorted((p.relative_to(folder).as_posix(), p) for p in folder.rglob("*") if p.is_file())


def write_sums(folder: Path) -> None:
    """``SHA256SUMS`` over every other file below ``folder``, as ``sha256sum -c`` reads it."""
    lines = (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n" for name, path in files_in(folder) if name != SUMS
    )
    (folder / SUMS).write_bytes("".join(lines).encode())


def zip_folder(folder: Path, archive: Path) -> None:
    """A zip of ``folder`` under its own name: sorted, all of one date, rights 644."""
    date = time.gmtime(epoch())[:6]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name, path in files_in(folder):
            entry = zipfile.ZipInfo(f"{folder.name}/{name}", date)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            entry.create_system = 3
            out.writestr(entry, path.read_bytes())


def tar_folder(folder: Path, archive: Path) -> None:
    """A tar.gz of ``folder`` under its own name: sorted, all of one date and owner, executables kept executable."""
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=epoch(), compresslevel=9) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as out,
    ):
        for name, path in files_in(folder):
            entry = tarfile.TarInfo(f"{folder.name}/{name}")
            entry.size = path.stat().st_size
            entry.mtime = epoch()
            entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            out.addfile(entry, io.BytesIO(path.read_bytes()))
