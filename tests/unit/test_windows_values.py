"""Codes, dates, states and queries that Windows' answers are made of."""

from __future__ import annotations

import errno
import re
import stat as st_mode
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ybscan.hosts.common.entries import leads_away
from ybscan.hosts.common.errors import from_error
from ybscan.hosts.windows import memory, wmidata
from ybscan.hosts.windows.codes import failed, from_result, from_system
from ybscan.hosts.windows.devids import plain_name
from ybscan.hosts.windows.eventquery import query
from ybscan.model.reading import Absent, Cause, Unknown


@pytest.mark.parametrize(
    ("result", "cause"),
    [
        (-2147467263, Cause.UNSUPPORTED), (0x80040154, Cause.UNAVAILABLE), (0x80070005, Cause.DENIED),
        (0x80041003, Cause.DENIED), (0x800706BA, Cause.UNAVAILABLE), (0x8004100E, Cause.UNAVAILABLE), (0x8FFF0001, Cause.UNAVAILABLE),
    ],
)  # fmt: skip
def test_results_say_why_in_hex(result: int, cause: Cause) -> None:
    reading = from_result(result, "WMI")
    assert reading.cause is cause
    assert f"0x{result & 0xFFFFFFFF:08X}" in reading.detail


def test_system_errors() -> None:
    assert from_system(5, "x").cause is Cause.DENIED
    assert from_system(1722, "x").cause is Cause.UNAVAILABLE
    assert from_system(99999, "x").detail == "x：系统调用失败（错误 99999）"
    assert failed(50, "x").code == 50
    assert isinstance(failed(50, "x").reading, Unknown)


def test_cim_dates() -> None:
    assert wmidata.cim_datetime("20261120080102.500000+480") == 1795132862.5
    assert wmidata.cim_datetime("20261120000102.000000-000") == 1795132862.0
    for text in ("", "20261120", "20261320080102.000000+000", "20260230080102.000000+000", "****1120080102.000000+000"):
        assert wmidata.cim_datetime(text) is None


@pytest.mark.parametrize(
    ("state", "enabled", "updated"),
    [
        (0x061100, True, True), (0x061110, True, False), (0x060100, False, True), (0x062100, False, True),
        (0x063100, False, True), (0x061120, True, None), (0x067100, None, True), (0x041000, True, True),
    ],
)  # fmt: skip
def test_product_states(state: int, enabled: bool | None, updated: bool | None) -> None:
    assert (wmidata.product_enabled(state), wmidata.product_updated(state)) == (enabled, updated)


def test_licence_channels() -> None:
    assert wmidata.licence_channel("Windows(R) Operating System, VOLUME_KMSCLIENT channel") == "VOLUME_KMSCLIENT"
    assert wmidata.licence_channel("Windows 操作系统") == ""


def test_device_names() -> None:
    assert plain_name("@usbstor.inf,%genericbulkonly.devicedesc%;USB Mass Storage Device") == "USB Mass Storage Device"
    assert plain_name("@oem1.inf,%x%;读卡器;(端口 1)") == "读卡器"
    assert plain_name("@usb.inf,%x%") == ""
    assert plain_name(" Kingston ") == "Kingston"


def test_queries_of_the_event_log() -> None:
    text = query("Microsoft-Windows-A&B/Operational", tuple(range(1, 40)), 1795132862.0)
    root = ET.fromstring(text)  # noqa: S314
    selects = root.findall("./Query/Select")
    assert {s.get("Path") for s in selects} == {"Microsoft-Windows-A&B/Operational"}
    asked = [int(n) for s in selects for n in re.findall(r"EventID=(\d+)", s.text or "")]
    assert asked == list(range(1, 40))
    assert all((s.text or "").count("EventID=") <= 20 for s in selects)
    assert all("TimeCreated[@SystemTime>='2026-11-20T00:01:02.000Z']" in (s.text or "") for s in selects)
    assert ET.fromstring(query("System", (), 0)).findtext("./Query/Select") == "*"  # noqa: S314


@settings(deadline=None)
@given(st.text(max_size=40), st.lists(st.integers(0, 65535), max_size=60), st.floats(-1e9, 1e18))
def test_any_query_is_sound(channel: str, ids: list[int], since: float) -> None:
    text = query(channel, tuple(ids), since)
    assert text.startswith("<QueryList>")


def test_file_times() -> None:
    assert memory.filetime(0) is None
    assert memory.filetime(0x7FFFFFFFFFFFFFFF) is None
    assert memory.filetime((1795132862 + 11_644_473_600) * 10_000_000) == 1795132862.0


def test_lists_of_texts() -> None:
    assert memory.multi_wide("a\0中\0\0x\0".encode("utf-16-le")) == ("a", "中")
    assert memory.multi_wide(b"") == ()
    assert memory.multi_wide("a".encode("utf-16-le") + b"\0") == ("a",)


class WindowsLikeError(OSError):
    """An OSError as it is on Windows: errno is what the C library makes of the system's code."""

    def __init__(self, number: int, code: int) -> None:
        super().__init__(number, "text of the system's own language")
        self.winerror = code


@pytest.mark.parametrize(
    ("number", "code", "cause"),
    [
        (errno.ENOENT, 2, None), (errno.ENOENT, 3, None), (errno.EACCES, 5, Cause.DENIED),
        # A server that is gone is not a folder that is not there.
        (errno.ENOENT, 53, Cause.UNAVAILABLE), (errno.ENOENT, 67, Cause.UNAVAILABLE), (errno.EINVAL, 1231, Cause.UNAVAILABLE),
        (errno.EINVAL, 64, Cause.UNAVAILABLE), (errno.EACCES, 21, Cause.UNAVAILABLE), (errno.EACCES, 32, Cause.UNAVAILABLE),
        (errno.EINVAL, 121, Cause.TIMEOUT), (errno.ENOENT, 15, Cause.UNAVAILABLE), (errno.ENOENT, 161, Cause.MALFORMED),
    ],
)  # fmt: skip
def test_what_an_error_of_windows_means(number: int, code: int, cause: Cause | None) -> None:
    reading = from_error(WindowsLikeError(number, code), "x")
    if cause is None:
        assert isinstance(reading, Absent)
    else:
        assert isinstance(reading, Unknown)
        assert reading.cause is cause
        assert "language" not in reading.detail


@pytest.mark.parametrize(
    ("tag", "away"),
    [
        (0xA0000003, True), (0xA000000C, True), (0xA000001D, True),  # junction, symbolic link, that of the Linux subsystem
        (0x80000013, False), (0x9000001A, False), (0x80000017, False), (0, False),  # deduplicated, in the cloud, compressed
    ],
)  # fmt: skip
def test_which_reparse_points_lead_away(tag: int, away: bool) -> None:
    entry = SimpleNamespace(st_mode=st_mode.S_IFDIR, st_reparse_tag=tag)
    assert leads_away(entry) is away  # type: ignore[arg-type]
