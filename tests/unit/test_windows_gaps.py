"""What a source did not tell whole goes on to the verdict: answers that lack a part, asked by the parts of probes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ybscan.hosts.groups.services import ServiceConfig, ServiceState
from ybscan.hosts.linux.collected.tree import CollectedFiles, parse_tree
from ybscan.hosts.replay import replay
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._windows import autostart, genuine, usb_traces
from ybscan.probes._windows.settings import is_running

GAP = Gap(Cause.MALFORMED, "一个值", "case")
IFEO = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options"


def test_debuggers_that_cannot_be_read() -> None:
    answers: dict[Any, Reading[Any]] = {}
    for view in ("64", "32"):
        listed = Known(("sethc.exe",), IFEO, (GAP,) if view == "32" else ())
        answers["registry", "subkeys", (("key", IFEO), ("view", view))] = listed
        key = rf"{IFEO}\sethc.exe"
        answers["registry", "commands", (("key", key), ("view", view))] = Known({}, key, (GAP,) if view == "64" else ())
    gaps: list[Gap] = []
    assert list(autostart._debuggers(replay("windows", answers), None, gaps)) == []  # type: ignore[arg-type]
    assert gaps == [GAP, GAP]


def test_drive_letters_that_cannot_be_read() -> None:
    answers: dict[Any, Reading[Any]] = {
        ("registry", "values", (("key", usb_traces.MOUNTED),)): Known({}, usb_traces.MOUNTED, (GAP,))
    }
    assert usb_traces._forgotten(replay("windows", answers), SimpleNamespace(storage=())) == [GAP]  # type: ignore[arg-type]


@pytest.mark.parametrize(("gaps", "expected"), [((), True), ((GAP,), Cause.MALFORMED)])
def test_a_key_host_is_elsewhere_only_when_every_own_address_is_known(gaps: tuple[Gap, ...], expected: object) -> None:
    host = replay("windows", {("network", "interfaces", ()): Known((), "case", gaps)})
    found = genuine._host_doubt(host, "10.20.1.5")
    assert (found.cause if isinstance(found, Unknown) else found) == expected


def test_a_service_that_is_set_up_and_not_listed_may_run() -> None:
    def asked(configured: Reading[Any]) -> Reading[bool]:
        states = Known((ServiceState("EventLog", "running", 900),), "case")
        answers = {("services", "states", ()): states, ("services", "configured", ()): configured}
        return is_running(replay("windows", answers), "RemoteRegistry")

    there = ServiceConfig("remoteregistry", "", "demand", "service", "", "", "")
    assert isinstance(asked(Known((there,))), Unknown)
    assert asked(Known(())) == Known(False, "case")


def test_a_path_that_was_not_there_says_nothing_of_one_that_begins_alike() -> None:
    files = CollectedFiles(parse_tree(b"ybscan-tree 1\nA /opt/x/conf\n"), {})
    assert isinstance(files.stat(path="/opt/x/conf"), Absent)
    assert isinstance(files.stat(path="/opt/x/conf/a"), Absent)
    for other in ("/opt/x/config", "/opt/x/conf.d/a", "/opt/x/other"):
        assert isinstance(files.stat(path=other), Unknown)
