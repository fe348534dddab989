"""A Windows disk as a host: what lies where, in whatever case, and what may not be concluded from what is missing."""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest

from tests.hives.roots import CONFIG, NFURY, WINDOWS_7, WINDOWS_10, put, windows_7, windows_10
from tests.hives.shared import real
from tests.hives.writer import hive, sealed
from ybscan.hosts.base import Host
from ybscan.hosts.offline import looks_like_windows, offline_root, shortfall
from ybscan.model.problem import InputProblems
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

USER = "S-1-5-21-1-2-3-1001"
SYSTEM = {
    "Select": {"Current": 3},
    r"ControlSet003\Control\Session Manager\Environment": {"PROCESSOR_ARCHITECTURE": "AMD64"},
    r"ControlSet003\Services\USBSTOR": {"Start": 4, "Type": 1, "ImagePath": r"System32\drivers\USBSTOR.SYS"},
    r"ControlSet003\Services\EventLog\System": {"File": (2, "%SystemRoot%\\System32\\winevt\\Logs\\System.evtx\0".encode("utf-16-le"))},
    r"ControlSet003\Enum\USB": {},
    r"ControlSet001\Services\USBSTOR": {"Start": 3},
}  # fmt: skip
SOFTWARE = {
    r"Microsoft\Windows NT\CurrentVersion": {"SystemRoot": r"C:\WINDOWS", "CurrentBuildNumber": "19045", "EditionID": "Professional"},
    rf"Microsoft\Windows NT\CurrentVersion\ProfileList\{USER}": {"ProfileImagePath": r"C:\Users\张三"},
    r"Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-1-2-3-1002": {"ProfileImagePath": r"D:\Users\李四"},
    r"Wow6432Node\示例": {"位数": 32}, r"示例": {"位数": 64, "LogonPassword": "geheim"},
    r"Microsoft\Windows\CurrentVersion\Policies\System": {"x": 1},
}  # fmt: skip
NTUSER = {r"Control Panel\Desktop": {"ScreenSaverIsSecure": "1"}, r"Software\软件": {"名": "值"}}


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    put(tmp_path, "windows/SYSTEM32/Config/system", hive(SYSTEM))
    put(tmp_path, "windows/SYSTEM32/Config/Software", hive(SOFTWARE))
    put(tmp_path, "windows/SYSTEM32/Config/DEFAULT", hive({r"Control Panel\Desktop": {"Wallpaper": "登录"}}))
    put(tmp_path, "windows/SYSTEM32/Config/SECURITY", hive({"Policy": {"x": 1}}))
    put(tmp_path, "USERS/张三/ntuser.dat", hive(NTUSER))
    put(tmp_path, "USERS/张三/appdata/local/microsoft/windows/usrclass.dat", hive({r".txt": {"": "文本"}}))
    return tmp_path


def known(reading: Reading[Any]) -> Any:
    assert isinstance(reading, Known), reading
    return reading.value


def why(reading: Reading[Any]) -> Cause:
    assert isinstance(reading, Unknown), reading
    return reading.cause


# ---------------------------------------------------------------------------------------------------- detection


def test_a_disk_in_any_case_is_windows(disk: Path) -> None:
    host = offline_root(disk)
    assert (host.os, host.backend) == ("windows", "offline")
    assert shortfall(disk) == ""


def test_a_folder_named_etc_does_not_make_it_linux(disk: Path) -> None:
    (disk / "etc").mkdir()
    assert offline_root(disk).os == "windows"


def test_linux_stays_linux(tmp_path: Path) -> None:
    put(tmp_path, "etc/os-release", b"ID=kylin\n")
    put(tmp_path, "Windows/System32/config/SYSTEM", hive(SYSTEM))
    assert offline_root(tmp_path).os == "linux"
    assert shortfall(tmp_path) == ""


def test_neither_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    put(tmp_path, "SYSTEM", b"a file of that name")
    assert not looks_like_windows(tmp_path)
    with pytest.raises(InputProblems) as refused:
        offline_root(tmp_path)
    (problem,) = refused.value.problems
    assert "etc" in problem.message
    assert r"Windows\System32\config" in problem.message


def test_hives_in_a_bare_folder(tmp_path: Path) -> None:
    put(tmp_path, "System", hive(SYSTEM))
    put(tmp_path, "SAM", real("pl_SAM"))
    host = offline_root(tmp_path)
    assert host.os == "windows"
    assert "SOFTWARE" in shortfall(tmp_path)
    assert known(host.registry.value(key=r"HKLM\SYSTEM\CurrentControlSet\Services\USBSTOR", name="Start")) == 4
    assert known(host.accounts.policy()).min_length == 7
    assert why(host.registry.value(key=r"HKLM\SOFTWARE\x", name="y")) is Cause.INCOMPLETE
    assert why(host.files.stat(path=r"C:\Windows\System32\drivers\x.sys")) is Cause.INCOMPLETE
    assert why(host.files.head(path=r"C:\SAM", size=64)) is Cause.NOT_PERMITTED
    assert why(host.jobs.tasks()) is Cause.INCOMPLETE
    assert why(host.registry.users()) is Cause.INCOMPLETE


# ----------------------------------------------------------------------------------------------------- registry


def test_control_set_views_people_and_secrets(disk: Path) -> None:
    registry = offline_root(disk).registry
    start = {"key": r"HKLM\SYSTEM\CurrentControlSet\Services\usbstor", "name": "START"}
    assert known(registry.value(**start)) == 4
    assert known(registry.value(key=r"HKLM\SYSTEM\ControlSet001\Services\USBSTOR", name="Start")) == 3
    assert "CurrentControlSet" in known(registry.subkeys(key=r"HKLM\SYSTEM"))
    assert known(registry.value(key=r"HKLM\SOFTWARE\示例", name="位数")) == 64
    assert known(registry.value(key=r"HKLM\SOFTWARE\示例", name="位数", view="32")) == 32
    assert (
        known(
            registry.value(key=r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System", name="x", view="32")
        )
        == 1
    )
    assert "geheim" not in repr(registry.values(key=r"HKLM\SOFTWARE\示例"))
    assert known(registry.value(key=rf"HKU\{USER}\Control Panel\Desktop", name="ScreenSaverIsSecure")) == "1"
    assert known(registry.value(key=rf"HKEY_USERS\{USER}_Classes\.txt", name="")) == "文本"
    assert known(registry.value(key=r"HKU\.DEFAULT\Control Panel\Desktop", name="Wallpaper")) == "登录"
    assert known(registry.value(key=r"HKU\S-1-5-18\Control Panel\Desktop", name="Wallpaper")) == "登录"
    people = known(registry.users())
    assert [(p.account, p.home, p.loaded) for p in people] == [
        ("张三", r"C:\Users\张三", False), ("李四", r"D:\Users\李四", False),
    ]  # fmt: skip
    assert isinstance(registry.value(key=r"HKLM\SOFTWARE\没有", name="x"), Absent)
    assert isinstance(registry.value(key=r"HKU\S-1-5-21-9-9-9-9\x", name="x"), Absent)


def test_what_is_not_on_the_disk_is_unknown_never_absent(disk: Path) -> None:
    registry = offline_root(disk).registry
    assert why(registry.value(key=r"HKLM\SAM\SAM\Domains\Account", name="F")) is Cause.NOT_PERMITTED
    assert why(registry.subkeys(key=r"HKEY_LOCAL_MACHINE\security\Policy")) is Cause.NOT_PERMITTED
    assert why(registry.subkeys(key=r"HKLM\HARDWARE\DESCRIPTION")) is Cause.UNSUPPORTED
    assert why(registry.subkeys(key=r"HKLM")) is Cause.UNSUPPORTED
    # Another person's folder lies on another drive.
    assert why(registry.value(key=r"HKU\S-1-5-21-1-2-3-1002\x", name="y")) is Cause.UNSUPPORTED
    (disk / "USERS/张三/ntuser.dat").unlink()
    registry = offline_root(disk).registry
    assert why(registry.value(key=rf"HKU\{USER}\Control Panel\Desktop", name="ScreenSaverIsSecure")) is Cause.INCOMPLETE


@pytest.mark.parametrize("name", ["system", "Software"])
def test_a_hive_that_cannot_be_read(disk: Path, name: str) -> None:
    path = disk / "windows/SYSTEM32/Config" / name
    key = r"HKLM\SYSTEM\CurrentControlSet\Services\USBSTOR" if name == "system" else r"HKLM\SOFTWARE\示例"
    good = path.read_bytes()
    for data, cause in (
        (b"", Cause.MALFORMED),
        (good[: len(good) - 4096], Cause.MALFORMED),
        (b"garbage" * 2000, Cause.MALFORMED),
        (sealed(good, primary=99), Cause.INCOMPLETE),
    ):
        path.write_bytes(data)
        registry = offline_root(disk).registry
        assert why(registry.values(key=key)) is cause
        assert why(registry.value(key=key, name="nichts")) is cause
        assert why(registry.subkeys(key=key)) is cause
    path.unlink()
    path.mkdir()
    assert isinstance(offline_root(disk).registry.values(key=key), Unknown)


def test_without_the_select_key_nobody_knows_the_control_set(disk: Path) -> None:
    put(disk, "windows/SYSTEM32/Config/system", hive({k: v for k, v in SYSTEM.items() if k != "Select"}))
    host = offline_root(disk)
    assert (
        why(host.registry.value(key=r"HKLM\SYSTEM\CurrentControlSet\Services\USBSTOR", name="Start")) is Cause.MALFORMED
    )
    assert why(host.services.configured()) is Cause.MALFORMED
    assert why(host.devices.listed(enumerator="USBSTOR")) is Cause.MALFORMED


def test_links_in_the_registry_are_followed_but_not_into_closed_hives(disk: Path) -> None:
    def linked(target: str) -> Any:
        data = hive({"Other": {"SymbolicLinkValue": (6, target.encode("utf-16-le"))}, "Real": {"x": 5}, **SOFTWARE})
        at = data.rindex(b"nk", 0, data.index(b"Other"))
        flags = struct.unpack_from("<H", data, at + 2)[0] | 0x10
        put(disk, "windows/SYSTEM32/Config/Software", data[: at + 2] + struct.pack("<H", flags) + data[at + 4 :])
        return offline_root(disk).registry.value(key=r"HKLM\SOFTWARE\Other", name="x")

    assert known(linked(r"\Registry\Machine\SOFTWARE\Real")) == 5
    assert why(linked(r"\REGISTRY\MACHINE\SAM\SAM")) is Cause.NOT_PERMITTED
    assert why(linked(r"\REGISTRY\MACHINE\SOFTWARE\Other")) is Cause.UNSUPPORTED
    assert why(linked("nowhere")) is Cause.UNSUPPORTED


def test_32_bit_windows_has_one_view(tmp_path: Path) -> None:
    registry = offline_root(windows_7(tmp_path)).registry
    assert known(registry.values(key=r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion", view="32"))
    key = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
    assert known(registry.subkeys(key=key, view="32")) == ("医保结算",)


# -------------------------------------------------------------------------------------------------------- files


def test_files_in_any_case_and_only_on_the_disk(disk: Path) -> None:
    put(disk, "ProgramData/示例/设置.ini", "password=geheim\r\n端口=1\r\n".encode("gb18030"))
    files = offline_root(disk).files
    text = known(files.text(path=r"c:\programdata\示例\..\示例\.\设置.INI"))
    assert "端口=1" in text
    assert "geheim" not in text
    assert known(files.entries(path="C:\\ProgramData")) == ("示例",)
    assert known(files.real(path=r"c:\PROGRAMDATA\示例 ")) == r"C:\ProgramData\示例"
    assert known(files.stat(path=r"C:\ProgramData\示例\设置.ini")).kind == "file"
    assert isinstance(files.text(path=r"C:\ProgramData\没有"), Absent)
    assert why(files.text(path=r"D:\data.txt")) is Cause.UNSUPPORTED
    assert why(files.text(path=r"\\server\share\x")) is Cause.UNSUPPORTED
    assert why(files.stat(path=r"C:\PROGRA~1\x")) is Cause.UNSUPPORTED
    assert why(files.stat(path="ProgramData")) is Cause.MALFORMED
    assert why(files.stat(path="C:\\x\0y")) is Cause.MALFORMED
    assert why(files.stat(path="C:\\x:stream")) is Cause.MALFORMED
    assert why(files.head(path=r"C:\Windows\system32\config\SAM", size=9)) is Cause.NOT_PERMITTED
    assert why(files.digest(path=r"C:\Windows\System32\.\config\security", limit=10**6)) is Cause.NOT_PERMITTED
    put(disk, "ProgramData/a", b"1")
    put(disk, "ProgramData/A", b"2")
    again = offline_root(disk).files
    assert known(again.text(path=r"C:\ProgramData\A")) == "2"
    put(disk, "ProgramData/Bc", b"1")
    put(disk, "ProgramData/bC", b"2")
    assert why(offline_root(disk).files.text(path=r"C:\ProgramData\BC")) is Cause.MALFORMED


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="没有命名管道")
def test_links_and_fifos_on_a_hostile_disk(disk: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = put(tmp_path_factory.mktemp("outside"), "secret.txt", b"geheim")
    (disk / "link.txt").symlink_to(outside)
    (disk / "folder").symlink_to(outside.parent)
    os.mkfifo(disk / "fifo")
    host = offline_root(disk)
    for path in (r"C:\link.txt", r"C:\folder\secret.txt"):
        assert why(host.files.text(path=path)) is Cause.UNSUPPORTED
        assert why(host.files.stat(path=path)) is Cause.UNSUPPORTED
        assert why(host.volumes.digest(path=path, limit=100, seconds=5)) is Cause.UNSUPPORTED
    assert why(host.files.text(path=r"C:\fifo")) is Cause.MALFORMED
    config = disk / "windows/SYSTEM32/Config"
    (config / "Software").unlink()
    os.mkfifo(config / "Software")
    assert isinstance(offline_root(disk).registry.values(key=r"HKLM\SOFTWARE\示例"), Unknown)
    (config / "Software").unlink()
    shutil.copy(config / "system", outside.parent / "SOFTWARE")
    (config / "Software").symlink_to(outside.parent / "SOFTWARE")
    assert why(offline_root(disk).registry.values(key=r"HKLM\SOFTWARE\示例")) in (Cause.UNSUPPORTED, Cause.INCOMPLETE)


def test_windows_on_another_letter(disk: Path) -> None:
    put(disk, "windows/SYSTEM32/Config/Software", hive({
        r"Microsoft\Windows NT\CurrentVersion": {"SystemRoot": r"D:\WINDOWS"},
        rf"Microsoft\Windows NT\CurrentVersion\ProfileList\{USER}": {"ProfileImagePath": r"%SystemDrive%\Users\张三"},
    }))  # fmt: skip
    host = offline_root(disk)
    assert known(host.files.entries(path="D:\\Users")) == ("张三",)
    assert why(host.files.entries(path="C:\\Users")) is Cause.UNSUPPORTED
    assert known(host.registry.value(key=rf"HKU\{USER}\Software\软件", name="名")) == "值"


# --------------------------------------------------------------------------------- services, tasks, devices, logs

TASK = (
    '<?xml version="1.0" encoding="UTF-16"?><Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">'
    "<Triggers><CalendarTrigger><ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay></CalendarTrigger></Triggers>"
    "<Actions><Exec><Command>D:\\备份\\bak.cmd</Command></Exec></Actions></Task>"
)


def test_services_of_the_real_machines(tmp_path: Path) -> None:
    services = {s.name: s for s in known(offline_root(windows_7(tmp_path)).services.configured())}
    assert services["USBSTOR"].start == "demand"
    assert services["USBSTOR"].kind == "driver"
    assert services["LanmanServer"].start == "auto"
    assert services["SharedAccess"].start == "disabled"
    assert "srvsvc.dll" in services["LanmanServer"].dll
    host = offline_root(tmp_path)
    assert why(host.services.states()) is Cause.UNSUPPORTED
    assert (
        why(host.processes.listed() if hasattr(host.processes, "listed") else host.devices.disks()) is Cause.UNSUPPORTED
    )


def test_tasks(disk: Path) -> None:
    host = offline_root(disk)
    assert why(host.jobs.tasks()) is Cause.INCOMPLETE
    put(disk, "Windows2/x", b"")
    tasks = disk / "windows/SYSTEM32/tasks"
    (tasks / "Microsoft/Windows").mkdir(parents=True)
    (tasks / "Microsoft/Windows/每日备份").write_bytes(TASK.encode("utf-16"))
    (tasks / "坏的").write_bytes(b"<Task")
    (tasks / "大的").write_bytes(b" " * 300_000)
    read = offline_root(disk).jobs.tasks()
    (task,) = known(read)
    assert (task.path, task.programs, task.schedule, task.enabled, task.ran) == (
        r"\Microsoft\Windows\每日备份", ("D:\\备份\\bak.cmd",), "daily", True, False,
    )  # fmt: skip
    assert isinstance(read, Known)
    assert {g.cause for g in read.gaps} == {Cause.MALFORMED, Cause.TOO_LARGE}
    tree = r"Microsoft\Windows NT\CurrentVersion\Schedule\TaskCache\Tree"
    put(
        disk,
        "windows/SYSTEM32/Config/Software",
        hive({**SOFTWARE, rf"{tree}\别的": {"Id": "{1}"}, rf"{tree}\坏的": {"Id": "{2}"}}),
    )
    read = offline_root(disk).jobs.tasks()
    # A file that Windows does not know does nothing; a task whose file is gone is missing.
    assert [t.enabled for t in known(read)] == [False]
    assert isinstance(read, Known)
    assert [g.detail for g in read.gaps if g.cause is Cause.INCOMPLETE] == [r"计划任务 \别的 没有定义文件"]
    put(
        disk,
        "windows/SYSTEM32/Config/Software",
        hive({**SOFTWARE, rf"{tree}\Microsoft\Windows\每日备份": {"Id": "{1}"}}),
    )
    assert [t.enabled for t in known(offline_root(disk).jobs.tasks())] == [True]


def test_a_real_log_of_driver_installations(tmp_path: Path) -> None:
    logs = offline_root(windows_7(tmp_path)).logs
    asked = {"channel": "System", "ids": (20001, 20003), "fields": ("DriverName", "InstallStatus"), "since": 0.0}
    read = logs.events(**asked)
    log = known(read)
    assert isinstance(read, Known)
    assert not read.gaps
    assert len(log.events) == 130
    assert {e.id for e in log.events} == {20001, 20003}
    assert {e.provider for e in log.events} == {"Microsoft-Windows-UserPnp"}
    assert [e.time for e in log.events] == sorted(e.time for e in log.events)
    assert log.oldest == pytest.approx(1290311759.626427, abs=0.01)
    assert log.newest == pytest.approx(1442563125.877625, abs=0.01)
    few = logs.events(**{**asked, "limit": 10})
    assert isinstance(few, Known)
    assert [e.record for e in few.value.events] == [e.record for e in log.events[-10:]]
    assert [g.cause for g in few.gaps] == [Cause.TOO_LARGE]
    late = known(logs.events(**{**asked, "since": log.events[60].time}))
    assert 60 <= len(late.events) <= 70 or all(e.time >= log.events[60].time for e in late.events)


def test_a_real_log_of_new_accounts(tmp_path: Path) -> None:
    logs = offline_root(windows_10(tmp_path)).logs
    log = known(logs.events(channel="Security", ids=(4720, 4732), since=0.0, fields=("TargetUserName", "TargetSid")))
    assert [(e.id, e.data["TargetUserName"]) for e in log.events] == [
        (4720, "IEUser"), (4732, "Users"), (4732, "Administrators"),
    ]  # fmt: skip
    assert all(set(e.data) <= {"TargetUserName", "TargetSid"} for e in log.events)


def test_damaged_logs_leave_gaps_and_missing_ones_are_not_empty(tmp_path: Path) -> None:
    root = windows_7(tmp_path)
    path = root / "Windows/System32/winevt/Logs/System.evtx"
    good = path.read_bytes()
    asked: dict[str, Any] = {"channel": "System", "ids": (20001, 20003), "fields": (), "since": 0.0}
    chunk = 4096 + 3 * 65536

    def changed(at: int, data: bytes) -> bytes:
        return good[:at] + data + good[at + len(data) :]

    for data in (
        changed(chunk + 1000, b"\xff\xfe"),
        changed(chunk, b"XXXXXXXX"),
        changed(chunk, bytes(65536)),
        changed(chunk + 20_000, bytes(1000)),
        good[: len(good) // 2 + 777],
        good[: 4096 + 26 * 65536],
    ):
        path.write_bytes(data)
        read = offline_root(root).logs.events(**asked)
        assert isinstance(read, Known)
        assert read.gaps, len(data)
    for data in (b"", b"ElfFile\0", good[:4096], b"x" * 70_000):
        path.write_bytes(data)
        assert why(offline_root(root).logs.events(**asked)) is Cause.MALFORMED
    path.unlink()
    assert why(offline_root(root).logs.events(**asked)) is Cause.INCOMPLETE
    logs = offline_root(root).logs
    assert isinstance(logs.events(**{**asked, "channel": "No-Such-Channel/Operational"}), Absent)
    assert known(logs.events(**{**asked, "channel": "Microsoft-Windows-Quiet/Operational"})).enabled is False
    assert why(logs.events(**{**asked, "channel": "Microsoft-Windows-Kernel-PnP/Configuration"})) is Cause.INCOMPLETE


def test_devices_that_cannot_be_read_leave_gaps(tmp_path: Path) -> None:
    stick = r"ControlSet003\Enum\USBSTOR\Disk&Ven_A\{n}"
    times = r"\Properties\{83da6326-97a6-4088-9453-a1923f573b29}\0065"
    right = struct.pack("<Q", 131_666_000_000_000_000)
    put(tmp_path, f"{CONFIG}/SOFTWARE", hive(SOFTWARE))
    put(tmp_path, f"{CONFIG}/SYSTEM", hive({
        **SYSTEM,
        stick.replace("{n}", "1"): {"FriendlyName": "@x.inf,%y%;金士顿 U 盘", "ClassGUID": "{4D36E967-E325-11CE-BFC1-08002BE10318}",
                                    "HardwareID": ["USBSTOR\\Disk"], "ConfigFlags": 1},
        stick.replace("{n}", "1") + times: {"": (0xFFFF0010, right)},
        stick.replace("{n}", "2"): {"DeviceDesc": "@x.inf,%y%"},
        stick.replace("{n}", "3"): {"DeviceDesc": "盘"},
        stick.replace("{n}", "3") + times: {"": (0xFFFF0010, b"\1\2\3")},
        stick.replace("{n}", "4"): {"DeviceDesc": (4, b"\1")},
    }))  # fmt: skip
    read = offline_root(tmp_path).devices.listed(enumerator="usbstor")
    assert isinstance(read, Known)
    first, second = read.value
    assert (first.name, first.problem, first.dated, first.present) == ("金士顿 U 盘", 22, True, None)
    assert first.first_install == pytest.approx(1522126400.0)
    assert (second.name, second.dated, second.first_install) == ("", False, None)
    assert len(read.gaps) == 2
    assert known(offline_root(tmp_path).devices.listed(enumerator="SD")) == ()


def test_remembered_networks(disk: Path) -> None:
    profile = (
        '<?xml version="1.0"?><WLANProfile xmlns="http://www.microsoft.com/networking/WLAN/profile/v1"><name>医院外网</name>'
        "<SSIDConfig><SSID><name>guest-wifi</name></SSID></SSIDConfig><connectionType>ESS</connectionType>"
        "<MSM><security><sharedKey><keyMaterial>geheim</keyMaterial></sharedKey></security></MSM></WLANProfile>"
    )
    put(disk, "ProgramData/Microsoft/Wlansvc/Profiles/Interfaces/{A}/{B}.xml", profile.encode())
    put(
        disk,
        "Users/张三/AppData/Roaming/Microsoft/Network/Connections/Pbk/rasphone.pbk",
        "[宽带连接]\r\nType=5\r\n".encode(),
    )
    shutil.rmtree(disk / "USERS")
    read = offline_root(disk).network.saved()
    assert {(n.id, n.kind, n.ssid, n.last_used) for n in known(read)} == {
        ("医院外网", "wifi", "guest-wifi", None), ("宽带连接", "pppoe", "", None),
    }  # fmt: skip
    assert "geheim" not in repr(read)
    assert isinstance(read, Known)
    # The second person's folder lies on another drive.
    assert {g.cause for g in read.gaps} == {Cause.UNSUPPORTED}


def test_a_damaged_sam(tmp_path: Path) -> None:
    root = windows_7(tmp_path)
    good = real("pl_SAM")
    path = root / CONFIG / "SAM"
    at = good.index(bytes.fromhex("0200010000000000a4100d34469fce01"))
    for data in (b"", good[:30_000], good[: at + 0x18] + b"\x7f" * 40 + good[at + 0x40 :]):
        path.write_bytes(data)
        accounts = offline_root(root).accounts
        assert isinstance(accounts.policy(), Unknown)
        if len(data) < len(good):
            assert isinstance(accounts.local_users(), Unknown)
            assert isinstance(accounts.members(sid="S-1-5-32-544"), Unknown)
    flags = good.index(bytes.fromhex("020001000000000093c57f03f923d201"))
    path.write_bytes(good[: flags + 0x30] + b"\x01" + good[flags + 0x31 :])
    read = offline_root(root).accounts.local_users()
    assert isinstance(read, Known)
    assert [u.name for u in read.value] == ["Administrator", "Guest"]
    assert read.gaps
    path.unlink()
    assert why(offline_root(root).accounts.local_users()) is Cause.INCOMPLETE


def test_no_hash_leaves_the_accounts(tmp_path: Path) -> None:
    """The bytes in which the hive keeps hashes, and the domain's own key, are in no answer."""
    host: Host = offline_root(windows_7(tmp_path))
    said = repr([host.accounts.policy(), host.accounts.local_users(), host.accounts.members(sid="S-1-5-32-544")])
    good = real("pl_SAM")
    key = good.index(bytes.fromhex("8cea96a606fc15d4"))
    assert good[key : key + 8].hex() not in said
    assert "\\x" not in said
    assert WINDOWS_7
    assert WINDOWS_10
    assert NFURY not in said
