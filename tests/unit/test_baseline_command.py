"""``ybscan baseline`` against what a scan then finds, on real folders."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml
from tests.cli import tree, ybscan

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="permission bits and links are POSIX")

APPROVED = ("--approver", "李主任", "--document", "信息〔2026〕9 号", "--date", "2026-11-20")
NOW = ("--now", "2026-11-20T10:00:00+08:00")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """A folder with site.yml and a disk that holds a client."""
    disk = tree(
        tmp_path / "disk",
        {
            "etc/passwd": "root:x:0:0:root:/root:/bin/bash\n",
            "etc/ybscan/keep": "",
            "var/lib/dpkg/status": "Package: bash\nStatus: install ok installed\nVersion: 5\nArchitecture: amd64\n\n",
            "opt/yb/bin/yb": "#!/bin/sh\n",
            "opt/yb/conf/yb.ini": "a=1\n",
            "opt/yb/conf/user.ini": "w=1\n",
            "opt/yb/log/last.ini": "x\n",
            "opt/yb/说明.txt": "说明\n",
        },
    )
    (disk / "opt/yb/bin/yb").chmod(0o755)
    (disk / "opt/yb/run").symlink_to("bin/yb")
    (tmp_path / "site.yml").write_text(
        "schema: ybscan.site/v1\ndata: { programs: [/opt/yb], baseline: /etc/ybscan/baseline.yml }\n", encoding="utf-8"
    )
    return tmp_path


def baseline(
    unit: Path, what: str, *more: str, stdin: str = "", approved: tuple[str, ...] = APPROVED
) -> CompletedProcess[bytes]:
    file = "disk/etc/ybscan/baseline.yml"
    return ybscan("baseline", what, "--root", "disk", "-o", file, *approved, *NOW, *more, cwd=unit, stdin=stdin)


def document(unit: Path) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load((unit / "disk/etc/ybscan/baseline.yml").read_text(encoding="utf-8"))
    return found


def verdict(unit: Path) -> tuple[str, str]:
    ran = ybscan("scan", "--root", "disk", "--rule", "INT-01", "-q", "-f", "json", "-o", "-", *NOW, cwd=unit)
    (finding,) = json.loads(ran.stdout)["findings"]
    return finding["status"], " ".join(o["sentence"] for o in finding["observations"])


def test_what_was_recorded_passes_and_what_changed_fails(unit: Path) -> None:
    made = baseline(unit, "create", "--yes")
    assert made.returncode == 0, made.stderr.decode()
    file = unit / "disk/etc/ybscan/baseline.yml"
    assert file.stat().st_mode & 0o777 == 0o600
    found = document(unit)
    assert [f["path"] for f in found["files"]] == [  # type: ignore[attr-defined, index]
        "/opt/yb/bin/yb", "/opt/yb/conf/user.ini", "/opt/yb/conf/yb.ini", "/opt/yb/run",
    ]  # fmt: skip
    assert (found["approver"], found["document"], found["packages"]) == ("李主任", "信息〔2026〕9 号", ["bash"])
    assert verdict(unit)[0] == "pass"
    (unit / "disk/opt/yb/log/last.ini").write_text("y\n", encoding="utf-8")
    assert verdict(unit)[0] == "pass"
    link = unit / "disk/opt/yb/run"
    link.unlink()
    link.symlink_to("/tmp/yb")  # noqa: S108 - only its name matters
    assert verdict(unit)[0] == "fail"
    assert "/opt/yb/run（内容改动" in verdict(unit)[1]


def test_an_update_shows_what_changed_and_asks(unit: Path) -> None:
    baseline(unit, "create", "--yes")
    before = (unit / "disk/etc/ybscan/baseline.yml").read_bytes()
    (unit / "disk/opt/yb/conf/yb.ini").write_text("a=22\n", encoding="utf-8")
    (unit / "disk/opt/yb/bin/yb").unlink()
    (unit / "disk/opt/yb/bin/new.so").write_text("ELF", encoding="utf-8")
    for said in ("否\n", "\n", ""):
        refused = baseline(unit, "update", stdin=said)
        text = refused.stderr.decode()
        for line in ("内容改动的程序文件（1）：\n  /opt/yb/conf/yb.ini", "缺失的程序文件（1）：\n  /opt/yb/bin/yb",
                     "新增的程序文件（1）：\n  /opt/yb/bin/new.so"):  # fmt: skip
            assert line in text
        assert refused.returncode != 0
        assert (unit / "disk/etc/ybscan/baseline.yml").read_bytes() == before
    assert baseline(unit, "update", stdin="是\n").returncode == 0
    assert verdict(unit)[0] == "pass"


def test_an_update_reads_only_what_size_and_time_say_has_changed(unit: Path) -> None:
    baseline(unit, "create", "--yes")
    (unit / "disk/opt/yb/conf/yb.ini").write_text("a=22\n", encoding="utf-8")
    ran = baseline(unit, "update", "--yes").stderr.decode()
    # The link is looked at anew each time: it costs nothing.
    assert "重新计算了 2 个文件，其余 2 个大小和修改时间未变" in ran


def test_a_forged_time_is_not_approved_along_the_way(unit: Path) -> None:
    baseline(unit, "create", "--yes")
    file = unit / "disk/opt/yb/conf/yb.ini"
    old = file.stat()
    file.write_text("a=2\n", encoding="utf-8")
    os.utime(file, ns=(old.st_atime_ns, old.st_mtime_ns))
    assert "没有差别" in baseline(unit, "update", "--yes").stderr.decode()
    assert verdict(unit)[0] == "fail"


def test_excluded_files_and_the_keys_of_others_stay(unit: Path) -> None:
    baseline(unit, "create", "--yes", "--exclude", "/opt/yb/conf/user.ini")
    file = unit / "disk/etc/ybscan/baseline.yml"
    file.write_text(file.read_text(encoding="utf-8") + "switches:\n- {port: 3, mac: aa}\n", encoding="utf-8")
    (unit / "disk/opt/yb/conf/user.ini").write_text("w=9999\n", encoding="utf-8")
    assert verdict(unit)[0] == "pass"
    (unit / "disk/opt/yb/conf/yb.ini").write_text("a=3333\n", encoding="utf-8")
    assert baseline(unit, "update", "--yes").returncode == 0
    found = document(unit)
    assert found["exclude"] == ["/opt/yb/conf/user.ini"]
    assert found["switches"] == [{"port": 3, "mac": "aa"}]


def test_names_that_are_no_text_are_recorded_and_compared(unit: Path) -> None:
    odd = os.path.join(os.fsencode(unit / "disk/opt/yb"), b"\xb2\xe2: \x7f\n\xca\xd4.so")  # noqa: PTH118 - bytes
    with open(odd, "wb") as f:  # noqa: PTH123
        f.write(b"1")
    assert baseline(unit, "create", "--yes").returncode == 0
    assert verdict(unit)[0] == "pass"
    with open(odd, "wb") as f:  # noqa: PTH123
        f.write(b"2")
    assert verdict(unit)[0] == "fail"


def test_a_baseline_that_others_may_replace_is_no_evidence(unit: Path) -> None:
    baseline(unit, "create", "--yes")
    (unit / "disk/etc/ybscan").chmod(0o777)
    assert verdict(unit)[0] == "unknown"
    assert "文件夹任何人可写" in baseline(unit, "update", "--yes").stderr.decode()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything")
def test_nothing_is_recorded_of_what_could_not_be_read(unit: Path) -> None:
    (unit / "disk/opt/yb/conf").chmod(0)
    try:
        ran = baseline(unit, "create", "--yes")
    finally:
        (unit / "disk/opt/yb/conf").chmod(0o755)
    assert ran.returncode == 2
    assert "没有读全" in ran.stderr.decode()


@pytest.mark.parametrize(
    ("what", "approved", "message"),
    [
        ("create", ("--approver", "李主任", "--document", "无", "--date", "2026-11-20"), "不能作为依据"),
        ("create", ("--approver", "李主任", "--document", "9 号", "--date", "昨天"), "不是日期"),
        ("create", ("--approver", "李主任", "--document", "9 号"), "缺少选项 --date"),
        ("update", APPROVED, "无法读取基线文件"),
    ],
)
def test_misuse_is_explained(unit: Path, what: str, approved: tuple[str, ...], message: str) -> None:
    ran = baseline(unit, what, "--yes", approved=approved)
    assert ran.returncode == 2
    assert message in ran.stderr.decode()
    assert not (unit / "disk/etc/ybscan/baseline.yml").exists()


def test_create_never_replaces_an_earlier_baseline(unit: Path) -> None:
    baseline(unit, "create", "--yes")
    before = (unit / "disk/etc/ybscan/baseline.yml").read_bytes()
    assert baseline(unit, "create", "--yes").returncode == 2
    assert (unit / "disk/etc/ybscan/baseline.yml").read_bytes() == before
