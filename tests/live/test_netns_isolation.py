"""The internet-isolation rules against real routes, interfaces and connections, in namespaces with a pretend Internet."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live._isolation import PUBLIC, SITE, Net, isolated, needs_netns

pytestmark = [pytest.mark.netns, needs_netns]


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Net]:
    with isolated(tmp_path) as made:
        yield made


def outward(result: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = result["facts"]["net_routes.outward"]["value"]
    return found


def test_default_route_to_the_approved_gateway_passes(net: Net) -> None:
    net.ip("route", "add", "default", "via", "10.20.0.1")
    net.ip("-6", "route", "add", "default", "via", "fd20::1")
    found = net.scan("NET-01", "NET-03")
    assert found["verdicts"] == {"NET-01": "pass", "NET-03": "pass"}, found["sentences"]
    assert [r["destination"] for r in outward(found)] == ["默认路由", "IPv6 默认路由"]


def test_default_route_without_settings_is_unknown(net: Net) -> None:
    net.ip("route", "add", "default", "via", "10.20.0.1")
    assert net.scan("NET-01", "NET-03", site={})["verdicts"] == {"NET-01": "unknown", "NET-03": "unknown"}


@pytest.mark.parametrize(
    "routes",
    [
        ["default via 10.20.9.9"],
        ["0.0.0.0/1 via 10.20.9.9", "128.0.0.0/1 via 10.20.9.9"],
        ["-6 2000::/3 via fd20::99"],
        ["default via 10.20.9.9 metric 9", "default via 10.20.0.1 metric 1"],
        ["8.8.0.0/16 via 10.20.9.9"],
        ["default proto static nexthop via 10.20.0.1 weight 1 nexthop via 10.20.9.9 weight 1"],
    ],
    ids=["default", "halves", "ipv6-global", "second-default", "single-prefix", "multipath"],
)
def test_ways_past_the_approved_gateway_fail(net: Net, routes: list[str]) -> None:
    for route in routes:
        family = ["-6"] if route.startswith("-6 ") else []
        net.ip(*family, "route", "add", *route.removeprefix("-6 ").split())
    assert net.scan("NET-01")["verdicts"]["NET-01"] == "fail"


def test_ipv4_route_over_an_ipv6_gateway(net: Net) -> None:
    net.ip("route", "add", "default", "via", "inet6", "fe80::99", "dev", "lan0")
    found = net.scan("NET-01")
    assert found["verdicts"]["NET-01"] == "fail"
    assert outward(found)[0]["gateway"] == "fe80::99"


def test_policy_tables_count_when_a_rule_leads_there(net: Net) -> None:
    net.ip("route", "add", "default", "via", "10.20.9.9", "table", "200")
    quiet = net.scan("NET-01")
    assert quiet["verdicts"]["NET-01"] == "pass"
    assert outward(quiet)[0]["consulted"] is False
    net.ip("rule", "add", "from", "10.20.1.5", "lookup", "200")
    loud = net.scan("NET-01")
    assert loud["verdicts"]["NET-01"] == "fail"
    assert outward(loud)[0]["table"] == "200"


def test_blackholes_lead_nowhere(net: Net) -> None:
    net.ip("route", "add", "blackhole", "default")
    net.ip("-6", "route", "add", "unreachable", "default")
    found = net.scan("NET-01")
    assert found["verdicts"]["NET-01"] == "pass"
    assert outward(found) == []


def test_public_address_fails(net: Net) -> None:
    net.ip("addr", "add", "47.100.1.5/24", "dev", "lan0")
    found = net.scan("NET-01", "NET-03")
    assert found["verdicts"] == {"NET-01": "fail", "NET-03": "fail"}


@pytest.mark.parametrize("address", PUBLIC)
def test_established_connection_to_the_internet_fails_and_ends(net: Net, address: str) -> None:
    net.serve()
    net.ip("route", "add", "default", "via", "10.20.0.1")
    net.ip("-6", "route", "add", "default", "via", "fd20::1")
    child = net.connect(address)
    found = net.scan("NET-01")
    assert found["verdicts"]["NET-01"] == "fail"
    (peer,) = found["facts"]["net_routes.public_peers"]["value"]
    assert (peer["peer"], peer["port"], peer["established"]) == (address, 443, True)
    own = {"network": {**SITE["network"], "networks": [*SITE["network"]["networks"], address]}}
    assert net.scan("NET-01", site=own)["verdicts"]["NET-01"] == "pass", "registered networks are not the Internet"
    net.stop(child)
    assert net.scan("NET-01")["verdicts"]["NET-01"] == "pass"


def test_connection_inside_the_private_network_passes(net: Net) -> None:
    net.serve()
    net.connect("10.20.0.1")
    assert net.scan("NET-01")["verdicts"]["NET-01"] == "pass"


def test_second_network_fails(net: Net) -> None:
    net.card("lan1", "192.168.1.7/24", gateway="192.168.1.1/24")
    found = net.scan("NET-03")
    assert found["verdicts"]["NET-03"] == "fail"
    assert found["facts"]["net_interfaces.live_count"]["value"] == 2
    net.ip("link", "set", "lan1", "down")
    assert net.scan("NET-03")["verdicts"]["NET-03"] == "pass"


def test_second_card_without_carrier_passes(net: Net) -> None:
    net.card("lan1", "192.168.1.7/24")
    net.ip("link", "set", "glan1", "down", at=net.world)
    assert net.scan("NET-03")["verdicts"]["NET-03"] == "pass"


@pytest.mark.parametrize(
    ("switch", "verdict"),
    [
        ("net/ipv4/ip_forward", "fail"),
        ("net/ipv4/conf/lan0/forwarding", "fail"),
        ("net/ipv6/conf/all/forwarding", "fail"),
        ("net/ipv6/conf/lan0/forwarding", "pass"),  # accepts no advertisements any more; routes nothing
    ],
)
def test_forwarding(net: Net, switch: str, verdict: str) -> None:
    net.sysctl(switch, "1")
    assert net.scan("NET-03")["verdicts"]["NET-03"] == verdict


def test_forwarding_beside_a_container_bridge_is_to_be_confirmed(net: Net) -> None:
    net.sysctl("net/ipv4/ip_forward", "1")
    net.ip("link", "add", "br9", "type", "bridge")
    net.ip("addr", "add", "172.17.0.1/16", "dev", "br9")
    net.ip("link", "set", "br9", "up")
    net.ip("link", "add", "v1", "type", "veth", "peer", "name", "v2")
    net.ip("link", "set", "v1", "master", "br9")
    net.ip("link", "set", "v1", "up")
    net.ip("link", "set", "v2", "up")
    found = net.scan("NET-03")
    assert found["verdicts"]["NET-03"] == "unknown"
    assert {"name": "br9", "ports": ["v1"], "joins": False} in found["facts"]["net_interfaces.bridges"]["value"]
    kinds = {i[0]: (i[1], i[6]) for i in found["interfaces"]}
    assert kinds == {
        "lo": ("loopback", ""),
        "lan0": ("vlan", ""),
        "br9": ("bridge", ""),
        "v1": ("container", "br9"),
        "v2": ("container", ""),
    }


LINKS = [
    ("tun", ["tuntap", "add", "t0", "mode", "tun"], "tunnel"),
    ("tap", ["tuntap", "add", "t0", "mode", "tap"], "tunnel"),
    ("wireguard", ["link", "add", "t0", "type", "wireguard"], "tunnel"),
    ("vxlan", ["link", "add", "t0", "type", "vxlan", "id", "9", "dev", "lan0", "dstport", "4789"], "tunnel"),
    ("gre", ["link", "add", "t0", "type", "gre", "local", "10.20.1.5", "remote", "10.20.0.1"], "tunnel"),
    ("sit", ["link", "add", "t0", "type", "sit", "local", "10.20.1.5", "remote", "10.20.0.1"], "tunnel"),
    ("ppp", ["link", "add", "t0", "type", "ppp"], "ppp"),
    ("dummy", ["link", "add", "t0", "type", "dummy"], "virtual"),
    ("bond", ["link", "add", "t0", "type", "bond"], "bond"),
    ("8021q", ["link", "add", "link", "lan0", "name", "t0", "type", "vlan", "id", "30"], "vlan"),
    ("ifb", ["link", "add", "t0", "type", "ifb"], "virtual"),
    ("vrf", ["link", "add", "t0", "type", "vrf", "table", "10"], "virtual"),
]


@pytest.mark.parametrize(("module", "command", "kind"), LINKS, ids=[link[0] for link in LINKS])
def test_kind_of_links(net: Net, module: str, command: list[str], kind: str) -> None:
    if not net.try_ip(*command):
        pytest.skip(f"the kernel makes no {module} link")
    net.ip("link", "set", "t0", "name", "eth9")  # the name must not tell
    found = next(i for i in net.scan("NET-03")["interfaces"] if i[0] == "eth9")
    assert found[1] == kind, found


def test_tunnel_that_is_up_fails_unless_approved(net: Net) -> None:
    net.ip("tuntap", "add", "tun0", "mode", "tun")
    assert net.scan("NET-06")["facts"]["net_tunnels.links"]["value"][0]["in_use"] is False
    net.ip("link", "set", "tun0", "up")
    net.ip("addr", "add", "10.8.0.2/24", "dev", "tun0")
    net.ip("route", "add", "0.0.0.0/1", "dev", "tun0")
    found = net.scan("NET-01", "NET-06")
    assert found["verdicts"] == {"NET-01": "fail", "NET-06": "fail"}
    own = {"network": {**SITE["network"], "vpn": ["tun0"]}}
    assert net.scan("NET-01", site=own)["verdicts"]["NET-01"] == "pass"
    bare = {"network": {k: v for k, v in SITE["network"].items() if k != "vpn"}}
    assert net.scan("NET-01", site=bare)["verdicts"]["NET-01"] == "unknown"


def test_proxy_of_the_environment(net: Net) -> None:
    found = net.scan("NET-06", env={"https_proxy": "http://user:secret@192.168.1.9:8080/"})
    assert found["verdicts"]["NET-06"] == "fail"
    entries = found["facts"]["net_proxies.entries"]["value"]
    assert {"proxy": "192.168.1.9:8080", "method": "手动", "account": None, "source": "环境变量 https_proxy"} in entries
    assert "secret" not in str(found)


# The active probe ---------------------------------------------------------------------------------------------------


def ordered(*targets: str) -> dict[str, Any]:
    return {**SITE, "egress": {"active": True, "targets": list(targets), "authorised_by": "test"}}


TARGETS = ("8.8.8.8:443", "[2001:4860:4860::8888]:443")


def test_probe_is_off_by_default_and_sends_nothing(net: Net) -> None:
    net.ip("route", "add", "default", "via", "10.20.0.1")
    net.sysctl("net/ipv6/conf/lan0/disable_ipv6", "1")  # neighbour discovery would be counted too
    script = "import pathlib; print(pathlib.Path('/sys/class/net/lan0/statistics/tx_packets').read_text())"

    def sent() -> str:
        command = ["ip", "netns", "exec", net.terminal, sys.executable, "-c", script]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    before = sent()
    ids = [f"NET-0{n}" for n in range(1, 9)]
    found = net.scan(*ids, site={**SITE, "egress": {"active": False, "targets": list(TARGETS)}})
    assert set(found["verdicts"]) == set(ids)
    assert found["verdicts"]["NET-02"] == "unknown"
    assert found["facts"]["net_egress.reached"]["cause"] == "not_permitted"
    assert sent() == before


def test_probe_reaches(net: Net) -> None:
    net.serve()
    net.ip("route", "add", "default", "via", "10.20.0.1")
    found = net.scan("NET-02", site=ordered(*TARGETS))
    assert found["verdicts"]["NET-02"] == "fail"
    reached = {(a["target"], a["interface"]): a["reached"] for a in found["facts"]["net_egress.attempts"]["value"]}
    assert reached["8.8.8.8:443", "系统自选"] is True
    assert reached["8.8.8.8:443", "lan0"] is True
    assert reached["[2001:4860:4860::8888]:443", "系统自选"] is False


def test_probe_without_a_way_passes_in_the_right_words(net: Net) -> None:
    net.serve()
    # Whoever binds to a card sends there without any route: the far end must not answer for the public address.
    net.sysctl("net/ipv4/conf/all/arp_ignore", "2", at=net.world)
    found = net.scan("NET-02", site=ordered(*TARGETS))
    assert found["verdicts"]["NET-02"] == "pass", found["facts"]
    assert any("检查时未能连通所列互联网探测点" in s for s in found["sentences"]["NET-02"])


def test_probe_finds_the_way_of_a_second_card(net: Net) -> None:
    net.serve()
    net.sysctl("net/ipv4/conf/glan0/arp_ignore", "2", at=net.world)
    net.card("lan1", "192.168.1.7/24", gateway="192.168.1.1/24")
    net.ip("route", "add", "default", "via", "192.168.1.1", "metric", "900")
    net.ip("route", "add", "blackhole", "default", "metric", "1")
    found = net.scan("NET-02", site=ordered("8.8.8.8:443"))
    reached = {a["interface"]: a["reached"] for a in found["facts"]["net_egress.attempts"]["value"]}
    assert reached["lan1"] is True, reached
    assert reached["系统自选"] is not True
    assert found["verdicts"]["NET-02"] == "fail"


def test_probe_that_is_refused_is_unknown(net: Net) -> None:
    net.ip("route", "add", "default", "via", "10.20.0.1")
    found = net.scan("NET-02", site=ordered("8.8.8.8:443"))
    assert found["verdicts"]["NET-02"] == "unknown"
    assert found["facts"]["net_egress.reached"]["cause"] == "unconfirmed"


def test_probe_into_silence_passes(net: Net) -> None:
    net.serve()
    net.ip("route", "add", "default", "via", "10.20.0.1")
    net.sysctl("net/ipv4/conf/all/rp_filter", "1", at=net.world)
    # The world hears, and has no way to answer.
    net.ip("route", "add", "blackhole", "10.20.1.5/32", at=net.world)
    found = net.scan("NET-02", site=ordered("8.8.8.8:443"))
    assert found["verdicts"]["NET-02"] == "pass", found["facts"]


def test_probe_as_an_ordinary_user(net: Net) -> None:
    net.serve()
    net.ip("route", "add", "default", "via", "10.20.0.1")
    found = net.scan("NET-02", site=ordered("8.8.8.8:443"), user=65534)
    assert found["verdicts"]["NET-02"] == "fail"


def test_ordinary_user_sees_routes_and_connections(net: Net) -> None:
    net.serve()
    net.ip("route", "add", "default", "via", "10.20.0.1")
    assert net.scan("NET-01", user=65534)["verdicts"]["NET-01"] == "pass"
    net.connect(PUBLIC[0])
    assert net.scan("NET-01", user=65534)["verdicts"]["NET-01"] == "fail"


def test_sysfs_of_another_namespace_leaves_a_gap(net: Net) -> None:
    """With nsenter alone /sys stays that of the machine: radio hardware would be that of others."""
    command = [
        "nsenter",
        f"--net=/run/netns/{net.terminal}",
        sys.executable,
        "-c",
        "from tests.live._isolation import _SCAN; exec(_SCAN)",
    ]
    asked = {"rules": str(net.rules), "ids": ["NET-04"], "site": SITE, "user": 0}
    done = subprocess.run(
        command, input=json.dumps(asked), capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    found = json.loads(done.stdout)
    assert found["gaps"] == ["incomplete"]
    assert found["verdicts"]["NET-04"] == "unknown"
