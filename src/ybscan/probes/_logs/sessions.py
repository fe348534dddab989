"""When accounts were last used, from every record there is, and how far back the records are complete.

Any sign of use counts as use. That somebody did *not* log in can only be said where systemd-logind's messages of all
sessions are kept: lastlog and wtmp lack graphical logins wherever the PAM stack has no module for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from ybscan.hosts.base import Host
from ybscan.hosts.groups.accounts import Account
from ybscan.hosts.groups.logs import Login
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown
from ybscan.probes._logs.journal_files import read_journal_files
from ybscan.probes._logs.journal_query import query

#: systemd's message "a session started", with the account in USER_ID.
_SESSION = "MESSAGE_ID=8d45620c1a4348dbb17410da57c60c66"
_LASTLOG = "/var/log/lastlog"
_WTMP = ("/var/log/wtmp", "/var/log/wtmp.1")
_DATABASES = ("/var/lib/lastlog/lastlog2.db", "/var/lib/wtmpdb/wtmp.db")
#: Files that a desktop or a shell writes in the home folder when its owner works there.
_TRACES = (".Xauthority", ".ICEauthority", ".xsession-errors", ".bash_history", ".local/share/recently-used.xbel")
_LOOK_BACK = timedelta(days=400)
_SLACK = timedelta(days=1)


@dataclass
class Use:
    """The newest sign of use of one account."""

    when: datetime | None = None
    source: str = ""

    def saw(self, when: datetime, source: str, now: datetime) -> bool:
        """Note a sign of use; False for one from the future, which says only that a clock was wrong."""
        if when > now + _SLACK:
            return False
        if self.when is None or when > self.when:
            self.when, self.source = when, source
        return True


@dataclass
class Uses:
    """Every account's last use; ``since`` is from when on every session is on record, None where that is not known."""

    by_name: dict[str, Use] = field(default_factory=dict)
    since: datetime | None = None
    doubts: list[Unknown] = field(default_factory=list)


def uses(host: Host, users: Sequence[Account], now: datetime) -> Uses:
    """Look through every record for signs of use of ``users``."""
    found = Uses({u.name: Use() for u in users})
    by_uid = {u.uid: u.name for u in users}
    _lastlog(host, by_uid, found, now)
    for path in _WTMP:
        log = host.logs.login_log(path=path)
        if isinstance(log, Unknown):
            found.doubts.append(log)
        elif isinstance(log, Known):
            _note(log.value.logins, by_uid, path, found, now)
    for path in _DATABASES:
        logins = host.logs.login_database(path=path)
        _noted(logins, by_uid, path, found, now)
    _changed(host, found, now)
    _running(host, by_uid, found, now)
    for user in users:
        _traces(host, user, found, now)
    _sessions(host, found, now)
    return found


def _lastlog(host: Host, by_uid: dict[int, str], found: Uses, now: datetime) -> None:
    _noted(host.logs.last_logins(path=_LASTLOG, uids=tuple(sorted(by_uid))), by_uid, _LASTLOG, found, now)


def _noted(
    logins: Reading[tuple[Login, ...]], by_uid: dict[int, str], path: str, found: Uses, now: datetime
) -> None:  # fmt: skip
    if isinstance(logins, Unknown):
        found.doubts.append(logins)
    elif isinstance(logins, Known):
        found.doubts += [Unknown(g.cause, g.detail, g.origin) for g in logins.gaps]
        _note(logins.value, by_uid, path, found, now)


def _note(logins: Sequence[Login], by_uid: dict[int, str], path: str, found: Uses, now: datetime) -> None:
    for login in logins:
        name = login.account or by_uid.get(login.uid if login.uid is not None else -1, "")
        _saw(found, name, datetime.fromtimestamp(login.time, UTC), path, now)


def _saw(found: Uses, name: str, when: datetime, source: str, now: datetime) -> None:
    use = found.by_name.get(name)
    if use is not None and not use.saw(when, source, now):
        found.doubts.append(Unknown(Cause.MALFORMED, f"{source} 中 {name} 的登录时间晚于检查时刻", source))


def _changed(host: Host, found: Uses, now: datetime) -> None:
    """The day a password was set is a day on which the account was made or used."""
    ageing = host.accounts.ageing()
    if isinstance(ageing, Unknown):
        found.doubts.append(ageing)
    for entry in ageing.value if isinstance(ageing, Known) else ():
        if entry.last_changed:
            day = date(1970, 1, 1) + timedelta(days=min(entry.last_changed, 200_000))
            when = datetime(day.year, day.month, day.day, tzinfo=now.tzinfo)
            _saw(found, entry.name, when, "口令设置日期", now)


def _running(host: Host, by_uid: dict[int, str], found: Uses, now: datetime) -> None:
    running = host.processes.running()
    if isinstance(running, Unknown) and running.cause is not Cause.UNSUPPORTED:
        found.doubts.append(running)
    for uid in {p.uid for p in running.value if p.uid is not None} if isinstance(running, Known) else ():
        if uid in by_uid:
            _saw(found, by_uid[uid], now, "正在运行的进程", now)


def _traces(host: Host, user: Account, found: Uses, now: datetime) -> None:
    if not user.home.startswith("/") or user.home == "/":
        return
    for trace in _TRACES:
        path = f"{user.home.rstrip('/')}/{trace}"
        stat = host.files.stat(path=path, follow=False)
        if isinstance(stat, Unknown):
            found.doubts.append(stat)
        elif isinstance(stat, Known) and stat.value.kind == "file":
            _saw(found, user.name, datetime.fromtimestamp(stat.value.mtime, UTC), path, now)


def _sessions(host: Host, found: Uses, now: datetime) -> None:
    since = now - _LOOK_BACK
    answer = query(host, _SESSION, ("USER_ID",), f"--since=@{int(since.timestamp())}")
    if isinstance(answer, Unknown):
        if answer.cause is not Cause.UNSUPPORTED:
            found.doubts.append(answer)
        return
    records, malformed = answer
    if malformed:
        found.doubts.append(Unknown(Cause.MALFORMED, f"journalctl 的输出中有 {malformed} 行无法识别", "journalctl"))
    for when, fields in records:
        _saw(found, fields["USER_ID"], when, "systemd 会话记录", now)
    elevated = host.system.elevated()
    if not records or not (isinstance(elevated, Known) and elevated.value):
        return
    kept = read_journal_files(host)
    if isinstance(kept, (Unknown, Absent)):
        if isinstance(kept, Unknown):
            found.doubts.append(kept)
        return
    if kept.system and not kept.gaps:
        found.since = max(min(f.first for f in kept.system), since)


def first_doubts(found: Uses) -> Iterator[Unknown]:
    """The reasons why a sign of use may have been missed, each once."""
    yield from dict.fromkeys(found.doubts)
