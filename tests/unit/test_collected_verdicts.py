"""From the collector's evidence to the verdicts of all packs: Chinese and English systems alike, and never better for a gap."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.collected import SYSTEM, VERSION, part, reg, utf16, write
from tests.unit.test_collected_windows import (
    HKLM,
    NETSTAT_EN,
    NETSTAT_ZH,
    SERVICES,
    TEMPLATE,
    USBSTOR_3,
    user,
    winlogon,
)

from ybscan.cli import prepare
from ybscan.engine.judge import Case, judge
from ybscan.engine.scan import needed, read_facts
from ybscan.hosts.collected.evidence import read_evidence
from ybscan.hosts.collected.load import collected_host
from ybscan.model.rule import Role

PROFILES = f"{HKLM}\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList"
LSA = f"{HKLM}\\SYSTEM\\CurrentControlSet\\Control\\Lsa"
JOINED = f"{HKLM}\\SYSTEM\\CurrentControlSet\\Control\\CloudDomainJoin"
POLICIES = f"{HKLM}\\SOFTWARE\\Policies"
WEAK = TEMPLATE.replace("MinimumPasswordLength = 8", "MinimumPasswordLength = 7").replace(
    "LockoutBadCount = 5", "LockoutBadCount = 0"
)


def verdicts(folder: Path) -> dict[str, str]:
    evidence = read_evidence(folder)
    assert evidence.at is not None
    plan = prepare.plan(rules=None, site=None, packs=[], only=[], now=evidence.at)
    host = collected_host(evidence)
    facts = read_facts(host, plan, needed(plan.rules, "windows", Role.SETTLEMENT, delegations=True), lambda _: None)
    case = Case(
        facts=facts, specs=plan.registry.spec_of, site=plan.context.site, waivers=(), now=evidence.at, os="windows",
        role=Role.SETTLEMENT, terminal="YB-0001",
    )  # fmt: skip
    return {r.id: judge(r, case).status.value for r in plan.rules}


def machine(chinese: bool, template: str = TEMPLATE) -> tuple[dict[str, str | bytes], list[str]]:
    system = (
        SYSTEM
        if chinese
        else (
            ("os", {**SYSTEM[0][1], "Caption": "Microsoft Windows 7 Professional ", "OSArchitecture": "64-bit"}),
            SYSTEM[1],
        )
    )
    name = "管理员" if chinese else "Administrators"
    parts: dict[str, str | bytes] = {
        "system": part("system", *system),
        "accounts": part("accounts", user(), user(Name="Guest", SID="S-1-5-21-1-2-3-501", Disabled="1")),
        "administrators": part("administrators", ("group", {"SID": "S-1-5-32-544", "Name": name}), ("member", {"SID": "S-1-5-21-1-2-3-500", "Name": name, "Class": "User"})),
        "secedit": utf16(template if chinese else template.replace("管理员", "Administrator")),
        "netstat": NETSTAT_ZH.encode("gbk") if chinese else NETSTAT_EN.encode("cp437"),
        "processes": part("processes", ("process", {"ProcessId": "968", "ParentProcessId": "4", "Name": "svchost.exe", "ExecutablePath": "C:\\Windows\\System32\\svchost.exe"})),
        "services": part("services", ("service", {"Name": "TermService", "State": "Running", "ProcessId": "1120"}), ("driver", {"Name": "USBSTOR", "State": "Stopped"})),
    }  # fmt: skip
    version = reg(f"{HKLM}\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", VERSION, verified=False)
    on = winlogon('"AutoAdminLogon"="1"\n;ybscan no "DefaultPassword"\n;ybscan no "ForceAutoLogon"\n')
    return parts, [
        version,
        on,
        reg(SERVICES, f"\n[{SERVICES}]\n\n{USBSTOR_3}"),
        reg(PROFILES, f"\n[{PROFILES}]\n\n"),
        reg(POLICIES, ";ybscan absent\n", verified=False),
        reg(JOINED, ";ybscan absent\n", verified=False),
        reg(
            LSA,
            f'\n[{LSA}]\n"LimitBlankPasswordUse"=dword:00000001\n"Notification Packages"=hex(7):73,00,63,00,65,00,63,00,6c,00,69,00,00,00,00,00\n',
        ),
    ]


def test_the_language_of_windows_makes_no_difference(tmp_path: Path) -> None:
    found = []
    for chinese in (True, False):
        parts, registry = machine(chinese, WEAK)
        found.append(verdicts(write(tmp_path / str(chinese), parts, registry=registry, users=[])))
    assert found[0] == found[1]
    for rule in ("USB-01", "PWD-01", "PWD-04", "PWD-06"):
        assert found[0][rule] == "fail", rule


@pytest.mark.parametrize(
    "lost", ["system", "accounts", "administrators", "secedit", "netstat", "processes", "services", "registry"]
)
@pytest.mark.parametrize("how", ["failed", "missing", "garbled"])
def test_what_is_lost_never_helps(tmp_path: Path, lost: str, how: str) -> None:
    for template in (TEMPLATE, WEAK):
        parts, registry = machine(True, template)
        whole = verdicts(write(tmp_path / f"whole-{len(template)}", parts, registry=registry, users=[]))
        files: list[str | bytes] = list(registry)
        if lost == "registry":
            files = [utf16(f)[: len(f)] for f in registry] if how == "garbled" else []
        elif how == "garbled":
            raw = parts[lost]
            parts[lost] = raw[: len(raw) // 2]
        else:
            del parts[lost]
        failed = {lost: "80070005"} if how == "failed" else {}
        less = verdicts(write(tmp_path / f"less-{len(template)}", parts, registry=files, failed=failed, users=[]))
        for rule, verdict in less.items():
            assert verdict in (whole[rule], "unknown"), (rule, whole[rule], verdict)
