"""The network group on a running system: real adapters, real files of remembered networks, loopback connections."""

from __future__ import annotations

import ipaddress
import re
import socket
import sys
from pathlib import Path

import psutil

from ybscan.hosts.base import Host
from ybscan.hosts.groups.services import Services, ServiceState
from ybscan.hosts.windows.live.com import com_asked
from ybscan.hosts.windows.live.netpolicy import firewall
from ybscan.hosts.windows.live.netsaved import saved
from ybscan.hosts.windows.tree import Key, TreeRegistry
from ybscan.model.reading import Cause, Known, Reading, Unknown

assert sys.platform == "win32"


def test_interfaces_agree_with_another_reader(host: Host) -> None:
    found = host.network.interfaces()
    assert isinstance(found, Known)
    ours = {i.name: {a.address for a in i.addresses} for i in found.value}
    theirs = {
        name: {a.address.split("%")[0] for a in addresses if a.family in (socket.AF_INET, socket.AF_INET6)}
        for name, addresses in psutil.net_if_addrs().items()
    }
    assert {n: a for n, a in ours.items() if a} == {n: a for n, a in theirs.items() if a}
    for one in found.value:
        assert re.fullmatch(r"\{[0-9A-F-]{36}\}", one.id)
        assert re.fullmatch(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}|", one.mac)
        for a in one.addresses:
            assert 0 <= a.prefix <= ipaddress.ip_address(a.address).max_prefixlen


def test_loopback_is_told_by_its_type(host: Host) -> None:
    found = host.network.interfaces()
    assert isinstance(found, Known)
    (loopback,) = (i for i in found.value if i.kind == "loopback")
    assert "127.0.0.1" in {a.address for a in loopback.addresses}
    assert loopback.up
    assert loopback.running


def test_routes_are_of_interfaces_that_there_are(host: Host) -> None:
    found, listed = host.network.routes(), host.network.interfaces()
    if isinstance(found, Unknown):
        # Wine in a network namespace of its own has none at all, which no Windows has.
        assert found.cause is Cause.UNAVAILABLE
        assert "任何路由" in found.detail
        return
    assert isinstance(found, Known)
    assert found.value
    assert isinstance(listed, Known)
    names = {i.name for i in listed.value}
    for route in found.value:
        ipaddress.ip_network(route.destination)
        assert route.interface in names
        assert route.gateway == "" or ipaddress.ip_address(route.gateway)


def test_connections_over_loopback_alone(host: Host) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        opened = host.network.reach(target="127.0.0.1", port=port, interface="", seconds=5)
        assert isinstance(opened, Known)
        assert opened.value is True
        listed = host.network.interfaces()
        assert isinstance(listed, Known)
        (loopback,) = (i for i in listed.value if i.kind == "loopback")
        through = host.network.reach(target="127.0.0.1", port=port, interface=loopback.name, seconds=5)
        assert isinstance(through, Known)
        assert through.value is True
    closed = host.network.reach(target="127.0.0.1", port=port, interface="", seconds=5)
    assert isinstance(closed, Unknown)
    assert closed.cause is Cause.UNCONFIRMED
    gone = host.network.reach(target="127.0.0.1", port=port, interface="没有的接口", seconds=5)
    assert isinstance(gone, Unknown)
    named = host.network.reach(target="localhost", port=port, interface="", seconds=5)
    assert isinstance(named, Unknown)
    assert named.cause is Cause.MALFORMED


PROFILE = (
    '<?xml version="1.0"?><WLANProfile xmlns="http://www.microsoft.com/networking/WLAN/profile/v1"><name>{0}</name>'
    "<SSIDConfig><SSID><name>{0}</name></SSID></SSIDConfig><MSM><security><sharedKey><keyMaterial>SECRET</keyMaterial>"
    "</sharedKey></security></MSM></WLANProfile>"
)


def people(*homes: str) -> TreeRegistry:
    root = Key("")
    base = ("HKLM", "SOFTWARE", "Microsoft", "Windows NT", "CurrentVersion", "ProfileList")
    root.make(base)
    for n, home in enumerate(homes):
        root.make((*base, f"S-1-5-21-1-2-3-{1001 + n}")).values["ProfileImagePath"] = home
    return TreeRegistry(root, covered=("HKLM", "HKU"), origin="测试")


def test_remembered_networks_from_their_files(tmp_path: Path) -> None:
    data, home = tmp_path / "ProgramData", tmp_path / "张三"
    folder = data / r"Microsoft\Wlansvc\Profiles\Interfaces\{00000000-0000-0000-0000-000000000001}"
    folder.mkdir(parents=True)
    (folder / "{1}.xml").write_text(PROFILE.format("张三的手机"), encoding="utf-8")
    (folder / "{2}.xml").write_text("<nonsense", encoding="utf-8")
    books = (data, home / r"AppData\Roaming")
    for n, book in enumerate(books):
        path = book / r"Microsoft\Network\Connections\Pbk"
        path.mkdir(parents=True)
        (path / "rasphone.pbk").write_bytes(f"[拨号{n}]\r\nType=1\r\n[单位VPN{n}]\r\nType=2\r\n".encode("gb18030"))
    found = saved(people(str(home), r"\\server\profiles\li", "", r"%SystemDrive%\Users\没有此人"), str(data))
    assert isinstance(found, Known)
    assert [(n.kind, n.id) for n in found.value] == [
        ("ppp", "拨号0"), ("ppp", "拨号1"), ("vpn", "单位VPN0"), ("vpn", "单位VPN1"), ("wifi", "张三的手机"),
    ]  # fmt: skip
    assert "SECRET" not in repr(found)
    assert {g.cause for g in found.gaps} == {Cause.MALFORMED, Cause.NOT_PERMITTED}
    assert all(not n.dated and n.last_used is None for n in found.value)


def test_nothing_remembered(tmp_path: Path) -> None:
    found = saved(people(), str(tmp_path))
    assert isinstance(found, Known)
    assert found.value == ()


class Stated(Services):
    def __init__(self, *running: str) -> None:
        super().__init__()
        self._running = running

    def states(self) -> Reading[tuple[ServiceState, ...]]:
        return Known(tuple(ServiceState(n, "running", 4) for n in self._running))


def test_the_shares_of_now(host: Host) -> None:
    found = host.network.shares()
    # Wine has no file service to ask; a Windows whose service runs shares IPC$ at least.
    assert isinstance(found, Unknown) or (
        isinstance(found, Known) and (not found.value or any(s.kind == "ipc" for s in found.value))
    )


def test_the_firewall_counts_only_while_its_service_runs() -> None:
    for services in (Stated(), Stated("Dhcp"), Services("不能读取")):
        found = com_asked(lambda services=services: firewall(people(), services), "firewall")  # type: ignore[misc]
        assert isinstance(found, Unknown)
        assert "MpsSvc" in found.detail or "防火墙服务" in found.detail


def test_a_firewall_component_that_implements_nothing(host: Host) -> None:
    """Wine's answers E_NOTIMPL; a real one gives all three profiles."""
    found = com_asked(lambda: firewall(people(), Stated("MpsSvc")), "firewall")
    if isinstance(found, Known):
        assert [p.name for p in found.value] == ["domain", "private", "public"]
    else:
        assert isinstance(found, Unknown)
        assert found.cause is Cause.UNSUPPORTED
