"""Scheduled jobs. Command lines may hold passwords: they stay inside the backend, only schedules leave it."""

from __future__ import annotations

from dataclasses import dataclass

from ybscan.hosts.base import Group, question
from ybscan.model.reading import Reading


@dataclass(frozen=True, slots=True)
class CronEntry:
    """One crontab line, or one script of /etc/cron.daily and the like, whose command names a job that was asked for."""

    job: str
    source: str
    schedule: str
    """The five time fields, an ``@`` word, or the folder's period such as ``daily``."""
    user: str
    enabled: bool
    """False for a line that is commented out, and for a script that cron would not run."""


@dataclass(frozen=True, slots=True)
class TimerFile:
    """A systemd timer as the unit files on disk have it."""

    job: str
    timer: str
    path: str
    activates: str
    enabled: bool
    masked: bool
    schedule: str
    last_trigger: float | None
    """Seconds since the epoch, from the stamp that timers with ``Persistent=true`` leave; else None."""


@dataclass(frozen=True, slots=True)
class Task:
    """A scheduled task of Windows. Times in seconds since the epoch; None for never, or where that is not known."""

    path: str
    """Such as ``\\Microsoft\\Windows\\Defrag\\ScheduledDefrag``."""
    enabled: bool
    programs: tuple[str, ...]
    """The programs of its actions as written, without arguments; ``COM`` for a handler."""
    schedule: str
    """Its triggers in short, comma-separated: ``daily``, ``weekly``, ``monthly``, ``boot``, ``logon``, ``event``, ``once`` …"""
    run_as: str
    """SID or account; empty where the definition names none."""
    hidden: bool
    ran: bool
    """Whether the fields below could be read at all."""
    last_run: float | None = None
    last_result: int | None = None
    """The exit code as an unsigned number; 0x41301 running, 0x41303 never run (see the Task Scheduler constants)."""
    next_run: float | None = None


class Jobs(Group):
    """What the system is told to run at given times."""

    name = "jobs"

    @question
    def cron(self, *, names: tuple[str, ...]) -> Reading[tuple[CronEntry, ...]]:
        """The cron entries whose command contains one of ``names``."""
        return self.unsupported()

    @question
    def timers(self, *, names: tuple[str, ...]) -> Reading[tuple[TimerFile, ...]]:
        """The systemd timers of that name, or that start a unit of that name."""
        return self.unsupported()

    @question
    def tasks(self) -> Reading[tuple[Task, ...]]:
        """All scheduled tasks of Windows, sorted by path; one that could not be read leaves a gap."""
        return self.unsupported()
