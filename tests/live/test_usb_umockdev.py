"""The probe of attached media on emulated machines.

Each ``usb/*.umockdev`` describes the devices of one terminal. umockdev builds a sysfs tree from it and shows that to a
child process in place of /sys; the probe in the child asks the ordinary live files group and knows nothing of it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent / "usb"

pytestmark = [
    pytest.mark.umockdev,
    pytest.mark.skipif(shutil.which("umockdev-run") is None, reason="umockdev-run is not installed"),
]

CHILD = """
import json, sys
from datetime import datetime, timezone
from ybscan.engine.scan import facts_document
from ybscan.hosts.base import Host
from ybscan.hosts.linux.files import LinuxFiles
from ybscan.hosts.offline import offline_root
from ybscan.model.site import Site
from ybscan.probes.base import Context
from ybscan.probes.registry import builtin
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
empty = Path(mkdtemp())
(empty / "etc").mkdir()
host = replace(offline_root(empty), backend="live", files=LinuxFiles(root="/", live=True))
context = Context(site=Site.model_validate(json.loads(sys.argv[2])), now=datetime(2026, 11, 20, tzinfo=timezone.utc))
facts = builtin().probes[sys.argv[1]].read(host, context)
print(json.dumps(facts_document(facts), ensure_ascii=False))
"""


def facts(device: str, *, probe: str = "usb_devices", site: dict[str, Any] | None = None) -> dict[str, Any]:
    """The facts of ``probe`` on the machine described by ``device``."""
    done = subprocess.run(
        ["umockdev-run", "-d", str(HERE / f"{device}.umockdev"), "--", sys.executable, "-c", CHILD, probe,
         json.dumps(site or {})],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def storage(device: str, site: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The attached media, whole: a gap or an unknown fails the test."""
    fact = facts(device, site=site)["storage"]
    assert fact["status"] == "known", fact
    assert "gaps" not in fact, fact
    items: list[dict[str, Any]] = fact["value"]
    return items


def test_a_stick_is_listed_with_its_serial_hidden() -> None:
    (stick,) = storage("stick")
    assert stick["model"] == "Kingston DataTraveler 3.0"
    assert (stick["kind"], stick["device"], stick["medium"]) == ("USB 存储", "sdb", True)
    assert stick["capacity"] == "15.5 GB"
    assert stick["registered"] is False
    assert len(stick["serial"]) == 8
    assert "60A44C" not in json.dumps(facts("stick"))


def test_a_registered_stick_is_told_by_its_full_serial() -> None:
    (stick,) = storage("stick", {"usb": {"profile": "registered", "registered": ["60a44c413faee350"]}})
    assert stick["registered"] is True
    (other,) = storage("stick", {"usb": {"profile": "registered", "registered": ["60A44C413FAEE35"]}})
    assert other["registered"] is False


def test_registered_media_without_a_list_is_not_configured() -> None:
    (stick,) = storage("stick", {"usb": {"profile": "registered"}})
    assert stick["registered"]["unknown"] == "not_configured"


def test_a_uas_disk_that_calls_itself_fixed_is_listed() -> None:
    (disk,) = storage("uas-ssd")
    assert (disk["medium"], disk["capacity"]) == (True, "1000.2 GB")


@pytest.mark.parametrize(
    ("device", "medium"), [("reader-empty", False), ("reader-card", True), ("printer-card-slot", False)]
)
def test_a_reader_counts_by_its_medium(device: str, medium: bool) -> None:
    (slot,) = storage(device)
    assert slot["medium"] is medium


def test_a_stick_behind_a_hub_is_listed_under_its_own_name() -> None:
    (stick,) = storage("hub-chain")
    assert stick["model"] == "Kingston DataTraveler"


def test_a_dongle_that_plays_a_cd_is_listed_as_one() -> None:
    (drive,) = storage("virtual-cd-dongle")
    assert (drive["kind"], drive["medium"]) == ("USB 光驱或虚拟光驱", True)


def test_an_sd_card_is_listed() -> None:
    (card,) = storage("sd-card")
    assert (card["kind"], card["model"], card["medium"]) == ("SD 卡", "SL16G", True)


@pytest.mark.parametrize("device", ["keyboard", "password-pad", "ukey", "printer-scanner", "phone-mtp", "emmc"])
def test_what_is_no_removable_medium_is_not_listed(device: str) -> None:
    assert storage(device) == []
    assert facts(device)["bus"]["value"] == "已枚举"


@pytest.mark.parametrize("device", ["stick-no-driver", "stick-unauthorised"])
def test_a_stick_that_is_kept_out_is_still_seen_but_not_judged(device: str) -> None:
    (stick,) = storage(device)
    assert stick["kind"] == "USB 存储（未启用）"
    assert stick["medium"]["unknown"] == "unconfirmed"
