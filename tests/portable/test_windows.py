"""Both Windows forms, run under Wine on code page 936."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from tests.portable import wine
from tests.portable.conftest import only
from ybscan import __version__
from ybscan.cli.portable import folder_digest

NOW = "2026-11-20T10:00:00+08:00"
PROJECT = Path(__file__).resolve().parents[2]
SCAN_CODES = (0, 1, 3)


def text(data: bytes) -> str:
    return data.decode("gbk").replace("\r\n", "\n")


def scan(exe: Path, out: Path, *more: str, **how: object) -> subprocess.CompletedProcess[bytes]:
    return wine.wine(exe, "scan", "--no-store", "--now", NOW, "-o", wine.windows(out), *more, **how)  # type: ignore[arg-type]


def test_version_and_digests(exe: Path) -> None:
    run = wine.wine(exe, "--version")
    said = text(run.stdout)
    assert run.returncode == 0
    assert run.stderr == b""
    assert said.startswith(f"ybscan {__version__}（便携版，Windows x86-64")
    assert hashlib.sha256(exe.read_bytes()).hexdigest() in said
    assert f"规则的 SHA-256：{folder_digest(PROJECT / 'rules')}" in said


def test_help_is_chinese_on_the_code_page(exe: Path) -> None:
    run = wine.wine(exe, "--help")
    assert run.returncode == 0
    assert "用法：ybscan" in text(run.stdout)
    assert "scan" in text(run.stdout)


def test_it_has_every_fact_and_rule_of_the_checkout(exe: Path) -> None:
    import sys

    for command in (("facts", "list"), ("rules", "list")):
        packed = json.loads(wine.wine(exe, *command, "--format", "json").stdout)
        here = subprocess.run(
            [sys.executable, "-m", "ybscan", *command, "--format", "json"], capture_output=True, check=True
        )
        assert packed == json.loads(here.stdout)


def test_a_scan_writes_its_documents_and_nothing_else(exe: Path, tmp_path: Path) -> None:
    out = tmp_path / "检查 结果"
    run = scan(exe, out, "--format", "md,html,docx,json")
    assert run.returncode in SCAN_CODES, text(run.stderr)
    assert sorted(p.suffix for p in out.iterdir()) == [".docx", ".html", ".json", ".md"]
    result = json.loads(next(out.glob("*.json")).read_bytes())
    assert result["host"]["os"] == "windows"
    assert result["summary"]["total"] > 60
    assert "检查记录" in next(out.glob("*.md")).read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["检查 结果"]


def test_two_scans_are_byte_identical(folder_exe: Path, single_exe: Path, tmp_path: Path) -> None:
    for exe, name in ((folder_exe, "a"), (folder_exe, "b"), (single_exe, "c")):
        scan(exe, tmp_path / name)
    first, *others = [{p.suffix: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in "abc"]
    assert set(first) == {".html", ".json", ".md"}
    assert all(other == first for other in others)


def test_json_to_a_pipe_on_code_page_936_is_plain(exe: Path) -> None:
    run = wine.wine(exe, "scan", "--no-store", "--now", NOW, "-q", "-f", "json", "-o", "-")
    assert run.returncode in SCAN_CODES, text(run.stderr)
    assert run.stderr == b""
    assert json.loads(run.stdout.decode("ascii"))["findings"][0]["title"]


@pytest.mark.parametrize("setting", [{"PYTHONIOENCODING": "utf-8"}, {"PYTHONUTF8": "1"}])
def test_the_encoding_a_person_asks_for(setting: dict[str, str | None], folder_exe: Path) -> None:
    assert "用法：ybscan" in wine.wine(folder_exe, "--help", env=setting).stdout.decode("utf-8")


def test_a_western_code_page_gets_utf8_instead_of_question_marks(folder_exe: Path) -> None:
    run = wine.wine(folder_exe, "--help", env={"LC_ALL": "C.UTF-8", "LOCPATH": None})
    assert "用法：ybscan" in run.stdout.decode("utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("scna",), "没有命令 scna，是不是想写 scan？"),
        (("scan", "--sit"), "没有选项 --sit"),
        (("scan", "--site", "Z:\\没有\\这个.yml"), "这个.yml"),
        (("scan", "--now", "星期五"), "“星期五”不是时间"),
    ],
)
def test_wrong_arguments(arguments: tuple[str, ...], said: str, exe: Path, tmp_path: Path) -> None:
    run = wine.wine(exe, *arguments, cwd=tmp_path)
    assert run.returncode == 2
    assert said in text(run.stderr)
    assert "Traceback" not in text(run.stderr)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_site_file_with_a_chinese_path(folder_exe: Path, tmp_path: Path) -> None:
    site = tmp_path / "单位 配置" / "site.yml"
    site.parent.mkdir()
    site.write_text("schema: ybscan.site/v1\nnetwork: { gateway: [] }\n", encoding="utf-8")
    run = scan(folder_exe, tmp_path / "out", "--site", wine.windows(site))
    assert run.returncode == 2
    assert "site.yml:2" in text(run.stderr)
    assert "gateways" in text(run.stderr)
    assert not (tmp_path / "out").exists()


def test_without_home_and_in_a_folder_that_cannot_be_written_to(exe: Path, unpacked: Path, tmp_path: Path) -> None:
    nobody: dict[str, str | None] = dict.fromkeys(("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "USERNAME"))
    run = scan(exe, tmp_path / "out", cwd=unpacked, env=nobody)
    assert run.returncode in SCAN_CODES, text(run.stderr)
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_a_folder_that_cannot_be_written_to_is_refused_before_the_scan(folder_exe: Path, unpacked: Path) -> None:
    before = sorted(unpacked.rglob("*"))
    run = wine.wine(folder_exe, "scan", "-o", wine.windows(unpacked / "report"))
    assert run.returncode == 2
    assert "输出文件夹无法写入" in text(run.stderr)
    assert sorted(unpacked.rglob("*")) == before


def test_unc_paths(folder_exe: Path, prefix: Path, tmp_path: Path) -> None:
    """Wine serves \\\\server\\share from a folder of its prefix. It misnames a program started from there, so that the
    program itself lies on a drive."""
    server = prefix / "dosdevices" / "unc" / "ybscan-test"
    server.mkdir(parents=True, exist_ok=True)
    share = server / "共享 目录"
    share.symlink_to(tmp_path)
    try:
        (tmp_path / "site.yml").write_text("schema: ybscan.site/v1\nterminal: { id: YB-0007 }\n", encoding="utf-8")
        unc = "\\\\ybscan-test\\共享 目录"
        run = wine.wine(
            folder_exe, "scan", "--no-store", "--now", NOW, "--site", rf"{unc}\site.yml", "-o", rf"{unc}\结果"
        )
        assert run.returncode in SCAN_CODES, text(run.stderr)
        assert sorted(p.name for p in (tmp_path / "结果").iterdir()) == [
            f"YB-0007-2026-11-20.{ending}" for ending in ("html", "json", "md")
        ]
        assert rf"已写入 {unc}\结果" in text(run.stderr)
    finally:
        share.unlink()
        server.rmdir()


def test_long_paths(folder_exe: Path, tmp_path: Path) -> None:
    deep = tmp_path / ("长" * 60) / ("路" * 60) / ("径" * 60)
    deep.mkdir(parents=True)
    (deep / "site.yml").write_text("schema: ybscan.site/v1\nterminal: { id: YB-0007 }\n", encoding="utf-8")
    assert len(str(deep)) > 190
    out = deep / ("结" * 60) / ("果" * 60)
    run = scan(folder_exe, out, "--site", wine.windows(deep / "site.yml"))
    assert run.returncode in SCAN_CODES, text(run.stderr)
    assert len(wine.windows(out)) > 300
    assert len(list(out.iterdir())) == 3


def test_doctor(folder_exe: Path) -> None:
    run = wine.wine(folder_exe, "doctor")
    assert run.returncode in (0, 3)
    assert "运行身份" in text(run.stdout)


def snapshot(prefix: Path) -> set[tuple[str, ...]]:
    """Every file and folder of the Windows drive, and every value of the registry."""
    drive = prefix / "drive_c"
    found: set[tuple[str, ...]] = set()
    for path in drive.rglob("*"):
        if path.is_file() and not path.is_symlink():
            found.add((str(path.relative_to(drive)), str(path.stat().st_size), str(path.stat().st_mtime_ns)))
        else:
            found.add((str(path.relative_to(drive)),))
    for hive in ("system.reg", "user.reg", "userdef.reg"):
        key = ""
        for line in (prefix / hive).read_text(encoding="latin-1").splitlines():
            if line.startswith("["):
                key = line.rsplit("] ", 1)[0]
                found.add((hive, key))
            # When a key was written is no content; and Wine dates its display driver anew at each start.
            elif not line.startswith(("#time=", '"DriverDateData"=')):
                found.add((hive, key, line))
    return found


def test_nothing_is_left(exe: Path, prefix: Path, unpacked: Path, tmp_path: Path) -> None:
    def cycle(*command: str) -> set[tuple[str, ...]]:
        wine.services()
        if command:
            assert wine.wine(*command, cwd=tmp_path).returncode in (*SCAN_CODES, 2)
        wine.stop()
        return snapshot(prefix)

    program = sorted((str(p), p.stat().st_mtime_ns) for p in unpacked.rglob("*"))
    cycle()
    before = cycle()
    after = cycle(str(exe), "scan", "--no-store", "-o", wine.windows(tmp_path / "out"))
    assert after - before == set()
    assert before - after == set()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert sorted((str(p), p.stat().st_mtime_ns) for p in unpacked.rglob("*")) == program
    wine.services()


def test_the_zip(dist: Path) -> None:
    import zipfile

    with zipfile.ZipFile(only(dist, "*.zip")) as packed:
        names = packed.namelist()
        assert names == sorted(names)
        top = names[0].split("/")[0]
        assert {n.split("/")[0] for n in names} == {f"ybscan-{__version__}-windows-x86_64"}
        usage = packed.read(f"{top}/使用说明.txt")
        sums = packed.read(f"{top}/SHA256SUMS").decode()
        assert len(sums.splitlines()) == len(names) - 1
        for line in sums.splitlines():
            digest, _, name = line.partition("  ")
            assert hashlib.sha256(packed.read(f"{top}/{name}")).hexdigest() == digest
    assert usage.startswith(b"\xef\xbb\xbf")
    assert b"\n" not in usage.replace(b"\r\n", b"")
    usage.decode("utf-8-sig").encode("gbk")
    licensed = {n.split("/")[2].rsplit("-", 1)[0] for n in names if n.startswith(f"{top}/licenses/")}
    assert {"pydantic", "pydantic-core", "rich", "typer", "click", "python", "pyinstaller"} <= licensed
    assert not [n for n in names if "nmap" in n.lower() and "_data/rules" not in n]


def test_the_digests_beside_the_files(dist: Path) -> None:
    run = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=dist, capture_output=True, check=False)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("what", ["version", "manifest"])
def test_resources(what: str, exe: Path) -> None:
    data = exe.read_bytes()
    if what == "manifest":
        assert b'level="asInvoker"' in data
        assert b"longPathAware" in data
        assert b"activeCodePage" not in data
    else:
        for wanted in ("医保网络终端合规自查程序", __version__, "080404B0"):
            assert wanted.encode("utf-16-le") in data, wanted


#: Presses Ctrl+C on a console that it shares with the program, after a while.
PRESSER = """
import ctypes, signal, subprocess, sys, time
kernel = ctypes.WinDLL("kernel32")
kernel.FreeConsole()
assert kernel.AllocConsole()
signal.signal(signal.SIGINT, lambda *_: None)
p = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
seen = b""
while sys.argv[1].encode("gbk") not in seen:
    got = p.stdout.read(1)
    assert got, seen
    seen += got
time.sleep(0.3)
assert kernel.GenerateConsoleCtrlEvent(0, 0)
rest, _ = p.communicate(timeout=60)
sys.stdout.buffer.write(seen + rest)
sys.exit(p.returncode)
"""


def test_ctrl_c(exe: Path, tmp_path: Path) -> None:
    presser = tmp_path / "presser.py"
    presser.write_text(PRESSER, encoding="ascii")
    site = wine.windows(tmp_path / "site.yml")
    run = wine.python(wine.windows(presser), "单位类型", wine.windows(exe), "init", "-o", site)
    # At a question the library may take the key for "no answer".
    assert "已中断" in text(run.stdout) or "已取消" in text(run.stdout), run.stderr
    assert "Traceback" not in text(run.stdout)
    assert run.returncode == 4
    assert [p.name for p in tmp_path.iterdir()] == ["presser.py"]
