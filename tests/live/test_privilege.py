"""Root and an unprivileged user on the same machine: the same rules, and never a better verdict for knowing less."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ybscan.model.result import ScanResult

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(sys.platform != "linux", reason="the live Linux backend needs Linux"),
]

#: Scans as root, then gives up every right and scans again in the same process: the interpreter's own files may lie
#: where nobody else can read, but by then everything is loaded.
TWICE = """
import json, os, sys
from datetime import datetime
from ybscan.cli import prepare
from ybscan.cli.scan import render
from ybscan.engine.scan import scan
from ybscan.hosts.recorder import recorded
now = datetime.now().astimezone()
plan = prepare.plan(rules=None, site=None, packs=[], only=[], now=now)
def once():
    host, _ = recorded(prepare.live_host(), lambda: now)
    return scan(host, plan, finished=lambda: now).model_dump(mode="json", by_alias=True)
first = once()
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
json.dump([first, once()], sys.stdout)
"""


@pytest.fixture(scope="module")
def both() -> tuple[ScanResult, ScanResult]:
    if os.geteuid() != 0:
        pytest.skip("comparing root with an unprivileged user needs root")
    run = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stderr
    first, second = json.loads(run.stdout)
    return ScanResult.model_validate(first), ScanResult.model_validate(second)


def test_every_rule_gives_one_finding_to_each(both: tuple[ScanResult, ScanResult]) -> None:
    root, user = both
    ids = [f.rule_id for f in root.findings]
    assert len(ids) == len(set(ids))
    assert [f.rule_id for f in user.findings] == ids
    assert (root.host.elevated, user.host.elevated) == (True, False)


def test_the_user_never_gets_a_better_verdict(both: tuple[ScanResult, ScanResult]) -> None:
    root, user = both
    for mine, theirs in zip(root.findings, user.findings, strict=True):
        assert theirs.status in (mine.status, "unknown"), (
            f"{mine.rule_id}: {mine.status} as root, {theirs.status} as user"
        )


def test_every_unknown_says_why(both: tuple[ScanResult, ScanResult]) -> None:
    for result in both:
        for finding in result.findings:
            if finding.status == "unknown":
                assert len(finding.reason) > 5, finding.rule_id


def test_what_only_root_can_read_is_unknown_to_the_user(both: tuple[ScanResult, ScanResult]) -> None:
    """/etc/shadow is the plainest case: password ageing of the accounts."""
    _, user = both
    denied = [f.rule_id for f in user.findings if f.status == "unknown" and "权限不足" in f.reason]
    assert any(i.startswith("PWD-") for i in denied), denied
