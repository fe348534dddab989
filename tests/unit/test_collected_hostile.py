"""Evidence made to harm: every such file is refused with a sentence, and nothing else happens."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.cli import ybscan
from tests.collected import SYSTEM, part, utf16, write

from ybscan.hosts.collected.container import Limits, is_collected
from ybscan.hosts.collected.evidence import read_evidence
from ybscan.model.problem import InputProblems

SMALL = Limits(file=200_000, members=20, member=50_000, total=100_000, ratio=300)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "ybscan-SF-01", {"system": part("system", *SYSTEM)})


def zipped(folder: Path, target: Path, extra: dict[str, bytes] | None = None, *, top: str = "ybscan-SF-01/") -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as z:
        for path in folder.rglob("*"):
            if path.is_file():
                z.write(path, top + path.relative_to(folder).as_posix())
        for name, data in (extra or {}).items():
            z.writestr(name, data)
    return target


def tarred(folder: Path, target: Path, *more: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(target, "w:gz") as t:
        t.add(folder, folder.name)
        for info, data in more:
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return target


def info(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    made.linkname = link
    return made


def test_folder_zip_and_tar_are_the_same_evidence(folder: Path, tmp_path: Path) -> None:
    wanted = read_evidence(folder).members
    for made in (
        zipped(folder, tmp_path / "a.zip"),
        zipped(folder, tmp_path / "b.zip", top=""),
        zipped(folder, tmp_path / "c.zip", top="收费处/"),
        tarred(folder, tmp_path / "d.tar.gz"),
    ):
        assert is_collected(made)
        assert read_evidence(made).members == wanted
    outer = tmp_path / "outer"
    outer.mkdir()
    folder.rename(outer / folder.name)
    assert read_evidence(outer).members == wanted


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/passwd",
        "ybscan-SF-01/../../x",
        "ybscan-SF-01/a/b/c",
        "ybscan-SF-01/registry/..",
        "C:\\x",
        "ybscan-SF-01/a b",
        "ybscan-SF-01/.hidden",
        "ybscan-SF-01/" + "a" * 200,
    ],
)
def test_names_that_lead_elsewhere(folder: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputProblems):
        read_evidence(zipped(folder, tmp_path / "a.zip", {name: b"x"}))
    with pytest.raises(InputProblems):
        read_evidence(tarred(folder, tmp_path / "a.tar.gz", (info(name), b"x")))


def test_a_name_with_a_nul_in_it(folder: Path, tmp_path: Path) -> None:
    made = zipped(folder, tmp_path / "a.zip", {"ybscan-SF-01/QQ": b"x"})
    made.write_bytes(made.read_bytes().replace(b"SF-01/QQ", b"SF-01/\0Q"))
    with pytest.raises(InputProblems, match="不应有的文件名"):
        read_evidence(made)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar(folder: Path, tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(InputProblems, match="不是普通文件"):
        read_evidence(
            tarred(folder, tmp_path / "a.tar.gz", (info("ybscan-SF-01/files/hosts", kind, "/etc/shadow"), b""))
        )


def test_links_in_a_folder_and_in_a_zip(folder: Path, tmp_path: Path) -> None:
    made = zipfile.ZipInfo("ybscan-SF-01/files/hosts")
    made.create_system = 3
    made.external_attr = 0o120777 << 16
    target = zipped(folder, tmp_path / "a.zip")
    with zipfile.ZipFile(target, "a") as z:
        z.writestr(made, "/etc/shadow")
    with pytest.raises(InputProblems, match="不是普通文件"):
        read_evidence(target)
    (folder / "netstat.out").symlink_to("/etc/shadow")
    with pytest.raises(InputProblems, match="不是普通文件"):
        read_evidence(folder)


def test_too_much(folder: Path, tmp_path: Path) -> None:
    bomb = zipped(folder, tmp_path / "a.zip", {"ybscan-SF-01/x.out": b"\0" * 40_000_000})
    for limits in (SMALL, Limits()):
        with pytest.raises(InputProblems):
            read_evidence(bomb, limits)
    many = {f"ybscan-SF-01/data/{n:06}": b"x" for n in range(30)}
    with pytest.raises(InputProblems, match="20 个"):
        read_evidence(zipped(folder, tmp_path / "b.zip", many), SMALL)
    with pytest.raises(InputProblems):
        read_evidence(tarred(folder, tmp_path / "c.tar.gz", (info("ybscan-SF-01/x.out"), b"\0" * 40_000_000)), SMALL)
    # A header that promises little before a stream that never ends.
    endless = tmp_path / "d.tar.gz"
    endless.write_bytes(gzip.compress(info("x").tobuf() + b"\0" * 50_000_000))
    with pytest.raises(InputProblems):
        read_evidence(endless, SMALL)
    (folder / "x.out").write_bytes(b"x" * 60_000)
    with pytest.raises(InputProblems, match="超过"):
        read_evidence(folder, SMALL)


def test_damage(folder: Path, tmp_path: Path) -> None:
    for whole in (zipped(folder, tmp_path / "a.zip"), tarred(folder, tmp_path / "a.tar.gz")):
        data = whole.read_bytes()
        for cut in (5, len(data) // 2, len(data) - 4):
            broken = tmp_path / f"cut-{cut}-{whole.name}"
            broken.write_bytes(data[:cut])
            with pytest.raises(InputProblems):
                read_evidence(broken)
    twice = zipped(folder, tmp_path / "b.zip")
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(twice, "a") as z:
        z.writestr("ybscan-SF-01/system.txt", b"x")
    with pytest.raises(InputProblems, match="重名"):
        read_evidence(twice)
    for path in (tmp_path / "none", tmp_path / "empty"):
        if path.name == "empty":
            path.mkdir()
        with pytest.raises(InputProblems):
            read_evidence(path)


@pytest.mark.parametrize(
    "manifest",
    ["", "x\n", "ybscan-records 1 manifest\n[end] complete\n", "ybscan-records 1 manifest\n[collector]\nkind=dos\nversion=1\n[end] complete\n",
     "ybscan-records 1 manifest\n[collector]\nkind=windows\nversion=99\n[end] complete\n", "ybscan-records 1 manifest\n[collector]\nkind=windows\nversion=1\n"],
)  # fmt: skip
def test_a_manifest_that_is_none(folder: Path, manifest: str) -> None:
    (folder / "manifest.txt").write_bytes(utf16(manifest))
    with pytest.raises(InputProblems, match=r"manifest\.txt"):
        read_evidence(folder)


def test_two_terminals_in_one_folder(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / "all" / name, {"system": part("system", *SYSTEM)})
    with pytest.raises(InputProblems, match="2 台终端"):
        read_evidence(tmp_path / "all")


def test_the_command_refuses_with_code_two(folder: Path, tmp_path: Path) -> None:
    bad = zipped(folder, tmp_path / "a.zip", {"../x": b"x"})
    done = ybscan("scan", "--evidence", str(bad), "-o", str(tmp_path / "out"), "--no-store")
    assert done.returncode == 2
    assert "不应有的文件名" in done.stderr.decode()
    assert not (tmp_path / "out").exists()


def test_the_command_judges_a_folder(folder: Path, tmp_path: Path) -> None:
    done = ybscan("scan", "--evidence", str(folder), "-o", "-", "--format", "json", "--no-store", "--rule", "PWD-06")
    assert done.returncode == 3
    assert '"os":"windows"' in done.stdout.decode().replace(" ", "")
