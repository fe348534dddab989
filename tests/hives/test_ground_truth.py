"""Every fact that an independent library reads in the real hives, read through our host and compared."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.hives.roots import NFURY, TONY, windows_7, windows_10
from tests.hives.shared import FOLDER
from ybscan.hosts.base import Host
from ybscan.hosts.offline import offline_root
from ybscan.model.reading import Absent, Known, Reading

CCS = r"HKLM\SYSTEM\CurrentControlSet"
Line = tuple[str, str]


def sections() -> dict[str, list[str]]:
    path = FOLDER / "GROUND-TRUTH.txt"
    if not path.is_file():
        return {}
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("====="):
            found[line.split()[1]] = [line]
        else:
            found[list(found)[-1]].append(line)
    return found


TRUTH = sections()
pytestmark = pytest.mark.skipif(not TRUTH, reason="没有真实的样本")


@pytest.fixture(scope="module")
def seven(tmp_path_factory: pytest.TempPathFactory) -> Host:
    return offline_root(windows_7(tmp_path_factory.mktemp("w7")))


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> Host:
    return offline_root(windows_10(tmp_path_factory.mktemp("w10")))


def known(reading: Reading[Any]) -> Any:
    assert isinstance(reading, Known), reading
    return reading.value


def when(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S")


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def same(expected: Any, got: Any) -> bool:
    if isinstance(expected, str) and re.fullmatch(r"<\d+ bytes>", expected):
        return isinstance(got, bytes) and len(got) == int(expected[1:].split()[0])
    if isinstance(expected, list):
        return list(expected) == (list(got) if isinstance(got, tuple) else [got])
    return bool(expected == got)


def compare_values(host: Host, key: str, expected: dict[str, Any]) -> int:
    got = {n.lower(): v for n, v in known(host.registry.values(key=key)).items()}
    for name, value in expected.items():
        assert same(value, got.get(name.lower())), (key, name, value, got.get(name.lower()))
    return len(expected)


def _literal(text: str) -> Any:
    return ast.literal_eval(text)


SYSTEM_KEYS: dict[str, Callable[[str], str]] = {
    "Select": lambda _: r"HKLM\SYSTEM\Select",
    "Lsa": lambda _: rf"{CCS}\Control\Lsa",
    "TS": lambda _: rf"{CCS}\Control\Terminal Server",
    "RDP-Tcp": lambda _: rf"{CCS}\Control\Terminal Server\WinStations\RDP-Tcp",
    "Shares": lambda _: rf"{CCS}\Services\LanmanServer\Shares",
    "ProductOptions": lambda _: rf"{CCS}\Control\ProductOptions",
    r"Control\Windows": lambda _: rf"{CCS}\Control\Windows",
}


@pytest.mark.parametrize("which", ["rp_SYSTEM", "rp_SYSTEM_B"])
def test_every_fact_of_the_machine_hives(which: str, request: pytest.FixtureRequest) -> None:
    host: Host = request.getfixturevalue("seven" if which == "rp_SYSTEM" else "ten")
    compared = 0
    for line in TRUTH[which][1:]:
        compared += _system_line(host, line.strip(), which)
    assert compared > 100, compared


def _system_line(host: Host, line: str, which: str) -> int:
    registry = host.registry
    if found := re.match(r"svc (\S+) Start (\d) Type (\d+) (\S+ \S+) (.*)$", line):
        key = rf"{CCS}\Services\{found[1]}"
        values = known(registry.values(key=key))
        assert (values["Start"], values["Type"]) == (int(found[2]), int(found[3])), line
        assert values["ImagePath"].startswith(found[5]), line
        # The logs of the second hive go on for days after what the list was made of.
        written = when(known(registry.written(key=key)))
        assert written == found[4] or (which == "rp_SYSTEM_B" and written > found[4]), line
        return 4
    if found := re.match(r"n services (\d+)$", line):
        # One service was added in the logs.
        count = len(known(registry.subkeys(key=rf"{CCS}\Services")))
        assert count == int(found[1]) + (which == "rp_SYSTEM_B")
        return 1
    if found := re.match(r"ComputerName (\S+)$", line):
        assert known(registry.value(key=rf"{CCS}\Control\ComputerName\ComputerName", name="ComputerName")) == found[1]
        assert known(host.system.identity()).hostname == found[1]
        return 2
    if found := re.match(r"TZ (.*) (\d+)$", line):
        return compare_values(host, rf"{CCS}\Control\TimeZoneInformation", {"Bias": int(found[2])})
    if found := re.match(r"Mounted (\S+) (.*)$", line):
        raw = known(registry.value(key=r"HKLM\SYSTEM\MountedDevices", name=found[1]))
        text = raw.decode("utf-16-le", "replace")
        assert raw.hex().startswith(found[2]) or text.startswith(found[2]), line
        return 1
    if found := re.match(r"FW (\w+Profile) (\{.*\})$", line):
        key = rf"{CCS}\Services\SharedAccess\Parameters\FirewallPolicy\{found[1]}"
        return compare_values(host, key, _literal(found[2]))
    if found := re.match(r"FW rules (\d+)$", line):
        rules = known(registry.values(key=rf"{CCS}\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules"))
        assert len(rules) >= int(found[1]), (line, len(rules))
        return 1
    if found := re.match(r"LanmanServer (\{.*\})$", line):
        return compare_values(host, rf"{CCS}\Services\LanmanServer\Parameters", _literal(found[1]))
    if found := re.match(r"if (\{\S+\}) (\{.*\})$", line):
        return compare_values(host, rf"{CCS}\Services\Tcpip\Parameters\Interfaces\{found[1]}", _literal(found[2]))
    if found := re.match(r"W32Time (\{.*\})$", line):
        expected = _literal(found[1])
        got = known(registry.values(key=rf"{CCS}\Services\W32Time\Parameters"))
        assert {k: got[k] for k in expected} == expected, line
        return len(expected)
    if found := re.match(r"EventLog (\w+) (\{.*\})$", line):
        return compare_values(host, rf"{CCS}\Services\EventLog\{found[1]}", _literal(found[2]))
    if found := re.match(r"Setup (\{.*?\}) (\[.*\])$", line):
        assert set(_literal(found[2])) <= set(known(registry.subkeys(key=r"HKLM\SYSTEM\Setup"))), line
        return compare_values(host, r"HKLM\SYSTEM\Setup", _literal(found[1]))
    if found := re.match(r"FileSystem (\[.*\])$", line):
        names = known(registry.values(key=rf"{CCS}\Control\FileSystem"))
        assert set(_literal(found[1])) <= set(names), line
        return 1
    if line == "StorageDevicePolicies None":
        assert isinstance(registry.values(key=rf"{CCS}\Control\StorageDevicePolicies"), Absent)
        return 1
    if found := re.match(r"Env arch (\w+)$", line):
        assert known(host.system.bits()) == ((32, 32) if found[1] == "x86" else (64, 64))
        return 1
    if found := re.match(r"([\w\\-]+) (\{.*\})$", line):
        return compare_values(host, SYSTEM_KEYS[found[1]](line), _literal(found[2]))
    if re.match(r"USBSTOR key|Disk&Ven|prop |Enum", line):
        return 0  # below
    raise AssertionError(f"nobody compares {line!r}")


@pytest.mark.parametrize("which", ["rp_SYSTEM", "rp_SYSTEM_B"])
def test_every_stick_with_its_times(which: str, request: pytest.FixtureRequest) -> None:
    host: Host = request.getfixturevalue("seven" if which == "rp_SYSTEM" else "ten")
    devices = {d.instance: d for d in known(host.devices.listed(enumerator="USBSTOR"))}
    expected: dict[str, dict[str, float]] = {}
    for line in TRUTH[which]:
        if found := re.match(r"\s+(Disk&\S+) \| (\S+) \| (.*?) \| (\S+ \S+)$", line):
            instance = rf"USBSTOR\{found[1]}\{found[2]}"
            assert devices[instance].name == found[3]
            assert devices[instance].service == "disk"
            assert when(known(host.registry.written(key=rf"{CCS}\Enum\{instance}"))) >= found[4]
            expected[instance] = {}
        elif found := re.match(r"\s+prop 0*(6\d) (\S+)$", line):
            expected[list(expected)[-1]][found[1]] = moment(found[2])
    assert expected.keys() == devices.keys()
    for instance, times in expected.items():
        device = devices[instance]
        assert device.dated
        assert device.present is None
        assert device.first_install == pytest.approx(times["65"], abs=1e-3)
        for number, got in (("66", device.last_arrival), ("67", device.last_removal)):
            if number in times:
                # The logs go on: a stick may have come and gone once more.
                assert got is not None
                assert got >= times[number] - 1e-3
            elif number == "66" or which == "rp_SYSTEM":
                assert got is None
    usb = known(host.devices.listed(enumerator="USB"))
    listed = next(line for line in TRUTH[which] if "Enum\\USB" in line)
    counts: dict[str, int] = {}
    for device in usb:
        kind = device.instance.split("\\")[1]
        counts[kind] = counts.get(kind, 0) + 1
    for kind, count in _literal(listed.partition(" n ")[2]):
        assert counts.get(kind, 0) >= count, (kind, counts)
    disk_class = known(host.devices.of_class(guid="{4D36E967-E325-11CE-BFC1-08002BE10318}"))
    assert set(expected) <= {d.instance for d in disk_class}
    assert known(host.devices.listed(enumerator="NEVERSEEN")) == ()


def test_policy_and_accounts(seven: Host) -> None:
    policy = known(seven.accounts.policy())
    line = next(line for line in TRUTH["pl_SAM"] if "policy" in line).split()
    truth = dict(zip(line[1::2], line[2::2], strict=True))
    assert policy.max_age == float(truth["maxage_days"]) * 86400
    assert policy.min_age == float(truth["minage_days"]) * 86400
    assert policy.lockout_duration == float(truth["lockdur_min"]) * 60
    assert policy.lockout_window == float(truth["obs_min"]) * 60
    assert policy.lockout_threshold == int(truth["lockthr"])
    assert (policy.min_length, policy.history) == (int(truth["minlen"]), int(truth["hist"]))
    assert policy.complexity is (int(truth["props"]) & 1 == 1)
    assert policy.reversible is False
    users = {u.rid: u for u in known(seven.accounts.local_users())}
    seen = 0
    for text in TRUTH["pl_SAM"]:
        found = re.match(
            r"\s+user (\w+) (\S+) .*last logon (.*?) pw set (.*?) expires (.*?) last bad .*? acb (0x\w+) (\w+)(.*)$",
            text,
        )
        if found is None:
            continue
        seen += 1
        user = users[int(found[1], 16)]
        assert user.name == found[2]
        assert (when(user.last_logon) if user.last_logon else "None") == found[3]
        assert (when(user.password_set) if user.password_set else "None") == found[4]
        assert (user.expires is None) is (found[5] == "None")
        assert user.disabled is (found[7] == "disabled")
        assert user.password_not_required is ("pwnotreq" in found[8])
        assert user.never_expires is ("pw-noexpire" in found[8])
    assert seen == len(users) == 3
    admins = known(seven.accounts.members(sid="S-1-5-32-544"))
    assert {(m.sid.rpartition("-")[2], m.name, m.kind) for m in admins} == {
        ("500", "Administrator", "user"), ("1001", "gold_administrator", "user"), ("512", "", "group"),
    }  # fmt: skip
    assert {m.sid for m in known(seven.accounts.members(sid="S-1-5-32-545"))} >= {"S-1-5-4", "S-1-5-11"}
    assert known(seven.accounts.members(sid="S-1-5-32-555")) == ()


@pytest.mark.parametrize(("which", "sid"), [("pl_NTUSER-WIN7.DAT", NFURY), ("rp_NTUSER_BAGMRU", TONY)])
def test_every_fact_of_the_people(which: str, sid: str, request: pytest.FixtureRequest) -> None:
    host: Host = request.getfixturevalue("seven" if sid == NFURY else "ten")
    people = known(host.registry.users())
    assert [(p.sid, p.account, p.loaded) for p in people] == [(sid, "nfury" if sid == NFURY else "tony", False)]
    compared = 0
    for line in TRUTH[which][1:]:
        found = re.match(r"   ([\w\\ ]+?) (\d{4}-\S+ \S+) (\{.*?\})? ?(\[.*\])?$", line.rstrip())
        if points := re.match(r"   MountPoints2 (\[.*\])$", line):
            top = rf"HKU\{sid}\Software\Microsoft\Windows\CurrentVersion\Explorer\MountPoints2"
            for name, written in _literal(points[1]):
                assert when(known(host.registry.written(key=rf"{top}\{name}"))) == written, line
                compared += 1
        if found is None:
            continue
        key = rf"HKU\{sid}\{found[1]}"
        assert when(known(host.registry.written(key=key))) == found[2], line
        compared += 1
        if found[3]:
            compared += compare_values(host, key, _literal(found[3]))
        if found[4]:
            assert set(_literal(found[4])) <= set(known(host.registry.subkeys(key=key))), line
            compared += 1
    assert compared > 20, compared


def test_the_domain_is_told_where_the_clues_agree(seven: Host, ten: Host) -> None:
    assert known(seven.accounts.join()).kind == "domain"
    assert known(seven.accounts.join()).name == "shieldbase.local"
    assert known(ten.accounts.join()).kind == "workgroup"
