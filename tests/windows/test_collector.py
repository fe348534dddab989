"""The collector run by Windows' own script host, as far as Wine goes: the command file, the registry, WMI, the manifest.

Wine lacks the event log, the task scheduler, ADSI, secedit and the values of StdRegProv: there the script must say so, and what
it says must become Unknown.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import winreg
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.windows.win import delete_tree
from ybscan.hosts.base import Host
from ybscan.hosts.collected.evidence import Evidence, read_evidence
from ybscan.hosts.collected.load import collected_host
from ybscan.hosts.groups.registry import WITHHELD
from ybscan.model.reading import Absent, Known, Unknown

assert sys.platform == "win32"

SCRIPTS = PROJECT / "tools" / "collector" / "windows"
SERVICE = r"SYSTEM\CurrentControlSet\Services\YbscanProbe"
SNMP = r"SYSTEM\CurrentControlSet\Services\SNMP\Parameters\ValidCommunities"
WINLOGON = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon"
POLICY = r"SOFTWARE\Policies\Microsoft\Windows\RemovableStorageDevices"
SECRETS = ("Geheim1", "Geheim2", "Geheim3", "Geheim4", "Geheim5", "Geheim6")
#: Of the values in the planted service, as an honest reader must see them.
VALUES = {
    "Type": 16,
    "Start": 3,
    "Text": '引号" 反\\斜',
    "Many": ("一", "b"),
    "Number": (1 << 40).to_bytes(8, "little"),
    "Bytes": bytes(range(200)),
    "": "默认",
}


def put(path: str, name: str, kind: int, value: object) -> None:
    with winreg.CreateKeyEx(winreg.HKEY_LOCAL_MACHINE, path, 0, winreg.KEY_ALL_ACCESS | winreg.KEY_WOW64_64KEY) as key:
        winreg.SetValueEx(key, name, 0, kind, value)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def planted() -> Iterator[None]:
    """A service, a policy and secrets in the registry, gone afterwards."""
    put(SERVICE, "Type", winreg.REG_DWORD, 16)
    put(SERVICE, "Start", winreg.REG_DWORD, 3)
    put(SERVICE, "ImagePath", winreg.REG_EXPAND_SZ, '"%SystemRoot%\\x y\\p.exe" --password Geheim1')
    put(SERVICE, "Text", winreg.REG_SZ, VALUES["Text"])
    put(SERVICE, "Many", winreg.REG_MULTI_SZ, list(VALUES["Many"]))  # type: ignore[call-overload]
    put(SERVICE, "Number", winreg.REG_QWORD, 1 << 40)
    put(SERVICE, "Bytes", winreg.REG_BINARY, VALUES["Bytes"])
    put(SERVICE, "", winreg.REG_SZ, VALUES[""])
    put(SERVICE, "Password", winreg.REG_SZ, "Geheim2")
    put(SERVICE + r"\Parameters", "Url", winreg.REG_SZ, "http://u:Geheim3@h/")
    put(SERVICE + r"\Parameters", "Command", winreg.REG_SZ, "p.exe /pwd=Geheim6")
    put(SNMP, "Geheim4", winreg.REG_DWORD, 4)
    put(WINLOGON, "AutoAdminLogon", winreg.REG_SZ, "1")
    put(WINLOGON, "DefaultPassword", winreg.REG_SZ, "Geheim5")
    put(POLICY, "Deny_All", winreg.REG_DWORD, 1)
    yield
    for path in (SERVICE, r"SYSTEM\CurrentControlSet\Services\SNMP", POLICY):
        delete_tree(winreg.HKEY_LOCAL_MACHINE, path)
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, WINLOGON, 0, winreg.KEY_ALL_ACCESS) as key:
        for name in ("AutoAdminLogon", "DefaultPassword"):
            winreg.DeleteValue(key, name)


@pytest.fixture(scope="module")
def brought(planted: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The evidence folder of one run, started as a double-click on a share would."""
    chinese = ctypes.windll.kernel32.GetACP() == 936
    base = tmp_path_factory.mktemp("collector")
    share = base / ("共享 夹" if chinese else "a share")
    shutil.copytree(SCRIPTS, share)
    out = base / ("结果 夹" if chinese else "the results")
    out.mkdir()
    before = {p for t in temporary() for p in t.iterdir()}
    code, said = ran(
        base, shutil.which("cmd") or "cmd", "/d", "/c", "call", str(share / "ybscan-collect.cmd"), str(out)
    )
    # Wine's cmd makes 1 of the code that a called file ends with; the text says that it was 4: finished, with gaps.
    assert code in (1, 4), said
    assert not chinese or "采集完成，有些内容未能取得".encode("gbk") in said
    assert {p for t in temporary() for p in t.iterdir() if p.suffix == ".tmp"} <= before, "the working file stayed"
    made = [p for p in out.iterdir() if p.is_dir()]
    assert len(made) == 1
    yield made[0]
    # Wine under another locale could not spell these names, nor delete them later.
    shutil.rmtree(base)


def ran(folder: Path, *command: str) -> tuple[int, bytes]:
    """Exit code and output. Into a file: services that Wine starts on the way would keep a pipe open."""
    with (folder / "said.txt").open("w+b") as f:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.STDOUT, check=False, timeout=300
        )
        f.seek(0)
        return done.returncode, f.read()


def temporary() -> list[Path]:
    """The folders for temporary files."""
    places = (Path(os.environ.get("TEMP", "C:\\none")), Path(os.environ["SYSTEMROOT"]) / "Temp")
    return [p for p in places if p.is_dir()]


@pytest.fixture(scope="module")
def evidence(brought: Path) -> Evidence:
    return read_evidence(brought)


@pytest.fixture(scope="module")
def host(evidence: Evidence) -> Host:
    return collected_host(evidence)


def test_no_secret_is_on_the_medium(brought: Path) -> None:
    files = [p for p in brought.rglob("*") if p.is_file()]
    assert len(files) > 40
    for path in files:
        data = path.read_bytes()
        for secret in SECRETS:
            assert secret.encode() not in data
            assert secret.encode("utf-16-le") not in data
            assert secret.encode("utf-16-le").hex(",").encode("utf-16-le") not in data, "as hexadecimal"


def test_values_are_what_windows_has(host: Host) -> None:
    key = f"HKLM\\{SERVICE}"
    read = host.registry.values(key=key)
    assert isinstance(read, Known)
    for name, value in VALUES.items():
        assert read.value[name] == value, name
    assert read.value["Password"] == WITHHELD
    image = read.value["ImagePath"]
    assert isinstance(image, str)
    assert image.startswith('"%SystemRoot%\\x y\\p.exe" --password ***')
    url = host.registry.value(key=key + r"\Parameters", name="Url")
    assert isinstance(url, Known)
    assert url.value == "http://***@h/"
    assert host.registry.value(key=f"HKLM\\{POLICY}", name="Deny_All") == Known(1, f"HKLM\\{POLICY}\\Deny_All")


def test_winlogon_tells_presence_alone(host: Host) -> None:
    key = f"HKLM\\{WINLOGON}"
    assert host.registry.value(key=key, name="AutoAdminLogon") == Known("1", f"{key}\\AutoAdminLogon")
    assert host.registry.value(key=key, name="DefaultPassword") == Known(WITHHELD, f"{key}\\DefaultPassword")
    assert isinstance(host.registry.value(key=key, name="ForceAutoLogon"), Absent)


def test_keys_of_secrets_are_closed(host: Host) -> None:
    assert isinstance(host.registry.values(key=f"HKLM\\{SNMP}"), Unknown)


def test_what_was_not_checked_is_not_complete(host: Host) -> None:
    # Wine's StdRegProv hands out no names, so the script could not ask for every key once more.
    missing = host.registry.value(key=r"HKLM\SYSTEM\CurrentControlSet\Services\UASPStor", name="Start")
    assert isinstance(missing, Unknown)
    services = host.services.configured()
    assert isinstance(services, Known)
    assert services.gaps
    assert "YbscanProbe" in [s.name for s in services.value]


def test_system_services_processes_and_network(host: Host, evidence: Evidence) -> None:
    assert evidence.finished
    assert evidence.at is not None
    identity = host.system.identity()
    assert isinstance(identity, Known)
    assert identity.value.os_id.startswith("windows-")
    assert host.system.bits() == Known((64, 64), "Win32_OperatingSystem")
    for read in (host.services.states(), host.processes.running(), host.devices.disks()):
        assert isinstance(read, Known), read
        assert read.value


def test_what_wine_lacks_is_unknown(host: Host) -> None:
    for read in (
        host.accounts.local_users(), host.accounts.policy(), host.accounts.members(sid="S-1-5-32-544"), host.jobs.tasks(),
        host.logs.events(channel="System", ids=(20001,), since=0, fields=()), host.security.products(),
        host.network.firewall(),
    ):  # fmt: skip
        assert isinstance(read, Unknown), read


def test_a_place_that_cannot_be_written(brought: Path, tmp_path: Path) -> None:
    script = str(SCRIPTS / "ybscan-collect.vbs")
    code, _ = ran(tmp_path, shutil.which("cscript") or "cscript", "//nologo", script, str(tmp_path / "none" / "none"))
    assert code == 3
