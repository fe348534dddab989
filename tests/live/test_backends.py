"""The same terminal through live, offline and replay: equal findings, or 无法判定 where a backend cannot know."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli import ybscan
from ybscan.model.result import ScanResult

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mount namespaces need root on Linux"),
]

NOW = "2026-11-20T10:00:00+08:00"

FILES = {
    "etc/os-release": 'ID=uos\nVERSION_ID="20"\nPRETTY_NAME="统信桌面操作系统 20"\n',
    "etc/hostname": "SF-09\n",
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nshoufei:x:1000:1000:收费员:/home/shoufei:/bin/bash\nguest:x:1001:1001::/home/guest:/bin/bash\n",
    "etc/shadow": "root:!:20000:0:99999:7:::\nshoufei:$y$j9T$abcdefgh$0123456789012345678901234567890123456789012:20000:0:99999:7:::\nguest::20000:0:99999:7:::\n",
    "etc/group": "root:x:0:\nsudo:x:27:shoufei\nnopasswdlogin:x:1002:guest\n",
    "etc/login.defs": "PASS_MAX_DAYS 99999\nPASS_MIN_LEN 5\n",
    "etc/lightdm/lightdm.conf": "[Seat:*]\nautologin-user=shoufei\n",
    "etc/pam.d/common-password": "password [success=1 default=ignore] pam_unix.so obscure yescrypt minlen=6\npassword requisite pam_deny.so\npassword required pam_permit.so\n",
    "etc/pam.d/common-auth": "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\n",
    "etc/modprobe.d/usb.conf": "install usb-storage /bin/false\ninstall uas /bin/true\n",
    "etc/environment": "http_proxy=http://user:secret@10.0.0.8:3128\n",
    "etc/hosts": "127.0.0.1 localhost\n203.0.113.9 update.example\n",
    "etc/resolv.conf": "nameserver 8.8.8.8\n",
    "etc/NetworkManager/system-connections/家.nmconnection": "[connection]\nid=家\nuuid=1\ntype=wifi\n[wifi]\nssid=home\n[wifi-security]\npsk=topsecret1\n",
    "etc/cron.d/backup": "0 3 * * * root /usr/local/bin/his-backup\n",
    "etc/ssh/sshd_config": "PermitRootLogin yes\nPasswordAuthentication yes\n",
    "etc/systemd/system/x": "",
    "var/lib/dpkg/status": "Package: linuxqq\nStatus: install ok installed\nPriority: optional\nVersion: 3.2\n\nPackage: todesk\nStatus: deinstall ok config-files\nVersion: 4\n\n",
}  # fmt: skip

#: Runs in a mount namespace of its own where the tree's folders lie over the machine's.
OVER = """
set -eu
tree=$1; shift
mount --make-rprivate /
for d in etc var/lib/dpkg home opt; do
  if [ -d "$tree/$d" ]; then mkdir -p "/$d"; mount --bind "$tree/$d" "/$d"; fi
done
hostname SF-09
exec "$@"
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("terminal")
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (root / "etc/shadow").chmod(0o600)
    for home in ("home/shoufei", "home/guest", "opt"):
        (root / home).mkdir(parents=True)
    return root


def parsed(run: subprocess.CompletedProcess[bytes]) -> ScanResult:
    assert run.returncode in (0, 1, 3), run.stderr.decode()
    return ScanResult.model_validate(json.loads(run.stdout))


@pytest.fixture(scope="module")
def results(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ScanResult]:
    folder = tmp_path_factory.mktemp("evidence")
    out = ("--format", "json", "-o", "-", "-q", "--now", NOW)

    def over(*command: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["unshare", "--mount", "--uts", "sh", "-c", OVER, "over", str(tree), sys.executable, "-m", "ybscan", *command],
            capture_output=True, check=False, timeout=300,
        )  # fmt: skip

    probe = subprocess.run(["unshare", "--mount", "--uts", "true"], capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip("this sandbox allows no mount namespaces")
    bundle = folder / "evidence.zip"
    collected = over("collect", "-o", str(bundle), "-q", "--now", NOW)
    assert collected.returncode == 0, collected.stderr.decode()
    still = folder / "offline.zip"
    assert ybscan("collect", "--root", str(tree), "-o", str(still), "-q", "--now", NOW).returncode == 0
    return {
        "live": parsed(over("scan", *out)),
        "offline": parsed(ybscan("scan", "--root", str(tree), *out)),
        "replay": parsed(ybscan("scan", "--evidence", str(bundle), *out)),
        "offline replay": parsed(ybscan("scan", "--evidence", str(still), *out)),
    }


def test_the_terminal_shows_its_faults(results: dict[str, ScanResult]) -> None:
    """The tree is full of them: a comparison of nothing with nothing would prove nothing."""
    failed = {f.rule_id for f in results["offline"].findings if f.status == "fail"}
    assert {"PWD-05", "PWD-06", "SW-01"} <= failed, failed
    assert results["live"].host.hostname == "SF-09"


def test_offline_equals_live_or_is_unknown(results: dict[str, ScanResult]) -> None:
    for live, offline in zip(results["live"].findings, results["offline"].findings, strict=True):
        assert live.rule_id == offline.rule_id
        # A running system may show more (a process, a loaded module): what the disk alone leaves open may be decided
        # live, but where both decide they agree.
        if "unknown" not in (live.status, offline.status):
            assert live.status == offline.status, f"{live.rule_id}: live {live.reason} / offline {offline.reason}"


@pytest.mark.parametrize(("first", "second"), [("live", "replay"), ("offline", "offline replay")])
def test_replay_equals_what_was_recorded(first: str, second: str, results: dict[str, ScanResult]) -> None:
    one, two = results[first], results[second]
    assert [(f.rule_id, f.status, f.reason) for f in one.findings] == [
        (f.rule_id, f.status, f.reason) for f in two.findings
    ]
    assert {k: v for k, v in one.facts.items() if v != two.facts.get(k)} == {}


def test_no_secret_is_in_any_result(results: dict[str, ScanResult]) -> None:
    for name, result in results.items():
        text = result.model_dump_json()
        for secret in ("topsecret1", "user:secret", "abcdefgh$", "$y$j9T"):
            assert secret not in text, (name, secret)
