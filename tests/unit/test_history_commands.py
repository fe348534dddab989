"""The commands around the history as a person uses them, week by week."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path

import pytest
from tests.cli import tree, ybscan

from ybscan.store.history import FILE, opened

FRIDAYS = ("2026-11-06", "2026-11-13", "2026-11-20")


@pytest.fixture(scope="module")
def three_weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A unit with three checks of one disk; in the last week somebody set the computer's name anew."""
    folder = tmp_path_factory.mktemp("unit")
    (folder / "site.yml").write_text("schema: ybscan.site/v1\nstate: kept\n", encoding="utf-8")
    for day in FRIDAYS:
        files = {
            "etc/hostname": "SF-02\n" if day == FRIDAYS[-1] else "SF-01\n",
            "etc/lightdm/lightdm.conf": "[Seat:*]\nautologin-user=user\n",
        }
        disk = tree(folder / "disk", files)
        run = ybscan("scan", "--root", str(disk), "--now", f"{day}T10:00:00+08:00", "-o", "out", cwd=folder)
        assert run.returncode == 1, run.stderr.decode()
        assert "已存入历史" in run.stderr.decode()
    return folder


@pytest.fixture
def place(three_weeks: Path, tmp_path: Path) -> Path:
    """A copy of that unit's folder."""
    shutil.copytree(three_weeks, tmp_path / "unit")
    return tmp_path / "unit"


def test_list_show_and_verify(place: Path) -> None:
    listed = json.loads(ybscan("history", "list", "--format", "json", cwd=place).stdout)
    assert [r["seq"] for r in listed["records"]] == [1, 2, 3]
    assert {r["clock"] for r in listed["records"]} == {"given"}
    assert listed["records"][0]["summary"]["total"] == 72
    shown = json.loads(ybscan("history", "show", "2", cwd=place).stdout)
    assert shown["started_at"].startswith("2026-11-13")
    digest = ("history", "verify", "--digest", shown["digest"])
    assert ybscan(*digest, cwd=place).returncode == 0
    assert ybscan("history", "verify", "--digest", "sha256:" + "0" * 64, cwd=place).returncode == 1
    assert ybscan("history", "export", "-o", "x", cwd=place).returncode == 0
    exported = ("history", "verify", "--export", "x", "--digest")
    assert ybscan(*exported, shown["digest"], cwd=place).returncode == 0
    foreign = ybscan(*exported, "deadbeef", cwd=place)
    assert foreign.returncode == 1
    assert "没有摘要值为 deadbeef 的检查" in foreign.stderr.decode()
    assert ybscan("history", "show", "9", cwd=place).returncode == 2
    gbk = ybscan("history", "list", cwd=place, encoding="gbk")
    assert "时刻来自指定" in gbk.stdout.decode("gbk")


def test_the_record_tells_what_changed(place: Path) -> None:
    first, second = (place / "out" / f"SF-01-{d}.md" for d in FRIDAYS[:2])
    assert "没有提供上一次检查结果" in first.read_text(encoding="utf-8")
    assert "与上一次检查" in second.read_text(encoding="utf-8")


def test_diff_is_of_one_terminal(place: Path) -> None:
    wrong = ybscan("history", "diff", cwd=place)
    assert wrong.returncode == 2
    assert "SF-01、SF-02" in wrong.stderr.decode()
    run = ybscan("history", "diff", "--terminal", "SF-01", "--format", "json", cwd=place)
    document = json.loads(run.stdout)
    assert (document["before"], document["after"]) == (1, 2)
    for arguments, say in (
        (("1", "3"), "不是同一台终端"), (("2", "1"), "请交换"), (("1", "1"), "不是同一台终端的两次"), (("7",), "第 7 号"),
        (("--terminal", "SF-02"), "只检查过一次"), (("--terminal", "X"), "没有终端"),
    ):  # fmt: skip
        refused = ybscan("history", "diff", *arguments, cwd=place)
        assert refused.returncode == 2, arguments
        assert say in refused.stderr.decode(), arguments


def test_a_backup_is_whole_and_doctor_asks_for_one(place: Path) -> None:
    assert "历史记录从未备份" in ybscan("doctor", cwd=place).stdout.decode()
    run = ybscan("history", "backup", "-o", "copies", cwd=place)
    assert run.returncode == 0, run.stderr.decode()
    (copy,) = (place / "copies").glob("*.sqlite3")
    copy.rename(place / "copies" / FILE)
    with opened(place / "copies") as history:
        assert len(history.headers()) == 3
        assert history.verify() == []
    assert "从未备份" not in ybscan("doctor", cwd=place).stdout.decode()


def test_pruning_keeps_the_chain_and_two_years(place: Path) -> None:
    young = ybscan("history", "prune", "--before", "2026-11-20", "--yes", cwd=place)
    assert young.returncode == 2
    assert "至少保存两年" in young.stderr.decode()
    # Stored today: even in the eyes of somebody in 2030 they are as old as their storing, not as the time they claim.
    later = ("--now", "2031-01-01T00:00:00+08:00", "--yes")
    assert "没有可以清理" in ybscan("history", "prune", "--before", "2020-01-01", *later, cwd=place).stderr.decode()
    done = ybscan("history", "prune", "--before", "2028-12-01", *later, cwd=place)
    assert done.returncode == 0, done.stderr.decode()
    with opened(place / "kept") as history:
        headers = history.headers()
        assert [h.kind for h in headers] == ["result", "result", "result", "pruned"]
        assert history.verify() == []
        summary = history.record(4)
        assert summary is not None
        assert summary.document()["terminals"]["SF-01"]["checks"] == 2
        first = history.record(1)
        assert first is not None
        assert first.body is None
    assert ybscan("history", "export", "-o", "ex", cwd=place).returncode == 0
    assert ybscan("history", "verify", "--export", "ex", cwd=place).returncode == 0
    assert ybscan("history", "show", "1", cwd=place).returncode == 2


def test_nothing_is_stored_when_asked_or_when_it_cannot_be(tmp_path: Path) -> None:
    disk = tree(tmp_path / "disk", {})
    quiet = ybscan("scan", "--root", str(disk), "--no-store", "--state", "kept", "-o", "out", cwd=tmp_path)
    assert quiet.returncode in (0, 1, 3)
    assert not (tmp_path / "kept").exists()
    (tmp_path / "kept").write_text("in the way", encoding="utf-8")
    run = ybscan("scan", "--root", str(disk), "--state", "kept", "-o", "out", cwd=tmp_path)
    assert run.returncode in (0, 1, 3), "a check that could not be stored is still a check"
    assert "本次结果没有存入历史" in run.stderr.decode()


def test_a_forged_file_is_reported(place: Path) -> None:
    data = bytearray((place / "kept" / FILE).read_bytes())
    at = data.find(b"2026-11-13T10:00:00")
    data[at + 9] = ord("4")
    (place / "kept" / FILE).write_bytes(bytes(data))
    run = ybscan("history", "verify", cwd=place)
    assert run.returncode == 1
    assert "第 2 号记录" in run.stderr.decode()
    assert "历史记录核对有" in ybscan("doctor", cwd=place).stdout.decode()


def test_the_ledger_by_commands(place: Path) -> None:
    listed = json.loads(ybscan("ledger", "list", "--format", "json", cwd=place).stdout)
    (entry,) = [e["id"] for e in listed if e["rule_id"] == "PWD-06" and e["terminal"] == "SF-01"]
    assigned = ybscan(
        "ledger", "assign", entry, "--by", "张工", "--owner", "李工", "--deadline", "2000-01-01", cwd=place
    )
    assert assigned.returncode == 0, assigned.stderr.decode()
    first = ybscan("ledger", "list", cwd=place).stdout.decode().splitlines()[0]
    assert entry in first
    assert "已逾期" in first
    assert ybscan("ledger", "close", entry, "--by", "张工", "--basis", " ", cwd=place).returncode in (0, 2)
    out = ybscan("ledger", "export", "-o", "台账.csv", cwd=place)
    assert out.returncode == 0
    assert (place / "台账.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    for wrong in ("台账.doc", "台账"):
        assert ybscan("ledger", "export", "-o", wrong, cwd=place).returncode == 2
    opened_by_hand = ybscan("ledger", "open", "=HYPERLINK(1)", "--by", "张工", cwd=place)
    assert opened_by_hand.returncode == 0, opened_by_hand.stderr.decode()
    ybscan("ledger", "export", "-o", "台账.csv", cwd=place)
    cells = (place / "台账.csv").read_text(encoding="utf-8-sig").split(",")
    assert not [c for c in cells if c.startswith(("=", "+", "@"))]
    assert datetime.now().astimezone().date().isoformat() in "".join(cells)


def test_the_record_names_lists_and_weeks(tmp_path: Path) -> None:
    """Three Fridays with one missed, a problem that stays, an account that is new, and one check no longer readable."""
    (tmp_path / "site.yml").write_text("schema: ybscan.site/v1\nstate: kept\n", encoding="utf-8")
    people = "root:x:0:0:root:/root:/bin/bash\nuser:x:1000:1000::/home/user:/bin/bash\n"
    for day, more in (("2026-11-06", ""), ("2026-11-20", "guest2:x:1001:1001::/home/g:/bin/bash\n")):
        files = {"etc/passwd": people + more, "etc/lightdm/lightdm.conf": "[Seat:*]\nautologin-user=user\n"}
        disk = tree(tmp_path / "disk", files)
        run = ybscan("scan", "--root", str(disk), "--now", f"{day}T10:00:00+08:00", "-o", "out", cwd=tmp_path)
        assert run.returncode == 1, run.stderr.decode()
    assert "2026-11-13" in run.stderr.decode()
    record = (tmp_path / "out" / "SF-01-2026-11-20.md").read_text(encoding="utf-8")
    assert "近期没有检查的星期五 1 个：2026年11月13日" in record
    assert "自2026年11月6日起连续 2 次检查（2 周）" in record
    assert "清单变化" in record
    assert "guest2" in record
