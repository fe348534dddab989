"""What the rules are said to do, against what packets do: real rulesets, real listeners, a peer that connects.

The one thing that must never happen is "阻止" for a port that the peer reaches.
"""

# ruff: noqa: S104, ISC004 - listeners are meant to be open; rulesets read better unwrapped
from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from random import Random

import pytest

from tests.live._netns import PEER, TERMINAL, Pair, iptables_nft, namespaces, needs_netns

pytestmark = [pytest.mark.netns, needs_netns]

#: Facts of the namespace, through the live host. Interfaces are left unknown: a namespace has no physical ones.
READ = """
import dataclasses, datetime, json
from ybscan.hosts.groups.network import Network
from ybscan.hosts.live_linux import live_linux
from ybscan.model.reading import Unknown
from ybscan.model.site import Site
from ybscan.probes.base import Context
from ybscan.probes.ports import PROBES
host = dataclasses.replace(live_linux(), network=Network())
facts = PROBES[0].read(host, Context(site=Site(), now=datetime.datetime.now(datetime.UTC)))
def plain(v):
    return {"unknown": v.cause.value, "detail": v.detail} if isinstance(v, Unknown) else list(v) if isinstance(v, tuple) else v
r = facts["listeners"]
print(json.dumps({"items": [{k: plain(v) for k, v in i.items()} for i in r.value], "gaps": [g.cause.value for g in r.gaps]}))
"""

LISTENERS = [
    ("tcp", "0.0.0.0", 22), ("tcp", "::", 445), ("tcp", "0.0.0.0", 3389), ("tcp", "10.77.0.1", 5900),
    ("tcp", "127.0.0.1", 3306), ("udp", "0.0.0.0", 161), ("udp", "::", 514), ("tcp", "::1", 6379),
    ("tcp", "fd77::1", 80), ("tcp", "0.0.0.0", 8080),
]  # fmt: skip

INPUT = "type filter hook input priority 0; policy"

#: name → (rules, what is expected of some ports; "?" that no verdict is given; ports not
#: named only have to agree with the packets)
RULESETS: dict[str, tuple[str, dict[str, str]]] = {
    "none": ("", {"tcp/22": "放行", "tcp/445": "放行", "udp/161": "放行", "udp/514": "放行", "tcp/80": "放行"}),
    "policy-drop": (
        f"table inet f {{ chain i {{ {INPUT} drop; }} }}",
        {"tcp/22": "阻止", "tcp/445": "阻止", "udp/161": "阻止", "udp/514": "阻止", "tcp/80": "阻止"},
    ),
    "ports": (
        f"table inet f {{ chain i {{ {INPUT} drop; ct state established,related accept; iif lo accept;"
        " tcp dport { 22, 3000-4000 } accept; udp dport 161 accept } }",
        {"tcp/22": "放行", "tcp/3389": "放行", "tcp/445": "阻止", "udp/161": "放行", "tcp/5900": "阻止", "udp/514": "阻止"},
    ),
    "sources": (
        f"table inet f {{ set ok {{ type ipv4_addr; flags interval; elements = {{ 10.77.0.2/32, 192.168.0.0/16 }} }}"
        f" chain i {{ {INPUT} drop; ip saddr @ok tcp dport 22 accept; ip saddr 10.77.0.3 tcp dport 3389 accept;"
        " ip6 saddr fd77::2 tcp dport 445 accept; ip saddr != 10.77.0.3 udp dport 161 accept } }",
        {"tcp/22": "限定来源", "tcp/3389": "限定来源", "tcp/445": "限定来源", "tcp/80": "阻止", "udp/161": "放行"},
    ),
    "only-ipv4-guarded": (
        f"table ip f {{ chain i {{ {INPUT} drop; }} }}",
        {"tcp/22": "阻止", "tcp/445": "放行", "tcp/80": "放行", "udp/514": "放行"},
    ),
    "dormant": (
        f"table inet f {{ flags dormant; chain i {{ {INPUT} drop; }} }}",
        {"tcp/22": "放行", "tcp/445": "放行"},
    ),
    "two-tables": (
        f"table ip a {{ chain i {{ {INPUT} accept; tcp dport 22 accept }} }}"
        f" table inet b {{ chain i {{ type filter hook input priority 10; policy accept; tcp dport {{ 22, 445 }} drop }} }}",
        {"tcp/22": "阻止", "tcp/445": "阻止", "tcp/3389": "放行"},
    ),
    "jumps-and-maps": (
        "table inet f { chain svc { tcp dport vmap { 22 : accept, 3389 : return, 5900 : drop } ; tcp dport 8080 goto tail; }"
        " chain tail { accept; }"
        f" chain i {{ {INPUT} drop; ct state vmap {{ established : accept, related : accept, invalid : drop }};"
        " ip protocol tcp jump svc; meta l4proto udp jump u }"
        " chain u { udp dport 161 accept } }",
        {"tcp/22": "放行", "tcp/3389": "阻止", "tcp/5900": "阻止", "tcp/8080": "放行", "udp/161": "放行"},
    ),
    "nameless-chain": (
        f"table inet f {{ chain i {{ {INPUT} drop; tcp dport {{ 22, 3389 }} jump {{ tcp dport 22 accept; }} }} }}",
        {},
    ),
    "interface": (
        f"table inet f {{ chain i {{ {INPUT} drop; iifname \"uplink0\" tcp dport 22 accept; iifname \"lo\" accept;"
        ' iifname "other9" tcp dport 3389 accept; iifname "up*" tcp dport 8080 accept } }',
        {"tcp/445": "阻止", "tcp/5900": "阻止"},
    ),
    "not-understood": (
        f"table inet f {{ chain i {{ {INPUT} drop; ip ttl > 3 tcp dport 22 accept; meta mark 7 drop;"
        " tcp sport 1024-65535 tcp dport 3389 accept; ip saddr . tcp dport { 10.77.0.2 . 8080 } accept } }",
        {"tcp/445": "阻止"},
    ),
    "reject-and-limits": (
        f"table inet f {{ chain i {{ {INPUT} accept; tcp dport 22 limit rate 100/second burst 100 packets accept;"
        " tcp dport 22 drop; tcp dport 3389 log prefix \"x\" reject with tcp reset; tcp dport 445 counter reject;"
        " udp dport 161 ct state new drop; tcp flags & (fin|syn|rst|ack) == syn tcp dport 5900 drop } }",
        {"tcp/22": "放行", "tcp/3389": "阻止", "tcp/445": "阻止", "udp/161": "阻止", "tcp/5900": "阻止", "tcp/8080": "放行"},
    ),
    "forwarded-ports": (
        "table ip n { chain p { type nat hook prerouting priority -100; tcp dport 3389 redirect to :22;"
        " fib daddr type local tcp dport 5900 dnat to 10.77.0.1:22 } }"
        f" table inet f {{ chain i {{ {INPUT} drop; tcp dport 22 accept }} }}",
        {"tcp/22": "放行", "tcp/445": "阻止", "tcp/3389": "?", "tcp/5900": "?"},
    ),
    "translated-status": (
        "table ip n { chain p { type nat hook prerouting priority -100; tcp dport 8080 redirect to :22 } }"
        f" table inet f {{ chain i {{ {INPUT} drop; ct status dnat accept }} }}",
        {"tcp/22": "?", "tcp/3389": "?"},
    ),
    "answer-implies-family": (
        f"table inet f {{ chain i {{ {INPUT} accept; meta nfproto ipv6 reject; tcp dport 445 reject with icmp port-unreachable;"
        " meta l4proto tcp reject with tcp reset } }",
        {"tcp/22": "阻止", "udp/161": "放行", "udp/514": "放行", "tcp/80": "阻止"},
    ),
    "first-packet-only": (
        f"table inet f {{ chain i {{ {INPUT} drop; ct state new accept; tcp dport 445 accept }} }}",
        {"tcp/22": "?", "tcp/445": "放行", "udp/161": "放行"},
    ),
    "untracked": (
        "table ip r { chain p { type filter hook prerouting priority -300; tcp dport 22 notrack } }"
        f" table inet f {{ chain i {{ {INPUT} drop; ct state established,related,untracked accept;"
        " tcp sport 0-65535 ct state untracked accept } }",
        {"tcp/22": "?"},
    ),
    "early-drop": (
        "table inet r { chain p { type filter hook prerouting priority -300; tcp dport 22 drop } }",
        {"tcp/3389": "放行"},
    ),
    "destination": (
        f"table inet f {{ chain i {{ {INPUT} drop; ip daddr 10.77.0.1 tcp dport {{ 22, 5900 }} accept;"
        " ip daddr 10.99.0.1 tcp dport 3389 accept; fib daddr type local tcp dport 8080 accept } }",
        {"tcp/5900": "放行", "tcp/8080": "放行", "tcp/445": "阻止"},
    ),
    "blacklist": (
        f"table inet f {{ chain i {{ {INPUT} accept; ip saddr 10.77.0.3 drop; fib saddr . iif oif missing drop;"
        " meta nfproto ipv6 tcp dport 1-1000 drop } }",
        {"tcp/22": "放行", "tcp/445": "放行", "tcp/80": "阻止"},
    ),
    "dynamic-set": (
        f"table inet f {{ set seen {{ type ipv4_addr; flags dynamic,timeout; timeout 1h; elements = {{ 10.77.0.9 }} }}"
        f" chain i {{ {INPUT} drop; ip saddr @seen tcp dport 3389 accept;"
        " tcp dport 22 add @seen { ip saddr } accept; } }",
        {"tcp/445": "阻止", "tcp/3389": "?", "tcp/22": "?"},
    ),
    "firewalld-like": (
        "table inet firewalld { chain filter_INPUT { type filter hook input priority 10; policy accept;"
        " ct state { established, related } accept; ct status dnat accept; iifname \"lo\" accept; ct state invalid drop;"
        " jump zones; reject with icmpx admin-prohibited }"
        " chain zones { iifname \"eth9\" goto trusted; goto public }"
        " chain trusted { accept }"
        " chain public { jump public_allow; }"
        " chain public_allow { tcp dport 22 accept; ip6 daddr fe80::/64 udp dport 546 accept } }",
        {"tcp/22": "放行"},
    ),
}  # fmt: skip

#: As Debian's ufw and a plain script write them; they land in nftables through iptables-nft.
IPTABLES: dict[str, tuple[list[str], dict[str, str]]] = {
    "script": (
        ["iptables -P INPUT DROP", "iptables -A INPUT -i lo -j ACCEPT",
         "iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
         "iptables -A INPUT -p tcp -m multiport --dports 22,3389 -m comment --comment maintenance -j ACCEPT",
         "iptables -A INPUT -s 10.77.0.2 -p udp --dport 161 -j ACCEPT",
         "iptables -A INPUT -m addrtype --dst-type MULTICAST -j RETURN",
         "iptables -A INPUT -m limit --limit 3/min -j LOG --log-prefix 'drop: '",
         "iptables -A INPUT -j REJECT --reject-with icmp-port-unreachable"],
        {"tcp/22": "放行", "tcp/3389": "放行", "tcp/5900": "阻止", "udp/161": "限定来源", "tcp/445": "放行"},
    ),
    "negated": (
        ["iptables -A INPUT -p tcp -m multiport ! --dports 22,8080 -j DROP", "iptables -A INPUT -p udp -m state --state NEW -j DROP",
         "ip6tables -A INPUT ! -s fd77::2 -p tcp -m tcp --dport 445 -j DROP"],
        {"tcp/22": "放行", "tcp/8080": "放行", "tcp/3389": "阻止", "udp/161": "阻止", "tcp/445": "限定来源", "udp/514": "放行"},
    ),
    "recent": (
        ["iptables -P INPUT DROP", "iptables -A INPUT -p tcp --dport 22 -m recent --name x --update --seconds 60 -j DROP",
         "iptables -A INPUT -p tcp --dport 22 -m recent --name x --set -j ACCEPT", "ip6tables -P INPUT DROP"],
        {"tcp/5900": "阻止", "tcp/445": "阻止"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with namespaces() as made:
        made.listen(*LISTENERS)
        yield made


def attempts() -> list[tuple[str, str, str, int]]:
    """Every way the peer can try every listener; loopback listeners too, which nobody may reach."""
    found = []
    for proto, address, port in LISTENERS:
        for source in PEER:
            target = TERMINAL[1] if ":" in source else TERMINAL[0]
            if address not in ("::", "127.0.0.1", "::1") and (":" in address) != (":" in source):
                continue
            found.append((proto, source, target, port))
    return found


def compare(pair: Pair, expected: dict[str, str], *, of_sources: bool = False) -> None:
    """``of_sources``: the rules tell sources apart in ways that may leave out all of the peer's."""
    seen = pair.python(READ)
    items = {(i["proto"], i["port"]): i for i in seen["items"]}
    assert {(p, n) for p, _, n in LISTENERS} <= set(items)
    tried = attempts()
    reached: dict[tuple[str, int], dict[str, bool]] = {}
    for (proto, source, _, port), ok in zip(tried, pair.reached(tried), strict=True):
        reached.setdefault((proto, port), {})[source] = ok
    for key, by_source in reached.items():
        item = items[key]
        name = f"{key[0]}/{key[1]}"
        if item["loopback"]:
            assert not any(by_source.values()), name
            continue
        verdict = item["exposure"]
        if verdict == "阻止":
            assert not any(by_source.values()), f"{name} is said to be blocked, but was reached: {by_source}"
        elif verdict == "放行":
            assert of_sources or any(by_source.values()), f"{name} is said to be open, but was not reached"
        elif verdict == "限定来源":
            allowed = [ipaddress.ip_network(n) for n in item["sources"]]
            for source, ok in by_source.items():
                inside = any(ipaddress.ip_address(source) in n for n in allowed)
                assert inside or not ok, f"{name}: {source} got in, said to be only {item['sources']}"
            assert of_sources or any(by_source.values()), name
        else:
            assert set(verdict) == {"unknown", "detail"}
    for name, word in expected.items():
        proto, _, port = name.partition("/")
        found = items[proto, int(port)]["exposure"]
        assert ("?" if isinstance(found, dict) else found) == word, f"{name}: {found}"


@pytest.mark.parametrize("name", RULESETS)
def test_nftables(pair: Pair, name: str) -> None:
    rules, expected = RULESETS[name]
    pair.firewall(rules)
    compare(pair, expected)


@pytest.mark.parametrize("name", IPTABLES)
def test_iptables_nft(pair: Pair, name: str) -> None:
    if not iptables_nft():
        pytest.skip("需要 iptables-nft")
    commands, expected = IPTABLES[name]
    pair.run("nft", "flush", "ruleset")
    for command in commands:
        pair.run("sh", "-c", command)
    compare(pair, expected)


def drawn(seed: int) -> str:
    """A ruleset of random rules over everything the evaluation understands, and some things it does not."""
    random = Random(seed)  # noqa: S311 - no secret
    conditions = [
        "tcp dport 22", "tcp dport { 22, 445, 3389 }", "tcp dport 1-1024", "tcp dport != 22", "udp dport 161", "udp dport != 514",
        "meta l4proto tcp", "meta l4proto != udp", "ip protocol tcp", "ip saddr 10.77.0.2", "ip saddr != 10.77.0.2",
        "ip saddr @friends", "ip6 saddr fd77::2", "ip6 saddr != fd77::/126", "meta nfproto ipv6", "meta nfproto ipv4",
        'iifname "uplink0"', 'iifname != "lo"', 'iifname { "lo", "eth9" }', "ct state new", "ct state established,related",
        "ct state invalid", "fib daddr type local", "ip daddr 10.77.0.1", "ip daddr != 10.77.0.1", "tcp sport > 1023",
        "ip ttl > 5", "meta mark 0x0", "tcp flags & (fin|syn|rst|ack) == syn", "ip saddr . tcp dport { 10.77.0.2 . 22 }",
        "th dport { 80, 514, 8080 }", "meta pkttype host", "limit rate 1000/second burst 1000 packets",
    ]  # fmt: skip
    maps = [
        "tcp dport vmap { 22 : accept, 445 : drop, 3389 : jump one }", "ip saddr vmap { 10.77.0.2 : accept, 10.77.0.3 : drop }",
        "ct state vmap { established : accept, new : jump two }", 'iifname vmap { "uplink0" : jump one, "lo" : accept }',
        "meta l4proto vmap { tcp : jump two, udp : return }", "tcp dport vmap @doors",
    ]  # fmt: skip

    def rules(verdicts: list[str], count: int) -> str:
        made = []
        for _ in range(random.randint(1, count)):
            if random.random() < 0.15 and "jump one" in verdicts:
                made.append(random.choice(maps))
                continue
            picked = " ".join(random.sample(conditions, random.choice([0, 1, 1, 1, 2])))
            made.append(f"{picked} {random.choice(verdicts)}")
        return ";\n".join(made)

    def compatible(text: str) -> str:
        # Conditions that contradict each other are refused by nft; such a rule is left out.
        kept = []
        for rule in text.split(";\n"):
            both = ("ip6 " in rule or "ipv6" in rule) and ("ip " in rule or "ipv4" in rule)
            mixed = ("udp" in rule) + ("tcp" in rule) > 1 or sum(
                rule.count(w) for w in ("l4proto", "protocol", "dport", "flags")
            ) > 1
            if not both and not mixed and rule.count("saddr") < 2 and rule.count("iifname") < 2:
                kept.append(rule)
        return ";\n".join(kept) or "counter"

    plain = ["accept", "drop", "accept", "drop", "reject", "return", "continue", "counter"]
    chains = {
        "two": rules(plain, 3),
        "one": rules([*plain, "jump two", "goto two"], 3),
        "i": rules([*plain, "jump one", "goto one", "jump two", "goto two"], 6),
    }
    text = "set friends { type ipv4_addr; elements = { 10.77.0.2, 10.9.9.9 }\n }\n"
    body = "".join(f"chain {n} {{\n{compatible(chains[n])}\n}}\n" for n in ("two", "one"))
    text += (
        body + "map doors { type inet_service : verdict; elements = { 22 : accept, 3389 : drop, 8080 : jump one }\n }\n"
    )
    policy = random.choice(["accept", "drop", "drop"])
    return f"table inet f {{\n{text}chain i {{\n{INPUT} {policy};\n{compatible(chains['i'])}\n}}\n}}\n"


@pytest.mark.parametrize(
    "seed", range(int(os.environ.get("YBSCAN_TEST_SEED", "0")), int(os.environ.get("YBSCAN_TEST_SEED", "0")) + 12)
)
def test_drawn_rules(pair: Pair, seed: int) -> None:
    rules = drawn(seed)
    pair.run("nft", "flush", "ruleset")
    done = pair.run("nft", "-f", "-", stdin=rules, check=False)
    assert done.returncode == 0, f"{done.stderr}\n{rules}"
    compare(pair, {}, of_sources="saddr" in rules)


def test_nobody_gets_no_better_answer(pair: Pair) -> None:
    pair.firewall(f"table inet f {{ chain i {{ {INPUT} drop; }} }}")
    seen = pair.python(READ, user=65534)
    assert seen["gaps"] == ["denied"]
    for item in seen["items"]:
        assert item["exposure"]["unknown"] == "denied"
        assert item["program"]["unknown"] == "denied"


def test_reading_changes_nothing(pair: Pair) -> None:
    pair.firewall(f"table inet f {{ chain i {{ {INPUT} drop; tcp dport 22 accept }} }}")
    before = pair.run("nft", "-a", "list", "ruleset").stdout
    pair.python(READ)
    assert pair.run("nft", "-a", "list", "ruleset").stdout == before
