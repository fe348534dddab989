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
from ybscan.model.facts import Fact, FactSpec, Kind
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
_BASES = ("debian-", "ubuntu-", "centos-")
_CENTOS = re.compile(r"^CentOS (?:Linux )?release (\d+)")


class OsSupportProbe(Probe):
    """The end-of-support date of the system, from the table that comes with the rules or from the unit."""

    name = "os_support"
    title = "操作系统支持期限"
    facts = (
        FactSpec(
            "release", Kind.TEXT, "操作系统版本",
            help="与停止支持日期表比对所用的标识：Linux 为 os-release 的 ID-VERSION_ID，Windows 为版本名称和 build。",
            linux="/etc/os-release，CentOS 6 为 /etc/centos-release",
            windows="HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion 的 CurrentBuild、EditionID、InstallationType",
        ),
        FactSpec(
            "days_left", Kind.INTEGER, "距厂商标准支持结束", unit="天",
            help="负数表示已经结束。日期取自 rules/lifecycle，表中没有的取自 site.yml 的 updates.vendor_eol；两者都没有时未知。",
            linux="rules/lifecycle、site.yml", windows="rules/lifecycle、site.yml",
        ),
        FactSpec(
            "extended", Kind.BOOLEAN, "延长支持", words=("已启用且未到期", "未启用或已到期"),
            help="标准支持结束之后的延长支持（Debian LTS、Ubuntu ESM、Windows ESU）。Debian LTS 看是否配置了安全更新源；"
            "须购买授权的无法从配置文件确认。",
            linux="软件源配置", windows="SoftwareLicensingProduct 中名称含 ESU 且已授权的条目",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        os_id = _os_id(host)
        if not isinstance(os_id, Known):
            why = os_id if isinstance(os_id, Unknown) else Unknown(Cause.UNAVAILABLE, "没有 os-release", "os-release")
            return {"release": why, "days_left": why, "extended": why}
        named: Fact = Known(os_id.value, os_id.origin)
        release = context.lifecycle.linux(os_id.value)
        own = own_date(context, os_id.value)
        return {
            "release": named,
            "days_left": _days_left(host, context, os_id, release, own),
            "extended": _extended(host, context, release, own),
        }


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


def _days_left(
    host: Host, context: Context, os_id: Known[str], release: Release | None, own: date | Unknown | None
) -> Fact:
    today = context.now.date()
    if isinstance(own, Unknown):
        return own
    if own is not None and release is None:
        # The unit answers for what it entered; no table speaks of this system.
        return Known((own - today).days, f"site.yml 的 updates.vendor_eol（{os_id.value} 至 {own}）")
    if os_id.value.startswith(_BASES):
        mark = _vendor_mark(host)
        if mark is not None:
            return mark
    if release is None:
        what = f"{shown(os_id.value, 60)} 不在停止支持日期表中，请查明厂商的停止支持日期后写入 site.yml 的 updates.vendor_eol"
        return Unknown(Cause.NOT_CONFIGURED, what, "rules/lifecycle")
    return days_left(release, today)


def days_left(release: Release, today: date) -> Fact:
    """Days until standard support ends, as far as the table's entry can be believed."""
    origin = f"rules/lifecycle：{release.name} 至 {release.eol}（{release.source}，{release.checked} 核对）"
    if not release.verified:
        return Unknown(Cause.UNCONFIRMED, f"{release.name} 的停止支持日期 {release.eol} 没有与公开出处核对过", origin)
    doubt = _outdated(release, release.eol, today)
    return doubt or Known((release.eol - today).days, origin)


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


def _extended(host: Host, context: Context, release: Release | None, own: date | Unknown | None) -> Fact:
    if release is None or release.extended is None:
        if own is None and release is None:
            return Unknown(Cause.NOT_CONFIGURED, "系统不在停止支持日期表中", "rules/lifecycle")
        return Known(False, "rules/lifecycle")
    today = context.now.date()
    origin = f"rules/lifecycle：{release.name} {release.programme_name} 至 {release.extended}（{release.checked} 核对）"
    if release.extended < today:
        return _outdated(release, release.extended, today) or Known(False, origin)
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
        return Known(True, f"{origin}；已配置 {release.codename} 安全更新源")
    if gaps:
        return Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin)
    return Known(False, f"{origin}；没有配置安全更新源")


def security_suite(suite: str, codename: str) -> bool:
    """Whether an apt suite is the release's security archive: ``bookworm-security``, ``buster/updates``."""
    return bool(codename) and suite.rstrip("/") in (f"{codename}-security", f"{codename}/updates")


def windows_release(lifecycle: Lifecycle, *, build: int, edition: str, installation: str) -> Release | None:
    """The table's entry for a Windows build; ``installation`` is InstallationType (``Client``, ``Server``, ``Server Core``)."""
    return lifecycle.windows(build=build, edition=edition, server=installation.casefold() != "client")


PROBES = (OsSupportProbe(),)
