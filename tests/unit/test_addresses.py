"""What belongs to the Internet."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ybscan.model.reading import Unknown
from ybscan.probes._addresses import holds_public, is_link_local, is_public
from ybscan.probes.net_proxies import plain_proxy

V4_NETWORKS = st.builds(
    lambda a, p: ipaddress.ip_network((a, p), strict=False), st.integers(0, 2**32 - 1), st.integers(0, 32)
)


@pytest.mark.parametrize(
    ("network", "public"),
    [
        ("0.0.0.0/0", True), ("0.0.0.0/1", True), ("128.0.0.0/1", True), ("8.8.8.8/32", True), ("172.0.0.0/8", True),
        ("10.0.0.0/8", False), ("10.0.0.0/7", True), ("192.168.0.0/16", False), ("172.16.0.0/12", False), ("224.0.0.0/4", False),
        ("169.254.0.0/16", False), ("100.64.0.0/10", False), ("240.0.0.0/4", False), ("224.0.0.0/3", False), ("127.0.0.0/8", False),
        ("::/0", True), ("2000::/3", True), ("2000::/4", True), ("2408:8000::/22", True), ("8000::/1", False), ("::/1", True),
        ("fd00::/8", False), ("fe80::/64", False), ("ff00::/8", False), ("2001:db8::/32", False), ("64:ff9b::/96", True),
    ],
)  # fmt: skip
def test_networks(network: str, public: bool) -> None:
    assert holds_public(network, None) is public


def test_own_networks_never_count() -> None:
    assert holds_public("59.202.0.0/16", ["59.202.0.0/16"]) is False
    assert holds_public("59.202.0.0/15", ["59.202.0.0/16"]) is True
    assert holds_public("59.202.0.0/15", ["59.202.0.0/16", "59.203.0.0/16"]) is False
    assert holds_public("2408::/32", ["2408::/16"]) is False
    assert is_public("8.8.8.8", ["8.8.8.0/24"]) is False
    assert isinstance(is_public("59.202.1.1", None), Unknown)
    assert is_public("59.202.1.1", ["10.0.0.0/8"]) is True
    assert is_public("::ffff:8.8.8.8", []) is True
    assert is_public("::ffff:10.0.0.1", []) is False
    assert isinstance(is_public("x", []), Unknown)


def test_link_local() -> None:
    assert [is_link_local(a) for a in ("169.254.1.1", "fe80::1%eth0", "127.0.0.1", "10.0.0.1")] == [
        True,
        True,
        True,
        False,
    ]


@given(V4_NETWORKS)
def test_single_addresses_agree_with_the_standard_library(network: ipaddress.IPv4Network) -> None:
    """Python keeps the same registries; what it calls global we call public, multicast and the old 6to4 relays aside."""
    address = network.network_address
    if address in ipaddress.ip_network("192.0.0.0/24") or address in ipaddress.ip_network("192.88.99.0/24"):
        return
    assert holds_public(f"{address}/32", None) is (address.is_global and not address.is_multicast)


@given(V4_NETWORKS, st.lists(V4_NETWORKS, max_size=3))
def test_a_larger_network_holds_what_a_smaller_does(
    network: ipaddress.IPv4Network, own: list[ipaddress.IPv4Network]
) -> None:
    owned = [str(n) for n in own]
    if network.prefixlen and holds_public(str(network), owned):
        assert holds_public(str(network.supernet()), owned)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("http://user:p@ss@Proxy.Local:8080/path", "proxy.local:8080"), ("socks5://10.0.0.1:1080", "10.0.0.1:1080"),
        ("user:pass@h:1", "h:1"), ("'h:3128'", "h:3128"), ("DIRECT", ""), ("", ""), ("none", ""), ("http://***@h:1/", "h:1"),
    ],
)  # fmt: skip
def test_proxies_lose_their_credentials(written: str, plain: str) -> None:
    assert plain_proxy(written) == plain
