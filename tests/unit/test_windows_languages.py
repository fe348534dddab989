"""Chinese and English Windows alike: what no test machine has, recorded in both shapes, and each with broken twins.

Policies, members, firewall, security centre, event logs, tasks and updates come to the probes as typed answers. Only the
names in them are in the language of the system, and no verdict may rest on those. A twin that was denied, garbled, hung or
only partly read gives the same verdict or 无法判定.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.collected import VERSION, part, reg, write
from tests.unit.test_collected_verdicts import machine
from tests.unit.test_collected_windows import HKLM, SERVICES, USBSTOR_3

from ybscan.cli import prepare
from ybscan.engine.judge import Case, judge
from ybscan.engine.scan import Plan, needed, read_facts
from ybscan.hosts.base import Group, Host, question
from ybscan.hosts.collected.evidence import read_evidence
from ybscan.hosts.collected.load import collected_host
from ybscan.hosts.groups.accounts import AccountPolicy, Join, LocalUser, Member
from ybscan.hosts.groups.jobs import Task
from ybscan.hosts.groups.logs import Event, EventLog
from ybscan.hosts.groups.network import FirewallProfile
from ybscan.hosts.groups.security import SecurityProduct
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown
from ybscan.model.rule import Role

NOW = datetime.fromisoformat("2026-11-20T10:00:00+08:00")
DAY = 86400.0
RAN = NOW.timestamp() - 8 * 3600
ZH, EN = "zh-CN", "en-US"
LOCAL = f"{HKLM}\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy"
POLICIES = f"{HKLM}\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System"
ONLINE = "HKEY_USERS\\.DEFAULT\\Software\\Microsoft\\IdentityCRL"
MOUNTED = f"{HKLM}\\SYSTEM\\MountedDevices"
ENUM = f"{HKLM}\\SYSTEM\\CurrentControlSet\\Enum"
DEFENDER = r"C:\Program Files\Windows Defender\MsMpEng.exe"
CBS = f"{HKLM}\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing"

Answer = Callable[..., Reading[Any]]
Topics = dict[tuple[str, str], Answer]


def recorded(language: str, *, good: bool) -> Topics:
    """What such a system answers. ``good`` follows the rules, the other breaks them."""
    chinese = language == ZH
    admin, guest = ("管理员", "来宾") if chinese else ("Administrator", "Guest")
    policy = AccountPolicy(
        min_length=10 if good else 6, max_age=90 * 86400 if good else None, min_age=0, history=5 if good else 0,
        complexity=good, reversible=not good, lockout_threshold=5 if good else 0, lockout_duration=1800, lockout_window=1800,
    )  # fmt: skip

    def user(name: str, rid: int, *, off: bool, comment: str) -> LocalUser:
        return LocalUser(
            name, rid, off, not good and not off, False, False, NOW.timestamp() - 20 * DAY, False,
            NOW.timestamp() - DAY, None, comment,
        )  # fmt: skip

    users = (
        user(
            admin,
            500,
            off=good,
            comment="管理计算机(域)的内置帐户" if chinese else "Built-in account for administering",
        ),
        user(guest, 501, off=good, comment="供来宾访问计算机" if chinese else "Built-in account for guest access"),
        user("sfy01", 1001, off=False, comment=""),
    )
    members = [Member("S-1-5-21-1-2-3-500", admin, "user")]
    if not good:
        members.append(Member("S-1-1-0", "所有人" if chinese else "Everyone", "well-known"))
    profiles = tuple(FirewallProfile(n, n == "public", good, "block") for n in ("domain", "private", "public"))
    antivirus = "Microsoft Defender 防病毒" if chinese else "Microsoft Defender Antivirus"
    products = (SecurityProduct("antivirus", antivirus, good, good, DEFENDER),)
    task = Task(
        "\\医保\\HISBACKUP" if chinese else "\\Clinic\\HISBACKUP", True, (r"D:\HIS\backup.exe",), "daily", "S-1-5-18", False, True,
        RAN if good else RAN - 30 * DAY, 0 if good else 0x80070002, RAN + DAY,
    )  # fmt: skip
    node = r"USBSTOR\Disk&Ven_Kingston&Prod_DT&Rev_1\0001&0"
    stick = () if good else (Event(20001, "Microsoft-Windows-UserPnp", RAN - DAY, 7, {"DeviceInstanceID": node}),)

    def events(**asked: Any) -> Reading[EventLog]:
        told = tuple(e for e in stick if asked["channel"] == "System" and e.id in asked["ids"])
        return Known(EventLog(told, RAN - 400 * DAY, RAN, True), "EvtQuery")

    return {
        ("accounts", "policy"): lambda: Known(policy, "NetUserModalsGet"),
        ("accounts", "local_users"): lambda: Known(users, "NetUserEnum"),
        ("accounts", "members"): lambda sid: Known(tuple(members) if sid == "S-1-5-32-544" else (), "NetLocalGroupGetMembers"),
        ("accounts", "join"): lambda: Known(Join("workgroup", "工作组" if chinese else "WORKGROUP"), "NetGetJoinInformation"),
        ("network", "firewall"): lambda: Known(profiles, "INetFwPolicy2"),
        ("security", "products"): lambda: Known(products, "root\\SecurityCenter2"),
        ("jobs", "tasks"): lambda: Known((task,), "ITaskService"),
        ("logs", "events"): events,
    }  # fmt: skip


def registry(language: str, *, good: bool) -> list[str]:
    """Firewall rules and updates, which are keys; the names of rules are in the language, or of a resource."""
    chinese = language == ZH
    name, group = (
        ("远程桌面 - 用户模式(TCP-In)", "远程桌面")
        if chinese
        else ("Remote Desktop - User Mode (TCP-In)", "Remote Desktop")
    )
    where = "RA4=10.1.2.0/255.255.255.0|" if good else ""
    rule = f"v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|{where}Name={name}|EmbedCtxt={group}|"
    on = "00000001" if good else "00000000"
    keys = "".join(
        f'[{LOCAL}\\{profile}]\n"EnableFirewall"=dword:{on}\n"DefaultInboundAction"=dword:00000001\n'
        '"DoNotAllowExceptions"=dword:00000000\n\n'
        for profile in ("DomainProfile", "StandardProfile", "PublicProfile")
    )
    # The halves of the FILETIME of 2026-11-12 and of 2025-01-15.
    high, low = ("01dd51f0", "00000000") if good else ("01db66f0", "00000000")
    update = f"Package_for_RollupFix~31bf3856ad364e35~amd64~~19041.6456.1.{'8' if chinese else '9'}"
    words = f"Microsoft-Windows-Client-LanguagePack-Package~31bf3856ad364e35~amd64~{language}~10.0.19041.1"
    times = f'"CurrentState"=dword:00000070\n"InstallTimeHigh"=dword:{high}\n"InstallTimeLow"=dword:{low}\n\n'
    return [
        reg(LOCAL, f'\n[{LOCAL}]\n\n[{LOCAL}\\FirewallRules]\n"RemoteDesktop-UserMode-In-TCP"="{rule}"\n\n{keys}'),
        reg(POLICIES, f'\n[{POLICIES}]\n"EnableLUA"=dword:00000001\n"ConsentPromptBehaviorAdmin"=dword:00000001\n'),
        reg(ONLINE, ";ybscan absent\n", verified=False),
        reg(MOUNTED, f"\n[{MOUNTED}]\n\n"),
        reg(ENUM, f"\n[{ENUM}]\n\n[{ENUM}\\USBSTOR]\n\n[{ENUM}\\USB]\n\n"),
        reg(CBS, f"\n[{CBS}]\n\n[{CBS}\\Packages]\n\n[{CBS}\\Packages\\{update}]\n{times}[{CBS}\\Packages\\{words}]\n{times}"),
    ]  # fmt: skip


def host(folder: Path, language: str, *, good: bool, keys: bool = True) -> Host:
    parts, rest = machine(language == ZH)
    key = f"{HKLM}\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
    version = VERSION.replace("7601", "19045").replace(
        '"CSDVersion"="Service Pack 1"\n', '"InstallDate"=dword:5f000000\n'
    )
    rest[0] = reg(key, version, verified=False)
    running = [(n, i) for n, i in (("TermService", "1120"), ("MpsSvc", "1200"), ("BFE", "1200"), ("WinDefend", "1300"))]
    parts["services"] = part(
        "services", *(("service", {"Name": n, "State": "Running", "ProcessId": i}) for n, i in running),
        ("driver", {"Name": "USBSTOR", "State": "Stopped"}),
    )  # fmt: skip
    parts["processes"] = part(
        "processes", ("process", {"ProcessId": "968", "ParentProcessId": "4", "Name": "svchost.exe", "ExecutablePath": r"C:\Windows\System32\svchost.exe"}),
        ("process", {"ProcessId": "1300", "ParentProcessId": "4", "Name": "MsMpEng.exe", "ExecutablePath": DEFENDER}),
    )  # fmt: skip
    parts["devices"] = part("devices", ("device", {"DeviceID": "ROOT\\X\\0", "Name": "X"}))
    start = "".join(
        f'[{SERVICES}\\{n}]\n"Start"=dword:0000000{s}\n"Type"=dword:00000020\n"ImagePath"="svchost.exe"\n\n'
        for n, s in (("MpsSvc", 2), ("BFE", 2), ("SharedAccess", 3), ("TermService", 3), ("WinDefend", 2))
    )  # fmt: skip
    rest = [k for k in rest if f"[{SERVICES}]" not in k] + [reg(SERVICES, f"\n[{SERVICES}]\n\n{USBSTOR_3}{start}")]
    base = collected_host(
        read_evidence(write(folder, parts, registry=rest + registry(language, good=good) * keys, users=[]))
    )
    return answering(base, recorded(language, good=good))


def answering(base: Host, topics: Mapping[tuple[str, str], Answer]) -> Host:
    """``base`` with the answers of ``topics``."""
    for (group, name), answer in topics.items():
        changed: dict[str, Any] = {group: _with(getattr(base, group), name, answer)}
        base = dataclasses.replace(base, **changed)
    return base


def _with(group: Group, name: str, answer: Answer) -> Group:
    def asked(_self: Group, **args: Any) -> Reading[Any]:
        return answer(**args)

    kind = type(group)
    made: Group = object.__new__(type(kind.__name__, (kind,), {name: question(asked)}))
    for slot in getattr(group, "__dict__", {}):
        object.__setattr__(made, slot, getattr(group, slot))
    return made


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    site = tmp_path_factory.mktemp("site") / "site.yml"
    site.write_text(
        "backup:\n  max_age: 24h\n  jobs: [HISBACKUP]\naccounts:\n  admins: [管理员, Administrator]\n"
        "ports:\n  allowed:\n    - { proto: tcp, port: 3389, from: [10.1.2.0/24], reason: 维护 }\n",
        encoding="utf-8",
    )
    return prepare.plan(rules=None, site=site, packs=[], only=[], now=NOW)


def verdicts(terminal: Host, plan: Plan) -> dict[str, str]:
    facts = read_facts(terminal, plan, needed(plan.rules, "windows", Role.SETTLEMENT, delegations=True), lambda _: None)
    case = Case(
        facts=facts, specs=plan.registry.spec_of, site=plan.context.site, waivers=(), now=NOW, os="windows",
        role=Role.SETTLEMENT, terminal="YB-0001",
    )  # fmt: skip
    return {r.id: judge(r, case).status.value for r in plan.rules}


#: What rests on which answer, and must pass on a system in order: a twin that changes nothing would show nothing.
RESTS = {
    ("accounts", "policy"): {"PWD-01", "PWD-02", "PWD-03", "PWD-04", "PWD-09"},
    ("accounts", "local_users"): {"PWD-03", "PWD-08"},
    ("accounts", "members"): {"ACC-01"},
    ("accounts", "join"): {"PWD-01"},
    ("network", "firewall"): {"FW-01"},
    ("security", "products"): {"AV-01"},
    ("jobs", "tasks"): {"BAK-04"},
    ("logs", "events"): {"USB-05"},
}
#: The same for keys of the registry, as they are asked for.
KEYS = {
    r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules": {"PORT-01"},
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages": {"OS-02"},
}
CAUSES = (Cause.DENIED, Cause.MALFORMED, Cause.TIMEOUT, Cause.UNAVAILABLE)


def test_the_language_of_the_system_changes_no_verdict(tmp_path: Path, plan: Plan) -> None:
    found = {
        (language, good): verdicts(host(tmp_path / f"{language}{good}", language, good=good), plan)
        for language in (ZH, EN)
        for good in (True, False)
    }
    for good in (True, False):
        assert found[ZH, good] == found[EN, good]
    for rule in set().union(*RESTS.values(), *KEYS.values()):
        assert found[ZH, True][rule] == "pass", rule
        assert found[ZH, False][rule] != "pass", rule


@pytest.mark.parametrize("language", [ZH, EN])
@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("topic", list(RESTS), ids=".".join)
def test_twins_of_an_answer(tmp_path: Path, plan: Plan, topic: tuple[str, str], good: bool, language: str) -> None:
    terminal = host(tmp_path / "whole", language, good=good)
    whole = verdicts(terminal, plan)
    for cause in CAUSES:
        broken: Reading[Any] = Unknown(cause, "来源", "case")
        less = verdicts(answering(terminal, {topic: lambda broken=broken, **_: broken}), plan)
        never_better(whole, less)
        if good:
            assert {less[r] for r in RESTS[topic]} == {"unknown"}, (topic, cause)


@pytest.mark.parametrize("language", [ZH, EN])
@pytest.mark.parametrize(
    "topic", [("accounts", "local_users"), ("accounts", "members"), ("jobs", "tasks"), ("logs", "events")], ids=".".join
)
def test_an_answer_that_is_not_whole(tmp_path: Path, plan: Plan, topic: tuple[str, str], language: str) -> None:
    """A list of which a part could not be read: that nothing bad was seen in the rest passes for nothing."""
    terminal = host(tmp_path / "whole", language, good=True)
    whole = verdicts(terminal, plan)
    given = recorded(language, good=True)[topic]

    def partly(**asked: Any) -> Reading[Any]:
        read = given(**asked)
        assert isinstance(read, Known)
        return Known(read.value, read.origin, (Gap(Cause.DENIED, "一部分", "case"),))

    less = verdicts(answering(terminal, {topic: partly}), plan)
    never_better(whole, less)
    assert "unknown" in {less[r] for r in RESTS[topic]}


@pytest.mark.parametrize("language", [ZH, EN])
@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("key", list(KEYS), ids=lambda k: k.rpartition("\\")[2])
def test_twins_of_a_key(tmp_path: Path, plan: Plan, key: str, good: bool, language: str) -> None:
    terminal = host(tmp_path / "whole", language, good=good)
    whole = verdicts(terminal, plan)
    for cause in CAUSES:
        less = verdicts(without(terminal, key, cause), plan)
        never_better(whole, less)
        if good:
            assert {less[r] for r in KEYS[key]} == {"unknown"}, (key, cause)


def without(terminal: Host, key: str, cause: Cause) -> Host:
    """``terminal`` where every question about ``key`` or below ends in ``cause``."""
    group = terminal.registry
    topics: Topics = {}
    for name in type(group).questions():

        def asked(name: str = name, **args: Any) -> Reading[Any]:
            if str(args.get("key", "")).lower().startswith(key.lower()):
                return Unknown(cause, key, "case")
            found: Reading[Any] = getattr(group, name)(**args)
            return found

        topics["registry", name] = asked
    return answering(terminal, topics)


def never_better(whole: Mapping[str, str], less: Mapping[str, str]) -> None:
    for rule, verdict in less.items():
        assert verdict in (whole[rule], "unknown"), (rule, whole[rule], verdict)
