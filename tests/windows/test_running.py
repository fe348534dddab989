"""Processes, sockets, services, rights and accounts of the system that the tests run on."""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from ybscan.hosts.base import Host
from ybscan.hosts.windows.live import sids
from ybscan.model.reading import Cause, Known, Unknown

assert sys.platform == "win32"


def test_what_windows_this_is(host: Host) -> None:
    edition = host.system.windows()
    identity = host.system.identity()
    assert isinstance(edition, Known)
    assert isinstance(identity, Known)
    assert edition.value.build == sys.getwindowsversion().build
    assert identity.value.hostname == socket.gethostname()
    assert identity.value.os_id == f"windows-{edition.value.build}"
    assert identity.value.arch == platform.machine()


def test_with_what_rights_and_bits_we_look(host: Host) -> None:
    assert host.system.bits() == Known((struct.calcsize("P") * 8, 64), "GetNativeSystemInfo")
    elevated = host.system.elevated()
    assert isinstance(elevated, Known)
    assert elevated.value == bool(ctypes.windll.shell32.IsUserAnAdmin())


def test_when_it_started(host: Host) -> None:
    found = host.system.boot_time()
    assert isinstance(found, Known)
    assert found.value <= time.time()
    assert abs(found.value - psutil.boot_time()) < 5


def test_environment(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://u:geheim@10.0.0.1:8080")
    found = host.system.environment(names=("http_proxy", "no_such_variable"))
    assert found == Known({"http_proxy": "http://***@10.0.0.1:8080"}, "environment")


def test_processes(host: Host) -> None:
    found = host.processes.running()
    assert isinstance(found, Known)
    (me,) = (p for p in found.value if p.pid == os.getpid())
    assert me.name.lower() == "python.exe"
    assert me.exe is not None
    assert me.exe.lower() == sys.executable.lower()
    assert me.user
    assert [p.pid for p in found.value] == sorted(p.pid for p in found.value)
    assert "services.exe" in {p.name.lower() for p in found.value}
    # Names and images: no command line, whose arguments may be secrets.
    with subprocess.Popen([sys.executable, "-c", "input()", "geheim"], stdin=subprocess.PIPE) as child:
        again = host.processes.running()
        assert isinstance(again, Known)
        assert child.pid in {p.pid for p in again.value}
        assert "geheim" not in repr(again)
        child.kill()


@pytest.fixture
def listeners() -> Iterator[dict[str, socket.socket]]:
    """A listener of each kind on loopback, and a connection to the first."""
    opened: dict[str, socket.socket] = {}
    for name, family, kind, address in (
        ("tcp4", socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1"), ("tcp6", socket.AF_INET6, socket.SOCK_STREAM, "::1"),
        ("udp4", socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.1"), ("udp6", socket.AF_INET6, socket.SOCK_DGRAM, "::1"),
    ):  # fmt: skip
        s = socket.socket(family, kind)
        s.bind((address, 0))
        if kind == socket.SOCK_STREAM:
            s.listen()
        opened[name] = s
    opened["client"] = socket.create_connection(opened["tcp4"].getsockname())
    opened["server"] = opened["tcp4"].accept()[0]
    yield opened
    for s in opened.values():
        s.close()


def test_sockets(host: Host, listeners: dict[str, socket.socket]) -> None:
    found = host.sockets.table()
    assert isinstance(found, Known)
    for name in ("tcp4", "tcp6", "udp4", "udp6"):
        address, number = listeners[name].getsockname()[:2]
        family = "ipv6" if name.endswith("6") else "ipv4"
        (one,) = (
            s for s in found.value
            if (s.proto, s.family, s.local_port, s.state) == (name[:3], family, number, "listen")
        )  # fmt: skip
        assert (one.local, one.remote, one.remote_port) == (address, "", 0)
        assert one.pid in (None, os.getpid())
    mine = listeners["client"].getsockname()
    theirs = listeners["server"].getsockname()
    (talking,) = (s for s in found.value if (s.local_port, s.remote_port) == (mine[1], theirs[1]))
    assert (talking.state, talking.local, talking.remote) == ("established", "127.0.0.1", "127.0.0.1")
    if any(s.pid is None and s.state == "listen" for s in found.value):
        assert found.gaps


def test_services(host: Host) -> None:
    states = host.services.states()
    configured = host.services.configured()
    assert isinstance(states, Known)
    assert isinstance(configured, Known)
    state_of = {s.name: s for s in states.value}
    # Wine's containers of drivers have no key of their own.
    seen = {s.name(): s for s in psutil.win_service_iter() if not s.name().startswith("Winedevice")}
    assert set(seen) <= set(state_of)
    for name, service in seen.items():
        assert {"start_pending": "pending", "stop_pending": "pending"}.get(
            service.status(), service.status()
        ) == state_of[name].state
        assert service.pid() == state_of[name].pid
    start_of = {c.name.lower(): c.start for c in configured.value}
    words = {"automatic": "auto", "manual": "demand", "disabled": "disabled"}
    assert all(words[s.start_type()] == start_of[n.lower()] for n, s in seen.items() if n.lower() in start_of)
    assert {n.lower() for n in seen} <= set(start_of)


def test_names_are_looked_up_on_this_machine_alone() -> None:
    own = sids.machine_sid()
    assert own.startswith("S-1-5-21-")
    assert sids.named("S-1-5-32-544")[1] == "group"
    assert sids.named("S-1-5-18")[1] == "well-known"
    for foreign in ("S-1-5-21-1-2-3-500", "S-1-12-1-1-2-3-4", f"{own}9-500", "S-1-5-21-0-0", "nonsense", ""):
        assert not sids.is_local(foreign) or foreign.startswith(f"{own}-")
    assert sids.named("S-1-5-21-1-2-3-500") == ("", "unknown")


def test_a_workgroup(host: Host) -> None:
    found = host.accounts.join()
    assert isinstance(found, Known)
    assert found.value.kind in ("workgroup", "domain", "none")


def is_wine() -> bool:
    return hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")


@pytest.mark.skipif(not is_wine(), reason="Windows itself answers")
def test_a_system_that_answers_wrongly_is_not_believed(host: Host) -> None:
    """Wine fails NetUserModalsGet with 2140, has no level 3 of NetUserEnum, and reports members with no buffer at all."""
    policy, users = host.accounts.policy(), host.accounts.local_users()
    assert isinstance(policy, Unknown)
    assert "2140" in policy.detail
    assert isinstance(users, Unknown)
    for sid in ("S-1-5-32-544", "S-1-5-32-545", "S-1-5-32-555"):
        members = host.accounts.members(sid=sid)
        assert isinstance(members, Unknown), sid
    foreign = host.accounts.members(sid="S-1-5-21-1-2-3-1000")
    assert isinstance(foreign, Unknown)
    assert foreign.cause is Cause.UNAVAILABLE


def test_who_may_set_the_clock(host: Host) -> None:
    """Administrators only may ask; Wine answers with nobody."""
    found = host.accounts.holders(right="SeSystemtimePrivilege")
    if isinstance(found, Known):
        assert all(m.sid.startswith("S-1-") for m in found.value)
    else:
        assert isinstance(found, Unknown)
        assert found.cause in (Cause.DENIED, Cause.UNAVAILABLE, Cause.UNSUPPORTED)
    assert isinstance(host.accounts.holders(right="SeNoSuchRight"), Unknown | Known)
