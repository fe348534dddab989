"""The XML of event records: shapes that Windows writes, and what programs and attackers make of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ybscan.hosts.windows.eventxml import moment, parse_event

SPACE = "http://schemas.microsoft.com/win/2004/08/events/event"
SYSTEM = (
    "<System><Provider Name='Microsoft-Windows-UserPnp' Guid='{96F4A050-7E31-453C-88BE-9634F4E02139}'/>"
    "<EventID Qualifiers='16384'>20001</EventID><Version>0</Version>"
    "<TimeCreated SystemTime='2026-11-20T00:01:02.2500000Z'/><EventRecordID>717</EventRecordID></System>"
)


def event(body: str, system: str = SYSTEM) -> str:
    return f"<Event xmlns='{SPACE}'>{system}{body}</Event>"


def test_named_data() -> None:
    found = parse_event(
        event("<EventData><Data Name='TargetUserName'>张三</Data><Data Name='LogonType'>2</Data></EventData>"),
        ("TargetUserName",),
    )
    assert found is not None
    assert (found.id, found.provider, found.record) == (20001, "Microsoft-Windows-UserPnp", 717)
    assert found.time == 1795132862.25
    assert found.data == {"TargetUserName": "张三"}


def test_unnamed_data_goes_by_position() -> None:
    body = "<EventData><Data>a</Data><Data/><Data>c</Data><Binary>00</Binary></EventData>"
    found = parse_event(event(body), ("0", "1", "2", "3"))
    assert found is not None
    assert found.data == {"0": "a", "1": "", "2": "c"}


def test_one_item_given_as_elements() -> None:
    body = "<EventData><Data><string>a</string>\n<string>b</string></Data></EventData>"
    found = parse_event(event(body), ("0", "1"))
    assert found is not None
    assert found.data == {"0": "a", "1": "b"}


def test_user_data_goes_by_the_elements_names() -> None:
    body = (
        "<UserData><InstallDeviceID xmlns='http://manifests.microsoft.com/win/2004/08/windows/userpnp'>"
        "<DriverName>disk.inf</DriverName><DeviceInstanceID>USBSTOR\\DISK&amp;VEN_HP\\AA95&amp;0</DeviceInstanceID>"
        "</InstallDeviceID></UserData>"
    )
    found = parse_event(event(body), ("DeviceInstanceID",))
    assert found is not None
    assert found.data == {"DeviceInstanceID": "USBSTOR\\DISK&VEN_HP\\AA95&0"}


def test_of_two_with_one_name_the_first_counts() -> None:
    body = "<EventData><Data Name='A'>1</Data><Data Name='A'>2</Data></EventData>"
    found = parse_event(event(body), ("A",))
    assert found is not None
    assert found.data == {"A": "1"}


def test_characters_that_xml_forbids() -> None:
    body = "<EventData><Data Name='A'>x\x01y&#x1;z&#0;\ud800</Data></EventData>"
    found = parse_event(event(body), ("A",))
    assert found is not None
    assert found.data["A"].replace("\ufffd", "") == "xyz"


def test_passwords_on_command_lines_are_masked() -> None:
    body = "<EventData><Data Name='CommandLine'>mysqldump --password=S3cret his</Data></EventData>"
    found = parse_event(event(body), ("CommandLine",))
    assert found is not None
    assert "S3cret" not in found.data["CommandLine"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<Event/>",
        event("", SYSTEM.replace("20001", "many")),
        event("", SYSTEM.replace("SystemTime", "Time")),
        event("", SYSTEM.replace("2026-11-20", "2026-13-40")),
        event("", SYSTEM.replace("Name='Microsoft-Windows-UserPnp'", "")),
        event("")[:-9],
        "<!DOCTYPE e [<!ENTITY a 'b'>]>" + event("<EventData><Data>&a;</Data></EventData>"),
        event("<EventData>" + "<Data>x</Data>" * 501 + "</EventData>"),
        event("<UserData>" + "<a>" * 40 + "</a>" * 40 + "</UserData>"),
        event("<EventData><Data>" + "x" * 1_100_000 + "</Data></EventData>"),
        event("").replace("<Event ", "<Other ").replace("</Event>", "</Other>"),
    ],
)
def test_what_is_no_event(text: str) -> None:
    assert parse_event(text, ("0",)) is None


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_an_event_or_none(text: str) -> None:
    assert parse_event(text, ("0",)) is None
    found = parse_event(event(f"<EventData><Data>{text}</Data></EventData>"), ("0",))
    assert found is None or set(found.data) <= {"0"}


def test_moments() -> None:
    assert moment("1970-01-01T00:00:01Z") == 1.0
    assert moment("1970-01-01 00:00:01.5 UTC") == 1.5
    assert moment("1970-01-01T00:00:01+08:00") is None
    assert moment("0000-01-01T00:00:00Z") is None
    assert moment("2026-02-30T00:00:00Z") is None
