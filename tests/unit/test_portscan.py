"""The port scan's arguments and its comparison with the socket table; no packet is sent here."""

from __future__ import annotations

import sys

import pytest

from ybscan.hosts.groups.sockets import Socket
from ybscan.hosts.portscan import (
    HIDDEN,
    KNOWN,
    SILENT,
    UNCLEAR,
    SeenPort,
    compared,
    scan_ports,
    wrong_hosts,
    wrong_ports,
)
from ybscan.model.reading import Cause, Known, Unknown


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "fe80::1", "his-server", "his.example.cn", "a_b"])
def test_hosts_that_are_taken(host: str) -> None:
    assert wrong_hosts([host]) == []


@pytest.mark.parametrize(
    "host",
    ["10.0.0.0/8", "10.0.0.*", "10.0.0.1-20", "-oN", "-oN /etc/x", "a b", "", "a;b", "10.0.0", "256.1.1.1", "*", "x" * 300,
     "--script=x", "a\nb", "医院"],
)  # fmt: skip
def test_ranges_options_and_nonsense_are_refused(host: str) -> None:
    assert wrong_hosts([host])
    with pytest.raises(ValueError, match="不是 IP 地址或主机名"):
        scan_ports(hosts=(host,))


def test_too_many_hosts_are_refused() -> None:
    assert wrong_hosts([f"10.0.0.{i}" for i in range(65)])
    assert not wrong_hosts([f"10.0.0.{i}" for i in range(64)])


@pytest.mark.parametrize(
    ("ports", "fine"),
    [("22", True), ("22,80,8000-8100", True), ("1-65535", True), ("0", False), ("65536", False), ("9-8", False), ("ssh", False),
     ("22,", False), ("-", False), ("22 80", False), ("-oN x", False), ("٢٢", False)],
)  # fmt: skip
def test_ports(ports: str, fine: bool) -> None:
    assert (wrong_ports(ports) == []) is fine


def test_without_python_nmap_the_reason_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nmap", None)
    got = scan_ports(hosts=("127.0.0.1",))
    assert isinstance(got, Unknown)
    assert got.cause is Cause.TOOL_MISSING
    assert "python-nmap" in got.detail


def _socket(local: str, port: int, proto: str = "tcp", program: str = "sshd") -> Socket:
    family = "ipv6" if ":" in local else "ipv4"
    return Socket(proto, family, local, port, "", 0, "listen", 1, program)  # type: ignore[arg-type]


def _results(seen: list[SeenPort], *table: Socket, scanned: str = "") -> list[tuple[str, int, str, str]]:
    return [(c.seen.host, c.seen.port, c.program, c.result) for c in compared(seen, Known(table), scanned=scanned)]


def test_a_port_that_answers_without_being_in_the_table_is_shown() -> None:
    seen = [SeenPort("127.0.0.1", "tcp", 22, "open", "ssh"), SeenPort("127.0.0.1", "tcp", 31337, "open", "")]
    assert _results(seen, _socket("0.0.0.0", 22)) == [  # noqa: S104
        ("127.0.0.1", 22, "sshd", KNOWN), ("127.0.0.1", 31337, "", HIDDEN),
    ]  # fmt: skip


def test_only_listeners_on_the_scanned_address_count() -> None:
    seen = [SeenPort("127.0.0.1", "tcp", 80, "open", ""), SeenPort("::1", "tcp", 80, "open", "")]
    assert [r[3] for r in _results(seen, _socket("10.0.0.5", 80))] == [HIDDEN, HIDDEN]
    assert [r[3] for r in _results(seen, _socket("::", 80))] == [KNOWN, KNOWN]
    assert [r[3] for r in _results(seen, _socket("::ffff:127.0.0.1", 80))] == [KNOWN, HIDDEN]
    assert [r[3] for r in _results(seen, _socket("0.0.0.0", 80))] == [KNOWN, HIDDEN]  # noqa: S104
    assert [r[3] for r in _results(seen, _socket("0.0.0.0", 80, "udp"))] == [HIDDEN, HIDDEN]  # noqa: S104


def test_a_listener_that_did_not_answer_is_shown() -> None:
    seen = [SeenPort("127.0.0.1", "tcp", 22, "open", "ssh")]
    table = (_socket("0.0.0.0", 22), _socket("127.0.0.1", 80, program="httpd"), _socket("10.0.0.5", 81))  # noqa: S104
    assert ("127.0.0.1", 80, "httpd", SILENT) in _results(seen, *table, scanned="1-100")
    assert len(_results(seen, *table, scanned="1-100")) == 2
    assert len(_results(seen, *table, scanned="22,443")) == 1


def test_what_cannot_be_compared_is_not_called_hidden() -> None:
    seen = [SeenPort("127.0.0.1", "tcp", 22, "open", "ssh")]
    assert [c.result for c in compared(seen, Unknown(Cause.DENIED))] == [UNCLEAR]
    assert _results([SeenPort("127.0.0.1", "udp", 53, "open|filtered", "")])[0][3] == UNCLEAR
