"""Evidence of a collector broken in several parts at once: lost, cut, empty, garbled, exchanged with another terminal's.

The manifest counts bytes; whoever tells the truth about what was written is not found out by it. So what each part says must
stand for itself: no rule passes that passed on neither of the two terminals.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest
from tests.collected import BOM, part, utf16, write
from tests.unit.test_collected_verdicts import WEAK, machine
from tests.unit.test_collected_windows import user

from ybscan.cli import prepare
from ybscan.engine.judge import Case, judge
from ybscan.engine.scan import Plan, needed, read_facts
from ybscan.hosts.collected.evidence import read_evidence
from ybscan.hosts.collected.load import collected_host
from ybscan.model.problem import InputProblems
from ybscan.model.rule import Role

#: More storms than the usual few, for a long run by hand.
STORMS = int(os.environ.get("YBSCAN_STORMS", "110"))
#: What tools say when they have nothing to say, in both languages and encodings.
_EXCUSES = (
    b"", BOM, b"\r\n", "拒绝访问。\r\n".encode("gbk"), b"Access is denied.\r\n", utf16("错误: 系统找不到指定的注册表项或值。\n"),
    "未能找到指定的文件。".encode(), b"\xff\xfe\x00", utf16("[Unicode]\nUnicode=yes\n[Version]\nsignature=\"$CHICAGO$\"\nRevision=1\n"),
    utf16("ybscan-records 1 accounts\n[end] 0\n"), utf16("Windows Registry Editor Version 5.00\n\n"),
)  # fmt: skip
_CODES = ("80070005", "80041003", "1AD", "", "0")

Content = str | bytes


@pytest.fixture(scope="module")
def plan() -> Plan:
    now = datetime.fromisoformat("2026-11-20T10:00:00+08:00")
    return prepare.plan(rules=None, site=None, packs=[], only=[], now=now)


def passing(folder: Path, plan: Plan) -> set[str]:
    try:
        evidence = read_evidence(folder)
    except InputProblems:
        return set()  # refused as a whole
    host = collected_host(evidence)
    facts = read_facts(host, plan, needed(plan.rules, "windows", Role.SETTLEMENT, delegations=True), lambda _: None)
    case = Case(
        facts=facts, specs=plan.registry.spec_of, site=plan.context.site, waivers=(), now=plan.context.now, os="windows",
        role=Role.SETTLEMENT, terminal="YB-0001",
    )  # fmt: skip
    return {r.id for r in plan.rules if judge(r, case).status.value == "pass"}


def spoiled(content: Content, draw: random.Random) -> bytes:
    data = content if isinstance(content, bytes) else utf16(content)
    kind = draw.choice(("cut", "lines", "lines", "excuse", "garbled", "returns", "gbk", "doubled"))
    if kind == "cut":
        return data[: draw.randrange(0, len(data))]
    if kind == "excuse":
        return draw.choice(_EXCUSES)
    if kind == "doubled":
        return data + data
    if kind == "lines":
        # As a full disk leaves it: whole lines, and then nothing.
        cut = str(data, "utf-16" if data.startswith(BOM) else "gb18030", "replace").split("\r\n")
        return utf16("\n".join([*cut[: draw.randrange(0, len(cut))], ""]))
    if kind in ("returns", "gbk"):
        text = data.decode("utf-16" if data.startswith(BOM) else "gb18030", "replace")
        made = text.replace("\r\n", draw.choice(("\n", "\r", "\r\r\n")))
        return made.encode("gb18030") if kind == "gbk" else utf16(made)
    made_of = bytearray(data)
    for _ in range(draw.randrange(1, 9)):
        at = draw.randrange(0, len(made_of))
        made_of[at : at + 16] = draw.randbytes(16)
    return bytes(made_of)


def storm(
    parts: Mapping[str, Content], registry: list[str], other: tuple[Mapping[str, Content], list[str]], seed: int
) -> tuple[dict[str, Content], list[Content], dict[str, str], list[str]]:
    """The parts, registry files and failures of an evidence with several things wrong, and what was done."""
    draw = random.Random(seed)  # noqa: S311 - not about secrets
    left: dict[str, Content] = dict(parts)
    files: list[Content] = list(registry)
    failed: dict[str, str] = {}
    done = []
    # With parts of two terminals more may pass: most storms are of one alone.
    mixed = ("exchanged", "exchanged") if seed % 4 == 0 or seed % 9 == 0 else ()
    for name in draw.sample(sorted(parts), draw.randrange(1, 5)):
        kind = draw.choice(("lost", "failed", "spoiled", "spoiled", "of another part", *mixed))
        if kind == "spoiled":
            left[name] = spoiled(parts[name], draw)
        elif kind == "exchanged":
            left[name] = other[0][name]
        elif kind == "of another part":
            left[name] = parts[draw.choice(sorted(parts))]
        else:
            del left[name]
            if kind == "failed":
                failed[name] = draw.choice(_CODES)
        done.append(f"{name} {kind}")
    for number in draw.sample(range(len(files)), draw.randrange(0, 4)):
        kind = draw.choice(("excuse", "spoiled", "spoiled", *mixed))
        if kind == "exchanged":
            files[number] = other[1][number]
        else:
            files[number] = draw.choice(_EXCUSES) if kind == "excuse" else spoiled(registry[number], draw)
        done.append(f"registry {number} {kind}")
    return left, files, failed, done


def test_no_storm_makes_a_rule_pass(tmp_path: Path, plan: Plan) -> None:
    weak, good = machine(True, WEAK), machine(False)
    for parts, off in ((weak[0], "0"), (good[0], "1")):
        guest = user(Name="Guest", SID="S-1-5-21-1-2-3-501", Disabled=off)
        parts["accounts"] = part("accounts", user(Name="zhangsan"), guest)
    alone = [
        passing(write(tmp_path / str(n), parts, registry=registry, users=[]), plan)
        for n, (parts, registry) in enumerate((good, weak))
    ]
    assert {"PWD-01", "PWD-04", "PWD-08"} <= alone[0] - alone[1]
    first = int(os.environ.get("YBSCAN_STORM", "0"))
    for seed in range(first, first + STORMS):
        (parts, registry), other = (weak, good) if seed % 2 else (good, weak)
        left, files, failed, done = storm(parts, registry, other, seed)
        folder = write(
            tmp_path / f"storm-{seed}", left, registry=files, failed=failed, users=[] if seed % 3 else None,
            finished=bool(seed % 5), elevated="yes" if seed % 7 else "no",
        )  # fmt: skip
        after = passing(folder, plan)
        allowed = alone[0] | alone[1] if any(d.endswith("exchanged") for d in done) else alone[seed % 2]
        assert after <= allowed, (seed, done, sorted(after - allowed))
