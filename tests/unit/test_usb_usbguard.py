"""usbguard's rules: our parser against usbguard's own, and which devices a policy lets in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ybscan.model.reading import Known, Unknown
from ybscan.probes._usb.usbguard import Interface, Policy, Rule, keeps_out, parse_rule

STORAGE: tuple[Interface, ...] = (("08", "06", "50"), ("08", "06", "62"))

GOOD = (
    "allow",
    "block",
    "reject with-interface one-of { 08:*:* }",
    "allow 1d6b:0002",
    "allow id 046d:*",
    "allow id *:*",
    'allow id 1d6b:0002 serial "0000:00:14.0" name "xHCI \\"Host\\"" hash "jEP/6WzviqdJ5VSeTUY8PatCNBKeaREvo2OqdplND/o=" with-interface 09:00:00',
    "allow with-interface { 03:01:01 03:00:00 }",
    "allow with-interface equals { 08:*:* }",
    'reject via-port "1-2"',
    "allow with-interface one-of { 03:00:01 03:01:01 } if !allowed-matches(with-interface one-of { 03:00:01 03:01:01 })",
    "allow if random(0.1666)",
    'allow with-connect-type "hardwired"',
    "reject with-interface one-of {08:*:*} # 移动存储",
    'allow id 046d:c31c serial "a{b#" with-interface { 03:01:01 } # 键盘',
)
BAD = (
    "permit",
    "allow with-interface one-of { 08:*:*",
    "allow frobnicate 1",
    "锟斤拷",
    "reject with-interface one-of{ 08:*:* }",
    "reject with-interface one-of { *:*:* }",
    "reject with-interface one-of { 08:*:50 }",
    "reject with-interface one-of { 8:*:* }",
    "reject with-interface one-of { 08:*:*, 06:*:* }",
    "reject with-interface one-of { }",
    "reject with-interface one-of { 08:*:* }\r",
    "reject\u00a0with-interface one-of { 08:*:* }",
    "reject with-interface\u3000one-of { 08:*:* }",
)


@pytest.mark.parametrize("line", [*GOOD, *BAD])
def test_what_usbguard_reads_we_read(line: str, tmp_path: Path) -> None:
    parser = shutil.which("usbguard-rule-parser")
    if parser is None:
        pytest.skip("usbguard is not installed")
    file = tmp_path / "rules.conf"
    file.write_bytes((line + "\n").encode())
    done = subprocess.run([parser, "-f", str(file)], capture_output=True, text=True, check=False)
    accepted = done.returncode == 0 and "OUTPUT:" in done.stdout and "ERROR" not in (done.stdout + done.stderr).upper()
    assert accepted == (line in GOOD), done.stdout + done.stderr
    assert (parse_rule(line, "r") is not None) == accepted


def policy(*lines: str, implicit: str = "block") -> Policy:
    rules: list[Rule] = []
    for line in lines:
        rule = parse_rule(line, "r")
        assert rule is not None, line
        rules.append(rule)
    return Policy(implicit, "apply-policy", "apply-policy", tuple(rules))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), True),
        (("allow id 046d:c31c with-interface 03:01:01",), True),
        (("allow with-interface equals { 08:*:* }",), False),
        (("allow with-interface 08:06:62",), False),
        (("allow",), False),
        (("allow id *:*",), False),
        (('allow via-port "1-2"',), False),
        (("allow id 0951:1666",), None),
        (("allow with-interface one-of { 03:*:* }",), None),
        (("reject with-interface one-of { 08:*:* }", "allow"), True),
        (("reject with-interface one-of { 08:06:50 }", "allow"), False),
        (("allow", "reject with-interface one-of { 08:*:* }"), False),
        (("reject with-interface 08:*:*", "allow"), None),
        (("reject id 0951:1666 with-interface one-of { 08:*:* }", "allow"), False),
        (("allow with-interface none-of { 03:*:* }",), False),
        (("allow with-interface none-of { 08:*:* }",), True),
        (("allow with-interface match-all { 03:*:* 08:*:* }",), False),
        (("allow with-interface all-of { 08:*:* 03:*:* }",), None),
        (("allow with-interface 08:06:50 if random(0.1)",), False),
        (("block", "allow with-interface 08:*:*"), True),
    ],
)
def test_what_a_policy_lets_in(lines: tuple[str, ...], expected: bool | None) -> None:
    verdict = keeps_out(policy(*lines), STORAGE, what="USB 存储")
    if expected is None:
        assert isinstance(verdict, Unknown), verdict
    else:
        assert isinstance(verdict, Known), verdict
        assert verdict.value is expected


def test_the_implicit_target_decides_where_no_rule_fits() -> None:
    verdict = keeps_out(policy("allow with-interface 03:01:01", implicit="allow"), STORAGE, what="USB 存储")
    assert isinstance(verdict, Known)
    assert verdict.value is False


def test_only_registered_serials_may_be_allowed() -> None:
    rules = policy('allow 0951:1666 serial "A1" with-interface 08:06:50', 'allow serial one-of { "A1" "B2" }')
    assert keeps_out(rules, STORAGE, what="USB 存储", registered=frozenset({"A1", "B2"})) == Known(
        True, "/etc/usbguard/usbguard-daemon.conf（ImplicitPolicyTarget=block）"
    )
    other = keeps_out(rules, STORAGE, what="USB 存储", registered=frozenset({"B2"}))
    assert isinstance(other, Known)
    assert other.value is False
