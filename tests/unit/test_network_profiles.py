"""Profiles of the network managers, from the words of their manual pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from ybscan.hosts.offline import offline_root
from ybscan.probes._profiles import Profiles, bare, read_profiles


def read(tmp_path: Path, files: dict[str, str]) -> Profiles:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "os-release").write_text("ID=uos\n")
    for path, text in files.items():
        file = tmp_path / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return read_profiles(offline_root(tmp_path))


KEYFILE = "/etc/NetworkManager/system-connections/a.nmconnection"


@pytest.mark.parametrize(
    ("files", "method"),
    [
        ({KEYFILE: "[connection]\ntype=802-3-ethernet\n[ipv4]\nmethod=manual\n"}, "static"),
        ({KEYFILE: "[connection]\ntype=ethernet\n"}, "auto"),
        ({KEYFILE: "[connection]\ntype=ethernet\n[ipv4]\nmethod=disabled\n"}, "off"),
        ({"/etc/network/interfaces": "iface eth0 inet static\n address 10.0.0.1/8\n"}, "static"),
        ({"/etc/network/interfaces": "auto eth0\niface eth0 \\\n inet dhcp\n"}, "auto"),
        ({"/etc/network/interfaces": "source-directory interfaces.d\n", "/etc/network/interfaces.d/x": "iface eth0 inet dhcp\n"}, "auto"),
        ({"/etc/netplan/x.yaml": "network:\n  ethernets:\n    eth0: {dhcp4: yes}\n"}, "auto"),
        ({"/etc/netplan/x.yaml": "network:\n  ethernets:\n    eth0: {dhcp4: no, addresses: [10.0.0.1/8]}\n"}, "static"),
        ({"/etc/sysconfig/network-scripts/ifcfg-eth0": "BOOTPROTO='dhcp'\n"}, "auto"),
        ({"/etc/sysconfig/network-scripts/ifcfg-eth0": "IPADDR0=10.0.0.1\nBOOTPROTO=none\n"}, "static"),
        ({"/etc/sysconfig/network/ifcfg-eth0": "BOOTPROTO='static'\nSTARTMODE='auto'\nIPADDR='10.0.0.1/8'\n"}, "static"),
    ],
)  # fmt: skip
def test_method(tmp_path: Path, files: dict[str, str], method: str) -> None:
    found = read(tmp_path, files)
    assert [p.method for p in found.profiles] == [method]
    assert not found.gaps


def test_networkd_counts_only_where_it_is_turned_on(tmp_path: Path) -> None:
    files = {"/etc/systemd/network/10.network": "[Match]\nName=eth0\n[Network]\nDHCP=yes\n"}
    assert not read(tmp_path / "off", _made(tmp_path / "off", files)).profiles
    on = {**files, "/etc/systemd/system/multi-user.target.wants/systemd-networkd.service": ""}
    assert [p.method for p in read(tmp_path / "on", _made(tmp_path / "on", on)).profiles] == ["auto"]


def _made(folder: Path, files: dict[str, str]) -> dict[str, str]:
    folder.mkdir()
    return files


def test_masked_secrets_do_not_break_netplan(tmp_path: Path) -> None:
    text = (
        "network:\n  ethernets:\n    eth0:\n      dhcp4: true\n      auth: {key-management: 802.1x, password: geheim}\n"
    )
    found = read(tmp_path, {"/etc/netplan/x.yaml": text})
    assert [(p.method, p.dot1x) for p in found.profiles] == [("auto", True)]
    assert not found.gaps


def test_yaml_aliases_are_refused(tmp_path: Path) -> None:
    found = read(tmp_path, {"/etc/netplan/x.yaml": "a: &a [x, x]\nb: [*a, *a]\nnetwork: {ethernets: {}}\n"})
    assert found.gaps


@pytest.mark.parametrize(
    ("files", "values"),
    [
        ({KEYFILE: "[connection]\ntype=ethernet\n[802-3-ethernet]\ncloned-mac-address=02:00:00:00:00:09\n"}, ["02:00:00:00:00:09"]),
        ({KEYFILE: "[connection]\ntype=ethernet\n[ethernet]\ncloned-mac-address=permanent\n"}, []),
        ({"/etc/NetworkManager/conf.d/a.conf": "[connection]\nethernet.cloned-mac-address=stable\n"}, ["random"]),
        ({"/etc/NetworkManager/conf.d/a.conf": "[connection]\nwifi.cloned-mac-address=random\n"}, []),
        ({"/etc/netplan/x.yaml": "network:\n  ethernets:\n    eth0: {macaddress: 52:54:00:12:34:56}\n"}, ["52:54:00:12:34:56"]),
        ({"/etc/network/interfaces": "iface eth0 inet dhcp\n hwaddress random\n"}, ["random"]),
    ],
)  # fmt: skip
def test_overrides(tmp_path: Path, files: dict[str, str], values: list[str]) -> None:
    found = read(tmp_path, files)
    assert [o.value for o in found.overrides] == values
    assert not found.gaps


def test_bare() -> None:
    assert bare("00-E0-4C-11-22-33") == bare("00e0.4c11.2233") == "00e04c112233"
