"""Rules of the Windows firewall: what is understood, what only perhaps applies, and that doubt never blocks."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest
from tests.conftest import PROJECT

from ybscan.hosts.windows.hive import load_hive
from ybscan.model.reading import Known
from ybscan.probes._netfilter.ranges import everyone
from ybscan.probes._windows.fw_rules import FirewallRule, Listener, applies, parsed, remote
from ybscan.probes._windows.images import same_image

SVCHOST = r"C:\Windows\System32\svchost.exe"
RDP = Listener("tcp", 3389, SVCHOST, frozenset({"termservice"}))


def rule(conditions: str, action: str = "Allow") -> FirewallRule:
    found = parsed(f"v2.31|Action={action}|Active=TRUE|Dir=In|{conditions}Name=规则|")
    assert isinstance(found, FirewallRule)
    return found


@pytest.mark.parametrize(
    ("written", "running", "same"),
    [
        (r"%SystemRoot%\system32\svchost.exe", SVCHOST, True),
        (r"%windir%\System32\SVCHOST.EXE", SVCHOST, True),
        (r"%ProgramFiles%\svchost.exe", r"C:\Windows\svchost.exe", None),
        (r"D:\HIS\his.exe", r"C:\HIS\his.exe", None),
        (r"D:\HIS\his.exe", r"d:\his\HIS.EXE", True),
        (r"D:\HIS\his.exe", r"D:\HIS\other.exe", False),
        (r"C:\PROGRA~1\HIS\HISSER~1.EXE", r"C:\Program Files\HIS\hisserver.exe", None),
        (r"%ProgramFiles% (x86)\HIS\his.exe", r"C:\Program Files (x86)\HIS\his.exe", True),
        (r"%HIS%\his.exe", r"D:\HIS\his.exe", None),
        (r"%ProgramFiles%\HIS\his.exe", r"D:\Program Files\HIS\his.exe", None),
        ("System", "System", True),
        (r"C:\a\svchost.exe", "svchost.exe", None),
    ],
)
def test_images(written: str, running: str, same: bool | None) -> None:
    assert same_image(written, running) is same


@pytest.mark.parametrize(
    "text",
    [
        "", "v2.31", "v2.31|Action=Allow|Dir=In|", "v2.31|Active=TRUE|Dir=In|", "Action=Allow|Active=TRUE|Dir=In|",
        "v2.31|Action=Allow|Active=TRUE|Dir=In|LPort|", "v2.31|Action=Erlauben|Active=TRUE|Dir=In|",
        "v2.31|Action=Allow|Active=YES|Dir=In|", "锟斤拷|Action=Allow|",
    ],
)  # fmt: skip
def test_what_is_no_rule(text: str) -> None:
    assert parsed(text) is None


def test_rules_that_are_off() -> None:
    assert parsed("v2.31|Action=Allow|Active=FALSE|Dir=In|") == "off"
    assert parsed("v2.31|Action=Block|Active=TRUE|Dir=Out|") == "off"


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("", True), ("Protocol=6|", True), ("Protocol=256|", True), ("Protocol=17|", False), ("Protocol=tcp|", None),
        ("LPort=3389|", True), ("LPort=22|LPort=3389|", True), ("LPort2_10=3000-4000|", True), ("LPort2_10=1-66|", False),
        ("LPort=RPC|", None), ("LPort=RPC-EPMap|", False), ("LPort=Neu|", None), ("RPort=1024|", True),
        ("Profile=Private|", False), ("Profile=Private|Profile=Public|", True), ("Profile=Vpn|", None),
        (r"App=%SystemRoot%\system32\svchost.exe|Svc=TermService|", True), ("Svc=*|", True), ("Svc=Dnscache|", False),
        ("IFType=Wireless|", None), ("LUAuth=O:LSD:(A;;CC;;;S-1-5-84-0-0-0-0-0)|", None), ("LA4=10.0.0.1|", None),
        ("Zukunft=1|", None), ("Zukunft=1|Protocol=17|", False), ("AppPkgId=S-1-15-2-1|", False),
    ],
)  # fmt: skip
def test_about_a_listener(conditions: str, expected: bool | None) -> None:
    assert applies(rule(conditions), RDP, "public") is expected


def test_a_remote_port_lets_in_but_does_not_surely_block() -> None:
    assert applies(rule("RPort=1024|", "Block"), RDP, "public") is None


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (r"C:\Program Files\WindowsApps\Vendor.App_1\app.exe", None), (r"C:\Windows\System32\backgroundTaskHost.exe", None),
        ("", None), ("his.exe", None), (r"D:\HIS\his.exe", False), ("System", False), ("lsass.exe", False),
    ],
)  # fmt: skip
def test_rules_of_packaged_applications(image: str, expected: bool | None) -> None:
    assert applies(rule("AppPkgId=S-1-15-2-1|"), Listener("tcp", 1, image, frozenset()), "public") is expected


@pytest.mark.parametrize(
    ("conditions", "listener", "expected"),
    [
        ("App=System|TTK2_27=WFDKmDriver|", Listener("tcp", 445, "System", frozenset(), wireless=False), False),
        ("App=System|TTK2_27=WFDKmDriver|", Listener("tcp", 445, "System", frozenset(), wireless=True), None),
        ("App=System|TTK2_27=UPnP|", Listener("tcp", 445, "System", frozenset()), False),
        ("App=System|TTK2_27=UPnP|", Listener("tcp", 2869, "System", frozenset()), None),
        ("Svc=Ssdpsrv|TTK2_27=UPnP|", Listener("udp", 1900, SVCHOST, frozenset({"ssdpsrv"})), None),
        ("TTK2_27=Neu|", Listener("tcp", 445, "System", frozenset(), wireless=False), None),
        ("IFType=Wireless|", Listener("tcp", 445, "System", frozenset(), wireless=False), False),
        ("IFType=Wireless|IFType=Lan|", Listener("tcp", 445, "System", frozenset(), wireless=False), None),
    ],
)
def test_trusted_tuples_and_wireless(conditions: str, listener: Listener, expected: bool | None) -> None:
    assert applies(rule(conditions), listener, "public") is expected


def test_services_that_are_not_known() -> None:
    assert applies(rule("Svc=TermService|"), Listener("tcp", 3389, SVCHOST, None), "public") is None


def test_remote_addresses() -> None:
    subnets = ((167772160, 167772415),)
    assert remote(rule(""), "ipv4", subnets).anyone
    assert remote(rule("RA4=LocalSubnet|"), "ipv4", subnets).ranges == subnets
    assert remote(rule("RA4=LocalSubnet|"), "ipv4", None).vague
    assert remote(rule("RA4=10.0.0.0/255.255.255.0|"), "ipv4", None).ranges == subnets
    assert remote(rule("RA4=10.0.0.0-10.0.0.255|"), "ipv4", None).ranges == subnets
    assert remote(rule("RA4=10.0.0.0/24|"), "ipv6", None).ranges == ()
    assert remote(rule("RA42=IntErnet|"), "ipv4", None).ranges == everyone("ipv4")
    for word in ("DNS", "Intranet", "Neu", "10.0.0.300"):
        assert remote(rule(f"RA4={word}|"), "ipv4", subnets).vague, word


HIVES = PROJECT.parent / "shared" / "windows" / "hives"
RULES = ("ControlSet001", "Services", "SharedAccess", "Parameters", "FirewallPolicy", "FirewallRules")


@pytest.mark.parametrize(
    ("name", "logs", "count", "about"),
    [("rp_SYSTEM", (), 323, {("tcp", 445, "domain")}), ("rp_SYSTEM_B", ("LOG1", "LOG2"), 443, set())],
)
def test_rules_of_real_machines(
    tmp_path: Path, name: str, logs: tuple[str, ...], count: int, about: set[tuple[str, int, str]]
) -> None:
    """Every rule is understood, and without a wireless card none of Windows' own perhaps lets SMB in."""
    if not HIVES.is_dir():
        pytest.skip("no real registry hives beside the project")
    for suffix in ("", *(f".{log}" for log in logs)):
        (tmp_path / f"{name}{suffix}").write_bytes(lzma.decompress((HIVES / f"{name}{suffix}.xz").read_bytes()))
    hive = load_hive(str(tmp_path / name))
    assert isinstance(hive, Known)
    values = hive.value.values(path=RULES, shown="rules")
    assert isinstance(values, Known)
    assert len(values.value) == count
    found = [parsed(text) for text in values.value.values() if isinstance(text, str)]
    assert len(found) == count
    assert None not in found
    active = [r for r in found if isinstance(r, FirewallRule)]
    assert len(active) > 60
    seen = {
        (proto, port, profile)
        for proto, port in (("tcp", 445), ("tcp", 139))
        for profile in ("domain", "public")
        for r in active
        if applies(r, Listener("tcp", port, "System", frozenset(), wireless=False), profile) is not False
    }
    assert about <= seen
    assert not {s for s in seen if s[2] == "public"}
