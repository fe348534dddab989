"""``ybscan report`` and ``scan`` as a person runs them: tables, JSON, redacted copies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli import tree, ybscan
from tests.unit.results import hospital

from ybscan.cli.scan import result_json


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Stored results of a hospital, as ``--result`` options."""
    given = []
    for n, one in enumerate(hospital()[1:]):
        (tmp_path / f"{n}.json").write_bytes(result_json(one))
        given += ["--result", f"{n}.json"]
    return given


def test_a_report_in_every_format_redacted_alike(tmp_path: Path, files: list[str]) -> None:
    done = ybscan("report", *files, "--format", "md,html,json,csv,xlsx", "--redact", "full", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    made = sorted(p.name for p in (tmp_path / "out").iterdir())
    stem = "示例市人民医院-自查报告-2026-11-20-脱敏"
    assert made == sorted(f"{stem}.{e}" for e in ("md", "html", "json", "csv", "xlsx"))
    for path in (tmp_path / "out").iterdir():
        data = path.read_bytes()
        if path.suffix != ".xlsx":
            for name in ("SFC-01", "李收费", "收费处", "10.20.1.11", "00:1a:2b:3c:4d:01", "张信息"):
                assert name.encode() not in data, (path.name, name)
            assert b"full" in data


def test_the_view_goes_to_standard_output(tmp_path: Path, files: list[str]) -> None:
    done = ybscan("report", *files, "--format", "json", "-o", "-", cwd=tmp_path)
    read = json.loads(done.stdout)
    assert (read["schema"], read["kind"], read["redacted"]) == ("ybscan.report/v1", "self-inspection", "none")
    assert len(read["report"]["terminals"]) == 3


def test_what_is_no_table_and_what_is_no_level_is_refused(tmp_path: Path, files: list[str]) -> None:
    done = ybscan(
        "report", *files[:2], "--kind", "record", "--format", "xlsx", "--redact", "some", "-o", "out", cwd=tmp_path
    )
    told = done.stderr.decode()
    assert done.returncode == 2
    assert "格式 xlsx 只用于自查报告和整改台账" in told
    assert "没有脱敏级别“some”" in told
    assert not (tmp_path / "out").exists()


def test_a_scan_stores_the_original_and_writes_the_copy(tmp_path: Path) -> None:
    tree(
        tmp_path / "root",
        {"etc/passwd": "root:x:0:0::/root:/bin/bash\nzhangsan:x:1000:1000::/home/zhangsan:/bin/bash\n"},
    )
    given = ("--root", "root", "--pack", "password-policy", "--now", "2026-11-20T10:00:00+08:00", "--state", "state")
    ybscan("scan", *given, "--redact", "partial", "-o", "out", cwd=tmp_path)
    (copy,) = (tmp_path / "out").glob("*.json")
    assert copy.stem == "主机001-2026-11-20-脱敏"
    assert "sf-01" not in copy.read_text(encoding="utf-8").casefold()
    assert "zhangsan" not in copy.read_text(encoding="utf-8")
    shown = ybscan("history", "show", "1", "--state", "state", cwd=tmp_path).stdout.decode()
    assert "SF-01" in shown or "sf-01" in shown
    assert json.loads(copy.read_bytes())["digest"] in shown
