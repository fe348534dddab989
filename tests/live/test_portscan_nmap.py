"""The real nmap against real listeners, loopback of a namespace of our own only."""

# ruff: noqa: S104, ISC004 - listeners are meant to be open
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.live._netns import Pair, namespaces, needs_netns

pytestmark = [pytest.mark.netns, needs_netns, pytest.mark.skipif(not shutil.which("nmap"), reason="需要 nmap")]
pytest.importorskip("nmap", reason="需要 python-nmap")


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with namespaces() as made:
        made.listen(
            ("tcp", "0.0.0.0", 8080), ("tcp", "::1", 9090), ("tcp", "127.0.0.1", 3306), ("udp", "127.0.0.1", 5353)
        )
        yield made


def scan(pair: Pair, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["ip", "netns", "exec", pair.terminal, sys.executable, "-m", "ybscan", "ports", "scan", *arguments],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )  # fmt: skip


def test_this_host_agrees_with_its_socket_table(pair: Pair) -> None:
    done = scan(pair, "--ports", "3000-9999", "--format", "json")
    assert done.returncode == 0, done.stderr
    rows = {(r["host"], r["port"]): r["result"] for r in json.loads(done.stdout)}
    assert rows == {("127.0.0.1", 8080): "一致", ("127.0.0.1", 3306): "一致", ("::1", 9090): "一致"}


def test_udp(pair: Pair) -> None:
    done = scan(pair, "--udp", "--ports", "5353,5354", "-f", "json")
    assert done.returncode == 0, done.stderr
    rows = [(r["proto"], r["port"], r["result"]) for r in json.loads(done.stdout) if r["host"] == "127.0.0.1"]
    assert rows == [("udp", 5353, "一致")]


def test_a_silent_listener_is_shown(pair: Pair) -> None:
    pair.firewall("table inet f { chain i { type filter hook input priority 0; policy accept; tcp dport 3306 drop } }")
    try:
        done = scan(pair, "-p", "3306,8080", "-f", "json")
    finally:
        pair.firewall("")
    assert {(r["port"], r["result"]) for r in json.loads(done.stdout)} == {(3306, "未应答"), (8080, "一致")}


def test_named_host_as_a_table(pair: Pair) -> None:
    done = scan(pair, "127.0.0.1", "-p", "8080,8081")
    assert done.returncode == 0, done.stderr
    assert "8080" in done.stdout
    assert "8081" not in done.stdout
    assert "共 1 个端口应答" in done.stderr


def test_nothing_open_is_no_error(pair: Pair) -> None:
    done = scan(pair, "127.0.0.1", "-p", "9", "-f", "json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


def test_without_nmap_the_reason_says_so(pair: Pair, tmp_path: object) -> None:
    done = subprocess.run(
        ["ip", "netns", "exec", pair.terminal, "/usr/bin/env", f"PATH={tmp_path}", sys.executable, "-c",
         "import nmap, functools; nmap.PortScanner = functools.partial(nmap.PortScanner, nmap_search_path=('nmap-none',));"
         "from ybscan.hosts.portscan import scan_ports; print(scan_ports(hosts=('127.0.0.1',)).detail)"],
        capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert "没有 nmap 命令" in done.stdout, done.stderr


@pytest.mark.parametrize("arguments", [("10.0.0.0/8",), ("127.0.0.1", "-p", "0"), ("127.0.0.1", "-f", "xml")])
def test_bad_arguments_send_nothing(pair: Pair, arguments: tuple[str, ...]) -> None:
    done = scan(pair, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "没有进行检查" in done.stderr
