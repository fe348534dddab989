"""Who can write, read or replace the local databases: permission bits along the whole way, owners, groups, shares.

The bits alone deceive in both directions: a file anyone may read in a folder only its owner may enter is closed, and a
read-only file in a folder anyone may write to can be replaced. path_resolution(7), acl(5). Contents are never read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from ybscan.hosts.base import Host
from ybscan.hosts.groups.accounts import Account, GroupEntry
from ybscan.hosts.groups.files import FileStat
from ybscan.hosts.groups.volumes import TreeEntry
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._shares import Share, exposing, shares
from ybscan.probes._software.text import shown
from ybscan.probes.base import Context, Probe
from ybscan.probes.integrity import clean, real_path

ENTRIES = 20_000
SECONDS = 20
_FIRST_PERSON, _NOBODY = 1000, 65534
_WINDOWS = "GetNamedSecurityInfo 读取访问控制列表，NetShareEnum 列出共享"


class DatabasesProbe(Probe):
    """The files and folders of ``data.databases`` in the site file."""

    name = "databases"
    title = "本地数据库文件保护"
    facts = (
        FactSpec(
            "items", Kind.ITEMS, "本地数据库文件",
            help="data.databases 的每个文件或文件夹，以及其中权限有问题的文件。所有用户能否读写按文件和沿途各级文件夹的权限一起判断；"
            "文件夹可写时其中的文件可以被替换，同样算作可写。普通账户指 uid 不小于 1000、未列入 accounts.admins、accounts.service 的账户。",
            linux="stat 权限位与属主、/etc/passwd、/etc/group、Samba 与 NFS 的共享配置", windows=_WINDOWS,
            fields=(
                Field("path", Kind.TEXT, "文件"),
                Field("kind", Kind.TEXT, "类型"),
                Field("files", Kind.INTEGER, "其中的文件", "个"),
                Field("mode", Kind.TEXT, "权限"),
                Field("owner", Kind.TEXT, "属主"),
                Field("group", Kind.TEXT, "属组"),
                Field("modified", Kind.TIME, "修改时间"),
                Field("all_write", Kind.BOOLEAN, "所有用户能否改写或替换"),
                Field("all_read", Kind.BOOLEAN, "所有用户能否读取"),
                Field("shared", Kind.BOOLEAN, "是否在共享文件夹中"),
                Field("share", Kind.TEXT, "共享"),
                Field("persons", Kind.TEXT, "能改写的普通账户"),
                Field("persons_write", Kind.BOOLEAN, "未批准的普通账户能否改写"),
            ),
            summary="{path}（{kind}，权限 {mode}，属主 {owner}，属组 {group}，能改写的普通账户：{persons}，共享：{share}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        wanted = context.site.data.databases
        if not wanted:
            return {"items": Unknown(Cause.NOT_CONFIGURED, "site.yml 的 data.databases", "site.yml")}
        people = _people(host, context)
        share_gaps: list[Gap] = []
        offered = shares(host, share_gaps)
        gaps: list[Gap] = []
        items: list[Item] = []
        for path in sorted({clean(p) for p in wanted}):
            look = _Look(host, context, people, offered, share_gaps)
            items.extend(look.at(path, gaps))
        return {"items": Known(tuple(items), "site.yml 的 data.databases", tuple(dict.fromkeys(gaps)))}


@dataclass(frozen=True, slots=True)
class _People:
    """Accounts and groups; ``trouble`` when either list is not known whole."""

    names: Mapping[int, str]
    groups: Mapping[int, str]
    persons: tuple[Account, ...]
    member_of: Mapping[int, frozenset[int]]
    """uid → gids."""
    trouble: Unknown | None


def _people(host: Host, context: Context) -> _People:
    users, groups = host.accounts.users(), host.accounts.groups()
    trouble = next((r for r in (users, groups) if isinstance(r, Unknown)), None)
    for reading in (users, groups):
        if isinstance(reading, Absent):
            trouble = trouble or Unknown(Cause.UNAVAILABLE, "没有账户信息", reading.origin)
        elif isinstance(reading, Known) and reading.gaps:
            trouble = trouble or Unknown(reading.gaps[0].cause, reading.gaps[0].detail, reading.gaps[0].origin)
    accounts: tuple[Account, ...] = users.value if isinstance(users, Known) else ()
    entries: tuple[GroupEntry, ...] = groups.value if isinstance(groups, Known) else ()
    approved = {*(context.site.accounts.admins or ()), *(context.site.accounts.service or ())}
    member_of = {
        a.uid: frozenset({a.gid, *(g.gid for g in entries if a.name in g.members)}) for a in accounts
    }  # fmt: skip
    persons = tuple(
        a for a in accounts if a.uid >= _FIRST_PERSON and a.uid != _NOBODY and a.name not in approved
    )  # fmt: skip
    return _People(
        {a.uid: a.name for a in accounts}, {g.gid: g.name for g in entries}, persons, member_of, trouble
    )  # fmt: skip


@dataclass(slots=True)
class _Look:
    host: Host
    context: Context
    people: _People
    offered: tuple[Share, ...]
    share_gaps: list[Gap]
    way: dict[str, FileStat | Unknown] = field(default_factory=dict)

    def at(self, path: str, gaps: list[Gap]) -> Iterator[Item]:
        """The item of the path itself, and one for each file below it that something is wrong with."""
        if not path.startswith("/"):
            yield _unread(path, Unknown(Cause.UNSUPPORTED, f"{path} 不是 Linux 的绝对路径", "site.yml"))
            return
        tree = self.host.volumes.tree(path=path, count=ENTRIES, hash_bytes=0, seconds=SECONDS)
        real = self.host.files.real(path=path)
        if isinstance(tree, Unknown) or isinstance(real, Unknown):
            yield _unread(path, tree if isinstance(tree, Unknown) else real)  # type: ignore[arg-type]
            return
        if isinstance(tree, Absent) or isinstance(real, Absent):
            yield _unread(path, Unknown(Cause.UNAVAILABLE, f"没有 {path}，请核对 data.databases", path))
            return
        gaps.extend(tree.gaps)
        top = real.value
        for one in tree.value:
            if one.kind in ("dir", "file"):
                self.way[real_path(top, one)] = FileStat(
                    "dir" if one.kind == "dir" else "file", one.size, one.mtime, one.mode, one.uid, one.gid, (0, 0)
                )
        count = sum(e.kind == "file" for e in tree.value)
        for entry in tree.value:
            if entry.kind == "link" or (entry.kind == "other" and entry.name):
                continue
            item = self._item(path, top, entry)
            if not entry.name:
                yield item | ({"files": count} if entry.kind == "dir" else {})
            elif entry.kind == "file" and any(
                item[k] is not False for k in ("all_write", "all_read", "shared", "persons_write")
            ):
                yield item

    def _item(self, path: str, top: str, entry: TreeEntry) -> dict[str, Any]:
        real = real_path(top, entry)
        here = entry.mode
        above = self._above(real)
        doubt = next((s for s in above if isinstance(s, Unknown)), None)
        folders = [s for s in above if isinstance(s, FileStat)]
        closed = any(not s.mode & 0o001 for s in folders)
        parent = folders[0] if folders else None
        replaceable = parent is not None and parent.mode & 0o002 and not parent.mode & 0o1000
        share = exposing(real, self.offered)
        persons = self._writers(entry, folders)
        return {
            "path": shown(real_path(path, entry), 400), "kind": "文件夹" if entry.kind == "dir" else "文件",
            "mode": f"{here:04o}", "owner": self.people.names.get(entry.uid, str(entry.uid)),
            "group": self.people.groups.get(entry.gid, str(entry.gid)),
            "modified": datetime.fromtimestamp(entry.mtime, self.context.now.tzinfo),
            "all_write": _reached(bool(here & 0o002 or replaceable), closed=closed, doubt=doubt),
            "all_read": _reached(bool(here & 0o004) and entry.kind == "file", closed=closed, doubt=doubt),
            "shared": self._shared(share), "share": share.label if share else None,
            "persons": "、".join(persons) or None if isinstance(persons, list) else persons,
            "persons_write": self._unapproved(persons, doubt),
        }  # fmt: skip

    def _above(self, real: str) -> list[FileStat | Unknown]:
        """The folders on the way, the nearest first."""
        found = []
        # The root folder is everyone's to enter on any system that runs.
        for folder in map(str, list(PurePosixPath(real).parents)[:-1]):
            if folder not in self.way:
                stat = self.host.files.stat(path=folder)
                absent = Unknown(Cause.UNAVAILABLE, folder, folder)
                self.way[folder] = (
                    stat.value if isinstance(stat, Known) else absent if isinstance(stat, Absent) else stat
                )
            found.append(self.way[folder])
        return found

    def _shared(self, share: Share | None) -> FieldValue:
        if share is not None:
            if share.variable:
                return Unknown(Cause.UNCONFIRMED, f"{share.label}可能包含该文件", share.path)
            return True
        if self.share_gaps:
            gap = self.share_gaps[0]
            return Unknown(gap.cause, f"共享配置没有读全：{gap.text}", gap.origin)
        return False

    def _writers(self, entry: TreeEntry, folders: list[FileStat]) -> list[str] | Unknown:
        """The ordinary accounts that can write to the entry or replace it."""
        if self.people.trouble is not None:
            return self.people.trouble
        if entry.acl and entry.mode & 0o020:
            return Unknown(Cause.UNSUPPORTED, "有访问控制列表（getfacl），无法确认哪些账户可写", "acl")
        found = []
        for person in self.people.persons:
            if any(not self._may(person, f.uid, f.gid, f.mode, 0o1) for f in folders):
                continue
            parent = folders[0] if folders else None
            replaces = (
                parent is not None
                and self._may(person, parent.uid, parent.gid, parent.mode, 0o2)
                and (not parent.mode & 0o1000 or person.uid in (parent.uid, entry.uid))
            )
            if replaces or person.uid == entry.uid or self._may(person, entry.uid, entry.gid, entry.mode, 0o2):
                found.append(person.name)
        if entry.uid >= _FIRST_PERSON and entry.uid not in self.people.names and entry.uid != _NOBODY:
            found.append(f"uid {entry.uid}")
        return found

    def _may(self, person: Account, uid: int, gid: int, mode: int, bit: int) -> bool:
        if person.uid == uid:
            return bool(mode & bit << 6)
        if gid in self.people.member_of.get(person.uid, frozenset()):
            return bool(mode & bit << 3)
        return bool(mode & bit)

    def _unapproved(self, persons: list[str] | Unknown, doubt: Unknown | None) -> FieldValue:
        if isinstance(persons, Unknown):
            return persons
        if doubt is not None:
            return doubt
        if not persons:
            return False
        approved = self.context.site.data.writers
        names = "、".join(persons)
        if approved is None:
            return Unknown(
                Cause.NOT_CONFIGURED,
                f"普通账户 {names} 可以改写；业务确有需要的写入 data.writers 并另行审计",
                "site.yml",
            )
        return any(p not in approved for p in persons)


def _reached(allowed: bool, *, closed: bool, doubt: Unknown | None) -> FieldValue:
    """Whether everyone can do what the bits allow, seen from the folders on the way."""
    if not allowed or closed:
        return False
    return doubt or True


def _unread(path: str, why: Unknown) -> Item:
    return {"path": path, "kind": why, "all_write": why, "all_read": why, "shared": why, "persons_write": why}


PROBES = (DatabasesProbe(),)
