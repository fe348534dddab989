"""What Windows remembers of networks and says of radios, drivers and servers: the decoders behind the network group."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ybscan.hosts.windows import netpaths, wlandata
from ybscan.hosts.windows.memory import MalformedBufferError
from ybscan.hosts.windows.netkinds import Node, kind_of
from ybscan.hosts.windows.netprofiles import PhoneEntry, WlanProfile, phone_book, wlan_profile


@pytest.mark.parametrize(
    ("if_type", "medium", "node", "kind"),
    [
        (6, 14, Node(r"PCI\VEN_10EC&DEV_8168\4&1", "rt640x64"), "ethernet"),
        (6, 0, Node(r"USB\VID_0BDA&PID_8153\001", "rtux64w10", (r"USB\VID_0BDA&PID_8153",)), "ethernet"),
        (6, 0, Node(r"VMBUS\{f8615163}\{1}", "netvsc"), "ethernet"),
        (6, 0, Node(r"USB\VID_2717&PID_FF80\1", "usbrndis6"), "usb-tether"),
        (6, 0, Node(r"USB\VID_04E8&PID_6863\1", "", (r"USB\Class_e0&SubClass_01&Prot_03",)), "usb-tether"),
        (6, 0, Node(r"USB\VID_05AC&PID_12A8\1", "Netaapl64"), "usb-tether"),
        (6, 0, Node(r"USB\VID_0BDA&PID_8156\1", "UsbNcm"), "usb-ethernet"),
        (6, 0, Node(r"USB\VID_12D1\1", "", (r"USB\Class_02&SubClass_0e&Prot_00",)), "wwan"),
        (6, 0, Node(r"BTH\MS_BTHPAN\7&1", "BthPan"), "bluetooth"),
        (6, 10, None, "bluetooth"),
        (6, 0, Node(r"ROOT\NET\0000", "tap0901", ("root\\tap0901",)), "tunnel"),
        (53, 0, Node(r"SWD\Wintun\{1}", "wintun", ("Wintun",)), "tunnel"),
        (6, 0, Node(r"ROOT\VMWARE\0000", "VMnetAdapter", ("*VMnetAdapter1",)), "virtual"),
        (6, 0, Node(r"ROOT\NET\0001", "VBoxNetAdp", ("sun_VBoxNetAdp",)), "virtual"),
        (6, 0, Node(r"COMPOSITEBUS\MS_IMPLAT_MP\{1}", "NdisImPlatformMp"), "bond"),
        (71, 9, Node(r"PCI\VEN_8086&DEV_2723\1", "Netwtw10"), "wireless"),
        (6, 9, None, "wireless"), (243, 0, None, "wwan"), (23, 0, None, "ppp"), (131, 0, None, "tunnel"),
        (24, 0, None, "loopback"),
        # Not known to be harmless: counts as a way out.
        (6, 0, None, "other"), (6, 0, Node(r"ROOT\NET\0002", "somevpn"), "other"),
        (6, 0, Node(r"ROOT\VMS_MP\0000", "VMSMP"), "other"), (144, 0, None, "other"),
    ],
)  # fmt: skip
def test_kinds(if_type: int, medium: int, node: Node | None, kind: str) -> None:
    assert kind_of(if_type, medium, node) == kind


def interface(name: str, state: int) -> bytes:
    return bytes(range(16)) + name.encode("utf-16-le").ljust(512, b"\0") + struct.pack("<I", state)


def test_wireless_interfaces() -> None:
    (one,) = wlandata.wlan_interfaces(struct.pack("<2I", 1, 0) + interface("无线网卡", 1))
    assert (one.detail, one.state, one.raw) == ("无线网卡", 1, bytes(range(16)))
    assert one.id == "{03020100-0504-0706-0809-0A0B0C0D0E0F}"
    assert wlandata.wlan_interfaces(bytes(8)) == ()
    for lying in (b"", struct.pack("<2I", 2, 0) + interface("x", 1), struct.pack("<2I", 0xFFFFFFFF, 0)):
        with pytest.raises(MalformedBufferError):
            wlandata.wlan_interfaces(lying)


def test_profile_names() -> None:
    row = "医院内网".encode("utf-16-le").ljust(512, b"\0") + bytes(4)
    assert wlandata.wlan_profiles(struct.pack("<2I", 1, 0) + row) == ("医院内网",)


@pytest.mark.parametrize(
    ("phys", "on"),
    [
        ([(0, 1, 1)], True), ([(0, 2, 1)], False), ([(0, 1, 2)], False), ([(0, 2, 2), (1, 1, 1)], True),
        ([(0, 0, 1)], None), ([(0, 2, 2), (1, 0, 0)], None), ([], None),
    ],
)  # fmt: skip
def test_radios(phys: list[tuple[int, int, int]], on: bool | None) -> None:
    assert wlandata.radio_on(struct.pack("<I", len(phys)) + b"".join(struct.pack("<3I", *p) for p in phys)) is on


def test_hosted_network() -> None:
    answers = [wlandata.hosted_active(struct.pack("<I", n)) for n in range(4)]
    assert answers == [False, False, True, None]


@settings(deadline=None)
@given(st.binary(max_size=700))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """What is not whole is refused or gives nothing: no buffer too short for one entry holds any."""
    for read, entry in ((wlandata.wlan_interfaces, 8 + 532), (wlandata.wlan_profiles, 8 + 516)):
        with contextlib.suppress(MalformedBufferError):
            assert len(read(data)) <= max(0, len(data) - 8) // (entry - 8)
    for answer in (wlandata.radio_on, wlandata.hosted_active):
        with contextlib.suppress(MalformedBufferError):
            assert answer(data) in (True, False, None)
            assert len(data) >= 4


PROFILE = (
    '<?xml version="1.0"?><WLANProfile xmlns="http://www.microsoft.com/networking/WLAN/profile/v1"><name>手机热点</name>'
    "<SSIDConfig><SSID><hex>E6898BE69CBA</hex>{ssid}</SSID></SSIDConfig><connectionType>{type}</connectionType><MSM>"
    "<security><sharedKey><keyType>passPhrase</keyType><keyMaterial>01000000D08C</keyMaterial></sharedKey></security>"
    "</MSM></WLANProfile>"
)


def test_a_profile_gives_its_names_alone() -> None:
    text = PROFILE.format(ssid="<name>AndroidAP</name>", type="ESS")
    assert wlan_profile(text) == WlanProfile("手机热点", "AndroidAP", "")
    assert wlan_profile(PROFILE.format(ssid="", type="IBSS")) == WlanProfile("手机热点", "手机", "adhoc")


@pytest.mark.parametrize("text", ["", "<x/>", PROFILE[:80], "<!DOCTYPE a []>" + PROFILE[21:], "x" * 2_000_000])
def test_what_is_no_profile(text: str) -> None:
    assert wlan_profile(text) is None


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_profile_or_none(text: str) -> None:
    assert wlan_profile(text) is None
    assert len(phone_book(text)) <= text.count("[")


def test_a_phone_book() -> None:
    text = "[医保VPN]\r\nEncoding=1\r\nType=2\r\nDEVICE=vpn\r\n\r\n[宽带连接]\r\nType=5\r\nDEVICE=PPPoE\r\n\r\n[拨号]\r\nType=1\r\n"
    assert phone_book(text) == (
        PhoneEntry("医保VPN", "vpn"),
        PhoneEntry("宽带连接", "pppoe"),
        PhoneEntry("拨号", "ppp"),
    )
    assert phone_book("") == ()


@pytest.mark.parametrize(
    ("given_path", "plain", "extended"),
    [
        (r"C:\a\..\b", r"C:\b", r"\\?\C:\b"), ("D:/备份/", r"D:\备份", r"\\?\D:\备份"), ("D:\\", "D:\\", "\\\\?\\D:\\"),
        (r"\\nas\bak\x", r"\\nas\bak\x", r"\\?\UNC\nas\bak\x"), (r"\\?\UNC\nas\bak", r"\\nas\bak", r"\\?\UNC\nas\bak"),
        (r"\\?\C:\x", r"C:\x", r"\\?\C:\x"), (r"\??\C:\x", r"C:\x", r"\\?\C:\x"),
    ],
)  # fmt: skip
def test_paths(given_path: str, plain: str, extended: str) -> None:
    assert netpaths.plain(given_path).rstrip("\\") == plain.rstrip("\\")
    assert netpaths.extended(given_path).rstrip("\\") == extended.rstrip("\\")


def test_servers_in_paths() -> None:
    assert netpaths.unc_of(r"\\nas\bak\x") == ("nas", "bak")
    assert netpaths.unc_of(r"\\dav.example@SSL@443\DavWWWRoot\x") == ("dav.example", "DavWWWRoot")
    for path in (r"C:\x", r"\\nas", r"\\?\Volume{x}\y", r"\\.\C:", ""):
        assert netpaths.unc_of(path) is None
    assert netpaths.unc_of_device(r"\Device\LanmanRedirector\;Z:0000000000012345\nas\bak") == r"\\nas\bak"
    assert netpaths.unc_of_device(r"\Device\Mup\;LanmanRedirector\;Z:0000000000012345\nas\bak") == r"\\nas\bak"
    assert netpaths.unc_of_device(r"\Device\HarddiskVolume3") == ""


@pytest.mark.parametrize(
    ("server", "other"),
    [
        ("nas", True), ("192.0.2.9", True), ("2001-db8--9.ipv6-literal.net", True),
        ("localhost", False), ("127.0.0.1", False), ("127.9.9.9", False), ("--1.ipv6-literal.net", False),
        ("10.20.1.5", False), ("YB-0001", False), ("yb-0001.hospital.example", False), ("yb-0001.other.example", False),
        ("bak-alias", False), ("HOSPITAL", False), ("hospital.example", False), ("tsclient", False), ("wsl$", False),
        ("VBOXSVR", False), ("127.1", False), ("0x7f000001", False), ("2130706433", False), ("", False), (".", False), ("::1", False), ("fe80::1%7", False),
    ],
)  # fmt: skip
def test_which_servers_are_other_machines(server: str, other: bool) -> None:
    why = netpaths.why_hidden(
        server, frozenset({"YB-0001", "yb-0001.hospital.example", "bak-alias"}), frozenset({"10.20.1.5", "fe80::1"}),
        frozenset({"hospital.example", "HOSPITAL"}),
    )  # fmt: skip
    assert (why == "") is other


@pytest.mark.parametrize(("server", "other"), [("nas", False), ("192.0.2.9", True)])
def test_a_file_service_that_answers_to_any_name(server: str, other: bool) -> None:
    nobody: frozenset[str] = frozenset()
    assert (netpaths.why_hidden(server, nobody, nobody, nobody, any_name=True) == "") is other


def test_names_in_a_hosts_file() -> None:
    text = "127.0.0.1 localhost bak\n10.20.1.5\tnas2 nas3 # here\n10.20.0.9 nas\n# 127.0.0.1 x\nnonsense line\n\n"
    assert netpaths.names_for(text, frozenset({"10.20.1.5"})) == {"localhost", "bak", "nas2", "nas3"}
