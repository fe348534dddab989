"""The inventory against the package manager's own words, on the machine the tests run on."""

from __future__ import annotations

import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ybscan.engine.scan import checked
from ybscan.hosts.live_linux import live_linux
from ybscan.model.dictionary import Dictionary
from ybscan.model.reading import Known
from ybscan.model.site import Site
from ybscan.probes._software.inventory import gather
from ybscan.probes._software.match import match_products
from ybscan.probes.autostart import AutostartProbe
from ybscan.probes.base import Context
from ybscan.probes.remote_access import RemoteAccessProbe
from ybscan.probes.software import SoftwareProbe

pytestmark = pytest.mark.live
DPKG = pytest.mark.skipif(
    shutil.which("dpkg-query") is None or not Path("/var/lib/dpkg/status").is_file(), reason="this machine has no dpkg"
)


def said(*command: str) -> list[str]:
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
    )
    return done.stdout.splitlines()


@DPKG
def test_packages_are_those_of_dpkg_query() -> None:
    lines = [
        line.split("\t") for line in said("dpkg-query", "-W", "-f", "${Package}\\t${Version}\\t${db:Status-Status}\\n")
    ]
    there = {(n, v) for n, v, state in lines if state not in ("config-files", "not-installed")}
    inventory = gather(live_linux())
    assert {(p.name, p.version) for p in inventory.packages if p.source == "dpkg"} == there
    assert inventory.managers[0] == "dpkg"
    assert not [g for g in inventory.gaps if "dpkg" in g.origin]


@DPKG
@pytest.mark.skipif(shutil.which("apt-mark") is None, reason="this machine has no apt")
def test_automatic_packages_are_those_of_apt_mark() -> None:
    installed = {p.name for p in gather(live_linux()).packages if p.source == "dpkg" and p.auto}
    wanted = {line.partition(":")[0] for line in said("apt-mark", "showauto")}
    if not Path("/var/lib/apt/extended_states").is_file():
        pytest.skip("apt keeps no record of automatic packages here")
    assert wanted <= installed | {""}
    manual = {line.partition(":")[0] for line in said("apt-mark", "showmanual")}
    assert not manual - wanted & installed


@DPKG
def test_a_whole_inventory_is_quick(dictionary: Dictionary) -> None:
    host = live_linux()
    match_products(gather(host), dictionary)
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        match_products(gather(host), dictionary)
        times.append(time.perf_counter() - begin)
    assert min(times) < 0.5, times


def test_all_facts_of_this_machine_fit_their_types(dictionary: Dictionary) -> None:
    context = Context(
        site=Site.model_validate({"software": {"allowed": [], "required": []}}),
        now=datetime.now(UTC),
        dictionary=dictionary,
    )
    for probe in (SoftwareProbe(), AutostartProbe(), RemoteAccessProbe()):
        readings = probe.read(live_linux(), context)
        for spec in probe.facts:
            got = readings[spec.name]
            assert checked(got, spec) is got, f"{probe.name}.{spec.name}: {checked(got, spec)}"
            if isinstance(got, Known) and isinstance(got.value, tuple):
                for item in got.value:
                    assert not isinstance(item, str)
                    for value in item.values():
                        if isinstance(value, str):
                            value.encode("utf-8")


@pytest.mark.skipif(shutil.which("systemctl") is None, reason="this machine has no systemd")
def test_units_that_systemctl_calls_enabled_are_among_the_autostart_items(dictionary: Dictionary) -> None:
    done = subprocess.run(
        ["systemctl", "list-unit-files", "--no-pager", "--no-legend", "--plain", "--state=enabled"],
        capture_output=True, text=True, check=False, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    units = [line.split()[0] for line in done.stdout.splitlines() if line.strip()]
    if done.returncode != 0 or not units:
        pytest.skip("systemctl cannot say which units are enabled here")
    context = Context(site=Site(), now=datetime.now(UTC), dictionary=dictionary)
    items = AutostartProbe().read(live_linux(), context)["items"]
    assert isinstance(items, Known)
    names = {str(i["id"]).partition(":")[2] for i in items.value if not isinstance(i, str)}
    # A template is enabled through its instances; an alias link shows under the name of the link.
    missing = [u for u in units if "@." not in u and u not in names]
    assert not missing
