"""Reading the backup locations that the site file names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.model.site import BackupLocation, duration_text, parse_duration
from ybscan.probes._backups.copies import (
    SETTLE,
    Copy,
    complete,
    is_shrunk,
    usual_size,
    within,
)
from ybscan.probes._backups.paths import clean, drive, is_absolute, is_share, is_windows, joined, why_not
from ybscan.probes.base import Context

NOT_CONFIGURED = Unknown(Cause.NOT_CONFIGURED, "site.yml 的 backup.locations", "site.yml")
#: Directory entries read per location, and how long that may take.
ENTRY_LIMIT = 20_000
LIST_SECONDS = 15
#: Where a location does not say how old its newest copy may be.
TIER_AGE = {"weekly": timedelta(days=8), "monthly": timedelta(days=32), "yearly": timedelta(days=367)}
_PROGRAM_LOG = re.compile(r"\.(log|err|out|lst|bad)(\.\d+)?$", re.IGNORECASE)
#: Folders that systems make for removable disks: when one is missing, the disk is not plugged in.
_REMOVABLE = ("/media", "/run/media")


@dataclass(frozen=True, slots=True)
class Location:
    """One location with what was found there. ``trouble`` is set when nothing can be said about it."""

    wanted: BackupLocation
    copies: tuple[Copy, ...] = ()
    newest: Copy | None = None
    trouble: Unknown | None = None
    why_none: str = ""
    gaps: tuple[Gap, ...] = field(default=())

    @property
    def path(self) -> str:
        """The folder, without a closing slash."""
        return clean(self.wanted.path)

    def file(self, name: str) -> str:
        """The full path of an entry."""
        return joined(self.path, name)


def locations(context: Context) -> tuple[BackupLocation, ...]:
    """The locations of business data; whole-system images are another matter."""
    return tuple(one for one in context.site.backup.locations or () if one.kind != "system")


def read_location(host: Host, context: Context, wanted: BackupLocation) -> Location:
    """List the location and pick its newest finished copy."""
    if not is_absolute(wanted.path, host.os):
        return Location(wanted, trouble=Unknown(Cause.UNSUPPORTED, why_not(wanted.path, host.os), "site.yml"))
    path = clean(wanted.path)
    # Listed first: that makes an automount happen, so that the mount looked at afterwards is the real one.
    listed = host.volumes.listing(path=path, pattern=wanted.pattern, limit=ENTRY_LIMIT, seconds=LIST_SECONDS)
    mount = host.volumes.mount(path=path)
    if isinstance(mount, Unknown) and mount.cause is not Cause.UNSUPPORTED:
        return Location(wanted, trouble=mount)
    entries = listed.value if isinstance(listed, Known) else ()
    if isinstance(mount, Known) and mount.value.expected and (mount.value.mount_point or not entries):
        return Location(wanted, trouble=Unknown(Cause.UNAVAILABLE, f"{mount.value.expected} 未挂载", "/etc/fstab"))
    if isinstance(listed, Unknown):
        return Location(wanted, trouble=listed)
    if isinstance(listed, Absent):
        if path.startswith(tuple(f"{r}/" for r in _REMOVABLE)):
            return Location(wanted, trouble=Unknown(Cause.UNAVAILABLE, f"{path} 未挂载", path))
        if is_windows(path) and not isinstance(mount, Known):
            # The drive of a removable disk goes with the disk: that is no proof that there is no backup on it.
            why = Unknown(Cause.UNAVAILABLE, f"{drive(path)} 现在不可用，磁盘可能没有接好", path)
            return Location(wanted, trouble=why)
        return Location(wanted, why_none="文件夹不存在")
    on_network = is_share(path) or (isinstance(mount, Known) and mount.value.kind == "network")
    return _picked(host, context, Location(wanted, gaps=listed.gaps), entries, on_network=on_network)


def _picked(
    host: Host, context: Context, empty: Location, entries: tuple[object, ...], *, on_network: bool
) -> Location:
    from ybscan.hosts.groups.volumes import Entry

    known = tuple(e for e in entries if isinstance(e, Entry) and _may_be_backup(e, empty.wanted))
    now = context.now
    copies = complete(known, now)
    wanted = empty.wanted

    def trouble(cause: Cause, detail: str) -> Location:
        return Location(wanted, copies, None, Unknown(cause, detail, empty.path), gaps=empty.gaps)

    ahead = [c for c in copies if c.future]
    if ahead:
        return trouble(Cause.MALFORMED, f"{empty.file(ahead[0].entry.name)} 的日期晚于检查时刻，时钟或文件日期有误")
    unfinished = 0
    for copy in copies:
        if now - copy.modified < SETTLE:
            name = copy.entry.largest or copy.entry.name
            writing = host.volumes.being_written(path=empty.file(name))
            if isinstance(writing, Known) and writing.value:
                unfinished += 1
                continue
            if isinstance(writing, Absent):
                continue
            if on_network or isinstance(writing, Unknown):
                return trouble(Cause.INCOMPLETE, f"{empty.file(copy.entry.name)} 刚刚写入，无法确认是否写完")
        return Location(wanted, copies, copy, gaps=empty.gaps)
    if unfinished:
        return trouble(Cause.INCOMPLETE, f"{empty.path} 中仅有的备份正在写入")
    if any(e.kind == "link" for e in known):
        return trouble(Cause.UNSUPPORTED, f"{empty.path} 中只有符号链接，请把 path 写成实际所在的文件夹")
    return Location(wanted, why_none=f"没有与“{wanted.pattern}”相符的备份", gaps=empty.gaps)


def _may_be_backup(entry: object, wanted: BackupLocation) -> bool:
    """Whether a file may be a backup by its ending.

    The backup program's own log is written even when the backup fails. A backup of logs, or a pattern that names the
    ending, means such files all the same.
    """
    name = getattr(entry, "name", "")
    return wanted.kind == "log" or not _PROGRAM_LOG.search(name) or bool(_PROGRAM_LOG.search(wanted.pattern))


def age_limit(wanted: BackupLocation, context: Context) -> timedelta:
    """How old the newest copy at this location may be."""
    if wanted.max_age is not None:
        return parse_duration(wanted.max_age)
    return TIER_AGE.get(wanted.tier) or parse_duration(context.site.backup.max_age)


def describe(location: Location, context: Context) -> dict[str, object]:
    """The location as an item of ``backup.copies``, apart from what depends on other locations."""
    wanted = location.wanted
    limit = age_limit(wanted, context)
    item: dict[str, object] = {
        "path": location.path if wanted.path.startswith("/") or is_windows(wanted.path) else wanted.path, "pattern": wanted.pattern,
        "kind": wanted.kind, "tier": wanted.tier, "limit": duration_text(limit),
    }  # fmt: skip
    if location.trouble is not None:
        return item | {"found": location.trouble, "note": location.trouble.text}
    newest = location.newest
    if newest is None:
        return item | {"found": False, "note": location.why_none}
    notes = []
    size = newest.entry.size
    fresh = within(newest, context.now, limit)
    current = within(newest, context.now, parse_duration(context.site.backup.max_age))
    open_ = Unknown(
        Cause.UNCONFIRMED,
        f"文件名日期 {newest.low:%Y-%m-%d} 与修改时间 {newest.modified:%Y-%m-%d %H:%M} 不一致，不能确定制作时刻",
        location.file(newest.entry.name),
    )
    if fresh is False:
        notes.append(f"距今已超过 {duration_text(limit)}")
    if newest.named_otherwise:
        notes.append(f"修改时间为 {newest.modified:%Y-%m-%d %H:%M}，以文件名日期为准")
    enough = size >= max(wanted.min_bytes, 1)
    if not enough:
        notes.append("大小为零" if not size else f"小于规定的 {wanted.min_bytes} 字节")
    usual = usual_size(location.copies, newest) if wanted.kind == "full" else None
    shrunk = None if usual is None else is_shrunk(size, usual)
    if shrunk:
        notes.append(f"不到此前备份中位数 {usual} 字节的一半")
    return item | {
        "found": True, "name": newest.entry.name, "newest": newest.high, "size": size, "count": len(location.copies),
        "fresh": open_ if fresh is None else fresh, "current": open_ if current is None else current,
        "enough": enough, "usual": usual, "shrunk": shrunk, "note": "；".join(notes) or "正常",
    }  # fmt: skip
