"""Definitions of scheduled tasks: what they say, and what a damaged or hostile one may not do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ybscan.hosts.groups.jobs import Task
from ybscan.hosts.windows.taskxml import TASK_LIMIT, parse_task
from ybscan.model.reading import Cause, Known, Unknown

TEXT = """<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Author>收费处\\张三</Author><URI>\\备份</URI></RegistrationInfo>
  <Triggers>
    <CalendarTrigger><StartBoundary>2026-01-01T22:00:00</StartBoundary><Enabled>true</Enabled>
      <ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay></CalendarTrigger>
    <LogonTrigger><Enabled>false</Enabled></LogonTrigger>
  </Triggers>
  <Principals><Principal id="Author"><UserId>S-1-5-18</UserId><RunLevel>HighestAvailable</RunLevel></Principal></Principals>
  <Settings><Enabled>true</Enabled><Hidden>false</Hidden></Settings>
  <Actions Context="Author"><Exec><Command>D:\\备份\\backup.bat</Command><Arguments>/p geheim</Arguments></Exec></Actions>
</Task>"""


def task(text: str | bytes) -> Task:
    found = parse_task(text, path="\\备份")
    assert isinstance(found, Known), found
    return found.value


def with_trigger(trigger: str) -> str:
    begin, end = TEXT.index("<CalendarTrigger>"), TEXT.index("</Triggers>")
    return task(TEXT[:begin] + trigger + TEXT[end:]).schedule


@pytest.mark.parametrize(
    "source",
    [TEXT, "\ufeff" + TEXT, TEXT.encode("utf-16"), TEXT.encode("utf-16-le"), TEXT.replace("UTF-16", "UTF-8").encode()],
)
def test_every_encoding(source: str | bytes) -> None:
    found = task(source)
    assert found == Task("\\备份", True, ("D:\\备份\\backup.bat",), "daily", "S-1-5-18", False, False)
    assert "geheim" not in repr(found)


@pytest.mark.parametrize(
    ("trigger", "schedule"),
    [
        ("<BootTrigger/>", "boot"),
        ("<BootTrigger><Enabled>0</Enabled></BootTrigger>", ""),
        ("<LogonTrigger/><EventTrigger/><EventTrigger/>", "logon,event"),
        ("<TimeTrigger><StartBoundary>2026-01-01T00:00:00</StartBoundary></TimeTrigger>", "once"),
        ("<TimeTrigger><Repetition><Interval>PT1H</Interval></Repetition></TimeTrigger>", "every PT1H"),
        (
            "<TimeTrigger><Repetition><Interval>PT1H</Interval><Duration>P1D</Duration></Repetition></TimeTrigger>",
            "once",
        ),
        (
            "<CalendarTrigger><ScheduleByWeek><WeeksInterval>2</WeeksInterval></ScheduleByWeek></CalendarTrigger>",
            "weekly/2",
        ),
        (
            "<CalendarTrigger><ScheduleByDay><DaysInterval>30</DaysInterval></ScheduleByDay></CalendarTrigger>",
            "daily/30",
        ),
        (
            "<CalendarTrigger><ScheduleByMonth><Months><May/></Months></ScheduleByMonth></CalendarTrigger>",
            "some-months",
        ),
        ("<NeverHeardOfTrigger/>", "other"),
        ("", ""),
    ],
)
def test_triggers(trigger: str, schedule: str) -> None:
    assert with_trigger(trigger) == schedule


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        TEXT[:-30],
        TEXT.replace("<Enabled>true</Enabled><Hidden>", "<Enabled>vielleicht</Enabled><Hidden>"),
        TEXT.replace("Exec>", "Evil>"),
        TEXT.replace("<Task ", "<Job ").replace("</Task>", "</Job>"),
        TEXT.replace("<DaysInterval>1<", "<DaysInterval>0<"),
        TEXT.replace("<Task ", '<!DOCTYPE x [<!ENTITY a "aaaa">]><Task '),
        TEXT.replace("</Triggers>", "<x/>" * 20_000 + "</Triggers>"),
        TEXT.replace("backup", "\ud800"),
    ],
)
def test_what_makes_no_sense_is_malformed(text: str) -> None:
    found = parse_task(text, path="\\x")
    assert isinstance(found, Unknown)
    assert found.cause is Cause.MALFORMED


def test_bounded() -> None:
    found = parse_task(TEXT + " " * TASK_LIMIT, path="\\x")
    assert isinstance(found, Unknown)
    assert found.cause is Cause.TOO_LARGE
    laughs = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + n)} "&{chr(97 + n)};&{chr(97 + n)};&{chr(97 + n)};">' for n in range(20)
    )
    assert isinstance(parse_task(TEXT.replace("<Task ", laughs + "]><Task ").replace("备份", "&u;"), path="x"), Unknown)


@given(st.binary(max_size=400), st.integers(0, len(TEXT) * 2), st.integers(0, 255))
def test_garbage_is_never_an_exception(junk: bytes, at: int, byte: int) -> None:
    raw = bytearray(TEXT.encode("utf-16"))
    raw[at % len(raw)] = byte
    results: list[Any] = [parse_task(junk, path="x"), parse_task(bytes(raw), path="x")]
    assert all(isinstance(r, Known | Unknown) for r in results)
