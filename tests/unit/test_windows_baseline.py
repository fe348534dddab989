"""A baseline taken of a Windows terminal is one that the next check of the same terminal agrees with."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ybscan.engine.cases import CaseDocument, host_of
from ybscan.model.dictionary import Dictionary
from ybscan.model.facts import Fact
from ybscan.model.reading import Cause, Known, Unknown
from ybscan.probes._software.baseline import Baseline, parse_baseline
from ybscan.probes._software.snapshot import Approval, Snapshot, document_text, take
from ybscan.probes.autostart import AutostartProbe
from ybscan.probes.base import Context

SID = "S-1-5-21-1-2-3-1001"
NT = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
CURRENT = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion"
FILE = r"C:\ProgramData\ybscan\baseline.yml"
FULL, READ = 0x1F01FF, 0x120089
SAFE = {"S-1-5-18": FULL, "S-1-5-32-544": FULL, "S-1-5-32-545": READ}


def terminal(text: str | None = None, *, rights: dict[str, int] | None = None, run: str = "") -> CaseDocument:
    tree: dict[str, Any] = {r"C:\Program Files": {"dir": True}}
    if text is not None:
        tree[r"C:\ProgramData\ybscan"] = {"dir": True, "rights": SAFE}
        tree[FILE] = {"text": text, "rights": rights or SAFE}
    service = {
        "name": "读卡服务", "display": "", "start": "auto", "kind": "service", "image": r"C:\读卡\svc.exe", "dll": "",
        "account": "",
    }  # fmt: skip
    member = {"sid": "S-1-5-21-1-2-3-500", "name": "Administrator", "kind": "user"}
    return CaseDocument.model_validate(
        {
            "description": "x",
            "os": "windows",
            "site": {"data": {"baseline": FILE}},
            "registry": {
                NT: {"SystemRoot": r"C:\Windows"},
                CURRENT: {"ProgramFilesDir": r"C:\Program Files"},
                rf"{NT}\ProfileList": {"ProgramData": r"C:\ProgramData", "Public": r"C:\Users\Public"},
                rf"{NT}\ProfileList\{SID}": {"ProfileImagePath": r"C:\Users\收费员"},
                rf"HKU\{SID}": {},
                rf"{CURRENT}\Run": {"医保": r'"C:\医保 客户端\yb.exe" /auto', **({"New": run} if run else {})},
                rf"{CURRENT}\Uninstall\Yb": {"DisplayName": "医保客户端"},
            },
            "tree": tree,
            "answers": [
                {"ask": "services.configured", "known": [service]},
                {"ask": "jobs.tasks", "known": []},
                {"ask": "accounts.members", "with": {"sid": "S-1-5-32-544"}, "known": [member]},
            ],
        }
    )


def context(case: CaseDocument) -> Context:
    return Context(site=case.site, now=case.moment(), dictionary=Dictionary())


def snapshot(case: CaseDocument, tmp_path: Path) -> Snapshot:
    return take(host_of(case, tmp_path), context(case), (), None, lambda _: None)


def changes(case: CaseDocument, tmp_path: Path) -> Fact:
    return AutostartProbe().read(host_of(case, tmp_path), context(case))["changes"]


@pytest.fixture
def text(tmp_path: Path) -> str:
    taken = snapshot(terminal(), tmp_path)
    assert taken.gaps == ()
    approval = Approval(approver="张三", document="信〔2026〕1号", date=date(2026, 11, 1))
    return document_text(taken, approval, (), {})


def test_what_is_taken(text: str) -> None:
    found = parse_baseline(text)
    assert isinstance(found, Baseline)
    assert found.packages == {"医保客户端"}
    assert found.autostart == {r"run:HKLM:医保:C:\医保 客户端\yb.exe", r"service:读卡服务:C:\读卡\svc.exe"}


def test_the_same_terminal_has_no_changes(text: str, tmp_path: Path) -> None:
    assert changes(terminal(text), tmp_path) == Known((), "自启动项与基线文件")


def test_a_new_program_is_a_change(text: str, tmp_path: Path) -> None:
    found = changes(terminal(text, run=r"C:\n\n.exe"), tmp_path)
    assert isinstance(found, Known)
    assert len(found.value) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("who", "mask", "trusted"),
    [
        ("S-1-1-0", FULL, False),
        ("S-1-5-32-545", READ | 0x2, False),
        ("S-1-5-11", 0x40000, False),
        ("S-1-5-21-1-2-3-1001", 0x10000, False),
        ("S-1-5-21-1-2-3-500", FULL, True),
        ("S-1-5-32-545", READ, True),
    ],
)
def test_a_baseline_that_others_can_rewrite_proves_nothing(
    text: str, tmp_path: Path, who: str, mask: int, trusted: bool
) -> None:
    found = changes(terminal(text, rights={**SAFE, who: mask}), tmp_path)
    if trusted:
        assert isinstance(found, Known)
    else:
        assert isinstance(found, Unknown)
        assert found.cause is Cause.UNCONFIRMED
