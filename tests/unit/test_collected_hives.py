"""Real registries written out as the collector writes them: the importer's answers equal those of the hive itself."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.collected import SYSTEM, part, reg, write

from ybscan.hosts.base import Host
from ybscan.hosts.collected.evidence import read_evidence
from ybscan.hosts.collected.load import collected_host
from ybscan.hosts.windows.hive import open_hive
from ybscan.hosts.windows.hivefile import KeyNode, RawValue, folded
from ybscan.hosts.windows.offline.host import offline_windows
from ybscan.model.reading import Known, Unknown

PROJECT = Path(__file__).resolve().parents[2]
HIVES = PROJECT.parent / "shared" / "windows" / "hives"
CURRENT = r"HKLM\SYSTEM\CurrentControlSet"
TREES = ("Services", "Enum", r"Control\Terminal Server", r"Control\Class")


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def line(raw: RawValue) -> str:
    """A value as ``reg export`` writes it: text in quotes, numbers as dword, all else in hex, wrapped at 80 columns."""
    name = quoted(raw.name) if raw.name else "@"
    data = raw.data or b""
    if raw.type == 4 and len(data) == 4:
        return f"{name}=dword:{int.from_bytes(data, 'little'):08x}\n"
    if raw.type == 1 and len(data) % 2 == 0:
        text = data.decode("utf-16-le", "replace").partition("\0")[0]
        if "\ufffd" not in text and "\n" not in text and "\r" not in text:
            return f"{name}={quoted(text)}\n"
    made = f"{name}=hex:" if raw.type == 3 else f"{name}=hex({raw.type:x}):"
    column = len(made)
    for number, byte in enumerate(data):
        made += f"{byte:02x}" + ("," if number < len(data) - 1 else "")
        column += 3
        if column > 76 and number < len(data) - 1:
            made += "\\\n  "
            column = 2
    return made + "\n"


def exported(system: bytes, logs: list[bytes]) -> Iterator[str]:
    opened = open_hive(system, logs)
    assert isinstance(opened, Known)
    file = opened.value._file

    def below(key: KeyNode, path: str) -> Iterator[str]:
        yield f"\n[{path}]\n"
        yield from (line(v) for v in file.values(key))
        for child in file.subkeys(key).values():
            yield from below(child, f"{path}\\{child.name}")

    select = file.value(file.subkeys(file.root)[folded("Select")], "Current")
    assert select is not None
    number = int.from_bytes(select.data or b"", "little")
    for tree in TREES:
        key = file.subkeys(file.root)[folded(f"ControlSet{number:03}")]
        for name in tree.split("\\"):
            key = file.subkeys(key)[folded(name)]
        path = f"HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\{tree}"
        yield reg(path, "".join(below(key, path)))


@pytest.fixture(scope="module", params=["rp_SYSTEM", "rp_SYSTEM_B"])
def hosts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Host, Host]:
    """The importer's host and the offline one, of the same registry."""
    name: str = request.param
    if not (HIVES / f"{name}.xz").is_file():
        pytest.skip("没有共享的注册表文件（shared/windows/hives）")
    folder = tmp_path_factory.mktemp(name)
    config = folder / "disk" / "Windows" / "System32" / "config"
    config.mkdir(parents=True)
    for suffix, target in (("", "SYSTEM"), (".LOG1", "SYSTEM.LOG1"), (".LOG2", "SYSTEM.LOG2")):
        if (HIVES / f"{name}{suffix}.xz").is_file():
            (config / target).write_bytes(lzma.decompress((HIVES / f"{name}{suffix}.xz").read_bytes()))
    logs = [p.read_bytes() for p in sorted(config.glob("SYSTEM.LOG*"))]
    files = list(exported((config / "SYSTEM").read_bytes(), logs))
    evidence = write(
        folder / "evidence",
        {"system": part("system", *SYSTEM), "devices": part("devices", ("device", {"DeviceID": "ROOT\\X"}))},
        registry=files,
    )
    return collected_host(read_evidence(evidence)), offline_windows(folder / "disk")


def walk(host: Host, key: str) -> Iterator[str]:
    yield key
    listed = host.registry.subkeys(key=key)
    assert isinstance(listed, Known), key
    for name in listed.value:
        yield from walk(host, f"{key}\\{name}")


def test_every_key_and_value_is_the_same(hosts: tuple[Host, Host]) -> None:
    mine, theirs = hosts
    count = 0
    for tree in TREES:
        for key in walk(theirs, f"{CURRENT}\\{tree}"):
            there = theirs.registry.values(key=key)
            assert isinstance(there, Known)
            here = mine.registry.values(key=key)
            if there.gaps:
                assert isinstance(here, (Known, Unknown))
                continue
            assert isinstance(here, Known), (key, here)
            assert here.value == there.value, key
            assert mine.registry.subkeys(key=key) == theirs.registry.subkeys(key=key)
            count += 1
    assert count > 5000


def test_services_and_usb_history_are_the_same(hosts: tuple[Host, Host]) -> None:
    mine, theirs = hosts
    assert mine.services.configured() == theirs.services.configured()
    for enumerator in ("USBSTOR", "USB"):
        here, there = mine.devices.listed(enumerator=enumerator), theirs.devices.listed(enumerator=enumerator)
        assert isinstance(here, Known)
        assert isinstance(there, Known)
        bare = {
            "name": "",
            "parent": "",
            "present": None,
            "problem": None,
            "dated": False,
            "first_install": None,
            "last_arrival": None,
            "last_removal": None,
        }
        assert [replace(d, **bare) for d in here.value] == [replace(d, **bare) for d in there.value]
    assert isinstance(mine.registry.value(key=f"{CURRENT}\\Services\\USBSTOR", name="Start"), Known)
