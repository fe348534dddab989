"""Exceptions: the day they begin and end, and the file that is changed line by line or not at all."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.cli import ybscan

from ybscan.model.rule import Waiver
from ybscan.rules.site import load_waivers
from ybscan.rules.waivers import NotEditable, added, revoked

BASE = {
    "rule": "USB-01", "terminals": ("YB-0001",), "reason": "换机前", "approver": "王主任", "document": "示院信〔2026〕1 号",
    "approved": "2026-03-01", "expires": "2026-03-31",
}  # fmt: skip
NOW = ("--now", "2026-03-10T10:00:00+08:00")
ADD = (
    "waiver", "add", "usb-01", "-t", "YB-0001", "--reason", "换机前", "--approver", "王主任", "--document", "示院信 1 号",
    "--expires", "2026-03-31", *NOW,
)  # fmt: skip


@pytest.mark.parametrize(
    ("day", "holds"),
    [("2026-02-28", False), ("2026-03-01", True), ("2026-03-31", True), ("2026-04-01", False)],
)
def test_both_end_days_belong_to_it(day: str, holds: bool) -> None:
    assert Waiver.model_validate(BASE).covers("USB-01", "YB-0001", date.fromisoformat(day)) is holds


@pytest.mark.parametrize(("day", "holds"), [("2026-03-14", True), ("2026-03-15", False), ("2026-03-31", False)])
def test_the_day_it_is_revoked_does_not(day: str, holds: bool) -> None:
    waiver = Waiver.model_validate({**BASE, "revoked": "2026-03-15", "revoked_by": "王主任"})
    assert waiver.covers("USB-01", "YB-0001", date.fromisoformat(day)) is holds


WRITTEN = """# 我院的例外
schema: ybscan.waivers/v1
waivers:
  # 收费处
  - rule: USB-01
    terminals: [YB-0001]
    reason: 换机前   # 院办同意
    approver: 王主任
    document: 示院信 1 号
    approved: 2026-03-01
    expires: 2026-03-31
"""


def test_comments_stay() -> None:
    more = added(WRITTEN, Waiver.model_validate({**BASE, "rule": "PWD-01"}))
    assert more.startswith(WRITTEN)
    less = revoked(more, 0, date(2026, 3, 15), "王主任：已换机")
    kept = [line for line in less.split("\n") if "revoked" not in line]
    assert "\n".join(kept) == more
    assert "    revoked: 2026-03-15" in less.split("\n")


@pytest.mark.parametrize(
    "text",
    [
        "schema: ybscan.waivers/v1\nwaivers:\n  [{rule: USB-01, terminals: [A], reason: xx, approver: yy, document: zz, approved: 2026-03-01, expires: 2026-03-31}]\n",
        WRITTEN.replace("schema: ybscan.waivers/v1\n", "") + "schema: ybscan.waivers/v1\n",
    ],
)
def test_what_is_not_written_line_by_line_is_left_alone(text: str) -> None:
    with pytest.raises(NotEditable):
        added(text, Waiver.model_validate(BASE))


def test_from_nothing_to_revoked(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text("schema: ybscan.site/v1\nwaivers: waivers.yml\nstate: kept\n", encoding="utf-8")
    assert ybscan(*ADD, cwd=tmp_path).returncode == 0
    (waiver,) = load_waivers(tmp_path / "waivers.yml")
    assert (waiver.rule, waiver.approved, waiver.expires) == ("USB-01", date(2026, 3, 10), date(2026, 3, 31))
    listed = ybscan("waiver", "list", "--now", "2026-03-25T00:00:00+08:00", cwd=tmp_path)
    assert "还有 6 天到期" in listed.stdout.decode()
    gone = ybscan("waiver", "revoke", "1", "--by", "王主任：已换机", *NOW, cwd=tmp_path)
    assert gone.returncode == 0, gone.stderr.decode()
    assert "已撤销" in ybscan("waiver", "list", *NOW, cwd=tmp_path).stdout.decode()
    assert ybscan("waiver", "revoke", "1", "--by", "x", *NOW, cwd=tmp_path).returncode == 2
    kinds = ybscan("history", "list", cwd=tmp_path).stdout.decode()
    assert kinds.count("例外") == 2


@pytest.mark.parametrize(
    ("change", "say"),
    [
        (("--expires", "2026-02-01"), "早于批准日"),
        (("--expires", "明年"), "到期日不是日期"),
        (("--approved", "2026-01-01", "--expires", "2026-02-01"), "已过"),
    ],
)
def test_bad_dates(tmp_path: Path, change: tuple[str, ...], say: str) -> None:
    run = ybscan(*ADD, *change, "--file", "w.yml", cwd=tmp_path)
    assert run.returncode == 2
    assert say in run.stderr.decode()
    assert not (tmp_path / "w.yml").exists()


def test_unknown_rule_and_no_file(tmp_path: Path) -> None:
    wrong = ybscan(*(a if a != "usb-01" else "usb-1" for a in ADD), "--file", "w.yml", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "USB-01" in wrong.stderr.decode()
    assert ybscan(*ADD, cwd=tmp_path).returncode == 2
