"""The registries of a real Windows 7 and a real Windows 10, read by the code for the running system.

HKEY_LOCAL_MACHINE of this process is made to be theirs. What the live backend says is what the hive says, and what an
independent library read in it; last-write times alone are those of the import.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import winreg
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.hives.writer import hive
from tests.windows.regfile import opened, walk, write_registration
from tests.windows.win import machine_redirected
from ybscan.engine.scan import Plan, needed, read_facts, scan
from ybscan.hosts.base import Host
from ybscan.hosts.bundle import read_bundle, write_bundle
from ybscan.hosts.groups.services import Services
from ybscan.hosts.recorder import recorded
from ybscan.hosts.replay import group_types, replay
from ybscan.hosts.windows.hive import decoded
from ybscan.hosts.windows.hivefile import HiveFile
from ybscan.hosts.windows.live.files import read_bytes
from ybscan.hosts.windows.live.registry import LiveRegistry
from ybscan.hosts.windows.offline.host import offline_windows
from ybscan.hosts.windows.redact import kept
from ybscan.model.dictionary import Dictionary
from ybscan.model.reading import Known, Unknown
from ybscan.model.rule import Role
from ybscan.probes.base import Context
from ybscan.probes.registry import ProbeRegistry
from ybscan.rules.load import LoadedPack
from ybscan.rules.site import no_site

assert sys.platform == "win32"

pytestmark = pytest.mark.skipif(
    "zh_CN" not in os.environ.get("LC_ALL", ""), reason="a registry is the same on every code page: compared once"
)

_TRUTH = PROJECT.parent / "shared" / "windows" / "hives" / "GROUND-TRUTH.txt"
NOW = datetime.fromisoformat("2018-04-10T10:00:00+08:00")


@dataclass(frozen=True)
class Machine:
    """A real machine's registry: as a hive, and as keys of this machine."""

    name: str
    file: HiveFile
    control_set: str
    below: str

    def truth(self) -> str:
        """What the independent library says of the hive."""
        return _TRUTH.read_text(encoding="utf-8").partition(f"===== {self.name} ")[2].partition("\n=====")[0]


@pytest.fixture(scope="module", params=["rp_SYSTEM", "rp_SYSTEM_B"])
def machine(
    request: pytest.FixtureRequest, hive_file: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    hive = hive_file(request.param)
    if request.param == "rp_SYSTEM_B":
        hive_file("rp_SYSTEM_B.LOG1")
        hive_file("rp_SYSTEM_B.LOG2")
    file = opened(hive)
    select = file.value(file.subkeys(file.root)["SELECT"], "Current")
    assert select is not None
    assert select.data is not None
    control_set = f"ControlSet{int.from_bytes(select.data, 'little'):03}"
    below = f"ybscan-{request.param}"
    registration = tmp_path_factory.mktemp("reg") / "machine.reg"
    write_registration(file, registration, f"HKEY_LOCAL_MACHINE\\SOFTWARE\\{below}\\SYSTEM", control_set)
    subprocess.run(["reg", "import", str(registration)], check=True, capture_output=True, timeout=120)
    yield Machine(request.param, file, control_set, f"SOFTWARE\\{below}")
    subprocess.run(["reg", "delete", f"HKLM\\SOFTWARE\\{below}", "/f"], check=True, capture_output=True, timeout=120)


@pytest.fixture
def redirected(machine: Machine) -> Iterator[Machine]:
    right = winreg.KEY_ALL_ACCESS | winreg.KEY_WOW64_64KEY
    with winreg.OpenKeyEx(winreg.HKEY_LOCAL_MACHINE, machine.below, 0, right) as key, machine_redirected(key):
        yield machine


def test_every_key_and_value_is_that_of_the_hive(redirected: Machine) -> None:
    live = LiveRegistry(read_bytes)
    keys = values = 0
    for path, node in walk(redirected.file, redirected.control_set):
        key = "\\".join(("HKLM", "SYSTEM", *path))
        wanted, broken = {}, 0
        for raw in redirected.file.values(node):
            value = decoded(raw)
            if isinstance(value, Unknown):
                broken += 1
            else:
                wanted[raw.name] = kept(key, raw.name, value)
        found = live.values(key=key)
        assert isinstance(found, Known), key
        assert found.value == wanted, key
        assert len(found.gaps) == broken, key
        keys += 1
        values += len(wanted)
        if path:
            below = live.subkeys(key=key)
            assert isinstance(below, Known), key
            assert list(below.value) == sorted(c.name for c in redirected.file.subkeys(node).values()), key
    assert keys > 10_000
    assert values > 30_000


def test_services_are_those_that_an_independent_library_read(redirected: Machine, host: Host) -> None:
    found = host.services.configured()
    assert isinstance(found, Known)
    services = {s.name.lower(): s for s in found.value}
    lines = re.findall(r"svc (\S+) Start (\d) Type (\d+) \S+ \S+ (.+)", redirected.truth())
    assert len(lines) >= 15
    for name, start, kind, image in lines:
        service = services[name.lower()]
        assert service.start == ("boot", "system", "auto", "demand", "disabled")[int(start)], name
        assert service.kind == ("service" if int(kind) & 0x30 else "driver"), name
        assert image.strip('"').startswith(service.image[: len(image) - 2]), name
    term = services["termservice"]
    assert term.dll.lower() == r"%systemroot%\system32\termsrv.dll"
    assert all(" -k " not in s.image and '"' not in s.image for s in found.value)


def test_live_and_replayed_findings_are_equal(
    redirected: Machine, host: Host, packs: tuple[LoadedPack, ...], registry: ProbeRegistry, dictionary: Dictionary,
    tmp_path: Path,
) -> None:  # fmt: skip
    loaded = no_site()
    plan = Plan(
        packs=packs, rules=tuple(r for p in packs for r in p.rules), registry=registry, loaded=loaded,
        context=Context(site=loaded.site, now=NOW, dictionary=dictionary),
    )  # fmt: skip
    watched, recording = recorded(host, lambda: NOW)
    live = scan(watched, plan, finished=lambda: NOW)
    file = tmp_path / "证据.zip"
    write_bundle(recording, os="windows", collected_at=NOW, path=file)
    bundle = read_bundle(file)
    again = scan(replay(bundle.os, bundle.answers), plan, finished=lambda: NOW)
    assert again.facts == live.facts
    assert again.findings == live.findings
    assert again.host == live.host.model_copy(update={"backend": "replay"})


def test_live_and_offline_answers_are_equal(
    redirected: Machine, host: Host, packs: tuple[LoadedPack, ...], registry: ProbeRegistry, dictionary: Dictionary,
    hive_file: Callable[[str], Path], tmp_path: Path,
) -> None:  # fmt: skip
    """What both know of the machine is the same. Files, processes and devices of this process are Wine's: not compared."""
    config = tmp_path / "Windows" / "System32" / "config"
    config.mkdir(parents=True)
    for ending in ("", ".LOG1", ".LOG2"):
        source = hive_file(redirected.name).with_name(redirected.name + ending)
        if source.is_file():
            (config / f"SYSTEM{ending}").write_bytes(source.read_bytes())
    # There is no SOFTWARE of these machines: an empty one for the disk, none in the running registry.
    (config / "SOFTWARE").write_bytes(hive({}))
    disk = offline_windows(tmp_path)
    assert host.services.configured() == disk.services.configured()
    loaded = no_site()
    plan = Plan(
        packs=packs, rules=tuple(r for p in packs for r in p.rules), registry=registry, loaded=loaded,
        context=Context(site=loaded.site, now=NOW, dictionary=dictionary),
    )  # fmt: skip
    wanted = needed(plan.rules, "windows", Role.SETTLEMENT, delegations=False)
    # Only the registry and what comes of it: the rest of this process' system is another machine's.
    silent = {name: kind("不比较") for name, kind in group_types().items()}
    both = [
        read_facts(
            Host(backend=h.backend, os="windows", **{**silent, "registry": h.registry, "services": _Configured(h)}),
            plan, wanted, lambda _: None,
        )
        for h in (host, disk)
    ]  # fmt: skip
    known = 0
    for name, live in both[0].items():
        still = both[1][name]
        if isinstance(live, Unknown) or isinstance(still, Unknown):
            continue
        assert type(live) is type(still), name
        if isinstance(live, Known) and isinstance(still, Known):
            # What may be missing differs with what each could not see; what was seen does not.
            assert live.value == still.value, name
            known += 1
    assert known >= 8


class _Configured(Services):
    """How services are set up, which both know; which of them run is this machine's."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.configured = host.services.configured  # type: ignore[method-assign]
