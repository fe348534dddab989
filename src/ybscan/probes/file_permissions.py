"""Who besides administrators may change the medical-insurance client, its local data, and the system's commands.

Sources: chmod(2) for permission bits, acl(5): with an access control list the group bits are its mask, while the bits of
everybody still are everybody's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.hosts.groups.accounts import Account, GroupEntry
from ybscan.hosts.groups.volumes import TreeEntry
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.programs import in_scratch, is_program
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes._patterns import folded
from ybscan.probes.administrators import members
from ybscan.probes.base import Context, Probe

_COMMANDS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_NO_PERMISSIONS = frozenset({"vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk"})
_COUNT = 50_000
_SECONDS = 30
_STICKY = 0o1000
_FIRST_PERSON = 1000
_FIELDS = (
    Field("path", Kind.TEXT, "路径"),
    Field("part", Kind.TEXT, "类别"),
    Field("who", Kind.TEXT, "谁可以改写"),
    Field("everyone", Kind.BOOLEAN, "所有账户都可改写"),
    Field("ordinary", Kind.BOOLEAN, "未获批准的普通账户可改写"),
)


class FilePermissionsProbe(Probe):
    """Files and folders that others than administrators may change."""

    name = "file_permissions"
    title = "程序和数据的访问权限"
    facts = (
        FactSpec(
            "client", Kind.ITEMS, "管理员以外可改写的医保程序和本地数据",
            help="站点文件 data.programs、data.databases 所列位置。程序目录下的日志、缓存等文件夹不计。",
            linux="stat(2) 的权限位、属主、属组与 POSIX ACL", windows="GetNamedSecurityInfo 的 DACL",
            fields=_FIELDS, summary="{path}（{part}，{who}可改写）",
        ),
        FactSpec(
            "commands", Kind.ITEMS, "管理员以外可改写的系统命令",
            linux="/usr/bin、/usr/sbin、/usr/local/bin 等命令文件夹", windows="PATH 中各文件夹的 DACL",
            fields=_FIELDS, summary="{path}（{who}可改写）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        look = _Look(host, context)
        return {"client": look.client(), "commands": look.commands()}


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    part: str
    program: bool


class _Look:
    """One reading: who is who, and what they may write."""

    def __init__(self, host: Host, context: Context) -> None:
        self._host = host
        self._site = context.site
        users, groups = host.accounts.users(), host.accounts.groups()
        self._users: Sequence[Account] = users.value if isinstance(users, Known) else ()
        self._groups: Sequence[GroupEntry] = groups.value if isinstance(groups, Known) else ()
        self._unknown = next((r for r in (users, groups) if isinstance(r, Unknown)), None)
        names = {folded(n) for n in (*(self._site.accounts.admins or ()), *(self._site.accounts.service or ()))}
        self._trusted = {
            u.name for u in self._users if u.uid < _FIRST_PERSON or u.uid == 65534 or folded(u.name) in names
        } | {"root"}
        self._writers = {folded(n) for n in self._site.data.writers or ()}

    def client(self) -> Fact:
        data = self._site.data
        if data.programs is None and data.databases is None:
            return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 data.programs 和 data.databases", "site.yml")
        gaps = [
            Gap(Cause.NOT_CONFIGURED, f"site.yml 的 {name}", "site.yml")
            for name, value in (("data.programs", data.programs), ("data.databases", data.databases))
            if value is None
        ]
        places = [_Place(p, "医保程序", True) for p in data.programs or ()]
        places += [_Place(p, "本地数据", False) for p in data.databases or ()]
        items: list[Item] = []
        for place in places:
            items += self._below(place, gaps, required=True)
            items += self._above(place, gaps)
        return Known(_sorted(items), "stat", tuple(dict.fromkeys(gaps)))

    def commands(self) -> Fact:
        gaps: list[Gap] = []
        items: list[Item] = []
        seen: set[str] = set()
        for path in _COMMANDS:
            real = self._host.files.real(path=path)
            if isinstance(real, Unknown):
                gaps.append(real.as_gap())
            if not isinstance(real, Known) or real.value in seen:
                continue
            seen.add(real.value)
            items += self._below(_Place(real.value, "系统命令", True), gaps, required=False)
        if not seen:
            why = gaps[0] if gaps else Gap(Cause.UNAVAILABLE, "没有找到命令文件夹", "/usr/bin")
            return Unknown(why.cause, why.detail, why.origin)
        return Known(_sorted(items), "stat", tuple(dict.fromkeys(gaps)))

    def _below(self, place: _Place, gaps: list[Gap], *, required: bool) -> Iterator[Item]:
        if not place.path.startswith("/"):
            gaps.append(Gap(Cause.MALFORMED, f"{place.path} 不是本机的绝对路径", "site.yml"))
            return
        mount = self._host.volumes.mount(path=place.path)
        if isinstance(mount, Known) and mount.value.fs_type in _NO_PERMISSIONS:
            why = f"{place.path} 所在的 {mount.value.fs_type} 文件系统不记录访问权限"
            gaps.append(Gap(Cause.UNAVAILABLE, why, place.path))
            return
        trusted = tuple(sorted({0, *(u.uid for u in self._users if u.name in self._trusted)}))
        found = self._host.volumes.writable(path=place.path, count=_COUNT, seconds=_SECONDS, trusted=trusted)
        if isinstance(found, Unknown):
            gaps.append(found.as_gap())
        elif isinstance(found, Known):
            gaps += found.gaps
            for entry in found.value:
                yield from self._entry(place, entry)
        elif required:
            gaps.append(Gap(Cause.UNAVAILABLE, f"{place.path} 不存在，请核对站点文件", place.path))

    def _entry(self, place: _Place, entry: TreeEntry) -> Iterator[Item]:
        if place.program and _harmless(entry):
            return
        path = f"{place.path.rstrip('/')}/{entry.name}" if entry.name else place.path
        if entry.mode & 0o002 and not (entry.kind == "dir" and entry.mode & _STICKY):
            yield _item(path, place.part, "所有账户", everyone=True, ordinary=True)
            return
        who, doubt = self._others(place, entry)
        if who:
            why = Unknown(Cause.UNCONFIRMED, f"{who}可以改写，是否为业务必需由单位确认") if doubt is None else doubt
            yield _item(path, place.part, who, everyone=False, ordinary=why)

    def _others(self, place: _Place, entry: TreeEntry) -> tuple[str, Unknown | None]:
        """Ordinary accounts that may write besides everybody, in words; with why that is not certain."""
        if self._unknown is not None:
            return "属主或属组", self._unknown
        names: set[str] = set()
        owner = next((u.name for u in self._users if u.uid == entry.uid), None)
        if owner is None:
            names.add(f"UID {entry.uid}")
        elif entry.mode & 0o200:
            names.add(owner)
        if entry.mode & 0o020 and entry.gid:
            group = next((g for g in self._groups if g.gid == entry.gid), None)
            names.update(members(group, self._users) if group else {f"GID {entry.gid}"})
        names -= self._trusted
        if not place.program:
            names = {n for n in names if folded(n) not in self._writers}
        if names:
            return "、".join(sorted(names)), None
        if entry.acl is not False:
            return "访问控制列表中的账户", Unknown(Cause.UNCONFIRMED, "设有访问控制列表（ACL），请用 getfacl 核对")
        return "", None

    def _above(self, place: _Place, gaps: list[Gap]) -> Iterator[Item]:
        """Folders on the way that everybody may write: what lies in them can be replaced as a whole."""
        parts = place.path.strip("/").split("/")[:-1]
        for i in range(len(parts)):
            path = "/" + "/".join(parts[: i + 1])
            stat = self._host.files.stat(path=path)
            if isinstance(stat, Unknown):
                gaps.append(stat.as_gap())
            if isinstance(stat, Known) and stat.value.mode & 0o002 and not stat.value.mode & _STICKY:
                yield _item(path, "上级文件夹", "所有账户", everyone=True, ordinary=True)


def _harmless(entry: TreeEntry) -> bool:
    """What a client writes by itself in its own folder: logs, caches, data that do not run."""
    if entry.kind == "dir":
        return in_scratch(entry.name)
    return not is_program(entry.name or "x", entry.mode)


def _item(path: str, part: str, who: str, *, everyone: bool, ordinary: FieldValue) -> Item:
    return {"path": path, "part": part, "who": who, "everyone": everyone, "ordinary": ordinary}


def _sorted(items: list[Item]) -> tuple[Item, ...]:
    unique = {str(i["path"]): i for i in reversed(items)}
    return tuple(unique[p] for p in sorted(unique))


PROBES = (FilePermissionsProbe(),)
