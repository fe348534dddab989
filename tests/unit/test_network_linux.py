"""Interfaces, routes and remembered networks of Linux, from what iproute2, /sys, /proc and profiles say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ybscan.engine.cases import lay_out
from ybscan.hosts.groups.network import HISTORY, Interface, InterfaceAddress
from ybscan.hosts.groups.tools import Output, Tool, Tools
from ybscan.hosts.linux.files import LinuxFiles
from ybscan.hosts.linux.netlinks import kernel_addresses, read_interfaces
from ybscan.hosts.linux.netreach import tcp_opens
from ybscan.hosts.linux.netroutes import read_routes
from ybscan.hosts.linux.netsaved import parsed_keyfile, read_saved
from ybscan.model.reading import Cause, Known, Reading, Unknown


class Said(Tools):
    """Tools that say what they are told to; everything else is missing. Forms are checked as the real ones are."""

    def __init__(self, *answers: tuple[str, Any]) -> None:
        super().__init__()
        self.answers = dict(answers)
        self.asked: list[str] = []

    def run(self, *, tool: str, args: tuple[str, ...], seconds: int = 10) -> Reading[Output]:
        assert Tool[tool].allows(args), args
        shown = " ".join((Tool[tool].command, *args))
        self.asked.append(shown)
        answer = self.answers.get(shown)
        if answer is None:
            return Unknown(Cause.TOOL_MISSING, Tool[tool].command)
        if isinstance(answer, Output):
            return Known(answer)
        return Known(Output(0, answer if isinstance(answer, str) else json.dumps(answer), ""))


def tree(root: Path, content: dict[str, Any], *, live: bool = True) -> LinuxFiles:
    lay_out(content, root)
    return LinuxFiles(root=str(root), live=live)


def known(reading: Reading[Any]) -> Any:
    assert isinstance(reading, Known), reading
    return reading.value


# Interfaces ---------------------------------------------------------------------------------------------------------


def sysfs(name: str, *, number: str = "1", driver: str = "", devtype: str = "", **more: Any) -> dict[str, Any]:
    """The sysfs of one interface, its folder reached over a link as in the real one."""
    place = f"/sys/devices/{'pci0000:00/0000:00:1c.0' if driver else 'virtual'}/net/{name}"
    content: dict[str, Any] = {
        f"/sys/class/net/{name}": {"link": f"../..{place[4:]}"},
        f"{place}/type": number + "\n", f"{place}/flags": "0x1003\n", f"{place}/carrier": "1\n",
        f"{place}/address": "52:54:00:AB:CD:EF\n", f"{place}/uevent": (f"DEVTYPE={devtype}\n" if devtype else "") + f"INTERFACE={name}\n",
    }  # fmt: skip
    if driver:
        content[f"{place}/device"] = {"link": "../.."}
        content[f"/sys/devices/pci0000:00/0000:00:1c.0/{name}-driver"] = ""
        content["/sys/devices/pci0000:00/0000:00:1c.0/driver"] = {"link": f"../../../bus/pci/drivers/{driver}"}
    content.update({f"{place}/{k}": v for k, v in more.items()})
    return content


KINDS = [
    ("ethernet", sysfs("x0", driver="r8169")),
    ("ethernet", sysfs("x0", driver="r8152")),
    ("wireless", sysfs("x0", driver="iwlwifi", wireless={"dir": True})),
    ("wireless", sysfs("x0", driver="rtl8821cu", devtype="wlan")),
    ("usb-tether", sysfs("x0", driver="rndis_host")),
    ("usb-tether", sysfs("x0", driver="ipheth")),
    ("usb-ethernet", sysfs("x0", driver="cdc_ether")),
    ("usb-ethernet", sysfs("x0", driver="cdc_ncm")),
    ("wwan", sysfs("x0", driver="qmi_wwan", devtype="wwan", number="65534")),
    ("wwan", sysfs("x0", driver="huawei_cdc_ncm")),
    ("wwan", sysfs("x0", driver="cdc_ether", devtype="wwan")),
    ("bluetooth", sysfs("x0", driver="btusb", devtype="bluetooth")),
    ("bridge", sysfs("x0", devtype="bridge", bridge={"dir": True})),
    ("bond", sysfs("x0", bonding={"dir": True})),
    ("ppp", sysfs("x0", number="512")),
    ("tunnel", sysfs("x0", number="65534", tun_flags="0x1001\n")),
    ("tunnel", sysfs("x0", tun_flags="0x1002\n")),
    ("tunnel", sysfs("x0", number="65534")),
    ("tunnel", sysfs("x0", number="776")),
    ("virtual", sysfs("x0")),
    ("loopback", sysfs("x0", number="772")),
    ("other", sysfs("x0", number="32", driver="mlx5_core")),
]


@pytest.mark.parametrize(("kind", "content"), KINDS)
def test_kind_from_sysfs(tmp_path: Path, kind: str, content: dict[str, Any]) -> None:
    (found,) = known(read_interfaces(tree(tmp_path, content), Said(), None))
    assert found.kind == kind


def test_sysfs_alone_has_no_addresses_and_says_so(tmp_path: Path) -> None:
    reading = read_interfaces(tree(tmp_path, sysfs("eth0", driver="r8169")), Said(), None)
    assert known(reading) == (Interface("eth0", "ethernet", True, True, "52:54:00:ab:cd:ef", "r8169", (), ""),)
    assert isinstance(reading, Known)
    assert [g.cause for g in reading.gaps] == [Cause.UNSUPPORTED]


def test_sysfs_with_addresses_from_the_kernel(tmp_path: Path) -> None:
    mine = {"eth0": (InterfaceAddress("10.20.1.5", 16),)}
    files = tree(tmp_path, {**sysfs("eth0", driver="r8169"), "/sys/class/net/bonding_masters": ""})
    reading = read_interfaces(files, Said(), lambda: Known(mine))
    assert [i.addresses for i in known(reading)] == [mine["eth0"]]
    assert isinstance(reading, Known)
    assert reading.gaps == ()


def test_down_without_carrier(tmp_path: Path) -> None:
    content = sysfs("eth0", driver="r8169") | {"/sys/devices/pci0000:00/0000:00:1c.0/net/eth0/flags": "0x1002\n"}
    (found,) = known(read_interfaces(tree(tmp_path, content), Said(), None))
    assert (found.up, found.running) == (False, False)


LINK = {
    "ifname": "eth0", "link_type": "ether", "address": "52:54:00:AB:CD:EF", "flags": ["BROADCAST", "UP", "LOWER_UP"],
    "addr_info": [
        {"family": "inet", "local": "10.20.1.5", "prefixlen": 16}, {"family": "inet6", "local": "fe80::1", "prefixlen": 64},
        {"family": "inet", "local": "?"},
    ],
}  # fmt: skip


def test_iproute_gives_state_and_addresses(tmp_path: Path) -> None:
    tools = Said(("ip -j -d addr", [{}, LINK]))
    reading = read_interfaces(tree(tmp_path, sysfs("eth0", driver="r8169")), tools, None)
    (found,) = known(reading)
    assert found == Interface(
        "eth0", "ethernet", True, True, "52:54:00:ab:cd:ef", "r8169", (InterfaceAddress("10.20.1.5", 16), InterfaceAddress("fe80::1", 64)), ""
    )  # fmt: skip
    assert isinstance(reading, Known)
    assert reading.gaps == ()


def test_no_carrier_is_not_running(tmp_path: Path) -> None:
    tools = Said(("ip -j -d addr", [{**LINK, "flags": ["NO-CARRIER", "BROADCAST", "UP"]}]))
    (found,) = known(read_interfaces(tree(tmp_path, sysfs("eth0", driver="r8169")), tools, None))
    assert (found.up, found.running) == (True, False)


def test_sysfs_of_another_namespace_leaves_a_gap(tmp_path: Path) -> None:
    tools = Said(("ip -j -d addr", [LINK]))
    reading = read_interfaces(tree(tmp_path, sysfs("wlan0", driver="iwlwifi")), tools, None)
    assert [i.name for i in known(reading)] == ["eth0"]
    assert isinstance(reading, Known)
    assert [g.cause for g in reading.gaps] == [Cause.INCOMPLETE]


@pytest.mark.parametrize("said", ["[]", "[{}]"])
def test_a_list_without_any_interface_is_no_list(tmp_path: Path, said: str) -> None:
    reading = read_interfaces(tree(tmp_path, sysfs("eth0")), Said(("ip -j -d addr", said)), None)
    assert isinstance(reading, Unknown)


@pytest.mark.parametrize("said", ["", 'Option "-j" is unknown', "{}", Output(255, "", "x"), "[1]"])
def test_what_iproute_cannot_say_sysfs_does(tmp_path: Path, said: Any) -> None:
    reading = read_interfaces(tree(tmp_path, sysfs("eth0", driver="r8169")), Said(("ip -j -d addr", said)), None)
    assert [i.name for i in known(reading)] == ["eth0"]


def test_nothing_to_read_is_not_nothing_there(tmp_path: Path) -> None:
    assert not isinstance(read_interfaces(tree(tmp_path, {}), Said(), None), Known)
    assert isinstance(read_interfaces(tree(tmp_path, {}, live=False), Said(), None), Unknown)


def test_addresses_of_this_machine() -> None:
    found = known(kernel_addresses())
    assert any(a.address == "127.0.0.1" and a.prefix == 8 for mine in found.values() for a in mine)


# Routes -------------------------------------------------------------------------------------------------------------

V4, V6 = "ip -j -4 route show table all", "ip -j -6 route show table all"
RULES = [{"priority": 0, "src": "all", "table": "local"}, {"priority": 32766, "src": "all", "table": "main"}]


def routes(tmp_path: Path, v4: Any, v6: Any = "[ ]", rules: Any = RULES, content: dict[str, Any] | None = None) -> Any:
    tools = Said((V4, v4), (V6, v6), ("ip -j -4 rule", rules), ("ip -j -6 rule", rules))
    return read_routes(tree(tmp_path, content or {}), tools)


def test_routes_of_every_kind(tmp_path: Path) -> None:
    found = known(
        routes(
            tmp_path,
            [
                {"dst": "default", "gateway": "10.20.0.1", "dev": "eth0", "metric": 100, "flags": []},
                {"dst": "10.8/13", "dev": "eth0"},
                {"dst": "0.0.0.0/1", "via": {"family": "inet6", "host": "fe80::9"}, "dev": "tun0"},
                {"dst": "default", "table": "200", "nexthops": [{"gateway": "1.1.1.1", "dev": "a"}, {"dev": "b"}]},
                {"type": "blackhole", "dst": "default", "table": "9"},
                {"type": "local", "dst": "10.20.1.5", "dev": "eth0", "table": "local"},
            ],
            [{"dst": "2000::/3", "gateway": "fe80::1", "dev": "eth0", "metric": 1024}],
            [*RULES, {"priority": 5, "src": "10.20.1.5", "table": "200"}],
        )
    )
    assert [(r.destination, r.gateway, r.interface, r.table, r.type, r.consulted) for r in found] == [
        ("0.0.0.0/0", "", "b", "200", "unicast", True),
        ("0.0.0.0/0", "1.1.1.1", "a", "200", "unicast", True),
        ("0.0.0.0/0", "", "", "9", "blackhole", False),
        ("10.20.1.5/32", "", "eth0", "local", "local", True),
        ("0.0.0.0/0", "10.20.0.1", "eth0", "main", "unicast", True),
        ("0.0.0.0/1", "fe80::9", "tun0", "main", "unicast", True),
        ("10.8.0.0/13", "", "eth0", "main", "unicast", True),
        ("2000::/3", "fe80::1", "eth0", "main", "unicast", True),
    ]


def test_vrf_rule_leads_to_every_table(tmp_path: Path) -> None:
    found = known(
        routes(
            tmp_path,
            [{"dst": "default", "dev": "a", "table": "10"}],
            rules=[*RULES, {"l3mdev": None, "table": "[l3mdev-table]"}],
        )
    )
    assert found[0].consulted is True


def test_unread_rules_leave_it_open(tmp_path: Path) -> None:
    found = known(
        routes(tmp_path, [{"dst": "default", "dev": "a", "table": "10"}, {"dst": "default", "dev": "b"}], rules="no")
    )
    assert {r.interface: r.consulted for r in found} == {"a": None, "b": True}


PROC4 = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
DEFAULT4 = "eth0\t00000000\t0100140A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
REJECT4 = "*\t00000000\t00000000\t0200\t0\t0\t999\t00000000\t0\t0\t0\n"
PROC6 = (
    "00000000000000000000000000000000 00 " + "0" * 32 + " 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eth0\n"
    "00000000000000000000000000000000 00 " + "0" * 32 + " 00 " + "0" * 32 + " ffffffff 00000001 00000000 00200200 lo\n"
    "fd200000000000000000000000000005 80 " + "0" * 32 + " 00 " + "0" * 32 + " 00000000 00000002 00000000 80200001 eth0\n"
)  # fmt: skip


def test_proc_serves_where_iproute_does_not(tmp_path: Path) -> None:
    reading = routes(
        tmp_path, "", "", content={"/proc/net/route": PROC4 + DEFAULT4 + REJECT4, "/proc/net/ipv6_route": PROC6}
    )
    assert [(r.destination, r.gateway, r.type) for r in known(reading)] == [
        ("0.0.0.0/0", "", "unreachable"),
        ("0.0.0.0/0", "10.20.0.1", "unicast"),
        ("fd20::5/128", "", "local"),
        ("::/0", "", "unreachable"),
        ("::/0", "fe80::1", "unicast"),
    ]
    assert [g.cause for g in reading.gaps] == [Cause.MALFORMED], "other tables were not seen"


def test_a_table_without_any_route_is_no_table(tmp_path: Path) -> None:
    reading = routes(tmp_path, "[ ]", content={"/proc/net/route": PROC4 + DEFAULT4})
    assert [r.gateway for r in known(reading)] == ["10.20.0.1"]
    assert reading.gaps


@pytest.mark.parametrize(
    "content", [{}, {"/proc/net/route": ""}, {"/proc/net/route": "garbage\n"}, {"/proc/net/route": PROC4 + "eth0\tx\n"}]
)
def test_routes_that_cannot_be_read_are_unknown(tmp_path: Path, content: dict[str, str]) -> None:
    assert isinstance(routes(tmp_path, "", "", content=content), Unknown)


@pytest.mark.parametrize(
    "bad",
    [
        [{"dst": "x"}],
        [{"gateway": "1.1.1.1"}],
        [{"dst": "default", "gateway": "x"}],
        [{"dst": "default", "metric": "x"}],
    ],
)
def test_routes_that_make_no_sense_are_not_believed(tmp_path: Path, bad: Any) -> None:
    assert isinstance(routes(tmp_path, bad), Unknown)


# Remembered networks ------------------------------------------------------------------------------------------------

NM = "/etc/NetworkManager/system-connections"
SECRET = "对外保密-9f2c"  # noqa: S105 - made up
WIFI = f"[connection]\nid=w\nuuid=u1\ntype=wifi\n\n[wifi]\nssid=a\\sb\nmode=ap\n\n[wifi-security]\npsk={SECRET}\n\n[ipv4]\nmethod=shared\n\n[ipv6]\nmethod=auto\n"


def test_profile_keeps_what_is_wanted_and_no_secret(tmp_path: Path) -> None:
    assert SECRET not in str(parsed_keyfile(WIFI))
    content = {
        f"{NM}/w": WIFI, f"{NM}/w~": WIFI, f"{NM}/.w.swp": WIFI, f"{NM}/u9.nmmeta": "[nmmeta]\n", f"{NM}/w.rpmsave": WIFI,
        "/var/lib/NetworkManager/timestamps": "[timestamps]\nu1=1763600000\n",
        "/etc/wpa_supplicant/x.conf": f'network={{\n  ssid="g"\n  mode=2\n  psk="{SECRET}"\n}}\n',
        "/etc/ppp/peers/dsl": f'user "x"\npassword "{SECRET}"\n',
        "/etc/netplan/a.yaml": f"network:\n  wifis:\n    w: {{access-points: {{g: {{password: {SECRET}}}}}}}\n",
    }  # fmt: skip
    reading = read_saved(tree(tmp_path, content), Said())
    assert SECRET not in repr(reading)
    found = {n.id: n for n in known(reading)}
    assert (found["w"].ssid, found["w"].mode, found["w"].shared, found["w"].last_used) == (
        "a b",
        "ap",
        True,
        1763600000.0,
    )
    assert (found["g"].mode, found["g"].dated, found["g"].last_used) == ("ap", False, None)
    assert found["dsl"].kind == "ppp"
    assert len(found) == 3
    assert isinstance(reading, Known)
    assert [g.cause for g in reading.gaps] == [Cause.UNSUPPORTED]


def test_history_that_is_missing_or_garbled_is_a_gap_of_its_own(tmp_path: Path) -> None:
    for name, text in (("missing", None), ("garbled", "x")):
        content = {f"{NM}/w": WIFI} | ({"/var/lib/NetworkManager/timestamps": text} if text else {})
        reading = read_saved(tree(tmp_path / name, content), Said())
        assert isinstance(reading, Known)
        assert [g.origin for g in reading.gaps] == [HISTORY]


def test_connections_in_memory_are_asked_for_only_when_something_is_missing(tmp_path: Path) -> None:
    stamps = {"/var/lib/NetworkManager/timestamps": "[timestamps]\nu1=5\nu2=6\n"}
    tools = Said(("nmcli -t -f UUID,TYPE connection show", "u2:802-3-ethernet\n"))
    reading = read_saved(tree(tmp_path, {f"{NM}/w": WIFI, **stamps}), tools)
    assert {n.id: n.kind for n in known(reading)} == {"w": "wifi", "u2": "ethernet"}
    quiet = Said()
    read_saved(
        tree(tmp_path / "b", {f"{NM}/w": WIFI, "/var/lib/NetworkManager/timestamps": "[timestamps]\nu1=5\n"}), quiet
    )
    assert quiet.asked == []


def test_a_disk_has_no_run_but_its_profiles(tmp_path: Path) -> None:
    reading = read_saved(
        tree(tmp_path, {f"{NM}/w": WIFI, "/var/lib/NetworkManager/timestamps": "[timestamps]\nu1=5\n"}, live=False),
        Said(),
    )
    assert isinstance(reading, Known)
    assert reading.gaps == ()


# The active probe, on loopback only ---------------------------------------------------------------------------------


def test_reach_on_loopback() -> None:
    import socket

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        port = server.getsockname()[1]
        opened = tcp_opens(target="127.0.0.1", port=port, interface="", seconds=1.0, addresses=kernel_addresses)
        bound = tcp_opens(target="127.0.0.1", port=port, interface="lo", seconds=1.0, addresses=kernel_addresses)
    refused = tcp_opens(target="127.0.0.1", port=port, interface="", seconds=1.0, addresses=kernel_addresses)
    assert known(opened) is True
    assert known(bound) is True
    assert isinstance(refused, Unknown)
    assert refused.cause is Cause.UNCONFIRMED


def test_reach_through_what_is_not_there() -> None:
    gone = tcp_opens(target="127.0.0.1", port=9, interface="no-such-if0", seconds=0.2, addresses=kernel_addresses)
    named = tcp_opens(target="localhost", port=9, interface="", seconds=0.2, addresses=kernel_addresses)
    assert isinstance(gone, Unknown)
    assert isinstance(named, Unknown)
    assert named.cause is Cause.MALFORMED


def test_a_link_into_run_on_a_still_disk_is_unknown(tmp_path: Path) -> None:
    files = tree(
        tmp_path, {"/etc/resolv.conf": {"link": "/run/x"}, "/var/run": {"link": "/run"}, "/etc/a": "1"}, live=False
    )
    for path in ("/etc/resolv.conf", "/var/run/x", "/run/x"):
        found = files.text(path=path)
        assert isinstance(found, Unknown)
        assert found.cause is Cause.UNSUPPORTED
    assert known(files.text(path="/etc/a")) == "1"
    assert known(files.link(path="/etc/resolv.conf")) == "/run/x"
