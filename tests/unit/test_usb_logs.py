"""Kernel messages, log times and serials, in the small."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from ybscan.model.reading import Absent, Known, Unknown
from ybscan.model.site import Site
from ybscan.probes._usb.kernel_log import arrivals
from ybscan.probes._usb.media import registration
from ybscan.probes._usb.serials import SHOWN, shown
from ybscan.probes._usb.text_logs import stamp

NOW = datetime(2026, 1, 3, 10, tzinfo=timezone(timedelta(hours=8)))


def lines(*messages: str) -> list[tuple[datetime, str]]:
    return [(NOW + timedelta(seconds=i), m) for i, m in enumerate(messages)]


def test_two_uas_disks_at_once_leave_the_serial_open() -> None:
    found = arrivals(
        lines(
            "usb 2-1: New USB device found, idVendor=04e8, idProduct=61f5",
            "usb 2-1: SerialNumber: A",
            "usb 2-2: New USB device found, idVendor=04e8, idProduct=61f5",
            "usb 2-2: SerialNumber: B",
            "scsi host6: uas",
            "sd 6:0:0:0: [sdb] 1953525168 512-byte logical blocks: (1.00 TB/932 GiB)",
        )
    )
    assert [(a.serial, a.medium) for a in found] == [(None, True)]


def test_the_old_form_of_the_host_line_is_read() -> None:
    found = arrivals(
        lines(
            "usb 1-1: New USB device found, idVendor=0951, idProduct=1666",
            "usb 1-1: SerialNumber: A",
            "scsi6 : usb-storage 1-1:1.0",
            "sd 6:0:0:0: [sdb] 30277632 512-byte logical blocks: (15.5 GB/14.4 GiB)",
        )
    )
    assert [(a.serial, a.medium) for a in found] == [("A", True)]


def test_unplugged_and_plugged_in_again_counts_twice() -> None:
    once = (
        "usb 1-1: New USB device found, idVendor=0951, idProduct=1666",
        "usb-storage 1-1:1.0: USB Mass Storage device detected",
        "scsi host6: usb-storage 1-1:1.0",
        "sd 6:0:0:0: [sdb] 30277632 512-byte logical blocks: (15.5 GB/14.4 GiB)",
        "usb 1-1: USB disconnect, device number 5",
    )
    assert len(arrivals(lines(*once, *once))) == 2


def test_a_disk_on_another_host_is_not_usb() -> None:
    assert arrivals(lines("scsi host0: ahci", "sd 0:0:0:0: [sda] 500118192 512-byte logical blocks: (256 GB)")) == []


def test_soldered_memory_is_no_card() -> None:
    assert arrivals(lines("mmc0: new HS400 MMC card at address 0001")) == []
    assert len(arrivals(lines("mmc1: new ultra high speed SDR104 SDXC card at address 59b4"))) == 1


def test_a_classic_time_takes_the_year_that_lies_in_the_past() -> None:
    december = stamp("Dec 31 23:59:59 yb-01 kernel: x", NOW)
    january = stamp("Jan  3 09:00:00 yb-01 kernel: x", NOW)
    assert december is not None
    assert january is not None
    assert december[0] == datetime(2025, 12, 31, 23, 59, 59, tzinfo=NOW.tzinfo)
    assert january[0] == datetime(2026, 1, 3, 9, tzinfo=NOW.tzinfo)
    assert stamp("Feb 29 09:00:00 yb-01 kernel: x", NOW) is None
    iso = stamp("2026-01-03T01:00:00.123456Z yb-01 kernel: x", NOW)
    assert iso is not None
    assert iso[0] == datetime(2026, 1, 3, 1, tzinfo=UTC)


def test_the_shown_serial_is_short_stable_and_the_terminals_own() -> None:
    here, there = shown("60A44C413FAE", "machine-1"), shown("60A44C413FAE", "machine-2")
    assert len(here) == SHOWN
    assert here == shown(" 60A44C413FAE\n", "machine-1")
    assert here != there
    assert here != shown("60A44C413FAF", "machine-1")


def test_registration_needs_a_list_and_a_serial() -> None:
    listed = Site.model_validate({"usb": {"registered": ["A1"]}})
    assert registration(Known("a1 "), listed) is True
    assert registration(Known("A11"), listed) is False
    assert registration(Absent(), listed) is False
    assert registration(Known(""), listed) is False
    assert registration(Known("A1"), Site()) is False
    assert isinstance(registration(Known("A1"), Site.model_validate({"usb": {"profile": "registered"}})), Unknown)
