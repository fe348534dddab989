"""What case files cannot say of the USB probes on Windows: long periods, and the parts of instance ids."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from ybscan.hosts.groups.devices import Device
from ybscan.hosts.groups.system import WindowsEdition
from ybscan.hosts.replay import replay
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown
from ybscan.model.site import Site
from ybscan.probes._windows import usb_nodes
from ybscan.probes._windows.usb_nodes import Nodes
from ybscan.probes.base import Context
from ybscan.probes.registry import builtin

NOW = datetime.fromisoformat("2026-11-20T10:00:00+08:00")


def device(instance: str, parent: str = "", *ids: str, service: str = "") -> Device:
    return Device(instance, "", "", service, parent, (), ids, None, None, dated=False)


def gaps(window: timedelta, edition: Reading[Any], *, log_of_partitions: bool = True) -> set[Cause]:
    """The gaps of a terminal that never saw a storage device, over ``window``."""
    answers: dict[Any, Reading[Any]] = {
        ("devices", "listed", (("enumerator", name),)): Known((), "case") for name in ("USBSTOR", "USB", "SCSI", "SD")
    }
    answers["devices", "disks", ()] = Known((), "case")
    answers["system", "windows", ()] = edition
    answers["registry", "values", (("key", r"HKLM\SYSTEM\MountedDevices"),)] = Absent("case")
    start = (NOW - window).timestamp()
    for channel, ids, fields in (
        ("System", (20001, 20003), ("DeviceInstanceID",)),
        (
            "Microsoft-Windows-Partition/Diagnostic", (1006,),
            ("BusType", "Capacity", "Manufacturer", "Model", "ParentId", "SerialNumber"),
        ),
    ):  # fmt: skip
        args = (("channel", channel), ("fields", fields), ("ids", ids), ("since", start))
        if channel == "System" or log_of_partitions:
            answers["logs", "events", args] = Absent("case")
    context = Context(site=Site(), now=NOW, window=window)
    fact = builtin().probes["usb_history"].read(replay("windows", answers), context)["arrivals"]
    assert isinstance(fact, Known)
    assert fact.value == ()
    return {g.cause for g in fact.gaps}


def test_before_windows_10_there_is_no_log_of_partitions() -> None:
    assert gaps(timedelta(days=7), build(7601), log_of_partitions=False) == set()
    assert gaps(timedelta(days=7), build(10240), log_of_partitions=False) == {Cause.NOT_RECORDED}


def build(number: int) -> Known[WindowsEdition]:
    return Known(WindowsEdition(number, 1, "Professional", "Client", "Windows"))


@pytest.mark.parametrize(
    ("days", "edition", "wanted"),
    [
        (7, build(15063), set()),
        (45, build(15063), {Cause.INCOMPLETE}),
        (45, build(9600), {Cause.INCOMPLETE}),
        (45, build(19045), set()),
        (45, build(7601), set()),
        (45, Unknown(Cause.DENIED, "case"), {Cause.INCOMPLETE}),
    ],
)
def test_windows_that_forgets_devices_after_thirty_days(days: int, edition: Reading[Any], wanted: set[Cause]) -> None:
    assert gaps(timedelta(days=days), edition) == wanted


USB = device(r"USB\VID_0951&PID_1666\E0D55EA574E7F541", r"USB\ROOT_HUB30\4&1", r"USB\Class_08&SubClass_06&Prot_50")
COMPOSITE = device(r"USB\VID_1234&PID_0001\SN42", r"USB\ROOT_HUB30\4&1", r"USB\Class_00")
PART = device(r"USB\VID_1234&PID_0001&MI_01\6&1A&0&1", COMPOSITE.instance, r"USB\Class_08")


@pytest.mark.parametrize(
    ("node", "serial"),
    [
        (USB, "E0D55EA574E7F541"),
        (device(r"USBSTOR\Disk&Ven_K&Prod_D&Rev_1\E0D55EA574E7F541&0"), "E0D55EA574E7F541"),
        # A card reader's second slot is the same device.
        (device(r"USBSTOR\Disk&Ven_K&Prod_D&Rev_1\E0D55EA574E7F541&1"), "E0D55EA574E7F541"),
        # Serial numbers may hold the very mark that parts the logical unit off.
        (device(r"USBSTOR\Disk&Ven_K&Prod_D&Rev_1\AB&CD&0"), "AB&CD"),
        (device(r"USBSTOR\Disk&Ven_K&Prod_D&Rev_1\7&1A2B&0&_&0", r"USB\VID_9999&PID_0001\5&1A&0&1"), None),
        (device(r"SCSI\Disk&Ven_S&Prod_T7\6&1&0&0", USB.instance), "E0D55EA574E7F541"),
        (device(r"USB\VID_04E8&PID_61F5\MSFT3012345679FD0B"), "12345679FD0B"),
        (PART, "SN42"),
        (device(r"USBSTOR\Disk&Ven_K&Prod_D&Rev_1\7&2&0&0", PART.instance), "SN42"),
    ],
)
def test_serial_numbers(node: Device, serial: str | None) -> None:
    nodes = Nodes((USB, COMPOSITE, PART), (), ())
    reading = nodes.serial(node)
    assert reading == (Absent(node.instance) if serial is None else Known(serial, node.instance))


@pytest.mark.parametrize("instance", [r"SCSI\Disk&Ven_S&Prod_T7\6&1&0&0", r"SD\DISK&GENERIC&SD\5&1&0&0"])
def test_a_serial_number_that_is_not_told_is_no_lack_of_one(instance: str) -> None:
    assert isinstance(Nodes((), (), ()).serial(device(instance)), Unknown)


def test_a_loop_of_parents_ends() -> None:
    a = device(r"USB\VID_1&PID_1&MI_00\6&1&0&0", r"USB\VID_1&PID_1&MI_00\6&1&0&0")
    nodes = Nodes((a,), (), ())
    assert nodes.key(a) == a.instance.lower()
    assert isinstance(nodes.serial(a), Unknown)


def test_registered_with_or_without_what_windows_puts_before() -> None:
    for listed in ("12345679fd0b", "MSFT3012345679FD0B"):
        site = Site.model_validate({"usb": {"registered": [listed]}})
        assert usb_nodes.registered(Known("12345679FD0B"), site) is True
    assert usb_nodes.registered(Known("12345679FD0C"), Site.model_validate({"usb": {"registered": ["A"]}})) is False
