"""What the collector for Windows brings, through the importer to the groups' answers.

The evidence is made by hand in the shapes of zh-CN and en-US systems; what a terminal did not give must never look like
what it does not have.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.collected import BOM, SYSTEM, VERSION, part, reg, utf16, write

from ybscan.hosts.base import Host
from ybscan.hosts.collected.evidence import read_evidence
from ybscan.hosts.collected.load import collected_host
from ybscan.hosts.groups.registry import WITHHELD
from ybscan.model.problem import InputProblems
from ybscan.model.reading import Absent, Cause, Known, Unknown

HKLM = "HKEY_LOCAL_MACHINE"
ANY = "0.0.0.0"  # noqa: S104 - compared, not bound
SERVICES = f"{HKLM}\\SYSTEM\\CurrentControlSet\\Services"
USBSTOR = r"HKLM\SYSTEM\CurrentControlSet\Services\USBSTOR"
WINLOGON = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon"
TEMPLATE = """[Unicode]
Unicode=yes
[System Access]
MinimumPasswordAge = 1
MaximumPasswordAge = 42
MinimumPasswordLength = 8
PasswordComplexity = 1
PasswordHistorySize = 5
LockoutBadCount = 5
ResetLockoutCount = 30
LockoutDuration = -1
NewAdministratorName = "管理员"
ClearTextPassword = 0
[Privilege Rights]
SeSystemtimePrivilege = *S-1-5-32-544,*S-1-5-19
SeBackupPrivilege = 张三,*S-1-5-32-551
[Version]
signature="$CHICAGO$"
Revision=1
"""
NETSTAT_ZH = """
活动连接

  协议  本地地址          外部地址        状态           PID
  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       968
  TCP    10.1.2.3:49200         10.1.2.9:1521          ESTABLISHED     2040
  TCP    10.1.2.3:49201         10.1.2.9:80            TIME_WAIT       0
  TCP    [::]:3389              [::]:0                 LISTENING       1120
  UDP    0.0.0.0:123            *:*                                    1092
  UDP    [fe80::1%12]:1900      *:*                                    1400
"""
NETSTAT_EN = (
    NETSTAT_ZH.replace("活动连接", "Active Connections")
    .replace("协议", "Proto")
    .replace("本地地址", "Local Address")
    .replace("外部地址", "Foreign Address")
    .replace("状态", "State")
)


def host(path: Path) -> Host:
    return collected_host(read_evidence(path))


def parts(**more: str | bytes) -> dict[str, str | bytes]:
    return {"system": part("system", *SYSTEM), **more}


def services(body: str, **options: bool) -> str:
    return reg(SERVICES, f"\n[{SERVICES}]\n\n{body}", **options)


USBSTOR_3 = f'[{SERVICES}\\USBSTOR]\n"Start"=dword:00000003\n"Type"=dword:00000001\n"ImagePath"=hex(2):53,00,79,00,\\\n  73,00,00,00\n\n'


def test_a_key_is_known_absent_or_not_recorded(tmp_path: Path) -> None:
    h = host(write(tmp_path / "e", parts(), registry=[services(USBSTOR_3)]))
    assert h.registry.value(key=USBSTOR, name="start") == Known(3, f"{USBSTOR}\\Start")
    assert isinstance(h.registry.value(key=USBSTOR, name="ImagePath"), Known)
    assert isinstance(h.registry.value(key=USBSTOR, name="Group"), Absent)
    assert isinstance(h.registry.values(key=USBSTOR.replace("USBSTOR", "UASPStor")), Absent)
    elsewhere = h.registry.value(key=r"HKLM\SOFTWARE\Policies\Microsoft", name="x")
    assert isinstance(elsewhere, Unknown)
    assert elsewhere.cause is Cause.NOT_RECORDED
    above = h.registry.subkeys(key=r"HKLM\SYSTEM\CurrentControlSet")
    assert isinstance(above, Unknown), "only the way to what was exported"


def test_an_export_that_was_not_checked_is_never_complete(tmp_path: Path) -> None:
    h = host(write(tmp_path / "e", parts(), registry=[services(USBSTOR_3, verified=False)]))
    assert isinstance(h.registry.value(key=USBSTOR, name="Start"), Known)
    missing = h.registry.values(key=USBSTOR.replace("USBSTOR", "UASPStor"))
    assert isinstance(missing, Unknown)
    listed = h.registry.subkeys(key=r"HKLM\SYSTEM\CurrentControlSet\Services")
    assert isinstance(listed, Known)
    assert [g.cause for g in listed.gaps] == [Cause.INCOMPLETE]


def test_a_denied_key_is_listed_and_unknown(tmp_path: Path) -> None:
    body = USBSTOR_3 + f";ybscan error 5 [{SERVICES}\\UASPStor]\n"
    h = host(write(tmp_path / "e", parts(), registry=[services(body)]))
    denied = h.registry.value(key=USBSTOR.replace("USBSTOR", "UASPStor"), name="Start")
    assert isinstance(denied, Unknown)
    assert denied.cause is Cause.DENIED
    configured = h.services.configured()
    assert isinstance(configured, Known)
    assert [s.name for s in configured.value] == ["USBSTOR"]
    assert [g.cause for g in configured.gaps] == [Cause.DENIED]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (f";ybscan error 5 [{SERVICES}]\n", Cause.DENIED),
        (f";ybscan error 1001 [{SERVICES}]\n", Cause.TOOL_FAILED),
    ],
)
def test_a_tree_that_could_not_be_exported(tmp_path: Path, body: str, why: Cause) -> None:
    h = host(write(tmp_path / "e", parts(), registry=[reg(SERVICES, body, verified=False)]))
    read = h.registry.value(key=USBSTOR, name="Start")
    assert isinstance(read, Unknown)
    assert read.cause is why


def test_a_key_that_is_not_there_is_absent_only_when_windows_said_so(tmp_path: Path) -> None:
    policies = f"{HKLM}\\SOFTWARE\\Policies"
    h = host(write(tmp_path / "e", parts(), registry=[reg(policies, ";ybscan absent\n", verified=False)]))
    assert isinstance(
        h.registry.values(key=r"HKLM\SOFTWARE\Policies\Microsoft\Windows\RemovableStorageDevices"), Absent
    )


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) * 2 // 3],
        lambda data: data[: len(data) * 2 // 3 | 1],
        lambda data: data.replace(";ybscan end".encode("utf-16-le"), b""),
        lambda data: data.replace(
            "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\USB".encode("utf-16-le"),
            "[-HKEY_LOCAL_MACHINE\\SYSTEM\\X".encode("utf-16-le"),
        ),
    ],
    ids=["cut", "cut within a character", "no end", "deleted key"],
)
def test_a_damaged_registry_file_is_unknown_not_absent(tmp_path: Path, damage: object) -> None:
    data = damage(utf16(services(USBSTOR_3)))  # type: ignore[operator]
    h = host(write(tmp_path / "e", parts(), registry=[data]))
    for name in ("USBSTOR", "UASPStor"):
        read = h.registry.value(key=USBSTOR.replace("USBSTOR", name), name="Start")
        assert isinstance(read, Unknown)
        assert read.cause is Cause.MALFORMED


def test_a_damaged_file_whose_note_names_no_root(tmp_path: Path) -> None:
    text = reg("HKEY_LOC\ue4c9\\Policies", "\n坏\n", end=False)
    registry = host(write(tmp_path / "e", parts(), registry=[text])).registry
    assert isinstance(registry.values(key=r"HKLM\SOFTWARE\Policies"), Unknown)


def test_a_value_that_makes_no_sense_spoils_its_key_alone(tmp_path: Path) -> None:
    body = USBSTOR_3 + f'[{SERVICES}\\Odd]\n"Good"=dword:00000001\n"Bad"=dword:zz\n\n'
    h = host(write(tmp_path / "e", parts(), registry=[services(body)]))
    odd = USBSTOR.replace("USBSTOR", "Odd")
    assert isinstance(h.registry.value(key=odd, name="Good"), Known)
    assert isinstance(h.registry.value(key=odd, name="Bad"), Unknown)
    assert isinstance(h.registry.values(key=odd), Unknown)
    assert isinstance(h.registry.value(key=USBSTOR, name="Start"), Known)


def test_text_with_quotes_line_breaks_and_brackets(tmp_path: Path) -> None:
    body = f'[{SERVICES}\\T]\n@="默认"\n"a\\"b"="x\\\\y \\"z\\""\n"多行"="一\n[不是项]\n二"\n"m"=hex(7):61,00,00,00,62,00,00,00,00,00\n"q"=hex(b):01,00,00,00,00,00,00,00\n"b"=hex:ff,00\n"n"=hex(0):\n\n'
    h = host(write(tmp_path / "e", parts(), registry=[services(body)]))
    read = h.registry.values(key=USBSTOR.replace("USBSTOR", "T"))
    assert isinstance(read, Known)
    assert read.value == {
        "": "默认", 'a"b': 'x\\y "z"', "多行": "一\n[不是项]\n二", "m": ("a", "b"), "q": b"\1" + bytes(7), "b": b"\xff\x00", "n": b"",
    }  # fmt: skip


def test_regedit4_in_gbk(tmp_path: Path) -> None:
    text = "REGEDIT4\r\n\r\n" + services(f'[{SERVICES}\\T]\n"名"="值"\n"x"=hex(2):d6,d0,00\n\n').partition("\n\n")[2]
    h = host(write(tmp_path / "e", parts(), registry=[text.encode("gbk")]))
    read = h.registry.values(key=USBSTOR.replace("USBSTOR", "T"))
    assert isinstance(read, Known)
    assert read.value == {"名": "值", "x": "中"}


def winlogon(body: str) -> str:
    key = WINLOGON.replace("HKLM", HKLM)
    return reg(key, f";ybscan named\n[{key}]\n{body}", verified=False)


def test_of_single_values_only_those_asked_for_are_answered(tmp_path: Path) -> None:
    body = (
        '"AutoAdminLogon"="1"\n"DefaultPassword"="***"\n;ybscan no "ForceAutoLogon"\n;ybscan unread 80070005 "Shell"\n'
    )
    h = host(write(tmp_path / "e", parts(), registry=[winlogon(body)]))
    assert h.registry.value(key=WINLOGON, name="AutoAdminLogon") == Known("1", f"{WINLOGON}\\AutoAdminLogon")
    assert h.registry.value(key=WINLOGON, name="defaultpassword") == Known(WITHHELD, f"{WINLOGON}\\DefaultPassword")
    assert isinstance(h.registry.value(key=WINLOGON, name="forceautologon"), Absent)
    shell = h.registry.value(key=WINLOGON, name="Shell")
    assert isinstance(shell, Unknown)
    assert shell.cause is Cause.DENIED
    for other in (
        h.registry.value(key=WINLOGON, name="Userinit"),
        h.registry.values(key=WINLOGON),
        h.registry.subkeys(key=WINLOGON),
    ):
        assert isinstance(other, Unknown)
        assert other.cause is Cause.NOT_RECORDED


def test_people_whose_hives_were_loaded(tmp_path: Path) -> None:
    profiles = f"{HKLM}\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList"
    here, away = "S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1002"
    body = f"\n[{profiles}]\n\n" + "".join(
        f'[{profiles}\\{s}]\n"ProfileImagePath"="C:\\\\Users\\\\{n}"\n\n' for s, n in ((here, "甲"), (away, "乙"))
    )
    desktop = f"HKEY_USERS\\{here}\\Control Panel\\Desktop"
    files = [reg(profiles, body), reg(desktop, f'\n[{desktop}]\n"ScreenSaveActive"="1"\n')]
    h = host(write(tmp_path / "e", parts(), registry=files, users=[here]))
    users = h.registry.users()
    assert isinstance(users, Known)
    assert [(u.account, u.loaded) for u in users.value] == [("甲", True), ("乙", False)]
    assert h.registry.subkeys(key=f"HKU\\{here}") == Known(("Control Panel", "Software"), f"HKU\\{here}")
    assert h.registry.value(key=f"HKU\\{here}\\Control Panel\\Desktop", name="ScreenSaveActive") == Known(
        "1", f"HKU\\{here}\\Control Panel\\Desktop\\ScreenSaveActive"
    )
    for key in (f"HKU\\{away}", f"HKU\\{away}\\Control Panel\\Desktop"):
        assert isinstance(h.registry.subkeys(key=key), Unknown)
    assert isinstance(h.registry.value(key=f"HKU\\{here}\\Control Panel\\Mouse", name="x"), Unknown)


def test_identity_and_system(tmp_path: Path) -> None:
    h = host(
        write(
            tmp_path / "e",
            parts(),
            registry=[reg(f"{HKLM}\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", VERSION, verified=False)],
        )
    )
    who = h.system.identity()
    assert isinstance(who, Known)
    assert (who.value.hostname, who.value.os_id, who.value.arch) == ("SF-01", "windows-7601", "AMD64")
    assert h.system.bits() == Known((64, 64), "Win32_OperatingSystem")
    assert h.system.elevated() == Known(True, "manifest")
    boot = datetime(2026, 11, 20, 0, 0, 0, 500000, tzinfo=UTC).timestamp()
    assert h.system.boot_time() == Known(boot, "Win32_OperatingSystem")
    assert isinstance(host(write(tmp_path / "f", parts())).system.identity(), Unknown)


@pytest.mark.parametrize(
    "encode", [utf16, lambda t: t.encode("gbk"), lambda t: b"\xef\xbb\xbf" + t.encode()], ids=["utf16", "gbk", "utf8"]
)
def test_policy_out_of_the_security_template(tmp_path: Path, encode: object) -> None:
    h = host(write(tmp_path / "e", parts(secedit=encode(TEMPLATE))))  # type: ignore[operator]
    read = h.accounts.policy()
    assert isinstance(read, Known)
    policy = read.value
    assert (policy.min_length, policy.max_age, policy.complexity, policy.reversible) == (8, 42 * 86400, True, False)
    assert (policy.lockout_threshold, policy.lockout_duration, policy.lockout_window, policy.history) == (
        5,
        None,
        1800,
        5,
    )


def test_user_rights_out_of_the_security_template(tmp_path: Path) -> None:
    accounts = host(write(tmp_path / "e", parts(secedit=utf16(TEMPLATE)))).accounts
    read = accounts.holders(right="SeSystemtimePrivilege")
    assert isinstance(read, Known)
    assert [m.sid for m in read.value] == ["S-1-5-19", "S-1-5-32-544"]
    named = accounts.holders(right="SeBackupPrivilege")
    assert isinstance(named, Known)
    assert named.gaps
    assert accounts.holders(right="SeTcbPrivilege") == Known((), "secedit")
    without = utf16(TEMPLATE.replace("[Privilege Rights]", "[Other]"))
    assert isinstance(
        host(write(tmp_path / "f", parts(secedit=without))).accounts.holders(right="SeTcbPrivilege"), Unknown
    )
    assert isinstance(
        host(write(tmp_path / "g", parts(), failed={"secedit": "1"})).accounts.holders(right="SeTcbPrivilege"), Unknown
    )


@pytest.mark.parametrize(
    "text",
    [
        "", TEMPLATE.partition("[Version]")[0], TEMPLATE.replace("MinimumPasswordLength = 8\n", ""),
        TEMPLATE.replace("= 8", "= 八"), TEMPLATE.replace("PasswordComplexity = 1", "PasswordComplexity = 2"),
        TEMPLATE.replace("MinimumPasswordLength = 8\n", "MinimumPasswordLength = 8\nMinimumPasswordLength = 0\n"),
        "任务已成功结束。\n",
    ],
    ids=["empty", "cut", "missing", "no number", "no switch", "twice", "other text"],
)  # fmt: skip
def test_a_template_that_says_too_little_is_unknown(tmp_path: Path, text: str) -> None:
    read = host(write(tmp_path / "e", parts(secedit=utf16(text)))).accounts.policy()
    assert isinstance(read, Unknown)
    assert read.cause is Cause.MALFORMED
    cut = host(write(tmp_path / "f", parts(secedit=utf16(TEMPLATE)[:-7]))).accounts.policy()
    assert isinstance(cut, Unknown)


def test_without_a_template_the_directory_interface_tells_the_numbers(tmp_path: Path) -> None:
    numbers = {"MinPasswordLength": 0, "MaxPasswordAge": -1, "MinPasswordAge": 0, "PasswordHistoryLength": 0,
               "MaxBadPasswordsAllowed": 0, "AutoUnlockInterval": 1800, "LockoutObservationInterval": 1800}  # fmt: skip
    # secedit exits with 0 and writes no file where it may not: the script then says failed.
    given = parts(policy=part("policy", ("policy", numbers)))
    read = host(write(tmp_path / "e", given, failed={"secedit": "0"})).accounts.policy()
    assert isinstance(read, Known)
    assert (read.value.min_length, read.value.max_age, read.value.complexity) == (0, None, None)
    missing = parts(policy=part("policy", ("policy", {"MinPasswordLength.error": "80070005"})))
    denied = host(write(tmp_path / "f", missing, failed={"secedit": "0"})).accounts.policy()
    assert isinstance(denied, Unknown)
    assert denied.cause is Cause.DENIED
    neither = host(write(tmp_path / "g", parts(), failed={"secedit": "0"})).accounts.policy()
    assert isinstance(neither, Unknown)


def user(**changes: object) -> tuple[str, dict[str, object]]:
    made: dict[str, object] = {
        "Name": "收费员", "SID": "S-1-5-21-1-2-3-1001", "Disabled": "0", "Lockout": "0", "PasswordRequired": "1",
        "PasswordExpires": "1", "FullName": "", "Description": "", "UserFlags": "513", "PasswordAge": "86400",
        "PasswordExpired": "0", "LastLogin": "2026-11-20T09:00:00", "AccountExpirationDate.error": "8000500D",
    }  # fmt: skip
    return "user", {**made, **changes}


def test_local_users(tmp_path: Path) -> None:
    rows = [
        user(),
        user(Name="Guest", SID="S-1-5-21-1-2-3-501", Disabled="1", PasswordRequired="0"),
        user(SID="无", Name="坏"),
    ]
    read = host(write(tmp_path / "e", parts(accounts=part("accounts", *rows)))).accounts.local_users()
    assert isinstance(read, Known)
    guest, clerk = read.value
    assert (guest.rid, guest.disabled, guest.password_not_required) == (501, True, True)
    now = datetime(2026, 11, 20, 2, 0, 0, tzinfo=UTC).timestamp()
    assert (clerk.name, clerk.password_set, clerk.last_logon, clerk.must_change) == (
        "收费员",
        now - 86400,
        now - 3600,
        False,
    )
    assert [g.cause for g in read.gaps] == [Cause.MALFORMED]


def test_two_sources_that_contradict_each_other_never_make_an_account_better(tmp_path: Path) -> None:
    flags = str(0x200 | 0x20 | 0x10000)
    read = host(write(tmp_path / "e", parts(accounts=part("accounts", user(UserFlags=flags))))).accounts.local_users()
    assert isinstance(read, Known)
    assert read.value[0].password_not_required
    assert read.value[0].never_expires


def test_the_beginning_of_a_calendar_is_no_time(tmp_path: Path) -> None:
    row = user(PasswordAge="0", LastLogin="1970-01-01T08:00:00", AccountExpirationDate="1970-01-01T08:00:00")
    read = host(write(tmp_path / "e", parts(accounts=part("accounts", row)))).accounts.local_users()
    assert isinstance(read, Known)
    clerk = read.value[0]
    # Such an account has not expired, and a password that was never set is not of today.
    assert (clerk.expires, clerk.last_logon, clerk.password_set, clerk.must_change) == (None, None, None, False)


@pytest.mark.parametrize(
    "records",
    [(), (("error", {"what": "Win32_UserAccount", "code": "80041003"}),)],
    ids=["nobody", "denied"],
)
def test_no_accounts_are_no_answer(tmp_path: Path, records: tuple[tuple[str, dict[str, object]], ...]) -> None:
    read = host(write(tmp_path / "e", parts(accounts=part("accounts", *records)))).accounts.local_users()
    assert isinstance(read, Unknown)
    assert read.cause is (Cause.DENIED if records else Cause.MALFORMED)


def test_administrators(tmp_path: Path) -> None:
    sid = "S-1-5-32-544"
    group = ("group", {"SID": sid})
    member = ("member", {"SID": "S-1-5-21-1-2-3-500", "Name": "管理员", "Class": "User"})
    read = host(write(tmp_path / "e", parts(administrators=part("administrators", group, member)))).accounts.members(
        sid=sid
    )
    assert isinstance(read, Known)
    assert [(m.sid, m.kind) for m in read.value] == [("S-1-5-21-1-2-3-500", "user")]
    for n, records in enumerate(
        ((), (group,), (("not_permitted", {}),), (("error", {"what": "Win32_Group", "code": "80070005"}),))
    ):
        assert isinstance(
            host(write(tmp_path / str(n), parts(administrators=part("administrators", *records)))).accounts.members(
                sid=sid
            ),
            Unknown,
        )


def test_sockets_are_told_by_shape_in_either_language(tmp_path: Path) -> None:
    processes = part(
        "processes",
        ("process", {"ProcessId": "1120", "ParentProcessId": "4", "Name": "svchost.exe", "ExecutablePath": None}),
    )
    zh = host(write(tmp_path / "zh", parts(netstat=NETSTAT_ZH.encode("gbk"), processes=processes))).sockets.table()
    en = host(write(tmp_path / "en", parts(netstat=NETSTAT_EN.encode("ascii"), processes=processes))).sockets.table()
    # The word for the state means nothing: only its place does.
    odd = host(
        write(
            tmp_path / "odd", parts(netstat=NETSTAT_ZH.replace("LISTENING", "侦听").encode("gbk"), processes=processes)
        )
    ).sockets.table()
    assert zh == en == odd
    assert isinstance(zh, Known)
    assert zh.gaps == ()
    assert [(s.proto, s.local, s.local_port, s.state, s.pid) for s in zh.value] == [
        ("tcp", ANY, 135, "listen", 968), ("tcp", "10.1.2.3", 49200, "established", 2040),
        ("tcp", "10.1.2.3", 49201, "other", 0), ("tcp", "::", 3389, "listen", 1120), ("udp", ANY, 123, "listen", 1092),
        ("udp", "fe80::1", 1900, "listen", 1400),
    ]  # fmt: skip
    assert zh.value[3].program == "svchost.exe"


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("", None),
        ("'netstat' 不是内部或外部命令\n", None),
        (NETSTAT_ZH.replace("0.0.0.0:135 ", "0.0.0.0:epmap"), Cause.MALFORMED),
        (NETSTAT_ZH.replace("       968", ""), Cause.MALFORMED),
        (NETSTAT_ZH.rstrip("\n"), Cause.INCOMPLETE),
    ],
)
def test_a_table_that_is_not_understood(tmp_path: Path, text: str, gap: Cause | None) -> None:
    read = host(write(tmp_path / "e", parts(netstat=text.encode("gbk")))).sockets.table()
    if gap is None:
        assert isinstance(read, Unknown)
    else:
        assert isinstance(read, Known)
        assert gap in [g.cause for g in read.gaps]


def test_devices_and_disks(tmp_path: Path) -> None:
    enum = f"{HKLM}\\SYSTEM\\CurrentControlSet\\Enum"
    body = "".join(f"\n[{enum}{p}]\n" for p in ("", "\\USBSTOR", "\\USBSTOR\\Disk&Ven_HP")) + (
        f'\n[{enum}\\USBSTOR\\Disk&Ven_HP\\AA&0]\n"FriendlyName"="HP v100w"\n"ClassGUID"="{{4D36E967-E325-11CE-BFC1-08002BE10318}}"\n'
        f'"Service"="disk"\n;ybscan error 5 [{enum}\\USBSTOR\\Disk&Ven_HP\\AA&0\\Properties]\n'
    )
    present = part("devices", ("device", {"DeviceID": "ROOT\\X\\0", "Name": "X"}))
    disks = part(
        "disks",
        ("disk", {"Index": "0", "DeviceID": "\\\\.\\PHYSICALDRIVE0", "InterfaceType": "IDE", "MediaType": "Fixed hard disk media", "Size": "500", "MediaLoaded": "1", "PNPDeviceID": "IDE\\X"}),
        ("disk", {"Index": "1", "DeviceID": "\\\\.\\PHYSICALDRIVE1", "InterfaceType": "SCSI", "MediaType": "External hard disk media", "Size": "5", "MediaLoaded": "1", "PNPDeviceID": "SCSI\\Y"}),
        ("letter", {"Antecedent": '\\\\SF\\root\\cimv2:Win32_DiskPartition.DeviceID="Disk #0, Partition #1"', "Dependent": '\\\\SF\\root\\cimv2:Win32_LogicalDisk.DeviceID="C:"'}),
        ("error", {"what": "Microsoft\\Windows\\Storage", "code": "8004100E"}),
    )  # fmt: skip
    h = host(write(tmp_path / "e", parts(devices=present, disks=disks), registry=[reg(enum, body)]))
    read = h.devices.listed(enumerator="USBSTOR")
    assert isinstance(read, Known)
    assert [(d.instance, d.name, d.present) for d in read.value] == [("USBSTOR\\Disk&Ven_HP\\AA&0", "HP v100w", False)]
    assert h.devices.listed(enumerator="BTHENUM") == Known((), r"HKLM\SYSTEM\CurrentControlSet\Enum\BTHENUM")
    found = h.devices.disks()
    assert isinstance(found, Known)
    assert [(d.bus, d.letters, d.system) for d in found.value] == [("ata", ("C:",), True), ("other:scsi", (), False)]
    without = host(write(tmp_path / "f", parts(disks=part("disks")), registry=[reg(enum, body)]))
    undecided = without.devices.listed(enumerator="USBSTOR")
    assert isinstance(undecided, Known)
    assert undecided.value[0].present is None
    assert undecided.gaps
    assert isinstance(without.devices.disks(), Unknown)


def test_events_need_a_search_that_was_made(tmp_path: Path) -> None:
    channel = ("channel", {"name": "Security", "id": ["1102", "4719"], "limit": "500"})
    xml = ("<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Eventlog'/>"
           "<EventID>1102</EventID><TimeCreated SystemTime='2026-11-19T08:00:00.000000000Z'/><EventRecordID>7</EventRecordID></System>"
           "<UserData><LogFileCleared><SubjectUserName>管理员</SubjectUserName></LogFileCleared></UserData></Event>")  # fmt: skip
    records = (
        channel,
        ("oldest", {"time": "2026-01-01T00:00:00.000Z"}),
        ("newest", {"time": "2026-11-20T00:00:00.000Z"}),
        ("event", {"xml": xml}),
        ("searched", {}),
    )
    made = {"events-security": part("events-security", *records)}
    logs = host(write(tmp_path / "e", parts(**made))).logs
    read = logs.events(channel="Security", ids=(1102,), since=0, fields=("SubjectUserName",))
    assert isinstance(read, Known)
    assert [(e.id, e.record) for e in read.value.events] == [(1102, 7)]
    assert read.value.oldest is not None
    assert isinstance(logs.events(channel="Security", ids=(4624,), since=0, fields=()), Unknown)
    assert isinstance(logs.events(channel="System", ids=(1102,), since=0, fields=()), Unknown)
    assert read.value.enabled is None
    # A tool that ends with 0 and prints nothing did not look.
    silent = part("events-security", channel, ("searched", {}))
    nothing = host(write(tmp_path / "g", parts(**{"events-security": silent}))).logs
    assert isinstance(nothing.events(channel="Security", ids=(1102,), since=0, fields=()), Unknown)
    refused = part("events-security", channel, ("error", {"what": "Security", "code": "0"}))
    denied = host(write(tmp_path / "f", parts(**{"events-security": refused}), elevated="no")).logs
    answer = denied.events(channel="Security", ids=(1102,), since=0, fields=())
    assert isinstance(answer, Unknown)
    assert answer.cause is Cause.DENIED


def test_a_channel_that_this_windows_lacks_is_absent_and_one_that_is_off_is_off(tmp_path: Path) -> None:
    name = "Microsoft-Windows-Partition/Diagnostic"
    channel = ("channel", {"name": name, "id": ["1006"], "limit": "500"})
    asked = {"channel": name, "ids": (1006,), "since": 0.0, "fields": ()}
    key = "events-partition-diagnostic"
    lacking = host(write(tmp_path / "e", parts(**{key: part(key, channel, ("absent", {}))}))).logs
    assert lacking.events(**asked) == Absent(name)
    off = part(key, channel, ("state", {"enabled": "false"}), ("searched", {}))
    read = host(write(tmp_path / "f", parts(**{key: off}))).logs.events(**asked)
    assert isinstance(read, Known)
    assert (read.value.events, read.value.oldest, read.value.enabled) == ((), None, False)
    # Neither found in the list of channels nor searched: nothing is known of it.
    unread = host(write(tmp_path / "g", parts(**{key: part(key, channel)}))).logs
    assert isinstance(unread.events(**asked), Unknown)


def test_the_hosts_file(tmp_path: Path) -> None:
    path = r"C:\Windows\System32\drivers\etc\hosts"
    row = {"path": path, "state": "copied", "member": "files/hosts", "bytes": "9"}
    copied = parts(files=part("files", ("file", row)))
    assert host(write(tmp_path / "e", copied, files={"files/hosts": b"127.0.0.1"})).files.text(
        path=path.lower()
    ) == Known("127.0.0.1", path.lower())
    assert isinstance(host(write(tmp_path / "f", copied)).files.text(path=path), Unknown)
    assert isinstance(
        host(write(tmp_path / "g", copied, files={"files/hosts": b"127."})).files.text(path=path), Unknown
    )
    gone = parts(files=part("files", ("file", {"path": path, "state": "absent"})))
    assert isinstance(host(write(tmp_path / "h", gone)).files.text(path=path), Absent)
    assert isinstance(host(write(tmp_path / "i", gone)).files.text(path=r"C:\x"), Unknown)


def test_security_centre(tmp_path: Path) -> None:
    product = (
        "antivirus",
        {"displayName": "示例杀毒", "productState": "262144", "pathToSignedProductExe": "C:\\av.exe"},
    )
    read = host(write(tmp_path / "e", parts(products=part("products", product)))).security.products()
    assert isinstance(read, Known)
    assert (read.value[0].enabled, read.value[0].updated) == (False, None)
    # Undocumented bits are never believed when they say that all is well.
    on = ("antivirus", {"displayName": "示例杀毒", "productState": str(0x41000), "pathToSignedProductExe": ""})
    running = host(write(tmp_path / "f", parts(products=part("products", on)))).security.products()
    assert isinstance(running, Known)
    assert (running.value[0].enabled, running.value[0].updated) == (None, None)
    refused = part("products", ("error", {"what": "SecurityCenter2", "code": "8004100E"}))
    assert isinstance(host(write(tmp_path / "g", parts(products=refused))).security.products(), Unknown)


def test_an_interrupted_run_keeps_what_it_wrote(tmp_path: Path) -> None:
    made = write(tmp_path / "e", parts(), registry=[services(USBSTOR_3)], finished=False)
    evidence = read_evidence(made)
    assert not evidence.finished
    assert evidence.at == datetime(2026, 11, 20, 1, 59, tzinfo=UTC)
    h = collected_host(evidence)
    assert isinstance(h.registry.value(key=USBSTOR, name="Start"), Known)
    read = h.accounts.local_users()
    assert isinstance(read, Unknown)
    assert read.cause is Cause.INCOMPLETE


def test_a_part_cut_off_is_malformed(tmp_path: Path) -> None:
    cut = part("accounts", user()).partition("[end]")[0]
    read = host(write(tmp_path / "e", parts(accounts=cut))).accounts.local_users()
    assert isinstance(read, Unknown)
    assert read.cause is Cause.MALFORMED


def test_a_copy_that_lacks_something_is_refused(tmp_path: Path) -> None:
    made = write(tmp_path / "e", parts(), registry=[services(USBSTOR_3)])
    (made / "registry" / "001.reg").unlink()
    with pytest.raises(InputProblems, match=r"001\.reg.*证据中没有"):
        read_evidence(made)
    made = write(tmp_path / "f", parts())
    (made / "system.txt").write_bytes((made / "system.txt").read_bytes()[:-10])
    with pytest.raises(InputProblems, match="长度应为"):
        read_evidence(made)


def test_nothing_asked_of_empty_evidence_is_absent_or_empty(tmp_path: Path) -> None:
    h = host(write(tmp_path / "e", {}))
    for read in (
        h.accounts.local_users(), h.accounts.policy(), h.accounts.join(), h.services.configured(), h.services.states(),
        h.processes.running(), h.sockets.table(), h.jobs.tasks(), h.devices.listed(enumerator="USBSTOR"), h.devices.disks(),
        h.devices.of_class(guid="{x}"), h.network.interfaces(), h.network.routes(), h.network.saved(), h.network.radios(),
        h.network.firewall(), h.network.forwarding(), h.security.products(), h.security.licence(), h.security.restore_points(),
        h.registry.users(), h.system.identity(), h.system.boot_time(),
    ):  # fmt: skip
        assert isinstance(read, Unknown)


def test_bom_constant() -> None:
    assert utf16("a") == BOM + b"a\0"
