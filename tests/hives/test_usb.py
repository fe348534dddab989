"""The USB history of real machines: what an independent reader found in the same hives has to come out as arrivals."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.hives.roots import windows_7, windows_10
from ybscan.hosts.base import Host
from ybscan.hosts.offline import offline_root
from ybscan.model.reading import Cause, Known
from ybscan.model.site import Site
from ybscan.probes._usb.serials import salt, shown
from ybscan.probes.base import Context
from ybscan.probes.registry import ProbeRegistry


def arrivals(
    host: Host, registry: ProbeRegistry, now: str, *registered: str
) -> tuple[list[dict[str, Any]], set[Cause]]:
    """The items that came out, and the causes of the gaps."""
    usb = {"profile": "registered", "registered": registered} if registered else {}
    context = Context(site=Site.model_validate({"usb": usb}), now=datetime.fromisoformat(now))
    fact = registry.probes["usb_history"].read(host, context)["arrivals"]
    assert isinstance(fact, Known)
    assert isinstance(fact.value, tuple)
    return [dict(i) for i in fact.value if isinstance(i, dict)], {g.cause for g in fact.gaps}


def test_the_stick_of_windows_7_shows_by_the_time_its_key_was_written(tmp_path: Path, registry: ProbeRegistry) -> None:
    host = offline_root(windows_7(tmp_path))
    items, causes = arrivals(host, registry, "2012-04-08T10:00:00+00:00")
    assert [(i["model"], i["serial"], i["registered"], i["medium"]) for i in items] == [
        ("HP v100w", shown("AA951D0000007252", salt(host)), False, True)
    ]
    assert items[0]["last"] == datetime.fromisoformat("2012-04-07T10:31:37+00:00")
    # Windows 7 keeps no date of arrival: that there were no others cannot be said.
    assert Cause.UNAVAILABLE in causes


def test_the_first_install_on_windows_7_is_an_arrival(tmp_path: Path, registry: ProbeRegistry) -> None:
    items, _ = arrivals(offline_root(windows_7(tmp_path)), registry, "2011-04-02T10:00:00+00:00")
    assert [i["last"] for i in items] == [datetime.fromisoformat("2011-04-01T04:52:38+00:00")]


def test_later_on_windows_7_nothing_is_certain(tmp_path: Path, registry: ProbeRegistry) -> None:
    host = offline_root(windows_7(tmp_path))
    assert arrivals(host, registry, "2012-06-01T10:00:00+00:00") == ([], {Cause.UNAVAILABLE})
    # Of a registered stick it does not matter.
    assert Cause.UNAVAILABLE not in arrivals(host, registry, "2012-06-01T10:00:00+00:00", "AA951D0000007252")[1]


@pytest.mark.parametrize(
    ("serial", "first", "last"),
    [
        ("AA010215170355310594", "2018-03-27T09:22:13+00:00", "2018-03-27T12:13:16+00:00"),
        ("AA010603160707470215", "2018-03-27T09:22:21+00:00", "2018-03-27T21:45:44+00:00"),
    ],
)
def test_the_sticks_of_windows_10(serial: str, first: str, last: str, tmp_path: Path, registry: ProbeRegistry) -> None:
    host = offline_root(windows_10(tmp_path))
    items, _ = arrivals(host, registry, "2018-03-28T10:00:00+00:00")
    found = [i for i in items if i["serial"] == shown(serial, salt(host))]
    assert [(i["model"], i["medium"], i["registered"]) for i in found] == [("SanDisk Extreme", True, False)]
    assert (found[0]["first"], found[0]["last"]) == (datetime.fromisoformat(first), datetime.fromisoformat(last))


def test_the_uas_disk_of_windows_10(tmp_path: Path, registry: ProbeRegistry) -> None:
    items, _ = arrivals(offline_root(windows_10(tmp_path)), registry, "2018-04-10T10:00:00+00:00")
    assert [(i["model"], i["medium"]) for i in items] == [("Samsung Portable SSD T5", True)]


@pytest.mark.parametrize("serial", ["12345679FD0B", "MSFT3012345679FD0B"])
def test_a_uas_disk_is_registered_by_either_form_of_its_serial(
    serial: str, tmp_path: Path, registry: ProbeRegistry
) -> None:
    items, _ = arrivals(offline_root(windows_10(tmp_path)), registry, "2018-04-10T10:00:00+00:00", serial)
    assert [i["registered"] for i in items] == [True]
