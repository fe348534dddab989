"""The portable form for Linux, from a read-only folder, by a person without rights or environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ybscan import __version__
from ybscan.cli.portable import file_digest, folder_digest

PROJECT = Path(__file__).resolve().parents[2]
USER = 65534
NOW = "2026-11-20T10:00:00+08:00"


def run(launcher: Path, *arguments: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Started with nothing in the environment but what the tests name, and by nobody when we are root."""
    nobody = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if os.geteuid() == 0 else []
    bare = {"PATH": f"{Path(sys.executable).resolve().parent}:/usr/bin:/bin", **env}
    return subprocess.run(
        [*nobody, str(launcher), *arguments], env=bare, cwd=cwd or "/", capture_output=True, check=False, timeout=120
    )


@pytest.fixture
def reachable(linux: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The launcher, in a place that others than us can enter."""
    for folder in linux.parents:
        if folder.stat().st_uid == os.geteuid() and str(folder).startswith(str(tmp_path_factory.getbasetemp().parent)):
            try:
                folder.chmod(folder.stat().st_mode | 0o055)
            except OSError:
                assert folder.stat().st_mode & 0o005
    return linux


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder that anybody may write to."""
    for folder in (tmp_path.parent, tmp_path):
        folder.chmod(0o755)
    place = tmp_path / "检查 结果"
    place.mkdir()
    place.chmod(0o777)
    return place


def test_version_and_digests(reachable: Path) -> None:
    done = run(reachable, "--version")
    said = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert said.startswith(f"ybscan {__version__}（便携版，Linux")
    assert f"SHA256SUMS 的 SHA-256：{file_digest(reachable.parent / 'SHA256SUMS')}" in said
    assert f"规则的 SHA-256：{folder_digest(PROJECT / 'rules')}" in said


def test_the_list_of_digests_is_right(linux: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=linux.parent, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout
    listed = {line.split("  ", 1)[1] for line in (linux.parent / "SHA256SUMS").read_text().splitlines()}
    there = {p.relative_to(linux.parent).as_posix() for p in linux.parent.rglob("*") if p.is_file()}
    assert there - listed == {"SHA256SUMS"}


def test_a_scan_writes_its_documents_and_nothing_else(reachable: Path, out: Path) -> None:
    temporary = out.parent / "temporary"
    temporary.mkdir()
    temporary.chmod(0o777)

    def everything() -> list[tuple[str, int]]:
        """The program's folder, and what the one who runs it has in the places for temporary files."""
        own = list(reachable.parent.rglob("*"))
        for place in (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")):  # noqa: S108
            own += [p for p in place.iterdir() if p.lstat().st_uid == USER] if os.geteuid() == 0 else []
        return sorted((str(p), p.lstat().st_mtime_ns) for p in own)

    before = everything()
    formats = ("--format", "md,html,docx,json")
    done = run(
        reachable, "scan", "--no-store", *formats, "-o", str(out), cwd=out, TMPDIR=str(temporary), HOME=str(temporary)
    )
    assert done.returncode in (0, 1, 3), done.stderr.decode()
    assert sorted(p.suffix for p in out.iterdir()) == [".docx", ".html", ".json", ".md"]
    assert json.loads(next(out.glob("*.json")).read_bytes())["host"]["elevated"] is False
    assert everything() == before
    assert list(temporary.iterdir()) == []


def test_it_says_what_the_checkout_says(reachable: Path, out: Path) -> None:
    """The same disk, judged by the packed program and by the sources."""
    disk = out / "disk"
    (disk / "etc").mkdir(parents=True)
    (disk / "etc" / "os-release").write_text('ID=debian\nVERSION_ID="12"\n')
    (disk / "etc" / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    command = ["scan", "--no-store", "--root", str(disk), "--now", NOW, "-q", "-f", "json", "-o", "-"]
    packed = run(reachable, *command)
    bare = {"PATH": "/usr/bin:/bin"}
    here = subprocess.run(
        [sys.executable, "-m", "ybscan", *command], env=bare, cwd="/", capture_output=True, check=False
    )
    assert packed.returncode == here.returncode, packed.stderr.decode()
    assert packed.stdout == here.stdout


def test_wrong_arguments(reachable: Path) -> None:
    done = run(reachable, "scna")
    assert done.returncode == 2
    assert "没有命令 scna，是不是想写 scan？" in done.stderr.decode()


def test_what_the_environment_says_of_python_is_not_heard(reachable: Path, tmp_path: Path) -> None:
    (tmp_path / "yaml.py").write_text("raise SystemExit('the wrong yaml')\n")
    done = run(reachable, "rules", "list", PYTHONPATH=str(tmp_path), PYTHONSTARTUP=str(tmp_path / "yaml.py"))
    assert done.returncode == 0, done.stderr.decode()
    assert run(reachable, "--help", PYTHONIOENCODING="gbk").stdout.decode("gbk").startswith("用法：")


def test_a_machine_without_a_python_that_will_do(linux: Path, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "dirname"):
        (tools / name).symlink_to(shutil.which(name) or "")
    (tools / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tools / "python3").chmod(0o755)
    done = subprocess.run(
        [str(linux), "scan"], env={"PATH": str(tools)}, cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 2
    assert "没有 Python 3.11" in done.stderr.decode()
    assert "采集程序" in done.stderr.decode()


def test_a_machine_it_has_nothing_for(linux: Path) -> None:
    code = (
        "import platform, runpy, sys; platform.machine = lambda: 'loongarch64'; sys.argv = ['start.py'];"
        f"runpy.run_path({str(linux.parent / 'lib' / 'start.py')!r})"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-B", "-c", code], capture_output=True, check=False)
    assert done.returncode == 2
    assert "loongarch64" in done.stderr.decode()
    assert "x86_64-cp311" in done.stderr.decode()


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_compiled_parts_are_there_for_every_python(machine: str, linux: Path) -> None:
    library = linux.parent / "lib"
    magic = {"x86_64": 62, "aarch64": 183}[machine]
    for python in ("cp311", "cp312", "cp313", "cp314"):
        found = list((library / f"{machine}-{python}").rglob("*.so"))
        assert {p.name.split(".")[0] for p in found} >= {"_pydantic_core", "_yaml", "_speedups"}
        for path in [*found, *(library / machine).rglob("*.so")]:
            assert int.from_bytes(path.read_bytes()[18:20], "little") == magic, path
            assert python in path.name.replace("-", "") or "abi3" in path.name or "cpython-" + python[2:] in path.name
