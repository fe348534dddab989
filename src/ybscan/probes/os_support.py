"""Whether the maker still supports the system.

A system is looked up by ``ID-VERSION_ID`` of os-release(5), never by what it derives from. A date that had passed when
it was compared with its source stays passed; one that lay ahead then may have been moved since, so that it proves
nothing once the comparison is a year old.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.lifecycle import Lifecycle, Release
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown
from ybscan.probes._repos import read_sources
from ybscan.probes._software.text import shown
from ybscan.probes.base import Context, Probe

#: How long a date that lies ahead is believed after it was compared with its source.
TRUSTED = timedelta(days=366)

#: What vendors' systems leave although their os-release may name the system they derive from.
VENDOR_MARKS = (
    "/etc/kylin-release", "/etc/.kyinfo", "/etc/neokylin-release", "/etc/os-version", "/etc/uos-release", "/etc/deepin-version",
    "/etc/openEuler-release", "/etc/anolis-release",
)  # fmt: skip
#: InstallationType is there from Windows 7 on.
_TELLS_INSTALLATION = 7600
_BASES = ("debian-", "ubuntu-", "centos-")
_CENTOS = re.compile(r"^CentOS (?:Linux )?release (\d+)")


class OsSupportProbe(Probe):
    """The end-of-support date of the system, from the table that comes with the rules or from the unit."""

    name = "os_support"
    title = "操作系统支持期限"
    facts = (
        FactSpec(
            "systems", Kind.ITEMS, "操作系统支持期限",
            help="只有一条，即本机的系统。日期取自 rules/lifecycle，表中没有的取自 site.yml 的 updates.vendor_eol；都没有时剩余天数未知。"
            "延长支持指 Debian LTS、Ubuntu ESM、Windows ESU：Debian LTS 看是否配置了安全更新源，须购买授权的无法从配置文件确认。",
            linux="/etc/os-release（CentOS 6 为 /etc/centos-release）、软件源配置、rules/lifecycle、site.yml",
            windows="HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion 的 CurrentBuild、EditionID、InstallationType，"
            "rules/lifecycle、site.yml；ESU 是否已授权不能读取，未知",
            fields=(
                Field("name", Kind.TEXT, "系统"),
                Field("release", Kind.TEXT, "版本标识"),
                Field("end", Kind.TEXT, "标准支持截止"),
                Field("days_left", Kind.INTEGER, "距标准支持结束", "天"),
                Field("extended_end", Kind.TEXT, "延长支持截止"),
                Field("extended", Kind.BOOLEAN, "是否已启用延长支持且未到期"),
                Field("source", Kind.TEXT, "日期出处"),
            ),
            summary="{name}（{release}），标准支持截止 {end}，延长支持截止 {extended_end}，日期出处：{source}",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        os_id = _os_id(host)
        if not isinstance(os_id, Known):
            why = os_id if isinstance(os_id, Unknown) else Unknown(Cause.UNAVAILABLE, "没有 os-release", "os-release")
            return {"systems": why}
        release = context.lifecycle.linux(os_id.value)
        own = own_date(context, os_id.value)
        mark = _vendor_mark(host) if os_id.value.startswith(_BASES) else None
        identity = host.system.identity()
        name = identity.value.os_name if isinstance(identity, Known) else ""
        item: Item = {
            "name": release.name if release else shown(name, 60),
            "release": shown(os_id.value, 60),
            "end": _end(release, own),
            "days_left": mark or _days_left(context, os_id.value, release, own),
            "extended_end": f"{release.programme_name} {release.extended}" if release and release.extended else None,
            "extended": mark or _extended(host, context, release, own),
            "source": _source(release, own),
        }
        return {"systems": Known((item,), os_id.origin)}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        found = host.system.windows()
        if not isinstance(found, Known):
            return {"systems": found if isinstance(found, Unknown) else Unknown(Cause.UNAVAILABLE, "没有 Windows 版本")}
        windows = found.value
        if not windows.installation and windows.build >= _TELLS_INSTALLATION:
            return {
                "systems": Unknown(Cause.UNAVAILABLE, "没有读到 InstallationType，不能区分客户端与服务器", found.origin)
            }
        release = windows_release(
            context.lifecycle,
            build=windows.build,
            edition=windows.edition,
            installation=windows.installation or "Client",
        )
        key = f"windows-{windows.build}"
        own = own_date(context, key)
        item: Item = {
            "name": release.name if release else shown(windows.product, 60),
            "release": shown(f"{windows.build}.{windows.revision} {windows.edition}", 60),
            "end": _end(release, own),
            "days_left": _days_left(context, key, release, own),
            "extended_end": f"{release.programme_name} {release.extended}" if release and release.extended else None,
            "extended": _esu(context, release, own),
            "source": _source(release, own),
        }
        return {"systems": Known((item,), found.origin)}


def _esu(context: Context, release: Release | None, own: date | Unknown | None) -> bool | Unknown:
    """Extended updates of Windows are bought; whether a licence for them is active cannot be read here."""
    if release is None or release.extended is None:
        if own is None and release is None:
            return Unknown(Cause.NOT_CONFIGURED, "系统不在停止支持日期表中", "rules/lifecycle")
        return False
    today = context.now.date()
    doubt = _outdated(release, release.extended, today)
    if release.extended < today:
        return doubt or False
    what = f"{release.programme_name} 是否已购买并激活，本程序不能读取，请用 slmgr /dlv 核对"
    return doubt or Unknown(Cause.UNCONFIRMED, what)


def _end(release: Release | None, own: date | Unknown | None) -> FieldValue:
    if release is not None:
        return release.eol.isoformat()
    return own if isinstance(own, Unknown) or own is None else own.isoformat()


def _source(release: Release | None, own: date | Unknown | None) -> FieldValue:
    if release is not None:
        return f"{release.source}，{release.checked} 核对"
    return "site.yml 的 updates.vendor_eol" if own is not None else None


def _os_id(host: Host) -> Reading[str]:
    identity = host.system.identity()
    if not isinstance(identity, Known):
        return identity
    os_id = identity.value.os_id
    # identity() calls a system "linux" also where os-release could not be read; that must not look like another system.
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        text = host.files.text(path=path)
        if isinstance(text, Unknown):
            return text
        # "linux" is the value of a file that names no system (os-release(5)).
        if isinstance(text, Known) and os_id != "linux":
            return Known(os_id, path)
    old = host.files.text(path="/etc/centos-release")
    if isinstance(old, Unknown):
        return old
    found = _CENTOS.match(old.value) if isinstance(old, Known) else None
    return Known(f"centos-{found[1]}", "/etc/centos-release") if found else Absent("os-release")


def own_date(context: Context, os_id: str) -> date | Unknown | None:
    """What the unit entered for this system; None when it did not."""
    entered = {k.strip().lower(): v for k, v in (context.site.updates.vendor_eol or {}).items()}
    text = entered.get(os_id)
    if text is None:
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        what = f"site.yml 的 updates.vendor_eol 中 {os_id} 的日期“{shown(text, 40)}”应写成 2030-12-31 的形式"
        return Unknown(Cause.MALFORMED, what, "site.yml")


def _days_left(context: Context, os_id: str, release: Release | None, own: date | Unknown | None) -> int | Unknown:
    today = context.now.date()
    if isinstance(own, Unknown):
        return own
    if own is not None and release is None:
        # The unit answers for what it entered; no table speaks of this system.
        return (own - today).days
    if release is None:
        what = f"{shown(os_id, 60)} 不在停止支持日期表中，请查明厂商的停止支持日期后写入 site.yml 的 updates.vendor_eol"
        return Unknown(Cause.NOT_CONFIGURED, what, "rules/lifecycle")
    return days_left(release, today)


def days_left(release: Release, today: date) -> int | Unknown:
    """Days until standard support ends, as far as the table's entry can be believed."""
    if not release.verified:
        return Unknown(
            Cause.UNCONFIRMED, f"{release.name} 的停止支持日期 {release.eol} 没有与公开出处核对过", "rules/lifecycle"
        )
    return _outdated(release, release.eol, today) or (release.eol - today).days


def _outdated(release: Release, ends: date, today: date) -> Unknown | None:
    if ends >= release.checked and today - release.checked > TRUSTED:
        what = f"{release.name} 的日期 {ends} 核对于 {release.checked}，已超过 12 个月，请更新规则文件夹"
        return Unknown(Cause.UNCONFIRMED, what, "rules/lifecycle")
    return None


def _vendor_mark(host: Host) -> Unknown | None:
    """Why this is perhaps not the system its os-release names."""
    for path in VENDOR_MARKS:
        stat = host.files.stat(path=path)
        if isinstance(stat, Unknown):
            return stat
        if isinstance(stat, Known):
            what = f"存在 {path}，可能是基于该系统的厂商发行版，不能按其基础系统的日期判断"
            return Unknown(Cause.UNCONFIRMED, what, path)
    return None


def _extended(host: Host, context: Context, release: Release | None, own: date | Unknown | None) -> bool | Unknown:
    if release is None or release.extended is None:
        if own is None and release is None:
            return Unknown(Cause.NOT_CONFIGURED, "系统不在停止支持日期表中", "rules/lifecycle")
        return False
    today = context.now.date()
    if release.extended < today:
        return _outdated(release, release.extended, today) or False
    doubt = _outdated(release, release.extended, today)
    if doubt is not None:
        return doubt
    sources, gaps = read_sources(host)
    suites = [s for s in sources if s.kind == "apt" and s.enabled and not s.local]
    if release.programme == "licensed":
        if any("esm.ubuntu.com" in s.host or "-esm" in s.url.lower() or "/esm" in s.url.lower() for s in suites):
            what = f"配置了 {release.programme_name} 软件源，授权是否有效须执行 pro status 核对"
            return Unknown(Cause.UNCONFIRMED, what, "软件源配置")
    elif any(security_suite(s.name, release.codename) for s in suites):
        return True
    if gaps:
        return Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin)
    return False


def security_suite(suite: str, codename: str) -> bool:
    """Whether an apt suite is the release's security archive: ``bookworm-security``, ``buster/updates``."""
    return bool(codename) and suite.rstrip("/") in (f"{codename}-security", f"{codename}/updates")


def windows_release(lifecycle: Lifecycle, *, build: int, edition: str, installation: str) -> Release | None:
    """The table's entry for a Windows build; ``installation`` is InstallationType (``Client``, ``Server``, ``Server Core``)."""
    return lifecycle.windows(build=build, edition=edition, server=installation.casefold() != "client")


PROBES = (OsSupportProbe(),)
