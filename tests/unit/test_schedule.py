"""The weekly job: what the schedulers are told, and on which days a check is due."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from datetime import date, time, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from tests.cli import ybscan

from ybscan.engine.fridays import friday_of, weeks
from ybscan.model.calendar import Shift
from ybscan.model.problem import InputProblems
from ybscan.rules.calendar import load_calendar
from ybscan.schedule import systemd
from ybscan.schedule.due import due
from ybscan.schedule.job import Job, moved_days
from ybscan.schedule.windows_task import task_xml

FRIDAY = date(2026, 11, 20)
#: A national holiday: the Friday moved to the Wednesday before, and the Saturday after made a workday.
SHIFTS: Mapping[date, Shift] = {
    date(2026, 10, 2): Shift(date(2026, 9, 30), "国庆节放假"),
    date(2026, 10, 9): Shift(date(2026, 10, 10), "调休上班"),
    date(2026, 2, 20): Shift(None, "春节放假"),
}  # fmt: skip
NASTY = Job(
    command=("/opt/医保 检查/ybscan", "schedule", "run", "--output", '/srv/a "b" 100%/$HOME', "--state", "C:\\x y\\"),
    folder="/srv/收费处 50%", at=time(15, 30), extra=(date(2026, 9, 30), date(2026, 10, 10)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("today", "checks", "planned", "late"),
    [
        (FRIDAY - timedelta(days=1), (), None, 0),
        (FRIDAY, (), FRIDAY, 0),
        (FRIDAY + timedelta(days=1), (), FRIDAY, 1),
        (FRIDAY + timedelta(days=2), (), FRIDAY, 2),
        (FRIDAY + timedelta(days=3), (), None, 0),
        (FRIDAY, (FRIDAY,), None, 0),
        (FRIDAY, (FRIDAY - timedelta(days=2),), None, 0),
        (FRIDAY, (FRIDAY - timedelta(days=7),), FRIDAY, 0),
        (date(2026, 9, 29), (), None, 0),
        (date(2026, 9, 30), (), date(2026, 9, 30), 0),
        (date(2026, 10, 2), (date(2026, 9, 30),), None, 0),
        (date(2026, 10, 2), (), date(2026, 9, 30), 2),
        (date(2026, 10, 9), (), None, 0),
        (date(2026, 10, 10), (), date(2026, 10, 10), 0),
        (date(2026, 10, 11), (), date(2026, 10, 10), 1),
        (date(2026, 10, 11), (date(2026, 10, 10),), None, 0),
        (date(2026, 2, 20), (), None, 0),
    ],
)
def test_when_a_check_is_due(today: date, checks: tuple[date, ...], planned: date | None, late: int) -> None:
    found = due(today, checks, SHIFTS)
    assert (found.planned, found.late) == (planned, late), found


def test_missed_fridays_show_by_themselves() -> None:
    made = (date(2026, 10, 30), date(2026, 11, 13))
    assert due(FRIDAY, made, {}).missed == (date(2026, 11, 6),)
    assert due(FRIDAY, made, {date(2026, 11, 6): Shift(None, "停电")}).missed == ()


def test_weeks_agree_with_counting_by_hand() -> None:
    """A whole year: every Friday but two, one of them cancelled."""
    fridays = [date(2026, 1, 2) + timedelta(weeks=n) for n in range(52)]
    made = [f for f in fridays if f not in (date(2026, 2, 20), date(2026, 6, 5), date(2026, 10, 2), date(2026, 10, 9))]
    made += [date(2026, 9, 30), date(2026, 10, 10)]
    row = weeks(made, first=fridays[0], today=date(2026, 12, 31), shifts=SHIFTS)
    assert len(row) == 52
    assert [w.friday for w in row if w.missed] == [date(2026, 6, 5)]
    assert [w.checked for w in row if w.friday == date(2026, 10, 2)] == [(date(2026, 9, 30),)]
    assert friday_of(date(2027, 1, 3)) == date(2027, 1, 1)


def test_the_running_week_is_not_missed_before_its_day_is_over() -> None:
    for today, missed in ((FRIDAY, 0), (FRIDAY + timedelta(days=1), 1)):
        row = weeks([], first=FRIDAY, today=today)
        assert sum(w.missed for w in row) == missed


@pytest.fixture
def units(tmp_path: Path) -> dict[str, Path]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    made = {}
    real = tmp_path / "ybscan"
    real.write_text("#!/bin/sh\n")
    real.chmod(0o755)
    job = Job(command=(str(real), *NASTY.command[1:]), folder=str(tmp_path), at=NASTY.at, extra=NASTY.extra)
    for name, text in systemd.units(job).items():
        made[name] = tmp_path / name
        made[name].write_text(text, encoding="utf-8")
    return made


def test_systemd_takes_the_units(units: dict[str, Path]) -> None:
    run = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units.values())],
        capture_output=True,
        check=False,
        timeout=60,
    )
    said = [
        line for line in run.stderr.decode().splitlines() if any(str(p) in line or n in line for n, p in units.items())
    ]
    assert said == [], said
    assert run.returncode == 0, run.stderr.decode()


def test_systemd_means_the_same_times(units: dict[str, Path]) -> None:
    calendars = [
        line.partition("=")[2]
        for line in units[systemd.TIMER].read_text().splitlines()
        if line.startswith("OnCalendar=")
    ]
    assert len(calendars) == 3
    for text in calendars:
        run = subprocess.run(
            ["systemd-analyze", "calendar", "--base-time=2026-09-28 00:00:00", text],
            capture_output=True, check=False, timeout=60, env={"TZ": "UTC", "LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        assert run.returncode == 0, run.stderr.decode()
        following = next(line for line in run.stdout.decode().splitlines() if "Next elapse" in line)
        assert any(day in following for day in ("Fri 2026-10-02 15:30", "2026-09-30 15:30", "2026-10-10 15:30"))


def test_arguments_reach_the_program_as_they_are(tmp_path: Path) -> None:
    """The line of ExecStart, unquoted as systemd.syntax(7) says, is the command again."""
    line = next(
        x.removeprefix("ExecStart=")
        for x in systemd.units(NASTY)[systemd.SERVICE].splitlines()
        if x.startswith("ExecStart=")
    )
    assert _words(line) == list(NASTY.command)


def _words(line: str) -> list[str]:
    words, word, quoted, i, begun = [], "", False, 0, False
    while i < len(line):
        c = line[i]
        if c == "\\":
            word += {"n": "\n", "t": "\t"}.get(line[i + 1], line[i + 1])
            i += 1
        elif c == '"':
            quoted, begun = not quoted, True
        elif c == " " and not quoted:
            if word or begun:
                words.append(word)
            word, begun = "", False
        else:
            word += c
        i += 1
    if word or begun:
        words.append(word)
    return [w.replace("%%", "%").replace("$$", "$") for w in words]


#: The part of the documented schema that our task uses, written down from its reference pages (complex and simple types).
SCHEMA = """<?xml version="1.0"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task"
    targetNamespace="http://schemas.microsoft.com/windows/2004/02/mit/task" elementFormDefault="qualified">
  <xs:element name="Task"><xs:complexType><xs:all>
    <xs:element name="RegistrationInfo" minOccurs="0"><xs:complexType><xs:all>
      <xs:element name="Description" type="xs:string" minOccurs="0"/></xs:all></xs:complexType></xs:element>
    <xs:element name="Triggers" minOccurs="0"><xs:complexType><xs:choice minOccurs="0" maxOccurs="48">
      <xs:element name="CalendarTrigger" type="calendarTrigger"/><xs:element name="TimeTrigger" type="trigger"/>
    </xs:choice></xs:complexType></xs:element>
    <xs:element name="Settings" type="settings" minOccurs="0"/>
    <xs:element name="Principals" minOccurs="0"><xs:complexType><xs:sequence><xs:element name="Principal"><xs:complexType>
      <xs:all><xs:element name="UserId" type="nonEmpty" minOccurs="0"/>
        <xs:element name="RunLevel" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string">
          <xs:enumeration value="LeastPrivilege"/><xs:enumeration value="HighestAvailable"/></xs:restriction>
        </xs:simpleType></xs:element></xs:all>
      <xs:attribute name="id" type="xs:ID"/></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>
    <xs:element name="Actions"><xs:complexType><xs:sequence><xs:element name="Exec"><xs:complexType><xs:all>
      <xs:element name="Command" type="nonEmpty"/><xs:element name="Arguments" type="xs:string" minOccurs="0"/>
      <xs:element name="WorkingDirectory" type="xs:string" minOccurs="0"/></xs:all></xs:complexType></xs:element>
    </xs:sequence><xs:attribute name="Context" type="xs:IDREF"/></xs:complexType></xs:element>
  </xs:all><xs:attribute name="version"><xs:simpleType><xs:restriction base="xs:string">
    <xs:pattern value="\\d+\\.\\d+"/></xs:restriction></xs:simpleType></xs:attribute></xs:complexType></xs:element>
  <xs:simpleType name="nonEmpty"><xs:restriction base="xs:string"><xs:minLength value="1"/></xs:restriction></xs:simpleType>
  <xs:complexType name="trigger"><xs:sequence>
    <xs:element name="Enabled" type="xs:boolean" minOccurs="0"/>
    <xs:element name="StartBoundary" type="xs:dateTime" minOccurs="0"/>
    <xs:element name="EndBoundary" type="xs:dateTime" minOccurs="0"/></xs:sequence></xs:complexType>
  <xs:complexType name="calendarTrigger"><xs:complexContent><xs:extension base="trigger"><xs:sequence>
    <xs:element name="RandomDelay" type="xs:duration" minOccurs="0"/>
    <xs:element name="ScheduleByWeek"><xs:complexType><xs:all>
      <xs:element name="WeeksInterval" minOccurs="0"><xs:simpleType><xs:restriction base="xs:unsignedByte">
        <xs:minInclusive value="1"/><xs:maxInclusive value="52"/></xs:restriction></xs:simpleType></xs:element>
      <xs:element name="DaysOfWeek" minOccurs="0"><xs:complexType><xs:all>
        <xs:element name="Friday" minOccurs="0"><xs:complexType/></xs:element></xs:all></xs:complexType></xs:element>
    </xs:all></xs:complexType></xs:element></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
  <xs:complexType name="settings"><xs:all>
    <xs:element name="MultipleInstancesPolicy" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string">
      <xs:enumeration value="Parallel"/><xs:enumeration value="Queue"/><xs:enumeration value="IgnoreNew"/>
      <xs:enumeration value="StopExisting"/></xs:restriction></xs:simpleType></xs:element>
    <xs:element name="DisallowStartIfOnBatteries" type="xs:boolean" minOccurs="0"/>
    <xs:element name="StopIfGoingOnBatteries" type="xs:boolean" minOccurs="0"/>
    <xs:element name="StartWhenAvailable" type="xs:boolean" minOccurs="0"/>
    <xs:element name="Enabled" type="xs:boolean" minOccurs="0"/>
    <xs:element name="ExecutionTimeLimit" type="xs:duration" minOccurs="0"/>
    <xs:element name="Priority" minOccurs="0"><xs:simpleType><xs:restriction base="xs:byte">
      <xs:minInclusive value="0"/><xs:maxInclusive value="10"/></xs:restriction></xs:simpleType></xs:element>
  </xs:all></xs:complexType>
</xs:schema>"""
SPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


@pytest.mark.parametrize("job", [NASTY, Job(command=("C:\\ybscan.exe",), folder="C:\\", at=time(9))])
def test_the_task_fits_the_documented_schema(job: Job) -> None:
    data = task_xml(job, today=date(2026, 9, 28))
    assert data.startswith(b"\xff\xfe")
    xmlschema.XMLSchema(SCHEMA).validate(ET.fromstring(data.decode("utf-16").split("?>", 1)[1]))  # noqa: S314 - our own


def test_the_task_says_what_was_asked() -> None:
    root = ET.fromstring(task_xml(NASTY, today=date(2026, 9, 28)).decode("utf-16").split("?>", 1)[1])  # noqa: S314
    starts = [e.text for e in root.iter(f"{SPACE}StartBoundary")]
    assert starts == ["2026-10-02T15:30:00", "2026-09-30T15:30:00", "2026-10-10T15:30:00"]
    assert root.findtext(f".//{SPACE}UserId") == "S-1-5-18"
    assert root.findtext(f".//{SPACE}StartWhenAvailable") == "true"
    assert root.findtext(f".//{SPACE}Command") == NASTY.command[0]
    assert root.findtext(f".//{SPACE}Arguments") == subprocess.list2cmdline(NASTY.command[1:])


def test_moved_days_are_those_to_come() -> None:
    assert moved_days(SHIFTS, date(2026, 10, 1)) == (date(2026, 10, 10),)


CALENDAR = "schema: ybscan.calendar/v1\nmoved:\n"


@pytest.mark.parametrize(
    ("entry", "say"),
    [
        (
            "  - { friday: 2026-10-01, to: 2026-09-30, reason: 国庆 }",
            ":3 2026-10-01 不是星期五，同一周的星期五是 2026-10-02",
        ),
        ("  - { friday: 2026-10-02, to: 2026-11-30, reason: 国庆 }", "相差超过两周"),
        (
            "  - { friday: 2026-10-02, reason: 国庆 }\n  - { friday: 2026-10-02, reason: 国庆 }",
            ":4 2026-10-02 写了两次",
        ),
        (
            "  - { friday: 2026-10-02, to: 2026-09-30, reason: 国 }\n  - { friday: 2026-10-09, to: 2026-09-30, reason: 国 }",
            "都改到了 2026-09-30",
        ),
        ("  - { friday: 明天, reason: 国庆 }", ":3"),
    ],
)
def test_a_wrong_calendar_is_refused(tmp_path: Path, entry: str, say: str) -> None:
    path = tmp_path / "calendar.yml"
    path.write_text(CALENDAR + entry + "\n", encoding="utf-8")
    with pytest.raises(InputProblems) as e:
        load_calendar(path)
    assert say in str(e.value.problems[0])


def test_files_are_shown_before_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text("schema: ybscan.site/v1\ncalendar: c.yml\n", encoding="utf-8")
    (tmp_path / "c.yml").write_text(
        CALENDAR + "  - { friday: 2099-10-02, to: 2099-09-30, reason: 国庆 }\n", encoding="utf-8"
    )
    asked = ybscan("schedule", "install", "--files", "units", cwd=tmp_path, stdin="n\n")
    assert asked.returncode == 0
    assert not (tmp_path / "units").exists()
    assert "将写入" in asked.stdout.decode()
    done = ybscan("schedule", "install", "--files", "units", "--yes", "--time", "16:05", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    timer = (tmp_path / "units" / systemd.TIMER).read_text(encoding="utf-8")
    assert "OnCalendar=Fri *-*-* 16:05:00\nOnCalendar=2099-09-30 16:05:00\n" in timer
    assert timer in done.stdout.decode().replace("    ", "")
    assert ybscan("schedule", "install", "--time", "25:00", cwd=tmp_path).returncode == 2


def test_run_checks_once_a_week(tmp_path: Path) -> None:
    first = ybscan("schedule", "run", "--now", "--state", "kept", "-o", "out", cwd=tmp_path)
    assert first.returncode in (0, 1, 3), first.stderr.decode()
    again = ybscan("schedule", "run", "--state", "kept", "-o", "out", cwd=tmp_path)
    assert again.returncode == 0
    assert "本周已经检查" in again.stderr.decode()
    assert len(list((tmp_path / "out").glob("*.json"))) == 1
    assert "本周已经检查" in ybscan("schedule", "status", "--state", "kept", cwd=tmp_path).stdout.decode()
