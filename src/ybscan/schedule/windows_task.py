"""The task of the Windows scheduler as XML that ``schtasks /Create /XML`` takes.

Schema: "Task Scheduler Schema" of the Windows documentation (namespace .../2004/02/mit/task). Run as LocalSystem
(S-1-5-18), which reads every user's hive; caught up when the machine was off (StartWhenAvailable).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from subprocess import list2cmdline
from xml.sax.saxutils import escape

from ybscan.schedule.job import DESCRIPTION, Job

SYSTEM = "S-1-5-18"


def task_xml(job: Job, *, today: date) -> bytes:
    """UTF-16 with a byte order mark, as the scheduler itself writes it."""
    first = today + timedelta(days=(4 - today.weekday()) % 7)
    triggers = [_weekly(first, job)] + [_once(day, job) for day in job.extra]
    program, *arguments = job.command
    text = f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>{escape(DESCRIPTION)}</Description>
  </RegistrationInfo>
  <Triggers>
{chr(10).join(triggers)}
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>{SYSTEM}</UserId>
      <RunLevel>HighestAvailable</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <Enabled>true</Enabled>
    <ExecutionTimeLimit>PT2H</ExecutionTimeLimit>
    <Priority>7</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{escape(program)}</Command>
      <Arguments>{escape(list2cmdline(arguments))}</Arguments>
      <WorkingDirectory>{escape(job.folder)}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""
    return text.replace("\n", "\r\n").encode("utf-16")


def _weekly(first: date, job: Job) -> str:
    return f"""    <CalendarTrigger>
      <StartBoundary>{datetime.combine(first, job.at).isoformat()}</StartBoundary>
      <ScheduleByWeek>
        <DaysOfWeek>
          <Friday />
        </DaysOfWeek>
        <WeeksInterval>1</WeeksInterval>
      </ScheduleByWeek>
    </CalendarTrigger>"""


def _once(day: date, job: Job) -> str:
    return f"""    <TimeTrigger>
      <StartBoundary>{datetime.combine(day, job.at).isoformat()}</StartBoundary>
    </TimeTrigger>"""
