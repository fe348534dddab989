"""What is said of ports that no rule names, against what packets to such ports do.

"阻止" must never be said of a family whose unnamed ports a peer reaches from anywhere but the listed hosts.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import pytest

from tests.live._netns import PEER, TERMINAL, Pair, iptables_nft, namespaces, needs_netns
from tests.live.test_firewall_truth import IPTABLES, RULESETS

pytestmark = [pytest.mark.netns, needs_netns]

READ = """
import dataclasses, datetime, json
from ybscan.hosts.groups.network import Network
from ybscan.hosts.live_linux import live_linux
from ybscan.model.reading import Unknown
from ybscan.model.site import Site
from ybscan.probes.base import Context
from ybscan.probes.firewall import PROBES
host = dataclasses.replace(live_linux(), network=Network())
facts = PROBES[0].read(host, Context(site=Site(), now=datetime.datetime.now(datetime.UTC)))
def plain(v):
    return {"unknown": v.cause.value, "detail": v.detail} if isinstance(v, Unknown) else list(v) if isinstance(v, tuple) else v
r = facts["scopes"]
print(json.dumps([{k: plain(v) for k, v in i.items()} for i in r.value]))
"""

#: Ports that no ruleset of the tests names, low, registered and temporary.
UNNAMED = (1471, 6161, 23457, 61111)
LISTENERS = [(proto, "::", port) for proto in ("tcp", "udp") for port in UNNAMED]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with namespaces() as made:
        made.listen(*LISTENERS)
        yield made


def compare(pair: Pair) -> dict[str, object]:
    scopes = {s["scope"]: s for s in pair.python(READ)}
    assert set(scopes) == {"IPv4", "IPv6"}
    tried = [(p, s, TERMINAL[1] if ":" in s else TERMINAL[0], n) for p, _, n in LISTENERS for s in PEER]
    reached = {t for t, ok in zip(tried, pair.reached(tried), strict=True) if ok}
    for name, scope in scopes.items():
        mine = {t for t in reached if (":" in t[1]) == (name == "IPv6")}
        if scope["inbound"] == "阻止":
            hosts = [ipaddress.ip_network(n) for n in scope["sources"] or ()]
            assert not {t for t in mine if not any(ipaddress.ip_address(t[1]) in n for n in hosts)}
        elif scope["inbound"] == "放行":
            assert {(t[0], t[3]) for t in mine} == {(p, n) for p, _, n in LISTENERS}
        elif scope["inbound"] == "部分放行":
            assert mine
    return {name: s["inbound"] for name, s in scopes.items()}


EXPECTED = {
    "none": ("放行", "放行"), "policy-drop": ("阻止", "阻止"), "ports": ("阻止", "阻止"), "sources": ("阻止", "阻止"),
    "only-ipv4-guarded": ("阻止", "放行"), "dormant": ("放行", "放行"), "two-tables": ("放行", "放行"),
    "destination": ("阻止", "阻止"),
}  # fmt: skip


@pytest.mark.parametrize("name", RULESETS)
def test_nftables(pair: Pair, name: str) -> None:
    pair.firewall(RULESETS[name][0])
    found = compare(pair)
    if name in EXPECTED:
        assert (found["IPv4"], found["IPv6"]) == EXPECTED[name]


@pytest.mark.parametrize("name", IPTABLES)
def test_iptables_nft(pair: Pair, name: str) -> None:
    if not iptables_nft():
        pytest.skip("需要 iptables-nft")
    pair.run("nft", "flush", "ruleset")
    for command in IPTABLES[name][0]:
        pair.run("sh", "-c", command)
    compare(pair)


def test_nobody_gets_no_better_answer(pair: Pair) -> None:
    pair.firewall("table inet f { chain i { type filter hook input priority 0; policy drop; } }")
    script = READ.replace("[{k: plain(v) for k, v in i.items()} for i in r.value]", "plain(r)")
    assert pair.python(script, user=65534)["unknown"] == "denied"
