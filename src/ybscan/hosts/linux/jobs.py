"""Cron tables and systemd timers from the disk. Commands are matched here and never leave this module."""

from __future__ import annotations

import os
import re
import stat as st
from collections.abc import Iterator

from ybscan.hosts.common.errors import from_error
from ybscan.hosts.common.opening import READ_FLAGS
from ybscan.hosts.groups.files import Files
from ybscan.hosts.groups.jobs import CronEntry, Jobs, TimerFile
from ybscan.hosts.linux.files import decoded
from ybscan.hosts.linux.paths import resolve
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

_LIMIT = 1024 * 1024
_PERIODS = ("hourly", "daily", "weekly", "monthly", "yearly")
#: Order of systemd.unit(5): what is found first hides the rest.
UNIT_FOLDERS = tuple(f"{r}/systemd/system" for r in ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"))
_FIELD = r"(?:[\d*][\d*,/-]*|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)[\w,-]*)"
_WORD = "@(?:reboot|yearly|annually|monthly|weekly|daily|midnight|hourly)"
_LINE = re.compile(rf"^\s*(#+\s*)?((?:{_FIELD}\s+){{4}}{_FIELD}|{_WORD})\s+(.*)$", re.IGNORECASE)
_SCHEDULE_KEYS = ("OnCalendar", "OnUnitActiveSec", "OnUnitInactiveSec", "OnBootSec")


def names_in(command: str, names: tuple[str, ...]) -> list[str]:
    """Those of ``names`` that occur in a command as words of their own (``bak`` is not in ``bakery``)."""
    return [n for n in names if re.search(rf"(?<![A-Za-z0-9_]){re.escape(n)}(?![A-Za-z0-9_])", command)]


def cron_lines(text: str, source: str, names: tuple[str, ...], *, user: str = "") -> Iterator[CronEntry]:
    """The lines of one table that name a job. ``user`` empty: the table has a user column, see crontab(5)."""
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        rest = found[3]
        who = user
        if not user:
            who, rest = [*rest.split(None, 1), "", ""][:2]
        for name in names_in(rest, names):
            yield CronEntry(name, source, " ".join(found[2].split()), who.strip(), found[1] is None)


class LinuxJobs(Jobs):
    """Reads crontab(5) files and unit files below ``root``."""

    def __init__(self, files: Files, *, root: str = "/", live: bool = True) -> None:
        super().__init__()
        self._files = files
        self._root = root
        self._live = live

    def cron(self, *, names: tuple[str, ...]) -> Reading[tuple[CronEntry, ...]]:
        found: list[CronEntry] = []
        gaps: list[Gap] = []
        for path, user in self._tables(gaps):
            text = self._text(path)
            if isinstance(text, Known):
                found.extend(cron_lines(text.value, path, names, user=user))
            elif isinstance(text, Unknown):
                gaps.append(text.as_gap())
        found.extend(self._scripts(names, gaps))
        ordered = sorted(dict.fromkeys(found), key=lambda e: (e.job, e.source, e.schedule, e.user, e.enabled))
        return Known(tuple(ordered), "crontab", tuple(gaps))

    def _tables(self, gaps: list[Gap]) -> Iterator[tuple[str, str]]:
        yield "/etc/crontab", ""
        for name in self._names("/etc/cron.d", gaps):
            # cron(8) reads names of letters, digits, - and _ (Debian); with dots elsewhere, but never these endings.
            if not name.startswith(".") and not name.endswith(
                ("~", ".rpmsave", ".rpmnew", ".dpkg-old", ".dpkg-dist", ".bak")
            ):
                yield f"/etc/cron.d/{name}", ""
        for folder in ("/var/spool/cron/crontabs", "/var/spool/cron"):
            for name in self._names(folder, gaps):
                stat = self._files.stat(path=f"{folder}/{name}")
                if isinstance(stat, Known) and stat.value.kind == "file":
                    yield f"{folder}/{name}", name

    def _scripts(self, names: tuple[str, ...], gaps: list[Gap]) -> Iterator[CronEntry]:
        for period in _PERIODS:
            folder = f"/etc/cron.{period}"
            for script in self._names(folder, gaps):
                if script.startswith("."):
                    continue
                path = f"{folder}/{script}"
                stat = self._files.stat(path=path)
                runs = isinstance(stat, Known) and stat.value.kind == "file" and bool(stat.value.mode & st.S_IXUSR)
                # run-parts(8) of Debian skips names with a dot; that of RHEL only some endings.
                if "." in script and isinstance(self._files.stat(path="/etc/debian_version"), Known):
                    runs = False
                hit = names_in(script, names)
                text = self._text(path)
                if isinstance(text, Unknown):
                    if not hit:
                        gaps.append(text.as_gap())
                elif isinstance(text, Known):
                    body = "\n".join(line for line in text.value.splitlines() if not line.lstrip().startswith("#"))
                    hit = list(dict.fromkeys([*hit, *names_in(body, names)]))
                for name in hit:
                    yield CronEntry(name, path, period, "root", runs)

    def timers(self, *, names: tuple[str, ...]) -> Reading[tuple[TimerFile, ...]]:
        wanted = {n.removesuffix(".timer").removesuffix(".service"): n for n in names}
        gaps: list[Gap] = []
        seen: dict[str, str] = {}
        linked: set[str] = set()
        for folder in UNIT_FOLDERS:
            if folder.startswith("/run") and not self._live:
                continue
            for name in self._names(folder, gaps):
                if name.endswith(".timer"):
                    seen.setdefault(name, f"{folder}/{name}")
                elif name.endswith((".wants", ".requires")):
                    linked.update(n for n in self._names(f"{folder}/{name}", gaps) if n.endswith(".timer"))
        found: list[TimerFile] = []
        for timer, path in sorted(seen.items()):
            made = self._timer(timer, path, timer in linked, wanted, gaps)
            if made is not None:
                found.append(made)
        return Known(tuple(found), "systemd", tuple(gaps))

    def _timer(self, timer: str, path: str, linked: bool, wanted: dict[str, str], gaps: list[Gap]) -> TimerFile | None:
        stem = timer.removesuffix(".timer")
        link = self._files.link(path=path)
        masked = isinstance(link, Known) and link.value == "/dev/null"
        settings: dict[str, list[str]] = {}
        if not masked:
            text = self._text(path)
            if isinstance(text, Unknown):
                gaps.append(text.as_gap())
                return None
            for line in text.value.splitlines() if isinstance(text, Known) else ():
                key, separator, value = line.partition("=")
                if separator and not key.lstrip().startswith(("#", ";")):
                    settings.setdefault(key.strip(), []).append(value.strip())
        unit = (settings.get("Unit") or [f"{stem}.service"])[-1]
        job = wanted.get(stem) or wanted.get(unit.removesuffix(".service"))
        if job is None:
            return None
        schedule = "；".join(v for k in _SCHEDULE_KEYS for v in settings.get(k, ()) if v)
        stamp = self._files.stat(path=f"/var/lib/systemd/timers/stamp-{timer}")
        last = stamp.value.mtime if isinstance(stamp, Known) else None
        return TimerFile(job, timer, path, unit, linked and not masked, masked, schedule, last)

    def _names(self, folder: str, gaps: list[Gap]) -> tuple[str, ...]:
        names = self._files.entries(path=folder)
        if isinstance(names, Unknown):
            gaps.append(names.as_gap())
        return names.value if isinstance(names, Known) else ()

    def _text(self, path: str) -> Reading[str]:
        """A file's text, read here rather than through the files group: its answers are recorded, commands must not be."""
        try:
            fd = os.open(resolve(self._root, path), READ_FLAGS)
            with os.fdopen(fd, "rb") as f:
                if not st.S_ISREG(os.fstat(fd).st_mode):
                    return Absent(path)
                data = f.read(_LIMIT + 1)
        except OSError as e:
            return from_error(e, path)
        if len(data) > _LIMIT:
            return Unknown(Cause.TOO_LARGE, path, path)
        if data.startswith((b"\x7fELF", b"#!")) and b"\0" in data:
            return Absent(path)  # a program, not a script
        return decoded(data, path)
