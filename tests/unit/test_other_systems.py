"""Whole scans of disks of other systems: an old Debian, openEuler with rpm, Kylin, UOS. One finding each, with reasons."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli import ybscan

ACCOUNTS = "root:x:0:0:root:/root:/bin/bash\nyb:x:1000:1000:收费员:/home/yb:/bin/bash\n"
SHADOW = "root:!:19000:0:99999:7:::\nyb:$6$abcdefgh$" + "x" * 86 + ":19000:0:99999:7:::\n"
COMMON = {
    "etc/passwd": ACCOUNTS,
    "etc/shadow": SHADOW,
    "etc/group": "root:x:0:\nsudo:x:27:yb\n",
    "etc/hostname": "SF-01\n",
}
PAM = "password requisite pam_pwquality.so retry=3\npassword sufficient pam_unix.so sha512 shadow nullok use_authtok\n"

SYSTEMS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "debian-9": (
        {"etc/os-release": 'ID=debian\nVERSION_ID="9"\nPRETTY_NAME="Debian GNU/Linux 9 (stretch)"\n',
         "var/lib/dpkg/status": "Package: telnetd\nStatus: install ok installed\nVersion: 1\n\n",
         "etc/login.defs": "PASS_MAX_DAYS 99999\n"},
        {"OS-01": "fail", "PWD-03": "fail"},
    ),
    "openeuler": (
        {"etc/os-release": 'ID="openEuler"\nVERSION_ID="22.03"\nPRETTY_NAME="openEuler 22.03 LTS"\n',
         "var/lib/rpm/rpmdb.sqlite": "", "etc/pam.d/system-auth": PAM, "etc/pam.d/password-auth": PAM,
         "etc/security/pwquality.conf": "minlen = 6\n"},
        {"OS-01": "unknown", "SW-01": "unknown"},
    ),
    "kylin": (
        {"etc/os-release": 'ID=kylin\nVERSION_ID="v10"\nPRETTY_NAME="Kylin V10 SP1"\n',
         "etc/lightdm/lightdm.conf": "[Seat:*]\nautologin-user=yb\n",
         "var/lib/dpkg/status": "Package: linuxqq\nStatus: install ok installed\nVersion: 3\n\n"},
        {"OS-01": "unknown", "PWD-06": "fail", "SW-01": "fail"},
    ),
    "uos": (
        {"etc/os-release": 'ID=uos\nVERSION_ID="20"\nPRETTY_NAME="UnionTech OS Desktop 20"\n',
         "etc/modprobe.d/usb.conf": "blacklist usb-storage\n", "lib/modules/4.19.0/modules.dep": "kernel/usb-storage.ko:\n"},
        {"OS-01": "unknown", "PWD-03": "fail"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_disk_of_another_system(name: str, tmp_path: Path) -> None:
    files, expected = SYSTEMS[name]
    for path, text in {**COMMON, **files}.items():
        target = tmp_path / "disk" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    run = ybscan(
        "scan",
        "--root",
        str(tmp_path / "disk"),
        "--format",
        "json",
        "-o",
        "-",
        "-q",
        "--now",
        "2026-11-20T10:00:00+08:00",
    )
    assert run.returncode == 1, run.stderr.decode()
    result = json.loads(run.stdout)
    status = {f["rule_id"]: f["status"] for f in result["findings"]}
    assert len(status) == len(result["findings"]) == 72
    assert {i: status[i] for i in expected} == expected, [
        f["reason"] for f in result["findings"] if f["rule_id"] in expected
    ]
    assert all(f["reason"] for f in result["findings"] if f["status"] == "unknown")
    assert all(f["backend"] == "offline" for f in [result["host"]])
