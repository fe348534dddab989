"""Who may administer the terminal: groups that stand for it, sudo's rules, accounts with the superuser's number.

Sources: group(5), sudoers(5); the default rules of polkit, whose administrators are the groups sudo (Debian) or wheel;
docker's and LXD's own documents for groups that amount to root.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from ybscan.hosts.base import Host
from ybscan.hosts.groups.accounts import Account, GroupEntry, PasswordAgeing
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.model.site import Site
from ybscan.probes._directory import directory_accounts
from ybscan.probes._patterns import folded
from ybscan.probes._sudoers import FILE, Grant, Sudoers, read_sudoers
from ybscan.probes.base import Context, Probe
from ybscan.probes.login_accounts import interactive

#: Groups whose members polkit or a usual sudoers takes for administrators.
_ADMIN_GROUPS = ("sudo", "wheel", "admin")
#: Groups whose members can become root by what the group lets them do.
_ROOT_ALIKE = ("docker", "lxd", "incus-admin", "disk")
EVERYBODY = "所有账户"


class AdministratorsProbe(Probe):
    """Every account besides root that has administrative rights, and by what."""

    name = "administrators"
    title = "管理权限"
    facts = (
        FactSpec(
            "entries", Kind.ITEMS, "具有管理权限的账户",
            help="root 以外经管理员组、sudo 授权或 UID 0 取得管理权限的账户。只能执行个别命令的不算完全管理权限。",
            linux="/etc/group 的 sudo、wheel、admin 等组，/etc/sudoers 及其引用的文件，/etc/passwd",
            windows="NetLocalGroupGetMembers（按 S-1-5-32-544 查得组名）的成员 SID；组成员中的域组不能展开",
            fields=(
                Field("account", Kind.TEXT, "账户"),
                Field("via", Kind.TEXT, "取得方式"),
                Field("full", Kind.BOOLEAN, "完全管理权限"),
                Field("no_password", Kind.BOOLEAN, "提权不需要口令"),
                Field("active", Kind.BOOLEAN, "账户有效"),
                Field("approved", Kind.BOOLEAN, "在批准的管理员名单中"),
            ),
            summary="{account}（{via}，提权不需要口令：{no_password}）",
        ),
        FactSpec(
            "registered", Kind.BOOLEAN, "已登记批准的管理员名单", words=("已登记", "未登记"),
            linux="site.yml 的 accounts.admins", windows="site.yml 的 accounts.admins",
        ),
        FactSpec(
            "uac", Kind.BOOLEAN, "用户账户控制（UAC）", words=("已启用", "已关闭"),
            windows="HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System 的 EnableLUA",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return {
            "entries": _entries(host, context),
            "registered": registered(context.site),
            "uac": Unknown(Cause.UNSUPPORTED, "Linux 没有用户账户控制"),
        }

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.admins import administrators, uac

        return {"entries": administrators(host, context), "registered": registered(context.site), "uac": uac(host)}


def registered(site: Site) -> Fact:
    """Known(true) when the unit has a list of administrators."""
    if site.accounts.admins is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 accounts.admins", "site.yml")
    return Known(True, "site.yml")


@dataclass
class _Rights:
    via: list[str] = field(default_factory=list)
    full: bool = False
    doubts: list[str] = field(default_factory=list)
    no_password: bool = False

    def add(self, via: str) -> None:
        if via not in self.via:
            self.via.append(via)


def _entries(host: Host, context: Context) -> Fact:
    users = host.accounts.users()
    groups = host.accounts.groups()
    if not isinstance(users, Known):
        return users if isinstance(users, Unknown) else Unknown(Cause.UNAVAILABLE, "没有账户文件", users.origin)
    gaps = list(users.gaps)
    listed: Sequence[GroupEntry] = ()
    if isinstance(groups, Known):
        listed = groups.value
        gaps += groups.gaps
    else:
        why = groups if isinstance(groups, Unknown) else Unknown(Cause.UNAVAILABLE, "没有组文件", groups.origin)
        gaps.append(why.as_gap())
    rights: dict[str, _Rights] = {}
    for user in users.value:
        if user.uid == 0 and user.name != "root":
            held = rights.setdefault(user.name, _Rights())
            held.add("UID 0")
            held.full = held.no_password = True
    gaps += _from_sudo(host, users.value, listed, rights)
    _from_groups(users.value, listed, rights)
    outside = directory_accounts(host)
    if isinstance(outside, Unknown):
        gaps.append(Gap(outside.cause, "域（目录）中的组和 sudo 规则无法在本机判定", outside.origin))
    active = _active(host, users.value, context)
    items = [
        _item(name, held, active.get(name), context.site)
        for name, held in sorted(rights.items())
        if name != "root"
    ]  # fmt: skip
    return Known(tuple(items), "/etc/group、/etc/sudoers", tuple(dict.fromkeys(gaps)))


def _item(name: str, held: _Rights, active: FieldValue, site: Site) -> Item:
    full: FieldValue = held.full
    if not held.full and held.doubts:
        full = Unknown(Cause.UNCONFIRMED, "；".join(dict.fromkeys(held.doubts)))
    return {
        "account": name, "via": "、".join(held.via), "full": full, "no_password": held.no_password,
        "active": True if name == EVERYBODY else active, "approved": _approved(name, site),
    }  # fmt: skip


def _approved(name: str, site: Site) -> FieldValue:
    if name == EVERYBODY:
        return False  # nobody can have approved every account there will ever be
    if site.accounts.admins is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 accounts.admins")
    return folded(name) in {folded(a) for a in site.accounts.admins}


def members(entry: GroupEntry, users: Sequence[Account]) -> list[str]:
    """The accounts in a group: those its entry lists, and those whose primary group it is."""
    return sorted({*entry.members, *(u.name for u in users if u.gid == entry.gid)})


def _from_groups(users: Sequence[Account], groups: Sequence[GroupEntry], rights: dict[str, _Rights]) -> None:
    known = {u.name for u in users}
    for group in groups:
        if group.name not in (*_ADMIN_GROUPS, *_ROOT_ALIKE):
            continue
        for name in members(group, users):
            if name == "root" or name not in known:
                continue
            held = rights.setdefault(name, _Rights())
            held.add(f"{group.name} 组")
            if group.name in _ADMIN_GROUPS:
                held.doubts.append(f"属于 {group.name} 组而 sudoers 没有授权，可能经 polkit 取得管理权限")
            else:
                held.doubts.append(f"属于 {group.name} 组，可借此取得管理权限")


def _from_sudo(
    host: Host, users: Sequence[Account], groups: Sequence[GroupEntry], rights: dict[str, _Rights]
) -> list[Gap]:
    identity = host.system.identity()
    hostname = identity.value.hostname if isinstance(identity, Known) else ""
    rules = read_sudoers(host, hostname)
    if isinstance(rules, Unknown):
        return [rules.as_gap()]
    if isinstance(rules, Absent):
        return []
    gaps = list(rules.gaps)
    for grant in rules.grants:
        here = _holds_here(grant, hostname)
        if here is False:
            continue
        for name in _meant(grant, users, groups, gaps):
            _apply(rules, grant, here, rights.setdefault(name, _Rights()))
    return gaps


def _holds_here(grant: Grant, hostname: str) -> bool | None:
    short = hostname.split(".", 1)[0]
    if any(h.startswith("!") for h in grant.hosts):
        return None
    if any(h in ("ALL", hostname, short, "localhost") for h in grant.hosts):
        return True
    # An address, a network, a netgroup or a pattern may mean this machine; another plain name does not.
    plain = all(h.replace("-", "").replace(".", "").isalnum() and not h[0].isdigit() for h in grant.hosts)
    return False if plain and hostname else None


def _apply(rules: Sudoers, grant: Grant, here: bool | None, held: _Rights) -> None:
    place = grant.path if grant.path == FILE else grant.path.rsplit("/", 1)[-1]
    if not grant.everything or grant.as_root is False:
        held.add(f"sudo 个别命令（{place}）")
        return
    held.add(f"sudo 全部命令（{place}）")
    free = grant.no_password or rules.never_asks
    if grant.as_root is None or here is None:
        held.doubts.append(f"{place} 中的授权范围带有例外，不能确定")
    elif rules.others_password and not free:
        held.doubts.append("sudo 要求输入 root 口令，是否知道该口令由单位确认")
    else:
        held.full = True
        held.no_password = held.no_password or free


def _meant(
    grant: Grant, users: Sequence[Account], groups: Sequence[GroupEntry], gaps: list[Gap]
) -> list[str]:  # fmt: skip
    """The local accounts a grant speaks of; every account at once is one name, :data:`EVERYBODY`."""
    chosen: set[str] = set()
    for word in grant.users:
        bare = word.lstrip("!")
        out = (len(word) - len(bare)) % 2 == 1
        names = _who(bare, users, groups, grant, gaps)
        chosen = chosen - names if out else chosen | names
    return sorted(chosen - {"root"})


def _who(
    word: str, users: Sequence[Account], groups: Sequence[GroupEntry], grant: Grant, gaps: list[Gap]
) -> set[str]:  # fmt: skip
    if word == "ALL":
        return {EVERYBODY}
    if word.startswith("#") and word[1:].isdecimal():
        return {u.name for u in users if u.uid == int(word[1:])}
    if word.startswith("%#") and word[2:].isdecimal():
        return {n for g in groups if g.gid == int(word[2:]) for n in members(g, users)}
    if word.startswith("+") or word.startswith("%:"):
        gaps.append(Gap(Cause.UNAVAILABLE, f"{grant.path} 授权给网络组 {word}，成员无法在本机判定", grant.path))
        return set()
    if word.startswith("%"):
        return {n for g in groups if g.name == word[1:] for n in members(g, users)}
    return {u.name for u in users if u.name == word}


def _active(host: Host, users: Sequence[Account], context: Context) -> dict[str, FieldValue]:
    """Whether each account can still be used: a login shell, and not expired."""
    ageing = host.accounts.ageing()
    today = (context.now.date() - date(1970, 1, 1)).days
    found: dict[str, FieldValue] = {}
    for user in users:
        found[user.name] = _unexpired(user.name, ageing, today) if interactive(user) or user.uid == 0 else False
    return found


def _unexpired(name: str, ageing: Reading[tuple[PasswordAgeing, ...]], today: int) -> FieldValue:
    if isinstance(ageing, Unknown):
        return ageing
    if isinstance(ageing, Absent):
        return True
    expires = next((a.expires for a in ageing.value if a.name == name), None)
    return not (expires is not None and 0 <= expires <= today)


PROBES = (AdministratorsProbe(),)
